//! Reaction of a charger's event loop to its plant, in real time, with a car that charges at the other end of
//! a cable.

mod plant;
mod wire;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use evse_fsm::{Event, PowerStage};
use hal_linux::{Clock, Counters, Happening, Notify, OsEntropy, Runner, Signals, Simulated};
use machine::Cx;
use roles::{
    Evse, EvseConfig, EvseLink, EvseStorage, Happening as Said, Pev, PevConfig, PevLink, PevStorage,
};

use plant::{Cable, CarEnd, ChargerEnd};
use wire::{CAR, CHARGER, End, Ends, flood};

pub use plant::Edge;
pub use wire::Medium;

/// The measurements of one session.
#[derive(Clone, Copy, Debug)]
pub struct Reaction {
    /// From the edge to 0 A applied, in us.
    pub zero_us: u64,
    /// From the edge to the report that the session ends, in us.
    pub end_us: u64,
    /// Counters of the charger's and the car's loop.
    pub counters: [Counters; 2],
    /// Frames of the flood.
    pub flooded: u64,
}

/// The state of a loop for other threads.
#[derive(Default)]
struct Progress {
    over: AtomicBool,
    floods: AtomicBool,
    flooded: AtomicU64,
}

/// Demanded current in mA above which a car counts as charging.
const CHARGING_MA: i32 = 10_000;
/// Longest time until a session charges, and duration of the flood before the edge.
const PATIENCE: Duration = Duration::from_secs(20);
const BEFORE: Duration = Duration::from_millis(200);

/// Runs a session up to the charging loop, triggers the edge, and returns the reaction; `None` if no session
/// was established.
pub fn react(medium: Medium, edge: Edge, is_flooded: bool, offset: Duration) -> Option<Reaction> {
    let clock = Clock::start();
    let cable = Cable::new(clock);
    let progress = Progress::default();
    let (Ends { charger, car }, strangers) = medium.open().ok()?;
    let signals = Signals::hold().ok()?;
    std::thread::scope(|scope| {
        let (shared, signals, cable) = (&progress, &signals, &cable);
        let charger =
            scope.spawn(move || run_charger(charger, ChargerEnd(cable.clone()), clock, signals, shared));
        let car = scope.spawn(move || run_car(car, CarEnd(cable.clone()), clock, signals, shared));
        scope.spawn(move || flood(&strangers, &shared.floods, &shared.over, &shared.flooded));
        let charges = wait_for(PATIENCE, || cable.demanded_ma() > CHARGING_MA);
        if charges {
            progress.floods.store(is_flooded, Ordering::Relaxed);
            wait(BEFORE + offset);
            cable.edge(edge);
            let is_done = || cable.timed().is_some_and(|timed| timed.zero.is_some() && timed.end.is_some());
            wait_for(Duration::from_secs(2), is_done);
        }
        progress.over.store(true, Ordering::Relaxed);
        let counters = [charger.join().ok()?, car.join().ok()?];
        let timed = cable.timed()?;
        Some(Reaction {
            zero_us: timed.micros(timed.zero)?,
            end_us: timed.micros(timed.end)?,
            counters,
            flooded: progress.flooded.load(Ordering::Relaxed),
        })
    })
}

fn run_charger(
    mut port: End,
    plant: ChargerEnd,
    clock: Clock,
    signals: &Signals,
    progress: &Progress,
) -> Counters {
    let mut config = EvseConfig { link: EvseLink::Up, ..EvseConfig::new(CHARGER) };
    config.charger.power_stage = PowerStage::Real;
    config.charger.isolation_test = machine::Duration::from_millis(100);
    let mut storage = EvseStorage::new();
    let mut cx = Cx { now: clock.now(), entropy: &mut OsEntropy };
    let mut role: Evse = Evse::new(&mut cx, config, &mut storage).expect("a good configuration");
    let (cable, mut counters) = (plant.0.clone(), Counters::default());
    let runner = Runner {
        role: &mut role,
        port: &mut port,
        plant: &mut Simulated(plant),
        clock,
        entropy: &mut OsEntropy,
        signals,
        notify: Notify::default(),
        counters: &mut counters,
    };
    let ran = runner.run(&mut |_, happening| {
        if let Happening::Event(roles::EvseEvent {
            what: Said::Session(Event::Stopping(_) | Event::Stopped(_)),
            ..
        }) = happening
        {
            cable.ended(clock.now());
        }
        on_until(&progress.over)
    });
    ran.expect("a loop that runs");
    counters
}

fn run_car(mut port: End, plant: CarEnd, clock: Clock, signals: &Signals, progress: &Progress) -> Counters {
    let config = PevConfig { link: PevLink::Up, ..PevConfig::new(CAR) };
    let mut storage = PevStorage::new();
    let mut cx = Cx { now: clock.now(), entropy: &mut OsEntropy };
    let mut role: Pev = Pev::new(&mut cx, config, &mut storage).expect("a good configuration");
    let mut counters = Counters::default();
    let runner = Runner {
        role: &mut role,
        port: &mut port,
        plant: &mut Simulated(plant),
        clock,
        entropy: &mut OsEntropy,
        signals,
        notify: Notify::default(),
        counters: &mut counters,
    };
    runner.run(&mut |_, _| on_until(&progress.over)).expect("a loop that runs");
    counters
}

fn on_until(over: &AtomicBool) -> ControlFlow<()> {
    if over.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

fn wait_for(at_most: Duration, is_so: impl Fn() -> bool) -> bool {
    let clock = Clock::start();
    let end = u64::try_from(at_most.as_micros()).unwrap_or(u64::MAX);
    while clock.now().as_micros() < end {
        if is_so() {
            return true;
        }
        wait(Duration::from_millis(1));
    }
    is_so()
}

#[expect(clippy::disallowed_methods, reason = "a measurement in real time")]
fn wait(time: Duration) {
    std::thread::sleep(time);
}
