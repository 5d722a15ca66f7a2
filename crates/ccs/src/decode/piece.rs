//! The pieces that are read from a file, and how reading ends.

use std::io;
use std::ops::ControlFlow;

/// One piece of a file with its number.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Number of the frame in a capture or of the line in text, from 1 on; 1 in raw V2GTP.
    pub frame: u64,
    /// Time in ns since the Unix epoch, or since the origin of a log; `None` where the file has no times.
    pub time_ns: Option<i64>,
    /// The bytes.
    pub data: Data<'a>,
}

/// What the bytes of a [`Packet`] are.
#[derive(Clone, Copy, Debug)]
pub enum Data<'a> {
    /// A frame of this link type (pcap's numbers: 1 is Ethernet).
    Link(i32, &'a [u8]),
    /// A frame that was captured in part, with its length on the wire.
    CutLink(i32, &'a [u8], usize),
    /// A frame of an interface that the capture does not describe: its bytes cannot be interpreted.
    NoInterface,
    /// Bytes found in text: an EXI document, V2GTP messages, an Ethernet frame, or unknown bytes.
    Line(&'a [u8]),
    /// The next piece of a stream of V2GTP messages.
    Stream(&'a [u8]),
    /// A truncated message in text: bytes present, and bytes according to its header.
    CutMessage(usize, usize),
    /// A line of hexadecimal text that is not hexadecimal; with its column, from 1 on.
    BadLine(usize),
    /// A line of text that is too long.
    LongLine,
}

/// How the reading of a file ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// At the end of the file.
    Complete,
    /// The file ends, or is damaged, in the middle of a block; everything before it was read.
    Cut(String),
    /// The receiver of the packets broke off.
    Stopped,
    /// At the end of a text in which no message was found.
    NothingFound,
}

/// Why a file is not read at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read it: {0}")]
    Io(#[from] io::Error),
    /// The file is empty.
    #[error("it is empty; expected {EXPECTED}")]
    Empty,
    /// The file is compressed more than once.
    #[error("it is compressed twice ({0} inside); unpack it first")]
    Compressed(&'static str),
    /// The file has another format.
    #[error("it is not a capture (it starts with {0}); expected {EXPECTED}")]
    NotACapture(String),
}

/// The formats that `decode` reads, for error messages.
pub const EXPECTED: &str = "a pcapng or pcap capture, text with messages in it (a log, a hex dump, lines of hexadecimal \
                            digits, base64), raw V2GTP (01 FE ...) or raw EXI (80 ...)";

/// Receives the pieces of a file until it breaks off.
pub(crate) type Sink<'s> = dyn FnMut(Packet<'_>) -> ControlFlow<()> + 's;
