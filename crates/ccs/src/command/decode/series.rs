//! The values of a charge over time.

use std::collections::BTreeMap;

use exi::trace::Value;
use homeplug_mme::MmType;

use crate::decode::values::{self, Field};
use crate::decode::{Content, Event, Schema};

/// The values, by their names in messages of DIN SPEC 70121.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Quantity {
    Voltage,
    Current,
    TargetVoltage,
    TargetCurrent,
    CarMaxVoltage,
    CarMaxCurrent,
    CarMaxPower,
    ChargerMaxVoltage,
    ChargerMaxCurrent,
    ChargerMaxPower,
    Soc,
}

/// Each value with its name in a message, and its column in a table, whose last word is the unit.
pub(super) const QUANTITIES: &[(Quantity, &str, &str)] = &[
    (Quantity::Voltage, "EVSEPresentVoltage", "voltage_v"),
    (Quantity::Current, "EVSEPresentCurrent", "current_a"),
    (Quantity::TargetVoltage, "EVTargetVoltage", "target_voltage_v"),
    (Quantity::TargetCurrent, "EVTargetCurrent", "target_current_a"),
    (Quantity::CarMaxVoltage, "EVMaximumVoltageLimit", "car_max_voltage_v"),
    (Quantity::CarMaxCurrent, "EVMaximumCurrentLimit", "car_max_current_a"),
    (Quantity::CarMaxPower, "EVMaximumPowerLimit", "car_max_power_w"),
    (Quantity::ChargerMaxVoltage, "EVSEMaximumVoltageLimit", "charger_max_voltage_v"),
    (Quantity::ChargerMaxCurrent, "EVSEMaximumCurrentLimit", "charger_max_current_a"),
    (Quantity::ChargerMaxPower, "EVSEMaximumPowerLimit", "charger_max_power_w"),
    (Quantity::Soc, "EVRESSSOC", "soc_percent"),
];

/// The values after one response of the charger.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    /// Seconds since the file's first frame.
    pub time_s: f64,
    /// Name of the message without `Req` or `Res`.
    pub phase: &'static str,
    /// The values so far, in volts, amperes, watts and percent.
    pub values: BTreeMap<Quantity, f64>,
}

impl Sample {
    /// Power in watts; `None` without voltage or current.
    pub(super) fn power_w(&self) -> Option<f64> {
        Some(self.values.get(&Quantity::Voltage)? * self.values.get(&Quantity::Current)?)
    }
}

/// A phase with its first and last second.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Band {
    pub name: &'static str,
    pub from_s: f64,
    pub to_s: f64,
}

/// Collects the values of a file.
#[derive(Debug, Default)]
pub(super) struct Series {
    now: Sample,
    bands: Vec<Band>,
}

/// Most bands that are kept: judgement, a session has twelve.
const MAX_BANDS: usize = 512;

const MATCHING: &str = "Matching";

/// Phases that are too short to be shown separately, joined under one name.
const PHASES: &[(&str, &str)] = &[
    ("supportedAppProtocol", "Setup"),
    ("SessionSetup", "Setup"),
    ("ServiceDiscovery", "Setup"),
    ("ServicePaymentSelection", "Setup"),
    ("ContractAuthentication", "Authorisation"),
    ("ChargeParameterDiscovery", "Parameters"),
    ("CableCheck", "CableCheck"),
    ("PreCharge", "PreCharge"),
    ("PowerDelivery", "PowerDelivery"),
    ("CurrentDemand", "CurrentDemand"),
    ("WeldingDetection", "WeldingDetection"),
    ("SessionStop", "SessionStop"),
];

/// Messages whose response is a sample.
const SAMPLED: &[&str] = &["PreCharge", "CurrentDemand", "WeldingDetection"];
/// The sampled messages that contain the car's targets.
const TARGETED: &[&str] = &["PreCharge", "CurrentDemand"];

impl Series {
    /// Handles an event. Returns a sample if the charger reports its output.
    pub(super) fn take(&mut self, event: &Event<'_>) -> Option<&Sample> {
        #[expect(clippy::cast_precision_loss, reason = "exact to the nanosecond for 100 days")]
        let time_s = event.time_ns.map_or(0.0, |ns| ns as f64 / 1e9);
        match &event.content {
            Content::Mme(frame) if is_matching(frame.mm_type) => {
                self.phase(MATCHING, time_s);
                None
            }
            Content::Exi(exi) => {
                let name = exi.message?;
                let (exchange, is_answer) = match name.strip_suffix("Res") {
                    Some(exchange) => (exchange, true),
                    None => (name.strip_suffix("Req")?, false),
                };
                if exchange == "supportedAppProtocol" && !is_answer {
                    self.now = Sample::default();
                }
                let row = PHASES.iter().find(|row| row.0 == exchange)?;
                self.phase(row.1, time_s);
                self.forget(exchange);
                self.values(exi.schema?, exi.payload);
                self.now.time_s = time_s;
                self.now.phase = row.0;
                (is_answer && SAMPLED.contains(&exchange)).then_some(&self.now)
            }
            _ => None,
        }
    }

    /// The phases so far.
    pub(super) fn bands(&self) -> &[Band] {
        &self.bands
    }

    /// A measured value is valid for one message only, and a target while the car sends it.
    fn forget(&mut self, exchange: &str) {
        let has_target = TARGETED.contains(&exchange);
        self.now.values.retain(|quantity, _| match quantity {
            Quantity::Voltage | Quantity::Current => false,
            Quantity::TargetVoltage | Quantity::TargetCurrent => has_target,
            _ => true,
        });
    }

    fn phase(&mut self, name: &'static str, time_s: f64) {
        match self.bands.last_mut() {
            Some(band) if band.name == name => band.to_s = time_s,
            before => {
                // The modems restart between matching and the session.
                if let Some(before) = before.filter(|before| before.name != MATCHING) {
                    before.to_s = time_s;
                }
                if self.bands.len() < MAX_BANDS {
                    self.bands.push(Band { name, from_s: time_s, to_s: time_s });
                }
            }
        }
    }

    fn values(&mut self, schema: Schema, document: &[u8]) {
        let values = &mut self.now.values;
        values::visit(schema, document, &mut |name, field| {
            let Some(row) = QUANTITIES.iter().find(|row| row.1 == name) else { return };
            let value = match field {
                Field::Physical { mantissa, exponent, .. } => scaled(mantissa, exponent),
                Field::Plain(Value::Integer(number)) => scaled(number, 0),
                Field::Plain(Value::Unsigned(number)) => {
                    i64::try_from(number).ok().and_then(|n| scaled(n, 0))
                }
                Field::Plain(_) => None,
            };
            values.extend(value.map(|value| (row.0, value)));
        });
    }
}

fn scaled(mantissa: i64, exponent: i64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "16 bits in a document")]
    let mantissa = mantissa as f64;
    let exponent = i32::try_from(exponent).ok().filter(|exponent| exponent.abs() <= 9)?;
    // Division is exact to the last digit; multiplication with 0.1 is not.
    Some(if exponent < 0 { mantissa / 10_f64.powi(-exponent) } else { mantissa * 10_f64.powi(exponent) })
}

/// Whether a message is between the car's first request of a matching and its end.
fn is_matching(mm_type: MmType) -> bool {
    (0x6064..=0x607F).contains(&mm_type.0)
}
