//! `ccs world run`: many seeds on all cores.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::Args;
use hal_linux::Signals;
use rayon::prelude::*;
use serde_json::json;
use session::StopReason;
use sim::invariant::RULES;
use sim::script::{self, Verdict, random};

use crate::escape;
use crate::exit::Exit;

/// Result of a seed.
struct Outcome {
    seed: u64,
    verdict: Verdict,
    ends: [Option<StopReason>; 2],
    /// The second run had a different trace.
    differs: bool,
}

impl Outcome {
    fn failed(&self) -> bool {
        self.differs || !self.verdict.passed()
    }
}

/// Number of failures that are shown with their script; further ones are shown as seeds only.
const SHOWN: usize = 5;

/// Options of `ccs world run`.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0    no rule was violated, and every world charged again
  1    some seed failed
  130  interrupted; what was played until then is reported")]
pub(crate) struct RunArgs {
    /// Number of seeds.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    pub seeds: u64,
    /// First seed.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    pub from: u64,
    /// Plays each seed twice and compares the traces.
    #[arg(long)]
    pub twice: bool,
    /// Number of threads. Default: one per core.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub jobs: usize,
    /// Prints one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Plays the seeds.
pub(super) fn run(args: &RunArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    // Held before any thread starts: Ctrl-C must end with a report of what was played.
    let signals = Signals::hold()?;
    let is_over = AtomicBool::new(false);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.jobs).build()?;
    let bar = super::bar(usize::try_from(args.seeds)?);
    #[expect(clippy::disallowed_methods, reason = "how long the person in front of it waited")]
    let begin = Instant::now();
    let outcomes: Vec<Outcome> = pool.install(|| {
        (args.from..args.from.saturating_add(args.seeds))
            .into_par_iter()
            .take_any_while(|_| {
                if signals.take().unwrap_or(false) {
                    is_over.store(true, Ordering::Relaxed);
                }
                !is_over.load(Ordering::Relaxed)
            })
            .map(|seed| {
                let outcome = play(seed, args.twice);
                if outcome.failed() {
                    bar.println(format!("seed {seed} failed"));
                }
                bar.inc(1);
                outcome
            })
            .collect()
    });
    let interrupted = is_over.into_inner();
    bar.finish_and_clear();
    let took = begin.elapsed();
    let failed: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.failed()).collect();
    if args.json {
        let failures: Vec<_> = failed
            .iter()
            .map(|outcome| json!({"seed": outcome.seed, "differs": outcome.differs, "verdict": outcome.verdict.to_json()}))
            .collect();
        let report = json!({
            "from": args.from, "seeds": outcomes.len(), "interrupted": interrupted, "twice": args.twice, "seconds": took.as_secs_f64(),
            "excluded": excused(&outcomes), "failed": failures, "ends": {"charger": ends(&outcomes, 0), "car": ends(&outcomes, 1)},
        });
        writeln!(out, "{}", escape::json(&report))?;
    } else {
        #[allow(clippy::cast_precision_loss, reason = "a rate to look at")]
        let rate = outcomes.len() as f64 / took.as_secs_f64();
        let times = if args.twice { ", each twice" } else { "" };
        writeln!(
            out,
            "{} seeds from {}{times}: {:.1} s, {rate:.0} a second; {} safety rules watched after every step",
            outcomes.len(),
            args.from,
            took.as_secs_f64(),
            RULES.len()
        )?;
        for (side, name) in ["charger", "car"].into_iter().enumerate() {
            writeln!(out, "\nhow the {name}'s last session ended, before everything was mended")?;
            for (cause, count) in ends(&outcomes, side) {
                writeln!(out, "  {count:>7}  {cause}")?;
            }
        }
        excluded(&outcomes, out)?;
        writeln!(out)?;
        if interrupted {
            writeln!(out, "interrupted: {} of {} seeds were played", outcomes.len(), args.seeds)?;
        }
        tell(&failed, args.twice, out)?;
    }
    out.flush()?;
    Ok(match (failed.is_empty(), interrupted) {
        (false, _) => Exit::Failed,
        (true, true) => Exit::Interrupted,
        (true, false) => Exit::Good,
    })
}

fn play(seed: u64, twice: bool) -> Outcome {
    let scripts = script::parse(&random::of_seed(seed)).unwrap_or_default();
    let Some(script) = scripts.first() else {
        let stuck = Some("this seed gives no script that can be read".to_owned());
        let verdict = Verdict { id: seed.to_string(), stuck, ..Verdict::default() };
        return Outcome { seed, verdict, ends: [None; 2], differs: false };
    };
    let played = script::play(script, None);
    let differs = twice && {
        let again = script::play(script, None);
        again.verdict != played.verdict || again.trace != played.trace
    };
    Outcome { seed, verdict: played.verdict, ends: played.ends, differs }
}

/// Number of worlds by the cause that ended a side's last session, without the values in it.
fn ends(outcomes: &[Outcome], side: usize) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for outcome in outcomes {
        let reason = outcome.ends.get(side).copied().flatten();
        let words = reason.map_or("no session ended", |reason| reason.cause.name()).to_owned();
        *counts.entry(words).or_insert(0) += 1;
    }
    counts
}

/// Number of violations of each rule that the side could not detect.
fn excused(outcomes: &[Outcome]) -> BTreeMap<&'static str, u32> {
    let mut counts = BTreeMap::new();
    for rule in outcomes.iter().flat_map(|outcome| &outcome.verdict.excused) {
        *counts.entry(*rule).or_insert(0) += 1;
    }
    counts
}

/// Writes the number of worlds in which a rule was not judged, because the only sensor that could detect the
/// violation lied.
fn excluded(outcomes: &[Outcome], out: &mut dyn Write) -> anyhow::Result<()> {
    let worlds = outcomes.iter().filter(|outcome| !outcome.verdict.excused.is_empty()).count();
    if worlds == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "\nexcluded: in {worlds} worlds a side's only sensor for it lied, and a rule was broken that it could not know"
    )?;
    for (rule, count) in excused(outcomes) {
        writeln!(out, "  {count:>7}  {rule}")?;
    }
    Ok(())
}

fn tell(failed: &[&Outcome], twice: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    if failed.is_empty() {
        let same = if twice { ", and the second run was the same, entry by entry" } else { "" };
        writeln!(
            out,
            "passed: no rule was broken; once all was mended and the plug put in again, every car charged{same}"
        )?;
        return Ok(());
    }
    for outcome in failed.iter().take(SHOWN) {
        let seed = outcome.seed;
        writeln!(out, "{}", outcome.verdict)?;
        if outcome.differs {
            writeln!(out, "    the second run was another one")?;
        }
        writeln!(out, "  what the failure needs of its script; `ccs world replay {seed}` shows it")?;
        for line in script::shrink(&random::of_seed(seed)).lines() {
            writeln!(out, "    {line}")?;
        }
    }
    let others: Vec<String> = failed.iter().skip(SHOWN).map(|outcome| outcome.seed.to_string()).collect();
    if !others.is_empty() {
        writeln!(out, "and the seeds {}", others.join(" "))?;
    }
    writeln!(out, "FAILED: {} seeds", failed.len())?;
    Ok(())
}
