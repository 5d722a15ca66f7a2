//! State of one connection: handshake, message set, which end is the charger, and the story.

use heapless::{String, Vec};
use v2gtp::PayloadType;

use crate::direction::Direction;
use crate::ends::Votes;
use crate::story::Side;
use crate::{Close, Document, Schema, Story, When};

/// Offers whose schema id is kept: the schema of supportedAppProtocol allows 1 to 20.
const MAX_OFFERS: usize = 20;
/// Offers that are kept with their namespace: judgement, cars in the captures offer up to five.
pub const MAX_NAMED_OFFERS: usize = 6;

/// One protocol that a car offers in supportedAppProtocolReq.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// `ProtocolNamespace`, at most 100 ASCII characters; a longer one is cut.
    pub namespace: String<100>,
    /// `SchemaID`: the car's number for this protocol.
    pub schema_id: u8,
    /// Priority; 1 is the highest.
    pub priority: i8,
}

/// How the schema of a message was determined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// The message is of the handshake, or of the protocol that the handshake selected.
    Handshake,
    /// The V2GTP payload type determines it.
    PayloadType,
    /// Only from the first bytes of the payload: a guess.
    Guess,
}

/// State of one connection: the [`Storage::State`](crate::Storage::State) of an observer.
#[derive(Clone, Debug, Default)]
pub struct Talk {
    /// The car's offers: schema id, and the schema where its namespace is a known one.
    offers: Vec<(u8, Option<Schema>), MAX_OFFERS>,
    offered: Vec<Offer, MAX_NAMED_OFFERS>,
    agreed: Option<Schema>,
    answer: Option<&'static str>,
    spoken: Option<Schema>,
    is_tls: bool,
    story: Story,
    /// Which end is the charger, by the names of the messages.
    pub votes: Votes,
}

impl Talk {
    /// The story of the session.
    pub fn story(&self) -> &Story {
        &self.story
    }

    /// The car's offers, in the order of the message; at most [`MAX_NAMED_OFFERS`].
    pub fn offered(&self) -> &[Offer] {
        &self.offered
    }

    /// The charger's `ResponseCode` in the handshake.
    pub fn answer(&self) -> Option<&'static str> {
        self.answer
    }

    /// The message set that was used; before its first message, the one that the handshake selected.
    pub fn protocol(&self) -> Option<Schema> {
        self.spoken.or(self.agreed)
    }

    /// Whether at least one direction is encrypted.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// The schema of a payload, and how it was determined.
    pub fn classify(&self, payload_type: PayloadType, payload: &[u8]) -> (Option<Schema>, Known) {
        if let Some(schema) = Schema::of_payload_type(payload_type) {
            return (Some(schema), Known::PayloadType);
        }
        let announced = Schema::of_first_bytes(payload);
        let agrees = announced.is_some() && (announced == self.agreed || announced == Some(Schema::App));
        (announced, if agrees { Known::Handshake } else { Known::Guess })
    }

    /// Adds a message, with its decoded document if a codec exists and it decodes. `when` is the time in the
    /// story.
    pub fn message(
        &mut self,
        when: When,
        direction: Option<Direction>,
        schema: Option<Schema>,
        document: Option<&Document<'_>>,
    ) {
        if schema == Some(Schema::App) {
            if let Some(Document::App(message)) = document {
                self.learn(message);
            }
            let refused = self.answer.filter(|answer| answer.starts_with("Failed"));
            let is_request = direction == Some(Direction::ToEvse);
            return self.story.handshake(when, is_request, refused.filter(|_| !is_request));
        }
        // The common messages of ISO 15118-20 do not show the kind of energy transfer.
        if schema != Some(Schema::Iso20Common) || self.spoken.is_none() {
            self.spoken = schema.or(self.spoken);
        }
        match document {
            Some(Document::Din(message)) => self.story.din(when, message),
            _ => self.story.other(when),
        }
    }

    /// Adds the end of the connection, or of one of its directions.
    pub fn closed(&mut self, when: When, sender: Direction, close: Close) {
        let by = match sender {
            Direction::ToEvse => Side::Car,
            Direction::ToPev => Side::Charger,
        };
        self.story.closed(when, by, close);
    }

    /// Marks the connection as encrypted.
    pub fn encrypted(&mut self) {
        self.is_tls = true;
    }

    fn learn(&mut self, message: &exi_app::Message<'_>) {
        match message {
            exi_app::Message::Req(request) => {
                (self.offers, self.offered, self.agreed) = (Vec::new(), Vec::new(), None);
                for offer in &request.app_protocol {
                    let mut namespace = String::new();
                    for character in offer.protocol_namespace.chars() {
                        // The schema allows 100 characters; the rest of a longer namespace is cut.
                        let _ = namespace.push(character);
                    }
                    // The schema allows at most `MAX_OFFERS`, so there is room.
                    let _ = self.offers.push((offer.schema_id, Schema::of_namespace(&namespace)));
                    let (schema_id, priority) = (offer.schema_id, offer.priority.get());
                    let _ = self.offered.push(Offer { namespace, schema_id, priority });
                }
            }
            exi_app::Message::Res(answer) => {
                self.answer = Some(answer.response_code.name());
                // DIN SPEC 70121 permits an answer without SchemaID if the car made one offer only.
                let chosen = match (answer.schema_id, self.offers.as_slice()) {
                    (None, [only]) => Some(only),
                    (id, offers) => offers.iter().find(|(offered, _)| Some(*offered) == id),
                };
                self.agreed = chosen.and_then(|(_, schema)| *schema);
            }
        }
    }
}
