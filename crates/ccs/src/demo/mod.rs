//! `ccs` without a subcommand: a charger's session with a scripted car inside the process.
//!
//! Time is virtual: the session of some twenty seconds is over at once. The charger is the real one, from the
//! Ethernet frame to the demand on its plant; the car is a script with a network of its own, the plant is
//! simulated. SLAC is left out: there is no power line.

mod car;
mod station;

use std::collections::VecDeque;
use std::io::Write;

use hal_linux::{PlantBackend, SimulatedPlant, Simulation};
use machine::{Cx, Duration, Instant, Machine, ScriptedEntropy};
use roles::{Evse, EvseConfig, EvseStorage, Input, Mac};
use smoltcp::iface::SocketStorage;

use crate::cli::Exit;
use crate::command::evse::serve::Tells;
use crate::decode::Schema;
use crate::log::Log;
use crate::style::Palette;
use crate::tap::Tap;
use crate::words::Word;

use car::Car;
use station::{Memory, Station};

/// How long the car takes from an answer to its next request, and from the 5 % pilot to discovery:
/// judgement.
const CAR_THINKS: Duration = Duration::from_millis(100);
const CAR_WAKES: Duration = Duration::from_secs(2);
/// How long a frame travels.
const WIRE: Duration = Duration::from_millis(1);
/// How often the plant is read and the car's network looked after.
const TICK: Duration = Duration::from_millis(50);
/// The script is over long before.
const LONGEST: Instant = Instant::from_millis(180_000);

const CHARGER: Mac = Mac([2, 0, 0, 0, 0, 1]);
const CAR: Mac = Mac([2, 0, 0, 0, 0, 2]);

/// Shows the session. The exit is good when the car ended it in order.
pub fn run(out: &mut dyn Write) -> anyhow::Result<Exit> {
    // The same session each time: what is shown can be compared.
    let mut entropy = ScriptedEntropy::new(&[0xC0, 0xFF, 0xEE, 0x01, 0x02, 0x03, 0x04, 0x05]);
    let mut storage: EvseStorage = EvseStorage::new();
    let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
    let charger = Evse::new(&mut cx, EvseConfig::new(CHARGER), &mut storage)?;
    let (mut memory, mut slots) = (Memory::new(), [SocketStorage::EMPTY; 2]);
    let mut world = World {
        now: Instant::ZERO,
        charger,
        entropy: &mut entropy,
        plant: SimulatedPlant::new(Simulation::default()),
        car: Car::new(),
        station: Station::new(CAR, Instant::ZERO, &mut memory, &mut slots),
        frames: VecDeque::new(),
        log: Log::new(Palette::stdout()),
        tap: Tap::default(),
        next_tick: Instant::ZERO,
        car_acts: None,
        stage: Stage::Asleep,
        buffer: vec![0; roles::MAX_FRAME],
    };
    let what = "a charger and a scripted car in memory; virtual time";
    world.log.say(world.now, None, what, out)?;
    while world.now < LONGEST && !world.is_over() {
        world.step(out)?;
    }
    let reason = world.log.stop_reason();
    match reason {
        Some(reason) => writeln!(out, "{reason}")?,
        None => writeln!(out, "the session did not come to its end")?,
    }
    out.flush()?;
    Ok(if reason.is_some_and(session::StopReason::is_normal) { Exit::Good } else { Exit::Failed })
}

/// How far the car's network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Asleep,
    Asking,
    Connecting,
    Talking,
    Gone,
}

struct World<'a, 'e> {
    now: Instant,
    charger: Evse<'a>,
    entropy: &'e mut ScriptedEntropy<'static>,
    plant: SimulatedPlant,
    car: Car,
    station: Station<'a>,
    /// On the wire: when they arrive, whether at the charger, and what.
    frames: VecDeque<(Instant, bool, Vec<u8>)>,
    log: Log,
    tap: Tap,
    next_tick: Instant,
    /// When the car does its next thing.
    car_acts: Option<Instant>,
    stage: Stage,
    buffer: Vec<u8>,
}

impl World<'_, '_> {
    /// Whether the car has gone and the charger has said so.
    fn is_over(&self) -> bool {
        self.car.is_over() && self.log.stop_reason().is_some()
    }

