//! The state of one session.

use machine::{Instant, TimerName, Timers, timers};
use session::{EnergyTransfer, Limits, Protocol, StopReason};

use crate::order::State;
use crate::policy::Ramp;
use crate::request::{Request, SessionId};
use crate::settle::Settling;
use crate::{Config, handshake};

timers! {
    pub(super) enum Timer {
        Message = "response",
        Setup = "communication setup",
        ReadyToCharge = "ready to charge",
        Loop = "loop",
        Pace = "next request",
        Lock = "lock confirmation",
        StopBy = "stop by the charger",
        NoDemand = "no demand",
        NoCurrent = "no current",
    }
}

/// The state of one session. Replaced as a whole when a connection begins; the last session's state stays
/// until then.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Session {
    pub(super) state: State,
    /// The protocol in use; until the response to the handshake the preferred one.
    pub(super) protocol: Protocol,
    pub(super) id: SessionId,
    /// A response is pending.
    pub(super) is_waiting: bool,
    /// The request that has not been fetched yet.
    pub(super) request: Option<Request>,
    pub(super) service_id: u16,
    pub(super) transfer: EnergyTransfer,
    /// The newest limits that the charger has reported.
    pub(super) charger: Limits,
    /// The highest voltage limit that the car has sent to the charger, in mV.
    pub(super) named_mv: i32,
    /// The isolation test has ended with Valid or Warning.
    pub(super) is_isolated: bool,
    pub(super) isolation_told: bool,
    pub(super) disagreement_told: bool,
    pub(super) loop_told: bool,
    pub(super) settling: Settling,
    /// The last `PreChargeRes` has a voltage near the battery's; a reading from this time or later may close
    /// the contactors.
    pub(super) closes_from: Option<Instant>,
    /// The newest voltage that the charger has reported, in mV.
    pub(super) present_mv: Option<i32>,
    /// The lock has confirmed.
    pub(super) is_locked: bool,
    /// Power has been requested.
    pub(super) was_powered: bool,
    pub(super) ramp: Ramp,
    /// The newest requested current in mA; `None` before the first `CurrentDemandReq`.
    pub(super) asked_ma: Option<i32>,
    pub(super) welding_rounds: u8,
    pub(super) stop: Option<StopReason>,
    pub(super) timers: Timers<Timer, { Timer::ALL.len() }>,
}

impl Session {
    /// A session before its first message.
    pub(super) fn new(now: Instant, config: &Config) -> Self {
        let [wanted, ..] = handshake::offer(config);
        let mut id = SessionId::new();
        // An id of zeros, of any length, means "no session yet"; most cars send eight bytes.
        let _ = id.resize(8, 0);
        Self {
            state: State::NoSession,
            protocol: wanted.protocol,
            id,
            is_waiting: false,
            request: None,
            service_id: 1,
            transfer: config.energy_transfer,
            charger: Limits::NONE,
            named_mv: i32::MAX,
            is_isolated: false,
            isolation_told: false,
            disagreement_told: false,
            loop_told: false,
            settling: Settling::default(),
            closes_from: None,
            present_mv: None,
            is_locked: false,
            was_powered: false,
            ramp: Ramp::new(now),
            asked_ma: None,
            welding_rounds: 0,
            stop: None,
            timers: Timers::new(),
        }
    }
}
