use embedded_hal::digital::{InputPin, PinState, StatefulOutputPin};

/// An output line: a pin and the level that turns its part on.
#[derive(Debug)]
pub struct Drive<P> {
    pin: P,
    on: PinState,
}

impl<P: StatefulOutputPin> Drive<P> {
    /// On at the high level. The pin is not touched.
    pub const fn active_high(pin: P) -> Self {
        Self { pin, on: PinState::High }
    }

    /// On at the low level. The pin is not touched.
    pub const fn active_low(pin: P) -> Self {
        Self { pin, on: PinState::Low }
    }

    pub(super) fn set(&mut self, on: bool) -> Result<(), P::Error> {
        self.pin.set_state(if on { self.on } else { !self.on })
    }

    /// Whether the pin is driven on, read back from the pin; `None` if that fails.
    pub(super) fn is_on(&mut self) -> Option<bool> {
        let is_high = self.pin.is_set_high().ok()?;
        Some(PinState::from(is_high) == self.on)
    }
}

/// State of the board's contacts. `None`: the board has no such contact, or it cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sensed {
    /// `true` is closed. If the contacts of the two contactors differ, this is the opposite of the command.
    pub contactors: Option<bool>,
    /// `true` is locked.
    pub lock: Option<bool>,
    /// `true` is pressed.
    pub emergency_stop: Option<bool>,
}

/// An input line: a pin and the level that means active.
#[derive(Debug)]
pub struct Sense<I> {
    pin: I,
    yes: PinState,
}

impl<I: InputPin> Sense<I> {
    /// Active at the high level. For a contact to ground with a pull-up that opens when active: a broken wire
    /// reads as active (mirror contact of a contactor: closed; emergency stop: pressed).
    pub const fn active_high(pin: I) -> Self {
        Self { pin, yes: PinState::High }
    }

    /// Active at the low level. For a contact to ground with a pull-up that closes when active: a broken wire
    /// reads as not active (lock: not locked).
    pub const fn active_low(pin: I) -> Self {
        Self { pin, yes: PinState::Low }
    }

    /// State of the pin; `None` if it cannot be read.
    pub(super) fn read(&mut self) -> Option<bool> {
        let is_high = self.pin.is_high().ok()?;
        Some(PinState::from(is_high) == self.yes)
    }
}
