use control_pilot::{Output, Proximity};
use machine::{Duration, Instant};
use session::{Limits, Reading, Sensing, Sensor, Target};

/// A snapshot of the car's sensors: each reading with its time, or absent.
///
/// An absent reading means that no such sensor exists, or that it does not answer. [`Sensors`] lists the ones
/// that the car needs; one that has answered once is needed from then on. A snapshot replaces the snapshot
/// before it completely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plant {
    /// The charger's output on the pilot wire. Always needed.
    pub pilot: Option<Reading<Output>>,
    /// The proximity wire.
    pub proximity: Option<Reading<Proximity>>,
    /// Voltage at the inlet, on the cable's side of the car's contactors, in mV.
    pub inlet_mv: Option<Reading<i32>>,
    /// Current in mA, positive into the car.
    pub current_ma: Option<Reading<i32>>,
    /// Feedback of the car's contactors: `true` if any of them is closed.
    pub contactors: Option<Reading<bool>>,
    /// Feedback of the connector lock: `true` if locked.
    pub lock: Option<Reading<bool>>,
    /// The hottest pin of the inlet in thousandths of a degree Celsius. From 70 degrees on the car requests
    /// less current, at 90 the charge ends. A reading outside the range of a working sensor counts as hot.
    pub inlet_millicelsius: Option<Reading<i32>>,
    /// The emergency stop: `true` if pressed.
    pub emergency_stop: Option<Reading<bool>>,
}

bitflags::bitflags! {
    /// Sensors that must have fresh readings while the car is energised, in addition to the pilot.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Sensors: u8 {
        /// Inlet voltage, [`Plant::inlet_mv`].
        const INLET = 1;
        /// Current, [`Plant::current_ma`].
        const CURRENT = 1 << 1;
        /// Feedback of the contactors, [`Plant::contactors`].
        const CONTACTORS = 1 << 2;
        /// Feedback of the connector lock, [`Plant::lock`].
        const LOCK = 1 << 3;
        /// Emergency stop, [`Plant::emergency_stop`].
        const EMERGENCY_STOP = 1 << 4;
        /// Proximity wire, [`Plant::proximity`].
        const PROXIMITY = 1 << 5;
        /// Temperature of the inlet, [`Plant::inlet_millicelsius`].
        const TEMPERATURE = 1 << 6;
    }
}

/// The requirements of the battery and its owner: a snapshot, all of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vehicle {
    /// When it was taken, on the clock of `Cx::now`. Older than [`MAX_VEHICLE_AGE`] while energised is a
    /// stop.
    pub at: Instant,
    /// The car's limits. A `min_voltage_mv` above 0 refuses chargers that do not reach it.
    pub limits: Limits,
    /// The battery's voltage on its side of the contactors, in mV; `None` for a load without one.
    pub battery_mv: Option<i32>,
    /// The target of the charging loop: voltage in mV and current in mA.
    pub target: Target,
    /// State of charge in percent, 0..=100.
    pub soc_percent: u8,
    /// Capacity of the battery in Wh. Some chargers refuse a car that does not report it.
    pub capacity_wh: i32,
    /// Requested energy in Wh.
    pub request_wh: i32,
    /// State of charge in percent at which the car is full; `None` if not reported.
    pub full_soc_percent: Option<u8>,
    /// State of charge in percent at which bulk charging ends; `None` if not reported.
    pub bulk_soc_percent: Option<u8>,
    /// Time until the car is full, in s; `None` if not reported.
    pub full_in_s: Option<u16>,
    /// Time until bulk charging is complete, in s; `None` if not reported.
    pub bulk_in_s: Option<u16>,
    /// The requested energy is reached: the charge ends normally.
    pub is_done: bool,
    /// The car's error, a `DC_EVErrorCode` of 0..=11; 0 is no error. Any other value ends the session.
    pub error: u8,
}

/// Greatest age of a [`Vehicle`] while energised, older is a stop: 1 s (fault list: battery voltage missing).
pub const MAX_VEHICLE_AGE: Duration = Duration::from_secs(1);

/// One microsecond: the first moment at which an age is no longer permitted.
const PAST: Duration = Duration::from_micros(1);

impl Vehicle {
    /// A synthetic battery for examples, tests and emulated boards: accepts 400 V and 60 A, state of charge
    /// 42 %.
    pub const fn example(at: Instant) -> Self {
        Self {
            at,
            limits: Limits {
                max_voltage_mv: 400_000,
                max_current_ma: 60_000,
                max_power_w: 24_000,
                ..Limits::NONE
            },
            battery_mv: Some(350_000),
            target: Target { voltage_mv: 400_000, current_ma: 60_000 },
            soc_percent: 42,
            capacity_wh: 50_000,
            request_wh: 20_000,
            full_soc_percent: Some(100),
            bulk_soc_percent: Some(80),
            full_in_s: None,
            bulk_in_s: None,
            is_done: false,
            error: 0,
        }
    }

    /// The snapshot with every number limited to a plausible range, so that a message can always contain it.
    pub(crate) fn sane(mut self) -> Self {
        let most = Limits::PLAUSIBLE;
        self.limits.max_voltage_mv = self.limits.max_voltage_mv.clamp(0, most.max_voltage_mv);
        self.limits.max_current_ma = self.limits.max_current_ma.clamp(0, most.max_current_ma);
        self.limits.max_power_w = self.limits.max_power_w.clamp(0, most.max_power_w);
        self.soc_percent = self.soc_percent.min(100);
        self
    }

    pub(crate) fn is_fresh(&self, now: Instant) -> bool {
        now.since(self.at) <= MAX_VEHICLE_AGE
    }

    /// When the snapshot becomes too old.
    pub(crate) fn stale_at(&self) -> Instant {
        self.at + MAX_VEHICLE_AGE + PAST
    }
}

impl Sensing for Plant {
    type Sensors = Sensors;
    type All = [Sensor<Sensors>; 8];

    fn sensors(&self) -> Self::All {
        [
            Sensor::new(Sensors::empty(), "pilot", self.pilot),
            Sensor::new(Sensors::INLET, "inlet voltage", self.inlet_mv),
            Sensor::new(Sensors::CURRENT, "current", self.current_ma),
            Sensor::new(Sensors::CONTACTORS, "contactors", self.contactors),
            Sensor::new(Sensors::LOCK, "lock", self.lock),
            Sensor::new(Sensors::EMERGENCY_STOP, "emergency stop", self.emergency_stop),
            Sensor::new(Sensors::PROXIMITY, "proximity", self.proximity),
            Sensor::new(Sensors::TEMPERATURE, "temperature", self.inlet_millicelsius),
        ]
    }
}
