//! `ccs world replay`: one of them, to look at.

use std::io::Write;
use std::path::Path;

use sim::script::{self, Script, random};

use crate::cli::{Exit, ReplayArgs, Usage};
use crate::demo::{self, Show};

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
            let show = Show { all: args.all, realtime: args.realtime, record, once: false };
            demo::play(script, show, out)?
        };
        demo::judge(script, &played, out)?;
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
