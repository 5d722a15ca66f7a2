//! `ccs decode` uses no more memory for a longer file.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::fs::{self, read_to_string};
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::process::{Child, Command, Stdio};

use ccs::decode::source::{Data, Source};

/// Frames of a session from the end of its matching to the cable check.
fn session() -> Vec<Vec<u8>> {
    let path = std::env::temp_dir().join(format!("ccs-memory-{}.pcapng", std::process::id()));
    let demo = ["demo", "--soc", "50", "--target-soc", "51", "--record"];
    let made = Command::new(env!("CARGO_BIN_EXE_ccs")).args(demo).arg(&path).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let mut frames = Vec::new();
    let source = Source::open(Box::new(fs::File::open(&path).unwrap())).unwrap();
    source
        .read(&mut |packet| {
            if let (110..150, Data::Link(1, frame)) = (packet.frame, packet.data) {
                frames.push(frame.to_vec());
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    fs::remove_file(path).unwrap();
    frames
}

/// Peak memory of a process, in kB.
fn peak(child: &Child) -> u64 {
    let status = read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let value = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    value.trim().trim_end_matches(" kB").parse().unwrap()
}

/// More sessions than are kept: 256 connections are tracked, and a summary has 256 earlier stories.
const ROUNDS: u32 = 600;
/// A tenth of what this many stories would take, in kB.
const NOISE: u64 = 120;

#[test]
fn a_second_half_of_new_sessions_takes_no_memory_beyond_that_of_the_first() {
    let frames = session();
    for mode in [&["--summary"][..], &["--json"], &[]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ccs"))
            .args([&["decode"], mode, &["-"]].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = BufWriter::new(child.stdin.take().unwrap());
        input.write_all(&corpus::PCAP_HEAD).unwrap();
        let mut half = |first: u32| {
            for round in first..first + ROUNDS {
                for frame in &frames {
                    let length = u32::try_from(frame.len()).unwrap();
                    let mut frame = frame.clone();
                    corpus::to_subnet(round, &mut frame);
                    // One second for each session.
                    for number in [round, 0, length, length] {
                        input.write_all(&number.to_le_bytes()).unwrap();
                    }
                    input.write_all(&frame).unwrap();
                }
            }
            input.flush().unwrap();
        };
        half(1);
        let before = peak(&child);
        half(1 + ROUNDS);
        let after = peak(&child);
        drop(input);
        assert!(child.wait().unwrap().success(), "{mode:?}");
        assert!(
            after < before + NOISE,
            "{mode:?}: {before} kB for {ROUNDS} sessions, {after} kB for twice as many"
        );
    }
}
