//! Events of a matching, for logs and the layers above.

use homeplug_mme::{Mac, RunId, SlacFault, ValidateResult};

/// An event of a matching. Addresses are those of hosts, not of modems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A car begins a run with `CM_SLAC_PARM.REQ`: received by the charger, sent by the car.
    Asked {
        /// The car.
        car: Mac,
        /// The car's run.
        run_id: RunId,
    },
    /// Car: a charger responded (`CM_SLAC_PARM.CNF`). Every charger responds to every car.
    Answered {
        /// The other side.
        peer: Mac,
    },
    /// The car announces its sounds (`CM_START_ATTEN_CHAR.IND`).
    Announced {
        /// The car.
        car: Mac,
        /// The number of sounds that follow.
        sounds: u8,
    },
    /// Car: all sounds are sent.
    Sounded {
        /// The number of sounds.
        sounds: u8,
    },
    /// Charger: the average of its modem's measurements of a car. Car: the report of a charger
    /// (`CM_ATTEN_CHAR.IND`). Once for each station.
    Measured {
        /// The other side.
        peer: Mac,
        /// Number of averaged measurements.
        sounds: u8,
        /// Mean attenuation in hundredths of a dB.
        mean_cdb: u32,
    },
    /// Car: a charger's report (`CM_ATTEN_CHAR.IND`) states that its modem does not measure. Once for each
    /// station.
    Unmeasured {
        /// The charger.
        peer: Mac,
    },
    /// Car, a warning: no charger that measured is left, so the car tries one that did not. It may belong to
    /// another post.
    NoneMeasured {
        /// The charger that the car tries.
        peer: Mac,
    },
    /// Car, a warning: the charger with the best report led to no link or no session within the last minute,
    /// so the car tries another one first.
    SetAside {
        /// The charger that is postponed.
        peer: Mac,
        /// The charger that the car tries instead.
        instead: Mac,
    },
    /// Charger: its modem does not measure, so it reports a synthetic profile.
    Synthesised {
        /// The car.
        peer: Mac,
    },
    /// The report was acknowledged (`CM_ATTEN_CHAR.RSP`).
    Acknowledged {
        /// The other side.
        peer: Mac,
    },
    /// The car has chosen this charger and requests its key (`CM_SLAC_MATCH.REQ`).
    Chosen {
        /// The other side.
        peer: Mac,
    },
    /// A step of validation (`CM_VALIDATE`) with its result.
    Validated {
        /// The other side.
        peer: Mac,
        /// The charger's result.
        result: ValidateResult,
    },
    /// The charger has sent the key (`CM_SLAC_MATCH.CNF`).
    KeyGiven {
        /// The other side.
        peer: Mac,
    },
    /// The link is established: D-LINK_READY.
    Matched {
        /// The other side.
        peer: Mac,
    },
    /// The network is left, and a new key is drawn.
    Left,
    /// An attempt failed; the configuration determines what follows.
    Failed(Failure),
    /// Too many attempts failed. Charger: no offer for a minute. Car: no attempt until 5 % is withdrawn or
    /// the plug is pulled.
    GaveUp,
    /// More stations send than there is room for; cars that sound are preferred.
    Crowded,
    /// A frame was ignored.
    Dropped {
        /// The sender of the frame.
        from: Mac,
        /// The reason.
        why: Dropped,
    },
}

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Charger: no car sent `CM_SLAC_PARM.REQ` in time. Car: no charger responded.
    NoPeer,
    /// Charger: a car announced itself, and its sounds did not arrive, or too late.
    NoSound {
        /// The car.
        car: Mac,
    },
    /// Charger: its modem's measurements are invalid (255 dB).
    NoMeasurement {
        /// The car.
        car: Mac,
    },
    /// Car: no charger reported.
    NoReport,
    /// Car: every report exceeds its limit.
    TooWeak,
    /// The car did not acknowledge the report, or only refused it.
    NotAcknowledged {
        /// The car.
        car: Mac,
    },
    /// Charger: the car did not request the key in time. Car: the key did not arrive.
    NoMatch {
        /// The other side.
        peer: Mac,
    },
    /// Validation failed.
    NotValidated {
        /// The other side.
        peer: Mac,
    },
    /// The key was sent, and no link was established in time.
    NoLink {
        /// The other side.
        peer: Mac,
    },
    /// Car: no response over the link.
    NoSession {
        /// The charger.
        peer: Mac,
    },
    /// The link was lost.
    LinkLost {
        /// The other side.
        peer: Mac,
    },
    /// The session above the link requested a new matching (D-LINK_ERROR).
    Asked,
}

/// Why a frame was ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// Its content is not allowed.
    Fault(SlacFault),
    /// It names another run, car or charger than its sender.
    Foreign,
    /// It is out of order.
    OutOfOrder,
    /// A repeated or late report of a station: only the first one counts.
    Repeated,
    /// This station was not requested to send it.
    Unasked,
    /// An impossible measurement of 255 dB, or a report without measurement where only measured ones are
    /// accepted.
    Implausible,
}
