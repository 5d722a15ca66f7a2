//! The world: a whole match over simulated modems, faults, ends of runs, and the same trace for the same
//! seed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod common;

use std::collections::VecDeque;

use common::{CAR, CAR_MODEM, CHARGER, CHARGER_MODEM, frame, key, view};
use control_pilot::{Level, Output};
use homeplug_mme::view::{PlLinkStatusReq, SetKeyReq, View};
use homeplug_mme::{Frame, Mac, MmType, NetworkKey, RunId, Slac, StationId};
use machine::{Cx, Deadline, Duration, Instant};
use sim::power_line::{Act, Place, Rule, Weather};
use sim::trace::Kind;
use sim::{
    Drive, Expect, Injection, Input, Limit, ModemConfig, ModemKind, Node, Port, Scenario, Span, Stop, World,
};

const EVSE: Port = Port(0);
const PEV: Port = Port(1);

/// The simplest host that still matches: a charger or a car.
#[derive(Default)]
struct Host {
    is_car: bool,
    run_id: RunId,
    key: Option<NetworkKey>,
    profiles: u32,
    sum_db: u32,
    pilot: Option<sim::Pilot>,
    next: Option<Instant>,
    frames: VecDeque<Vec<u8>>,
    events: VecDeque<String>,
    flaw: Flaw,
}

/// A fault of a host that the world must detect.
#[derive(Default, PartialEq)]
enum Flaw {
    #[default]
    None,
    OverdueForever,
    SendsForever,
}

impl Host {
    /// Time between two requests of a car, and between two link queries of a host.
    const RETRY: Duration = Duration::from_millis(250);

    fn charger() -> Self {
        Self::default()
    }

    fn car() -> Self {
        Self { is_car: true, ..Self::default() }
    }

    fn say(&mut self, to: Mac, message: &Slac) {
        let mut buffer = vec![0; 1514];
        let length = message.emit(to, if self.is_car { CAR } else { CHARGER }, &mut buffer).unwrap();
        buffer.truncate(length);
        self.frames.push_back(buffer);
    }

    fn set_key(&mut self, key: NetworkKey) {
        self.key = Some(key);
        let own = if self.is_car { CAR } else { CHARGER };
        self.frames.push_back(frame(&SetKeyReq::new([1; 4], key), Mac::LOCAL_MODEM, own));
    }

    fn hear(&mut self, message: &Slac, from: Mac) {
        let (run_id, car, charger) = (self.run_id, CAR, CHARGER);
        let (pev_id, evse_id) = (StationId::default(), StationId::default());
        let (sounds, timeout_100ms) = (10, 6);
        match *message {
            Slac::ParmReq { run_id } => {
                (self.run_id, self.profiles, self.sum_db) = (run_id, 0, 0);
                self.say(from, &Slac::ParmCnf { run_id, sounds, timeout_100ms, car });
            }
            Slac::ParmCnf { .. } => {
                self.say(Mac::BROADCAST, &Slac::StartAttenChar { run_id, sounds, timeout_100ms, car });
                for remaining in (0..sounds).rev() {
                    self.say(Mac::BROADCAST, &Slac::Sound { run_id, remaining, random: [remaining; 16] });
                }
            }
            Slac::Measured { profile: Some(profile), .. } => {
                self.profiles += 1;
                self.sum_db += profile.0.iter().map(|db| u32::from(*db)).sum::<u32>();
                if self.profiles == u32::from(sounds) {
                    self.events.push_back(format!("mean {} dB", (self.sum_db + 290) / 580));
                    self.say(car, &Slac::AttenChar { run_id, car, sounds, profile: Some(profile) });
                }
            }
            Slac::AttenChar { .. } => {
                self.say(from, &Slac::AttenCharRsp { run_id, car, result: 0 });
                self.say(from, &Slac::MatchReq { run_id, car, charger, pev_id, evse_id });
            }
            Slac::MatchReq { .. } => {
                let key = self.key.unwrap();
                self.say(from, &Slac::MatchCnf { run_id, car, charger, pev_id, evse_id, key });
            }
            Slac::MatchCnf { key, .. } if self.key.is_none() => {
                self.events.push_back("matched".to_owned());
                self.set_key(key);
            }
            _ => (),
        }
    }
}

