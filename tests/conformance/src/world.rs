//! Cases that need pilot, modems and link: both roles in the simulated world.

use std::collections::VecDeque;

use control_pilot::{Level, Output};
use homeplug_mme::{ETHERTYPE, Mac};
use machine::{Cx, Deadline, Duration, Instant};
use replay::{Car, code};
use roles::{EvseConfig, EvseLink, EvseStorage, PevConfig, PevLink, PevStorage};
use sim::{
    Charger, Drive, Expect, Injection, Input, Limit, ModemConfig, ModemKind, Node, Port, Stop, Wishes, World,
};
use slac::{EvseState, EvseValidation, PevState, PevValidation};

use crate::charger::{GOOD, body, encode, handshake, is_ongoing};
use crate::{Outcome, check, same};

const EVSE: Port = Port(0);
const PEV: Port = Port(1);
const CHARGER: Mac = Mac([2, 0, 0, 0, 0, 0x5E]);

/// The plug is inserted when the charger's modem has its key.
const PLUG: Instant = Instant::from_millis(15_000);
/// Modems restart with their key, and again when it changes.
const SOON: Duration = Duration::from_secs(60);
/// `TP_match_leave`.
const LEAVE: Duration = Duration::from_secs(1);

/// A role whose pilot a case can override.
#[allow(clippy::large_enum_variant, reason = "a world has two of them")]
enum Actor<'a> {
    Post { charger: Charger<'a>, output: Option<Output> },
    Vehicle(Vehicle<'a>),
}

/// A car: its role up to the link, and its session driven by hand over IP.
struct Vehicle<'a> {
    role: sim::Car<'a>,
    ip: Car,
    level: Option<Level>,
    outbox: VecDeque<Vec<u8>>,
    /// Next poll of the IP stack; `None` before the session begins.
    tick: Option<Instant>,
}

impl Vehicle<'_> {
    const TICK: Duration = Duration::from_millis(10);

    fn work(&mut self, now: Instant) {
        if self.tick.is_some() {
            self.tick = Some(now + Self::TICK);
            self.outbox.extend(self.ip.poll(now.as_micros()));
        }
    }
}

macro_rules! role {
    ($self:ident, $node:ident => $call:expr) => {
        match $self {
            Actor::Post { charger: $node, .. } => $call,
            Actor::Vehicle(Vehicle { role: $node, .. }) => $call,
        }
    };
}

impl Node for Actor<'_> {
    fn start(&mut self, cx: &mut Cx<'_>) {
        role!(self, node => node.start(cx));
    }

    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        match (self, input) {
            (Self::Vehicle(car), Input::Frame(frame)) if frame[12..14] != ETHERTYPE.to_be_bytes() => {
                car.ip.handle(frame);
                car.work(cx.now);
            }
            (actor, input) => role!(actor, node => node.handle(cx, input)),
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        role!(self, node => node.handle_timeout(cx));
        if let Self::Vehicle(car) = self
            && car.tick.is_some_and(|at| at <= cx.now)
        {
            car.work(cx.now);
        }
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<usize> {
        if let Self::Vehicle(car) = self
            && let Some(frame) = car.outbox.pop_front()
        {
            buffer[..frame.len()].copy_from_slice(&frame);
            return Some(frame.len());
        }
        role!(self, node => node.poll_transmit(buffer))
    }

    fn poll_event(&mut self) -> Option<String> {
        role!(self, node => node.poll_event())
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        let due = role!(self, node => node.poll_timeout());
        let Self::Vehicle(car) = self else { return due };
        Deadline::earlier(due, car.tick.map(|at| Deadline { at, name: "IP" }))
    }

    fn drive(&self) -> Drive {
        match self {
            Self::Post { output: Some(output), .. } => Drive::output(*output),
            Self::Vehicle(Vehicle { level: Some(level), .. }) => Drive::level(*level),
            _ => role!(self, node => node.drive()),
        }
    }

    fn reads_at(&self) -> Option<Instant> {
        role!(self, node => node.reads_at())
    }
}

/// A charger and a car at its cable, both by their modems.
struct Stage<'a>(World<Actor<'a>>);

