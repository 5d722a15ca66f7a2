//! Lines of a hex dump: an offset, words, sometimes the characters. A log may have its own text before them.

use super::escaped;

/// A line of a dump, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line<'l> {
    /// Digits of its offset; empty in a dump without offsets.
    offset: &'l [u8],
    /// Whether something other than spaces follows the offset.
    is_marked: bool,
    words: Vec<&'l [u8]>,
    /// Everything after the offset.
    rest: &'l [u8],
    /// Number of places before the offset in its line, see [`places`].
    place: usize,
}

/// How the words of a dump represent bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reading {
    radix: u32,
    /// Bytes of a little-endian word; `None`: pairs of digits in their order.
    size: Option<usize>,
}

/// Pairs of hexadecimal digits in their order.
const USUAL: Reading = Reading { radix: 16, size: None };

/// Readings by the characters of a word, the most common first: `xxd`, `hexdump -C`, Wireshark, `tcpdump -x`;
/// `hexdump`, `od -x`; `xxd -b`; `od -b`; `od`; `od -t u1`, `od -t d2` and so on.
const READINGS: &[(&[usize], Reading)] = &[
    (&[1, 2, 4, 6, 8, 10, 12, 14, 16, 32], USUAL),
    (&[4], Reading { radix: 16, size: Some(2) }),
    (&[8], Reading { radix: 16, size: Some(4) }),
    (&[16], Reading { radix: 16, size: Some(8) }),
    (&[8], Reading { radix: 2, size: Some(1) }),
    (&[3], Reading { radix: 8, size: Some(1) }),
    (&[6], Reading { radix: 8, size: Some(2) }),
    (&[11], Reading { radix: 8, size: Some(4) }),
    (&[1, 2, 3, 4], Reading { radix: 10, size: Some(1) }),
    (&[1, 2, 3, 4, 5, 6], Reading { radix: 10, size: Some(2) }),
    (&[5, 6, 7, 8, 9, 10, 11], Reading { radix: 10, size: Some(4) }),
    (&[15, 16, 17, 18, 19, 20], Reading { radix: 10, size: Some(8) }),
];

/// Radices of offsets: hexadecimal, octal (`od`) and decimal (`od -A d`).
const RADICES: [u32; 3] = [16, 8, 10];

/// Most bytes that a line with `*` may stand for: judgement, zeros in a raw capture.
const MAX_FILL: u64 = 1 << 20;

/// Most words of a log before an offset: judgement.
const MAX_PLACES: usize = 16;

/// Positions in a line where an offset may be: at its start, or after the text that a log or a search puts
/// before each line.
fn places(line: &[u8]) -> impl Iterator<Item = usize> {
    let is_gap = |byte: &u8| b" \t:".contains(byte);
    (0..line.len())
        .filter(move |at| {
            !line.get(*at).is_none_or(is_gap) && (*at == 0 || line.get(at - 1).is_some_and(is_gap))
        })
        .take(MAX_PLACES)
}

impl<'l> Line<'l> {
    /// Parses a line that begins with an offset; the offset is never data.
    pub(super) fn parse(line: &'l [u8]) -> Option<Self> {
        let text = line.trim_ascii_start();
        let text = text.strip_prefix(b"[").or_else(|| text.strip_prefix(b"<")).unwrap_or(text);
        let text = text.strip_prefix(b"0x").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
        let digits = text.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (offset, rest) = text.split_at_checked(digits).filter(|_| (1..=16).contains(&digits))?;
        let rest = without_symbol(rest.strip_prefix(b"h").unwrap_or(rest));
        let marks = rest.iter().take_while(|byte| b"]>:|".contains(byte)).count();
        let rest = rest.get(marks..)?;
        if !rest.trim_ascii().is_empty() && !rest.starts_with(b" ") && !rest.starts_with(b"\t") {
            return None;
        }
        Some(Self { offset, is_marked: marks > 0, words: words(rest).0, rest, place: 0 })
    }

