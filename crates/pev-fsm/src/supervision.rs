//! The rules for readings, lock, contactors, voltage, current and temperature, during a session and outside.

use machine::{Duration, Instant};
use session::{
    By, Cause, Compared, DEAD_MV, Debounce, Isolation, Lasting, Latch, OPEN_BELOW_MA, Reading, earliest,
    fresh,
};

use crate::flow::Flow;
use crate::joined::{Joined, compared};
use crate::policy;
use crate::signals::Signals;
use crate::trouble::Trouble;
use crate::{Config, Load, Plant, Protection, Sensors, Vehicle};

/// Contactors that report closed without a command for this time are welded: 100 ms (judgement; contacts
/// bounce).
const UNASKED: Duration = Duration::from_millis(100);
/// Inlet and charger's report may disagree for this time: 2 s (clara).
const DISAGREE: Duration = Duration::from_secs(2);
/// A battery voltage below minus this is reversed, in mV: 10 V (judgement, offset and noise).
const REVERSED_MV: i32 = 10_000;
/// A hot inlet ends the charge normally after this time: two readings (one wrong reading ends nothing).
const HOT: Duration = Debounce::CONTACT;
/// A hot inlet sets pilot B after this time, even during a normal end: 800 ms (judgement: 1 s minus the time
/// of a reading).
const TOO_HOT: Duration = Duration::from_millis(800);

/// The present use of the inlet, as far as a rule depends on it.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Use {
    /// A session is active.
    pub(crate) is_in_session: bool,
    /// The pilot is at C.
    pub(crate) is_ready: bool,
    /// The lock has confirmed.
    pub(crate) is_locked: bool,
    /// The contactors have to be closed.
    pub(crate) is_closed: bool,
    /// The contactors are commanded closed and have confirmed it, also during the wait for the current to
    /// end.
    pub(crate) is_joined: bool,
    /// The contactors have confirmed to be open.
    pub(crate) is_open: bool,
    /// The newest requested current, in mA.
    pub(crate) asked_ma: i32,
    /// The charger's isolation test is running.
    pub(crate) is_tested: bool,
    /// The name of the first needed reading that is absent or too old.
    pub(crate) stale: Option<&'static str>,
    /// The highest voltage limit that the car has sent to the charger, in mV.
    pub(crate) named_mv: i32,
}

/// Stores since when each fault has been present.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Supervision {
    signals: Signals,
    joined: Joined,
    flow: Flow,
    /// The contactors are closed without a command.
    unasked: Lasting,
    unlocked: Debounce,
    opened: Debounce,
    over_voltage: Lasting,
    lowered: Lasting,
    disagree: Lasting,
    hot: Lasting,
    reversed_battery: Debounce,
    reversed_inlet: Debounce,
}

impl Supervision {
    /// A session begins. The state of plug, contactors, temperature and sensors is kept.
    pub(crate) fn begin(&mut self) {
        let Self { signals, joined, unasked, hot, .. } = *self;
        *self = Self { signals, joined, unasked, hot, ..Self::default() };
    }

    /// The worst fault that ends a session or the use of the inlet.
    pub(crate) fn watch(
        &mut self,
        now: Instant,
        plant: &Plant,
        config: &Config,
        car: Option<&Vehicle>,
        of: Use,
    ) -> Option<Trouble> {
        let levels = &config.protection;
        let is_unasked = of.is_open && fresh(plant.contactors, now) == Some(true);
        let unasked = self.unasked.for_at_least(now, is_unasked, UNASKED);
        let signals = self.signals.follow(now, plant, config.sensors.contains(Sensors::PROXIMITY));
        let too_hot = self.heat(now, plant, levels);
        let joined = self.join(now, plant, config, car, of);
        let current = self.current(now, plant, levels, of);
        let polarity = self.polarity(plant, config, car, of);
        let contacts = self.contacts(plant, of);
        let voltage = car.and_then(|car| self.voltage(now, plant, levels, car, of));
        let unasked = unasked.then_some(Trouble::new(By::Car, Cause::Contactor).latched(Latch::Contactors));
        let session = signals.or(polarity).filter(|_| of.is_in_session);
        let in_use = || stale(now, config, car, of).or(contacts).or(voltage).or(too_hot);
        unasked.or(joined).or(current).or(session).or_else(|| in_use().filter(|_| of.is_ready))
    }

    /// The fault of an inlet that is too hot to wait for messages any longer.
    fn heat(&mut self, now: Instant, plant: &Plant, levels: &Protection) -> Option<Trouble> {
        let found = fresh(plant.inlet_millicelsius, now);
        let is_hot = found.is_some_and(|value| policy::inlet_permille(value, levels.hot_millicelsius) == 0);
        self.hot.for_at_least(now, is_hot, TOO_HOT).then(|| hot(found.unwrap_or(0), levels))
    }

