//! Frames of link types that contain Ethernet, IP or messages: IEEE 802.11, exported PDUs.

use std::collections::BTreeMap;

use super::start::{self, ETHERNET, RAW_IP};

/// The content of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inner<'a> {
    /// A frame of a link type that [`listen::packet::parse`] supports.
    Link(i32, &'a [u8]),
    /// A message, as in a line of text.
    Message(&'a [u8]),
    /// The frame is not read.
    Unread(Why),
}

/// Why a frame is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Its link type is not supported.
    LinkType(i32),
    /// The capture does not describe its interface.
    NoInterface,
    /// IEEE 802.11 with encryption.
    Encrypted,
    /// An exported PDU of another protocol.
    Exported,
}

/// Number of frames that were not read, by reason.
pub type Unread = BTreeMap<Why, u64>;

impl Why {
    /// Whether the reason concerns a whole interface: then the exit code reports it.
    pub fn is_interface(self) -> bool {
        matches!(self, Self::LinkType(_) | Self::NoInterface)
    }

    /// `200 frames of link type 249 (USBPcap) were not read`.
    pub fn words(self, count: u64) -> String {
        let frames = if count == 1 { "1 frame" } else { &format!("{count} frames") };
        let were = if count == 1 { "was" } else { "were" };
        match self {
            Self::LinkType(number) => match NAMES.iter().find(|row| row.0 == number) {
                Some((_, name)) => format!("{frames} of link type {number} ({name}) {were} not read"),
                None => format!("{frames} of link type {number} {were} not read"),
            },
            Self::NoInterface => format!("{frames} of an interface that is not described {were} not read"),
            Self::Encrypted => format!("{frames} of IEEE 802.11 {were} encrypted and not read"),
            Self::Exported => format!("{frames} of exported PDUs of other protocols {were} not read"),
        }
    }
}

/// Names of link types that are not read: <https://www.tcpdump.org/linktypes.html>.
const NAMES: &[(i32, &str)] = &[
    (9, "PPP"),
    (104, "Cisco HDLC"),
    (147, "USER0"),
    (187, "Bluetooth HCI"),
    (189, "Linux USB"),
    (190, "CAN"),
    (195, "IEEE 802.15.4"),
    (201, "Bluetooth HCI"),
    (212, "LIN"),
    (220, "Linux USB"),
    (227, "SocketCAN"),
    (230, "IEEE 802.15.4"),
    (245, "NFC"),
    (249, "USBPcap"),
    (251, "Bluetooth LE"),
    (253, "Netlink"),
    (254, "Bluetooth monitor"),
    (256, "Bluetooth LE"),
    (265, "NORDIC BLE"),
    (279, "Ethernet with metadata"),
];

/// Passes the content of a frame to `give`; a frame of IEEE 802.11 may contain several. `buffer` is for
/// headers that are rebuilt.
pub fn open(link_type: i32, frame: &[u8], buffer: &mut Vec<u8>, give: &mut dyn FnMut(Inner<'_>)) {
    let little = |at: usize| Some(usize::from(u16::from_le_bytes([*frame.get(at)?, *frame.get(at + 1)?])));
    let header = match link_type {
        0 | 1 | 12 | 14 | 101 | 108 | 113 | 228 | 229 | 276 => return give(Inner::Link(link_type, frame)),
        252 => return exported(frame, buffer, give),
        105 => Some(0),
        // Prism, radiotap and PPI, AVS: their length is fixed, or in a field.
        119 => Some(144),
        127 | 192 => little(2),
        163 => frame.get(6..8).map(|bytes| bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte))),
        _ => return give(Inner::Unread(Why::LinkType(link_type))),
    };
    if let Some(frame) = header.and_then(|length| frame.get(length..)) {
        wireless(frame, buffer, give);
    }
}

