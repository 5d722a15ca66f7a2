use std::net::Ipv6Addr;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::{LinkAddr, SockaddrIn6};
use roles::Mac;

use crate::Error;

/// A network interface of this machine.
#[derive(Clone, Debug)]
pub struct Interface {
    name: String,
    mac: Mac,
    /// The kernel's description of the interface as a source and destination of frames.
    pub(crate) link: LinkAddr,
}

/// What the kernel reports about an interface, whether it can be used or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InterfaceState {
    /// Whether it is switched on.
    pub is_up: bool,
    /// Whether it has a carrier: a cable with a link partner.
    pub has_carrier: bool,
    /// The kernel's link-local address on it; `None` without IPv6.
    pub link_local: Option<Ipv6Addr>,
    /// Number of raw sockets on it, of any program, that receive all frames or power-line management frames.
    /// The kernel does not report their owners.
    pub raw_sockets: usize,
}

/// Bit of a locally administered address.
const LOCAL: u8 = 0x02;
/// Bit of a group address.
const GROUP: u8 = 0x01;

/// The kernel's list of raw sockets in this network namespace. Columns: address, references, type, protocol,
/// interface, ...
const PACKET_SOCKETS: &str = "/proc/net/packet";
/// Protocols of sockets that receive a modem's messages: all frames, and `HomePlug`.
const LISTENING: [&str; 2] = ["0003", "88e1"];

/// Number of sockets in the kernel's list on the interface of this index, or on all interfaces.
fn sockets_on(table: &str, index: usize) -> usize {
    let index = index.to_string();
    let rows = table.lines().skip(1).map(|row| row.split_whitespace().collect::<Vec<_>>());
    rows.filter(
        |row| matches!(row[..], [_, _, _, protocol, on, ..] if LISTENING.contains(&protocol) && (on == index || on == "0")),
    )
    .count()
}

/// Counters of the interfaces in the network namespace of the thread, independent of what is mounted on
/// `/sys`.
const COUNTERS: &str = "/proc/thread-self/net/dev";

/// Frames received on the interface of this name, from the kernel's table of counters.
fn frames_on(table: &str, name: &str) -> Option<u64> {
    let counters = table.lines().find_map(|row| row.trim_start().strip_prefix(name)?.strip_prefix(':'))?;
    // Columns: bytes, packets, ...
    counters.split_whitespace().nth(1)?.parse().ok()
}

/// A locally administered address that differs from `mac` and is always the same for one `mac`.
///
/// A manufacturer's address keeps its other bits, so two machines get different ones. For a local address
/// (virtual interfaces) the second byte is changed instead.
fn beside(mac: Mac) -> Mac {
    let mut role = mac.0;
    let [first, second, ..] = &mut role;
    if *first & LOCAL != 0 {
        *second ^= 0x5A;
    }
    *first = (*first | LOCAL) & !GROUP;
    Mac(role)
}

impl Interface {
    /// The interface of this name.
    ///
    /// # Errors
    /// [`Error::NoInterface`] with the existing ones, [`Error::NotEthernet`], [`Error::Down`].
    pub fn find(name: &str) -> Result<Self, Error> {
        let addresses = getifaddrs().map_err(Error::os("listing the interfaces"))?;
        let mut there_are = Vec::new();
        for address in addresses {
            // Every interface has one link-layer address; its other addresses are of IP.
            let Some(link) = address.address.as_ref().and_then(|address| address.as_link_addr()) else {
                continue;
            };
            let is_up = address.flags.contains(InterfaceFlags::IFF_UP);
            if address.interface_name != name {
                there_are.push(format!("{} ({})", address.interface_name, if is_up { "up" } else { "down" }));
                continue;
            }
            if !is_up {
                return Err(Error::Down(name.into()));
            }
            let mac = link.addr().map(Mac).filter(|mac| mac.0 != [0; 6]);
            let mac = mac.ok_or_else(|| Error::NotEthernet(name.into()))?;
            return Ok(Self { name: name.into(), mac, link: *link });
        }
        let there_are = if there_are.is_empty() { "none".into() } else { there_are.join(", ") };
        Err(Error::NoInterface { name: name.into(), there_are })
    }