    /// With closed contactors inlet and battery have one voltage.
    fn join(
        &mut self,
        now: Instant,
        plant: &Plant,
        config: &Config,
        car: Option<&Vehicle>,
        of: Use,
    ) -> Option<Trouble> {
        if !of.is_joined || config.load != Load::Battery {
            return None;
        }
        let inlet = fresh(plant.inlet_mv, now);
        let battery = car.filter(|car| car.is_fresh(now)).and_then(|car| car.battery_mv);
        let trouble =
            Trouble::new(By::Car, Cause::Suspect("inlet and battery voltage")).latched(Latch::Suspect);
        let is_broken = self.joined.compare(now, inlet, battery);
        let compared = compared(inlet.unwrap_or(0), battery.unwrap_or(0));
        is_broken.then(|| trouble.compared(compared))
    }

    fn current(&mut self, now: Instant, plant: &Plant, levels: &Protection, of: Use) -> Option<Trouble> {
        if of.is_joined {
            return self.flow.step(now, levels, of.asked_ma, fresh(plant.current_ma, now));
        }
        self.flow.rest(now);
        None
    }

    /// The battery's voltage has the right sign; so has the inlet's while the contactors are open.
    fn polarity(
        &mut self,
        plant: &Plant,
        config: &Config,
        car: Option<&Vehicle>,
        of: Use,
    ) -> Option<Trouble> {
        let battery = car.filter(|_| config.load == Load::Battery);
        let battery = battery.and_then(|car| car.battery_mv.map(|mv| Reading::new(mv, car.at)));
        let is_battery = self.reversed_battery.take(battery, |mv| mv < -REVERSED_MV, Debounce::CONTACT);
        let inlet = plant.inlet_mv.filter(|_| of.is_ready && !of.is_joined);
        if inlet.is_none() {
            self.reversed_inlet = Debounce::new();
        }
        let is_inlet = self.reversed_inlet.take(inlet, |mv| mv <= -DEAD_MV, Debounce::CONTACT);
        let by = if is_battery { By::Car } else { By::Charger };
        let value = |reading: Option<Reading<i32>>| reading.map_or(0, |reading| reading.value);
        let compared = compared(value(plant.inlet_mv), value(battery));
        (is_battery || is_inlet).then(|| Trouble::new(by, Cause::Polarity).compared(compared))
    }

    /// Lock and contactors are in their commanded position.
    fn contacts(&mut self, plant: &Plant, of: Use) -> Option<Trouble> {
        let is_lost = |debounce: &mut Debounce, reading: Option<Reading<bool>>, is_needed: bool| {
            if !is_needed {
                *debounce = Debounce::new();
            }
            debounce.take(reading.filter(|_| is_needed), |is_there| !is_there, Debounce::CONTACT)
        };
        let is_unlocked = is_lost(&mut self.unlocked, plant.lock, of.is_locked && of.is_ready);
        let is_open = is_lost(&mut self.opened, plant.contactors, of.is_closed);
        let lock = is_unlocked.then_some(Trouble::new(By::Car, Cause::Lock));
        lock.or(is_open.then_some(Trouble::new(By::Car, Cause::Contactor)))
    }

    /// While the contactors are open only a voltage far above the limit is a fault: the isolation test may be
    /// at the limit itself. The limit is the one that the car has sent to the charger. A limit that the
    /// battery lowers later ends the charge normally.
    fn voltage(
        &mut self,
        now: Instant,
        plant: &Plant,
        levels: &Protection,
        car: &Vehicle,
        of: Use,
    ) -> Option<Trouble> {
        let mv = fresh(plant.inlet_mv, now).unwrap_or(0);
        let own_mv = car.limits.max_voltage_mv;
        // Without current the inlet has the battery's own voltage: no lower target charges it.
        let is_resting = fresh(plant.current_ma, now).is_some_and(|ma| ma.saturating_abs() < OPEN_BELOW_MA);
        let most_mv = if is_resting { policy::most_asked_mv(car, of.named_mv) } else { own_mv };
        self.lowered.since(now, of.is_closed && own_mv < of.named_mv && mv > most_mv);
        let is_over = of.is_closed && mv > Protection::most_mv(of.named_mv);
        let is_over = self.over_voltage.for_at_least(now, is_over, levels.over_voltage);
        let compared = limit(mv, "the limit that the charger was named", of.named_mv);
        let trouble = Trouble::new(By::Car, Cause::OverVoltage).latched(Latch::OutOfRange);
        let tested_mv = if of.is_tested { Protection::test_mv(of.named_mv) } else { of.named_mv };
        let is_far = levels.is_far_over(mv, of.named_mv) && mv > Protection::most_mv(tested_mv);
        (is_over || is_far).then(|| trouble.compared(compared))
    }

