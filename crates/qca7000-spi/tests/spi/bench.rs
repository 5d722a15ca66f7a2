//! The driver on the simulated chip, in virtual time.

use std::cell::RefCell;
use std::rc::Rc;

use embedded_hal::digital::{self, InputPin, PinState};
use embedded_hal::spi::{self, ErrorKind, Operation, SpiDevice};
use machine::{Cx, Duration, Instant, ScriptedEntropy};
use qca7000_spi::{Buffers, Counters, Driver, Event, SEND_LEN};

use crate::chip::Chip;

/// A frame of `length` bytes, identified by `mark`.
pub(crate) fn frame(length: usize, mark: u8) -> Vec<u8> {
    vec![mark; length]
}

/// The chip's device on the bus, and its interrupt; the second field is true if the board inverts it.
#[derive(Clone)]
pub(crate) struct Shared(Rc<RefCell<Chip>>, bool);

#[derive(Debug)]
pub(crate) struct BusError;

impl spi::Error for BusError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl digital::Error for BusError {
    fn kind(&self) -> digital::ErrorKind {
        digital::ErrorKind::Other
    }
}

impl spi::ErrorType for Shared {
    type Error = BusError;
}

impl SpiDevice for Shared {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), BusError> {
        let [Operation::Write(command), data] = operations else { panic!("a command and its data") };
        let chip = &mut *self.0.borrow_mut();
        chip.now += Duration::from_micros(10);
        let due = chip.transactions;
        chip.transactions += 1;
        for fault in chip.faults.extract_if(.., |(at, _)| *at == due).collect::<Vec<_>>() {
            fault.1(chip);
        }
        if std::mem::take(&mut chip.fails) {
            return Err(BusError);
        }
        chip.transaction((*command).try_into().unwrap(), data);
        Ok(())
    }
}

impl digital::ErrorType for Shared {
    type Error = BusError;
}

impl InputPin for Shared {
    fn is_high(&mut self) -> Result<bool, BusError> {
        let chip = self.0.borrow();
        if chip.pin_fails { Err(BusError) } else { Ok(chip.interrupt() != self.1) }
    }
    fn is_low(&mut self) -> Result<bool, BusError> {
        self.is_high().map(|high| !high)
    }
}

/// The driver on a simulated chip, in virtual time.
pub(crate) struct Bench {
    pub chip: Rc<RefCell<Chip>>,
    pub driver: Driver<'static, Shared, Shared>,
    pub frames: Vec<Vec<u8>>,
    pub events: Vec<Event>,
}

impl Bench {
    /// A chip that is powered at the same time, with a receive buffer of `receive` bytes.
    pub(crate) fn new(receive: usize, boot: Duration) -> Self {
        Self::on_pin(receive, boot, PinState::High)
    }

    /// The same, with an interrupt that is active at this level.
    pub(crate) fn on_pin(receive: usize, boot: Duration, active: PinState) -> Self {
        let chip = Rc::new(RefCell::new(Chip::new(boot)));
        let buffers = Buffers { receive: vec![0; receive].leak(), send: Box::leak(Box::new([0; SEND_LEN])) };
        let shared = Shared(Rc::clone(&chip), active == PinState::Low);
        let driver = Driver::new(buffers, shared.clone(), shared, active).unwrap();
        Self { chip, driver, frames: Vec::new(), events: Vec::new() }
    }

    /// A chip that is set up and idle.
    pub(crate) fn up(receive: usize) -> Self {
        let mut bench = Self::new(receive, Duration::from_millis(900));
        bench.run(Duration::from_secs(1));
        assert_eq!(bench.events, [Event::Up]);
        bench.events.clear();
        bench
    }

    pub(crate) fn now(&self) -> Instant {
        self.chip.borrow().now
    }

    pub(crate) fn resets(&self) -> usize {
        self.chip.borrow().resets
    }

    /// Number of frames that the host wrote.
    pub(crate) fn written(&self) -> usize {
        self.chip.borrow().written.len()
    }

    pub(crate) fn counters(&mut self) -> Counters {
        self.driver.chip().counters()
    }

    /// One turn of a board's loop.
    pub(crate) fn turn(&mut self) {
        let now = self.now();
        let mut entropy = ScriptedEntropy::new(&[]);
        self.driver.poll(&mut Cx { now, entropy: &mut entropy });
        while let Some(frame) = self.driver.chip().poll_frame() {
            self.frames.push(frame.to_vec());
        }
        while let Some(event) = self.driver.chip().poll_event() {
            self.events.push(event);
        }
    }

    /// Turns for `span`: while the chip is busy, with the interrupt, and at each deadline.
    pub(crate) fn run(&mut self, span: Duration) {
        let end = self.now() + span;
        loop {
            self.turn();
            if self.driver.chip().is_busy() || self.chip.borrow().interrupt() && self.driver.chip().is_up() {
                continue;
            }
            let now = self.now();
            if now >= end {
                return;
            }
            let due = self.driver.chip().poll_timeout().map_or(end, |deadline| deadline.at);
            self.chip.borrow_mut().now = due.min(end).max(now);
        }
    }

    /// Whether a frame passes in each direction within 100 ms.
    pub(crate) fn passes(&mut self) -> bool {
        let (from_line, to_line) = (frame(77, 0xC1), frame(88, 0xC2));
        self.frames.clear();
        self.chip.borrow_mut().receive(&from_line);
        let taken = self.driver.chip().send(&to_line).is_ok();
        self.run(Duration::from_millis(100));
        let chip = self.chip.borrow();
        let written = chip.written.last().is_some_and(|written| written.get(8..96) == Some(&to_line));
        taken && written && self.frames.contains(&from_line)
    }
}
