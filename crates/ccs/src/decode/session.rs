//! What one connection says about its messages: the agreed schema, and which end is the charger.

use v2gtp::PayloadType;

use super::Exi;
use super::direction::Votes;
use super::schema::{Basis, Outline, Schema};

/// What is known about a connection.
#[derive(Default)]
pub struct Session {
    /// The car's offer: schema id, and the schema where we know the namespace.
    offers: Vec<(u8, Option<Schema>)>,
    agreed: Option<Schema>,
    /// What the names of its messages say about its ends.
    pub(super) votes: Votes,
}

/// More protocols than the handshake can offer are not remembered.
const MAX_OFFERS: usize = 20;

impl Session {
    /// Finds out what an EXI payload is, and learns from it.
    pub fn take<'a>(&mut self, payload_type: PayloadType, payload: &'a [u8]) -> Exi<'a> {
        let (schema, outline, basis) = self.classify(payload_type, payload);
        if schema == Some(Schema::App) && matches!(outline, Some(Ok(_))) {
            self.learn(payload);
        }
        let (message, length, error) = match outline {
            Some(Ok(outline)) => (outline.message(), outline.length(), None),
            Some(Err(error)) => (None, payload.len(), Some(Box::new(error))),
            None => (None, payload.len(), None),
        };
        let trailing = payload.len().saturating_sub(length);
        Exi { payload_type, payload, schema, basis, message, trailing, error }
    }

    fn classify(
        &self,
        payload_type: PayloadType,
        payload: &[u8],
    ) -> (Option<Schema>, Option<Result<Outline, exi::Error>>, Basis) {
        if let Some(schema) = Schema::of_payload_type(payload_type) {
            return (Some(schema), schema.outline(payload), Basis::PayloadType);
        }
        let announced = Schema::of_first_bytes(payload);
        let outline = announced.and_then(|schema| schema.outline(payload));
        let agrees = announced.is_some() && (announced == self.agreed || announced == Some(Schema::App));
        let basis = if agrees { Basis::Handshake } else { Basis::guess(payload, outline.as_ref()) };
        (announced, outline, basis)
    }

    fn learn(&mut self, payload: &[u8]) {
        match exi_app::Message::decode(payload) {
            Ok(exi_app::Message::Req(request)) => {
                let offers = request.app_protocol.iter().map(|offer| {
                    let namespace = offer.protocol_namespace.to_string();
                    (offer.schema_id, Schema::of_namespace(&namespace))
                });
                self.offers = offers.take(MAX_OFFERS).collect();
                self.agreed = None;
            }
            Ok(exi_app::Message::Res(answer)) => {
                // DIN lets the schema id away where there was one offer only.
                let chosen = match (answer.schema_id, self.offers.as_slice()) {
                    (None, [only]) => Some(only),
                    (id, offers) => offers.iter().find(|(offered, _)| Some(*offered) == id),
                };
                self.agreed = chosen.and_then(|(_, schema)| *schema);
            }
            Err(_) => {}
        }
    }
}
