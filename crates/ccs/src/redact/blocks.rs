//! The blocks of captures: pcap and pcapng, written from the parts that are understood. Names, comments and
//! secrets are left out.

use std::borrow::Cow;
use std::io::{self, Write};

use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{Block, OptionCode, PcapBlockOwned, PcapNGOption};

use super::names::Names;
use super::text;

/// A block to be written: the bytes before the frame, the frame, and the bytes after it.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// The block's type; `None` in pcap, whose frames have none.
    kind: Option<u32>,
    head: Vec<u8>,
    /// The frame.
    pub frame: Vec<u8>,
    /// Its link type; `None` if its interface is not described.
    pub link_type: Option<i32>,
    /// Whether the block has a frame.
    pub has_frame: bool,
    options: Vec<u8>,
}

/// State to which blocks refer.
#[derive(Default)]
pub(super) struct Reader {
    link_types: Vec<i32>,
    is_big_endian: bool,
    /// Whether comments are rewritten as log text instead of left out.
    keeps_comments: bool,
}

/// Interfaces of one section: as many as `ccs decode` reads.
const MAX_INTERFACES: usize = 4096;
/// Types of blocks.
const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const SIMPLE: u32 = 3;
const STATISTICS: u32 = 5;
const ENHANCED: u32 = 6;
/// Options without identifiers. Of an interface: its speed, the resolution and offset of times, and the
/// length of check sequences. Of statistics: times and counts. Of a frame: direction and losses.
const OF_INTERFACE: &[u16] = &[8, 9, 13, 14];
const OF_STATISTICS: &[u16] = &[2, 3, 4, 5, 6, 7, 8];
const OF_FRAME: &[u16] = &[2, 4];

impl Reader {
    /// A reader at the start of a file.
    pub(super) fn new(keeps_comments: bool) -> Self {
        Self { keeps_comments, ..Self::default() }
    }

    /// What to write for a block; `None` where it is left out.
    pub(super) fn take(&mut self, names: &mut Names<'_>, block: &PcapBlockOwned<'_>) -> Option<Written> {
        match block {
            PcapBlockOwned::LegacyHeader(header) => {
                self.link_types = vec![header.network.0 & 0x0FFF_FFFF];
                let nanoseconds = header.is_nanosecond_precision();
                let magic: u32 = if nanoseconds { 0xA1B2_3C4D } else { 0xA1B2_C3D4 };
                let versions = 2_u32 | 4 << 16;
                let network = u32::from_ne_bytes(header.network.0.to_ne_bytes());
                let head = numbers(&[magic, versions, 0, 0, header.snaplen, network]);
                Some(Written { head, ..Written::default() })
            }
            PcapBlockOwned::Legacy(frame) => Some(Written {
                head: numbers(&[frame.ts_sec, frame.ts_usec, length(frame.data), frame.origlen]),
                frame: frame.data.to_vec(),
                link_type: self.link_types.first().copied(),
                has_frame: true,
                ..Written::default()
            }),
            PcapBlockOwned::NG(block) => self.block(names, block),
        }
    }

