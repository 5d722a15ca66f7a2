use embedded_hal::digital::{Error, ErrorKind, ErrorType, InputPin, OutputPin, StatefulOutputPin};
use esp_hal::gpio::{AnyPin, Flex, InputConfig, Level, OutputConfig, Pull};
use esp_hal::peripherals::GPIO;
use hal_esp32p4::Pads;

/// A pad on the GPIO registers alone: the panic handler and the watchdog's interrupt create the same pads as
/// the loop. Creating one changes no register. esp-hal's drivers would set the pad up again and release its
/// level for a moment.
///
/// Each access is one write of a set or clear register, or one read: an interrupt between two of them does no
/// harm.
#[derive(Debug)]
pub struct Pad(u8);

/// The pad does not have its driven level: a short, or a pad that is not set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stuck;

impl Error for Stuck {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl Pad {
    /// Reads until a new level has passed the input's two stages of synchronisation (judgement: 40 reads take
    /// 1 us or more).
    const READS: u32 = 40;

    /// The pad; changes no register.
    pub const fn at(number: u8) -> Self {
        Self(number)
    }

    /// Sets the pad up as an output that drives `is_high` from the start. Its input is enabled too, to read
    /// the level back.
    pub fn output(number: u8, is_high: bool) -> Self {
        let mut flex = flex(number);
        flex.set_level(if is_high { Level::High } else { Level::Low });
        flex.apply_output_config(&OutputConfig::default());
        flex.set_input_enable(true);
        flex.set_output_enable(true);
        Self(number)
    }

    /// Sets the pad up as an input with its weak pull-up: a contact to ground with a broken wire and without
    /// a resistor reads high.
    pub fn input(number: u8) -> Self {
        let mut flex = flex(number);
        flex.apply_input_config(&InputConfig::default().with_pull(Pull::Up));
        flex.set_input_enable(true);
        Self(number)
    }

    /// Number of its GPIO.
    pub const fn number(&self) -> u8 {
        self.0
    }

    /// Whether the pad is high now.
    pub fn level(&self) -> bool {
        let gpio = GPIO::regs();
        self.bit_of(gpio.in_().read().bits(), gpio.in1().read().bits())
    }

    fn bit_of(&self, low: u32, high: u32) -> bool {
        let bank = if self.0 < 32 { low } else { high };
        bank & self.mask() != 0
    }

    const fn mask(&self) -> u32 {
        1 << (self.0 % 32)
    }

    fn drive(&mut self, is_high: bool) -> Result<(), Stuck> {
        let (gpio, mask) = (GPIO::regs(), self.mask());
        // SAFETY: any pattern is valid in these four registers; its ones are the pads that change.
        unsafe {
            match (self.0 < 32, is_high) {
                (true, true) => gpio.out_w1ts().write(|w| w.bits(mask)),
                (true, false) => gpio.out_w1tc().write(|w| w.bits(mask)),
                (false, true) => gpio.out1_w1ts().write(|w| w.bits(mask)),
                (false, false) => gpio.out1_w1tc().write(|w| w.bits(mask)),
            };
        }
        let follows = (0..Self::READS).any(|_| self.level() == is_high);
        if follows { Ok(()) } else { Err(Stuck) }
    }
}

/// esp-hal's driver, used to set a pad up.
fn flex(number: u8) -> Flex<'static> {
    // esp-hal panics above the last pad; `Pins::check` has rejected such a wiring before.
    let number = number.min(Pads::LAST);
    // SAFETY: each pad has one signal (`Pins::check`), and therefore one owner.
    Flex::new(unsafe { AnyPin::steal(number) })
}

impl ErrorType for Pad {
    type Error = Stuck;
}

impl OutputPin for Pad {
    fn set_low(&mut self) -> Result<(), Stuck> {
        self.drive(false)
    }

    fn set_high(&mut self) -> Result<(), Stuck> {
        self.drive(true)
    }
}

impl StatefulOutputPin for Pad {
    fn is_set_high(&mut self) -> Result<bool, Stuck> {
        let gpio = GPIO::regs();
        Ok(self.bit_of(gpio.out().read().bits(), gpio.out1().read().bits()))
    }

    fn is_set_low(&mut self) -> Result<bool, Stuck> {
        self.is_set_high().map(|is_high| !is_high)
    }
}

impl InputPin for Pad {
    fn is_high(&mut self) -> Result<bool, Stuck> {
        Ok(self.level())
    }

    fn is_low(&mut self) -> Result<bool, Stuck> {
        Ok(!self.level())
    }
}
