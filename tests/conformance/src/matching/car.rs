//! The car under test: chargers driven by hand.

use homeplug_mme::{Slac, ValidateResult};
use slac::{Event, Failure, PevConfig, PevInput, PevState, PevValidation};

use super::{Bend, bent};
use crate::{Outcome, check, same};

#[path = "../../../../crates/slac/tests/pev/bench.rs"]
#[allow(dead_code, clippy::pedantic, reason = "the car's own tests use all of it")]
mod bench;

use bench::{Bench, CAR, Charger, FAR, NEAR, frame, is_match_req, is_parm_req, is_rsp, ms};

/// Attenuation of a charger that is certainly the own one, and of one that may be.
const DIRECT_DB: u8 = 9;
const POTENTIAL_DB: u8 = 15;

const SURE: PevConfig = PevConfig { validation: PevValidation::WhenPotential, ..PevConfig::new(CAR) };

fn is_start(slac: &Slac) -> bool {
    matches!(slac, Slac::StartAttenChar { .. })
}

fn is_sound(slac: &Slac) -> bool {
    matches!(slac, Slac::Sound { .. })
}

fn is_validate(slac: &Slac) -> bool {
    matches!(slac, Slac::ValidateReq { .. })
}

fn plugged(chargers: &[Charger]) -> Bench {
    Bench::plugged(PevConfig::new(CAR), chargers)
}

fn near() -> Charger {
    Charger::new(NEAR, DIRECT_DB)
}

/// A charger that sends no report and no key automatically.
fn half() -> Charger {
    Charger { reports: false, deaf_to_matches: u8::MAX, ..near() }
}

fn answer(bench: &Bench) -> Slac {
    Slac::ParmCnf { run_id: bench.run_id(), sounds: 10, timeout_100ms: 6, car: CAR }
}

fn hear_bent(bench: &mut Bench, message: Slac, bend: Bend) {
    let frame = bent(frame(message, NEAR, CAR), bend);
    bench.give(PevInput::Frame(&frame));
}

fn state(bench: &Bench, wanted: PevState) -> Outcome {
    same("state", bench.pev.state(), wanted)
}

/// The announcement comes within 100 ms of the answer.
fn announces(bench: &mut Bench) -> Outcome {
    let heard = bench.now.as_millis();
    bench.run(ms(100));
    let starts = bench.times(is_start);
    check(starts.first().is_some_and(|first| *first <= heard + 100), || format!("announced: {starts:?}"))
}

pub(crate) fn parm() -> Outcome {
    announces(&mut plugged(&[near()]))
}

/// Three requests 200 ms apart, then the attempt has failed, and another one follows.
pub(crate) fn parm_unanswered() -> Outcome {
    let mut bench = plugged(&[]);
    bench.run(ms(900));
    same("questions", bench.times(is_parm_req), vec![0, 200, 400])?;
    same("failures", bench.failures(), vec![Failure::NoPeer])?;
    bench.run(ms(1000));
    check(bench.times(is_parm_req).len() > 3, || "no other attempt".to_owned())
}

pub(crate) fn parm_bent(bend: Bend) -> Outcome {
    let mut bench = plugged(&[]);
    let message = answer(&bench);
    hear_bent(&mut bench, message, bend);
    bench.run(ms(250));
    same("questions", bench.times(is_parm_req), vec![0, 200])?;
    same("announcements", bench.times(is_start), vec![])?;
    bench.hear(message, NEAR);
    announces(&mut bench)
}

/// The answer comes after the first repetition.
pub(crate) fn parm_late() -> Outcome {
    let mut bench = plugged(&[]);
    bench.run(ms(250));
    bench.hear(answer(&bench), NEAR);
    announces(&mut bench)
}

/// No request before 5 % is detected, then immediately, until a charger answers.
pub(crate) fn parm_waits_for_pilot() -> Outcome {
    let mut bench = Bench::new(PevConfig::new(CAR));
    bench.give(PevInput::ModemReady(true));
    bench.run(ms(5000));
    same("questions", bench.times(is_parm_req), vec![])?;
    bench.give(PevInput::Start);
    bench.run(ms(30_000));
    let asked = bench.times(is_parm_req);
    check(asked.first() == Some(&5000) && asked.last() > Some(&30_000), || format!("asked: {asked:?}"))
}

