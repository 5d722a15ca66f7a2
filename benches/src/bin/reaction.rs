//! Reaction time of a charger while a car charges: pilot edge and emergency stop, idle and under a flood, in
//! real time.
//!
//! `cargo run --profile bench -p benches --bin reaction [SESSIONS]` prints the table as Markdown. Each role
//! runs in its own event loop on a virtual cable in a network namespace of this process (as root), else over
//! loopback.

use std::time::Duration;

use benches::reaction::{Edge, Medium, Reaction, react};

/// Sessions for each row.
const SESSIONS: u64 = 10;
/// Longest permitted turn of either loop.
const TURN_US: u64 = 30_000;

/// One row for each measurement: text, edge, whether under a flood, and the budgets until 0 A and until the
/// session's end in ms.
const ROWS: [(&str, Edge, bool, u64, Option<u64>); 4] = [
    ("pilot edge, idle", Edge::Pilot, false, 10, Some(60)),
    ("emergency stop, idle", Edge::EmergencyStop, false, 10, None),
    ("pilot edge, flooded", Edge::Pilot, true, 30, Some(60)),
    ("emergency stop, flooded", Edge::EmergencyStop, true, 30, None),
];

fn main() {
    let sessions = std::env::args().nth(1).and_then(|number| number.parse().ok()).unwrap_or(SESSIONS);
    let medium = Medium::make();
    if medium == Medium::Loopback {
        println!(
            "Over loopback: this user can make no network of its own, so there is no filter of the kernel.\n"
        );
    }
    println!("| what | 0 A applied: median | max | budget | session's end said: median | max | budget |");
    println!("|---|---|---|---|---|---|---|");
    let mut all = Vec::new();
    let mut is_over = false;
    for (what, edge, is_flooded, zero_ms, end_ms) in ROWS {
        // Each session at another phase of the charging loop.
        let offset = |session: u64| Duration::from_millis(session * 17 % 100);
        let row: Vec<Reaction> =
            (0..sessions).filter_map(|session| react(medium, edge, is_flooded, offset(session))).collect();
        let zero = sorted(row.iter().map(|reaction| reaction.zero_us));
        let end = sorted(row.iter().map(|reaction| reaction.end_us));
        let budget = |ms: Option<u64>| ms.map_or_else(String::new, |ms| format!("{ms} ms"));
        println!(
            "| {what} ({} sessions) | {} | {} | {} | {} | {} | {} |",
            row.len(),
            millis(median(&zero)),
            millis(last(&zero)),
            budget(Some(zero_ms)),
            millis(median(&end)),
            millis(last(&end)),
            budget(end_ms)
        );
        let is_late = |micros: u64, ms: Option<u64>| ms.is_some_and(|ms| micros > ms * 1_000);
        is_over |= row.is_empty() || is_late(last(&zero), Some(zero_ms)) || is_late(last(&end), end_ms);
        all.extend(row.into_iter().map(|reaction| (is_flooded, reaction)));
    }
    for (side, index) in [("charger", 0), ("car", 1)] {
        let counters = || all.iter().filter_map(move |(_, reaction)| reaction.counters.get(index));
        let turn = counters().map(|counters| counters.longest_turn.as_micros()).max().unwrap_or_default();
        let frames = counters().map(|counters| counters.most_frames).max().unwrap_or_default();
        let received: u64 = counters().map(|counters| counters.received).sum();
        let dropped: u64 = counters().map(|counters| counters.port.dropped).sum();
        let filtered: u64 = counters().filter_map(|counters| counters.port.filtered()).sum();
        println!(
            "\n{side}: longest turn {} (budget {}), at most {frames} frames in a turn; {received} frames received, \
             {dropped} dropped because the buffer was full, {filtered} filtered by the kernel",
            millis(turn),
            millis(TURN_US)
        );
        is_over |= turn > TURN_US;
    }
    let flooded: u64 = all.iter().map(|(_, reaction)| reaction.flooded).sum();
    println!("\nflood: {flooded} frames in all");
    if is_over {
        println!("\nOver the budget: by what else runs on this machine, or by a change?");
    }
}

fn sorted(values: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values
}

fn median(sorted: &[u64]) -> u64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

fn last(sorted: &[u64]) -> u64 {
    sorted.last().copied().unwrap_or_default()
}

fn millis(micros: u64) -> String {
    format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100)
}
