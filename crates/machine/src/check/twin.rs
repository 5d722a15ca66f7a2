//! One twin of a machine, and its treatment.

use std::any::Any;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, vec};

use super::{Broken, Limits, Rule};
use crate::{Cx, Deadline, Duration, Instant, Machine, ScriptedEntropy, TooShort};

/// Bound of outputs and events after one call: no machine of this workspace queues as many.
const MOST: usize = 1000;

/// Entropy of every twin: any bytes that differ.
const ENTROPY: &[u8] = &[
    0x9E, 0x37, 0x79, 0xB9, 0x7F, 0x4A, 0x7C, 0x15, 0xF3, 0x9C, 0xC0, 0x60, 0x5C, 0xED, 0xC8, 0x34, 0x10,
    0x82, 0x27, 0x6B, 0xF3, 0xA2, 0x72, 0x51, 0xF8, 0x6C, 0x6A, 0x11, 0xD0, 0xC1, 0x8E, 0x95, 0x27,
];

/// A treatment of a machine that the contract allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Every output into a long buffer, every event once.
    Plain,
    /// As [`Plain`](Self::Plain), for a second machine.
    Again,
    /// Polled also when nothing is queued.
    Polled,
    /// Every output is first requested with every buffer that is too short.
    Short,
    /// `handle_timeout` is also called when nothing is due.
    Early,
}

/// In the order in which their rules are checked.
pub(super) const WAYS: [Way; 5] = [Way::Plain, Way::Again, Way::Polled, Way::Short, Way::Early];

impl Way {
    /// The rule that is broken if a twin with this treatment differs from the plain one.
    pub(super) const fn rule(self) -> Rule {
        match self {
            Self::Plain | Self::Again => Rule::Equal,
            Self::Polled => Rule::Drained,
            Self::Short => Rule::Kept,
            Self::Early => Rule::Early,
        }
    }
}

/// A broken rule, before the number of its call is added.
pub(super) struct Fault(Rule, String);

impl Fault {
    pub(super) fn in_call(self, call: usize) -> Broken {
        Broken { rule: self.0, call, how: self.1 }
    }
}

/// The results of a call.
pub(super) struct Done<M: Machine> {
    pub(super) sent: Vec<(Vec<u8>, M::Route)>,
    pub(super) events: Vec<M::Event>,
    pub(super) due: Option<Deadline>,
    observed: String,
}

impl<M: Machine<Route: Debug, Event: Debug>> Done<M> {
    /// The results as text, for comparison.
    pub(super) fn lines(&self) -> Vec<String> {
        let sent = self.sent.iter().map(|(bytes, route)| format!("sent to {route:?}: {bytes:02x?}"));
        let events = self.events.iter().map(|event| format!("event {event:?}"));
        let rest = [format!("due {:?}", self.due), self.observed.clone()];
        sent.chain(events).chain(rest).collect()
    }
}

pub(super) struct Twin<M> {
    pub(super) way: Way,
    pub(super) machine: M,
    entropy: ScriptedEntropy<'static>,
    /// Whether it was called; before the first call it has no time.
    is_called: bool,
}

