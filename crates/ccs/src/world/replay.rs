//! `ccs world replay`: one of them, to look at.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use sim::script::{self, Script, random};

use crate::demo::show::{self, Show};
use crate::exit::{Exit, Usage};
use crate::name;

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

/// Plays it, and all cases where there are several.
pub fn run(args: &ReplayArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
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
    // What is shown and shrunk is a text with one scenario.
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
