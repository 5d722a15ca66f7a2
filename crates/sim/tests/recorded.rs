//! The simulated modems against recorded ones: a recorded request gets an answer like the recorded one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod common;

use common::{Bench, view};
use homeplug_mme::view::View;
use homeplug_mme::{Frame, Mac, NetworkKey};
use sim::power_line::Coordinator;
use sim::{ModemConfig, ModemKind, Port};

const LOCAL: Port = Port(0);

struct Recorded {
    name: String,
    bytes: Vec<u8>,
}

impl Recorded {
    fn to(&self) -> Mac {
        common::to(&self.bytes)
    }
    fn from(&self) -> Mac {
        common::from(&self.bytes)
    }
}

/// Frames of real modems and their hosts.
fn recorded() -> Option<Vec<Recorded>> {
    let lines = corpus::lines("mme-vectors.jsonl")?;
    let real = lines.iter().filter(|line| corpus::text(line, "origin").starts_with("real capture"));
    let frames = real.map(|line| Recorded {
        name: corpus::text(line, "name").to_owned(),
        bytes: corpus::bytes(corpus::text(line, "hex")),
    });
    Some(frames.collect())
}

/// The kind of a recorded modem, by the manufacturer's part of its MAC address.
fn kind_of(mac: Mac) -> ModemKind {
    match mac.0 {
        [0xBC, 0xF2, 0xAF, ..] => ModemKind::Qca7000,
        [0x04, 0x65, 0x65, ..] => ModemKind::Qca7005,
        _ => ModemKind::Qca7420,
    }
}

fn pev(mac: Mac, key: Option<NetworkKey>) -> ModemConfig {
    ModemConfig { key, ..ModemConfig::pev(kind_of(mac), mac) }
}

/// The confirmations of this name, each with the first request of its name to the same modem or to all.
fn pairs<'r>(all: &'r [Recorded], name: &str, version: u8) -> Vec<(&'r Recorded, &'r Recorded)> {
    let named = |kind: &str| {
        let name = format!("{name}.{kind}");
        all.iter().filter(move |frame| frame.name == name && frame.bytes[14] == version)
    };
    let pairs = named("CNF").filter_map(|cnf| {
        let own = named("REQ").find(|req| req.to() == cnf.from());
        Some((
            own.or_else(|| named("REQ").find(|req| req.to().0[0] & 1 == 1 || req.to() == Mac::LOCAL_MODEM))?,
            cnf,
        ))
    });
    pairs.collect()
}

/// The modem's answer to the recorded request of its own host.
fn answer(bench: &mut Bench, request: &Recorded) -> Vec<u8> {
    let frames = bench.send_and_wait(LOCAL, &request.bytes);
    assert_eq!(frames.len(), 1, "{}", request.name);
    frames[0].clone()
}

/// The recorded answer, addressed to the sender of the request.
fn addressed(mut answer: Vec<u8>, request: &Recorded) -> Vec<u8> {
    answer[..6].copy_from_slice(&request.from().0);
    answer
}

/// Copies the bytes of `from` into `into` where a difference is allowed.
fn ignore(into: &mut [u8], from: &[u8], places: std::ops::Range<usize>) {
    into[places.clone()].copy_from_slice(&from[places]);
}

#[test]
fn versions_are_the_recorded_ones_byte_for_byte_but_for_the_chips_identity() {
    let Some(all) = recorded() else { return };
    let pairs = pairs(&all, "VS_SW_VER", 0);
    assert_eq!(pairs.len(), 3);
    for (request, cnf) in pairs {
        let mut bench = Bench::with(&[ModemConfig::evse(kind_of(cnf.from()), cnf.from())]);
        let mut own = answer(&mut bench, request);
        // The chip's identity and stepping, and old bytes of the buffer after the text.
        let end = 23 + usize::from(cnf.bytes[22]);
        ignore(&mut own, &cnf.bytes, end..cnf.bytes.len());
        assert!(own == addressed(cnf.bytes.clone(), request), "{:?}", kind_of(cnf.from()));
    }
}

#[test]
fn a_key_is_confirmed_as_the_recorded_modems_do() {
    let Some(all) = recorded() else { return };
    let pairs = pairs(&all, "CM_SET_KEY", 1);
    assert!(pairs.len() >= 10, "{}", pairs.len());
    for (request, cnf) in pairs {
        let mut bench = Bench::with(&[pev(cnf.from(), None)]);
        let mut own = answer(&mut bench, request);
        ignore(&mut own, &cnf.bytes, 20..24); // its nonce
        assert!(own == addressed(cnf.bytes.clone(), request), "{} {:?}", request.name, cnf.from());
    }
}

