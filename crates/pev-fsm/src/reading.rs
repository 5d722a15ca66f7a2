use control_pilot::{Output, Proximity};
use machine::{Duration, Instant};
use session::{Limits, Reading, Sensing, Sensor, Target};

/// A snapshot of the car's sensors: each reading with its time, or absent.
///
/// Absent means that there is no such sensor, or that it does not answer; which of them the car needs is
/// named by [`Sensors`], and one that has answered once is needed from then on. A snapshot replaces the one
/// before it completely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plant {
    /// What the charger drives on the pilot wire. Always needed.
    pub pilot: Option<Reading<Output>>,
    /// The proximity wire.
    pub proximity: Option<Reading<Proximity>>,
    /// Voltage at the inlet, on the cable's side of the car's contactors, in mV.
    pub inlet_mv: Option<Reading<i32>>,
    /// Current in mA, positive into the car.
    pub current_ma: Option<Reading<i32>>,
    /// Feedback of the car's contactors: `true` where any of them is closed.
    pub contactors: Option<Reading<bool>>,
    /// Feedback of the connector lock: `true` is locked.
    pub lock: Option<Reading<bool>>,
    /// The hottest pin of the inlet in thousandths of a degree Celsius, where that is measured. From 70
    /// degrees on less current is asked for, at 90 the charge ends; what no inlet can have is a broken sensor
    /// and counts as hot.
    pub inlet_millicelsius: Option<Reading<i32>>,
    /// The emergency stop: `true` is pressed.
    pub emergency_stop: Option<Reading<bool>>,
}

bitflags::bitflags! {
    /// Sensors that the car must have fresh readings of while it is energised, besides the pilot.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Sensors: u8 {
        /// Inlet voltage.
        const INLET = 1;
        /// Current.
        const CURRENT = 1 << 1;
        /// Feedback of the contactors.
        const CONTACTORS = 1 << 2;
        /// Feedback of the connector lock.
        const LOCK = 1 << 3;
        /// Emergency stop.
        const EMERGENCY_STOP = 1 << 4;
        /// Proximity.
        const PROXIMITY = 1 << 5;
        /// Temperature of the inlet.
        const TEMPERATURE = 1 << 6;
    }
}

/// What the battery and its owner want: a snapshot, all of one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vehicle {
    /// When it was taken, on the clock of `Cx::now`. Older than [`MAX_VEHICLE_AGE`] while energised is a
    /// stop.
    pub at: Instant,
    /// What the car bears. `min_voltage_mv` above 0 refuses chargers that do not reach it.
    pub limits: Limits,
    /// The battery's voltage behind the contactors in mV; absent for a load without one.
    pub battery_mv: Option<i32>,
    /// What the charging loop shall reach: voltage in mV and current in mA.
    pub target: Target,
    /// State of charge in percent, 0..=100.
    pub soc_percent: u8,
    /// What the battery holds, in Wh. Some chargers refuse a car that does not say.
    pub capacity_wh: i32,
    /// What the car wants, in Wh.
    pub request_wh: i32,
    /// State of charge in percent at which the car is full.
    pub full_soc_percent: Option<u8>,
    /// State of charge in percent at which bulk charging ends.
    pub bulk_soc_percent: Option<u8>,
    /// Time until the car is full, in s.
    pub full_in_s: Option<u16>,
    /// Time until bulk charging is done, in s.
    pub bulk_in_s: Option<u16>,
    /// The battery has what its owner wanted: the charge ends in order.
    pub is_done: bool,
    /// What is wrong with the car, a `DC_EVErrorCode` of 0..=11; 0 is nothing. Anything else ends the
    /// session.
    pub error: u8,
}

/// A [`Vehicle`] older than this while energised is a stop: 1 s (fault list: battery voltage missing).
pub const MAX_VEHICLE_AGE: Duration = Duration::from_secs(1);

/// One microsecond past the age that is still allowed.
const PAST: Duration = Duration::from_micros(1);

impl Vehicle {
    /// The battery of examples, tests and emulated boards: it takes 400 V and 60 A, and is 42 % full. Made
    /// up.
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

    /// The snapshot with every number bounded to what can be, so that it always fits a message.
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

    /// When it becomes too old.
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
