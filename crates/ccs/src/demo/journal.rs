//! The log of both sides of a simulated session: each message once, repetitions counted.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use machine::{Duration, Instant};
use roles::{EvseEvent, PevEvent, Watch};
use session::Direction;
use sim::script::{Script, Told};

use crate::command::evse::serve::LogEvent;
use crate::inbox::Inbox;
use crate::log::{Details, Log};
use crate::retelling::Retelling;
use crate::said::{Closing, Said};
use crate::style::{self, Palette};
use crate::words::{self, Word};

use super::summary::Summary;

/// Writes the log.
pub(super) struct Journal {
    log: Log,
    inbox: Inbox,
    retelling: Retelling,
    closing: Closing,
    /// A connection is over, and its story is not written yet.
    is_over: bool,
    /// Whether every repetition is written.
    all: bool,
    /// How often a message occurred since another one, and when it was last written.
    seen: BTreeMap<&'static str, (u32, Instant)>,
    skipped: u32,
    /// Steps of the script that were written.
    steps: BTreeSet<String>,
}

/// Number of repeated messages that are written; after that one per period.
const REPEATS: u32 = 2;
const EVERY: Duration = Duration::from_secs(120);

impl Journal {
    pub(super) fn new(all: bool) -> Self {
        Self {
            log: Log::new(Palette::stdout()),
            inbox: Inbox::default(),
            retelling: Retelling::default(),
            closing: Closing::default(),
            is_over: false,
            all,
            seen: BTreeMap::new(),
            skipped: 0,
            steps: BTreeSet::new(),
        }
    }

    /// Writes the first line.
    pub(super) fn begin(&mut self, script: &Script, out: &mut dyn Write) -> anyhow::Result<()> {
        let seed = script.setup.seed;
        let what =
            format!("a charger, a car, their modems and the cable in memory; virtual time, seed {seed}");
        self.log.say(Instant::ZERO, None, &what, out)?;
        if !script.steps.is_empty() {
            let what = name(script);
            self.log.say(Instant::ZERO, None, &what, out)?;
        }
        Ok(out.flush()?)
    }

    /// Writes an event.
    pub(super) fn write(
        &mut self,
        told: &[(Instant, Told)],
        summary: &mut Summary,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        for (at, told) in told {
            match told {
                Told::Frame { .. } => {}
                Told::Message { direction, payload_type, document } => {
                    self.inbox.message(*at, *direction, *payload_type, document);
                    let towards = match direction {
                        Direction::Received => listen::Direction::ToEvse,
                        Direction::Sent => listen::Direction::ToPev,
                    };
                    self.retelling.message(*at, towards, *payload_type, document);
                }
                Told::Charger(event) => self.charger(*at, event, summary, out)?,
                Told::Car(event) => self.car(*at, event, summary, out)?,
                Told::Step(words) => self.step(*at, words, out)?,
                Told::Mended => {
                    summary.mended(*at);
                    self.stand_out(*at, "all is mended, the plug is pulled and put in again", out)?;
                }
            }
        }
        // The stop reason is an event of the same step as the end of the connection, so the story is complete
        // here.
        if std::mem::take(&mut self.is_over) {
            self.end(out)?;
        }
        Ok(())
    }

    /// Writes the delayed lines, and the story of a session that is not over.
    pub(super) fn end(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        self.flush(out)?;
        Ok(self.retelling.end(out)?)
    }

    fn flush(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        if std::mem::take(&mut self.skipped) > 0 {
            writeln!(out, "      ...")?;
        }
        Ok(())
    }

    /// Writes a step once, even if it applies to many messages; its text says so.
    fn step(&mut self, at: Instant, words: &str, out: &mut dyn Write) -> anyhow::Result<()> {
        if !self.steps.insert(words.to_owned()) && !self.all {
            self.skipped += 1;
            return Ok(());
        }
        self.stand_out(at, words, out)
    }

    /// Writes a fault, highlighted.
    fn stand_out(&mut self, at: Instant, words: &str, out: &mut dyn Write) -> anyhow::Result<()> {
        self.flush(out)?;
        self.log.speak_for("");
        let words = Palette::stdout().paint(style::NOTE, &format!("==> {words}"));
        Ok(self.log.say(at, None, &words, out)?)
    }

    fn charger(
        &mut self,
        at: Instant,
        event: &EvseEvent,
        summary: &mut Summary,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        if let Some(Word { checkpoint, words }) = words::of_charger(&event.what) {
            self.flush(out)?;
            self.log.speak_for("evse");
            self.log.say(at, checkpoint, &words, out)?;
        }
        let said = Said::Charger(event.what);
        if let Some((by, close)) = self.closing.take(&said) {
            self.retelling.closed(at, by, close);
        }
        self.is_over |= said.ends_session();
        let Some(event) = event.session() else { return Ok(()) };
        summary.event(at, event);
        let said = Said::Charger(roles::Happening::Session(*event));
        let document = said.direction().and_then(|direction| self.inbox.take(at, direction));
        match event {
            evse_fsm::Event::Message(message) if self.repeats(at, message.name) => {
                self.skipped += 1;
                return Ok(());
            }
            _ => {}
        }
        self.flush(out)?;
        self.log.speak_for("evse");
        self.log.event(at, event, Details { document: document.as_ref(), more: None }, out)?;
        Ok(())
    }

    /// The charger's log already has the messages of the car's session.
    fn car(
        &mut self,
        at: Instant,
        event: &PevEvent,
        summary: &mut Summary,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        use pev_fsm::Event;
        use session::Checkpoint;
        if let Some(Word { checkpoint, words }) = words::of_car(event) {
            self.flush(out)?;
            self.log.speak_for("pev");
            self.log.say(at, checkpoint, &words, out)?;
        }
        let PevEvent::Session(event) = event else { return Ok(()) };
        if let Event::Stopping(reason) | Event::Stopped(reason) = event {
            summary.stops(at, "car", *reason);
        }
        let is_dull = matches!(
            event,
            Event::Message(_)
                | Event::Phase(_)
                | Event::Checkpoint(Checkpoint::VOLTAGE_COMPARED | Checkpoint::PRE_CHARGE_REPEATED)
        );
        if !is_dull {
            self.flush(out)?;
            self.log.speak_for("pev");
            self.log.car_event(at, event, Details::default(), out)?;
        }
        Ok(())
    }

    fn repeats(&mut self, at: Instant, name: &'static str) -> bool {
        if self.all {
            return false;
        }
        let (count, last) = self.seen.entry(name).or_insert((0, at));
        *count += 1;
        let is_shown = *count <= REPEATS || at.since(*last) >= EVERY;
        if is_shown {
            *last = at;
        }
        !is_shown
    }
}

/// Id, case and title of a scenario.
pub(super) fn name(script: &Script) -> String {
    let Script { id, case, title, .. } = script;
    let case = if case.is_empty() { String::new() } else { format!(" ({case})") };
    let title = if title.is_empty() { String::new() } else { format!(": {title}") };
    format!("{id}{case}{title}")
}
