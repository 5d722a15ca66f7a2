//! From `CM_SLAC_PARM.REQ` to the key.

use homeplug_mme::{GROUPS, Mac, Profile, RunId, Slac};
use slac::{Dropped, Event, Failure, PevConfig, PevInput, PevState};

use crate::bench::*;

const ONE: PevConfig = PevConfig::new(CAR);

#[test]
fn a_car_and_one_charger_match_and_every_step_is_told() {
    let mut bench = Bench::plugged(ONE, &[Charger::new(NEAR, 9)]);
    bench.until(PevState::Joining);
    assert_eq!(bench.pev.key(), Some(bench.chargers[0].key()));
    assert!(!bench.pev.is_matched());
    bench.join();
    assert!(bench.pev.is_matched());
    assert_eq!(bench.pev.peer(), Some(NEAR));
    let run_id = bench.run_id();
    assert_eq!(
        bench.events,
        [
            Event::Asked { car: CAR, run_id },
            Event::Answered { peer: NEAR },
            Event::Announced { car: CAR, sounds: 10 },
            Event::Measured { peer: NEAR, sounds: 10, mean_cdb: 900 },
            Event::Acknowledged { peer: NEAR },
            Event::Sounded { sounds: 10 },
            Event::Chosen { peer: NEAR },
            Event::KeyGiven { peer: NEAR },
            Event::Matched { peer: NEAR },
        ]
    );
}

#[test]
fn three_announcements_and_ten_sounds_go_to_all_at_the_interval_counting_down() {
    let mut bench = Bench::plugged(ONE, &[Charger::new(NEAR, 9)]);
    bench.until(PevState::Joining);
    let run = bench.run_id();
    let mut expected = vec![];
    for (index, sent) in bench.sent.iter().filter(|sent| sent.to == Mac::BROADCAST).enumerate() {
        expected.push(sent.at.as_millis());
        match sent.slac {
            Slac::ParmReq { run_id } => assert_eq!((index, run_id), (0, run)),
            Slac::StartAttenChar { run_id, sounds, timeout_100ms, car } => {
                assert!((1..=3).contains(&index));
                assert_eq!((run_id, sounds, timeout_100ms, car), (run, 10, 6, CAR));
            }
            Slac::Sound { run_id, remaining, .. } => {
                assert_eq!((run_id, usize::from(remaining)), (run, 13 - index));
            }
            other => panic!("{other:?} to all"),
        }
    }
    assert_eq!(expected, [0, 50, 80, 110, 140, 170, 200, 230, 260, 290, 320, 350, 380, 410]);
}

#[test]
fn each_sound_has_random_bytes_of_its_own() {
    let mut bench = Bench::plugged(ONE, &[Charger::new(NEAR, 9)]);
    bench.until(PevState::Joining);
    let random = |sent: &Sent| match sent.slac {
        Slac::Sound { random, .. } => Some(random),
        _ => None,
    };
    let all: std::collections::BTreeSet<_> = bench.sent.iter().filter_map(random).collect();
    assert_eq!(all.len(), 10);
}

#[test]
fn the_interval_stays_within_what_the_standard_allows() {
    for (asked, kept) in [(0, 20), (30, 30), (1000, 50)] {
        let config = PevConfig { interval: ms(asked), ..ONE };
        let mut bench = Bench::plugged(config, &[Charger::new(NEAR, 9)]);
        bench.until(PevState::Joining);
        let sounds = bench.times(|slac| matches!(slac, Slac::Sound { .. } | Slac::StartAttenChar { .. }));
        assert!(sounds.windows(2).all(|two| two[1] - two[0] == kept), "{sounds:?}");
    }
}

#[test]
fn as_many_sounds_go_out_as_the_charger_asks_for_within_bounds() {
    for (asked, given) in [(1, 1), (8, 8), (30, 30), (31, 30), (255, 30)] {
        let charger = Charger { sounds: asked, ..Charger::new(NEAR, 9) };
        let mut bench = Bench::plugged(ONE, &[charger]);
        bench.until(PevState::Joining);
        assert_eq!(bench.times(|slac| matches!(slac, Slac::Sound { .. })).len(), given);
    }
}