    /// Parses the first line of a dump after the prefix of a log: its offset is zero or an address.
    pub(super) fn after_prefix(line: &'l [u8]) -> Option<Self> {
        if !line.windows(4).any(|part| part == b"0000") && !line.windows(2).any(|part| part == b"0x") {
            return None;
        }
        places(line).enumerate().skip(1).find_map(|(place, at)| {
            let text = line.get(at..)?;
            let found = Self { place, ..Self::parse(text)? };
            let is_zero = found.offset.len() >= 4 && found.offset.iter().all(|digit| *digit == b'0');
            let is_address = text.starts_with(b"0x") && found.offset.len() >= 6;
            (found.has_data() && (is_zero || is_address)).then_some(found)
        })
    }

    /// Parses a line of words only, in a dump without offsets.
    pub(super) fn without_offset(line: &'l [u8]) -> Self {
        Self { offset: &[], is_marked: false, words: words(line).0, rest: line, place: 0 }
    }

    /// The bytes of `od -c`. `hexdump -c` pads its last line; the offset after it shows which spaces are
    /// bytes.
    fn cells(&self) -> Option<Vec<u8>> {
        let end = self.rest.trim_ascii_end().len().next_multiple_of(4).min(self.rest.len());
        cells(if self.offset.is_empty() { self.rest } else { self.rest.get(..end)? })
    }

    fn has_data(&self) -> bool {
        !self.words.is_empty() || self.cells().is_some_and(|bytes| !bytes.is_empty())
    }

    fn offset(&self, radix: u32) -> Option<u64> {
        number(self.offset, radix)
    }

    /// Whether this line alone looks like the first line of a dump.
    pub(super) fn is_first(&self) -> bool {
        let has_other_width = self.words.iter().all(|word| word.len() != self.offset.len());
        let is_message = matches!(self.offset, [b'0', b'1', b'f' | b'F', b'e' | b'E', ..] | [b'8', b'0', ..]);
        let is_zero = self.offset.iter().all(|digit| *digit == b'0');
        self.has_data()
            && (self.is_marked && (self.offset.len() > 2 || is_zero)
                || is_zero && self.offset.len() >= 4
                || self.offset.len() >= 4 && has_other_width && !is_message)
    }

    /// Whether it is certainly a line of a dump, not a row of numbers.
    pub(super) fn is_sure(&self) -> bool {
        self.is_marked || self.offset.iter().all(|digit| *digit == b'0')
    }
}

/// `gdb` appends the symbol at an address: ` <buffer+8>:`.
fn without_symbol(rest: &[u8]) -> &[u8] {
    let end = rest.windows(2).position(|pair| pair == b">:").filter(|_| rest.starts_with(b" <"));
    end.and_then(|end| rest.get(end + 1..)).unwrap_or(rest)
}

/// The words of a line up to its characters, and where they end.
fn words(rest: &[u8]) -> (Vec<&[u8]>, usize) {
    let mut words = Vec::new();
    let mut bytes = Vec::new();
    let (mut at, mut last) = (0, 0);
    let is_space = |at: usize| rest.get(at).is_some_and(|byte| b" \t\r".contains(byte));
    // A sign follows a space and precedes a digit.
    let is_sign =
        |at: usize| is_space(at.wrapping_sub(1)) && rest.get(at + 1).is_some_and(u8::is_ascii_digit);
    let is_gap = |at: usize| is_space(at) || rest.get(at) == Some(&b'-') && !is_sign(at);
    loop {
        while is_gap(at) {
            at += 1;
        }
        let end = (at..rest.len()).find(|at| is_gap(*at)).unwrap_or(rest.len());
        let word = rest.get(at..end).unwrap_or_default();
        let word = word.strip_prefix(b"0x").unwrap_or(word);
        let digits = word.strip_prefix(b"-").unwrap_or(word);
        let is_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
        if !is_digits || !bytes.is_empty() && are_characters(rest.get(at..).unwrap_or_default(), &bytes) {
            return (words, last);
        }
        words.push(word);
        bytes.extend(USUAL.bytes(word).unwrap_or_default());
        (at, last) = (end, end);
    }
}

