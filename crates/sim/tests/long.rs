//! Repetition and duration: consecutive sessions without unplugging, and hours of charging (`X117`), by the
//! safety rules. No crate below the world has an allocator, and a role receives all its memory once: it
//! cannot grow. This looks for numbers that overflow, and for state that the last session left.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod common;

use common::{CAR, CAR_MODEM, CHARGER, CHARGER_MODEM};
use machine::{Duration, Instant};
use roles::{EvseConfig, EvseLink, EvseStorage, PevConfig, PevStorage};
use session::{Cause, Phase};
use sim::invariant::Witness;
use sim::{Car, Charger, Host, Injection, Limit, ModemConfig, ModemKind, Port, Stop, Wishes, World};

const EVSE: Port = Port(0);
const PEV: Port = Port(1);

/// Runs until `wanted` or the end of the time; a violated rule ends the run.
fn run(
    world: &mut World<Host<'_>>,
    witness: &mut Witness,
    time: Duration,
    wanted: impl Fn(&World<Host<'_>>) -> bool,
) -> bool {
    let until = world.now() + time;
    // In pieces, because a world bounds the steps of one run.
    while world.now() < until {
        let next = until.min(world.now() + Duration::from_secs(300));
        let stop = world.run(Limit::until(next), |world| {
            let broken = witness.watch(world);
            broken.or_else(|| wanted(world).then(String::new))
        });
        if stop == Stop::Watched(String::new()) {
            return true;
        }
        assert_eq!(stop, Stop::Time);
    }
    false
}

fn with_world(wishes: Wishes, test: impl FnOnce(World<Host<'_>>, Witness)) {
    let (mut evse, mut pev) = (EvseStorage::new(), PevStorage::new());
    let mut world = World::new(1);
    world.add_with("evse", ModemConfig::evse(ModemKind::Qca7005, CHARGER_MODEM), |cx| {
        let config = EvseConfig { link: EvseLink::matched(CHARGER), ..EvseConfig::new(CHARGER) };
        Host::Charger(Charger::new(cx, config, &mut evse).unwrap())
    });
    world.add_with("pev", ModemConfig::pev(ModemKind::Qca7005, CAR_MODEM), |cx| {
        Host::Car(Car::new(cx, PevConfig::new(CAR), wishes, &mut pev).unwrap())
    });
    world.add_cable(EVSE, PEV);
    let witness = Witness::new(EVSE);
    world.add_tap(witness.tap());
    world.inject(Instant::ZERO, Injection::Plug(PEV));
    test(world, witness);
}

fn phases(world: &World<Host<'_>>) -> [Phase; 2] {
    let evse = world.node(EVSE).and_then(Host::charger).unwrap().role().phase();
    [evse, world.node(PEV).and_then(Host::car).unwrap().role().phase()]
}

#[test]
fn twenty_sessions_follow_each_other_without_a_new_plug() {
    let wishes = Wishes { enough_percent: 50, ..Wishes::CAR_400V };
    with_world(wishes, |mut world, mut witness| {
        for session in 1..=20 {
            world.tell(PEV, |host, _| {
                let enough_percent = 50 + session;
                let Host::Car(car) = host else { panic!("no car") };
                car.wish(Wishes { enough_percent, ..Wishes::CAR_400V });
            });
            let charges = |world: &World<Host<'_>>| world.bench(EVSE).unwrap().truth().current_ma > 50_000;
            assert!(
                run(&mut world, &mut witness, Duration::from_secs(120), charges),
                "{session}\n{}",
                world.trace()
            );
            let is_over = |world: &World<Host<'_>>| phases(world) == [Phase::Ended; 2];
            assert!(run(&mut world, &mut witness, Duration::from_secs(120), is_over), "{session}");
            let evse = world.node(EVSE).and_then(Host::charger).unwrap().role().stop_reason();
            let pev = world.node(PEV).and_then(Host::car).unwrap().role().stop_reason();
            for reason in [evse, pev] {
                assert_eq!(reason.map(|reason| reason.cause), Some(Cause::Finished), "{session}");
            }
        }
        // The battery has reached its target, and the car does not begin again.
        let ended = world.trace().to_string().matches("Stopped(").count();
        run(&mut world, &mut witness, Duration::from_secs(600), |_| false);
        assert_eq!(world.trace().to_string().matches("Stopped(").count(), ended);
        // Until the plug was out.
        world.inject(world.now(), Injection::Unplug(PEV));
        world.inject(world.now() + Duration::from_secs(10), Injection::Plug(PEV));
        run(&mut world, &mut witness, Duration::from_secs(60), |_| false);
        assert_eq!(world.trace().to_string().matches("Stopped(").count(), ended + 2);
    });
}

#[test]
fn three_hours_of_charging_end_in_order_as_short_ones_do() {
    // 3 A, so that the battery lasts.
    let limits = session::Limits { max_current_ma: 3_000, ..Wishes::CAR_400V.limits };
    with_world(Wishes { limits, enough_percent: 62, ..Wishes::CAR_400V }, |mut world, mut witness| {
        let charges = |world: &World<Host<'_>>| world.bench(EVSE).unwrap().truth().current_ma > 2_500;
        assert!(run(&mut world, &mut witness, Duration::from_secs(120), charges));
        let stops = |world: &World<Host<'_>>| world.bench(EVSE).unwrap().truth().current_ma < 2_500;
        let begun = world.now();
        assert!(run(&mut world, &mut witness, Duration::from_secs(4 * 3_600), stops), "{}", world.trace());
        assert!(world.now().since(begun) > Duration::from_secs(3 * 3_600 - 600));
        let is_over = |world: &World<Host<'_>>| phases(world) == [Phase::Ended; 2];
        assert!(run(&mut world, &mut witness, Duration::from_secs(60), is_over));
        let evse = world.node(EVSE).and_then(Host::charger).unwrap().role().stop_reason();
        assert_eq!(evse.map(|reason| reason.cause), Some(Cause::Finished));
    });
}
