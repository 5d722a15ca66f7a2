use core::net::Ipv6Addr;

use crate::net::Mac;

/// Everything that can be set about a charger on a link.
#[derive(Clone, Debug)]
pub struct EvseConfig {
    /// Number of the connector, told with every event.
    pub connector: u8,
    /// The station's own MAC address: unicast, and no other station's on the link.
    pub mac: Mac,
    /// Its link-local address; `None`: made from `mac` ([`Mac::link_local`]).
    pub address: Option<Ipv6Addr>,
    /// The TCP port that discovery announces.
    pub port: u16,
    /// How the power-line link comes about.
    pub link: EvseLink,
    /// The session and the plant.
    pub charger: evse_fsm::Config,
}

/// How the power-line link to the car comes about.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant, reason = "there is one of it")]
pub enum EvseLink {
    /// It is there: the modems are paired already, or it is a plain Ethernet. Whoever discovers the charger
    /// first is served.
    Up,
    /// By SLAC: the modem gets a key, the car is measured and given that key. Until then no 5 % without a
    /// modem, and no IP without a car; afterwards no other station is heard.
    Matched {
        /// How it is matched.
        slac: slac::EvseConfig,
        /// The modem's family where it is known; else it is found out.
        modem: Option<&'static modem::Profile>,
    },
}

impl EvseLink {
    /// By SLAC as usual, with any modem; `mac` is the station's own.
    pub const fn matched(mac: Mac) -> Self {
        Self::Matched { slac: slac::EvseConfig::new(mac), modem: None }
    }
}

impl EvseConfig {
    /// Connector 1 at `mac`, with its link-local address, [`sdp::DEFAULT_TCP_PORT`], the charger's
    /// defaults, on a link that is taken as up.
    pub fn new(mac: Mac) -> Self {
        let (port, charger) = (sdp::DEFAULT_TCP_PORT, evse_fsm::Config::default());
        Self { connector: 1, mac, address: None, port, link: EvseLink::Up, charger }
    }

    /// The address it will have.
    pub fn address(&self) -> Ipv6Addr {
        self.address.unwrap_or(self.mac.link_local())
    }

    /// Says what is wrong.
    ///
    /// # Errors
    /// See [`EvseConfigError`].
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

/// What is wrong with an [`EvseConfig`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvseConfigError {
    /// The MAC address is not one station's.
    #[error("{0} is not a station's MAC address: give a unicast one")]
    Mac(Mac),
    /// The address is not link-local.
    #[error("{0} is not a link-local address: give one in fe80::/10, or none")]
    Address(Ipv6Addr),
    /// The port is 0.
    #[error("TCP port 0 cannot be announced: give one in 49152..=65535")]
    Port,
    /// Matching would be done under another MAC address than the session.
    #[error("{0} is not the station's MAC address: matching and session need the same")]
    SlacMac(Mac),
    /// The charger's part.
    #[error(transparent)]
    Charger(#[from] evse_fsm::ConfigError),
}
