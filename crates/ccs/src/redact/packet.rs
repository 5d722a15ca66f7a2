//! Rewrites the link layer, IP, ICMP and UDP of frames in place. Unknown parts become zero; checksums are
//! corrected.
#![allow(clippy::many_single_char_names, reason = "the bytes of an address have no other names")]

use std::ops::Range;

use listen::packet::{Endpoint, Flow};
use v2gtp::{HEADER_LEN, Header, PayloadType};

use super::names::Names;
use super::{checksum, message, mme, text};
use crate::recording::note;

/// The TCP segment in a frame. [`Streams`](super::stream::Streams) rewrites its bytes.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// Sender and receiver before rewriting.
    pub flow: Flow,
    /// Sequence number of the first byte, or of the SYN.
    pub sequence: u32,
    /// SYN flag.
    pub syn: bool,
    /// Position of the payload in the frame.
    pub data: Range<usize>,
    /// The checksum to correct after rewriting.
    pub sum: Sum,
}

/// A checksum of TCP, UDP or `ICMPv6`.
#[derive(Clone, Debug)]
pub(super) struct Sum {
    /// Position of both IP addresses.
    addresses: Range<usize>,
    protocol: u8,
    /// Position of header and payload.
    covers: Range<usize>,
    /// Offset of the checksum in the frame.
    at: usize,
    /// Whether all covered bytes were captured.
    is_whole: bool,
}

impl Sum {
    /// Corrects the checksum; zero where the frame is truncated.
    pub(super) fn fix(&self, frame: &mut [u8]) {
        put(frame, self.at, [0, 0]);
        if !self.is_whole {
            return;
        }
        let addresses = frame.get(self.addresses.clone()).unwrap_or_default();
        let covered = frame.get(self.covers.clone()).unwrap_or_default();
        let sum = checksum::transport(addresses, self.protocol, covered);
        // In UDP zero means that there is no checksum.
        let sum = if sum == 0 && self.protocol == UDP { 0xFFFF } else { sum };
        put(frame, self.at, sum.to_be_bytes());
    }
}

const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

/// Rewrites a frame of a link type, except the payload of a TCP segment.
pub(super) fn rewrite(names: &mut Names<'_>, link_type: Option<i32>, frame: &mut [u8]) -> Option<Segment> {
    // Numbers: <https://www.tcpdump.org/linktypes.html>, as in `listen::packet`.
    match link_type {
        Some(1) => {
            mac(names, frame, 0);
            mac(names, frame, 6);
            ether(names, frame, 12)
        }
        Some(12 | 14 | 101 | 228 | 229) => ip(names, frame, 0),
        Some(0 | 108) => ip(names, frame, 4),
        Some(113) => {
            cooked_address(names, frame, 4, 6);
            ether(names, frame, 14)
        }
        Some(276) => {
            cooked_address(names, frame, 11, 12);
            let ether_type = number(frame, 0)?;
            ether_payload(names, frame, ether_type, 20)
        }
        // Plant notes of our own recordings.
        Some(147) if note::parse(frame).is_some() => {
            text::rewrite(names, frame.get_mut(note::TEXT_AT..).unwrap_or_default());
            None
        }
        _ => blank(names, frame, 0, "frames of link types that are not known"),
    }
}

/// Zeros everything from an offset on.
fn blank(names: &mut Names<'_>, frame: &mut [u8], from: usize, what: &'static str) -> Option<Segment> {
    let rest = frame.get_mut(from..).unwrap_or_default();
    if rest.iter().any(|byte| *byte != 0) {
        names.blank(what);
        rest.fill(0);
    }
    None
}

fn number(frame: &[u8], at: usize) -> Option<u16> {
    frame.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

fn put<const N: usize>(frame: &mut [u8], at: usize, bytes: [u8; N]) {
    if let Some(room) = frame.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *room = bytes;
    }
}

fn change<const N: usize>(frame: &mut [u8], at: usize, new: impl FnOnce([u8; N]) -> [u8; N]) {
    match frame.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        Some(room) => *room = new(*room),
        None => frame.iter_mut().skip(at).for_each(|byte| *byte = 0),
    }
}

/// Rewrites an Ethernet address; a truncated address becomes zero.
fn mac(names: &mut Names<'_>, frame: &mut [u8], at: usize) {
    change(frame, at, |mac| names.mac(mac));
}

fn ipv6_address(names: &mut Names<'_>, frame: &mut [u8], at: usize) {
    change(frame, at, |address| names.ipv6(address));
}

