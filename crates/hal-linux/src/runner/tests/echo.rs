//! A role, a plant and ports for tests of the loop.

use std::io::ErrorKind;
use std::net::Ipv6Addr;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::sync::{Mutex, MutexGuard, PoisonError};

use machine::{Cx, Deadline, Duration, Instant, Machine, TooShort};

use crate::runner::Observer;
use crate::{
    Clock, Counters, Demanded, Error, Notify, Outcome, PlantBackend, Port, PortStatistics, Role, Runner,
    Signals, Simulated, SimulatedBackend,
};

/// Signals belong to the process, so one loop runs at a time.
pub(super) fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Port for UnixDatagram {
    fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, Error> {
        match self.recv(buffer) {
            Ok(length) => Ok(Some(&buffer[..length])),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(_) => Err(Error::Down("pair".into())),
        }
    }

    fn send(&self, frame: &[u8]) -> Result<bool, Error> {
        Ok(Self::send(self, frame).is_ok())
    }

    fn reopen(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn hear(&self, _address: Ipv6Addr) -> Result<(), Error> {
        Ok(())
    }

    fn statistics(&self) -> PortStatistics {
        PortStatistics::default()
    }
}

/// A port whose frames come from a function: it writes a frame into the buffer and returns its length. Sent
/// frames are lost.
pub(super) struct Scripted<R>(pub UnixDatagram, pub R);

impl<R> AsFd for Scripted<R> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl<R: Fn(&mut [u8]) -> Result<usize, Error>> Port for Scripted<R> {
    fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, Error> {
        let length = self.1(buffer)?;
        Ok(Some(&buffer[..length]))
    }

    fn send(&self, _frame: &[u8]) -> Result<bool, Error> {
        Ok(true)
    }

    fn reopen(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn hear(&self, _address: Ipv6Addr) -> Result<(), Error> {
        Ok(())
    }

    fn statistics(&self) -> PortStatistics {
        PortStatistics::default()
    }
}

/// Answers each frame, demands as many volts as it received frames, and beats every 20 ms. It ignores frames
/// that begin with `-`.
#[derive(Default)]
pub(super) struct Echo {
    answers: Vec<Vec<u8>>,
    events: Vec<&'static str>,
    pub volts: i32,
    beat: Option<Instant>,
    pub readings: u32,
    ignored: u64,
}

#[derive(Clone, Copy)]
pub(super) enum EchoInput<'a> {
    Frame(&'a [u8]),
    Reading(i32),
    Blind,
    Down,
    Stop,
}

impl Machine for Echo {
    type Input<'a> = EchoInput<'a>;
    type Route = ();
    type Event = &'static str;

    fn handle(&mut self, cx: &mut Cx<'_>, input: EchoInput<'_>) {
        self.beat.get_or_insert(cx.now + Duration::from_millis(20));
        match input {
            EchoInput::Frame([b'-', ..]) => self.ignored += 1,
            EchoInput::Frame(frame) => {
                self.answers.push(frame.to_vec());
                self.volts += 1;
                self.events.push("frame");
            }
            EchoInput::Reading(volts) => {
                assert_eq!(volts, self.volts, "the demand was applied before");
                self.readings += 1;
            }
            EchoInput::Blind => {
                self.volts = 0;
                self.events.push("blind");
            }
            EchoInput::Down => {
                self.volts = 0;
                self.events.push("down");
            }
            EchoInput::Stop => self.events.push("stop"),
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.beat = Some(cx.now + Duration::from_millis(20));
        self.events.push("beat");
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, ())>, TooShort> {
        let Some(answer) = self.answers.pop() else { return Ok(None) };
        buffer[..answer.len()].copy_from_slice(&answer);
        Ok(Some((answer.len(), ())))
    }

    fn poll_event(&mut self) -> Option<&'static str> {
        self.events.pop()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.beat.map(|at| Deadline { at, name: "beat" })
    }
}

/// The demand in volts.
impl Demanded for i32 {
    const SAFE: Self = 0;

    fn is_energised(&self) -> bool {
        *self != 0
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
    fn no_reading<'a>() -> EchoInput<'a> {
        EchoInput::Blind
    }
    fn stop<'a>() -> EchoInput<'a> {
        EchoInput::Stop
    }
    fn interface_down<'a>() -> EchoInput<'a> {
        EchoInput::Down
    }
    fn demand(&self) -> i32 {
        self.volts
    }
    fn address(&self) -> Ipv6Addr {
        Ipv6Addr::LOCALHOST
    }
    fn ignored(&self) -> u64 {
        self.ignored
    }
    fn status(&self) -> &'static str {
        if self.volts == 0 { "Idle" } else { "CurrentDemand" }
    }
}

/// A plant of volts: its reading is the last demand.
#[derive(Default)]
pub(super) struct Wire {
    pub volts: i32,
    pub safe: u32,
}

impl SimulatedBackend for Wire {
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
}

/// The result of a loop.
pub(super) struct Ran {
    pub outcome: Result<Outcome, Error>,
    pub role: Echo,
    pub counters: Counters,
}

/// Runs an [`Echo`] with this plant.
pub(super) fn run_with(
    port: &mut impl Port,
    plant: &mut impl PlantBackend<Demand = i32, Reading = i32>,
    notify: Notify,
    observer: &mut Observer<'_, &'static str>,
) -> Ran {
    let (mut role, mut counters) = (Echo::default(), Counters::default());
    let runner = Runner {
        role: &mut role,
        port,
        plant,
        clock: Clock::start(),
        entropy: &mut crate::OsEntropy,
        signals: &Signals::hold().unwrap(),
        notify,
        counters: &mut counters,
    };
    let outcome = runner.run(observer);
    Ran { outcome, role, counters }
}

/// Runs an [`Echo`] with a [`Wire`].
pub(super) fn run(port: &mut impl Port, observer: &mut Observer<'_, &'static str>) -> (Ran, Wire) {
    let mut plant = Simulated(Wire::default());
    let ran = run_with(port, &mut plant, Notify::default(), observer);
    (ran, plant.0)
}

pub(super) fn pair() -> (UnixDatagram, UnixDatagram) {
    let (one, two) = UnixDatagram::pair().unwrap();
    one.set_nonblocking(true).unwrap();
    (one, two)
}
