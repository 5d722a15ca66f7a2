use control_pilot::Output;
use machine::{Cx, Deadline, Duration, Instant, Machine};
use pev_fsm::{Load, Plant, Vehicle};
use roles::{Pev, PevConfig, PevConfigError, PevInput, PevStorage};
use session::{Limits, Reading, Target};

use crate::plant::{CarDemand, CarPlant};
use crate::{Drive, Input, Node};

/// The car's role as a node. Its sensors and its battery are those of the [`Bench`](crate::plant::Bench) at
/// its cable.
pub struct Car<'a> {
    pev: Pev<'a>,
    wishes: Wishes,
    load: Load,
    next_reading: Instant,
}

/// The request of the car's owner, and the limits of the car.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wishes {
    /// Limits that the car reports.
    pub limits: Limits,
    /// Target state of charge in percent.
    pub enough_percent: u8,
    /// Capacity of the battery in Wh.
    pub capacity_wh: i32,
}

impl Wishes {
    /// The 28 kWh car of 400 V: limits as an Ioniq's in `spi_ioniq_alpiHYC300_SWIsued_2024-03-22`.
    pub const CAR_400V: Self = Self {
        limits: Limits {
            max_voltage_mv: 412_800,
            max_current_ma: 200_000,
            max_power_w: 98_000,
            ..Limits::NONE
        },
        enough_percent: 80,
        capacity_wh: 28_000,
    };
    /// Light bulbs of 230 V, as hobbyists test chargers: the current of forty bulbs of 60 W.
    pub const BULBS: Self = Self {
        limits: Limits {
            max_voltage_mv: 250_000,
            max_current_ma: 10_000,
            max_power_w: 2_500,
            ..Limits::NONE
        },
        capacity_wh: 1_000,
        ..Self::CAR_400V
    };
    /// Their voltage in mV.
    pub const BULBS_MV: i32 = 230_000;
    /// A car of 800 V; judgement.
    pub const CAR_800V: Self = Self {
        limits: Limits {
            max_voltage_mv: 825_000,
            max_current_ma: 200_000,
            max_power_w: 160_000,
            ..Limits::NONE
        },
        capacity_wh: 77_000,
        ..Self::CAR_400V
    };
}

/// Time between two readings of the sensors: a quarter of the age at which a reading is stale.
const READING: Duration = Duration::from_millis(50);
/// The target stays this far below the car's limit, in mV: as much as the Ioniq's does.
const BELOW_LIMIT_MV: i32 = 2_000;

impl<'a> Car<'a> {
    /// A car that is not at a cable yet.
    ///
    /// # Errors
    /// Those of [`PevConfig::check`].
    pub fn new(
        cx: &mut Cx<'_>,
        config: PevConfig,
        wishes: Wishes,
        storage: &'a mut PevStorage<'a>,
    ) -> Result<Self, PevConfigError> {
        let load = config.car.load;
        Ok(Self { pev: Pev::new(cx, config, storage)?, wishes, load, next_reading: cx.now })
    }

    /// The role.
    pub const fn role(&self) -> &Pev<'a> {
        &self.pev
    }

    /// The role, to change its state.
    pub const fn role_mut(&mut self) -> &mut Pev<'a> {
        &mut self.pev
    }

    /// What the owner requests.
    pub const fn wishes(&self) -> Wishes {
        self.wishes
    }

    /// Changes what the owner requests.
    pub fn wish(&mut self, wishes: Wishes) {
        self.wishes = wishes;
    }

    fn read(&mut self, cx: &mut Cx<'_>, sensors: &CarPlant) {
        self.next_reading = cx.now + READING;
        let plant = plant(sensors);
        let input = self
            .vehicle(sensors)
            .map_or(PevInput::Plant(plant), |vehicle| PevInput::Snapshot(plant, vehicle));
        self.pev.handle(cx, input);
    }

    /// What the battery reports; `None` while it reports nothing.
    fn vehicle(&self, sensors: &CarPlant) -> Option<Vehicle> {
        let Wishes { limits, enough_percent, capacity_wh } = self.wishes;
        let (soc, voltage_mv, current_ma) = match self.load {
            Load::Battery => {
                let request_ma = sensors.request_ma.map_or(0, |reading| reading.value);
                (sensors.soc_percent?, limits.max_voltage_mv - BELOW_LIMIT_MV, request_ma)
            }
            // Bulbs are never full and draw the current of their voltage.
            Load::Bulb { voltage_mv } => {
                (Reading::new(0, sensors.inlet_mv?.at), voltage_mv, limits.max_current_ma)
            }
        };
        let left = i32::from(enough_percent.saturating_sub(soc.value));
        Some(Vehicle {
            at: soc.at,
            limits,
            battery_mv: sensors.battery_mv.map(|reading| reading.value),
            target: Target { voltage_mv, current_ma },
            soc_percent: soc.value,
            capacity_wh,
            request_wh: capacity_wh / 100 * left,
            full_soc_percent: Some(enough_percent),
            bulk_soc_percent: Some(enough_percent),
            full_in_s: None,
            bulk_in_s: None,
            is_done: soc.value >= enough_percent,
            error: 0,
        })
    }
}

/// The sensors as the role's input.
fn plant(sensors: &CarPlant) -> Plant {
    let pilot = |duty: Reading<u16>| {
        let output = match duty.value {
            0 => Output::Zero,
            1..=999 => Output::Pwm(duty.value),
            _ => Output::Steady,
        };
        Reading::new(output, duty.at)
    };
    Plant {
        pilot: sensors.duty_permille.map(pilot),
        proximity: sensors.proximity,
        inlet_mv: sensors.inlet_mv,
        current_ma: sensors.current_ma,
        contactors: sensors.contactors,
        lock: sensors.lock,
        inlet_millicelsius: sensors.inlet_millicelsius,
        emergency_stop: sensors.emergency_stop,
    }
}

impl Node for Car<'_> {
    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        match input {
            Input::Frame(frame) => self.pev.handle(cx, PevInput::Frame(frame)),
            Input::CarPlant(sensors) => self.read(cx, &sensors),
            Input::Pilot(_) | Input::Plant(_) => (),
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.pev.handle_timeout(cx);
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<usize> {
        machine::whole(self.pev.poll_transmit(buffer)).map(|(length, ())| length)
    }

    fn poll_event(&mut self) -> Option<String> {
        self.pev.poll_event().map(|event| format!("{event:?}"))
    }

    fn drop_event(&mut self) -> bool {
        self.pev.poll_event().is_some()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.pev.poll_timeout()
    }

    fn drive(&self) -> Drive {
        let demand = self.pev.demand();
        Drive::Car(CarDemand { level: demand.pilot, contactors: demand.contactors, lock: demand.lock })
    }

    fn reads_at(&self) -> Option<Instant> {
        Some(self.next_reading)
    }
}
