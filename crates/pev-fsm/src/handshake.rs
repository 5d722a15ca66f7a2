//! The handshake: the protocols that the car offers, and the one that the charger has chosen.

use session::Protocol;

use crate::Config;

/// An offered protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offered {
    pub(crate) protocol: Protocol,
    /// Its `SchemaID`: the response names the chosen protocol by it.
    pub(crate) schema_id: u8,
}

/// The offered protocols, in the order of preference.
pub(crate) type Offer = [Offered; 1];

/// The protocols that the car offers.
pub(crate) const fn offer(config: &Config) -> Offer {
    [Offered { protocol: Protocol::Din, schema_id: config.schema_id }]
}

/// The protocol that a positive response has chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The one with the `SchemaID` of the response.
    ByNumber(Protocol),
    /// The only offered one: the response has no `SchemaID`.
    ByLack(Protocol),
    /// None: an unknown `SchemaID`, or none where several were offered.
    None,
}

/// The protocol that a response with this `SchemaID` has chosen.
pub(crate) fn taken(offer: &[Offered], schema_id: Option<u8>) -> Taken {
    match (schema_id, offer) {
        (Some(number), _) => {
            let named = offer.iter().find(|offered| offered.schema_id == number);
            named.map_or(Taken::None, |offered| Taken::ByNumber(offered.protocol))
        }
        (None, [only]) => Taken::ByLack(only.protocol),
        (None, _) => Taken::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_takes_what_its_number_names_and_without_one_what_alone_was_offered() {
        let one = offer(&Config { schema_id: 7, ..Config::default() });
        let [first] = one;
        let two = [first, Offered { schema_id: 9, ..first }];
        let (number, lack) = (Taken::ByNumber(Protocol::Din), Taken::ByLack(Protocol::Din));
        let table: [(&[Offered], Option<u8>, Taken); 7] = [
            (&one, Some(7), number),
            (&one, Some(0), Taken::None),
            (&one, None, lack),
            (&two, Some(7), number),
            (&two, Some(9), number),
            (&two, None, Taken::None),
            (&[], None, Taken::None),
        ];
        for (offer, named, expected) in table {
            assert_eq!(taken(offer, named), expected, "{named:?} of {}", offer.len());
        }
    }
}
