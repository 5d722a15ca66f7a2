//! What one connection says: its handshake, its message set, who is the charger, and its story.

use heapless::{String, Vec};
use v2gtp::PayloadType;

use crate::direction::Direction;
use crate::ends::Votes;
use crate::story::Side;
use crate::{Close, Document, Schema, Story, When};

/// Offers of which the number is kept: more the handshake cannot have (supportedAppProtocol, 1..=20).
const MAX_OFFERS: usize = 20;
/// Offers that are kept with their namespace: judgement, cars offer up to five.
pub const MAX_NAMED_OFFERS: usize = 6;

/// One protocol of a car's offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its namespace, at most 100 characters of ASCII; a longer one is cut.
    pub namespace: String<100>,
    /// The car's number for it.
    pub schema_id: u8,
    /// 1 is what the car wants most.
    pub priority: i8,
}

/// How a message's schema is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// The handshake of this connection agreed on it, or it is the handshake.
    Handshake,
    /// The V2GTP payload type says it.
    PayloadType,
    /// From the first bytes alone.
    Guess,
}

/// What is known about a connection: [`Storage::State`](crate::Storage::State) of an observer.
#[derive(Clone, Debug, Default)]
pub struct Talk {
    /// The car's offers: schema id, and the schema where we know the namespace.
    offers: Vec<(u8, Option<Schema>), MAX_OFFERS>,
    offered: Vec<Offer, MAX_NAMED_OFFERS>,
    agreed: Option<Schema>,
    answer: Option<&'static str>,
    spoken: Option<Schema>,
    is_tls: bool,
    story: Story,
    /// What the names of its messages say about its ends.
    pub votes: Votes,
}

impl Talk {
    /// What happened in it.
    pub fn story(&self) -> &Story {
        &self.story
    }

    /// What the car offered.
    pub fn offered(&self) -> &[Offer] {
        &self.offered
    }

    /// The charger's answer to the handshake, by name.
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

    /// The schema of a payload and how it is known.
    pub fn classify(&self, payload_type: PayloadType, payload: &[u8]) -> (Option<Schema>, Known) {
        if let Some(schema) = Schema::of_payload_type(payload_type) {
            return (Some(schema), Known::PayloadType);
        }
        let announced = Schema::of_first_bytes(payload);
        let agrees = announced.is_some() && (announced == self.agreed || announced == Some(Schema::App));
        (announced, if agrees { Known::Handshake } else { Known::Guess })
    }

    /// Takes a message and what it decodes to, where it does; its time is the story's.
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
        // What is common to all kinds of energy transfer names none of them.
        if schema != Some(Schema::Iso20Common) || self.spoken.is_none() {
            self.spoken = schema.or(self.spoken);
        }
        match document {
            Some(Document::Din(message)) => self.story.din(when, message),
            _ => self.story.other(when),
        }
    }

    /// Takes the end of the connection, or of one direction of it.
    pub fn closed(&mut self, when: When, sender: Direction, close: Close) {
        let by = match sender {
            Direction::ToEvse => Side::Car,
            Direction::ToPev => Side::Charger,
        };
        self.story.closed(when, by, close);
    }

    /// A direction is encrypted.
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
                        // A longer one than the schema allows is cut.
                        let _ = namespace.push(character);
                    }
                    // The schema allows no more than there is room for.
                    let _ = self.offers.push((offer.schema_id, Schema::of_namespace(&namespace)));
                    let (schema_id, priority) = (offer.schema_id, offer.priority.get());
                    let _ = self.offered.push(Offer { namespace, schema_id, priority });
                }
            }
            exi_app::Message::Res(answer) => {
                self.answer = Some(answer.response_code.name());
                // DIN lets the schema id away where there was one offer only.
                let chosen = match (answer.schema_id, self.offers.as_slice()) {
                    (None, [only]) => Some(only),
                    (id, offers) => offers.iter().find(|(offered, _)| Some(*offered) == id),
                };
                self.agreed = chosen.and_then(|(_, schema)| *schema);
            }
        }
    }
}
