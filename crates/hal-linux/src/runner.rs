//! The event loop: one role, one socket, one plant, one clock; no threads and no runtime.

use std::ops::ControlFlow;
use std::os::fd::AsFd;

use crate::signals::Signals;
use crate::{Clock, Direction, Error, PacketSocket, PlantBackend, Port, Role};
use machine::{Cx, Duration, Entropy, Instant};

/// What happens while the loop runs, for logs and recordings.
#[derive(Debug)]
pub enum Happening<'a, E> {
    /// A frame went through the port.
    Frame(Direction, &'a [u8]),
    /// The port lost a frame of this length.
    Lost(usize),
    /// The role says something.
    Event(E),
    /// The plant was read: comes every 50 ms, whatever else happens.
    Tick,
    /// The first SIGINT or SIGTERM: the role has been told to stop.
    StopRequested,
}

/// How the loop ended. The plant is SAFE in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The observer ended it.
    Ended,
    /// A second SIGINT or SIGTERM.
    Interrupted,
}

/// How often the plant is read: half of what a charger asks for while energised.
const TICK: Duration = Duration::from_millis(50);
/// Frames taken before timers and plant are looked at again: judgement, against a flood.
const BURST: usize = 32;

/// All that the loop needs.
pub struct Runner<'a, R: Role, P, B> {
    /// The role.
    pub role: &'a mut R,
    /// Its frames.
    pub port: &'a P,
    /// Its plant; made SAFE when the loop ends, however it ends.
    pub plant: &'a mut B,
    /// Its time.
    pub clock: Clock,
    /// Its chance.
    pub entropy: &'a mut dyn Entropy,
    /// SIGINT and SIGTERM.
    pub signals: &'a Signals,
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
    /// Runs until the observer breaks off or a second SIGINT comes.
    ///
    /// The first SIGINT or SIGTERM asks the role to end its session; the observer sees the events of that
    /// and breaks off when it is satisfied.
    ///
    /// # Errors
    /// When the port fails. The plant is SAFE then, too.
    pub fn run(self, observer: &mut Observer<'_, R::Event>) -> Result<Outcome, Error> {
        let Self { role, port, plant, clock, entropy, signals } = self;
        let mut running = Running {
            role,
            port,
            plant: Guard { plant, clock },
            clock,
            entropy,
            observer,
            received: vec![0; PacketSocket::MAX_FRAME],
            sent: vec![0; PacketSocket::MAX_FRAME],
        };
        running.run(signals)
    }
}

struct Running<'a, 'o, R: Role, P, B: PlantBackend> {
    role: &'a mut R,
    port: &'a P,
    plant: Guard<'a, B>,
    clock: Clock,
    entropy: &'a mut dyn Entropy,
    observer: &'a mut Observer<'o, R::Event>,
    received: Vec<u8>,
    sent: Vec<u8>,
}

/// What a step of the loop says: go on, or the observer had enough.
type Step = Result<ControlFlow<()>, Error>;

