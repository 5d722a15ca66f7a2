//! A charger that led to no link is tried last for a minute (CVE-2025-12357: a rogue charger claims 1 dB).

use homeplug_mme::Mac;
use slac::{Event, Failure, PevConfig, PevInput, PevState};

use crate::bench::*;

const ONE: PevConfig = PevConfig { max_join_failures: u8::MAX, ..PevConfig::new(CAR) };
const ROGUE: Mac = FAR;
const HONEST: Mac = NEAR;

fn rogue() -> Charger {
    Charger::new(ROGUE, 1)
}

fn honest() -> Charger {
    Charger::new(HONEST, 12)
}

/// The key led to no link, and the modem has the car's own key again.
fn no_link(bench: &mut Bench) {
    bench.until(PevState::Joining);
    bench.until(PevState::Waiting);
    bench.give(PevInput::ModemReady(true));
}

/// The charger that was set aside, and the one tried instead.
fn aside(bench: &Bench) -> Vec<(Mac, Mac)> {
    let of = |event: &Event| match event {
        Event::SetAside { peer, instead } => Some((*peer, *instead)),
        _ => None,
    };
    bench.events.iter().filter_map(of).collect()
}

#[test]
fn a_rogue_that_gave_no_link_is_tried_last_and_both_are_named() {
    let mut bench = Bench::plugged(ONE, &[rogue(), honest()]);
    no_link(&mut bench);
    assert_eq!((bench.chosen(), aside(&bench)), (vec![ROGUE], vec![]));
    bench.until(PevState::Joining);
    assert_eq!((bench.chosen(), aside(&bench)), (vec![ROGUE, HONEST], vec![(ROGUE, HONEST)]));
    bench.join();
    assert_eq!(bench.pev.peer(), Some(HONEST));
}

#[test]
fn after_a_minute_it_is_a_charger_like_any_other() {
    for (wait_ms, chosen) in [(40_000, HONEST), (61_000, ROGUE)] {
        let mut bench = Bench::plugged(ONE, &[rogue(), honest()]);
        no_link(&mut bench);
        bench.give(PevInput::Stop);
        bench.run(ms(wait_ms));
        bench.give(PevInput::ModemReady(true));
        bench.give(PevInput::Start);
        bench.until(PevState::Joining);
        assert_eq!(bench.pev.peer(), Some(chosen), "after {wait_ms} ms");
    }
}

#[test]
fn where_only_that_one_is_there_it_is_still_tried_and_nothing_said() {
    let mut bench = Bench::plugged(ONE, &[rogue()]);
    for _ in 0..3 {
        no_link(&mut bench);
    }
    assert_eq!((bench.chosen(), aside(&bench)), (vec![ROGUE; 3], vec![]));
    bench.until(PevState::Joining);
    bench.join();
    assert!(bench.pev.is_matched());
}

#[test]
fn one_that_does_not_measure_comes_before_one_that_gave_no_link() {
    let mut bench = Bench::plugged(ONE, &[rogue(), Charger { measures: false, ..honest() }]);
    no_link(&mut bench);
    bench.until(PevState::Joining);
    assert_eq!((bench.chosen(), aside(&bench)), (vec![ROGUE, HONEST], vec![(ROGUE, HONEST)]));
}

#[test]
fn where_all_gave_no_link_they_take_turns() {
    let mut bench = Bench::plugged(ONE, &[rogue(), honest()]);
    for _ in 0..5 {
        no_link(&mut bench);
    }
    assert_eq!(bench.chosen(), [ROGUE, HONEST, ROGUE, HONEST, ROGUE]);
}

#[test]
fn a_rogue_with_many_addresses_costs_one_join_each_and_then_the_honest_one_is_chosen() {
    let rogues = (1..=4).map(|last| Charger::new(Mac([2, 0, 0, 0, 6, last]), 1));
    let chargers: Vec<_> = rogues.chain([honest()]).collect();
    // Without that, matching would end after three keys without a link.
    let mut bench = Bench::plugged(PevConfig::new(CAR), &chargers);
    for _ in 0..4 {
        no_link(&mut bench);
    }
    bench.until(PevState::Joining);
    assert_eq!(bench.pev.peer(), Some(HONEST));
    let rest: std::collections::BTreeSet<_> = bench.chosen().into_iter().collect();
    assert_eq!((bench.chosen().len(), rest.len()), (5, 5), "each once");
}

#[test]
fn a_rogue_over_whose_link_nobody_answers_is_tried_last_too() {
    let mut bench = Bench::plugged(ONE, &[rogue(), honest()]);
    bench.until(PevState::Joining);
    bench.join();
    bench.give(PevInput::NoSession);
    assert_eq!(bench.failures(), [Failure::NoSession { peer: ROGUE }]);
    assert!(bench.events.contains(&Event::Left));
    bench.give(PevInput::ModemReady(true));
    bench.until(PevState::Joining);
    assert_eq!((bench.pev.peer(), aside(&bench)), (Some(HONEST), vec![(ROGUE, HONEST)]));
}

#[test]
fn a_new_start_that_somebody_wants_sets_nobody_aside() {
    let mut bench = Bench::plugged(ONE, &[honest(), Charger::new(ROGUE, 30)]);
    bench.until(PevState::Joining);
    bench.join();
    bench.give(PevInput::Error);
    bench.give(PevInput::ModemReady(true));
    bench.until(PevState::Joining);
    assert_eq!((bench.pev.peer(), aside(&bench)), (Some(HONEST), vec![]));
}

#[test]
fn a_link_that_comes_after_all_ends_it() {
    let mut bench = Bench::plugged(ONE, &[honest()]);
    no_link(&mut bench);
    bench.until(PevState::Joining);
    bench.join();
    bench.give(PevInput::Link(false));
    bench.give(PevInput::ModemReady(true));
    bench.chargers.push(Charger::new(ROGUE, 30));
    bench.until(PevState::Joining);
    assert_eq!((bench.pev.peer(), aside(&bench)), (Some(HONEST), vec![]));
}
