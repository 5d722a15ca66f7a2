//! Messages without recorded bytes: their published layouts, and that a message which was read and written
//! reads as the same message.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use std::fmt::Write;

use homeplug_mme::view::{AmpMapReq, View};
use homeplug_mme::{Frame, MAX_FRAME, MIN_FRAME, MessageError, Value, Version};
use proptest::prelude::*;

/// Where a body begins: the rest of the header after the Ethernet type.
const CM: &str = "01....0000";
const QUALCOMM: &str = "00....00b052";
const LUMISSIL: &str = "00....0016e8";

/// A frame with this header, type and body, without padding.
fn frame(header: &str, mm_type: u16, body: &str) -> Vec<u8> {
    let [low, high] = mm_type.to_le_bytes();
    let header = header.replace("....", &format!("{low:02x}{high:02x}"));
    let body = body.replace(' ', "");
    corpus::bytes(&format!("0200000000e102000000005e88e1{header}{body}"))
}

/// All fields in one line, secrets included: they are synthetic.
fn line(view: &View<'_>) -> String {
    let mut line = String::new();
    view.fields(&mut |name, value| {
        let value = match value {
            Value::Number(number) => number.to_string(),
            Value::Mac(mac) => mac.to_string(),
            Value::Bytes(bytes) | Value::Secret(bytes) | Value::Decibels(bytes) => corpus::hex(bytes),
            Value::Text(text) => text.escape_ascii().to_string(),
        };
        let _ = write!(line, "{}{name}={value}", if line.is_empty() { "" } else { " " });
    });
    line
}

/// Header, type, body, fields: by the tables of open-plc-utils and EVerest (`HomePlug` for `CM_NW_STATS`).
const LAYOUTS: &[(&str, u16, &str, &str)] = &[
    (CM, 0x6048, "", ""),
    (
        CM,
        0x6049,
        "02 0200000000e1 0a14 02000000005e 1e28",
        "num_stas=2 mac=02:00:00:00:00:e1 tx_mbit_s=10 rx_mbit_s=20 mac=02:00:00:00:00:5e tx_mbit_s=30 rx_mbit_s=40",
    ),
    (CM, 0x6021, "01 02 01 0200000000e1", "bsf=1 btei=2 nbda=1 bda=02:00:00:00:00:e1"),
    (CM, 0x601C, "0300 2143", "amlen=3 amdata=2143"),
    (QUALCOMM, 0xA004, "00100000 03000000 010203", "offset=4096 length=3 buffer=010203"),
    (QUALCOMM, 0xA005, "00 00100000 03000000", "mstatus=0 offset=4096 length=3"),
    (QUALCOMM, 0xA008, "00100000 03000000", "offset=4096 length=3"),
    (QUALCOMM, 0xA009, "00 00100000 03000000 010203", "mstatus=0 offset=4096 length=3 buffer=010203"),
    (QUALCOMM, 0xA009, "10 00100000 03000000", "mstatus=16 offset=4096 length=3 buffer="),
    (QUALCOMM, 0xA010, "", ""),
    (
        QUALCOMM,
        0xA011,
        "00 13000000 00010000 00100000 00002000",
        "mstatus=0 nvm_type=19 page=256 block=4096 size=2097152",
    ),
    (QUALCOMM, 0xA01D, "01", "mstatus=1"),
    (
        QUALCOMM,
        0xA020,
        "02 01 0300 04000000 78563412 010203",
        "module_id=2 maccess=1 length=3 offset=4 checksum=305419896 data=010203",
    ),
    (QUALCOMM, 0xA021, "00 02 01 0300 04000000", "mstatus=0 module_id=2 maccess=1 length=3 offset=4"),
    (
        QUALCOMM,
        0xA024,
        "02 00 0004 00040000 00000000000000000000000000000007",
        "module_id=2 maccess=0 length=1024 offset=1024 secret=00000000000000000000000000000007",
    ),
    (
        QUALCOMM,
        0xA025,
        "00 000000 02 00 0300 04000000 78563412 010203",
        "mstatus=0 module_id=2 length=3 offset=4 checksum=305419896 data=010203",
    ),
    (QUALCOMM, 0xA028, "13", "module_id=19"),
    (QUALCOMM, 0xA029, "00 13", "mstatus=0 module_id=19"),
    (
        QUALCOMM,
        0xA050,
        "01 00000000000000000000000000000001 00 02000000005e 00000000000000000000000000000002",
        "eks=1 nmk=00000000000000000000000000000001 peks=0 rda=02:00:00:00:00:5e \
         dak=00000000000000000000000000000002",
    ),
    (QUALCOMM, 0xA051, "00", "mstatus=0"),
    (QUALCOMM, 0xA062, "00 01 0200 6400", "action=0 session_id=1 outstanding_retries=2 retry_timer=100"),
    (QUALCOMM, 0xA063, "00 00 01 0200", "mstatus=0 action=0 session_id=1 outstanding_retries=2"),
    (QUALCOMM, 0xA07C, "", ""),
    (QUALCOMM, 0xA07D, "00", "mstatus=0"),
    (
        QUALCOMM,
        0xA0F8,
        "01000000 00 01 0000 02000000 04000000 69000000",
        "cookie=1 data_format=0 prop_format=1 prop_version=2 prop_length=4 prop_number=105",
    ),
    (
        QUALCOMM,
        0xA0F9,
        "00000000 01000000 02 000000 03000000 010203",
        "mstatus=0 cookie=1 data_format=2 data_length=3 data=010203",
    ),
    (
        QUALCOMM,
        0xA100,
        "01000000 02 000000 03000000 69000000 02000000 0102",
        "cookie=1 option=2 prop_version=3 prop_number=105 data_length=2 data=0102",
    ),
    (QUALCOMM, 0xA101, "00000000 01000000", "mstatus=0 cookie=1"),
    (
        QUALCOMM,
        0xA0B0,
        "00000000 01 1000 1900 00000000 78563412 01 0270 0000 00230000 04030201",
        "rsvd=0 num_op=1 mod_op=16 mod_op_data_len=25 session_id=305419896 num_modules=1 \
         modules=027000000023000004030201",
    ),
    (
        QUALCOMM,
        0xA0B1,
        "0000 0000 00000000 01 1000 1d00 00000000 78563412 01 0270 0000 00230000 04030201 0000 0000",
        "mstatus=0 err_rec=0 rsvd=0 num_op=1 mod_op=16 mod_op_data_len=29 session_id=305419896 num_modules=1 \
         modules=02700000002300000403020100000000",
    ),
    (
        QUALCOMM,
        0xA0B0,
        "00000000 01 1100 1a00 00000000 78563412 00 0270 0000 0200 78050000 010200",
        "rsvd=0 num_op=1 mod_op=17 mod_op_data_len=26 session_id=305419896 module_index=0 module_id=28674 \
         module_sub_id=0 length=2 offset=1400 buffer=010200",
    ),
    (
        QUALCOMM,
        0xA0B1,
        "0000 0000 00000000 01 1100 1700 00000000 78563412 00 0270 0000 0200 78050000",
        "mstatus=0 err_rec=0 rsvd=0 num_op=1 mod_op=17 mod_op_data_len=23 session_id=305419896 module_index=0 \
         module_id=28674 module_sub_id=0 length=2 offset=1400",
    ),
    (
        QUALCOMM,
        0xA0B0,
        "00000000 01 1200 2400 00000000 78563412 02000000 0000000000000000000000000000000000000000",
        "rsvd=0 num_op=1 mod_op=18 mod_op_data_len=36 session_id=305419896 commit_code=2",
    ),
    (
        QUALCOMM,
        0xA0B0,
        "00000000 01 5500 0700 010203",
        "rsvd=0 num_op=1 mod_op=85 mod_op_data_len=7 data=010203",
    ),
    (LUMISSIL, 0xAC6D, "0100 00000000 07 000000000000000000000000", "version=1 request_id=7"),
    (LUMISSIL, 0xAC70, "0100 00000000 07 000000000000000000000000", "version=1 request_id=7"),
    (LUMISSIL, 0xAC9C, "0100 00000000 07 000000000000000000000000", "version=1 request_id=7"),
    (
        LUMISSIL,
        0xAC9D,
        "0100 00000000 07 000000000000000000000000 01",
        "version=1 request_id=7 link_status=1",
    ),
];

