//! The story of a session of an own role, from the messages that the role reports. It is the same story as
//! that of a capture.

use std::io::{self, Write};

use listen::story::Side;
use listen::{Close, Direction, Document, Talk, When};
use machine::Instant;
use v2gtp::PayloadType;

use crate::command::decode::Width;
use crate::command::decode::story::Told;
use crate::decode::Connection;
use crate::style::Palette;

/// Collects the messages of one session after another.
#[derive(Default)]
pub(crate) struct Retelling {
    talk: Talk,
    /// Number of the session, and of messages in it.
    sessions: u64,
    messages: u64,
}

impl Retelling {
    /// Adds a message.
    pub(crate) fn message(&mut self, at: Instant, direction: Direction, payload_type: u16, document: &[u8]) {
        self.messages += 1;
        let time_ns = i64::try_from(at.as_micros().saturating_mul(1000)).ok();
        let when = When { frame: self.messages, time_ns };
        let (schema, _) = self.talk.classify(PayloadType(payload_type), document);
        let decoded = schema.and_then(|schema| Document::decode(schema, document)?.ok());
        self.talk.message(when, Some(direction), schema, decoded.as_ref().map(|(document, _)| document));
    }

    /// Adds the end of the connection.
    pub(crate) fn closed(&mut self, at: Instant, by: Side, close: Close) {
        let sender = match by {
            Side::Car => Direction::ToEvse,
            Side::Charger => Direction::ToPev,
        };
        let time_ns = i64::try_from(at.as_micros().saturating_mul(1000)).ok();
        // It follows the latest message and is no message itself.
        self.talk.closed(When { frame: self.messages + 1, time_ns }, sender, close);
    }

    /// Writes the story, if there is one, and starts the next.
    pub(crate) fn end(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let talk = std::mem::take(&mut self.talk);
        self.messages = 0;
        let story = talk.story();
        let (Some(first), Some(last)) = (story.first, story.last) else { return Ok(()) };
        self.sessions += 1;
        let connection = Connection { number: self.sessions, first, flow: None, talk: &talk, pressed: None };
        match Told::of_messages(&connection, last) {
            Some(told) => told.write_text(None, Palette::stdout(), Width::default(), out),
            None => Ok(()),
        }
    }
}
