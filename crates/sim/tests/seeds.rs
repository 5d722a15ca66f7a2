//! Cars and chargers with disturbance, by seed: none gets stuck, and a plug that is pulled and inserted again
//! leads to a match from every state. `CCS_SEEDS` sets the number of seeds.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::large_stack_arrays,
    reason = "a test ends where it fails"
)]

use std::collections::BTreeSet;
use std::thread;

use homeplug_mme::Mac;
use machine::{Duration, Instant};
use roles::{EvseConfig, EvseLink, EvseStorage, PevConfig};
use sim::power_line::Weather;
use sim::{
    Car, Chance, Charger, Host, Injection, Limit, ModemConfig, ModemKind, Port, Span, Stop, Wishes, World,
};

/// Most pairs of a charger and its car that receive each other.
const PAIRS: u8 = 3;
/// Duration of the disturbance.
const BAD: Duration = Duration::from_secs(60);
/// Longest time of a pair to match without disturbance: a modem's restart at each end, a pilot step and
/// several attempts; judgement.
const PATIENCE: Duration = Duration::from_secs(90);

fn charger(pair: u8) -> Port {
    Port(pair * 2)
}

fn car(pair: u8) -> Port {
    Port(pair * 2 + 1)
}

/// A single seed with its trace: `CCS_SEED`.
fn only() -> Option<u64> {
    std::env::var("CCS_SEED").ok().and_then(|text| text.parse().ok())
}

fn storage<'a>() -> Vec<EvseStorage<'a>> {
    (0..PAIRS * 2).map(|_| EvseStorage::new()).collect()
}

