//! The handshake: the choice of one of the protocols that the car offers.

use session::{Exchange, Protocol};

use crate::request::{Agreed, Content, NoRequest, Offer, Request, SessionId};
use crate::wire;

/// The protocols that the charger supports.
pub(crate) const SERVED: &[Protocol] = Protocol::ALL;

/// Decodes a handshake request.
pub(crate) fn request(served: &[Protocol], payload: &[u8]) -> Result<Request, NoRequest> {
    let agreed = choose(served, wire::app::offers(payload)?);
    let (exchange, content) = (Exchange::Handshake, Content::Handshake(agreed));
    let name = exchange.names(Protocol::default()).request;
    Ok(Request { exchange, name, session_id: SessionId::new(), content })
}

/// The supported offer with the best priority, in the same major version; of equal priorities the first one.
/// Priority, schema id and place in the list are independent of each other (ISO 15118-2, 8.2.2).
fn choose(served: &[Protocol], offers: impl Iterator<Item = Offer>) -> Option<Agreed> {
    let common = offers.filter_map(|offer| {
        let protocol = offer.protocol.filter(|protocol| served.contains(protocol))?;
        let (major, minor) = protocol.version();
        let agreed = Agreed { protocol, schema_id: offer.schema_id, deviates: offer.minor != minor };
        (offer.major == major).then_some((offer.priority, agreed))
    });
    common.min_by_key(|(priority, _)| *priority).map(|(_, agreed)| agreed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIN: Option<Protocol> = Some(Protocol::Din);

    fn offer(protocol: Option<Protocol>, version: (u32, u32), schema_id: u8, priority: i8) -> Offer {
        let (major, minor) = version;
        Offer { protocol, major, minor, schema_id, priority }
    }

    fn chosen(offers: &[Offer]) -> Option<(u8, bool)> {
        choose(SERVED, offers.iter().copied()).map(|agreed| (agreed.schema_id, agreed.deviates))
    }

    #[test]
    fn the_offer_with_the_lowest_priority_is_chosen_and_of_equal_ones_the_first() {
        let [second, first] = [offer(DIN, (2, 0), 5, 2), offer(DIN, (2, 0), 9, 1)];
        assert_eq!(chosen(&[second, first]), Some((9, false)));
        assert_eq!(chosen(&[second, offer(DIN, (2, 0), 6, 2)]), Some((5, false)));
        assert_eq!(chosen(&[offer(DIN, (2, 0), 0, 20)]), Some((0, false)), "schema id 0");
    }

    #[test]
    fn another_minor_version_deviates_and_another_major_one_or_protocol_is_not_chosen() {
        assert_eq!(chosen(&[offer(DIN, (2, 7), 1, 1)]), Some((1, true)));
        assert_eq!(chosen(&[offer(DIN, (1, 0), 1, 1)]), None);
        assert_eq!(chosen(&[offer(None, (2, 0), 1, 1), offer(DIN, (2, 0), 2, 2)]), Some((2, false)));
        assert_eq!(chosen(&[]), None);
    }

    #[test]
    fn what_is_not_served_is_not_chosen() {
        assert_eq!(choose(&[], [offer(DIN, (2, 0), 1, 1)].into_iter()), None);
    }
}
