//! The frame around every message: Ethernet, version, type, fragmentation, vendor.

use machine::TooShort;
use nom::Parser;
use nom::bytes::complete::take;
use nom::number::complete::{be_u16, le_u16, u8};

use crate::field::Writer;
use crate::id::{Id, Oui, Version};
use crate::{Mac, Message, MessageError, MmType};

/// The Ethernet type of management frames.
pub const ETHERTYPE: u16 = 0x88E1;
/// Frames are padded with zeros to this length on transmit: Ethernet's minimum without check sequence.
pub const MIN_FRAME: usize = 60;
/// The longest frame.
pub const MAX_FRAME: usize = 1514;

/// A tag of IEEE 802.1Q; observed in management frames of `ISO-2_DC_multi_EVSE_SLAC_DS5366_Josev`.
const TAG: u16 = 0x8100;

/// A management frame, parsed up to its body. Its values are not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Destination (ODA).
    pub to: Mac,
    /// Source (OSA).
    pub from: Mac,
    /// The 802.1Q tag; `None` without one.
    pub vlan: Option<u16>,
    /// Version of the frame (MMV).
    pub version: Version,
    /// Type (MMTYPE).
    pub mm_type: MmType,
    /// Which part of a message it is.
    pub fragment: Fragment,
    /// The vendor, for manufacturer-specific and vendor-specific types.
    pub oui: Option<Oui>,
    /// The rest, including padding.
    pub body: &'a [u8],
}

/// Why bytes are not a management frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// It ends within the header.
    #[error("{len} bytes are too few for a management frame's header")]
    Short {
        /// Its length in bytes.
        len: usize,
    },
    /// It has another Ethernet type.
    #[error("ethertype {0:#06x} is not {ETHERTYPE:#06x}")]
    EtherType(u16),
}

/// Fragmentation header (FMI and FMSN). All zero, as in every captured frame, is a whole message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fragment {
    /// Fragments that follow the first one, 0..=15.
    pub following: u8,
    /// Number of this fragment, 0..=15.
    pub number: u8,
    /// Sequence number of the message.
    pub sequence: u8,
}

impl Fragment {
    /// Whether the message is in one piece.
    pub const fn is_whole(self) -> bool {
        self.following == 0 && self.number == 0
    }

    const fn of(fmi: u8, sequence: u8) -> Self {
        Self { following: fmi >> 4, number: fmi & 0x0F, sequence }
    }

    const fn fmi(self) -> u8 {
        (self.following << 4) | (self.number & 0x0F)
    }
}

impl<'a> Frame<'a> {
    /// Parses a frame up to its body.
    ///
    /// # Errors
    /// See [`FrameError`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let short = |_| FrameError::Short { len: bytes.len() };
        let (rest, (to, from, ethertype)) = (mac, mac, be_u16::<_, ()>).parse(bytes).map_err(short)?;
        let (rest, vlan, ethertype) = if ethertype == TAG {
            let (rest, (tag, inner)) = (be_u16::<_, ()>, be_u16).parse(rest).map_err(short)?;
            (rest, Some(tag), inner)
        } else {
            (rest, None, ethertype)
        };
        if ethertype != ETHERTYPE {
            return Err(FrameError::EtherType(ethertype));
        }
        Self::header(to, from, vlan, rest).map_err(short)
    }

    /// Parses the part after the Ethernet type, for callers that have removed the Ethernet header.
    ///
    /// # Errors
    /// If it ends within the header.
    pub fn parse_payload(to: Mac, from: Mac, payload: &'a [u8]) -> Result<Self, FrameError> {
        Self::header(to, from, None, payload).map_err(|_| FrameError::Short { len: payload.len() })
    }

    fn header(to: Mac, from: Mac, vlan: Option<u16>, rest: &'a [u8]) -> Result<Self, nom::Err<()>> {
        let (rest, (version, mm_type)) = (u8, le_u16).parse(rest)?;
        let (version, mm_type) = (Version(version), MmType(mm_type));
        let (rest, fragment) = if version.has_fragment() {
            let (rest, (fmi, sequence)) = (u8, u8).parse(rest)?;
            (rest, Fragment::of(fmi, sequence))
        } else {
            (rest, Fragment::default())
        };
        let (body, oui) = if mm_type.has_oui() {
            let (rest, bytes) = array::<3>(rest)?;
            (rest, Some(Oui(bytes)))
        } else {
            (rest, None)
        };
        Ok(Self { to, from, vlan, version, mm_type, fragment, oui, body })
    }

    /// The message `M`; `None` if the frame has another type.
    ///
    /// # Errors
    /// The inner `Result` states why a frame of this type does not contain the message.
    pub fn get<M: Message<'a>>(&self) -> Option<Result<M, MessageError>> {
        self.is(M::ID).then(|| M::parse(self.body))
    }

    /// Whether it contains this message, unfragmented.
    pub fn is(&self, id: Id) -> bool {
        self.mm_type == id.mm_type
            && (self.oui == id.oui || self.oui == Some(Oui::ZERO))
            && self.version.has_fragment() == id.version.has_fragment()
            && self.fragment.is_whole()
    }
}

