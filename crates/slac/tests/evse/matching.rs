//! The order of a run: which car receives a response when, and what ends the run.

use homeplug_mme::{Mac, RunId, Slac, StationId};
use machine::Machine;
use slac::{Dropped, Event, EvseConfig, EvseInput, EvseState, Failure};

use crate::bench::{Bench, CAR, CHARGER, Car};

#[test]
fn a_car_is_answered_reported_to_and_given_the_key() {
    let mut bench = Bench::new();
    CAR.begin(&mut bench);
    CAR.sounds(&mut bench, 12);
    // The tenth measurement triggers the report immediately: 100 ms, three times 20, nine times 20.
    assert_eq!(bench.answers(), [(0, CAR.mac, CAR.answer()), (340, CAR.mac, CAR.report(10, 12))]);
    bench.send(CAR.mac, CHARGER, CAR.acknowledges(0));
    bench.at(1200).send(CAR.mac, CHARGER, CAR.chooses());
    let key = bench.evse.key();
    assert_eq!(bench.answers(), [(1200, CAR.mac, CAR.confirmation(key))]);
    assert_eq!((bench.evse.state(), bench.evse.peer()), (EvseState::Joining, Some(CAR.mac)));
    bench.at(8000).input(EvseInput::Link(true));
    bench.at(8199);
    assert!(!bench.evse.is_matched());
    bench.at(8200);
    assert!(bench.evse.is_matched());
    let peer = CAR.mac;
    let story = [
        Event::Asked { car: peer, run_id: CAR.run_id },
        Event::Announced { car: peer, sounds: 10 },
        Event::Measured { peer, sounds: 10, mean_cdb: 1200 },
        Event::Acknowledged { peer },
        Event::Chosen { peer },
        Event::KeyGiven { peer },
        Event::Matched { peer },
    ];
    assert_eq!(bench.told(), story);
    assert_eq!(bench.evse.poll_timeout(), None, "nothing more to wait for");
}

#[test]
fn a_request_repeated_after_8_ms_is_answered_twice_and_is_one_run() {
    let mut bench = Bench::new();
    bench.cast(CAR.mac, CAR.asks());
    bench.at(8).cast(CAR.mac, CAR.asks());
    assert_eq!(bench.answers(), [(0, CAR.mac, CAR.answer()), (8, CAR.mac, CAR.answer())]);
    bench.at(200).cast(CAR.mac, CAR.starts());
    CAR.sounds(&mut bench, 9);
    assert_eq!(bench.answers(), [(380, CAR.mac, CAR.report(10, 9))]);
}

#[test]
fn a_new_run_in_the_middle_is_served_and_the_old_one_abandoned() {
    let mut bench = Bench::new();
    CAR.begin(&mut bench);
    bench.cast(CAR.mac, CAR.sound(9));
    bench.measured(&CAR, 80);
    let again = Car { run_id: RunId(*b"TESLA EV"), ..CAR };
    bench.sent();
    bench.cast(again.mac, again.asks());
    assert_eq!(bench.answers(), [(160, CAR.mac, again.answer())]);
    // The old run has ended.
    bench.told();
    bench.cast(CAR.mac, CAR.starts());
    assert_eq!(bench.told(), [Event::Dropped { from: CAR.mac, why: Dropped::Foreign }]);
    bench.cast(again.mac, again.starts());
    again.sounds(&mut bench, 10);
    // The average contains no measurement of the old run.
    assert_eq!(bench.answers(), [(340, CAR.mac, again.report(10, 10))]);
}

#[test]
fn the_same_run_asked_again_in_any_stage_begins_anew() {
    for stage in 0..4 {
        let mut bench = Bench::new();
        match stage {
            0 => bench.cast(CAR.mac, CAR.asks()),
            1 => CAR.begin(&mut bench),
            2 => {
                CAR.begin(&mut bench);
                CAR.sounds(&mut bench, 80);
            }
            _ => CAR.reach_choosing(&mut bench),
        }
        bench.sent();
        let key = bench.evse.key();
        CAR.reach_key(&mut bench);
        let answers: Vec<_> = bench.answers().into_iter().map(|(_, _, message)| message).collect();
        assert_eq!(answers, [CAR.answer(), CAR.report(10, 12), CAR.confirmation(key)], "stage {stage}");
    }
}

