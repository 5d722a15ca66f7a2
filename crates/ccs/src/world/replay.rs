//! `ccs world replay`: one of them, to look at.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use sim::script::{self, Script, random};

use crate::cli::{Exit, ReplayArgs, Usage};
use crate::demo::{self, Show};

/// Plays it, and all cases where there are several.
pub fn run(args: &ReplayArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let scripts = scripts(args, out)?;
    let mut exit = Exit::Good;
    for script in &scripts {
        let played = if args.trace {
            let played = script::play(script, None);
            write!(out, "{}", played.trace)?;
            played
        } else {
            let record = args.record.as_deref();
            let show = Show { all: args.all, realtime: args.realtime, record, once: false };
            demo::play(script, show, out)?.0
        };
        demo::judge(script, &played, out)?;
        if !played.verdict.passed() {
            exit = Exit::Failed;
        }
    }
    Ok(exit)
}

fn scripts(args: &ReplayArgs, out: &mut dyn Write) -> anyhow::Result<Vec<Script>> {
    let text = match args.what.parse() {
        Ok(seed) => random::of_seed(seed),
        Err(_) if Path::new(&args.what).is_file() => {
            std::fs::read_to_string(&args.what).with_context(|| args.what.clone())?
        }
        Err(_) => return chosen(super::by_id(&args.what)?, args),
    };
    let scripts = chosen(super::read(&args.what, &text)?, args)?;
    let is_one = scripts.len() == 1;
    if args.shrink && is_one {
        let text = script::shrink(&text);
        writeln!(out, "{text}")?;
        return super::read(&args.what, &text);
    }
    if is_one {
        writeln!(out, "{text}")?;
    }
    Ok(scripts)
}

fn chosen(mut scripts: Vec<Script>, args: &ReplayArgs) -> anyhow::Result<Vec<Script>> {
    let Some(case) = args.case else { return Ok(scripts) };
    if !(1..=scripts.len()).contains(&case) {
        return Err(Usage(format!("there are {} cases, no case {case}", scripts.len()).into()).into());
    }
    Ok(vec![scripts.swap_remove(case - 1)])
}