/// Three announcements and ten sounds 20..=50 ms apart, a response to the report, and the key.
pub(crate) fn report() -> Outcome {
    let mut bench = plugged(&[near()]);
    bench.until(PevState::Joining);
    let batch = bench.times(|slac| is_start(slac) || is_sound(slac));
    same("announcements", bench.times(is_start).len(), 3)?;
    same("sounds", bench.times(is_sound).len(), 10)?;
    let apart = |pair: &[u64]| (20..=50).contains(&(pair[1] - pair[0]));
    check(batch.windows(2).all(apart), || format!("intervals: {batch:?}"))?;
    let (response, choice) = (bench.times(is_rsp), bench.times(is_match_req));
    check(response[0] <= batch[12] + 100 && choice[0] <= response[0] + 500, || {
        format!("response at {response:?}, choice at {choice:?}")
    })
}

pub(crate) fn nearest() -> Outcome {
    for chargers in [[near(), Charger::new(FAR, 30)], [Charger::new(FAR, 30), near()]] {
        let mut bench = plugged(&chargers);
        bench.until(PevState::Joining);
        same("chosen", bench.chosen(), vec![NEAR])?;
        same("responses", bench.times(is_rsp).len(), 2)?;
    }
    Ok(())
}

pub(crate) fn no_report() -> Outcome {
    let mut bench = plugged(&[half()]);
    bench.until(PevState::Waiting);
    same("failures", bench.failures(), vec![Failure::NoReport])?;
    let waited = bench.now.as_millis() - bench.times(is_start)[0];
    same("time for reports", waited, 1200)
}

/// A report with one field changed receives no response; a right one does.
pub(crate) fn report_bent(bend: Bend) -> Outcome {
    bent_report(PevConfig::new(CAR), bend)
}

/// The same, with a car that accepts only chargers that measure.
pub(crate) fn report_unmeasured(bend: Bend) -> Outcome {
    bent_report(PevConfig { lenient: false, ..PevConfig::new(CAR) }, bend)
}

fn bent_report(config: PevConfig, bend: Bend) -> Outcome {
    let mut bench = Bench::plugged(config, &[half()]);
    bench.until(PevState::Collecting);
    let report = near().report(bench.run_id(), CAR);
    hear_bent(&mut bench, report, bend);
    bench.run(ms(100));
    same("responses", bench.times(is_rsp), vec![])?;
    state(&bench, PevState::Collecting)?;
    bench.hear(report, NEAR);
    same("responses", bench.times(is_rsp).len(), 1)
}

pub(crate) fn match_good() -> Outcome {
    let mut bench = plugged(&[near()]);
    bench.until(PevState::Joining);
    same("key", bench.pev.key(), Some(near().key()))
}

/// Requests 200 ms apart.
fn thrice(times: &[u64]) -> Outcome {
    let apart: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    same("intervals", apart, vec![200, 200])
}

pub(crate) fn match_unanswered() -> Outcome {
    let mut bench = plugged(&[Charger { deaf_to_matches: u8::MAX, ..near() }]);
    bench.until(PevState::Waiting);
    thrice(&bench.times(is_match_req))?;
    same("failures", bench.failures(), vec![Failure::NoMatch { peer: NEAR }])
}

/// A confirmation with one field changed is ignored.
pub(crate) fn match_bent(bend: Bend) -> Outcome {
    let mut bench = plugged(&[Charger { deaf_to_matches: u8::MAX, ..near() }]);
    bench.until(PevState::Choosing);
    let confirmation = near().cnf(bench.run_id(), CAR);
    hear_bent(&mut bench, confirmation, bend);
    bench.run(ms(250));
    state(&bench, PevState::Choosing)?;
    same("requests", bench.times(is_match_req).len(), 2)?;
    bench.hear(confirmation, NEAR);
    state(&bench, PevState::Joining)
}

