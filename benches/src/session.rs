//! A whole charging session of both roles in the simulated world, from the empty charging post to the end,
//! and the cost of the roles in it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use homeplug_mme::Mac;
use machine::{Cx, Deadline};
use roles::{EvseConfig, EvseLink, EvseStorage, PevConfig, PevStorage};
use session::{Cause, Phase};
use sim::invariant::Witness;
use sim::plant::{BatteryProfile, BenchConfig, Load};
use sim::{
    Car, Charger, Drive, Host, Injection, Input, Limit, ModemConfig, ModemKind, Node, Port, Stop, Wishes,
    World,
};

const EVSE: Port = Port(0);
const PEV: Port = Port(1);
/// When the plug is inserted: the charger's modem has its key by then.
const PLUG: machine::Instant = machine::Instant::from_millis(8_000);
/// Upper bound of a session, longer than any of them takes.
const LONGEST: machine::Instant = machine::Instant::from_millis(3_600_000);
/// State of charge in percent at the start. From there to [`ENOUGH_PERCENT`] takes ten minutes.
const SOC_PERCENT: i32 = 50;
const ENOUGH_PERCENT: u8 = 77;
/// A longer frame contains a message: Ethernet, IPv6 and TCP headers take 74 bytes; in the charging loop
/// management frames are padded to 60 and are not longer.
const MESSAGE: usize = 74;

/// The observer of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// No observer, and no trace.
    Nobody,
    /// No observer, with a trace as in tests.
    Trace,
    /// All safety rules, after every step.
    Rules,
    /// A clock around each call of a role.
    Clock,
}

/// The measurements of a session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Played {
    /// Virtual time from plugging in to the end, in ms.
    pub took_ms: u64,
    /// Virtual time in the charging loop, in ms.
    pub charging_ms: u64,
    /// Lines of the trace.
    pub lines: usize,
    /// Time in the charger's and in the car's calls; with [`Watch::Clock`].
    pub clocks: [Clock; 2],
}

/// Time in the calls of a role.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    /// Time of all calls: frames, sensors, timers.
    pub busy: Duration,
    /// Number of calls.
    pub calls: u64,
    /// Time of all calls from a message's frame in to the next message's frame out.
    pub answering: Duration,
    /// Number of messages measured in this way.
    pub answers: u64,
    /// Time of the calls since the newest message came in.
    pending: Option<Duration>,
}

impl Clock {
    const fn new() -> Self {
        Self { busy: Duration::ZERO, calls: 0, answering: Duration::ZERO, answers: 0, pending: None }
    }

    /// Mean time of one answer.
    pub fn answer(&self) -> Duration {
        self.answering / u32::try_from(self.answers.max(1)).unwrap_or(u32::MAX)
    }

    fn call(&mut self, took: Duration) {
        self.busy += took;
        self.calls += 1;
        self.pending = self.pending.map(|pending| pending + took);
    }

    fn sent(&mut self, length: usize) {
        if length > MESSAGE
            && let Some(pending) = self.pending.take()
        {
            self.answering += pending;
            self.answers += 1;
        }
    }
}

/// A role, with a clock around its calls if required.
struct Clocked<'a> {
    host: Host<'a>,
    clock: Option<Rc<RefCell<Clock>>>,
}

impl<'a> Clocked<'a> {
    fn timed<R>(&mut self, call: impl FnOnce(&mut Host<'a>) -> R) -> R {
        let Some(clock) = &self.clock else { return call(&mut self.host) };
        let start = now();
        let result = call(&mut self.host);
        clock.borrow_mut().call(start.elapsed());
        result
    }
}

#[allow(clippy::disallowed_methods, reason = "a measurement")]
fn now() -> Instant {
    Instant::now()
}

impl Node for Clocked<'_> {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.timed(|host| host.start(cx));
    }
    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        if let (Some(clock), Input::Frame(frame)) = (&self.clock, &input)
            && frame.len() > MESSAGE
        {
            clock.borrow_mut().pending = Some(Duration::ZERO);
        }
        self.timed(|host| host.handle(cx, input));
    }
    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.timed(|host| host.handle_timeout(cx));
    }
    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let length = self.timed(|host| host.poll_transmit(buffer));
        if let (Some(clock), Some(length)) = (&self.clock, length) {
            clock.borrow_mut().sent(length);
        }
        length
    }
    fn poll_event(&mut self) -> Option<String> {
        self.host.poll_event()
    }
    fn drop_event(&mut self) -> bool {
        self.host.drop_event()
    }
    fn poll_timeout(&self) -> Option<Deadline> {
        self.host.poll_timeout()
    }
    fn drive(&self) -> Drive {
        self.host.drive()
    }
    fn reads_at(&self) -> Option<machine::Instant> {
        self.host.reads_at()
    }
}

