//! Sets of pads.

use core::fmt;

/// A set of pads (GPIO0..=GPIO54).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pads(u64);

impl Pads {
    /// The highest pad that esp-hal has on this chip.
    pub const LAST: u8 = 54;
    /// Every pad.
    pub const ALL: Self = Self::range(0, Self::LAST);
    /// Pads of JTAG (MTCK, MTDI, MTMS, MTDO): the debugger's after a reset. GPIO5 is its output.
    pub const JTAG: Self = Self::range(2, 5);
    /// Pads of the USB debugger, which drives them after a reset.
    pub const USB: Self = Self::range(24, 25);
    /// Strapping pads: their level at reset decides how the chip boots. GPIO34..=38 by ESP-IDF's table,
    /// GPIO32 and 33 by esp-hal's as well; the stricter one applies. GPIO37 and 38 are the serial line, too.
    pub const STRAPPING: Self = Self::range(32, 38);
    /// Pads for signals that switch or sense high voltage: neither JTAG, nor USB, nor strapping.
    pub const GENERAL: Self = Self::ALL.without(Self::JTAG).without(Self::USB).without(Self::STRAPPING);
    /// Pads of the first analogue-digital converter.
    pub const ADC1: Self = Self::range(16, 23);
    /// Pads for the pilot's PWM: the general ones and the inputs of JTAG, which no part of the chip drives.
    pub const PILOT: Self = Self::GENERAL.with(Self::range(2, 4));

    /// A set of these pads; pads above [`LAST`](Self::LAST) are left out.
    pub const fn of(pads: &[u8]) -> Self {
        let (mut set, mut rest) = (Self(0), pads);
        while let [first, others @ ..] = rest {
            set = set.with(Self::range(*first, *first));
            rest = others;
        }
        set
    }

    /// The pads from `first` to `last`, both included.
    pub const fn range(first: u8, last: u8) -> Self {
        let (mut bits, mut pad) = (0, first);
        while pad <= last && pad <= Self::LAST {
            bits |= 1 << pad;
            pad += 1;
        }
        Self(bits)
    }

    /// The union of both sets.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The pads of this set that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether `pad` is in it.
    pub const fn contains(self, pad: u8) -> bool {
        pad <= Self::LAST && self.0 >> pad & 1 == 1
    }
}

impl fmt::Display for Pads {
    /// `28, 45-47, 51`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let mut pad = 0;
        while pad <= Self::LAST {
            let length = (pad..=Self::LAST).take_while(|pad| self.contains(*pad)).count();
            let length = u8::try_from(length).unwrap_or(u8::MAX);
            if length > 0 {
                write!(f, "{separator}{pad}")?;
                separator = ", ";
            }
            if length > 1 {
                write!(f, "-{}", pad + length - 1)?;
            }
            pad = pad.saturating_add(length).saturating_add(1);
        }
        Ok(())
    }
}

impl fmt::Debug for Pads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pads({self})")
    }
}
