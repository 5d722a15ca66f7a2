//! Who matched with whom in a capture: `ccs decode --summary`.

use std::io::{self, Write};

use homeplug_mme::{Frame, Mac, Profile, RunId, Slac};
use serde_json::{Value, json};

use crate::decode::values::write_scaled;

/// Matchings listed: judgement, a bound.
const MAX_MATCHINGS: usize = 32;

/// The matchings of a file, as their chargers tell them.
#[derive(Default)]
pub struct Matchings {
    listed: Vec<Matching>,
    /// Frames of matchings beyond those.
    unlisted: u64,
}

/// What one charger and one car did in one run.
struct Matching {
    car: Mac,
    charger: Mac,
    run_id: RunId,
    /// Mean attenuation in hundredths of a dB, where the charger told it.
    attenuation_cdb: Option<u32>,
    /// The charger gave its key.
    is_matched: bool,
}

impl Matchings {
    /// Looks whether a frame says something about a matching.
    pub fn take(&mut self, frame: &Frame<'_>) {
        // pyPLC's charger also broadcasts measurements, of no matching.
        if !frame.to.is_unicast() {
            return;
        }
        let Some(Ok(message)) = Slac::parse(frame) else { return };
        match message {
            // A repeated answer belongs to the same matching, one after the measurement to another.
            Slac::ParmCnf { run_id, .. } => {
                let entry = self.of(frame, run_id);
                if entry.is_some_and(|matching| matching.attenuation_cdb.is_some() || matching.is_matched) {
                    self.begin(frame, run_id);
                }
            }
            Slac::AttenChar { run_id, profile, .. } => {
                if let Some(matching) = self.of(frame, run_id) {
                    matching.attenuation_cdb = profile.as_ref().map(Profile::mean_cdb);
                }
            }
            Slac::MatchCnf { run_id, .. } => {
                if let Some(matching) = self.of(frame, run_id) {
                    matching.is_matched = true;
                }
            }
            _ => {}
        }
    }

    /// The latest matching of this charger and car in this run, a new one where there is none.
    fn of(&mut self, frame: &Frame<'_>, run_id: RunId) -> Option<&mut Matching> {
        let is_it = |matching: &Matching| {
            matching.run_id == run_id && matching.car == frame.to && matching.charger == frame.from
        };
        if !self.listed.iter().any(is_it) {
            self.begin(frame, run_id);
        }
        self.listed.iter_mut().rev().find(|matching| is_it(matching))
    }

    fn begin(&mut self, frame: &Frame<'_>, run_id: RunId) {
        if self.listed.len() < MAX_MATCHINGS {
            let (car, charger) = (frame.to, frame.from);
            self.listed.push(Matching { car, charger, run_id, attenuation_cdb: None, is_matched: false });
        } else {
            self.unlisted += 1;
        }
    }

    /// How many frames belong to matchings that are not listed.
    pub fn unlisted(&self) -> u64 {
        self.unlisted
    }

    /// One line for each.
    pub fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        for Matching { car, charger, run_id, attenuation_cdb, is_matched } in &self.listed {
            let mut attenuation = String::from("not measured");
            if let Some(cdb) = attenuation_cdb {
                attenuation.clear();
                write_scaled(i64::from(*cdb), -2, &mut attenuation);
                attenuation.push_str(" dB");
            }
            let outcome = if *is_matched { "matched" } else { "not matched" };
            writeln!(out, "  SLAC car {car} charger {charger} run {run_id}: {attenuation}, {outcome}")?;
        }
        Ok(())
    }

    /// A list of objects.
    pub fn to_json(&self) -> Value {
        let object = |matching: &Matching| {
            json!({
                "car": matching.car.to_string(),
                "charger": matching.charger.to_string(),
                "run_id": matching.run_id.to_string(),
                "attenuation_db": matching.attenuation_cdb.map(|cdb| f64::from(cdb) / 100.0),
                "matched": matching.is_matched,
            })
        };
        self.listed.iter().map(object).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeplug_mme::{GROUPS, MAX_FRAME, NetworkKey, Nmk, StationId};

    const CAR: Mac = Mac([2, 0, 0, 0, 0, 0xE1]);
    const NEAR: Mac = Mac([2, 0, 0, 0, 0, 0x5E]);
    const FAR: Mac = Mac([2, 0, 0, 0, 0, 0x5F]);

    fn say(matchings: &mut Matchings, charger: Mac, message: &Slac) {
        let mut buffer = [0; MAX_FRAME];
        let len = message.emit(CAR, charger, &mut buffer).unwrap();
        matchings.take(&Frame::parse(&buffer[..len]).unwrap());
    }

    #[test]
    fn each_charger_that_answered_is_a_matching_and_one_has_the_car() {
        let run_id = RunId(*b"TESLA EV");
        let answer = Slac::ParmCnf { run_id, sounds: 10, timeout_100ms: 6, car: CAR };
        let measured =
            |db| Slac::AttenChar { run_id, car: CAR, sounds: 10, profile: Some(Profile([db; GROUPS])) };
        let none = StationId::default();
        let key = NetworkKey::derived(Nmk::new([0xAB; 16]));
        let confirmed = Slac::MatchCnf { run_id, car: CAR, pev_id: none, charger: NEAR, evse_id: none, key };
        let mut matchings = Matchings::default();
        for (charger, message) in [
            (FAR, &answer),
            (NEAR, &answer),
            (NEAR, &answer),
            (FAR, &measured(40)),
            (NEAR, &measured(7)),
            (NEAR, &confirmed),
            (NEAR, &answer),
        ] {
            say(&mut matchings, charger, message);
        }
        let mut text = Vec::new();
        matchings.write_text(&mut text).unwrap();
        let start = "  SLAC car 02:00:00:00:00:e1 charger 02:00:00:00:00:5";
        let expected =
            [("f", "40.00 dB, not matched"), ("e", "7.00 dB, matched"), ("e", "not measured, not matched")]
                .map(|(end, what)| format!("{start}{end} run 5445534c41204556: {what}\n"));
        assert_eq!(String::from_utf8(text).unwrap(), expected.concat());
        let json = matchings.to_json();
        assert_eq!((&json[1]["attenuation_db"], &json[1]["matched"]), (&json!(7.0), &json!(true)));
        assert_eq!(json[2]["attenuation_db"], Value::Null);
    }
}
