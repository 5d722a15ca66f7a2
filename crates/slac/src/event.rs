//! What people and logs want to know of a matching.

use homeplug_mme::{Mac, RunId, SlacFault, ValidateResult};

/// What a matching tells. Addresses are of hosts, not of modems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Charger: a car asks who is there (`CM_SLAC_PARM.REQ`). Car: it asks.
    Asked {
        /// The car.
        car: Mac,
        /// Its run.
        run_id: RunId,
    },
    /// Car: a charger answered (`CM_SLAC_PARM.CNF`). A charger answers everyone who asks.
    Answered {
        /// The other side.
        peer: Mac,
    },
    /// The car announces its sounds (`CM_START_ATTEN_CHAR.IND`).
    Announced {
        /// The car.
        car: Mac,
        /// How many will follow.
        sounds: u8,
    },
    /// Car: its sounds are out.
    Sounded {
        /// How many.
        sounds: u8,
    },
    /// Charger: what its modem heard of a car. Car: what a charger reports (`CM_ATTEN_CHAR.IND`). One for
    /// each station.
    Measured {
        /// The other side.
        peer: Mac,
        /// Measurements averaged.
        sounds: u8,
        /// Mean attenuation in hundredths of a dB.
        mean_cdb: u32,
    },
    /// Car: a charger reports (`CM_ATTEN_CHAR.IND`) that its modem does not measure. One for each station.
    Unmeasured {
        /// The charger.
        peer: Mac,
    },
    /// Car, a warning: no charger that measured is left, so one that did not is tried. It may be another
    /// post's.
    NoneMeasured {
        /// The charger that is tried.
        peer: Mac,
    },
    /// Car, a warning: a charger that would be chosen gave no link, or no session, within the last minute, so
    /// another one is tried before it.
    SetAside {
        /// The charger that is set aside.
        peer: Mac,
        /// The one that is tried instead.
        instead: Mac,
    },
    /// Charger: its modem does not measure, so the profile that it reports is made up.
    Synthesised {
        /// The car.
        peer: Mac,
    },
    /// The report was acknowledged (`CM_ATTEN_CHAR.RSP`).
    Acknowledged {
        /// The other side.
        peer: Mac,
    },
    /// Car: it has chosen a charger and asks for its key (`CM_SLAC_MATCH.REQ`). Charger: it was chosen.
    Chosen {
        /// The other side.
        peer: Mac,
    },
    /// A step of validation (`CM_VALIDATE`) with its result.
    Validated {
        /// The other side.
        peer: Mac,
        /// What the charger said.
        result: ValidateResult,
    },
    /// The key was handed over (`CM_SLAC_MATCH.CNF`).
    KeyGiven {
        /// The other side.
        peer: Mac,
    },
    /// There is a link: D-LINK_READY.
    Matched {
        /// The other side.
        peer: Mac,
    },
    /// The network is left and a new key drawn.
    Left,
    /// An attempt failed; what follows depends on the configuration.
    Failed(Failure),
    /// Too many failed attempts. Charger: it rests for a minute. Car: nothing more until 5 % is taken back or
    /// the plug is pulled.
    GaveUp,
    /// More stations ask or answer than can be remembered: of cars, those that sound come first.
    Crowded,
    /// A frame was not acted on.
    Dropped {
        /// Who sent it.
        from: Mac,
        /// Why.
        why: Dropped,
    },
}

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Charger: no car asked in time. Car: no charger answered.
    NoPeer,
    /// Charger: a car announced itself and was then not heard, or too late.
    NoSound {
        /// The car.
        car: Mac,
    },
    /// Charger: its modem's measurements make no sense (255 dB).
    NoMeasurement {
        /// The car.
        car: Mac,
    },
    /// Car: no charger reported.
    NoReport,
    /// Car: every report is beyond its limit.
    TooWeak,
    /// The report was not acknowledged, or only refused.
    NotAcknowledged {
        /// The car.
        car: Mac,
    },
    /// Charger: the car did not ask for the key in time. Car: the key did not come.
    NoMatch {
        /// The other side.
        peer: Mac,
    },
    /// Validation failed.
    NotValidated {
        /// The other side.
        peer: Mac,
    },
    /// The key was handed over and no link came up in time.
    NoLink {
        /// The other side.
        peer: Mac,
    },
    /// Car: nobody answered over the link.
    NoSession {
        /// The charger.
        peer: Mac,
    },
    /// The link was lost.
    LinkLost {
        /// The other side.
        peer: Mac,
    },
    /// The session above the link asked for a new start (D-LINK_ERROR).
    Asked,
}

/// Why a frame was not acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// What it says is not allowed.
    Fault(SlacFault),
    /// It names another run, car or charger than the sender's.
    Foreign,
    /// It does not belong to this moment.
    OutOfOrder,
    /// A second or late report of a station: the first one counts.
    Repeated,
    /// Nobody has asked this station.
    Unasked,
    /// A measurement that cannot be: 255 dB; a report without any, where only measured ones are taken.
    Implausible,
}
