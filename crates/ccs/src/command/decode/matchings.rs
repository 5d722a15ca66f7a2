//! The matching attempts of a capture: `ccs decode --summary`.

use std::io::{self, Write};

use listen::Attempt;
use serde_json::{Value, json};

use crate::decode::values::write_scaled;

/// Most attempts in the list: judgement, a bound.
pub(super) const MAX_ATTEMPTS: usize = 32;

/// The attempts of a file.
pub(super) type Matchings = listen::Matchings<MAX_ATTEMPTS>;

/// Writes one line for each attempt, and one for each charger in it.
pub(super) fn write_text(matchings: &Matchings, out: &mut dyn Write) -> io::Result<()> {
    for attempt in matchings.attempts() {
        let Attempt { car, run_id, .. } = attempt;
        writeln!(out, "  SLAC car {car} run {run_id}: {}", attempt.outcome().words())?;
        for answer in &attempt.answers {
            let mut attenuation = String::from("not measured");
            if let Some(cdb) = answer.attenuation_cdb {
                attenuation.clear();
                write_scaled(i64::from(cdb), -2, &mut attenuation);
                attenuation.push_str(" dB");
            }
            let is_matched = attempt.matched.is_some_and(|(charger, _)| charger == answer.charger);
            let matched = if is_matched { ", gave its key" } else { "" };
            writeln!(out, "    charger {}: {attenuation}{matched}", answer.charger)?;
        }
    }
    Ok(())
}

/// A list of objects, one for each attempt.
pub(super) fn to_json(matchings: &Matchings, seconds: impl Fn(Option<i64>) -> Value) -> Value {
    let object = |attempt: &Attempt| {
        let chargers = attempt.answers.iter().map(|answer| {
            json!({
                "charger": answer.charger.to_string(),
                "answered": answer.has_answered,
                "attenuation_db": answer.attenuation_cdb.map(|cdb| f64::from(cdb) / 100.0),
                "reported_sounds": answer.reported_sounds,
            })
        });
        json!({
            "car": attempt.car.to_string(),
            "run_id": attempt.run_id.to_string(),
            "first_frame": attempt.first.frame,
            "last_frame": attempt.latest.frame,
            "start_s": seconds(attempt.first.time_ns),
            "end_s": seconds(attempt.latest.time_ns),
            "requests": attempt.requests,
            "starts": attempt.starts,
            "sounds": attempt.sounds,
            "acknowledged": attempt.acknowledged,
            "match_requests": attempt.match_requests,
            "chargers": chargers.collect::<Value>(),
            "matched_with": attempt.matched.map(|(charger, _)| charger.to_string()),
            "matched_frame": attempt.matched.map(|(_, when)| when.frame),
            "outcome": attempt.outcome().words(),
        })
    };
    matchings.attempts().iter().map(object).collect()
}
