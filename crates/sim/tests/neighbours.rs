//! Two neighbouring posts with crosstalk between their power lines (`X116`): whole sessions, each by the
//! safety rules of its own cable, and an event at one has no effect on the other.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::large_stack_arrays,
    reason = "a test ends where it fails"
)]

use homeplug_mme::Mac;
use machine::{Duration, Instant};
use roles::{EvseConfig, EvseLink, EvseStorage, PevConfig, PevStorage};
use session::{Cause, StopReason};
use sim::invariant::Witness;
use sim::{Car, Charger, Host, Injection, Limit, ModemConfig, ModemKind, Port, Stop, Wishes, World};

const CHARGERS: [Port; 2] = [Port(0), Port(2)];
const CARS: [Port; 2] = [Port(1), Port(3)];
/// Attenuation between the posts in dB: low enough to be received.
const CROSSTALK_DB: u8 = 30;

fn with_posts(seed: u64, test: impl FnOnce(World<Host<'_>>, [Witness; 2])) {
    let mut evses = [EvseStorage::new(), EvseStorage::new()];
    let mut pevs = [PevStorage::new(), PevStorage::new()];
    let mut world = World::new(seed);
    for (number, (evse, pev)) in (0_u8..).zip(evses.iter_mut().zip(&mut pevs)) {
        let (charger, car) = (Mac([2, 0, 0, 0, number, 0x5E]), Mac([2, 0, 0, 0, number, 0xE1]));
        let modem = |end| Mac([0, 0xB0, 0x52, 0, number, end]);
        let evse_modem = ModemConfig::evse(ModemKind::Qca7005, modem(0x5E));
        let first = world.add_with(&format!("evse {number}"), evse_modem, |cx| {
            let config = EvseConfig { link: EvseLink::matched(charger), ..EvseConfig::new(charger) };
            Host::Charger(Charger::new(cx, config, evse).unwrap())
        });
        let pev_modem = ModemConfig::pev(ModemKind::Qca7005, modem(0xE1));
        let second = world.add_with(&format!("pev {number}"), pev_modem, |cx| {
            let wishes = Wishes { enough_percent: 51 + number, ..Wishes::CAR_400V };
            Host::Car(Car::new(cx, PevConfig::new(car), wishes, pev).unwrap())
        });
        world.add_cable(first, second);
    }
    for own in [0, 1] {
        for neighbour in [CHARGERS[1 - own], CARS[1 - own]] {
            world.inject(Instant::ZERO, Injection::Attenuation(CARS[own], neighbour, CROSSTALK_DB));
            world.inject(Instant::ZERO, Injection::Attenuation(CHARGERS[own], neighbour, CROSSTALK_DB));
        }
    }
    let witnesses = CHARGERS.map(Witness::new);
    for witness in &witnesses {
        world.add_tap(witness.tap());
    }
    test(world, witnesses);
}

/// Runs until `wanted` or the end of the time; a violated rule ends the run.
fn run(
    world: &mut World<Host<'_>>,
    witnesses: &mut [Witness; 2],
    seconds: u64,
    wanted: impl Fn(&World<Host<'_>>) -> bool,
) -> bool {
    let until = world.now() + Duration::from_secs(seconds);
    let stop = world.run(Limit::until(until), |world| {
        let broken = witnesses.iter_mut().find_map(|witness| witness.watch(world));
        broken.or_else(|| wanted(world).then(String::new))
    });
    assert!(stop == Stop::Time || stop == Stop::Watched(String::new()), "{stop}\n{}", world.trace());
    stop != Stop::Time
}

fn current_ma(world: &World<Host<'_>>, post: usize) -> i32 {
    world.bench(CHARGERS[post]).unwrap().truth().current_ma
}

fn ends(world: &World<Host<'_>>, post: usize) -> [Option<Cause>; 2] {
    let charger = world.node(CHARGERS[post]).and_then(Host::charger).unwrap().role().stop_reason();
    let car = world.node(CARS[post]).and_then(Host::car).unwrap().role().stop_reason();
    [charger, car].map(|reason: Option<StopReason>| reason.map(|reason| reason.cause))
}

#[test]
fn two_cars_that_are_plugged_in_together_charge_each_at_its_own_post_and_end_in_order() {
    for seed in 1..=5 {
        with_posts(seed, |mut world, mut witnesses| {
            for (late, car) in (0..).zip(CARS) {
                world.inject(Instant::from_millis(5_000 + late * 30 * (seed - 1)), Injection::Plug(car));
            }
            let both = |world: &World<Host<'_>>| (0..2).all(|post| current_ma(world, post) > 50_000);
            assert!(run(&mut world, &mut witnesses, 90, both), "{seed}\n{}", world.trace());
            let over =
                |world: &World<Host<'_>>| (0..2).all(|post| ends(world, post) == [Some(Cause::Finished); 2]);
            assert!(run(&mut world, &mut witnesses, 300, over), "{seed}");
        });
    }
}

#[test]
fn a_plug_that_is_pulled_at_one_post_does_not_disturb_the_other() {
    with_posts(1, |mut world, mut witnesses| {
        for car in CARS {
            world.inject(Instant::from_millis(5_000), Injection::Plug(car));
        }
        let both = |world: &World<Host<'_>>| (0..2).all(|post| current_ma(world, post) > 10_000);
        assert!(run(&mut world, &mut witnesses, 90, both), "{}", world.trace());
        world.inject(world.now(), Injection::Unplug(CARS[0]));
        run(&mut world, &mut witnesses, 5, |_| false);
        assert_eq!((current_ma(&world, 0), ends(&world, 0)[0]), (0, Some(Cause::Unplugged)));
        assert!(current_ma(&world, 1) > 10_000);
        assert_eq!(ends(&world, 1), [None; 2]);
        // The car returns while the other one charges.
        world.inject(world.now(), Injection::Plug(CARS[0]));
        let again = |world: &World<Host<'_>>| current_ma(world, 0) > 10_000;
        assert!(run(&mut world, &mut witnesses, 90, again), "{}", world.trace());
        assert_eq!(ends(&world, 1), [None; 2]);
    });
}
