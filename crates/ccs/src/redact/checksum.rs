//! Checksums of IP, ICMP, TCP and UDP (RFC 1071).

/// The Internet checksum of `bytes`.
pub(super) fn internet(bytes: &[u8]) -> u16 {
    !fold(sum(bytes))
}

/// Checksum of a TCP, UDP or `ICMPv6` packet, including the pseudo-header with both addresses (IPv4 or IPv6).
pub(super) fn transport(addresses: &[u8], protocol: u8, packet: &[u8]) -> u16 {
    let length = u64::try_from(packet.len()).unwrap_or_default();
    !fold(sum(addresses) + u64::from(protocol) + (length >> 16) + (length & 0xFFFF) + sum(packet))
}

fn sum(bytes: &[u8]) -> u64 {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let last = rest.first().map_or(0, |byte| u64::from(*byte) << 8);
    pairs.iter().map(|pair| u64::from(u16::from_be_bytes(*pair))).sum::<u64>() + last
}

fn fold(mut sum: u64) -> u16 {
    while sum > 0xFFFF {
        sum = (sum >> 16) + (sum & 0xFFFF);
    }
    u16::try_from(sum).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_are_those_of_rfc_1071_and_of_a_captured_request() {
        assert_eq!(internet(&[0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7]), !0xDDF2);
        assert_eq!(internet(&[0x00, 0x01, 0xF2]), !0xF201);
    }
}
