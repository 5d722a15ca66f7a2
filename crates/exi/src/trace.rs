//! The dissector: every element of a stream with its name, value and bit positions, from the same
//! declarations as the decoder.

mod value;

use crate::root::end;
use crate::{Bits, Error, ErrorKind, Input, Particle, Path, Reader, Root};
pub use value::Value;

/// Receives what a dissector finds in a stream.
pub trait Sink<'a> {
    /// An element begins at `bit`, after its event code.
    fn enter(&mut self, name: &'static str, bit: u32);
    /// The innermost element has this value, in the bits `start..end`.
    fn value(&mut self, value: Value<'a>, start: u32, end: u32);
    /// The innermost element ends before `bit`.
    fn leave(&mut self, bit: u32);
}

/// Dissects a stream whose root element is a `T`.
///
/// An error ends it: the elements that were entered and not left are the path of the error.
pub fn dissect<'a, T: Particle<'a>>(
    stream: &'a [u8],
    root: Root,
    sink: &mut dyn Sink<'a>,
) -> Result<(), Error> {
    if crate::root_code(stream, root.bits)? != root.code {
        return Err(Error { kind: ErrorKind::Root, bit: 8, path: Path::default() });
    }
    let start = 8 + u32::from(root.bits);
    let mut tracer = Tracer { reader: Reader::new(stream, start), sink, value_start: start, failed: false };
    tracer.enter(root.name);
    let _ = T::read(&mut tracer, 0);
    tracer.leave();
    end(&mut tracer, root);
    tracer.settle();
    match tracer.reader.finish() {
        None => Ok(()),
        Some((kind, bit)) => Err(Error { kind, bit, path: Path::default() }),
    }
}

/// The path of the element in which the first error is.
pub(crate) fn locate<'a, T: Particle<'a>>(stream: &'a [u8], root: Root) -> Path {
    let mut path = Path::default();
    let start = 8 + u32::from(root.bits);
    let mut tracer =
        Tracer { reader: Reader::new(stream, start), sink: &mut path, value_start: start, failed: false };
    tracer.enter(root.name);
    let _ = T::read(&mut tracer, 0);
    tracer.leave();
    path
}

impl Sink<'_> for Path {
    fn enter(&mut self, name: &'static str, _bit: u32) {
        self.push(name);
    }
    fn value(&mut self, _value: Value<'_>, _start: u32, _end: u32) {}
    fn leave(&mut self, _bit: u32) {
        self.pop();
    }
}

/// A reader that reports to a sink. It checks every bit immediately, so that positions are exact.
struct Tracer<'a, 's> {
    reader: Reader<'a>,
    sink: &'s mut dyn Sink<'a>,
    value_start: u32,
    failed: bool,
}

impl Tracer<'_, '_> {
    fn settle(&mut self) {
        self.failed = self.failed || self.reader.finish().is_some();
    }
}

impl<'a> Bits<'a> for Tracer<'a, '_> {
    fn take(&mut self, n: u32) -> u32 {
        let value = self.reader.take(n);
        self.settle();
        value
    }

    fn zeros(&mut self, n: u32) {
        self.reader.zeros(n);
        self.settle();
        self.value_start = self.reader.bit();
    }

    fn choose(&mut self, state: crate::State) -> u32 {
        let code = self.reader.choose(state);
        self.settle();
        self.value_start = self.reader.bit();
        code
    }

    fn skip_bytes(&mut self, n: u32) -> u32 {
        let start = self.reader.skip_bytes(n);
        self.settle();
        start
    }

    fn fail(&mut self, kind: ErrorKind, width: u32) {
        self.reader.fail(kind, width);
        self.settle();
    }

    fn failed(&self) -> bool {
        self.failed
    }

    fn stream(&self) -> &'a [u8] {
        self.reader.stream()
    }

    fn bit(&self) -> u32 {
        self.reader.bit()
    }
}

impl<'a> Input<'a> for Tracer<'a, '_> {
    fn enter(&mut self, name: &'static str) {
        if !self.failed {
            self.sink.enter(name, self.reader.bit());
        }
    }

    fn leave(&mut self) {
        if !self.failed {
            self.sink.leave(self.reader.bit());
        }
    }

    fn value(&mut self, value: Value<'a>) {
        if !self.failed {
            self.sink.value(value, self.value_start, self.reader.bit());
        }
    }
}
