//! From the key to the link, and its end.

use slac::{Event, EvseConfig, EvseInput, EvseState, Failure};

use crate::bench::{Bench, CAR, CHARGER, Car};

#[test]
fn a_link_that_does_not_come_in_12_s_is_left_the_pilot_steps_and_the_key_is_new() {
    let mut bench = Bench::new();
    CAR.reach_key(&mut bench);
    let (key, given) = (bench.evse.key(), bench.now.as_millis());
    bench.told();
    bench.at(given + 11_999);
    assert_eq!(bench.evse.state(), EvseState::Joining);
    bench.at(given + 12_000);
    assert_eq!(bench.told(), [Event::Failed(Failure::NoLink { peer: CAR.mac }), Event::Left]);
    assert_ne!(bench.evse.key(), key);
    assert_eq!(
        (bench.evse.state(), bench.evse.offers(), bench.evse.peer()),
        (EvseState::Stepping, false, None)
    );
    // The modem has the new key before the end of the pilot step, or after it.
    bench.after(3000).input(EvseInput::ModemReady(true));
    assert!(!bench.evse.offers());
    bench.at(given + 16_000);
    assert_eq!((bench.evse.state(), bench.evse.offers()), (EvseState::Idle, true));
    // Only a new offer of 5 % begins a new matching.
    bench.sent();
    bench.cast(CAR.mac, CAR.asks());
    assert!(bench.sent().is_empty());
    bench.input(EvseInput::Start);
    CAR.reach_link(&mut bench);
    assert!(bench.evse.is_matched());
}

#[test]
fn a_link_in_the_last_moment_counts_though_its_notice_comes_later() {
    let mut bench = Bench::new();
    CAR.reach_key(&mut bench);
    let given = bench.now.as_millis();
    bench.at(given + 11_900).input(EvseInput::Link(true));
    bench.at(given + 12_099);
    assert_eq!(bench.evse.state(), EvseState::Joining);
    bench.at(given + 12_100);
    assert_eq!(bench.evse.state(), EvseState::Matched);
    bench.at(given + 60_000);
    assert_eq!(bench.evse.state(), EvseState::Matched);
}

#[test]
fn a_link_in_the_last_moment_that_is_lost_again_does_not() {
    let mut bench = Bench::new();
    CAR.reach_key(&mut bench);
    let given = bench.now.as_millis();
    bench.at(given + 11_900).input(EvseInput::Link(true));
    bench.at(given + 12_050).input(EvseInput::Link(false));
    bench.at(given + 12_200);
    assert_eq!(bench.evse.state(), EvseState::Stepping);
    assert!(bench.told().contains(&Event::Failed(Failure::NoLink { peer: CAR.mac })));
}

#[test]
fn a_link_that_flickers_is_told_when_it_stays() {
    let mut bench = Bench::new();
    CAR.reach_key(&mut bench);
    for _ in 0..5 {
        bench.input(EvseInput::Link(true));
        bench.after(100).input(EvseInput::Link(false));
        bench.after(150);
        assert_eq!(bench.evse.state(), EvseState::Joining);
    }
    bench.input(EvseInput::Link(true));
    // Reported repeatedly: the time does not restart.
    bench.after(150).input(EvseInput::Link(true));
    bench.after(50);
    assert!(bench.evse.is_matched());
}

#[test]
fn after_three_failures_the_charger_rests_for_a_minute_or_until_the_plug_is_out() {
    let mut bench = Bench::new();
    // After a minute the count restarts.
    for attempt in 1..=6 {
        bench.input(EvseInput::ModemReady(true));
        bench.input(EvseInput::Start);
        CAR.reach_key(&mut bench);
        bench.after(12_000);
        assert_eq!(bench.told().contains(&Event::GaveUp), attempt % 3 == 0);
        bench.input(EvseInput::Withdrawn);
        bench.after(if attempt == 3 { 59_999 } else { 4_000 });
        if attempt == 3 {
            assert_eq!(bench.evse.state(), EvseState::GaveUp);
            bench.after(1);
        }
        assert_eq!(bench.evse.state() == EvseState::Idle, attempt != 6);
    }
    assert_eq!((bench.evse.state(), bench.evse.offers()), (EvseState::GaveUp, false));
    bench.input(EvseInput::ModemReady(true));
    bench.input(EvseInput::Start);
    bench.sent();
    CAR.reach_key(&mut bench);
    assert!(bench.sent().is_empty() && !bench.evse.offers());
    bench.input(EvseInput::Stop);
    assert!(bench.evse.offers());
    bench.input(EvseInput::Start);
    CAR.reach_link(&mut bench);
    assert!(bench.evse.is_matched());
}

#[test]
fn a_link_forgives_the_failures_before_it() {
    let mut bench = Bench::new();
    for attempt in 0..6 {
        bench.input(EvseInput::ModemReady(true));
        bench.input(EvseInput::Start);
        if attempt == 2 {
            CAR.reach_link(&mut bench);
            bench.input(EvseInput::Link(false));
        } else {
            CAR.reach_key(&mut bench);
            bench.after(12_000);
        }
        bench.after(4_000);
        assert_eq!(bench.evse.state() == EvseState::GaveUp, attempt == 5, "{attempt}");
    }
}

