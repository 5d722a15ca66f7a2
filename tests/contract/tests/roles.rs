//! Charger, car and listener with all their parts, on Ethernet frames.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use contract::timers::{DISCOVERY, MATCHING, MODEM, ROLES, SESSION};
use contract::{cable, hostile};
use homeplug_mme::{NetworkKey, Nmk};
use machine::check::Check;
use machine::{Duration, Instant, Machine};
use roles::{
    Evse, EvseConfig, EvseInput, EvseLink, EvseStorage, Listen, ListenStorage, MAX_FRAME, Mac, Pev,
    PevConfig, PevInput, PevLink, PevStorage,
};
use sim::{ModemKind, Port, PowerLine};

const CHARGER: Mac = Mac([2, 0, 0, 0, 0, 0x5E]);
const CAR: Mac = Mac([2, 0, 0, 0, 0, 0xE1]);
const CHARGER_MODEM: Mac = Mac([0, 0xB0, 0x52, 0, 1, 0x5E]);
const CAR_MODEM: Mac = Mac([0, 0xB0, 0x52, 0, 1, 0xE1]);
const STEP: Duration = Duration::from_millis(20);

/// Every timer of a role and its parts.
fn timers() -> Vec<&'static str> {
    [SESSION, MATCHING, MODEM, DISCOVERY, ROLES].concat()
}

/// Both roles, the simplest cable and, with modems, the power line.
struct Bench<'a> {
    evse: Check<Evse<'a>>,
    pev: Check<Pev<'a>>,
    line: Option<PowerLine>,
    now: Instant,
    current_ma: i32,
    frames: Vec<Vec<u8>>,
}

impl<'a> Bench<'a> {
    fn new(evse: &'a mut [EvseStorage<'a>], pev: &'a mut [PevStorage<'a>], line: Option<PowerLine>) -> Self {
        let (mut evse, mut pev) = (evse.iter_mut(), pev.iter_mut());
        let mut charger = EvseConfig::new(CHARGER);
        let mut car = PevConfig { link: PevLink::Up, ..PevConfig::new(CAR) };
        if line.is_some() {
            charger.link = EvseLink::matched(CHARGER);
            car.link = PevConfig::new(CAR).link;
        }
        Self {
            evse: Check::new(&timers(), MAX_FRAME, |cx| {
                Evse::new(cx, charger.clone(), evse.next().unwrap()).unwrap()
            })
            .unwrap()
            .observing(|evse| format!("{:?} {:?} {:?}", evse.demand(), evse.phase(), evse.stop_reason())),
            pev: Check::new(&timers(), MAX_FRAME, |cx| {
                Pev::new(cx, car.clone(), pev.next().unwrap()).unwrap()
            })
            .unwrap()
            .observing(|pev| format!("{:?} {:?} {:?}", pev.demand(), pev.phase(), pev.stop_reason())),
            line,
            now: Instant::ZERO,
            current_ma: 0,
            frames: Vec::new(),
        }
    }

    fn call_evse(&mut self, input: EvseInput<'_>) {
        self.evse.call(|evse, cx| evse.handle(cx, input)).unwrap();
    }

    fn call_pev(&mut self, input: PevInput<'_>) {
        self.pev.call(|pev, cx| pev.handle(cx, input)).unwrap();
    }

    fn sense(&mut self, is_plugged: bool) {
        let (charger, car) = (self.evse.machine().demand(), self.pev.machine().demand());
        let cable = cable::sense(self.now, charger, car, is_plugged);
        self.current_ma = cable.current_ma;
        self.call_evse(EvseInput::Plant(cable.charger));
        self.call_pev(PevInput::Vehicle(cable::vehicle(self.now)));
        self.call_pev(PevInput::Plant(cable.car));
    }

    /// Carries frames, over the power line or directly, until none is left.
    fn exchange(&mut self) {
        loop {
            let (from_evse, from_pev) = (self.evse.take_sent(), self.pev.take_sent());
            let mut arrived: Vec<(Port, Vec<u8>)> = Vec::new();
            for (port, other, sent) in [(Port(0), Port(1), from_evse), (Port(1), Port(0), from_pev)] {
                for (frame, ()) in sent {
                    match &mut self.line {
                        Some(line) => line.handle(self.now, port, &frame),
                        None => arrived.push((other, frame)),
                    }
                }
            }
            if let Some(line) = &mut self.line {
                line.handle_timeout(self.now);
                arrived.extend(std::iter::from_fn(|| line.poll_transmit()));
            }
            if arrived.is_empty() {
                return;
            }
            for (port, frame) in arrived {
                match port {
                    Port(0) => self.call_evse(EvseInput::Frame(&frame)),
                    _ => self.call_pev(PevInput::Frame(&frame)),
                }
                self.frames.push(frame);
            }
        }
    }

    fn run(&mut self, millis: u64, is_plugged: bool) {
        for _ in 0..millis / STEP.as_millis() {
            self.now += STEP;
            self.evse.pass_to(self.now).unwrap();
            self.pev.pass_to(self.now).unwrap();
            self.sense(is_plugged);
            self.exchange();
        }
    }

    fn until_it_charges(&mut self, millis: u64) {
        for _ in 0..millis / 500 {
            self.run(500, true);
            if self.current_ma > 10_000 {
                return;
            }
        }
        assert!(self.current_ma > 10_000, "{:?}", self.pev.take_events());
    }
}

