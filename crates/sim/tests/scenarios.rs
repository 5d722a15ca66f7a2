//! The charger's role with faults of the modem and the power line (`X030` to `X046`): scenarios as data. The
//! car is a script, so that it can deviate from a good car.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod common;

use common::{CHARGER, CHARGER_MODEM, frame, view};
use control_pilot::{Level, Output};
use homeplug_mme::view::{PlLinkStatusReq, SetKeyReq, View};
use homeplug_mme::{Frame, Mac, MmType, RunId, Slac, StationId};
use machine::{Cx, Deadline, Duration, Instant};
use roles::{EvseConfig, EvseLink, EvseStorage};
use sim::power_line::{Act, Place, Rule, Weather};
use sim::{
    Chance, Charger, Drive, EventQueue, Expect, Injection, Input, Limit, ModemConfig, ModemKind, Node, Port,
    Scenario, Span, Stop, World,
};

const EVSE: Port = Port(0);
const PEV: Port = Port(1);
const OTHER: Port = Port(2);

/// The behaviour of a car.
#[derive(Clone, Copy)]
struct Habits {
    /// Number of announced and of sent sounds.
    sounds: (u8, u8),
    /// It requests validation by its pilot first.
    validates: bool,
    /// It begins again this long after its first request, with another `RunID`.
    restarts: Option<Duration>,
    /// It matches without waiting for a plug, like a car at a neighbouring post.
    unplugged: bool,
}

const GOOD: Habits = Habits { sounds: (10, 10), validates: false, restarts: None, unplugged: false };

/// A car whose matching is a script.
struct Car {
    mac: Mac,
    habits: Habits,
    run_id: RunId,
    charger: Option<Mac>,
    has_key: bool,
    is_linked: bool,
    next_try: Option<Instant>,
    restart: Option<Instant>,
    gives_up: Option<Instant>,
    is_plugged: bool,
    outbox: EventQueue<Vec<u8>>,
    ready: Vec<Vec<u8>>,
    events: Vec<String>,
}

impl Car {
    /// From the 5 % pilot to the first request.
    const BEGIN: Duration = Duration::from_millis(800);
    /// `TT_match_join`.
    const JOIN: Duration = Duration::from_secs(12);
    /// Time between two attempts.
    const RETRY: Duration = Duration::from_millis(3000);
    /// A charger that reports more than this is not the own one.
    const LIMIT_DB: u32 = 20;
    /// Time between two sounds.
    const INTERVAL: Duration = Duration::from_millis(30);

    fn new(mac: Mac, habits: Habits) -> Self {
        Self {
            mac,
            habits,
            run_id: RunId::default(),
            charger: None,
            has_key: false,
            is_linked: false,
            next_try: None,
            restart: None,
            gives_up: None,
            is_plugged: habits.unplugged,
            outbox: EventQueue::new(),
            ready: Vec::new(),
            events: Vec::new(),
        }
    }

    fn say(&mut self, at: Instant, to: Mac, message: &Slac) {
        let mut buffer = vec![0; 1514];
        let length = message.emit(to, self.mac, &mut buffer).unwrap();
        buffer.truncate(length);
        self.outbox.push(at, buffer);
    }

    fn begin(&mut self, cx: &mut Cx<'_>) {
        self.next_try = Some(cx.now + Self::RETRY);
        if self.has_key && self.gives_up.is_some_and(|at| at <= cx.now) {
            self.events.push("no link".to_owned());
            self.has_key = false;
        }
        if self.has_key {
            self.outbox.push(cx.now, frame(&PlLinkStatusReq {}, Mac::LOCAL_MODEM, self.mac));
            self.next_try = Some(cx.now + Duration::from_millis(500));
            return;
        }
        let mut run_id = [0; 8];
        cx.entropy.fill(&mut run_id);
        self.run_id = RunId(run_id);
        self.charger = None;
        self.outbox = EventQueue::new();
        self.say(cx.now, Mac::BROADCAST, &Slac::ParmReq { run_id: self.run_id });
        self.restart = self.habits.restarts.take().map(|time| cx.now + time);
    }

