use crate::root::{HEADER, end};
use crate::{Bits as _, Error, ErrorKind, Particle, Path, Reader, Root, Writer, root_code};

/// Decodes a stream whose root element is a `T`.
///
/// The whole document is checked, including strings, binaries and lists, so reading them later cannot fail.
/// Bits after the document are ignored: the framing around it states its length.
pub fn decode<'a, T: Particle<'a>>(stream: &'a [u8], root: Root) -> Result<T, Error> {
    decode_with(&mut Reader::new(stream, 8 + u32::from(root.bits)), root)
}

/// As [`decode`], and returns the length of the document in bytes.
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

/// Decodes a `T` from bit `bit` of a stream that [`decode`] has accepted, such as one item that a dissector
/// located.
pub fn decode_at<'a, T: Particle<'a>>(stream: &'a [u8], bit: u32) -> Result<T, Error> {
    let mut reader = Reader::new(stream, bit);
    let value = T::read(&mut reader, 0);
    reader.finish().map_or(Ok(value), |(kind, bit)| Err(Error { kind, bit, path: Path::default() }))
}

/// Encodes `value` with the root element `root` and returns the length in bytes.
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

/// Reads the stream again to find the element of the error.
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
