use crate::shape::Shape;
use crate::{Binary, Input, Integer, Text, Writer};

/// A type whose content is one value: no attributes, no child elements.
pub trait Simple<'a>: Sized {
    /// The type as data, for tests against the schema and for tools.
    const SHAPE: &'static Shape;

    /// Reads the value.
    fn value<I: Input<'a>>(input: &mut I) -> Self;

    /// The value of an element whose content was left out by a second-level end of element; `None` except
    /// for strings and binaries.
    fn empty() -> Option<Self> {
        None
    }

    /// Writes the value.
    fn put(&self, out: &mut Writer<'_>);
}

impl<'a, const MAX: u32> Simple<'a> for Text<'a, MAX> {
    const SHAPE: &'static Shape = &Shape::Text(MAX);

    fn value<I: Input<'a>>(input: &mut I) -> Self {
        let text = Self::read(input);
        #[cfg(feature = "names")]
        input.value(crate::trace::Value::Text(text.of_any_length()));
        text
    }

    fn empty() -> Option<Self> {
        Some("".into())
    }

    fn put(&self, out: &mut Writer<'_>) {
        self.write(out);
    }
}

impl<'a> Simple<'a> for Integer<'a> {
    const SHAPE: &'static Shape = &Shape::BigInteger;

    fn value<I: Input<'a>>(input: &mut I) -> Self {
        let integer = Self::read(input);
        #[cfg(feature = "names")]
        input.value(crate::trace::Value::Big(integer));
        integer
    }

    fn put(&self, out: &mut Writer<'_>) {
        self.write(out);
    }
}

impl<'a, const HEX: bool, const MAX: u32> Simple<'a> for Binary<'a, HEX, MAX> {
    const SHAPE: &'static Shape = if HEX { &Shape::HexBinary(MAX) } else { &Shape::Base64Binary(MAX) };

    fn value<I: Input<'a>>(input: &mut I) -> Self {
        let bytes = Self::read(input);
        #[cfg(feature = "names")]
        input.value(crate::trace::Value::Bytes(bytes.in_base64()));
        bytes
    }

    fn empty() -> Option<Self> {
        Some((&[]).into())
    }

    fn put(&self, out: &mut Writer<'_>) {
        self.write(out);
    }
}
