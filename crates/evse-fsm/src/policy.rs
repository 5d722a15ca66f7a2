//! Policy: whether what the car asks for may be.

use session::{Limits, Target};

use crate::power::CURRENT_BEFORE_POWER_MA;
use crate::request::{CarStatus, Verdict};
use crate::{Config, EnergyTransfer, Quirks, Warning};

/// How far the output may be from the car's target when power is switched on, in mV: 20 V (IEC 61851-23).
pub(crate) const POWER_ON_WINDOW_MV: i32 = 20_000;

/// Whether the selection of services is the one that was offered.
pub(crate) fn payment(external: bool, only_service: Option<u16>, offered: u16) -> Verdict {
    if !external {
        return Verdict::PaymentSelectionInvalid;
    }
    if only_service == Some(offered) { Verdict::Ok } else { Verdict::ServiceSelectionInvalid }
}

/// Whether car and charger fit.
pub(crate) fn parameters(
    config: &Config,
    transfer: Option<EnergyTransfer>,
    car: Option<&(CarStatus, Limits)>,
) -> Verdict {
    if transfer != Some(config.energy_transfer) {
        return Verdict::WrongEnergyTransfer;
    }
    let Some((_, limits)) = car else { return Verdict::WrongChargeParameter };
    let power = if limits.max_power_w == i32::MAX { 0 } else { limits.max_power_w };
    let plausible = (0..=Limits::PLAUSIBLE.max_voltage_mv).contains(&limits.max_voltage_mv)
        && (0..=Limits::PLAUSIBLE.max_current_ma).contains(&limits.max_current_ma)
        && (0..=Limits::PLAUSIBLE.max_power_w).contains(&power);
    let fits = limits.max_voltage_mv > config.limits.min_voltage_mv
        && limits.max_current_ma > config.limits.min_current_ma;
    if plausible && fits { Verdict::Ok } else { Verdict::WrongChargeParameter }
}

/// What a precharge request makes of the output, in mV.
pub(crate) fn precharge(
    config: &Config,
    bounds: &Limits,
    car: CarStatus,
    asked: Target,
) -> Result<(i32, Option<Warning>), Verdict> {
    let absurd = asked.voltage_mv > Limits::PLAUSIBLE.max_voltage_mv;
    if car.error != 0 || absurd || !(0..=CURRENT_BEFORE_POWER_MA).contains(&asked.current_ma) {
        return Err(Verdict::Failed);
    }
    if asked.voltage_mv < config.limits.min_voltage_mv {
        // Never lifted to the minimum: the car did not ask for that.
        if !config.quirks.contains(Quirks::ODD_PRECHARGE_TARGET) {
            return Err(Verdict::Failed);
        }
        return Ok((0, Some(Warning::Quirk("odd-precharge-target"))));
    }
    Ok((asked.voltage_mv.min(bounds.max_voltage_mv), None))
}

/// Whether power may be switched on.
pub(crate) fn power_on(
    config: &Config,
    tuple: Option<i16>,
    profile_w: i32,
    present_mv: i32,
    target_mv: i32,
) -> Result<Option<Warning>, Verdict> {
    if tuple.is_some_and(|tuple| tuple != crate::din::SCHEDULE) {
        return Err(Verdict::TariffSelectionInvalid);
    }
    if present_mv.saturating_sub(target_mv).saturating_abs() > POWER_ON_WINDOW_MV {
        return Err(Verdict::PresentVoltageTooLow);
    }
    if profile_w > config.limits.max_power_w.min(i32::from(i16::MAX)) {
        if !config.quirks.contains(Quirks::PROFILE_POWER) {
            return Err(Verdict::ChargingProfileInvalid);
        }
        return Ok(Some(Warning::Quirk("profile-power")));
    }
    Ok(None)
}

/// Whether a demand for current is one that can be.
pub(crate) fn demand(asked: Target, limits: &Limits) -> bool {
    (0..=Limits::PLAUSIBLE.max_current_ma).contains(&asked.current_ma)
        && (0..=Limits::PLAUSIBLE.max_voltage_mv).contains(&asked.voltage_mv)
        && limits.max_voltage_mv >= 0
        && limits.max_current_ma >= 0
        && limits.max_power_w >= 0
}
