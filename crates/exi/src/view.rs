use core::fmt;

use crate::shape::Shape;
use crate::{Input, Particle, Reader, Writer};

/// A large element that most messages do not have, as a view of the bits it was decoded from, or of a value.
/// It is checked when the message is decoded, and read when [`get`](Self::get) is called.
#[derive(Clone, Copy)]
pub struct View<'a, T>(Source<'a, T>);

#[derive(Clone, Copy)]
enum Source<'a, T> {
    Bits { stream: &'a [u8], bit: u32 },
    Value(&'a T),
}

impl<'a, T: Particle<'a> + Copy> View<'a, T> {
    /// The element.
    pub fn get(&self) -> T {
        match self.0 {
            Source::Bits { stream, bit } => T::read(&mut Reader::new(stream, bit), 0),
            Source::Value(value) => *value,
        }
    }
}

impl<'a, T: Particle<'a> + Copy> Particle<'a> for View<'a, T> {
    const SHAPE: &'static Shape = T::SHAPE;

    fn read<I: Input<'a>>(input: &mut I, _alternative: u32) -> Self {
        let (stream, bit) = (input.stream(), input.bit());
        let _ = T::read(input, 0);
        Self(Source::Bits { stream, bit })
    }

    fn write(&self, out: &mut Writer<'_>) {
        self.get().write(out);
    }
}

impl<'a, T> From<&'a T> for View<'a, T> {
    fn from(value: &'a T) -> Self {
        Self(Source::Value(value))
    }
}

impl<'a, T: Particle<'a> + Copy + PartialEq> PartialEq for View<'a, T> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<'a, T: Particle<'a> + Copy + Eq> Eq for View<'a, T> {}

impl<'a, T: Particle<'a> + Copy + fmt::Debug> fmt::Debug for View<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
