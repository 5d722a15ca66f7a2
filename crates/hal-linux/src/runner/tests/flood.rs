//! Plant and demand are handled whatever arrives on the wire.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::rc::Rc;

use machine::Instant;

use super::echo::{Scripted, alone, pair, run_with};
use crate::{Budget, Happening, Notify, Outcome, Simulated, SimulatedBackend};

/// What happened, in order: the size of a received frame, or a call of the plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Frame(usize),
    Read,
    Apply,
}

type Journal = Rc<RefCell<Vec<Seen>>>;

/// Records the calls of the plant.
struct Watched {
    volts: Cell<i32>,
    journal: Journal,
}

impl SimulatedBackend for Watched {
    type Demand = i32;
    type Reading = i32;

    fn apply(&mut self, _now: Instant, demand: &i32) {
        self.volts.set(*demand);
        self.journal.borrow_mut().push(Seen::Apply);
    }
    fn read(&mut self, _now: Instant) -> i32 {
        self.journal.borrow_mut().push(Seen::Read);
        self.volts.get()
    }
    fn make_safe(&mut self, _now: Instant) {}
}

/// Runs a loop on an endless flood of this frame for `turns` turns and returns the record.
fn flood(frame: &[u8], turns: usize) -> Vec<Seen> {
    let _alone = alone();
    let journal = Journal::default();
    let (pair, peer) = pair();
    // Readable all the time.
    peer.send(b"x").unwrap();
    let mut port = Scripted(pair, |buffer: &mut [u8]| {
        journal.borrow_mut().push(Seen::Frame(frame.len()));
        buffer[..frame.len()].copy_from_slice(frame);
        Ok(frame.len())
    });
    let mut plant = Simulated(Watched { volts: Cell::new(0), journal: journal.clone() });
    let reads = || journal.borrow().iter().filter(|seen| **seen == Seen::Read).count();
    let ran = run_with(&mut port, &mut plant, Notify::default(), &mut |_, happening| match happening {
        Happening::Frame(..) if reads() > turns => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert_eq!(ran.outcome.unwrap(), Outcome::Ended);
    assert!(ran.counters.most_frames <= Budget::TURN.frames.into());
    journal.take()
}

/// The frames between two readings of the plant; a demand was applied after each reading.
fn turns(journal: &[Seen]) -> Vec<Vec<usize>> {
    let turns = journal.split(|seen| *seen == Seen::Read).skip(1);
    let frames = |turn: &[Seen]| {
        assert_eq!(turn.first(), Some(&Seen::Apply), "the demand comes before any frame: {turn:?}");
        let sizes = turn.iter().filter_map(|seen| match seen {
            Seen::Frame(size) => Some(*size),
            _ => None,
        });
        sizes.collect::<Vec<_>>()
    };
    turns.map(frames).collect()
}

#[test]
fn between_any_two_budgets_of_frames_the_plant_is_read_and_the_demand_applied() {
    let turns = turns(&flood(b"-small", 50));
    assert!(turns.len() > 50);
    for turn in &turns[..50] {
        assert_eq!(turn.len(), Budget::TURN.frames as usize);
    }
}

#[test]
fn large_frames_end_a_turn_by_their_bytes() {
    let frame = [b"-".to_vec(), vec![0; 20_000]].concat();
    for turn in &turns(&flood(&frame, 20))[..20] {
        assert_eq!(turn.len(), 4, "the fourth takes the last of the 64 KiB");
    }
}

#[test]
fn frames_that_make_work_end_a_turn_sooner_and_each_demand_is_applied_at_once() {
    // Each frame is answered and reported: three units of work.
    let journal = flood(b"work", 20);
    let most = Budget::TURN.work.div_ceil(3).min(Budget::TURN.frames) as usize;
    for turn in &turns(&journal)[..20] {
        assert!(!turn.is_empty() && turn.len() <= most, "{}", turn.len());
    }
    for pair in journal.windows(2) {
        assert_ne!(pair, [Seen::Frame(4), Seen::Frame(4)], "each frame raises the demand");
    }
}

#[test]
fn what_is_applied_and_read_goes_on_for_as_many_turns_as_the_flood() {
    let journal = flood(b"-", 200);
    let count = |what: Seen| journal.iter().filter(|seen| **seen == what).count();
    assert!(count(Seen::Apply) >= count(Seen::Read) && count(Seen::Read) > 200);
}
