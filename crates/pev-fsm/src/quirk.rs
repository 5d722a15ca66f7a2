//! Field experience as data: what the car bends for whom.

bitflags::bitflags! {
    /// Which quirks are switched on.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Quirks: u8 {
        /// See [`QUIRKS`].
        const PLAIN_OK = 1;
        /// See [`QUIRKS`].
        const NOT_READY_FINISHED = 1 << 1;
        /// See [`QUIRKS`].
        const INVALID_IN_LOOP = 1 << 2;
        /// See [`QUIRKS`].
        const RELAXED_TIMERS = 1 << 3;
        /// See [`QUIRKS`].
        const UNTOLD_ISOLATION = 1 << 4;
        /// See [`QUIRKS`].
        const NO_SCHEMA_ID = 1 << 5;
    }
}

/// One thing that the car bends.
pub type Quirk = session::Quirk<Quirks>;

/// Every quirk.
pub const QUIRKS: &[Quirk] = &[
    Quirk {
        flag: Quirks::PLAIN_OK,
        id: "plain-ok",
        bends: "SessionSetupRes with OK instead of OK_NewSessionEstablished opens a session",
        needed_by: "ABB Terra, early pyPLC",
        default: true,
    },
    Quirk {
        flag: Quirks::NOT_READY_FINISHED,
        id: "not-ready-finished",
        bends: "CableCheckRes Finished with another status than Ready passes, as long as the isolation is Valid \
                or Warning",
        needed_by: "pyPLC as a charger",
        default: true,
    },
    Quirk {
        flag: Quirks::INVALID_IN_LOOP,
        id: "invalid-in-loop",
        bends: "isolation Invalid behind a good isolation test is logged and tolerated",
        needed_by: "programs that leave the field as it was before the test",
        default: true,
    },
    Quirk {
        flag: Quirks::RELAXED_TIMERS,
        id: "relaxed-timers",
        bends: "the times as configured, up to the field's; without it none is longer than the standard's",
        needed_by: "Compleo, ABB, people with cards",
        default: true,
    },
    Quirk {
        flag: Quirks::UNTOLD_ISOLATION,
        id: "untold-isolation",
        bends: "a CableCheckRes Finished without any isolation status passes like Warning; off, because then nobody \
                has said that the isolation is good",
        needed_by: "pyPLC as a charger: it leaves the field out",
        default: false,
    },
    Quirk {
        flag: Quirks::NO_SCHEMA_ID,
        id: "no-schema-id",
        bends: "a handshake answer that agrees without a SchemaID means the protocol that was offered, where only one was",
        needed_by: "chargers that leave the optional field out; with one protocol offered it says nothing new",
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
        assert_eq!(Quirks::by_id("plain-ok").map(|quirk| quirk.flag), Some(Quirks::PLAIN_OK));
        assert_eq!(Quirks::by_id("nonsense"), None);
    }
}
