//! All that belongs to one session.

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

/// One session. Made new as a whole when a connection begins one; what is left of the last one stays until
/// then.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Session {
    pub(super) state: State,
    /// The protocol that is spoken; until the handshake is answered, the one that is wanted most.
    pub(super) protocol: Protocol,
    pub(super) id: SessionId,
    /// A response is awaited.
    pub(super) is_waiting: bool,
    /// The request that has not been taken yet.
    pub(super) request: Option<Request>,
    pub(super) service_id: u16,
    pub(super) transfer: EnergyTransfer,
    /// The charger's newest limits.
    pub(super) charger: Limits,
    /// The highest voltage that the charger was named, in mV.
    pub(super) named_mv: i32,
    /// The isolation test ended with Valid or Warning.
    pub(super) is_isolated: bool,
    pub(super) isolation_told: bool,
    pub(super) disagreement_told: bool,
    pub(super) loop_told: bool,
    pub(super) settling: Settling,
    /// The last `PreChargeRes` found the voltage near, and a reading from then on may close the contactors.
    pub(super) closes_from: Option<Instant>,
    /// Newest voltage that the charger reported, in mV.
    pub(super) present_mv: Option<i32>,
    /// The lock was confirmed.
    pub(super) is_locked: bool,
    /// Power was asked for.
    pub(super) was_powered: bool,
    pub(super) ramp: Ramp,
    /// What was asked for last, in mA; `None` before the first demand.
    pub(super) asked_ma: Option<i32>,
    pub(super) welding_rounds: u8,
    pub(super) stop: Option<StopReason>,
    pub(super) timers: Timers<Timer, { Timer::ALL.len() }>,
}

impl Session {
    /// A session in which nothing was said yet.
    pub(super) fn new(now: Instant, config: &Config) -> Self {
        let [wanted, ..] = handshake::offer(config);
        let mut id = SessionId::new();
        // Zeros, of any length, mean "no session yet"; eight are what most cars send.
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
