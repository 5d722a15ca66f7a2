//! Which end of a connection is the charger: by the sockets first, by the names of the messages last.

use core::net::Ipv6Addr;

use heapless::Vec;

use crate::packet::{Endpoint, Flow};
use crate::streams::Sender;
use crate::{Direction, Discovery};

/// Chargers that are kept from discovery, the latest ones: judgement, a bound.
const MAX_CHARGERS: usize = 64;

/// What discovery reports about the ends of connections.
#[derive(Debug, Default)]
pub struct Ends {
    /// Endpoints of chargers, and the address from which each was announced.
    chargers: Vec<(Endpoint, Ipv6Addr), MAX_CHARGERS>,
}

/// What the names of a connection's messages suggest: above 0, the endpoint that orders first is the charger.
#[derive(Clone, Copy, Debug, Default)]
pub struct Votes(i64);

impl Ends {
    /// The direction of a discovery message. A response announces a charger's endpoint, unless a car sent it.
    pub fn discovery(&mut self, flow: Flow, sdp: Discovery) -> Direction {
        let is_server = |end: Endpoint| end.port == sdp::PORT;
        let by_port = differ(is_server(flow.source), is_server(flow.destination));
        let direction = by_port.map_or(sdp.direction(), Direction::from_charger);
        if let (Some(charger), Direction::ToPev) = (sdp.charger(), direction) {
            let charger = (charger, flow.source.address);
            self.chargers.retain(|known| *known != charger);
            if self.chargers.is_full() {
                self.chargers.remove(0);
            }
            // The eviction above made room.
            let _ = self.chargers.push(charger);
        }
        direction
    }

    /// The direction of a message. The most reliable sign decides: the endpoint that discovery announced,
    /// then the side that opened the connection, the host that answered discovery, the majority of the
    /// message names so far, and the name of this message.
    pub fn direction(
        &self,
        votes: &mut Votes,
        sender: Sender,
        named: Option<Direction>,
    ) -> Option<Direction> {
        let Sender { flow: Flow { source, destination }, has_opened, .. } = sender;
        let source_is_lower = source <= destination;
        votes.0 += match named {
            Some(named) if source_is_lower == (named == Direction::ToPev) => 1,
            Some(_) => -1,
            None => 0,
        };
        let announced = |end: Endpoint| self.chargers.iter().any(|(charger, _)| *charger == end);
        let answered = |end: Endpoint| self.chargers.iter().any(|(_, host)| *host == end.address);
        let source_is_charger = differ(announced(source), announced(destination))
            .or(has_opened.map(|has_opened| !has_opened))
            .or_else(|| differ(answered(source), answered(destination)))
            .or_else(|| differ(votes.0 > 0, votes.0 < 0).map(|lower| lower == source_is_lower));
        source_is_charger.map(Direction::from_charger).or(named)
    }
}

/// `first`, if `second` is its opposite: exactly one of two ends is the charger.
fn differ(first: bool, second: bool) -> Option<bool> {
    (first != second).then_some(first)
}