/// Writes the frame of `message` into `buffer` and returns its length in bytes.
///
/// # Errors
/// If the buffer is too short: the length that is required.
pub fn emit<'m, M: Message<'m>>(
    message: &M,
    to: Mac,
    from: Mac,
    buffer: &mut [u8],
) -> Result<usize, TooShort> {
    let mut out = Writer::new(buffer);
    begin(&mut out, M::ID, to, from);
    message.write(&mut out);
    out.finish(MIN_FRAME)
}

/// Writes the header. One function for all messages: it saves flash.
#[inline(never)]
fn begin(out: &mut Writer<'_>, id: Id, to: Mac, from: Mac) {
    out.bytes(&to.0);
    out.bytes(&from.0);
    out.bytes(&ETHERTYPE.to_be_bytes());
    out.bytes(&[id.version.0]);
    out.bytes(&id.mm_type.0.to_le_bytes());
    if id.version.has_fragment() {
        out.bytes(&[Fragment::default().fmi(), 0]);
    }
    if let Some(oui) = id.oui {
        out.bytes(&oui.0);
    }
}

fn mac(input: &[u8]) -> nom::IResult<&[u8], Mac, ()> {
    let (rest, bytes) = array(input)?;
    Ok((rest, Mac(bytes)))
}

/// The next `N` bytes.
pub(crate) fn array<const N: usize>(input: &[u8]) -> nom::IResult<&[u8], [u8; N], ()> {
    let (rest, bytes) = take(N)(input)?;
    bytes.try_into().map(|bytes| (rest, bytes)).map_err(|_| nom::Err::Error(()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::{SlacParmReq, SwVerReq};

    const CAR: Mac = Mac([2, 0, 0, 0, 0, 0xE1]);

    fn written<'m, M: Message<'m>>(message: &M, buffer: &mut [u8]) -> usize {
        emit(message, Mac::BROADCAST, CAR, buffer).unwrap()
    }

    #[test]
    fn the_header_lies_as_the_version_says() {
        let mut buffer = [0xAA; 80];
        let len = written(&SlacParmReq::default(), &mut buffer);
        assert_eq!((len, &buffer[12..19]), (60, &[0x88, 0xE1, 1, 0x64, 0x60, 0, 0][..]));
        assert!(buffer[19..60].iter().all(|byte| *byte == 0) && buffer[60] == 0xAA);
        let len = written(&SwVerReq::default(), &mut buffer);
        assert_eq!((len, &buffer[12..20]), (60, &[0x88, 0xE1, 0, 0x00, 0xA0, 0x00, 0xB0, 0x52][..]));
    }

    #[test]
    fn a_tag_is_stepped_over_and_kept() {
        let mut buffer = [0; 60];
        let len = written(&SlacParmReq::default(), &mut buffer);
        let mut tagged = [0; 64];
        tagged[..12].copy_from_slice(&buffer[..12]);
        tagged[12..16].copy_from_slice(&[0x81, 0x00, 0x00, 0x07]);
        tagged[16..].copy_from_slice(&buffer[12..len]);
        let frame = Frame::parse(&tagged).unwrap();
        assert_eq!((frame.vlan, frame.mm_type), (Some(7), MmType(0x6064)));
        assert!(frame.get::<SlacParmReq<'_>>().unwrap().is_ok());
    }

    #[test]
    fn a_part_of_a_message_is_not_taken_for_a_message() {
        let mut buffer = [0; 60];
        written(&SlacParmReq::default(), &mut buffer);
        buffer[17] = 0x21;
        buffer[18] = 9;
        let frame = Frame::parse(&buffer).unwrap();
        assert_eq!(frame.fragment, Fragment { following: 2, number: 1, sequence: 9 });
        assert!(frame.get::<SlacParmReq<'_>>().is_none());
    }

    #[test]
    fn every_cut_within_the_header_is_short_and_other_ethertypes_are_named() {
        let mut buffer = [0; 60];
        written(&SwVerReq::default(), &mut buffer);
        for len in 0..20 {
            assert_eq!(Frame::parse(&buffer[..len]), Err(FrameError::Short { len }));
        }
        assert!(Frame::parse(&buffer[..20]).is_ok());
        buffer[13] = 0xDD;
        assert_eq!(Frame::parse(&buffer), Err(FrameError::EtherType(0x88DD)));
    }

    #[test]
    fn a_buffer_that_is_too_short_gets_no_frame() {
        assert_eq!(emit(&SlacParmReq::default(), CAR, CAR, &mut [0; 59]), Err(TooShort { needed: 60 }));
    }
}
