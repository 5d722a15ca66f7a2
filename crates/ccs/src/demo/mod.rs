//! `ccs` without a subcommand: a charger's session with a scripted car inside the process.
//!
//! Time is virtual: the session of some twenty seconds is over at once. Charger and plant are the real ones,
//! only the wire between charger and car is left out.

mod car;

use std::io::{self, Write};

use evse_fsm::{Charger, Closed, Config, Event, Input};
use hal_linux::{PlantBackend, SimulatedPlant, Simulation};
use machine::{Cx, Duration, Instant, Machine, ScriptedEntropy};
use serde_json::Value;
use v2gtp::PayloadType;

use crate::cli::Exit;
use crate::decode::Schema;
use crate::log::Log;
use crate::style::Palette;

use car::Car;

/// How long the car takes from an answer to its next request, and how long it waits for the 5 % pilot
/// before it connects (SLAC and discovery are left out): judgement.
const CAR_THINKS: Duration = Duration::from_millis(100);
const CAR_CONNECTS: Duration = Duration::from_secs(2);
/// How often the plant is read.
const TICK: Duration = Duration::from_millis(50);
/// The script is over long before.
const LONGEST: Instant = Instant::from_millis(180_000);

/// Shows the session. The exit is good when the car ended it in order.
pub fn run(out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut world = World::new(Palette::stdout())?;
    world.log.say(world.now, None, "a charger and a scripted car in memory; virtual time", out)?;
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

struct World {
    now: Instant,
    charger: Charger,
    plant: SimulatedPlant,
    car: Car,
    log: Log,
    entropy: ScriptedEntropy<'static>,
    next_tick: Instant,
    /// When the car sends its next request.
    car_acts: Option<Instant>,
    connected: bool,
    buffer: Vec<u8>,
}

impl World {
    fn new(palette: Palette) -> anyhow::Result<Self> {
        Ok(Self {
            now: Instant::ZERO,
            charger: Charger::new(Config::default())?,
            plant: SimulatedPlant::new(Simulation::default()),
            car: Car::new(),
            log: Log::new(palette),
            // The same session each time: what is shown can be compared.
            entropy: ScriptedEntropy::new(&[0xC0, 0xFF, 0xEE, 0x01, 0x02, 0x03, 0x04, 0x05]),
            next_tick: Instant::ZERO,
            car_acts: None,
            connected: false,
            buffer: vec![0; v2gtp::MAX_DIN],
        })
    }

    /// Whether the car has gone and the charger has said so.
    fn is_over(&self) -> bool {
        self.car.is_over() && self.log.stop_reason().is_some()
    }

    /// Goes to the next moment at which something happens, and lets it happen.
    fn step(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        let deadline = self.charger.poll_timeout().map_or(self.next_tick, |deadline| deadline.at);
        let next = deadline.min(self.next_tick).min(self.car_acts.unwrap_or(self.next_tick));
        self.now = self.now.max(next);
        if self.now >= deadline {
            let mut cx = Cx { now: self.now, entropy: &mut self.entropy };
            self.charger.handle_timeout(&mut cx);
            self.drain(out)?;
        }
        if self.now >= self.next_tick {
            self.next_tick = self.now + TICK;
            self.plant.hold_car_pilot(self.car.pilot());
            let reading = self.plant.read(self.now);
            self.input(Input::Plant(reading), out)?;
            let offered = self.charger.demand().pilot == control_pilot::Output::DIGITAL;
            if offered && !self.connected && self.car_acts.is_none() && !self.car.is_over() {
                self.car_acts = Some(self.now + CAR_CONNECTS);
            }
        }
        if self.car_acts.is_some_and(|at| self.now >= at) {
            self.car_acts = None;
            self.car_acts(out)?;
        }
        Ok(())
    }

    fn car_acts(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        if !self.connected {
            self.connected = true;
            self.input(Input::Connected, out)?;
        }
        // The pilot moves before the message that needs it.
        self.plant.hold_car_pilot(self.car.pilot());
        let reading = self.plant.read(self.now);
        self.input(Input::Plant(reading), out)?;
        let Some((schema, json)) = self.car.request() else {
            self.connected = false;
            return self.input(Input::Closed(Closed::Fin), out);
        };
        let document = match schema.from_json(&json, false) {
            Some(document) => document?,
            None => anyhow::bail!("there is no codec for {}", schema.name()),
        };
        self.see(schema, &document);
        self.input(Input::Message { payload_type: PayloadType::EXI.0, payload: &document }, out)
    }

    fn input(&mut self, input: Input<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut cx = Cx { now: self.now, entropy: &mut self.entropy };
        self.charger.handle(&mut cx, input);
        self.drain(out)
    }

    fn drain(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        self.plant.apply(self.now, &self.charger.demand());
        let mut answers = Vec::new();
        while let Some((length, _)) = self.charger.poll_transmit(&mut self.buffer) {
            answers.push(self.buffer.get(..length).unwrap_or_default().to_vec());
        }
        for answer in answers {
            if let Some((schema, json)) = understand(&answer) {
                self.see(schema, &answer);
                self.car.answer(&json);
                self.car_acts = Some(self.now + CAR_THINKS);
            }
        }
        while let Some(event) = self.charger.poll_event() {
            self.show(&event, out)?;
        }
        if self.connected && self.charger.wants_close() {
            self.connected = false;
            self.input(Input::Closed(Closed::Fin), out)?;
        }
        Ok(())
    }

    fn see(&mut self, schema: Schema, document: &[u8]) {
        if let Some(Ok(outline)) = schema.outline(document)
            && let Some(name) = outline.message()
        {
            self.log.on_the_wire(schema, name, document);
        }
    }

    fn show(&mut self, event: &Event, out: &mut dyn Write) -> io::Result<()> {
        self.log.event(self.now, event, out)
    }
}

/// An answer's schema and content.
fn understand(answer: &[u8]) -> Option<(Schema, Value)> {
    let schema = Schema::of_first_bytes(answer)?;
    Some((schema, schema.to_json(answer, false)?.ok()?))
}
