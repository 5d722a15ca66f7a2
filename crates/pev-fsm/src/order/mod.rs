//! The order of messages: which step follows in which state, one table for each protocol. The conditions of a
//! step are checked elsewhere.

mod din;

use session::{Exchange, Protocol};

use crate::Time;

/// The table of this protocol.
pub(crate) const fn of(protocol: Protocol) -> &'static [Row] {
    match protocol {
        Protocol::Din => din::ORDER,
    }
}

/// The state of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    NoSession,
    /// The request is sent, or waits for its turn.
    Asking(Exchange),
    /// Pilot C, until the connector lock has confirmed.
    Locking,
    /// Until the contactors are closed.
    Closing,
    /// Power is granted; the first `CurrentDemandReq` waits for its turn.
    Granted,
    /// Pilot B, until the contactors are open.
    Opening {
        /// Power has been requested.
        powered: bool,
    },
    /// No more messages; closing the connection and opening the contactors remain.
    Over,
}

/// The car's next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Sends the request of this exchange.
    Ask(Exchange),
    /// Sets pilot C and locks the connector.
    Lock,
    /// Closes the contactors.
    Close,
    /// Waits until the first `CurrentDemandReq` is due.
    Grant,
    /// Sets pilot B and opens the contactors.
    Open,
    /// Sets pilot B and opens the contactors after [`Time::Rest`](session::Time::Rest).
    Rest,
    /// Sends no more messages.
    Over,
    /// No new step: the current one continues.
    Stay,
}

/// The steps that follow in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) state: State,
    /// After an accepted response, or after the awaited event.
    pub(crate) done: Next,
    /// The pause before the request is repeated, where a response may be Ongoing.
    pub(crate) again: Option<Time>,
    /// During a stop, with no response pending.
    pub(crate) stopping: Next,
    /// After a refusal during a stop; without a stop a refusal leads to SAFE.
    pub(crate) refused: Next,
    /// Nothing blocks the end: a missing response counts as a refusal. In other states it leads to SAFE.
    pub(crate) must_end: bool,
}

impl Row {
    /// A row without any step.
    const NONE: Self = Self {
        state: State::NoSession,
        done: Next::Stay,
        again: None,
        stopping: Next::Stay,
        refused: Next::Stay,
        must_end: false,
    };

    /// The row of `state` in `order`.
    pub(crate) fn of(order: &[Self], state: State) -> Self {
        order.iter().find(|row| row.state == state).copied().unwrap_or(Self::NONE)
    }
}

impl State {
    /// Whether messages may still be sent.
    pub(crate) const fn is_on(self) -> bool {
        !matches!(self, Self::NoSession | Self::Over)
    }

    /// Whether the charging loop is active: power granted, and no request has ended it.
    pub(crate) const fn is_charging(self) -> bool {
        matches!(self, Self::Granted | Self::Asking(Exchange::CurrentDemand))
    }

    /// Whether the charger may energise the cable, or may still be energising it: the plug is locked.
    pub(crate) const fn needs_lock(self) -> bool {
        match self {
            Self::Locking | Self::Closing | Self::Granted | Self::Opening { .. } => true,
            Self::Asking(exchange) => matches!(
                exchange,
                Exchange::CableCheck
                    | Exchange::PreCharge
                    | Exchange::PowerOn
                    | Exchange::CurrentDemand
                    | Exchange::PowerOff
                    | Exchange::WeldingDetection
            ),
            Self::NoSession | Self::Over => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::din::ORDER as DIN;
    use super::*;

    /// The states that `next` leads to; none at the end of the messages.
    fn states(next: Next) -> &'static [State] {
        match next {
            Next::Ask(exchange) => match DIN.iter().find(|row| row.state == State::Asking(exchange)) {
                Some(row) => core::slice::from_ref(&row.state),
                None => panic!("{exchange:?} has no row"),
            },
            Next::Lock => &[State::Locking],
            Next::Close => &[State::Closing],
            Next::Grant => &[State::Granted],
            Next::Open => &[State::Opening { powered: false }, State::Opening { powered: true }],
            Next::Rest => &[State::Opening { powered: true }],
            Next::Over | Next::Stay => &[],
        }
    }

    /// The longest path from `state` to the end, in rows, along one column.
    fn way(state: State, column: fn(&Row) -> Next, left: usize) -> usize {
        assert!(left > 0, "{state:?} comes again");
        let row = Row::of(DIN, state);
        assert_eq!(row.state, state, "it has a row");
        states(column(&row)).iter().map(|next| 1 + way(*next, column, left - 1)).max().unwrap_or(0)
    }

    #[test]
    fn each_state_has_one_row() {
        for row in DIN {
            assert_eq!(DIN.iter().filter(|other| other.state == row.state).count(), 1, "{:?}", row.state);
        }
    }

    #[test]
    fn each_request_has_a_time_and_what_is_repeated_ends() {
        for row in DIN {
            let State::Asking(exchange) = row.state else { continue };
            assert!(exchange.row().response_time.is_some(), "{exchange:?}");
            // The battery ends the charging loop, the number of rounds the welding detection.
            let is_bounded = matches!(exchange, Exchange::CurrentDemand | Exchange::WeldingDetection);
            assert_eq!(row.again.is_some(), is_bounded || exchange.row().loop_time.is_some(), "{exchange:?}");
        }
    }

    #[test]
    fn good_answers_lead_from_the_handshake_to_the_charging_loop_and_a_stop_from_anywhere_to_the_end() {
        assert_eq!(way(State::Asking(Exchange::Handshake), |row| row.done, DIN.len()), 12);
        // A state in which a stop changes nothing ends by its own response.
        let stop = |row: &Row| if row.stopping == Next::Stay { row.done } else { row.stopping };
        for row in DIN {
            let mut next = stop(row);
            for _ in DIN {
                next = states(next).first().map_or(next, |state| stop(&Row::of(DIN, *state)));
            }
            assert_eq!(next, Next::Over, "{:?}", row.state);
        }
    }
}
