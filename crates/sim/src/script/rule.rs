//! Which messages or frames of a node a step of a script is about.

use super::act::Act;

/// Which messages or frames a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// The step's number in its script.
    pub(super) step: usize,
    /// The name; `*` is every V2G message.
    pub(super) name: String,
    /// Whether it is what the node is given, not what it says.
    pub(super) is_heard: bool,
    /// From this one on, counted from 1.
    pub(super) first: u32,
    /// Up to this one.
    pub(super) last: u32,
    /// What is done to it; nothing for a step that only waits for it.
    pub(super) act: Option<Act>,
    seen: u32,
}

impl Rule {
    pub(super) fn new(
        step: usize,
        name: &str,
        is_heard: bool,
        (first, last): (u32, u32),
        act: Option<Act>,
    ) -> Self {
        Self { step, name: name.to_owned(), is_heard, first, last, act, seen: 0 }
    }

    /// Counts this message or frame, and says whether the rule is about it.
    pub(super) fn hits(&mut self, name: &str, is_heard: bool) -> bool {
        if is_heard != self.is_heard || !(self.name == name || self.name == "*" && !is_heard) {
            return false;
        }
        self.seen += 1;
        (self.first..=self.last).contains(&self.seen)
    }
}
