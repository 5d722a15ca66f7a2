//! `ccs demo`, and `ccs` without a subcommand: a complete session in virtual time with both sides and both
//! modems, or a session with a fault.

mod journal;
pub(crate) mod show;
mod summary;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use sim::script::{self, Script};

use crate::exit::Exit;
use crate::name;

use show::{Show, judge, play};

/// Options of `ccs demo`.
#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Seed of all random values. Default: a fixed seed, so that every run is the same.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Plays a fault scenario, such as X074; `ccs world list` lists them.
    #[arg(long, value_name = "ID", conflicts_with_all = ["soc", "target_soc"])]
    pub fault: Option<String>,
    /// Plays this case of the scenario, counted from 1. Default: 1.
    #[arg(long, value_name = "N", requires = "fault")]
    pub case: Option<usize>,
    /// Runs at the speed of a real session.
    #[arg(long)]
    pub realtime: bool,
    /// Shows every message, repeated ones too.
    #[arg(long)]
    pub all: bool,
    /// Records the frames on the charger's cable to a pcapng file.
    #[arg(long, value_name = "FILE", value_parser = name::Path)]
    pub record: Option<PathBuf>,
    /// State of charge at the start, in percent (0 to 99).
    #[arg(long, value_name = "PERCENT", default_value_t = 50, value_parser = clap::value_parser!(u8).range(0..=99))]
    pub soc: u8,
    /// Target state of charge, in percent (1 to 94).
    #[arg(long, value_name = "PERCENT", default_value_t = 80, value_parser = clap::value_parser!(u8).range(1..=94))]
    pub target_soc: u8,
}

impl Default for DemoArgs {
    fn default() -> Self {
        Self {
            seed: None,
            fault: None,
            case: None,
            realtime: false,
            all: false,
            record: None,
            soc: 50,
            target_soc: 80,
        }
    }
}

/// Shows the session. The exit code is 0 when the session ends normally, or as its scenario expects.
pub(crate) fn run(args: &DemoArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut script = match &args.fault {
        Some(id) => fault(id, args.case, out)?,
        None => usual(args)?,
    };
    if let Some(seed) = args.seed {
        script.setup.seed = seed;
    }
    let once = args.fault.is_none();
    let show = Show { all: args.all, realtime: args.realtime, record: args.record.as_deref(), once };
    let played = play(&script, show, out)?;
    if args.fault.is_some() {
        judge(&script, &played, out)?;
        return Ok(if played.verdict.passed() { Exit::Good } else { Exit::Failed });
    }
    let [charger, car] = played.ends;
    let reason = charger.filter(|reason| !reason.is_normal()).or(car);
    Ok(reason.map_or(Exit::Failed, |reason| Exit::Session(reason.exit_code())))
}

/// The script of a session without faults.
fn usual(args: &DemoArgs) -> anyhow::Result<Script> {
    // The charger's modem has its key by 8 s.
    let text = format!(
        "scenario usual\ntitle the car charges until it has enough\nside both\nsetup plug 8s\nsetup until 4h\n\
         setup heartbeat\nsetup battery 400V {} %\nsetup enough {} %\n",
        args.soc, args.target_soc
    );
    Ok(script::parse(&text)?.swap_remove(0))
}

/// A scenario by its id and case, counted from 1.
fn fault(id: &str, case: Option<usize>, out: &mut dyn Write) -> anyhow::Result<Script> {
    let scripts = crate::world::by_id(id)?;
    let count = scripts.len();
    if count > 1 && case.is_none() {
        writeln!(
            out,
            "{id} has {count} cases, this is the first; `ccs world list {id}` shows them, `--case N` plays one"
        )?;
    }
    crate::world::case(scripts, case.unwrap_or(1))
}