/// End of the bytes of a line without offset, if the same bytes follow as characters.
pub(super) fn before_characters(line: &[u8]) -> Option<usize> {
    let (words, end) = words(line);
    let bytes = USUAL.line(&words).filter(|bytes| bytes.len() >= 4)?;
    let text = line.get(end..)?.trim_ascii();
    let inner = |open: &[u8], close: &[u8]| {
        text.strip_prefix(open).map(|text| text.strip_suffix(close).unwrap_or(text))
    };
    let text = inner(b"|", b"|").or_else(|| inner(b">", b"<")).unwrap_or(text);
    (!text.is_empty() && are_characters(text, &bytes)).then_some(end)
}

/// The output of `od -c`: a byte in each four columns, as a character, `\n` or three octal digits.
fn cells(rest: &[u8]) -> Option<Vec<u8>> {
    let rest = rest.strip_suffix(b"\r").unwrap_or(rest);
    let byte = |cell: &[u8]| match (cell, cell.trim_ascii_start()) {
        ([b' ', b' ', b' ', b' '], _) => Some(b' '),
        ([b' ', b' ', b' ', byte], [_]) => Some(*byte),
        ([b' ', b' ', _, _], [b'\\', letter]) => escaped::escape(&[*letter]).map(|(byte, _)| byte),
        ([b' ', digits @ ..], [_, _, _]) => number(digits, 8).and_then(|byte| u8::try_from(byte).ok()),
        _ => None,
    };
    rest.chunks(4).map(byte).collect()
}

/// Whether a text is the character column of these bytes: printable bytes as they are, other bytes as any
/// character.
fn are_characters(text: &[u8], bytes: &[u8]) -> bool {
    let text: Vec<u8> = text.trim_ascii_end().iter().copied().filter(|byte| *byte != b' ').collect();
    let bytes: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != b' ').collect();
    let is_same =
        |(text, byte): (&u8, &u8)| text == byte || !byte.is_ascii_graphic() && !text.is_ascii_alphanumeric();
    text.len() == bytes.len() && text.iter().zip(&bytes).all(is_same)
}

fn number(digits: &[u8], radix: u32) -> Option<u64> {
    digits.iter().try_fold(0_u64, |value, digit| {
        let digit = char::from(*digit).to_digit(radix)?;
        value.checked_mul(radix.into())?.checked_add(digit.into())
    })
}

impl Reading {
    fn bytes(self, word: &[u8]) -> Option<Vec<u8>> {
        let Some(size) = self.size else {
            let (odd, pairs) = word.split_at(word.len() % 2);
            let pairs = [odd].into_iter().filter(|odd| !odd.is_empty()).chain(pairs.chunks(2));
            return pairs.map(|pair| number(pair, 16).and_then(|byte| u8::try_from(byte).ok())).collect();
        };
        let digits = word.strip_prefix(b"-").filter(|_| self.radix == 10);
        let value = number(digits.unwrap_or(word), self.radix)?;
        let value = if digits.is_some() { value.wrapping_neg() } else { value };
        let (low, high) =
            value.to_le_bytes().split_at_checked(size).map(|(low, high)| (low.to_vec(), high.to_vec()))?;
        let filled = if digits.is_some() { 0xFF } else { 0 };
        high.iter().all(|byte| *byte == filled).then_some(low)
    }

    /// The bytes of all words of a line.
    fn line(self, words: &[&[u8]]) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        for word in words {
            bytes.extend(self.bytes(word)?);
        }
        Some(bytes)
    }
}

/// A dump whose first line was read.
#[derive(Debug)]
pub(super) struct Dump {
    /// Digits of its first offset; empty in a dump without offsets.
    first: Vec<u8>,
    /// Place of its offsets, see [`places`].
    place: usize,
    /// Whether it is a dump of `od -c`, see [`cells`].
    has_cells: bool,
    /// Number of bytes since the first line.
    count: u64,
    radix: Option<u32>,
    reading: Reading,
    latest: Vec<u8>,
    is_squeezed: bool,
}

