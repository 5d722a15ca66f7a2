//! The rules that apply while an output is energised.

mod contacts;
mod current;
mod off;
mod voltage;

use machine::Instant;
use session::{Cause, Limits, earliest};

pub(crate) use contacts::{Contacts, pilot_fault, plug_fault};
pub(crate) use off::Off;

use crate::found::Found;
use crate::insulation::{self, Liveness};
use crate::reading::fresh;
use crate::{Config, Isolation, Plant, PowerStage};
use current::{Current, Measured};
use voltage::Voltage;

/// The state of the output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// The car must be in C or D, or its current is being reduced normally.
    pub(crate) is_in_use: bool,
    /// The contactors have to be closed.
    pub(crate) is_connected: bool,
    /// Power was granted to the car.
    pub(crate) is_granted: bool,
    /// The highest current that the power stage may supply, in mA.
    pub(crate) demanded_ma: i32,
    /// The highest voltage that it may supply, in mV.
    pub(crate) set_mv: i32,
    /// The target of a running precharge, in mV.
    pub(crate) target_mv: Option<i32>,
}

impl Output {
    /// Nothing is driven.
    pub(crate) const OFF: Self = Self {
        is_in_use: false,
        is_connected: false,
        is_granted: false,
        demanded_ma: 0,
        set_mv: 0,
        target_mv: None,
    };
}

/// Stores since when each fault has been present.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Supervision {
    pub(crate) contacts: Contacts,
    pub(crate) off: Off,
    current: Current,
    voltage: Voltage,
    monitor: Liveness,
}

impl Supervision {
    pub(crate) const fn new() -> Self {
        Self {
            contacts: Contacts::new(),
            off: Off::new(),
            current: Current::new(),
            voltage: Voltage::new(),
            monitor: Liveness::new(),
        }
    }

    /// The fault because of which the output must be off, provided that no needed reading is too old.
    /// `bounds` is the stricter of each limit of car and charger.
    pub(crate) fn check(
        &mut self,
        now: Instant,
        plant: &Plant,
        config: &Config,
        bounds: &Limits,
        output: Output,
    ) -> Option<Found> {
        let level = fresh(plant.pilot, now);
        if !output.is_in_use {
            // The contactors are about to open anyway: a pilot fault still shows which side caused it.
            return level.and_then(pilot_fault).filter(|_| self.contacts.is_broken()).map(Found::from);
        }
        let has_stage = config.power_stage == PowerStage::Real;
        if let Some(cause) = self.contacts.fault(level, has_stage && output.is_connected) {
            return Some(cause.into());
        }
        let current_ma = fresh(plant.current_ma, now);
        let levels = &config.protection;
        let reverse = current_ma.and_then(|current_ma| self.current.reverse(now, current_ma, levels));
        if reverse.is_some() || !has_stage {
            return reverse;
        }
        let voltage_mv = fresh(plant.voltage_mv, now).unwrap_or(0);
        let at = plant.current_ma.map_or(now, |reading| reading.at);
        let measured = Measured { at, current_ma: current_ma.unwrap_or(0), voltage_mv };
        // Every rule is updated each time: its time runs even when another fault is reported first.
        let all = [
            self.isolation(now, plant, config, output),
            self.voltage.over(now, voltage_mv, bounds.max_voltage_mv),
            self.current.check(now, measured, bounds, output, levels),
            self.voltage.contradicts(now, plant, output),
            self.voltage.above(now, voltage_mv, output, config.limits.min_voltage_mv),
        ];
        all.iter().flatten().next().copied()
    }

    fn isolation(&mut self, now: Instant, plant: &Plant, config: &Config, output: Output) -> Option<Found> {
        let monitor = fresh(plant.isolation, now);
        let isolation = monitor.map_or(Isolation::Measuring, |monitor| insulation::judged(monitor, config));
        let says_more = isolation != Isolation::Measuring || !output.is_granted;
        let hangs = self.monitor.hangs(now, monitor, says_more, config.protection.monitor);
        if isolation == Isolation::Fault {
            return Some(insulation::fault(monitor, config));
        }
        (hangs && output.is_connected).then(|| Cause::MonitorHangs.into())
    }

    /// Whether a current sensor that shows no current is not to be trusted.
    pub(crate) const fn distrusts_current(&self) -> bool {
        self.current.is_suspect()
    }

    /// Nothing is energised: all rules restart. Returns the contradiction of the own voltage sensors that was
    /// present until then: it remains.
    pub(crate) fn rest(&mut self) -> Option<Found> {
        let doubt = self.voltage.doubt();
        (self.current, self.voltage, self.monitor) = (Current::new(), Voltage::new(), Liveness::new());
        doubt
    }

    /// When a fault will have lasted for too long without a new reading.
    pub(crate) fn due(&self, now: Instant, config: &Config) -> Option<Instant> {
        let levels = &config.protection;
        let dues = [
            self.current.due(now, levels),
            self.voltage.due(now),
            self.monitor.due(levels.monitor),
            self.off.due(now),
        ];
        earliest(now, &dues)
    }
}
