//! Every recorded frame: compared with other decoders' results, and written again if we send its type.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use corpus::{Value as Json, text};
use homeplug_mme::view::View;
use homeplug_mme::{Frame, Slac, Value};

/// Fields of the vectors with another name in the view, or combined from several.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("u8", "unknown"),
    ("sta0_mac", "mac"),
    ("sta0_tei", "tei"),
    ("sta0_bda", "bda"),
    ("rest_zero_then_aag", "aag"),
];
/// Fields of the frame's header, computed fields, and fields that only state that something is zero.
const NOT_FIELDS: &[&str] = &["fmi", "oui", "mean_floor", "rsvd", "num_avlns", "version"];

fn hex(bytes: &[u8]) -> String {
    corpus::hex(bytes)
}

/// The fields in the notation of the vectors.
fn fields(view: &View<'_>) -> BTreeMap<&'static str, Json> {
    let mut fields = BTreeMap::new();
    view.fields(&mut |name, value| {
        let value = match value {
            Value::Number(number) => Json::from(number),
            Value::Mac(mac) => Json::from(mac.to_string()),
            Value::Bytes(bytes) | Value::Secret(bytes) => Json::from(hex(bytes)),
            Value::Decibels(groups) => Json::from(groups.to_vec()),
            Value::Text(text) => Json::from(String::from_utf8_lossy(text).into_owned()),
        };
        fields.entry(name).or_insert(value);
    });
    fields
}

/// Whether a value equals that of a vector, which has some little-endian numbers as bytes.
fn same(expected: &Json, found: &Json) -> bool {
    match (expected, found) {
        (Json::String(hex), Json::Number(number)) => {
            let little = number.as_u64().unwrap().to_le_bytes();
            corpus::hex(&little).starts_with(hex.as_str())
        }
        _ => expected == found,
    }
}

#[test]
fn every_vector_has_its_stated_fields() {
    let Some(lines) = corpus::lines("mme-vectors.jsonl") else { return };
    assert_eq!(lines.len(), 239);
    let (mut compared, mut unknown) = (0, BTreeSet::new());
    for line in &lines {
        let bytes = corpus::bytes(text(line, "hex"));
        let frame = Frame::parse(&bytes).unwrap();
        let number = u16::from_str_radix(text(line, "mmtype").trim_start_matches("0x"), 16).unwrap();
        assert_eq!((frame.mm_type.0, u64::from(frame.version.0)), (number, line["mmv"].as_u64().unwrap()));
        assert_eq!(
            (frame.to.to_string(), frame.from.to_string()),
            (text(line, "dst").into(), text(line, "src").into())
        );
        if let Some(oui) = line["decoded"].get("oui") {
            assert_eq!(format!("{:?}", frame.oui.unwrap()), oui.as_str().unwrap());
        }
        let view = View::of(&frame).unwrap_or_else(|error| panic!("{}: {error}", text(line, "name")));
        if let View::Unknown(_) = view {
            unknown.insert(text(line, "name").to_owned());
            continue;
        }
        let found = fields(&view);
        for (name, expected) in line["decoded"].as_object().unwrap() {
            if NOT_FIELDS.contains(&name.as_str()) {
                continue;
            }
            let ours =
                OTHER_NAMES.iter().find(|(theirs, _)| theirs == name).map_or(name.as_str(), |(_, ours)| ours);
            let value = found.get(ours).unwrap_or_else(|| panic!("{}: no field {ours}", text(line, "name")));
            assert!(same(expected, value), "{} {name}: {expected} is not {value}", text(line, "name"));
            compared += 1;
        }
    }
    assert!(compared > 1300, "{compared}");
    let opaque = [
        "CM_ENCRYPTED_PAYLOAD.RSP",
        "VS_A048.CNF(unnamed)",
        "VS_A048.REQ(unnamed)",
        "VS_ENET_SETTINGS.CNF",
        "VS_ENET_SETTINGS.REQ",
        "VS_LNK_STATS.CNF",
        "VS_LNK_STATS.REQ",
        "VS_RX_TONE_MAP_CHAR.CNF",
        "VS_RX_TONE_MAP_CHAR.REQ",
        "VS_TONE_MAP_CHAR.CNF",
        "VS_TONE_MAP_CHAR.REQ",
    ];
    assert_eq!(unknown, opaque.map(str::to_owned).into(), "layouts that are not public");
}

#[test]
fn software_versions_are_read() {
    let Some(lines) = corpus::lines("mme-vectors.jsonl") else { return };
    let mut versions = BTreeSet::new();
    for line in lines.iter().filter(|line| text(line, "name") == "VS_SW_VER.CNF") {
        let bytes = corpus::bytes(text(line, "hex"));
        if let Ok(View::SwVerCnf(version)) = View::of(&Frame::parse(&bytes).unwrap()) {
            versions.insert(String::from_utf8(version.text().to_vec()).unwrap());
        }
    }
    let seen = [
        "MAC-QCA7000-1.1.0.727-02-20130826-FINAL",
        "MAC-QCA7005-1.1.0.730-04-20140815-CS",
        "MAC-QCA7420-1.4.0.20-00-20171027-CS",
    ];
    assert_eq!(versions, seen.map(str::to_owned).into());
}

/// Vectors whose frame contains bytes without a field: `open-plc-utils`' charger sends `CM_ATTEN_CHAR.IND` as
/// long as its buffer, a modem's `VS_SW_VER.CNF` and `VS_OP_ATTRIBUTES.CNF` contain unpublished fields, a
/// car's `NSCM_GET_VERSION.REQ` (EVerest) has memory in its reserved bytes, listings are padded with old
/// bytes.
const LONGER: &[&str] =
    &["CM_ATTEN_CHAR.IND", "VS_SW_VER.CNF", "VS_OP_ATTRIBUTES.CNF", "LUMISSIL_NSCM_GET_VERSION.REQ"];

#[test]
fn every_known_vector_is_written_back_byte_for_byte() {
    let Some(lines) = corpus::lines("mme-vectors.jsonl") else { return };
    let (mut same, mut longer) = (0, BTreeMap::<String, u32>::new());
    for line in &lines {
        let bytes = corpus::bytes(text(line, "hex"));
        let frame = Frame::parse(&bytes).unwrap();
        let view = View::of(&frame).unwrap();
        if let View::Unknown(_) = view {
            continue;
        }
        let mut buffer = [0; homeplug_mme::MAX_FRAME];
        let len = view.emit(frame.to, frame.from, &mut buffer).unwrap();
        let name = text(line, "name");
        if buffer[..len] == bytes {
            same += 1;
        } else {
            assert!(LONGER.contains(&name), "{name}\n{}\n{}", hex(&bytes), hex(&buffer[..len]));
            *longer.entry(name.to_owned()).or_default() += 1;
        }
    }
    let mut told = String::new();
    for (name, count) in &longer {
        let _ = write!(told, " {name}: {count}");
    }
    assert!(same >= 200, "{same} the same, longer:{told}");
    assert!(longer.get("CM_ATTEN_CHAR.IND").is_none_or(|count| *count <= 3), "{told}");
}

#[test]
fn strict_messages_are_written_as_cars_and_chargers_sent_them() {
    let Some(lines) = corpus::lines("mme-vectors.jsonl") else { return };
    let mut written = BTreeMap::<String, u32>::new();
    let mut refused = BTreeMap::<String, u32>::new();
    for line in &lines {
        let bytes = corpus::bytes(text(line, "hex"));
        let frame = Frame::parse(&bytes).unwrap();
        let message = match Slac::parse(&frame) {
            None => continue,
            Some(Ok(message)) => message,
            Some(Err(error)) => {
                *refused.entry(format!("{}: {error}", text(line, "name"))).or_default() += 1;
                continue;
            }
        };
        let mut buffer = [0; homeplug_mme::MAX_FRAME];
        let len = message.emit(frame.to, frame.from, &mut buffer).unwrap();
        if buffer[..len] == bytes {
            *written.entry(text(line, "name").to_owned()).or_default() += 1;
        } else {
            // Longer frames, and station identifiers that the strict form does not contain (AA in
            // open-plc-utils).
            let tolerated = hex(&bytes).contains("aaaaaaaaaaaaaaaaaa") || bytes.len() > len;
            assert!(tolerated, "{}\n{}\n{}", text(line, "name"), hex(&bytes), hex(&buffer[..len]));
        }
    }
    assert_eq!(written.len(), 11, "each message of matching: {written:?}");
    assert!(refused.is_empty(), "{refused:?}");
}

/// Types in the captures whose layout is not public, or that this project does not need.
const HEADER_ONLY: [&str; 17] = [
    "CC_DISCOVER_LIST.CNF",
    "CC_DISCOVER_LIST.REQ",
    "CM_ENCRYPTED_PAYLOAD.RSP",
    "CM_NW_INFO.CNF",
    "CM_NW_INFO.REQ",
    "MME_A048.CNF",
    "MME_A048.REQ",
    "MME_A22C.IND",
    "MS_PB_ENC.IND",
    "VS_ENET_SETTINGS.CNF",
    "VS_ENET_SETTINGS.REQ",
    "VS_LNK_STATS.CNF",
    "VS_LNK_STATS.REQ",
    "VS_RX_TONE_MAP_CHAR.CNF",
    "VS_RX_TONE_MAP_CHAR.REQ",
    "VS_TONE_MAP_CHAR.CNF",
    "VS_TONE_MAP_CHAR.REQ",
];

#[test]
fn every_management_frame_of_every_capture_is_read() {
    let Some(lines) = corpus::lines("captures/mme.jsonl") else { return };
    assert_eq!(lines.len(), 1292);
    let (mut known, mut unknown) = (0, BTreeMap::<String, u32>::new());
    for line in &lines {
        let bytes = corpus::bytes(text(line, "bytes"));
        let frame = Frame::parse(&bytes).unwrap_or_else(|error| panic!("{error}: {}", hex(&bytes)));
        match View::of(&frame).unwrap_or_else(|error| panic!("{}: {error}", frame.mm_type)) {
            View::Unknown(_) => *unknown.entry(frame.mm_type.to_string()).or_default() += 1,
            _ => known += 1,
        }
    }
    assert!(known > 950, "{known}");
    let by_header_only: Vec<_> = unknown.keys().map(String::as_str).collect();
    assert_eq!(by_header_only, HEADER_ONLY);
}

#[test]
fn cut_frames_are_errors_and_never_more() {
    let Some(lines) = corpus::lines("mme-vectors.jsonl") else { return };
    for line in &lines {
        let bytes = corpus::bytes(text(line, "hex"));
        for len in 0..bytes.len() {
            if let Ok(frame) = Frame::parse(&bytes[..len]) {
                let _ = View::of(&frame);
                let _ = Slac::parse(&frame);
            }
        }
    }
}

#[test]
fn declared_counts_beyond_the_frame_are_errors() {
    let Some(lines) = corpus::lines("mme-vectors.jsonl") else { return };
    let mut checked = 0;
    for line in lines.iter().filter(|line| text(line, "name") == "CM_ATTEN_CHAR.IND") {
        let mut bytes = corpus::bytes(text(line, "hex"));
        bytes.truncate(129);
        for count in 59..=255 {
            bytes[70] = count;
            let frame = Frame::parse(&bytes).unwrap();
            assert!(View::of(&frame).is_err(), "{count}");
            assert!(Slac::parse(&frame).unwrap().is_err(), "{count}");
            checked += 1;
        }
    }
    assert!(checked > 1000);
}
