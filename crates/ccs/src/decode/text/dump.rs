//! Lines of a hex dump: an offset, words, perhaps the characters.

/// A line of a dump, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'l> {
    /// The digits of its offset.
    offset: &'l [u8],
    /// Something other than spaces stands after the offset.
    is_marked: bool,
    words: Vec<&'l [u8]>,
}

/// How the words of a dump are bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reading {
    radix: u32,
    /// Bytes of a word with its lowest byte first; `None`: pairs of digits in their order.
    size: Option<usize>,
}

/// Readings by the digits of a word, the usual ones first: `xxd`, `hexdump -C`, Wireshark, `tcpdump -x`; `hexdump`, `od -x`;
/// `od -b`; `od`; `od -t u1`, `od -t u2`.
const READINGS: &[(&[usize], Reading)] = &[
    (&[1, 2, 4, 6, 8, 10, 12, 14, 16, 32], Reading { radix: 16, size: None }),
    (&[4], Reading { radix: 16, size: Some(2) }),
    (&[8], Reading { radix: 16, size: Some(4) }),
    (&[16], Reading { radix: 16, size: Some(8) }),
    (&[3], Reading { radix: 8, size: Some(1) }),
    (&[6], Reading { radix: 8, size: Some(2) }),
    (&[11], Reading { radix: 8, size: Some(4) }),
    (&[1, 2, 3], Reading { radix: 10, size: Some(1) }),
    (&[1, 2, 3, 4, 5], Reading { radix: 10, size: Some(2) }),
];

/// Radices of offsets: `od` has octal ones, and `-A d` decimal ones.
const RADICES: [u32; 3] = [16, 8, 10];

/// Most bytes that a line with `*` stands for: judgement, zeros in a raw capture.
const MAX_FILL: u64 = 1 << 20;

impl<'l> Line<'l> {
    /// Takes a line apart that begins with an offset; the offset is never data.
    pub fn parse(line: &'l [u8]) -> Option<Self> {
        let text = line.trim_ascii();
        let text = text.strip_prefix(b"[").or_else(|| text.strip_prefix(b"<")).unwrap_or(text);
        let text = text.strip_prefix(b"0x").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
        let digits = text.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (offset, rest) = text.split_at_checked(digits).filter(|_| (1..=16).contains(&digits))?;
        let rest = rest.strip_prefix(b"h").unwrap_or(rest);
        let marks = rest.iter().take_while(|byte| b"]>:|".contains(byte)).count();
        let rest = rest.get(marks..)?;
        if !rest.is_empty() && !rest.starts_with(b" ") && !rest.starts_with(b"\t") {
            return None;
        }
        let words = words(rest);
        Some(Self { offset, is_marked: marks > 0, words })
    }

    fn offset(&self, radix: u32) -> Option<u64> {
        number(self.offset, radix)
    }

    /// Whether this alone looks like the first line of a dump.
    pub fn is_first(&self) -> bool {
        let has_other_width = self.words.iter().all(|word| word.len() != self.offset.len());
        let is_message = matches!(self.offset, [b'0', b'1', b'f' | b'F', b'e' | b'E', ..] | [b'8', b'0', ..]);
        let is_zero = self.offset.iter().all(|digit| *digit == b'0');
        !self.words.is_empty()
            && (self.is_marked && (self.offset.len() > 2 || is_zero)
                || is_zero && self.offset.len() >= 4
                || self.offset.len() >= 4 && has_other_width && !is_message)
    }

    /// Whether it is sure to be a line of a dump, and not a row of numbers.
    pub fn is_sure(&self) -> bool {
        self.is_marked || self.offset.iter().all(|digit| *digit == b'0')
    }
}

/// The words of a line up to its characters.
fn words(rest: &[u8]) -> Vec<&[u8]> {
    let mut words = Vec::new();
    let mut bytes = Vec::new();
    let mut at = 0;
    let is_gap = |at: usize| rest.get(at).is_some_and(|byte| b" \t-".contains(byte));
    loop {
        while is_gap(at) {
            at += 1;
        }
        let end = (at..rest.len()).find(|at| is_gap(*at)).unwrap_or(rest.len());
        let word = rest.get(at..end).unwrap_or_default();
        let is_digits = !word.is_empty() && word.iter().all(u8::is_ascii_hexdigit);
        if !is_digits || !bytes.is_empty() && are_characters(rest.get(at..).unwrap_or_default(), &bytes) {
            return words;
        }
        words.push(word);
        bytes.extend(Reading { radix: 16, size: None }.bytes(word).unwrap_or_default());
        at = end;
    }
}

