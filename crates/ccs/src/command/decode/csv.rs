//! `ccs decode --csv`: a table of the values of a charge.

use std::io::{self, Write};

use super::series::{QUANTITIES, Series};
use super::{Report, Totals};
use crate::decode::Event;

/// Writes one row for each response in which the charger reports its output.
#[derive(Default)]
pub(super) struct Csv {
    series: Series,
    has_head: bool,
}

impl Csv {
    fn head(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if std::mem::replace(&mut self.has_head, true) {
            return Ok(());
        }
        let columns: Vec<&str> = QUANTITIES.iter().map(|row| row.2).collect();
        writeln!(out, "time_s,frame,phase,{}", columns.join(","))
    }
}

impl Report for Csv {
    fn event(&mut self, event: &Event<'_>, out: &mut dyn Write) -> io::Result<()> {
        self.head(out)?;
        let Some(sample) = self.series.take(event) else { return Ok(()) };
        let time = event.time_ns.map_or(String::new(), |_| format!("{:.6}", sample.time_s));
        write!(out, "{time},{},{}", event.frame, sample.phase)?;
        for (quantity, ..) in QUANTITIES {
            match sample.values.get(quantity) {
                Some(value) => write!(out, ",{value}")?,
                None => write!(out, ",")?,
            }
        }
        writeln!(out)
    }

    fn end(&mut self, totals: &Totals<'_>, out: &mut dyn Write) -> io::Result<()> {
        self.head(out)?;
        for words in totals.notes() {
            anstream::eprintln!("{words}");
        }
        Ok(())
    }
}
