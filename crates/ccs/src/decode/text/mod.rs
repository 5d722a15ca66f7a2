//! Messages in text of any kind: logs, hex dumps, source text, tables.
//!
//! 1. Bytes are found in any notation ([`runs`], [`dump`]). The first bytes determine what they are
//!    ([`start`]).
//! 2. A line of bytes only continues the message of the line before.
//! 3. The offset and the characters of a dump are never data.
//! 4. The time of a message is that of its line, or of the last line before it that has a time.

mod block;
mod dump;
mod escaped;
mod run;
mod runs;
mod time;
mod unicode;

use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;

use super::piece::{Data, End, Error, Sink};
use super::start;
use crate::lines::{self, Line};

use block::{Block, Context, MIN_UNKNOWN, Out};
use dump::{Dump, Next};
use runs::{Kind, Run};
use time::Clock;
use unicode::Encoding;

/// Bytes kept of an incomplete message: the longest message has fewer.
const MAX_BLOCK: usize = 256 * 1024;
/// A row of numbers that looks like a dump is reported from this many bytes on.
const MIN_ROW: usize = 16;

/// Reads a text. With `is_hex` its lines are expected to be bytes, and other lines are reported.
pub(super) fn read(mut input: impl BufRead, is_hex: bool, sink: &mut Sink<'_>) -> Result<End, Error> {
    let encoding = Encoding::of(input.fill_buf()?);
    let mut input = BufReader::new(encoding.read(input));
    let mut text = Text::new(is_hex, sink);
    let mut line = Vec::new();
    loop {
        match lines::next(&mut input, &mut line) {
            Ok(Line::End) => break,
            Ok(Line::TooLong) => text.too_long(),
            Ok(Line::Whole) => text.line(&mut line),
            Err(error) => {
                text.flush();
                return Ok(End::Cut(error.to_string()));
            }
        }
        if text.out.flow.is_break() {
            return Ok(End::Stopped);
        }
    }
    text.flush();
    Ok(if text.out.count > 0 { End::Complete } else { End::NothingFound })
}

/// Reads raw bytes that begin like a message.
pub(super) fn read_bytes(input: &mut impl Read, sink: &mut Sink<'_>) -> Result<End, Error> {
    let mut out = Out::new(sink);
    let mut block = Block::new(Context::Dump, Kind::Hex);
    let mut buffer = [0; 4096];
    loop {
        let count = match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        block.add(1, None, &Run::of(buffer.get(..count).unwrap_or_default()));
        block.drain(block.len() > MAX_BLOCK, &mut out);
        if out.flow.is_break() {
            return Ok(End::Stopped);
        }
    }
    block.drain(true, &mut out);
    Ok(End::Complete)
}

/// Whether the first line with content consists of hexadecimal digits and separators.
pub(super) fn is_hex(start: &[u8]) -> bool {
    let text = Encoding::of(start).ascii(start);
    let says = |line: &&[u8]| {
        line.split(|byte| *byte == b'#').next().is_some_and(|line| !line.trim_ascii().is_empty())
    };
    let mut lines = text.split(|byte| *byte == b'\n').filter(says);
    lines.next().is_some_and(|line| {
        let is_dump = dump::Line::parse(line).is_some_and(|line| line.is_first());
        !is_dump && runs::whole(line, Kind::Hex, &(0..0), None).is_some()
    })
}

/// Whether this is text: no control characters except those of lines, tables and colours. A log that was not
/// closed may be padded with zeros, and UTF-32 has zeros between the characters.
pub(super) fn is_text(start: &[u8]) -> bool {
    let mut text = Encoding::of(start).ascii(start);
    text.retain(|byte| *byte != 0);
    let is_control = |byte: &u8| byte.is_ascii_control() && !b"\t\n\r\x0B\x0C\x1B\x08\x07".contains(byte);
    // The bytes that were read may end within a character.
    let is_utf8 = match std::str::from_utf8(&text) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    // Old logs are in Latin-1: few of their characters are not ASCII.
    let foreign = text.iter().filter(|byte| !byte.is_ascii()).count();
    !text.is_empty() && !text.iter().any(is_control) && (is_utf8 || foreign * 8 < text.len())
}

/// A line of a log with its keys blanked: the bytes in a line that mentions a key.
pub fn without_keys(line: &str) -> String {
    let lower = line.to_ascii_lowercase();
    let mut text = line.to_owned();
    if lower.contains("key") || lower.contains("nmk") {
        let runs = runs::find(line.as_bytes(), Kind::Hex, &(0..0));
        for run in runs.into_iter().rev().filter(|run| run.bytes.len() >= MIN_KEY) {
            text.replace_range(run.range, "<redacted>");
        }
    }
    text
}

/// Shortest run of bytes that is blanked: keys have sixteen bytes, but a truncated key counts too.
const MIN_KEY: usize = 8;

/// State of a text while it is read.
struct Text<'o, 's> {
    is_hex: bool,
    line: u64,
    clock: Clock,
    time_ns: Option<i64>,
    dump: Option<Dump>,
    /// The message that is not complete yet.
    block: Option<Block>,
    /// Whether the line before is the number 1 only.
    is_one: bool,
    /// The text before the block's bytes in its first line, see [`shape`].
    prefix: Vec<u8>,
    out: Out<'o, 's>,
}