impl Node for Host {
    fn start(&mut self, cx: &mut Cx<'_>) {
        let mut run_id = [0; 8];
        cx.entropy.fill(&mut run_id);
        if self.is_car {
            self.run_id = RunId(run_id);
        } else {
            self.set_key(key(run_id[0]));
        }
    }

    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        match input {
            Input::Plant(_) | Input::CarPlant(_) => (),
            Input::Pilot(pilot) => {
                self.pilot = Some(pilot);
                self.events.push_back(format!("level {:?}", pilot.level));
                self.next = pilot.is_plugged.then_some(cx.now);
            }
            Input::Frame(bytes) => {
                let Ok(parsed) = Frame::parse(bytes) else {
                    return self.events.push_back("data".to_owned());
                };
                if let Some(Ok(message)) = Slac::parse(&parsed) {
                    self.hear(&message, parsed.from);
                }
                if matches!(view(bytes), Ok(View::PlLinkStatusCnf(cnf)) if cnf.link_status == 1)
                    && self.next.is_some()
                {
                    self.next = None;
                    self.events.push_back("linked".to_owned());
                    let (to, own) = if self.is_car { (CHARGER, CAR) } else { (CAR, CHARGER) };
                    self.frames.push_back([&to.0[..], &own.0, &[0x86, 0xDD], &[0x60; 46]].concat());
                }
            }
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        if self.flaw == Flaw::OverdueForever {
            return;
        }
        self.next = Some(cx.now + Self::RETRY);
        let own = if self.is_car { CAR } else { CHARGER };
        if self.key.is_some() {
            self.frames.push_back(frame(&PlLinkStatusReq {}, Mac::LOCAL_MODEM, own));
        } else {
            let run_id = self.run_id;
            self.say(Mac::BROADCAST, &Slac::ParmReq { run_id });
        }
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<usize> {
        if self.flaw == Flaw::SendsForever && self.next.is_some() {
            return Some(60);
        }
        let frame = self.frames.pop_front()?;
        buffer[..frame.len()].copy_from_slice(&frame);
        Some(frame.len())
    }

    fn poll_event(&mut self) -> Option<String> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.next.map(|at| Deadline { at, name: "retry" })
    }

    fn drive(&self) -> Drive {
        match (self.is_car, self.pilot) {
            (false, _) => Drive::output(Output::DIGITAL),
            (true, Some(pilot)) if pilot.is_plugged => Drive::level(Level::C),
            (true, _) => Drive::level(Level::B),
        }
    }
}

fn world(seed: u64) -> World<Host> {
    let mut world = World::new(seed);
    world.add("evse", Host::charger(), ModemConfig::evse(ModemKind::Qca7005, CHARGER_MODEM));
    world.add("pev", Host::car(), ModemConfig::pev(ModemKind::Qca7005, CAR_MODEM));
    world.add_cable(EVSE, PEV);
    world
}

fn plugged_at(seed: u64, millis: u64) -> World<Host> {
    let mut world = world(seed);
    world.inject(Instant::from_millis(millis), Injection::Plug(EVSE));
    world
}

fn count(world: &World<Host>, kind: Kind, who: &str, what: &str) -> usize {
    let is_meant =
        |entry: &&sim::trace::Entry| entry.kind == kind && entry.who == who && entry.what.contains(what);
    world.trace().entries().iter().filter(is_meant).count()
}

