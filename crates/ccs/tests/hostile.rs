//! Captures and texts that are made to mislead or exhaust the reader.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests: a surprise ends the test"
)]

use std::io::Write;
use std::ops::ControlFlow;
use std::process::{Command, Output, Stdio};

use ccs::decode::source::{Data, Packet, Source};
use ccs::decode::{Content, Decoder, Direction};
use corpus::Value;
use etherparse::PacketBuilder;

const CAR: ([u8; 16], u16) = ([0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xCA], 50_000);
const CHARGER: ([u8; 16], u16) = ([0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xC4], 51_000);

/// `supportedAppProtocolRes`, `OK_SuccessfulNegotiation`, schema id 1.
const ANSWER: &[u8] = &[0x80, 0x40, 0x00, 0x40];
/// `SessionSetupReq` of DIN with empty ids.
const REQUEST: &[u8] = &[0x80, 0x9A, 0x00, 0x11, 0xD0, 0x00, 0x00];

fn v2gtp(payload_type: u16, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&[0x01, 0xFE][..], &payload_type.to_be_bytes(), &length, payload].concat()
}

/// A frame from one end to the other; `write` writes the IPv6 payload.
fn frame(
    from: ([u8; 16], u16),
    to: ([u8; 16], u16),
    write: impl FnOnce(etherparse::PacketBuilderStep<etherparse::IpHeaders>, u16, u16) -> Vec<u8>,
) -> Vec<u8> {
    write(PacketBuilder::ethernet2([2; 6], [4; 6]).ipv6(from.0, to.0, 64), from.1, to.1)
}

fn syn(from: ([u8; 16], u16), to: ([u8; 16], u16)) -> Vec<u8> {
    frame(from, to, |ip, source, destination| {
        let mut bytes = Vec::new();
        ip.tcp(source, destination, 99, 0).syn().write(&mut bytes, &[]).unwrap();
        bytes
    })
}

fn exi(from: ([u8; 16], u16), to: ([u8; 16], u16), sequence: u32, document: &[u8]) -> Vec<u8> {
    frame(from, to, |ip, source, destination| {
        let mut bytes = Vec::new();
        ip.tcp(source, destination, sequence, 0).write(&mut bytes, &v2gtp(0x8001, document)).unwrap();
        bytes
    })
}

/// A response of discovery that announces `charger`.
fn discovery(from: ([u8; 16], u16), to: ([u8; 16], u16), charger: ([u8; 16], u16)) -> Vec<u8> {
    let payload = [&charger.0[..], &charger.1.to_be_bytes(), &[0x10, 0]].concat();
    frame(from, to, |ip, source, destination| {
        let mut bytes = Vec::new();
        ip.udp(source, destination).write(&mut bytes, &v2gtp(0x9001, &payload)).unwrap();
        bytes
    })
}

/// Message, direction, and whether its name contradicts the direction, of every message in these frames.
fn messages(frames: &[Vec<u8>]) -> Vec<(&'static str, Option<Direction>, bool)> {
    let mut seen = Vec::new();
    let mut decoder = Decoder::new();
    for (frame, bytes) in (1..).zip(frames) {
        decoder.take(Packet { frame, time_ns: None, data: Data::Link(1, bytes) }, &mut |event| {
            let name = match &event.content {
                Content::Exi(exi) => exi.message.unwrap(),
                Content::Sdp(sdp) => sdp.name(),
                Content::Opened(_) => return,
                other => panic!("{other:?}"),
            };
            seen.push((name, event.direction, event.is_contradiction));
        });
    }
    seen
}

const RES: &str = "supportedAppProtocolRes";
const REQ: &str = "SessionSetupReq";
const TO_EVSE: Option<Direction> = Some(Direction::ToEvse);
const TO_PEV: Option<Direction> = Some(Direction::ToPev);

#[test]
fn a_message_has_the_direction_of_its_socket_whatever_its_name() {
    let opened = [
        syn(CAR, CHARGER),
        exi(CAR, CHARGER, 100, ANSWER),
        exi(CHARGER, CAR, 500, REQUEST),
        exi(CAR, CHARGER, 112, REQUEST),
    ];
    let expected = [(RES, TO_EVSE, true), (REQ, TO_PEV, true), (REQ, TO_EVSE, false)];
    assert_eq!(messages(&opened), expected, "who opened the connection");

    let server = (CHARGER.0, 15118);
    let announced = [discovery(server, CAR, CHARGER), exi(CAR, CHARGER, 100, ANSWER)];
    assert_eq!(messages(&announced)[1], (RES, TO_EVSE, true), "the endpoint that discovery announced");

    let elsewhere = (CHARGER.0, 60_000);
    let answered = [discovery(server, CAR, elsewhere), exi(CAR, CHARGER, 100, ANSWER)];
    assert_eq!(messages(&answered)[1], (RES, TO_EVSE, true), "the host that answered discovery");
}

