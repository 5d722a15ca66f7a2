//! The car's table, row by row: what is said when, and what follows from each answer.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod bench;

use bench::{Answer, Bench, ID, NAMES};
use exi_din::{BodyElement, V2gMessage};
use pev_fsm::{Contactors, Event, Input, Lock, Operator};
use session::{By, Cause, Checkpoint, Phase, StopReason};

#[test]
fn a_good_session_says_everything_in_order_and_ends_unlocked() {
    let mut bench = Bench::new();
    bench.start_to("CurrentDemandReq");
    bench.run(5_000);
    assert_eq!(bench.car.demand().contactors, Contactors::Closed);
    bench.input(Input::Operator(Operator::Stop));
    let stop = bench.end();
    assert_eq!(stop, StopReason::new(By::Operator, Cause::OperatorStop, Phase::CurrentDemand));
    assert_eq!(bench.names(), NAMES);
    bench.run(100);
    assert_eq!(bench.car.demand().lock, Lock::Released);
    assert_eq!(bench.car.phase(), Phase::Ended);
}
