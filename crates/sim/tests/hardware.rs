//! Faulty hardware in a world: both roles detect it, the rules hold, and after the repair they continue.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::large_stack_arrays,
    reason = "a test ends where it fails"
)]

mod common;

use common::{CAR, CAR_MODEM, CHARGER, CHARGER_MODEM};
use machine::Instant;
use roles::{EvseConfig, EvseLink, EvseStorage, PevConfig};
use sim::invariant::Witness;
use sim::plant::{Fault, PilotFault, Side};
use sim::trace::Kind;
use sim::{Car, Charger, Expect, Host, Injection, ModemConfig, ModemKind, Port, Scenario, Wishes, World};

const EVSE: Port = Port(0);
const PEV: Port = Port(1);

const fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// A charger, and a car that goes no further than the link.
fn build<'a>([evse, pev]: &'a mut [EvseStorage<'a>; 2]) -> World<Host<'a>> {
    let mut world = World::new(1);
    world.add_with("evse", ModemConfig::evse(ModemKind::Qca7005, CHARGER_MODEM), |cx| {
        let config = EvseConfig { link: EvseLink::matched(CHARGER), ..EvseConfig::new(CHARGER) };
        Host::Charger(Charger::new(cx, config, evse).unwrap())
    });
    world.add_with("pev", ModemConfig::pev(ModemKind::Qca7005, CAR_MODEM), |cx| {
        let config = PevConfig { discovers: false, ..PevConfig::new(CAR) };
        Host::Car(Car::new(cx, config, Wishes::CAR_400V, pev).unwrap())
    });
    world.add_cable(EVSE, PEV);
    world
}

const MATCHED: Expect = Expect::told("evse", "Slac(Matched");
const PLUG: (Instant, Injection) = (at(15_000), Injection::Plug(PEV));

/// A fault at 40 s, repaired at 50 s.
const fn broken(
    id: &'static str,
    injections: &'static [(Instant, Injection)],
    expect: &'static [Expect],
) -> Scenario<()> {
    Scenario {
        id,
        title: "broken for ten seconds after a match",
        setup: (),
        injections,
        until: at(120_000),
        expect,
    }
}

const fn hardware(millis: u64, fault: Fault) -> (Instant, Injection) {
    (at(millis), Injection::Hardware(EVSE, fault))
}

const SCENARIOS: &[Scenario<()>] = &[
    broken(
        "X108 short",
        &[
            PLUG,
            hardware(40_000, Fault::Pilot(PilotFault::Short)),
            hardware(50_000, Fault::Pilot(PilotFault::Sound)),
        ],
        &[MATCHED.between(at(0), at(40_000)), MATCHED.between(at(50_000), at(120_000))],
    ),
    broken(
        "X108 open",
        &[
            PLUG,
            hardware(40_000, Fault::Pilot(PilotFault::Open)),
            hardware(50_000, Fault::Pilot(PilotFault::Sound)),
        ],
        &[MATCHED.between(at(0), at(40_000)), MATCHED.between(at(50_000), at(120_000))],
    ),
    broken(
        "stop",
        &[
            PLUG,
            hardware(40_000, Fault::EmergencyStop(Side::Charger, true)),
            hardware(50_000, Fault::EmergencyStop(Side::Charger, false)),
            (at(55_000), Injection::Unplug(PEV)),
            (at(60_000), Injection::Plug(PEV)),
        ],
        &[MATCHED.between(at(0), at(40_000)), MATCHED.between(at(60_000), at(120_000))],
    ),
];

#[test]
fn what_is_broken_ends_the_link_and_what_is_mended_matches_again() {
    for scenario in SCENARIOS {
        let mut storage = [const { EvseStorage::new() }; 2];
        let mut witness = Witness::new(EVSE);
        let mut world = build(&mut storage);
        world.add_tap(witness.tap());
        let (outcome, world) = scenario.play(|()| world, |world| witness.watch(world));
        assert!(outcome.is_good(), "{outcome}\n{}", world.trace());
        let told = |what: &str| {
            world
                .trace()
                .entries()
                .iter()
                .filter(|entry| entry.kind == Kind::Hardware && entry.what.contains(what))
                .count()
        };
        assert_eq!(told("Fault("), 2, "{}", scenario.id);
    }
}

#[test]
fn a_charger_that_hangs_is_made_safe_by_its_hardware_only_when_it_drives_something() {
    let mut storage = [const { EvseStorage::new() }; 2];
    let mut world = build(&mut storage);
    world.inject(at(15_000), Injection::Plug(PEV));
    world.inject(at(40_000), Injection::FreezeNode(EVSE, true));
    world.run(sim::Limit::until(at(45_000)), |_| None);
    assert_eq!(world.bench(EVSE).unwrap().demand().pilot, control_pilot::Output::DIGITAL);
}
