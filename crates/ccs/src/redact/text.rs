//! Log text: addresses become their replacements; what looks like hexadecimal bytes or a serial number is
//! blanked; words and short numbers stay. No length changes.

use super::names::{Kind, Names};

/// Most digits of a number that stays: judgement, times in milliseconds are kept and serial numbers are not.
const MAX_DIGITS: usize = 7;
/// Number of bytes in a row, of one or two hexadecimal digits each, from which on they are blanked:
/// judgement, fewer bytes identify no one.
const MIN_BYTES: usize = 4;

/// Rewrites text in place.
pub(super) fn rewrite(names: &mut Names<'_>, text: &mut [u8]) {
    for byte in text.iter_mut() {
        if !byte.is_ascii() {
            *byte = b'?';
        }
    }
    let mut at = 0;
    while at < text.len() {
        let rest = text.get_mut(at..).unwrap_or_default();
        at += if let Some(length) = mac(names, rest) { length } else { word(names, rest).max(1) };
        // An address starts at a word boundary.
        at += text
            .get(at..)
            .unwrap_or_default()
            .iter()
            .take_while(|byte| !byte.is_ascii_alphanumeric())
            .count();
    }
    runs(names, text);
}

/// Replaces `aa:bb:cc:dd:ee:ff` at the start, with `:` or `-`. Returns its length.
fn mac(names: &mut Names<'_>, text: &mut [u8]) -> Option<usize> {
    let text = text.get_mut(..17)?;
    let separator = *text.get(2)?;
    if !matches!(separator, b':' | b'-') {
        return None;
    }
    if text.iter().skip(2).step_by(3).any(|end| *end != separator) {
        return None;
    }
    let mac = parse(text.chunks(3))?;
    let is_upper = text.iter().any(u8::is_ascii_uppercase);
    write(names.mac(mac), text.chunks_mut(3), is_upper);
    Some(17)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Keeps, blanks or replaces a word of letters and digits at the start. Returns its length.
fn word(names: &mut Names<'_>, text: &mut [u8]) -> usize {
    let length = text.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let word = text.get_mut(..length).unwrap_or_default();
    let letters = word.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let digits = word.iter().skip(letters).take_while(|byte| byte.is_ascii_digit()).count();
    let is_hex = word.iter().all(u8::is_ascii_hexdigit);
    let stays = match (letters, digits) {
        // A word, or one with a short number as in `Checkpoint100`; not what may be bytes.
        (1.., 0..=3) if letters + digits == length => !is_hex || length < 2 * MIN_BYTES,
        (0, _) if digits == length => digits <= MAX_DIGITS,
        // A number with a unit.
        (0, 1..=MAX_DIGITS) if !is_hex && length - digits <= 2 => true,
        // Short words such as `0x44` or `2nd`; many of them in a row are found as a run.
        _ => length <= 4,
    };
    if stays {
        return length;
    }
    let new = match (is_hex, parse(word.chunks(2))) {
        (true, Some(mac)) if length == 12 => {
            let mut new = word.to_vec();
            write(names.mac(mac), new.chunks_mut(2), word.iter().any(u8::is_ascii_uppercase));
            new
        }
        _ => names.text(Kind::Text, word),
    };
    word.copy_from_slice(&new);
    length
}

/// An address from its parts; each begins with two digits.
fn parse<'t>(parts: impl Iterator<Item = &'t [u8]>) -> Option<[u8; 6]> {
    let mut mac = [0; 6];
    for (byte, part) in mac.iter_mut().zip(parts) {
        let [high, low, ..] = part else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(mac)
}

/// Writes an address into its parts.
fn write<'t>(mac: [u8; 6], parts: impl Iterator<Item = &'t mut [u8]>, is_upper: bool) {
    let letters = if is_upper { b'A' } else { b'a' };
    for (byte, part) in mac.into_iter().zip(parts) {
        for (digit, place) in [byte >> 4, byte & 15].into_iter().zip(part) {
            *place = if digit < 10 { b'0' + digit } else { letters + digit - 10 };
        }
    }
}

/// Blanks bytes in a row: `0x44 0x7 ...`, `44 7e ...`, also with `:`, `-` or `,` between them. This includes
/// IPv6 addresses.
fn runs(names: &mut Names<'_>, text: &mut [u8]) {
    let mut at = 0;
    while at < text.len() {
        let (length, run) = run(text.get(at..).unwrap_or_default());
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        if !run.is_bytes() || before.is_some_and(u8::is_ascii_alphanumeric) {
            at += 1;
            continue;
        }
        if !is_mac(text, at, length) {
            names.blank("bytes in log text");
            for byte in text.iter_mut().skip(at).take(length).filter(|byte| byte.is_ascii_hexdigit()) {
                *byte = b'0';
            }
        }
        at += length;
    }
}

