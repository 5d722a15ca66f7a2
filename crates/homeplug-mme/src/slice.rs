//! Display of a variable number of bytes.

use crate::field::{Field as _, Slice, Value, Visit, addresses};
use crate::view::rates;

impl Slice<'_> {
    /// Shows the bytes in a form chosen by the field's name.
    pub(crate) fn show(&self, name: &'static str, visit: &mut Visit<'_>) {
        match name {
            "aag" => visit(name, Value::Decibels(self.0)),
            "stations" => rates(self.0).for_each(|rate| rate.show(name, visit)),
            "bda" => addresses(self.0).for_each(|mac| visit(name, Value::Mac(mac))),
            // Memory, modules (parameters contain the modem's keys), values of properties.
            "buffer" | "data" => visit(name, Value::Secret(self.0)),
            _ => visit(name, Value::Bytes(self.0)),
        }
    }
}
