//! `ccs redact` on every capture of the corpus: none of the identifiers that other programs found in it is
//! left, and the story is the same except for names. The search here shares no code with the command's own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use ccs::decode::source::{Data, Source};
use ccs::decode::{Content, Decoder};
use ccs::redact::{self, Options};
use hal_linux::OsEntropy;
use serde_json::Value as Json;

/// Identifiers with their kinds.
type Identifiers = BTreeMap<Vec<u8>, &'static str>;

fn redacted(capture: &[u8], options: Options) -> Vec<u8> {
    let source = || Source::open(Box::new(Cursor::new(capture.to_vec()))).unwrap();
    let mut entropy = OsEntropy;
    let mut names = redact::names(&mut entropy, options);
    redact::gather(source(), &mut names, options).unwrap();
    let mut out = Vec::new();
    redact::write(source(), &mut names, options, &mut out).unwrap();
    out
}

/// The captures with the facts about them.
fn captures() -> Option<Vec<(PathBuf, corpus::Value)>> {
    let path = corpus::path("captures/summary.json")?;
    let summaries: Vec<corpus::Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let path = |name: &str| corpus::path(&format!("captures/{name}")).unwrap();
    Some(summaries.into_iter().map(|summary| (path(corpus::text(&summary, "capture")), summary)).collect())
}

/// Every frame with its link type.
fn frames(capture: &[u8]) -> Vec<(i32, Vec<u8>)> {
    let mut frames = Vec::new();
    let source = Source::open(Box::new(Cursor::new(capture.to_vec()))).unwrap();
    let end = source.read(&mut |packet| {
        if let Data::Link(link_type, frame) = packet.data {
            frames.push((link_type, frame.to_vec()));
        }
        ControlFlow::Continue(())
    });
    end.unwrap();
    frames
}

/// The identifiers that tshark and the reference codec found in a capture, and the addresses of its Ethernet
/// frames.
fn identifiers(capture: &[u8], summary: &corpus::Value, vectors: &[corpus::Value]) -> Identifiers {
    let mut found = Identifiers::new();
    for (link_type, frame) in frames(capture) {
        if link_type == 1 {
            for mac in [&frame[..6], &frame[6..12]] {
                // Stations, except the modem at the own cable, which has a well-known address.
                if mac[0] & 1 == 0 && mac != [0x00, 0xB0, 0x52, 0, 0, 1] {
                    found.insert(mac.to_vec(), "MAC");
                }
            }
        }
    }
    let mut add = |value: &corpus::Value, what| {
        if let Some(text) = value.as_str() {
            let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
            found.insert(corpus::bytes(&digits), what);
        }
    };
    for run in summary["slac_runs"].as_array().into_iter().flatten() {
        for (key, what) in [("pev_mac", "MAC"), ("evse_mac", "MAC"), ("nid", "NID"), ("nmk", "NMK")] {
            add(&run[key], what);
        }
    }
    for set in summary["set_key"].as_array().into_iter().flatten() {
        add(&set["nid"], "NID");
        add(&set["nmk"], "NMK");
    }
    let name = corpus::text(summary, "capture");
    for line in vectors.iter().filter(|line| line["capture"] == name) {
        for (key, value) in line["fields"].as_object().into_iter().flatten() {
            match key.rsplit('.').next().unwrap_or_default() {
                "EVCCID" => add(value, "EVCCID"),
                "EVSEID" => add(value, "EVSEID"),
                _ => {}
            }
        }
    }
    // Placeholders, and values too short to be searched for: `00`, `ZZ00000`, a broadcast.
    found.retain(|bytes, _| bytes.len() >= 6 && bytes.iter().collect::<BTreeSet<_>>().len() > 2);
    found
}

/// Searches the first six bytes of each identifier: at every bit, and as digits with anything but letters
/// between them.
fn search(file: &[u8], identifiers: &Identifiers) -> Vec<String> {
    let number = |bytes: &[u8]| bytes[..6].iter().fold(0_u64, |number, byte| number * 256 + u64::from(*byte));
    let keys: BTreeMap<u64, &str> = identifiers.iter().map(|(bytes, what)| (number(bytes), *what)).collect();
    let mut may = vec![false; 1 << 16];
    for key in keys.keys() {
        may[(key & 0xFFFF) as usize] = true;
    }
    let mut hits = Vec::new();
    let mut look = |window: u64, place: String| {
        if may[(window & 0xFFFF) as usize]
            && let Some(what) = keys.get(&(window & 0xFFFF_FFFF_FFFF))
        {
            hits.push(format!("{what} {place}"));
        }
    };
    let (mut bits, mut digits) = (0_u64, 0_u64);
    for (at, byte) in file.iter().enumerate() {
        for bit in (0..8).rev() {
            bits = bits << 1 | u64::from(byte >> bit & 1);
            look(bits, format!("ends in byte {at}, bit {bit}"));
        }
        if let Some(digit) = char::from(*byte).to_digit(16) {
            digits = digits << 4 | u64::from(digit);
            look(digits, format!("as digits that end in byte {at}"));
        }
    }
    hits
}

