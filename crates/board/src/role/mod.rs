//! The roles as the loop runs them.

/// The code that charger and car share: their types differ, the names do not. `$session` is the variant of
/// the role's event that carries an event of its session.
macro_rules! alike {
    ($event:ident => $what:expr, $session:path) => {
        fn demand(&self) -> Demand {
            Self::demand(self)
        }

        fn is_energised(demand: &Demand) -> bool {
            demand.is_energised()
        }

        fn phase(&self) -> Option<session::Phase> {
            Some(Self::phase(self))
        }

        fn key(&self) -> Option<homeplug_mme::NetworkKey> {
            self.modem().and_then(modem::Modem::key)
        }

        fn describe(&self, out: &mut dyn core::fmt::Write) -> core::fmt::Result {
            super::describe(out, self.matching(), self.stop_reason())
        }

        fn note($event: &Self::Event) -> super::Note<'_> {
            match $what {
                $session(Event::Message(message)) => super::Note::Message(message),
                $session(Event::Latched(latch)) => super::Note::Latched(*latch),
                $session(Event::Unlatched(latch)) => super::Note::Unlatched(*latch),
                _ => super::Note::None,
            }
        }
    };
}

mod car;
mod charger;
mod listen;

use core::fmt;

use homeplug_mme::NetworkKey;
use machine::{Cx, Machine};
use session::{Checkpoint, Latch, Message, Phase, StopReason};

pub use listen::{Ear, Heard, Input, Listen, Step};

/// A role that the loop runs.
pub trait Role: Machine<Route = ()> {
    /// What it demands of its cable.
    type Demand: Copy + PartialEq;
    /// What it reads from its cable.
    type Reading;
    /// Name in the log and in the setting `role`.
    const NAME: &'static str;
    /// The demand without hazard.
    const SAFE: Self::Demand;

    /// A received frame as input of the role.
    fn frame(frame: &[u8]) -> Self::Input<'_>;
    /// A snapshot of the cable as input of the role.
    fn reading<'a>(reading: Self::Reading) -> Self::Input<'a>;
    /// A snapshot without any reading: the outputs are not trusted.
    fn no_reading<'a>() -> Self::Input<'a>;
    /// The Ethernet's link went down, as input of the role.
    fn interface_down<'a>() -> Self::Input<'a>;
    /// An operator's request; `false`: this role does not support it.
    fn wish(&mut self, cx: &mut Cx<'_>, wish: Wish) -> bool;

    /// The demand at this moment.
    fn demand(&self) -> Self::Demand;
    /// Whether a demand closes contactors, or requests voltage or current.
    fn is_energised(demand: &Self::Demand) -> bool;
    /// Phase of the session; `None`: the role has no session.
    fn phase(&self) -> Option<Phase>;
    /// The network key; `None`: none was set.
    fn key(&self) -> Option<NetworkKey>;
    /// Writes the state of matching and the last stop reason, as text that follows the phase.
    ///
    /// # Errors
    /// Those of `out`.
    fn describe(&self, out: &mut dyn fmt::Write) -> fmt::Result;

    /// Logs an event: one call of `line` for each line, no call if the event has no text.
    fn say(&mut self, event: &Self::Event, line: &mut OnLine<'_>);
    /// The part of an event that the loop acts on.
    fn note(event: &Self::Event) -> Note<'_>;
}

/// Receives one line: its checkpoint number if it has one, the sender or `warning`, its text.
pub type OnLine<'l> = dyn FnMut(Option<Checkpoint>, &'static str, fmt::Arguments<'_>) + 'l;

/// Writes the state of matching and the last stop reason of either side; `matching` is `None` where the link
/// is configured.
fn describe(
    out: &mut dyn fmt::Write,
    matching: Option<impl fmt::Debug>,
    reason: Option<StopReason>,
) -> fmt::Result {
    match matching {
        Some(state) => write!(out, ", matching {state:?}")?,
        None => out.write_str(", link given")?,
    }
    match reason {
        Some(reason) => write!(out, ", last stop: {reason}"),
        None => Ok(()),
    }
}

/// An operator's request to a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Charger: offer charging. Car: charge.
    Start,
    /// End the session normally, and begin no new one until [`Start`](Self::Start).
    Stop,
    /// Whether this car may charge.
    Authorise(bool),
    /// Clear a latch and a suspect sensor.
    Reset,
    /// The latch that flash had at the start.
    Latch(Latch),
}

/// What the loop has to act on.
#[derive(Clone, Copy, Debug)]
pub enum Note<'e> {
    /// No action.
    None,
    /// A message of the session, for its log line.
    Message(&'e Message),
    /// Save this latch in flash.
    Latched(Latch),
    /// Remove this latch from flash.
    Unlatched(Latch),
}
