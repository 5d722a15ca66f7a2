//! Who sends: by what is seen of the sockets, in the last resort by the messages' names.

use core::net::Ipv6Addr;

use heapless::Vec;

use crate::packet::{Endpoint, Flow};
use crate::streams::Sender;
use crate::{Direction, Discovery};

/// Chargers remembered from discovery, the latest: judgement, a bound.
const MAX_CHARGERS: usize = 64;

/// What discovery says about the ends of connections.
#[derive(Debug, Default)]
pub struct Ends {
    /// Where chargers listen, and from where they said so.
    chargers: Vec<(Endpoint, Ipv6Addr), MAX_CHARGERS>,
}

/// What the names of a connection's messages say: above 0, the end that orders first is the charger.
#[derive(Clone, Copy, Debug, Default)]
pub struct Votes(i64);

impl Ends {
    /// The direction of a discovery message. Its answer says where a charger is, if it does not come from a
    /// car.
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
            // There is room now.
            let _ = self.chargers.push(charger);
        }
        direction
    }

    /// The direction of what a connection gave, from the surest sign down: the endpoint that discovery
    /// announced, who opened the connection, the host that answered discovery, what most names so far say,
    /// the name.
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

/// The first, where the second says the opposite: only one of two ends can be the charger.
fn differ(first: bool, second: bool) -> Option<bool> {
    (first != second).then_some(first)
}
