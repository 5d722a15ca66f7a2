//! How a session ended: which side ended it, in which message, when, and for which cause.

use session::Phase;

use super::{Sign, Story};
use crate::{Close, When};

/// One side of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The car.
    Car,
    /// The charger.
    Charger,
}

impl Side {
    /// The name in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Car => "the car",
            Self::Charger => "the charger",
        }
    }
}

/// What ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The charger answered with this FAILED code.
    Failed(&'static str),
    /// The charger refused the handshake with this code.
    Refused(&'static str),
    /// The car reported this error code.
    CarError(&'static str),
    /// The charger requested the end with this status or notification.
    ChargerStatus(&'static str),
    /// The car ended charging or the session with this message, without an earlier sign.
    CarStop(&'static str),
    /// The connection was closed without `SessionStop`.
    Closed(Close),
    /// The capture ends before the session does.
    Unseen,
}

impl How {
    /// The code, the message, or how the connection was closed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Failed(what) | Self::Refused(what) | Self::CarError(what) | Self::ChargerStatus(what) => {
                what
            }
            // The car stops normally.
            Self::CarStop(message) => match message.as_bytes() {
                b"PowerDeliveryReq" => "PowerDelivery(false)",
                _ => message,
            },
            Self::Closed(Close::Fin) => "FIN",
            Self::Closed(Close::Reset) => "RST",
            Self::Closed(Close::Refused) => "refused",
            Self::Unseen => "capture ends",
        }
    }
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The side that ended it; `None` where the capture ends before the session.
    pub by: Option<Side>,
    /// What ended it.
    pub how: How,
    /// The phase in which it ended.
    pub phase: Phase,
    /// The frame with the first sign of the end.
    pub when: When,
    /// An earlier deviation of the other side that caused the end, and the message that shows it.
    pub cause: Option<(Cause, Sign)>,
    /// Whether `SessionStop` closed the session.
    pub is_orderly: bool,
}

/// A deviation that caused the other side to end the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A message that the sequence does not permit at this point.
    OutOfOrder(Side),
    /// A message with a session id that differs from the charger's.
    WrongSession(Side),
    /// The charger did not answer a request; waiting time in ns.
    Unanswered(i64),
    /// The car sent no request after an answer; waiting time in ns.
    Silent(i64),
    /// The charger reported `EVSEProcessing` = Ongoing; duration in ns.
    Unfinished(i64),
    /// The charger finished the cable check, but was not ready or its isolation was not valid; the sign shows
    /// which.
    NotReady,
    /// The charger did not reach the target voltage of precharge: target and voltage in mV.
    VoltageOff(i32, i32),
}

impl Cause {
    /// The side that caused it.
    pub const fn side(self) -> Side {
        match self {
            Self::OutOfOrder(side) | Self::WrongSession(side) => side,
            Self::Silent(_) => Side::Car,
            Self::Unanswered(_) | Self::Unfinished(_) | Self::NotReady | Self::VoltageOff(..) => {
                Side::Charger
            }
        }
    }
}

/// Waiting time from which a missing answer or request counts as the cause: judgement, a car of this project
/// waits 0.5 s for `CurrentDemandRes`, the shortest timeout of DIN SPEC 70121.
const UNANSWERED_NS: i64 = 450_000_000;
/// Waiting time from which a missing request counts as the cause: judgement. `V2G_SECC_Sequence_Timeout` of
/// DIN SPEC 70121 is 60 s, but some chargers wait less.
const SILENT_NS: i64 = 5_000_000_000;
/// Shortest time that a car waits for a charger to finish: judgement, pyPLC repeats its request 30 times,
/// once a second (observed in `2023-03-02_SuperCharger_CableCheck_error`), and the timers of DIN SPEC 70121
/// are longer.
const UNFINISHED_NS: i64 = 20_000_000_000;
/// Time that a car waits for the voltage (DIN SPEC 70121, `V2G_EVCC_PreCharge_Timer`: 7 s).
const PRECHARGE_NS: i64 = 7_000_000_000;
/// Permitted difference between the voltage and its target (DIN SPEC 70121, precharge: 20 V).
const PRECHARGE_MV: u32 = 20_000;

