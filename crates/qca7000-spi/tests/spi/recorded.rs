//! Recordings of a logic analyser between the QCA7005 of a Hyundai Ioniq and its host. The corpus has the
//! frames. A recording of the bus itself, if present
//! (`captures/CCM_SPI_powerOn_and_SLAC_until_contractAuth.txt`: time, packet, MOSI, MISO), also shows the
//! bytes around them.

use std::fs::File;
use std::path::Path;

use machine::Duration;
use pcap_parser::{PcapBlockOwned, PcapError, create_reader};
use qca7000_spi::{Deframer, Item, MAX_FRAME, READ_MAX, RECEIVE_MIN};

use crate::bench::Bench;
use crate::chip::framed;

/// The recording from power-on to `ContractAuthenticationReq`.
const RECORDING: &str = "CCM_SPI_powerOn_and_SLAC_until_contractAuth.txt";

/// The frames of a capture.
fn frames(path: &Path) -> Vec<Vec<u8>> {
    let mut reader = create_reader(65536, File::open(path).unwrap()).unwrap();
    let mut frames = Vec::new();
    loop {
        match reader.next() {
            Ok((used, block)) => {
                if let PcapBlockOwned::Legacy(block) = block {
                    frames.push(block.data.to_vec());
                }
                reader.consume(used);
            }
            Err(PcapError::Eof) => return frames,
            Err(PcapError::Incomplete(_)) => reader.refill().unwrap(),
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }
}

#[test]
fn every_recorded_frame_passes_in_both_directions() {
    let Some(folder) = corpus::path("captures") else { return };
    let mut captures: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    captures.retain(|path| {
        let name = path.file_name().unwrap().to_string_lossy().to_lowercase();
        name.contains("spi") && path.extension().is_some_and(|extension| extension == "pcap")
    });
    assert!(captures.len() >= 6, "{captures:?}");
    for path in captures {
        // Frames of 32 938 bytes in the recording are a disturbed bus: the driver must return none of them.
        let (recorded, noise): (Vec<_>, Vec<_>) =
            frames(&path).into_iter().partition(|frame| frame.len() <= MAX_FRAME);
        for receive in [RECEIVE_MIN, READ_MAX.into()] {
            let mut bench = Bench::up(receive);
            bench.chip.borrow_mut().drain = Some(Duration::ZERO);
            for bytes in &noise {
                let header = [0, 0, 0, 0, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0x80, 0, 0];
                bench.chip.borrow_mut().offer(&[&header[..], &bytes[..3000]].concat());
                bench.run(Duration::from_millis(1));
            }
            // Bursts of three: more than occurred in the recording.
            for burst in recorded.chunks(3) {
                for frame in burst {
                    bench.chip.borrow_mut().receive(frame);
                    bench.driver.chip().send(frame).unwrap();
                    bench.turn();
                }
                bench.run(Duration::from_millis(1));
            }
            assert!(bench.frames == recorded, "{}: frames differ", path.display());
            let chip = bench.chip.borrow();
            let written = chip.written.iter().map(|bytes| &bytes[8..bytes.len() - 2]);
            assert!(written.eq(&recorded), "{}: written frames differ", path.display());
            assert_eq!(chip.mistakes, [""; 0]);
        }
    }
}

/// One transaction with frames: whether it reads, the length announced for it, and the data.
type Burst = (bool, usize, Vec<u8>);

/// The transactions with frames in a recording. The host pauses before each group of register accesses; at
/// most the last access of a group contains frames.
fn bursts(text: &str) -> Vec<Burst> {
    let hex = |field: &str| u8::from_str_radix(field.trim_start_matches("0x"), 16).unwrap();
    let rows = text.lines().skip(1).map(|line| {
        let fields: Vec<_> = line.split(',').collect();
        (fields[0].parse::<f64>().unwrap(), hex(fields[2]), hex(fields[3]))
    });
    let mut groups: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut last = f64::MIN;
    for (time, mosi, miso) in rows {
        if time - last > 2.2e-6 {
            groups.push((Vec::new(), Vec::new()));
        }
        last = time;
        let (host, chip) = groups.last_mut().unwrap();
        host.push(mosi);
        chip.push(miso);
    }
    groups.iter().filter_map(|(host, chip)| burst(host, chip)).collect()
}

fn burst(host: &[u8], chip: &[u8]) -> Option<Burst> {
    let mut size = 0;
    let mut at = 0;
    while let Some(&[c1, c0, v1, v0]) = host.get(at..at + 4) {
        match u16::from_be_bytes([c1, c0]) {
            0x8000 => return Some((true, size, chip[at + 2..].to_vec())),
            0x0000 => return Some((false, size, host[at + 2..].to_vec())),
            0x4100 => size = u16::from_be_bytes([v1, v0]).into(),
            _ => {}
        }
        at += 4;
    }
    None
}

#[test]
fn the_recorded_bus_gives_the_recorded_frames_and_is_written_as_its_host_did() {
    let Some(path) = corpus::path(&format!("captures/{RECORDING}")) else { return };
    let recorded = frames(&path.with_extension("txt.pcap"));
    let mut bench = Bench::up(RECEIVE_MIN);
    let mut seen = Vec::new();
    for (reads, size, data) in bursts(&std::fs::read_to_string(path).unwrap()) {
        let bytes = &data[..size]; // the host pads to 16 bit
        if reads {
            let mut buffer = [0; RECEIVE_MIN];
            let mut deframer = Deframer::new(&mut buffer);
            deframer.space()[..size].copy_from_slice(bytes);
            deframer.filled(size);
            let Some(Item::Frame(place)) = deframer.poll_item() else { panic!("no frame in {size} bytes") };
            let frame = deframer.get(place).to_vec();
            assert_eq!(framed(&frame), bytes, "the simulated chip frames as the real one");
            assert_eq!(deframer.poll_item(), None);
            seen.push(frame);
        } else {
            let frame = bytes[8..size - 2].to_vec();
            bench.driver.chip().send(&frame).unwrap();
            bench.run(Duration::from_millis(2));
            assert!(
                bench.chip.borrow().written.last().unwrap() == bytes,
                "written as the recorded host does"
            );
            seen.push(frame);
        }
    }
    assert!(seen == recorded, "{} frames of {}", seen.len(), recorded.len());
}
