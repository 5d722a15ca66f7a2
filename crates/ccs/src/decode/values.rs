//! The values of a message, as a line of text or one by one.

use std::fmt::Write;

use exi::trace::{Sink, Value};

use super::{Codecs, Schema};
use crate::escape;
use crate::style::{self, Palette};

/// A value of a message.
#[derive(Clone, Copy, Debug)]
pub enum Field<'a> {
    /// As in the document.
    Plain(Value<'a>),
    /// A physical value: `mantissa * 10^exponent`, and its unit.
    Physical {
        /// The digits.
        mantissa: i64,
        /// The power of ten.
        exponent: i64,
        /// The unit.
        unit: &'static str,
    },
}

/// Calls `visit` with name and value of everything in a document's message, in the order of the document,
/// without the header. Returns whether the document decodes; values before an error are visited too.
pub fn visit(schema: Schema, document: &[u8], visit: &mut dyn FnMut(&'static str, Field<'_>)) -> bool {
    let mut fields = Fields { visit, path: Vec::new(), quantity: Quantity::default() };
    schema.dissect(document, &mut fields).is_some_and(|result| result.is_ok())
}

/// Appends ` Name=value` for every value of a document's message: physical values scaled and with their unit,
/// bytes in hexadecimal, text in quotes and escaped. Returns whether the document decodes.
pub fn describe(schema: Schema, document: &[u8], out: &mut String) -> bool {
    describe_in(schema, document, Palette { enabled: false }, false, out)
}

/// As [`describe`], with values that report trouble in red, and optionally with short names.
pub fn describe_in(
    schema: Schema,
    document: &[u8],
    palette: Palette,
    is_short: bool,
    out: &mut String,
) -> bool {
    visit(schema, document, &mut |name, field| {
        let style = (palette.enabled && is_trouble(name, field)).then_some(style::BAD);
        let name = if is_short { short(name) } else { name };
        out.push(' ');
        if let Some(style) = style {
            // Writing to a string cannot fail.
            let _ = write!(out, "{style}");
        }
        out.push_str(name);
        out.push('=');
        match field {
            Field::Plain(value) => {
                write_value(value, out);
                out.push_str(unit(name));
            }
            Field::Physical { mantissa, exponent, unit } => {
                write_scaled(mantissa, exponent, out);
                out.push_str(unit);
            }
        }
        if let Some(style) = style {
            let _ = write!(out, "{style:#}");
        }
    })
}

/// Whether a value reports an error or requests the end: a FAILED code, an error of the car, a status or
/// notification of the charger.
pub fn is_trouble(name: &str, field: Field<'_>) -> bool {
    let Field::Plain(Value::Enumeration(_, value)) = field else { return false };
    match name {
        "ResponseCode" => value.starts_with("FAILED") || value.starts_with("Failed"),
        "EVErrorCode" => !matches!(value, "NO_ERROR" | "NoData" | "No_Data"),
        "EVSEStatusCode" => matches!(
            value,
            "EVSE_Shutdown" | "EVSE_UtilityInterruptEvent" | "EVSE_EmergencyShutdown" | "EVSE_Malfunction"
        ),
        "EVSENotification" => value == "StopCharging",
        "EVSEIsolationStatus" => value == "Fault",
        _ => false,
    }
}

/// Whether any value of a document's message reports trouble.
pub fn has_trouble(schema: Schema, document: &[u8]) -> bool {
    let mut found = false;
    visit(schema, document, &mut |name, field| found |= is_trouble(name, field));
    found
}

/// Units of numbers that have none in the document (DIN SPEC 70121:2012, 9.5 and 9.6), by long and short
/// name.
const UNITS: &[(&str, &str)] = &[
    ("EVRESSSOC", "%"),
    ("SoC", "%"),
    ("FullSOC", "%"),
    ("BulkSOC", "%"),
    ("NotificationMaxDelay", "s"),
    ("delay", "s"),
    ("DepartureTime", "s"),
    ("PMax", "W"),
    ("start", "s"),
    ("duration", "s"),
    ("DateTimeNow", "s"),
    ("EVSETimeStamp", "s"),
];

fn unit(name: &str) -> &'static str {
    UNITS.iter().find(|row| row.0 == name).map_or("", |row| row.1)
}

