//! Power stage, cable and battery between the two ends.

use machine::Instant;
use session::Target;

/// Voltage and current on the cable: as simple as a session allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cable {
    stage_mv: i32,
    /// Voltage on the cable in mV.
    pub(crate) voltage_mv: i32,
    /// Current into the car in mA.
    pub(crate) current_ma: i32,
    /// The battery's voltage in mV.
    pub(crate) battery_mv: i32,
    /// When current flowed first.
    pub(crate) charging: Option<Instant>,
}

/// Steps in a millisecond: of the power stage's voltage in mV, and of the current in mA.
const VOLTAGE_STEP: i32 = 1_000;
const CURRENT_STEP: i32 = 50;

impl Cable {
    /// No voltage, a battery of 350 V.
    pub(crate) const fn new() -> Self {
        Self { stage_mv: 0, voltage_mv: 0, current_ma: 0, battery_mv: 350_000, charging: None }
    }

    /// Advances by a millisecond.
    pub(crate) fn step(&mut self, now: Instant, supply: Target, charger_closed: bool, car_closed: bool) {
        self.stage_mv += (supply.voltage_mv - self.stage_mv).clamp(-VOLTAGE_STEP, VOLTAGE_STEP);
        let flows = charger_closed && car_closed && self.stage_mv >= self.battery_mv;
        let wanted = if flows { supply.current_ma } else { 0 };
        self.current_ma += (wanted - self.current_ma).clamp(-CURRENT_STEP * 20, CURRENT_STEP);
        self.voltage_mv = match (charger_closed, car_closed) {
            (_, true) => self.battery_mv,
            (true, false) => self.stage_mv,
            // The cable's own bleeder discharges it.
            (false, false) => (self.voltage_mv - 2 * VOLTAGE_STEP).max(0),
        };
        if !(charger_closed && car_closed) {
            self.current_ma = 0;
        }
        if self.current_ma > 1_000 {
            self.charging.get_or_insert(now);
        }
    }
}
