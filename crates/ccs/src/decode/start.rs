//! What bytes are, by their start: a V2GTP message, an EXI document of a known schema, or an Ethernet frame.

use exi::ErrorKind;
use homeplug_mme::view::View;
use listen::packet::{self, Layer};
use listen::{Document, Schema};
use v2gtp::{HEADER_LEN, Header};

use super::storage::MAX_MESSAGE;

/// What the bytes begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// A V2GTP message; its length in bytes, header included.
    V2gtp(usize),
    /// An EXI document; its length if it decodes.
    Exi(Option<usize>),
    /// An EXI document without its end.
    CutExi,
    /// A complete frame of this link type: Ethernet, or an IP packet.
    Frame(i32),
    /// A frame without its end: its link type and its whole length, as far as known.
    CutFrame(i32, usize),
}

/// The link types of Ethernet and of IP packets.
pub(super) const ETHERNET: i32 = 1;
pub(super) const RAW_IP: i32 = 101;

/// Shortest EXI document of a schema without codec that is recognised: judgement, the session id alone has
/// eight bytes.
pub(super) const MIN_UNKNOWN: usize = 10;

/// What `bytes` begin with; `None` if unknown.
pub(super) fn of(bytes: &[u8]) -> Option<Start> {
    match bytes {
        [0x01, 0xFE, ..] => v2gtp(bytes),
        [0x80, ..] => exi(bytes).or_else(|| ethernet(bytes)),
        _ => ethernet(bytes),
    }
}

/// Whether a V2GTP message begins anywhere in these bytes.
pub(super) fn has_v2gtp(bytes: &[u8]) -> bool {
    (0..bytes.len()).any(|at| bytes.get(at..).is_some_and(|bytes| v2gtp(bytes).is_some()))
}

/// Whether further bytes may complete these to the start of a V2GTP message.
pub(super) fn is_part(bytes: &[u8]) -> bool {
    match bytes {
        [0x01] | [0x01, 0xFE] => true,
        [0x01, 0xFE, 0x80..=0xFF, ..] => bytes.len() < HEADER_LEN,
        _ => false,
    }
}

fn v2gtp(bytes: &[u8]) -> Option<Start> {
    let header = Header::parse(bytes.get(..HEADER_LEN)?).ok()?;
    let is_known = header.payload_type.name().is_some() || header.payload_type.is_vendor();
    let length = usize::try_from(header.length).unwrap_or(usize::MAX).saturating_add(HEADER_LEN);
    (is_known && length <= MAX_MESSAGE).then_some(Start::V2gtp(length))
}

fn exi(bytes: &[u8]) -> Option<Start> {
    let schema = Schema::of_first_bytes(bytes)?;
    Some(match Document::decode(schema, bytes) {
        Some(Ok((_, length))) => Start::Exi(Some(length)),
        Some(Err(error)) if matches!(error.kind, ErrorKind::Truncated | ErrorKind::Length) => Start::CutExi,
        // The schema has a codec, and the document does not decode with it.
        Some(Err(_)) if schema == Schema::App => return None,
        None if bytes.len() < MIN_UNKNOWN => return None,
        Some(Err(_)) | None => Start::Exi(None),
    })
}

/// An Ethernet frame of a protocol used for charging.
fn ethernet(bytes: &[u8]) -> Option<Start> {
    let mut at = 12;
    let ether_type = loop {
        let pair = [*bytes.get(at)?, *bytes.get(at + 1)?];
        match u16::from_be_bytes(pair) {
            0x8100 | 0x88A8 if at < 20 => at += 4,
            other => break other,
        }
    };
    let payload = bytes.get(at + 2..)?;
    match ether_type {
        homeplug_mme::ETHERTYPE => homeplug(bytes),
        0x86DD | 0x0800 => Some(frame(ETHERNET, ip(payload)?.saturating_add(at + 2), bytes)),
        _ => None,
    }
}

fn homeplug(bytes: &[u8]) -> Option<Start> {
    let Layer::Mme { to, from, payload } = packet::parse(ETHERNET, bytes) else { return None };
    let is_cut =
        homeplug_mme::Frame::parse_payload(to, from, payload).map_or(true, |frame| View::of(&frame).is_err());
    Some(frame(ETHERNET, bytes.len() + usize::from(is_cut), bytes))
}

/// An IP packet without link layer, as shown by `tcpdump -x`.
pub(super) fn raw_ip(bytes: &[u8]) -> Option<Start> {
    Some(frame(RAW_IP, ip(bytes)?, bytes))
}

fn frame(link_type: i32, whole: usize, bytes: &[u8]) -> Start {
    if whole > bytes.len() { Start::CutFrame(link_type, whole) } else { Start::Frame(link_type) }
}

/// Length of an IP packet according to its header; `None` if it carries neither UDP, TCP nor ICMP.
fn ip(bytes: &[u8]) -> Option<usize> {
    let number = |at: usize| Some(usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])));
    let (length, next) = match bytes {
        [0x60..=0x6F, ..] => (number(4)?.saturating_add(40), *bytes.get(6)?),
        [0x45..=0x4F, ..] => (number(2)?, *bytes.get(9)?),
        _ => return None,
    };
    matches!(next, 0 | 1 | 6 | 17 | 58).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_by_what_it_begins_with() {
        assert_eq!(of(&[0x01, 0xFE, 0x80, 0x01, 0, 0, 0, 4, 0x80]), Some(Start::V2gtp(12)));
        assert_eq!(of(&[0x01, 0xFE, 0x12, 0x34, 0, 0, 0, 4]), None, "no payload type");
        assert_eq!(of(&[0x01, 0xFE, 0x80, 0x01, 0x7F, 0, 0, 4]), None, "longer than any message");
        assert_eq!(of(&[0x80, 0x40, 0x00, 0x40, 0xFF]), Some(Start::Exi(Some(4))));
        assert_eq!(of(&[0x80, 0x40, 0x00]), Some(Start::CutExi));
        assert_eq!(of(&[0x80, 0x98, 0x02, 0x00]), None, "too short to be sure");
        assert_eq!(of(b"8040 is a number"), None);
        let parm = b"\xFF\xFF\xFF\xFF\xFF\xFF\x02\0\0\0\0\xE1\x88\xE1\x01\x64\x60\0\0\0\0TESLA EV";
        assert_eq!(of(parm), Some(Start::Frame(1)));
        assert_eq!(of(&parm[..20]), Some(Start::CutFrame(1, 21)));
    }

    #[test]
    fn part_of_a_header_may_become_one() {
        assert!(is_part(&[0x01]) && is_part(&[0x01, 0xFE]) && is_part(&[0x01, 0xFE, 0x80]));
        assert!(!is_part(&[]) && !is_part(&[0x01, 0x02]) && !is_part(&[0x01, 0xFE, 0x33]));
    }
}
