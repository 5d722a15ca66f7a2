//! What both sides tell, in one log: messages once, repetitions shortened.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;
use std::rc::Rc;

use machine::{Cx, Deadline, Duration, Instant, Machine};
use roles::{Event, PevEvent};
use sim::{Drive, Host, Input, Node};

use crate::command::evse::serve::Tells;
use crate::command::pev::observer;
use crate::log::Log;
use crate::style::Palette;
use crate::tap::Tap;
use crate::words::Word;

use super::summary::Summary;

/// Something that was told, by whom.
#[derive(Debug)]
pub enum Told {
    Charger(Event),
    Car(PevEvent),
    /// On the charger's cable.
    Frame {
        is_sent: bool,
        frame: Vec<u8>,
    },
}

/// What was told and not written yet.
#[derive(Clone, Debug, Default)]
pub struct Story(pub Rc<RefCell<Vec<(Instant, Told)>>>);

impl Story {
    /// Takes it.
    pub fn take(&self) -> Vec<(Instant, Told)> {
        std::mem::take(&mut self.0.borrow_mut())
    }
}

/// A host whose events go into a story instead of a trace.
pub struct Witnessed<'a> {
    pub host: Host<'a>,
    story: Story,
    now: Instant,
}

impl<'a> Witnessed<'a> {
    /// Wraps a host.
    pub fn new(host: Host<'a>, story: &Story) -> Self {
        Self { host, story: story.clone(), now: Instant::ZERO }
    }
}

impl Node for Witnessed<'_> {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.host.start(cx);
    }
    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        self.now = cx.now;
        self.host.handle(cx, input);
    }
    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.now = cx.now;
        self.host.handle_timeout(cx);
    }
    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<usize> {
        self.host.poll_transmit(buffer)
    }
    fn poll_event(&mut self) -> Option<String> {
        let told = match &mut self.host {
            Host::Charger(charger) => charger.role_mut().poll_event().map(Told::Charger),
            Host::Car(car) => car.role_mut().poll_event().map(Told::Car),
        };
        self.story.0.borrow_mut().push((self.now, told?));
        Some(String::new())
    }
    fn poll_timeout(&self) -> Option<Deadline> {
        self.host.poll_timeout()
    }
    fn drive(&self) -> Drive {
        self.host.drive()
    }
    fn reads_at(&self) -> Option<Instant> {
        self.host.reads_at()
    }
}

/// Writes the log.
pub struct Journal {
    log: Log,
    tap: Tap,
    /// Every repetition, too.
    all: bool,
    /// How often a message came since another one, and when it was written last.
    seen: BTreeMap<&'static str, (u32, Instant)>,
    skipped: u32,
}

/// Of messages that repeat so many are written, and then one in this time.
const REPEATS: u32 = 2;
const EVERY: Duration = Duration::from_secs(120);

impl Journal {
    pub fn new(all: bool) -> Self {
        Self { log: Log::new(Palette::stdout()), tap: Tap::default(), all, seen: BTreeMap::new(), skipped: 0 }
    }

    /// Writes the first line.
    pub fn begin(&mut self, seed: u64, out: &mut dyn Write) -> anyhow::Result<()> {
        let what =
            format!("a charger, a car, their modems and the cable in memory; virtual time, seed {seed}");
        self.log.say(Instant::ZERO, None, &what, out)?;
        Ok(out.flush()?)
    }

    /// Writes what was told.
    pub fn write(
        &mut self,
        told: &[(Instant, Told)],
        summary: &mut Summary,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        for (at, told) in told {
            match told {
                Told::Frame { frame, .. } => self.tap.frame(frame, &mut self.log),
                Told::Charger(event) => self.charger(*at, event, summary, out)?,
                Told::Car(event) => self.car(*at, event, out)?,
            }
        }
        Ok(())
    }

    /// Writes what is still owed.
    pub fn flush(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        if std::mem::take(&mut self.skipped) > 0 {
            writeln!(out, "      ...")?;
        }
        Ok(())
    }

    fn charger(
        &mut self,
        at: Instant,
        event: &Event,
        summary: &mut Summary,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        if let Some(Word { checkpoint, words }) = event.word() {
            self.flush(out)?;
            self.log.speak_for("evse");
            self.log.say(at, checkpoint, &words, out)?;
        }
        let Some(event) = event.session() else { return Ok(()) };
        summary.event(at, event);
        match event {
            evse_fsm::Event::Message(message) if self.repeats(at, message.name) => {
                self.skipped += 1;
                self.log.forget(message.name);
                return Ok(());
            }
            _ => {}
        }
        self.flush(out)?;
        self.log.speak_for("evse");
        self.log.event(at, event, out)?;
        Ok(())
    }

    /// Of the car's session the charger has told the messages already.
    fn car(&mut self, at: Instant, event: &PevEvent, out: &mut dyn Write) -> anyhow::Result<()> {
        use pev_fsm::Event;
        use session::Checkpoint;
        if let Some(Word { checkpoint, words }) = observer::word(event) {
            self.flush(out)?;
            self.log.speak_for("pev");
            self.log.say(at, checkpoint, &words, out)?;
        }
        let PevEvent::Session(event) = event else { return Ok(()) };
        let is_dull = matches!(
            event,
            Event::Message(_)
                | Event::Phase(_)
                | Event::Checkpoint(Checkpoint::VOLTAGE_COMPARED | Checkpoint::PRE_CHARGE_REPEATED)
        );
        if !is_dull {
            self.flush(out)?;
            self.log.speak_for("pev");
            self.log.car_event(at, event, out)?;
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