/// Whether a text is how these bytes look as characters: what is printable as it is, the rest as anything.
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
            let pair = |pair: &[u8]| number(pair, 16).and_then(|byte| u8::try_from(byte).ok());
            return Some(
                [odd]
                    .into_iter()
                    .filter(|odd| !odd.is_empty())
                    .chain(pairs.chunks(2))
                    .filter_map(pair)
                    .collect(),
            );
        };
        let value = number(word, self.radix)?;
        let (low, high) =
            value.to_le_bytes().split_at_checked(size).map(|(low, high)| (low.to_vec(), high.to_vec()))?;
        high.iter().all(|byte| *byte == 0).then_some(low)
    }

    /// All words of a line.
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
pub struct Dump {
    first: Vec<u8>,
    /// Bytes since then.
    count: u64,
    radix: Option<u32>,
    reading: Reading,
    latest: Vec<u8>,
    is_squeezed: bool,
}

/// What a line is to a dump.
pub enum Next {
    /// Its next bytes.
    Bytes(Vec<u8>),
    /// Something that has no bytes: `*`, or the offset of its end.
    Nothing,
    /// It is no line of this dump.
    Foreign,
}

impl Dump {
    /// Begins with a line; the reading is the first in which `begins` knows the bytes, else the usual one.
    pub fn begin(line: &Line<'_>, begins: impl Fn(&[u8]) -> bool) -> Option<(Self, Vec<u8>)> {
        let longest = line.words.iter().map(|word| word.len()).max()?;
        let readings = READINGS.iter().filter(|row| row.0.contains(&longest)).map(|row| row.1);
        let read = |reading: Reading| Some((reading, reading.line(&line.words)?));
        let known = readings.clone().filter_map(read).find(|(_, bytes)| begins(bytes));
        let (reading, bytes) = known.or_else(|| readings.clone().find_map(read))?;
        let dump = Self {
            first: line.offset.to_vec(),
            count: length(&bytes),
            radix: None,
            reading,
            latest: bytes.clone(),
            is_squeezed: false,
        };
        Some((dump, bytes))
    }

    /// Takes the next line of the text.
    pub fn next(&mut self, text: &[u8]) -> Next {
        if text.trim_ascii() == b"*" {
            self.is_squeezed = true;
            return Next::Nothing;
        }
        let Some(line) = Line::parse(text) else { return Next::Foreign };
        let Some((radix, missing)) = self.missing(&line) else { return Next::Foreign };
        self.radix = Some(radix);
        let mut bytes = Vec::new();
        while length(&bytes) < missing && !self.latest.is_empty() {
            bytes.extend(&self.latest);
        }
        self.is_squeezed = false;
        if line.words.is_empty() {
            self.count += length(&bytes);
            return if bytes.is_empty() { Next::Nothing } else { Next::Bytes(bytes) };
        }
        let Some(read) = self.reading.line(&line.words) else { return Next::Foreign };
        self.latest.clone_from(&read);
        bytes.extend(read);
        self.count += length(&bytes);
        Next::Bytes(bytes)
    }

    /// The radix in which a line's offset goes on with this dump, and the bytes that a `*` before it stands for.
    fn missing(&self, line: &Line<'_>) -> Option<(u32, u64)> {
        RADICES.into_iter().filter(|radix| self.radix.is_none_or(|known| known == *radix)).find_map(|radix| {
            let missing =
                line.offset(radix)?.checked_sub(number(&self.first, radix)?)?.checked_sub(self.count)?;
            let is_fill = self.is_squeezed
                && missing < MAX_FILL
                && missing.checked_rem(length(&self.latest)) == Some(0);
            (missing == 0 || is_fill).then_some((radix, missing))
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
