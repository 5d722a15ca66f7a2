//! The car's matching (`slac::Pev`) with the care of its modem, against chargers, through the faults of the power
//! line: scenarios as data.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::large_stack_arrays,
    reason = "a test ends where it fails"
)]

mod common;

use common::{CAR, CAR_MODEM, CHARGER, CHARGER_MODEM};
use control_pilot::{Level, Output};
use homeplug_mme::{Mac, MmType, NetworkKey};
use machine::{Cx, Deadline, Duration, Instant, Machine};
use modem::{Modem, ModemConfig as CareConfig};
use roles::{EvseConfig, EvseLink, EvseStorage};
use sim::power_line::{Act, Place, Rule};
use sim::{Charger, Drive, Expect, Injection, Input, ModemConfig, ModemKind, Node, Port, Scenario, World};
use slac::{Pev, PevConfig, PevInput};

const EVSE: Port = Port(0);
const PEV: Port = Port(1);
const OTHER: Port = Port(2);
const OTHER_CHARGER: Mac = Mac([2, 0, 0, 0, 0, 0x5F]);

/// A car as far as its link.
struct Car {
    slac: Pev,
    modem: Modem,
    wanted: Option<NetworkKey>,
    /// Whether the modem is ready and sees a link, as matching was told last.
    told: (bool, bool),
    events: Vec<String>,
}

impl Car {
    fn new(config: PevConfig) -> Self {
        Self {
            slac: Pev::new(config),
            modem: Modem::new(CareConfig::new(CAR)),
            wanted: None,
            told: (false, false),
            events: Vec::new(),
        }
    }

    /// Tells matching and modem what has become of the other, until both agree.
    fn follow(&mut self, cx: &mut Cx<'_>) {
        for _ in 0..4 {
            let wanted = self.slac.key();
            if std::mem::replace(&mut self.wanted, wanted) != wanted {
                self.told = (false, false);
                if let Some(key) = wanted {
                    self.modem.set_key(cx, key);
                }
            }
            let is_ready = match wanted {
                Some(key) => self.modem.is_ready() && self.modem.key() == Some(key),
                None => self.modem.is_present(),
            };
            self.modem.watch_link(cx, self.slac.peer().is_some());
            let now = (is_ready, self.modem.link() == Some(true));
            let told = std::mem::replace(&mut self.told, now);
            if told.0 != now.0 {
                self.slac.handle(cx, PevInput::ModemReady(now.0));
            }
            if told.1 != now.1 {
                self.slac.handle(cx, PevInput::Link(now.1));
            }
        }
        while let Some(event) = self.modem.poll_event() {
            self.events.push(format!("Modem({event:?})"));
        }
        while let Some(event) = self.slac.poll_event() {
            self.events.push(format!("{event:?}"));
        }
    }
}

impl Node for Car {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.modem.start(cx);
        self.follow(cx);
    }
    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        match input {
            Input::Frame(frame) => {
                self.modem.handle(cx, frame);
                self.slac.handle(cx, PevInput::Frame(frame));
            }
            Input::Pilot(pilot) if !pilot.is_plugged => self.slac.handle(cx, PevInput::Stop),
            Input::Pilot(pilot) if pilot.output == Some(Output::DIGITAL) => {
                self.slac.handle(cx, PevInput::Start);
            }
            Input::Pilot(_) => (),
        }
        self.follow(cx);
    }
    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.modem.handle_timeout(cx);
        self.slac.handle_timeout(cx);
        self.follow(cx);
    }
    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let sent = self.modem.poll_transmit(buffer).or_else(|| self.slac.poll_transmit(buffer));
        sent.map(|(length, ())| length)
    }
    fn poll_event(&mut self) -> Option<String> {
        (!self.events.is_empty()).then(|| self.events.remove(0))
    }
    fn poll_timeout(&self) -> Option<Deadline> {
        Deadline::earlier(self.modem.poll_timeout(), self.slac.poll_timeout())
    }
    fn drive(&self) -> Drive {
        Drive::Car(Level::B)
    }
}

/// What is there.
#[derive(Clone, Copy)]
struct Setup {
    seed: u64,
    car: PevConfig,
    /// A second charger at the next post, with a car plugged in, so that it answers, and what lies between it
    /// and the car in dB.
    second_db: Option<u8>,
}

const USUAL: Setup = Setup { seed: 1, car: PevConfig::new(CAR), second_db: None };

