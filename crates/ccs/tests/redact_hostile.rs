//! `ccs redact` on captures that are damaged, or made to smuggle something out: bytes that are not understood
//! are never copied.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use std::io::Cursor;
use std::ops::ControlFlow;
use std::process::{Command, Output};

use ccs::decode::source::{Data, Source};
use ccs::decode::{Content, Decoder};
use ccs::redact::{self, Options};
use etherparse::PacketBuilder;
use hal_linux::OsEntropy;

const CAR: [u8; 6] = [0xDC, 0x0E, 0xA1, 0x11, 0x67, 0x08];
const CHARGER: [u8; 6] = [0x9A, 0x8A, 0xB6, 0x6D, 0x2D, 0xF6];
/// Must not be in the output.
const SECRET: &[u8] = b"s3cret-VIN-WVWZZZ1JZXW000001";

fn redacted(capture: &[u8]) -> Vec<u8> {
    let source = || Source::open(Box::new(Cursor::new(capture.to_vec()))).unwrap();
    let (mut entropy, options) = (OsEntropy, Options::default());
    let mut names = redact::names(&mut entropy, options);
    redact::gather(source(), &mut names, options).unwrap();
    let mut out = Vec::new();
    redact::write(source(), &mut names, options, &mut out).unwrap();
    out
}

/// A pcap file of these frames.
fn pcap(link_type: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let number = |number: u32| number.to_le_bytes();
    let head = [0xA1B2_C3D4, 0x0004_0002, 0, 0, 65535, link_type].map(number).concat();
    let records = frames.iter().enumerate().map(|(at, frame)| {
        let length = u32::try_from(frame.len()).unwrap();
        [[u32::try_from(at).unwrap(), 0, length, length].map(number).concat(), frame.clone()].concat()
    });
    [head].into_iter().chain(records).collect::<Vec<_>>().concat()
}

/// A block of pcapng.
fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let length = u32::try_from(body.len() + 12).unwrap().to_le_bytes();
    [&kind.to_le_bytes()[..], &length, &body, &length].concat()
}

fn option(code: u16, value: &[u8]) -> Vec<u8> {
    let mut padded = value.to_vec();
    padded.resize(value.len().next_multiple_of(4), 0);
    [&code.to_le_bytes()[..], &u16::try_from(value.len()).unwrap().to_le_bytes(), &padded].concat()
}

fn frames(capture: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let source = Source::open(Box::new(Cursor::new(capture.to_vec()))).unwrap();
    let end = source.read(&mut |packet| {
        if let Data::Link(_, frame) = packet.data {
            frames.push(frame.to_vec());
        }
        ControlFlow::Continue(())
    });
    end.unwrap();
    frames
}

/// The names of the messages in a capture, and their documents.
fn messages(capture: &[u8]) -> Vec<(Option<&'static str>, Vec<u8>)> {
    let source = Source::open(Box::new(Cursor::new(capture.to_vec()))).unwrap();
    let (mut decoder, mut found) = (Decoder::new(), Vec::new());
    let mut take = |event: &ccs::decode::Event<'_>| {
        if let Content::Exi(exi) = &event.content {
            found.push((exi.message, exi.payload.to_vec()));
        }
    };
    let end = source.read(&mut |packet| {
        decoder.take(packet, &mut take);
        ControlFlow::Continue(())
    });
    end.unwrap();
    decoder.finish(&mut take);
    found
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A segment from the car to the charger.
fn segment(port: u16, sequence: u32, data: &[u8]) -> Vec<u8> {
    let address = |mac| homeplug_mme::Mac(mac).link_local().octets();
    let builder = PacketBuilder::ethernet2(CAR, CHARGER).ipv6(address(CAR), address(CHARGER), 64);
    let builder = builder.tcp(port, 15118, sequence, 1000).ack(1);
    let mut frame = Vec::new();
    builder.write(&mut frame, data).unwrap();
    frame
}

