//! Runs of bytes in a line of text: hexadecimal, decimal, base64, escaped.

use std::ops::Range;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::escaped;
pub(super) use super::run::Run;

/// Notations of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A string in quotes with `\x01`, `\001`, `\u0001` among its characters.
    Escaped,
    /// Pairs of hexadecimal digits, with or without `0x`, `\x` and separators; single digits where they are
    /// isolated.
    Hex,
    /// Numbers up to 255 in a list.
    Decimal,
    /// Base64, both alphabets.
    Base64,
}

impl Kind {
    /// All notations, the most certain first.
    pub(super) const ALL: [Self; 4] = [Self::Escaped, Self::Hex, Self::Decimal, Self::Base64];
}

/// Characters between the bytes of a run.
const SEPARATORS: &[u8] = b" \t,;:-_\"'\\$%";

/// All runs of a notation outside of `masked`.
pub(super) fn find(line: &[u8], kind: Kind, masked: &Range<usize>) -> Vec<Run> {
    match kind {
        Kind::Escaped => escaped::find(line),
        Kind::Hex => sequences(line, masked).iter().flat_map(|words| hex(line, words)).collect(),
        Kind::Decimal => {
            sequences(line, masked).iter().flat_map(|words| decimal(line, words, MIN_LIST)).collect()
        }
        Kind::Base64 => base64_words(line, masked),
    }
}

/// The only run of a line that contains nothing else except punctuation. `rest` is what the message of the
/// line before needs if it continues here: the characters of half a byte, or none.
pub(super) fn whole(line: &[u8], kind: Kind, masked: &Range<usize>, rest: Option<&[u8]>) -> Option<Run> {
    let (goes_on, rest) = (rest.is_some(), rest.unwrap_or_default());
    let start = line.iter().position(|byte| is_word(*byte)).unwrap_or(line.len());
    let mut text = line.get(..start)?.to_vec();
    text.extend(rest);
    text.extend(line.get(start..)?);
    let masked = shifted(masked, rest.len());
    let text = without_comments(text, kind);
    let runs = match kind {
        Kind::Decimal if goes_on => {
            sequences(&text, &masked).iter().flat_map(|words| decimal(&text, words, 1)).collect()
        }
        _ => find(&text, kind, &masked),
    };
    let mut runs = runs.into_iter();
    let run = runs.next().filter(|_| runs.next().is_none())?;
    let is_silent =
        |(at, byte): (usize, &u8)| run.range.contains(&at) || masked.contains(&at) || !is_word(*byte);
    text.iter().enumerate().all(is_silent).then_some(run)
}

fn shifted(range: &Range<usize>, by: usize) -> Range<usize> {
    if range.is_empty() { range.clone() } else { range.start + by..range.end + by }
}

/// Blanks comments: text in `/* */` and, except in base64, after `#` and `//`.
fn without_comments(mut text: Vec<u8>, kind: Kind) -> Vec<u8> {
    while let Some(start) = text.windows(2).position(|pair| pair == b"/*") {
        let end = text
            .windows(2)
            .skip(start)
            .position(|pair| pair == b"*/")
            .map_or(text.len(), |end| start + end + 2);
        if let Some(comment) = text.get_mut(start..end) {
            comment.fill(b' ');
        }
    }
    let is_comment = |pair: &[u8]| pair.first() == Some(&b'#') || pair == b"//";
    if matches!(kind, Kind::Hex | Kind::Decimal)
        && let Some(start) =
            (0..text.len()).find(|at| text.get(*at..text.len().min(at + 2)).is_some_and(is_comment))
    {
        text.truncate(start);
    }
    text
}

/// Whether a byte is a character of a word; other characters are punctuation.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// Words of hexadecimal digits with only separators between them; each word without its prefix.
fn sequences(line: &[u8], masked: &Range<usize>) -> Vec<Vec<Range<usize>>> {
    let mut all = Vec::new();
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while at < line.len() {
        let is_digit = line.get(at).is_some_and(|byte| is_word(*byte)) && !masked.contains(&at);
        if is_digit {
            let end = (at..line.len())
                .find(|at| masked.contains(at) || line.get(*at).is_none_or(|byte| !is_word(*byte)))
                .unwrap_or(line.len());
            match digits(line, at..end) {
                Some(word) => {
                    if words.last().is_some_and(|last| is_other_column(line, last, &word)) {
                        all.push(std::mem::take(&mut words));
                    }
                    words.push(word);
                }
                None => all.push(std::mem::take(&mut words)),
            }
            at = end;
        } else {
            // Two colons belong to an IPv6 address.
            let is_address = line.get(at..at + 2) == Some(b"::");
            if masked.contains(&at)
                || is_address
                || line.get(at).is_none_or(|byte| !SEPARATORS.contains(byte))
            {
                all.push(std::mem::take(&mut words));
            }
            at += 1;
        }
    }
    all.push(words);
    all.retain(|words| !words.is_empty());
    all
}

