//! What `ccs world` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::name;

/// What `ccs world` does.
#[derive(Subcommand)]
pub enum WorldCommand {
    /// Plays one script by chance for each seed, on all cores: faults at any time, with the safety rules
    /// watched.
    Run(RunArgs),
    /// Plays a seed, a scenario or a file of scenarios, and shows what happens.
    Replay(ReplayArgs),
    /// Lists the scenarios and what is not played, the cases of one scenario, or the safety rules.
    List(ListArgs),
    /// Plays every scenario and writes what came of it.
    Report(ReportArgs),
    /// Plays each lie of each sensor in each phase and writes what came of it.
    Lies(LiesArgs),
}

/// What `ccs world run` takes.
#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 no rule was broken and every world charged again; 1 some seed failed;\n130 interrupted: what was played until then is told."
)]
pub struct RunArgs {
    /// How many seeds.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    pub seeds: u64,
    /// The first of them.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    pub from: u64,
    /// Plays each twice and compares what happened.
    #[arg(long)]
    pub twice: bool,
    /// On so many cores.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub jobs: usize,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// What `ccs world replay` takes.
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 all as expected; 1 not; 2 no such scenario, or a file that cannot be read."
)]
pub struct ReplayArgs {
    /// A seed, a scenario's id, or a file.
    #[arg(value_name = "SEED|ID|FILE")]
    pub what: String,
    /// Which case, counted from 1.
    #[arg(long, value_name = "N")]
    pub case: Option<usize>,
    /// Every message, repetitions too.
    #[arg(long)]
    pub all: bool,
    /// Everything that happened, frame by frame, instead of the log.
    #[arg(long, conflicts_with_all = ["all", "realtime", "record"])]
    pub trace: bool,
    /// Of a seed or file that fails: only the lines of its script that the failure needs.
    #[arg(long)]
    pub shrink: bool,
    /// At the pace of a real session.
    #[arg(long)]
    pub realtime: bool,
    /// Records the frames on the charger's cable into a pcapng file.
    #[arg(long, value_name = "FILE", value_parser = name::Path)]
    pub record: Option<PathBuf>,
}

/// What `ccs world list` takes.
#[derive(Args)]
pub struct ListArgs {
    /// Only this scenario, with its cases.
    #[arg(value_name = "ID", conflicts_with = "rules")]
    pub id: Option<String>,
    /// The safety rules.
    #[arg(long)]
    pub rules: bool,
}

/// What `ccs world report` takes.
#[derive(Args)]
#[command(after_help = "Exit codes: 0 all as expected; 1 something is not, or the report cannot be written;
2 a scenario file that cannot be read.")]
pub struct ReportArgs {
    /// As what.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "markdown")]
    pub format: Format,
    /// Into this file instead of the standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Scenarios of these files instead of those that come with the program.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// What `ccs world lies` takes.
#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 no rule is broken that a side could know; 1 one is, or the table cannot be written."
)]
pub struct LiesArgs {
    /// Into this file instead of the standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Formats of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Markdown.
    #[value(alias = "md")]
    Markdown,
    /// One JSON object.
    Json,
    /// A page.
    Html,
}
