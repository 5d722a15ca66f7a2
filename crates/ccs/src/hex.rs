//! Hexadecimal text.

/// Parses a line: digits in pairs, with spaces, tabs, commas, colons, dashes or `0x` between them. The error
/// is the column, from 1 on.
pub(crate) fn parse(line: &[u8], out: &mut Vec<u8>) -> Result<(), usize> {
    out.clear();
    let mut half: Option<u8> = None;
    let mut rest = line.iter().enumerate().peekable();
    while let Some((column, &byte)) = rest.next() {
        let digit = char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        match (digit, half) {
            (Some(0), None) if rest.peek().is_some_and(|(_, next)| matches!(next, b'x' | b'X')) => {
                rest.next();
            }
            (Some(digit), None) => half = Some(digit),
            (Some(digit), Some(high)) => {
                out.push(high << 4 | digit);
                half = None;
            }
            (None, None) if matches!(byte, b' ' | b'\t' | b'\r' | b',' | b':' | b'-') => {}
            (None, _) => return Err(column + 1),
        }
    }
    if half.is_some() { Err(line.len()) } else { Ok(()) }
}

/// Appends lower-case digits.
pub(crate) fn write(bytes: &[u8], out: &mut String) {
    out.reserve(bytes.len() * 2);
    for byte in bytes {
        out.extend([byte >> 4, byte & 15].into_iter().filter_map(|digit| char::from_digit(digit.into(), 16)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_bytes_and_back() {
        let mut bytes = Vec::new();
        assert_eq!(parse(b"0x80, 9A:02-ff", &mut bytes), Ok(()));
        let mut text = String::new();
        write(&bytes, &mut text);
        assert_eq!(text, "809a02ff");
        assert_eq!(parse(b"809", &mut bytes), Err(3));
        assert_eq!(parse(b"80 9 a", &mut bytes), Err(5));
    }
}
