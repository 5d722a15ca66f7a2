//! The stop button, as the log of a charger or a car reports it by syslog.

use listen::When;
use listen::story::Side;

/// A request by a person to end charging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pressed {
    /// The first line that reports it.
    pub when: When,
    /// The side of the button.
    pub at: Side,
}

/// The lines of one stop repeat with each response; after this time in ns they belong to another stop:
/// judgement.
const AGAIN_NS: i64 = 30_000_000_000;

impl Pressed {
    /// The request that a line reports (observed in pyPLC's source: `User pressed the STOP button on the
    /// charger`, `STOP was requested during CableCheck`, `User requested stop`); `None` for a line about an
    /// earlier session.
    pub fn of(when: When, line: &[u8]) -> Option<Self> {
        let line = String::from_utf8_lossy(line).to_ascii_lowercase();
        let has = |word: &&str| line.contains(*word);
        let is_stop = line.contains("stop") && ["user", "button", "stop was requested"].iter().any(has);
        let is_earlier = ["had stopped", "ignoring", "msgname"].iter().any(has);
        let at = if line.contains("[pev]") { Side::Car } else { Side::Charger };
        (is_stop && !is_earlier).then_some(Self { when, at })
    }

    /// This request, unless `other` is of the same stop and came earlier.
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