#[test]
fn a_forged_answer_to_discovery_moves_no_charger() {
    let server = (CHARGER.0, 15118);
    let forged = [
        discovery(server, CAR, CHARGER),
        // The car's own endpoint, from another host; then a response that is sent to the server.
        discovery(server, CAR, CAR),
        discovery(CAR, server, CAR),
        syn(CAR, CHARGER),
        exi(CAR, CHARGER, 100, ANSWER),
    ];
    let expected = [
        ("SDP_RES", TO_PEV, false),
        ("SDP_RES", TO_PEV, false),
        ("SDP_RES", TO_EVSE, true),
        (RES, TO_EVSE, true),
    ];
    assert_eq!(messages(&forged), expected);
}

#[test]
fn where_nothing_is_known_of_the_sockets_most_names_decide_and_one_alone_for_itself() {
    let sequence = |at: u32| 100 + at * 15;
    let mut frames: Vec<_> = (0..3).map(|at| exi(CAR, CHARGER, sequence(at), REQUEST)).collect();
    frames.push(exi(CAR, CHARGER, sequence(3), ANSWER));
    frames.push(exi(CHARGER, CAR, 1, ANSWER));
    let request = (REQ, TO_EVSE, false);
    assert_eq!(messages(&frames), [request, request, request, (RES, TO_EVSE, true), (RES, TO_PEV, false)]);
    assert_eq!(messages(&frames[3..4]), [(RES, TO_PEV, false)]);
}

/// Runs the built command with this standard input.
fn run(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ccs"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = 0xA1B2_C3D4_u32.to_le_bytes().to_vec();
    file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]);
    for frame in frames {
        let length = u32::try_from(frame.len()).unwrap();
        for field in [0, 0, length, length] {
            file.extend(field.to_le_bytes());
        }
        file.extend(frame);
    }
    file
}

#[test]
fn a_contradiction_is_noted_in_every_form() {
    let file = pcap(&[syn(CAR, CHARGER), exi(CAR, CHARGER, 100, ANSWER)]);
    let lines = text(&run(&["decode", "-"], &file).stdout);
    let line = lines.split_once('\n').unwrap().1;
    assert!(
        line.contains("pev->evse") && line.ends_with("(the name belongs to the other direction)\n"),
        "{line}"
    );
    let json = text(&run(&["decode", "--json", "-"], &file).stdout);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["dir"], &json["note"]),
        (&"pev->evse".into(), &"the name belongs to the other direction".into())
    );
    let summary = text(&run(&["decode", "--summary", "--json", "-"], &file).stdout);
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["wrong_direction"], 1);
}

#[test]
fn what_bounded_memory_gave_up_is_said_once_in_every_form() {
    let frames: Vec<_> = (1..=600).map(|port| syn((CAR.0, port), CHARGER)).collect();
    let file = pcap(&frames);
    let said = "memory is bounded: 344 connections evicted (at most 256 of a kind are tracked)";
    let lines = text(&run(&["decode", "-"], &file).stdout);
    assert!(lines.ends_with(&format!("TCP opens, [fe80::ca]:600 to [fe80::c4]:51000\n{said}\n")), "{lines}");
    let json = run(&["decode", "--json", "-"], &file);
    assert_eq!((text(&json.stdout).as_str(), text(&json.stderr)), ("", format!("-: {said}\n")));
    let summary = text(&run(&["decode", "--summary", "-"], &file).stdout);
    assert!(summary.contains("evicted connections: 344"), "{summary}");
    assert!(!text(&run(&["decode", "-"], &pcap(&frames[..256])).stdout).contains("memory"));
}

#[test]
fn a_summary_counts_the_chargers_that_it_does_not_list() {
    let server = (CHARGER.0, 15118);
    let frames: Vec<_> = (1..=20).map(|port| discovery(server, CAR, (CHARGER.0, port))).collect();
    let summary = text(&run(&["decode", "--summary", "--json", "-"], &pcap(&frames)).stdout);
    let summary: Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["chargers"].as_array().unwrap().len(), 16);
    assert_eq!(summary["unlisted_charger_announcements"], 4);
}

/// A `supportedAppProtocolReq` with this namespace, as hexadecimal text.
fn with_namespace(namespace: &str) -> String {
    let protocol = serde_json::json!({
        "ProtocolNamespace": namespace, "VersionNumberMajor": 2, "VersionNumberMinor": 0, "SchemaID": 1, "Priority": 1,
    });
    let message = serde_json::json!({ "supportedAppProtocolReq": { "AppProtocol": [protocol] } });
    let output = run(&["exi", "encode", "--schema", "app"], message.to_string().as_bytes());
    assert!(output.status.success(), "{}", text(&output.stdout));
    text(&output.stdout)
}

