//! Whole sessions in the world: modems, matching, discovery, DIN, power, and the end.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use std::cell::RefCell;
use std::rc::Rc;

use homeplug_mme::Mac;
use machine::{Duration, Instant};
use roles::{EvseConfig, EvseLink, EvseStorage, PevConfig, PevStorage};
use session::{Cause, Phase};
use sim::plant::{BatteryProfile, BenchConfig, Load};
use sim::{Car, Charger, Host, Injection, Limit, ModemConfig, ModemKind, Port, Stop, Wishes, World};

const EVSE: Port = Port(0);
const PEV: Port = Port(1);

fn build<'a>(
    seed: u64,
    profile: BatteryProfile,
    soc_percent: i32,
    wishes: Wishes,
    evse: &'a mut EvseStorage<'a>,
    pev: &'a mut PevStorage<'a>,
) -> World<Host<'a>> {
    let mut world = World::new(seed);
    let modem = |end| Mac([0, 0xB0, 0x52, 0, 0, end]);
    world.add_with("evse", ModemConfig::evse(ModemKind::Qca7005, modem(0x5E)), |cx| {
        let mac = Mac([2, 0, 0, 0, 0, 0x5E]);
        let mut config = EvseConfig { link: EvseLink::matched(mac), ..EvseConfig::new(mac) };
        config.charger.limits.max_voltage_mv = 920_000;
        Host::Charger(Charger::new(cx, config, evse).unwrap())
    });
    world.add_with("pev", ModemConfig::pev(ModemKind::Qca7005, modem(0xE1)), |cx| {
        let config = PevConfig::new(Mac([2, 0, 0, 0, 0, 0xE1]));
        Host::Car(Car::new(cx, config, wishes, pev).unwrap())
    });
    let bench = BenchConfig { load: Load::battery(profile, soc_percent), ..BenchConfig::default() };
    world.add_cable_with(EVSE, PEV, bench);
    world
}

fn phases(world: &World<Host<'_>>) -> (Phase, Phase) {
    let evse = world.node(EVSE).and_then(Host::charger).unwrap().role().phase();
    (evse, world.node(PEV).and_then(Host::car).unwrap().role().phase())
}

fn causes(world: &World<Host<'_>>) -> (Option<Cause>, Option<Cause>) {
    let evse = world.node(EVSE).and_then(Host::charger).unwrap().role().stop_reason();
    let pev = world.node(PEV).and_then(Host::car).unwrap().role().stop_reason();
    (evse.map(|reason| reason.cause), pev.map(|reason| reason.cause))
}

#[test]
fn cars_of_400_and_800_volts_charge_until_they_have_enough_and_end_in_order() {
    for (profile, wishes) in
        [(BatteryProfile::CAR_400V, Wishes::CAR_400V), (BatteryProfile::CAR_800V, Wishes::CAR_800V)]
    {
        let (mut evse, mut pev) = (EvseStorage::new(), PevStorage::new());
        let wishes = Wishes { enough_percent: 52, ..wishes };
        let mut world = build(1, profile, 50, wishes, &mut evse, &mut pev);
        world.inject(Instant::from_millis(5000), Injection::Plug(PEV));
        let stop = world.run(Limit::until(Instant::from_millis(900_000)), |world| {
            (phases(world) == (Phase::Ended, Phase::Ended)).then(String::new)
        });
        assert_eq!(stop, Stop::Watched(String::new()), "{:?}\n{}", phases(&world), world.trace());
        assert_eq!(causes(&world), (Some(Cause::Finished), Some(Cause::Finished)), "{}", world.trace());
    }
}

#[test]
fn the_same_seed_gives_the_same_session_and_another_seed_another_one() {
    let trace = |seed| {
        let (mut evse, mut pev) = (EvseStorage::new(), PevStorage::new());
        let mut world = build(seed, BatteryProfile::CAR_400V, 50, Wishes::CAR_400V, &mut evse, &mut pev);
        world.inject(Instant::from_millis(5000), Injection::Plug(PEV));
        world.run_for(Duration::from_secs(60));
        world.trace().to_string()
    };
    assert_eq!(trace(1), trace(1));
    assert_ne!(trace(1), trace(2));
}

#[test]
fn a_world_that_keeps_no_trace_plays_the_same_session() {
    let frames = |keeps_trace: bool| {
        let (mut evse, mut pev) = (EvseStorage::new(), PevStorage::new());
        let mut world = build(1, BatteryProfile::CAR_400V, 50, Wishes::CAR_400V, &mut evse, &mut pev);
        let (tap, lines) = (Rc::new(RefCell::new(Vec::new())), world.trace().entries().len());
        let heard = Rc::clone(&tap);
        world.add_tap(Box::new(move |at, port, is_sent, frame| {
            heard.borrow_mut().push((at, port, is_sent, frame.to_vec()));
        }));
        if !keeps_trace {
            world.keep_no_trace();
        }
        world.inject(Instant::from_millis(5000), Injection::Plug(PEV));
        world.run_for(Duration::from_secs(60));
        assert_eq!(world.trace().entries().len() > lines, keeps_trace);
        assert_eq!(phases(&world).1, Phase::ChargeLoop);
        tap.take()
    };
    assert!(frames(true) == frames(false), "other frames without a trace");
}