/// Short names for narrow terminals.
const SHORT: &[(&str, &str)] = &[
    ("EVTargetVoltage", "U_target"),
    ("EVTargetCurrent", "I_target"),
    ("EVSEPresentVoltage", "U"),
    ("EVSEPresentCurrent", "I"),
    ("EVMaximumVoltageLimit", "U_max"),
    ("EVMaximumCurrentLimit", "I_max"),
    ("EVMaximumPowerLimit", "P_max"),
    ("EVSEMaximumVoltageLimit", "U_max"),
    ("EVSEMaximumCurrentLimit", "I_max"),
    ("EVSEMaximumPowerLimit", "P_max"),
    ("EVSEMinimumVoltageLimit", "U_min"),
    ("EVSEMinimumCurrentLimit", "I_min"),
    ("EVSEVoltageLimitAchieved", "U_limited"),
    ("EVSECurrentLimitAchieved", "I_limited"),
    ("EVSEPowerLimitAchieved", "P_limited"),
    ("EVSEPeakCurrentRipple", "I_ripple"),
    ("EVSECurrentRegulationTolerance", "I_tolerance"),
    ("EVRESSSOC", "SoC"),
    ("EVErrorCode", "error"),
    ("EVReady", "ready"),
    ("EVCabinConditioning", "cabin"),
    ("EVRESSConditioning", "battery"),
    ("ResponseCode", "code"),
    ("EVSEStatusCode", "status"),
    ("EVSENotification", "notify"),
    ("NotificationMaxDelay", "delay"),
    ("EVSEIsolationStatus", "isolation"),
    ("ChargingComplete", "full"),
    ("BulkChargingComplete", "bulk_full"),
    ("RemainingTimeToFullSoC", "full_in"),
    ("RemainingTimeToBulkSoC", "bulk_in"),
    ("ProtocolNamespace", "protocol"),
    ("VersionNumberMajor", "major"),
    ("VersionNumberMinor", "minor"),
    ("EVRequestedEnergyTransferType", "transfer"),
    ("EVSEProcessing", "processing"),
    ("ReadyToChargeState", "on"),
];

fn short(name: &'static str) -> &'static str {
    SHORT.iter().find(|row| row.0 == name).map_or(name, |row| row.1)
}

/// Most bytes of a value that are shown in full; of longer ones (certificates) only the number is shown.
const MAX_BYTES: usize = 32;
/// Most characters of a text that are shown.
const MAX_TEXT: usize = 80;

struct Fields<'v> {
    visit: &'v mut dyn FnMut(&'static str, Field<'_>),
    path: Vec<&'static str>,
    quantity: Quantity,
}

/// A physical value whose parts are being received.
#[derive(Default)]
struct Quantity {
    exponent: Option<i64>,
    unit: &'static str,
    mantissa: Option<i64>,
}

impl Fields<'_> {
    fn is_hidden(&self) -> bool {
        matches!(self.path.as_slice(), [_, "Header", inner, ..] if *inner != "Notification")
    }

    /// Stores a part of a physical value until its element ends. Returns whether the value was a part.
    fn is_part(&mut self, value: Value<'_>) -> bool {
        let number = match value {
            Value::Integer(number) => Some(number),
            Value::Unsigned(number) => i64::try_from(number).ok(),
            _ => None,
        };
        match (self.path.last(), value) {
            (Some(&"Multiplier" | &"Exponent"), _) => self.quantity.exponent = number,
            (Some(&"Unit"), Value::Enumeration(_, name)) => self.quantity.unit = name,
            (Some(&"Value"), _) if self.quantity.exponent.is_some() => self.quantity.mantissa = number,
            _ => return false,
        }
        true
    }
}

impl<'a> Sink<'a> for Fields<'_> {
    fn enter(&mut self, name: &'static str, _bit: u32) {
        self.path.push(name);
    }

    fn value(&mut self, value: Value<'a>, _start: u32, _end: u32) {
        if self.is_hidden() || self.is_part(value) {
            return;
        }
        (self.visit)(self.path.last().copied().unwrap_or_default(), Field::Plain(value));
    }

    fn leave(&mut self, _bit: u32) {
        let name = self.path.pop();
        let is_over = !matches!(name, Some("Multiplier" | "Exponent" | "Unit" | "Value"));
        if is_over
            && let Quantity { exponent: Some(exponent), unit, mantissa: Some(mantissa) } = self.quantity
        {
            (self.visit)(name.unwrap_or_default(), Field::Physical { mantissa, exponent, unit });
            self.quantity = Quantity::default();
        }
    }
}