    fn hear(&mut self, now: Instant, from: Mac, message: Slac) {
        let (run_id, car) = (self.run_id, self.mac);
        let (pev_id, evse_id) = (StationId::default(), StationId::default());
        match message {
            Slac::ParmCnf { run_id: theirs, timeout_100ms, .. }
                if theirs == run_id && self.charger.is_none() =>
            {
                self.charger = Some(from);
                let (sounds, sent) = self.habits.sounds;
                let mut at = now + Duration::from_millis(60);
                for _ in 0..3 {
                    let announcement = Slac::StartAttenChar { run_id, sounds, timeout_100ms, car };
                    self.say(at, Mac::BROADCAST, &announcement);
                    at += Self::INTERVAL;
                }
                for number in 1..=sent {
                    let sound = Slac::Sound { run_id, remaining: sounds - number, random: [number; 16] };
                    self.say(at, Mac::BROADCAST, &sound);
                    at += Self::INTERVAL;
                }
            }
            Slac::AttenChar { run_id: theirs, sounds, profile: Some(profile), .. } if theirs == run_id => {
                let mean = profile.0.iter().map(|db| u32::from(*db)).sum::<u32>() / 58;
                self.events.push(format!("report of {sounds} sounds, {mean} dB"));
                self.say(now, from, &Slac::AttenCharRsp { run_id, car, result: 0 });
                if mean > Self::LIMIT_DB {
                    return;
                }
                if self.habits.validates {
                    let ask = homeplug_mme::view::ValidateReq { signal_type: 0, timer: 0, result: 1 };
                    self.outbox.push(now + Duration::from_millis(20), frame(&ask, from, car));
                }
                let ask = Slac::MatchReq { run_id, car, charger: from, pev_id, evse_id };
                for millis in [100, 300, 500] {
                    self.say(now + Duration::from_millis(millis), from, &ask);
                }
            }
            Slac::MatchCnf { run_id: theirs, key, .. } if theirs == run_id && !self.has_key => {
                self.events.push("matched".to_owned());
                self.has_key = true;
                self.gives_up = Some(now + Self::JOIN);
                self.outbox = EventQueue::new();
                self.outbox.push(now, frame(&SetKeyReq::new([5; 4], key), Mac::LOCAL_MODEM, car));
                self.next_try = Some(now + Duration::from_millis(500));
            }
            Slac::ValidateCnf { result, .. } => self.events.push(format!("validation: {result:?}")),
            _ => (),
        }
    }
}

impl Node for Car {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.next_try = self.habits.unplugged.then_some(cx.now);
    }

    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        match input {
            Input::Pilot(_) if self.habits.unplugged => (),
            Input::Pilot(pilot) => {
                self.is_plugged = pilot.is_plugged;
                let is_offered = pilot.output == Some(Output::DIGITAL);
                if !pilot.is_plugged {
                    (self.has_key, self.is_linked) = (false, false);
                }
                if is_offered && self.next_try.is_none() && !self.is_linked {
                    self.events.push("5 %".to_owned());
                    self.next_try = Some(cx.now + Self::BEGIN);
                } else if !is_offered && !self.has_key {
                    (self.next_try, self.outbox) = (None, EventQueue::new());
                }
            }
            Input::Plant(_) | Input::CarPlant(_) => (),
            Input::Frame(_) if !self.is_plugged => (),
            Input::Frame(bytes) => {
                let Ok(parsed) = Frame::parse(bytes) else { return };
                if let Some(Ok(message)) = Slac::parse(&parsed).filter(|_| parsed.to == self.mac) {
                    self.hear(cx.now, parsed.from, message);
                }
                if let Ok(View::PlLinkStatusCnf(cnf)) = view(bytes)
                    && cnf.link_status == 1
                    && self.next_try.take().is_some()
                {
                    self.is_linked = true;
                    self.events.push("linked".to_owned());
                }
            }
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        if self.restart.is_some_and(|at| at <= cx.now) {
            self.restart = None;
            self.begin(cx);
        }
        if self.next_try.is_some_and(|at| at <= cx.now) {
            self.begin(cx);
        }
        while let Some((_, frame)) = self.outbox.pop_due(cx.now) {
            self.ready.push(frame);
        }
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<usize> {
        if self.ready.is_empty() {
            return None;
        }
        let frame = self.ready.remove(0);
        buffer[..frame.len()].copy_from_slice(&frame);
        Some(frame.len())
    }

    fn poll_event(&mut self) -> Option<String> {
        (!self.events.is_empty()).then(|| self.events.remove(0))
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        let at = [self.next_try, self.restart, self.outbox.next_at()].into_iter().flatten().min()?;
        Some(Deadline { at, name: "script" })
    }

    fn drive(&self) -> Drive {
        Drive::level(Level::B)
    }
}