/// Whether a column of a table ends between two words: one is a message, the other a number.
fn is_other_column(line: &[u8], one: &Range<usize>, other: &Range<usize>) -> bool {
    let (shorter, longer) = (one.len().min(other.len()), one.len().max(other.len()));
    let between = line.get(one.end..other.start).unwrap_or_default();
    shorter <= MAX_NUMBER && longer > MAX_NUMBER && between.iter().any(|byte| b",;\t".contains(byte))
}

/// Most digits of a number in a table; a message has at least four bytes, so more digits.
const MAX_NUMBER: usize = 5;

/// The hexadecimal digits of a word: `01`, `0x01`, `x01` after a backslash, `01h`.
fn digits(line: &[u8], word: Range<usize>) -> Option<Range<usize>> {
    let text = line.get(word.clone())?;
    let is_escaped = word.start.checked_sub(1).and_then(|at| line.get(at)) == Some(&b'\\');
    let digits = match text {
        [b'0', b'x' | b'X', _, ..] => word.start + 2..word.end,
        [b'x' | b'X', _, ..] if is_escaped => word.start + 1..word.end,
        [_, _, b'h' | b'H'] => word.start..word.end - 1,
        _ => word,
    };
    line.get(digits.clone())?.iter().all(u8::is_ascii_hexdigit).then_some(digits)
}

fn value(digits: &[u8], radix: u32) -> Option<u8> {
    let value = digits.iter().try_fold(0_u32, |value, digit| {
        value.checked_mul(radix)?.checked_add(char::from(*digit).to_digit(radix)?)
    });
    value.and_then(|value| u8::try_from(value).ok())
}

/// The runs of bytes in a sequence: words of an even number of digits, or of one.
fn hex(line: &[u8], words: &[Range<usize>]) -> Vec<Run> {
    let single = words.iter().filter(|word| word.len() == 1).count();
    let mut runs = Vec::new();
    let mut run: Option<Run> = None;
    for (index, word) in words.iter().enumerate() {
        let text = line.get(word.clone()).unwrap_or_default();
        let is_last = index + 1 == words.len() && line.get(word.end..).is_some_and(is_silent);
        let is_odd = text.len() % 2 == 1;
        // The last digit of a line may be half a byte whose other half is in the next line.
        let is_half = is_odd && is_last && (text.len() > 1 || single == 1 && words.len() > 1);
        if is_odd && text.len() > 1 && !is_half {
            runs.extend(run.take());
            continue;
        }
        let (pairs, rest) = if is_half { text.split_at(text.len() - 1) } else { (text, &[][..]) };
        let run = run.get_or_insert_with(|| Run {
            bytes: Vec::new(),
            words: Vec::new(),
            range: word.start..word.end,
            rest: Vec::new(),
        });
        run.words.push(run.bytes.len());
        run.bytes.extend(pairs.chunks(2).filter_map(|pair| value(pair, 16)));
        run.rest = rest.to_vec();
        run.range.end = word.end;
    }
    runs.extend(run);
    runs.retain(|run| !run.bytes.is_empty());
    // Prefix and suffix are a part of the run.
    for run in &mut runs {
        while run.range.start > 0 && line.get(run.range.start - 1).is_some_and(|byte| is_word(*byte)) {
            run.range.start -= 1;
        }
        while line.get(run.range.end).is_some_and(|byte| is_word(*byte)) {
            run.range.end += 1;
        }
    }
    runs
}

/// Whether a line has nothing left but punctuation.
pub(super) fn is_silent(rest: &[u8]) -> bool {
    !rest.iter().any(|byte| is_word(*byte))
}

/// A list of at least this many numbers is bytes: the shortest message has four.
const MIN_LIST: usize = 4;

fn decimal(line: &[u8], words: &[Range<usize>], least: usize) -> Vec<Run> {
    let number = |word: &Range<usize>| {
        let text = line.get(word.clone())?;
        let is_number = text.len() <= 3 && text.iter().all(u8::is_ascii_digit);
        let value = value(text, 10).filter(|_| is_number)?;
        // Java has signed bytes; a dash between two numbers is no sign.
        match line.get(..word.start)? {
            [.., before, b'-'] if !is_word(*before) => (value <= 128).then_some(value.wrapping_neg()),
            _ => Some(value),
        }
    };
    let mut runs = Vec::new();
    for words in words.split(|word| number(word).is_none()).filter(|words| words.len() >= least) {
        if let (Some(first), Some(last)) = (words.first(), words.last()) {
            let bytes: Vec<u8> = words.iter().filter_map(number).collect();
            let starts = (0..bytes.len()).collect();
            runs.push(Run { bytes, words: starts, range: first.start..last.end, rest: Vec::new() });
        }
    }
    runs
}