    fn block(&mut self, names: &mut Names<'_>, block: &Block<'_>) -> Option<Written> {
        match block {
            Block::SectionHeader(section) => {
                self.link_types.clear();
                self.is_big_endian = section.big_endian();
                // Version 1.0, unknown length.
                let head = numbers(&[0x1A2B_3C4D, 1, u32::MAX, u32::MAX]);
                let options = self.options(names, &section.options, &[]);
                Some(Written { kind: Some(SECTION), head, options, ..Written::default() })
            }
            Block::InterfaceDescription(interface) => {
                if self.link_types.len() < MAX_INTERFACES {
                    self.link_types.push(interface.linktype.0);
                }
                let head = numbers(&[interface.linktype.0.cast_unsigned() & 0xFFFF, interface.snaplen]);
                let options = self.options(names, &interface.options, OF_INTERFACE);
                Some(Written { kind: Some(INTERFACE), head, options, ..Written::default() })
            }
            Block::EnhancedPacket(packet) => {
                let data = packet.packet_data();
                let head =
                    numbers(&[packet.if_id, packet.ts_high, packet.ts_low, length(data), packet.origlen]);
                let id = usize::try_from(packet.if_id).ok();
                Some(Written {
                    kind: Some(ENHANCED),
                    head,
                    frame: data.to_vec(),
                    link_type: id.and_then(|id| self.link_types.get(id)).copied(),
                    has_frame: true,
                    options: self.options(names, &packet.options, OF_FRAME),
                })
            }
            Block::SimplePacket(packet) => {
                let whole = usize::try_from(packet.origlen).unwrap_or(usize::MAX).min(packet.data.len());
                Some(Written {
                    kind: Some(SIMPLE),
                    head: numbers(&[packet.origlen]),
                    frame: packet.data.get(..whole).unwrap_or_default().to_vec(),
                    link_type: self.link_types.first().copied(),
                    has_frame: true,
                    options: Vec::new(),
                })
            }
            Block::InterfaceStatistics(statistics) => {
                let head = numbers(&[statistics.if_id, statistics.ts_high, statistics.ts_low]);
                let options = self.options(names, &statistics.options, OF_STATISTICS);
                Some(Written { kind: Some(STATISTICS), head, options, ..Written::default() })
            }
            other => {
                names.blank(match other {
                    Block::NameResolution(_) => "name records of the capture, left out",
                    Block::DecryptionSecrets(_) => "secrets in the capture, left out",
                    _ => "other blocks of the capture, left out",
                });
                None
            }
        }
    }

    /// The options with these codes, and comments if they are kept.
    fn options(&self, names: &mut Names<'_>, options: &[PcapNGOption<'_>], kept: &[u16]) -> Vec<u8> {
        let mut written = Vec::new();
        for option in options {
            let Ok(value) = option.as_bytes() else { continue };
            let value: Cow<'_, [u8]> = match option.code {
                OptionCode::EndOfOpt => continue,
                OptionCode::Comment if self.keeps_comments => {
                    let mut comment = value.to_vec();
                    text::rewrite(names, &mut comment);
                    comment.into()
                }
                OptionCode(code) if kept.contains(&code) => self.little_endian(value),
                OptionCode::Comment => {
                    names.blank("comments of the capture, left out");
                    continue;
                }
                _ => {
                    names.blank("names and notes of the capture, left out");
                    continue;
                }
            };
            let length = u16::try_from(value.len()).unwrap_or_default();
            written.extend(option.code.0.to_le_bytes());
            written.extend(length.to_le_bytes());
            written.extend(padded(&value));
        }
        if !written.is_empty() {
            written.extend([0; 4]);
        }
        written
    }

    /// A number of an option in little-endian order, as written. A time is two numbers.
    fn little_endian<'v>(&self, value: &'v [u8]) -> Cow<'v, [u8]> {
        if self.is_big_endian {
            value.iter().rev().copied().collect::<Vec<u8>>().into()
        } else {
            value.into()
        }
    }
}

impl Written {
    /// Writes the block.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let Some(kind) = self.kind else {
            out.write_all(&self.head)?;
            return out.write_all(&self.frame);
        };
        let frame = padded(&self.frame);
        let total = 12 + self.head.len() + frame.len() + self.options.len();
        let total = u32::try_from(total).map_err(io::Error::other)?.to_le_bytes();
        let parts: [&[u8]; 6] = [&kind.to_le_bytes(), &total, &self.head, &frame, &self.options, &total];
        parts.into_iter().try_for_each(|part| out.write_all(part))
    }
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn length(data: &[u8]) -> u32 {
    u32::try_from(data.len()).unwrap_or(u32::MAX)
}

/// The bytes, padded with zeros to a multiple of four.
fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().next_multiple_of(4), 0);
    padded
}
