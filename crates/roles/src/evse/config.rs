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
    /// The session and the plant.
    pub charger: evse_fsm::Config,
}

impl EvseConfig {
    /// Connector 1 at `mac`, with its link-local address, [`sdp::DEFAULT_TCP_PORT`] and the charger's
    /// defaults.
    pub fn new(mac: Mac) -> Self {
        let (port, charger) = (sdp::DEFAULT_TCP_PORT, evse_fsm::Config::default());
        Self { connector: 1, mac, address: None, port, charger }
    }

    /// The address it will have.
    pub fn address(&self) -> Ipv6Addr {
        self.address.unwrap_or(self.mac.link_local())
    }

    /// Says what is wrong.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn check(&self) -> Result<(), ConfigError> {
        if !self.mac.is_unicast() {
            return Err(ConfigError::Mac(self.mac));
        }
        if !self.address().is_unicast_link_local() {
            return Err(ConfigError::Address(self.address()));
        }
        if self.port == 0 {
            return Err(ConfigError::Port);
        }
        Ok(self.charger.check()?)
    }
}

/// What is wrong with an [`EvseConfig`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The MAC address is not one station's.
    #[error("{0} is not a station's MAC address: give a unicast one")]
    Mac(Mac),
    /// The address is not link-local.
    #[error("{0} is not a link-local address: give one in fe80::/10, or none")]
    Address(Ipv6Addr),
    /// The port is 0.
    #[error("TCP port 0 cannot be announced: give one in 49152..=65535")]
    Port,
    /// The charger's part.
    #[error(transparent)]
    Charger(#[from] evse_fsm::ConfigError),
}