fn storages<'a>() -> ([EvseStorage<'a>; 5], [PevStorage<'a>; 5]) {
    (std::array::from_fn(|_| EvseStorage::new()), std::array::from_fn(|_| PevStorage::new()))
}

#[test]
fn both_roles_keep_the_contract_on_a_given_link_through_a_session_and_a_pulled_plug() {
    let (mut evse, mut pev) = storages();
    let mut bench = Bench::new(&mut evse, &mut pev, None);
    bench.run(200, false);
    bench.until_it_charges(60_000);
    bench.run(500, true);
    bench.run(1_500, false);
    assert!(!bench.evse.machine().demand().is_energised() && !bench.pev.machine().demand().is_energised());
}

#[test]
fn both_roles_keep_the_contract_over_their_modems_from_the_key_to_the_current() {
    let mut line = PowerLine::new(1);
    line.add_modem(Instant::ZERO, sim::ModemConfig::evse(ModemKind::Qca7005, CHARGER_MODEM));
    line.add_modem(Instant::ZERO, sim::ModemConfig::pev(ModemKind::Qca7005, CAR_MODEM));
    let (mut evse, mut pev) = storages();
    let mut bench = Bench::new(&mut evse, &mut pev, Some(line));
    bench.run(10_000, false);
    bench.until_it_charges(120_000);
}

#[test]
fn both_roles_keep_the_contract_when_their_caller_is_late_in_a_session() {
    for late in [700, 30_000] {
        let (mut evse, mut pev) = storages();
        let mut bench = Bench::new(&mut evse, &mut pev, None);
        bench.until_it_charges(60_000);
        bench.now += Duration::from_millis(late);
        bench.evse.sleep_to(bench.now).unwrap();
        bench.evse.timeout().unwrap();
        bench.pev.sleep_to(bench.now).unwrap();
        bench.pev.timeout().unwrap();
        bench.run(1_000, true);
    }
}

#[test]
fn both_roles_keep_the_contract_with_hostile_frames_in_a_session() {
    let (mut evse, mut pev) = storages();
    let mut bench = Bench::new(&mut evse, &mut pev, None);
    bench.until_it_charges(60_000);
    let genuine = std::mem::take(&mut bench.frames);
    for frame in hostile(5, &genuine).take(400) {
        bench.call_evse(EvseInput::Frame(&frame));
        bench.call_pev(PevInput::Frame(&frame));
        bench.run(20, true);
    }
}

#[test]
fn the_listener_keeps_the_contract_with_a_session_and_with_hostile_frames() {
    let (mut evse, mut pev) = storages();
    let mut bench = Bench::new(&mut evse, &mut pev, None);
    bench.until_it_charges(60_000);
    let mut frames = std::mem::take(&mut bench.frames);
    frames.extend(hostile(9, &frames.clone()).take(300));
    let mut storages: [ListenStorage; 5] = std::array::from_fn(|_| ListenStorage::default());
    let mut storages = storages.iter_mut();
    let make = |_: &mut machine::Cx<'_>| -> Listen<'_> { Listen::new(CAR, storages.next().unwrap()) };
    let mut listen = Check::new(&[MODEM, &["sight"]].concat(), MAX_FRAME, make)
        .unwrap()
        .observing(|listen| listen.attempts().len().to_string());
    listen.call(|listen, cx| listen.set_key(cx, NetworkKey::derived(Nmk::new([3; 16])))).unwrap();
    for (frame, millis) in frames.iter().zip((0..).step_by(30)) {
        listen.call(|listen, cx| listen.handle(cx, frame)).unwrap();
        listen.pass_to(Instant::from_millis(millis)).unwrap();
    }
}