#[test]
fn the_report_is_repeated_twice_200_ms_apart_and_then_the_run_is_over() {
    let mut bench = Bench::new();
    CAR.begin(&mut bench);
    CAR.sounds(&mut bench, 12);
    bench.at(5000);
    let times: Vec<_> = bench.sent().iter().map(|sent| sent.ms).collect();
    assert_eq!(times, [0, 340, 540, 740]);
    let failed = Event::Failed(Failure::NotAcknowledged { car: CAR.mac });
    assert_eq!(bench.timed().last(), Some(&(940, failed)));
    // Too late.
    bench.send(CAR.mac, CHARGER, CAR.acknowledges(0));
    bench.send(CAR.mac, CHARGER, CAR.chooses());
    assert!(bench.sent().is_empty());
    // A new run is accepted.
    CAR.reach_key(&mut bench);
    assert_eq!(bench.evse.state(), EvseState::Joining);
}

#[test]
fn a_report_acknowledged_after_its_repeats_still_counts() {
    let mut bench = Bench::new();
    CAR.begin(&mut bench);
    CAR.sounds(&mut bench, 12);
    let reports: Vec<_> = bench.at(930).sent().drain(1..).collect();
    assert!(reports.len() == 3 && reports.iter().all(|report| report.bytes == reports[0].bytes));
    bench.send(CAR.mac, CHARGER, CAR.acknowledges(0));
    // The acknowledgements of the other two reports.
    bench.send(CAR.mac, CHARGER, CAR.acknowledges(0));
    bench.at(2000).send(CAR.mac, CHARGER, CAR.chooses());
    assert_eq!(bench.sent().len(), 1);
    assert_eq!(bench.evse.state(), EvseState::Joining);
}

#[test]
fn a_refusal_does_not_count_and_the_report_is_repeated() {
    let mut bench = Bench::new();
    CAR.begin(&mut bench);
    CAR.sounds(&mut bench, 12);
    let reported = bench.sent().last().unwrap().ms;
    bench.told();
    bench.send(CAR.mac, CHARGER, CAR.acknowledges(1));
    assert_eq!(bench.told(), [Event::Dropped { from: CAR.mac, why: Dropped::OutOfOrder }]);
    bench.send(CAR.mac, CHARGER, CAR.chooses());
    bench.at(3000);
    let repeats: Vec<u64> = bench.sent().iter().map(|sent| sent.ms - reported).collect();
    assert_eq!(repeats, [200, 400]);
    assert!(bench.told().contains(&Event::Failed(Failure::NotAcknowledged { car: CAR.mac })));
}

#[test]
fn a_car_has_10_s_to_choose() {
    let mut bench = Bench::new();
    CAR.reach_choosing(&mut bench);
    let chosen = bench.now.as_millis();
    let mut late = Bench::new();
    CAR.reach_choosing(&mut late);
    bench.at(chosen + 9_999).send(CAR.mac, CHARGER, CAR.chooses());
    assert_eq!(bench.evse.state(), EvseState::Joining);
    late.at(chosen + 10_000);
    let failed = Event::Failed(Failure::NoMatch { peer: CAR.mac });
    assert_eq!(late.timed().last(), Some(&(chosen + 10_000, failed)));
    late.sent();
    late.send(CAR.mac, CHARGER, CAR.chooses());
    assert!(late.sent().is_empty());
    assert_eq!(late.told(), [Event::Dropped { from: CAR.mac, why: Dropped::OutOfOrder }]);
}

#[test]
fn a_repeated_match_request_gets_the_same_bytes_also_with_a_link() {
    let mut bench = Bench::new();
    CAR.reach_key(&mut bench);
    let first = bench.sent().pop().unwrap().bytes;
    for link in [false, true] {
        bench.input(EvseInput::Link(link));
        bench.after(300).send(CAR.mac, CHARGER, CAR.chooses());
        assert_eq!(bench.evse.is_matched(), link);
        let again = bench.sent();
        assert!(again.len() == 1 && again[0].bytes == first);
    }
    // A repetition neither restarts the link's timer nor is it reported as a second choice.
    let chosen = bench.told().into_iter().filter(|event| matches!(event, Event::Chosen { .. })).count();
    assert_eq!(chosen, 1);
}

#[test]
fn names_of_stations_are_given_back_as_they_came() {
    let mut bench = Bench::new();
    CAR.reach_choosing(&mut bench);
    bench.sent();
    let (pev_id, evse_id) = (StationId([0xAA; 17]), StationId([0xBB; 17]));
    let asked = Slac::MatchReq { run_id: CAR.run_id, car: CAR.mac, pev_id, charger: CHARGER, evse_id };
    bench.send(CAR.mac, CHARGER, asked);
    let Slac::MatchCnf { pev_id: pev, evse_id: evse, .. } = bench.sent()[0].message else { panic!() };
    assert_eq!((pev, evse), (pev_id, evse_id));
}

