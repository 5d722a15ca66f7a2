use sha2::{Digest, Sha256};

use super::Sector;
use super::image::{Image, MOST};

/// Bytes of a slot.
pub(super) const SLOT: u32 = 512;
/// Slots of a sector.
pub(super) const SLOTS: u32 = Sector::BYTES / SLOT;

/// Where the parts of a record are: the word that says what is being saved, the head (magic, number, length),
/// the body, the check sum over all before it.
const HEAD_AT: usize = 4;
const BODY_AT: usize = 16;
const CHECK_AT: usize = BODY_AT + MOST;
/// Bytes of the check sum, the first of a SHA-256.
const CHECK: usize = 8;
const _: () = assert!(CHECK_AT + CHECK == SLOT as usize, "the parts of a record fill its slot");

const MAGIC: [u8; 4] = *b"CCS1";
/// First byte of a record that sets a latch, and of any other record. During a write or an erase some bits of
/// a byte are ones. No partial state of one value is also a partial state of the other.
const SETS_LATCH: u8 = 0x0F;
const PLAIN: u8 = 0xF0;
const ONES: u8 = 0xFF;

type Bytes = [u8; SLOT as usize];

/// A record as it is written.
pub(super) struct Record(Bytes);

impl Record {
    /// A record with this body.
    pub(super) fn new(number: u32, sets_latch: bool, body: &[u8]) -> Self {
        let mut bytes = [ONES; SLOT as usize];
        let kind = if sets_latch { SETS_LATCH } else { PLAIN };
        let length = u32::try_from(body.len()).unwrap_or(0);
        let head = [&[kind, ONES, ONES, ONES], &MAGIC, &number.to_le_bytes(), &length.to_le_bytes()];
        let content = head.into_iter().flatten().chain(body);
        for (to, from) in bytes.iter_mut().zip(content) {
            *to = *from;
        }
        let check = check(&bytes);
        for (to, from) in bytes.iter_mut().skip(CHECK_AT).zip(check) {
            *to = from;
        }
        Self(bytes)
    }

    /// Its parts with their offsets, in the order of writing.
    pub(super) fn parts(&self) -> impl Iterator<Item = (u32, &[u8])> {
        [(0, HEAD_AT), (HEAD_AT, CHECK_AT), (CHECK_AT, SLOT as usize)]
            .into_iter()
            .filter_map(|(from, to)| Some((u32::try_from(from).ok()?, self.0.get(from..to)?)))
    }
}

/// The content of a slot.
#[allow(clippy::large_enum_variant, reason = "one at a time, on the stack")]
pub(super) enum Slot {
    /// All ones.
    Blank,
    /// A complete record.
    Good { number: u32, image: Image },
    /// Any other content; whether it may have set a latch.
    Torn { sets_latch: bool },
}

impl Slot {
    pub(super) fn of(bytes: &Bytes) -> Self {
        if bytes.iter().all(|byte| *byte == ONES) {
            return Self::Blank;
        }
        let [kind, ..] = *bytes;
        Self::good(bytes).unwrap_or(Self::Torn { sets_latch: kind == ONES || kind & PLAIN != PLAIN })
    }

    fn good(bytes: &Bytes) -> Option<Self> {
        let word = |at: usize| bytes.get(at..at + 4).and_then(|word| <[u8; 4]>::try_from(word).ok());
        let number = u32::from_le_bytes(word(8)?);
        let length = usize::try_from(u32::from_le_bytes(word(12)?)).ok()?;
        if word(HEAD_AT)? != MAGIC || bytes.get(CHECK_AT..)? != check(bytes) {
            return None;
        }
        let body = bytes.get(BODY_AT..CHECK_AT)?.get(..length)?;
        Some(Self::Good { number, image: Image::of(body)? })
    }
}

fn check(bytes: &Bytes) -> [u8; CHECK] {
    let covered = bytes.get(..CHECK_AT).unwrap_or(bytes);
    let sum = <[u8; 32]>::from(Sha256::digest(covered));
    // A SHA-256 is longer than this.
    sum.first_chunk().copied().unwrap_or([0; CHECK])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_between_ones_and_one_kind_is_never_taken_for_the_other() {
        for bits in 0..=u8::MAX {
            for (kind, sets_latch) in [(SETS_LATCH, true), (PLAIN, false)] {
                let partly = kind | bits;
                let mut bytes = [ONES; SLOT as usize];
                (bytes[0], bytes[100]) = (partly, 0);
                let Slot::Torn { sets_latch: read } = Slot::of(&bytes) else { panic!("{partly:x}") };
                assert_eq!(read, sets_latch || partly == ONES, "{partly:x}");
            }
        }
    }
}