#[test]
fn a_car_and_a_charger_match_join_and_exchange_data() {
    let mut world = plugged_at(1, 7000);
    let both = |world: &World<Host>| {
        let has_data = |who| count(world, Kind::Told, who, "data") == 1;
        (has_data("evse") && has_data("pev")).then(|| "both".to_owned())
    };
    let stop = world.run(Limit::until(Instant::from_millis(30_000)), both);
    assert_eq!(stop, Stop::Watched("both".to_owned()), "{}", world.trace());
    assert_eq!(count(&world, Kind::Told, "evse", "mean 9 dB"), 1, "{}", world.trace());
    assert_eq!(count(&world, Kind::Told, "evse", "level C"), 1);
    assert!(world.line().is_linked(world.now(), EVSE, PEV));
    assert!((12_000..20_000).contains(&world.now().as_millis()), "{}", world.now());
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_seed_another() {
    let trace = |seed| {
        let mut world = plugged_at(seed, 7000);
        let delay = Span::millis(1, 4);
        let bad = Weather {
            loss_permille: 50,
            duplicate_permille: 50,
            corrupt_permille: 20,
            reorder_permille: 50,
            delay,
        };
        world.inject(Instant::ZERO, Injection::PathWeather(EVSE, PEV, bad));
        world.inject(Instant::from_millis(20_000), Injection::Unplug(PEV));
        world.inject(Instant::from_millis(25_000), Injection::Plug(PEV));
        world.run(Limit::until(Instant::from_millis(40_000)), |_| None);
        world.trace().to_string()
    };
    let first = trace(7);
    assert!(first.lines().count() > 100);
    assert_eq!(first, trace(7));
    assert_ne!(first, trace(8));
}

#[test]
fn unplugging_is_seen_at_both_ends_and_leaves_only_crosstalk() {
    let mut world = plugged_at(1, 7000);
    world.inject(Instant::from_millis(7001), Injection::Unplug(EVSE));
    world.run(Limit::until(Instant::from_millis(7002)), |_| None);
    assert_eq!(count(&world, Kind::Told, "evse", "level A"), 2);
    assert_eq!(world.node(PEV).unwrap().pilot.unwrap().output, None);
    world.tell(PEV, |car, cx| car.next = Some(cx.now));
    world.run_for(Duration::from_millis(200));
    assert_eq!(count(&world, Kind::Told, "evse", "mean 60 dB"), 1, "{}", world.trace());
}

#[test]
fn a_run_ends_when_nobody_has_anything_left_to_do() {
    let mut world = world(1);
    let stop = world.run(Limit::until(Instant::from_millis(60_000)), |_| None);
    assert_eq!(stop, Stop::Idle);
    assert!(world.now() < Instant::from_millis(10_000), "the charger's modem is up again and that is all");
    assert_eq!(world.run_for(Duration::from_secs(1)), Stop::Idle);
}

#[test]
fn a_node_that_never_comes_to_rest_ends_the_run_by_name() {
    for (flaw, what) in
        [(Flaw::OverdueForever, "retry"), (Flaw::SendsForever, "it sends or changes without end")]
    {
        let mut world = plugged_at(1, 7000);
        world.tell(PEV, |car, _| car.flaw = flaw);
        let stop = world.run(Limit::until(Instant::from_millis(60_000)), |_| None);
        assert_eq!(stop, Stop::Stuck { who: "pev".to_owned(), what: what.to_owned() });
    }
}

#[test]
fn steps_are_limited_and_time_stops_where_it_was_told_to() {
    let mut world = plugged_at(1, 7000);
    assert_eq!(world.run(Limit { until: Instant::from_millis(9000), steps: 3 }, |_| None), Stop::Steps);
    assert_eq!(world.run(Limit::until(Instant::from_millis(8000)), |_| None), Stop::Time);
    assert_eq!(world.now(), Instant::from_millis(8000));
}

#[test]
fn a_frozen_node_is_silent_and_sees_its_cable_anew_when_it_wakes() {
    let mut world = plugged_at(1, 7000);
    world.inject(Instant::from_millis(6999), Injection::FreezeNode(PEV, true));
    world.inject(Instant::from_millis(9000), Injection::FreezeNode(PEV, false));
    world.run(Limit::until(Instant::from_millis(8999)), |_| None);
    assert_eq!(count(&world, Kind::Sent, "pev", ""), 0);
    world.run(Limit::until(Instant::from_millis(9100)), |_| None);
    assert_eq!(count(&world, Kind::Sent, "pev", "CM_MNBC_SOUND"), 10, "{}", world.trace());
}

const fn rule(place: Place, mm_type: u16, times: u32, act: Act) -> Injection {
    Injection::Rule(Rule { place, mm_type: Some(MmType(mm_type)), skip: 0, times, act })
}

const START: (Instant, Injection) = (Instant::from_millis(7000), Injection::Plug(EVSE));
const END: Instant = Instant::from_millis(30_000);

/// Scenarios that this simple host, too, must pass or fail, each with its expectation.
const SCENARIOS: [Scenario<u64>; 5] = [
    Scenario {
        id: "T1",
        title: "nothing goes wrong",
        setup: 1,
        injections: &[START],
        until: END,
        expect: &[Expect::told("pev", "linked"), Expect::sent("pev", "CM_SLAC_PARM.REQ", 1, 1)],
    },
    Scenario {
        id: "T2",
        title: "two of the sounds are lost, and with them the match; the next run makes it",
        setup: 2,
        injections: &[
            START,
            (Instant::ZERO, rule(Place::Path { from: PEV, to: EVSE }, 0x6076, 2, Act::Lose)),
        ],
        until: END,
        expect: &[
            Expect::told("pev", "linked"),
            Expect::sent("pev", "CM_MNBC_SOUND.IND", 20, 20),
            Expect::sent("evse", "CM_ATTEN_CHAR.IND", 1, 1),
        ],
    },
    Scenario {
        id: "T3",
        title: "a bit of the car's key is flipped",
        setup: 3,
        injections: &[
            START,
            (Instant::ZERO, rule(Place::FromHost(PEV), 0x6008, 1, Act::Flip { offset: 41, mask: 0x10 })),
        ],
        until: END,
        expect: &[Expect::told("pev", "matched"), Expect::never_told("pev", "linked")],
    },
    Scenario {
        id: "T4",
        title: "the charger's modem restarts after the match",
        setup: 4,
        injections: &[
            START,
            (Instant::from_millis(7500), Injection::RestartModem(EVSE, Duration::from_millis(10_000))),
        ],
        until: END,
        expect: &[
            Expect::never_told("pev", "linked").between(Instant::ZERO, Instant::from_millis(17_500)),
            Expect::told("pev", "linked").between(Instant::from_millis(17_500), END),
        ],
    },
    Scenario {
        id: "T5",
        title: "a short frame and one of another type are said in the car's name",
        setup: 5,
        injections: &[
            (Instant::from_millis(6500), Injection::Say(PEV, &[0xFF; 13])),
            (Instant::from_millis(6500), Injection::Say(PEV, &[0xFF; 60])),
            START,
        ],
        until: END,
        expect: &[Expect::told("pev", "linked")],
    },
];

#[test]
fn scenarios_are_data_and_end_as_they_say() {
    for scenario in &SCENARIOS {
        let (outcome, played) = scenario.play(|seed| world(*seed), |_| None);
        assert!(outcome.is_good(), "{outcome}\n{}", played.trace());
    }
}

#[test]
fn a_scenario_that_is_not_met_says_what_was_missing() {
    const TWO: [Expect; 1] = [Expect::sent("pev", "CM_SLAC_PARM.REQ", 2, 3)];
    let first = &SCENARIOS[0];
    let wrong = Scenario { expect: &TWO, ..*first };
    let (outcome, _) = wrong.play(|seed| world(*seed), |_| None);
    assert!(!outcome.is_good());
    let text = outcome.to_string();
    assert!(text.contains("1 times Sent by pev \"CM_SLAC_PARM.REQ\", expected 2 to 3"), "{text}");
    let (outcome, _) =
        first.play(|seed| world(*seed), |world| (world.now() > Instant::ZERO).then(|| "a rule".to_owned()));
    assert!(!outcome.is_good() && outcome.to_string().contains("a rule"));
}

#[test]
fn every_frame_is_shown_to_the_tap() {
    let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let mut world = plugged_at(1, 7000);
    let sink = seen.clone();
    world.add_tap(Box::new(move |at, port, is_sent, frame| {
        sink.borrow_mut().push((at, port, is_sent, frame.len()));
    }));
    world.run(Limit::until(END), |_| None);
    let frames = |is_sent: bool| seen.borrow().iter().filter(|(_, _, sent, _)| *sent == is_sent).count();
    let lines = |kind| world.trace().entries().iter().filter(|entry| entry.kind == kind).count();
    assert!(frames(true) > 20);
    // The charger's key was sent before the tap existed.
    assert_eq!((frames(true) + 1, frames(false)), (lines(Kind::Sent), lines(Kind::Heard)));
}

#[test]
fn a_node_that_is_added_does_not_change_the_others_luck() {
    let run_ids = |first: bool| {
        let mut world = World::new(5);
        if first {
            world.add("car", Host::car(), ModemConfig::pev(ModemKind::Qca7005, CAR_MODEM));
        } else {
            world.add("other", Host::charger(), ModemConfig::evse(ModemKind::Qca7005, CHARGER_MODEM));
            world.add("car", Host::car(), ModemConfig::pev(ModemKind::Qca7005, CAR_MODEM));
        }
        world.node(if first { Port(0) } else { Port(1) }).unwrap().run_id
    };
    assert_eq!(run_ids(true), run_ids(false));
    assert_ne!(run_ids(true), RunId::default());
}