/// The setup: the charger's modem, the car, and possibly another car at the next post.
#[derive(Clone, Copy)]
struct Setup {
    seed: u64,
    modem: ModemConfig,
    car: Habits,
    other: Option<Habits>,
}

const MODEM: ModemConfig = ModemConfig::evse(ModemKind::Qca7005, CHARGER_MODEM);
const USUAL: Setup = Setup { seed: 1, modem: MODEM, car: GOOD, other: None };
const OTHER_CAR: Mac = Mac([2, 0, 0, 0, 0, 0xE2]);

fn build<'a>(setup: &Setup, storage: &'a mut EvseStorage<'a>) -> World<Box<dyn Node + 'a>> {
    let mut world: World<Box<dyn Node + 'a>> = World::new(setup.seed);
    world.add_with("evse", setup.modem, |cx| {
        let config = EvseConfig { link: EvseLink::matched(CHARGER), ..EvseConfig::new(CHARGER) };
        Box::new(Charger::new(cx, config, storage).unwrap())
    });
    let pev = |mac| ModemConfig::pev(ModemKind::Qca7005, mac);
    world.add("pev", Box::new(Car::new(common::CAR, setup.car)), pev(common::CAR_MODEM));
    world.add_cable(EVSE, PEV);
    if let Some(habits) = setup.other {
        world.add("other", Box::new(Car::new(OTHER_CAR, habits)), pev(Mac([0, 0xB0, 0x52, 0, 1, 0xE2])));
    }
    world
}

const fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// A fault from the start, at one place, for one type of message.
const fn fault(place: Place, mm_type: u16, times: u32, act: Act) -> (Instant, Injection) {
    (at(0), Injection::Rule(Rule { place, mm_type: Some(MmType(mm_type)), skip: 0, times, act }))
}

const TO_CAR: Place = Place::Path { from: EVSE, to: PEV };
const TO_CHARGER: Place = Place::Path { from: PEV, to: EVSE };
const PLUG: (Instant, Injection) = (at(15_000), Injection::Plug(PEV));
const MATCHED: Expect = Expect::told("evse", "Slac(Matched");
const LINKED: Expect = Expect::told("pev", "linked");

/// `CM_SLAC_PARM.REQ` with another security type, and with another application type.
const WRONG_SECURITY: [u8; 60] = wrong(1);
const WRONG_APPLICATION: [u8; 60] = wrong(0x0100);

const fn wrong(types: u16) -> [u8; 60] {
    let mut frame = [0; 60];
    let head = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2, 0, 0, 0, 0, 0xE1, 0x88, 0xE1, 1, 0x64, 0x60];
    let mut index = 0;
    while index < head.len() {
        frame[index] = head[index];
        index += 1;
    }
    [frame[19], frame[20]] = types.to_be_bytes();
    frame
}

const fn scenario(
    id: &'static str,
    title: &'static str,
    injections: &'static [(Instant, Injection)],
    expect: &'static [Expect],
) -> Scenario<Setup> {
    Scenario { id, title, setup: USUAL, injections, until: at(60_000), expect }
}

