use core::cell::RefCell;

use esp_hal::Blocking;
use esp_hal::analog::adc::{Adc, AdcCalCurve, AdcConfig, AdcPin, Attenuation};
use esp_hal::peripherals::{ADC1, GPIO16, GPIO17, GPIO18, GPIO19, GPIO20, GPIO21, GPIO22, GPIO23};
use hal_esp32p4::{Counter, Millivolts};

use crate::Systimer;

/// ADC1, shared by its channels.
pub type Converter = RefCell<Adc<'static, ADC1<'static>, Blocking>>;

type Calibrated<P> = AdcPin<P, ADC1<'static>, AdcCalCurve<ADC1<'static>>>;

/// One channel of ADC1: 0 to 3.3 V (attenuation 11 dB), by the curve of the chip's fuses.
pub struct Channel {
    adc: &'static Converter,
    pin: Pin,
}

/// Why a conversion gave no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdcError {
    /// The conversion was not complete after [`Channel::LONGEST_US`].
    Stuck,
    /// Another conversion runs.
    Busy,
}

impl Channel {
    /// Longest time of a conversion in us: 100. At a pilot of 5 % a conversion must take 25 us at most to
    /// count; a conversion that takes longer than 100 us will never complete.
    pub const LONGEST_US: u64 = 100;
}

impl Millivolts for Channel {
    type Error = AdcError;

    fn read_mv(&mut self) -> Result<i32, AdcError> {
        let mut adc = self.adc.try_borrow_mut().map_err(|_| AdcError::Busy)?;
        let begun = Systimer::now();
        loop {
            if let Ok(mv) = self.pin.read(&mut adc) {
                return Ok(mv.into());
            }
            if Systimer::now().wrapping_sub(begun) > Self::LONGEST_US * u64::from(Systimer::HZ) / 1_000_000 {
                return Err(AdcError::Stuck);
            }
        }
    }
}

/// esp-hal's channels have a type for each pad, while the wiring is a value.
macro_rules! pads {
    ($($name:ident: $gpio:ident = $number:literal),*) => {
        enum Pin { $($name(Calibrated<$gpio<'static>>)),* }

        impl Pin {
            fn new(config: &mut AdcConfig<ADC1<'static>>, pad: u8) -> Option<Self> {
                match pad {
                    $($number => {
                        // SAFETY: each pad has one signal (`Pins::check`), and therefore one owner.
                        let gpio = unsafe { $gpio::steal() };
                        Some(Self::$name(config.enable_pin_with_cal(gpio, Attenuation::_11dB)))
                    })*
                    _ => None,
                }
            }

            /// One step of a conversion; the millivolts when it is complete.
            fn read(&mut self, adc: &mut Adc<'static, ADC1<'static>, Blocking>) -> Result<u16, ()> {
                match self { $(Self::$name(pin) => adc.read_oneshot(pin).map_err(|_| ())),* }
            }
        }
    };
}

pads!(
    Pad16: GPIO16 = 16, Pad17: GPIO17 = 17, Pad18: GPIO18 = 18, Pad19: GPIO19 = 19,
    Pad20: GPIO20 = 20, Pad21: GPIO21 = 21, Pad22: GPIO22 = 22, Pad23: GPIO23 = 23
);

/// Sets up ADC1 with a channel for each of these pads; `None` for a pad without one.
pub fn channels<const N: usize>(adc: ADC1<'static>, pads: [Option<u8>; N]) -> [Option<Channel>; N] {
    static ADC: static_cell::StaticCell<Converter> = static_cell::StaticCell::new();
    let mut config = AdcConfig::new();
    let pins = pads.map(|pad| pad.and_then(|pad| Pin::new(&mut config, pad)));
    let adc: &'static Converter = ADC.init(RefCell::new(Adc::new(adc, config)));
    pins.map(|pin| pin.map(|pin| Channel { adc, pin }))
}