/// A frame of IEEE 802.11. Data frames carry LLC/SNAP and then the same as Ethernet (IEEE 802.11-2020, 9.2
/// and 5.1.4).
fn wireless(frame: &[u8], buffer: &mut Vec<u8>, give: &mut dyn FnMut(Inner<'_>)) -> Option<()> {
    let (control, flags) = (*frame.first()?, *frame.get(1)?);
    let (is_data, has_no_data, is_qos) = (control & 0x0C == 0x08, control & 0x40 != 0, control & 0x80 != 0);
    if !is_data || has_no_data {
        return None;
    }
    if flags & 0x40 != 0 {
        give(Inner::Unread(Why::Encrypted));
        return None;
    }
    let address = |at: usize| frame.get(at..at + 6);
    let (to, from) = match flags & 3 {
        0 => (address(4)?, address(10)?),
        1 => (address(16)?, address(10)?),
        2 => (address(4)?, address(16)?),
        _ => (address(16)?, address(24)?),
    };
    let base = if flags & 3 == 3 { 30 } else { 24 };
    let has_control = is_qos && flags & 0x80 != 0;
    let body = frame.get(base + if is_qos { 2 } else { 0 } + if has_control { 4 } else { 0 }..)?;
    let is_aggregate = is_qos && frame.get(base)? & 0x80 != 0;
    if !is_aggregate {
        return snap(to, from, body, buffer, give);
    }
    let mut rest = body;
    while let Some((head, tail)) = rest.split_at_checked(14) {
        let (to, from) = (head.get(..6)?, head.get(6..12)?);
        let length = usize::from(u16::from_be_bytes([*head.get(12)?, *head.get(13)?]));
        snap(to, from, tail.get(..length)?, buffer, give);
        rest = tail.get(length.next_multiple_of(4).saturating_sub(14 % 4)..).unwrap_or_default();
    }
    Some(())
}

fn snap(
    to: &[u8],
    from: &[u8],
    body: &[u8],
    buffer: &mut Vec<u8>,
    give: &mut dyn FnMut(Inner<'_>),
) -> Option<()> {
    let (llc, payload) = body.split_at_checked(6)?;
    if !matches!(llc, [0xAA, 0xAA, 3, 0, 0, 0 | 0xF8]) {
        return None;
    }
    buffer.clear();
    for part in [to, from, payload] {
        buffer.extend(part);
    }
    give(Inner::Link(ETHERNET, buffer));
    Some(())
}

/// Tags of an exported PDU: the name of its protocol.
const TAG_NAME: u16 = 12;

/// Protocols by the name of their dissector, with the link type of their bytes.
const EXPORTED: &[(&[u8], i32)] = &[
    (b"eth", ETHERNET),
    (b"eth_withoutfcs", ETHERNET),
    (b"eth_maybefcs", ETHERNET),
    (b"eth_withfcs", ETHERNET),
    (b"ip", RAW_IP),
    (b"ipv6", RAW_IP),
];

/// An exported PDU: tags with lengths, then the bytes of a protocol.
fn exported(mut frame: &[u8], buffer: &mut Vec<u8>, give: &mut dyn FnMut(Inner<'_>)) {
    let mut name: &[u8] = &[];
    while let [a, b, c, d, rest @ ..] = frame {
        let (tag, length) = (u16::from_be_bytes([*a, *b]), usize::from(u16::from_be_bytes([*c, *d])));
        let Some((value, rest)) = rest.split_at_checked(length) else { break };
        frame = rest;
        match tag {
            0 => break,
            TAG_NAME => name = value.split(|byte| *byte == 0).next().unwrap_or_default(),
            _ => {}
        }
    }
    let known = EXPORTED.iter().find(|row| row.0 == name);
    give(match (known, name) {
        (Some((_, link_type)), _) => Inner::Link(*link_type, frame),
        (None, b"homeplug-av" | b"homeplug_av") => {
            buffer.clear();
            buffer.extend([0; 12]);
            buffer.extend(homeplug_mme::ETHERTYPE.to_be_bytes());
            buffer.extend(frame);
            Inner::Link(ETHERNET, buffer)
        }
        (None, _) if start::of(frame).is_some() => Inner::Message(frame),
        (None, _) => Inner::Unread(Why::Exported),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(link_type: i32, frame: &[u8]) -> Vec<String> {
        let (mut all, mut buffer) = (Vec::new(), Vec::new());
        open(link_type, frame, &mut buffer, &mut |inner| {
            all.push(match inner {
                Inner::Link(link_type, bytes) => format!("{link_type} {}", bytes.escape_ascii()),
                Inner::Message(bytes) => format!("message {}", bytes.escape_ascii()),
                Inner::Unread(why) => why.words(2),
            });
        });
        all
    }

    const SNAP: &[u8] = b"\xAA\xAA\x03\0\0\0\x88\xE1AB";

    /// A data frame with these flags, between addresses 1, 2 and 3.
    fn data(control: u8, flags: u8, head: &[u8], body: &[u8]) -> Vec<u8> {
        [&[control, flags, 0, 0][..], b"111111", b"222222", b"333333", &[0, 0], head, body].concat()
    }

    #[test]
    fn data_frames_of_wireless_are_as_those_of_ethernet() {
        assert_eq!(
            opened(105, &data(0x08, 1, b"", SNAP)),
            [r"1 333333222222\x88\xe1AB"],
            "to the access point"
        );
        assert_eq!(opened(105, &data(0x08, 2, b"", SNAP)), [r"1 111111333333\x88\xe1AB"], "from it");
        assert_eq!(
            opened(105, &data(0x88, 0, b"\0\0", SNAP)),
            [r"1 111111222222\x88\xe1AB"],
            "with quality of service"
        );
        let radiotap = [&[0, 0, 9, 0, 0, 0, 0, 0, 0][..], &data(0x08, 1, b"", SNAP)].concat();
        assert_eq!(opened(127, &radiotap), [r"1 333333222222\x88\xe1AB"]);
        assert_eq!(opened(105, &data(0x80, 0, b"", SNAP)), [""; 0], "a beacon");
        assert_eq!(
            opened(105, &data(0x08, 0x41, b"", SNAP)),
            ["2 frames of IEEE 802.11 were encrypted and not read"]
        );
    }

    #[test]
    fn an_aggregate_has_several_frames() {
        let sub = |letter: u8| [&[letter; 12][..], &[0, 10], SNAP].concat();
        let body = [sub(b'a'), sub(b'b')].concat();
        let found = opened(105, &data(0x88, 1, b"\x80\0", &body));
        assert_eq!(found, [r"1 aaaaaaaaaaaa\x88\xe1AB", r"1 bbbbbbbbbbbb\x88\xe1AB"]);
    }

    #[test]
    fn an_exported_pdu_is_what_its_tags_say_or_its_bytes() {
        let pdu = |name: &[u8], bytes: &[u8]| {
            let length = u8::try_from(name.len()).unwrap();
            [&[0, 12, 0, length][..], name, &[0, 25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0], bytes].concat()
        };
        assert_eq!(opened(252, &pdu(b"eth\0", b"AB")), ["1 AB"]);
        assert_eq!(opened(252, &pdu(b"ipv6", b"AB")), ["101 AB"]);
        assert_eq!(opened(252, &pdu(b"v2gtp\0\0\0", b"\x80\x40\0\x40")), [r"message \x80@\x00@"]);
        assert_eq!(
            opened(252, &pdu(b"http", b"GET")),
            ["2 frames of exported PDUs of other protocols were not read"]
        );
    }

    #[test]
    fn a_frame_that_is_not_read_is_named_by_its_kind() {
        assert_eq!(opened(249, b""), ["2 frames of link type 249 (USBPcap) were not read"]);
        assert_eq!(Why::LinkType(999).words(1), "1 frame of link type 999 was not read");
    }

    #[test]
    fn no_cut_frame_ends_the_program() {
        let frame = data(0x88, 0x83, b"\x80\0", &[SNAP, SNAP, SNAP].concat());
        for link_type in [105, 119, 127, 163, 192, 252] {
            for length in 0..frame.len() {
                opened(link_type, &frame[..length]);
            }
        }
    }
}
