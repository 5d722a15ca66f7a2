//! A board of pins that record every call in one log.
#![allow(dead_code, reason = "several tests share it, and none uses all of it")]
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use control_pilot::Output;
use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{ErrorKind, ErrorType, InputPin, OutputPin, StatefulOutputPin};
use hal_esp32p4::{Drive, Ledc, Outputs, Parts, Passed, PilotPwm, Sense, Side, Timing, Wanted};
use machine::{Duration, Instant};
use session::Contactors;

/// The recorded calls, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Did {
    /// A pin was driven on or off.
    Pin(&'static str, bool),
    /// The pilot was set to this many counts of 16384.
    Pilot(u16),
    /// A millisecond passed.
    Waited,
}

/// The log that all pins of a board share.
#[derive(Clone, Default)]
pub(crate) struct Log(pub Rc<RefCell<Vec<Did>>>);

impl Log {
    pub(crate) fn push(&self, did: Did) {
        self.0.borrow_mut().push(did);
    }

    /// The calls since the last `take`.
    pub(crate) fn take(&self) -> Vec<Did> {
        self.0.take()
    }
}

pub(crate) struct Pin {
    name: &'static str,
    log: Log,
    is_high: bool,
    fails: Rc<Cell<Option<&'static str>>>,
}

impl ErrorType for Pin {
    type Error = ErrorKind;
}

impl Pin {
    fn set(&mut self, is_high: bool) -> Result<(), ErrorKind> {
        self.log.push(Did::Pin(self.name, is_high));
        if self.fails.get() == Some(self.name) || self.fails.get() == Some("all") {
            return Err(ErrorKind::Other);
        }
        self.is_high = is_high;
        Ok(())
    }
}

impl OutputPin for Pin {
    fn set_low(&mut self) -> Result<(), ErrorKind> {
        self.set(false)
    }

    fn set_high(&mut self) -> Result<(), ErrorKind> {
        self.set(true)
    }
}

impl StatefulOutputPin for Pin {
    fn is_set_high(&mut self) -> Result<bool, ErrorKind> {
        Ok(self.is_high)
    }

    fn is_set_low(&mut self) -> Result<bool, ErrorKind> {
        Ok(!self.is_high)
    }
}

/// A contact: high, low, or not readable.
pub(crate) struct Contact(Rc<Cell<Option<bool>>>);

impl ErrorType for Contact {
    type Error = ErrorKind;
}

impl InputPin for Contact {
    fn is_high(&mut self) -> Result<bool, ErrorKind> {
        self.0.get().ok_or(ErrorKind::Other)
    }

    fn is_low(&mut self) -> Result<bool, ErrorKind> {
        self.is_high().map(|is_high| !is_high)
    }
}

