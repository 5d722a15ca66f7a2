//! Numbers and booleans.

use crate::shape::Shape;
use crate::{ErrorKind, Input, Simple, Writer, bits_for};

/// Reports a number to the dissector.
macro_rules! tell {
    ($input:ident, $kind:ident, $value:expr) => {
        #[cfg(feature = "names")]
        $input.value(crate::trace::Value::$kind($value.into()));
    };
}

impl<'a> Simple<'a> for bool {
    const SHAPE: &'static Shape = &Shape::Boolean;

    fn value<I: Input<'a>>(input: &mut I) -> Self {
        let value = input.take(1) == 1;
        tell!(input, Boolean, value);
        value
    }

    fn put(&self, out: &mut Writer<'_>) {
        out.put(u32::from(*self), 1);
    }
}

/// Integers of at most 4096 values: the distance from the smallest value, in the fewest bits.
macro_rules! narrow {
    ($type:ty) => {
        impl<'a> Simple<'a> for $type {
            const SHAPE: &'static Shape =
                &Shape::Integer { min: <$type>::MIN as i64, max: <$type>::MAX as i64 };

            fn value<I: Input<'a>>(input: &mut I) -> Self {
                let value = (input.take(8) as i32 + <$type>::MIN as i32) as $type;
                tell!(input, Integer, value);
                value
            }

            fn put(&self, out: &mut Writer<'_>) {
                out.put((i32::from(*self) - <$type>::MIN as i32) as u32, 8);
            }
        }
    };
}
narrow!(u8);
narrow!(i8);

/// Unsigned integers: groups of seven bits.
macro_rules! unsigned {
    ($type:ty) => {
        impl<'a> Simple<'a> for $type {
            const SHAPE: &'static Shape = &Shape::Integer { min: 0, max: <$type>::MAX as i64 };

            fn value<I: Input<'a>>(input: &mut I) -> Self {
                let first = input.take(8);
                let value = input.integer(first, u32::from(<$type>::MAX)) as $type;
                tell!(input, Integer, value);
                value
            }

            fn put(&self, out: &mut Writer<'_>) {
                out.integer(u32::from(*self));
            }
        }
    };
}
unsigned!(u16);
unsigned!(u32);

impl<'a> Simple<'a> for u64 {
    /// Its maximum is reported as that of `i64`, the largest that a JSON reader accepts.
    const SHAPE: &'static Shape = &Shape::Unsigned64;

    fn value<I: Input<'a>>(input: &mut I) -> Self {
        let first = input.take(8);
        let value = input.long_integer(first, Self::MAX);
        tell!(input, Unsigned, value);
        value
    }

    fn put(&self, out: &mut Writer<'_>) {
        out.long_integer(*self);
    }
}

/// Signed integers: a sign bit, then `v` or `-v - 1` in groups of seven bits.
macro_rules! signed {
    ($type:ty) => {
        impl<'a> Simple<'a> for $type {
            const SHAPE: &'static Shape =
                &Shape::Integer { min: <$type>::MIN as i64, max: <$type>::MAX as i64 };

            fn value<I: Input<'a>>(input: &mut I) -> Self {
                // The sign and the first group: a valid stream contains both.
                let first = input.take(9);
                let magnitude = input.integer(first & 0xff, <$type>::MAX as u32) as $type;
                let value = if first > 0xff { -magnitude - 1 } else { magnitude };
                tell!(input, Integer, value);
                value
            }

            fn put(&self, out: &mut Writer<'_>) {
                out.signed(i32::from(*self));
            }
        }
    };
}
signed!(i16);
signed!(i32);

impl<'a> Simple<'a> for i64 {
    const SHAPE: &'static Shape = &Shape::Integer { min: Self::MIN, max: Self::MAX };

    fn value<I: Input<'a>>(input: &mut I) -> Self {
        let first = input.take(9);
        let magnitude = input.long_integer(first & 0xff, Self::MAX as u64) as Self;
        let value = if first > 0xff { -magnitude - 1 } else { magnitude };
        tell!(input, Integer, value);
        value
    }

    fn put(&self, out: &mut Writer<'_>) {
        out.put(u32::from(*self < 0), 1);
        out.long_integer((if *self < 0 { -(*self + 1) } else { *self }) as u64);
    }
}

/// An integer in `MIN..=MAX`, coded in the fewest bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bounded<const MIN: i8, const MAX: i8>(i8);

impl<const MIN: i8, const MAX: i8> Bounded<MIN, MAX> {
    const COUNT: u32 = (MAX as i32 - MIN as i32 + 1) as u32;
    const BITS: u32 = bits_for(Self::COUNT);

    /// The smallest value.
    pub const MIN: Self = Self(MIN);
    /// The largest value.
    pub const MAX: Self = Self(MAX);

    /// `value`, or `None` if it is out of range.
    pub const fn new(value: i8) -> Option<Self> {
        if value < MIN || value > MAX { None } else { Some(Self(value)) }
    }

    /// `value`, or the nearest bound.
    pub const fn clamped(value: i8) -> Self {
        if value < MIN {
            Self(MIN)
        } else if value > MAX {
            Self(MAX)
        } else {
            Self(value)
        }
    }

    /// The number.
    pub const fn get(self) -> i8 {
        self.0
    }
}

impl<'a, const MIN: i8, const MAX: i8> Simple<'a> for Bounded<MIN, MAX> {
    const SHAPE: &'static Shape = &Shape::Integer { min: MIN as i64, max: MAX as i64 };

    fn value<I: Input<'a>>(input: &mut I) -> Self {
        let index = input.take(Self::BITS);
        if index >= Self::COUNT {
            input.fail(ErrorKind::Range, Self::BITS);
            return Self(MIN);
        }
        let value = Self((index as i32 + i32::from(MIN)) as i8);
        tell!(input, Integer, value.0);
        value
    }

    fn put(&self, out: &mut Writer<'_>) {
        out.put((i32::from(self.0) - i32::from(MIN)) as u32, Self::BITS);
    }
}

/// An unsigned 32-bit integer that reads as `u32::MAX` if the sender's number is larger. For fields where a
/// peer's odd value must not make the whole message invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Saturated(pub u32);

impl<'a> Simple<'a> for Saturated {
    const SHAPE: &'static Shape = <u32 as Simple<'a>>::SHAPE;

    fn value<I: Input<'a>>(input: &mut I) -> Self {
        let mut group = input.take(8);
        let (mut value, mut shift) = (group & 0x7f, 0);
        while group & 0x80 != 0 {
            group = input.take(8);
            shift += 7;
            let part = group & 0x7f;
            let fits = part == 0 || (shift <= 28 && (part << shift) >> shift == part);
            value = if fits && value != u32::MAX {
                value | part.checked_shl(shift).unwrap_or(0)
            } else {
                u32::MAX
            };
        }
        tell!(input, Integer, value);
        Self(value)
    }

    fn put(&self, out: &mut Writer<'_>) {
        out.integer(self.0);
    }
}
