//! The event loop: one role, one port, one plant, one clock; no runtime, and no thread but a back end's own.

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
    /// A frame went through the port.
    Frame(Direction, &'a [u8]),
    /// The port lost a frame of this length.
    Lost(usize),
    /// The role says something.
    Event(E),
    /// Comes every 50 ms, whatever else happens.
    Tick,
    /// SIGINT, SIGTERM or SIGHUP for the first time: the role has been asked to stop.
    StopRequested,
    /// The plant failed or is degraded: it is SAFE, and the role has no readings until
    /// [`PlantGood`](Self::PlantGood).
    PlantFailed(&'a PlantFault),
    /// The plant gives readings again.
    PlantGood,
    /// The network interface is down or gone; the loop waits for it.
    InterfaceDown,
    /// It is back.
    InterfaceUp,
    /// The loop came back so much too late: something held the program up.
    HeldUp(Duration),
    /// What was counted, as SIGUSR1 asks for it.
    Counters(&'a Counters),
}

/// How the loop ended. The plant is SAFE in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The observer ended it.
    Ended,
    /// SIGQUIT, or SIGINT or SIGTERM for the second time.
    Interrupted,
}

/// All that the loop needs.
pub struct Runner<'a, R: Role, P, B> {
    /// The role.
    pub role: &'a mut R,
    /// Its frames.
    pub port: &'a mut P,
    /// Its plant; made SAFE when the loop ends, however it ends.
    pub plant: &'a mut B,
    /// Its time.
    pub clock: Clock,
    /// Its chance.
    pub entropy: &'a mut dyn Entropy,
    /// What people ask for by signals.
    pub signals: &'a Signals,
    /// The service manager.
    pub notify: Notify,
    /// What was counted, also after the end.
    pub counters: &'a mut Counters,
}

/// What the observer of a loop is.
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
    /// Runs until the observer breaks off or the role is to end at once.
    ///
    /// A turn reads the plant, gives the role the reading and its due timers, applies what it demands, and
    /// only then takes frames, at most as many as [`Budget::TURN`] says: so plant and demand have their turn
    /// whatever is on the wire.
    ///
    /// The first SIGINT, SIGTERM or SIGHUP asks the role to end its session; the observer sees the events of
    /// that and breaks off when it is satisfied. When the interface goes down the session ends, and the loop
    /// waits for it.
    ///
    /// # Errors
    /// [`Error::NoHeartbeat`] and [`Error::SlowHeartbeat`] before anything is demanded; later when the port
    /// fails for good. The plant is SAFE then, too.
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
