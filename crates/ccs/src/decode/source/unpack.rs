//! Decompresses files while they are read.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;

/// Compression formats, by the first bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Gzip,
    Zstd,
    Xz,
}

/// Most memory that an xz file may require, in KiB: twice what `xz -9` needs.
const XZ_MEMORY_KIB: u32 = 128 * 1024;
/// Most bytes that are decompressed of a file: judgement, a capture of one day has fewer.
const MOST_BYTES: u64 = 16 << 30;
/// From this many bytes on, a file may be at most [`MOST_RATIO`] times as large as its compressed form.
/// Judgement: captures of the corpus have 3 to 30, zeros more than 1000.
const RATIO_FROM: u64 = 64 << 20;
const MOST_RATIO: u64 = 500;

impl Packing {
    /// The compression format of a file; `None` if it is not compressed.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        match start {
            [0x1F, 0x8B, ..] => Some(Self::Gzip),
            // A data frame, or a frame to skip.
            [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Some(Self::Zstd),
            [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            _ => None,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
        }
    }

    /// The decompressed bytes of `input`. Damaged data, and data far larger than any capture, end with an
    /// error.
    pub(super) fn unpack(self, input: Box<dyn Read>) -> Box<dyn Read> {
        let input = BufReader::new(Counted { input, count: 0 });
        match self {
            Self::Gzip => Box::new(Bounded { inner: MultiGzDecoder::new(input), count: 0 }),
            Self::Zstd => Box::new(Bounded { inner: Zstd { input: Some(input), frame: None }, count: 0 }),
            Self::Xz => {
                let inner = XzReader::new_mem_limit(input, true, XZ_MEMORY_KIB);
                Box::new(Bounded { inner, count: 0 })
            }
        }
    }
}

/// Counts the compressed bytes.
struct Counted {
    input: Box<dyn Read>,
    count: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.count += u64::try_from(count).unwrap_or(u64::MAX);
        Ok(count)
    }
}

/// Number of compressed bytes read.
trait Packed: Read {
    fn packed(&self) -> u64;
}

impl Packed for MultiGzDecoder<BufReader<Counted>> {
    fn packed(&self) -> u64 {
        self.get_ref().get_ref().count
    }
}

impl Packed for XzReader<BufReader<Counted>> {
    fn packed(&self) -> u64 {
        self.inner().get_ref().count
    }
}

impl Packed for Zstd {
    fn packed(&self) -> u64 {
        let frame = self.frame.as_ref().map(StreamingDecoder::get_ref);
        frame.or(self.input.as_ref()).map_or(0, |input| input.get_ref().count)
    }
}

/// Ends with an error when a file decompresses to more than any capture.
struct Bounded<R> {
    inner: R,
    count: u64,
}

impl<R: Packed> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count += u64::try_from(count).unwrap_or(u64::MAX);
        let is_bomb = self.count > RATIO_FROM && self.count / MOST_RATIO > self.inner.packed();
        if is_bomb || self.count > MOST_BYTES {
            let (unpacked, packed) = (self.count >> 20, self.inner.packed() >> 10);
            let words = format!(
                "it unpacks to far more than a capture ({packed} KiB to {unpacked} MiB so far); unpack it yourself if it is one"
            );
            return Err(io::Error::other(words));
        }
        Ok(count)
    }
}

type Frame = StreamingDecoder<BufReader<Counted>, ruzstd::decoding::FrameDecoder>;

/// All frames of a zstd file: the decoder reads one.
struct Zstd {
    input: Option<BufReader<Counted>>,
    frame: Option<Frame>,
}

impl Read for Zstd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(mut frame) = self.frame.take() {
                let count = frame.read(buffer)?;
                if count > 0 || buffer.is_empty() {
                    self.frame = Some(frame);
                    return Ok(count);
                }
                self.input = Some(frame.into_inner());
            }
            let Some(mut input) = self.input.take() else { return Ok(0) };
            if input.fill_buf()?.is_empty() {
                return Ok(0);
            }
            if skip_frame(&mut input)? {
                self.input = Some(input);
                continue;
            }
            self.frame = Some(StreamingDecoder::new(input).map_err(io::Error::other)?);
        }
    }
}

/// Skips a frame without data: its length follows its magic number.
fn skip_frame(input: &mut BufReader<Counted>) -> io::Result<bool> {
    if !matches!(input.fill_buf()?, [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..]) {
        return Ok(false);
    }
    let mut head = [0; 8];
    input.read_exact(&mut head)?;
    let [.., a, b, c, d] = head;
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    io::copy(&mut input.take(length), &mut io::sink())?;
    Ok(true)
}
