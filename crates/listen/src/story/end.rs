//! How a session ended: by whom, where, since when, and what was the cause.

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
    /// The words that logs use.
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
    /// The charger answered with a FAILED code.
    Failed(&'static str),
    /// The car reported an error.
    CarError(&'static str),
    /// The charger's status or notification asked for the end.
    ChargerStatus(&'static str),
    /// The car ended charging or the session by this message, without a sign before.
    CarStop(&'static str),
    /// The connection was closed without `SessionStop`.
    Closed(Close),
    /// The capture ends before the session.
    Unseen,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Who ended it; unknown where the capture ends before.
    pub by: Option<Side>,
    /// By what.
    pub how: How,
    /// In which phase.
    pub phase: Phase,
    /// Since which frame.
    pub when: When,
    /// What the other side did wrong before, where that is the cause: its first message out of order or with another
    /// session's id.
    pub cause: Option<(Cause, Sign)>,
    /// Whether the session was closed by `SessionStop`.
    pub is_orderly: bool,
}

/// What a car did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A request that may not come then.
    OutOfOrder,
    /// A request with another session id than the charger gave.
    WrongSession,
}

impl End {
    /// The end of a story. What came first ended it; a FAILED code that a request caused comes before the car's stop.
    pub(super) fn of(story: &Story) -> Self {
        let signs = &story.signs;
        let is_orderly = signs.stopped.is_some();
        let cause = [(Cause::OutOfOrder, signs.out_of_order), (Cause::WrongSession, signs.wrong_session)]
            .into_iter()
            .filter_map(|(cause, sign)| Some((cause, sign?)))
            .min_by_key(|(_, sign)| sign.when);
        let failed = signs.failed.map(|sign| (Side::Charger, How::Failed(sign.what), sign));
        let caused = failed.filter(|_| cause.is_some());
        let error = signs.car_error.map(|sign| (Side::Car, How::CarError(sign.what), sign));
        let status = signs.charger_status.map(|sign| (Side::Charger, How::ChargerStatus(sign.what), sign));
        let stop = signs.car_stop.map(|sign| (Side::Car, How::CarStop(sign.message), sign));
        let first = [failed, error, status, stop.filter(|_| caused.is_none())]
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
        let cause = cause.filter(|(_, sign)| matches!(how, How::Failed(_)) && sign.when <= when);
        Self { by, how, phase, when, cause, is_orderly }
    }
}
