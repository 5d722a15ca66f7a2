//! A whole session in the simulated world, and the time of each role for one message of the charging loop.
//!
//! `cargo bench -p benches --bench session`; of a message it times only the calls of the role, not the
//! world's.
#![allow(missing_docs, reason = "a bench")]

use benches::session::{Clock, Watch, answers, play};
use criterion::{Criterion, criterion_group, criterion_main};

fn whole(c: &mut Criterion) {
    let mut group = c.benchmark_group("session");
    group.sample_size(10);
    group.bench_function("SLAC and ten minutes of charging", |b| b.iter(|| play(1, Watch::Nobody)));
    group.bench_function("the same, judged by every rule", |b| b.iter(|| play(1, Watch::Rules)));
    group.finish();
}

fn message(c: &mut Criterion) {
    let mut group = c.benchmark_group("message");
    group.sample_size(10);
    let mean = |clock: &Clock, rounds: u64| clock.answer() * u32::try_from(rounds).unwrap_or(u32::MAX);
    group.bench_function("charger: CurrentDemandReq frame to response frame", |b| {
        b.iter_custom(|rounds| mean(&answers(rounds)[0], rounds));
    });
    group.bench_function("car: CurrentDemandRes frame to the next request's frame", |b| {
        b.iter_custom(|rounds| mean(&answers(rounds)[1], rounds));
    });
    group.finish();
}

criterion_group!(session, whole, message);
criterion_main!(session);
