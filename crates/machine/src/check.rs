//! A test harness: checks every [`Rule`] of the contract on a machine while a test drives it.
//!
//! Needs the feature `check`, which requires `std`; products leave it off.
//!
//! [`Check`] keeps five twins of a machine. All receive the same inputs at the same times, and each is
//! treated in another way that the contract allows: one is offered short buffers, one is polled repeatedly,
//! for one `handle_timeout` is called before its deadline. All must return the same outputs, events and
//! deadlines. A test or a fuzz target drives a `Check` instead of the machine:
//!
//! ```
//! # use machine::{Cx, Deadline, Instant, Machine, TooShort};
//! # struct Echo(Option<u8>);
//! # impl Machine for Echo {
//! #     type Input<'a> = u8;
//! #     type Route = ();
//! #     type Event = ();
//! #     fn handle(&mut self, _: &mut Cx<'_>, byte: u8) { self.0 = Some(byte); }
//! #     fn handle_timeout(&mut self, _: &mut Cx<'_>) {}
//! #     fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, ())>, TooShort> {
//! #         let Some(byte) = self.0 else { return Ok(None) };
//! #         *buffer.first_mut().ok_or(TooShort { needed: 1 })? = byte;
//! #         self.0 = None;
//! #         Ok(Some((1, ())))
//! #     }
//! #     fn poll_event(&mut self) -> Option<()> { None }
//! #     fn poll_timeout(&self) -> Option<Deadline> { None }
//! # }
//! use machine::check::Check;
//!
//! let mut check = Check::new(&["retry"], 64, |_cx| Echo(None))?;
//! check.call(|echo, cx| echo.handle(cx, 7))?;
//! assert_eq!(check.take_sent(), [(vec![7], ())]);
//! check.pass_to(Instant::from_millis(1000))?;
//! # Ok::<(), machine::check::Broken>(())
//! ```

mod twin;

use std::fmt::{self, Debug};
use std::format;
use std::string::String;
use std::vec::Vec;

use self::twin::{Act, Twin, WAYS};
use crate::{Cx, Deadline, Duration, Instant, Machine};

/// A rule of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Equal inputs lead to equal outputs, events and deadlines.
    Equal,
    /// An output that does not fit stays queued, and is complete with a longer buffer.
    Kept,
    /// `TooShort::needed` is the length of the shortest buffer into which the output fits, and at most the
    /// bound that the machine's crate documents.
    Needed,
    /// A drained machine returns nothing when polled again, with any buffer, and polling does not change it.
    Drained,
    /// `handle_timeout` before the deadline does nothing, even if the clock stops or goes back.
    Early,
    /// After `handle_timeout`, even a late one, the deadline is cleared or in the future.
    Due,
    /// A deadline has the name of one of the machine's timers.
    Name,
    /// A call leads to a bounded number of outputs and events.
    Bounded,
    /// Nothing panics.
    NoPanic,
}

/// A broken rule, with details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The rule.
    pub rule: Rule,
    /// Number of the call that broke it, counted from 1; 0 is the constructor.
    pub call: usize,
    /// Description of the violation.
    pub how: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the machine breaks the rule {:?} in call {}: {}", self.rule, self.call, self.how)
    }
}

impl core::error::Error for Broken {}

/// Five twins of a machine, driven as one machine.
pub struct Check<M: Machine> {
    twins: Vec<Twin<M>>,
    limits: Limits<M>,
    now: Instant,
    call: usize,
    due: Option<Deadline>,
    sent: Vec<(Vec<u8>, M::Route)>,
    events: Vec<M::Event>,
}

/// Limits of one machine.
struct Limits<M> {
    names: Vec<&'static str>,
    longest: usize,
    observe: fn(&M) -> String,
}

