//! From the key to the link, and its end.

use homeplug_mme::{Frame, Mac};
use slac::{Event, Failure, PevConfig, PevInput, PevState};

use crate::bench::*;

const ONE: PevConfig = PevConfig::new(CAR);

fn joining() -> Bench {
    let mut bench = Bench::plugged(ONE, &[Charger::new(NEAR, 9)]);
    bench.until(PevState::Joining);
    bench
}

#[test]
fn matched_needs_the_link_and_a_modem_that_holds_the_key_for_a_moment() {
    let table: [(&[PevInput<'_>], bool); 5] = [
        (&[PevInput::Link(true)], false),
        (&[PevInput::ModemReady(true)], false),
        (&[PevInput::Link(true), PevInput::ModemReady(true)], true),
        (&[PevInput::ModemReady(true), PevInput::Link(true)], true),
        (&[PevInput::ModemReady(true), PevInput::Link(true), PevInput::Link(false)], false),
    ];
    for (inputs, matched) in table {
        let mut bench = joining();
        for input in inputs {
            bench.give(*input);
        }
        bench.run(ms(199));
        assert!(!bench.pev.is_matched());
        bench.run(ms(1));
        assert_eq!(bench.pev.is_matched(), matched, "{inputs:?}");
    }
}

#[test]
fn a_link_told_again_and_again_is_no_later() {
    let mut bench = joining();
    bench.give(PevInput::ModemReady(true));
    for _ in 0..20 {
        bench.give(PevInput::Link(true));
        bench.give(PevInput::ModemReady(true));
        bench.run(ms(10));
    }
    assert!(bench.pev.is_matched());
}

#[test]
fn levels_from_before_the_key_do_not_count() {
    let mut bench = Bench::plugged(ONE, &[Charger::new(NEAR, 9)]);
    bench.give(PevInput::Link(true));
    bench.until(PevState::Joining);
    bench.run(ms(2500));
    bench.give(PevInput::ModemReady(true));
    bench.run(ms(2500));
    assert!(!bench.pev.is_matched());
}

#[test]
fn a_key_without_a_link_is_left_and_after_three_of_them_it_gives_up() {
    let mut bench = joining();
    let given = bench.pev.key();
    let mut private = vec![];
    for failure in 1..=3 {
        let began = bench.now;
        bench.give(PevInput::ModemReady(true));
        let next = if failure < 3 { PevState::Waiting } else { PevState::GaveUp };
        bench.until(next);
        assert_eq!((bench.now - began).as_millis(), 12_000);
        assert_ne!(bench.pev.key(), given);
        private.push(bench.pev.key().unwrap());
        if failure < 3 {
            // Not before the modem has the private key.
            let sent = bench.sent.len();
            bench.run(ms(6000));
            assert_eq!(bench.sent.len(), sent);
            bench.give(PevInput::ModemReady(true));
            bench.until(PevState::Joining);
            assert_eq!(bench.pev.key(), given);
        }
    }
    private.dedup();
    assert_eq!(private.len(), 3);
    assert_eq!(bench.failures(), [Failure::NoLink { peer: NEAR }; 3]);
    assert_eq!(bench.events.iter().filter(|event| **event == Event::Left).count(), 3);
    assert_eq!(bench.events.last(), Some(&Event::GaveUp));

    bench.give(PevInput::ModemReady(true));
    bench.run(ms(60_000));
    assert_eq!(bench.pev.state(), PevState::GaveUp);
    bench.give(PevInput::Stop);
    bench.give(PevInput::Start);
    bench.until(PevState::Joining);
    // A new plug resets the number of tries.
    bench.until(PevState::Waiting);
}

#[test]
fn a_link_clears_the_count_of_keys_that_brought_none() {
    let mut bench = joining();
    for _ in 0..5 {
        bench.until(PevState::Waiting);
        bench.give(PevInput::ModemReady(true));
        bench.until(PevState::Joining);
        bench.join();
        assert!(bench.pev.is_matched());
        bench.give(PevInput::Link(false));
        bench.give(PevInput::ModemReady(true));
        bench.until(PevState::Joining);
    }
}

#[test]
fn a_lost_link_leaves_the_network_and_matches_anew_once_the_modem_is_ready() {
    let mut bench = Bench::matched(ONE);
    let (given, lost) = (bench.pev.key(), bench.now);
    bench.give(PevInput::Link(false));
    assert_eq!(bench.events, [Event::Failed(Failure::LinkLost { peer: NEAR }), Event::Left]);
    assert!(!bench.pev.is_matched());
    assert!(bench.pev.key().is_some() && bench.pev.key() != given);
    bench.run(ms(7000));
    assert_eq!(bench.sent.len(), 0);
    bench.give(PevInput::ModemReady(true));
    assert_eq!(bench.times(is_parm_req).len(), 1);
    assert!((bench.now - lost) < slac::times::T_CONN_RESETUP);
    bench.until(PevState::Joining);
    bench.join();
    assert!(bench.pev.is_matched());
}

#[test]
fn a_lost_link_after_the_plug_was_pulled_begins_nothing() {
    let mut bench = Bench::matched(ONE);
    bench.give(PevInput::Stop);
    bench.give(PevInput::Link(false));
    bench.give(PevInput::ModemReady(true));
    bench.run(ms(60_000));
    assert_eq!((bench.sent.len(), bench.pev.state()), (0, PevState::Unmatched));
}

#[test]
fn after_a_lost_link_it_gives_up_after_its_attempts_but_not_before_the_resetup_time() {
    let mut bench = Bench::matched(PevConfig { max_attempts: Some(2), ..ONE });
    let lost = bench.now;
    bench.chargers.clear();
    bench.give(PevInput::Link(false));
    bench.give(PevInput::ModemReady(true));
    bench.until(PevState::GaveUp);
    assert!((bench.now - lost) >= slac::times::T_CONN_RESETUP);
}

#[test]
fn d_link_error_leaves_the_network_and_matches_anew() {
    for mut bench in [joining(), Bench::matched(ONE)] {
        let given = bench.pev.key();
        bench.give(PevInput::Error);
        assert_eq!((bench.failures(), bench.pev.state()), (vec![Failure::Asked], PevState::Waiting));
        assert_ne!(bench.pev.key(), given);
        bench.give(PevInput::ModemReady(true));
        bench.until(PevState::Joining);
    }
}

#[test]
fn pulling_the_plug_draws_a_private_key_exactly_when_a_network_was_joined() {
    for mut bench in [joining(), Bench::matched(ONE)] {
        let given = bench.pev.key().unwrap();
        bench.give(PevInput::Stop);
        let private = bench.pev.key().unwrap();
        assert!(private.nmk != given.nmk && private.nid != given.nid);
        assert_eq!(bench.events.last(), Some(&Event::Left));
        // No other station has this key: it need not change again.
        bench.give(PevInput::Stop);
        assert!(bench.pev.key() == Some(private));
    }
    let mut bench = Bench::plugged(ONE, &[]);
    bench.give(PevInput::Stop);
    assert!(bench.pev.key().is_none() && !bench.events.contains(&Event::Left));
}

#[test]
fn a_pause_keeps_the_key_and_lives_without_a_link_until_it_ends() {
    let mut bench = Bench::matched(ONE);
    let given = bench.pev.key();
    bench.give(PevInput::Pause);
    bench.give(PevInput::Link(false));
    bench.give(PevInput::ModemReady(false));
    bench.run(ms(3_600_000));
    assert_eq!((bench.pev.state(), bench.pev.peer()), (PevState::Paused, Some(NEAR)));
    assert!(bench.pev.key() == given);

    bench.give(PevInput::Resume);
    bench.run(ms(5000));
    bench.join();
    assert!(bench.pev.is_matched() && bench.pev.key() == given);
    assert_eq!(bench.events, [Event::Matched { peer: NEAR }]);
    assert_eq!(bench.sent.len(), 0);
}

#[test]
fn a_link_that_does_not_come_back_from_a_pause_in_time_is_lost() {
    let mut bench = Bench::matched(ONE);
    bench.give(PevInput::Pause);
    bench.give(PevInput::Link(false));
    bench.give(PevInput::Resume);
    bench.run(ms(5999));
    assert_eq!(bench.pev.state(), PevState::Paused);
    bench.run(ms(1));
    assert_eq!(bench.events, [Event::Failed(Failure::LinkLost { peer: NEAR }), Event::Left]);
}

#[test]
fn a_pause_is_only_for_who_is_matched_and_a_resume_only_for_who_pauses() {
    let mut bench = joining();
    bench.give(PevInput::Pause);
    assert_eq!(bench.pev.state(), PevState::Joining);
    let mut bench = Bench::matched(ONE);
    bench.give(PevInput::Resume);
    bench.run(ms(60_000));
    assert!(bench.pev.is_matched());
}

#[test]
fn a_matched_or_sleeping_car_hears_no_matching_at_all() {
    let mut bench = Bench::plugged(ONE, &[Charger::new(NEAR, 9)]);
    bench.until(PevState::Joining);
    bench.join();
    let (run_id, key) = (bench.run_id(), bench.pev.key());
    for _ in 0..2 {
        bench.events.clear();
        bench.sent.clear();
        for from in [NEAR, FAR] {
            let charger = Charger::new(from, 3);
            bench.hear(charger.report(run_id, CAR), from);
            bench.hear(charger.cnf(run_id, CAR), from);
        }
        assert_eq!((bench.events.len(), bench.sent.len()), (0, 0));
        assert!(bench.pev.key() == key);
        bench.give(PevInput::Pause);
    }
}

#[test]
fn every_frame_is_at_least_sixty_bytes_and_from_the_host() {
    let mut bench = joining();
    bench.join();
    for sent in &bench.sent {
        let frame = Frame::parse(&sent.bytes).unwrap();
        assert!(sent.bytes.len() >= 60 && frame.from == CAR);
        assert!(frame.to == NEAR || frame.to == Mac::BROADCAST);
    }
}
