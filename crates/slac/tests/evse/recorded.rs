//! Recorded matchings: the management frames of a capture with their times.

use std::collections::BTreeSet;
use std::fs::File;

use homeplug_mme::{Frame, Mac, Profile, Slac};
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{Block, PcapBlockOwned, PcapError, create_reader};

/// A frame of matching.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub micros: u64,
    pub from: Mac,
    pub to: Mac,
    pub message: Slac,
    /// With its tag, if it has one.
    pub bytes: Vec<u8>,
}

/// A car's frames up to a charger's key, or up to the end of the recording.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub car: Mac,
    pub charger: Mac,
    /// Frames of the car, of the charger and of the charger's modem, in their order.
    pub frames: Vec<Recorded>,
}

impl Attempt {
    /// Whether the recorded charger sent its key.
    pub(crate) fn succeeds(&self) -> bool {
        self.frames.iter().any(|frame| matches!(frame.message, Slac::MatchCnf { .. }))
    }
}

/// Names of all captures; `None` without a corpus.
pub(crate) fn names() -> Option<BTreeSet<String>> {
    let folder = corpus::path("captures")?;
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let captures = files.filter(|path| path.extension().is_some_and(|ext| ext == "pcap" || ext == "pcapng"));
    Some(captures.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect())
}

/// Every frame of matching in a capture. A second copy of a frame within a millisecond is left out: some
/// captures were recorded at two ports.
pub(crate) fn frames(capture: &str) -> Option<Vec<Recorded>> {
    let mut frames: Vec<Recorded> = Vec::new();
    packets(capture, &mut |micros, bytes| {
        let Ok(frame) = Frame::parse(bytes) else { return };
        let Some(Ok(message)) = Slac::parse(&frame) else { return };
        let is_copy = |last: &Recorded| last.bytes == bytes && micros - last.micros < 1000;
        if !frames.iter().rev().take(3).any(is_copy) {
            frames.push(Recorded { micros, from: frame.from, to: frame.to, message, bytes: bytes.to_vec() });
        }
    })?;
    Some(frames)
}

/// The attempts of every car at every charger that responded to it.
pub(crate) fn attempts(frames: &[Recorded]) -> Vec<Attempt> {
    let mut pairs: Vec<(Mac, Mac)> = Vec::new();
    let cars: BTreeSet<Mac> = frames
        .iter()
        .filter(|frame| matches!(frame.message, Slac::ParmReq { .. }))
        .map(|frame| frame.from)
        .collect();
    for frame in frames {
        let pair = (frame.to, frame.from);
        if matches!(frame.message, Slac::ParmCnf { .. }) && cars.contains(&pair.0) && !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    let chargers: Vec<Mac> = pairs.iter().map(|(_, charger)| *charger).collect();
    let modems = modems(frames, &chargers);
    pairs
        .iter()
        .flat_map(|&(car, charger)| {
            let modem = modems.iter().find(|(of, _)| *of == charger).map(|(_, modem)| *modem);
            split(car, charger, modem, frames)
        })
        .collect()
}

fn split(car: Mac, charger: Mac, modem: Option<Mac>, frames: &[Recorded]) -> Vec<Attempt> {
    let belongs = |frame: &&Recorded| {
        (frame.from == car && (frame.to == charger || frame.to == Mac::BROADCAST))
            || (frame.from == charger && frame.to == car)
            || Some(frame.from) == modem
    };
    let mut attempts = Vec::new();
    let mut attempt = Attempt { car, charger, frames: Vec::new() };
    for frame in frames.iter().filter(belongs) {
        // Another request long after the last response's key, or after half a minute without any.
        let begins = matches!(frame.message, Slac::ParmReq { .. })
            && (attempt.succeeds()
                || attempt.frames.last().is_some_and(|last| frame.micros - last.micros > 30_000_000));
        if begins {
            let next = Attempt { car, charger, frames: Vec::new() };
            attempts.push(std::mem::replace(&mut attempt, next));
        }
        attempt.frames.push(frame.clone());
    }
    attempts.push(attempt);
    attempts
}

/// Assigns modems to chargers: of two recorded ones, the stronger measurement belongs to the stronger report.
fn modems(frames: &[Recorded], chargers: &[Mac]) -> Vec<(Mac, Mac)> {
    let mut loud = Vec::new();
    let mut reports = Vec::new();
    for frame in frames {
        let (list, mean) = match &frame.message {
            Slac::Measured { profile, .. } => (&mut loud, profile.as_ref().map_or(0, Profile::mean_cdb)),
            Slac::AttenChar { profile: Some(profile), .. } if frame.to.is_unicast() => {
                (&mut reports, profile.mean_cdb())
            }
            _ => continue,
        };
        if !list.iter().any(|(_, mac)| *mac == frame.from) {
            list.push((mean, frame.from));
        }
    }
    loud.sort_unstable();
    reports.sort_unstable();
    reports.retain(|(_, charger)| chargers.contains(charger));
    reports.into_iter().zip(loud).map(|((_, charger), (_, modem))| (charger, modem)).collect()
}

fn packets(capture: &str, take: &mut dyn FnMut(u64, &[u8])) -> Option<()> {
    let file = File::open(corpus::path(&format!("captures/{capture}"))?).unwrap();
    let mut reader = create_reader(1 << 20, file).unwrap();
    let mut units = Vec::new();
    let mut begin = None;
    let mut packet = |time: u64, units: u64, bytes: &[u8]| {
        let micros = u64::try_from(u128::from(time) * 1_000_000 / u128::from(units)).unwrap();
        take(micros - *begin.get_or_insert(micros), bytes);
    };
    loop {
        match reader.next() {
            Ok((consumed, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) => {
                        units =
                            vec![if header.is_nanosecond_precision() { 1_000_000_000 } else { 1_000_000 }];
                    }
                    PcapBlockOwned::Legacy(block) => {
                        let time = u64::from(block.ts_sec) * units[0] + u64::from(block.ts_usec);
                        packet(time, units[0], block.data);
                    }
                    PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                        let base: u64 = if interface.if_tsresol & 0x80 == 0 { 10 } else { 2 };
                        units.push(base.pow(u32::from(interface.if_tsresol & 0x7F)));
                    }
                    PcapBlockOwned::NG(Block::EnhancedPacket(block)) => {
                        let time = (u64::from(block.ts_high) << 32) | u64::from(block.ts_low);
                        packet(time, units[block.if_id as usize], block.packet_data());
                    }
                    PcapBlockOwned::NG(_) => {}
                }
                reader.consume(consumed);
            }
            Err(PcapError::Incomplete(_)) => reader.refill().unwrap(),
            Err(PcapError::Eof | PcapError::UnexpectedEof) => return Some(()),
            Err(error) => panic!("{capture}: {error}"),
        }
    }
}
