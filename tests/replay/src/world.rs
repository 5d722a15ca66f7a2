use control_pilot::Level;
use evse_fsm::{Contactors, Insulation, Isolation, Operator, Plant, Reading};
use machine::{Cx, Entropy, Instant, Machine};
use roles::{Evse, EvseInput, EvseStorage};
use v2gtp::{Header, PayloadType};

use crate::Car;

/// A charger, a car and a plant, with virtual time.
///
/// The plant is the simplest that the machine accepts. The voltage follows the demand immediately while the
/// contactors are closed, and is 0 V while they are open. The current is the demanded one. Contactors and
/// lock confirm immediately. The script sets the car's pilot, and when the isolation is Valid. Sensors are
/// read every 50 ms.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of the plant")]
pub struct World<'s> {
    /// The charger.
    pub evse: Evse<'s>,
    /// The car's network side.
    pub car: Car,
    /// Microseconds of virtual time.
    pub now: u64,
    /// The pilot level that the car sets.
    pub pilot: Level,
    /// Whether the isolation monitor has a result.
    pub isolation_valid: bool,
    /// Whether sensors are read at all.
    pub has_sensors: bool,
    /// Whether the emergency stop is pressed.
    pub emergency_stop: bool,
    /// Whether the pilot's real duty cycle is the demanded one.
    pub has_duty: bool,
    entropy: Recorded,
    next_reading: u64,
}

/// A response on the connection.
#[derive(Debug)]
pub struct Answer {
    /// The EXI stream.
    pub stream: Vec<u8>,
}

/// Returns the recorded `SessionID` when a `SessionID` of its length is drawn, and counts otherwise.
struct Recorded {
    id: Vec<u8>,
    count: u8,
}

impl Entropy for Recorded {
    fn fill(&mut self, bytes: &mut [u8]) {
        if bytes.len() == self.id.len() {
            bytes.copy_from_slice(&self.id);
            return;
        }
        for byte in bytes {
            self.count = self.count.wrapping_add(1);
            *byte = self.count;
        }
    }
}

impl<'s> World<'s> {
    /// Time between two readings of the sensors, in microseconds.
    const READING: u64 = 50_000;

    /// A charger with an unplugged car.
    pub fn new(config: roles::EvseConfig, storage: &'s mut EvseStorage<'s>, id: &[u8]) -> Self {
        let mut entropy = Recorded { id: id.to_vec(), count: 0 };
        let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
        let evse = Evse::new(&mut cx, config, storage).unwrap();
        Self {
            evse,
            car: Car::new(),
            now: 0,
            pilot: Level::A,
            isolation_valid: false,
            has_sensors: true,
            emergency_stop: false,
            has_duty: true,
            entropy,
            next_reading: 0,
        }
    }

    /// The present readings of the sensors.
    fn reading(&self) -> Plant {
        let at = Instant::from_micros(self.now);
        let demand = self.evse.demand();
        let closed = demand.contactors == Contactors::Closed;
        let driven = |value| Some(Reading::new(if closed { value } else { 0 }, at));
        let isolation = if self.isolation_valid { Isolation::Valid } else { Isolation::Measuring };
        let demanded = demand.pilot.duty_permille().unwrap_or(1000);
        let duty = if self.has_duty { demanded } else { 1000 };
        Plant {
            pilot: Some(Reading::new(self.pilot, at)),
            voltage_mv: driven(demand.supply.voltage_mv),
            current_ma: driven(demand.supply.current_ma),
            isolation: Some(Reading::new(Insulation::of(isolation), at)),
            contactors: Some(Reading::new(closed, at)),
            lock: Some(Reading::new(true, at)),
            emergency_stop: Some(Reading::new(self.emergency_stop, at)),
            duty_permille: Some(Reading::new(duty, at)),
            ..Plant::default()
        }
    }

    /// Passes an input to the charger now.
    pub fn input(&mut self, input: EvseInput<'_>) {
        let mut cx = Cx { now: Instant::from_micros(self.now), entropy: &mut self.entropy };
        self.evse.handle(&mut cx, input);
    }

    /// Passes an operator's action to the charger.
    pub fn operator(&mut self, word: Operator) {
        self.input(EvseInput::Operator(word));
    }

    /// Carries frames both ways until none is left.
    pub fn exchange(&mut self) {
        let mut buffer = [0; roles::MAX_FRAME];
        for _ in 0..200 {
            let mut quiet = true;
            for frame in self.car.poll(self.now) {
                quiet = false;
                self.input(EvseInput::Frame(&frame));
            }
            while let Some((length, ())) = self.evse.poll_transmit(&mut buffer).unwrap() {
                quiet = false;
                self.car.handle(&buffer[..length]);
            }
            while self.evse.poll_event().is_some() {}
            if quiet {
                return;
            }
        }
        panic!("charger and car never stop talking at {} us", self.now);
    }

    /// Advances the time to `until`.
    pub fn run(&mut self, until: u64) {
        while self.now < until {
            let due = self.evse.poll_timeout().map_or(u64::MAX, |deadline| deadline.at.as_micros());
            self.now = due.max(self.now).min(self.next_reading.max(self.now)).min(until);
            if self.now >= self.next_reading {
                self.next_reading = self.now + Self::READING;
                if self.has_sensors {
                    self.input(EvseInput::Plant(self.reading()));
                }
            }
            let mut cx = Cx { now: Instant::from_micros(self.now), entropy: &mut self.entropy };
            self.evse.handle_timeout(&mut cx);
            self.exchange();
        }
    }

    /// Reads the sensors now, whenever the next reading is due.
    pub fn read(&mut self) {
        let reading = self.reading();
        self.input(EvseInput::Plant(reading));
    }

    /// Plugs in, finds the charger and connects.
    pub fn connect(&mut self) {
        self.run(1_000_000);
        self.pilot = Level::B;
        self.run(4_000_000);
        self.car.discover();
        self.run(self.now + 100_000);
        let found = self.car.discovered().expect("an answer to the discovery request");
        self.car.connect(found);
        self.run(self.now + 100_000);
        assert!(self.car.is_connected());
    }

    /// Sends an EXI stream now.
    pub fn send(&mut self, stream: &[u8]) {
        for frame in self.request(stream) {
            self.input(EvseInput::Frame(&frame));
        }
        self.exchange();
    }

    /// The car's frames for an EXI stream, not passed to the charger yet.
    pub fn request(&mut self, stream: &[u8]) -> Vec<Vec<u8>> {
        let length = u32::try_from(stream.len()).unwrap();
        let header = Header { payload_type: PayloadType(0x8001), length };
        let mut message = header.to_bytes().to_vec();
        message.extend_from_slice(stream);
        self.car.send(&message);
        self.car.poll(self.now)
    }

    /// Waits for a response until `until`.
    pub fn answer(&mut self, until: u64) -> Option<Answer> {
        loop {
            let bytes = self.car.received();
            if !bytes.is_empty() {
                let message = v2gtp::Message::from_datagram(&bytes).expect("one whole message");
                return Some(Answer { stream: message.payload.to_vec() });
            }
            if self.now >= until {
                return None;
            }
            self.run((self.now + 10_000).min(until));
        }
    }
}