#[test]
fn with_two_chargers_both_reports_are_acknowledged_and_the_nearer_one_is_chosen() {
    for order in [[(NEAR, 25), (FAR, 31)], [(FAR, 31), (NEAR, 25)]] {
        let chargers = order.map(|(mac, db)| Charger::new(mac, db));
        let mut bench = Bench::plugged(ONE, &chargers);
        bench.until(PevState::Joining);
        let acknowledged: Vec<_> =
            bench.sent.iter().filter(|sent| is_rsp(&sent.slac)).map(|sent| sent.to).collect();
        assert_eq!(acknowledged, order.map(|(mac, _)| mac));
        assert_eq!(bench.chosen(), [NEAR]);
        assert_eq!(bench.pev.peer(), Some(NEAR));
    }
}

#[test]
fn of_equally_near_chargers_the_lower_address_is_chosen_and_the_other_tried_when_it_is_the_wrong_one() {
    for order in [[NEAR, FAR], [FAR, NEAR]] {
        let mut chargers = order.map(|mac| Charger::new(mac, 20));
        let mut bench = Bench::plugged(ONE, &chargers);
        bench.until(PevState::Joining);
        assert_eq!(bench.chosen(), [NEAR]);

        chargers.iter_mut().find(|charger| charger.mac == NEAR).unwrap().deaf_to_matches = 9;
        let mut bench = Bench::plugged(ONE, &chargers);
        bench.until(PevState::Joining);
        assert_eq!(bench.chosen(), [NEAR, FAR]);
        assert_eq!(bench.failures(), [Failure::NoMatch { peer: NEAR }]);
        assert_eq!(bench.pev.peer(), Some(FAR));
    }
}

#[test]
fn a_charger_that_answers_or_reports_late_is_waited_for_until_the_results_time_is_over() {
    let silent = Charger { reports: false, ..Charger::new(FAR, 5) };
    let mut bench = Bench::plugged(ONE, &[Charger::new(NEAR, 9), silent]);
    bench.until(PevState::Joining);
    // 50 ms for more responses, then 1200 ms from the first announcement.
    assert_eq!(bench.times(is_match_req), [1250]);
    assert_eq!(bench.pev.peer(), Some(NEAR));
}

#[test]
fn an_answer_that_comes_after_the_first_announcement_still_makes_a_candidate() {
    let mut bench = Bench::plugged(ONE, &[Charger::new(FAR, 30)]);
    bench.until(PevState::Sounding);
    let run_id = bench.run_id();
    let late = Charger::new(NEAR, 7);
    bench.hear(Slac::ParmCnf { run_id, sounds: 10, timeout_100ms: 6, car: CAR }, NEAR);
    bench.until(PevState::Collecting);
    bench.hear(late.report(run_id, CAR), NEAR);
    assert_eq!(bench.chosen(), [NEAR]);
}

#[test]
fn a_report_again_is_acknowledged_again_and_never_moves_the_choice() {
    let mut bench = Bench::plugged(ONE, &[Charger::new(FAR, 30), Charger::new(NEAR, 20)]);
    bench.chargers.iter_mut().for_each(|charger| charger.deaf_to_matches = 1);
    bench.until(PevState::Choosing);
    assert_eq!(bench.times(is_rsp).len(), 2);
    let run_id = bench.run_id();
    bench.hear(Charger::new(FAR, 30).report(run_id, CAR), FAR);
    assert_eq!((bench.times(is_rsp).len(), bench.dropped()), (3, vec![]));
    bench.hear(Charger::new(FAR, 1).report(run_id, CAR), FAR);
    assert_eq!((bench.times(is_rsp).len(), bench.dropped()), (4, vec![Dropped::Repeated]));
    bench.until(PevState::Joining);
    assert_eq!(bench.chosen(), [NEAR]);
}

#[test]
fn a_first_report_after_the_choice_is_acknowledged_and_its_station_not_tried() {
    let silent = Charger { reports: false, ..Charger::new(FAR, 5) };
    let deaf = Charger { deaf_to_matches: 9, ..Charger::new(NEAR, 20) };
    let mut bench = Bench::plugged(ONE, &[deaf, silent]);
    bench.until(PevState::Choosing);
    let run_id = bench.run_id();
    bench.hear(Charger::new(FAR, 5).report(run_id, CAR), FAR);
    assert_eq!((bench.times(is_rsp).len(), bench.dropped()), (2, vec![Dropped::Repeated]));
    bench.until(PevState::Waiting);
    assert_eq!(bench.chosen(), [NEAR]);
}

