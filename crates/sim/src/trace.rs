//! The events of a world, as lines.

use std::fmt;

use homeplug_mme::Frame;
use machine::Instant;

/// The events of a world, in order. The same seed gives the same lines, byte for byte.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    entries: Vec<Entry>,
    is_off: bool,
}

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Time of the event.
    pub at: Instant,
    /// Kind of the event.
    pub kind: Kind,
    /// Name of the node, or `world`.
    pub who: String,
    /// Text of the event.
    pub what: String,
}

/// The kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A host sent a frame: its type, length and digest.
    Sent,
    /// A host received a frame: its type, length and digest.
    Heard,
    /// A node reported an event.
    Told,
    /// The pilot or the plug changed, as both ends of a node's cable see it.
    Pilot,
    /// An occurrence of the hardware at a charger's cable.
    Hardware,
    /// An event at a modem, or an injection of a script.
    World,
}

impl Trace {
    pub(crate) fn push(&mut self, at: Instant, kind: Kind, who: &str, what: String) {
        if self.is_kept() {
            self.entries.push(Entry { at, kind, who: who.to_owned(), what });
        }
    }

    pub(crate) const fn is_kept(&self) -> bool {
        !self.is_off
    }

    pub(crate) const fn keep_none(&mut self) {
        self.is_off = true;
    }

    /// All entries, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Removes and returns all entries, for long runs that write them elsewhere.
    pub fn take(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.kind {
            Kind::Sent => '>',
            Kind::Heard => '<',
            Kind::Told => '*',
            Kind::Pilot => '~',
            Kind::Hardware => '#',
            Kind::World => '!',
        };
        let micros = self.at.as_micros();
        write!(f, "{}.{:06} {sign} {}: {}", micros / 1_000_000, micros % 1_000_000, self.who, self.what)
    }
}

/// A frame as one line: its type, its length in bytes, and a digest (FNV-1a) that distinguishes it from
/// others.
pub(crate) fn describe(frame: &[u8]) -> String {
    const OFFSET: u32 = 0x811C_9DC5;
    const PRIME: u32 = 0x0100_0193;
    let digest = frame.iter().fold(OFFSET, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(PRIME));
    let kind = match (Frame::parse(frame), frame) {
        (Ok(message), _) => message.mm_type.to_string(),
        (Err(_), [_, _, _, _, _, _, _, _, _, _, _, _, high, low, ..]) => {
            format!("ethertype {:04x}", u16::from_be_bytes([*high, *low]))
        }
        _ => "short frame".to_owned(),
    };
    format!("{kind}, {} bytes, {digest:08x}", frame.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_named_measured_and_told_apart() {
        let mut frame = vec![0; 60];
        frame[12..17].copy_from_slice(&[0x88, 0xE1, 1, 0x64, 0x60]);
        let first = describe(&frame);
        assert!(first.starts_with("CM_SLAC_PARM.REQ, 60 bytes, "), "{first}");
        frame[30] = 1;
        assert_ne!(describe(&frame), first);
        frame[12] = 0x86;
        frame[13] = 0xDD;
        assert!(describe(&frame).starts_with("ethertype 86dd, 60 bytes"));
        assert!(describe(&[1]).starts_with("short frame, 1 bytes"));
    }

    #[test]
    fn a_line_has_time_kind_who_and_what() {
        let mut trace = Trace::default();
        trace.push(Instant::from_micros(1_000_023), Kind::Told, "car", "matched".to_owned());
        assert_eq!(trace.to_string(), "1.000023 * car: matched\n");
    }
}
