use core::fmt;
use core::net::Ipv6Addr;

/// An Ethernet address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Every station of the link.
    pub const BROADCAST: Self = Self([0xFF; 6]);
    /// The modem on the host's own cable, whatever its address is: never forwarded over the power line
    /// (open-plc-utils; observed in captures).
    pub const LOCAL_MODEM: Self = Self([0x00, 0xB0, 0x52, 0x00, 0x00, 0x01]);

    /// Whether it may be the address of one station: the group bit is clear and it is not all zero.
    pub const fn is_unicast(self) -> bool {
        let [first, ..] = self.0;
        first & 1 == 0 && !matches!(self.0, [0, 0, 0, 0, 0, 0])
    }

    /// The link-local IPv6 address derived from it (EUI-64, RFC 4291 appendix A): bit 0x02 of the first byte
    /// inverted, FF FE in the middle.
    pub const fn link_local(self) -> Ipv6Addr {
        let [m0, m1, m2, ..] = self.0;
        let [.., n0, n1, n2] = self.0;
        let id = u64::from_be_bytes([m0 ^ 0x02, m1, m2, 0xFF, 0xFE, n0, n1, n2]);
        Ipv6Addr::from_bits((0xFE80 << 112) | id as u128)
    }
}

impl From<[u8; 6]> for Mac {
    fn from(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ":" };
            write!(f, "{separator}{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn the_link_local_address_is_made_by_eui_64() {
        // RFC 4291 appendix A, applied to pyPLC's MAC address as in its captures.
        let mac = Mac([0x04, 0x65, 0x65, 0x00, 0x64, 0xC3]);
        assert_eq!(mac.link_local().to_string(), "fe80::665:65ff:fe00:64c3");
    }

    #[test]
    fn group_addresses_and_zero_are_not_unicast() {
        assert!(Mac([2, 0, 0, 0, 0, 1]).is_unicast());
        assert!(!Mac([0x33, 0x33, 0, 0, 0, 1]).is_unicast());
        assert!(!Mac([0xFF; 6]).is_unicast());
        assert!(!Mac([0; 6]).is_unicast());
    }
}