/// Writes a value as text: numbers unchanged, bytes in hexadecimal, text in quotes.
pub fn write_value(value: Value<'_>, out: &mut String) {
    let _ = match value {
        Value::Boolean(value) => out.write_str(if value { "true" } else { "false" }),
        Value::Integer(value) => write!(out, "{value}"),
        Value::Unsigned(value) => write!(out, "{value}"),
        Value::Big(value) => match value.to_i128() {
            Some(value) => write!(out, "{value}"),
            None => out.write_str("<large number>"),
        },
        Value::Enumeration(_, name) => out.write_str(name),
        Value::Text(text) => {
            escape::quote(text.chars(), MAX_TEXT, out);
            Ok(())
        }
        Value::Bytes(bytes) if bytes.is_empty() => write!(out, "<empty>"),
        Value::Bytes(bytes) if bytes.len() <= MAX_BYTES => {
            bytes.iter().try_for_each(|byte| write!(out, "{byte:02X}"))
        }
        Value::Bytes(bytes) => write!(out, "<{} bytes>", bytes.len()),
    };
}

/// Larger exponents do not occur (the schemas permit -3..=3 and -128..=127); they are shown unscaled.
const MAX_EXPONENT: i64 = 12;

/// Writes `mantissa * 10^exponent` as a decimal number, exactly.
pub fn write_scaled(mantissa: i64, exponent: i64, out: &mut String) {
    let _ = match u32::try_from(exponent.unsigned_abs()) {
        Ok(0) => write!(out, "{mantissa}"),
        Ok(digits) if (1..=MAX_EXPONENT).contains(&exponent) => {
            write!(out, "{}", i128::from(mantissa) * 10_i128.pow(digits))
        }
        Ok(digits) if (-MAX_EXPONENT..0).contains(&exponent) => {
            let sign = if mantissa < 0 { "-" } else { "" };
            let (size, power) = (mantissa.unsigned_abs(), 10_u64.pow(digits));
            let width = usize::try_from(digits).unwrap_or(0);
            write!(out, "{sign}{}.{:0width$}", size / power, size % power)
        }
        _ => write!(out, "{mantissa}e{exponent}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charging_message_shows_scaled_values_and_no_header() {
        // Frame 329 of 2023-04-16_at_home_Ioniq_in_currentDemandLoop.pcapng.
        let document = [
            0x80, 0x9A, 0x02, 0x00, 0x40, 0x80, 0xC1, 0x01, 0x41, 0x81, 0xC2, 0x11, 0x51, 0x00, 0x00, 0x03,
            0x60, 0x40, 0xA1, 0xEE, 0x34, 0x04, 0x06, 0x01, 0x40,
        ];
        let mut line = String::new();
        assert!(describe(Schema::Din, &document, &mut line));
        assert_eq!(
            line,
            " EVReady=true EVCabinConditioning=false EVRESSConditioning=false EVErrorCode=NO_ERROR EVRESSSOC=27% \
             EVTargetVoltage=344.7V EVTargetCurrent=1.0A"
        );
        let mut cut = String::new();
        assert!(!describe(Schema::Din, &document[..18], &mut cut));
        assert!(line.starts_with(&cut) && cut.contains("EVReady"), "{cut}");
    }

    #[test]
    fn what_reports_trouble_is_red_and_names_are_short_on_request() {
        // supportedAppProtocolRes, Failed_NoNegotiation.
        let failed = [0x80, 0x48, 0x80];
        assert!(has_trouble(Schema::App, &failed) && !has_trouble(Schema::App, &[0x80, 0x40, 0x00, 0x40]));
        let mut line = String::new();
        describe_in(Schema::App, &failed, Palette { enabled: true }, true, &mut line);
        assert!(line.starts_with(" \u{1b}[1m\u{1b}[31mcode=Failed_NoNegotiation\u{1b}[0m"), "{line:?}");
    }

    #[test]
    fn numbers_are_scaled_exactly() {
        let scaled = |mantissa, exponent| {
            let mut out = String::new();
            write_scaled(mantissa, exponent, &mut out);
            out
        };
        assert_eq!(scaled(4005, -1), "400.5");
        assert_eq!(scaled(-5, -3), "-0.005");
        assert_eq!(scaled(12, 3), "12000");
        assert_eq!(scaled(i64::MIN, 12), "-9223372036854775808000000000000");
        assert_eq!(scaled(7, -128), "7e-128");
    }
}
