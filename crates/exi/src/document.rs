use crate::{Error, ErrorKind, Input, Particle, Path, Reader, Writer};

/// The byte in front of every stream: no options, version 1.
const HEADER: u8 = 0x80;

/// How a root element is announced: its code among the global elements of a schema set (documents) or
/// among all element names (fragments), and the code that ends a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// The root element's name.
    pub name: &'static str,
    /// The root element's code.
    pub code: u16,
    /// The width of the code in bits.
    pub bits: u8,
    /// A fragment's end-of-document code; a document has none.
    pub end: Option<u16>,
}

/// The root's code of a stream, where it has a header and so many bits.
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

/// Decodes a stream whose root element is a `T`.
///
/// The whole document is checked, strings, binaries and lists included; reading them later cannot fail.
/// Bits behind the document are ignored: the framing around it knows its length.
pub fn decode<'a, T: Particle<'a>>(stream: &'a [u8], root: Root) -> Result<T, Error> {
    decode_with(&mut Reader::new(stream, 8 + u32::from(root.bits)), root)
}

/// The same, with the length of the document in bytes.
pub fn decode_measured<'a, T: Particle<'a>>(stream: &'a [u8], root: Root) -> Result<(T, usize), Error> {
    let mut reader = Reader::new(stream, 8 + u32::from(root.bits));
    let value = decode_with(&mut reader, root)?;
    Ok((value, reader.bit().div_ceil(8) as usize))
}

/// Decodes a `T` with a reader of its stream.
#[inline(always)]
fn decode_with<'a, T: Particle<'a>>(reader: &mut Reader<'a>, root: Root) -> Result<T, Error> {
    let stream = reader.stream();
    if root_code(stream, root.bits)? != root.code {
        return Err(Error { kind: ErrorKind::Root, bit: 8, path: Path::default() });
    }
    let value = T::read(reader, 0);
    end(reader, root);
    match reader.finish() {
        None => Ok(value),
        Some((kind, bit)) => Err(Error { kind, bit, path: locate::<T>(stream, root) }),
    }
}

/// Decodes a `T` from bit `bit` of a stream that was checked before, such as one item that a tool points at.
pub fn decode_at<'a, T: Particle<'a>>(stream: &'a [u8], bit: u32) -> Result<T, Error> {
    let mut reader = Reader::new(stream, bit);
    let value = T::read(&mut reader, 0);
    reader.finish().map_or(Ok(value), |(kind, bit)| Err(Error { kind, bit, path: Path::default() }))
}

/// Encodes `value` as a stream with the root element `root` and returns its length in bytes.
pub fn encode<'a, T: Particle<'a>>(value: &T, root: Root, buffer: &mut [u8]) -> Result<usize, Error> {
    let mut out = Writer::new(buffer);
    out.put(u32::from(HEADER), 8);
    out.put(u32::from(root.code), u32::from(root.bits));
    value.write(&mut out);
    if let Some(end) = root.end {
        out.put(u32::from(end), u32::from(root.bits));
    }
    out.finish().map_err(|(kind, bit)| Error { kind, bit, path: Path::default() })
}

/// Reads the end of a fragment.
pub(crate) fn end<'a, I: Input<'a>>(input: &mut I, root: Root) {
    if let Some(end) = root.end
        && input.take(u32::from(root.bits)) != u32::from(end)
    {
        input.fail(ErrorKind::Event, u32::from(root.bits));
    }
}

/// Reads the stream once more, now watching where the error is.
#[cfg(feature = "names")]
#[cold]
fn locate<'a, T: Particle<'a>>(stream: &'a [u8], root: Root) -> Path {
    crate::trace::locate::<T>(stream, root)
}

#[cfg(not(feature = "names"))]
#[allow(clippy::extra_unused_type_parameters, reason = "the same call as with names")]
fn locate<'a, T: Particle<'a>>(_: &'a [u8], _: Root) -> Path {
    Path::default()
}
