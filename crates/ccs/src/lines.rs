//! Reads lines of text of bounded length.

use std::io::{self, BufRead, Read};

/// Longest line in bytes without its end: a message of 64 KiB fits many times, as hexadecimal text or JSON.
pub(crate) const MAX_LINE: usize = 1024 * 1024;

/// The result of reading a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A complete line, or the rest of the text.
    Whole,
    /// A line longer than [`MAX_LINE`]; all of it was skipped.
    TooLong,
    /// The end of the text.
    End,
}

/// Reads the next line into `line`, without its end.
pub(crate) fn next(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    // One byte more, for the line end.
    let most = u64::try_from(MAX_LINE).unwrap_or(u64::MAX).saturating_add(1);
    if input.by_ref().take(most).read_until(b'\n', line)? == 0 {
        return Ok(Line::End);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > MAX_LINE {
        input.skip_until(b'\n')?;
        return Ok(Line::TooLong);
    }
    Ok(Line::Whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_longest_length_is_read_and_a_longer_one_skipped_whole() {
        let longest = vec![b'a'; MAX_LINE];
        let text =
            [&longest[..], b"\n", &longest, b"a\nb\n\n", &longest, &longest, b"\nc", &longest].concat();
        let (mut input, mut line) = (&text[..], Vec::new());
        let mut read = || (next(&mut input, &mut line).unwrap(), line.len());
        assert_eq!(read(), (Line::Whole, MAX_LINE));
        assert_eq!(read().0, Line::TooLong);
        assert_eq!(read(), (Line::Whole, 1));
        assert_eq!(read(), (Line::Whole, 0));
        assert_eq!(read().0, Line::TooLong);
        assert_eq!(read().0, Line::TooLong, "the last line, without an end");
        assert_eq!(read().0, Line::End);
    }

    #[test]
    fn the_last_line_needs_no_end() {
        let (mut input, mut line) = (&b"a"[..], Vec::new());
        assert_eq!((next(&mut input, &mut line).unwrap(), &line[..]), (Line::Whole, &b"a"[..]));
        assert_eq!(next(&mut input, &mut line).unwrap(), Line::End);
    }
}