#[test]
fn messages_without_recorded_bytes_lie_as_published() {
    for (header, mm_type, body, fields) in LAYOUTS {
        let bytes = frame(header, *mm_type, body);
        let frame = Frame::parse(&bytes).unwrap();
        let view = View::of(&frame).unwrap_or_else(|error| panic!("{}: {error}", frame.mm_type));
        assert!(!matches!(view, View::Unknown(_)), "{}", frame.mm_type);
        assert_eq!(line(&view), *fields, "{}", frame.mm_type);
        let mut buffer = [0xEE; MAX_FRAME];
        let len = view.emit(frame.to, frame.from, &mut buffer).unwrap();
        assert_eq!(len, bytes.len().max(MIN_FRAME), "{}", frame.mm_type);
        assert_eq!(&buffer[..bytes.len()], bytes, "{}", frame.mm_type);
        assert!(buffer[bytes.len()..len].iter().all(|byte| *byte == 0), "{}", frame.mm_type);
        // The last byte is required, unless it is padding or optional.
        let end = frame.body.len().saturating_sub(1);
        if frame.body.last().is_some_and(|last| *last != 0) {
            let cut = Frame::parse(&bytes[..bytes.len() - 1]).unwrap();
            assert!(
                matches!(View::of(&cut), Err(MessageError::Short { at }) if at <= end),
                "{}",
                frame.mm_type
            );
        }
    }
}

#[test]
fn the_old_host_action_ends_behind_three_bytes() {
    let bytes = frame(QUALCOMM, 0xA062, "000102");
    let view = View::of(&Frame::parse(&bytes).unwrap()).unwrap();
    assert_eq!(line(&view), "action=0 session_id=1 outstanding_retries=2 retry_timer=0");
    let short = frame(QUALCOMM, 0xA062, "0001");
    assert_eq!(View::of(&Frame::parse(&short).unwrap()), Err(MessageError::Short { at: 2 }));
    let status_only = frame(QUALCOMM, 0xA063, "01");
    let view = View::of(&Frame::parse(&status_only).unwrap()).unwrap();
    assert_eq!(line(&view), "mstatus=1 action=0 session_id=0 outstanding_retries=0");
}

