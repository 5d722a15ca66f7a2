//! The roles as the loop drives them.

mod car;
mod charger;
mod listen;

use core::fmt;

use homeplug_mme::NetworkKey;
use machine::{Cx, Machine};
use session::{Latch, Message, Phase, StopReason};

pub use listen::{Heard, Listen};

use crate::Head;

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

    /// What stands before an event's words; `None`: nothing is said. The time is the caller's.
    fn head(event: &Self::Event) -> Option<Head>;
    /// An event's words.
    ///
    /// # Errors
    /// As `out` does.
    fn words(event: &Self::Event, out: &mut fmt::Formatter<'_>) -> fmt::Result;
    /// What an event says besides: what the loop itself has to know.
    fn note(event: &Self::Event) -> Note<'_>;
}

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

/// An event's words where `fmt` asks for them.
pub(crate) struct Words<'e, R: Role>(pub &'e R::Event);

impl<R: Role> fmt::Display for Words<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        R::words(self.0, f)
    }
}
