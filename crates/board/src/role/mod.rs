//! The roles as the loop drives them.

/// What charger and car do alike: their types differ, and the names in them do not. `$session` is the variant
/// of the role's event that has one of its session.
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

/// A role that the loop drives.
pub trait Role: Machine<Route = ()> {
    /// What it demands of its cable.
    type Demand: Copy + PartialEq;
    /// What it is given of its cable.
    type Reading;
    /// Its name in the log and in the setting `role`.
    const NAME: &'static str;
    /// The demand where nothing can happen.
    const SAFE: Self::Demand;

    /// A frame as its input; `None`: it takes none.
    fn frame(frame: &[u8]) -> Self::Input<'_>;
    /// A snapshot of its cable as its input.
    fn reading<'a>(reading: Self::Reading) -> Self::Input<'a>;
    /// A snapshot without any reading: the cable cannot be trusted now.
    fn no_reading<'a>() -> Self::Input<'a>;
    /// The Ethernet's link is down.
    fn interface_down<'a>() -> Self::Input<'a>;
    /// A person wants something; `false`: this role does not know it.
    fn wish(&mut self, cx: &mut Cx<'_>, wish: Wish) -> bool;

    /// What it demands now.
    fn demand(&self) -> Self::Demand;
    /// Whether a demand wants energy.
    fn is_energised(demand: &Self::Demand) -> bool;
    /// Where it is; `None`: it has no session.
    fn phase(&self) -> Option<Phase>;
    /// The network key at hand.
    fn key(&self) -> Option<NetworkKey>;
    /// Writes where it is, in words that follow its phase.
    ///
    /// # Errors
    /// As `out` does.
    fn describe(&self, out: &mut dyn fmt::Write) -> fmt::Result;

    /// Says an event: a call of `line` for each line, none where there are no words for it.
    fn say(&mut self, event: &Self::Event, line: &mut OnLine<'_>);
    /// What an event says besides: what the loop itself has to know.
    fn note(event: &Self::Event) -> Note<'_>;
}

/// Gets a line: its number, where it has one; what stands before its words; its words.
pub type OnLine<'l> = dyn FnMut(Option<Checkpoint>, &'static str, fmt::Arguments<'_>) + 'l;

/// Where matching and the last session of either side are; `matching` is `None` where the link is given.
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

/// What a person wants of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Offer charging, or charge.
    Start,
    /// End the session in order, and begin no other one until [`Start`](Self::Start).
    Stop,
    /// Whether this car may charge.
    Authorise(bool),
    /// Clear what is latched.
    Reset,
    /// What was latched when the power went.
    Latch(Latch),
}

/// What the loop has to know of an event.
#[derive(Clone, Copy, Debug)]
pub enum Note<'e> {
    /// Nothing.
    None,
    /// A message of the session.
    Message(&'e Message),
    /// To be kept over power loss.
    Latched(Latch),
    /// What was kept may go.
    Unlatched(Latch),
}
