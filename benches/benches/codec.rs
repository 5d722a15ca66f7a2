//! Time of the codec: every DIN message, and all messages of whole captures.
//!
//! `cargo bench -p benches`; the program `instructions` counts instructions, which are repeatable.
#![allow(missing_docs, clippy::expect_used, reason = "a bench")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use exi_din::V2gMessage;

fn messages(c: &mut Criterion) {
    let mut group = c.benchmark_group("din");
    let captured = benches::din_messages();
    let golden = benches::golden_messages();
    let others = golden.iter().filter(|message| captured.iter().all(|known| known.name != message.name));
    for message in captured.iter().chain(others) {
        group.throughput(Throughput::Bytes(message.stream.len() as u64));
        group.bench_function(format!("decode/{}", message.name), |b| {
            b.iter(|| V2gMessage::decode(black_box(&message.stream)).is_ok());
        });
        let decoded = V2gMessage::decode(&message.stream).expect("a valid message");
        group.bench_function(format!("encode/{}", message.name), |b| {
            let mut buffer = [0; 2048];
            b.iter(|| black_box(&decoded).encode(&mut buffer).is_ok());
        });
    }
    group.finish();
}

fn captures(c: &mut Criterion) {
    let mut group = c.benchmark_group("captures");
    for capture in [
        "2023-04-19_westparkAlpi_pyPlc_lightbulb_1fail_1ok.pcapng",
        "spi_ioniq_alpiHYC150_Meitingen_2024-04-03_Ok.csv.pcap",
        "spi_ioniq_alpiHYC300_LangenbruckTwoSessions_2024-04-03_Ok.csv.pcap",
    ] {
        let streams = benches::captured(capture);
        if streams.is_empty() {
            continue;
        }
        group.throughput(Throughput::Elements(streams.len() as u64));
        group.bench_function(capture, |b| {
            b.iter_batched_ref(
                || (),
                |()| streams.iter().filter(|stream| V2gMessage::decode(stream).is_ok()).count(),
                BatchSize::SmallInput,
            );
        });
    }
    group.finish();
}

criterion_group!(codec, messages, captures);
criterion_main!(codec);
