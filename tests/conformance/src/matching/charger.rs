//! The charger under test: a car driven by hand.

use homeplug_mme::{Slac, ValidateResult};
use slac::{EvseConfig, EvseInput, EvseState, EvseValidation};

use super::{Bend, bent};
use crate::{Outcome, check, same};

#[path = "../../../../crates/slac/tests/evse/bench.rs"]
#[allow(dead_code, clippy::pedantic, reason = "the charger's own tests use all of it")]
mod bench;

use bench::{Bench, CAR, CHARGER, Car, bytes};

/// Attenuation that the charger's modem measures, in dB.
const MEASURED_DB: u8 = 12;

fn charger(validation: EvseValidation) -> Bench {
    Bench::with(EvseConfig { validation, ..EvseConfig::new(CHARGER) })
}

/// No frame is sent for this time.
fn silent(bench: &mut Bench, millis: u64) -> Outcome {
    bench.after(millis);
    same("sent", bench.answers(), vec![])
}

/// The request is answered now.
fn asks(bench: &mut Bench, car: &Car) -> Outcome {
    bench.cast(car.mac, car.asks());
    let now = bench.now.as_millis();
    same("answer", bench.answers(), vec![(now, car.mac, car.answer())])
}

/// Reports since the last call: time and number of sounds.
fn reports(bench: &mut Bench) -> Vec<(u64, u8)> {
    let of = |(ms, _, message)| match message {
        Slac::AttenChar { sounds, .. } => Some((ms, sounds)),
        _ => None,
    };
    bench.answers().into_iter().filter_map(of).collect()
}

/// The car acknowledges the report and receives the key.
fn goes_on(bench: &mut Bench, car: &Car) -> Outcome {
    bench.send(car.mac, CHARGER, car.acknowledges(0));
    bench.after(100);
    same("sent", bench.answers(), vec![])?;
    gets_key(bench, car)
}

fn gets_key(bench: &mut Bench, car: &Car) -> Outcome {
    bench.send(car.mac, CHARGER, car.chooses());
    let wanted = vec![(bench.now.as_millis(), car.mac, car.confirmation(bench.evse.key()))];
    same("answer", bench.answers(), wanted)
}

/// A request to a charger that has waited this long.
pub(crate) fn parm(wait_s: u64) -> Outcome {
    let mut bench = Bench::new();
    bench.after(wait_s * 1000);
    asks(&mut bench, &CAR)
}

/// No request at all.
pub(crate) fn parm_missing() -> Outcome {
    silent(&mut Bench::new(), 60_000)
}

pub(crate) fn parm_bent(bend: Bend) -> Outcome {
    let mut bench = Bench::new();
    bench.frame(&bent(bytes(CAR.mac, homeplug_mme::Mac::BROADCAST, CAR.asks()), bend));
    silent(&mut bench, 1000)?;
    asks(&mut bench, &CAR)
}

/// The plug is pulled before the request; after it is inserted again the request is answered.
pub(crate) fn parm_unplugged(and_again: bool) -> Outcome {
    let mut bench = Bench::new();
    bench.input(EvseInput::Stop);
    bench.cast(CAR.mac, CAR.asks());
    silent(&mut bench, 1000)?;
    if and_again {
        bench.input(EvseInput::Start);
        asks(&mut bench, &CAR)?;
    }
    Ok(())
}

/// A whole matching: the report within 100 ms of the last sound, the key immediately.
pub(crate) fn report() -> Outcome {
    let mut bench = Bench::new();
    CAR.begin(&mut bench);
    CAR.sounds(&mut bench, MEASURED_DB);
    let last = bench.now.as_millis() - 20;
    let sent = reports(&mut bench);
    check(matches!(sent[..], [(ms, 10)] if ms <= last + 100), || format!("reports: {sent:?}"))?;
    goes_on(&mut bench, &CAR)
}

/// The car begins again in the middle of its sounds, with another `RunID`.
pub(crate) fn report_restarted() -> Outcome {
    let mut bench = Bench::new();
    CAR.begin(&mut bench);
    for remaining in [9, 8, 7] {
        bench.cast(CAR.mac, CAR.sound(remaining));
        bench.after(20);
    }
    bench.sent();
    let again = Car { run_id: Car::new(9).run_id, ..CAR };
    asks(&mut bench, &again)?;
    bench.after(100);
    bench.cast(again.mac, again.starts());
    again.sounds(&mut bench, MEASURED_DB);
    let sent = reports(&mut bench);
    check(matches!(sent[..], [(_, 10)]), || format!("reports: {sent:?}"))?;
    goes_on(&mut bench, &again)
}

