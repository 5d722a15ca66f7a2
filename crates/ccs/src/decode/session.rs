//! What one connection says about its messages: the agreed schema, and which end is the charger.

use listen::story::Side;
use listen::{Story, When};
use v2gtp::PayloadType;

use super::direction::Votes;
use super::schema::{Basis, Outline, Schema};
use super::{Content, Direction, Event, Exi};

/// What is known about a connection.
#[derive(Default)]
pub struct Session {
    /// The car's offer: schema id, and the schema where we know the namespace.
    offers: Vec<(u8, Option<Schema>)>,
    agreed: Option<Schema>,
    /// The namespaces that the car offered, with their schema ids and priorities.
    offered: Vec<Offer>,
    /// The charger's answer to the handshake, by name.
    answer: Option<&'static str>,
    /// The latest schema of a message that is none of the handshake.
    spoken: Option<Schema>,
    is_tls: bool,
    story: Story,
    /// What the names of its messages say about its ends.
    pub(super) votes: Votes,
}

/// One protocol of the car's offer.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Its namespace.
    pub namespace: String,
    /// The car's number for it.
    pub schema_id: u8,
    /// 1 is what the car wants most.
    pub priority: i8,
}

/// More protocols than the handshake can offer are not remembered.
const MAX_OFFERS: usize = 20;

impl Session {
    /// What happened in it.
    pub fn story(&self) -> &Story {
        &self.story
    }

    /// What the car offered.
    pub fn offered(&self) -> &[Offer] {
        &self.offered
    }

    /// The charger's answer to the handshake.
    pub fn answer(&self) -> Option<&'static str> {
        self.answer
    }

    /// The message set: what was spoken, else what was agreed on.
    pub fn protocol(&self) -> Option<Schema> {
        self.spoken.or(self.agreed)
    }

    /// Whether a direction is encrypted.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Adds an event of this connection to the story; its time counts from the file's first frame.
    pub(super) fn tell(&mut self, event: &Event<'_>) {
        let when = When { frame: event.frame, time_ns: event.time_ns };
        let sender = event.direction.map(|direction| match direction {
            Direction::ToEvse => Side::Car,
            Direction::ToPev => Side::Charger,
        });
        match (&event.content, sender) {
            (Content::Exi(exi), _) => match exi.schema {
                Some(Schema::App) => self.story.handshake(when, sender == Some(Side::Car)),
                schema => {
                    // What is common to all kinds of energy transfer names none of them.
                    if schema != Some(Schema::Iso20Common) || self.spoken.is_none() {
                        self.spoken = schema.or(self.spoken);
                    }
                    if schema == Some(Schema::Din) {
                        self.story.din(when, exi.payload);
                    } else {
                        self.story.other(when);
                    }
                }
            },
            (Content::Closed(_, close), Some(by)) => self.story.closed(when, by, *close),
            (Content::Tls(_), _) => self.is_tls = true,
            _ => {}
        }
    }

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
                let offered = request.app_protocol.iter().map(|offer| Offer {
                    namespace: offer.protocol_namespace.to_string(),
                    schema_id: offer.schema_id,
                    priority: offer.priority.get(),
                });
                self.offered = offered.take(MAX_OFFERS).collect();
                self.agreed = None;
            }
            Ok(exi_app::Message::Res(answer)) => {
                self.answer = Some(answer.response_code.name());
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
