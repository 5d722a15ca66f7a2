//! The stop button, as the log of a charger or a car says it by syslog.

use listen::When;
use listen::story::Side;

/// That someone asked for the end of charging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pressed {
    /// The first line that says it.
    pub when: When,
    /// On which side.
    pub at: Side,
}

/// Lines of one stop come again with each answer; after this time it is another one: judgement.
const AGAIN_NS: i64 = 30_000_000_000;

impl Pressed {
    /// What a line says (observed in the source of pyPLC's messages:
    /// `User pressed the STOP button on the charger`, `STOP was requested during CableCheck`,
    /// `User requested stop`); a line about an earlier session says nothing.
    pub fn of(when: When, line: &[u8]) -> Option<Self> {
        let line = String::from_utf8_lossy(line).to_ascii_lowercase();
        let has = |word: &&str| line.contains(*word);
        let is_stop = line.contains("stop") && ["user", "button", "stop was requested"].iter().any(has);
        let is_earlier = ["had stopped", "ignoring", "msgname"].iter().any(has);
        let at = if line.contains("[pev]") { Side::Car } else { Side::Charger };
        (is_stop && !is_earlier).then_some(Self { when, at })
    }

    /// This one, unless `other` is of the same stop and came before.
    #[must_use]
    pub fn or_earlier(self, other: Option<Self>) -> Self {
        let is_same = |other: &Self| {
            let since = self.when.time_ns.zip(other.when.time_ns).map(|(to, from)| to.saturating_sub(from));
            since.is_some_and(|since| (0..AGAIN_NS).contains(&since))
        };
        other.filter(is_same).unwrap_or(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_says_that_the_stop_button_was_pressed_and_where() {
        let at = |line: &str| Pressed::of(When::NEVER, line.as_bytes()).map(|pressed| pressed.at);
        for (line, side) in [
            (
                "[81234ms] [EVSE] User pressed the STOP button on the charger. Sending EVSE_Shutdown.",
                Side::Charger,
            ),
            ("[EVSE] STOP was requested during CableCheck. Will not answer the request.", Side::Charger),
            ("[PEV] User requested stop. Sending PowerDeliveryReq Stop.", Side::Car),
        ] {
            assert_eq!(at(line), Some(side), "{line}");
        }
        for line in [
            "[EVSE] User had stopped the session, but a new session is allowed.",
            "[EVSE] Ignoring new request because a stop request from the hardwareInterface is present.",
            "[PEV] Sending SessionStopReq",
            "[PEV] Accu is full. Sending PowerDeliveryReq Stop.",
        ] {
            assert_eq!(at(line), None, "{line}");
        }
    }
}