pub(crate) struct Pwm(Log, Rc<Cell<Option<&'static str>>>);

impl Ledc for Pwm {
    type Error = embedded_hal::pwm::ErrorKind;

    fn start(&mut self, _: Timing, counts: u16) -> Result<(), Self::Error> {
        self.set_duty(counts)
    }

    fn set_duty(&mut self, counts: u16) -> Result<(), Self::Error> {
        self.0.push(Did::Pilot(counts));
        match self.1.get() {
            Some("pilot" | "all") => Err(embedded_hal::pwm::ErrorKind::Other),
            _ => Ok(()),
        }
    }
}

/// Records each millisecond.
pub(crate) struct Delay(pub Log);

impl DelayNs for Delay {
    fn delay_ns(&mut self, ns: u32) {
        for _ in 0..ns / 1_000_000 {
            self.0.push(Did::Waited);
        }
    }
}

/// The world around a board.
pub(crate) struct World {
    pub log: Log,
    /// The part whose writes fail.
    pub fails: Rc<Cell<Option<&'static str>>>,
    pub plus_closed: Rc<Cell<Option<bool>>>,
    pub minus_closed: Rc<Cell<Option<bool>>>,
    /// Low is locked.
    pub lock_high: Rc<Cell<Option<bool>>>,
    pub stop_pressed: Rc<Cell<Option<bool>>>,
}

pub(crate) type BoardParts = Parts<Pin, Contact, Pwm>;
pub(crate) type BoardOutputs = Outputs<Pin, Contact, Pwm>;

impl World {
    pub(crate) fn new() -> Self {
        let contact = |is_high| Rc::new(Cell::new(Some(is_high)));
        Self {
            log: Log::default(),
            fails: Rc::default(),
            plus_closed: contact(false),
            minus_closed: contact(false),
            lock_high: contact(false),
            stop_pressed: contact(false),
        }
    }

    fn drive(&self, name: &'static str) -> Drive<Pin> {
        // As registers do: returns the last recorded level.
        let is_high = Self::on(&self.log.0.borrow()).contains(&name);
        let pin = Pin { name, log: self.log.clone(), is_high, fails: self.fails.clone() };
        Drive::active_high(pin)
    }

    /// A board with every part that this side has.
    pub(crate) fn parts(&self, side: Side) -> BoardParts {
        let pilot =
            (side == Side::Charger).then(|| PilotPwm::running(Pwm(self.log.clone(), self.fails.clone())));
        Parts {
            side,
            pilot,
            relay: Some(self.drive("relay")),
            plus: Some(self.drive("contactor +")),
            minus: Some(self.drive("contactor -")),
            precharge: Some(self.drive("precharge")),
            discharge: Some(self.drive("discharge")),
            unlock: Some(self.drive("lock")),
            plus_feedback: Some(Sense::active_high(Contact(self.plus_closed.clone()))),
            minus_feedback: Some(Sense::active_high(Contact(self.minus_closed.clone()))),
            lock_feedback: Some(Sense::active_low(Contact(self.lock_high.clone()))),
            emergency_stop: Some(Sense::active_high(Contact(self.stop_pressed.clone()))),
        }
    }

    /// Its outputs before the self-test; the log is empty.
    pub(crate) fn untested(&self, side: Side) -> BoardOutputs {
        let (outputs, _) = Outputs::new(self.parts(side), PRECHARGE);
        self.log.take();
        outputs
    }

    /// Its outputs after the self-test.
    pub(crate) fn armed(&self, side: Side) -> BoardOutputs {
        let mut outputs = self.untested(side);
        outputs.arm(passed());
        outputs
    }

    /// The parts that are on, by the last recorded level of each pin.
    pub(crate) fn on(dids: &[Did]) -> Vec<&'static str> {
        let mut on: Vec<&'static str> = Vec::new();
        for did in dids {
            let Did::Pin(name, is_on) = did else { continue };
            on.retain(|of| of != name);
            if *is_on {
                on.push(name);
            }
        }
        on.sort_unstable();
        on
    }
}

pub(crate) const PRECHARGE: Duration = Duration::from_millis(500);

/// The proof of a self-test without failures.
pub(crate) fn passed() -> Passed {
    self_test().verdict().unwrap()
}

/// A self-test without failures.
pub(crate) fn self_test() -> hal_esp32p4::SelfTest {
    use control_pilot::Level;
    use hal_esp32p4::{Pins, Revision, SafeReport, SelfTest, Sensed, Stage};
    let mut test = SelfTest::new();
    test.revision(Revision { major: 3, minor: 0 });
    test.pins(&Pins::default());
    test.outputs(&SafeReport::default());
    test.contacts(&Sensed { contactors: Some(false), ..Sensed::default() }, true);
    test.pilot(Instant::ZERO, Some(session::Reading::new(Level::A, Instant::ZERO)), true);
    let mut pool = hal_esp32p4::Pool::new();
    pool.seed(b"a seed of sixteen bytes or more");
    test.entropy(&pool.quality());
    test.store(&Ok::<(), ()>(()));
    test.watchdog(Stage::Running);
    test
}

/// 5 %, the rest SAFE.
pub(crate) const OFFER: Wanted = Wanted { pilot: Output::DIGITAL, ..Wanted::SAFE };
/// Everything on.
pub(crate) const CHARGE: Wanted = Wanted { relay: true, contactors: Contactors::Closed, ..OFFER };
pub(crate) const SIDES: [Side; 2] = [Side::Charger, Side::Car];

pub(crate) fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

/// Closes the contactors, whose contacts follow after 30 ms; returns the time at which they are closed.
pub(crate) fn close(world: &World, outputs: &mut BoardOutputs, from_ms: u64) -> u64 {
    let mut followed = [None; 2];
    let mut is_closed = |ms| {
        outputs.apply(at(ms), &CHARGE).unwrap();
        let on = World::on(&world.log.0.borrow());
        let coils = [("contactor +", &world.plus_closed), ("contactor -", &world.minus_closed)];
        for ((coil, contact), followed) in coils.into_iter().zip(&mut followed) {
            if on.contains(&coil) && ms >= *followed.get_or_insert(ms + 30) {
                contact.set(Some(true));
            }
        }
        on.contains(&"contactor +") && !on.contains(&"precharge")
    };
    (from_ms..from_ms + 2_000).find(|ms| is_closed(*ms)).unwrap()
}
