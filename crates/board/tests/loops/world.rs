//! Both ends of a cable without hardware: pins, PWM, ADC, power stage and battery in one world, whose clock
//! advances when it is read.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use board::{
    Battery, CablePins, CarCable, ChargerCable, Counter, Edge, Edges, Parts, Stage, StageFault, Wiring,
};
use embedded_hal::digital::{ErrorKind, ErrorType, InputPin, OutputPin, StatefulOutputPin};
use hal_esp32p4::{Drive, Ledc, Millivolts, PilotPwm, Scale, Sense, Side, Timing};
use machine::{Duration, Instant};
use pev_fsm::Vehicle;
use session::{Insulation, Isolation, Reading, Target};

/// The state that all parts of a world share.
pub(crate) struct World {
    /// Microseconds.
    pub now: Cell<u64>,
    pub plugged: Cell<bool>,
    /// The plug was pulled and stays out.
    pub is_pulled: Cell<bool>,
    /// Noise on the pilot in mV: added to and taken from every second sample.
    pub noise_mv: Cell<i32>,
    flips: Cell<bool>,
    /// Real output of the pilot's driver in counts of a period, whatever is set; `None`: as set.
    pub stuck_pwm: Cell<Option<u16>>,
    pub charger: End,
    pub car: End,
    pub supply: Cell<Target>,
    pub cable: Cell<Power>,
    pub is_done: Cell<bool>,
    /// Called each time a board polls for a frame.
    pub beside: RefCell<Option<Box<dyn FnMut()>>>,
}

/// The state of a side's pins.
pub(crate) struct End {
    coils: Cell<u8>,
    pub pwm: Cell<u16>,
    /// A bit here is a contactor that is welded.
    pub stuck: Cell<u8>,
    /// A bit here is a contactor that does not close.
    pub dead: Cell<u8>,
    pub is_stopped: Cell<bool>,
    /// Reading of a stuck ADC from now on; `None`: it measures.
    pub stuck_adc: Cell<Option<StuckAdc>>,
    pub input: RefCell<VecDeque<u8>>,
    pub output: RefCell<Vec<u8>>,
    pub received: RefCell<VecDeque<Vec<u8>>>,
    pub sent: RefCell<Vec<Vec<u8>>>,
    pub is_up: Cell<bool>,
    pub lost: Cell<u32>,
    pub fed: Cell<u64>,
    pub has_noise: Cell<bool>,
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Power {
    stage_mv: i32,
    pub voltage_mv: i32,
    pub current_ma: i32,
}

pub(crate) const BATTERY_MV: i32 = 350_000;
const PERIOD: u16 = 16_384;
const PLUS: u8 = 1;
const MINUS: u8 = 2;
const RELAY: u8 = 4;
const UNLOCK: u8 = 8;

impl End {
    fn new() -> Self {
        Self {
            coils: Cell::new(0),
            pwm: Cell::new(PERIOD),
            stuck: Cell::new(0),
            dead: Cell::new(0),
            is_stopped: Cell::new(false),
            stuck_adc: Cell::new(None),
            input: RefCell::default(),
            output: RefCell::default(),
            received: RefCell::default(),
            sent: RefCell::default(),
            is_up: Cell::new(true),
            lost: Cell::new(0),
            fed: Cell::new(0),
            has_noise: Cell::new(true),
        }
    }

    /// Both contactors' coils are driven, or the contactors are stuck.
    pub(crate) fn is_closed(&self) -> bool {
        self.contacts() & (PLUS | MINUS) == PLUS | MINUS
    }

    fn contacts(&self) -> u8 {
        self.coils.get() & !self.dead.get() | self.stuck.get()
    }

    /// Whether a part that energy flows through is driven.
    pub(crate) fn is_driven(&self) -> bool {
        self.coils.get() & (PLUS | MINUS | RELAY) != 0
    }

