//! Identifiers in SLAC: of a run of matching and of a station.

use core::fmt;

use crate::field::{Field, Reader, Value, Visit, Writer};

/// The car's identifier of one run of matching; constant in many cars (`TESLA EV`, or the MAC address).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(pub [u8; 8]);

/// A station's identifier in SLAC: zero in the field.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct StationId(pub [u8; 17]);

macro_rules! name {
    ($name:ident) => {
        impl<'a> Field<'a> for $name {
            fn take(input: &mut Reader<'a>) -> Self {
                Self(input.array())
            }
            fn put(&self, out: &mut Writer<'_>) {
                self.0.put(out);
            }
            fn show(&self, name: &'static str, visit: &mut Visit<'_>) {
                visit(name, Value::Bytes(&self.0));
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

name!(RunId);
name!(StationId);

impl StationId {
    /// Whether all bytes are zero, as in the field.
    pub fn is_zero(&self) -> bool {
        self.0 == [0; 17]
    }
}
