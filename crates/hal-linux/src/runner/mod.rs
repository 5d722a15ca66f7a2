//! The event loop: one role, one port, one plant, one clock. No runtime, and no thread except a back end's
//! own.

mod counters;
mod turn;

#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use machine::{Duration, Entropy, Instant};

use crate::signals::Signals;
use crate::{Clock, Direction, Error, Notify, PacketSocket, PlantBackend, PlantFault, Port, Role};

pub use counters::{Budget, Counters};
use turn::{Leave, Running};

/// What happens while the loop runs, for logs and recordings.
#[derive(Debug)]
pub enum Happening<'a, E> {
    /// The port received or sent this frame.
    Frame(Direction, &'a [u8]),
    /// The port lost a frame of this length in bytes.
    Lost(usize),
    /// An event of the role.
    Event(E),
    /// Occurs every 50 ms.
    Tick,
    /// First SIGINT, SIGTERM or SIGHUP: the role was requested to stop.
    StopRequested,
    /// The plant failed or is degraded. It is SAFE, and the role has no readings until
    /// [`PlantGood`](Self::PlantGood).
    PlantFailed(&'a PlantFault),
    /// The plant delivers readings again.
    PlantGood,
    /// The network interface is down or removed; the loop waits for it.
    InterfaceDown,
    /// The interface is up again.
    InterfaceUp,
    /// The loop was blocked and continues this much too late.
    HeldUp(Duration),
    /// The counters, on request by SIGUSR1.
    Counters(&'a Counters),
}

/// How the loop ended. The plant is SAFE in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The observer ended it.
    Ended,
    /// SIGQUIT, or a second SIGINT or SIGTERM.
    Interrupted,
}

/// Everything that the loop needs.
pub struct Runner<'a, R: Role, P, B> {
    /// The role.
    pub role: &'a mut R,
    /// Source and destination of the role's frames.
    pub port: &'a mut P,
    /// The role's plant. It is SAFE when the loop ends, by return, error or panic.
    pub plant: &'a mut B,
    /// The clock of all times that the role, plant and observer receive.
    pub clock: Clock,
    /// Source of random bytes for the role.
    pub entropy: &'a mut dyn Entropy,
    /// Requests by signals.
    pub signals: &'a Signals,
    /// The service manager.
    pub notify: Notify,
    /// The counters; valid also after the end.
    pub counters: &'a mut Counters,
}

/// The observer of a loop: receives the time and what happened; `Break` ends the loop.
pub type Observer<'o, E> = dyn FnMut(Instant, Happening<'_, E>) -> ControlFlow<()> + 'o;

/// Makes the plant SAFE when the loop is left, by return, error or panic.
struct Guard<'a, B: PlantBackend> {
    plant: &'a mut B,
    clock: Clock,
}

impl<B: PlantBackend> Drop for Guard<'_, B> {
    fn drop(&mut self) {
        self.plant.make_safe(self.clock.now());
    }
}

impl<R, P, B> Runner<'_, R, P, B>
where
    R: Role,
    P: Port,
    B: PlantBackend<Demand = R::Demand, Reading = R::Reading>,
{
    /// Runs until the observer breaks off or the role has to end immediately.
    ///
    /// A turn reads the plant, passes the reading and the due timers to the role, and applies the role's
    /// demand. Only then it handles frames, at most [`Budget::TURN`]: traffic on the wire cannot delay the
    /// plant.
    ///
    /// The first SIGINT, SIGTERM or SIGHUP requests the role to end its session. The observer receives the
    /// events of that end and breaks off when the session is over. When the interface goes down the session
    /// ends, and the loop waits for the interface.
    ///
    /// # Errors
    /// [`Error::NoHeartbeat`] and [`Error::SlowHeartbeat`] before the first demand; later when the port fails
    /// permanently. The plant is SAFE in each case.
    pub fn run(self, observer: &mut Observer<'_, R::Event>) -> Result<Outcome, Error> {
        let Self { role, port, plant, clock, entropy, signals, notify, counters } = self;
        plant.heartbeat().check()?;
        let mut running = Running {
            role,
            port,
            plant: Guard { plant, clock },
            clock,
            entropy,
            observer,
            signals,
            notify,
            counters,
            received: vec![0; PacketSocket::MAX_FRAME],
            next_tick: clock.now(),
            applied: None,
            fault: None,
            down: None,
            address: None,
            is_stopping: false,
        };
        let left = running.run();
        running.end();
        match left {
            Leave::Outcome(outcome) => Ok(outcome),
            Leave::Failed(error) => Err(error),
        }
    }
}