#[test]
fn only_the_first_report_of_a_station_counts_while_others_are_awaited() {
    let silent = Charger { reports: false, ..Charger::new(NEAR, 5) };
    let mut bench = Bench::plugged(ONE, &[Charger::new(FAR, 30), silent]);
    bench.until(PevState::Collecting);
    let run_id = bench.run_id();
    bench.hear(Charger::new(FAR, 1).report(run_id, CAR), FAR);
    bench.hear(Charger::new(NEAR, 20).report(run_id, CAR), NEAR);
    assert_eq!(bench.dropped(), [Dropped::Repeated]);
    assert_eq!(bench.chosen(), [NEAR]);
}

#[test]
fn a_report_before_the_last_sound_counts_and_the_sounds_still_go_out() {
    let mut bench = Bench::plugged(ONE, &[Charger::new(NEAR, 9)]);
    bench.until(PevState::Sounding);
    let run_id = bench.run_id();
    bench.hear(Charger::new(NEAR, 9).report(run_id, CAR), NEAR);
    assert_eq!(bench.pev.state(), PevState::Sounding);
    bench.until(PevState::Joining);
    assert_eq!(bench.times(|slac| matches!(slac, Slac::Sound { .. })).len(), 10);
}

#[test]
fn reports_that_cannot_be_are_not_taken_and_a_good_one_still_is() {
    let mut deaf = [9; GROUPS];
    deaf[57] = 255;
    for profile in [deaf, [255; GROUPS]] {
        let silent = Charger { reports: false, ..Charger::new(NEAR, 9) };
        let mut bench = Bench::plugged(ONE, std::slice::from_ref(&silent));
        bench.until(PevState::Collecting);
        let run_id = bench.run_id();
        let profile = Some(Profile(profile));
        bench.hear(Slac::AttenChar { run_id, car: CAR, sounds: 10, profile }, NEAR);
        assert_eq!(bench.dropped(), [Dropped::Implausible]);
        assert_eq!((bench.times(is_rsp).len(), bench.chosen().len()), (0, 0));
        bench.hear(silent.report(run_id, CAR), NEAR);
        assert_eq!(bench.chosen(), [NEAR]);
    }
}

#[test]
fn without_any_report_the_attempt_fails_when_the_results_time_is_over() {
    let silent = Charger { reports: false, ..Charger::new(NEAR, 9) };
    let mut bench = Bench::plugged(ONE, &[silent]);
    bench.until(PevState::Waiting);
    assert_eq!((bench.failures(), bench.now.as_millis()), (vec![Failure::NoReport], 1250));
}

#[test]
fn a_charger_beyond_the_limit_is_refused_and_its_report_still_acknowledged() {
    let config = PevConfig { limit_cdb: Some(2000), ..ONE };
    let mut bench = Bench::plugged(config, &[Charger::new(NEAR, 21)]);
    bench.until(PevState::Waiting);
    assert_eq!(bench.failures(), [Failure::TooWeak]);
    assert_eq!((bench.times(is_rsp).len(), bench.times(is_match_req).len()), (1, 0));

    let mut bench = Bench::plugged(config, &[Charger::new(NEAR, 20)]);
    bench.until(PevState::Joining);
    // By default 40 dB is the limit; without a limit any value is accepted.
    let mut bench = Bench::plugged(ONE, &[Charger::new(NEAR, 41)]);
    bench.until(PevState::Waiting);
    let mut bench = Bench::plugged(PevConfig { limit_cdb: None, ..ONE }, &[Charger::new(NEAR, 90)]);
    bench.until(PevState::Joining);
}

#[test]
fn more_chargers_than_can_be_remembered_are_told_and_not_remembered() {
    let mut bench = Bench::plugged(ONE, &[]);
    let run_id = bench.run_id();
    for last in 0..20 {
        let from = Mac([2, 0, 0, 0, 1, last]);
        bench.hear(Slac::ParmCnf { run_id, sounds: 10, timeout_100ms: 6, car: CAR }, from);
        bench.hear(Slac::ParmCnf { run_id, sounds: 10, timeout_100ms: 6, car: CAR }, from);
    }
    let count = |wanted: fn(&Event) -> bool| bench.events.iter().filter(|event| wanted(event)).count();
    assert_eq!(count(|event| matches!(event, Event::Answered { .. })), 8);
    assert_eq!(count(|event| matches!(event, Event::Crowded)), 24);
    // The thirtieth of a flood cannot report, either.
    bench.until(PevState::Sounding);
    let from = Mac([2, 0, 0, 0, 1, 19]);
    bench.hear(Charger::new(from, 1).report(run_id, CAR), from);
    assert_eq!(bench.dropped(), [Dropped::Unasked]);
}

