use std::fmt;

use machine::Instant;

use crate::trace::{Kind, Trace};
use crate::{Injection, Limit, Node, Stop, World};

/// A scenario as data: what is set up, what is done to it when, and what must be seen. `S` is the runner's
/// own description of a setup; it makes the world from it.
#[derive(Clone, Copy, Debug)]
pub struct Scenario<S: 'static> {
    /// Its id in the list of faults, such as `X039`.
    pub id: &'static str,
    /// What happens, in a few words.
    pub title: &'static str,
    /// What is there.
    pub setup: S,
    /// What is done to it when.
    pub injections: &'static [(Instant, Injection)],
    /// When it ends.
    pub until: Instant,
    /// What must be seen.
    pub expect: &'static [Expect],
}

/// How many lines of a kind the trace must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expect {
    /// Of which kind.
    pub kind: Kind,
    /// Of which node.
    pub who: &'static str,
    /// With which words in them.
    pub what: &'static str,
    /// At least so many.
    pub least: usize,
    /// At most so many.
    pub most: usize,
    /// From when on.
    pub from: Instant,
    /// Until when, included.
    pub until: Instant,
}

/// How a scenario went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The scenario's id.
    pub id: &'static str,
    /// Why the run ended.
    pub stop: Stop,
    /// What was expected and not seen, each with the number of lines that were.
    pub failures: Vec<(Expect, usize)>,
}

impl Expect {
    const ALWAYS: (Instant, Instant) = (Instant::ZERO, Instant::from_micros(u64::MAX));

    const fn new(kind: Kind, who: &'static str, what: &'static str, least: usize, most: usize) -> Self {
        let (from, until) = Self::ALWAYS;
        Self { kind, who, what, least, most, from, until }
    }

    /// A node tells this at least once.
    pub const fn told(who: &'static str, what: &'static str) -> Self {
        Self::new(Kind::Told, who, what, 1, usize::MAX)
    }

    /// A node never tells this.
    pub const fn never_told(who: &'static str, what: &'static str) -> Self {
        Self::new(Kind::Told, who, what, 0, 0)
    }

    /// A node sends this so many times.
    pub const fn sent(who: &'static str, what: &'static str, least: usize, most: usize) -> Self {
        Self::new(Kind::Sent, who, what, least, most)
    }

    /// The same, but only lines from `from` to `until` count.
    #[must_use]
    pub const fn between(self, from: Instant, until: Instant) -> Self {
        Self { from, until, ..self }
    }

    /// How many lines there are that count.
    pub fn count(&self, trace: &Trace) -> usize {
        let is_meant = |entry: &&crate::trace::Entry| {
            entry.kind == self.kind
                && entry.who == self.who
                && entry.what.contains(self.what)
                && (self.from..=self.until).contains(&entry.at)
        };
        trace.entries().iter().filter(is_meant).count()
    }
}

impl<S> Scenario<S> {
    /// Plays it in the world that `build` makes of the setup, and gives the world, too. `watch` is asked
    /// after every step, for rules that must never be broken.
    pub fn play<N: Node>(
        &self,
        build: impl FnOnce(&S) -> World<N>,
        watch: impl FnMut(&World<N>) -> Option<String>,
    ) -> (Outcome, World<N>) {
        let mut world = build(&self.setup);
        for (at, injection) in self.injections {
            world.inject(*at, *injection);
        }
        let stop = world.run(Limit::until(self.until), watch);
        let counted = self.expect.iter().map(|expect| (*expect, expect.count(world.trace())));
        let failures =
            counted.filter(|(expect, count)| !(expect.least..=expect.most).contains(count)).collect();
        (Outcome { id: self.id, stop, failures }, world)
    }
}

impl Outcome {
    /// Whether everything was seen and nothing stopped the run.
    pub fn is_good(&self) -> bool {
        self.failures.is_empty() && matches!(self.stop, Stop::Time | Stop::Idle)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.id, self.stop)?;
        for (expect, count) in &self.failures {
            let Expect { kind, who, what, least, most, .. } = expect;
            write!(f, "; {count} times {kind:?} by {who} \"{what}\", expected {least} to {most}")?;
        }
        Ok(())
    }
}