/// A `SessionSetupReq` with the car's identifier, in V2GTP.
fn session_setup() -> Vec<u8> {
    let json = serde_json::json!({"V2G_Message": {
        "Header": {"SessionID": "00"}, "Body": {"SessionSetupReq": {"EVCCID": "DC0EA1116708"}}
    }});
    let document = exi_din::SCHEMA.encode(&json, false).unwrap();
    [&[0x01, 0xFE, 0x80, 0x01, 0, 0, 0, u8::try_from(document.len()).unwrap()][..], &document].concat()
}

#[test]
fn a_message_in_segments_in_any_order_is_replaced_and_its_repetition_is_the_same() {
    let message = session_setup();
    let part =
        |from: usize, to: usize| segment(50000, 100 + u32::try_from(from).unwrap(), &message[from..to]);
    let capture =
        pcap(1, &[part(0, 3), part(12, message.len()), part(3, 12), part(0, message.len()), part(5, 13)]);
    let new = redacted(&capture);
    let found = messages(&new);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, Some("SessionSetupReq"));
    assert_ne!(found[0].1, message[8..], "the identifier is another one");
    let data: Vec<Vec<u8>> = frames(&new).into_iter().map(|frame| frame[74..].to_vec()).collect();
    assert_eq!([&data[0][..], &data[2], &data[1]].concat(), data[3], "the repetition");
    assert_eq!(data[4], data[3][5..13], "another part of it");
}

#[test]
fn a_message_that_is_not_whole_is_blanked_and_the_next_is_replaced() {
    let message = session_setup();
    let whole = u32::try_from(message.len()).unwrap();
    let mut lists = vec![segment(50000, 100, &message[..14])];
    // Its end is lost; the next one follows immediately.
    lists.push(segment(50000, 100 + whole, &message));
    lists.extend((1..3).map(|at| segment(50000, 100 + (1 + at) * whole, &message)));
    let new = redacted(&pcap(1, &lists));
    let data: Vec<Vec<u8>> = frames(&new).into_iter().map(|frame| frame[74..].to_vec()).collect();
    assert_eq!((&data[0][..8], &data[0][8..]), (&message[..8], &[0; 6][..]));
    assert_eq!(messages(&new).len(), 3);
    assert!(
        messages(&new)
            .iter()
            .all(|(name, document)| *name == Some("SessionSetupReq") && document != &message[8..])
    );
}

#[test]
fn a_connection_on_the_ports_of_an_earlier_one_is_a_connection_of_its_own() {
    let message = session_setup();
    let syn = |sequence: u32| {
        let mut frame = segment(50000, sequence, &[]);
        frame[14 + 40 + 13] = 2;
        frame
    };
    let (first, second) = (segment(50000, 101, &message), segment(50000, 4_000_001, &message));
    let new = redacted(&pcap(1, &[syn(100), first, syn(4_000_000), second]));
    let found = messages(&new);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], found[1], "the same car");
}