#[test]
fn a_text_of_a_peer_makes_no_fields_no_lines_and_no_colours() {
    let hex = with_namespace("x\" ResponseCode=OK\n\u{1b}[2J\u{7f}\u{9b}31m\u{202e}\u{2066}\\");
    let shown = text(&run(&["decode", "-"], hex.as_bytes()).stdout);
    let value = r#"ProtocolNamespace="x\" ResponseCode=OK\n\u{1b}[2J\u{7f}\u{9b}31m\u{202e}\u{2066}\\" VersionNumberMajor=2"#;
    assert!(shown.contains(value) && shown.lines().count() == 1, "{shown}");
    for args in [&["decode", "--json", "-"][..], &["exi", "decode", "--schema", "app"]] {
        let json = text(&run(args, hex.as_bytes()).stdout);
        assert!(json.contains(r"\n\u001b[2J\u007f\u009b31m\u202e\u2066\\"), "{json}");
        assert!(json.is_ascii() && !json.contains('\u{7f}'));
    }
}

#[test]
fn the_name_of_a_file_cannot_steer_the_terminal() {
    let folder = std::env::temp_dir().join(format!("ccs-hostile-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("a\u{1b}[31m\n\u{9b}\u{202e}.txt");
    std::fs::write(&file, "80400040\nxyz\n").unwrap();
    let name = file.to_str().unwrap();
    let nowhere = format!("{name}.no");
    let mut shown = String::new();
    for args in [
        &["decode", name, name, &nowhere][..],
        &["decode", "--json", name],
        &["decode", "--summary", name],
        &["decode", "--summary", "--json", name],
        &["evse", "-c", name],
        &["evse", "-c", &nowhere],
        &["modem", "pib", "check", name],
        &["modem", "pib", "check", "--json", name],
        &["world", "replay", name],
        &["doctor", "-i", "a\u{9b}\u{1b}"],
    ] {
        let output = run(args, b"");
        let both = text(&output.stdout) + &text(&output.stderr);
        assert!(!both.is_empty(), "{args:?}");
        shown.push_str(&both);
    }
    std::fs::remove_dir_all(folder).unwrap();
    let hidden = |c: &char| c.is_control() && *c != '\n' || *c == '\u{202e}';
    assert_eq!(shown.chars().find(hidden), None, "{shown}");
    assert!(shown.contains(r"a\u{1b}[31m\n\u{9b}\u{202e}.txt"), "{shown}");
}

#[test]
fn a_filter_answers_a_line_that_is_too_long_and_goes_on() {
    let input = ["80400040\n", &"8".repeat(3 << 20), "\n80400040\n", &"8".repeat(3 << 20)].concat();
    let output = run(&["exi", "decode", "--schema", "app"], input.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[1]["error"].as_str().unwrap().starts_with("line 2 is longer than 1048576 bytes"));
    assert!(lines[3]["error"].as_str().unwrap().starts_with("line 4 "));
    assert_eq!(lines[0], lines[2]);
}

#[test]
fn a_line_of_a_text_that_is_too_long_is_named_and_the_rest_decoded() {
    let input = ["80400040\n", &"80".repeat(1 << 20), "\n80400040\n"].concat();
    let output = run(&["decode", "-"], input.as_bytes());
    assert_eq!(output.status.code(), Some(1));
    let shown = text(&output.stdout);
    let lines: Vec<&str> = shown.lines().map(str::trim).collect();
    assert_eq!(lines.len(), 3, "{shown}");
    assert!(
        lines[1].starts_with('2') && lines[1].ends_with("longer than 1048576 bytes, and was skipped"),
        "{shown}"
    );
    let output = run(&["decode", "--json", "-"], input.as_bytes());
    assert!(text(&output.stderr).contains("frame 2: this line is longer"));
}

#[test]
fn files_of_other_kinds_end_nothing() {
    let Some(folder) = corpus::path("../findings/cases") else { return };
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        // Whole, and truncated anywhere near its start.
        for length in (0..200.min(bytes.len())).chain([bytes.len()]) {
            let Ok(source) = Source::open(Box::new(std::io::Cursor::new(bytes[..length].to_vec()))) else {
                continue;
            };
            let mut decoder = Decoder::new();
            let mut count = 0;
            let end = source.read(&mut |packet| {
                decoder.take(packet, &mut |_| count += 1);
                ControlFlow::Continue(())
            });
            assert!(end.is_ok());
            decoder.finish(&mut |_| count += 1);
        }
        files += 1;
    }
    assert!(files >= 10, "{files}");
}
