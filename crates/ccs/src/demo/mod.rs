//! `ccs demo`, and `ccs` without a subcommand: a whole session in virtual time, both sides and both modems.

mod journal;
mod summary;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::rc::Rc;

use anyhow::Context;
use hal_linux::{Clock, Direction, Recorder};
use machine::{Cx, Duration, Instant};
use roles::{EvseConfig, EvseLink, EvseStorage, Mac, PevConfig, PevStorage};
use session::Phase;
use sim::plant::{BatteryProfile, BenchConfig, Load};
use sim::{Car, Chance, Charger, Host, Injection, Limit, ModemConfig, ModemKind, Port, Stop, Wishes, World};

use crate::cli::{DemoArgs, Exit};

use journal::{Journal, Story, Witnessed};
use summary::Summary;

const EVSE: Port = Port(0);
const PEV: Port = Port(1);
const CHARGER: Mac = Mac([2, 0, 0, 0, 0, 0x5E]);
const CAR: Mac = Mac([2, 0, 0, 0, 0, 0xE1]);
/// When the plug goes in: the charger's modem has its key by then.
const PLUG: Instant = Instant::from_millis(8_000);
/// The longest charge that is shown.
const LONGEST: Instant = Instant::from_millis(4 * 3_600_000);

/// Shows the session. The exit is good when it ended in order.
pub fn run(args: &DemoArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut recorder = match &args.record {
        Some(path) => {
            let file = File::create(path).with_context(|| format!("recording into {}", path.display()))?;
            Some(Recorder::new(BufWriter::new(file), "demo")?)
        }
        None => None,
    };
    let (mut evse, mut pev) = (EvseStorage::new(), PevStorage::new());
    let story = Story::default();
    let mut world = build(args, &story, &mut evse, &mut pev)?;
    let clock = Clock::start();
    let mut journal = Journal::new(args.all);
    let mut summary = Summary::new();
    journal.begin(args.seed, out)?;
    let mut failed = None;
    let stop = world.run(Limit { until: LONGEST, steps: u64::MAX }, |world| {
        let told = story.take();
        summary.watch(world);
        let result =
            journal.write(&told, &mut summary, out).and_then(|()| record(&mut recorder, clock, &told));
        if args.realtime {
            pace(clock, world.now());
        }
        let is_over = world.now() > PLUG && phases(world) == (Phase::Ended, Phase::Ended);
        failed = result.err();
        (failed.is_some() || is_over).then(String::new)
    });
    if let Some(error) = failed {
        return Err(error);
    }
    journal.flush(out)?;
    if let Some(recorder) = &mut recorder {
        recorder.flush()?;
    }
    let charger =
        world.node(EVSE).and_then(|node| node.host.charger()).and_then(|node| node.role().stop_reason());
    let car = world.node(PEV).and_then(|node| node.host.car()).and_then(|node| node.role().stop_reason());
    summary.write(charger, car, out)?;
    if !matches!(stop, Stop::Watched(_)) {
        writeln!(out, "the session did not come to its end: {stop}")?;
    }
    out.flush()?;
    let reason = charger.filter(|reason| !reason.is_normal()).or(car);
    Ok(reason.map_or(Exit::Failed, |reason| Exit::Session(reason.exit_code())))
}

fn build<'a>(
    args: &DemoArgs,
    story: &Story,
    evse: &'a mut EvseStorage<'a>,
    pev: &'a mut PevStorage<'a>,
) -> anyhow::Result<World<Witnessed<'a>>> {
    let mut world = World::new(args.seed);
    let modem = |end| Mac([2, 0xB0, 0x52, 0, 0, end]);
    let mut chance = Chance::new(args.seed).child("hosts");
    let mut cx = Cx { now: Instant::ZERO, entropy: &mut chance };
    let config = EvseConfig { link: EvseLink::matched(CHARGER), ..EvseConfig::new(CHARGER) };
    let charger = Host::Charger(Charger::new(&mut cx, config, evse)?);
    let wishes = Wishes { enough_percent: args.enough, ..Wishes::CAR_400V };
    let car = Host::Car(Car::new(&mut cx, PevConfig::new(CAR), wishes, pev)?);
    world.add("evse", Witnessed::new(charger, story), ModemConfig::evse(ModemKind::Qca7005, modem(0xE0)));
    world.add("pev", Witnessed::new(car, story), ModemConfig::pev(ModemKind::Qca7005, modem(0xC0)));
    let load = Load::battery(BatteryProfile::CAR_400V, args.soc.into());
    let heartbeat = Some(BenchConfig::HEARTBEAT);
    world.add_cable_with(EVSE, PEV, BenchConfig { load, heartbeat, ..BenchConfig::default() });
    world.inject(PLUG, Injection::Plug(PEV));
    let frames = Rc::clone(&story.0);
    world.add_tap(Box::new(move |at, port, is_sent, frame| {
        if port == EVSE {
            frames.borrow_mut().push((at, journal::Told::Frame { is_sent, frame: frame.to_vec() }));
        }
    }));
    Ok(world)
}

fn phases(world: &World<Witnessed<'_>>) -> (Phase, Phase) {
    let charger = world.node(EVSE).and_then(|node| node.host.charger()).map(|node| node.role().phase());
    let car = world.node(PEV).and_then(|node| node.host.car()).map(|node| node.role().phase());
    (charger.unwrap_or(Phase::Ended), car.unwrap_or(Phase::Ended))
}

fn record(
    recorder: &mut Option<Recorder<BufWriter<File>>>,
    clock: Clock,
    told: &[(Instant, journal::Told)],
) -> anyhow::Result<()> {
    let Some(recorder) = recorder else { return Ok(()) };
    for (at, told) in told {
        if let journal::Told::Frame { is_sent, frame } = told {
            let direction = if *is_sent { Direction::Sent } else { Direction::Received };
            recorder.frame(clock.unix(*at), direction, frame)?;
        }
    }
    Ok(())
}

/// Waits until the clock on the wall is where the virtual one is.
#[expect(
    clippy::disallowed_methods,
    reason = "the only place that shows virtual time at the pace of the real one"
)]
fn pace(clock: Clock, virtual_now: Instant) {
    let ahead: Duration = virtual_now.since(clock.now());
    std::thread::sleep(std::time::Duration::from_micros(ahead.as_micros()));
}
