//! Plays a script and shows it: the log, the table, and the expectations.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context;
use hal_linux::{Clock, Direction, Recorder};
use machine::{Duration, Instant};
use session::Phase;
use sim::script::{self, Played, Script, Told};

use super::journal::{Journal, name};
use super::summary::Summary;
use crate::escape;
use crate::style::{self, Palette};

/// How a script is shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Show<'s> {
    /// Whether repeated messages are shown.
    pub all: bool,
    /// Whether it runs at the speed of a real session.
    pub realtime: bool,
    /// File for a recording of the frames on the charger's cable.
    pub record: Option<&'s Path>,
    /// Whether it ends as soon as both sessions have ended.
    pub once: bool,
}

/// Plays a script and shows the log, then the table.
pub(crate) fn play(script: &Script, show: Show<'_>, out: &mut dyn Write) -> anyhow::Result<Played> {
    let mut recorder = match show.record {
        Some(path) => {
            let file =
                File::create(path).with_context(|| format!("recording into {}", escape::path(path)))?;
            Some(Recorder::new(BufWriter::new(file), "demo")?)
        }
        None => None,
    };
    let clock = Clock::start();
    let (mut journal, mut summary) = (Journal::new(show.all), Summary::new());
    journal.begin(script, out)?;
    let (mut failed, mut was_there) = (None, false);
    let played = script::play(
        script,
        Some(&mut |scene, told| {
            summary.watch(scene);
            let result =
                journal.write(&told, &mut summary, out).and_then(|()| record(&mut recorder, clock, &told));
            if show.realtime {
                pace(clock, scene.now);
            }
            // The first error counts; later ones may be its consequence.
            failed = failed.take().or(result.err());
            let are_over = scene.charger.0 == Phase::Ended && scene.car.0 == Phase::Ended;
            was_there |= !are_over && scene.bench.truth().is_plugged;
            if failed.is_some() || show.once && was_there && are_over {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        }),
    );
    if let Some(error) = failed {
        return Err(error);
    }
    journal.end(out)?;
    if let Some(recorder) = &mut recorder {
        recorder.flush()?;
    }
    let [charger, car] = played.ends;
    summary.write((charger, car), !show.once, out)?;
    out.flush()?;
    Ok(played)
}

/// Writes what was expected of a script, and what was observed.
pub(crate) fn judge(script: &Script, played: &Played, out: &mut dyn Write) -> anyhow::Result<()> {
    let palette = Palette::stdout();
    let verdict = &played.verdict;
    writeln!(out, "\nexpected of {}", name(script))?;
    for check in &verdict.checks {
        let (colour, word) = if check.passed { (style::GOOD, "yes") } else { (style::BAD, "NO ") };
        writeln!(out, "  {}  {}; seen: {}", palette.paint(colour, word), check.expected, check.seen)?;
    }
    if let Some(broken) = &verdict.broken {
        writeln!(out, "  {}  no safety rule is broken; seen: {broken}", palette.paint(style::BAD, "NO "))?;
    }
    if let Some(stuck) = &verdict.stuck {
        writeln!(
            out,
            "  {}  the script is played to its end; seen: {stuck}",
            palette.paint(style::BAD, "NO ")
        )?;
    }
    if !script.why.is_empty() {
        writeln!(out, "why so: {}", script.why)?;
    }
    let (colour, word) = if verdict.passed() {
        (style::GOOD, "passed: all as expected, and no safety rule was broken")
    } else {
        (style::BAD, "FAILED")
    };
    writeln!(out, "{}", palette.paint(colour, word))?;
    Ok(out.flush()?)
}

fn record(
    recorder: &mut Option<Recorder<BufWriter<File>>>,
    clock: Clock,
    told: &[(Instant, Told)],
) -> anyhow::Result<()> {
    let Some(recorder) = recorder else { return Ok(()) };
    for (at, told) in told {
        if let Told::Frame { is_sent, frame } = told {
            let direction = if *is_sent { Direction::Sent } else { Direction::Received };
            recorder.frame(clock.unix(*at), direction, frame)?;
        }
    }
    Ok(())
}

/// Waits until real time has reached virtual time.
#[expect(
    clippy::disallowed_methods,
    reason = "the only place that shows virtual time at the pace of the real one"
)]
fn pace(clock: Clock, virtual_now: Instant) {
    let ahead: Duration = virtual_now.since(clock.now());
    std::thread::sleep(std::time::Duration::from_micros(ahead.as_micros()));
}
