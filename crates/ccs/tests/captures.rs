//! Every capture of the corpus, compared with the list of its messages from other decoders.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a surprise ends the test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::Path;

use ccs::decode::source::{Data, End, Format, Packet, Source};
use ccs::decode::{Content, Decoder, Direction, Schema};
use homeplug_mme::view::View;

/// One message, as found.
#[derive(Clone, Debug, PartialEq)]
struct Found {
    frame: u64,
    time_s: f64,
    direction: Option<Direction>,
    schema: &'static str,
    message: Option<&'static str>,
    exi: String,
    error: Option<String>,
}

/// The result for one file.
#[derive(Default)]
struct Decoded {
    messages: Vec<Found>,
    mmes: BTreeMap<String, u64>,
    sdp: [u64; 2],
    tls: bool,
    trouble: Vec<String>,
}

impl Decoded {
    fn take(&mut self, event: &ccs::decode::Event<'_>) {
        assert!(!event.is_contradiction, "frame {}", event.frame);
        match &event.content {
            Content::Exi(exi) => self.messages.push(Found {
                frame: event.frame,
                #[expect(clippy::cast_precision_loss, reason = "compared within a microsecond")]
                time_s: event.time_ns.unwrap_or(-1) as f64 / 1e9,
                direction: event.direction,
                schema: exi.schema.map_or("", Schema::name),
                message: exi.message,
                exi: corpus::hex(exi.payload),
                error: exi.error.as_ref().map(ToString::to_string),
            }),
            Content::Mme(frame) => {
                *self.mmes.entry(format!("0x{:04x}", frame.mm_type.0)).or_default() += 1;
                assert_eq!(View::of(frame).err(), None, "frame {}", event.frame);
            }
            Content::Sdp(sdp) => self.sdp[usize::from(sdp.direction() == Direction::ToPev)] += 1,
            Content::Tls(_) => self.tls = true,
            Content::Opened(_) | Content::Closed(..) | Content::Over(_) | Content::Log(_) => {}
            other => self.trouble.push(format!("frame {}: {other:?}", event.frame)),
        }
    }
}

fn decode(input: Box<dyn Read>) -> (Format, End, Decoded) {
    let source = Source::open(input).unwrap();
    let format = source.format();
    let mut decoder = Decoder::new();
    let mut decoded = Decoded::default();
    let end = source
        .read(&mut |packet| {
            decoder.take(packet, &mut |event| decoded.take(event));
            ControlFlow::Continue(())
        })
        .unwrap();
    decoder.finish(&mut |event| decoded.take(event));
    (format, end, decoded)
}

/// A frame of a capture.
struct Frame {
    time_ns: Option<i64>,
    link_type: i32,
    bytes: Vec<u8>,
}

