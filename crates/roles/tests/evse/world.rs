//! A charger and cars on one wire, in steps of a millisecond.

use control_pilot::Level;
use evse_fsm::{Contactors, Insulation, Isolation, Plant, Reading};
use machine::{Cx, Duration, Instant, Machine, ScriptedEntropy};
use roles::{Channels, Evse, EvseConfig, EvseInput, EvseStorage, Happening, MAX_FRAME, Mac, Plain};

use crate::car::Car;

pub(crate) const CHARGER: Mac = Mac([0x02, 0, 0, 0, 0, 0x01]);
pub(crate) const CAR: Mac = Mac([0x04, 0x65, 0x65, 0x00, 0x64, 0xC3]);
pub(crate) const OTHER: Mac = Mac([0x02, 0, 0, 0, 0, 0x03]);

/// A request for plain TCP, as every captured car sends it.
pub(crate) const SDP_REQUEST: [u8; 10] = [0x01, 0xFE, 0x90, 0, 0, 0, 0, 2, 0x10, 0];

/// `supportedAppProtocolReq` of frame 114 and `SessionSetupReq` of frame 118 of
/// `2022-11-09_athome_until_ChargeParameterDiscoveryRequest.pcapng`.
pub(crate) const HANDSHAKE_REQ: &str = "8000dbab9371d3234b71d1b981899189d191818991d26b9b3a232b30020000040040";
pub(crate) const SESSION_SETUP_REQ: &str = "809a02000000000000000011d01811959401930c00";
/// `supportedAppProtocolRes`, frame 116 of the same capture: successful, schema id 1.
pub(crate) const HANDSHAKE_RES: &str = "80400040";

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// Whether a frame arrives: the frame, and whether it goes to the charger.
pub(crate) type Loss = Box<dyn FnMut(&[u8], bool) -> bool>;

pub(crate) struct World<C: Channels = Plain> {
    pub evse: Evse<'static, C>,
    pub cars: Vec<Car>,
    pub now: Instant,
    pub events: Vec<Happening>,
    pub pass: Loss,
    /// The pilot's level, read every 50 ms; `None` passes no reading.
    pub pilot: Option<Level>,
    /// Whether the car's contactors are closed, so that current flows.
    pub flows: bool,
    entropy: ScriptedEntropy<'static>,
}

pub(crate) fn config() -> EvseConfig {
    let mut config = EvseConfig::new(CHARGER);
    config.charger.power_stage = evse_fsm::PowerStage::None;
    config.charger.sensors = evse_fsm::Sensors::empty();
    config
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(config(), Plain)
    }
}

impl<C: Channels> World<C> {
    pub(crate) fn with(config: EvseConfig, channels: C) -> Self {
        // The seed of the network takes eight bytes, so session ids are 0102030405060708 as in the capture.
        let mut entropy = ScriptedEntropy::new(&[1, 2, 3, 4, 5, 6, 7, 8]);
        let storage = Box::leak(Box::new(EvseStorage::new()));
        let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
        let evse = Evse::with_channels(&mut cx, config, channels, storage).unwrap();
        let cars = vec![Car::new(CAR), Car::new(OTHER)];
        let mut world = Self {
            evse,
            cars,
            now: Instant::ZERO,
            events: Vec::new(),
            pass: Box::new(|_, _| true),
            pilot: Some(Level::B),
            flows: false,
            entropy,
        };
        // The plug is inserted and the charger offers 5 %.
        world.run(2_000);
        world.events.clear();
        world
    }

    pub(crate) fn car(&mut self) -> &mut Car {
        &mut self.cars[0]
    }

    /// Advances by `millis`.
    pub(crate) fn run(&mut self, millis: u64) {
        for _ in 0..millis {
            self.step();
        }
    }

    /// Runs until `done`, at most `millis`.
    pub(crate) fn until(&mut self, millis: u64, mut done: impl FnMut(&mut Self) -> bool) -> bool {
        for _ in 0..millis {
            if done(self) {
                return true;
            }
            self.step();
        }
        done(self)
    }

