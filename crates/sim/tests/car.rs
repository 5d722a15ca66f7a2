//! The car's role up to its link against chargers, through the faults of the power
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
use homeplug_mme::{Mac, MmType};
use machine::{Cx, Duration, Instant};
use roles::{EvseConfig, EvseLink, EvseStorage, PevConfig as RoleConfig, PevLink};
use sim::power_line::{Act, Place, Rule};
use sim::{Car, Charger, Expect, Injection, ModemConfig, ModemKind, Node, Port, Scenario, Wishes, World};
use slac::PevConfig;

const EVSE: Port = Port(0);
const PEV: Port = Port(1);
const OTHER: Port = Port(2);
const OTHER_CHARGER: Mac = Mac([2, 0, 0, 0, 0, 0x5F]);

/// The setup of the world.
#[derive(Clone, Copy)]
struct Setup {
    seed: u64,
    car: PevConfig,
    /// A second charger at the next post, with its own car so that it answers; the attenuation to it in dB.
    second_db: Option<u8>,
}

const USUAL: Setup = Setup { seed: 1, car: PevConfig::new(CAR), second_db: None };

fn build<'a>(setup: &Setup, storage: &'a mut [EvseStorage<'a>; 4]) -> World<Box<dyn Node + 'a>> {
    let mut world: World<Box<dyn Node + 'a>> = World::new(setup.seed);
    let [first, second, third, fourth] = storage;
    let charger = |cx: &mut Cx<'_>, mac, storage| -> Box<dyn Node + 'a> {
        let config = EvseConfig { link: EvseLink::matched(mac), ..EvseConfig::new(mac) };
        Box::new(Charger::new(cx, config, storage).unwrap())
    };
    let evse = |last| ModemConfig::evse(ModemKind::Qca7005, Mac([0, 0xB0, 0x52, 0, 1, last]));
    world.add_with("evse", evse(CHARGER_MODEM.0[5]), |cx| charger(cx, CHARGER, first));
    let pev = ModemConfig::pev(ModemKind::Qca7005, CAR_MODEM);
    let car = RoleConfig { link: PevLink::Matched { slac: setup.car, modem: None }, ..RoleConfig::new(CAR) };
    world.add_with("pev", pev, |cx| -> Box<dyn Node + 'a> {
        Box::new(Car::new(cx, car, Wishes::CAR_400V, third).unwrap())
    });
    world.add_cable(EVSE, PEV);
    if let Some(db) = setup.second_db {
        world.add_with("second", evse(0x5F), |cx| charger(cx, OTHER_CHARGER, second));
        // A car that only pulls its pilot to B.
        let idle = ModemConfig::pev(ModemKind::Qca7005, Mac([0, 0xB0, 0x52, 0, 1, 0xEF]));
        let mac = Mac([2, 0, 0, 0, 0, 0xEF]);
        let idle = world.add_with("idle", idle, |cx| -> Box<dyn Node + 'a> {
            Box::new(Car::new(cx, RoleConfig::new(mac), Wishes::CAR_400V, fourth).unwrap())
        });
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
const CAR_MATCHED: Expect = Expect::told("pev", "Slac(Matched");
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
        // The charger's timer ends first, and it withdraws the 5 % pilot.
        &[Expect::told("pev", "Slac(Left"), Expect::told("evse", "NoLink"), CAR_MATCHED, MATCHED],
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
            let mut storage = Box::new([const { EvseStorage::new() }; 4]);
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
