//! How bytes of a variable number are shown.

use crate::field::{Field as _, Slice, Value, Visit, addresses};
use crate::view::rates;

impl Slice<'_> {
    /// What the bytes are, by the field's name.
    pub(crate) fn show(&self, name: &'static str, visit: &mut Visit<'_>) {
        match name {
            "aag" => visit(name, Value::Decibels(self.0)),
            "stations" => rates(self.0).for_each(|rate| rate.show(name, visit)),
            "bda" => addresses(self.0).for_each(|mac| visit(name, Value::Mac(mac))),
            // Memory, modules (parameters hold the modem's keys), values of properties.
            "buffer" | "data" => visit(name, Value::Secret(self.0)),
            _ => visit(name, Value::Bytes(self.0)),
        }
    }
}