    pub(crate) fn step(&mut self) {
        self.now += Duration::from_millis(1);
        if self.now.as_millis().is_multiple_of(50)
            && let Some(level) = self.pilot
        {
            self.input(EvseInput::Plant(self.plant(level)));
        }
        if self.evse.poll_timeout().is_some_and(|due| due.at <= self.now) {
            self.evse.handle_timeout(&mut Cx { now: self.now, entropy: &mut self.entropy });
            let left = self.evse.poll_timeout();
            assert!(left.is_none_or(|due| due.at > self.now), "{left:?} is still due at {}", self.now);
            self.drain();
        }
        for index in 0..self.cars.len() {
            self.cars[index].poll(self.now);
            while let Some(frame) = self.cars[index].wire.from_car.pop_front() {
                self.frame_to_charger(&frame);
            }
        }
    }

    /// A plant that follows the demand immediately, with a car that accepts any current.
    fn plant(&self, level: Level) -> Plant {
        let demand = self.evse.demand();
        let closed = demand.contactors == Contactors::Closed;
        let output = if closed { demand.supply } else { session::Target::ZERO };
        let now = self.now;
        Plant {
            pilot: Some(Reading::new(level, now)),
            voltage_mv: Some(Reading::new(output.voltage_mv, now)),
            current_ma: Some(Reading::new(if self.flows { output.current_ma } else { 0 }, now)),
            isolation: Some(Reading::new(Insulation::of(Isolation::Valid), now)),
            contactors: Some(Reading::new(closed, now)),
            emergency_stop: Some(Reading::new(false, now)),
            ..Plant::default()
        }
    }

    /// A frame on the wire: to the charger unless it is lost, and to the other cars.
    fn frame_to_charger(&mut self, frame: &[u8]) {
        if (self.pass)(frame, true) {
            self.frame(frame);
        }
    }

    /// Passes a frame to the charger without loss.
    pub(crate) fn frame(&mut self, frame: &[u8]) {
        self.input(EvseInput::Frame(frame));
    }

    pub(crate) fn input(&mut self, input: EvseInput<'_>) {
        self.evse.handle(&mut Cx { now: self.now, entropy: &mut self.entropy }, input);
        self.drain();
    }

    fn drain(&mut self) {
        let mut buffer = [0; MAX_FRAME];
        while let Some((len, ())) = self.evse.poll_transmit(&mut buffer).unwrap() {
            if (self.pass)(&buffer[..len], false) {
                for car in &mut self.cars {
                    car.wire.to_car.push_back(buffer[..len].to_vec());
                }
            }
        }
        while let Some(event) = self.evse.poll_event() {
            assert_eq!(event.connector, 1);
            self.events.push(event.what);
        }
    }

    /// Discovery by car `index`, with a request every 250 ms: address and port.
    pub(crate) fn discover(&mut self, index: usize) -> Option<sdp::Response> {
        self.discover_with(index, sdp::Security::NONE)
    }

    /// Discovery by car `index`, which requests this security.
    pub(crate) fn discover_with(&mut self, index: usize, security: sdp::Security) -> Option<sdp::Response> {
        let mut request = SDP_REQUEST;
        request[SDP_REQUEST.len() - 2] = security.0;
        for _ in 0..sdp::TRIES {
            self.cars[index].multicast(&request);
            if self.until(250, |world| world.cars[index].has_answer()) {
                break;
            }
        }
        self.cars[index].answer()
    }

    /// Discovery and TCP by car `index`, from `port`.
    pub(crate) fn connect(&mut self, index: usize, port: u16) {
        let found = self.discover(index).expect("discovery");
        self.connect_to(index, &found, port);
    }

    /// TCP by car `index` to what it has found, from `port`.
    pub(crate) fn connect_to(&mut self, index: usize, found: &sdp::Response, port: u16) {
        self.cars[index].connect(found.address, found.port, port);
        assert!(self.until(500, |world| world.cars[index].tcp().may_send()), "no connection");
    }

    /// Sends a message by car 0 and returns the response.
    pub(crate) fn ask(&mut self, exi: &str) -> Vec<u8> {
        self.car().send_exi(&bytes(exi));
        self.next_message(5_000)
    }

    pub(crate) fn next_message(&mut self, millis: u64) -> Vec<u8> {
        let mut message = None;
        self.until(millis, |world| {
            message = world.car().message();
            message.is_some()
        });
        message.expect("an answer")
    }

    pub(crate) fn saw(&self, wanted: impl Fn(&Happening) -> bool) -> bool {
        self.events.iter().any(wanted)
    }
}
