//! Runs a charger's role: the event loop with log and recording.

use std::io::Write;
use std::ops::ControlFlow;

use control_pilot::Level;
use evse_fsm::{Demand, Plant};
use hal_linux::{Clock, Happening, PlantBackend, Port, Role, Signals};
use machine::{Duration, Instant};
use session::{By, Phase};

use crate::exit::Exit;
use crate::inbox::Inbox;
use crate::latches::Latches;
use crate::log_writer::with_log_writer;
use crate::plant::CarPilot;
use crate::recording::Recording;
use crate::reporter::{How, Reporter};
use crate::running::{self, Observes, Ran};
use crate::said::Said;

/// An event of a role, as the log needs it.
pub trait LogEvent {
    /// The session's event in it; `None` if it is none.
    fn session(&self) -> Option<&evse_fsm::Event>;
    /// Whether a connection begins (`true`) or ends (`false`); `None` for other events.
    fn connection(&self) -> Option<bool>;
    /// The event for the log.
    fn said(&self) -> Said;
}

/// Everything except the role.
pub struct IoParts<'a, P, B> {
    /// Source and destination of the role's frames.
    pub port: &'a mut P,
    /// The role's plant.
    pub plant: &'a mut B,
    /// Pilot of the car on the network. It is not connected to the simulated plant, so its pilot state is
    /// derived from its messages.
    pub car_pilot: CarPilot,
    /// Where all frames are recorded.
    pub recording: Option<Recording>,
    /// Latches that outlive the program.
    pub latches: Latches,
    /// Where the role reports its messages.
    pub inbox: &'a Inbox,
    /// Whether every message is logged, including repeated ones.
    pub all: bool,
    /// Number of sessions after which the loop ends; `None`: no limit.
    pub sessions: Option<u32>,
}

/// Runs the role until it is stopped by a signal, or its last session is over. `ready` is the first line.
///
/// Logging and recording never delay the charger. If the reader of the log is gone, the charger continues
/// until the end of the session.
pub fn serve<R, P, B>(
    role: &mut R,
    parts: IoParts<'_, P, B>,
    clock: Clock,
    ready: &str,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<Exit>
where
    R: Role<Demand = Demand, Reading = Plant>,
    R::Event: LogEvent,
    P: Port,
    B: PlantBackend<Demand = Demand, Reading = Plant>,
{
    let IoParts { port, plant, car_pilot, recording, latches, inbox, all, sessions } = parts;
    car_pilot.hold(Level::B);
    // Checked before the first line reports that the charger is ready.
    plant.heartbeat().check()?;
    let signals = Signals::hold()?;
    let how = How { records: recording.is_some(), all };
    with_log_writer(out, recording, |writer| {
        // The signals are released at the end of this block, so that Ctrl-C can interrupt a log that stalls.
        let signals = signals;
        let mut observer = Observer {
            reporter: Reporter::new(writer, inbox, clock, how),
            phase: Phase::Idle,
            latches,
            car_pilot,
            sessions_left: sessions,
            stopping: false,
            is_connected: false,
            leave_at: None,
        };
        let found = observer.latches.found().map(|(_, words)| words);
        let first: Vec<String> = [ready.to_owned()].into_iter().chain(found).collect();
        Ok(running::run(role, port, plant, clock, &signals, &first, &mut observer))
    })
}

struct Observer<'c, 'a> {
    reporter: Reporter<'c, 'a>,
    phase: Phase,
    latches: Latches,
    car_pilot: CarPilot,
    /// `None`: no limit.
    sessions_left: Option<u32>,
    stopping: bool,
    is_connected: bool,
    /// When the loop ends: the car closes the connection after the session.
    leave_at: Option<Instant>,
}

/// Longest wait for the end of the connection after a session: slightly longer than the role takes to close
/// it.
const LINGER: Duration = Duration::from_secs(6);

impl<E: LogEvent> Observes<E> for Observer<'_, '_> {
    fn say(&mut self, at: Instant, words: &str) {
        self.reporter.say(at, words);
    }

    fn take(&mut self, at: Instant, happening: Happening<'_, E>) -> ControlFlow<()> {
        match happening {
            Happening::Event(event) => self.event(at, &event),
            Happening::StopRequested => {
                self.stopping = true;
                if self.is_in_session() {
                    self.reporter.say(at, "ending the session; press Ctrl-C again to stop immediately");
                } else {
                    self.leave_at = Some(at);
                }
            }
            other => {
                running::report(&mut self.reporter, at, &other);
                self.latches.report(&mut self.reporter, at);
            }
        }
        let nobody_looks = self.reporter.nobody_reads() && !self.is_in_session();
        if nobody_looks || self.leave_at.is_some_and(|leave| leave <= at) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    fn end(&mut self, at: Instant, ran: &Ran) -> Exit {
        self.latches.finish(&mut self.reporter);
        let session = self.is_in_session().then_some(self.phase);
        let before = self.reporter.stop_reason();
        running::end(&mut self.reporter, at, ran, session, By::Charger, before)
    }
}

impl Observer<'_, '_> {
    fn is_in_session(&self) -> bool {
        (Phase::Handshake..=Phase::SessionStop).contains(&self.phase)
    }

    fn event<E: LogEvent>(&mut self, at: Instant, event: &E) {
        self.reporter.told(at, event.said());
        if let Some(is_connected) = event.connection() {
            self.is_connected = is_connected;
            if !is_connected && self.leave_at.is_some() {
                self.leave_at = Some(at);
            }
        }
        let Some(event) = event.session() else { return };
        match event {
            evse_fsm::Event::Phase(phase) => {
                self.phase = *phase;
                // A car is at C from the isolation test to the end of the current.
                let ready = (Phase::CableCheck..=Phase::ChargeLoop).contains(phase);
                self.car_pilot.hold(if ready { Level::C } else { Level::B });
            }
            evse_fsm::Event::Latched(latch) => self.latches.latched(at, *latch),
            evse_fsm::Event::Unlatched(latch) => self.latches.unlatched(*latch),
            evse_fsm::Event::Stopped(_) => {
                self.phase = Phase::Ended;
                self.sessions_left = self.sessions_left.map(|left| left.saturating_sub(1));
                if self.stopping || self.sessions_left == Some(0) {
                    self.leave_at = Some(if self.is_connected { at + LINGER } else { at });
                }
            }
            _ => {}
        }
    }
}
