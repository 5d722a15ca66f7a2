use std::net::Ipv6Addr;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::LinkAddr;
use roles::Mac;

use crate::Error;

/// A network interface of this machine.
#[derive(Clone, Debug)]
pub struct Interface {
    name: String,
    mac: Mac,
    /// The kernel's own description of where frames go in and out.
    pub(crate) link: LinkAddr,
}

/// The bit that says that an address was not given by a manufacturer.
const LOCAL: u8 = 0x02;
/// The bit of groups.
const GROUP: u8 = 0x01;

/// A locally administered address that differs from `mac` and is the same each time.
///
/// A manufacturer's address keeps its other bits, so two machines do not get the same one. A local address
/// (virtual interfaces) is told apart by its second byte.
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
    /// [`Error::NoInterface`] with those there are, [`Error::NotEthernet`], [`Error::Down`].
    pub fn find(name: &str) -> Result<Self, Error> {
        let addresses = getifaddrs().map_err(Error::os("listing the interfaces"))?;
        let mut there_are = Vec::new();
        for address in addresses {
            // Every interface has one address of its link layer; the others are of IP.
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

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its own MAC address, which the kernel uses.
    pub fn mac(&self) -> Mac {
        self.mac
    }

    /// A MAC address for a role on this interface: locally administered, never the interface's own, the
    /// same each time (see the crate's documentation).
    pub fn role_mac(&self) -> Mac {
        beside(self.mac)
    }

    /// A link-local address for a role with this MAC address, never the one that the kernel makes from the
    /// interface's.
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
    fn the_loopback_is_not_ethernet() {
        assert!(matches!(Interface::find("lo"), Err(Error::NotEthernet(_) | Error::Down(_))));
    }
}
