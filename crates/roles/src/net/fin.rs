use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{EthernetFrame, Ipv6Packet, TcpControl, TcpPacket, TcpRepr};

use super::guard::segment;
use super::packet::HEADERS;

/// Space for a segment without options and data.
pub(super) const BARE: usize = HEADERS + 20;

/// Writes the FIN of a segment with data to `out`, without the data, and returns its length; 0 if the segment
/// has no data or no FIN.
///
/// smoltcp drops a FIN with data that it has received before (RFC 9293 3.10.7.4 accepts it), because a sender
/// repeats both together.
pub(super) fn bare(frame: &[u8], out: &mut [u8; BARE]) -> usize {
    write(frame, out).unwrap_or(0)
}

fn write(frame: &[u8], out: &mut [u8; BARE]) -> Option<usize> {
    let ethernet = EthernetFrame::new_checked(frame).ok()?;
    let ip = Ipv6Packet::new_checked(ethernet.payload()).ok()?;
    let (from, to) = (ip.src_addr().into(), ip.dst_addr().into());
    let checks = ChecksumCapabilities::default();
    let repr = TcpRepr::parse(&segment(&ip)?, &from, &to, &checks).ok()?;
    if repr.control != TcpControl::Fin || repr.payload.is_empty() {
        return None;
    }
    let seq_number = repr.seq_number + repr.payload.len();
    let fin = TcpRepr { seq_number, timestamp: None, sack_ranges: [None; 3], payload: &[], ..repr };
    out.get_mut(..HEADERS)?.copy_from_slice(frame.get(..HEADERS)?);
    let mut ethernet = EthernetFrame::new_unchecked(&mut out[..]);
    let mut ip = Ipv6Packet::new_unchecked(ethernet.payload_mut());
    ip.set_payload_len(20);
    fin.emit(&mut TcpPacket::new_unchecked(ip.payload_mut()), &from, &to, &checks);
    Some(BARE)
}