const SCENARIOS: &[Scenario<Setup>] = &[
    scenario(
        "usual",
        "nothing goes wrong",
        &[PLUG],
        &[MATCHED, LINKED, Expect::sent("pev", "CM_SLAC_PARM.REQ", 1, 1)],
    ),
    scenario(
        "X030",
        "the key is never confirmed",
        &[PLUG, fault(Place::ToHost(EVSE), 0x6009, Rule::ALWAYS, Act::Lose)],
        &[
            Expect::sent("evse", "CM_SET_KEY.REQ", 3, 3).between(at(0), at(1900)),
            Expect::told("evse", "Fault(KeyNotConfirmed)").between(at(0), at(1900)),
            // Once again in case it was restarting; after that rarely.
            Expect::sent("evse", "CM_SET_KEY.REQ", 3, 3).between(at(1900), at(8000)),
            Expect::never_told("pev", "5 %"),
        ],
    ),
    Scenario {
        setup: Setup {
            modem: ModemConfig { lingers: ModemConfig::SLOW.0, restart: ModemConfig::SLOW.1, ..MODEM },
            ..USUAL
        },
        ..scenario(
            "X031",
            "the modem is away for long after each key",
            &[(at(1000), Injection::Plug(PEV))],
            &[Expect::never_told("pev", "5 %").between(at(0), at(4000)), MATCHED, LINKED],
        )
    },
    scenario(
        "X032",
        "the modem restarts after the match",
        &[PLUG, (at(40_000), Injection::RestartModem(EVSE, Duration::from_millis(3000)))],
        &[
            MATCHED.between(at(0), at(40_000)),
            Expect::told("evse", "LinkLost").between(at(40_000), at(48_000)),
        ],
    ),
    scenario(
        "X033",
        "no modem answers",
        &[PLUG, (at(0), Injection::FreezeModem(EVSE, true))],
        &[
            Expect::told("evse", "NotFound"),
            Expect::never_told("pev", "5 %"),
            Expect::sent("evse", "VS_SW_VER.REQ", 10, 100),
        ],
    ),
    Scenario {
        setup: Setup { car: Habits { sounds: (10, 3), ..GOOD }, ..USUAL },
        ..scenario(
            "X036",
            "three of ten sounds",
            &[PLUG],
            &[Expect::told("pev", "report of 3 sounds, "), MATCHED, LINKED],
        )
    },
    Scenario {
        setup: Setup { car: Habits { sounds: (10, 0), ..GOOD }, ..USUAL },
        ..scenario(
            "X037",
            "no sound at all",
            &[PLUG],
            &[
                Expect::sent("evse", "CM_SLAC_PARM.CNF", 2, 100),
                Expect::sent("evse", "CM_ATTEN_CHAR.IND", 0, 0),
                Expect::told("evse", "NoSound"),
            ],
        )
    },
    scenario(
        "X038",
        "the response to the report is lost twice",
        &[PLUG, fault(TO_CHARGER, 0x606F, 2, Act::Lose), fault(TO_CHARGER, 0x607C, 6, Act::Lose)],
        &[Expect::sent("evse", "CM_ATTEN_CHAR.IND", 3, 3).between(at(0), at(18_000)), MATCHED, LINKED],
    ),
    scenario(
        "X039",
        "the key is lost once on its way",
        &[PLUG, fault(TO_CAR, 0x607D, 1, Act::Lose)],
        &[
            Expect::sent("evse", "CM_SLAC_MATCH.CNF", 2, 3),
            Expect::sent("pev", "CM_SLAC_PARM.REQ", 1, 1),
            MATCHED,
            LINKED,
        ],
    ),
    Scenario {
        setup: Setup { car: Habits { restarts: Some(Duration::from_millis(350)), ..GOOD }, ..USUAL },
        ..scenario(
            "X040",
            "the car begins again in the middle",
            &[PLUG],
            &[Expect::sent("evse", "CM_SLAC_PARM.CNF", 2, 2), MATCHED, LINKED],
        )
    },
    Scenario {
        setup: Setup { other: Some(Habits { unplugged: true, ..GOOD }), ..USUAL },
        ..scenario(
            "X041",
            "a car at the next post matches all the time",
            &[(at(0), Injection::Attenuation(EVSE, OTHER, 60)), (at(13_800), Injection::Plug(PEV))],
            &[
                Expect::sent("evse", "CM_SLAC_PARM.CNF", 0, 0).between(at(0), at(14_000)),
                Expect::told("other", "report of 10 sounds, 59 dB"),
                Expect::never_told("other", "matched"),
                MATCHED,
                LINKED,
            ],
        )
    },
    scenario(
        "X042",
        "a bit of the car's key is flipped",
        &[PLUG, fault(Place::FromHost(PEV), 0x6008, Rule::ALWAYS, Act::Flip { offset: 41, mask: 1 })],
        &[Expect::never_told("pev", "linked"), Expect::told("evse", "NoLink")],
    ),
    scenario(
        "X043",
        "frames that are too short, of the wrong types, of another run",
        &[
            PLUG,
            (at(15_500), Injection::Say(PEV, &WRONG_SECURITY)),
            (at(15_500), Injection::Say(PEV, &WRONG_APPLICATION)),
            (at(15_600), Injection::Say(PEV, &[0xFF; 18])),
            fault(TO_CHARGER, 0x6064, 1, Act::Cut(25)),
            fault(TO_CHARGER, 0x606F, 1, Act::Flip { offset: 30, mask: 1 }),
        ],
        &[Expect::sent("evse", "CM_SLAC_PARM.CNF", 1, 1), MATCHED, LINKED],
    ),
    Scenario {
        setup: Setup { car: Habits { validates: true, ..GOOD }, ..USUAL },
        ..scenario(
            "X044",
            "the car wants to be recognised by its pilot",
            &[PLUG],
            &[Expect::told("pev", "validation: NotRequired"), MATCHED, LINKED],
        )
    },
    Scenario {
        setup: Setup { modem: ModemConfig { kind: ModemKind::Qca7420, ..MODEM }, ..USUAL },
        ..scenario(
            "X046 without groups",
            "the modem measures nothing",
            &[PLUG],
            &[Expect::told("evse", "Synthesised"), MATCHED, LINKED],
        )
    },
    scenario(
        "X046 with 255 dB",
        "the modem measures nonsense",
        &[
            PLUG,
            fault(Place::ToHost(EVSE), 0x6086, Rule::ALWAYS, Act::Set { offset: 27, bytes: &[0xFF; 58] }),
        ],
        &[Expect::sent("evse", "CM_ATTEN_CHAR.IND", 0, 0), Expect::told("evse", "NoMeasurement")],
    ),
];

