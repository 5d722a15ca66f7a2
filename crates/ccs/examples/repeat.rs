//! Repeats the captures of the corpus until a file has a given size: a large input for `ccs decode`.
//!
//! `cargo run --release -p fastcharge-ccs --example repeat -- 1024 large.pcapng` writes about 1024 MiB, in
//! the form of our own recordings. Times continue from capture to capture. Each round has its own IPv6
//! addresses, so that no connection belongs to an earlier round. Checksums are not adjusted: `ccs decode`
//! ignores them.
#![allow(clippy::expect_used, reason = "a measurement without its data ends")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use ccs::decode::source::{Data, Source};
use hal_linux::{Direction, Recorder};

/// A frame and its time, in ns since 1970 (UTC).
type Frame = (i64, Vec<u8>);

/// Time between two captures.
const PAUSE_NS: i64 = 10_000_000_000;

fn main() {
    let mut args = std::env::args().skip(1);
    let (Some(mebibytes), Some(path)) = (args.next().and_then(|size| size.parse::<u64>().ok()), args.next())
    else {
        eprintln!("usage: repeat MEBIBYTES FILE");
        std::process::exit(2);
    };
    let captures = captures();
    assert!(!captures.is_empty(), "nothing to repeat without the corpus");
    let output = BufWriter::with_capacity(1 << 20, File::create(path).expect("a file that can be written"));
    let recorder = Recorder::new(output, "corpus").expect("the head of the file");
    repeat(&captures, recorder.at_most(mebibytes << 20));
}

/// Every capture of the corpus.
fn captures() -> Vec<Vec<Frame>> {
    let Some(folder) = corpus::path("captures") else { return Vec::new() };
    let entries =
        std::fs::read_dir(folder).expect("readable corpus").map(|entry| entry.expect("an entry").path());
    let is_capture = |path: &Path| path.extension().is_some_and(|end| end == "pcap" || end == "pcapng");
    let mut paths: Vec<_> = entries.filter(|path| is_capture(path)).collect();
    paths.sort();
    paths.iter().map(|path| frames(path)).collect()
}

/// The frames of a capture that were captured whole.
fn frames(path: &Path) -> Vec<Frame> {
    let source = Source::open(Box::new(File::open(path).expect("a capture"))).expect("a capture");
    let mut frames = Vec::new();
    let end = source.read(&mut |packet| {
        if let (Some(time_ns), Data::Link(1, frame)) = (packet.time_ns, packet.data) {
            frames.push((time_ns, frame.to_vec()));
        }
        ControlFlow::Continue(())
    });
    end.expect("a whole capture");
    frames
}

/// Writes round after round until the file is full.
fn repeat<W: Write>(captures: &[Vec<Frame>], mut recorder: Recorder<W>) {
    let mut now_ns = captures.iter().flatten().map(|frame| frame.0).max().unwrap_or_default();
    for round in 1_u32.. {
        for capture in captures {
            let first = capture.iter().map(|frame| frame.0).min().unwrap_or_default();
            let last = capture.iter().map(|frame| frame.0).max().unwrap_or_default();
            for (time_ns, frame) in capture {
                let mut frame = frame.clone();
                corpus::to_subnet(round, &mut frame);
                let at =
                    Duration::from_nanos(u64::try_from(now_ns + time_ns - first).expect("a time after 1970"));
                if !recorder.frame(at, Direction::Received, &frame).expect("room for a frame") {
                    return recorder.flush().expect("room for the last frames");
                }
            }
            now_ns += last - first + PAUSE_NS;
        }
    }
}
