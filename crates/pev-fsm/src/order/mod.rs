//! Order: what follows where, one table per protocol. What must be right first is decided elsewhere.

mod din;

use session::{Exchange, Protocol};

use crate::Time;

/// The order of a protocol.
pub(crate) const fn of(protocol: Protocol) -> &'static [Row] {
    match protocol {
        Protocol::Din => din::ORDER,
    }
}

/// Where a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    NoSession,
    /// The request is out, or waits for its turn.
    Asking(Exchange),
    /// Pilot C, waiting for the connector lock.
    Locking,
    /// Waiting for the contactors to close.
    Closing,
    /// Power is granted; the first demand waits for its turn.
    Granted,
    /// Pilot B, waiting for the contactors to open.
    Opening {
        /// Power was asked for.
        powered: bool,
    },
    /// No more messages; the connection and the contactors are what is left.
    Over,
}

/// What the car does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Asks this.
    Ask(Exchange),
    /// Pilot C; the connector is locked.
    Lock,
    /// The contactors close.
    Close,
    /// Waits for its turn to ask for current.
    Grant,
    /// Pilot B; the contactors open.
    Open,
    /// Likewise, after the rest.
    Rest,
    /// Says no more.
    Over,
    /// Nothing: what is under way goes on.
    Stay,
}

/// What follows in one state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) state: State,
    /// After a good answer, or once what the state waits for is there.
    pub(crate) done: Next,
    /// The pause before the same is asked again, where an answer may say that it is not done yet.
    pub(crate) again: Option<Time>,
    /// Once a stop is under way, and nothing is unanswered.
    pub(crate) stopping: Next,
    /// After a refusal while a stop is under way; without a stop it is SAFE.
    pub(crate) refused: Next,
    /// Nothing blocks the end any more: no answer counts as a refusal. Elsewhere it is SAFE.
    pub(crate) must_end: bool,
}

impl Row {
    /// Nothing follows.
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
    /// Whether messages may still be said.
    pub(crate) const fn is_on(self) -> bool {
        !matches!(self, Self::NoSession | Self::Over)
    }

    /// Whether the charging loop runs: granted, and not ended by a request yet.
    pub(crate) const fn is_charging(self) -> bool {
        matches!(self, Self::Granted | Self::Asking(Exchange::CurrentDemand))
    }

    /// Whether the charger may energise the cable, or may not have ended that: the plug is held.
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

    /// Where `next` leads to; `None` is the end of what messages do.
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

    /// The longest way from `state` to the end, in rows, by one column.
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
            // The charging loop ends by the battery, the welding detection by its number of rounds.
            let is_bounded = matches!(exchange, Exchange::CurrentDemand | Exchange::WeldingDetection);
            assert_eq!(row.again.is_some(), is_bounded || exchange.row().loop_time.is_some(), "{exchange:?}");
        }
    }

    #[test]
    fn good_answers_lead_from_the_handshake_to_the_charging_loop_and_a_stop_from_anywhere_to_the_end() {
        assert_eq!(way(State::Asking(Exchange::Handshake), |row| row.done, DIN.len()), 12);
        // A state in which a stop changes nothing ends by its own answer.
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