    pub(crate) fn log(&self) -> String {
        String::from_utf8(self.output.borrow().clone()).unwrap()
    }
}

impl World {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            now: Cell::new(0),
            plugged: Cell::new(false),
            is_pulled: Cell::new(false),
            noise_mv: Cell::new(0),
            flips: Cell::new(false),
            stuck_pwm: Cell::new(None),
            charger: End::new(),
            car: End::new(),
            supply: Cell::new(Target::ZERO),
            cable: Cell::new(Power::default()),
            is_done: Cell::new(false),
            beside: RefCell::default(),
        })
    }

    pub(crate) fn end(&self, side: Side) -> &End {
        if side == Side::Charger { &self.charger } else { &self.car }
    }

    /// 50 us of the cable.
    pub(crate) fn step(&self) {
        let mut power = self.cable.get();
        let supply = self.supply.get();
        power.stage_mv += (supply.voltage_mv - power.stage_mv).clamp(-50, 50);
        let (charger, car) = (self.charger.is_closed(), self.car.is_closed() && self.plugged.get());
        let flows = charger && car && power.stage_mv >= BATTERY_MV;
        let wanted = if flows { supply.current_ma } else { 0 };
        power.current_ma += (wanted - power.current_ma).clamp(-100, 3);
        power.voltage_mv = match (charger, car) {
            (_, true) => BATTERY_MV,
            (true, false) => power.stage_mv,
            (false, false) => (power.voltage_mv - 100).max(0),
        };
        if !(charger && car) {
            power.current_ma = 0;
        }
        self.cable.set(power);
    }
}

#[derive(Clone)]
pub(crate) struct Counts(pub Rc<World>);

impl Counter for Counts {
    const BITS: u32 = 64;
    const HZ: u32 = 1_000_000;

    fn count(&mut self) -> u64 {
        self.0.now.set(self.0.now.get() + 1);
        self.0.now.get()
    }
}

pub(crate) struct Pin(Rc<World>, Side, u8);

impl ErrorType for Pin {
    type Error = ErrorKind;
}

impl Pin {
    fn set(&self, on: bool) {
        let coils = &self.0.end(self.1).coils;
        coils.set(if on { coils.get() | self.2 } else { coils.get() & !self.2 });
    }
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), ErrorKind> {
        self.set(false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), ErrorKind> {
        self.set(true);
        Ok(())
    }
}

impl StatefulOutputPin for Pin {
    fn is_set_high(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.0.end(self.1).coils.get() & self.2 != 0)
    }

    fn is_set_low(&mut self) -> Result<bool, ErrorKind> {
        self.is_set_high().map(|is_high| !is_high)
    }
}

/// State of a contact.
#[derive(Clone, Copy)]
enum Of {
    Coil(u8),
    Lock,
    Stop,
}

pub(crate) struct Contact(Rc<World>, Side, Of);

impl ErrorType for Contact {
    type Error = ErrorKind;
}

impl InputPin for Contact {
    fn is_high(&mut self) -> Result<bool, ErrorKind> {
        let end = self.0.end(self.1);
        Ok(match self.2 {
            Of::Coil(bit) => end.contacts() & bit != 0,
            Of::Lock => end.coils.get() & UNLOCK == 0,
            Of::Stop => end.is_stopped.get(),
        })
    }

    fn is_low(&mut self) -> Result<bool, ErrorKind> {
        self.is_high().map(|is_high| !is_high)
    }
}

pub(crate) struct Pwm(Rc<World>);

impl Ledc for Pwm {
    type Error = embedded_hal::pwm::ErrorKind;

    fn start(&mut self, _: Timing, counts: u16) -> Result<(), Self::Error> {
        self.set_duty(counts)
    }

    fn set_duty(&mut self, counts: u16) -> Result<(), Self::Error> {
        self.0.charger.pwm.set(counts);
        Ok(())
    }
}

/// High time of the pilot in us; `None` if it does not pulse or the plug is out.
fn high_us(world: &World, side: Side) -> Option<u64> {
    let pwm = world.stuck_pwm.get().unwrap_or(world.charger.pwm.get());
    let is_seen = side == Side::Charger || world.plugged.get();
    (is_seen && pwm > 0 && pwm < PERIOD).then(|| u64::from(pwm) * 1_000 / u64::from(PERIOD))
}

/// The fault of a stuck ADC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StuckAdc {
    /// No conversion completes.
    Silent,
    /// Each conversion returns this level of the pilot, in mV.
    At(i32),
}

pub(crate) struct Adc(Rc<World>, Side);

impl Millivolts for Adc {
    type Error = ErrorKind;

