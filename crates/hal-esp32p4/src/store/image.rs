use heapless::Vec;
use session::Latch;

/// Most bytes of keys and values in a record: its slot without head and check sum.
pub(super) const MOST: usize = 488;

/// The key of a setting: 1..=255. The firmware assigns the numbers; 0 is the latch's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(pub(super) u8);

impl Key {
    /// The key with this number; `None` for 0, which is the latch's.
    pub const fn new(number: u8) -> Option<Self> {
        if number == LATCH { None } else { Some(Self(number)) }
    }
}

const LATCH: u8 = 0;
/// Bytes reserved for the latch: its longest name, key and length.
const FOR_LATCH: usize = 2 + 24;

/// No room for a value: the total of all keys and values is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room for {needed} bytes of settings: all together have {most}", most = MOST - FOR_LATCH)]
pub struct Full {
    /// Bytes that all settings would need.
    pub needed: usize,
}

/// All keys and values as in a record: a sequence of key, length, bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Image(Vec<u8, MOST>);

impl Image {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// The image in a record's bytes; `None` if they are not keys and values.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        while let [_, length, others @ ..] = rest {
            rest = others.get(usize::from(*length)..)?;
        }
        if !rest.is_empty() {
            return None;
        }
        let image = Self(Vec::from_slice(bytes).ok()?);
        (Self::settings(image.items()) <= MOST - FOR_LATCH).then_some(image)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn items(&self) -> impl Iterator<Item = (u8, &[u8])> {
        let mut rest = self.bytes();
        core::iter::from_fn(move || {
            let [key, length, others @ ..] = rest else { return None };
            let (value, others) = others.split_at_checked(usize::from(*length))?;
            rest = others;
            Some((*key, value))
        })
    }

    pub(super) fn get(&self, key: u8) -> Option<&[u8]> {
        self.items().find(|(of, _)| *of == key).map(|(_, value)| value)
    }

    pub(super) fn set(&mut self, key: u8, value: &[u8]) -> Result<(), Full> {
        let needed = Self::settings(self.items().filter(|(of, _)| *of != key)) + 2 + value.len();
        let fits = key == LATCH || needed <= MOST - FOR_LATCH;
        let (Ok(length), true) = (u8::try_from(value.len()), fits) else { return Err(Full { needed }) };
        self.remove(key);
        let is_in = self.0.extend_from_slice(&[key, length]).and_then(|()| self.0.extend_from_slice(value));
        is_in.map_err(|_| Full { needed })
    }

    /// Removes a key; `true` if it was present.
    pub(super) fn remove(&mut self, key: u8) -> bool {
        let mut rest = Self::new();
        for (of, value) in self.items().filter(|(of, _)| *of != key) {
            // The caller checked the length.
            let length = u8::try_from(value.len()).unwrap_or(u8::MAX);
            let _ = rest.0.extend_from_slice(&[of, length]).and_then(|()| rest.0.extend_from_slice(value));
        }
        let was_there = rest.0.len() != self.0.len();
        *self = rest;
        was_there
    }

    /// Bytes of all items but the latch.
    fn settings<'a>(items: impl Iterator<Item = (u8, &'a [u8])>) -> usize {
        items.filter(|(of, _)| *of != LATCH).map(|(_, value)| 2 + value.len()).sum()
    }

    pub(super) fn set_latch(&mut self, latch: Option<Latch>) {
        match latch {
            // Every name fits, which a test checks.
            Some(latch) => _ = self.set(LATCH, latch.name().as_bytes()),
            None => _ = self.remove(LATCH),
        }
    }

    pub(super) fn latch(&self) -> Option<Latch> {
        self.get(LATCH).map(|name| core::str::from_utf8(name).map_or(Latch::Unreadable, Latch::from_name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_row_of_keys_and_values_is_no_image() {
        let cases: [(&[u8], bool); 6] = [
            (&[], true),
            (&[1, 0], true),
            (&[1, 2, 7, 7, 2, 1, 9], true),
            (&[1], false),
            (&[1, 2, 7], false),
            (&[1, 1, 7, 2], false),
        ];
        for (bytes, is_image) in cases {
            assert_eq!(Image::of(bytes).is_some(), is_image, "{bytes:?}");
        }
    }

    #[test]
    fn an_image_without_room_for_a_latch_is_none() {
        let of = |last: u8| {
            let mut bytes = [1; MOST];
            (bytes[1], bytes[222], bytes[223]) = (220, 2, last);
            Image::of(&bytes[..224 + usize::from(last)])
        };
        assert!(of(u8::try_from(MOST - FOR_LATCH - 224).unwrap()).is_some());
        assert!(of(u8::try_from(MOST - FOR_LATCH - 223).unwrap()).is_none());
    }
}