#[test]
fn what_is_not_known_is_never_copied() {
    let ethernet =
        |ether_type: u16, content: &[u8]| [&CHARGER[..], &CAR, &ether_type.to_be_bytes(), content].concat();
    let udp = |port: u16, data: &[u8]| {
        let builder = PacketBuilder::ethernet2(CAR, CHARGER).ipv6([0xFE; 16], [0xFD; 16], 64).udp(port, port);
        let mut frame = Vec::new();
        builder.write(&mut frame, data).unwrap();
        frame
    };
    let tagged = |frame: &[u8]| [&frame[..12], &[0x81, 0, 0, 7], &frame[12..]].concat();
    let mut options = segment(50000, 1, b"");
    // An option for experiments, in a longer header.
    options.splice(74.., [&[254, 30][..], SECRET, &[1, 1]].concat());
    options[14 + 40 + 12] = 13 << 4;
    options[18..20].copy_from_slice(&52_u16.to_be_bytes());
    let with_tail = |mut frame: Vec<u8>| {
        frame.extend(SECRET);
        frame
    };
    let tls = [&[0x16, 3, 3, 0, u8::try_from(SECRET.len()).unwrap()][..], SECRET].concat();
    let vendor =
        [&[0x01, 0xFE, 0xA0, 0x00, 0, 0, 0, u8::try_from(SECRET.len()).unwrap()][..], SECRET].concat();
    let table: &[(&str, u32, Vec<u8>)] = &[
        ("EtherType", 1, ethernet(0x88B5, SECRET)),
        ("802.3", 1, ethernet(40, SECRET)),
        ("LLDP", 1, ethernet(0x88CC, SECRET)),
        ("power line", 1, ethernet(0x88E1, &[&[1, 0x77, 0x60, 0, 0][..], SECRET].concat())),
        ("fragment of power line", 1, ethernet(0x88E1, &[&[1, 0x64, 0x60, 0x10, 0][..], SECRET].concat())),
        ("UDP port", 1, udp(5353, SECRET)),
        ("tagged", 1, tagged(&udp(5353, SECRET))),
        ("tagged twice", 1, tagged(&tagged(&udp(5353, SECRET)))),
        (
            "discovery of another length",
            1,
            udp(15118, &[&[1, 0xFE, 0x90, 1, 0, 0, 0, 28][..], SECRET].concat()),
        ),
        ("log text", 1, udp(514, b"the car is WVWZZZ1JZXW000001 of it")),
        ("padding", 1, with_tail(session(&[]))),
        ("no messages", 1, segment(1, 1, SECRET)),
        ("TLS", 1, segment(1, 1, &tls)),
        ("vendor's messages", 1, segment(1, 1, &vendor)),
        ("options of TCP", 1, options),
        ("raw IP", 101, udp(5353, SECRET)[14..].to_vec()),
        ("no IP", 101, SECRET.to_vec()),
        ("IEEE 802.11", 105, SECRET.to_vec()),
        ("USB", 249, SECRET.to_vec()),
        ("own use", 147, SECRET.to_vec()),
        ("a note of a recording", 147, b"CCS\x01demand lock=held WVWZZZ1JZXW000001".to_vec()),
    ];
    for (what, link_type, frame) in table {
        let new = redacted(&pcap(*link_type, std::slice::from_ref(frame)));
        for secret in [SECRET, b"WVWZZZ", b"000001", &CAR, &CHARGER] {
            assert!(!contains(&new, secret), "{what}: {new:02x?}");
        }
        assert_eq!(frames(&new)[0].len(), frame.len(), "{what}");
    }
}

fn session(data: &[u8]) -> Vec<u8> {
    segment(50000, 1, data)
}

/// A pcapng file with a secret in each place that is not a frame.
fn secrets() -> Vec<u8> {
    let section =
        [&[0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0, 0][..], &[0xFF; 8], &option(2, SECRET), &option(1, SECRET)]
            .concat();
    let interface =
        [&[1, 0, 0, 0, 0, 0, 0, 0][..], &option(2, SECRET), &option(6, &CAR), &option(9, &[6])].concat();
    let frame = session(&session_setup());
    let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
    let packet = |options: &[u8]| {
        let mut data = frame.clone();
        data.resize(data.len().next_multiple_of(4), 0);
        block(6, &[&[0; 12][..], &length, &length, &data, options].concat())
    };
    let statistics = [&[0; 12][..], &option(1, SECRET), &option(4, &[1; 8])].concat();
    let no_interface = [&[9, 0, 0, 0][..], &[0; 8], &[28, 0, 0, 0], &[28, 0, 0, 0], SECRET].concat();
    [
        block(0x0A0D_0D0A, &section),
        block(1, &interface),
        packet(&option(1, SECRET)),
        packet(&[]),
        block(4, &[&option(1, &[&[10, 0, 0, 1][..], SECRET, &[0]].concat())[..], &[0; 4]].concat()),
        block(5, &statistics),
        block(6, &no_interface),
        block(9, SECRET),
        block(10, &[&[0x4C, 0x53, 0x4C, 0x54, 28, 0, 0, 0][..], SECRET].concat()),
        block(0xBAD, SECRET),
        block(0x7777, SECRET),
    ]
    .concat()
}