    fn read_mv(&mut self) -> Result<i32, ErrorKind> {
        let world = &self.0;
        let wire_mv = match (self.1, world.plugged.get()) {
            (Side::Car, false) => 0,
            (Side::Charger, false) => 12_000,
            (_, true) if world.car.coils.get() & RELAY != 0 => 6_000,
            (_, true) => 9_000,
        };
        world.flips.set(!world.flips.get());
        let noise = world.noise_mv.get() * if world.flips.get() { 1 } else { -1 };
        let is_high = high_us(world, self.1).is_none_or(|high| world.now.get() % 1_000 < high);
        let wire_mv = match world.end(self.1).stuck_adc.get() {
            Some(StuckAdc::Silent) => return Err(ErrorKind::Other),
            Some(StuckAdc::At(mv)) => mv,
            None if is_high => wire_mv + noise,
            None => -12_000,
        };
        Ok(Scale::PILOT.zero_mv + wire_mv * 1_000 / Scale::PILOT.microvolts_per_mv)
    }
}

pub(crate) struct PilotEdges(Rc<World>, Side, u64);

impl Edges for PilotEdges {
    fn next(&mut self) -> Option<Edge> {
        let now = self.0.now.get();
        let Some(high) = high_us(&self.0, self.1) else {
            self.2 = now;
            return None;
        };
        let period = self.2 - self.2 % 1_000;
        let edges = [(period, true), (period + high, false), (period + 1_000, true)];
        let (count, is_rising) = edges.into_iter().find(|(at, _)| *at > self.2 && *at <= now)?;
        self.2 = count;
        Some(Edge { count, is_rising })
    }
}

pub(crate) enum TestPins {}

impl CablePins for TestPins {
    type Output = Pin;
    type Input = Contact;
    type Ledc = Pwm;
    type Edges = PilotEdges;
    type Pilot = Adc;
    type Proximity = Adc;
}

fn wiring(world: &Rc<World>, side: Side) -> Wiring<TestPins> {
    let pin = |bit| Some(Drive::active_high(Pin(world.clone(), side, bit)));
    let contact = |of| Some(Sense::active_high(Contact(world.clone(), side, of)));
    let parts = Parts {
        pilot: if side == Side::Charger { PilotPwm::new(Pwm(world.clone())).ok() } else { None },
        relay: pin(RELAY),
        plus: pin(PLUS),
        minus: pin(MINUS),
        unlock: pin(UNLOCK),
        plus_feedback: contact(Of::Coil(PLUS)),
        minus_feedback: contact(Of::Coil(MINUS)),
        lock_feedback: contact(Of::Lock),
        emergency_stop: contact(Of::Stop),
        ..Parts::none(side)
    };
    Wiring {
        parts,
        precharge: Duration::ZERO,
        edges: PilotEdges(world.clone(), side, world.now.get()),
        pilot: Adc(world.clone(), side),
        pilot_scale: Scale::PILOT,
        proximity: None,
    }
}

pub(crate) struct TestStage(Rc<World>);

impl Stage for TestStage {
    fn read(&mut self, now: Instant, plant: &mut evse_fsm::Plant) {
        let power = self.0.cable.get();
        plant.voltage_mv = Some(Reading::new(power.voltage_mv, now));
        plant.current_ma = Some(Reading::new(power.current_ma, now));
        let count = u32::try_from(now.as_millis() / 250).ok();
        let insulation = Insulation { count, ..Insulation::of(Isolation::Valid) };
        plant.isolation = Some(Reading::new(insulation, now));
    }

    fn apply(&mut self, _: Instant, supply: Target, _: bool) -> Result<(), StageFault> {
        self.0.supply.set(supply);
        Ok(())
    }
}

pub(crate) struct TestBattery(Rc<World>);

impl Battery for TestBattery {
    fn read(&mut self, now: Instant, plant: &mut pev_fsm::Plant) -> Option<Vehicle> {
        let power = self.0.cable.get();
        plant.inlet_mv = Some(Reading::new(power.voltage_mv, now));
        plant.current_ma = Some(Reading::new(power.current_ma, now));
        Some(Vehicle { is_done: self.0.is_done.get(), ..Vehicle::example(now) })
    }
}

pub(crate) type TestCharger = ChargerCable<TestPins, TestStage>;
pub(crate) type TestCar = CarCable<TestPins, TestBattery>;

pub(crate) fn charger_cable(world: &Rc<World>) -> TestCharger {
    ChargerCable::new(wiring(world, Side::Charger), TestStage(world.clone()))
}

pub(crate) fn car_cable(world: &Rc<World>) -> TestCar {
    CarCable::new(wiring(world, Side::Car), TestBattery(world.clone()))
}
