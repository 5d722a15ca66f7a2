//! V2G messages as JSON: a script names any of their fields as the schema does.

use serde_json::Value;

/// The message sets. That of the handshake comes first: its root has unique codes, while DIN SPEC 70121 reads
/// its bits as other elements.
const SETS: [&exi::json::Schema; 2] = [&exi_app::SCHEMA, &exi_din::SCHEMA];
/// The V2GTP header of an EXI message without its length.
const HEADER: [u8; 4] = [1, 0xFE, 0x80, 1];

/// Most items of a list: a message with this many is far longer than a peer accepts.
const MOST: usize = 10_000;

/// A decoded message.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    json: Value,
    set: usize,
}

/// The payload if a stream begins with a complete V2GTP message of EXI.
pub(super) fn payload(stream: &[u8]) -> Option<&[u8]> {
    let rest = stream.strip_prefix(&HEADER)?;
    let (length, payload) = rest.split_first_chunk()?;
    (usize::try_from(u32::from_be_bytes(*length)).ok()? == payload.len()).then_some(payload)
}

/// A payload with its V2GTP header.
pub(super) fn wrap(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    [&HEADER[..], &length.to_be_bytes(), payload].concat()
}

impl Message {
    /// Decodes a payload.
    pub(super) fn decode(payload: &[u8]) -> Option<Self> {
        SETS.iter()
            .enumerate()
            .find_map(|(set, schema)| schema.decode(payload, false).ok().map(|json| Self { json, set }))
    }

    /// Encodes it again; if that is not possible, the encoder's text.
    pub(super) fn encode(&self) -> Result<Vec<u8>, String> {
        let schema = SETS.get(self.set).ok_or("no such message set")?;
        schema.encode(&self.json, false).map_err(|error| error.to_string())
    }

    /// Its name in the schema.
    pub(super) fn name(&self) -> &str {
        self.parts().map_or("", |(name, _)| name)
    }

    /// The value at a path.
    pub(super) fn get(&self, path: &str) -> Option<&Value> {
        let top = self.json.get("V2G_Message");
        let root = match top {
            Some(top) if path.starts_with("Header.") => top,
            _ => self.parts()?.1,
        };
        path.split('.').try_fold(root, step)
    }

    /// Whether the value at a path is this one: a number with unit, a word, or the JSON itself.
    pub(super) fn is_at(&self, path: &str, wanted: &str) -> bool {
        let Some(found) = self.get(path) else { return wanted == "absent" };
        let physical = || {
            let value = found.get("Value")?.as_i64()?;
            let multiplier = found.get("Multiplier")?.as_i64()?;
            let (number, _) = quantity(wanted)?;
            let exponent = u32::try_from(multiplier + 3).ok()?;
            Some(value.checked_mul(10_i64.checked_pow(exponent)?)? == number)
        };
        match found {
            Value::String(text) => text == wanted,
            Value::Object(_) => physical().unwrap_or(false),
            other => serde_json::from_str::<Value>(wanted).is_ok_and(|wanted| *other == wanted),
        }
    }

    /// Sets the value at a path, whose parent must exist.
    pub(super) fn set(&mut self, path: &str, text: &str) -> Result<(), String> {
        let (above, last) = path.rsplit_once('.').unwrap_or(("", path));
        let target = if above.is_empty() { self.root_mut() } else { self.find_mut(above) };
        let Some(Value::Object(map)) = target else { return Err(format!("no {above} in this message")) };
        if text == "absent" {
            map.remove(last);
            return Ok(());
        }
        let value = value(map.get(last), text);
        map.insert(last.to_owned(), value);
        Ok(())
    }

    /// Fills a list with this many copies of its last item.
    pub(super) fn repeat(&mut self, path: &str, times: usize) -> Result<(), String> {
        if times > MOST {
            return Err(format!("{times} items are too many: at most {MOST}"));
        }
        let list = self.find_mut(path).ok_or_else(|| format!("no {path} in this message"))?;
        let last = match list.take() {
            Value::Array(mut items) => items.pop().ok_or_else(|| format!("nothing in {path}"))?,
            only => only,
        };
        *list = Value::Array(vec![last; times]);
        Ok(())
    }

    /// Replaces its body by another message and keeps the header.
    pub(super) fn become_body(&mut self, body: &str) -> Result<(), String> {
        let body: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
        let slot = self.json.get_mut("V2G_Message").and_then(|top| top.get_mut("Body"));
        *slot.ok_or("not a message with a body")? = body;
        Ok(())
    }