impl<'o, 's> Text<'o, 's> {
    fn new(is_hex: bool, sink: &'o mut Sink<'s>) -> Self {
        let out = Out::new(sink);
        let (clock, prefix) = (Clock::default(), Vec::new());
        Self { is_hex, line: 0, clock, time_ns: None, dump: None, block: None, is_one: false, prefix, out }
    }

    fn too_long(&mut self) {
        self.flush();
        self.line += 1;
        self.out.give(self.line, None, Data::LongLine);
    }

    fn line(&mut self, line: &mut Vec<u8>) {
        self.line += 1;
        self.out.in_line.clear();
        without_colours(line);
        without_odd_spaces(line);
        if line.trim_ascii().is_empty() {
            return self.flush();
        }
        if self.is_next_of_dump(line) {
            return;
        }
        let first = dump::Line::parse(line).filter(dump::Line::is_first);
        if first.is_some_and(|first| self.begins_dump(&first)) {
            return;
        }
        let stamp = self.clock.find(line);
        let masked = stamp.map_or(0..0, |stamp| {
            self.time_ns = Some(stamp.time_ns);
            stamp.range
        });
        if dump::Line::after_prefix(line).is_some_and(|first| self.begins_dump(&first))
            || self.block.is_none() && self.begins_dump(&dump::Line::without_offset(line))
        {
            return;
        }
        if let Some(end) = dump::before_characters(line) {
            line.truncate(end);
        }
        if !self.is_column(line) && !self.goes_on(line, &masked) {
            self.flush();
            self.runs(line, &masked);
        }
    }

    fn is_next_of_dump(&mut self, line: &[u8]) -> bool {
        let Some(dump) = &mut self.dump else { return false };
        match dump.next(line) {
            Next::Bytes(bytes) => {
                self.add(&bytes);
                true
            }
            Next::Nothing => true,
            Next::Foreign => false,
        }
    }

    fn begins_dump(&mut self, line: &dump::Line<'_>) -> bool {
        let begins = |bytes: &[u8]| {
            start::of(bytes).or_else(|| start::raw_ip(bytes)).is_some()
                || bytes.len() >= MIN_UNKNOWN && start::is_part(bytes)
        };
        let Some((dump, bytes)) = Dump::begin(line, begins) else { return false };
        self.flush();
        let mut block = Block::new(Context::Dump, Kind::Hex);
        if !line.is_sure() {
            block.least_unknown = MIN_ROW;
        }
        (self.dump, self.block) = (Some(dump), Some(block));
        self.add(&bytes);
        true
    }

    /// Adds a line of a dump.
    fn add(&mut self, bytes: &[u8]) {
        if let Some(block) = &mut self.block {
            block.add(self.line, self.time_ns, &Run::of(bytes));
            block.drain(block.len() > MAX_BLOCK, &mut self.out);
        }
    }

    /// Whether a message with one decimal number per line begins here (1 and 254, or 128). The following
    /// lines continue it.
    fn is_column(&mut self, line: &[u8]) -> bool {
        let number = line.trim_ascii();
        let number = number.strip_prefix(b"- ").unwrap_or(number).trim_ascii();
        let number = number.strip_suffix(b",").unwrap_or(number);
        let is_second = std::mem::replace(&mut self.is_one, number == b"1");
        let bytes: &[u8] = match number {
            b"254" if is_second => &[1, 254],
            b"128" if self.block.is_none() => &[128],
            _ => return false,
        };
        let mut block = Block::new(Context::Line, Kind::Decimal);
        block.least_unknown = usize::MAX;
        block.add(self.line, self.time_ns, &Run::of(bytes));
        self.block = Some(block);
        true
    }

    /// Adds a line of bytes only to an incomplete message.
    fn goes_on(&mut self, line: &[u8], masked: &Range<usize>) -> bool {
        let Some(block) = self.block.as_mut().filter(|block| block.context != Context::Dump) else {
            return false;
        };
        if let Some(run) = runs::whole(line, block.kind, masked, Some(&block.rest)) {
            block.context = Context::Line;
            block.add(self.line, self.time_ns, &run);
        } else if let Some(run) = after_prefix(line, block.kind, masked, &self.prefix) {
            block.add(self.line, self.time_ns, &run);
        } else {
            return false;
        }
        if !block.drain(block.len() > MAX_BLOCK, &mut self.out) {
            self.block = None;
        }
        true
    }

    /// Searches a line by itself for messages.
    fn runs(&mut self, line: &[u8], masked: &Range<usize>) {
        let mut is_known = false;
        for kind in Kind::ALL {
            if kind == Kind::Decimal && is_known {
                continue;
            }
            let whole = runs::whole(line, kind, masked, None);
            let is_whole = whole.is_some();
            let found = whole.map_or_else(|| runs::find(line, kind, masked), |run| vec![run]);
            for run in found {
                is_known |= self.run(line, kind, &run, is_whole);
            }
            // Escaped bytes, and whole lines, are not repeated in another notation.
            if is_known && (is_whole || kind == Kind::Escaped) {
                return;
            }
        }
        if !is_known && let Some(column) = self.bad_column(line, masked) {
            self.out.give(self.line, self.time_ns, Data::BadLine(column));
        }
    }

