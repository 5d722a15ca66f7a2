//! `ccs redact`: copies a capture with other names, so that it can be published.
//!
//! A file is read twice: first to collect the identifiers in `names`, then to write. `packet`, `mme`,
//! `message` and `text` parse a frame. What they cannot parse becomes zero and is counted: no byte is copied
//! that is not understood. `stream` handles the bytes of TCP connections. `guard` checks each frame before it
//! is written.

mod blocks;
mod checksum;
mod guard;
mod message;
mod mme;
mod names;
mod packet;
mod stream;
mod text;

use std::collections::VecDeque;
use std::io::{self, Write};
use std::ops::{ControlFlow, Range};

use machine::Entropy;

use crate::decode::source::{End, Format, Source};
use blocks::{Reader, Written};
use guard::Guard;
use packet::Sum;
use stream::{Span, Streams};

pub use mme::mask_keys;
pub use names::{Kind, Names};

/// Frames that may wait for the rest of a message, and their bytes: judgement, far more than arrive out of
/// order. Beyond that the message is blanked.
const MAX_WAITING: usize = 1024;
const MAX_WAITING_BYTES: usize = 4 * 1024 * 1024;

/// Optional parts that are kept although they may identify someone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Keep the first half of MAC addresses, which identifies the manufacturer.
    pub keeps_makers: bool,
    /// Keep comments, rewritten as log text.
    pub keeps_comments: bool,
}

/// Why a file is not redacted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is no capture.
    #[error(
        "it is {0}: only pcap and pcapng captures are redacted. Text is not: it can hold names in any form. Record a capture \
         (`--record`, `ccs listen -w`), or show the values alone: `ccs decode --csv`"
    )]
    Text(Format),
    /// The file has too many identifiers.
    #[error(
        "it has too many different identifiers (more than 65536); cut it into parts, for example with `editcap -c`"
    )]
    TooMany,
    /// Writing failed.
    #[error("cannot write the output")]
    Write(#[from] io::Error),
}

/// Collects the identifiers of a capture, and counts what would be replaced and blanked.
pub fn gather(source: Source, names: &mut Names<'_>, options: Options) -> Result<End, Error> {
    pass(source, names, options, None, &mut io::sink())
}

/// Writes the capture with other names, after they were [collected](gather).
pub fn write(
    source: Source,
    names: &mut Names<'_>,
    options: Options,
    out: &mut dyn Write,
) -> Result<End, Error> {
    let guard = Guard::new(names.originals());
    names.restart();
    pass(source, names, options, Some(guard), out)
}

/// An empty table of names.
pub fn names(entropy: &mut dyn Entropy, options: Options) -> Names<'_> {
    Names::new(entropy, options.keeps_makers)
}

fn pass(
    source: Source,
    names: &mut Names<'_>,
    options: Options,
    guard: Option<Guard>,
    out: &mut dyn Write,
) -> Result<End, Error> {
    if !matches!(source.format(), Format::Pcap | Format::PcapNg) {
        return Err(Error::Text(source.format()));
    }
    let mut reader = Reader::new(options.keeps_comments);
    let mut redactor =
        Redactor { names, streams: Streams::default(), waiting: VecDeque::new(), bytes: 0, guard, out };
    let mut failed = None;
    let end = source.blocks(&mut |block| {
        let written = reader.take(redactor.names, block);
        match written.map_or(Ok(()), |written| redactor.take(written)) {
            Ok(()) if !redactor.names.has_overflowed() => ControlFlow::Continue(()),
            result => {
                failed = result.err();
                ControlFlow::Break(())
            }
        }
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    if redactor.names.has_overflowed() {
        return Err(Error::TooMany);
    }
    redactor.release(0, 0)?;
    redactor.out.flush()?;
    Ok(end)
}

/// One pass over a file.
struct Redactor<'n, 'e, 'o> {
    names: &'n mut Names<'e>,
    streams: Streams,
    /// Blocks in their order; each waits for those before it.
    waiting: VecDeque<Waiting>,
    bytes: usize,
    guard: Option<Guard>,
    out: &'o mut dyn Write,
}

struct Waiting {
    block: Written,
    /// The bytes of a TCP segment that may not be final yet.
    segment: Option<(Span, Range<usize>)>,
    sum: Option<Sum>,
}

impl Redactor<'_, '_, '_> {
    fn take(&mut self, mut block: Written) -> io::Result<()> {
        let (mut sum, mut waits) = (None, None);
        if block.has_frame
            && let Some(segment) = packet::rewrite(self.names, block.link_type, &mut block.frame)
        {
            let data = block.frame.get_mut(segment.data.clone()).unwrap_or_default();
            let mut place = self.streams.take(self.names, &segment, data);
            // Most segments can be written immediately.
            if let Some(new) = place.as_ref().and_then(|place| self.streams.get(place)) {
                data.copy_from_slice(&new);
                place = None;
            } else if place.is_none() && !data.is_empty() {
                self.names.blank("messages that are not whole");
                data.fill(0);
            }
            sum = Some(segment.sum);
            waits = place.map(|place| (place, segment.data));
        }
        self.bytes += block.frame.len();
        self.waiting.push_back(Waiting { block, segment: waits, sum });
        self.release(MAX_WAITING, MAX_WAITING_BYTES)
    }

    /// Writes the blocks that are final, and those beyond the bounds in any case.
    fn release(&mut self, frames: usize, bytes: usize) -> io::Result<()> {
        while let Some(Waiting { mut block, segment, sum }) = self.waiting.pop_front() {
            if let Some((place, range)) = segment {
                let is_late = self.waiting.len() >= frames || self.bytes > bytes;
                let new =
                    if is_late { self.streams.force(self.names, &place) } else { self.streams.get(&place) };
                if new.is_none() && !is_late {
                    self.waiting.push_front(Waiting { block, segment: Some((place, range)), sum });
                    return Ok(());
                }
                let data = block.frame.get_mut(range).unwrap_or_default();
                if let Some(new) = new {
                    data.copy_from_slice(&new);
                } else {
                    self.names.blank("messages that are not whole");
                    data.fill(0);
                }
            }
            self.bytes -= block.frame.len();
            if let Some(sum) = sum {
                sum.fix(&mut block.frame);
            }
            if self.guard.as_ref().is_some_and(|guard| guard.finds(&block.frame)) {
                self.names.blank("frames with an identifier where none is expected");
                block.frame.fill(0);
            }
            block.write(self.out)?;
        }
        Ok(())
    }
}