    /// A reason to end the charge normally: the inlet is hot, or the battery has lowered its limit below the
    /// voltage at the inlet.
    pub(crate) fn ends_in_order(
        &self,
        now: Instant,
        plant: &Plant,
        config: &Config,
        car: &Vehicle,
    ) -> Option<Trouble> {
        let levels = &config.protection;
        let is_due = |lasting: &Lasting, time| lasting.due(time).is_some_and(|at| now >= at);
        if is_due(&self.hot, HOT) {
            return Some(hot(fresh(plant.inlet_millicelsius, now).unwrap_or(0), levels));
        }
        let mv = fresh(plant.inlet_mv, now).unwrap_or(0);
        let newest_mv = car.limits.max_voltage_mv;
        let compared = if mv > newest_mv {
            limit(mv, "the battery's newest limit", newest_mv)
        } else {
            limit(mv, "the most that is asked for", policy::most_asked_mv(car, newest_mv))
        };
        let is_lowered = is_due(&self.lowered, levels.over_voltage);
        is_lowered.then(|| Trouble::new(By::Car, Cause::VoltageOff).compared(compared))
    }

    /// Whether a fault is present, but not for long enough to end the session: the car requests 0 A
    /// meanwhile.
    pub(crate) const fn is_doubted(&self) -> bool {
        self.signals.is_doubted()
            || self.joined.is_doubted()
            || self.unlocked.is_seen()
            || self.opened.is_seen()
            || self.reversed_battery.is_seen()
            || self.lowered.holds()
            || self.hot.holds()
    }

    /// The comparison of the inlet's sensor with the battery's.
    pub(crate) const fn joined(&self) -> &Joined {
        &self.joined
    }

    /// The same comparison, to update it.
    pub(crate) const fn joined_mut(&mut self) -> &mut Joined {
        &mut self.joined
    }

    /// Whether the charger offers digital communication.
    pub(crate) const fn is_offered(&self) -> bool {
        self.signals.is_digital()
    }

    /// Whether the plug is out: see [`Signals::is_out`].
    pub(crate) const fn is_out(&self) -> bool {
        self.signals.is_out()
    }

    /// Whether the current sensor shows no current although much was requested.
    pub(crate) fn doubts_current(&self, now: Instant) -> bool {
        self.flow.is_doubted(now)
    }

    /// Compares a voltage that the charger reports in the charging loop with the inlet's; `limit_mv` is the
    /// largest difference.
    pub(crate) fn reported(
        &mut self,
        now: Instant,
        plant: &Plant,
        present_mv: i32,
        limit_mv: i32,
    ) -> Option<Trouble> {
        let inlet = fresh(plant.inlet_mv, now);
        let is_wrong = inlet.is_some_and(|mv| mv.saturating_sub(present_mv).saturating_abs() > limit_mv);
        let compared = limit(inlet.unwrap_or(0), "EVSEPresentVoltage", present_mv);
        let is_wrong = self.disagree.for_at_least(now, is_wrong, DISAGREE);
        is_wrong.then(|| Trouble::new(By::Car, Cause::VoltageOff).compared(compared))
    }

    /// When the first fault that is present will have lasted for too long, later than `now`.
    pub(crate) fn due(&self, now: Instant, levels: &Protection) -> Option<Instant> {
        let [over_current, reverse] = self.flow.due(levels);
        let dues = [
            self.signals.due(),
            self.joined.due(),
            over_current,
            reverse,
            self.unasked.due(UNASKED),
            self.over_voltage.due(levels.over_voltage),
            self.lowered.due(levels.over_voltage),
            self.hot.due(HOT),
            self.hot.due(TOO_HOT),
        ];
        earliest(now, &dues)
    }
}

const fn limit(inlet_mv: i32, against: &'static str, limit_mv: i32) -> Compared {
    Compared { what: "inlet voltage", found: inlet_mv, against, limit: limit_mv, unit: "V" }
}

const fn hot(found: i32, levels: &Protection) -> Trouble {
    let limit = levels.hot_millicelsius;
    let compared =
        Compared { what: "inlet temperature", found, against: "the most allowed", limit, unit: "degC" };
    Trouble::new(By::Car, Cause::InletHot).compared(compared)
}

/// The fault of a reading that is needed at pilot C and missing or too old.
fn stale(now: Instant, config: &Config, car: Option<&Vehicle>, of: Use) -> Option<Trouble> {
    let battery = || {
        let car = car.filter(|car| car.is_fresh(now));
        let is_compared = of.is_closed && config.load == Load::Battery;
        match car {
            None => Some("vehicle"),
            Some(car) if is_compared && car.battery_mv.is_none() => Some("battery voltage"),
            Some(_) => None,
        }
    };
    let name = of.stale.or_else(battery)?;
    Some(Trouble::new(By::Car, Cause::StaleReading(name)))
}

/// Whether an isolation status ends the session: Fault always, Invalid unless it is tolerated.
pub(crate) fn is_isolation_bad(isolation: Option<Isolation>, tolerate_invalid: bool) -> bool {
    match isolation {
        Some(Isolation::Fault) => true,
        Some(Isolation::Measuring) => !tolerate_invalid,
        Some(Isolation::Valid | Isolation::Warning) | None => false,
    }
}