#[test]
fn a_key_is_told_and_refused_as_the_recorded_modems_do() {
    let Some(lines) = corpus::lines("captures/mme.jsonl") else { return };
    let mut requests: Vec<Recorded> = Vec::new();
    let (mut granted, mut refused, mut fresh) = (0, 0, 0);
    for line in lines.iter().filter(|line| corpus::text(line, "name").starts_with("CM_GET_KEY")) {
        let name = corpus::text(line, "capture").to_owned();
        let frame = Recorded { name, bytes: corpus::bytes(corpus::text(line, "bytes")) };
        if corpus::text(line, "name").ends_with("REQ") {
            requests.push(frame);
            continue;
        }
        let View::GetKeyCnf(cnf) = view(&frame.bytes).unwrap() else { panic!("no confirmation") };
        // The last request of this capture that can have had this outcome.
        let asked = |request: &&Recorded| {
            let View::GetKeyReq(asked) = view(&request.bytes).unwrap() else { return false };
            let is_same = request.name == frame.name && request.from() == frame.to();
            is_same && (cnf.result != 0 || asked.nid == cnf.nid)
        };
        let Some(request) = requests.iter().rev().find(asked) else { continue };
        let View::GetKeyReq(asked) = view(&request.bytes).unwrap() else { continue };
        // A modem that is not the host's own refuses even the right identifier.
        let is_remote = cnf.result == 1 && asked.nid == cnf.nid;
        let is_alone = cnf.nid.0 == [0; 7];
        let own_key = NetworkKey { nid: cnf.nid, nmk: cnf.key };
        let key = if is_alone { common::key(3) } else { own_key };
        let other = Mac([0, 0xB0, 0x52, 9, 9, 9]);
        let near = if is_remote { other } else { frame.from() };
        let far = if is_remote { frame.from() } else { other };
        let mut modems = vec![pev(near, Some(key))];
        if !is_alone {
            modems.push(ModemConfig { coordinator: Coordinator::Always, ..pev(far, Some(key)) });
        }
        let mut bench = Bench::with(&modems);
        bench.run(4000);
        if is_alone {
            // A modem reports no network only just after its start.
            bench.line.restart(bench.now, LOCAL, machine::Duration::from_secs(1));
            bench.run(1001);
        }
        let answers = bench.send_and_wait(LOCAL, &request.bytes);
        let mut own = answers.into_iter().find(|answer| common::from(answer) == frame.from()).unwrap();
        ignore(&mut own, &frame.bytes, 21..25); // its nonce
        ignore(&mut own, &frame.bytes, 25..29); // ours: the request may be another of the same kind
        assert!(own == addressed(frame.bytes.clone(), request), "{} result {}", frame.name, cnf.result);
        granted += u8::from(cnf.result == 0);
        refused += u8::from(is_remote);
        fresh += u8::from(is_alone);
    }
    assert!(
        granted >= 15 && refused >= 5 && fresh >= 1,
        "{granted} granted, {refused} refused, {fresh} fresh"
    );
}

#[test]
fn hosts_and_networks_are_told_in_the_recorded_form() {
    let Some(all) = recorded() else { return };
    let bridges = pairs(&all, "CM_BRG_INFO", 1);
    assert_eq!(bridges.len(), 1);
    for (request, cnf) in bridges {
        let mut bench = Bench::with(&[ModemConfig::evse(ModemKind::Qca7420, request.to())]);
        let mut own = answer(&mut bench, request);
        ignore(&mut own, &cnf.bytes, 6..12);
        ignore(&mut own, &cnf.bytes, 20..21); // its number in the network
        assert!(own == cnf.bytes);
    }

    let infos = pairs(&all, "VS_NW_INFO", 1);
    assert_eq!(infos.len(), 3);
    for (request, cnf) in infos {
        let View::NwInfoCnf(info) = view(&cnf.bytes).unwrap() else { panic!("no network information") };
        let mac = request.to();
        let alone =
            ModemConfig { coordinator: Coordinator::Never, ..ModemConfig::plug(ModemKind::Qca7420, mac) };
        let coordinating = ModemConfig { coordinator: Coordinator::Always, ..alone };
        let key = Some(common::key(1));
        let joined = ModemConfig { key, ..alone };
        let other =
            ModemConfig { key, ..ModemConfig::evse(ModemKind::Qca7000, Mac([0, 0xB0, 0x52, 9, 9, 9])) };
        let mut bench = match info.networks().count() {
            0 => Bench::with(&[alone]),
            1 => Bench::with(&[coordinating]),
            _ => Bench::with(&[joined, other]),
        };
        bench.run(4000);
        let own = answer(&mut bench, request);
        assert_eq!(own.len(), cnf.bytes.len());
        let View::NwInfoCnf(own) = view(&own).unwrap() else { panic!("no network information") };
        assert_eq!(own.data_len, info.data_len);
        let shape = |info: &homeplug_mme::view::NwInfoCnf<'_>| {
            let entries = info.networks().map(|entry| match entry {
                homeplug_mme::view::Entry::Network(network) => (network.role, network.num_stas),
                homeplug_mme::view::Entry::Station(station) => (9, u8::try_from(station.avg_tx).unwrap()),
            });
            entries.collect::<Vec<_>>()
        };
        assert_eq!(shape(&own), shape(&info));
    }

    let old = pairs(&all, "VS_NW_INFO", 0);
    assert_eq!(old.len(), 1);
    let (request, cnf) = old[0];
    let key = Some(common::key(1));
    let own = ModemConfig { key, ..ModemConfig::evse(ModemKind::Qca7420, request.to()) };
    let other = ModemConfig { key, ..ModemConfig::pev(ModemKind::Qca7005, Mac([0, 0xB0, 0x52, 9, 9, 9])) };
    let mut bench = Bench::with(&[own, other]);
    bench.run(4000);
    let frame = answer(&mut bench, request);
    let (View::NwInfoOldCnf(own), View::NwInfoOldCnf(recorded)) =
        (view(&frame).unwrap(), view(&cnf.bytes).unwrap())
    else {
        panic!("no network information")
    };
    assert_eq!(own.networks.entries().count(), recorded.networks.entries().count());
    assert_eq!(frame.len(), cnf.bytes.len());
}

