//! The care of modems: with simulated modems of each kind, without a modem, and with hostile frames.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::fmt::Debug;

use contract::{hostile, pass_late};
use homeplug_mme::{MAX_FRAME, Mac, NetworkKey, Nmk};
use machine::check::Check;
use machine::{Cx, Duration, Instant, Machine};
use modem::{Finder, Inspector, Modem, ModemConfig, PibReader, Question, Reset};
use sim::{ModemKind, Port, PowerLine};

const OWN: Mac = Mac([2, 0, 0, 0, 0, 0x5E]);
const MODEM: Mac = Mac([0, 0xB0, 0x52, 0, 1, 0x5E]);
const KINDS: [ModemKind; 5] =
    [ModemKind::Qca7000, ModemKind::Qca7005, ModemKind::Qca7420, ModemKind::Int6000, ModemKind::Lumissil];
const QUESTIONS: &[Question] =
    &[Question::Attributes, Question::Nid, Question::Key, Question::Link, Question::Network, Question::Hosts];

/// A machine whose input is frames, like all of these.
trait Care: for<'a> Machine<Input<'a> = &'a [u8], Route = (), Event: Debug> {}
impl<M: for<'a> Machine<Input<'a> = &'a [u8], Route = (), Event: Debug>> Care for M {}

/// Runs the machine at a modem of this kind; returns the resulting frames.
fn at_modem<M: Care>(check: &mut Check<M>, kind: Option<ModemKind>, seconds: u64) -> Vec<Vec<u8>> {
    let mut line = PowerLine::new(1);
    if let Some(kind) = kind {
        line.add_modem(Instant::ZERO, sim::ModemConfig::evse(kind, MODEM));
        let far = sim::ModemConfig::pev(ModemKind::Qca7005, Mac([0, 0xB0, 0x52, 0, 1, 0xE1]));
        line.add_modem(Instant::ZERO, far);
    }
    let end = Instant::from_millis(seconds * 1000);
    let mut frames = Vec::new();
    loop {
        for (frame, ()) in check.take_sent() {
            line.handle(check.now(), Port(0), &frame);
            frames.push(frame);
        }
        let due = [check.due().map(|due| due.at), line.poll_timeout()].into_iter().flatten().min();
        let Some(at) = due.filter(|at| *at <= end) else { return frames };
        check.sleep_to(at).unwrap();
        line.handle_timeout(at);
        for (_, frame) in std::iter::from_fn(|| line.poll_transmit()).filter(|(port, _)| *port == Port(0)) {
            check.call(|machine, cx| machine.handle(cx, &frame)).unwrap();
            frames.push(frame);
        }
        if check.due().is_some_and(|due| due.at <= at) {
            check.timeout().unwrap();
        }
    }
}

/// A machine at each kind of modem, at none with a late caller, and with hostile frames.
fn judge<M: Care>(
    timers: &'static [&'static str],
    mut make: impl FnMut() -> M,
    start: impl Fn(&mut M, &mut Cx<'_>),
    done: impl Fn(&M) -> bool,
) {
    let mut check = |start: &dyn Fn(&mut M, &mut Cx<'_>)| {
        let mut check = Check::new(timers, MAX_FRAME, |_| make()).unwrap();
        check.call(|machine, cx| start(machine, cx)).unwrap();
        check
    };
    let mut is_done = false;
    let mut frames = Vec::new();
    for kind in KINDS {
        let mut check = check(&start);
        frames.extend(at_modem(&mut check, Some(kind), 60));
        is_done |= done(check.machine());
    }
    assert!(is_done, "it reaches its end at one kind at least");
    for late in [0, 1, 30_000] {
        let mut check = check(&start);
        pass_late(&mut check, Instant::from_millis(120_000), Duration::from_millis(late)).unwrap();
    }
    let mut check = check(&start);
    for (frame, millis) in hostile(3, &frames).take(1_500).zip((0..).step_by(90)) {
        check.call(|machine, cx| machine.handle(cx, &frame)).unwrap();
        check.pass_to(Instant::from_millis(millis)).unwrap();
    }
}

#[test]
fn the_care_of_a_modem_keeps_the_contract() {
    let start = |modem: &mut Modem, cx: &mut Cx<'_>| {
        modem.start(cx);
        modem.set_key(cx, NetworkKey::derived(Nmk::new([9; 16])));
        modem.watch_link(cx, true);
    };
    judge(&["modem", "modem link"], || Modem::new(ModemConfig::new(OWN)), start, Modem::is_ready);
}

#[test]
fn the_finder_keeps_the_contract() {
    judge(&["modem finder"], || Finder::new(OWN), Finder::start, Finder::is_finished);
}

#[test]
fn the_inspector_keeps_the_contract() {
    let make = || Inspector::new(OWN, Mac::LOCAL_MODEM, QUESTIONS).unwrap();
    judge(&["modem inspector"], make, Inspector::start, |inspector| inspector.details().is_some());
}

#[test]
fn a_restart_keeps_the_contract() {
    let make = || Reset::new(OWN, Mac::LOCAL_MODEM, &modem::PROFILES[0]).unwrap();
    judge(&["modem reset"], make, Reset::start, |_| true);
}

#[test]
fn reading_parameters_keeps_the_contract() {
    // The tests leak their memory: five readers of 16 KiB for each of nine checks.
    let make = || {
        let buffer = Box::leak(vec![0; 16384].into_boxed_slice());
        PibReader::new(OWN, Mac::LOCAL_MODEM, &modem::PROFILES[0], buffer).unwrap()
    };
    let start = |reader: &mut PibReader<'_>, cx: &mut Cx<'_>| reader.start(cx);
    judge(&["modem read"], make, start, |reader| reader.image().is_some());
}

#[test]
fn writing_parameters_keeps_the_contract() {
    let mut reader = Check::new(&["modem read"], MAX_FRAME, |_| {
        let buffer = Box::leak(vec![0; 16384].into_boxed_slice());
        PibReader::new(OWN, Mac::LOCAL_MODEM, &modem::PROFILES[0], buffer).unwrap()
    })
    .unwrap();
    reader.call(modem::PibReader::start).unwrap();
    at_modem(&mut reader, Some(ModemKind::Qca7000), 60);
    let before = reader.machine().image().unwrap().bytes().to_vec();
    let mut after = before.clone();
    modem::pib::Editor::open(&mut after)
        .unwrap()
        .set_network(NetworkKey::derived(Nmk::new([5; 16])))
        .unwrap();
    let make = || modem::WritePlan::new(&before, &after).unwrap().backup_written(OWN).unwrap();
    let start = |writer: &mut modem::PibWriter<'_>, cx: &mut Cx<'_>| writer.start(cx);
    judge(&["modem write", "modem reset"], make, start, |_| true);
}
