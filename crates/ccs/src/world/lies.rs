//! `ccs world lies`: every lie of every sensor, in every phase, and the result.

use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use rayon::prelude::*;
use sim::script::lies::{self, Case, PHASES, SOURCES};
use sim::script::play;

use crate::exit::Exit;

/// Options of `ccs world lies`.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  no rule is violated that a side could detect
  1  such a rule is violated, or the table cannot be written")]
pub(crate) struct LiesArgs {
    /// Writes to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Plays them and writes the table.
pub(super) fn run(args: &LiesArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let cases = lies::cases().context("a lie that comes with this program")?;
    let bar = super::bar(cases.len());
    let cells: Vec<String> = cases
        .par_iter()
        .map(|case| {
            let cell = case.cell(&play(&case.script, None));
            bar.inc(1);
            cell
        })
        .collect();
    bar.finish_and_clear();
    let text = markdown(&cases, &cells)?;
    match &args.output {
        Some(path) => std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))?,
        None => out.write_all(text.as_bytes())?,
    }
    out.flush()?;
    let is_broken = cells.iter().any(|cell| cell.contains("BROKEN"));
    Ok(if is_broken { Exit::Failed } else { Exit::Good })
}

fn markdown(cases: &[Case], cells: &[String]) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    let count = |words: &str| cells.iter().filter(|cell| cell.contains(words)).count();
    writeln!(text, "# Sensors that lie\n")?;
    writeln!(
        text,
        "Made by `ccs world lies`: {} sessions, in each of which one sensor lies from one phase on. A cell says who stops\n\
         after what time and why, in the words of a log; without a name it is the side whose sensor lies. `goes on`: the\n\
         session is not stopped ({} cells), and no rule is broken. `residual`: a safety rule is broken that this side could\n\
         not know ({} cells). Sets of sensors: `default` is what a configuration needs, `all` all that there can be; an\n\
         optional sensor that is absent is one that does not contradict. What a sensor should see, in the last column, comes\n\
         3 s after the lie.\n",
        cells.len(),
        count("goes on"),
        count("residual")
    )?;
    writeln!(
        text,
        "| side | sensor | contradicted by | residual hazard, and what catches it |\n|---|---|---|---|"
    )?;
    for source in SOURCES {
        writeln!(text, "| {} | {} | {} | {} |", source.side, source.sensor, source.against, source.residual)?;
    }
    let columns = PHASES.len();
    for (side, set) in [("charger", "default"), ("charger", "all"), ("car", "default"), ("car", "all")] {
        writeln!(text, "\n## The {side}, with the set `{set}`\n")?;
        writeln!(text, "| sensor | lie | {} |\n|---|---|{}", PHASES.join(" | "), "---|".repeat(columns))?;
        for (row, cells) in cases.chunks(columns).zip(cells.chunks(columns)) {
            let Some(first) = row.first().filter(|case| case.side == side && case.set == set) else {
                continue;
            };
            writeln!(text, "| {} | {} | {} |", first.sensor, first.lie, cells.join(" | "))?;
        }
    }
    Ok(text)
}
