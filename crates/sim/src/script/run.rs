//! Runs a script and judges it.

use std::fmt;

use machine::{Duration, Instant};
use roles::{EvseStorage, PevStorage};
use serde_json::json;
use session::{Latch, StopReason};

use super::act::Act;
use super::expect::{Expect, Tally};
use super::injector::FaultInjector;
use super::parse::{Script, When};
use super::rule::Rule;
use super::senses::SENSORS;
use super::setup::{CAR, CHARGER};
use super::step::Action;
use super::story::{Look, Scene, Story, Told};
use crate::invariant::Witness;
use crate::plant::{
    ContactorFault, Fault, LockFault, Occurrence, PilotFault, SensorFault, Side, StageFault, Truth,
};
use crate::power_line::Weather;
use crate::trace::Trace;
use crate::{EventQueue, Host, Injection, Limit, Stop, Wishes, World};

/// The result of a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The scenario's id.
    pub id: String,
    /// The case of it.
    pub case: String,
    /// All expectations with their results.
    pub checks: Vec<Check>,
    /// The first safety rule that was broken, as text.
    pub broken: Option<String>,
    /// Why the run could not continue; `None` if it could.
    pub stuck: Option<String>,
    /// Safety rules that were broken while the side could not detect it, because its only sensor for it lied.
    pub excused: Vec<&'static str>,
}

/// The result of one expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was expected, in the script's words.
    pub expected: String,
    /// What was observed.
    pub seen: String,
    /// Whether the expectation was met.
    pub passed: bool,
}

impl Verdict {
    /// Whether all expectations were met and no rule was broken.
    pub fn passed(&self) -> bool {
        self.broken.is_none() && self.stuck.is_none() && self.checks.iter().all(|check| check.passed)
    }

    /// The id of the safety rule that was broken.
    pub fn rule(&self) -> Option<&str> {
        self.broken.as_deref().and_then(|words| words.split(' ').next())
    }

