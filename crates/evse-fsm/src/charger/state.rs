//! The state of one session.

use machine::{Instant, Timers, timers};
use session::{Limits, Protocol, StopReason, Time};

use crate::order::State;
use crate::request::{Answer, Request, SessionId};
use crate::{Isolation, Status};

/// The state of one session; nothing of it is kept for the next.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Session {
    pub(super) protocol: Protocol,
    pub(super) state: State,
    pub(super) id: SessionId,
    /// The connection is to be closed.
    pub(super) close: bool,
    /// The car's limits.
    pub(super) car_limits: Limits,
    pub(super) isolation: Isolation,
    /// When the first request for the charger's parameters arrived.
    pub(super) parameters_since: Option<Instant>,
    /// The charging loop was reached.
    pub(super) charged: bool,
    /// The car reports that it is not ready.
    pub(super) car_waits: bool,
    /// The car was at pilot C or D for the cable check and has left it.
    pub(super) car_left: bool,
    pub(super) stop: Option<Stop>,
    pub(super) waiting: Option<Waiting>,
    pub(super) answer: Option<Answer>,
    pub(super) bad_messages: u8,
    pub(super) timers: Timers<Timer, 8>,
}

/// A stop in progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    pub(super) reason: StopReason,
    /// The status in responses.
    pub(super) status: Status,
}

/// A request whose response waits for the pilot, or for the current to fall.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) request: Request,
    pub(super) until: Instant,
}

impl Session {
    pub(super) const fn new(state: State) -> Self {
        Self {
            protocol: Protocol::Din,
            state,
            id: SessionId::new(),
            close: false,
            car_limits: Limits::NONE,
            isolation: Isolation::Measuring,
            parameters_since: None,
            charged: false,
            car_waits: false,
            car_left: false,
            stop: None,
            waiting: None,
            answer: None,
            bad_messages: 0,
            timers: Timers::new(),
        }
    }
}

timers! {
    pub(super) enum Timer {
        Setup = Time::SetupBudget.name(),
        Sequence = Time::Sequence.name(),
        Authorisation = Time::AuthorisationBudget.name(),
        CableCheck = Time::CableCheckBudget.name(),
        PreCharge = Time::PreChargeBudget.name(),
        Welding = Time::WeldingBudget.name(),
        StopGrace = Time::StopGrace.name(),
        Close = Time::CloseAfterStop.name(),
    }
}
