use core::net::Ipv6Addr;

use crate::net::Mac;

/// The configuration of a charger on a link.
#[derive(Clone, Debug)]
pub struct EvseConfig {
    /// Number of the connector, part of every event.
    pub connector: u8,
    /// The station's own MAC address: unicast, and unique on the link.
    pub mac: Mac,
    /// Its link-local address; `None`: derived from `mac` ([`Mac::link_local`]).
    pub address: Option<Ipv6Addr>,
    /// The TCP port that discovery announces.
    pub port: u16,
    /// How the power-line link is established.
    pub link: EvseLink,
    /// Configuration of the session and the plant.
    pub charger: evse_fsm::Config,
}

/// How the power-line link to the car is established.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one of it")]
pub enum EvseLink {
    /// It exists: the modems are paired, or it is plain Ethernet. The first station that sends a discovery
    /// request is served.
    Up,
    /// By SLAC: the charger gives its modem a key, measures the car and sends it that key. Until then no 5 %
    /// without a modem and no IP without a car; afterwards frames of all other stations are ignored.
    Matched {
        /// Configuration of the matching.
        slac: slac::EvseConfig,
        /// The modem's family; `None`: it is detected.
        modem: Option<&'static modem::Profile>,
    },
}

impl EvseLink {
    /// By SLAC with default values and any modem; `mac` is the station's own.
    pub const fn matched(mac: Mac) -> Self {
        Self::Matched { slac: slac::EvseConfig::new(mac), modem: None }
    }
}

impl EvseConfig {
    /// Connector 1 at `mac`, with its link-local address, [`sdp::DEFAULT_TCP_PORT`], the charger's defaults,
    /// and [`EvseLink::Up`].
    pub fn new(mac: Mac) -> Self {
        let (port, charger) = (sdp::DEFAULT_TCP_PORT, evse_fsm::Config::default());
        Self { connector: 1, mac, address: None, port, link: EvseLink::Up, charger }
    }

    /// The configured address, or the one derived from `mac`.
    pub fn address(&self) -> Ipv6Addr {
        self.address.unwrap_or(self.mac.link_local())
    }

    /// Checks each field.
    ///
    /// # Errors
    /// The first field that is invalid.
    pub fn check(&self) -> Result<(), EvseConfigError> {
        if !self.mac.is_unicast() {
            return Err(EvseConfigError::Mac(self.mac));
        }
        if !self.address().is_unicast_link_local() {
            return Err(EvseConfigError::Address(self.address()));
        }
        if self.port == 0 {
            return Err(EvseConfigError::Port);
        }
        if let EvseLink::Matched { slac, .. } = &self.link
            && slac.mac != self.mac
        {
            return Err(EvseConfigError::SlacMac(slac.mac));
        }
        Ok(self.charger.check()?)
    }
}

/// Why [`EvseConfig::check`] refuses an [`EvseConfig`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvseConfigError {
    /// The MAC address is not a unicast address.
    #[error("{0} is not a station's MAC address: give a unicast one")]
    Mac(Mac),
    /// The address is not link-local.
    #[error("{0} is not a link-local address: give one in fe80::/10, or none")]
    Address(Ipv6Addr),
    /// The port is 0.
    #[error("TCP port 0 cannot be announced: give one in 49152..=65535")]
    Port,
    /// The MAC address of the matching differs from the session's.
    #[error("{0} is not the station's MAC address: matching and session need the same")]
    SlacMac(Mac),
    /// The charger's part is invalid.
    #[error(transparent)]
    Charger(#[from] evse_fsm::ConfigError),
}
