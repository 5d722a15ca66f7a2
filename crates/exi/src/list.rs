use core::fmt;

use crate::particle::read_named;
use crate::shape::{Occurs, Shape};
use crate::{Bits as _, ErrorKind, Field, Input, Next, Particle, Position, Reader, Slot, State, Writer};

/// Upper bound of a list without a limit in the schema.
pub const UNBOUNDED: u32 = u32::MAX;

/// `MIN..=MAX` items, as a view of the bits they were decoded from, or of a slice.
///
/// `MIN` is 0 or 1 in all charging schemas. A larger one does not compile.
#[derive(Clone, Copy)]
pub struct List<'a, T, const MIN: u32 = 1, const MAX: u32 = UNBOUNDED>(Source<'a, T>);

#[derive(Clone, Copy)]
enum Source<'a, T> {
    Bits {
        stream: &'a [u8],
        /// Where the first item begins, after its event code.
        bit: u32,
        count: u32,
        /// The state between two items.
        repeat: State,
        /// The event code of the first item.
        first: u8,
    },
    Slice(&'a [T]),
}

impl<'a, T: Particle<'a> + Copy, const MIN: u32, const MAX: u32> List<'a, T, MIN, MAX> {
    /// The items.
    pub fn iter(&self) -> Items<'a, T> {
        match self.0 {
            Source::Bits { stream, bit, count, repeat, first } => Items {
                reader: Reader::new(stream, bit),
                left: count,
                repeat,
                alternative: Some(first),
                plain: &[],
            },
            Source::Slice(plain) => Items {
                reader: Reader::new(&[], 0),
                left: 0,
                repeat: State::new(1),
                alternative: None,
                plain,
            },
        }
    }

    /// The first item; `None` if the list is empty.
    pub fn first(&self) -> Option<T> {
        self.iter().next()
    }
}

impl<'a, T: Particle<'a> + Copy, const MIN: u32, const MAX: u32> IntoIterator for &List<'a, T, MIN, MAX> {
    type Item = T;
    type IntoIter = Items<'a, T>;

    fn into_iter(self) -> Items<'a, T> {
        self.iter()
    }
}

/// The items of a [`List`].
pub struct Items<'a, T> {
    reader: Reader<'a>,
    /// How many coded items are left.
    left: u32,
    repeat: State,
    /// The event code of the next item, if it is read already.
    alternative: Option<u8>,
    plain: &'a [T],
}

impl<'a, T: Particle<'a> + Copy> Iterator for Items<'a, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.left == 0 {
            let (item, rest) = self.plain.split_first()?;
            self.plain = rest;
            return Some(*item);
        }
        self.left -= 1;
        let alternative = match self.alternative.take() {
            Some(code) => u32::from(code),
            None => self.reader.choose(self.repeat),
        };
        Some(T::read(&mut self.reader, alternative))
    }
}

impl<T, const MIN: u32, const MAX: u32> List<'_, T, MIN, MAX> {
    /// The number of items.
    pub const fn len(&self) -> usize {
        match self.0 {
            Source::Bits { count, .. } => count as usize,
            Source::Slice(slice) => slice.len(),
        }
    }

    /// Whether there are no items.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<'a, T, const MIN: u32, const MAX: u32> From<&'a [T]> for List<'a, T, MIN, MAX> {
    fn from(items: &'a [T]) -> Self {
        Self(Source::Slice(items))
    }
}

impl<'a, T, const N: usize, const MIN: u32, const MAX: u32> From<&'a [T; N]> for List<'a, T, MIN, MAX> {
    fn from(items: &'a [T; N]) -> Self {
        Self(Source::Slice(items))
    }
}

impl<'a, T: Particle<'a> + Copy + 'a, const MIN: u32, const MAX: u32> Field<'a> for List<'a, T, MIN, MAX> {
    const SLOT: Slot = {
        assert!(MIN <= 1, "a list needs MIN 0 or 1: no grammar for more is generated");
        Slot { codes: T::CODES, optional: MIN == 0, repeated: true, attribute: false }
    };
    const SHAPE: &'static Shape = <T as Particle<'a>>::SHAPE;
    const OCCURS: Occurs = Occurs { min: MIN, max: MAX };

    #[inline(always)]
    fn read_field<I: Input<'a>>(input: &mut I, name: &'static str, at: &mut u32, next: Next) -> Self {
        if (MIN == 0 || next.mixed) && *at >= T::CODES {
            if next.mixed && MIN > 0 {
                input.fail(ErrorKind::Event, 0);
            }
            *at -= T::CODES;
            return Self(Source::Slice(&[]));
        }
        let (list, code) = Self::items(input, name, *at, next);
        *at = code;
        list
    }

    fn write_field(&self, out: &mut Writer<'_>, at: &mut Position, next: Next) {
        let count = u32::try_from(self.len()).unwrap_or(u32::MAX);
        if count < MIN || count > MAX {
            out.fail(ErrorKind::Occurrence);
        }
        for item in self {
            out.event(at.skipped + item.alternative(), at.state, false);
            item.write(out);
            *at = Position { state: next.repeat, skipped: 0 };
        }
        // After the items follows another item or the next field; after the last possible item only the next
        // field.
        if count >= MAX {
            *at = Position { state: next.state, skipped: 0 };
        } else {
            at.skipped += T::CODES;
        }
    }
}

impl<'a, T: Particle<'a> + Copy + 'a, const MIN: u32, const MAX: u32> List<'a, T, MIN, MAX> {
    /// Reads all items and the event after them, whose code is counted from the field after the list.
    fn items<I: Input<'a>>(input: &mut I, name: &'static str, first: u32, next: Next) -> (Self, u32) {
        let (stream, bit) = (input.stream(), input.bit());
        let mut count = 0;
        let mut alternative = first;
        loop {
            let _: T = read_named(input, name, alternative);
            count += 1;
            if input.failed() {
                return (Self(Source::Slice(&[])), 0);
            }
            let code = if count < MAX {
                let code = input.event(next.repeat);
                if code < T::CODES {
                    alternative = code;
                    continue;
                }
                code - T::CODES
            } else {
                input.event(next.state)
            };
            let list = Source::Bits { stream, bit, count, repeat: next.repeat, first: first as u8 };
            return (Self(list), code);
        }
    }
}

impl<'a, T: Particle<'a> + Copy + PartialEq + 'a, const MIN: u32, const MAX: u32> PartialEq
    for List<'a, T, MIN, MAX>
{
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'a, T: Particle<'a> + Copy + fmt::Debug + 'a, const MIN: u32, const MAX: u32> fmt::Debug
    for List<'a, T, MIN, MAX>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a, T: Particle<'a> + Copy + Eq + 'a, const MIN: u32, const MAX: u32> Eq for List<'a, T, MIN, MAX> {}
