use crate::{Base64Binary, Integer, Text};

/// A value in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A boolean.
    Boolean(bool),
    /// A number.
    Integer(i64),
    /// A number beyond `i64`.
    Unsigned(u64),
    /// A number of any size.
    Big(Integer<'a>),
    /// An enumeration's number on the wire and its name.
    Enumeration(u32, &'static str),
    /// A string.
    Text(Text<'a>),
    /// Bytes.
    Bytes(Base64Binary<'a>),
}
