use core::fmt::{self, Write};

use heapless::Deque;
use machine::Instant;
use session::Checkpoint;

use crate::Serial;

/// Bytes of lines that wait for the serial line: a third of a second at 115 200 baud.
const OUT: usize = 4_096;

/// Lines that wait for the serial line. A line that does not fit is dropped whole and counted: the loop never
/// waits for the serial line.
pub struct Console {
    out: Deque<u8, OUT>,
    /// Whether lines are written as JSON objects.
    pub is_json: bool,
    lost: u32,
}

/// What precedes the text of a line.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    /// Time of the event.
    pub at: Instant,
    /// Its checkpoint number; `None` where it has none.
    pub checkpoint: Option<Checkpoint>,
    /// `pev->evse`, `evse->pev`, `warning`, or nothing.
    pub who: &'static str,
}

impl Head {
    /// The head of a line from the board itself.
    pub const fn plain(at: Instant) -> Self {
        Self { at, checkpoint: None, who: "" }
    }
}

impl Console {
    /// An empty console in text mode.
    pub const fn new() -> Self {
        Self { out: Deque::new(), is_json: false, lost: 0 }
    }

    /// One line of the log: `     12.345 [570] pev->evse  PreChargeReq target=355.2V/1.0A`, or as JSON
    /// `{"ms":12345,"checkpoint":570,"who":"pev->evse","words":"PreChargeReq target=355.2V/1.0A"}`.
    pub fn line(&mut self, head: Head, words: fmt::Arguments<'_>) {
        self.whole(|out, is_json| {
            let ms = head.at.as_millis();
            let number = head.checkpoint.map(Checkpoint::number);
            if is_json {
                write!(out, "{{\"ms\":{ms}")?;
                if let Some(number) = number {
                    write!(out, ",\"checkpoint\":{number}")?;
                }
                if !head.who.is_empty() {
                    write!(out, ",\"who\":\"{}\"", head.who)?;
                }
                out.write_str(",\"words\":\"")?;
                Escaped(out).write_fmt(words)?;
                return out.write_str("\"}\n");
            }
            write!(out, "{:7}.{:03} ", ms / 1000, ms % 1000)?;
            match number {
                Some(number) => write!(out, "[{number:03}] ")?,
                None => out.write_str("      ")?,
            }
            writeln!(out, "{:10} {words}", head.who)
        });
    }

    /// One frame: `     12.345 frame < 33330000...`, or as JSON
    /// `{"ms":12345,"frame":"received","hex":"33330000..."}`.
    pub fn frame(&mut self, at: Instant, is_received: bool, frame: &[u8]) {
        self.whole(|out, is_json| {
            let ms = at.as_millis();
            if is_json {
                let way = if is_received { "received" } else { "sent" };
                write!(out, "{{\"ms\":{ms},\"frame\":\"{way}\",\"hex\":\"")?;
            } else {
                let way = if is_received { '<' } else { '>' };
                write!(out, "{:7}.{:03} frame {way} ", ms / 1000, ms % 1000)?;
            }
            for byte in frame {
                write!(out, "{byte:02x}")?;
            }
            out.write_str(if is_json { "\"}\n" } else { "\n" })
        });
    }

    /// Writes as many waiting bytes as the serial line accepts.
    pub fn pump(&mut self, now: Instant, serial: &mut impl Serial) {
        loop {
            let (bytes, _) = self.out.as_slices();
            let taken = serial.write(bytes).min(bytes.len());
            for _ in 0..taken {
                self.out.pop_front();
            }
            if taken == 0 {
                break;
            }
        }
        if self.lost > 0 && self.out.is_empty() {
            let lost = core::mem::take(&mut self.lost);
            let head = Head { who: "warning", ..Head::plain(now) };
            self.line(head, format_args!("{lost} lines were lost: the serial line is too slow"));
        }
    }

    /// Whether all lines are written.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Writes a whole line, or no byte of it.
    fn whole(&mut self, write: impl FnOnce(&mut Room<'_>, bool) -> fmt::Result) {
        let (before, is_json) = (self.out.len(), self.is_json);
        if write(&mut Room(&mut self.out), is_json).is_err() {
            self.lost = self.lost.saturating_add(1);
            self.out.truncate(before);
        }
    }
}

impl Default for Console {
    fn default() -> Self {
        Self::new()
    }
}

/// The free space of the buffer.
struct Room<'a>(&'a mut Deque<u8, OUT>);

impl Write for Room<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().try_for_each(|byte| self.0.push_back(byte).map_err(|_| fmt::Error))
    }
}

/// Text inside a JSON string.
struct Escaped<'a, 'b>(&'a mut Room<'b>);

impl Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|letter| match letter {
            '"' | '\\' => write!(self.0, "\\{letter}"),
            letter if letter < ' ' => write!(self.0, "\\u{:04x}", u32::from(letter)),
            letter => self.0.write_char(letter),
        })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::String;
    use std::vec::Vec;

    use super::*;

    /// A serial line that accepts at most this many bytes in a call.
    struct Line(Vec<u8>, usize);

    impl Serial for Line {
        fn read(&mut self) -> Option<u8> {
            None
        }

        fn write(&mut self, bytes: &[u8]) -> usize {
            let taken = bytes.len().min(self.1);
            self.0.extend(&bytes[..taken]);
            taken
        }
    }

    fn written(console: &mut Console) -> String {
        let mut line = Line(Vec::new(), 7);
        while !console.is_empty() {
            console.pump(Instant::ZERO, &mut line);
        }
        String::from_utf8(line.0).unwrap()
    }

    #[test]
    fn a_line_has_time_checkpoint_direction_and_words_as_on_linux() {
        let mut console = Console::new();
        let head = Head {
            at: Instant::from_millis(12_345),
            checkpoint: Some(Checkpoint::PRE_CHARGE_REQ),
            who: "pev->evse",
        };
        console.line(head, format_args!("PreChargeReq soc={}%", 42));
        assert_eq!(written(&mut console), "     12.345 [570] pev->evse  PreChargeReq soc=42%\n");
        console.is_json = true;
        console.line(head, format_args!("a \"b\" \\ \n"));
        assert_eq!(
            written(&mut console),
            "{\"ms\":12345,\"checkpoint\":570,\"who\":\"pev->evse\",\"words\":\"a \\\"b\\\" \\\\ \\u000a\"}\n"
        );
    }

    #[test]
    fn a_frame_is_a_line_of_hexadecimal_text() {
        let mut console = Console::new();
        console.frame(Instant::from_millis(7), true, &[0x33, 0x0a]);
        console.is_json = true;
        console.frame(Instant::from_millis(8), false, &[0xFF]);
        assert_eq!(
            written(&mut console),
            "      0.007 frame < 330a\n{\"ms\":8,\"frame\":\"sent\",\"hex\":\"ff\"}\n"
        );
    }

    #[test]
    fn a_line_without_room_is_dropped_whole_and_counted() {
        let mut console = Console::new();
        for _ in 0..100 {
            console.line(Head::plain(Instant::ZERO), format_args!("{:100}", "x"));
        }
        let text = written(&mut console);
        let kept = text.lines().filter(|line| line.len() == 129).count();
        let last = text.lines().last().unwrap();
        assert!(last.ends_with(" lines were lost: the serial line is too slow"), "{last}");
        assert!(last.contains(&std::format!("{} lines", 100 - kept)), "{kept} {last}");
        assert_eq!(text.lines().count(), kept + 1, "no half line");
    }
}
