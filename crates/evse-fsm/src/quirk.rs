//! Field experience as data: what the charger bends for whom.

bitflags::bitflags! {
    /// Which quirks are switched on.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Quirks: u16 {
        /// See [`QUIRKS`].
        const ODD_PRECHARGE_TARGET = 1;
        /// See [`QUIRKS`].
        const PROFILE_POWER = 1 << 1;
        /// See [`QUIRKS`].
        const EMPTY_EVCCID = 1 << 2;
        /// See [`QUIRKS`].
        const SLOW_PILOT = 1 << 3;
        /// See [`QUIRKS`].
        const RELAXED_TIMERS = 1 << 4;
        /// See [`QUIRKS`].
        const IGNORE_UNSUPPORTED = 1 << 5;
        /// See [`QUIRKS`].
        const NOTIFY_STOP = 1 << 6;
        /// See [`QUIRKS`].
        const LATE_CLOSE = 1 << 7;
        /// See [`QUIRKS`].
        const ISOLATION_WARNING = 1 << 8;
        /// See [`QUIRKS`].
        const EARLY_POWER_OFF = 1 << 9;
    }
}

/// One thing that the charger bends.
pub type Quirk = session::Quirk<Quirks>;

/// Every quirk.
pub const QUIRKS: &[Quirk] = &[
    Quirk {
        flag: Quirks::ODD_PRECHARGE_TARGET,
        id: "odd-precharge-target",
        bends: "a PreCharge target that is negative or below the charger's minimum is answered OK with 0 V \
                instead of FAILED",
        needed_by: "Skoda Enyaq, BMW i3 Rex 2018",
        default: true,
    },
    Quirk {
        flag: Quirks::PROFILE_POWER,
        id: "profile-power",
        bends: "a charging profile above the schedule's power is taken instead of \
                FAILED_ChargingProfileInvalid; the limit holds all the same",
        needed_by: "cars above 32 767 W, the most that a schedule can name",
        default: true,
    },
    Quirk {
        flag: Quirks::EMPTY_EVCCID,
        id: "empty-evccid",
        bends: "an empty EVCCID is taken instead of FAILED",
        needed_by: "early pyPLC and test tools",
        default: true,
    },
    Quirk {
        flag: Quirks::SLOW_PILOT,
        id: "slow-pilot",
        bends: "3 s instead of 1.5 s for the pilot to reach C/D before CableCheck and B before \
                WeldingDetection",
        needed_by: "slow pilot drivers; off, because a car that is late gets FAILED from most chargers",
        default: false,
    },
    Quirk {
        flag: Quirks::RELAXED_TIMERS,
        id: "relaxed-timers",
        bends: "the relaxed instead of the standard's budgets for authorisation, CableCheck and PreCharge",
        needed_by: "Model Y (PreCharge for 12 s), people with cards",
        default: true,
    },
    Quirk {
        flag: Quirks::IGNORE_UNSUPPORTED,
        id: "ignore-unsupported",
        bends: "requests that DIN's DC charging has no use for are ignored instead of \
                FAILED_SequenceError",
        needed_by: "nobody known; EvseV2G does it",
        default: false,
    },
    Quirk {
        flag: Quirks::NOTIFY_STOP,
        id: "notify-stop",
        bends: "a stop by the charger also sets the notification StopCharging, besides EVSE_Shutdown",
        needed_by: "cars that look at the notification only; Alpitronic does it, Compleo does not",
        default: true,
    },
    Quirk {
        flag: Quirks::LATE_CLOSE,
        id: "late-close",
        bends: "after a FAILED answer the connection stays open for some seconds for a SessionStopReq",
        needed_by: "cars that end in order after a refusal",
        default: true,
    },
    Quirk {
        flag: Quirks::ISOLATION_WARNING,
        id: "isolation-warning",
        bends: "an isolation test that ends with Warning passes",
        needed_by: "HYC150 sessions that flip to Warning and charge on; chargers with the 2014 bands",
        default: true,
    },
    Quirk {
        flag: Quirks::EARLY_POWER_OFF,
        id: "early-power-off",
        bends: "PowerDelivery(false) between PowerDelivery(true) and the first CurrentDemand is taken instead of \
                FAILED_SequenceError",
        needed_by: "cars whose driver stops at that moment; the other way is the sequence timer",
        default: true,
    },
];

impl Quirks {
    /// The quirks that are on unless switched off.
    pub const DEFAULT: Self = {
        let mut bits = 0;
        let mut rest = QUIRKS;
        while let [quirk, more @ ..] = rest {
            if quirk.default {
                bits |= quirk.flag.bits();
            }
            rest = more;
        }
        Self::from_bits_truncate(bits)
    };

    /// The quirk with this id.
    pub fn by_id(id: &str) -> Option<&'static Quirk> {
        Quirk::by_id(QUIRKS, id)
    }
}

impl Default for Quirks {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_flag_once() {
        let all = QUIRKS.iter().fold(Quirks::empty(), |all, quirk| {
            assert!(!all.intersects(quirk.flag), "{} twice", quirk.id);
            all | quirk.flag
        });
        assert_eq!(all, Quirks::all());
    }

    #[test]
    fn ids_find_their_quirk() {
        assert_eq!(Quirks::by_id("slow-pilot").map(|quirk| quirk.default), Some(false));
        assert_eq!(Quirks::by_id("nonsense"), None);
        assert!(Quirks::DEFAULT.contains(Quirks::ODD_PRECHARGE_TARGET));
    }
}