    /// As JSON.
    pub fn to_json(&self) -> serde_json::Value {
        let checks = self.checks.iter();
        json!({
            "id": self.id,
            "case": self.case,
            "passed": self.passed(),
            "rule": self.rule(),
            "broken": self.broken,
            "stuck": self.stuck,
            "excused": self.excused,
            "checks": checks.map(|check| json!({
                "expected": check.expected,
                "seen": check.seen,
                "passed": check.passed,
            })).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.passed() { "passed" } else { "FAILED" };
        write!(f, "{word} {}", self.id)?;
        if !self.case.is_empty() {
            write!(f, " {}", self.case)?;
        }
        for check in self.checks.iter().filter(|check| !check.passed) {
            write!(f, "\n    expected {}; seen {}", check.expected, check.seen)?;
        }
        for words in [&self.broken, &self.stuck].into_iter().flatten() {
            write!(f, "\n    {words}")?;
        }
        Ok(())
    }
}

/// A script that has run.
#[derive(Debug)]
pub struct Played {
    /// Its result.
    pub verdict: Verdict,
    /// The trace of its world.
    pub trace: Trace,
    /// Stop reasons of the last session within the script's own time, of charger and car; `None` where it did
    /// not end.
    pub ends: [Option<StopReason>; 2],
    /// All stop reasons that charger and car reported, with their times.
    pub stops: [Vec<(Instant, StopReason)>; 2],
    /// When a sensor began to lie.
    pub lied: Option<Instant>,
}

/// Runs a script and judges it. The same script gives the same verdict.
pub fn run(script: &Script) -> Verdict {
    play(script, None).verdict
}

/// Most restarts of a program by one step.
const RESTARTS: usize = 3;
/// Longest time of a new session up to its first current.
const RECOVERY: Duration = Duration::from_secs(90);
/// Shortest time between pulling the plug and inserting it again: no one plugs in while the cable is live.
const PULLED: Duration = Duration::from_secs(10);
/// Longest time that a cable without a bleeder may stay live: 800 V discharged by 8 megohm and the hardware.
const BLEEDS: Duration = Duration::from_secs(240);
/// Longer than the largest age of a reading.
const READ: Duration = Duration::from_secs(1);

/// Runs a script, judges it, and keeps the events.
pub fn play(script: &Script, look: Option<Look<'_>>) -> Played {
    let mut verdict = Verdict {
        id: script.id.clone(),
        case: script.case.clone(),
        checks: Vec::new(),
        broken: None,
        stuck: None,
        excused: Vec::new(),
    };
    let story = Story::default();
    // Several kilobytes each.
    let begins =
        |side| 1 + script.steps.iter().filter(|step| step.action == Action::Restart(side)).count() * RESTARTS;
    let mut evse: Vec<_> = (0..begins(Side::Charger)).map(|_| EvseStorage::new()).collect();
    let mut pev: Vec<_> = (0..begins(Side::Car)).map(|_| PevStorage::new()).collect();
    let mut world = match script.setup.build(rules(script), &mut evse, &mut pev) {
        Ok(world) => world,
        Err(words) => {
            verdict.stuck = Some(words);
            let (trace, ends, stops) = (Trace::default(), [None; 2], [Vec::new(), Vec::new()]);
            return Played { verdict, trace, ends, stops, lied: None };
        }
    };
    if look.is_some() {
        for port in [CHARGER, CAR] {
            world.tell(port, |node, _| node.program.tell_to(&story));
        }
    }
    let mut player = Player::new(script, &mut world, look, story.clone());
    player.play(script, &mut world);
    player.tally.finish();
    let ends = scene(&world).map_or([None; 2], |scene| [scene.charger.1, scene.car.1]);
    if !player.is_over && script.expect.iter().any(|(_, expect)| *expect == Expect::Recovers) {
        player.recover(script, &mut world);
    }
    let until = script.setup.until;
    verdict.checks = script
        .expect
        .iter()
        .map(|(words, expect)| {
            let (passed, seen) = expect.judge(&world, &player.tally, until);
            Check { expected: words.clone(), seen, passed }
        })
        .collect();
    if !script.setup.loose {
        let unused = script.steps.iter().zip(&player.done).find(|(_, done)| !**done);
        if let Some((step, _)) = unused {
            player.stuck.get_or_insert(format!("a step was never done: {}", step.words));
        }
        let cannot = world.trace().entries().iter().find(|entry| entry.what.starts_with("script: "));
        if let Some(entry) = cannot {
            player.stuck.get_or_insert(entry.what.clone());
        }
    }
    verdict.excused = player.witness.excused().to_vec();
    (verdict.broken, verdict.stuck) = (player.broken, player.stuck);
    let stops = [CHARGER, CAR].map(|port| {
        let node = world.node(port);
        node.map(|node| node.program.stops().to_vec()).unwrap_or_default()
    });
    let lied = world.bench(CHARGER).and_then(|bench| {
        let is_lie = |what: &Occurrence| matches!(what, Occurrence::Fault(Fault::Sensor(..)));
        bench.occurrences().iter().find(|(_, what)| is_lie(what)).map(|(at, _)| *at)
    });
    Played { verdict, trace: std::mem::take(world.trace_mut()), ends, stops, lied }
}

/// The rules of either side.
fn rules(script: &Script) -> [Vec<Rule>; 2] {
    let mut rules = [Vec::new(), Vec::new()];
    for (index, step) in script.steps.iter().enumerate() {
        let When::On(side, name, is_heard, first, last) = &step.when else { continue };
        let act: Option<Act> = if let Action::Act(act) = &step.action { Some(act.clone()) } else { None };
        let [charger, car] = &mut rules;
        let list = if *side == Side::Charger { charger } else { car };
        list.push(Rule::new(index, name, *is_heard, (*first, *last), act));
    }
    rules
}

/// Whether a sensor may read 60 V. Of two voltage sensors that contradict each other the doubtful one is
/// corrected by their difference.
fn is_live(truth: Truth) -> bool {
    truth.cable_mv.max(truth.inlet_mv) >= session::DEAD_MV - session::APART_MV
}

fn scene<'w>(world: &'w World<FaultInjector<'_>>) -> Option<Scene<'w>> {
    let charger = world.node(CHARGER)?.program.host.charger()?.role();
    let car = world.node(CAR)?.program.host.car()?.role();
    Some(Scene {
        now: world.now(),
        bench: world.bench(CHARGER)?,
        charger: (charger.phase(), charger.stop_reason()),
        car: (car.phase(), car.stop_reason()),
    })
}

struct Player<'l> {
    agenda: EventQueue<usize>,
    tally: Tally,
    witness: Witness,
    done: Vec<bool>,
    broken: Option<String>,
    stuck: Option<String>,
    look: Option<Look<'l>>,
    story: Story,
    /// The observer has ended the play.
    is_over: bool,
}

/// Why the world stops: a step is due.
const FIRED: &str = "a step is due";
/// Why the world stops: the observer has ended the play.
const ENOUGH: &str = "enough was seen";
/// Why the world stops: current flows again.
const FLOWS: &str = "current flows";

impl<'l> Player<'l> {
    fn new(
        script: &Script,
        world: &mut World<FaultInjector<'_>>,
        look: Option<Look<'l>>,
        story: Story,
    ) -> Self {
        let mut witness = Witness::new(CHARGER);
        if script.steps.is_empty() && script.setup.is_sound() {
            witness.expect_sound();
        }
        if script.setup.tests_higher() {
            witness.expect_higher_test();
        }
        world.add_tap(witness.tap());
        let mut agenda = EventQueue::new();
        for (index, step) in script.steps.iter().enumerate() {
            if let When::At(at) = step.when {
                agenda.push(at, index);
            }
        }
        if let Some(at) = script.setup.plug {
            world.inject(at, Injection::Plug(CAR));
        }
        if look.is_some() {
            let frames = story.clone();
            world.add_tap(Box::new(move |at, port, is_sent, frame| {
                if port == CHARGER {
                    frames.tell(at, Told::Frame { is_sent, frame: frame.to_vec() });
                }
            }));
        }
        let done = vec![false; script.steps.len()];
        let (tally, broken, stuck) = (Tally::default(), None, None);
        Self { agenda, tally, witness, done, broken, stuck, look, story, is_over: false }
    }