fn build<'a>(setup: &Setup, storage: &'a mut [EvseStorage<'a>; 2]) -> World<Box<dyn Node + 'a>> {
    let mut world: World<Box<dyn Node + 'a>> = World::new(setup.seed);
    let [first, second] = storage;
    let charger = |cx: &mut Cx<'_>, mac, storage| -> Box<dyn Node + 'a> {
        let config = EvseConfig { link: EvseLink::matched(mac), ..EvseConfig::new(mac) };
        Box::new(Charger::new(cx, config, storage).unwrap())
    };
    let evse = |last| ModemConfig::evse(ModemKind::Qca7005, Mac([0, 0xB0, 0x52, 0, 1, last]));
    world.add_with("evse", evse(CHARGER_MODEM.0[5]), |cx| charger(cx, CHARGER, first));
    let pev = ModemConfig::pev(ModemKind::Qca7005, CAR_MODEM);
    world.add("pev", Box::new(Car::new(setup.car)), pev);
    world.add_cable(EVSE, PEV);
    if let Some(db) = setup.second_db {
        world.add_with("second", evse(0x5F), |cx| charger(cx, OTHER_CHARGER, second));
        // A car that does nothing but pull its pilot to B.
        let idle = ModemConfig::pev(ModemKind::Qca7005, Mac([0, 0xB0, 0x52, 0, 1, 0xEF]));
        let idle = world.add("idle", Box::new(Car::new(PevConfig::new(Mac([2, 0, 0, 0, 0, 0xEF])))), idle);
        world.inject(Instant::ZERO, Injection::FreezeNode(idle, true));
        world.add_cable(OTHER, idle);
        world.inject(at(10_000), Injection::Plug(idle));
        world.inject(at(10_000), Injection::Attenuation(OTHER, PEV, db));
    }
    world
}

const fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

const fn fault(place: Place, mm_type: u16, times: u32, act: Act) -> (Instant, Injection) {
    (at(0), Injection::Rule(Rule { place, mm_type: Some(MmType(mm_type)), skip: 0, times, act }))
}

const fn scenario(
    id: &'static str,
    title: &'static str,
    injections: &'static [(Instant, Injection)],
    expect: &'static [Expect],
) -> Scenario<Setup> {
    Scenario { id, title, setup: USUAL, injections, until: at(90_000), expect }
}

const TO_CAR: Place = Place::Path { from: EVSE, to: PEV };
const PLUG: (Instant, Injection) = (at(15_000), Injection::Plug(PEV));
const CAR_MATCHED: Expect = Expect::told("pev", "Matched {");
const MATCHED: Expect = Expect::told("evse", "Slac(Matched");

const SCENARIOS: &[Scenario<Setup>] = &[
    scenario(
        "usual",
        "car and charger match",
        &[PLUG],
        &[
            CAR_MATCHED,
            MATCHED,
            Expect::sent("pev", "CM_SLAC_PARM.REQ", 1, 1),
            Expect::sent("pev", "CM_MNBC_SOUND.IND", 10, 10),
        ],
    ),
    Scenario {
        setup: Setup { second_db: Some(30), ..USUAL },
        ..scenario(
            "two chargers",
            "the weaker one answers, too",
            &[PLUG],
            &[
                CAR_MATCHED,
                MATCHED,
                Expect::told("second", "Slac(Asked"),
                Expect::never_told("second", "Slac(Chosen"),
            ],
        )
    },
    Scenario {
        setup: Setup { second_db: Some(9), ..USUAL },
        ..scenario(
            "X034",
            "two chargers with equal attenuation: one is chosen, the same each time",
            &[PLUG],
            &[CAR_MATCHED, Expect::told("second", "Slac(Asked")],
        )
    },
    Scenario {
        setup: Setup { car: PevConfig { limit_cdb: Some(2000), ..PevConfig::new(CAR) }, ..USUAL },
        ..scenario(
            "X035",
            "the attenuation is beyond the car's limit",
            &[PLUG, (at(15_001), Injection::Attenuation(EVSE, PEV, 45))],
            &[Expect::told("pev", "Failed(TooWeak)"), Expect::sent("pev", "CM_SLAC_MATCH.REQ", 0, 0)],
        )
    },
    scenario(
        "X039",
        "the key is lost once on its way",
        &[PLUG, fault(TO_CAR, 0x607D, 1, Act::Lose)],
        &[
            Expect::sent("pev", "CM_SLAC_MATCH.REQ", 2, 2),
            Expect::sent("pev", "CM_SLAC_PARM.REQ", 1, 1),
            CAR_MATCHED,
            MATCHED,
        ],
    ),
    scenario(
        "X042",
        "a bit of the key is flipped on its way to the car",
        &[PLUG, fault(TO_CAR, 0x607D, 1, Act::Flip { offset: 93, mask: 1 })],
        &[Expect::told("pev", "NoLink"), Expect::told("evse", "NoLink"), CAR_MATCHED, MATCHED],
    ),
    scenario(
        "X043",
        "an answer with another run, and a report that is cut off",
        &[
            PLUG,
            fault(TO_CAR, 0x6065, 1, Act::Flip { offset: 36, mask: 1 }),
            fault(TO_CAR, 0x606E, 1, Act::Cut(100)),
        ],
        &[Expect::sent("pev", "CM_SLAC_PARM.REQ", 2, 3), CAR_MATCHED, MATCHED],
    ),
    scenario(
        "X032",
        "the car's modem restarts after the match",
        &[PLUG, (at(45_000), Injection::RestartModem(PEV, Duration::from_millis(3000)))],
        &[
            CAR_MATCHED.between(at(0), at(45_000)),
            Expect::told("pev", "LinkLost").between(at(45_000), at(55_000)),
        ],
    ),
];

#[test]
fn the_car_gets_through_every_scenario_as_expected_and_the_same_way_twice() {
    let mut bad = Vec::new();
    for scenario in SCENARIOS {
        let play = || {
            let mut storage = Box::new([EvseStorage::new(), EvseStorage::new()]);
            let (outcome, world) = scenario.play(|setup| build(setup, &mut storage), |_| None);
            (outcome, world.trace().to_string())
        };
        let (outcome, trace) = play();
        if !outcome.is_good() {
            bad.push(outcome.to_string());
        }
        assert!(play().1 == trace, "{}: another trace the second time", scenario.id);
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
