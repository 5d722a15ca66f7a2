//! Makes text from outside (messages, files, names) safe for terminals, logs and JSON. Characters are escaped
//! that could control a terminal, or make a line look like another one.

use std::fmt::{self, Write as _};
use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};

/// Characters that are escaped in addition to control characters (C0, DEL, C1): invisible ones, and those
/// that change the order in which a line is displayed (Unicode categories Cf, Zl and Zp).
const HIDDEN: &[(char, char)] = &[
    ('\u{AD}', '\u{AD}'),
    ('\u{61C}', '\u{61C}'),
    ('\u{180E}', '\u{180E}'),
    ('\u{200B}', '\u{200F}'),
    ('\u{2028}', '\u{202E}'),
    ('\u{2060}', '\u{206F}'),
    ('\u{FEFF}', '\u{FEFF}'),
    ('\u{FFF9}', '\u{FFFB}'),
    ('\u{E0000}', '\u{E007F}'),
];

/// Whether a character is escaped.
pub(crate) fn is_hidden(c: char) -> bool {
    // ASCII is checked first, because other characters are rare.
    c.is_control() || !c.is_ascii() && HIDDEN.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

/// A name, such as of a file, on one line.
pub(crate) struct Plain<'a>(pub &'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| write_char(c, f))
    }
}

/// A text of any length, shortened to one line.
pub(crate) struct Short<'a>(pub &'a str);

/// Number of characters that are shown.
const SHOWN: usize = 80;

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest =
            self.0.char_indices().nth(SHOWN).map_or("", |(at, _)| self.0.get(at..).unwrap_or_default());
        Plain(self.0.strip_suffix(rest).unwrap_or(self.0)).fmt(f)?;
        if rest.is_empty() { Ok(()) } else { write!(f, "... ({} bytes)", self.0.len()) }
    }
}

/// Name of a file, on one line.
pub(crate) fn path(path: &Path) -> String {
    Plain(&path.to_string_lossy()).to_string()
}

/// Our own text that may contain names; line ends stay.
pub(crate) struct Lines<'a>(pub &'a str);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| if c == '\n' { f.write_char(c) } else { write_char(c, f) })
    }
}

fn write_char(c: char, out: &mut impl fmt::Write) -> fmt::Result {
    if is_hidden(c) { write!(out, "{}", c.escape_default()) } else { out.write_char(c) }
}

/// Appends at most `most` characters of a peer's text in quotes: nothing in it can look like a field or a
/// line.
pub(crate) fn quote(text: impl Iterator<Item = char>, most: usize, out: &mut String) {
    let mut text = text.fuse();
    out.push('"');
    for c in text.by_ref().take(most) {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        // Writing to a string cannot fail.
        let _ = write_char(c, out);
    }
    out.push('"');
    if text.next().is_some() {
        out.push_str("...");
    }
}

/// A modem's text for a line with several values: unchanged if it is one word, else in quotes.
pub(crate) fn word(text: &[u8]) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._+:/".contains(byte);
    let escaped = text.escape_ascii();
    if !text.is_empty() && text.iter().all(is_plain) { escaped.to_string() } else { format!("\"{escaped}\"") }
}

/// JSON on one line, in printable characters.
pub(crate) fn json(value: &impl Serialize) -> String {
    let mut out = Vec::new();
    // Neither writing to memory nor serialising our types can fail.
    let _ = write_json(value, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// Writes JSON on one line, in printable characters.
pub(crate) fn write_json(value: &impl Serialize, out: impl io::Write) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Printable)).map_err(Into::into)
}

/// Compact JSON in which hidden characters are escaped.
struct Printable;

impl Formatter for Printable {
    fn write_string_fragment<W: io::Write + ?Sized>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        let mut plain = text;
        // Most text is printable ASCII, which needs no search.
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return CompactFormatter.write_string_fragment(out, plain);
        }
        while let Some((at, c)) = plain.char_indices().find(|(_, c)| is_hidden(*c)) {
            let (before, rest) = plain.split_at_checked(at).unwrap_or_default();
            CompactFormatter.write_string_fragment(out, before)?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            plain = rest.get(c.len_utf8()..).unwrap_or_default();
        }
        CompactFormatter.write_string_fragment(out, plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// One of each kind: C0, DEL, C1, line ends of Unicode, marks and overrides of direction, invisible ones.
    const BAD: &str = "\0\u{7}\t\n\r\u{1b}\u{7f}\u{80}\u{85}\u{9b}\u{9f}\u{ad}\u{61c}\u{200b}\u{200e}\u{200f}\
        \u{2028}\u{2029}\u{202a}\u{202d}\u{202e}\u{2060}\u{2066}\u{2069}\u{feff}\u{fffb}\u{e0041}";

    #[test]
    fn nothing_hidden_stays_in_any_form() {
        let mut quoted = String::new();
        quote(BAD.chars(), 100, &mut quoted);
        for text in [Plain(BAD).to_string(), quoted, json(&json!({ BAD: [BAD] }))] {
            assert_eq!(text.chars().find(|c| is_hidden(*c)), None, "{text}");
            assert!(text.is_ascii(), "{text}");
        }
        assert_eq!(Lines("a\nb\u{9b}\r").to_string(), "a\nb\\u{9b}\\r");
    }

    #[test]
    fn a_long_text_is_shown_by_its_beginning_and_its_length() {
        assert_eq!(Short("a\u{9b}\n").to_string(), "a\\u{9b}\\n");
        let long = |of: &str, times| Short(&of.repeat(times)).to_string();
        assert_eq!(long("ü", SHOWN), "ü".repeat(SHOWN));
        assert_eq!(long("ü", 100_000), format!("{}... (200000 bytes)", "ü".repeat(SHOWN)));
    }

    #[test]
    fn what_is_printable_stays() {
        let good = "C:\\Ladesäule \"1\" 充電 \u{1F50B} e\u{301}";
        assert_eq!(Plain(good).to_string(), good);
        assert_eq!(json(&good), serde_json::to_string(good).unwrap());
    }

    #[test]
    fn a_text_of_a_modem_is_one_word_or_in_quotes() {
        let firmware = "MAC-QCA7005-1.1.0.730-04-20140815-CS";
        assert_eq!(word(firmware.as_bytes()), firmware);
        assert_eq!(word(b"x  EVSE\x1b\xff\""), r#""x  EVSE\x1b\xff\"""#);
        assert_eq!(word(b""), r#""""#);
    }

    #[test]
    fn json_reads_back_as_the_same() {
        let value = json!({ BAD: [BAD, 1, 1.5, null, true, "\"\\/"], "x": {} });
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json(&value)).unwrap(), value);
    }

    #[test]
    fn a_quoted_text_is_one_field_and_says_when_it_is_cut() {
        let quoted = |text: &str, most| {
            let mut out = String::new();
            quote(text.chars(), most, &mut out);
            out
        };
        assert_eq!(quoted("x ResponseCode=OK", 80), r#""x ResponseCode=OK""#);
        assert_eq!(quoted(r#"x" a=\"#, 80), r#""x\" a=\\""#);
        assert_eq!(quoted("abc", 3), r#""abc""#);
        assert_eq!(quoted("abcd", 3), r#""abc"..."#);
        assert_eq!(quoted("", 3), r#""""#);
    }
}
