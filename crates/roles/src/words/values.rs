use core::fmt;

use session::{Isolation, Status, Target, Values};

/// The main values of a message, each after a space.
#[derive(Clone, Copy, Debug)]
pub struct OfValues<'v>(pub &'v Values);

impl fmt::Display for OfValues<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.0;
        if let Some(code) = values.code {
            write!(f, " {code}")?;
        }
        if let Some(finished) = values.finished {
            f.write_str(if finished { " finished" } else { " ongoing" })?;
        }
        if let Some(status) = values.status {
            write!(f, " status={}", status_name(status))?;
        }
        if let Some(isolation) = values.isolation {
            write!(f, " isolation={}", isolation_name(isolation))?;
        }
        let limits = values
            .limits
            .map(|limits| Target { voltage_mv: limits.max_voltage_mv, current_ma: limits.max_current_ma });
        for (name, target) in [("target", values.target), ("present", values.present)] {
            write_target(f, name, target)?;
        }
        if let Some(soc) = values.soc_percent {
            write!(f, " soc={soc}%")?;
        }
        if let Some(error) = values.car_error {
            write!(f, " car-error={error}")?;
        }
        if let Some(power) = values.power_on {
            f.write_str(if power { " power=on" } else { " power=off" })?;
        }
        write_target(f, "limits", limits)
    }
}

fn write_target(f: &mut fmt::Formatter<'_>, name: &str, target: Option<Target>) -> fmt::Result {
    let Some(Target { voltage_mv, current_ma }) = target else { return Ok(()) };
    write!(f, " {name}={}V/{}A", Tenths(voltage_mv), Tenths(current_ma))
}

/// Thousandths, shown as tenths, as the messages contain them: truncated, not rounded.
struct Tenths(i32);

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0 / 100;
        let sign = if tenths < 0 { "-" } else { "" };
        let tenths = tenths.unsigned_abs();
        write!(f, "{sign}{}.{}", tenths / 10, tenths % 10)
    }
}

const fn status_name(status: Status) -> &'static str {
    match status {
        Status::NotReady => "not-ready",
        Status::Ready => "ready",
        Status::Shutdown => "shutdown",
        Status::UtilityInterrupt => "utility-interrupt",
        Status::IsolationMonitoring => "isolation-monitoring",
        Status::EmergencyShutdown => "emergency-shutdown",
        Status::Malfunction => "malfunction",
    }
}

const fn isolation_name(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::Measuring => "invalid",
        Isolation::Valid => "valid",
        Isolation::Warning => "warning",
        Isolation::Fault => "fault",
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::ToString;

    use super::*;

    #[test]
    fn values_are_shown_in_tenths_each_after_a_blank() {
        let target = Some(Target { voltage_mv: 355_250, current_ma: -500 });
        let values = Values { target, soc_percent: Some(42), ..Values::default() };
        assert_eq!(OfValues(&values).to_string(), " target=355.2V/-0.5A soc=42%");
        assert_eq!(OfValues(&Values::default()).to_string(), "");
    }
}
