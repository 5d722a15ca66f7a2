//! Conversion between TOML values and values of a configuration.

use machine::Duration;
use toml::Value;

use crate::name;

pub(super) fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

pub(super) fn string(value: &Value) -> Result<String, String> {
    let text = value.as_str().ok_or("expected a text in quotes")?;
    name::text(text)?;
    Ok(text.to_owned())
}

pub(super) fn optional<T>(text: &str, parse: fn(&str) -> Result<T, String>) -> Result<Option<T>, String> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

/// `number / scale`: an integer if it is one, else a float.
#[expect(clippy::cast_precision_loss, reason = "shown to people")]
pub(super) fn scaled(number: i64, scale: i64) -> Value {
    if number % scale == 0 {
        Value::Integer(number / scale)
    } else {
        Value::Float(number as f64 / scale as f64)
    }
}

#[expect(clippy::cast_precision_loss, reason = "compared with bounds far below what would be lost")]
pub(super) fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}

/// The value times `scale`, rounded to an integer.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "bounds are checked before")]
pub(super) fn unscaled(value: &Value, scale: i64) -> Result<i64, String> {
    let number = as_number(value).ok_or("expected a number")?;
    let scaled = (number * scale as f64).round();
    if scaled.abs() < 1e15 { Ok(scaled as i64) } else { Err("expected a smaller number".into()) }
}

pub(super) fn number(value: &Value, scale: i64) -> Result<i32, String> {
    i32::try_from(unscaled(value, scale)?).map_err(|_| "expected a smaller number".into())
}

pub(super) fn seconds(value: &Value) -> Result<Duration, String> {
    let micros = u64::try_from(unscaled(value, 1_000_000)?).map_err(|_| "expected seconds, not negative")?;
    Ok(Duration::from_micros(micros))
}
