use core::fmt;

/// Why a stream is not a document of its schema, or why a value cannot be encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The first byte is not `0x80`.
    #[error("no EXI header: the first byte must be 80 (no options, version 1)")]
    Header,
    /// The stream ends inside the document.
    #[error("the stream ends inside the document")]
    Truncated,
    /// The root element is not the expected one, or not of this schema.
    #[error("the root element is not one of this schema that is expected here")]
    Root,
    /// An event that the schema does not allow here.
    #[error("an event that the schema does not allow here")]
    Event,
    /// An enumeration index at or beyond the count of its values.
    #[error("an enumeration index beyond the last value")]
    Enumeration,
    /// A number outside the range of its type.
    #[error("a number outside the range of its type")]
    Range,
    /// A length larger than the rest of the stream.
    #[error("a length beyond the end of the stream")]
    Length,
    /// A string-table hit: these protocols have no string tables.
    #[error("a string-table hit, but the string tables are switched off")]
    StringTable,
    /// A code point that is not a Unicode character.
    #[error("a code point that is no Unicode character")]
    Character,
    /// Content of another schema (`xs:any`), which is not decoded.
    #[error("content of another schema, which no charging protocol uses")]
    Foreign,
    /// On encoding: the buffer is too small.
    #[error("the output buffer is too small")]
    BufferFull,
    /// On encoding: a string or binary longer than the schema allows.
    #[error("a string or binary longer than its schema allows")]
    TooLong,
    /// On encoding: fewer or more items than the schema allows.
    #[error("fewer or more items than the schema allows")]
    Occurrence,
}

/// What is wrong with a stream, at which bit, and in which element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Bit offset in the stream at which the invalid part begins. On encoding: the number of bits written
    /// before the error; with [`BufferFull`](ErrorKind::BufferFull) the length of the whole stream, a
    /// multiple of 8.
    pub bit: u32,
    /// The element of the error; empty without the feature `names`, and on encoding.
    pub path: Path,
}

impl Error {
    /// The buffer size in bytes that encoding requires; `None` for any error except
    /// [`BufferFull`](ErrorKind::BufferFull).
    pub fn needed(&self) -> Option<usize> {
        (self.kind == ErrorKind::BufferFull).then_some((self.bit / 8) as usize)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bit {}", self.bit)?;
        if !self.path.is_empty() {
            write!(f, ", in {}", self.path)?;
        }
        write!(f, ": {}", self.kind)
    }
}

/// Names of nested elements, outermost first. Names deeper than [`DEPTH`](Self::DEPTH) are dropped.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Path {
    #[cfg(feature = "names")]
    names: [&'static str; Self::DEPTH],
    depth: u8,
}

impl Path {
    /// How many names fit. The deepest element of DIN SPEC 70121 has depth 11.
    pub const DEPTH: usize = 14;

    /// Whether the path has no element.
    pub const fn is_empty(&self) -> bool {
        self.depth == 0
    }

    /// The names, outermost first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        #[cfg(feature = "names")]
        let names = self.names;
        #[cfg(not(feature = "names"))]
        let names: [&'static str; 0] = [];
        names.into_iter().take(usize::from(self.depth))
    }

    #[cfg(feature = "names")]
    pub(crate) fn push(&mut self, name: &'static str) {
        if let Some(slot) = self.names.get_mut(usize::from(self.depth)) {
            *slot = name;
        }
        self.depth = self.depth.saturating_add(1);
    }

    #[cfg(feature = "names")]
    pub(crate) fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.names().enumerate() {
            if index > 0 {
                f.write_str("/")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
