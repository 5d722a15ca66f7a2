//! What holds the next session off until a person has acted.

use session::Latch;

use super::Charger;
use crate::Event;

impl Charger {
    /// Holds the next session off; a worse latch takes the place of the one before.
    pub(super) fn latch(&mut self, latch: Latch) {
        if self.latched.is_none_or(|before| before < latch) {
            self.latched = Some(latch);
            self.events.push(Event::Latched(latch));
        }
    }

    /// A person has acted.
    pub(super) fn unlatch(&mut self) {
        if let Some(latch) = self.latched.take() {
            self.events.push(Event::Unlatched(latch));
        }
    }
}
