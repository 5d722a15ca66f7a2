//! Runs one state machine over Ethernet frames until it is done, on an interface or in virtual time.

#[cfg(test)]
pub(crate) mod simulated;

use std::ops::ControlFlow;
use std::os::fd::AsFd;

use hal_linux::{Clock, Error, Interface, OsEntropy, PacketSocket, Signals};
use machine::{Cx, Duration, Entropy, Instant, Machine, whole};
use roles::Mac;

/// Longest wait before the caller is called again: judgement.
const IDLE: Duration = Duration::from_millis(100);

/// Source of frames, time, random bytes and interrupts.
pub trait Wire {
    /// Monotonic time.
    fn now(&self) -> Instant;
    /// Source of random bytes.
    fn entropy(&mut self) -> &mut dyn Entropy;
    /// Sends a frame. A frame that does not fit into a queue is lost, as on any wire.
    fn send(&mut self, frame: &[u8]) -> Result<(), Error>;
    /// The next event; [`Next::Nothing`] if none occurs before `until`.
    fn next<'b>(&mut self, until: Instant, buffer: &'b mut [u8]) -> Result<Next<'b>, Error>;
}

/// The next event on a [`Wire`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next<'b> {
    /// A frame arrived.
    Frame(&'b [u8]),
    /// Nothing arrived.
    Nothing,
    /// Ctrl-C.
    Interrupt,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End<T> {
    /// The caller has its result.
    Done(T),
    /// The time limit passed first.
    Late,
    /// An interrupt came first.
    Interrupted,
}

/// Runs a machine that accepts whole frames. `begin` starts it. `look` receives every event, and `None` after
/// each turn and at least ten times a second; it returns a result to end the run.
pub(crate) fn drive<M, T>(
    wire: &mut dyn Wire,
    machine: &mut M,
    begin: impl FnOnce(&mut M, &mut Cx<'_>),
    limit: Option<Duration>,
    mut look: impl FnMut(&mut M, &mut Cx<'_>, Option<M::Event>) -> anyhow::Result<ControlFlow<T>>,
) -> anyhow::Result<End<T>>
where
    M: for<'a> Machine<Input<'a> = &'a [u8], Route = ()>,
{
    let mut frame = [0; roles::MAX_FRAME];
    let mut buffer = vec![0; PacketSocket::MAX_FRAME];
    let end = limit.map(|limit| wire.now() + limit);
    begin(machine, &mut Cx { now: wire.now(), entropy: wire.entropy() });
    loop {
        let now = wire.now();
        let mut enough = ControlFlow::Continue(());
        while enough.is_continue()
            && let Some(event) = machine.poll_event()
        {
            enough = look(machine, &mut Cx { now, entropy: wire.entropy() }, Some(event))?;
        }
        if enough.is_continue() {
            enough = look(machine, &mut Cx { now, entropy: wire.entropy() }, None)?;
        }
        while let Some((length, ())) = whole(machine.poll_transmit(&mut frame)) {
            wire.send(frame.get(..length).unwrap_or_default())?;
        }
        if let ControlFlow::Break(result) = enough {
            return Ok(End::Done(result));
        }
        if end.is_some_and(|end| now >= end) {
            return Ok(End::Late);
        }
        let due = machine.poll_timeout().map(|deadline| deadline.at);
        let until = [due, end].into_iter().flatten().fold(now + IDLE, Instant::min);
        match wire.next(until, &mut buffer)? {
            Next::Frame(frame) => {
                let now = wire.now();
                machine.handle(&mut Cx { now, entropy: wire.entropy() }, frame);
            }
            Next::Nothing => {}
            Next::Interrupt => return Ok(End::Interrupted),
        }
        let now = wire.now();
        if machine.poll_timeout().is_some_and(|deadline| deadline.at <= now) {
            machine.handle_timeout(&mut Cx { now, entropy: wire.entropy() });
        }
    }
}

/// A network interface as a [`Wire`].
pub(crate) struct Cable {
    socket: PacketSocket,
    signals: Signals,
    clock: Clock,
    entropy: OsEntropy,
}

impl Cable {
    /// Opens the interface for a host with the address `mac`. From then on Ctrl-C is read here.
    pub(crate) fn open(interface: &Interface, mac: Mac) -> Result<Self, Error> {
        Ok(Self {
            socket: PacketSocket::open(interface, mac, false)?,
            signals: Signals::hold()?,
            clock: Clock::start(),
            entropy: OsEntropy,
        })
    }
}

impl Wire for Cable {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn entropy(&mut self) -> &mut dyn Entropy {
        &mut self.entropy
    }

    fn send(&mut self, frame: &[u8]) -> Result<(), Error> {
        self.socket.send(frame).map(|_| ())
    }

    fn next<'b>(&mut self, until: Instant, buffer: &'b mut [u8]) -> Result<Next<'b>, Error> {
        let left = std::time::Duration::from_micros(until.since(self.now()).as_micros());
        hal_linux::wait(&[self.socket.as_fd(), self.signals.as_fd()], left)?;
        if self.signals.take()? {
            return Ok(Next::Interrupt);
        }
        let Some(frame) = self.socket.receive(buffer)? else { return Ok(Next::Nothing) };
        Ok(Next::Frame(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::simulated::SimulatedWire;
    use super::*;
    use modem::{Finder, FinderEvent, Reset};
    use sim::ModemKind;

    #[test]
    fn a_machine_runs_in_virtual_time_until_it_has_what_is_wanted() {
        let mut wire = SimulatedWire::pair(ModemKind::Qca7005, ModemKind::Qca7005);
        let mut finder = Finder::new(SimulatedWire::HOST);
        let end = drive(&mut wire, &mut finder, Finder::start, None, |finder, _, event| {
            Ok(match event {
                Some(FinderEvent::Finished) => ControlFlow::Break(finder.modems().len()),
                _ => ControlFlow::Continue(()),
            })
        });
        assert_eq!(end.unwrap(), End::Done(1), "the two are in different networks");
        assert!(wire.now() < Instant::from_millis(5000));
    }

    #[test]
    fn the_limit_ends_a_run_on_time() {
        let mut wire = SimulatedWire::pair(ModemKind::Qca7005, ModemKind::Qca7005);
        let mut finder = Finder::new(SimulatedWire::HOST);
        let limit = Some(Duration::from_millis(150));
        let end = drive(&mut wire, &mut finder, Finder::start, limit, |_, _, _| {
            Ok(ControlFlow::<()>::Continue(()))
        });
        assert_eq!((end.unwrap(), wire.now()), (End::Late, Instant::from_millis(150)));
    }

    #[test]
    fn an_interrupt_ends_a_run_and_what_was_to_be_sent_before_is_sent() {
        let mut wire = SimulatedWire::pair(ModemKind::Qca7005, ModemKind::Qca7005);
        wire.interrupt_at = Some(Instant::ZERO);
        let own = SimulatedWire::HOST;
        let mut reset = Reset::new(own, Mac::LOCAL_MODEM, modem::PROFILES.first().unwrap()).unwrap();
        let end =
            drive(&mut wire, &mut reset, Reset::start, None, |_, _, _| Ok(ControlFlow::<()>::Continue(())));
        assert_eq!(end.unwrap(), End::Interrupted);
        assert_eq!(wire.sent.len(), 1);
    }
}
