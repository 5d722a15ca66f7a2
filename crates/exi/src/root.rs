use crate::{Bits, Error, ErrorKind, Path, Reader};

/// The first byte of every stream: no options, version 1.
pub(crate) const HEADER: u8 = 0x80;

/// How a root element is coded: its code among the global elements of a schema set (document) or among all
/// element names (fragment), and the code that ends a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// The root element's name.
    pub name: &'static str,
    /// The root element's code.
    pub code: u16,
    /// The width of the code in bits.
    pub bits: u8,
    /// A fragment's end-of-document code; `None` for a document.
    pub end: Option<u16>,
}

/// The code of the root element, `bits` wide, from a stream with a valid header.
pub fn root_code(stream: &[u8], bits: u8) -> Result<u16, Error> {
    let mut reader = Reader::new(stream, 0);
    let header = reader.take(8);
    let code = reader.take(u32::from(bits));
    match reader.finish() {
        None if header == u32::from(HEADER) => Ok(code as u16),
        None => Err(Error { kind: ErrorKind::Header, bit: 0, path: Path::default() }),
        Some((kind, bit)) => Err(Error { kind, bit, path: Path::default() }),
    }
}

/// Reads the end of a fragment.
pub(crate) fn end<'a, I: Bits<'a>>(input: &mut I, root: Root) {
    if let Some(end) = root.end
        && input.take(u32::from(root.bits)) != u32::from(end)
    {
        input.fail(ErrorKind::Event, u32::from(root.bits));
    }
}
