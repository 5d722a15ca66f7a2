//! `ccs world replay`: plays one seed or scenario and shows it.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use sim::script::{self, Script, random};

use crate::demo::show::{self, Show};
use crate::exit::{Exit, Usage};
use crate::name;

/// Options of `ccs world replay`.
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  everything as expected
  1  something was not as expected
  2  unknown scenario, or a file that cannot be read")]
pub(crate) struct ReplayArgs {
    /// A seed (number), the id of a scenario, or a file of scenarios.
    #[arg(value_name = "SEED|ID|FILE")]
    pub what: String,
    /// Plays only this case of the scenario, counted from 1. Default: all cases.
    #[arg(long, value_name = "N")]
    pub case: Option<usize>,
    /// Shows every message, repeated ones too.
    #[arg(long)]
    pub all: bool,
    /// Prints the trace, frame by frame, instead of the log.
    #[arg(long, conflicts_with_all = ["all", "realtime", "record"])]
    pub trace: bool,
    /// If a seed or file fails: reduces its script to the lines that the failure needs.
    #[arg(long)]
    pub shrink: bool,
    /// Runs at the speed of a real session.
    #[arg(long)]
    pub realtime: bool,
    /// Records the frames on the charger's cable to a pcapng file.
    #[arg(long, value_name = "FILE", value_parser = name::Path)]
    pub record: Option<PathBuf>,
}

/// Plays it; all cases if there are several.
pub(super) fn run(args: &ReplayArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let scripts = scripts(args, out)?;
    if args.record.is_some() && scripts.len() > 1 {
        return Err(Usage("a recording is of one case: choose it with `--case N`".into()).into());
    }
    let mut passed = 0;
    for script in &scripts {
        let played = if args.trace {
            let played = script::play(script, None);
            write!(out, "{}", played.trace)?;
            played
        } else {
            let record = args.record.as_deref();
            let how = Show { all: args.all, realtime: args.realtime, record, once: false };
            show::play(script, how, out)?
        };
        show::judge(script, &played, out)?;
        passed += usize::from(played.verdict.passed());
    }
    if scripts.len() > 1 {
        writeln!(out, "\n{passed} of {} cases passed", scripts.len())?;
        out.flush()?;
    }
    Ok(if passed == scripts.len() { Exit::Good } else { Exit::Failed })
}

fn scripts(args: &ReplayArgs, out: &mut dyn Write) -> anyhow::Result<Vec<Script>> {
    let path = Path::new(&args.what);
    let mut text = match args.what.parse() {
        Ok(seed) => Some(random::of_seed(seed)),
        Err(_) if path.exists() => Some(super::text_of(path)?),
        Err(_) if args.what.contains(['/', '.']) => {
            return Err(Usage(format!("there is no file {}", args.what).into()).into());
        }
        Err(_) => None,
    };
    let mut scripts = match &text {
        Some(text) => super::read(&args.what, text)?,
        None => super::by_id(&args.what)?,
    };
    // A text can be shown and shrunk only if it contains one scenario.
    text = text.filter(|_| scripts.len() == 1);
    match &text {
        Some(whole) if args.shrink => {
            let less = script::shrink(whole);
            scripts = super::read(&args.what, &less)?;
            text = Some(less);
        }
        None if args.shrink => {
            return Err(Usage("`--shrink` takes a seed, or a file with one scenario".into()).into());
        }
        _ => (),
    }
    if let Some(text) = text {
        writeln!(out, "{text}")?;
    }
    match args.case {
        Some(case) => Ok(vec![super::case(scripts, case)?]),
        None => Ok(scripts),
    }
}
