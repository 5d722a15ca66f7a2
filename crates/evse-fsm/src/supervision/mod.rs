//! What is watched while anything is energised.

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

/// What the output does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// The car must be in C or D, or the current that it had is going down in order.
    pub(crate) is_in_use: bool,
    /// The contactors have to be closed by now.
    pub(crate) is_connected: bool,
    /// The car was granted power.
    pub(crate) is_granted: bool,
    /// The current that the power stage is to give at most, in mA.
    pub(crate) demanded_ma: i32,
    /// The voltage that it is to give at most, in mV.
    pub(crate) set_mv: i32,
    /// What a precharge that goes on brings the output to, in mV.
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

/// Remembers since when something is wrong.
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

    /// Why the output must be off, if it must, given that no needed reading is too old. `bounds` is the lower
    /// of each limit of car and charger.
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
            // The contactors are about to open anyway: a pilot that is broken still says by whom.
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
        // Each is asked each time: what lasts is counted even where another comes first.
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

    /// Whether the current sensor's word that no current flows is not to be believed.
    pub(crate) const fn distrusts_current(&self) -> bool {
        self.current.is_suspect()
    }

    /// Nothing is energised: nothing is remembered of it. Gives what the own voltages contradicted each other
    /// about until then: that stays.
    pub(crate) fn rest(&mut self) -> Option<Found> {
        let doubt = self.voltage.doubt();
        (self.current, self.voltage, self.monitor) = (Current::new(), Voltage::new(), Liveness::new());
        doubt
    }

    /// When something will have lasted too long by time alone.
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
