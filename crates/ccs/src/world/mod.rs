//! `ccs world`: the simulated world with its faults, by seed or by scenario.

mod lies;
mod list;
mod replay;
mod report;
mod run;

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::Path;

use anyhow::Context;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use sim::script::{self, Script};

use crate::escape;
use crate::exit::{Exit, Usage};

use lies::LiesArgs;
use list::ListArgs;
use replay::ReplayArgs;
use report::ReportArgs;
use run::RunArgs;

/// Commands of `ccs world`.
#[derive(Subcommand)]
pub(crate) enum WorldCommand {
    /// Plays one random script of faults for each seed, on all cores, and checks the safety rules.
    Run(RunArgs),
    /// Plays a seed, a scenario or a file of scenarios, and shows what happens.
    Replay(ReplayArgs),
    /// Lists the scenarios, the cases of one scenario, or the safety rules.
    List(ListArgs),
    /// Plays every scenario and writes a report of the results.
    Report(ReportArgs),
    /// Plays each lie of each sensor in each phase and writes a table of the results.
    Lies(LiesArgs),
}

/// Runs one command.
pub(crate) fn run(command: &WorldCommand, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match command {
        WorldCommand::Run(args) => run::run(args, out),
        WorldCommand::Replay(args) => replay::run(args, out),
        WorldCommand::List(args) => list::run(args, out),
        WorldCommand::Report(args) => report::run(args, out),
        WorldCommand::Lies(args) => lies::run(args, out),
    }
}

/// All scenarios that are built into the program.
pub(crate) fn library() -> anyhow::Result<Vec<Script>> {
    script::library().context("a scenario that comes with this program")
}

/// The cases of one scenario.
pub(crate) fn by_id(id: &str) -> anyhow::Result<Vec<Script>> {
    let mut scripts = library()?;
    let nearest = scripts
        .iter()
        .map(|script| script.id.clone())
        .min_by_key(|known| strsim::damerau_levenshtein(&known.to_lowercase(), &id.to_lowercase()));
    scripts.retain(|script| script.id.eq_ignore_ascii_case(id));
    if scripts.is_empty() {
        let why = script::unplayed().find(|row| row.id.eq_ignore_ascii_case(id)).map_or_else(
            || format!("did you mean {}?", nearest.unwrap_or_default()),
            |row| {
                let place = if row.is_elsewhere { "elsewhere" } else { "nowhere yet" };
                format!("it is played {place}: {};", row.why)
            },
        );
        return Err(Usage(format!("no scenario {id}: {why} `ccs world list` shows all").into()).into());
    }
    Ok(scripts)
}

/// One of the cases of a scenario, counted from 1.
pub(crate) fn case(mut scripts: Vec<Script>, number: usize) -> anyhow::Result<Script> {
    let count = scripts.len();
    if (1..=count).contains(&number) {
        return Ok(scripts.swap_remove(number - 1));
    }
    Err(Usage(format!("there are {count} cases, no case {number}").into()).into())
}

/// A progress bar; hidden without a terminal.
fn bar(length: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta} left {msg}");
    let bar = ProgressBar::new(u64::try_from(length).unwrap_or(u64::MAX));
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// The text of a file with scenarios.
fn text_of(path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path);
    text.map_err(|error| Usage(format!("{}: cannot read it: {error}", escape::path(path)).into()).into())
}

/// The scripts in a text; an error contains the name of the file.
fn read(name: &str, text: &str) -> anyhow::Result<Vec<Script>> {
    let scripts = script::parse(text).map_err(|mistake| Usage(format!("{name}: {mistake}").into()))?;
    if scripts.is_empty() {
        return Err(
            Usage(format!("{name}: no scenario in it; the first line is `scenario ID`").into()).into()
        );
    }
    Ok(scripts)
}

/// All cases of one id.
struct Row<'s> {
    id: &'s str,
    scripts: Vec<&'s Script>,
}

impl<'s> Row<'s> {
    /// The titles of the cases, each once.
    fn titles(&self) -> Vec<&'s str> {
        let mut titles: Vec<&str> = self.scripts.iter().map(|script| script.title.as_str()).collect();
        titles.dedup();
        titles
    }

    /// The side that is judged.
    fn side(&self) -> &'s str {
        let mut sides: Vec<&str> = self.scripts.iter().map(|script| script.side.as_str()).collect();
        sides.dedup();
        if let [side] = sides.as_slice() { side } else { "both" }
    }
}

/// The scenarios grouped by id, in the order of the ids.
fn grouped(scripts: &[Script]) -> Vec<Row<'_>> {
    let mut rows: BTreeMap<&str, Vec<&Script>> = BTreeMap::new();
    for script in scripts {
        rows.entry(&script.id).or_default().push(script);
    }
    rows.into_iter().map(|(id, scripts)| Row { id, scripts }).collect()
}
