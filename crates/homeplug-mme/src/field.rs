//! Fields: how each type of value is read, written and shown.

use core::fmt;

use machine::TooShort;
use nom::bytes::complete::take;

use crate::{Dak, Mac, Nid, Nmk};

/// A value for display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A number.
    Number(u32),
    /// An Ethernet address.
    Mac(Mac),
    /// Bytes without a known meaning.
    Bytes(&'a [u8]),
    /// Attenuations in dB, one for each group of carriers.
    Decibels(&'a [u8]),
    /// Text; not necessarily ASCII.
    Text(&'a [u8]),
    /// A key, or bytes that may contain one: show it only on explicit request.
    Secret(&'a [u8]),
}

/// Receives the fields of a message, in their order.
pub type Visit<'v> = dyn FnMut(&'static str, Value<'_>) + 'v;

/// Why a body does not contain its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// It ends within a field, or before the number of elements that it declares.
    #[error("the message ends too early, in the field at byte {at} of its body")]
    Short {
        /// Offset in the body where the field begins.
        at: usize,
    },
}

/// Reads consecutive fields. After the first truncated one every read returns zero, and the message is
/// checked once, at its end: this saves flash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    body: &'a [u8],
    rest: &'a [u8],
    cut: Option<usize>,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(body: &'a [u8]) -> Self {
        Self { body, rest: body, cut: None }
    }

    /// The next `count` bytes; empty if fewer are left.
    #[inline(never)]
    pub(crate) fn bytes(&mut self, count: usize) -> &'a [u8] {
        match take::<_, &[u8], ()>(count)(self.rest) {
            Ok((rest, bytes)) if self.cut.is_none() => {
                self.rest = rest;
                bytes
            }
            _ => {
                self.cut.get_or_insert(self.body.len() - self.rest.len());
                &[]
            }
        }
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        self.fill(&mut array);
        array
    }

    /// Copies the next bytes into `array`; all or none of them.
    #[inline(never)]
    fn fill(&mut self, array: &mut [u8]) {
        let bytes = self.bytes(array.len());
        array.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    }

    /// Skips reserved bytes; a frame may end within them.
    pub(crate) fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    /// What is left.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether no field so far was truncated.
    pub(crate) const fn is_whole(&self) -> bool {
        self.cut.is_none()
    }

    /// Returns `value` if no field was truncated.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, MessageError> {
        match self.cut {
            None => Ok(value),
            Some(at) => Err(MessageError::Short { at }),
        }
    }
}

/// Reads a whole message.
pub(crate) fn whole<'a, T: Field<'a>>(body: &'a [u8]) -> Result<T, MessageError> {
    let mut reader = Reader::new(body);
    let message = T::take(&mut reader);
    reader.finish(message)
}

/// Reads one value from the start of `bytes`; `None` if they are too short.
pub(crate) fn first<'a, T: Field<'a>>(bytes: &'a [u8]) -> Option<(T, &'a [u8])> {
    let mut reader = Reader::new(bytes);
    let value = T::take(&mut reader);
    reader.is_whole().then_some((value, reader.rest()))
}

/// A value in a frame.
pub(crate) trait Field<'a>: Sized {
    /// Reads it.
    fn take(input: &mut Reader<'a>) -> Self;
    /// Writes it.
    fn put(&self, out: &mut Writer<'_>);
    /// Shows it.
    fn show(&self, name: &'static str, visit: &mut Visit<'_>);
    /// Whether it is present; reserved bytes after an optional field are present only with it.
    fn is_present(&self) -> bool {
        true
    }
}

/// Writes into a caller's buffer and continues to count if the buffer is too short.
#[derive(Debug)]
pub struct Writer<'b> {
    buffer: &'b mut [u8],
    len: usize,
}

impl<'b> Writer<'b> {
    pub(crate) fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, len: 0 }
    }

    /// Writes `bytes`.
    pub fn bytes(&mut self, bytes: &[u8]) {
        if let Some(room) = self.room(bytes.len()) {
            room.copy_from_slice(bytes);
        }
    }

    /// Writes `count` zeros.
    pub fn zeros(&mut self, count: usize) {
        if let Some(room) = self.room(count) {
            room.fill(0);
        }
    }

    /// The room for the next `count` bytes.
    fn room(&mut self, count: usize) -> Option<&mut [u8]> {
        let start = self.len;
        self.len = start.saturating_add(count);
        self.buffer.get_mut(start..self.len)
    }

    /// Pads to at least `min` bytes and returns the length; fails if the buffer is too short.
    pub(crate) fn finish(mut self, min: usize) -> Result<usize, TooShort> {
        self.zeros(min.saturating_sub(self.len));
        if self.len > self.buffer.len() { Err(TooShort { needed: self.len }) } else { Ok(self.len) }
    }
}

