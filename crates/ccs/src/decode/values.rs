//! The values of a message in one line, for people.

use std::fmt::Write;

use exi::trace::{Sink, Value};

use super::{Codecs, Schema};
use crate::escape;

/// Appends ` Name=value` for every value of a document's message, in the order of the document: physical
/// values scaled and with their unit, bytes in hexadecimal, text in quotes and escaped. The header is left
/// away. Says whether the document decodes; what came before an error is there all the same.
pub fn describe(schema: Schema, document: &[u8], out: &mut String) -> bool {
    let mut line = Line { out, path: Vec::new(), quantity: Quantity::default() };
    schema.dissect(document, &mut line).is_some_and(|result| result.is_ok())
}

/// Bytes shown in full; longer ones (certificates) by their number only.
const MAX_BYTES: usize = 32;
/// Characters of a text shown.
const MAX_TEXT: usize = 80;

struct Line<'o> {
    out: &'o mut String,
    path: Vec<&'static str>,
    quantity: Quantity,
}

/// A physical value whose parts are coming in.
#[derive(Default)]
struct Quantity {
    exponent: Option<i64>,
    unit: &'static str,
    mantissa: Option<i64>,
}

impl Line<'_> {
    fn is_hidden(&self) -> bool {
        matches!(self.path.as_slice(), [_, "Header", inner, ..] if *inner != "Notification")
    }

    /// Keeps a part of a physical value back until its element is over.
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

impl<'a> Sink<'a> for Line<'_> {
    fn enter(&mut self, name: &'static str, _bit: u32) {
        self.path.push(name);
    }

    fn value(&mut self, value: Value<'a>, _start: u32, _end: u32) {
        if self.is_hidden() || self.is_part(value) {
            return;
        }
        let name = self.path.last().copied().unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = write!(self.out, " {name}=");
        write_value(value, self.out);
    }

    fn leave(&mut self, _bit: u32) {
        let name = self.path.pop();
        let is_over = !matches!(name, Some("Multiplier" | "Exponent" | "Unit" | "Value"));
        if is_over
            && let Quantity { exponent: Some(exponent), unit, mantissa: Some(mantissa) } = self.quantity
        {
            let _ = write!(self.out, " {}=", name.unwrap_or_default());
            write_scaled(mantissa, exponent, self.out);
            self.out.push_str(unit);
            self.quantity = Quantity::default();
        }
    }
}

fn write_value(value: Value<'_>, out: &mut String) {
    let _ = match value {
        Value::Boolean(value) => write!(out, "{value}"),
        Value::Integer(value) => write!(out, "{value}"),
        Value::Unsigned(value) => write!(out, "{value}"),
        Value::Big(value) => match value.to_i128() {
            Some(value) => write!(out, "{value}"),
            None => write!(out, "<large number>"),
        },
        Value::Enumeration(_, name) => write!(out, "{name}"),
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

/// Exponents beyond this do not occur (the schemas have -3..=3 and -128..=127); they are shown as such.
const MAX_EXPONENT: i64 = 12;

/// Writes `mantissa * 10^exponent` as a decimal number, exactly.
pub fn write_scaled(mantissa: i64, exponent: i64, out: &mut String) {
    let _ = match u32::try_from(exponent.unsigned_abs()) {
        Ok(digits) if exponent.abs() <= MAX_EXPONENT => {
            let power = 10_i128.pow(digits);
            let mantissa = i128::from(mantissa);
            if exponent >= 0 {
                write!(out, "{}", mantissa * power)
            } else {
                let sign = if mantissa < 0 { "-" } else { "" };
                let size = mantissa.unsigned_abs();
                let power = power.unsigned_abs();
                let width = usize::try_from(digits).unwrap_or(0);
                write!(out, "{sign}{}.{:0width$}", size / power, size % power)
            }
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
            " EVReady=true EVCabinConditioning=false EVRESSConditioning=false EVErrorCode=NO_ERROR EVRESSSOC=27 \
             EVTargetVoltage=344.7V EVTargetCurrent=1.0A"
        );
        let mut cut = String::new();
        assert!(!describe(Schema::Din, &document[..18], &mut cut));
        assert!(line.starts_with(&cut) && cut.contains("EVReady"), "{cut}");
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
