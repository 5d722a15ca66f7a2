//! Messages between the role that shows them and the events that say what they were.

use std::cell::RefCell;
use std::collections::VecDeque;

use machine::Instant;
use roles::Watch;
use session::Direction;

/// A message as it went by: the payload of V2GTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// When.
    pub at: Instant,
    /// Which way.
    pub direction: Direction,
    /// V2GTP's payload type.
    pub payload_type: u16,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// Takes messages from a role and keeps them until its events about them come, which is in the same step of
/// the loop; and what its plant does, until it is recorded.
#[derive(Debug, Default)]
pub struct Inbox(RefCell<VecDeque<Document>>, RefCell<VecDeque<(Instant, String)>>);

/// Messages of one step that are kept: judgement. A role takes one frame in a step, which seldom has two.
const KEPT: usize = 8;
/// Notes that are kept: judgement. A step has two.
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
    /// Keeps what the plant does.
    pub fn note(&self, at: Instant, words: String) {
        let mut notes = self.1.borrow_mut();
        if notes.len() == KEPT_NOTES {
            notes.pop_front();
        }
        notes.push_back((at, words));
    }

    /// What the plant did since this was asked last.
    pub fn notes(&self) -> impl Iterator<Item = (Instant, String)> {
        self.1.take().into_iter()
    }

    /// The message that an event of this time is about; those of earlier steps had none, and are dropped.
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