#[test]
fn version_2_is_read_as_version_1_and_version_0_is_not() {
    let mut bytes = frame(CM, 0x601C, "0300 2143");
    for version in [Version::AV_1_1, Version::AV_2_0] {
        bytes[14] = version.0;
        let frame = Frame::parse(&bytes).unwrap();
        assert_eq!(frame.version, version);
        assert_eq!(frame.get::<AmpMapReq<'_>>().unwrap().unwrap().amdata.0, [0x21, 0x43]);
    }
    bytes[14] = 0;
    assert!(Frame::parse(&bytes).unwrap().get::<AmpMapReq<'_>>().is_none());
}

#[test]
fn a_cipher_suite_is_there_only_with_security() {
    let run = "0102030405060708";
    for (security, fields) in [
        ("00", "application_type=0 security_type=0 run_id=0102030405060708 cipher_suites="),
        (
            "01",
            "application_type=0 security_type=1 run_id=0102030405060708 cipher_suite_count=1 cipher_suites=0100",
        ),
    ] {
        let bytes = frame(CM, 0x6064, &format!("00{security}{run}010100"));
        assert_eq!(line(&View::of(&Frame::parse(&bytes).unwrap()).unwrap()), fields);
    }
}

#[test]
fn other_vendors_messages_stay_opaque() {
    let mut bytes = frame(QUALCOMM, 0xA0B9, "0001");
    assert!(matches!(View::of(&Frame::parse(&bytes).unwrap()), Ok(View::PlLinkStatusCnf(_))));
    bytes[17..20].copy_from_slice(&[0x64, 0x4D, 0x70]);
    assert_eq!(View::of(&Frame::parse(&bytes).unwrap()), Ok(View::Unknown(&[0, 1])));
}

/// Header and type of every message with a known layout.
const KNOWN: &[(&str, &[u16])] = &[
    (
        CM,
        &[
            0x6008, 0x6009, 0x600C, 0x600D, 0x601C, 0x601D, 0x6020, 0x6021, 0x6048, 0x6049, 0x6064, 0x6065,
            0x606A, 0x606E, 0x606F, 0x6076, 0x6078, 0x6079, 0x607C, 0x607D, 0x6086,
        ],
    ),
    (
        QUALCOMM,
        &[
            0xA000, 0xA001, 0xA004, 0xA005, 0xA008, 0xA009, 0xA010, 0xA011, 0xA01C, 0xA01D, 0xA020, 0xA021,
            0xA024, 0xA025, 0xA028, 0xA029, 0xA038, 0xA039, 0xA050, 0xA051, 0xA062, 0xA063, 0xA068, 0xA069,
            0xA07C, 0xA07D, 0xA0B0, 0xA0B1, 0xA0B8, 0xA0B9, 0xA0F8, 0xA0F9, 0xA100, 0xA101, 0xA14E,
        ],
    ),
    ("01....000000b052", &[0xA038, 0xA039]),
    (LUMISSIL, &[0xAC6C, 0xAC6D, 0xAC70, 0xAC9C, 0xAC9D]),
];

fn known() -> impl Strategy<Value = (&'static str, u16)> {
    let all: Vec<_> =
        KNOWN.iter().flat_map(|(header, types)| types.iter().map(|mm_type| (*header, *mm_type))).collect();
    prop::sample::select(all)
}

/// Random bytes, many of them small, so that declared counts fit.
fn body() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![3 => Just(0), 2 => 0..=20_u8, 1 => any::<u8>()], 0..1400)
}

#[test]
fn every_known_message_is_read_from_a_long_body_of_zeros() {
    for (header, types) in KNOWN {
        for mm_type in *types {
            let bytes = frame(header, *mm_type, &"00".repeat(1400));
            let view = View::of(&Frame::parse(&bytes).unwrap()).unwrap();
            assert!(!matches!(view, View::Unknown(_)), "{mm_type:04x}");
        }
    }
}

proptest! {
    #[test]
    fn what_is_read_is_written_so_that_it_is_read_the_same((header, mm_type) in known(), body in body()) {
        let mut bytes = frame(header, mm_type, "");
        bytes.extend(&body);
        // As the sender pads it: in padding an optional field is present.
        bytes.resize(bytes.len().max(MIN_FRAME), 0);
        let frame = Frame::parse(&bytes).unwrap();
        if let Ok(view) = View::of(&frame) {
            let mut buffer = [0xEE; MAX_FRAME];
            let len = view.emit(frame.to, frame.from, &mut buffer).unwrap();
            let again = Frame::parse(&buffer[..len]).unwrap();
            prop_assert_eq!(View::of(&again), Ok(view));
            prop_assert_eq!((again.to, again.from, again.oui), (frame.to, frame.from, frame.oui));
        }
    }
}