/// Sets up the world, with a car that validates or does not, and runs a case.
fn on_stage(validates: bool, play: impl FnOnce(&mut Stage<'_>) -> Outcome) -> Outcome {
    let (mut storage, mut car_storage) = (EvseStorage::new(), PevStorage::new());
    let mut world = World::new(1);
    let mut evse = slac::EvseConfig::new(CHARGER);
    let mut pev = slac::PevConfig::new(Mac(Car::MAC));
    if validates {
        evse.validation = EvseValidation::Toggles;
        pev.validation = PevValidation::WhenPotential;
        pev.direct_cdb = 0;
    }
    let modem = |last| Mac([0, 0xB0, 0x52, 0, 1, last]);
    world.add_with("evse", ModemConfig::evse(ModemKind::Qca7005, modem(0x5E)), |cx| {
        let link = EvseLink::Matched { slac: evse, modem: None };
        let mut config = EvseConfig { link, ..EvseConfig::new(CHARGER) };
        config.charger.isolation_test = Duration::from_millis(100);
        Actor::Post { charger: Charger::new(cx, config, &mut storage).unwrap(), output: None }
    });
    world.add_with("pev", ModemConfig::pev(ModemKind::Qca7005, modem(0xCA)), |cx| {
        let link = PevLink::Matched { slac: pev, modem: None };
        let config = PevConfig { link, discovers: false, ..PevConfig::new(Mac(Car::MAC)) };
        let role = sim::Car::new(cx, config, Wishes::CAR_400V, &mut car_storage).unwrap();
        Actor::Vehicle(Vehicle { role, ip: Car::new(), level: None, outbox: VecDeque::new(), tick: None })
    });
    world.add_cable(EVSE, PEV);
    world.inject(PLUG, Injection::Plug(PEV));
    play(&mut Stage(world))
}

impl Stage<'_> {
    /// State of the charger's matching.
    fn charger(&self) -> Option<EvseState> {
        match self.0.node(EVSE) {
            Some(Actor::Post { charger, .. }) => charger.role().matching(),
            _ => None,
        }
    }

    /// State of the car's matching.
    fn car(&self) -> Option<PevState> {
        match self.0.node(PEV) {
            Some(Actor::Vehicle(car)) => car.role.role().matching(),
            _ => None,
        }
    }

    fn with_car(&mut self, words: impl FnOnce(&mut Vehicle<'_>)) {
        self.0.tell(PEV, |actor, cx| {
            if let Actor::Vehicle(car) = actor {
                words(car);
                car.work(cx.now);
            }
        });
    }

    /// Overrides the charger's pilot, or releases it.
    fn hold(&mut self, held: Option<Output>) {
        self.0.tell(EVSE, |actor, _| {
            if let Actor::Post { output, .. } = actor {
                *output = held;
            }
        });
    }

    /// Waits until the car's matching has this state.
    fn until(&mut self, state: PevState, most: Duration) -> Outcome {
        let is_there = |world: &World<Actor<'_>>| match world.node(PEV) {
            Some(Actor::Vehicle(car)) if car.role.role().matching() == Some(state) => Some(String::new()),
            _ => None,
        };
        let stop = self.0.run(Limit::until(self.0.now() + most), is_there);
        check(stop == Stop::Watched(String::new()), || {
            format!("never {state:?} but {:?}: {stop}", self.car())
        })
    }

    /// Waits until both sides have a link.
    fn until_linked(&mut self) -> Outcome {
        self.until(PevState::Matched, SOON)?;
        self.0.run_for(Duration::from_secs(2));
        same("charger", self.charger(), Some(EvseState::Matched))?;
        same("car", self.car(), Some(PevState::Matched))
    }
}

/// The pilot is lost in this state of the car's matching: the matching ends immediately, the car leaves its
/// network, and is matched again when the pilot returns.
pub(crate) fn pilot_lost(at: PevState, outputs: &[Output]) -> Outcome {
    on_stage(at == PevState::Validating, |stage| {
        for output in outputs {
            stage.until(at, PLUG.since(Instant::ZERO) + SOON)?;
            stage.hold(Some(*output));
            stage.0.run_for(LEAVE);
            same("state", stage.car(), Some(PevState::Unmatched))?;
            stage.0.run_for(Duration::from_secs(4));
            same("state", stage.car(), Some(PevState::Unmatched))?;
            stage.hold(None);
        }
        stage.until_linked()
    })
}

