//! Decisions without state: whether a request of the car is acceptable.

use session::{Compared, Limits, Target};

use crate::found::{amperes, volts};
use crate::power::CURRENT_BEFORE_POWER_MA;
use crate::request::{CHARGE_SERVICE, CarStatus, Profile, SCHEDULE, Verdict};
use crate::{Config, EnergyTransfer, PowerStage, Quirks, Warning};

/// Largest difference of output and car's target when power is switched on, in mV: 20 V (IEC 61851-23).
pub(crate) const POWER_ON_WINDOW_MV: i32 = 20_000;

/// Whether the selected service is the offered one.
pub(crate) fn selection(external: bool, only_service: Option<u16>) -> Result<(), Refusal> {
    if !external {
        return Err(Verdict::PaymentNotOffered.into());
    }
    if only_service == Some(CHARGE_SERVICE) { Ok(()) } else { Err(Verdict::ServiceNotOffered.into()) }
}

/// The reason for a refusal, with the compared values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) verdict: Verdict,
    pub(crate) compared: Option<Compared>,
}

impl From<Verdict> for Refusal {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, compared: None }
    }
}

/// Refuses by the first row whose value is not within its limit.
fn fit<const N: usize>(verdict: Verdict, rows: [(bool, Compared); N]) -> Result<(), Refusal> {
    let refused = rows.into_iter().find(|(fits, _)| !fits);
    refused.map_or(Ok(()), |(_, compared)| Err(Refusal { verdict, compared: Some(compared) }))
}

/// Whether the limits of car and charger are compatible.
pub(crate) fn parameters(
    config: &Config,
    transfer: Option<EnergyTransfer>,
    car: Option<&(CarStatus, Limits)>,
) -> Result<(), Refusal> {
    if transfer != Some(config.energy_transfer) {
        return Err(Verdict::TransferNotOffered.into());
    }
    let Some((_, car)) = car else { return Err(Verdict::ParametersDoNotFit.into()) };
    let (own, most) = (&config.limits, Limits::PLAUSIBLE);
    let (voltage_mv, current_ma) = (car.max_voltage_mv, car.max_current_ma);
    // An isolation test below this voltage has little significance.
    let least_mv =
        if config.power_stage == PowerStage::Real { config.protection.min_test_voltage_mv } else { 0 };
    let power_w = if car.max_power_w == i32::MAX { 0 } else { car.max_power_w };
    let power = Compared {
        what: "car's power",
        found: power_w,
        against: "most",
        limit: most.max_power_w,
        unit: "kW",
    };
    let (voltage, current) = ("car's maximum voltage", "car's maximum current");
    let rows = [
        (
            voltage_mv > own.min_voltage_mv,
            volts(voltage, voltage_mv, "charger's minimum", own.min_voltage_mv),
        ),
        (voltage_mv >= least_mv, volts(voltage, voltage_mv, "least for an isolation test", least_mv)),
        (voltage_mv <= most.max_voltage_mv, volts(voltage, voltage_mv, "most", most.max_voltage_mv)),
        (
            current_ma > own.min_current_ma,
            amperes(current, current_ma, "charger's minimum", own.min_current_ma),
        ),
        (current_ma <= most.max_current_ma, amperes(current, current_ma, "most", most.max_current_ma)),
        ((0..=most.max_power_w).contains(&power_w), power),
    ];
    fit(Verdict::ParametersDoNotFit, rows)
}

/// Whether a precharge request is acceptable.
pub(crate) fn precharge(config: &Config, asked: Target) -> Result<Option<Warning>, Refusal> {
    let (most_mv, most_ma) = (Limits::PLAUSIBLE.max_voltage_mv, CURRENT_BEFORE_POWER_MA);
    let current = amperes("precharge current", asked.current_ma, "most", most_ma);
    let voltage = |limit| volts("precharge target", asked.voltage_mv, "limit", limit);
    let least_mv = config.limits.min_voltage_mv;
    let is_low = asked.voltage_mv < least_mv;
    let rows = [
        (asked.voltage_mv <= most_mv, voltage(most_mv)),
        ((0..=most_ma).contains(&asked.current_ma), current),
        (!is_low || config.quirks.contains(Quirks::ODD_PRECHARGE_TARGET), voltage(least_mv)),
    ];
    fit(Verdict::Failed, rows)?;
    Ok(is_low.then_some(Warning::Quirk("odd-precharge-target")))
}

/// Whether power may be switched on. The output is compared with the voltage that the car has requested: an
/// output that reaches only a part of it is not at the car's voltage.
pub(crate) fn power_on(
    config: &Config,
    profile: Option<Profile>,
    present_mv: i32,
    precharge_mv: i32,
) -> Result<Option<Warning>, Refusal> {
    if profile.is_some_and(|profile| profile.schedule != i32::from(SCHEDULE)) {
        return Err(Verdict::ScheduleNotOffered.into());
    }
    let least_mv = config.limits.min_voltage_mv;
    let is_near = present_mv.saturating_sub(precharge_mv).saturating_abs() <= POWER_ON_WINDOW_MV;
    let rows = [
        (precharge_mv >= least_mv, volts("precharge target", precharge_mv, "charger's minimum", least_mv)),
        (is_near, volts("output voltage", present_mv, "precharge target", precharge_mv)),
    ];
    fit(Verdict::VoltageOffTarget, rows)?;
    if profile.is_some_and(|profile| profile.most_w > config.limits.max_power_w) {
        if !config.quirks.contains(Quirks::PROFILE_POWER) {
            return Err(Verdict::ProfileAboveSchedule.into());
        }
        return Ok(Some(Warning::Quirk("profile-power")));
    }
    Ok(None)
}

/// Whether a current request is plausible.
pub(crate) fn demand(asked: Target, limits: &Limits) -> Result<(), Refusal> {
    let (most, current_ma, voltage_mv) = (Limits::PLAUSIBLE, asked.current_ma, asked.voltage_mv);
    let rows = [
        (
            (0..=most.max_current_ma).contains(&current_ma),
            amperes("target current", current_ma, "most", most.max_current_ma),
        ),
        (
            (0..=most.max_voltage_mv).contains(&voltage_mv),
            volts("target voltage", voltage_mv, "most", most.max_voltage_mv),
        ),
        (limits.max_voltage_mv >= 0, volts("car's maximum voltage", limits.max_voltage_mv, "least", 0)),
        (limits.max_current_ma >= 0, amperes("car's maximum current", limits.max_current_ma, "least", 0)),
    ];
    fit(Verdict::Failed, rows)?;
    if limits.max_power_w < 0 { Err(Verdict::Failed.into()) } else { Ok(()) }
}