/// Runs a session: the modems receive their keys, the plug is inserted, both sides match by SLAC, discover,
/// charge for ten minutes, and stop.
///
/// # Panics
/// If it does not end normally: nothing was measured then.
pub fn play(seed: u64, watch: Watch) -> Played {
    let clocks = [Clock::new(), Clock::new()].map(|clock| Rc::new(RefCell::new(clock)));
    let (mut evse, mut pev) = (EvseStorage::new(), PevStorage::new());
    let mut world = build(seed, (watch == Watch::Clock).then_some(&clocks), &mut evse, &mut pev);
    if watch != Watch::Trace {
        world.keep_no_trace();
    }
    let mut witness = Witness::new(EVSE);
    if watch == Watch::Rules {
        world.add_tap(witness.tap());
    }
    let mut charging = None;
    let mut charging_ms = 0;
    let stop = world.run(Limit { until: LONGEST, steps: u64::MAX }, |world| {
        let phases = phases(world);
        match (phases.1, charging) {
            (Phase::ChargeLoop, None) => charging = Some(world.now()),
            (Phase::PowerOff, Some(since)) if charging_ms == 0 => charging_ms = millis(since, world.now()),
            _ => {}
        }
        let broken = if watch == Watch::Rules { witness.watch(world) } else { None };
        broken.or_else(|| (world.now() > PLUG && phases == (Phase::Ended, Phase::Ended)).then(String::new))
    });
    assert_eq!(stop, Stop::Watched(String::new()), "the session's end");
    let car = world.node(PEV).and_then(|node| node.host.car()).and_then(|car| car.role().stop_reason());
    assert_eq!(car.map(|reason| reason.cause), Some(Cause::Finished), "the car's reason");
    let clocks = clocks.map(|clock| *clock.borrow());
    Played { took_ms: millis(PLUG, world.now()), charging_ms, lines: world.trace().entries().len(), clocks }
}

/// Runs sessions until charger and car have sent at least this many messages in their charging loops; returns
/// the clocks for [`Clock::answer`].
pub fn answers(least: u64) -> [Clock; 2] {
    let mut sums = [Clock::new(), Clock::new()];
    while sums.iter().any(|sum| sum.answers < least) {
        let clocks = [Clock::new(), Clock::new()].map(|clock| Rc::new(RefCell::new(clock)));
        let (mut evse, mut pev) = (EvseStorage::new(), PevStorage::new());
        let mut world = build(1, Some(&clocks), &mut evse, &mut pev);
        world.keep_no_trace();
        let limit = Limit { until: LONGEST, steps: u64::MAX };
        world.run(limit, |world| (phases(world).1 == Phase::ChargeLoop).then(String::new));
        for clock in &clocks {
            *clock.borrow_mut() = Clock::new();
        }
        world.run(limit, |world| {
            let is_enough =
                clocks.iter().zip(&sums).all(|(clock, sum)| sum.answers + clock.borrow().answers >= least);
            (is_enough || phases(world).1 != Phase::ChargeLoop).then(String::new)
        });
        for (sum, clock) in sums.iter_mut().zip(&clocks) {
            let clock = clock.borrow();
            sum.busy += clock.busy;
            sum.calls += clock.calls;
            sum.answering += clock.answering;
            sum.answers += clock.answers;
        }
    }
    sums
}

fn build<'a>(
    seed: u64,
    clocks: Option<&[Rc<RefCell<Clock>>; 2]>,
    evse: &'a mut EvseStorage<'a>,
    pev: &'a mut PevStorage<'a>,
) -> World<Clocked<'a>> {
    let mut world = World::new(seed);
    let modem = |end| Mac([2, 0xB0, 0x52, 0, 0, end]);
    let [at_charger, at_car] =
        clocks.map_or([None, None], |[evse, pev]| [Some(Rc::clone(evse)), Some(Rc::clone(pev))]);
    world.add_with("evse", ModemConfig::evse(ModemKind::Qca7005, modem(0xE0)), |cx| {
        let mac = Mac([2, 0, 0, 0, 0, 0x5E]);
        let config = EvseConfig { link: EvseLink::matched(mac), ..EvseConfig::new(mac) };
        let charger = Charger::new(cx, config, evse).expect("a good configuration");
        Clocked { host: Host::Charger(charger), clock: at_charger }
    });
    world.add_with("pev", ModemConfig::pev(ModemKind::Qca7005, modem(0xC0)), |cx| {
        let config = PevConfig::new(Mac([2, 0, 0, 0, 0, 0xE1]));
        let wishes = Wishes { enough_percent: ENOUGH_PERCENT, ..Wishes::CAR_400V };
        let car = Car::new(cx, config, wishes, pev).expect("a good configuration");
        Clocked { host: Host::Car(car), clock: at_car }
    });
    let load = Load::battery(BatteryProfile::CAR_400V, SOC_PERCENT);
    let heartbeat = Some(BenchConfig::HEARTBEAT);
    world.add_cable_with(EVSE, PEV, BenchConfig { load, heartbeat, ..BenchConfig::default() });
    world.inject(PLUG, Injection::Plug(PEV));
    world
}

fn phases(world: &World<Clocked<'_>>) -> (Phase, Phase) {
    let charger = world.node(EVSE).and_then(|node| node.host.charger()).map(|node| node.role().phase());
    let car = world.node(PEV).and_then(|node| node.host.car()).map(|node| node.role().phase());
    (charger.unwrap_or(Phase::Ended), car.unwrap_or(Phase::Ended))
}

fn millis(since: machine::Instant, now: machine::Instant) -> u64 {
    now.since(since).as_micros() / 1_000
}
