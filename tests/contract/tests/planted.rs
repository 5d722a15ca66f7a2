//! A machine that breaks one rule of the contract fails the check by this rule; a machine that breaks none
//! passes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

use std::cell::Cell;
use std::sync::atomic::{AtomicU8, Ordering};

use machine::check::{Broken, Check, Rule};
use machine::{Cx, Deadline, Duration, Instant, Machine, Queue, TooShort};

/// The fault of a [`Planted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// An output that does not fit is dropped.
    Loses,
    /// An output that does not fit is cut.
    Cuts,
    /// Reports a longer requirement than it has.
    NeedsMore,
    /// Reports a shorter requirement than it has.
    NeedsLess,
    /// Requires more than its crate's bound.
    TooLong,
    /// Reports a short buffer although no output waits.
    ShortForNothing,
    /// A later poll of a drained machine still gives an output.
    SendsTwice,
    /// A later poll of a drained machine still gives an event.
    TellsTwice,
    /// Polls without a result are counted, and the next output shows the count.
    CountsPolls,
    /// Reading the deadline moves it.
    MovesWhenAsked,
    /// Sends on every `handle_timeout`.
    ActsEarly,
    /// Sets its timer again on every `handle_timeout`.
    MovesEarly,
    /// Accepts the time of every call, also an earlier one.
    GoesBack,
    /// Leaves a timer that is due as it is.
    StaysDue,
    /// Computes its next deadline from the last one, not from now.
    StaysBehind,
    /// Shares its count with other instances.
    Shares,
    /// Names a timer that it does not have.
    Misnames,
    /// Sends without end.
    NeverEnds,
    /// Reports without end.
    TellsOnAndOn,
    /// Reads the second byte of an input without a check of its length.
    Panics,
}

const PERIOD: Duration = Duration::from_millis(100);
const LONGEST: usize = 8;

/// Sends its input, of any length up to 8, and a sign of life in every period.
struct Planted {
    fault: Fault,
    out: Queue<Vec<u8>, 8>,
    /// Consecutive polls without a result.
    sent_none: u8,
    told_none: u8,
    events: Queue<u8, 8>,
    due: Option<Instant>,
    asked: Cell<u64>,
    polls: u8,
    latest: Instant,
}

static SHARED: AtomicU8 = AtomicU8::new(0);

impl Planted {
    fn new(fault: Fault) -> Self {
        Self {
            fault,
            out: Queue::new(),
            sent_none: 0,
            told_none: 0,
            events: Queue::new(),
            due: Some(Instant::ZERO + PERIOD),
            asked: Cell::new(0),
            polls: 0,
            latest: Instant::ZERO,
        }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }
}

impl Machine for Planted {
    type Input<'a> = &'a [u8];
    type Route = u8;
    type Event = u8;

    fn handle(&mut self, cx: &mut Cx<'_>, input: &[u8]) {
        if self.is(Fault::Panics) {
            assert_ne!(input.get(1).copied().unwrap(), 0, "hostile");
        }
        let mut bytes = input.to_vec();
        if self.is(Fault::Shares) {
            bytes.push(SHARED.fetch_add(1, Ordering::Relaxed));
        }
        if self.is(Fault::CountsPolls) {
            bytes.push(self.polls);
        }
        if self.is(Fault::GoesBack) {
            bytes.push(u8::try_from(cx.now.since(self.latest).as_millis() / 10).unwrap());
        }
        self.latest = cx.now;
        (self.sent_none, self.told_none) = (0, 0);
        self.events.push(u8::try_from(bytes.len()).unwrap());
        self.out.push(bytes);
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        if self.is(Fault::ActsEarly) {
            self.events.push(0);
        }
        if self.is(Fault::GoesBack) {
            self.latest = cx.now;
        }
        let Some(due) = self.due.filter(|due| *due <= cx.now || self.is(Fault::MovesEarly)) else { return };
        (self.sent_none, self.told_none) = (0, 0);
        self.out.push(vec![0xA1]);
        self.due = match self.fault {
            Fault::StaysDue => Some(due),
            Fault::StaysBehind => Some(due + PERIOD),
            _ => Some(cx.now + PERIOD),
        };
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, u8)>, TooShort> {
        let Some(next) = self.out.peek() else {
            self.polls += 1;
            self.sent_none += 1;
            if self.is(Fault::SendsTwice) && self.sent_none == 2 {
                self.out.push(vec![1]);
            }
            return if self.is(Fault::ShortForNothing) && buffer.is_empty() {
                Err(TooShort { needed: 1 })
            } else {
                Ok(None)
            };
        };
        let length = next.len();
        let needed = match self.fault {
            Fault::NeedsMore => length + 1,
            Fault::NeedsLess => length - 1,
            Fault::TooLong => LONGEST + 1,
            _ => length,
        };
        if buffer.len() < needed.max(length) && !self.is(Fault::Cuts) {
            if self.is(Fault::Loses) {
                self.out.pop();
            }
            return Err(TooShort { needed });
        }
        let next = if self.is(Fault::NeverEnds) { next.clone() } else { self.out.pop().unwrap() };
        buffer.iter_mut().zip(&next).for_each(|(to, from)| *to = *from);
        Ok(Some((length.min(buffer.len()), 7)))
    }

