//! Wraps lines at the width of the terminal.

use std::io::{self, Write};

/// Lines are not wrapped on narrower terminals: they need room for some words.
const MIN_WIDTH: usize = 40;
/// Below this width names are short: judgement, a request of the charging loop then fits into two lines.
const SHORT_BELOW: usize = 100;

/// The width of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Width(Option<usize>);

impl Width {
    /// This number of columns; `None`: no limit.
    pub fn new(columns: Option<usize>) -> Self {
        Self(columns.map(|columns| columns.max(MIN_WIDTH)))
    }

    /// Width of the terminal on standard output; no limit without a terminal.
    pub fn of_terminal() -> Self {
        let terminal = console::Term::stdout();
        Self::new(terminal.features().is_attended().then(|| usize::from(terminal.size().1)))
    }

    /// Whether short names are used.
    pub fn is_short(self) -> bool {
        self.0.is_some_and(|columns| columns < SHORT_BELOW)
    }

    /// Writes a line. What does not fit continues in the next line from column `indent` on. The line is
    /// broken at spaces, but never between a number and its unit; a quoted text is broken only if it is
    /// longer than a line.
    pub fn write(self, line: &str, indent: usize, out: &mut dyn Write) -> io::Result<()> {
        let Some(width) = self.0.filter(|width| line.len() > *width) else { return writeln!(out, "{line}") };
        let indent = indent.min(width / 3);
        let mut column = 0;
        for word in words(line) {
            let is_longer = visible(word.trim()) > width - indent;
            // No line contains a line end.
            for part in word.split_inclusive(if is_longer { ' ' } else { '\n' }) {
                let does_fit = column <= indent || column + visible(part.trim_end()) <= width;
                let part = if does_fit {
                    part
                } else {
                    write!(out, "\n{:indent$}", "")?;
                    column = indent;
                    part.trim_start()
                };
                write!(out, "{part}")?;
                column += visible(part);
            }
        }
        writeln!(out)
    }
}

/// The words of a line, each with the spaces before it.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (mut is_quoted, mut is_escaped, mut has_begun) = (false, false, false);
        let end = rest.char_indices().find_map(|(at, c)| {
            let is_number = || {
                rest.get(..at)
                    .unwrap_or_default()
                    .trim_start()
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || byte == b'.')
            };
            let ends = c == ' ' && has_begun && !is_quoted && !is_number();
            has_begun |= c != ' ';
            is_quoted ^= c == '"' && !is_escaped;
            is_escaped = c == '\\' && !is_escaped;
            ends.then_some(at)
        });
        let (word, tail) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        rest = tail;
        Some(word)
    })
}

/// Number of columns of a text. Colours take none; everything unprintable was escaped before.
fn visible(text: &str) -> usize {
    if !text.contains('\u{1b}') {
        return text.chars().count();
    }
    console::measure_text_width(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(width: Option<usize>, line: &str, indent: usize) -> String {
        let mut out = Vec::new();
        Width::new(width).write(line, indent, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_goes_on_below_its_message() {
        let line =
            "   1.0 pev->evse CurrentDemandReq EVReady=true EVTargetVoltage=344.7V EVTargetCurrent=1.0A";
        let fitted = written(Some(60), line, 10);
        assert_eq!(
            fitted,
            "   1.0 pev->evse CurrentDemandReq EVReady=true\n          EVTargetVoltage=344.7V EVTargetCurrent=1.0A\n"
        );
        assert_eq!(written(None, line, 10), format!("{line}\n"));
    }

    #[test]
    fn colours_take_no_room_and_quoted_text_is_not_broken() {
        let red = "\u{1b}[31m".repeat(20);
        let line = format!("{red}aaaa bbbb cccc dddd eeee ffff gggg hhhh");
        assert_eq!(written(Some(40), &line, 2), format!("{line}\n"));
        let line = "aaaaaaaaaa bbbbbbbbbb name=\"cccccccccc dddddddd\" e";
        assert_eq!(written(Some(40), line, 2), "aaaaaaaaaa bbbbbbbbbb\n  name=\"cccccccccc dddddddd\" e\n");
    }

    #[test]
    fn a_quoted_text_that_is_longer_than_a_line_is_broken_and_a_number_keeps_its_unit() {
        let line = "1.0 syslog \"aaaaaaaaaa bbbbbbbbbb cccccccccc dddddddddd eeeeeeeeee\"";
        assert_eq!(
            written(Some(40), line, 4),
            "1.0 syslog \"aaaaaaaaaa bbbbbbbbbb \n    cccccccccc dddddddddd eeeeeeeeee\"\n"
        );
        let line = "phases: Handshake 0.1 s, SessionSetup 0.1 s, ServiceDiscovery 0.1 s";
        assert_eq!(
            written(Some(42), line, 2),
            "phases: Handshake 0.1 s, SessionSetup\n  0.1 s, ServiceDiscovery 0.1 s\n"
        );
    }
}