/// A call of a machine that is checked.
pub(super) type Act<'a, M> = &'a dyn Fn(&mut M, &mut Cx<'_>);

/// What a machine sent: each output with its route.
type Outputs<M> = Vec<(Vec<u8>, <M as Machine>::Route)>;

impl<M: Machine<Route: Debug, Event: Debug>> Twin<M> {
    pub(super) fn new(way: Way, now: Instant, make: &mut impl FnMut(&mut Cx<'_>) -> M) -> Self {
        let mut entropy = ScriptedEntropy::new(ENTROPY);
        let machine = make(&mut Cx { now, entropy: &mut entropy });
        Self { way, machine, entropy, is_called: false }
    }

    /// Performs a call and collects its results.
    pub(super) fn call(
        &mut self,
        now: Instant,
        act: Option<Act<'_, M>>,
        limits: &Limits<M>,
    ) -> Result<Done<M>, Fault> {
        let called = catch_unwind(AssertUnwindSafe(|| {
            if let Some(act) = act {
                self.idle(now, limits)?;
                self.is_called = true;
                act(&mut self.machine, &mut Cx { now, entropy: &mut self.entropy });
            }
            let sent = self.take_sent(limits)?;
            let events = self.take_events()?;
            self.idle(now, limits)?;
            let due = self.machine.poll_timeout();
            if let Some(due) = due.filter(|due| !limits.names.contains(&due.name)) {
                return Err(Fault(Rule::Name, format!("{:?} is no timer of {:?}", due.name, limits.names)));
            }
            Ok(Done { sent, events, due, observed: (limits.observe)(&self.machine) })
        }));
        called.unwrap_or_else(|panic| Err(Fault(Rule::NoPanic, said(&*panic))))
    }

    /// Performs what the contract allows on a drained machine; it must have no effect.
    fn idle(&mut self, now: Instant, limits: &Limits<M>) -> Result<(), Fault> {
        match self.way {
            Way::Plain | Way::Again | Way::Short => Ok(()),
            Way::Polled => {
                let due = self.machine.poll_timeout();
                for _ in 0..2 {
                    self.expect_nothing(Rule::Drained, "it was drained", limits)?;
                }
                let after = self.machine.poll_timeout();
                if after == due {
                    return Ok(());
                }
                Err(Fault(Rule::Drained, format!("polling moves the deadline from {due:?} to {after:?}")))
            }
            Way::Early => {
                self.call_early(now, limits)?;
                self.call_early(
                    Instant::from_micros(now.as_micros().saturating_sub(SECOND.as_micros())),
                    limits,
                )
            }
        }
    }

    /// Calls `handle_timeout` at `now`, if nothing is due and this twin has that treatment.
    pub(super) fn call_early(&mut self, now: Instant, limits: &Limits<M>) -> Result<(), Fault> {
        let due = self.machine.poll_timeout();
        if self.way != Way::Early || !self.is_called || due.is_some_and(|due| due.at <= now) {
            return Ok(());
        }
        self.machine.handle_timeout(&mut Cx { now, entropy: &mut self.entropy });
        self.expect_nothing(Rule::Early, "handle_timeout was called early", limits)?;
        let after = self.machine.poll_timeout();
        if after == due {
            return Ok(());
        }
        Err(Fault(
            Rule::Early,
            format!("an early handle_timeout moves the deadline from {due:?} to {after:?}"),
        ))
    }

    fn expect_nothing(&mut self, rule: Rule, why: &str, limits: &Limits<M>) -> Result<(), Fault> {
        let mut long = vec![0; limits.longest];
        for buffer in [&mut [], &mut long[..]] {
            match self.machine.poll_transmit(buffer) {
                Ok(None) => {}
                other => return Err(Fault(rule, format!("{why}, and poll_transmit gives {other:?}"))),
            }
        }
        match self.machine.poll_event() {
            None => Ok(()),
            Some(event) => Err(Fault(rule, format!("{why}, and poll_event gives {event:?}"))),
        }
    }

    fn take_sent(&mut self, limits: &Limits<M>) -> Result<Outputs<M>, Fault> {
        let mut sent = Vec::new();
        loop {
            let length = if self.way == Way::Short { self.offer_short(limits)? } else { limits.longest };
            let mut buffer = vec![0; length];
            let (length, route) = match self.machine.poll_transmit(&mut buffer) {
                Ok(Some(output)) => output,
                Ok(None) => return Ok(sent),
                Err(TooShort { needed }) => {
                    let how =
                        format!("{needed} bytes are needed where {} are promised to be enough", buffer.len());
                    return Err(Fault(Rule::Needed, how));
                }
            };
            if self.way == Way::Short && length != buffer.len() {
                let how = format!("{} bytes are needed for an output of {length}", buffer.len());
                return Err(Fault(Rule::Needed, how));
            }
            buffer.truncate(length);
            sent.push((buffer, route));
            if sent.len() > MOST {
                return Err(Fault(Rule::Bounded, format!("more than {MOST} outputs after one call")));
            }
        }
    }

    /// Offers every buffer that is too short for the next output; returns the length that it needs, 0 for
    /// none.
    fn offer_short(&mut self, limits: &Limits<M>) -> Result<usize, Fault> {
        let mut buffer = vec![0; limits.longest];
        let mut needed = 0;
        for length in 0..=limits.longest {
            let polled = self.machine.poll_transmit(buffer.get_mut(..length).unwrap_or_default());
            match polled {
                Ok(None) if length == 0 => return Ok(0),
                Err(TooShort { needed: first }) if length == 0 && (1..=limits.longest).contains(&first) => {
                    needed = first;
                }
                Err(TooShort { needed: same }) if same == needed && length < needed => {}
                Ok(None) => {
                    let how =
                        format!("an output of {needed} bytes is gone after a buffer of {length} was offered");
                    return Err(Fault(Rule::Kept, how));
                }
                Ok(Some((cut, _))) if length == 0 => {
                    return Err(Fault(
                        Rule::Kept,
                        format!("an output of {cut} bytes goes into an empty buffer"),
                    ));
                }
                other => {
                    let how = format!(
                        "a buffer of {length} bytes is answered by {other:?}, an empty one by {needed}"
                    );
                    return Err(Fault(Rule::Needed, how));
                }
            }
            if length + 1 == needed {
                break;
            }
        }
        Ok(needed)
    }

    fn take_events(&mut self) -> Result<Vec<M::Event>, Fault> {
        let events: Vec<M::Event> =
            core::iter::from_fn(|| self.machine.poll_event()).take(MOST + 1).collect();
        if events.len() > MOST {
            return Err(Fault(Rule::Bounded, format!("more than {MOST} events after one call")));
        }
        Ok(events)
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// The message of a panic.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