impl<R, P, B> Running<'_, '_, R, P, B>
where
    R: Role,
    P: Port,
    B: PlantBackend<Demand = R::Demand, Reading = R::Reading>,
{
    fn run(&mut self, signals: &Signals) -> Result<Outcome, Error> {
        let mut next_tick = self.clock.now();
        let mut stopping = false;
        loop {
            let now = self.clock.now();
            if now >= next_tick {
                next_tick = now + TICK;
                let reading = self.plant.plant.read(now);
                let step = self.input(now, R::reading(reading))?;
                if step.is_break() || (self.observer)(now, Happening::Tick).is_break() {
                    return Ok(Outcome::Ended);
                }
            }
            if self.due(now)?.is_break() {
                return Ok(Outcome::Ended);
            }
            self.wait(signals, next_tick)?;
            while signals.take()? {
                if stopping {
                    return Ok(Outcome::Interrupted);
                }
                stopping = true;
                let now = self.clock.now();
                let told = self.input(now, R::stop())?.is_break();
                if told || (self.observer)(now, Happening::StopRequested).is_break() {
                    return Ok(Outcome::Ended);
                }
            }
            if self.frames()?.is_break() {
                return Ok(Outcome::Ended);
            }
        }
    }

    /// Sleeps until a frame, a signal, the role's deadline or the next tick.
    fn wait(&self, signals: &Signals, next_tick: Instant) -> Result<(), Error> {
        let deadline = self.role.poll_timeout().map_or(next_tick, |deadline| deadline.at.min(next_tick));
        let left = std::time::Duration::from_micros(deadline.since(self.clock.now()).as_micros());
        crate::wait(&[self.port.as_fd(), signals.as_fd()], left)
    }

    /// Gives the role the frames that are there, but not endlessly many.
    fn frames(&mut self) -> Step {
        for _ in 0..BURST {
            let mut buffer = std::mem::take(&mut self.received);
            let frame = self.port.receive(&mut buffer);
            let step = match frame {
                Ok(Some(frame)) => Some(self.frame(frame)),
                Ok(None) => None,
                Err(error) => Some(Err(error)),
            };
            self.received = buffer;
            match step {
                Some(Ok(ControlFlow::Continue(()))) => {}
                Some(other) => return other,
                None => break,
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn frame(&mut self, frame: &[u8]) -> Step {
        let now = self.clock.now();
        if (self.observer)(now, Happening::Frame(Direction::Received, frame)).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        self.input(now, R::frame(frame))
    }

    fn input(&mut self, now: Instant, input: R::Input<'_>) -> Step {
        let mut cx = Cx { now, entropy: self.entropy };
        self.role.handle(&mut cx, input);
        self.drain(now)
    }

    fn due(&mut self, now: Instant) -> Step {
        if self.role.poll_timeout().is_none_or(|deadline| deadline.at > now) {
            return Ok(ControlFlow::Continue(()));
        }
        let mut cx = Cx { now, entropy: self.entropy };
        self.role.handle_timeout(&mut cx);
        self.drain(now)
    }

    /// After each step: the demand first, for it is what safety needs.
    fn drain(&mut self, now: Instant) -> Step {
        self.plant.plant.apply(now, &self.role.demand());
        while let Some((length, _)) = self.role.poll_transmit(&mut self.sent) {
            let frame = self.sent.get(..length).unwrap_or_default();
            let happening = if self.port.send(frame)? {
                Happening::Frame(Direction::Sent, frame)
            } else {
                Happening::Lost(length)
            };
            if (self.observer)(now, happening).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let mut step = ControlFlow::Continue(());
        while let Some(event) = self.role.poll_event() {
            if (self.observer)(now, Happening::Event(event)).is_break() {
                step = ControlFlow::Break(());
            }
        }
        self.plant.plant.apply(now, &self.role.demand());
        Ok(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OsEntropy;
    use crate::plant::Heartbeat;
    use machine::{Deadline, Machine};
    use nix::sys::signal::{Signal, raise};
    use std::io::ErrorKind;
    use std::os::unix::net::UnixDatagram;
    use std::sync::Mutex;

    /// Signals are the process's: one loop at a time.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    impl Port for UnixDatagram {
        fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, Error> {
            match self.recv(buffer) {
                Ok(length) => Ok(Some(&buffer[..length])),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
                Err(_) => Err(Error::Down("pair".into())),
            }
        }

        fn send(&self, frame: &[u8]) -> Result<bool, Error> {
            Ok(UnixDatagram::send(self, frame).is_ok())
        }
    }

    /// Answers each frame, demands as many volts as frames came, and beats every 20 ms.
    #[derive(Default)]
    struct Echo {
        answers: Vec<Vec<u8>>,
        events: Vec<&'static str>,
        volts: i32,
        beat: Option<Instant>,
        readings: u32,
    }

    #[derive(Clone, Copy)]
    enum EchoInput<'a> {
        Frame(&'a [u8]),
        Reading(i32),
        Stop,
    }

    impl Machine for Echo {
        type Input<'a> = EchoInput<'a>;
        type Route = ();
        type Event = &'static str;

        fn handle(&mut self, cx: &mut Cx<'_>, input: EchoInput<'_>) {
            self.beat.get_or_insert(cx.now + Duration::from_millis(20));
            match input {
                EchoInput::Frame(frame) => {
                    self.answers.push(frame.to_vec());
                    self.volts += 1;
                    self.events.push("frame");
                }
                EchoInput::Reading(volts) => {
                    assert_eq!(volts, self.volts, "the demand was applied before");
                    self.readings += 1;
                }
                EchoInput::Stop => self.events.push("stop"),
            }
        }

        fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
            self.beat = Some(cx.now + Duration::from_millis(20));
            self.events.push("beat");
        }

        fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<(usize, ())> {
            let answer = self.answers.pop()?;
            buffer[..answer.len()].copy_from_slice(&answer);
            Some((answer.len(), ()))
        }

        fn poll_event(&mut self) -> Option<&'static str> {
            self.events.pop()
        }

        fn poll_timeout(&self) -> Option<Deadline> {
            self.beat.map(|at| Deadline { at, name: "beat" })
        }
    }

    impl Role for Echo {
        type Demand = i32;
        type Reading = i32;

        fn frame(frame: &[u8]) -> EchoInput<'_> {
            EchoInput::Frame(frame)
        }
        fn reading<'a>(reading: i32) -> EchoInput<'a> {
            EchoInput::Reading(reading)
        }
        fn stop<'a>() -> EchoInput<'a> {
            EchoInput::Stop
        }
        fn demand(&self) -> i32 {
            self.volts
        }
    }

    #[derive(Default)]
    struct Wire {
        volts: i32,
        safe: u32,
    }

    impl PlantBackend for Wire {
        type Demand = i32;
        type Reading = i32;

        fn apply(&mut self, _now: Instant, demand: &i32) {
            self.volts = *demand;
        }
        fn read(&mut self, _now: Instant) -> i32 {
            self.volts
        }
        fn make_safe(&mut self, _now: Instant) {
            self.volts = 0;
            self.safe += 1;
        }
        fn heartbeat(&self) -> Option<Heartbeat> {
            None
        }
    }

    fn run(
        port: &impl Port,
        observer: &mut Observer<'_, &'static str>,
    ) -> (Result<Outcome, Error>, Wire, Echo) {
        let (mut role, mut plant) = (Echo::default(), Wire::default());
        let runner = Runner {
            role: &mut role,
            port,
            plant: &mut plant,
            clock: Clock::start(),
            entropy: &mut OsEntropy,
            signals: &Signals::hold().unwrap(),
        };
        let outcome = runner.run(observer);
        (outcome, plant, role)
    }

    fn pair() -> (UnixDatagram, UnixDatagram) {
        let (one, two) = UnixDatagram::pair().unwrap();
        one.set_nonblocking(true).unwrap();
        (one, two)
    }

    #[test]
    fn frames_are_answered_timers_fire_the_plant_is_read_and_safe_at_the_end() {
        let _alone = ONE_AT_A_TIME.lock();
        let (port, peer) = pair();
        peer.send(b"one").unwrap();
        peer.send(b"two").unwrap();
        let (mut frames, mut beats) = (Vec::new(), 0);
        let (outcome, plant, role) = run(&port, &mut |_, happening| {
            match happening {
                Happening::Frame(direction, frame) => frames.push((direction, frame.to_vec())),
                Happening::Event("beat") => beats += 1,
                _ => {}
            }
            if beats == 8 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(outcome.unwrap(), Outcome::Ended);
        let expected = [
            (Direction::Received, b"one".to_vec()),
            (Direction::Sent, b"one".to_vec()),
            (Direction::Received, b"two".to_vec()),
            (Direction::Sent, b"two".to_vec()),
        ];
        assert_eq!(frames, expected);
        assert!((3..=8).contains(&role.readings), "{} readings in 160 ms", role.readings);
        assert_eq!((plant.volts, plant.safe), (0, 1));
        let mut answer = [0; 8];
        assert_eq!(peer.recv(&mut answer).unwrap(), 3);
    }

    #[test]
    fn the_first_signal_asks_the_role_and_the_second_ends_the_loop_safely() {
        let _alone = ONE_AT_A_TIME.lock();
        let (port, peer) = pair();
        peer.send(b"go").unwrap();
        let mut seen = Vec::new();
        let (outcome, plant, _) = run(&port, &mut |_, happening| {
            match happening {
                Happening::Event("frame") => raise(Signal::SIGINT).unwrap(),
                Happening::Event("stop") => seen.push("stop"),
                Happening::StopRequested => {
                    seen.push("requested");
                    raise(Signal::SIGINT).unwrap();
                }
                _ => {}
            }
            ControlFlow::Continue(())
        });
        assert_eq!(outcome.unwrap(), Outcome::Interrupted);
        assert_eq!(seen, ["stop", "requested"]);
        assert_eq!((plant.volts, plant.safe), (0, 1));
    }

    /// A port whose interface was switched off.
    struct Gone(UnixDatagram);

    impl AsFd for Gone {
        fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
            self.0.as_fd()
        }
    }

    impl Port for Gone {
        fn receive<'b>(&self, _buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, Error> {
            Err(Error::Down("gone0".into()))
        }

        fn send(&self, _frame: &[u8]) -> Result<bool, Error> {
            Err(Error::Down("gone0".into()))
        }
    }

    #[test]
    fn a_failing_port_leaves_the_plant_safe() {
        let _alone = ONE_AT_A_TIME.lock();
        let port = Gone(pair().0);
        let (outcome, plant, _) = run(&port, &mut |_, _| ControlFlow::Continue(()));
        assert!(matches!(outcome, Err(Error::Down(name)) if name == "gone0"));
        assert_eq!(plant.safe, 1);
    }

    #[test]
    fn a_panic_in_the_loop_leaves_the_plant_safe() {
        let _alone = ONE_AT_A_TIME.lock();
        let mut plant = Wire { volts: 5, safe: 0 };
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let (port, peer) = pair();
            peer.send(b"go").unwrap();
            let runner = Runner {
                role: &mut Echo::default(),
                port: &port,
                plant: &mut plant,
                clock: Clock::start(),
                entropy: &mut OsEntropy,
                signals: &Signals::hold().unwrap(),
            };
            runner.run(&mut |_, happening| match happening {
                Happening::Event("frame") => panic!("in the middle"),
                _ => ControlFlow::Continue(()),
            })
        }));
        assert!(panicked.is_err());
        assert_eq!((plant.volts, plant.safe), (0, 1));
    }
}
