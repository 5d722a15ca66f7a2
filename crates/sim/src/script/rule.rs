//! Selects the messages or frames of a node that a step of a script affects.

use super::act::Act;

/// Selects messages or frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// Index of the step in its script.
    pub(super) step: usize,
    /// The name; `*` is every V2G message.
    pub(super) name: String,
    /// Whether the node receives it, instead of sending it.
    pub(super) is_heard: bool,
    /// First occurrence, counted from 1.
    pub(super) first: u32,
    /// Last occurrence.
    pub(super) last: u32,
    /// The action; `None` for a step that only waits for it.
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

    /// Counts this message or frame; returns whether the rule selects it.
    pub(super) fn hits(&mut self, name: &str, is_heard: bool) -> bool {
        if is_heard != self.is_heard || !(self.name == name || self.name == "*" && !is_heard) {
            return false;
        }
        self.seen += 1;
        (self.first..=self.last).contains(&self.seen)
    }
}