fn ccs(arguments: &[&str], file: &Path) -> Json {
    let output = Command::new(env!("CARGO_BIN_EXE_ccs")).args(arguments).arg(file).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The keys of a story whose values are names.
const NAMES: &[&str] =
    &["file", "id", "car", "charger", "matched_with", "run_id", "address", "session_id", "chargers"];

/// Asserts that two stories differ in names only, and that each name always has the same replacement.
fn same_story(old: &Json, new: &Json, key: &str, names: &mut BTreeMap<String, String>, place: &str) {
    match (old, new) {
        (Json::Object(old), Json::Object(new)) => {
            assert_eq!(old.keys().collect::<Vec<_>>(), new.keys().collect::<Vec<_>>(), "{place}");
            for (key, value) in old {
                same_story(value, &new[key], key, names, &format!("{place}.{key}"));
            }
        }
        (Json::Array(old), Json::Array(new)) => {
            assert_eq!(old.len(), new.len(), "{place}");
            old.iter().zip(new).for_each(|(old, new)| same_story(old, new, key, names, place));
        }
        (Json::String(old), Json::String(new)) if NAMES.contains(&key) => {
            assert_eq!(names.entry(old.clone()).or_insert_with(|| new.clone()), new, "{place}: {old}");
        }
        _ => assert_eq!(old, new, "{place}"),
    }
}

/// The findings of `ccs decode`, without names.
fn outline(capture: &[u8]) -> Vec<String> {
    let source = Source::open(Box::new(Cursor::new(capture.to_vec()))).unwrap();
    let (mut decoder, mut lines) = (Decoder::new(), Vec::new());
    let mut take = |event: &ccs::decode::Event<'_>| {
        let what = match &event.content {
            Content::Mme(frame) => format!("{:?} {:?} {}", frame.mm_type, frame.fragment, frame.body.len()),
            Content::Exi(exi) => format!("{:?} {:?} {}", exi.schema, exi.message, exi.payload.len()),
            Content::Sdp(sdp) => sdp.name().into(),
            Content::Opened(_) | Content::Closed(..) | Content::Tls(_) | Content::Over(_) => {
                "connection".into()
            }
            // A line of a log has other addresses, and the same length.
            Content::Log(text) => format!("log {}", text.len()),
            other => format!("{other:?}"),
        };
        lines.push(format!("{} {:?} {:?} {what}", event.frame, event.time_ns, event.direction));
    };
    let end = source.read(&mut |packet| {
        decoder.take(packet, &mut take);
        ControlFlow::Continue(())
    });
    end.unwrap();
    decoder.finish(&mut take);
    lines
}

/// Redacts a capture and compares both: number of identifiers searched, and of correct checksums.
fn compare(path: &Path, summary: &corpus::Value, vectors: &[corpus::Value], file: &Path) -> (usize, usize) {
    let name = corpus::text(summary, "capture");
    let original = std::fs::read(path).unwrap();
    let identifiers = identifiers(&original, summary, vectors);
    assert!(
        !search(&original, &identifiers).is_empty() || identifiers.is_empty(),
        "{name}: the search is blind"
    );
    let redacted = redacted(&original, Options::default());
    assert_eq!(search(&redacted, &identifiers), [""; 0], "{name}");

    assert_eq!(outline(&redacted), outline(&original), "{name}");
    std::fs::write(file, &redacted).unwrap();
    let arguments = ["decode", "--summary", "--json"];
    let (old, new) = (ccs(&arguments, path), ccs(&arguments, file));
    same_story(&old, &new, "", &mut BTreeMap::new(), name);
    let (old, new) = (frames(&original), frames(&redacted));
    assert_eq!(old.len(), new.len(), "{name}");
    let mut summed = 0;
    for ((link_type, old), (_, new)) in old.iter().zip(&new) {
        assert_eq!(old.len(), new.len(), "{name}");
        if *link_type == 1 && sums(old) == Some(true) {
            assert_eq!(sums(new), Some(true), "{name}: {new:02x?}");
            summed += 1;
        }
    }
    (identifiers.len(), summed)
}

#[test]
fn no_identifier_of_any_capture_is_left_each_story_is_the_same_but_for_names_and_checksums_are_right() {
    let (Some(captures), Some(vectors)) = (captures(), corpus::lines("captures/vectors.jsonl")) else {
        return;
    };
    let directory = std::env::temp_dir().join(format!("ccs-redact-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let next = AtomicUsize::new(0);
    // Each takes a second or two: on all cores.
    let work = |file: PathBuf| {
        let mut sums = (0, 0);
        while let Some((path, summary)) = captures.get(next.fetch_add(1, Ordering::Relaxed)) {
            let (searched, summed) = compare(path, summary, &vectors, &file);
            sums = (sums.0 + searched, sums.1 + summed);
        }
        sums
    };
    let (searched, summed) = std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let files = (0..cores).map(|core| directory.join(format!("redacted-{core}")));
        let threads: Vec<_> = files.map(|file| scope.spawn(|| work(file))).collect();
        let sums = threads.into_iter().map(|thread| thread.join().unwrap());
        sums.fold((0, 0), |all, sums| (all.0 + sums.0, all.1 + sums.1))
    });
    std::fs::remove_dir_all(directory).unwrap();
    assert!(searched > 100, "only {searched} identifiers");
    assert!(summed > 50_000, "only {summed} checksums");
}

/// Whether the checksum of an Ethernet frame with TCP, UDP or `ICMPv6` is correct, by another implementation.
fn sums(frame: &[u8]) -> Option<bool> {
    use etherparse::{NetHeaders, PacketHeaders, TransportHeader};
    let packet = PacketHeaders::from_ethernet_slice(frame).ok()?;
    let payload = packet.payload.slice();
    let Some(NetHeaders::Ipv6(ip, _)) = packet.net else { return None };
    Some(match packet.transport? {
        TransportHeader::Tcp(tcp) => tcp.checksum == tcp.calc_checksum_ipv6(&ip, payload).ok()?,
        TransportHeader::Udp(udp) => udp.checksum == udp.calc_checksum_ipv6(&ip, payload).ok()?,
        TransportHeader::Icmpv6(icmp) => {
            icmp.checksum == icmp.icmp_type.calc_checksum(ip.source, ip.destination, payload).ok()?
        }
        _ => return None,
    })
}