/// No report at the first attempt: a new request with another `RunID`, and the match.
pub(crate) fn match_after_restart() -> Outcome {
    let mut bench = plugged(&[half()]);
    bench.until(PevState::Waiting);
    let first = bench.run_id();
    bench.chargers = vec![near()];
    bench.until(PevState::Joining);
    check(bench.run_id() != first, || "the same run again".to_owned())
}

/// A car that requires validation by its pilot.
fn validating(chargers: &[Charger]) -> Bench {
    let mut bench = Bench::plugged(SURE, chargers);
    bench.until(PevState::Validating);
    bench
}

fn potential() -> Charger {
    Charger::new(NEAR, POTENTIAL_DB)
}

fn cnf(toggles: u8, result: ValidateResult) -> Slac {
    Slac::ValidateCnf { toggles, result }
}

/// The first step is complete, and all toggles were shown.
fn toggled(chargers: &[Charger]) -> Result<Bench, String> {
    let mut bench = validating(chargers);
    bench.hear(cnf(0, ValidateResult::Ready), NEAR);
    bench.run(ms(1900));
    let shown = bench.toggles.iter().filter(|(_, shown)| *shown == Some(true)).count();
    same("toggles", shown, 3)?;
    // The first state precedes the toggles.
    let states: Vec<_> =
        bench.toggles[1..].windows(2).map(|pair| (pair[1].0 - pair[0].0).as_millis()).collect();
    check(states.iter().all(|state| (200..=400).contains(state)), || format!("states of {states:?} ms"))?;
    Ok(bench)
}

/// Whether the key of `NEAR` was requested.
fn is_chosen(bench: &Bench, wanted: bool) -> Outcome {
    same("chosen", bench.chosen().contains(&NEAR), wanted)
}

/// Both steps, and this result of the second one.
pub(crate) fn validate(toggles: u8, result: ValidateResult, goes_on: bool) -> Outcome {
    let mut bench = toggled(&[potential()])?;
    bench.hear(cnf(toggles, result), NEAR);
    is_chosen(&bench, goes_on)
}

/// This result of the first step.
pub(crate) fn validate_first(result: ValidateResult, goes_on: bool) -> Outcome {
    let mut bench = validating(&[potential()]);
    bench.hear(cnf(0, result), NEAR);
    is_chosen(&bench, goes_on)
}

/// No answer to the first step: it is sent three times, then abandoned.
pub(crate) fn validate_unanswered() -> Outcome {
    let mut bench = validating(&[potential()]);
    bench.run(ms(1000));
    thrice(&bench.times(is_validate))?;
    is_chosen(&bench, false)
}

/// No answer to the second step: it is shown three times, then abandoned.
pub(crate) fn validate_uncounted() -> Outcome {
    let mut bench = validating(&[potential()]);
    bench.hear(cnf(0, ValidateResult::Ready), NEAR);
    bench.until(PevState::Waiting);
    same("windows", bench.times(is_validate).len() - 1, 3)?;
    same("failures", bench.failures(), vec![Failure::NotValidated { peer: NEAR }])
}

/// A first answer with one field changed is ignored.
pub(crate) fn validate_bent(bend: Bend) -> Outcome {
    let mut bench = validating(&[potential()]);
    hear_bent(&mut bench, cnf(0, ValidateResult::Ready), bend);
    bench.run(ms(250));
    same("requests", bench.times(is_validate).len(), 2)?;
    bench.hear(cnf(0, ValidateResult::Ready), NEAR);
    check(bench.pev.toggle().is_some(), || "no second step".to_owned())
}

/// The nearest charger fails: the next one is validated, and sends the key.
pub(crate) fn validate_next() -> Outcome {
    let mut bench = toggled(&[potential(), Charger::new(FAR, 18)])?;
    bench.hear(cnf(3, ValidateResult::Failure), NEAR);
    is_chosen(&bench, false)?;
    bench.hear(cnf(0, ValidateResult::NotRequired), FAR);
    same("chosen", bench.chosen(), vec![FAR])
}

