//! The handshake: which protocols the car offers, and which of them the charger takes.

use session::Protocol;

use crate::Config;

/// A protocol as it is offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offered {
    pub(crate) protocol: Protocol,
    /// The number by which the answer names it.
    pub(crate) schema_id: u8,
}

/// What is offered, the most wanted first.
pub(crate) type Offer = [Offered; 1];

/// What the car offers.
pub(crate) const fn offer(config: &Config) -> Offer {
    [Offered { protocol: Protocol::Din, schema_id: config.schema_id }]
}

/// Which of the protocols an answer takes that agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The one whose number it names.
    ByNumber(Protocol),
    /// The only one that was offered: it names no number.
    ByLack(Protocol),
    /// None, or which of several is not known.
    None,
}

/// Finds the protocol that an answer with this number takes.
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