#[test]
fn a_lost_match_confirm_is_asked_for_again_and_brings_the_same_key() {
    for lost in 0..=2 {
        let charger = Charger { deaf_to_matches: lost, ..Charger::new(NEAR, 9) };
        let mut bench = Bench::plugged(ONE, &[charger]);
        bench.until(PevState::Joining);
        let times = bench.times(is_match_req);
        assert_eq!(times.len(), usize::from(lost) + 1);
        assert!(times.windows(2).all(|two| two[1] - two[0] == 200));
        assert_eq!(bench.pev.key(), Some(bench.chargers[0].key()));
        // The response to a repetition arrives, too: no change and no event.
        let run_id = bench.run_id();
        let (events, key) = (bench.events.len(), bench.pev.key());
        bench.hear(bench.chargers[0].cnf(run_id, CAR), NEAR);
        assert_eq!((bench.events.len(), bench.pev.key()), (events, key));
    }
}

#[test]
fn after_three_unanswered_match_requests_the_attempt_fails() {
    let charger = Charger { deaf_to_matches: 9, ..Charger::new(NEAR, 9) };
    let mut bench = Bench::plugged(ONE, &[charger]);
    bench.until(PevState::Waiting);
    assert_eq!(bench.times(is_match_req), [440, 640, 840]);
    assert_eq!(bench.failures(), [Failure::NoMatch { peer: NEAR }]);
    assert_eq!((bench.pev.key(), bench.pev.peer()), (None, None));
}

#[test]
fn the_network_identifier_is_taken_as_it_comes() {
    let mut bench = Bench::plugged(ONE, &[Charger { deaf_to_matches: 9, ..Charger::new(NEAR, 9) }]);
    bench.until(PevState::Choosing);
    let Slac::MatchCnf { run_id, car, pev_id, charger, evse_id, mut key } =
        Charger::new(NEAR, 9).cnf(bench.run_id(), CAR)
    else {
        panic!("not a confirmation")
    };
    key.nid.0 = [1, 2, 3, 4, 5, 6, 7];
    bench.hear(Slac::MatchCnf { run_id, car, pev_id, charger, evse_id, key }, NEAR);
    assert_eq!(bench.pev.key(), Some(key));
}

#[test]
fn what_a_slow_caller_has_not_fetched_is_neither_overwritten_nor_left_out() {
    use machine::{Cx, Machine};
    let mut bench = Bench::plugged(ONE, &[Charger::new(NEAR, 9)]);
    bench.until(PevState::Sounding);
    let mut cx = Cx { now: bench.now, entropy: &mut bench.entropy };
    let mut remaining = vec![];
    for round in 0..60_u64 {
        cx.now = bench.now + ms(round * 15);
        bench.pev.handle_timeout(&mut cx);
        let mut buffer = [0; 200];
        if round % 4 == 0
            && let Some((len, ())) = bench.pev.poll_transmit(&mut buffer).unwrap()
            && let Some(Ok(Slac::Sound { remaining: left, .. })) =
                Slac::parse(&homeplug_mme::Frame::parse(&buffer[..len]).unwrap())
        {
            remaining.push(left);
        }
    }
    assert_eq!(remaining, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
}

#[test]
fn a_frame_that_does_not_fit_into_the_buffer_stays_queued() {
    use machine::{Cx, Machine, TooShort};
    let mut bench = Bench::new(ONE);
    let mut cx = Cx { now: bench.now, entropy: &mut bench.entropy };
    bench.pev.handle(&mut cx, PevInput::ModemReady(true));
    bench.pev.handle(&mut cx, PevInput::Start);
    assert_eq!(bench.pev.poll_transmit(&mut [0; 20]), Err(TooShort { needed: 60 }));
    assert_eq!(bench.pev.poll_transmit(&mut [0; 60]), Ok(Some((60, ()))));
}

#[test]
fn the_run_is_named_at_random_for_each_attempt_or_as_configured() {
    let mut bench = Bench::plugged(ONE, &[]);
    let first = bench.run_id();
    bench.until(PevState::Waiting);
    bench.until(PevState::Asking);
    assert_ne!(bench.run_id(), first);

    let run_id = RunId(*b"TESLA EV");
    let mut bench = Bench::plugged(PevConfig { run_id: Some(run_id), ..ONE }, &[]);
    bench.run(ms(5000));
    assert!(bench.times(is_parm_req).len() > 6);
    assert!(bench.sent.iter().all(|sent| sent.slac == Slac::ParmReq { run_id }));
}