#[test]
fn the_charger_gets_through_every_scenario_as_expected() {
    let mut bad = Vec::new();
    for scenario in SCENARIOS {
        let mut storage = EvseStorage::new();
        let (outcome, world) = scenario.play(|setup| build(setup, &mut storage), |_| None);
        if !outcome.is_good() {
            let lines: Vec<String> = world.trace().entries().iter().map(ToString::to_string).collect();
            bad.push(format!(
                "{outcome}\n{}",
                if std::env::var_os("TRACE").is_some() { lines.join("\n") } else { String::new() }
            ));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn every_scenario_gives_the_same_trace_twice() {
    let trace = |scenario: &Scenario<Setup>| {
        let mut storage = EvseStorage::new();
        let (_, world) = scenario.play(|setup| build(setup, &mut storage), |_| None);
        world.trace().to_string()
    };
    for scenario in SCENARIOS {
        assert_eq!(trace(scenario), trace(scenario), "{}", scenario.id);
    }
}

/// A random disturbance of a charger and its car.
fn mischief(chance: &mut Chance) -> Injection {
    let mut permille = |most| u16::try_from(chance.below(most)).unwrap();
    let weather = Weather {
        loss_permille: permille(300),
        duplicate_permille: permille(300),
        corrupt_permille: permille(100),
        reorder_permille: permille(300),
        delay: Span::millis(1, u64::from(permille(150)) + 1),
    };
    let port = if chance.happens(500) { EVSE } else { PEV };
    let is_on = chance.happens(500);
    match chance.below(9) {
        0 => Injection::Plug(port),
        1 => Injection::Unplug(port),
        2 => Injection::RestartModem(port, chance.within(Span::millis(100, 20_000))),
        3 => Injection::FreezeModem(port, is_on),
        4 => Injection::FreezeNode(port, is_on),
        5 => Injection::Partition(EVSE, PEV, is_on),
        6 => Injection::PathWeather(EVSE, PEV, weather),
        7 => Injection::CableWeather(port, weather),
        _ => Injection::Say(port, &WRONG_SECURITY),
    }
}

/// Whether car and charger match again after a minute of disturbance and a pull of the plug.
fn recovers(seed: u64) -> Result<(), String> {
    let mut storage = EvseStorage::new();
    let mut world = build(&Setup { seed, ..USUAL }, &mut storage);
    let mut chance = Chance::new(seed).child("mischief");
    for _ in 0..20 {
        world.inject(Instant::ZERO + chance.within(Span::millis(0, 60_000)), mischief(&mut chance));
    }
    let calm = [EVSE, PEV].map(|port| {
        [
            Injection::FreezeModem(port, false),
            Injection::FreezeNode(port, false),
            Injection::CableWeather(port, Weather::default()),
            Injection::Unplug(port),
        ]
    });
    let path =
        [Injection::Partition(EVSE, PEV, false), Injection::PathWeather(EVSE, PEV, Weather::default())];
    for injection in path.into_iter().chain(calm.into_iter().flatten()) {
        world.inject(at(60_000), injection);
    }
    world.inject(at(90_000), Injection::Plug(EVSE));
    let matched = |world: &World<Box<dyn Node + '_>>| {
        let mut late = world.trace().entries().iter().rev().take_while(|entry| entry.at > at(90_000));
        late.any(|entry| entry.who == "pev" && entry.what == "linked").then(|| "linked".to_owned())
    };
    match world.run(Limit::until(at(180_000)), matched) {
        Stop::Watched(_) => Ok(()),
        stop => Err(format!("seed {seed}: {stop}")),
    }
}

#[test]
fn after_any_bad_minute_a_pull_of_the_plug_leads_to_a_link_again() {
    let bad: Vec<String> = (0..40).filter_map(|seed| recovers(seed).err()).collect();
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