fn seeds() -> u64 {
    std::env::var("CCS_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000)
}

fn build<'a>(seed: u64, pairs: u8, storage: &'a mut [EvseStorage<'a>]) -> World<Host<'a>> {
    let mut chance = Chance::new(seed).child("what is there");
    let mut world = World::new(seed);
    let mut storage = storage.iter_mut();
    for pair in 0..pairs {
        let (evse_storage, pev_storage) = (storage.next().unwrap(), storage.next().unwrap());
        let kinds = [ModemKind::Qca7005, ModemKind::Qca7000, ModemKind::Lumissil, ModemKind::Qca7420];
        let mut kind = |most| kinds[usize::try_from(chance.below(most)).unwrap()];
        // Chargers whose modems do not measure cannot be distinguished: such a charger is alone.
        let charger_kind = kind(if pairs == 1 { 4 } else { 3 });
        let modem = |end| Mac([0, 0xB0, 0x52, 0, pair, end]);
        let evse = ModemConfig::evse(charger_kind, modem(0x5E));
        let pev = ModemConfig {
            sleeps: pair == 0 && seed.is_multiple_of(3),
            ..ModemConfig::pev(kind(4), modem(0xE1))
        };
        world.add_with("evse", evse, |cx| {
            let mac = Mac([2, 0, 0, 0, pair, 0x5E]);
            let config = EvseConfig { link: EvseLink::matched(mac), ..EvseConfig::new(mac) };
            Host::Charger(Charger::new(cx, config, evse_storage).unwrap())
        });
        let mac = Mac([2, 0, 0, 0, pair, 0xE1]);
        world.add_with("pev", pev, |cx| {
            Host::Car(Car::new(cx, PevConfig::new(mac), Wishes::CAR_400V, pev_storage).unwrap())
        });
        world.add_cable(charger(pair), car(pair));
    }
    world
}

/// Whether both ends of a pair report a match with each other.
fn is_matched(world: &World<Host<'_>>, pair: u8) -> bool {
    let evse = world.node(charger(pair)).and_then(Host::charger).unwrap().role();
    let pev = world.node(car(pair)).and_then(Host::car).unwrap().role();
    evse.matching() == Some(slac::EvseState::Matched) && pev.charger() == Some(Mac([2, 0, 0, 0, pair, 0x5E]))
}

fn all_matched(world: &World<Host<'_>>, pairs: u8) -> bool {
    (0..pairs).all(|pair| is_matched(world, pair))
}

/// A random disturbance of one end of a pair.
fn mischief(chance: &mut Chance, pairs: u8) -> Injection {
    let mut permille = |most: u64| u16::try_from(chance.below(most + 1)).unwrap();
    let weather =
        Weather { loss_permille: permille(300), duplicate_permille: permille(100), ..Weather::default() };
    let pair = u8::try_from(chance.below(pairs.into())).unwrap();
    let port = if chance.happens(500) { charger(pair) } else { car(pair) };
    match chance.below(6) {
        0 => Injection::Plug(port),
        1 => Injection::Unplug(port),
        2 => Injection::RestartModem(port, chance.within(Span::millis(100, 10_000))),
        3 => Injection::CableWeather(port, weather),
        _ => Injection::PathWeather(charger(pair), car(pair), weather),
    }
}

/// What happened in a seed.
#[derive(Default)]
struct Seen {
    evse: BTreeSet<String>,
    pev: BTreeSet<String>,
}

/// One seed: disturbance, then a quiet time in which all match, then a pull of the plug, and all match again.
fn story(seed: u64, seen: &mut Seen) -> Result<(), String> {
    let mut storage = storage();
    let mut chance = Chance::new(seed).child("mischief");
    let pairs = u8::try_from(1 + chance.below(4) / 2).unwrap().min(PAIRS);
    let mut world = build(seed, pairs, &mut storage);
    for pair in 0..pairs {
        world.inject(Instant::ZERO + chance.within(Span::millis(0, 10_000)), Injection::Plug(car(pair)));
    }
    for _ in 0..10 {
        let at = Instant::ZERO + chance.within(Span::millis(0, BAD.as_millis()));
        let injection = mischief(&mut chance, pairs);
        world.inject(at, injection);
    }
    let mut run =
        |world: &mut World<Host<'_>>, time: Duration, is_enough: &dyn Fn(&World<Host<'_>>) -> bool| {
            let stop = world.run(Limit::until(world.now() + time), |world| {
                for pair in 0..pairs {
                    let evse = world.node(charger(pair)).and_then(Host::charger).unwrap().role();
                    let pev = world.node(car(pair)).and_then(Host::car).unwrap().role();
                    seen.evse.insert(format!("{:?}", evse.matching().unwrap()));
                    seen.pev.insert(format!("{:?}", pev.matching().unwrap()));
                }
                is_enough(world).then(String::new)
            });
            match stop {
                Stop::Watched(_) | Stop::Time => Ok(()),
                stop => Err(format!("seed {seed}: {stop}")),
            }
        };
    run(&mut world, BAD, &|_| false)?;
    for pair in 0..pairs {
        world.perform(Injection::PathWeather(charger(pair), car(pair), Weather::default()));
        for port in [charger(pair), car(pair)] {
            world.perform(Injection::CableWeather(port, Weather::default()));
        }
        world.perform(Injection::Plug(car(pair)));
    }
    // Matched, or failed and recovered, without an operator.
    run(&mut world, PATIENCE, &|world| all_matched(world, pairs))?;
    if !all_matched(&world, pairs) {
        if only().is_some() {
            println!("{}", world.trace());
        }
        return Err(format!(
            "seed {seed}: not matched {} s after the weather cleared",
            PATIENCE.as_millis() / 1000
        ));
    }
    for pair in 0..pairs {
        world.perform(Injection::Unplug(car(pair)));
    }
    run(&mut world, Duration::from_secs(3), &|_| false)?;
    for pair in 0..pairs {
        world.perform(Injection::Plug(car(pair)));
    }
    run(&mut world, PATIENCE, &|world| all_matched(world, pairs))?;
    if all_matched(&world, pairs) {
        Ok(())
    } else {
        Err(format!("seed {seed}: no match after the plug was pulled"))
    }
}

#[test]
fn cars_and_chargers_in_bad_weather_match_in_the_end_and_again_after_a_pull_of_the_plug() {
    let threads = 2;
    let workers: Vec<_> = (0..threads)
        .map(|worker| {
            thread::spawn(move || {
                let mut seen = Seen::default();
                let mine = (0..seeds()).filter(|seed| {
                    only().map_or(seed % threads == worker, |only| *seed == only && worker == 0)
                });
                let bad: Vec<_> = mine.filter_map(|seed| story(seed, &mut seen).err()).take(10).collect();
                (bad, seen)
            })
        })
        .collect();
    let mut seen = Seen::default();
    for worker in workers {
        let (bad, more) = worker.join().unwrap();
        assert!(bad.is_empty(), "{}", bad.join("\n"));
        seen.evse.extend(more.evse);
        seen.pev.extend(more.pev);
    }
    if seeds() >= 1000 && only().is_none() {
        let evse = ["Idle", "Joining", "Matched", "Matching", "Stepping"];
        assert_eq!(seen.evse, evse.map(str::to_owned).into());
        let pev =
            ["Asking", "Choosing", "Collecting", "Joining", "Matched", "Sounding", "Unmatched", "Waiting"];
        assert_eq!(seen.pev, pev.map(str::to_owned).into());
    }
}

/// Pulls the plug every 150 ms of an undisturbed matching, from before the plug to after the match, and at each
/// change of either side's state, so that each state of both sides occurs.
#[test]
fn from_every_state_a_pull_of_the_plug_leads_to_a_match() {
    let states = |world: &World<Host<'_>>| {
        let evse = world.node(charger(0)).and_then(Host::charger).unwrap().role().matching().unwrap();
        let pev = world.node(car(0)).and_then(Host::car).unwrap().role().matching().unwrap();
        format!("{evse:?}/{pev:?}")
    };
    let mut seen = BTreeSet::new();
    let times = (0..180).map(|step| (Instant::from_millis(3000 + step * 150), usize::MAX));
    let changes = (1..).map(|change| (Instant::from_millis(30_000), change));
    for (latest, change) in times.chain(changes) {
        let mut storage = storage();
        let mut world = build(1, 1, &mut storage);
        world.inject(Instant::from_millis(4000), Injection::Plug(car(0)));
        let (mut before, mut changed) = (states(&world), 0);
        let stop = world.run(Limit::until(latest), |world| {
            let now = states(world);
            changed += usize::from(now != before);
            before = now;
            (changed == change).then(String::new)
        });
        if change != usize::MAX && stop != Stop::Watched(String::new()) {
            // Every change was met.
            break;
        }
        let (pulled, both) = (world.now(), states(&world));
        world.perform(Injection::Unplug(car(0)));
        world.run_for(Duration::from_millis(500));
        world.perform(Injection::Plug(car(0)));
        let limit = Limit::until(world.now() + PATIENCE);
        let stop = world.run(limit, |world| all_matched(world, 1).then(String::new));
        assert_eq!(stop, Stop::Watched(String::new()), "pulled at {pulled} in {both}");
        seen.insert(both);
    }
    for state in ["Idle", "Matching", "Joining", "Matched"] {
        assert!(seen.iter().any(|both| both.starts_with(&format!("{state}/"))), "{state}: {seen:?}");
    }
    for state in ["Unmatched", "Asking", "Sounding", "Choosing", "Joining", "Matched"] {
        assert!(seen.iter().any(|both| both.ends_with(&format!("/{state}"))), "{state}: {seen:?}");
    }
}
