use core::net::Ipv6Addr;

use homeplug_mme::Mac;

/// The configuration of a car on a cable.
#[derive(Clone, Debug)]
pub struct PevConfig {
    /// The station's own MAC address: unicast, and unique on the link.
    pub mac: Mac,
    /// Its link-local address; `None`: derived from `mac` ([`Mac::link_local`]).
    pub address: Option<Ipv6Addr>,
    /// How the power-line link is established.
    pub link: PevLink,
    /// Whether discovery and a session follow the link; `false`: the car only establishes the link.
    pub discovers: bool,
    /// Configuration of the session and the plant.
    pub car: pev_fsm::Config,
}

/// How the power-line link to the charger is established.
#[derive(Clone, Copy, Debug)]
pub enum PevLink {
    /// It exists: the modems are paired, or it is plain Ethernet.
    Up,
    /// By SLAC: all chargers that receive the car's sounds measure them, and the car uses the key of the
    /// nearest. Frames of all other stations are then ignored.
    Matched {
        /// Configuration of the matching.
        slac: slac::PevConfig,
        /// The modem's family; `None`: it is detected.
        modem: Option<&'static modem::Profile>,
    },
}

impl PevLink {
    /// By SLAC with default values and any modem; `mac` is the station's own.
    pub const fn matched(mac: Mac) -> Self {
        Self::Matched { slac: slac::PevConfig::new(mac), modem: None }
    }
}

impl PevConfig {
    /// A car at `mac`, with its link-local address and the car's defaults, matched by SLAC with default
    /// values.
    pub fn new(mac: Mac) -> Self {
        Self {
            mac,
            address: None,
            link: PevLink::matched(mac),
            discovers: true,
            car: pev_fsm::Config::default(),
        }
    }

    /// The configured address, or the one derived from `mac`.
    pub fn address(&self) -> Ipv6Addr {
        self.address.unwrap_or(self.mac.link_local())
    }

    /// Checks each field.
    ///
    /// # Errors
    /// The first field that is invalid.
    pub fn check(&self) -> Result<(), PevConfigError> {
        if !self.mac.is_unicast() {
            return Err(PevConfigError::Mac(self.mac));
        }
        if !self.address().is_unicast_link_local() {
            return Err(PevConfigError::Address(self.address()));
        }
        if let PevLink::Matched { slac, .. } = &self.link
            && slac.mac != self.mac
        {
            return Err(PevConfigError::SlacMac(slac.mac));
        }
        Ok(self.car.check()?)
    }
}

/// Why [`PevConfig::check`] refuses a [`PevConfig`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PevConfigError {
    /// The MAC address is not a unicast address.
    #[error("{0} is not a station's MAC address: give a unicast one")]
    Mac(Mac),
    /// The address is not link-local.
    #[error("{0} is not a link-local address: give one in fe80::/10, or none")]
    Address(Ipv6Addr),
    /// The MAC address of the matching differs from the session's.
    #[error("{0} is not the station's MAC address: matching and session need the same")]
    SlacMac(Mac),
    /// The car's part is invalid.
    #[error(transparent)]
    Car(#[from] pev_fsm::ConfigError),
}
