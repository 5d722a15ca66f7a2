//! Observes a running car: logs, counts, and decides when to end.

use std::ops::ControlFlow;

use hal_linux::Happening;
use machine::{Duration, Instant};
use pev_fsm::Event;
use roles::PevEvent;
use session::{By, Cause, Direction, Latch, Phase, StopReason, Target};

use super::PevArgs;
use crate::exit::Exit;
use crate::latches::Latches;
use crate::plant::SimulatedCable;
use crate::reporter::Reporter;
use crate::running::{self, Observes, Ran};
use crate::said::Said;

/// How long a match must hold to count: judgement.
const HELD: Duration = Duration::from_secs(1);
/// Longest wait for the modem's confirmation of the key with which it leaves the network: judgement, three
/// attempts of 0.5 s.
const LEAVE: Duration = Duration::from_secs(2);
/// Longest wait for the end of the connection after the last session: judgement.
const LINGER: Duration = Duration::from_secs(3);

/// The observer of a car's loop.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Observer<'c, 'a> {
    reporter: Reporter<'c, 'a>,
    cable: SimulatedCable,
    latches: Latches,
    has_modem: bool,
    phase: Phase,
    matched: Option<Instant>,
    /// Matches or sessions that remain; `None`: no limit.
    matches_left: Option<u32>,
    sessions_left: Option<u32>,
    has_matched: bool,
    give_up: Option<Instant>,
    stopping: bool,
    leave_at: Option<Instant>,
    gave_up: Option<StopReason>,
}

impl<'c, 'a> Observer<'c, 'a> {
    /// An observer before the first event.
    pub fn new(
        args: &PevArgs,
        reporter: Reporter<'c, 'a>,
        now: Instant,
        cable: SimulatedCable,
        latches: Latches,
    ) -> Self {
        let give_up = args.timeout.map(|seconds| now + Duration::from_secs(seconds));
        Self {
            reporter,
            cable,
            latches,
            has_modem: false,
            phase: Phase::Plugged,
            matched: None,
            matches_left: args.matches,
            sessions_left: args.sessions,
            has_matched: false,
            give_up,
            stopping: false,
            leave_at: None,
            gave_up: None,
        }
    }
}

impl Observes<PevEvent> for Observer<'_, '_> {
    fn say(&mut self, at: Instant, words: &str) {
        self.reporter.say(at, words);
    }

    fn take(&mut self, at: Instant, happening: Happening<'_, PevEvent>) -> ControlFlow<()> {
        match happening {
            Happening::Event(event) => self.event(at, &event),
            Happening::StopRequested => {
                self.stopping = true;
                // A new start of this program is a request to charge again, so a stop by signal is not stored.
                // A latch from before this start stays.
                if self.latches.found().is_none() {
                    self.latches.unlatched(Latch::DriverStop);
                }
                if self.is_in_session() {
                    self.say(at, "ending the session; press Ctrl-C again to stop immediately");
                } else {
                    self.leave(at);
                }
            }
            Happening::Tick => {
                self.reporter.tick(at);
                self.latches.report(&mut self.reporter, at);
                self.count(at);
            }
            other => running::report(&mut self.reporter, at, &other),
        }
        if self.leave_at.is_some_and(|leave| leave <= at) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn end(&mut self, at: Instant, ran: &Ran) -> Exit {
        self.latches.finish(&mut self.reporter);
        let session = self.is_in_session().then_some(self.phase);
        let before = self.reporter.stop_reason().or(self.gave_up);
        running::end(&mut self.reporter, at, ran, session, By::Car, before)
    }
}

impl Observer<'_, '_> {
    fn is_in_session(&self) -> bool {
        (Phase::Handshake..=Phase::SessionStop).contains(&self.phase)
    }

    /// Pulls the plug and waits until the modem has the key with which it leaves the network.
    fn leave(&mut self, at: Instant) {
        self.cable.pull();
        self.leave_at = Some(at + if self.has_matched { LEAVE } else { Duration::ZERO });
    }

    fn count(&mut self, at: Instant) {
        if self.matched.is_some_and(|since| at.since(since) >= HELD) {
            self.matched = None;
            if let Some(left) = &mut self.matches_left {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    self.leave(at);
                }
            }
        }
        if self.give_up.is_some_and(|late| late <= at) && !self.has_matched {
            let cause = if self.has_modem { Cause::NoMatch } else { Cause::NoModem };
            self.gave_up = Some(StopReason::new(By::Network, cause, Phase::Plugged));
            self.leave_at = Some(at);
        }
    }

    fn event(&mut self, at: Instant, event: &PevEvent) {
        self.reporter.told(at, Said::Car(*event));
        match event {
            PevEvent::Modem(modem::ModemEvent::Found { .. }) => self.has_modem = true,
            PevEvent::Slac(slac::Event::Matched { .. }) => {
                self.has_matched = true;
                self.matched = Some(at);
            }
            PevEvent::Slac(slac::Event::Failed(_) | slac::Event::Left) => self.matched = None,
            PevEvent::Disconnected(_) => self.cable.report(Target::ZERO),
            PevEvent::Session(event) => self.session(at, event),
            _ => {}
        }
    }

    fn session(&mut self, at: Instant, event: &Event) {
        match event {
            Event::Phase(phase) => self.phase = *phase,
            Event::Message(message) if message.direction == Direction::Received => {
                match message.values.present {
                    Some(present) => self.cable.report(present),
                    None if self.phase == Phase::PowerOff => self.cable.power_off(),
                    None => {}
                }
            }
            Event::Latched(latch) => self.latches.latched(at, *latch),
            Event::Unlatched(latch) => self.latches.unlatched(*latch),
            Event::Stopped(_) => {
                self.phase = Phase::Ended;
                self.sessions_left = self.sessions_left.map(|left| left.saturating_sub(1));
                if self.stopping || self.sessions_left == Some(0) {
                    self.leave_at = Some(at + LINGER);
                }
            }
            _ => {}
        }
    }
}
