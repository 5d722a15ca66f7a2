//! Connects messages that a role reports with the events about them.

use std::cell::RefCell;
use std::collections::VecDeque;

use machine::Instant;
use roles::Watch;
use session::Direction;

/// A message of a session, without its V2GTP header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// When it was received or sent.
    pub at: Instant,
    /// Its direction, seen from the own side.
    pub direction: Direction,
    /// Payload type of the V2GTP header.
    pub payload_type: u16,
    /// Its payload.
    pub bytes: Vec<u8>,
}

/// Stores the messages of a role until its events about them arrive, which is in the same step of the loop.
/// It also stores the plant's actions until they are recorded.
#[derive(Debug, Default)]
pub struct Inbox(RefCell<VecDeque<Document>>, RefCell<VecDeque<(Instant, String)>>);

/// Messages of one step that are kept: judgement, a role handles one frame per step, which rarely has two.
const KEPT: usize = 8;
/// Plant notes that are kept: judgement, a step has two.
const KEPT_NOTES: usize = 64;

impl Watch for Inbox {
    fn message(&self, at: Instant, direction: Direction, payload_type: u16, document: &[u8]) {
        let mut kept = self.0.borrow_mut();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(Document { at, direction, payload_type, bytes: document.to_vec() });
    }
}

impl Inbox {
    /// Stores an action of the plant.
    pub fn note(&self, at: Instant, words: String) {
        let mut notes = self.1.borrow_mut();
        if notes.len() == KEPT_NOTES {
            notes.pop_front();
        }
        notes.push_back((at, words));
    }

    /// The plant's actions since the last call.
    pub fn notes(&self) -> impl Iterator<Item = (Instant, String)> {
        self.1.take().into_iter()
    }

    /// The message that an event of this time is about. Messages of earlier steps had no event and are
    /// dropped.
    pub fn take(&self, now: Instant, direction: Direction) -> Option<Document> {
        let mut kept = self.0.borrow_mut();
        kept.retain(|document| document.at >= now);
        let index = kept.iter().position(|document| document.direction == direction)?;
        kept.remove(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_millis(5);

    fn taken(inbox: &Inbox, direction: Direction) -> Option<Vec<u8>> {
        inbox.take(NOW, direction).map(|document| document.bytes)
    }

    #[test]
    fn messages_are_had_by_their_direction_in_their_order() {
        let inbox = Inbox::default();
        inbox.message(NOW, Direction::Received, 0x8001, &[1]);
        inbox.message(NOW, Direction::Sent, 0x8001, &[2]);
        inbox.message(NOW, Direction::Received, 0x8001, &[3]);
        assert_eq!(taken(&inbox, Direction::Sent), Some(vec![2]));
        assert_eq!(taken(&inbox, Direction::Received), Some(vec![1]));
        assert_eq!(taken(&inbox, Direction::Received), Some(vec![3]));
        assert_eq!(taken(&inbox, Direction::Received), None);
    }

    #[test]
    fn a_message_without_an_event_is_never_taken_for_a_later_one_and_never_piles_up() {
        let inbox = Inbox::default();
        for index in 0..100 {
            inbox.message(Instant::from_millis(4), Direction::Received, 0x8001, &[index]);
        }
        assert_eq!(inbox.0.borrow().len(), KEPT);
        inbox.message(NOW, Direction::Received, 0x8001, &[200]);
        assert_eq!(taken(&inbox, Direction::Received), Some(vec![200]));
        assert_eq!(inbox.0.borrow().len(), 0);
    }
}
