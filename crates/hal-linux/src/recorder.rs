use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::{DataLink, PcapError};

/// Direction of a recorded frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Received by this host.
    Received,
    /// Sent by this host.
    Sent,
}

/// Writes frames into a pcapng file: link type Ethernet, times in microseconds. Events other than frames go
/// to a second interface of the file (link type `USER0`, 147).
pub struct Recorder<W: Write> {
    writer: PcapNgWriter<W>,
    /// Bytes of frames and their blocks so far, and the limit.
    written: u64,
    at_most: u64,
    is_full: bool,
}

/// Size of a frame's block without the frame, in bytes: header, times and lengths (28), padding (up to 3),
/// the direction option (12), and the length again (4).
const BLOCK: u64 = 28 + 3 + 12 + 4;
/// Size of a comment option without its text: code and length (4), padding (up to 3).
const COMMENT: usize = 4 + 3;
/// The interfaces of a file.
const FRAMES: u32 = 0;
const EVENTS: u32 = 1;

/// Cuts a comment to the size of an option, whose length has 16 bits.
fn cut(comment: &str) -> &str {
    comment.get(..comment.floor_char_boundary(usize::from(u16::MAX) - 3)).unwrap_or(comment)
}

impl<W: Write> Recorder<W> {
    /// Writes the head of a file for frames of this interface.
    pub fn new(output: W, interface: &str) -> io::Result<Self> {
        Self::with_section(output, Vec::new(), &[(DataLink::ETHERNET, interface)])
    }

    /// As [`new`](Self::new), for frames and [events](Self::event); `program` and `comment` are in the head
    /// of the file.
    pub fn described(output: W, interface: &str, program: &str, comment: &str) -> io::Result<Self> {
        let program = SectionHeaderOption::UserApplication(Cow::Owned(program.to_owned()));
        let comment = SectionHeaderOption::Comment(Cow::Owned(cut(comment).to_owned()));
        let interfaces = [(DataLink::ETHERNET, interface), (DataLink::USER0, "events")];
        Self::with_section(output, vec![comment, program], &interfaces)
    }

    fn with_section(
        output: W,
        options: Vec<SectionHeaderOption<'static>>,
        interfaces: &[(DataLink, &str)],
    ) -> io::Result<Self> {
        let section = SectionHeaderBlock { options, ..SectionHeaderBlock::default() };
        let section = SectionHeaderBlock { endianness: pcap_file::Endianness::native(), ..section };
        let mut writer = PcapNgWriter::with_section_header(output, section).map_err(into_io)?;
        for (linktype, name) in interfaces {
            let options = vec![InterfaceDescriptionOption::IfName(Cow::Borrowed(*name))];
            // Without the option `if_tsresol`, times are in microseconds; 0 means that frames are never cut.
            let block = InterfaceDescriptionBlock { linktype: *linktype, snaplen: 0, options };
            writer.write_pcapng_block(block).map_err(into_io)?;
        }
        Ok(Self { writer, written: 0, at_most: u64::MAX, is_full: false })
    }

    /// Ends the recording before the first frame that would make the file longer than about this many bytes.
    /// The file contains every frame up to there and is complete.
    #[must_use]
    pub fn at_most(self, bytes: u64) -> Self {
        Self { at_most: bytes, ..self }
    }

    /// Writes one frame; `at` is its time since 1970 (UTC). Returns false, and writes nothing, once the file
    /// has its full length.
    pub fn frame(&mut self, at: Duration, direction: Direction, frame: &[u8]) -> io::Result<bool> {
        self.commented(at, direction, frame, "")
    }

    /// As [`frame`](Self::frame), with a comment unless it is empty.
    pub fn commented(
        &mut self,
        at: Duration,
        direction: Direction,
        frame: &[u8],
        comment: &str,
    ) -> io::Result<bool> {
        let inbound_or_outbound = match direction {
            Direction::Received => 1,
            Direction::Sent => 2,
        };
        self.packet(FRAMES, at, frame, Some(inbound_or_outbound), comment)
    }

    /// Writes an event and a comment for readers. Only for a recorder made by [`described`](Self::described).
    pub fn event(&mut self, at: Duration, bytes: &[u8], comment: &str) -> io::Result<bool> {
        self.packet(EVENTS, at, bytes, None, comment)
    }