/// Whether a run is only an address that was already replaced.
fn is_mac(text: &[u8], at: usize, length: usize) -> bool {
    let colons = text.iter().skip(at).take(length).filter(|byte| matches!(byte, b':' | b'-')).count();
    length == 17 && colons == 5
}

/// The composition of a run of bytes.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Default)]
struct Run {
    parts: usize,
    has_prefix: bool,
    has_letter: bool,
    has_short: bool,
    has_colons: bool,
    dots: usize,
}

impl Run {
    fn is_bytes(&self) -> bool {
        // With dots only: an IPv4 address.
        let is_dotted = self.dots > 0 && self.dots + 1 == self.parts;
        let is_hexadecimal = self.has_prefix || self.has_letter || self.has_colons || !self.has_short;
        self.parts >= MIN_BYTES && (is_hexadecimal || is_dotted)
    }
}

/// The run at the start of the text, and its length.
fn run(text: &[u8]) -> (usize, Run) {
    let (mut run, mut at, mut end) = (Run::default(), 0, 0);
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let prefix = if rest.starts_with(b"0x") { 2 } else { 0 };
        let part = rest.get(prefix..).unwrap_or_default();
        let digits = part.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let is_word = part.get(digits).is_some_and(u8::is_ascii_alphanumeric);
        // An IPv6 address has up to four digits between its colons.
        if !(1..=4).contains(&digits) || is_word {
            return (end, run);
        }
        run.parts += 1;
        run.has_prefix |= prefix > 0;
        run.has_letter |= part.iter().take(digits).any(u8::is_ascii_alphabetic);
        run.has_short |= digits != 2;
        end = at + prefix + digits;
        let between = text.get(end..).unwrap_or_default();
        let between = between
            .iter()
            .take(2)
            .take_while(|byte| matches!(byte, b' ' | b':' | b'-' | b',' | b'.'))
            .count();
        run.dots += usize::from(text.get(end) == Some(&b'.'));
        run.has_colons |= text.get(end) == Some(&b':');
        if between == 0 {
            return (end, run);
        }
        at = end + between;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hal_linux::OsEntropy;

    fn rewritten(text: &str) -> String {
        let mut entropy = OsEntropy;
        let mut bytes = text.as_bytes().to_vec();
        rewrite(&mut Names::new(&mut entropy, false), &mut bytes);
        assert_eq!(bytes.len(), text.len());
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_pyplc_logs_stays_readable() {
        for line in [
            "<15>[PEVSLAC] Checkpoint100: Sending SLAC_PARAM.REQ... ",
            "<15>[CONNMGR] 9 49 0 0 0 0 0  --> 10 ",
            "[CONNMGR] ConnectionLevel changed from 10 to 5",
            "[1234567ms] [PEV] uInlet 230V, the CCS is stopped by user",
            "result code is 0(OK)",
        ] {
            assert_eq!(rewritten(line), line);
        }
    }

    #[test]
    fn addresses_keys_and_serial_numbers_do_not_stay() {
        let key =
            "got network membership key (NMK) 0x44 0x7e 0x1b 0x9e 0xdb 0xbf 0xcf 0x4d 0x4b 0x7 0xda 0x7f";
        let zeros =
            "got network membership key (NMK) 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x00 0x0 0x00 0x00";
        assert_eq!(rewritten(key), zeros);
        let modem = rewritten("Modem #1 has 98:DE:D0:65:0E:F7 and 98-DE-D0-65-0E-F7 98DED0650EF7");
        assert!(!modem.contains("98:DE") && modem.starts_with("Modem #1 has "), "{modem}");
        let same = modem.replace('-', ":");
        assert_eq!(same[13..30], same[35..52], "the same address: {modem}");
        assert_eq!(same[13..30].replace(':', ""), same[53..], "{modem}");
        for secret in [
            "WVWZZZ1JZXW000001",
            "DE8AAA1B2C3D4E5F",
            "98ded0650ef7",
            "809a02004080c101418182",
            "fe80::665:65ff:fe00:64c3",
            "192.168.178.42",
            "44 65 65 00 64 13",
            "4465 6500 6413 aaaa",
            "4911234567890",
            "Zürich8421B7F3A",
        ] {
            let new = rewritten(&format!("it is {secret}, ok"));
            assert!(!new.contains(secret) && new.starts_with("it is ") && new.ends_with(", ok"), "{new}");
        }
    }
}