#[test]
fn a_lost_link_is_told_left_and_the_pilot_steps() {
    let mut bench = Bench::new();
    CAR.reach_link(&mut bench);
    let key = bench.evse.key();
    bench.told();
    bench.input(EvseInput::Link(false));
    assert_eq!(bench.told(), [Event::Failed(Failure::LinkLost { peer: CAR.mac }), Event::Left]);
    assert_ne!(bench.evse.key(), key);
    assert_eq!((bench.evse.state(), bench.evse.offers()), (EvseState::Stepping, false));
    bench.after(4_000);
    assert_eq!((bench.evse.state(), bench.evse.offers()), (EvseState::Idle, false), "the modem restarts");
    bench.input(EvseInput::ModemReady(true));
    assert!(bench.evse.offers());
}

#[test]
fn an_error_of_the_session_begins_matching_anew_also_before_the_link() {
    for linked in [true, false] {
        let mut bench = Bench::new();
        CAR.reach_key(&mut bench);
        if linked {
            bench.input(EvseInput::Link(true));
            bench.after(200);
        }
        bench.told();
        bench.input(EvseInput::Error);
        assert_eq!(bench.told(), [Event::Failed(Failure::Asked), Event::Left]);
        assert_eq!(bench.evse.state(), EvseState::Stepping);
    }
    let mut bench = Bench::new();
    CAR.reach_choosing(&mut bench);
    bench.told();
    bench.input(EvseInput::Error);
    assert!(bench.told().is_empty(), "no link, no error of it");
}

#[test]
fn a_pause_bears_a_lost_link_and_hears_no_car() {
    let mut bench = Bench::new();
    CAR.reach_link(&mut bench);
    let key = bench.evse.key();
    bench.sent();
    bench.told();
    bench.input(EvseInput::Pause);
    bench.input(EvseInput::Link(false));
    bench.cast(CAR.mac, CAR.asks());
    bench.after(3_600_000);
    assert!(bench.sent().is_empty() && bench.told().is_empty() && bench.evse.is_matched());
    bench.input(EvseInput::Resume);
    assert_eq!(bench.evse.state(), EvseState::Joining);
    bench.after(5_700).input(EvseInput::Link(true));
    bench.after(200);
    assert_eq!((bench.evse.state(), bench.evse.key()), (EvseState::Matched, key));
    // The link was not lost, so it is valid immediately.
    bench.input(EvseInput::Pause);
    bench.input(EvseInput::Resume);
    assert!(bench.evse.is_matched());
}

#[test]
fn a_link_that_does_not_come_back_in_6_s_is_lost_and_no_failure_to_join() {
    let mut bench = Bench::new();
    for _ in 0..4 {
        bench.input(EvseInput::ModemReady(true));
        bench.input(EvseInput::Start);
        CAR.reach_link(&mut bench);
        bench.input(EvseInput::Pause);
        bench.input(EvseInput::Link(false));
        bench.input(EvseInput::Resume);
        bench.told();
        bench.after(5_999);
        assert_eq!(bench.evse.state(), EvseState::Joining);
        bench.after(1);
        assert_eq!(bench.told(), [Event::Failed(Failure::LinkLost { peer: CAR.mac }), Event::Left]);
        bench.after(4_000);
        assert_eq!(bench.evse.state(), EvseState::Idle);
    }
}

#[test]
fn stop_ends_everything_from_every_state() {
    for steps in 0..8 {
        let mut bench = Bench::cold(EvseConfig::new(CHARGER));
        if steps > 0 {
            bench = Bench::new();
        }
        match steps {
            2 => CAR.reach_choosing(&mut bench),
            3 => CAR.reach_key(&mut bench),
            4..=6 => CAR.reach_link(&mut bench),
            7 => {
                bench.after(40_000);
            }
            _ => {}
        }
        if steps == 5 {
            bench.input(EvseInput::Pause);
        }
        if steps == 6 {
            bench.input(EvseInput::Busy(true));
            bench.input(EvseInput::Link(false));
        }
        bench.input(EvseInput::Stop);
        assert_eq!((bench.evse.state(), bench.evse.peer()), (EvseState::Idle, None), "{steps}");
        bench.sent();
        bench.after(60_000);
        assert!(bench.sent().is_empty(), "{steps}");
        bench.input(EvseInput::ModemReady(true));
        assert!(bench.evse.offers(), "{steps}");
        bench.input(EvseInput::Start);
        Car::new(7).reach_link(&mut bench);
        assert!(bench.evse.is_matched(), "{steps}");
    }
}

#[test]
fn five_percent_is_offered_unless_the_modem_restarts_or_the_pilot_steps() {
    let mut bench = Bench::cold(EvseConfig::new(CHARGER));
    let mut offers = vec![("new", bench.evse.offers())];
    let mut note = |bench: &Bench, what| offers.push((what, bench.evse.offers()));
    bench.input(EvseInput::ModemReady(true));
    note(&bench, "modem ready");
    bench.input(EvseInput::Start);
    note(&bench, "matching");
    CAR.reach_key(&mut bench);
    note(&bench, "joining");
    bench.input(EvseInput::Link(true));
    bench.after(200);
    note(&bench, "matched");
    bench.input(EvseInput::Pause);
    note(&bench, "paused");
    bench.input(EvseInput::Resume);
    bench.input(EvseInput::Link(false));
    note(&bench, "stepping");
    bench.after(4000);
    note(&bench, "modem restarting");
    bench.input(EvseInput::ModemReady(true));
    note(&bench, "modem ready again");
    let expected = [
        ("new", false),
        ("modem ready", true),
        ("matching", true),
        ("joining", true),
        ("matched", true),
        ("paused", true),
        ("stepping", false),
        ("modem restarting", false),
        ("modem ready again", true),
    ];
    assert_eq!(offers, expected);
}