    /// What the kernel reports about the interface of this name; the default if it does not exist.
    ///
    /// # Errors
    /// [`Error::Os`].
    pub fn state(name: &str) -> Result<InterfaceState, Error> {
        let mut state = InterfaceState::default();
        for address in getifaddrs().map_err(Error::os("listing the interfaces"))? {
            if address.interface_name != name {
                continue;
            }
            state.is_up |= address.flags.contains(InterfaceFlags::IFF_UP);
            state.has_carrier |= address.flags.contains(InterfaceFlags::IFF_RUNNING);
            let Some(address) = address.address else { continue };
            if let Some(ip) = address.as_sockaddr_in6().map(SockaddrIn6::ip)
                && ip.is_unicast_link_local()
            {
                state.link_local = Some(ip);
            }
            if let Some(link) = address.as_link_addr() {
                let table = std::fs::read_to_string(PACKET_SOCKETS).unwrap_or_default();
                state.raw_sockets = sockets_on(&table, link.ifindex());
            }
        }
        Ok(state)
    }

    /// Frames received on the interface of this name since it was created, for any program.
    pub(crate) fn received(name: &str) -> Option<u64> {
        frames_on(&std::fs::read_to_string(COUNTERS).ok()?, name)
    }

    /// The loopback interface, which every machine has.
    #[cfg(test)]
    pub(crate) fn any_of_this_machine() -> Self {
        let mut addresses = getifaddrs().unwrap();
        let link = addresses.find_map(|address| address.address?.as_link_addr().copied()).unwrap();
        Self { name: "lo".into(), mac: Mac([0; 6]), link }
    }

    /// Name of the interface.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its index in this network namespace. An interface that is removed and created again has another index.
    pub fn index(&self) -> usize {
        self.link.ifindex()
    }

    /// Its own MAC address, which the kernel uses.
    pub fn mac(&self) -> Mac {
        self.mac
    }

    /// A MAC address for a role on this interface: locally administered, never the interface's own, always
    /// the same (see the crate's documentation).
    pub fn role_mac(&self) -> Mac {
        beside(self.mac)
    }

    /// A link-local address for a role with this MAC address. It differs from the address that the kernel
    /// makes from the interface's MAC.
    pub fn role_address(&self, mac: Mac) -> Ipv6Addr {
        if mac == self.mac { self.role_mac().link_local() } else { mac.link_local() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_role_is_local_stable_and_never_the_interfaces() {
        for mac in [[0x00, 0x1B, 0x21, 1, 2, 3], [0x02, 0, 0, 0, 0, 1], [0xFE; 6], [0xFF; 6]].map(Mac) {
            let role = beside(mac);
            assert_ne!(role, mac);
            assert_eq!(role.0[0] & (LOCAL | GROUP), LOCAL, "{role}");
            assert_eq!(role, beside(mac));
            assert_ne!(role.link_local(), mac.link_local());
        }
        assert_eq!(beside(Mac([0x00, 0x1B, 0x21, 1, 2, 3])).to_string(), "02:1b:21:01:02:03");
    }

    #[test]
    fn a_missing_interface_lists_those_there_are() {
        let words = Interface::find("nosuch0").unwrap_err().to_string();
        assert!(
            words.starts_with("there is no interface nosuch0; there are: ") && words.contains("lo ("),
            "{words}"
        );
    }

    #[test]
    fn raw_sockets_are_counted_by_interface_and_protocol() {
        let table = "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n\
            0000000000000000 3      3    0003   7     1 0      0      1\n\
            0000000000000000 3      3    88e1   7     1 0      0      2\n\
            0000000000000000 3      2    0800   7     1 0      0      3\n\
            0000000000000000 3      3    0003   0     1 0      0      4\n\
            0000000000000000 3      3    0003   17    1 0      0      5\n";
        assert_eq!((sockets_on(table, 7), sockets_on(table, 17), sockets_on("", 7)), (3, 2, 0));
    }

    #[test]
    fn frames_are_counted_by_the_whole_name() {
        let table = "Inter-|   Receive\n face |bytes    packets errs\n  plc10: 1 2 3\n   plc1:100 42 0\n";
        assert_eq!((frames_on(table, "plc1"), frames_on(table, "plc")), (Some(42), None));
    }

    #[test]
    fn what_is_not_there_has_no_state_and_the_loopback_no_link_local_address() {
        assert!(Interface::state("lo").unwrap().link_local.is_none());
        assert_eq!(Interface::state("nosuch0").unwrap(), InterfaceState::default());
    }

    #[test]
    fn the_loopback_is_not_ethernet() {
        assert!(matches!(Interface::find("lo"), Err(Error::NotEthernet(_) | Error::Down(_))));
    }
}
