//! A node's program: the role with its own clock, its reports, and its restarts.

use machine::{Cx, Instant, Machine};
use roles::{EvseEvent, Happening, PevEvent};
use session::{Checkpoint, Latch, StopReason};

use super::clock::Clock;
use super::reborn::{self, Reborn};
use super::story::{Story, Told};
use crate::Host;

/// A host with the program that it runs.
pub(super) struct Program<'a> {
    pub(super) host: Host<'a>,
    pub(super) clock: Clock,
    /// The world's time of the last call.
    pub(super) now: Instant,
    /// Receives its events and messages, if the play is observed.
    story: Option<&'a Story>,
    reborn: Reborn<'a>,
    /// It has ended, and starts again with the next call.
    has_ended: bool,
    /// The latch that it has reported and not released since.
    kept: Option<Latch>,
    /// The stop reasons that it reported, with their times.
    stops: Vec<(Instant, StopReason)>,
}

/// An event of a program.
pub(super) struct Reported {
    /// As a line of the trace.
    pub(super) line: String,
    /// The checkpoint that it passes.
    pub(super) checkpoint: Option<Checkpoint>,
}

impl<'a> Program<'a> {
    pub(super) fn new(host: Host<'a>, clock: Clock, reborn: Reborn<'a>) -> Self {
        let now = Instant::ZERO;
        Self { host, clock, now, story: None, reborn, has_ended: false, kept: None, stops: Vec::new() }
    }

    /// The play is observed: the story receives the reports of this program and its successors.
    pub(super) fn tell_to(&mut self, story: &'a Story) {
        self.story = Some(story);
        self.show_messages();
    }

    /// Both sides see the same messages of a session: the charger reports them.
    fn show_messages(&mut self) {
        if let (Some(story), Host::Charger(charger)) = (self.story, &mut self.host) {
            charger.role_mut().watch(story);
        }
    }

    /// The next event, which the story receives too.
    pub(super) fn next_event(&mut self) -> Option<Reported> {
        let (line, told) = match &mut self.host {
            Host::Charger(charger) => {
                let event = charger.role_mut().poll_event()?;
                (format!("{:?}", event.what), Told::Charger(event))
            }
            Host::Car(car) => {
                let event = car.role_mut().poll_event()?;
                (format!("{event:?}"), Told::Car(event))
            }
        };
        reborn::keep(&mut self.kept, &told);
        let Noted { checkpoint, stop } = Noted::of(&told);
        self.stops.extend(stop.map(|reason| (self.now, reason)));
        if let Some(story) = &self.story {
            story.tell(self.now, told);
        }
        Some(Reported { line, checkpoint })
    }

    /// The latch that it has reported, and not released since.
    pub(super) const fn latched(&self) -> Option<Latch> {
        self.kept
    }

    /// Ends it; it starts again with the next call.
    pub(super) const fn end(&mut self) {
        self.has_ended = true;
    }

    /// Calls the host with its own time.
    ///
    /// # Errors
    /// It has ended and cannot start again, with the reason.
    pub(super) fn with<R>(
        &mut self,
        cx: &mut Cx<'_>,
        call: impl FnOnce(&mut Host<'a>, &mut Cx<'_>) -> R,
    ) -> (R, Result<(), &'static str>) {
        self.now = cx.now;
        if let Some(story) = &self.story {
            story.go_on(cx.now);
        }
        let mut cx = Cx { now: self.clock.to_node(cx.now), entropy: cx.entropy };
        let started = if std::mem::take(&mut self.has_ended) { self.start_again(&mut cx) } else { Ok(()) };
        (call(&mut self.host, &mut cx), started)
    }

    fn start_again(&mut self, cx: &mut Cx<'_>) -> Result<(), &'static str> {
        let wishes = self.host.car().map(crate::Car::wishes);
        self.host =
            self.reborn.begin(cx, wishes, self.kept).ok_or("a program can start again three times")?;
        self.show_messages();
        Ok(())
    }

    /// The stop reasons that it reported, each with its time.
    pub(super) fn stops(&self) -> &[(Instant, StopReason)] {
        &self.stops
    }
}

/// The part of an event that concerns a session.
#[derive(Default)]
struct Noted {
    checkpoint: Option<Checkpoint>,
    /// Why it stops or has stopped.
    stop: Option<StopReason>,
}

impl Noted {
    fn of(told: &Told) -> Self {
        use evse_fsm::Event as ChargerEvent;
        use pev_fsm::Event as CarEvent;
        let passes = |checkpoint| Self { checkpoint, stop: None };
        let stops = |reason| Self { checkpoint: None, stop: Some(reason) };
        match told {
            Told::Charger(EvseEvent { what: Happening::Session(event), .. }) => match event {
                ChargerEvent::Checkpoint(checkpoint) => passes(Some(*checkpoint)),
                ChargerEvent::Message(message) => passes(message.checkpoint),
                ChargerEvent::Stopping(reason) | ChargerEvent::Stopped(reason) => stops(*reason),
                _ => Self::default(),
            },
            Told::Car(PevEvent::Session(event)) => match event {
                CarEvent::Checkpoint(checkpoint) => passes(Some(*checkpoint)),
                CarEvent::Message(message) => passes(message.checkpoint),
                CarEvent::Stopping(reason) | CarEvent::Stopped(reason) => stops(*reason),
                _ => Self::default(),
            },
            _ => Self::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{By, Cause, Phase};

    #[test]
    fn an_event_says_its_checkpoint_or_its_reason_to_stop_and_nothing_else() {
        let car = |event| Noted::of(&Told::Car(PevEvent::Session(event)));
        let passed = car(pev_fsm::Event::Checkpoint(Checkpoint::LOCK_DRIVEN));
        assert_eq!((passed.checkpoint, passed.stop), (Some(Checkpoint::LOCK_DRIVEN), None));
        let reason = StopReason::new(By::Car, Cause::Timeout("ready to charge"), Phase::PreCharge);
        let stopped = car(pev_fsm::Event::Stopping(reason));
        assert_eq!((stopped.checkpoint, stopped.stop), (None, Some(reason)));
        let phase = car(pev_fsm::Event::Phase(Phase::PreCharge));
        assert_eq!((phase.checkpoint, phase.stop), (None, None));
    }
}
