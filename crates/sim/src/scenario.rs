use std::fmt;

use machine::Instant;

use crate::trace::{Kind, Trace};
use crate::{Injection, Limit, Node, Stop, World};

/// A scenario as data: setup, injections, and what must be observed. `S` is the runner's own description of a
/// setup, from which it builds the world.
#[derive(Clone, Copy, Debug)]
pub struct Scenario<S: 'static> {
    /// Its id in the list of faults, such as `X039`.
    pub id: &'static str,
    /// Short description of the fault.
    pub title: &'static str,
    /// The setup of the world.
    pub setup: S,
    /// The injections with their times.
    pub injections: &'static [(Instant, Injection)],
    /// End of the scenario.
    pub until: Instant,
    /// Expected trace lines.
    pub expect: &'static [Expect],
}

/// An expected number of matching lines in the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expect {
    /// Kind of the lines.
    pub kind: Kind,
    /// Name of the node.
    pub who: &'static str,
    /// Text that the lines contain.
    pub what: &'static str,
    /// Least number of lines.
    pub least: usize,
    /// Largest number of lines.
    pub most: usize,
    /// Start of the time in which lines count.
    pub from: Instant,
    /// End of the time in which lines count, inclusive.
    pub until: Instant,
}

/// The result of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The scenario's id.
    pub id: &'static str,
    /// Why the run ended.
    pub stop: Stop,
    /// The failed expectations, each with the number of lines found.
    pub failures: Vec<(Expect, usize)>,
}

impl Expect {
    const ALWAYS: (Instant, Instant) = (Instant::ZERO, Instant::from_micros(u64::MAX));

    const fn new(kind: Kind, who: &'static str, what: &'static str, least: usize, most: usize) -> Self {
        let (from, until) = Self::ALWAYS;
        Self { kind, who, what, least, most, from, until }
    }

    /// A node reports this at least once.
    pub const fn told(who: &'static str, what: &'static str) -> Self {
        Self::new(Kind::Told, who, what, 1, usize::MAX)
    }

    /// A node never reports this.
    pub const fn never_told(who: &'static str, what: &'static str) -> Self {
        Self::new(Kind::Told, who, what, 0, 0)
    }

    /// A node sends this at least `least` and at most `most` times.
    pub const fn sent(who: &'static str, what: &'static str, least: usize, most: usize) -> Self {
        Self::new(Kind::Sent, who, what, least, most)
    }

    /// The same expectation, restricted to lines from `from` to `until`.
    #[must_use]
    pub const fn between(self, from: Instant, until: Instant) -> Self {
        Self { from, until, ..self }
    }

    /// The number of matching lines.
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
    /// Runs it in the world that `build` creates from the setup, and returns the world too. `watch` is called
    /// after every step and checks the rules that must always hold.
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
    /// Whether all expectations were met and nothing stopped the run early.
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
