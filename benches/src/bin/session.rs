//! Cost of a whole charging session on this machine: both roles, both modems, the cable, in virtual time.
//!
//! `cargo run --profile bench -p benches --bin session` prints the table as Markdown. In a session the modems
//! receive their keys, the plug is inserted, SLAC and discovery follow, then ten minutes of charging and the
//! end.
#![allow(clippy::expect_used, reason = "a measurement without its tool ends")]

use std::fs::read_to_string;
use std::mem::size_of;
use std::time::{Duration, Instant};

use benches::session::{Watch, answers, play};
use nix::time::{ClockId, clock_gettime};
use roles::{Evse, EvseStorage, Pev, PevStorage};

/// Budget of CPU time for one session (design, section 8).
const BUDGET: Duration = Duration::from_millis(50);
/// Budget from a request's frame to the response's frame (design, section 8).
const ANSWER: Duration = Duration::from_micros(50);
/// Number of measured sessions.
const SESSIONS: u32 = 40;
/// Number of averaged messages.
const MESSAGES: u64 = 20_000;

fn main() {
    let first = play(1, Watch::Nobody);
    let peak = status("VmHWM");
    assert!(first.charging_ms >= 600_000, "{} ms are no ten minutes", first.charging_ms);
    let alone = cpu(Watch::Nobody);
    let traced = cpu(Watch::Trace);
    let kept = play(1, Watch::Trace).lines;
    let peak_kept = status("VmHWM");
    let judged = cpu(Watch::Rules);
    let clocked = play(1, Watch::Clock).clocks;
    let [charger, car] = answers(MESSAGES);
    let (cores, rate) = rate();

    println!("| what | measured | budget |\n|---|---|---|");
    let row = |what: &str, measured: String, budget: &str| println!("| {what} | {measured} | {budget} |");
    let millis = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    let micros = |time: Duration| format!("{:.1} us", time.as_secs_f64() * 1e6);
    let seconds = Duration::from_millis(first.charging_ms).as_secs();
    let cpu_row = |[least, median]: [Duration; 2]| format!("{} (median {})", millis(least), millis(median));
    row(&format!("session, {seconds} s of charging: CPU, least of {SESSIONS}"), cpu_row(alone), "50 ms");
    row("the same with the trace that tests keep", cpu_row(traced), "");
    row("the same, every safety rule judged after every step", cpu_row(judged), "");
    row("of it the charger's role", millis(clocked[0].busy), "");
    row("of it the car's role", millis(clocked[1].busy), "");
    row(&format!("sessions per second on {cores} cores"), format!("{rate:.0}"), "");
    row("peak memory", peak, "");
    row("peak memory with the trace", peak_kept, "");
    row("charger: request's frame to response's frame", micros(charger.answer()), "50 us");
    row(
        "car: response's frame to the next request's frame, with its sensors in between",
        micros(car.answer()),
        "",
    );
    row("charger: `Evse` and `EvseStorage`", sizes(size_of::<Evse>(), size_of::<EvseStorage>()), "");
    row("car: `Pev` and `PevStorage`", sizes(size_of::<Pev>(), size_of::<PevStorage>()), "");
    println!("\nA session is {} s of virtual time and {kept} lines of trace.", first.took_ms / 1000);
    if alone[0] > BUDGET || charger.answer() > ANSWER {
        println!(
            "\nOver the budget: by this machine, or by a change? `--bin instructions` counts, and does not depend on it."
        );
    }
}

/// CPU time of a session: the least and the median of many, because other programs on the machine slow it
/// down.
fn cpu(watch: Watch) -> [Duration; 2] {
    let mut times: Vec<Duration> = (1..=SESSIONS)
        .map(|seed| {
            let before = used();
            play(seed.into(), watch);
            used().saturating_sub(before)
        })
        .collect();
    times.sort();
    [0, times.len() / 2].map(|index| times.get(index).copied().unwrap_or_default())
}

/// CPU time that this process has used.
fn used() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("a clock of CPU time").into()
}

/// Cores, and sessions per second on all of them.
#[allow(clippy::disallowed_methods, reason = "a measurement")]
fn rate() -> (usize, f64) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                for seed in 1..=SESSIONS {
                    play(seed.into(), Watch::Nobody);
                }
            });
        }
    });
    let sessions = SESSIONS * u32::try_from(cores).unwrap_or(1);
    (cores, f64::from(sessions) / start.elapsed().as_secs_f64())
}

/// A line of this process's status, by name.
fn status(name: &str) -> String {
    let status = read_to_string("/proc/self/status").expect("status");
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.expect("a line of status").trim().to_owned()
}

fn sizes(machine: usize, storage: usize) -> String {
    format!("{machine} and {storage} bytes")
}