    /// Reports the messages of a run; returns whether there are any.
    fn run(&mut self, line: &[u8], kind: Kind, run: &Run, is_whole: bool) -> bool {
        let is_line = is_whole && kind == Kind::Hex;
        let is_last = is_whole || line.get(run.range.end..).is_some_and(runs::is_silent);
        let mut block = Block::new(if is_line { Context::Line } else { Context::Prose }, kind);
        if is_line && !is_bytes(run) {
            block.least_unknown = MIN_ROW;
        }
        if self.is_hex {
            block.least_unknown = 1;
        }
        let before = self.out.count;
        block.add(self.line, self.time_ns, run);
        let waits = block.drain(!is_last, &mut self.out);
        if waits {
            self.prefix = line.get(..run.range.start).map(shape).unwrap_or_default();
            self.block = Some(block);
        }
        waits || self.out.count > before
    }

    /// Column of the damage in a line of a text that has lines of bytes.
    fn bad_column(&self, line: &[u8], masked: &Range<usize>) -> Option<usize> {
        let text = line.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii();
        let says = text.iter().filter(|byte| byte.is_ascii_alphanumeric()).count();
        let digits = text.iter().filter(|byte| byte.is_ascii_hexdigit()).count();
        // Most of it is digits, or it is one word.
        let is_damaged = digits * 4 >= says * 3 || says == text.len();
        let column = line.iter().position(|byte| byte.is_ascii_alphanumeric() && !byte.is_ascii_hexdigit());
        let is_damaged = self.is_hex && masked.is_empty() && says > 2 && is_damaged;
        column.filter(|_| is_damaged).map(|column| column + 1)
    }

    /// Ends the incomplete message.
    fn flush(&mut self) {
        self.dump = None;
        if let Some(mut block) = self.block.take() {
            block.end();
            block.drain(true, &mut self.out);
            if let Some((line, column)) = block.half.filter(|_| self.is_hex) {
                self.out.give(line, None, Data::BadLine(column));
            }
        }
    }
}

/// The bytes at the end of a line that has the same prefix as the first line of a message: loggers that write
/// a fixed number of bytes per line put a stamp before each.
fn after_prefix(line: &[u8], kind: Kind, masked: &Range<usize>, prefix: &[u8]) -> Option<Run> {
    let run = runs::find(line, kind, masked).pop()?;
    let is_last = line.get(run.range.end..).is_some_and(runs::is_silent);
    let has_prefix = line.get(..run.range.start).is_some_and(|before| shape(before) == prefix);
    (kind == Kind::Hex && is_last && has_prefix && start::of(&run.bytes).is_none()).then_some(run)
}

/// A text with each number reduced to one digit.
fn shape(text: &[u8]) -> Vec<u8> {
    let mut shape: Vec<u8> =
        text.iter().map(|byte| if byte.is_ascii_digit() { b'0' } else { *byte }).collect();
    shape.dedup_by(|one, other| (*one, *other) == (b'0', b'0'));
    shape
}

/// Replaces everything that looks like a space by a space. Removes zeros, and what a tool prints where a dump
/// has no byte (`0x  ,`).
fn without_odd_spaces(line: &mut Vec<u8>) {
    if line.iter().any(|byte| matches!(byte, 0 | 0x0B | 0x0C | 0x80..)) {
        let text = String::from_utf8_lossy(line);
        let is_space = |c: char| c.is_whitespace() && !matches!(c, '\t' | '\r');
        let clean: String = (text.chars().filter(|c| !matches!(c, '\0' | '\u{200B}' | '\u{FEFF}')))
            .map(|c| if is_space(c) { ' ' } else { c })
            .collect();
        *line = clean.into_bytes();
    }
    while line.contains(&b'x') {
        let text = line.trim_ascii_end();
        let text = text.strip_suffix(b",").unwrap_or(text).trim_ascii_end();
        let Some(text) = text.strip_suffix(b"0x") else { return };
        line.truncate(text.len());
    }
}

/// Whether a line of hexadecimal digits is certainly bytes, not a number or a word such as `decade`.
fn is_bytes(run: &Run) -> bool {
    run.words.len() > 1
        || run.bytes.len() > MIN_UNKNOWN && run.bytes.iter().any(|byte| byte & 0x0F > 9 || byte >> 4 > 9)
        || run.bytes.len() >= MIN_ROW
}

/// Removes the sequences that set colours and move the cursor.
fn without_colours(line: &mut Vec<u8>) {
    if !line.contains(&0x1B) {
        return;
    }
    let mut clean = Vec::with_capacity(line.len());
    let mut bytes = line.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != 0x1B {
            clean.push(byte);
        } else if bytes.next() == Some(b'[') {
            // Parameters, up to the letter.
            bytes.by_ref().find(|byte| (0x40..=0x7E).contains(byte));
        }
    }
    *line = clean;
}