/// Rewrites the sender's address of a cooked capture: eight bytes, of which a length field says how many
/// count.
fn cooked_address(names: &mut Names<'_>, frame: &mut [u8], length_at: usize, at: usize) {
    let is_mac = match length_at {
        4 => number(frame, 4) == Some(6),
        _ => frame.get(length_at) == Some(&6),
    };
    change(frame, at, |[a, b, c, d, e, f, _, _]: [u8; 8]| {
        let [a, b, c, d, e, f] = if is_mac { names.mac([a, b, c, d, e, f]) } else { [0; 6] };
        [a, b, c, d, e, f, 0, 0]
    });
}

/// Rewrites from an `EtherType` on, including VLAN tags.
fn ether(names: &mut Names<'_>, frame: &mut [u8], mut at: usize) -> Option<Segment> {
    let Some(mut ether_type) = number(frame, at) else {
        return blank(names, frame, at, "cut frames");
    };
    while matches!(ether_type, 0x8100 | 0x88A8 | 0x9100) {
        at += 4;
        match number(frame, at) {
            Some(inner) => ether_type = inner,
            None => return blank(names, frame, at, "cut frames"),
        }
    }
    ether_payload(names, frame, ether_type, at + 2)
}

fn ether_payload(names: &mut Names<'_>, frame: &mut [u8], ether_type: u16, at: usize) -> Option<Segment> {
    match ether_type {
        homeplug_mme::ETHERTYPE => {
            mme::rewrite(names, frame.get_mut(at..)?);
            None
        }
        0x86DD => ipv6(names, frame, at),
        0x0800 => ipv4(names, frame, at),
        0x0806 => arp(names, frame, at),
        _ => blank(names, frame, at, "frames of EtherTypes that are not known"),
    }
}

/// Rewrites an IP packet without a link layer.
fn ip(names: &mut Names<'_>, frame: &mut [u8], at: usize) -> Option<Segment> {
    match frame.get(at).map(|byte| byte >> 4) {
        Some(6) => ipv6(names, frame, at),
        Some(4) => ipv4(names, frame, at),
        _ => blank(names, frame, at, "IP packets of versions that are not known"),
    }
}

fn arp(names: &mut Names<'_>, frame: &mut [u8], at: usize) -> Option<Segment> {
    let is_usual = frame.get(at..at + 6) == Some(&[0, 1, 8, 0, 6, 4]);
    if !is_usual || frame.len() < at + 28 {
        return blank(names, frame, at, "ARP messages that are not known");
    }
    for (hardware, protocol) in [(8, 14), (18, 24)] {
        mac(names, frame, at + hardware);
        change(frame, at + protocol, |address| names.ipv4(address));
    }
    frame.iter_mut().skip(at + 28).for_each(|byte| *byte = 0);
    None
}

/// The captured part of a packet, and whether it is complete. Bytes after the packet become zero.
fn bounds(frame: &mut [u8], from: usize, length: usize) -> (Range<usize>, bool) {
    let end = from.saturating_add(length);
    frame.iter_mut().skip(end).for_each(|byte| *byte = 0);
    (from..end.min(frame.len()), end <= frame.len())
}

fn ipv4(names: &mut Names<'_>, frame: &mut [u8], at: usize) -> Option<Segment> {
    let header = frame.get(at..at + 20).and_then(|header| header.first().copied());
    let length = header.map_or(0, |first| usize::from(first & 0x0F) * 4);
    let total = number(frame, at + 2).map_or(0, usize::from);
    if header.is_none_or(|first| first >> 4 != 4) || length < 20 || frame.len() < at + length {
        return blank(names, frame, at, "cut frames");
    }
    // Segmentation in hardware leaves a length of 0.
    let total = if total == 0 { frame.len() - at } else { total };
    for address in [12, 16] {
        change(frame, at + address, |address| names.ipv4(address));
    }
    // Options become "no operation".
    frame.iter_mut().take(at + length).skip(at + 20).for_each(|byte| *byte = 1);
    put(frame, at + 10, [0, 0]);
    let sum = checksum::internet(frame.get(at..at + length).unwrap_or_default());
    put(frame, at + 10, sum.to_be_bytes());
    let (body, is_whole) = bounds(frame, at + length, total.saturating_sub(length));
    if number(frame, at + 6).unwrap_or_default() & 0x3FFF != 0 {
        return blank(names, frame, body.start, "fragments of IP packets");
    }
    let protocol = frame.get(at + 9).copied().unwrap_or_default();
    transport(names, frame, protocol, at + 12..at + 20, &body, is_whole)
}