/// Indentation of a line without offset below a line of `od`, in spaces, at least.
const MIN_INDENT: usize = 6;

/// What a line means for a dump.
pub(super) enum Next {
    /// Its next bytes.
    Bytes(Vec<u8>),
    /// A line without bytes: `*`, or the offset of the end.
    Nothing,
    /// Not a line of this dump.
    Foreign,
}

impl Dump {
    /// Begins with a line. The reading is the first one whose bytes `begins` recognises, else the usual one.
    /// A line without an offset, or with text before it, is a dump only if its bytes are recognised; without
    /// an offset they must also have an unusual reading.
    pub(super) fn begin(line: &Line<'_>, begins: impl Fn(&[u8]) -> bool) -> Option<(Self, Vec<u8>)> {
        let longest = line.words.iter().map(|word| word.len()).max().unwrap_or(0);
        let readings = READINGS.iter().filter(|row| row.0.contains(&longest)).map(|row| row.1);
        let read = |reading: Reading| Some((reading, reading.line(&line.words)?));
        let known = readings.clone().filter_map(read).find(|(_, bytes)| begins(bytes));
        let is_plain = line.offset.is_empty();
        let is_known = known.as_ref().is_some_and(|(reading, _)| !is_plain || *reading != USUAL);
        let (reading, bytes) =
            known.or_else(|| readings.clone().find_map(read)).unwrap_or((USUAL, Vec::new()));
        let as_cells = line.cells().filter(|cells| *cells == bytes || cells.len() > bytes.len());
        let is_known = is_known || as_cells.as_ref().is_some_and(|bytes| begins(bytes));
        let has_cells = as_cells.is_some();
        let bytes = as_cells.unwrap_or(bytes);
        if bytes.is_empty() || !is_known && (is_plain || line.place > 0) {
            return None;
        }
        let dump = Self {
            first: line.offset.to_vec(),
            place: line.place,
            has_cells,
            count: length(&bytes),
            radix: None,
            reading,
            latest: bytes.clone(),
            is_squeezed: false,
        };
        Some((dump, bytes))
    }

    fn read(&self, line: &Line<'_>) -> Option<Vec<u8>> {
        if self.has_cells { line.cells() } else { self.reading.line(&line.words) }
    }

    /// Reads the next line of the text.
    pub(super) fn next(&mut self, text: &[u8]) -> Next {
        if text.trim_ascii() == b"*" {
            self.is_squeezed = true;
            return Next::Nothing;
        }
        if self.first.is_empty() {
            let bytes = self.read(&Line::without_offset(text)).filter(|bytes| !bytes.is_empty());
            return bytes.map_or(Next::Foreign, Next::Bytes);
        }
        let line = places(text).nth(self.place).and_then(|at| Line::parse(text.get(at..)?));
        let Some((line, (radix, missing))) =
            line.and_then(|line| self.missing(&line).map(|goes_on| (line, goes_on)))
        else {
            // `od -t x1 -t c` repeats the same bytes in the line below.
            let indent = text.iter().take_while(|byte| **byte == b' ').count();
            return if indent >= self.first.len().max(MIN_INDENT) { Next::Nothing } else { Next::Foreign };
        };
        self.radix = Some(radix);
        let mut bytes = Vec::new();
        while length(&bytes) < missing && !self.latest.is_empty() {
            bytes.extend(&self.latest);
        }
        if self.has_cells && !self.is_squeezed {
            bytes = vec![b' '; usize::try_from(missing).unwrap_or(0)];
        }
        self.is_squeezed = false;
        if !line.has_data() {
            self.count += length(&bytes);
            return if bytes.is_empty() { Next::Nothing } else { Next::Bytes(bytes) };
        }
        let Some(read) = self.read(&line) else { return Next::Foreign };
        self.latest.clone_from(&read);
        bytes.extend(read);
        self.count += length(&bytes);
        Next::Bytes(bytes)
    }