/// Not ready this many times, and then ready - or never.
pub(crate) fn validate_not_ready(times: usize, at_last: bool) -> Outcome {
    let mut bench = validating(&[potential()]);
    for round in 1..=times {
        same("requests", bench.times(is_validate).len(), round)?;
        bench.hear(cnf(0, ValidateResult::NotReady), NEAR);
        bench.run(ms(1000));
    }
    if at_last {
        bench.hear(cnf(0, ValidateResult::Ready), NEAR);
        return check(bench.pev.toggle().is_some(), || "no second step".to_owned());
    }
    same("failures", bench.failures(), vec![Failure::NotValidated { peer: NEAR }])
}

/// The second step is not ready: both steps are repeated.
pub(crate) fn validate_not_ready_twice() -> Outcome {
    let mut bench = toggled(&[potential()])?;
    bench.hear(cnf(0, ValidateResult::NotReady), NEAR);
    bench.run(ms(1000));
    bench.hear(cnf(0, ValidateResult::Ready), NEAR);
    bench.run(ms(1900));
    bench.hear(cnf(3, ValidateResult::Success), NEAR);
    is_chosen(&bench, true)
}

/// A car requests the key of a charger that is certain, and validates one that may be its own.
pub(crate) fn validates_or_matches() -> Outcome {
    for (db, validates) in [(DIRECT_DB, false), (POTENTIAL_DB, true)] {
        let mut bench = Bench::plugged(SURE, &[Charger::new(NEAR, db)]);
        bench.run(ms(500));
        same("validates", !bench.times(is_validate).is_empty(), validates)?;
        same("asks for the key", !bench.times(is_match_req).is_empty(), !validates)?;
    }
    Ok(())
}

/// A link, within the time for it.
pub(crate) fn link() -> Outcome {
    let mut bench = plugged(&[near()]);
    bench.until(PevState::Joining);
    bench.run(ms(7000));
    bench.give(PevInput::ModemReady(true));
    bench.give(PevInput::Link(true));
    bench.run(ms(1000));
    check(bench.events.contains(&Event::Matched { peer: NEAR }), || "no link".to_owned())
}

fn matched() -> Bench {
    Bench::matched(PevConfig::new(CAR))
}

/// The network is left: the modem has a key that no other device has.
fn has_left(bench: &Bench) -> Outcome {
    check(bench.events.contains(&Event::Left), || "not left".to_owned())?;
    check(bench.pev.key().is_some_and(|key| key != near().key()), || "still its key".to_owned())
}

/// The charger ends the link: the car leaves it within a second, and matching begins again.
pub(crate) fn link_torn_down() -> Outcome {
    let mut bench = matched();
    bench.give(PevInput::Link(false));
    bench.run(ms(1000));
    has_left(&bench)?;
    bench.give(PevInput::ModemReady(true));
    bench.run(ms(1000));
    check(!bench.times(is_parm_req).is_empty(), || "no new matching".to_owned())?;
    bench.until(PevState::Joining);
    bench.join();
    state(&bench, PevState::Matched)
}

/// The session is over: the car leaves the network within a second, and sends no further request.
pub(crate) fn terminated() -> Outcome {
    let mut bench = matched();
    bench.give(PevInput::Stop);
    bench.run(ms(1000));
    has_left(&bench)?;
    bench.give(PevInput::ModemReady(true));
    bench.run(ms(10_000));
    same("sent", bench.sent.len(), 0)?;
    state(&bench, PevState::Unmatched)
}

/// Asleep, and awake again: the link returns without a new matching.
pub(crate) fn paused() -> Outcome {
    let mut bench = matched();
    bench.give(PevInput::Pause);
    bench.give(PevInput::Link(false));
    bench.run(ms(60_000));
    state(&bench, PevState::Paused)?;
    bench.give(PevInput::Resume);
    bench.run(ms(3000));
    bench.give(PevInput::Link(true));
    bench.run(ms(1000));
    same("sent", bench.sent.len(), 0)?;
    state(&bench, PevState::Matched)
}