/// Only seven sounds of ten: the report comes at the end of their time, and counts seven.
pub(crate) fn report_of_fewer() -> Outcome {
    let mut bench = Bench::new();
    bench.cast(CAR.mac, CAR.asks());
    bench.after(100);
    bench.cast(CAR.mac, CAR.starts());
    let started = bench.now.as_millis();
    for remaining in (3..10).rev() {
        bench.after(20);
        bench.cast(CAR.mac, CAR.sound(remaining));
        bench.measured(&CAR, MEASURED_DB);
    }
    bench.after(1000);
    let sent = reports(&mut bench);
    check(matches!(sent[..], [(ms, 7), ..] if (600..=700).contains(&(ms - started))), || {
        format!("reports: {sent:?} after {started}")
    })
}

/// A charger whose report is not acknowledged yet, and the time of the report.
fn reported() -> (Bench, u64) {
    let mut bench = Bench::new();
    CAR.begin(&mut bench);
    CAR.sounds(&mut bench, MEASURED_DB);
    let sent = reports(&mut bench);
    let ms = sent.first().map_or(0, |(ms, _)| *ms);
    (bench, ms)
}

/// No response: two more reports 200 ms apart, then the run is over.
pub(crate) fn report_unanswered() -> Outcome {
    let (mut bench, first) = reported();
    bench.after(5000);
    same("reports", reports(&mut bench), vec![(first + 200, 10), (first + 400, 10)])?;
    bench.send(CAR.mac, CHARGER, CAR.chooses());
    silent(&mut bench, 1000)
}

/// A response with one field changed is ignored.
pub(crate) fn response_bent(bend: Bend) -> Outcome {
    let (mut bench, first) = reported();
    bench.frame(&bent(bytes(CAR.mac, CHARGER, CAR.acknowledges(0)), bend));
    bench.at(first + 250);
    same("reports", reports(&mut bench), vec![(first + 200, 10)])?;
    goes_on(&mut bench, &CAR)
}

/// Wrong or missing announcements: the sounds after them lead to no report. Leniency is off.
pub(crate) fn start_bent(bend: Option<Bend>) -> Outcome {
    let mut bench = Bench::with(EvseConfig { lenient: false, ..EvseConfig::new(CHARGER) });
    bench.cast(CAR.mac, CAR.asks());
    bench.after(100);
    if let Some(bend) = bend {
        let frame = bent(bytes(CAR.mac, homeplug_mme::Mac::BROADCAST, CAR.starts()), bend);
        for _ in 0..3 {
            bench.frame(&frame);
            bench.after(20);
        }
    }
    CAR.sounds(&mut bench, MEASURED_DB);
    bench.after(2000);
    same("reports", reports(&mut bench), vec![])
}

/// The plug is pulled: no state of the run is left, and a new plug is matched.
fn unplugged(bench: &mut Bench) -> Outcome {
    bench.input(EvseInput::Stop);
    same("state", bench.evse.state(), EvseState::Idle)?;
    bench.sent();
    bench.send(CAR.mac, CHARGER, CAR.acknowledges(0));
    bench.send(CAR.mac, CHARGER, CAR.chooses());
    silent(bench, 2000)?;
    bench.input(EvseInput::ModemReady(true));
    bench.input(EvseInput::Start);
    CAR.reach_key(bench);
    same("state", bench.evse.state(), EvseState::Joining)
}

pub(crate) fn unplugged_while_sounding() -> Outcome {
    let mut bench = Bench::new();
    CAR.begin(&mut bench);
    bench.cast(CAR.mac, CAR.sound(9));
    unplugged(&mut bench)
}

/// Two runs of the same car with equal attenuation: the same profile.
pub(crate) fn reports_are_alike() -> Outcome {
    let run = |car: &Car| {
        let mut bench = Bench::new();
        car.begin(&mut bench);
        car.sounds(&mut bench, MEASURED_DB);
        bench.answers().into_iter().find_map(|(_, _, message)| match message {
            Slac::AttenChar { profile, .. } => profile,
            _ => None,
        })
    };
    let (first, second) = (run(&CAR), run(&Car { run_id: Car::new(9).run_id, ..CAR }));
    check(first.is_some(), || "no report".to_owned())?;
    same("profile", second, first)
}

/// A charger that may be chosen: directly, or after it reported that no validation is required.
fn choosing(validated: bool) -> Result<Bench, String> {
    let mut bench = Bench::new();
    CAR.reach_choosing(&mut bench);
    bench.sent();
    if validated {
        same(
            "result",
            validation(&mut bench, 0, ValidateResult::Ready),
            vec![(0, ValidateResult::NotRequired)],
        )?;
    }
    Ok(bench)
}

pub(crate) fn match_good(validated: bool) -> Outcome {
    gets_key(&mut choosing(validated)?, &CAR)
}

/// A repeated request receives the same key.
pub(crate) fn match_repeated(validated: bool) -> Outcome {
    let mut bench = choosing(validated)?;
    gets_key(&mut bench, &CAR)?;
    bench.after(200);
    gets_key(&mut bench, &CAR)
}