    fn play(&mut self, script: &Script, world: &mut World<FaultInjector<'_>>) {
        loop {
            let until = self.agenda.next_at().unwrap_or(script.setup.until).min(script.setup.until);
            match self.run(world, until, false) {
                Stop::Time if until == script.setup.until => return,
                Stop::Time => (),
                Stop::Watched(words) if words == FIRED => (),
                Stop::Watched(words) if words == ENOUGH => {
                    self.is_over = true;
                    return;
                }
                other => {
                    self.stuck = Some(other.to_string());
                    return;
                }
            }
            let mut due = [CHARGER, CAR]
                .into_iter()
                .flat_map(|port| {
                    let mut fired = Vec::new();
                    world.tell(port, |node, _| fired = node.take_fired());
                    fired
                })
                .collect::<Vec<_>>();
            while let Some((_, index)) = self.agenda.pop_due(world.now()) {
                due.push(index);
            }
            for index in due {
                self.perform(script, index, world);
            }
        }
    }

    fn perform(&mut self, script: &Script, index: usize, world: &mut World<FaultInjector<'_>>) {
        let Some(step) = script.steps.get(index) else { return };
        let now = world.now();
        if !matches!(step.action, Action::Inject(Injection::Plug(_)) | Action::Nothing) {
            self.tally.fault.get_or_insert(now);
        }
        if self.look.is_some() {
            self.story.tell(now, Told::Step(step.words.clone()));
        }
        self.does(&step.action, world);
        let is_first = self.done.get_mut(index).is_some_and(|done| !std::mem::replace(done, true));
        if let Some(When::After(time)) = script.steps.get(index + 1).map(|next| &next.when)
            && is_first
        {
            self.agenda.push(now + *time, index + 1);
        }
    }

    fn does(&mut self, action: &Action, world: &mut World<FaultInjector<'_>>) {
        match action {
            Action::Charger(evse_fsm::Operator::Reset) => self.witness.reset(Side::Charger),
            Action::Charger(
                evse_fsm::Operator::Stop
                | evse_fsm::Operator::Authorise(false)
                | evse_fsm::Operator::Available(false),
            ) => self.witness.stops(world.now()),
            Action::Car(pev_fsm::Operator::Reset) => self.witness.reset(Side::Car),
            Action::Car(pev_fsm::Operator::Start)
                if world.node(CAR).and_then(|node| node.program.latched()) == Some(Latch::DriverStop) =>
            {
                self.witness.released(Side::Car);
            }
            _ => (),
        }
        action.perform(world);
    }

