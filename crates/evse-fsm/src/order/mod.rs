//! The order of messages: which request is permitted in a state, and the state after it.

mod din;
mod state;

use session::{Exchange, Protocol};

pub(crate) use state::{Next, State};

/// The result of a request in a state.
pub(crate) fn next(state: State, protocol: Protocol, exchange: Exchange) -> Next {
    let row = match (state, protocol) {
        (State::Handshake, _) => HANDSHAKE,
        (_, Protocol::Din) => din::row(state),
    };
    row.iter().find(|(of, _)| *of == exchange).map_or(Next::OutOfOrder, |(_, next)| *next)
}

/// Every protocol begins with the handshake.
const HANDSHAKE: state::Row = &[(Exchange::Handshake, Next::State(State::SessionSetup))];

/// Whether DC charging has a use for this exchange.
pub(crate) const fn is_supported(protocol: Protocol, exchange: Exchange) -> bool {
    match protocol {
        Protocol::Din => din::is_supported(exchange),
    }
}
