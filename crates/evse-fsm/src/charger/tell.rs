//! Events and log messages.

use session::{Checkpoint, Phase};

use super::Charger;
use crate::request::{Answer, Request};
use crate::{Direction, Event, Message, wire};

impl Charger {
    pub(super) fn set_phase(&mut self, phase: Phase) {
        if phase != self.phase {
            self.phase = phase;
            self.events.push(Event::Phase(phase));
        }
    }

    pub(super) fn checkpoint(&mut self, checkpoint: Checkpoint) {
        self.events.push(Event::Checkpoint(checkpoint));
    }

    pub(super) fn tell_request(&mut self, request: &Request) {
        let checkpoint = request.exchange.row().request.received;
        let (direction, values) = (Direction::Received, request.content.values());
        self.events.push(Event::Message(Message { direction, name: request.name, checkpoint, values }));
    }

    pub(super) fn tell_answer(&mut self, answer: &Answer) {
        let checkpoint = answer.exchange.row().response.sent;
        let (direction, values) = (Direction::Sent, answer.values(wire::code_name(answer)));
        self.events.push(Event::Message(Message { direction, name: answer.name(), checkpoint, values }));
    }
}