#[test]
fn parameters_are_read_in_the_recorded_form() {
    let Some(lines) = corpus::lines("captures/mme.jsonl") else { return };
    let frames = lines.iter().map(|line| Recorded {
        name: corpus::text(line, "name").to_owned(),
        bytes: corpus::bytes(corpus::text(line, "bytes")),
    });
    let frames: Vec<Recorded> =
        frames.filter(|frame| frame.name.starts_with("VS_MODULE_OPERATION")).collect();
    let mut compared = 0;
    for request in frames.iter().filter(|frame| frame.name.ends_with("REQ")) {
        // The answer repeats module, length and offset of the operation.
        let what = &request.bytes[33..43];
        let Some(cnf) =
            frames.iter().find(|frame| frame.name.ends_with("CNF") && frame.bytes[37..47] == *what)
        else {
            continue;
        };
        let kind = kind_of(cnf.from());
        let mut bench = Bench::with(&[ModemConfig::pev(kind, cnf.from())]);
        let mut bytes = request.bytes.clone();
        bytes[..6].copy_from_slice(&Mac::LOCAL_MODEM.0);
        let own = bench.send_and_wait(LOCAL, &bytes);
        assert_eq!(own.len(), 1);
        assert_eq!(own[0].len(), cnf.bytes.len());
        assert!(own[0][6..47] == cnf.bytes[6..47], "all but the data");
        compared += 1;
    }
    assert!(compared >= 6, "{compared}");
}

#[test]
fn attributes_are_told_with_the_recorded_fields() {
    let Some(all) = recorded() else { return };
    let pairs = pairs(&all, "VS_OP_ATTRIBUTES", 0);
    assert_eq!(pairs.len(), 1);
    let (request, cnf) = pairs[0];
    let mut bench = Bench::with(&[ModemConfig::evse(ModemKind::Qca7420, cnf.from())]);
    let own = answer(&mut bench, request);
    let shown = |bytes: &[u8]| {
        let mut names = Vec::new();
        view(bytes).unwrap().fields(&mut |name, _| names.push(name));
        names
    };
    assert_eq!(shown(&own), shown(&cnf.bytes));
    let (View::OpAttributesCnf(own), View::OpAttributesCnf(recorded)) =
        (view(&own).unwrap(), view(&cnf.bytes).unwrap())
    else {
        panic!("no attributes")
    };
    assert_eq!((own.mstatus, own.mlength, own.rtype), (recorded.mstatus, recorded.mlength, recorded.rtype));
    assert_eq!((own.family, own.devtype), (recorded.family, recorded.devtype));
}

#[test]
fn sounds_are_reported_in_the_recorded_form() {
    let Some(all) = recorded() else { return };
    let sounds: Vec<&Recorded> = all.iter().filter(|frame| frame.name == "CM_MNBC_SOUND.IND").collect();
    assert!(sounds.len() >= 3);
    let find = |name: &str| all.iter().find(|frame| frame.name == name).unwrap();
    let profile = find("CM_ATTEN_PROFILE.IND");
    let vendor = find("VS_ATTENUATION_CHARACTERISTICS.IND");
    for sound in sounds {
        let key = None;
        let car = ModemConfig { key, ..ModemConfig::pev(ModemKind::Qca7005, common::CAR_MODEM) };
        let charger = ModemConfig::evse(ModemKind::Qca7420, profile.from());
        let mut bench = Bench::with(&[car, charger]);
        bench.send(LOCAL, &sound.bytes);
        bench.run(100);
        let mut arrived = bench.at(Port(1));
        arrived.sort_by_key(|frame| Frame::parse(frame).unwrap().mm_type);
        let [own_sound, own_profile, own_vendor] = arrived.as_slice() else { panic!("{}", arrived.len()) };
        assert!(*own_sound == sound.bytes);
        let with_car = |frame: &Recorded, at: usize| {
            let mut bytes = frame.bytes.clone();
            bytes[at..at + 6].copy_from_slice(&sound.from().0);
            bytes[6..12].copy_from_slice(&profile.from().0);
            bytes
        };
        assert!(*own_profile == with_car(profile, 19));
        assert!(*own_vendor == with_car(vendor, 20));
    }
}