    /// Runs until a step is due, or until current flows if that is awaited.
    fn run(&mut self, world: &mut World<FaultInjector<'_>>, until: Instant, waits: bool) -> Stop {
        let Self { tally, witness, broken, look, story, .. } = self;
        let stop = world.run(Limit::until(until), |world| {
            if let Some(bench) = world.bench(CHARGER) {
                tally.watch(world.now(), bench.truth());
            }
            for (port, side) in [(CHARGER, Side::Charger), (CAR, Side::Car)] {
                if world.node(port).is_some_and(|node| node.program.latched().is_some()) {
                    witness.latched(world.now(), side);
                }
            }
            if broken.is_none() {
                *broken = witness.watch(world);
            }
            if let (Some(look), Some(scene)) = (&mut *look, scene(world))
                && look(&scene, story.take()).is_break()
            {
                return Some(ENOUGH.to_owned());
            }
            if waits {
                return tally.flows().then(|| FLOWS.to_owned());
            }
            let has_fired =
                [CHARGER, CAR].iter().any(|port| world.node(*port).is_some_and(FaultInjector::has_fired));
            has_fired.then(|| FIRED.to_owned())
        });
        if stop != Stop::Idle {
            return stop;
        }
        world.rest(until);
        Stop::Time
    }

    /// Repairs everything, resets both sides, pulls the plug and inserts it again.
    fn recover(&mut self, script: &Script, world: &mut World<FaultInjector<'_>>) {
        let now = world.now();
        if self.look.is_some() {
            self.story.tell(now, Told::Mended);
        }
        for port in [CHARGER, CAR] {
            for injection in [Injection::FreezeNode(port, false), Injection::FreezeModem(port, false)] {
                world.inject(now, injection);
            }
        }
        world.inject(now, Injection::Partition(CHARGER, CAR, false));
        world.inject(now, Injection::PathWeather(CHARGER, CAR, Weather::default()));
        let sides = [Side::Charger, Side::Car];
        let mut faults = vec![
            Fault::Pilot(PilotFault::Sound),
            Fault::ProximityOpen(false),
            Fault::Leak(10_000_000),
            Fault::SelfTestFails(false),
            Fault::BleederOpen(false),
            Fault::Stage(StageFault::Sound),
            Fault::BatteryGone(false),
        ];
        for side in sides {
            faults.extend([
                Fault::Contactors(side, ContactorFault::Sound),
                Fault::Lock(side, LockFault::Sound),
                Fault::Silence(side, false),
                Fault::EmergencyStop(side, false),
            ]);
            faults.extend(SENSORS.iter().map(|(_, sensor)| Fault::Sensor(side, *sensor, SensorFault::Sound)));
        }
        for fault in faults {
            world.inject(now, Injection::Hardware(CHARGER, fault));
        }
        world.inject(now, Injection::Unplug(CAR));
        // A frozen program receives nothing.
        self.run(world, now + Duration::from_millis(1), false);
        for port in [CHARGER, CAR] {
            world.tell(port, |node, _| node.calm());
        }
        let mut plug = now + PULLED;
        self.run(world, plug, false);
        while plug < now + BLEEDS && world.bench(CHARGER).is_some_and(|bench| is_live(bench.truth())) {
            plug += PULLED;
            self.run(world, plug, false);
        }
        if plug > now + PULLED {
            // It has just fallen below 60 V: no sensor has read that yet.
            plug += READ;
            self.run(world, plug, false);
        }
        for action in [
            Action::Charger(evse_fsm::Operator::Available(true)),
            Action::Charger(evse_fsm::Operator::Reset),
            Action::Charger(evse_fsm::Operator::Authorise(true)),
            Action::Car(pev_fsm::Operator::Reset),
            // A latched suspect sensor may be hidden by the first latch.
            Action::Car(pev_fsm::Operator::Reset),
        ] {
            self.does(&action, world);
        }
        world.tell(CAR, |node, _| {
            if let Host::Car(car) = &mut node.program.host {
                car.wish(Wishes { enough_percent: 100, ..script.setup.wishes });
            }
        });
        world.inject(plug, Injection::Plug(CAR));
        self.run(world, plug, false);
        if self.run(world, plug + RECOVERY, true) == Stop::Watched(FLOWS.to_owned()) {
            self.tally.recover();
        }
    }
}