    fn packet(
        &mut self,
        interface_id: u32,
        at: Duration,
        data: &[u8],
        flags: Option<u32>,
        comment: &str,
    ) -> io::Result<bool> {
        let comment = cut(comment);
        let length = if comment.is_empty() { 0 } else { comment.len() + COMMENT };
        let needed = u64::try_from(data.len() + length).unwrap_or(u64::MAX).saturating_add(BLOCK);
        self.is_full |= self.written.saturating_add(needed) > self.at_most;
        if self.is_full {
            return Ok(false);
        }
        self.written += needed;
        let comment = Some(comment).filter(|comment| !comment.is_empty());
        let comment = comment.map(|comment| EnhancedPacketOption::Comment(Cow::Borrowed(comment)));
        let options = flags.map(EnhancedPacketOption::Flags).into_iter().chain(comment).collect();
        let ticks = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
        let block = EnhancedPacketBlock {
            interface_id,
            // The crate writes the nanoseconds of this duration as the number of ticks.
            timestamp: Duration::from_nanos(ticks),
            original_len: u32::try_from(data.len()).unwrap_or(u32::MAX),
            data: Cow::Borrowed(data),
            options,
        };
        self.writer.write_pcapng_block(block).map_err(into_io)?;
        Ok(true)
    }

    /// Whether a frame did not fit. Nothing more is written then.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// Flushes all bytes to the operating system.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.get_mut().flush()
    }
}

fn into_io(error: PcapError) -> io::Error {
    match error {
        PcapError::IoError(error) => error,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_has_the_blocks_of_pcapng() {
        let mut recorder = Recorder::new(Vec::new(), "eth0").unwrap();
        let frame = [0xAB; 61];
        recorder.frame(Duration::from_micros(0x0001_0000_0002), Direction::Sent, &frame).unwrap();
        let file = recorder.writer.into_inner();
        assert_eq!(file[..4], [0x0A, 0x0D, 0x0D, 0x0A]);
        let at = file.windows(61).position(|window| window == frame).unwrap();
        let number = |offset: usize| u32::from_ne_bytes(file[offset..offset + 4].try_into().unwrap());
        assert_eq!([number(at - 16), number(at - 12)], [1, 2], "microseconds, high and low");
        assert_eq!([number(at - 8), number(at - 4)], [61, 61], "lengths");
        // Three bytes of padding, then option 2 (flags) of four bytes: outbound.
        assert_eq!(
            file[at + 64..at + 72],
            [2_u16.to_ne_bytes(), 4_u16.to_ne_bytes(), [2, 0], [0, 0]].concat()
        );
    }

    #[test]
    fn comments_events_and_the_program_are_in_the_file_and_count_towards_its_limit() {
        let mut recorder = Recorder::described(Vec::new(), "eth0", "ccs 1", "key = 1").unwrap().at_most(300);
        let mut frame =
            |comment| recorder.commented(Duration::ZERO, Direction::Sent, &[0xAB; 60], comment).unwrap();
        assert_eq!([frame("SessionSetupReq"), frame(&"x".repeat(200))], [true, false]);
        let mut recorder = Recorder::described(Vec::new(), "eth0", "ccs 1", "key = 1").unwrap();
        recorder.commented(Duration::ZERO, Direction::Sent, &[0xAB; 60], "SessionSetupReq").unwrap();
        recorder.event(Duration::ZERO, b"event", "for people").unwrap();
        recorder.commented(Duration::ZERO, Direction::Sent, &[0xAB; 60], &"\u{e4}".repeat(70_000)).unwrap();
        let file = recorder.writer.into_inner();
        let holds = |text: &[u8]| file.windows(text.len()).any(|window| window == text);
        for text in [&b"ccs 1"[..], b"key = 1", b"SessionSetupReq", b"event", b"for people"] {
            assert!(holds(text), "{text:?}");
        }
    }

    #[test]
    fn a_recording_ends_at_its_limit_and_has_no_hole_and_no_cut_block() {
        let mut recorder = Recorder::new(Vec::new(), "eth0").unwrap().at_most(1_000);
        let mut frame =
            |length: usize| recorder.frame(Duration::ZERO, Direction::Received, &vec![0xAB; length]).unwrap();
        // A short frame after one that did not fit would leave a gap in the recording.
        assert_eq!([frame(400), frame(400), frame(600), frame(20)], [true, true, false, false]);
        let file = recorder.writer.into_inner();
        assert!(file.len() < 1_100, "{}", file.len());
        let (mut rest, mut kinds) = (file.as_slice(), Vec::new());
        while let [kind, _, _, _, a, b, c, d, ..] = *rest {
            kinds.push(kind);
            rest = &rest[usize::try_from(u32::from_ne_bytes([a, b, c, d])).unwrap()..];
        }
        assert_eq!((kinds, rest.len()), (vec![0x0A, 1, 6, 6], 0));
    }
}