/// A request after `TT_EVSE_match_session`.
pub(crate) fn match_late(validated: bool) -> Outcome {
    let mut bench = choosing(validated)?;
    bench.after(10_001);
    bench.send(CAR.mac, CHARGER, CAR.chooses());
    silent(&mut bench, 1000)
}

pub(crate) fn match_bent(bend: Bend, validated: bool) -> Outcome {
    let mut bench = choosing(validated)?;
    bench.frame(&bent(bytes(CAR.mac, CHARGER, CAR.chooses()), bend));
    silent(&mut bench, 200)?;
    gets_key(&mut bench, &CAR)
}

pub(crate) fn match_unplugged(validated: bool) -> Outcome {
    unplugged(&mut choosing(validated)?)
}

/// A step of validation, and its answer: toggles and result.
fn validation(bench: &mut Bench, timer: u8, result: ValidateResult) -> Vec<(u8, ValidateResult)> {
    bench.send(CAR.mac, CHARGER, Slac::ValidateReq { timer, result });
    results(bench)
}

fn results(bench: &mut Bench) -> Vec<(u8, ValidateResult)> {
    let of = |(_, _, message)| match message {
        Slac::ValidateCnf { toggles, result } => Some((toggles, result)),
        _ => None,
    };
    bench.answers().into_iter().filter_map(of).collect()
}

/// A charger that counts toggles, and a car that may choose.
fn counting() -> Bench {
    let mut bench = charger(EvseValidation::Toggles);
    CAR.reach_choosing(&mut bench);
    bench.sent();
    bench
}

const READY: ValidateResult = ValidateResult::Ready;

/// The second step with this many toggles.
fn toggles(bench: &mut Bench, times: u8) -> Outcome {
    same("before the window", validation(bench, 19, READY), vec![])?;
    for _ in 0..times {
        bench.input(EvseInput::Ready(true));
        bench.after(300).input(EvseInput::Ready(false));
        bench.after(300);
    }
    bench.after(2000);
    same("result", results(bench), vec![(times, ValidateResult::Success)])
}

/// Both steps, the first one this many times; then the key.
pub(crate) fn validate(first_steps: u8) -> Outcome {
    let mut bench = counting();
    for _ in 0..first_steps {
        same("first step", validation(&mut bench, 0, READY), vec![(0, READY)])?;
        bench.after(200);
    }
    toggles(&mut bench, 3)?;
    gets_key(&mut bench, &CAR)
}

/// No second step: the run ends with `TT_EVSE_match_session`.
pub(crate) fn validate_half() -> Outcome {
    let mut bench = counting();
    same("first step", validation(&mut bench, 0, READY), vec![(0, READY)])?;
    bench.after(10_001);
    bench.send(CAR.mac, CHARGER, CAR.chooses());
    silent(&mut bench, 1000)
}

/// A first step that is wrong is not answered; a right one is.
pub(crate) fn validate_bent(bend: Bend) -> Outcome {
    let mut bench = counting();
    let request = Slac::ValidateReq { timer: 0, result: READY };
    bench.frame(&bent(bytes(CAR.mac, CHARGER, request), bend));
    silent(&mut bench, 200)?;
    same("first step", validation(&mut bench, 0, READY), vec![(0, READY)])?;
    toggles(&mut bench, 1)
}

/// A first step with a result that only a charger can have.
pub(crate) fn validate_with(result: u8) -> Outcome {
    // Not a reference to a temporary: the table's bends are constants.
    const RESULTS: [&[u8]; 5] = [&[0], &[1], &[2], &[3], &[4]];
    validate_bent((21, RESULTS[usize::from(result)]))
}

/// Another car is being validated: not ready; later it is this car's turn.
pub(crate) fn validate_busy() -> Outcome {
    let mut bench = counting();
    let other = Car::new(2);
    other.reach_choosing(&mut bench);
    bench.sent();
    bench.send(other.mac, CHARGER, Slac::ValidateReq { timer: 9, result: READY });
    same("meanwhile", validation(&mut bench, 0, READY), vec![(0, ValidateResult::NotReady)])?;
    bench.after(1000);
    bench.sent();
    same("afterwards", validation(&mut bench, 0, READY), vec![(0, READY)])?;
    toggles(&mut bench, 2)
}

/// A charger that answers both steps with this; the car may request the key anyway.
pub(crate) fn validate_told(policy: EvseValidation, wanted: ValidateResult) -> Outcome {
    let mut bench = charger(policy);
    CAR.reach_choosing(&mut bench);
    bench.sent();
    for timer in [0, 19] {
        same("result", validation(&mut bench, timer, READY), vec![(0, wanted)])?;
    }
    gets_key(&mut bench, &CAR)
}

pub(crate) fn validate_unplugged() -> Outcome {
    let mut bench = counting();
    same("first step", validation(&mut bench, 0, READY), vec![(0, READY)])?;
    same("second step", validation(&mut bench, 19, READY), vec![])?;
    bench.input(EvseInput::Ready(true));
    unplugged(&mut bench)
}