    fn poll_event(&mut self) -> Option<u8> {
        let Some(event) = self.events.pop() else {
            self.told_none += 1;
            return (self.is(Fault::TellsTwice) && self.told_none == 2).then_some(9);
        };
        if self.is(Fault::TellsOnAndOn) {
            self.events.push(event);
        }
        Some(event)
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.asked.set(self.asked.get() + 1);
        let moved = if self.is(Fault::MovesWhenAsked) { self.asked.get() } else { 0 };
        let name = if self.is(Fault::Misnames) { "sign of live" } else { "sign of life" };
        self.due.map(|at| Deadline { at: at + Duration::from_micros(moved), name })
    }
}

/// Runs inputs, deadlines that are met and missed, and hostile bytes.
fn judge(fault: Fault) -> Result<(), Broken> {
    let mut check = Check::new(&["sign of life"], LONGEST, |_| Planted::new(fault))?;
    check.call(|machine, cx| machine.handle(cx, &[1, 2, 3]))?;
    check.call(|machine, cx| machine.handle(cx, &[4, 5]))?;
    check.pass_to(Instant::from_millis(450))?;
    check.call(|machine, cx| machine.handle(cx, &[6, 7, 8, 9, 10]))?;
    check.sleep_to(Instant::from_millis(2_000))?;
    check.timeout()?;
    check.call(|machine, cx| machine.handle(cx, &[1, 0]))?;
    assert_eq!(check.take_sent().first(), Some(&(vec![1, 2, 3], 7)));
    Ok(())
}

#[test]
fn a_machine_that_keeps_every_rule_passes() {
    judge(Fault::None).unwrap();
}

#[test]
fn a_machine_that_breaks_one_rule_fails_by_this_rule() {
    use Rule::{Bounded, Drained, Due, Early, Equal, Kept, Name, Needed, NoPanic};
    for (fault, rule) in [
        (Fault::Loses, Kept),
        (Fault::Cuts, Kept),
        (Fault::NeedsMore, Needed),
        (Fault::NeedsLess, Needed),
        (Fault::TooLong, Needed),
        (Fault::ShortForNothing, Drained),
        (Fault::SendsTwice, Drained),
        (Fault::TellsTwice, Drained),
        (Fault::CountsPolls, Drained),
        (Fault::MovesWhenAsked, Drained),
        (Fault::ActsEarly, Early),
        (Fault::MovesEarly, Early),
        (Fault::GoesBack, Early),
        (Fault::StaysDue, Due),
        (Fault::StaysBehind, Due),
        (Fault::Shares, Equal),
        (Fault::Misnames, Name),
        (Fault::NeverEnds, Bounded),
        (Fault::TellsOnAndOn, Bounded),
        (Fault::Panics, NoPanic),
    ] {
        let broken = judge(fault).unwrap_err();
        assert_eq!(broken.rule, rule, "{fault:?}: {broken}");
    }
}