    /// The radix in which a line's offset continues this dump, and the number of bytes that a `*` before it
    /// stands for.
    fn missing(&self, line: &Line<'_>) -> Option<(u32, u64)> {
        RADICES.into_iter().filter(|radix| self.radix.is_none_or(|known| known == *radix)).find_map(|radix| {
            let missing =
                line.offset(radix)?.checked_sub(number(&self.first, radix)?)?.checked_sub(self.count)?;
            let is_fill = self.is_squeezed
                && missing < MAX_FILL
                && missing.checked_rem(length(&self.latest)) == Some(0);
            // Spaces at the end of a line of characters.
            let is_space = self.has_cells && missing < 16;
            (missing == 0 || is_fill || is_space).then_some((radix, missing))
        })
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        let mut lines = text.lines().map(str::as_bytes);
        let first = Line::parse(lines.next().unwrap()).filter(Line::is_first).unwrap();
        let (mut dump, mut bytes) = Dump::begin(&first, |bytes| bytes.starts_with(&[0x80, 0x40])).unwrap();
        for line in lines {
            match dump.next(line) {
                Next::Bytes(more) => bytes.extend(more),
                Next::Nothing => {}
                Next::Foreign => panic!("{:?}", std::str::from_utf8(line)),
            }
        }
        bytes
    }

    #[test]
    fn dumps_of_all_tools_give_the_same_bytes() {
        for text in [
            "00000000: 8040 0040                                ...@.@",
            "00000000  80 40 00 40                                       |.@.@|\n00000004",
            "0000   80 40 00 40                                       .@.@",
            "\t0x0000:  8040 0040                                .@.@",
            "0000000 4080 4000\n0000004",
            "0000000 040200 040000\n0000004",
            "0000000 200 100 000 100\n0000004",
            "0000000  80  40\n0000002  00  40\n0000004",
            "000000 80 40 00 40  >.@.@<\n000004",
            "0000000 128  64   0  64\n0000004",
            "0000: 80-40-00-40",
            "[0000] 80 40 00 40",
            "00000000  40004080",
            "00000000: 10000000 01000000 00000000 01000000  .@.@",
            "0000000 -128   64    0   64\n0000004",
            "0000000   16512  16384\n0000004",
            "0000000 200   @  \\0   @\n0000004",
            "000000  80  40  00  40\n       200   @  \\0   @\n000004",
            "0x20000000 <rx+0>:\t0x80\t0x40\n0x20000002 <rx+2>:\t0x00\t0x40",
        ] {
            assert_eq!(bytes(text), [0x80, 0x40, 0x00, 0x40], "{text}");
        }
    }

    #[test]
    fn characters_that_look_like_digits_are_no_data() {
        assert_eq!(bytes("0000  80 40 61 62 63 64  .@abcd"), [0x80, 0x40, 0x61, 0x62, 0x63, 0x64]);
        assert_eq!(bytes("00000000: 8040 6162 6364  .@ab cd"), [0x80, 0x40, 0x61, 0x62, 0x63, 0x64]);
    }

    #[test]
    fn repeated_lines_are_filled_in_whatever_the_radix_of_offsets() {
        let tail = "80 40 00 40 00 00 00 00 00 00 00 00 00 00 00 00";
        for (second, third, end) in [("00000010", "00000040", "00000050"), ("0000020", "0000100", "0000120")]
        {
            let text = format!("0000000  {tail}\n{second}  {tail}\n*\n{third}  {tail}\n{end}");
            assert_eq!(bytes(&text).len(), 5 * 16, "{text}");
        }
    }

    #[test]
    fn lines_of_bytes_are_no_dump() {
        for line in
            ["01fe8001 00000004", "80400040", "01:FE:80:01", "80 40 00 40", "0.1,rx", "12:30:00 80 40"]
        {
            assert!(!Line::parse(line.as_bytes()).is_some_and(|line| line.is_first()), "{line}");
        }
    }
}