    fn parts(&self) -> Option<(&str, &Value)> {
        let (name, content) = self.json.as_object()?.iter().next()?;
        if name != "V2G_Message" {
            return Some((name, content));
        }
        content.get("Body")?.as_object()?.iter().next().map(|(name, body)| (name.as_str(), body))
    }

    fn root_mut(&mut self) -> Option<&mut Value> {
        let (_, content) = self.json.as_object_mut()?.iter_mut().next()?;
        if content.get("Body").is_some() {
            content.get_mut("Body")?.as_object_mut()?.iter_mut().next().map(|(_, body)| body)
        } else {
            Some(content)
        }
    }

    fn find_mut(&mut self, path: &str) -> Option<&mut Value> {
        let is_header = path == "Header" || path.starts_with("Header.");
        let root = if is_header { self.json.get_mut("V2G_Message")? } else { self.root_mut()? };
        path.split('.').try_fold(root, |value, name| match value {
            Value::Array(list) => list.get_mut(name.parse::<usize>().ok()?),
            other => other.get_mut(name),
        })
    }
}

fn step<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Array(list) => list.get(name.parse::<usize>().ok()?),
        other => other.get(name),
    }
}

/// A number with its unit, in thousandths: `380V`, `-2.5A`, `90kW`.
pub(super) fn quantity(text: &str) -> Option<(i64, &str)> {
    let end = text.find(|letter: char| !matches!(letter, '0'..='9' | '.' | '-'))?;
    let (number, unit) = text.split_at(end);
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    let negative = whole.starts_with('-');
    let whole: i64 = whole.parse().ok()?;
    let part: i64 = format!("{part:0<3}").get(..3)?.parse().ok()?;
    let thousandths = whole * 1000 + if negative { -part } else { part };
    match unit {
        "kW" => Some((thousandths * 1000, "W")),
        "V" | "A" | "W" | "C" => Some((thousandths, unit)),
        _ => None,
    }
}

/// JSON from a script's word, of the type of the present value.
fn value(before: Option<&Value>, text: &str) -> Value {
    if let Some((thousandths, unit)) = quantity(text) {
        // The finest multiplier with which the value fits.
        for multiplier in -3..=3_i32 {
            let divisor = 10_i64.pow(u32::try_from(multiplier + 3).unwrap_or_default());
            if let Ok(value) = i16::try_from(thousandths / divisor) {
                return serde_json::json!({ "Multiplier": multiplier, "Unit": unit, "Value": value });
            }
        }
    }
    match before {
        Some(Value::String(_)) => Value::String(text.to_owned()),
        _ => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A captured `PreChargeReq` of a Hyundai Ioniq.
    const IONIQ: [u8; 23] = [
        0x80, 0x9a, 0x02, 0x1a, 0x3d, 0x73, 0x30, 0x88, 0x03, 0x4d, 0xa2, 0x91, 0x51, 0x40, 0x02, 0x81, 0x01,
        0x40, 0xc8, 0x0c, 0x0c, 0x00, 0x40,
    ];

    #[test]
    fn a_field_is_read_replaced_and_written_again() {
        let mut message = Message::decode(&IONIQ).unwrap();
        assert_eq!(message.name(), "PreChargeReq");
        assert!(message.is_at("EVTargetVoltage", "500V"));
        assert_eq!(message.encode().unwrap(), IONIQ, "unchanged");
        message.set("EVTargetVoltage", "380.5V").unwrap();
        message.set("DC_EVStatus.EVErrorCode", "NO_ERROR").unwrap();
        message.set("Header.SessionID", "0102").unwrap();
        let again = Message::decode(&message.encode().unwrap()).unwrap();
        assert!(again.is_at("EVTargetVoltage", "380.5V") && again.is_at("Header.SessionID", "0102"));
    }

    #[test]
    fn what_does_not_fit_the_schema_is_said() {
        let mut message = Message::decode(&IONIQ).unwrap();
        assert!(message.set("DC_EVSEStatus.Nothing", "1").is_err());
        message.set("DC_EVStatus.EVErrorCode", "NO_SUCH").unwrap();
        assert!(message.encode().is_err());
    }

    #[test]
    fn quantities_are_thousandths() {
        assert_eq!(quantity("380V"), Some((380_000, "V")));
        assert_eq!(quantity("-2.5A"), Some((-2_500, "A")));
        assert_eq!(quantity("50kW"), Some((50_000_000, "W")));
        assert_eq!(quantity("12"), None);
    }
}