#[test]
fn messages_that_name_others_are_ignored_in_every_stage() {
    let other = Car { run_id: RunId([0x77; 8]), ..CAR };
    let stranger = Car { mac: Mac([2, 0, 0, 0, 9, 9]), ..CAR };
    let elsewhere = Mac([2, 0, 0, 0, 0, 0x5F]);
    let id = StationId::default();
    let mut bench = Bench::new();
    for stage in 0..4 {
        match stage {
            0 => bench.cast(CAR.mac, CAR.asks()),
            1 => CAR.begin(&mut bench),
            2 => CAR.sounds(&mut bench, 12),
            _ => bench.send(CAR.mac, CHARGER, CAR.acknowledges(0)),
        }
        bench.sent();
        let ends = bench.evse.poll_timeout();
        for (from, to, message) in [
            // Another RunID.
            (CAR.mac, Mac::BROADCAST, other.starts()),
            (CAR.mac, Mac::BROADCAST, other.sound(0)),
            (CAR.mac, CHARGER, other.acknowledges(0)),
            (CAR.mac, CHARGER, other.chooses()),
            // Another sender with the car's RunID, and with the car's address in the message.
            (stranger.mac, Mac::BROADCAST, CAR.starts()),
            (stranger.mac, Mac::BROADCAST, stranger.starts()),
            (stranger.mac, Mac::BROADCAST, CAR.sound(0)),
            (stranger.mac, CHARGER, CAR.acknowledges(1)),
            (stranger.mac, CHARGER, stranger.acknowledges(0)),
            (stranger.mac, CHARGER, CAR.chooses()),
            (stranger.mac, CHARGER, stranger.chooses()),
            // To another charger, or about another one.
            (CAR.mac, elsewhere, CAR.asks()),
            (CAR.mac, elsewhere, CAR.acknowledges(1)),
            (CAR.mac, elsewhere, CAR.chooses()),
            (
                CAR.mac,
                CHARGER,
                Slac::MatchReq {
                    run_id: CAR.run_id,
                    car: CAR.mac,
                    pev_id: id,
                    charger: elsewhere,
                    evse_id: id,
                },
            ),
            // A message for one station, sent as a broadcast.
            (CAR.mac, Mac::BROADCAST, CAR.acknowledges(1)),
            (CAR.mac, Mac::BROADCAST, CAR.chooses()),
            // From an invalid address, and from the charger itself.
            (Mac::BROADCAST, Mac::BROADCAST, CAR.asks()),
            (Mac([0; 6]), Mac::BROADCAST, CAR.asks()),
            (CHARGER, Mac::BROADCAST, CAR.asks()),
            // Messages that chargers send.
            (CAR.mac, CHARGER, CAR.answer()),
            (CAR.mac, CHARGER, CAR.report(10, 3)),
            (CAR.mac, CHARGER, CAR.confirmation(bench.evse.key())),
        ] {
            bench.send(from, to, message);
            assert_eq!(bench.sent().len(), 0, "stage {stage}: {message:?} from {from}");
            assert_eq!(bench.evse.poll_timeout(), ends, "stage {stage}: {message:?} from {from}");
        }
        assert_eq!(bench.evse.state(), EvseState::Matching);
    }
    // After all that the car receives its key.
    bench.send(CAR.mac, CHARGER, CAR.chooses());
    assert_eq!(bench.evse.peer(), Some(CAR.mac));
}

#[test]
fn other_application_and_security_types_are_never_answered() {
    // Offsets of both bytes in the frame; in the match messages they are equal.
    for (offset, value) in [(19, 1), (19, 0xFF), (20, 1), (20, 0xFF)] {
        let mut bench = Bench::new();
        let steps = [
            (CAR.asks(), Mac::BROADCAST),
            (CAR.starts(), Mac::BROADCAST),
            (CAR.acknowledges(0), CHARGER),
            (CAR.chooses(), CHARGER),
        ];
        for (index, (message, to)) in steps.into_iter().enumerate() {
            let good = crate::bench::bytes(CAR.mac, to, message);
            let mut wrong = good.clone();
            wrong[offset] = value;
            let ends = bench.evse.poll_timeout();
            bench.sent();
            bench.told();
            bench.frame(&wrong);
            assert!(bench.sent().is_empty() && bench.evse.poll_timeout() == ends, "{message:?}");
            let told = bench.told();
            assert!(matches!(told[..], [Event::Dropped { why: Dropped::Fault(_), .. }]), "{told:?}");
            // Cut at every length: no response, and the timers continue.
            for len in 0..good.len().min(28) {
                bench.frame(&good[..len]);
            }
            assert!(bench.sent().is_empty() && bench.evse.poll_timeout() == ends, "{message:?}");
            bench.frame(&good);
            if index == 1 {
                CAR.sounds(&mut bench, 12);
            }
        }
        assert_eq!(bench.evse.state(), EvseState::Joining);
    }
}