/// A body of at least `least` bytes, padded with zeros if it is shorter than `whole`.
pub(crate) fn padded<'w>(body: &[u8], least: usize, whole: &'w mut [u8]) -> Result<&'w [u8], MessageError> {
    if body.len() < least {
        return Err(MessageError::Short { at: body.len() });
    }
    whole.iter_mut().zip(body).for_each(|(to, from)| *to = *from);
    Ok(whole)
}

/// A variable number of bytes, declared by another field.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Slice<'a>(pub &'a [u8]);

impl<'a> Slice<'a> {
    pub(crate) fn take(input: &mut Reader<'a>, count: usize) -> Self {
        Self(input.bytes(count))
    }

    pub(crate) fn put(&self, out: &mut Writer<'_>) {
        out.bytes(self.0);
    }
}

/// The consecutive addresses in `bytes`.
pub(crate) fn addresses(bytes: &[u8]) -> impl Iterator<Item = Mac> + '_ {
    bytes.chunks_exact(6).filter_map(|mac| mac.try_into().ok().map(Mac))
}

impl fmt::Debug for Slice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may contain a modem's parameters and therefore its keys.
        write!(f, "[{} bytes]", self.0.len())
    }
}

macro_rules! number {
    ($($type:ty),*) => {$(
        impl<'a> Field<'a> for $type {
            fn take(input: &mut Reader<'a>) -> Self {
                Self::from_le_bytes(input.array())
            }
            fn put(&self, out: &mut Writer<'_>) {
                out.bytes(&self.to_le_bytes());
            }
            fn show(&self, name: &'static str, visit: &mut Visit<'_>) {
                visit(name, Value::Number(u32::from(*self)));
            }
        }
    )*};
}

number!(u8, u16, u32);

macro_rules! bytes {
    ($($type:ty: $bytes:ident => $make:expr, $this:ident => $get:expr, $show:expr;)*) => {$(
        impl<'a> Field<'a> for $type {
            fn take(input: &mut Reader<'a>) -> Self {
                let $bytes = input.array();
                $make
            }
            fn put(&self, out: &mut Writer<'_>) {
                let $this = self;
                out.bytes($get);
            }
            fn show(&self, name: &'static str, visit: &mut Visit<'_>) {
                let $this = self;
                visit(name, $show);
            }
        }
    )*};
}

bytes! {
    Mac: bytes => Mac(bytes), mac => &mac.0, Value::Mac(*mac);
    Nid: bytes => Nid(bytes), nid => &nid.0, Value::Bytes(&nid.0);
    Nmk: bytes => Nmk::new(bytes), nmk => nmk.reveal(), Value::Secret(nmk.reveal());
    Dak: bytes => Dak::new(bytes), dak => dak.reveal(), Value::Secret(dak.reveal());
}

impl<'a, const N: usize> Field<'a> for [u8; N] {
    fn take(input: &mut Reader<'a>) -> Self {
        input.array()
    }
    fn put(&self, out: &mut Writer<'_>) {
        out.bytes(self);
    }
    fn show(&self, name: &'static str, visit: &mut Visit<'_>) {
        visit(name, Value::Bytes(self));
    }
}

/// Text of a fixed length, padded with zeros.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Label<const N: usize>(pub [u8; N]);

impl<const N: usize> Label<N> {
    /// The characters before the padding.
    pub fn text(&self) -> &[u8] {
        self.0.split(|byte| *byte == 0).next().unwrap_or_default()
    }
}

impl<const N: usize> Default for Label<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> fmt::Debug for Label<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.text().escape_ascii())
    }
}

impl<'a, const N: usize> Field<'a> for Label<N> {
    fn take(input: &mut Reader<'a>) -> Self {
        Self(input.array())
    }
    fn put(&self, out: &mut Writer<'_>) {
        out.bytes(&self.0);
    }
    fn show(&self, name: &'static str, visit: &mut Visit<'_>) {
        visit(name, Value::Text(self.text()));
    }
}

/// An optional field at the end of a frame.
impl<'a, T: Field<'a>> Field<'a> for Option<T> {
    fn take(input: &mut Reader<'a>) -> Self {
        let before = *input;
        let value = T::take(input);
        if before.is_whole() && !input.is_whole() {
            *input = before;
            return None;
        }
        Some(value)
    }
    fn put(&self, out: &mut Writer<'_>) {
        if let Some(value) = self {
            value.put(out);
        }
    }
    fn show(&self, name: &'static str, visit: &mut Visit<'_>) {
        if let Some(value) = self {
            value.show(name, visit);
        }
    }
    fn is_present(&self) -> bool {
        self.is_some()
    }
}
