//! What the reading of a file gives: its pieces, and how it ends.

use std::io;
use std::ops::ControlFlow;

/// One piece of a file with its 1-based number.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Number of the frame in a capture, of the line in text; 1 in raw V2GTP.
    pub frame: u64,
    /// Time in nanoseconds, where the file has times: since the Unix epoch, or since whatever a log counts
    /// from.
    pub time_ns: Option<i64>,
    /// What the bytes are.
    pub data: Data<'a>,
}

/// What the bytes of a [`Packet`] are.
#[derive(Clone, Copy, Debug)]
pub enum Data<'a> {
    /// A frame of this link type (the numbers of pcap: 1 is Ethernet).
    Link(i32, &'a [u8]),
    /// The same of a frame that was captured in part: this was its length on the wire.
    CutLink(i32, &'a [u8], usize),
    /// A frame of an interface that the capture does not describe: its bytes have no meaning.
    NoInterface,
    /// What was found in text: an EXI document, V2GTP messages or an Ethernet frame, or bytes that are none
    /// of them.
    Line(&'a [u8]),
    /// The next piece of a stream of V2GTP messages.
    Stream(&'a [u8]),
    /// A message in text that is not there to its end: how many bytes there are, and how many it says it has.
    CutMessage(usize, usize),
    /// A line of hexadecimal text that is not hexadecimal, with the 1-based column.
    BadLine(usize),
    /// A line of text that is longer than a line may be.
    LongLine,
}

/// How the reading of a file ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// At the end of the file.
    Complete,
    /// The file ends, or is damaged, in the middle of a block; everything before was read.
    Cut(String),
    /// The reader of the packets had enough.
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
    /// There is nothing in the file.
    #[error("it is empty; expected {EXPECTED}")]
    Empty,
    /// The file is compressed more than once.
    #[error("it is compressed twice ({0} inside); unpack it first")]
    Compressed(&'static str),
    /// The file is something else.
    #[error("it is not a capture (it starts with {0}); expected {EXPECTED}")]
    NotACapture(String),
}

/// What `decode` reads, for messages.
pub const EXPECTED: &str = "a pcapng or pcap capture, text with messages in it (a log, a hex dump, lines of hexadecimal \
                            digits, base64), raw V2GTP (01 FE ...) or raw EXI (80 ...)";

/// Takes the pieces of a file until it breaks off.
pub(crate) type Sink<'s> = dyn FnMut(Packet<'_>) -> ControlFlow<()> + 's;
