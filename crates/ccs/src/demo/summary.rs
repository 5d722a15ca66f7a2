//! The table below the log: phases with their times and messages, energy, and which side ended the session.

use std::io::{self, Write};

use evse_fsm::Event;
use machine::{Duration, Instant};
use session::{Phase, StopReason};
use sim::script::Scene;

/// The result of a session.
pub(super) struct Summary {
    /// Each phase with its begin and its number of messages.
    phases: Vec<(Phase, Instant, u32)>,
    now: Instant,
    /// When the fault was removed.
    mended: Option<Instant>,
    /// The first stop: when, which side, and why.
    first: Option<(Instant, &'static str, StopReason)>,
    energy_wh: f64,
    peak_ma: i32,
}

impl Summary {
    pub(super) fn new() -> Self {
        Self { phases: Vec::new(), now: Instant::ZERO, mended: None, first: None, energy_wh: 0.0, peak_ma: 0 }
    }

    /// Observes the cable after each step.
    pub(super) fn watch(&mut self, scene: &Scene<'_>) {
        let truth = scene.bench.truth();
        let hours =
            f64::from(u32::try_from(scene.now.since(self.now).as_micros()).unwrap_or(u32::MAX)) / 3.6e9;
        self.now = scene.now;
        self.energy_wh += f64::from(truth.inlet_mv) * f64::from(truth.current_ma) / 1e6 * hours;
        self.peak_ma = self.peak_ma.max(truth.current_ma);
    }

    /// Counts an event of the charger.
    pub(super) fn event(&mut self, at: Instant, event: &Event) {
        match event {
            Event::Phase(phase) => self.phases.push((*phase, at, 0)),
            Event::Message(_) => {
                if let Some((.., messages)) = self.phases.last_mut() {
                    *messages += 1;
                }
            }
            Event::Stopping(reason) | Event::Stopped(reason) => self.stops(at, "charger", *reason),
            _ => {}
        }
    }

    /// Records the stop of a side.
    pub(super) fn stops(&mut self, at: Instant, who: &'static str, reason: StopReason) {
        self.first.get_or_insert((at, who, reason));
    }

    /// Marks the removal of the fault: the next session must succeed.
    pub(super) fn mended(&mut self, at: Instant) {
        self.mended = Some(at);
    }

    /// Writes the table, and how the last sessions ended. With `fault` also which side stopped first.
    pub(super) fn write(
        &self,
        (charger, car): (Option<StopReason>, Option<StopReason>),
        is_fault: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        writeln!(out, "\nphase                       begin s     took s   messages")?;
        let ends = self.phases.iter().skip(1).map(|(_, begin, _)| *begin).chain([self.now]);
        let (mut before, mut mended) = (None, self.mended);
        for ((phase, begin, messages), end) in self.phases.iter().zip(ends) {
            if *phase != Phase::Ended {
                if mended.take_if(|mended| *mended <= *begin).is_some() {
                    writeln!(out, "-- all is mended, the plug is pulled and put in again")?;
                } else if is_unconnected(*phase) || *phase == Phase::Handshake {
                    let is_again = before.is_some_and(|before| !is_unconnected(before));
                    out.write_all(if is_again { b"-- another session\n" } else { b"" })?;
                }
                before = Some(*phase);
                let took: Duration = end.since(*begin);
                writeln!(
                    out,
                    "{:24} {:>10} {:>10} {messages:>10}",
                    phase.to_string(),
                    seconds(begin.as_millis()),
                    seconds(took.as_millis())
                )?;
            }
        }
        let amperes = f64::from(self.peak_ma) / 1000.0;
        writeln!(out, "energy {:.2} kWh, at most {amperes:.1} A", self.energy_wh / 1000.0)?;
        if is_fault {
            match self.first.filter(|(at, ..)| self.mended.is_none_or(|mended| *at < mended)) {
                Some((at, who, reason)) => {
                    writeln!(out, "first to stop: the {who} at {} s, {reason}", seconds(at.as_millis()))?;
                }
                None => writeln!(out, "first to stop: no one")?,
            }
            let until = if self.mended.is_some() { ", before all was mended" } else { "" };
            writeln!(out, "how the last session ended{until}:")?;
        }
        for (who, reason) in [("charger", charger), ("car", car)] {
            match reason {
                Some(reason) => writeln!(out, "{who}: {reason}")?,
                None => writeln!(out, "{who}: no session ended")?,
            }
        }
        Ok(())
    }
}

/// Whether the phase comes before the connection.
fn is_unconnected(phase: Phase) -> bool {
    matches!(phase, Phase::Idle | Phase::Plugged | Phase::Slac | Phase::Discovery | Phase::Connecting)
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1000, millis % 1000)
}