fn frames(path: &Path) -> Vec<Frame> {
    let mut frames = Vec::new();
    let source = Source::open(Box::new(File::open(path).unwrap())).unwrap();
    source
        .read(&mut |packet| {
            if let Data::Link(link_type, bytes) | Data::CutLink(link_type, bytes, _) = packet.data {
                frames.push(Frame { time_ns: packet.time_ns, link_type, bytes: bytes.to_vec() });
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    frames
}

/// The same packets in another order: the next packet is a random one of a window. Numbers and times stay in
/// order.
fn shuffled(frames: &[Frame], window: usize, seed: &mut u32) -> Decoded {
    let mut decoder = Decoder::new();
    let mut decoded = Decoded::default();
    let mut waiting: Vec<&Frame> = Vec::new();
    let mut rest = frames.iter();
    for (frame, in_order) in (1..).zip(frames) {
        waiting.extend(rest.by_ref().take(window - waiting.len()));
        let chosen = waiting.swap_remove(random(seed, waiting.len()));
        let data = Data::Link(chosen.link_type, &chosen.bytes);
        decoder.take(Packet { frame, time_ns: in_order.time_ns, data }, &mut |event| decoded.take(event));
    }
    decoder.finish(&mut |event| decoded.take(event));
    decoded
}

/// A number below `bound`, from a fixed sequence (the generator of Numerical Recipes), so that a failure is
/// reproducible.
fn random(seed: &mut u32, bound: usize) -> usize {
    *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    usize::try_from(*seed >> 8).unwrap() % bound
}

fn decode_file(path: &Path) -> Decoded {
    let (_, end, decoded) = decode(Box::new(File::open(path).unwrap()));
    assert_eq!(end, End::Complete, "{}", path.display());
    decoded
}

fn captures() -> Option<Vec<corpus::Value>> {
    let path = corpus::path("captures/summary.json")?;
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

/// Whether all of a capture's sessions are encrypted: its vectors were made with the keys.
fn is_encrypted(summary: &corpus::Value) -> bool {
    summary["sessions"].as_array().unwrap().iter().any(|session| session["tls"] == true)
}

fn schema_name(line: &corpus::Value) -> &str {
    match corpus::text(line, "schema") {
        "apphand" => "app",
        "iso20-common" => "iso20-cm",
        other => other,
    }
}

#[test]
fn every_message_of_every_capture_is_found_with_its_frame_time_direction_schema_and_name() {
    let (Some(summaries), Some(vectors)) = (captures(), corpus::lines("captures/vectors.jsonl")) else {
        return;
    };
    let mut compared = 0;
    for summary in &summaries {
        let name = corpus::text(summary, "capture");
        let decoded = decode_file(&corpus::path(&format!("captures/{name}")).unwrap());
        if is_encrypted(summary) {
            assert!(decoded.tls, "{name}");
            continue;
        }
        let expected: Vec<_> = vectors.iter().filter(|line| line["capture"] == name).collect();
        let mut first = BTreeMap::<(&str, &str), (&Found, u64)>::new();
        for found in &decoded.messages {
            let direction = found.direction.map_or("", Direction::name);
            first.entry((&found.exi, direction)).or_insert((found, 0)).1 += 1;
        }
        for line in &expected {
            let key = (corpus::text(line, "exi"), corpus::text(line, "dir"));
            let place = format!("{name} frame {}", line["frame"]);
            let (found, count) = first.remove(&key).unwrap_or_else(|| panic!("{place}: not found"));
            assert_eq!(found.frame, line["frame"].as_u64().unwrap(), "{place}");
            assert!((found.time_s - line["time_s"].as_f64().unwrap()).abs() < 2e-6, "{place}: {found:?}");
            assert_eq!(found.schema, schema_name(line), "{place}");
            if matches!(found.schema, "app" | "din") {
                assert_eq!(found.error, None, "{place}: {}", found.exi);
                assert_eq!(found.message, Some(corpus::text(line, "message")), "{place}");
            }
            assert_eq!(count, line["count"].as_u64().unwrap(), "{place}: how often");
            compared += 1;
        }
        assert!(first.is_empty(), "{name}: found what others did not: {:?}", first.values().next());
        assert_eq!(decoded.trouble, [""; 0], "{name}");
    }
    assert!(compared > 5000, "only {compared} vectors compared");
}

#[test]
fn the_counts_of_homeplug_and_discovery_messages_agree() {
    let Some(summaries) = captures() else { return };
    for summary in &summaries {
        let name = corpus::text(summary, "capture");
        let decoded = decode_file(&corpus::path(&format!("captures/{name}")).unwrap());
        let expected: BTreeMap<String, u64> =
            serde_json::from_value(summary["mmtype_counts"].clone()).unwrap();
        assert_eq!(decoded.mmes, expected, "{name}");
        let expected = [&summary["sdp_requests"], &summary["sdp_responses"]].map(|n| n.as_u64().unwrap());
        assert_eq!(decoded.sdp, expected, "{name}");
    }
}

#[test]
fn shuffled_captures_give_the_same_messages() {
    let Some(summaries) = captures() else { return };
    let (mut seed, mut compared) = (1, 0);
    for summary in summaries.iter().filter(|summary| !is_encrypted(summary)) {
        let name = corpus::text(summary, "capture");
        let frames = frames(&corpus::path(&format!("captures/{name}")).unwrap());
        let sorted = |decoded: &Decoded| {
            let mut messages: Vec<_> = decoded
                .messages
                .iter()
                .map(|found| (found.exi.clone(), found.direction, found.message))
                .collect();
            messages.sort();
            messages
        };
        let in_order = sorted(&shuffled(&frames, 1, &mut seed));
        for window in [2, 3, 5, 8] {
            let decoded = shuffled(&frames, window, &mut seed);
            assert_eq!(decoded.trouble, [""; 0], "{name} in windows of {window}");
            let decoded = sorted(&decoded);
            let differs = decoded.iter().zip(&in_order).find(|(one, other)| one != other);
            assert_eq!(differs, None, "{name} in windows of {window}");
            assert_eq!(decoded.len(), in_order.len(), "{name} in windows of {window}");
            compared += in_order.len();
        }
    }
    assert!(compared > 40_000, "only {compared} messages compared");
}

#[test]
fn a_capture_that_is_read_twice_in_a_row_gives_each_message_twice() {
    for name in ["2024-04-20_ModelY_pyPLC_stop_in_precharge.pcapng", "zelos_v2g_din_session.pcap"] {
        let Some(path) = corpus::path(&format!("captures/{name}")) else { return };
        let frames = frames(&path);
        let mut decoder = Decoder::new();
        let mut decoded = Decoded::default();
        for (number, frame) in (1..).zip(frames.iter().chain(&frames)) {
            let data = Data::Link(frame.link_type, &frame.bytes);
            decoder.take(Packet { frame: number, time_ns: frame.time_ns, data }, &mut |event| {
                decoded.take(event);
            });
        }
        decoder.finish(&mut |event| decoded.take(event));
        let whole = decode_file(&path);
        assert_eq!(decoded.messages.len(), 2 * whole.messages.len(), "{name}");
        assert_eq!(decoder.streams(), 2, "{name}");
        assert_eq!(decoded.trouble, [""; 0], "{name}");
    }
}

#[test]
fn a_capture_cut_anywhere_gives_the_messages_up_to_the_cut_and_says_so() {
    for name in ["DIN_DC_DS5366_Josev.pcapng", "zelos_v2g_din_session.pcap"] {
        let Some(path) = corpus::path(&format!("captures/{name}")) else { return };
        let bytes = std::fs::read(path).unwrap();
        let (_, _, whole) = decode(Box::new(std::io::Cursor::new(bytes.clone())));
        let mut cuts = 0;
        for length in (500..bytes.len()).step_by(1009) {
            let (_, end, part) = decode(Box::new(std::io::Cursor::new(bytes[..length].to_vec())));
            cuts += u64::from(matches!(end, End::Cut(_)));
            assert_eq!(part.messages, whole.messages[..part.messages.len()], "{name} cut at {length}");
        }
        assert!(cuts > 50, "{name}: {cuts}");
    }
}

#[test]
fn the_same_messages_come_out_of_hexadecimal_text_and_of_raw_v2gtp() {
    let Some(path) = corpus::path("captures/DIN_DC_DS5366_Josev.pcapng") else { return };
    let whole = decode_file(&path);
    let what = |found: &[Found]| -> Vec<_> {
        found.iter().map(|found| (found.message, found.direction, found.exi.clone())).collect()
    };
    let expected = what(&whole.messages);
    let header = |exi: &str| format!("01fe8001{:08x}{exi}", exi.len() / 2);

    let plain: Vec<String> = whole.messages.iter().map(|found| found.exi.clone()).collect();
    let (format, _, decoded) = decode(Box::new(std::io::Cursor::new(plain.join("\n").into_bytes())));
    assert_eq!(format, Format::Hex);
    assert_eq!(what(&decoded.messages), expected);
    assert_eq!(decoded.messages[5].frame, 6, "the line");

    let framed: Vec<String> = plain.iter().map(|exi| header(exi)).collect();
    let (_, _, decoded) = decode(Box::new(std::io::Cursor::new(framed.join("\n").into_bytes())));
    assert_eq!(what(&decoded.messages), expected);

    let (format, _, decoded) = decode(Box::new(std::io::Cursor::new(corpus::bytes(&framed.concat()))));
    assert_eq!(format, Format::V2gtp);
    assert_eq!(what(&decoded.messages), expected);
    assert_eq!(decoded.messages[5].frame, 6, "the ordinal");
}

#[test]
fn all_kinds_of_sessions_are_in_the_corpus() {
    let Some(vectors) = corpus::lines("captures/vectors.jsonl") else { return };
    let schemas: BTreeSet<&str> = vectors.iter().map(schema_name).collect();
    assert_eq!(
        schemas.into_iter().collect::<Vec<_>>(),
        ["app", "din", "iso2", "iso20-ac", "iso20-cm", "iso20-dc"]
    );
}

#[test]
fn damaged_captures_end_nothing() {
    for name in ["CCM_SPI_powerOn_and_SLAC_until_contractAuth.txt.pcap", "DIN_DC_DS5366_Josev.pcapng"] {
        let Some(path) = corpus::path(&format!("captures/{name}")) else { return };
        let whole = std::fs::read(path).unwrap();
        let mut seed = 1;
        let mut next = |bound: usize| random(&mut seed, bound);
        for _ in 0..150 {
            let mut bytes = whole.clone();
            for _ in 0..=next(40) {
                let at = next(bytes.len());
                bytes[at] = u8::try_from(next(256)).unwrap();
            }
            if let Ok(source) = Source::open(Box::new(std::io::Cursor::new(bytes))) {
                let mut decoder = Decoder::new();
                let mut count = 0;
                let end = source.read(&mut |packet| {
                    decoder.take(packet, &mut |_| count += 1);
                    ControlFlow::Continue(())
                });
                assert!(end.is_ok());
                decoder.finish(&mut |_| count += 1);
            }
        }
    }
}