    /// Goes to the next moment at which something happens, and lets it happen.
    fn step(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        let deadline = self.charger.poll_timeout().map(|deadline| deadline.at);
        let arrival = self.frames.front().map(|(at, ..)| *at);
        let next =
            [deadline, arrival, self.car_acts].into_iter().flatten().fold(self.next_tick, Instant::min);
        self.now = self.now.max(next);
        if deadline.is_some_and(|at| at <= self.now) {
            let mut cx = Cx { now: self.now, entropy: self.entropy };
            self.charger.handle_timeout(&mut cx);
            self.drain(out)?;
        }
        while let Some((at, to_charger, frame)) = self.frames.pop_front() {
            if at > self.now {
                self.frames.push_front((at, to_charger, frame));
                break;
            }
            if to_charger {
                self.tap.frame(&frame, &mut self.log);
                self.input(Input::Frame(&frame), out)?;
            } else {
                self.station.hear(frame);
                self.car_listens();
            }
        }
        if self.car_acts.is_some_and(|at| at <= self.now) {
            self.car_acts = None;
            self.car_speaks(out)?;
        }
        if self.next_tick <= self.now {
            self.next_tick = self.now + TICK;
            self.measure(out)?;
            self.car_listens();
        }
        Ok(())
    }

    fn measure(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        self.plant.car_pilot().hold(self.car.pilot());
        let reading = self.plant.read(self.now);
        self.input(Input::Plant(reading), out)?;
        let is_offered = self.charger.demand().pilot == control_pilot::Output::DIGITAL;
        if self.stage == Stage::Asleep && is_offered && self.car_acts.is_none() {
            self.car_acts = Some(self.now + CAR_WAKES);
        }
        Ok(())
    }

    /// What the car's script sends now.
    fn car_speaks(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        match (self.stage, self.car.request()) {
            (Stage::Asleep, _) => {
                self.stage = Stage::Asking;
                self.station.ask();
            }
            (Stage::Talking, Some((schema, json))) => {
                // The pilot moves before the message that needs it.
                self.measure(out)?;
                let document = match schema.from_json(&json, false) {
                    Some(document) => document?,
                    None => anyhow::bail!("there is no codec for {}", schema.name()),
                };
                self.station.send(&document);
            }
            (Stage::Talking, None) => {
                self.stage = Stage::Gone;
                self.station.close();
            }
            _ => {}
        }
        self.car_listens();
        Ok(())
    }

    /// What has come to the car.
    fn car_listens(&mut self) {
        let frames = self.station.run(self.now);
        self.frames.extend(frames.into_iter().map(|frame| (self.now + WIRE, true, frame)));
        match self.stage {
            Stage::Asking => {
                if let Some(charger) = self.station.answer()
                    && self.station.connect(charger)
                {
                    self.stage = Stage::Connecting;
                    self.car_listens();
                }
            }
            Stage::Connecting if self.station.is_connected() => {
                self.stage = Stage::Talking;
                self.car_acts = Some(self.now + CAR_THINKS);
            }
            Stage::Talking => {
                while let Some(answer) = self.station.receive() {
                    let schema = Schema::of_first_bytes(&answer);
                    if let Some(schema) = schema
                        && let Some(Ok(json)) = schema.to_json(&answer, false)
                    {
                        self.car.answer(&json);
                    }
                    self.car_acts = Some(self.now + CAR_THINKS);
                }
            }
            _ => {}
        }
    }

    fn input(&mut self, input: Input<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut cx = Cx { now: self.now, entropy: self.entropy };
        self.charger.handle(&mut cx, input);
        self.drain(out)
    }

    fn drain(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        self.plant.apply(self.now, &self.charger.demand());
        while let Some((length, ())) = self.charger.poll_transmit(&mut self.buffer) {
            let frame = self.buffer.get(..length).unwrap_or_default().to_vec();
            self.tap.frame(&frame, &mut self.log);
            self.frames.push_back((self.now + WIRE, false, frame));
        }
        while let Some(event) = self.charger.poll_event() {
            if let Some(Word { checkpoint, words }) = event.word() {
                self.log.say(self.now, checkpoint, &words, out)?;
            }
            if let Some(event) = event.session() {
                self.log.event(self.now, event, out)?;
            }
        }
        Ok(())
    }
}
