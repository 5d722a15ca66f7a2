//! `HomePlug` management messages: their direction, and their fields as text or JSON.

use std::fmt::Write;

use homeplug_mme::view::View;
use homeplug_mme::{Frame, Mac, MessageError, Slac, SlacFault, Value};
use serde_json::{Map, Value as Json, json};

use super::Direction;
use super::values::write_scaled;
use crate::hex;

/// Whether keys, and bytes that may contain keys, are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keys {
    /// Not shown; the default.
    #[default]
    Redacted,
    /// Shown on request.
    Shown,
}

/// Stands for a key.
const REDACTED: &str = "<redacted>";
/// Most bytes of a field that are shown in full; of longer fields only the number is shown.
const MAX_BYTES: usize = 32;

/// Messages that only the car sends during matching (type with its two lowest bits).
const FROM_PEV: &[u16] = &[0x6064, 0x606A, 0x606F, 0x6076, 0x6078, 0x607C];
const FROM_EVSE: &[u16] = &[0x6065, 0x606E, 0x6079, 0x607D];

/// Base types whose bodies contain keys, or memory and parameters with keys. Their opaque parts (fragments,
/// other versions, other vendors) are redacted too.
const WITH_KEYS: &[u16] = &[
    0x6008, 0x600C, 0x607C, 0x6080, 0xA004, 0xA008, 0xA020, 0xA024, 0xA050, 0xA058, 0xA078, 0xA098, 0xA0B0,
    0xA0F8, 0xA100,
];

/// Fields that are equal in nearly every message, or have no meaning for readers: only in JSON.
const QUIET: &[&str] = &[
    "application_type",
    "cco_cap",
    "cipher_suites",
    "cookie",
    "eks",
    "ident",
    "key_type",
    "m_sound_target",
    "mod_op_data_len",
    "mvf_length",
    "my_nonce",
    "new_eks",
    "num_op",
    "pid",
    "pmn",
    "prn",
    "request_type",
    "requested_key_type",
    "resp_type",
    "rnd",
    "rsvd",
    "rsvd2",
    "security_type",
    "stepping",
    "unknown",
    "ver_len",
    "your_nonce",
];

/// Direction of a message; `None` if both sides send it.
pub fn direction_of(frame: &Frame<'_>) -> Option<Direction> {
    if FROM_PEV.contains(&frame.mm_type.0) {
        Some(Direction::ToEvse)
    } else if FROM_EVSE.contains(&frame.mm_type.0) {
        Some(Direction::ToPev)
    } else {
        None
    }
}

/// Whether it may contain a key, in a field or in opaque bytes.
pub fn may_hold_keys(frame: &Frame<'_>) -> bool {
    WITH_KEYS.contains(&frame.mm_type.base().0)
}

/// Why a matching message must be ignored although it can be parsed; `None` if it is valid.
pub fn fault(frame: &Frame<'_>) -> Option<SlacFault> {
    match Slac::parse(frame)? {
        Err(SlacFault::Message(_)) | Ok(_) => None,
        Err(fault) => Some(fault),
    }
}

/// Appends ` name=value` for the sender, the receiver and the main fields, in their order in the frame.
///
/// # Errors
/// The frame ends too early; the addresses are appended in any case.
pub fn describe(frame: &Frame<'_>, keys: Keys, out: &mut String) -> Result<(), MessageError> {
    // Writing to a string cannot fail.
    if let Some(from) = known(frame.from) {
        let _ = write!(out, " from={from}");
    }
    if frame.to == Mac::BROADCAST {
        out.push_str(" to=all");
    } else if let Some(to) = known(frame.to) {
        let _ = write!(out, " to={to}");
    }
    if !frame.fragment.is_whole() {
        let _ = write!(out, " fragment={}/{}", frame.fragment.number, frame.fragment.following);
    }
    fields(frame, keys, &mut |name, value| {
        if QUIET.contains(&name)
            || matches!(value, Value::Bytes(bytes) if bytes.iter().all(|byte| *byte == 0))
        {
            return;
        }
        let _ = write!(out, " {name}=");
        write_value(value, keys, out);
    })
}