#[test]
fn a_late_announcement_counts_unless_the_charger_is_strict() {
    for lenient in [true, false] {
        let mut bench = Bench::with(EvseConfig { lenient, ..EvseConfig::new(CHARGER) });
        bench.cast(CAR.mac, CAR.asks());
        bench.at(2000).cast(CAR.mac, CAR.starts());
        CAR.sounds(&mut bench, 12);
        let failed = Event::Failed(Failure::NoSound { car: CAR.mac });
        assert_eq!(bench.sent().len(), if lenient { 2 } else { 1 });
        assert_eq!(bench.timed().contains(&(400, failed)), !lenient);
    }
}

#[test]
fn nothing_is_answered_before_the_modem_is_ready_and_the_plug_in() {
    let mut bench = Bench::cold(EvseConfig::new(CHARGER));
    assert!(!bench.evse.offers());
    for input in [EvseInput::ModemReady(false), EvseInput::Start, EvseInput::ModemReady(true)] {
        bench.cast(CAR.mac, CAR.asks());
        assert!(bench.sent().is_empty());
        bench.input(input);
    }
    assert!(bench.evse.offers());
    bench.cast(CAR.mac, CAR.asks());
    assert_eq!(bench.sent().len(), 1);
    // A modem that restarts receives nothing.
    bench.input(EvseInput::ModemReady(false));
    assert!(!bench.evse.offers());
    bench.cast(CAR.mac, CAR.asks());
    assert!(bench.sent().is_empty());
}

#[test]
fn a_charger_that_hears_no_car_steps_its_pilot_twice_and_listens_on() {
    let mut bench = Bench::new();
    let mut now = 0;
    for _ in 0..2 {
        now += 40_000;
        bench.at(now - 1);
        assert_eq!(bench.evse.state(), EvseState::Matching);
        bench.at(now);
        assert_eq!(bench.timed(), [(now, Event::Failed(Failure::NoPeer))]);
        assert_eq!((bench.evse.state(), bench.evse.offers()), (EvseState::Stepping, false));
        bench.cast(CAR.mac, CAR.asks());
        assert!(bench.sent().is_empty());
        now += 4_000;
        bench.at(now);
        assert_eq!((bench.evse.state(), bench.evse.offers()), (EvseState::Idle, true));
        bench.input(EvseInput::Start);
    }
    now += 40_000;
    bench.at(now);
    assert_eq!(bench.timed(), [(now, Event::Failed(Failure::NoPeer))]);
    assert_eq!((bench.evse.state(), bench.evse.offers()), (EvseState::Matching, true));
    // A late car receives its responses.
    bench.at(3_600_000);
    CAR.reach_key(&mut bench);
    assert_eq!(bench.evse.state(), EvseState::Joining);
}

#[test]
fn stop_draws_a_new_key_only_when_it_was_given() {
    let mut bench = Bench::new();
    let key = bench.evse.key();
    CAR.reach_choosing(&mut bench);
    bench.input(EvseInput::Stop);
    assert_eq!((bench.evse.key(), bench.evse.state(), bench.evse.offers()), (key, EvseState::Idle, true));
    assert!(!bench.told().contains(&Event::Left));
    // The run ends when the plug is pulled.
    bench.input(EvseInput::Start);
    bench.sent();
    bench.send(CAR.mac, CHARGER, CAR.chooses());
    assert!(bench.sent().is_empty());
    CAR.reach_key(&mut bench);
    assert_eq!(bench.evse.key(), key);
    bench.input(EvseInput::Stop);
    assert_ne!(bench.evse.key(), key);
    assert_ne!(bench.evse.key().nid, key.nid);
    assert!(bench.told().contains(&Event::Left));
    // No offer until the modem has the new key.
    assert_eq!((bench.evse.offers(), bench.evse.peer()), (false, None));
    let key = bench.evse.key();
    bench.input(EvseInput::Stop);
    assert_eq!(bench.evse.key(), key);
}

#[test]
fn a_charger_whose_car_asked_and_got_nowhere_steps_its_pilot_too() {
    for far in [false, true] {
        let mut bench = Bench::new();
        if far {
            CAR.reach_choosing(&mut bench);
        } else {
            CAR.begin(&mut bench);
        }
        let asked = bench.now.as_millis();
        bench.at(asked + 39_000);
        assert_eq!(bench.evse.state(), EvseState::Matching);
        bench.at(asked + 41_000);
        assert_eq!(bench.evse.state(), EvseState::Stepping);
        assert!(bench.told().contains(&Event::Failed(Failure::NoPeer)));
    }
}

#[test]
fn a_car_that_asks_anew_over_the_link_brings_no_step_later() {
    let mut bench = Bench::new();
    CAR.reach_link(&mut bench);
    CAR.begin(&mut bench);
    bench.after(3_600_000);
    assert_eq!(bench.evse.state(), EvseState::Matched);
}
