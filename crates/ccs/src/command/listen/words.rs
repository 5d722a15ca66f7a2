//! Texts of a listener that belong to no frame.

use listen::Sight;
use listen::story::Side as Saying;
use modem::ModemEvent;

use crate::words::{Side, of_modem};

/// Printed at the end if no frame of charging was observed.
pub(super) const NOTHING: &str = "nothing of a matching, a discovery or a session was heard: is a modem, or a host beside one, on this \
                           interface? docs/listen.md says where a listener hears what";

/// What can be observed, and remedies; `None` if nothing has to be reported.
pub(super) fn of_sight(sight: Sight) -> Option<&'static str> {
    match sight {
        Sight::Nothing | Sight::Waiting => None,
        Sight::Connections => Some("a connection is seen"),
        Sight::OneSide(Saying::Charger) => Some(
            "only what the charger says is seen: the own modem is a third station that is set up as a car's. A second modem \
             that is set up as a charger's shows the other side of the matching; of the session a third station shows \
             broadcasts only, joined or not (docs/listen.md has the ways out)",
        ),
        Sight::OneSide(Saying::Car) => Some(
            "only what the car says is seen: the own modem is a third station that is set up as a charger's. A second modem \
             that is set up as a car's shows the other side of the matching and the network's key; of the session a third \
             station shows broadcasts only, joined or not (docs/listen.md has the ways out)",
        ),
        Sight::OnlyBroadcasts => Some(
            "only broadcasts are seen: a modem forwards what is for another station to no third one, and joining with the \
             key alone does not change that. Ways out: two modems back to back as a bridge in the line (`-i` twice and \
             `--join`); a mirror, that is `ccs listen` on the charger's or the car's own host; an older modem that \
             forwards everything (docs/listen.md)",
        ),
        Sight::NoConnection => Some(
            "no connection is seen for 20 s: the car did not connect, or this modem is a third station that shows what \
             cars say while they are matched and nothing later (docs/listen.md)",
        ),
    }
}

/// The text for an event of the own modem on this interface.
pub(super) fn of_own_modem(interface: &str, event: &ModemEvent) -> String {
    let words = match event {
        ModemEvent::NotFound => {
            "modem: none answers: is it powered, is it on this interface? The search goes on".into()
        }
        event => of_modem(Side::Pev, event),
    };
    format!("{interface}: {words}")
}
