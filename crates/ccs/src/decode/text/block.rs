//! Bytes of a text that belong together, and the messages in them.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use v2gtp::HEADER_LEN;

use super::runs::{Kind, Run};
use crate::decode::piece::{Data, Packet, Sink};
use crate::decode::start::{self, ETHERNET, Start};

/// Where bytes were found, which determines how certain it is that they are data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Context {
    /// In a dump: line ends have no meaning.
    Dump,
    /// In a line without other text: its end is usually the end of a message.
    Line,
    /// In a line with words: only what is certainly a message counts.
    Prose,
}

/// Bytes and their positions.
#[derive(Debug)]
pub(super) struct Block {
    pub context: Context,
    pub kind: Kind,
    /// Characters after the last byte that do not make a whole byte.
    pub rest: Vec<u8>,
    /// Line and column of these characters.
    pub half: Option<(u64, usize)>,
    /// Shortest length of unknown bytes that are reported.
    pub least_unknown: usize,
    bytes: Vec<u8>,
    /// The start of each line, with its number and time.
    lines: Vec<(usize, u64, Option<i64>)>,
    /// The start of each word.
    words: Vec<usize>,
    /// Whether an IP packet may begin at the start.
    is_start: bool,
}

/// Fewer unknown bytes are not reported: no message is shorter.
pub(super) const MIN_UNKNOWN: usize = 4;

/// Most bytes after the end of a document that belong to it: judgement, the encoders of some cars and
/// chargers append one.
const MAX_TRAILING: usize = 8;

/// Receives the findings.
pub(super) struct Out<'o, 's> {
    pub sink: &'o mut Sink<'s>,
    pub flow: ControlFlow<()>,
    /// Number of reported findings.
    pub count: u64,
    /// Findings in the present line: a line often contains the same message twice, once in base64.
    pub in_line: Vec<Vec<u8>>,
    /// The latest messages that were not repeated in another form yet.
    single: VecDeque<Vec<u8>>,
}

/// A log may repeat a message in another form after at most this many messages: judgement, a request and its
/// response, each twice.
const MAX_SINGLE: usize = 4;

impl<'o, 's> Out<'o, 's> {
    pub(super) fn new(sink: &'o mut Sink<'s>) -> Self {
        let (flow, single) = (ControlFlow::Continue(()), VecDeque::new());
        Self { sink, flow, count: 0, in_line: Vec::new(), single }
    }

    /// Whether a message repeats an earlier one in another form: pyPLC logs V2GTP when it receives it, and
    /// EXI when it decodes it.
    fn is_repeated(&mut self, bytes: &[u8]) -> bool {
        let is_same = |whole: &[u8], payload: &[u8]| {
            whole.starts_with(&[0x01, 0xFE]) && whole.get(HEADER_LEN..) == Some(payload)
        };
        let other = |known: &[u8]| is_same(known, bytes) || is_same(bytes, known);
        let known = self.single.iter().position(|known| other(known));
        if let Some(at) = known {
            self.single.remove(at);
        } else {
            self.single.truncate(MAX_SINGLE - 1);
            self.single.push_front(bytes.to_vec());
        }
        known.is_some()
    }

    pub(super) fn give(&mut self, frame: u64, time_ns: Option<i64>, data: Data<'_>) {
        self.count += 1;
        if self.flow.is_continue() {
            self.flow = (self.sink)(Packet { frame, time_ns, data });
        }
    }
}

impl Block {
    pub(super) fn new(context: Context, kind: Kind) -> Self {
        Self {
            context,
            kind,
            rest: Vec::new(),
            half: None,
            least_unknown: MIN_UNKNOWN,
            bytes: Vec::new(),
            lines: Vec::new(),
            words: Vec::new(),
            is_start: true,
        }
    }

    /// Adds the bytes of a line.
    pub(super) fn add(&mut self, line: u64, time_ns: Option<i64>, run: &Run) {
        let at = self.bytes.len();
        self.lines.push((at, line, time_ns));
        self.words.extend(run.words.iter().map(|word| word + at));
        self.bytes.extend(&run.bytes);
        self.half = (!run.rest.is_empty()).then_some((line, run.range.end));
        self.rest.clone_from(&run.rest);
    }

