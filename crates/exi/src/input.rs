use crate::{Bits, Reader};

/// The source of a decoder: its bits, and hooks that report what is read.
///
/// The hooks do nothing for a plain [`Reader`]; the dissector implements them.
pub trait Input<'a>: Bits<'a> {
    /// Called after the event code of an element, before its content.
    #[inline(always)]
    fn enter(&mut self, name: &'static str) {
        let _ = name;
    }

    /// Called after the content of the innermost element.
    #[inline(always)]
    fn leave(&mut self) {}

    /// Called after the value of the innermost element.
    #[cfg(feature = "names")]
    #[inline(always)]
    fn value(&mut self, value: crate::trace::Value<'a>) {
        let _ = value;
    }
}

impl<'a> Input<'a> for Reader<'a> {}
