use crate::{Bits, Reader};

/// The source of a decoder: its bits, and the hooks for an input that reports what is read.
///
/// The hooks do nothing for a plain [`Reader`].
pub trait Input<'a>: Bits<'a> {
    /// An element begins. Only an input that tells what it reads does something here.
    #[inline(always)]
    fn enter(&mut self, name: &'static str) {
        let _ = name;
    }

    /// The innermost element ends.
    #[inline(always)]
    fn leave(&mut self) {}

    /// A value was read.
    #[cfg(feature = "names")]
    #[inline(always)]
    fn value(&mut self, value: crate::trace::Value<'a>) {
        let _ = value;
    }
}

impl<'a> Input<'a> for Reader<'a> {}
