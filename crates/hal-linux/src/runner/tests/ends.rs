//! How a loop ends: each time the plant is SAFE.

use std::ops::ControlFlow;

use nix::errno::Errno;
use nix::sys::signal::{Signal, raise};

use super::echo::{Scripted, Wire, alone, pair, run, run_with};
use crate::{Error, Happening, Notify, Outcome, Simulated};

/// Raises these signals, each after the loop has reported the one before; returns the reports.
fn signalled(signals: &[Signal]) -> (Result<Outcome, Error>, Vec<&'static str>, Wire) {
    let (mut port, peer) = pair();
    peer.send(b"go").unwrap();
    let (mut signals, mut seen, mut ticks) = (signals.iter(), Vec::new(), 0);
    let (ran, plant) = run(&mut port, &mut |_, happening| {
        match happening {
            Happening::Event("stop") => seen.push("stop"),
            Happening::StopRequested => seen.push("requested"),
            Happening::Counters(_) => seen.push("counters"),
            Happening::Tick => {
                ticks += 1;
                match signals.next() {
                    Some(signal) => raise(*signal).unwrap(),
                    None if ticks > 6 => return ControlFlow::Break(()),
                    None => {}
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    (ran.outcome, seen, plant)
}

#[test]
fn what_each_signal_asks_for() {
    use Signal::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1};
    let _alone = alone();
    let in_order = &["stop", "requested", "counters"][..];
    let table: [(&[Signal], Outcome, &[&str]); 7] = [
        (&[SIGINT], Outcome::Ended, in_order),
        (&[SIGINT, SIGINT], Outcome::Interrupted, in_order),
        (&[SIGTERM, SIGINT], Outcome::Interrupted, in_order),
        (&[SIGHUP], Outcome::Ended, in_order),
        // A shell and the kernel send one each: together they are one request.
        (&[SIGHUP, SIGHUP, SIGHUP], Outcome::Ended, in_order),
        (&[SIGQUIT], Outcome::Interrupted, &["counters"]),
        (&[SIGUSR1, SIGTERM], Outcome::Ended, &["counters", "stop", "requested", "counters"]),
    ];
    for (signals, expected, words) in table {
        let (outcome, seen, plant) = signalled(signals);
        assert_eq!((outcome.unwrap(), &seen[..]), (expected, words), "{signals:?}");
        assert_eq!((plant.volts, plant.safe), (0, 1), "{signals:?}");
    }
}

#[test]
fn a_port_that_fails_for_good_ends_the_loop_with_its_counters() {
    let _alone = alone();
    let mut counted = 0;
    let mut port =
        Scripted(pair().0, |_: &mut [u8]| Err(Error::Os { what: "receiving", errno: Errno::EBADF }));
    let (ran, plant) = run(&mut port, &mut |_, happening| {
        counted += u32::from(matches!(happening, Happening::Counters(_)));
        ControlFlow::Continue(())
    });
    assert!(matches!(ran.outcome, Err(Error::Os { errno: Errno::EBADF, .. })));
    assert_eq!((plant.safe, counted), (1, 1));
}

#[test]
fn a_panic_in_the_loop_leaves_the_plant_safe() {
    let _alone = alone();
    let mut plant = Simulated(Wire { volts: 5, safe: 0 });
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let (mut port, peer) = pair();
        peer.send(b"go").unwrap();
        run_with(&mut port, &mut plant, Notify::default(), &mut |_, happening| match happening {
            Happening::Event("frame") => panic!("in the middle"),
            _ => ControlFlow::Continue(()),
        })
        .outcome
    }));
    assert!(panicked.is_err());
    assert_eq!((plant.0.volts, plant.0.safe), (0, 1));
}