impl End {
    /// The end of a story. The first sign determines it; a FAILED code that answers a request precedes the
    /// car's stop.
    pub(super) fn of(story: &Story) -> Self {
        let signs = &story.signs;
        let request = [
            (Cause::OutOfOrder(Side::Car), signs.out_of_order),
            (Cause::WrongSession(Side::Car), signs.wrong_session),
        ];
        let request = first_of(request);
        let failed = signs.failed.map(|sign| (Side::Charger, How::Failed(sign.what), sign));
        let refused = signs.refused.map(|sign| (Side::Charger, How::Refused(sign.what), sign));
        let caused = failed.filter(|_| request.is_some());
        let error = signs.car_error.map(|sign| (Side::Car, How::CarError(sign.what), sign));
        let status = signs.charger_status.map(|sign| (Side::Charger, How::ChargerStatus(sign.what), sign));
        let stop = signs.car_stop.map(|sign| (Side::Car, How::CarStop(sign.message), sign));
        let first = [refused, failed, error, status, stop.filter(|_| caused.is_none())]
            .into_iter()
            .flatten()
            .min_by_key(|(.., sign)| sign.when);
        let (by, how, phase, when) = match (first, signs.closed) {
            (Some((by, how, sign)), closed) if closed.is_none_or(|(.., when)| sign.when <= when) => {
                (Some(by), how, sign.phase.min(story.reached()), sign.when)
            }
            (_, Some((by, close, when))) => (Some(by), How::Closed(close), story.reached(), when),
            _ => (None, How::Unseen, story.reached(), story.last.unwrap_or(When::NEVER)),
        };
        let cause = match (by, how) {
            (_, How::Failed(_)) => request.filter(|(_, sign)| sign.when <= when),
            (Some(Side::Car), How::Closed(_) | How::CarStop(_)) => charger_s(story, when),
            (Some(Side::Charger), How::Closed(_)) => car_s(story, when, request),
            _ => None,
        };
        Self { by, how, phase, when, cause, is_orderly: signs.stopped.is_some() }
    }
}

fn first_of<const N: usize>(causes: [(Cause, Option<Sign>); N]) -> Option<(Cause, Sign)> {
    let known = causes.into_iter().filter_map(|(cause, sign)| Some((cause, sign?)));
    known.min_by_key(|(_, sign)| sign.when)
}

/// The charger's deviation before a car ended the session at `when`.
fn charger_s(story: &Story, when: When) -> Option<(Cause, Sign)> {
    let signs = &story.signs;
    let before = signs.before_end(when)?;
    if before.is_request {
        return unanswered(before.sign, when);
    }
    // A deviation that the car accepted is not the cause: only the latest answer counts.
    let is_latest = |sign: &Sign| sign.when == before.sign.when;
    let wrong = first_of([
        (Cause::OutOfOrder(Side::Charger), signs.answer_out_of_order.filter(is_latest)),
        (Cause::WrongSession(Side::Charger), signs.answer_wrong_session.filter(is_latest)),
        (Cause::NotReady, signs.not_ready.filter(is_latest)),
    ]);
    let in_phase = |phase| {
        let span = story.phases.iter().find(|span| span.phase == phase)?;
        span.first.until(when).filter(|_| before.sign.phase == phase)
    };
    let unfinished = || {
        let waited = in_phase(signs.ongoing?).filter(|waited| *waited >= UNFINISHED_NS)?;
        Some((Cause::Unfinished(waited), before.sign))
    };
    let voltage_off = || {
        let (target, reached) = story.precharge_mv?;
        let is_late = in_phase(Phase::PreCharge)? >= PRECHARGE_NS;
        let is_off = target.abs_diff(reached) > PRECHARGE_MV;
        (is_late && is_off).then_some((Cause::VoltageOff(target, reached), before.sign))
    };
    wrong.or_else(unfinished).or_else(voltage_off)
}

fn unanswered(request: Sign, when: When) -> Option<(Cause, Sign)> {
    let waited = request.when.until(when).filter(|waited| *waited >= UNANSWERED_NS)?;
    Some((Cause::Unanswered(waited), request))
}

/// The car's deviation before a charger closed the connection at `when`.
fn car_s(story: &Story, when: When, request: Option<(Cause, Sign)>) -> Option<(Cause, Sign)> {
    let before = story.signs.before_end(when)?;
    if before.is_request {
        return request.filter(|(_, sign)| sign.when == before.sign.when).or(unanswered(before.sign, when));
    }
    let waited = before.sign.when.until(when).filter(|waited| *waited >= SILENT_NS)?;
    Some((Cause::Silent(waited), before.sign))
}