fn ipv6(names: &mut Names<'_>, frame: &mut [u8], at: usize) -> Option<Segment> {
    let first = frame.get(at..at + 40).and_then(|header| header.first().copied());
    if first.is_none_or(|first| first >> 4 != 6) {
        return blank(names, frame, at, "cut frames");
    }
    let length = number(frame, at + 4).map_or(0, usize::from);
    let length = if length == 0 { frame.len() - at - 40 } else { length };
    for address in [8, 24] {
        ipv6_address(names, frame, at + address);
    }
    let (mut body, is_whole) = bounds(frame, at + 40, length);
    let mut next = frame.get(at + 6).copied().unwrap_or_default();
    // Hop-by-hop and destination options; a packet has only a few of them.
    while matches!(next, 0 | 60) {
        let header = frame.get(body.start..body.start + 2).and_then(|header| header.first_chunk::<2>());
        let Some([inner, eights]) = header.copied() else {
            return blank(names, frame, body.start, "cut frames");
        };
        let end = body.start + 8 + usize::from(eights) * 8;
        if end > body.end {
            return blank(names, frame, body.start + 2, "cut frames");
        }
        options(names, frame, body.start + 2..end);
        (next, body.start) = (inner, end);
    }
    if next == 44 {
        return blank(names, frame, (body.start + 8).min(frame.len()), "fragments of IP packets");
    }
    transport(names, frame, next, at + 8..at + 40, &body, is_whole)
}

/// Padding and "router alert" stay; all other options become padding.
fn options(names: &mut Names<'_>, frame: &mut [u8], range: Range<usize>) {
    let options = frame.get_mut(range).unwrap_or_default();
    let mut rest = &*options;
    let is_known = loop {
        rest = match rest {
            [] => break true,
            [0, rest @ ..]
            | [5, 2, _, _, rest @ ..]
            | [1, 0, rest @ ..]
            | [1, 1, 0, rest @ ..]
            | [1, 2, 0, 0, rest @ ..]
            | [1, 3, 0, 0, 0, rest @ ..]
            | [1, 4, 0, 0, 0, 0, rest @ ..] => rest,
            _ => break false,
        };
    };
    if !is_known {
        names.blank("options of IP packets");
        options.fill(0);
    }
}

fn transport(
    names: &mut Names<'_>,
    frame: &mut [u8],
    protocol: u8,
    addresses: Range<usize>,
    body: &Range<usize>,
    is_whole: bool,
) -> Option<Segment> {
    let is_v6 = addresses.len() == 32;
    let sum = |at| Sum { addresses: addresses.clone(), protocol, covers: body.clone(), at, is_whole };
    match protocol {
        TCP => tcp(names, frame, body, sum(body.start + 16)),
        UDP => {
            udp(names, frame, body, sum(body.start + 6), is_v6);
            None
        }
        ICMPV6 if is_v6 => {
            icmpv6(names, frame, body);
            sum(body.start + 2).fix(frame);
            None
        }
        1 if !is_v6 => {
            blank(names, frame, body.start + 4, "contents of ICMP messages");
            put(frame, body.start + 2, [0, 0]);
            let sum = checksum::internet(frame.get(body.clone()).unwrap_or_default());
            put(frame, body.start + 2, sum.to_be_bytes());
            None
        }
        59 => None,
        _ => blank(names, frame, body.start, "IP protocols that are not known"),
    }
}

fn tcp(names: &mut Names<'_>, frame: &mut [u8], body: &Range<usize>, sum: Sum) -> Option<Segment> {
    let header = frame.get(body.clone()).and_then(|bytes| bytes.first_chunk::<20>()).copied();
    let length = header.map_or(0, |header| usize::from(header[12] >> 4) * 4);
    let (Some(header), true) = (header, length >= 20 && body.start + length <= body.end) else {
        return blank(names, frame, body.start, "cut frames");
    };
    tcp_options(names, frame.get_mut(body.start + 20..body.start + length).unwrap_or_default());
    // Addresses are rewritten already, each to a different one: connections stay distinct.
    let addresses = frame.get(sum.addresses.clone()).unwrap_or_default();
    let flow = Flow {
        source: endpoint(addresses, 0, [header[0], header[1]]),
        destination: endpoint(addresses, 1, [header[2], header[3]]),
    };
    let [.., s0, s1, s2, s3, _, _, _, _, _, flags, _, _, _, _, _, _] = header;
    let sequence = u32::from_be_bytes([s0, s1, s2, s3]);
    Some(Segment { flow, sequence, syn: flags & 2 != 0, data: body.start + length..body.end, sum })
}

fn endpoint(addresses: &[u8], which: usize, port: [u8; 2]) -> Endpoint {
    let half = addresses.len() / 2;
    let mut octets = [0; 16];
    let address = addresses.get(which * half..).unwrap_or_default();
    octets.iter_mut().zip(address.iter().take(half)).for_each(|(to, from)| *to = *from);
    Endpoint { address: octets.into(), port: u16::from_be_bytes(port) }
}