    /// Ends the block: decodes the rest of base64 without padding.
    pub(super) fn end(&mut self) {
        if self.kind == Kind::Base64 {
            self.bytes.extend(super::runs::last_of_base64(&std::mem::take(&mut self.rest)));
        }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Reports the complete messages; with `is_over` everything that is left. Returns whether a message is
    /// incomplete.
    pub(super) fn drain(&mut self, is_over: bool, out: &mut Out<'_, '_>) -> bool {
        let mut at = 0;
        while at < self.bytes.len() {
            match self.piece(at, is_over) {
                Step::Take(skipped, length, data) => {
                    self.unknown(at, skipped, out);
                    self.give(at + skipped, length, data, out);
                    at += skipped + length;
                }
                Step::Skip(length) => {
                    self.unknown(at, length, out);
                    at += length;
                }
                Step::Wait => break,
            }
            self.is_start = false;
        }
        self.forget(at);
        !self.bytes.is_empty()
    }

    fn forget(&mut self, count: usize) {
        self.bytes.drain(..count);
        let first = self.lines.iter().rposition(|line| line.0 <= count).unwrap_or(0);
        self.lines.drain(..first);
        for line in &mut self.lines {
            line.0 = line.0.saturating_sub(count);
        }
        self.words.retain(|word| *word >= count);
        for word in &mut self.words {
            *word -= count;
        }
    }

    fn unknown(&self, at: usize, length: usize, out: &mut Out<'_, '_>) {
        if length >= self.least_unknown
            && self.context != Context::Prose
            && let Some(bytes) = self.bytes.get(at..at + length)
            // Zeros fill up the rest of a file.
            && !(self.context == Context::Dump && bytes.iter().all(|byte| *byte == 0))
        {
            let (_, line, time_ns) = self.line(at);
            out.give(line, time_ns, Data::Line(bytes));
        }
    }

    fn give(&self, at: usize, length: usize, piece: Piece, out: &mut Out<'_, '_>) {
        let bytes = self.bytes.get(at..at + length).unwrap_or_default();
        let (_, line, time_ns) = self.line(at);
        if out.in_line.iter().any(|known| known == bytes) {
            return;
        }
        if self.context == Context::Prose {
            out.in_line.push(bytes.to_vec());
        }
        if self.context != Context::Dump && matches!(piece, Piece::Whole) && out.is_repeated(bytes) {
            return;
        }
        out.give(
            line,
            time_ns,
            match piece {
                Piece::Whole | Piece::Frame(ETHERNET) => Data::Line(bytes),
                Piece::Frame(link_type) => Data::Link(link_type, bytes),
                Piece::CutFrame(link_type, whole) => Data::CutLink(link_type, bytes, whole),
                Piece::CutMessage(whole) => Data::CutMessage(bytes.len(), whole),
            },
        );
    }

    fn line(&self, at: usize) -> (usize, u64, Option<i64>) {
        self.lines.iter().rev().find(|line| line.0 <= at).copied().unwrap_or((0, 1, None))
    }

    /// End of the line of this byte; in a dump lines have no meaning.
    fn end_of_line(&self, at: usize) -> usize {
        let next = self.lines.iter().map(|line| line.0).find(|start| *start > at);
        next.filter(|_| self.context == Context::Line).unwrap_or(self.bytes.len())
    }

    /// End of the word of this byte.
    fn end_of_word(&self, at: usize) -> usize {
        self.words.iter().copied().find(|start| *start > at).unwrap_or(self.bytes.len())
    }

    fn start(&self, at: usize) -> Option<Start> {
        let bytes = self.bytes.get(at..)?;
        start::of(bytes).or_else(|| {
            let is_packet = self.context == Context::Dump && self.is_start && at == 0;
            is_packet.then(|| start::raw_ip(bytes)).flatten()
        })
    }

    /// How to handle the bytes from here on.
    fn piece(&self, at: usize, is_over: bool) -> Step {
        let end = self.end_of_line(at);
        let tail = (at..self.bytes.len()).find(|at| self.bytes.get(*at..).is_some_and(start::is_part));
        for from in at..tail.map_or(end, |tail| tail.min(end)) {
            let is_word = from == at || self.words.binary_search(&from).is_ok();
            let begins = self.bytes.get(from..from + 2) == Some(&[0x01, 0xFE]);
            // Between the messages of a dump, only the V2GTP header shows that a message begins.
            if !begins && (!is_word || self.context == Context::Dump && from != at) {
                continue;
            }
            // An incomplete message is too uncertain to be searched for.
            let start = self.start(from).filter(|start| from == at || is_complete(*start));
            if let Some(step) = start.and_then(|start| self.step(start, at, from, is_over)) {
                return step;
            }
        }
        let next = self.next_start(at, Start::Exi(None));
        match tail {
            _ if is_over => Step::Skip(next.unwrap_or(self.bytes.len()) - at),
            _ if next.is_some() => Step::Skip(next.unwrap_or(end) - at),
            Some(tail) if tail > at => Step::Skip(tail - at),
            Some(_) => Step::Wait,
            // A frame is recognised by its fourteenth byte.
            None if self.context == Context::Line && self.bytes.len() - at < 16 => Step::Wait,
            None if self.context == Context::Dump => Step::Wait,
            None => Step::Skip(end - at),
        }
    }

    fn step(&self, begin: Start, at: usize, from: usize, is_over: bool) -> Option<Step> {
        let skipped = from - at;
        let (available, line_end) = (self.bytes.len() - from, self.end_of_line(from));
        let wait = if skipped > 0 { Step::Skip(skipped) } else { Step::Wait };
        let is_prose = self.context == Context::Prose;
        Some(match begin {
            Start::V2gtp(length) if length <= available => Step::Take(skipped, length, Piece::Whole),
            Start::V2gtp(_) | Start::CutExi | Start::CutFrame(..) if !is_over => {
                // A line that begins like a message does not continue the line before.
                match self.next_start(from, begin) {
                    Some(next) => self.cut(begin, skipped, from, next)?,
                    None => wait,
                }
            }
            Start::V2gtp(_) | Start::CutExi | Start::CutFrame(..) => {
                let next = self.next_start(from, begin).unwrap_or(self.bytes.len());
                self.cut(begin, skipped, from, next)?
            }
            Start::Exi(Some(length)) => {
                let word_end = self.end_of_word(from + length - 1);
                // In prose, four bytes that begin like a document are a coincidence if more bytes follow.
                if is_prose && length < 7 && length != available && word_end - from != length {
                    return None;
                }
                if let Some(next) = self.another(from + length, line_end) {
                    return Some(Step::Take(skipped, next - from, Piece::Whole));
                }
                match self.context {
                    Context::Prose => Step::Take(skipped, word_end - from, Piece::Whole),
                    Context::Dump if !is_over => wait,
                    Context::Line | Context::Dump => Step::Take(skipped, line_end - from, Piece::Whole),
                }
            }
            // The end of these is known from the surrounding text only.
            Start::Exi(None) | Start::Frame(_) if self.context == Context::Dump && !is_over => wait,
            Start::Exi(None) => {
                let word_end = self.end_of_word(from);
                let end = if is_prose && word_end - from >= start::MIN_UNKNOWN { word_end } else { line_end };
                Step::Take(skipped, end - from, Piece::Whole)
            }
            Start::Frame(link_type) => Step::Take(skipped, line_end - from, Piece::Frame(link_type)),
        })
    }

    /// The incomplete message that ends at `next`.
    fn cut(&self, begin: Start, skipped: usize, from: usize, next: usize) -> Option<Step> {
        let length = next - from;
        let piece = match begin {
            Start::V2gtp(whole) => Piece::CutMessage(whole),
            Start::CutFrame(link_type, whole) => Piece::CutFrame(link_type, whole),
            // In prose, a few bytes that begin like a document are a coincidence.
            _ if self.context == Context::Prose && length < 16 => return None,
            _ => Piece::Whole,
        };
        Some(Step::Take(skipped, length, piece))
    }

    /// Start of another message, at most [`MAX_TRAILING`] bytes after the end of one.
    fn another(&self, end: usize, line_end: usize) -> Option<usize> {
        let is_start =
            |at: &usize| self.bytes.get(*at..line_end).and_then(start::of).is_some_and(is_complete);
        (end..line_end.min(end + MAX_TRAILING)).find(is_start)
    }

    /// The next line that begins with something known. After a V2GTP header an EXI document is its payload.
    fn next_start(&self, from: usize, begin: Start) -> Option<usize> {
        let is_start = |at: &usize| {
            let start = self.bytes.get(*at..).and_then(start::of).filter(|start| is_complete(*start));
            start.is_some_and(|start| !matches!((begin, start), (Start::V2gtp(_), Start::Exi(_))))
        };
        let lines = self.lines.iter().map(|line| line.0).filter(|start| *start > from);
        if self.context == Context::Dump { None } else { lines.into_iter().find(is_start) }
    }
}

fn is_complete(start: Start) -> bool {
    !matches!(start, Start::CutExi | Start::CutFrame(..))
}

enum Step {
    /// Bytes to skip, and length and kind of what follows.
    Take(usize, usize, Piece),
    Skip(usize),
    Wait,
}

#[derive(Clone, Copy)]
enum Piece {
    Whole,
    Frame(i32),
    CutFrame(i32, usize),
    CutMessage(usize),
}
