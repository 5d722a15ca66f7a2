//! The control pilot's output: 1 kHz from one LEDC timer and channel.

use control_pilot::Output;
use embedded_hal::pwm::{Error, ErrorKind, ErrorType, SetDutyCycle};

/// How a timer divides its source to one period of the PWM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// A period has two to the power of this many counts (5 bits of the register).
    pub resolution_bits: u8,
    /// Divider of the source in 256ths (18 bits of the register, 10.8 fixed point).
    pub divider_256ths: u32,
}

impl Timing {
    /// Source of the pilot's timer in Hz: the crystal.
    pub const XTAL_HZ: u32 = 40_000_000;
    /// Frequency of the pilot in Hz (IEC 61851-1).
    pub const PILOT_HZ: u32 = 1_000;
    /// The pilot: 14 bits, 625/256, exactly 1000 Hz from 40 MHz. The fractional divider makes single counts
    /// jitter by 25 ns.
    pub const PILOT: Self = Self { resolution_bits: 14, divider_256ths: 625 };

    /// Largest divider of the register in 256ths.
    const MOST: u32 = (1 << 18) - 1;
    /// Smallest divider in 256ths: 1.
    const LEAST: u32 = 256;

    /// The divider that makes exactly `hz` of `source_hz` with this resolution; `None` if no divider does.
    pub fn exact(source_hz: u32, hz: u32, resolution_bits: u8) -> Option<Self> {
        let counts = 1_u64.checked_shl(resolution_bits.into())?;
        let period = counts.checked_mul(hz.into())?;
        let source = u64::from(source_hz) << 8;
        if source.checked_rem(period)? != 0 {
            return None;
        }
        let divider_256ths = u32::try_from(source.checked_div(period)?).ok()?;
        (Self::LEAST..=Self::MOST)
            .contains(&divider_256ths)
            .then_some(Self { resolution_bits, divider_256ths })
    }

    /// Counts of one period.
    pub const fn counts(self) -> u32 {
        1 << self.resolution_bits
    }

    /// Time since the pilot rose, in counts of a clock of `hz`, for a timer at `counts`: the pilot rises at
    /// 0, and a period is 1 ms.
    pub const fn since_edge(self, counts: u32, hz: u32) -> u64 {
        counts as u64 * hz as u64 / (self.counts() as u64 * Self::PILOT_HZ as u64)
    }
}

/// One LEDC timer with one channel. The code for the chip implements it.
///
/// On the ESP32-P4 (PAC 0.3.0, ESP-IDF's `ledc_ll.h`): `start` selects the crystal (`ledc_clk_src_sel` 0),
/// enables and resets the block, writes `duty_res` and `clk_div` and latches them with `para_up`, sets the
/// duty, and connects the pad; `set_duty` writes `hpoint` 0, duty `counts` shifted left by 4, one gamma range
/// (cycle 1, scale 0, step 1, `ch_gamma_conf` 1), then `sig_out_en`, `duty_start` and `para_up`. The new duty
/// counts from the next period on, so that no pulse is cut. The pad's output signal is 126 (channel 0).
pub trait Ledc {
    /// Why the hardware does not follow.
    type Error: Error;

    /// Sets up timer and channel, high for `counts` of each period, and connects the pad last, so that its
    /// first level is the right one.
    ///
    /// # Errors
    /// The hardware does not follow.
    fn start(&mut self, timing: Timing, counts: u16) -> Result<(), Self::Error>;

    /// High for this many counts of each period, 0..=`Timing::counts`: 0 is steady low, all of them is steady
    /// high.
    ///
    /// # Errors
    /// The hardware does not follow.
    fn set_duty(&mut self, counts: u16) -> Result<(), Self::Error>;
}