fn write_value(value: Value<'_>, keys: Keys, out: &mut String) {
    let _ = match value {
        Value::Number(number) => write!(out, "{number}"),
        Value::Mac(mac) => write!(out, "{mac}"),
        Value::Text(text) => write!(out, "\"{}\"", text.escape_ascii()),
        Value::Decibels([]) => write!(out, "none"),
        Value::Decibels(groups) => {
            write_scaled(mean_cdb(groups), -2, out);
            write!(out, "dB")
        }
        Value::Secret(_) if keys == Keys::Redacted => write!(out, "{REDACTED}"),
        Value::Bytes(bytes) | Value::Secret(bytes) if bytes.len() > MAX_BYTES => {
            write!(out, "<{} bytes>", bytes.len())
        }
        Value::Bytes(bytes) | Value::Secret(bytes) => {
            hex::write(bytes, out);
            Ok(())
        }
    };
}

/// Mean of attenuations, in hundredths of a dB.
fn mean_cdb(groups: &[u8]) -> i64 {
    let (sum, count) = groups.iter().fold((0, 0), |(sum, count), db| (sum + i64::from(*db), count + 1));
    sum * 100 / count.max(1)
}

/// Addresses, version, vendor and fragmentation.
pub fn header(frame: &Frame<'_>) -> Json {
    let fragment = (!frame.fragment.is_whole()).then(|| {
        let homeplug_mme::Fragment { following, number, sequence } = frame.fragment;
        json!({ "number": number, "following": following, "sequence": sequence })
    });
    json!({
        "from": known(frame.from).map(|mac| mac.to_string()),
        "to": known(frame.to).map(|mac| mac.to_string()),
        "version": frame.version.0,
        "oui": frame.oui.map(|oui| format!("{oui:?}")),
        "fragment": fragment,
    })
}

/// All fields by name: bytes in hexadecimal, attenuations as numbers. A field that occurs more than once is a
/// list.
///
/// # Errors
/// The frame ends too early.
pub fn to_json(frame: &Frame<'_>, keys: Keys) -> Result<Json, MessageError> {
    let mut object = Map::new();
    fields(frame, keys, &mut |name, value| {
        let value = match value {
            Value::Number(number) => number.into(),
            Value::Mac(mac) => mac.to_string().into(),
            Value::Text(text) => text.escape_ascii().to_string().into(),
            Value::Decibels(groups) => groups.to_vec().into(),
            Value::Secret(_) if keys == Keys::Redacted => REDACTED.into(),
            Value::Bytes(bytes) | Value::Secret(bytes) => {
                let mut text = String::new();
                hex::write(bytes, &mut text);
                text.into()
            }
        };
        match object.get_mut(name) {
            // Attenuations, the only value that is a list itself, occur once.
            Some(Json::Array(values)) => values.push(value),
            Some(first) => *first = Json::Array(vec![first.take(), value]),
            None => {
                object.insert(name.to_owned(), value);
            }
        }
    })?;
    Ok(object.into())
}

/// Passes the fields of a message to `show`; the bytes of an opaque message as a secret if they may be one.
fn fields(
    frame: &Frame<'_>,
    keys: Keys,
    visit: &mut dyn FnMut(&'static str, Value<'_>),
) -> Result<(), MessageError> {
    match View::of(frame)? {
        View::Unknown(body) if keys == Keys::Redacted && may_hold_keys(frame) => {
            visit("body", Value::Secret(body));
        }
        view => view.fields(visit),
    }
    Ok(())
}