#[test]
fn names_comments_secrets_and_unknown_blocks_of_pcapng_are_left_out() {
    let original = secrets();
    let new = redacted(&original);
    for secret in [SECRET, b"s3cr", b"WVWZZZ", &CAR, &CHARGER] {
        assert!(!contains(&new, secret));
    }
    let found = messages(&new);
    assert_eq!(
        found.iter().map(|found| found.0).collect::<Vec<_>>(),
        [Some("SessionSetupReq")],
        "the second repeats it"
    );
    assert_eq!(frames(&new).len(), 2);
    assert!(contains(&new, &option(4, &[1; 8])), "counts stay");
}

#[test]
fn a_capture_that_is_cut_or_damaged_anywhere_gives_nothing_away() {
    let original = secrets();
    for length in 28..original.len() {
        let new = redacted(&original[..length]);
        assert!(!contains(&new, b"s3cr") && !contains(&new, &CAR), "cut at {length}");
    }
    let mut seed = 1_u32;
    for _ in 0..2_000 {
        let mut bytes = original.clone();
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // A number of the frame's headers, or of a block.
        let at = 4 + usize::try_from(seed >> 8).unwrap() % (bytes.len() - 4);
        bytes[at] = seed.to_be_bytes()[1];
        let new = redacted(&bytes);
        assert!(!contains(&new, b"s3cr"), "byte {at} is {}", bytes[at]);
    }
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ccs")).args(arguments).output().unwrap()
}

#[test]
fn the_command_overwrites_nothing_and_says_what_it_does_not_read() {
    use std::os::unix::fs::PermissionsExt;
    let directory = std::env::temp_dir().join(format!("ccs-redact-hostile-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let (capture, text, output) = (path("in.pcapng"), path("log.txt"), path("out.pcapng"));
    std::fs::write(&capture, secrets()).unwrap();
    std::fs::write(&text, "809a0011d00000\n").unwrap();
    let words = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();

    let done = run(&["redact", &capture, "-o", &output]);
    assert_eq!(done.status.code(), Some(0), "{}", words(&done));
    assert_eq!(std::fs::metadata(&output).unwrap().permissions().mode() & 0o777, 0o600);
    let report = String::from_utf8(done.stdout).unwrap();
    assert!(report.contains("EVCCIDs") && !report.to_lowercase().contains("dc0ea1"), "{report}");

    let again = run(&["redact", &capture, "-o", &output]);
    assert!(again.status.code() == Some(2) && words(&again).contains("--force"), "{}", words(&again));
    assert_eq!(run(&["redact", &capture, "-o", &output, "--force"]).status.code(), Some(0));
    let onto_itself = run(&["redact", &capture, "-o", &capture, "--force"]);
    assert_eq!(onto_itself.status.code(), Some(0), "{}", words(&onto_itself));
    assert!(!contains(&std::fs::read(&capture).unwrap(), &CAR));

    let check = run(&["redact", &output, "--check"]);
    assert_eq!(check.status.code(), Some(0), "{}", String::from_utf8_lossy(&check.stdout));
    let refused = run(&["redact", &text, "-o", &path("new")]);
    assert!(
        refused.status.code() == Some(1) && words(&refused).contains("Text is not"),
        "{}",
        words(&refused)
    );
    let nothing = run(&["redact", &path("none"), "-o", &path("new")]);
    assert_eq!(nothing.status.code(), Some(1));
    assert_eq!(run(&["redact", "/dev/null", "--check"]).status.code(), Some(2));
    assert_eq!(run(&["redact", &capture]).status.code(), Some(2), "neither output nor check");
    assert_eq!(run(&["redact", "-", "--check"]).status.code(), Some(2));
    assert_eq!(run(&["redact", &capture, "-o", "-"]).status.code(), Some(2));
    std::fs::write(&text, "1.234 [PEVSLAC] EVCCID dc0ea1116708\n").unwrap();
    let log = run(&["redact", &text, "--check"]);
    assert!(
        words(&log).contains("it is text: only pcap and pcapng captures are redacted"),
        "{}",
        words(&log)
    );
    let left: Vec<_> =
        std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "nothing unfinished is left: {left:?}");
    std::fs::remove_dir_all(directory).unwrap();
}