impl<M: Machine<Route: Debug, Event: Debug>> Check<M> {
    /// A check of the machines that `make` creates. It is called once for each twin and must create equal
    /// machines.
    ///
    /// `names` are those of the machine's timers; a buffer of `longest` bytes is long enough for every
    /// output.
    ///
    /// # Errors
    /// If `make` panics or creates machines that differ.
    pub fn new(
        names: &[&'static str],
        longest: usize,
        mut make: impl FnMut(&mut Cx<'_>) -> M,
    ) -> Result<Self, Broken> {
        let now = Instant::ZERO;
        let twins = WAYS.iter().map(|way| Twin::new(*way, now, &mut make)).collect();
        let limits = Limits { names: names.to_vec(), longest, observe: |_| String::new() };
        let mut check = Self { twins, limits, now, call: 0, due: None, sent: Vec::new(), events: Vec::new() };
        check.compare(None)?;
        Ok(check)
    }

    /// Also compares `observe` of each twin after each call: its demand, its state.
    #[must_use]
    pub fn observing(mut self, observe: fn(&M) -> String) -> Self {
        self.limits.observe = observe;
        self
    }

    /// Calls the machine at the present time: an input, or a method of its own such as `start`.
    ///
    /// # Errors
    /// The broken rule.
    pub fn call(&mut self, act: impl Fn(&mut M, &mut Cx<'_>)) -> Result<(), Broken> {
        self.call += 1;
        self.compare(Some(&act))
    }

    /// Calls `handle_timeout` at the present time: at the deadline, late or early.
    ///
    /// # Errors
    /// The broken rule.
    pub fn timeout(&mut self) -> Result<(), Broken> {
        self.call += 1;
        let (before, sent, events) = (self.due(), self.sent.len(), self.events.len());
        self.compare(Some(&|machine, cx| machine.handle_timeout(cx)))?;
        // A machine that was never called may start its clock now.
        let is_early = self.call > 1 && before.is_none_or(|due| due.at > self.now);
        if is_early && (before, sent, events) != (self.due(), self.sent.len(), self.events.len()) {
            return Err(self.broken(Rule::Early, "handle_timeout acts before the deadline".into()));
        }
        match self.due().filter(|due| due.at <= self.now) {
            Some(due) => {
                Err(self
                    .broken(Rule::Due, format!("{} stays due at {} after handle_timeout", due.name, due.at)))
            }
            None => Ok(()),
        }
    }

    /// Sets the clock without a call: the caller is late for deadlines in between. The clock never goes back.
    ///
    /// # Errors
    /// If an early `handle_timeout` in between has an effect.
    pub fn sleep_to(&mut self, now: Instant) -> Result<(), Broken> {
        let half = Duration::from_micros(now.since(self.now).as_micros() / 2);
        let between = self.now + half;
        for twin in &mut self.twins {
            twin.call_early(between, &self.limits).map_err(|fault| fault.in_call(self.call))?;
        }
        self.now = self.now.max(now);
        Ok(())
    }

    /// Advances the time to `end` and calls `handle_timeout` at each deadline.
    ///
    /// # Errors
    /// The broken rule.
    pub fn pass_to(&mut self, end: Instant) -> Result<(), Broken> {
        while let Some(due) = self.due().filter(|due| due.at <= end) {
            self.sleep_to(due.at)?;
            self.timeout()?;
        }
        self.sleep_to(end)
    }

    /// The time of the next call.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The earliest deadline.
    pub fn due(&self) -> Option<Deadline> {
        self.due
    }

    /// The machine, for inspection.
    ///
    /// # Panics
    /// Never: there are always five twins.
    #[allow(clippy::expect_used, reason = "a test harness")]
    pub fn machine(&self) -> &M {
        &self.twins.first().expect("five twins").machine
    }

    /// Removes and returns the outputs since the previous call, oldest first.
    pub fn take_sent(&mut self) -> Vec<(Vec<u8>, M::Route)> {
        core::mem::take(&mut self.sent)
    }

    /// Removes and returns the events since the previous call, oldest first.
    pub fn take_events(&mut self) -> Vec<M::Event> {
        core::mem::take(&mut self.events)
    }

    /// Performs a call on all twins and compares the results with those of the first.
    fn compare(&mut self, act: Option<Act<'_, M>>) -> Result<(), Broken> {
        let mut first: Option<Vec<String>> = None;
        for twin in &mut self.twins {
            let done = twin.call(self.now, act, &self.limits).map_err(|fault| fault.in_call(self.call))?;
            let lines = done.lines();
            match &first {
                None => {
                    self.due = done.due;
                    self.sent.extend(done.sent);
                    self.events.extend(done.events);
                    first = Some(lines);
                }
                Some(first) if *first != lines => {
                    let rule = twin.way.rule();
                    let how =
                        format!("the plain twin gives {first:#?}, the one treated by {rule:?} {lines:#?}");
                    return Err(Broken { rule, call: self.call, how });
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn broken(&self, rule: Rule, how: String) -> Broken {
        Broken { rule, call: self.call, how }
    }
}