/// `None` for zero, which is no station's address: captures without Ethernet headers lack some addresses.
fn known(mac: Mac) -> Option<Mac> {
    (mac != Mac([0; 6])).then_some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeplug_mme::{GROUPS, MAX_FRAME, NetworkKey, Nmk, Profile, RunId, StationId};

    const CAR: Mac = Mac([2, 0, 0, 0, 0, 0xE1]);
    const CHARGER: Mac = Mac([2, 0, 0, 0, 0, 0x5E]);
    const RUN_ID: RunId = RunId(*b"TESLA EV");

    fn frame(message: &Slac, to: Mac, from: Mac) -> Vec<u8> {
        let mut buffer = [0; MAX_FRAME];
        let len = message.emit(to, from, &mut buffer).unwrap();
        buffer[..len].to_vec()
    }

    fn confirmation() -> Vec<u8> {
        let key = NetworkKey::derived(Nmk::new([0xAB; 16]));
        let none = StationId::default();
        let message =
            Slac::MatchCnf { run_id: RUN_ID, car: CAR, pev_id: none, charger: CHARGER, evse_id: none, key };
        frame(&message, CAR, CHARGER)
    }

    fn line(bytes: &[u8], keys: Keys) -> String {
        let mut line = String::new();
        match describe(&Frame::parse(bytes).unwrap(), keys, &mut line) {
            Ok(()) => line,
            Err(error) => format!("{line} {error}"),
        }
    }

    #[test]
    fn a_line_has_the_main_fields_and_the_mean_of_a_measurement() {
        let request = frame(&Slac::ParmReq { run_id: RUN_ID }, Mac::BROADCAST, CAR);
        assert_eq!(line(&request, Keys::Redacted), " from=02:00:00:00:00:e1 to=all run_id=5445534c41204556");
        let mut profile = Profile([10; GROUPS]);
        profile.0[0] = 39;
        let measured = Slac::AttenChar { run_id: RUN_ID, car: CAR, sounds: 9, profile: Some(profile) };
        assert_eq!(
            line(&frame(&measured, CAR, CHARGER), Keys::Redacted),
            " from=02:00:00:00:00:5e to=02:00:00:00:00:e1 source_address=02:00:00:00:00:e1 \
             run_id=5445534c41204556 num_sounds=9 num_groups=58 aag=10.50dB"
        );
        let json = to_json(&Frame::parse(&frame(&measured, CAR, CHARGER)).unwrap(), Keys::Redacted).unwrap();
        assert_eq!(
            (&json["aag"][0], &json["aag"][57], &json["security_type"]),
            (&39.into(), &10.into(), &0.into())
        );
    }

    #[test]
    fn keys_are_shown_only_to_who_asks_for_them() {
        let key = "ab".repeat(16);
        let bytes = confirmation();
        assert!(line(&bytes, Keys::Redacted).ends_with(" nmk=<redacted>"));
        assert!(line(&bytes, Keys::Shown).ends_with(&format!(" nmk={key}")));
        let json = |bytes, keys| to_json(&Frame::parse(bytes).unwrap(), keys).unwrap();
        assert_eq!(json(&bytes, Keys::Redacted)["nmk"], REDACTED);
        assert_eq!(json(&bytes, Keys::Shown)["nmk"], key);
        // A fragment has no fields, but may contain the key.
        let mut fragment = bytes.clone();
        fragment[17] = 0x10;
        assert_eq!(json(&fragment, Keys::Redacted)["body"], REDACTED);
        assert!(json(&fragment, Keys::Shown)["body"].to_string().contains(&key));
        assert!(line(&fragment, Keys::Redacted).ends_with(" fragment=0/1 body=<redacted>"));
    }

    #[test]
    fn what_occurs_more_than_once_is_a_list() {
        let mut bytes = frame(&Slac::ParmReq { run_id: RUN_ID }, CAR, CHARGER);
        // CM_BRG_INFO.CNF of a bridge with two hosts.
        bytes[15..17].copy_from_slice(&0x6021_u16.to_le_bytes());
        bytes[19..34].copy_from_slice(&[1, 2, 2, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
        let json = to_json(&Frame::parse(&bytes).unwrap(), Keys::Redacted).unwrap();
        let hosts = json!(["02:00:00:00:00:01", "02:00:00:00:00:02"]);
        assert_eq!(json, json!({ "bsf": 1, "btei": 2, "nbda": 2, "bda": hosts }));
    }

    #[test]
    fn a_message_that_ends_too_early_or_is_not_to_be_acted_on_says_why() {
        let bytes = confirmation();
        let end = " from=02:00:00:00:00:5e to=02:00:00:00:00:e1 the message ends too early, in the field at byte 74 of \
                   its body";
        assert_eq!(line(&bytes[..100], Keys::Redacted), end);
        let mut secured = bytes;
        secured[20] = 1;
        let frame = Frame::parse(&secured).unwrap();
        assert_eq!(fault(&frame), Some(SlacFault::SecurityType(1)));
        assert_eq!(fault(&Frame::parse(&secured[..100]).unwrap()), None, "that is told as an error");
    }
}
