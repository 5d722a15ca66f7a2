//! Strings in quotes with escaped bytes, as in C, Python and JSON.

use super::run::Run;

/// All strings of a line that contain a byte escaped by its number. Strings with only spaces between them are
/// one.
pub(super) fn find(line: &[u8]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut at = 0;
    while let Some(start) =
        (at..line.len()).find(|at| line.get(*at).is_some_and(|byte| b"\"'".contains(byte)))
    {
        let Some(string) = string(line, start) else {
            at = start + 1;
            continue;
        };
        at = string.end;
        let between = runs.last().and_then(|last| line.get(last.range.end..start));
        match runs.last_mut() {
            Some(last) if between.is_some_and(|gap| gap.iter().all(u8::is_ascii_whitespace)) => {
                last.words.push(last.bytes.len());
                last.bytes.extend(string.bytes);
                last.range.end = string.end;
            }
            _ if string.has_numbers => runs.push(Run {
                bytes: string.bytes,
                words: vec![0],
                range: start - usize::from(is_prefixed(line, start))..string.end,
                rest: Vec::new(),
            }),
            _ => {}
        }
    }
    runs
}

/// Whether the byte-string prefix of Python and Rust precedes a quote.
fn is_prefixed(line: &[u8], quote: usize) -> bool {
    let before = line.get(..quote).unwrap_or_default();
    match before {
        [.., before, b'b' | b'B'] => !before.is_ascii_alphanumeric(),
        [b'b' | b'B'] => true,
        _ => false,
    }
}

struct Quoted {
    bytes: Vec<u8>,
    end: usize,
    has_numbers: bool,
}

/// The string whose opening quote is at `start`.
fn string(line: &[u8], start: usize) -> Option<Quoted> {
    let quote = *line.get(start)?;
    let (mut bytes, mut at, mut has_numbers) = (Vec::new(), start + 1, false);
    loop {
        match *line.get(at)? {
            byte if byte == quote => return Some(Quoted { bytes, end: at + 1, has_numbers }),
            b'\\' => {
                let (byte, length) = escape(line.get(at + 1..)?)?;
                has_numbers |= length > 1;
                bytes.push(byte);
                at += 1 + length;
            }
            byte => {
                bytes.push(byte);
                at += 1;
            }
        }
    }
}

/// The byte for which the characters after a backslash stand, and their number.
pub(super) fn escape(text: &[u8]) -> Option<(u8, usize)> {
    let digits = |from: usize, most: usize, radix: u32| {
        let digits: Vec<u32> =
            (text.iter().skip(from).take(most)).map_while(|byte| char::from(*byte).to_digit(radix)).collect();
        let value = digits.iter().fold(0, |value, digit| value * radix + digit);
        let byte = u8::try_from(value).ok()?;
        (!digits.is_empty()).then_some((byte, from + digits.len()))
    };
    match text.first()? {
        b'x' => digits(1, 2, 16),
        b'u' if text.get(1) == Some(&b'{') => {
            let (byte, end) = digits(2, 6, 16)?;
            (text.get(end) == Some(&b'}')).then_some((byte, end + 1))
        }
        b'u' => digits(1, 4, 16).filter(|(_, length)| *length == 5),
        b'0'..=b'7' => digits(0, 3, 8),
        b'a' => Some((7, 1)),
        b'b' => Some((8, 1)),
        b't' => Some((9, 1)),
        b'n' => Some((10, 1)),
        b'v' => Some((11, 1)),
        b'f' => Some((12, 1)),
        b'r' => Some((13, 1)),
        other => Some((*other, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(line: &str) -> Vec<Vec<u8>> {
        find(line.as_bytes()).into_iter().map(|run| run.bytes).collect()
    }

    #[test]
    fn escapes_of_c_python_and_json_are_read() {
        assert_eq!(bytes(r#"x = b'\x01\xfe"\x80@\n\t'"#), [b"\x01\xFE\"\x80@\n\t"]);
        assert_eq!(bytes(r#""\001\376\200\1\0" "A""#), [b"\x01\xFE\x80\x01\0A"]);
        assert_eq!(bytes(r#""\u{1}\u{fe}\u{80}\u{1}""#), [b"\x01\xFE\x80\x01"]);
        assert_eq!(bytes(r#"{"data": "\u0001\u00fe\u0080\u0001"}"#), [b"\x01\xFE\x80\x01"]);
    }

    #[test]
    fn a_string_without_escaped_bytes_or_without_its_end_is_none() {
        assert_eq!(bytes(r#"{"name": "a\n", "b": "c"}"#), [[0; 0]; 0]);
        assert_eq!(bytes(r"it's \x01"), [[0; 0]; 0]);
    }
}