/// Segment size, window, selective acknowledgments and times stay; all other options become "no operation".
fn tcp_options(names: &mut Names<'_>, options: &mut [u8]) {
    let mut at = 0;
    while let Some(kind) = options.get(at) {
        let length = match kind {
            0 => {
                // Bytes after the end of the list.
                options.iter_mut().skip(at).for_each(|byte| *byte = 0);
                return;
            }
            1 => 1,
            _ => options.get(at + 1).map_or(0, |length| usize::from(*length)),
        };
        let is_known =
            matches!((kind, length), (1, 1) | (2, 4) | (3, 3) | (4, 2) | (5, 10 | 18 | 26 | 34) | (8, 10));
        if !is_known || at + length > options.len() {
            names.blank("options of TCP segments");
            let end = if length < 2 { options.len() } else { (at + length).min(options.len()) };
            options.iter_mut().take(end).skip(at).for_each(|byte| *byte = 1);
            at = end;
        } else {
            at += length;
        }
    }
}

fn udp(names: &mut Names<'_>, frame: &mut [u8], body: &Range<usize>, mut sum: Sum, is_v6: bool) {
    if body.len() < 8 {
        blank(names, frame, body.start, "cut frames");
        return;
    }
    let ports = [number(frame, body.start), number(frame, body.start + 2)];
    let length = number(frame, body.start + 4).map_or(0, usize::from).clamp(8, body.len());
    sum.covers = body.start..body.start + length;
    frame.iter_mut().skip(sum.covers.end).for_each(|byte| *byte = 0);
    let has_sum = is_v6 || number(frame, sum.at) != Some(0);
    datagram(names, ports, frame.get_mut(body.start + 8..sum.covers.end).unwrap_or_default());
    if has_sum {
        sum.fix(frame);
    }
}

/// Port of syslog.
const SYSLOG: u16 = 514;

fn datagram(names: &mut Names<'_>, ports: [Option<u16>; 2], payload: &mut [u8]) {
    if let Some((header, content)) = payload.split_at_mut_checked(HEADER_LEN)
        && let Ok(Header { payload_type, length }) = Header::parse(header)
        && usize::try_from(length) == Ok(content.len())
        && matches!(payload_type, PayloadType::SDP_REQUEST | PayloadType::SDP_RESPONSE)
    {
        message::rewrite(names, payload_type, content);
    } else if ports.contains(&Some(SYSLOG)) {
        text::rewrite(names, payload);
    } else {
        blank(names, payload, 0, "UDP datagrams of ports that are not known");
    }
}

/// Rewrites neighbour discovery with its options, and reports of multicast groups; of other messages only the
/// first four bytes stay.
fn icmpv6(names: &mut Names<'_>, frame: &mut [u8], body: &Range<usize>) {
    let at = body.start;
    let options = match frame.get(at) {
        Some(133) => Some(at + 8),
        Some(134) => Some(at + 16),
        Some(135 | 136) => {
            ipv6_address(names, frame, at + 8);
            Some(at + 24)
        }
        Some(130..=132) if body.len() == 24 => {
            ipv6_address(names, frame, at + 8);
            return;
        }
        Some(143) => return groups(names, frame, body),
        _ => None,
    };
    match options {
        Some(first) if first <= body.end => ndp_options(names, frame, first..body.end),
        _ => {
            blank(names, frame, at + 4, "contents of ICMP messages");
        }
    }
}

fn ndp_options(names: &mut Names<'_>, frame: &mut [u8], range: Range<usize>) {
    let mut at = range.start;
    while at < range.end {
        let kind = frame.get(at).copied();
        let length = frame.get(at + 1).map_or(0, |eights| usize::from(*eights) * 8);
        let end = at + length;
        if length == 0 || end > range.end {
            blank(names, frame, at, "options of neighbour discovery");
            return;
        }
        match (kind, length) {
            // Link-layer addresses of source and target.
            (Some(1 | 2), 8) => mac(names, frame, at + 2),
            // A prefix.
            (Some(3), 32) => ipv6_address(names, frame, at + 16),
            // The MTU.
            (Some(5), 8) => {}
            _ => {
                names.blank("options of neighbour discovery");
                frame.iter_mut().take(end).skip(at + 2).for_each(|byte| *byte = 0);
            }
        }
        at = end;
    }
}

/// A report of multicast listeners, version 2: records with a group and its sources.
fn groups(names: &mut Names<'_>, frame: &mut [u8], body: &Range<usize>) {
    let mut at = body.start + 8;
    while at + 20 <= body.end {
        let sources = number(frame, at + 2).map_or(0, usize::from);
        let has_more = frame.get(at + 1) != Some(&0);
        if has_more || at + 20 + sources * 16 > body.end {
            break;
        }
        for address in 0..=sources {
            ipv6_address(names, frame, at + 4 + address * 16);
        }
        at += 20 + sources * 16;
    }
    blank(names, frame, at.min(body.end), "contents of ICMP messages");
}