/// Why the pilot does not follow a demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PwmError<E> {
    /// A duty cycle that a charger is not allowed to drive.
    #[error("the pilot cannot be {0} per mille: legal are 50 (5 %) and 100 to 960 (10 to 96 %)")]
    Duty(u16),
    /// More counts than a period has, which is the second value.
    #[error("{0} counts of {max}: a period has no more", max = PilotPwm::<()>::PERIOD)]
    Counts(u16),
    /// 0 V: a driver of +12 V and -12 V has no third level.
    #[error("the pilot's driver has +12 V and -12 V only: drive steady or negative instead of 0 V")]
    Zero,
    /// The LEDC reports an error.
    #[error("the pilot's PWM does not follow: {0:?}")]
    Hardware(E),
}

impl<E: core::fmt::Debug> Error for PwmError<E> {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

/// The pilot's PWM. High is +12 V at the connector, low is -12 V, both through 1 kOhm.
///
/// `SetDutyCycle` is for tests on a bench and accepts any count. [`drive`](Self::drive) is for a charger and
/// accepts what a charger may offer.
#[derive(Debug)]
pub struct PilotPwm<L> {
    ledc: L,
}

impl<L> PilotPwm<L> {
    /// Counts of one period.
    pub const PERIOD: u16 = 1 << Timing::PILOT.resolution_bits;
    /// Lowest duty cycle in per mille that offers AC current: 10 % (IEC 61851-1).
    const AC_LEAST: u16 = 100;
    /// Highest duty cycle in per mille that offers AC current: 96 % (IEC 61851-1).
    const AC_MOST: u16 = 960;

    /// The counts of an output.
    ///
    /// # Errors
    /// [`PwmError::Duty`], [`PwmError::Zero`].
    pub const fn counts<E>(output: Output) -> Result<u16, PwmError<E>> {
        match output {
            Output::Steady => Ok(Self::PERIOD),
            Output::Negative => Ok(0),
            Output::Zero => Err(PwmError::Zero),
            Output::Pwm(duty @ (Output::DIGITAL_PERMILLE | Self::AC_LEAST..=Self::AC_MOST)) => {
                // Rounded to the nearest count: the error is 0.03 per mille at most. It fits because the
                // duty is below 1000.
                #[allow(clippy::cast_possible_truncation, reason = "at most the period")]
                Ok(((duty as u32 * Self::PERIOD as u32 + 500) / 1000) as u16)
            }
            Output::Pwm(duty) => Err(PwmError::Duty(duty)),
        }
    }
}

impl<L: Ledc> PilotPwm<L> {
    /// Sets up the pilot; it starts at steady +12 V, the level of SAFE.
    ///
    /// # Errors
    /// [`PwmError::Hardware`].
    pub fn new(mut ledc: L) -> Result<Self, PwmError<L::Error>> {
        ledc.start(Timing::PILOT, Self::PERIOD).map_err(PwmError::Hardware)?;
        Ok(Self { ledc })
    }

    /// The pilot on a channel that runs already: for a panic handler, which has only the registers.
    pub const fn running(ledc: L) -> Self {
        Self { ledc }
    }

    /// Drives what a charger may offer: steady +12 V, 5 %, 10 to 96 %, steady -12 V. Any other output is
    /// rejected, and the pilot stays as it is.
    ///
    /// # Errors
    /// [`PwmError`].
    pub fn drive(&mut self, output: Output) -> Result<(), PwmError<L::Error>> {
        self.ledc.set_duty(Self::counts(output)?).map_err(PwmError::Hardware)
    }
}

impl<L: Ledc> ErrorType for PilotPwm<L> {
    type Error = PwmError<L::Error>;
}

impl<L: Ledc> SetDutyCycle for PilotPwm<L> {
    fn max_duty_cycle(&self) -> u16 {
        Self::PERIOD
    }

    fn set_duty_cycle(&mut self, duty: u16) -> Result<(), Self::Error> {
        if duty > Self::PERIOD {
            return Err(PwmError::Counts(duty));
        }
        self.ledc.set_duty(duty).map_err(PwmError::Hardware)
    }
}