/// 5 % comes 7.5 s after the plug.
pub(crate) fn pilot_comes_late() -> Outcome {
    on_stage(false, |stage| {
        stage.hold(Some(Output::Steady));
        stage.0.run(Limit::until(PLUG + Duration::from_millis(7500)), |_| None);
        same("state", stage.car(), Some(PevState::Unmatched))?;
        stage.hold(None);
        stage.until_linked()
    })
}

/// The plug is pulled and inserted again.
pub(crate) fn unplugged() -> Outcome {
    on_stage(false, |stage| {
        stage.until_linked()?;
        stage.0.perform(Injection::Unplug(PEV));
        stage.0.run_for(LEAVE);
        same("state", stage.car(), Some(PevState::Unmatched))?;
        stage.0.run_for(Duration::from_secs(20));
        stage.0.perform(Injection::Plug(PEV));
        stage.until_linked()
    })
}

/// A car that is at C or D from the plug on is matched.
pub(crate) fn charger_matches_at(level: Level) -> Outcome {
    on_stage(false, |stage| {
        stage.with_car(|car| car.level = Some(level));
        stage.until_linked()
    })
}

/// A whole session over a link by SLAC; with its end the link ends too: the charger has generated a new key.
pub(crate) fn session_ends_with_its_link(with_welding: bool) -> Outcome {
    on_stage(false, |stage| {
        stage.until_linked()?;
        stage.with_car(|car| {
            car.tick = Some(Instant::ZERO);
            car.ip.discover();
        });
        stage.0.run_for(Duration::from_secs(1));
        let mut found = None;
        stage.with_car(|car| found = car.ip.discovered());
        let found = found.ok_or("no answer to discovery")?;
        stage.with_car(|car| car.ip.connect(found));
        stage.0.run_for(Duration::from_secs(1));
        let mut id = vec![0; 8];
        stage.exchange(&handshake())?;
        for name in GOOD.iter().filter(|name| with_welding || **name != "WeldingDetectionReq") {
            stage.pass(name, &mut id)?;
        }
        let ended = stage.0.now();
        stage.with_car(|car| car.ip.close());
        stage.0.run_for(Duration::from_secs(5));
        let left = Expect::told("evse", "Slac(Left").between(ended, stage.0.now()).count(stage.0.trace());
        same("networks left", left, 1)?;
        check(stage.charger() != Some(EvseState::Matched), || "still linked".to_owned())
    })
}

impl Stage<'_> {
    fn exchange(&mut self, stream: &[u8]) -> Result<Vec<u8>, String> {
        let length = u32::try_from(stream.len()).unwrap();
        let header = v2gtp::Header { payload_type: v2gtp::PayloadType(0x8001), length };
        let mut message = header.to_bytes().to_vec();
        message.extend_from_slice(stream);
        self.with_car(|car| car.ip.send(&message));
        for _ in 0..500 {
            self.0.run_for(Vehicle::TICK);
            let mut bytes = Vec::new();
            self.with_car(|car| bytes = car.ip.received());
            if !bytes.is_empty() {
                return Ok(v2gtp::Message::from_datagram(&bytes).expect("one message").payload.to_vec());
            }
        }
        Err("no answer".to_owned())
    }

    fn pass(&mut self, name: &str, id: &mut Vec<u8>) -> Outcome {
        match name {
            "CableCheckReq" => self.with_car(|car| car.level = Some(Level::C)),
            "WeldingDetectionReq" | "SessionStopReq" => self.with_car(|car| car.level = Some(Level::B)),
            _ => {}
        }
        self.0.run_for(Duration::from_millis(100));
        let least = if name == "PreChargeReq" { 10 } else { 1 };
        for round in 1..=100 {
            let answer = self.exchange(&encode(id, body(name)))?;
            let (_, code) = code(&answer);
            check(code.is_some_and(|code| !code.is_failed()), || format!("{name}: {code:?}"))?;
            if name == "SessionSetupReq" {
                *id = exi_din::V2gMessage::decode(&answer).unwrap().header.session_id.iter().collect();
            }
            if round >= least && !is_ongoing(&answer) {
                return Ok(());
            }
            self.0.run_for(Duration::from_millis(100));
        }
        Err(format!("{name}: Ongoing without end"))
    }
}
