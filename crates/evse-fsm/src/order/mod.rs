//! Order: which request may come now, and what the session waits for after it.

mod din;
mod state;

use session::{Exchange, Protocol};

pub(crate) use state::{Next, State};

/// What comes of a request in a state.
pub(crate) fn next(state: State, protocol: Protocol, exchange: Exchange) -> Next {
    let row = match (state, protocol) {
        (State::Handshake, _) => HANDSHAKE,
        (_, Protocol::Din) => din::row(state),
    };
    row.iter().find(|(of, _)| *of == exchange).map_or(Next::OutOfOrder, |(_, next)| *next)
}

/// The handshake comes first in every protocol.
const HANDSHAKE: state::Row = &[(Exchange::Handshake, Next::State(State::SessionSetup))];

/// Whether DC charging has a use for it.
pub(crate) const fn is_supported(protocol: Protocol, exchange: Exchange) -> bool {
    match protocol {
        Protocol::Din => din::is_supported(exchange),
    }
}
