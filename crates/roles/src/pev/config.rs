use core::net::Ipv6Addr;

use homeplug_mme::Mac;

/// Everything that can be set about a car on a cable.
#[derive(Clone, Debug)]
pub struct PevConfig {
    /// The station's own MAC address: unicast, and no other station's on the link.
    pub mac: Mac,
    /// Its link-local address; `None`: made from `mac` ([`Mac::link_local`]).
    pub address: Option<Ipv6Addr>,
    /// How the power-line link comes about.
    pub link: PevLink,
    /// Whether a session follows; `false` stays at the link.
    pub discovers: bool,
    /// The session and the plant.
    pub car: pev_fsm::Config,
}

/// How the power-line link to the charger comes about.
#[derive(Clone, Copy, Debug)]
pub enum PevLink {
    /// It is there: the modems are paired already, or it is a plain Ethernet.
    Up,
    /// By SLAC: the car is measured by the chargers within earshot, takes the key of the nearest, and hears
    /// no other station afterwards.
    Matched {
        /// How it is matched.
        slac: slac::PevConfig,
        /// The modem's family where it is known; else it is found out.
        modem: Option<&'static modem::Profile>,
    },
}

impl PevLink {
    /// By SLAC as usual, with any modem; `mac` is the station's own.
    pub const fn matched(mac: Mac) -> Self {
        Self::Matched { slac: slac::PevConfig::new(mac), modem: None }
    }
}

impl PevConfig {
    /// A car at `mac`, with its link-local address and the car's defaults, matched by SLAC as usual.
    pub fn new(mac: Mac) -> Self {
        Self {
            mac,
            address: None,
            link: PevLink::matched(mac),
            discovers: true,
            car: pev_fsm::Config::default(),
        }
    }

    /// The address it will have.
    pub fn address(&self) -> Ipv6Addr {
        self.address.unwrap_or(self.mac.link_local())
    }

    /// Says what is wrong.
    ///
    /// # Errors
    /// See [`PevConfigError`].
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

/// What is wrong with a [`PevConfig`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PevConfigError {
    /// The MAC address is not one station's.
    #[error("{0} is not a station's MAC address: give a unicast one")]
    Mac(Mac),
    /// The address is not link-local.
    #[error("{0} is not a link-local address: give one in fe80::/10, or none")]
    Address(Ipv6Addr),
    /// Matching would be done under another MAC address than the session.
    #[error("{0} is not the station's MAC address: matching and session need the same")]
    SlacMac(Mac),
    /// The car's part.
    #[error(transparent)]
    Car(#[from] pev_fsm::ConfigError),
}