/// The last bytes of base64 without padding.
pub(super) fn last_of_base64(rest: &[u8]) -> Vec<u8> {
    ENGINE.decode(rest).unwrap_or_default()
}

/// Shorter words are ignored: four bytes take six characters.
const MIN_BASE64: usize = 6;

fn base64_words(line: &[u8], masked: &Range<usize>) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut at = 0;
    let of_base64 = |at: usize| {
        !masked.contains(&at)
            && line.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte))
    };
    while at < line.len() {
        if !of_base64(at) {
            at += 1;
            continue;
        }
        let end = (at..line.len()).find(|at| !of_base64(*at)).unwrap_or(line.len());
        let text: Vec<u8> = line
            .get(at..end)
            .unwrap_or_default()
            .iter()
            .map(|byte| match byte {
                b'-' => b'+',
                b'_' => b'/',
                other => *other,
            })
            .collect();
        let padding =
            line.get(end..).unwrap_or_default().iter().take(2).take_while(|byte| **byte == b'=').count();
        // Without padding the rest may continue in the next line.
        let (whole, rest) = text.split_at(if padding > 0 { text.len() } else { text.len() / 4 * 4 });
        let is_end = line.get(end + padding..).is_some_and(is_silent);
        let text = if is_end || rest.is_empty() { whole } else { &text };
        if end - at >= MIN_BASE64
            && let Ok(bytes) = ENGINE.decode(text)
        {
            let rest = if is_end { rest.to_vec() } else { Vec::new() };
            runs.push(Run { bytes, words: vec![0], range: at..end + padding, rest });
        }
        at = end + padding;
    }
    runs
}

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &[u8] = &[0x01, 0xFE, 0x80, 0x01, 0, 0, 0, 4, 0x80, 0x40, 0, 0x40];

    #[test]
    fn bytes_are_found_however_they_are_written() {
        for (line, kind) in [
            ("01fe8001 00000004 80400040", Kind::Hex),
            ("x = 01 FE 80 01 00 00 00 04 80 40 00 40", Kind::Hex),
            ("{0x01,0xFE, 0x80,\t0x1, 0x0,0x0,0x0,0x4, 0x80,0x40,0x0,0x40};", Kind::Hex),
            ("1 FE 80 1 0 0 0 4 80 40 0 40", Kind::Hex),
            ("01h FEh 80h 01h 00h 00h 00h 04h 80h 40h 00h 40h", Kind::Hex),
            (r"\x01\xfe\x80\x01\x00\x00\x00\x04\x80\x40\x00\x40", Kind::Hex),
            ("01:fe:80:01-00_00_00_04-80-40-00-40", Kind::Hex),
            ("m: 0x01FE8001000000048040_0040", Kind::Hex),
            ("$01 $FE $80 $01 $00 $00 $00 $04 $80 $40 $00 $40", Kind::Hex),
            ("exi=%01%FE%80%01%00%00%00%04%80%40%00%40", Kind::Hex),
            ("17,01fe80010000000480400040,12", Kind::Hex),
            ("[1, 254, 128, 1, 0, 0, 0, 4, 128, 64, 0, 64]", Kind::Decimal),
            ("[1, -2, -128, 1, 0, 0, 0, 4, -128, 64, 0, 64]", Kind::Decimal),
            (r#"{"exi": "Af6AAQAAAASAQABA"}"#, Kind::Base64),
            (r"b'\x01\xfe\x80\x01\0\0\0\x04\x80@\x00@'", Kind::Escaped),
        ] {
            let runs = find(line.as_bytes(), kind, &(0..0));
            assert!(runs.iter().any(|run| run.bytes == MESSAGE), "{line}: {runs:?}");
        }
    }

    #[test]
    fn words_of_prose_break_a_run_and_a_mask_too() {
        let bytes = |line: &str, masked| {
            let runs = find(line.as_bytes(), Kind::Hex, &masked);
            runs.into_iter().map(|run| run.bytes).collect::<Vec<_>>()
        };
        assert_eq!(bytes("received (42bytes) = 80 40 km 50", 0..0), [vec![0x80, 0x40], vec![0x50]]);
        assert_eq!(bytes("12:30:00 80 40", 0..8), [vec![0x80, 0x40]]);
    }

    #[test]
    fn half_a_byte_at_the_end_of_a_line_is_kept_for_the_next() {
        let run = whole(b"01 FE 8", Kind::Hex, &(0..0), None).unwrap();
        assert_eq!((run.bytes, run.rest), (vec![0x01, 0xFE], b"8".to_vec()));
        let run = whole(b"  0 01,", Kind::Hex, &(0..0), Some(b"8")).unwrap();
        assert_eq!(run.bytes, [0x80, 0x01]);
        assert_eq!(whole(b"80 km", Kind::Hex, &(0..0), None), None);
        assert!(whole(b"80 40 # an answer", Kind::Hex, &(0..0), None).is_some());
    }
}
