//! Back ends that fail, wake, or have an insufficient heartbeat.

use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use machine::Instant;

use super::echo::{Wire, alone, pair, run_with};
use crate::{Error, Happening, Heartbeat, Notify, PlantBackend, PlantFault, SimulatedBackend, Waker};

/// Stands for real hardware.
struct Hardware {
    wire: Wire,
    heartbeat: Heartbeat,
    /// Number of readings and demands that fail from here on.
    fails_after: u32,
    failures: u32,
    reads: u32,
    demands: Vec<i32>,
    waker: Option<Arc<Waker>>,
}

impl Hardware {
    fn new(heartbeat: Heartbeat) -> Self {
        Self {
            wire: Wire::default(),
            heartbeat,
            fails_after: u32::MAX,
            failures: 0,
            reads: 0,
            demands: Vec::new(),
            waker: None,
        }
    }
}

impl PlantBackend for Hardware {
    type Demand = i32;
    type Reading = i32;

    fn apply(&mut self, now: Instant, demand: &i32) -> Result<(), PlantFault> {
        self.wire.apply(now, demand);
        self.demands.push(*demand);
        Ok(())
    }

    fn read(&mut self, now: Instant) -> Result<i32, PlantFault> {
        if let Some(waker) = &self.waker {
            waker.take();
        }
        self.reads += 1;
        if self.reads > self.fails_after && self.failures > 0 {
            self.failures -= 1;
            return Err(PlantFault("the power module does not answer: look at its bus".into()));
        }
        Ok(self.wire.read(now))
    }

    fn make_safe(&mut self, now: Instant) {
        self.wire.make_safe(now);
    }

    fn heartbeat(&self) -> Heartbeat {
        self.heartbeat
    }

    fn wakes(&self) -> Option<BorrowedFd<'_>> {
        self.waker.as_ref().map(|waker| waker.as_fd())
    }
}

const GOOD: Heartbeat = Heartbeat::Within(Duration::from_millis(300));

#[test]
fn a_back_end_without_a_heartbeat_or_with_a_slow_one_never_gets_a_demand() {
    let _alone = alone();
    for (heartbeat, refused) in
        [(Heartbeat::Absent, true), (Heartbeat::Within(Duration::from_millis(501)), true), (GOOD, false)]
    {
        let mut plant = Hardware::new(heartbeat);
        let ran = run_with(&mut pair().0, &mut plant, Notify::default(), &mut |_, _| ControlFlow::Break(()));
        let error = ran.outcome.err();
        assert_eq!(
            matches!(error, Some(Error::NoHeartbeat | Error::SlowHeartbeat(_))),
            refused,
            "{heartbeat:?}: {error:?}"
        );
        assert_eq!(plant.reads == 0 && plant.demands.is_empty(), refused, "{heartbeat:?}");
    }
}

#[test]
fn a_back_end_that_fails_is_made_safe_and_says_why_and_the_role_sees_nothing_until_it_is_good_again() {
    let _alone = alone();
    let (mut port, peer) = pair();
    peer.send(b"one").unwrap();
    let mut plant = Hardware { fails_after: 3, failures: 3, ..Hardware::new(GOOD) };
    let mut seen = Vec::new();
    let ran = run_with(&mut port, &mut plant, Notify::default(), &mut |_, happening| {
        match happening {
            Happening::PlantFailed(fault) => seen.push(fault.to_string()),
            Happening::PlantGood => seen.push("good".into()),
            Happening::Event("blind") => seen.push("blind".into()),
            _ => {}
        }
        if seen.len() == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(seen, ["the power module does not answer: look at its bus", "blind", "good"]);
    assert_eq!(ran.counters.plant_faults, 1);
    assert_eq!(plant.wire.safe, 2, "when it failed, and at the end");
    let before = plant.demands.iter().rposition(|volts| *volts == 1).unwrap();
    assert!(plant.demands[before + 1..].iter().all(|volts| *volts == 0), "{:?}", plant.demands);
    assert!(plant.demands.len() - before > 2, "SAFE is demanded again and again");
}

#[test]
fn a_plant_that_wakes_is_read_without_a_tick() {
    let _alone = alone();
    let waker = Arc::new(Waker::new().unwrap());
    let mut plant = Hardware { waker: Some(waker.clone()), ..Hardware::new(GOOD) };
    let (mut beats, mut ticks) = (0_u32, 0_u32);
    let ran = run_with(&mut pair().0, &mut plant, Notify::default(), &mut |_, happening| {
        match happening {
            Happening::Event("beat") => beats += 1,
            Happening::Tick => ticks += 1,
            _ => {}
        }
        waker.wake();
        // Each wake is a turn, so they come as fast as the loop turns.
        if beats == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!(ran.counters.readings > u64::from(ticks + beats), "{} readings", ran.counters.readings);
}
