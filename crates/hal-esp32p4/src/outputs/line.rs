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

    /// Whether the pin is driven on, read back from it; `None` where it does not say.
    pub(super) fn is_on(&mut self) -> Option<bool> {
        let is_high = self.pin.is_set_high().ok()?;
        Some(PinState::from(is_high) == self.on)
    }
}

/// What the board's contacts say; `None`: no such contact, or it does not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sensed {
    /// `true` is closed. Where the two contactors differ it is the opposite of what is commanded.
    pub contactors: Option<bool>,
    /// `true` is locked.
    pub lock: Option<bool>,
    /// `true` is pressed.
    pub emergency_stop: Option<bool>,
}

/// An input line: a pin and the level that means yes.
#[derive(Debug)]
pub struct Sense<I> {
    pin: I,
    yes: PinState,
}

impl<I: InputPin> Sense<I> {
    /// Yes at the high level. A contact to ground with a pull-up, that opens for yes: a broken wire is yes
    /// (mirror contact of a contactor: closed; emergency stop: pressed).
    pub const fn active_high(pin: I) -> Self {
        Self { pin, yes: PinState::High }
    }

    /// Yes at the low level. A contact to ground with a pull-up, that closes for yes: a broken wire is no
    /// (lock: locked).
    pub const fn active_low(pin: I) -> Self {
        Self { pin, yes: PinState::Low }
    }

    /// What the pin says; `None` where it does not answer.
    pub(super) fn read(&mut self) -> Option<bool> {
        let is_high = self.pin.is_high().ok()?;
        Some(PinState::from(is_high) == self.yes)
    }
}
