//! The charger's work for one message on the host: a request's frame in, the response's frame out.
//!
//! `cargo bench -p benches --bench evse`; it times only the charger's part, not the car's.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench"
)]

use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use machine::Machine as _;
use replay::{config, replay, sessions};
use roles::{EvseInput, EvseStorage, MAX_FRAME};

const CAPTURE: &str = "spi_ioniq_alpiHYC300_SWIsued_2024-03-22_ok_stopOnCharger.csv.pcap";

fn request_to_response(c: &mut Criterion) {
    let Some(session) = sessions(CAPTURE).into_iter().next() else { return };
    let first = session.requests.iter().position(|request| request.name == "CurrentDemandReq").unwrap();
    let mut storage = EvseStorage::new();
    let mut world = replay(&session, first + 10, config(&session), &mut storage).unwrap();
    let stream = &session.requests[first + 10].stream;
    let mut buffer = [0; MAX_FRAME];
    c.bench_function("evse/CurrentDemandReq frame to response frame", |b| {
        b.iter_custom(|rounds| {
            let mut busy = Duration::ZERO;
            for _ in 0..rounds {
                world.run(world.now + 50_000);
                for frame in world.request(stream) {
                    let start = Instant::now();
                    world.input(EvseInput::Frame(&frame));
                    let answer = world.evse.poll_transmit(&mut buffer);
                    busy += start.elapsed();
                    let (length, ()) = answer.unwrap().expect("a frame for the request's frame");
                    assert!(length > 100, "{length} bytes are no response");
                    world.car.handle(&buffer[..length]);
                }
                world.exchange();
                world.car.received();
            }
            busy
        });
    });
}

criterion_group!(evse, request_to_response);
criterion_main!(evse);
