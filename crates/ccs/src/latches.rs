//! Latches outlive the program: a file stores the latch, and the role receives it at the next start.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use hal_linux::{Claim, Clock, Interface, Keeper, Kept, StateFile};
use machine::Instant;
use session::Latch;

use crate::exit::{Exit, Usage};
use crate::reporter::Reporter;

/// The latch that prevents the next session, in memory and in the file.
pub struct Latches {
    keeper: Option<Keeper>,
    held: Option<Latch>,
    /// The latch that the file contained at the start.
    found: Option<Kept>,
    clock: Clock,
}

impl Latches {
    /// Reads the file at `path`; without a path the default file.
    pub fn open(path: Option<&Path>, role: &str, interface: &str, clock: Clock) -> anyhow::Result<Self> {
        let file = file(path, role, interface)?;
        let found = file.load();
        let held = found.as_ref().map(|kept| Latch::from_name(&kept.latch));
        let keeper = Keeper::start(file).context("starting the thread that keeps latches")?;
        Ok(Self { keeper: Some(keeper), held, found, clock })
    }

    /// The stored latch, to pass to the role before anything else, and a line for the log.
    pub fn found(&self) -> Option<(Latch, String)> {
        let (latch, kept) = self.held.zip(self.found.as_ref())?;
        let now_s = self.clock.unix(self.clock.now()).as_secs();
        let words = format!("warning: latched {}: {}", since(now_s, kept), latch.advice());
        Some((latch, if latch == Latch::Unreadable { format!("{words} ({})", kept.cause) } else { words }))
    }

    /// Handles a new latch of the role. One latch is stored, see [`Latch::kept`].
    pub fn latched(&mut self, at: Instant, latch: Latch) {
        let latch = self.held.map_or(latch, |held| held.kept(latch));
        if self.held.replace(latch) != Some(latch) {
            let unix_s = self.clock.unix(at).as_secs();
            let kept = Kept { latch: latch.name().into(), cause: latch.advice().into(), unix_s };
            self.keeper.iter().for_each(|keeper| keeper.keep(kept.clone()));
        }
    }

    /// Handles the release of a latch.
    pub fn unlatched(&mut self, latch: Latch) {
        if self.held == Some(latch) {
            self.held = None;
            self.keeper.iter().for_each(Keeper::clear);
        }
    }

    /// Reports the errors of the file since the last call.
    pub fn report(&self, reporter: &mut Reporter<'_, '_>, at: Instant) {
        if let Some(words) = self.keeper.as_ref().and_then(Keeper::trouble) {
            reporter.say(at, format!("warning: {words}"));
        }
    }

    /// Waits until everything is written, and reports errors.
    pub fn finish(&mut self, reporter: &mut Reporter<'_, '_>) {
        if let Some(words) = self.keeper.take().and_then(Keeper::finish) {
            reporter.say(self.clock.now(), format!("warning: {words}"));
        }
    }
}

/// Removes the stored latch on request, after its cause was repaired.
pub(crate) fn reset(
    path: Option<&Path>,
    role: &str,
    interface: &str,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let file = file(path, role, interface)?;
    // A running role holds its latch in memory too. An interface that does not exist has no role.
    let _claim = match Interface::find(interface) {
        Ok(interface) => Some(Claim::take(&interface)?),
        Err(_) => None,
    };
    let Some(kept) = file.load() else {
        writeln!(out, "nothing is latched for {role} on {interface} ({})", file.path().display())?;
        return Ok(Exit::Good);
    };
    file.clear().with_context(|| format!("removing {}", file.path().display()))?;
    let now_s = Clock::start().unix(Instant::ZERO).as_secs();
    let advice = Latch::from_name(&kept.latch).advice();
    writeln!(out, "reset: it was latched {}: {} ({advice})", since(now_s, &kept), kept.latch)?;
    Ok(Exit::Good)
}

fn file(path: Option<&Path>, role: &str, interface: &str) -> anyhow::Result<StateFile> {
    let given = path.map(|path| StateFile::new(PathBuf::from(path)));
    let file = given.or_else(|| StateFile::usual(role, interface));
    Ok(file.ok_or_else(|| {
        Usage("no folder for what must outlive the program: give `--state FILE`, or set HOME".into())
    })?)
}

/// Approximate age; the clock may have been wrong at that time.
fn since(now_s: u64, kept: &Kept) -> String {
    let ago = now_s.saturating_sub(kept.unix_s);
    match ago {
        _ if kept.unix_s == 0 => "at an unknown time".into(),
        ..60 => "a moment ago".into(),
        60..3_600 => format!("{} min ago", ago / 60),
        3_600..172_800 => format!("{} h ago", ago / 3_600),
        _ => format!("{} days ago", ago / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("ccs-latches-{name}-{}.latch", std::process::id()));
        let _ = std::fs::remove_file(&path);
        path
    }

    fn open(path: &Path) -> Latches {
        Latches::open(Some(path), "evse", "plc0", Clock::start()).unwrap()
    }

    #[test]
    fn the_worst_latch_is_given_back_to_the_next_program_until_it_is_released() {
        let path = path("worst");
        let mut first = open(&path);
        assert!(first.found().is_none());
        first.latched(Instant::ZERO, Latch::Isolation);
        first.latched(Instant::ZERO, Latch::Contactors);
        first.latched(Instant::ZERO, Latch::Voltage);
        drop(first);
        let mut second = open(&path);
        let (latch, words) = second.found().unwrap();
        assert_eq!(latch, Latch::Contactors);
        assert!(words.starts_with("warning: latched a moment ago: contactors did not follow"), "{words}");
        // The role reports a latch again when it receives it; the release of another latch changes nothing.
        second.latched(Instant::ZERO, Latch::Contactors);
        second.unlatched(Latch::Isolation);
        drop(second);
        let mut third = open(&path);
        assert_eq!(third.found().unwrap().0, Latch::Contactors);
        third.unlatched(Latch::Contactors);
        drop(third);
        assert!(open(&path).found().is_none());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_the_worst_latch_and_says_why() {
        let path = path("broken");
        std::fs::write(&path, b"ccs latch 1\nlatch = iso").unwrap();
        let (latch, words) = open(&path).found().unwrap();
        assert!(latch == Latch::Unreadable && words.contains("it is cut or changed"), "{words}");
        let mut out = Vec::new();
        reset(Some(&path), "evse", "nosuch0", &mut out).unwrap();
        let said = String::from_utf8(out).unwrap();
        assert!(said.starts_with("reset: it was latched at an unknown time: unreadable"), "{said}");
        assert!(!path.exists() && open(&path).found().is_none());
    }

    #[test]
    fn a_latch_says_how_old_it_is() {
        let kept = |unix_s| Kept { latch: "voltage".into(), cause: String::new(), unix_s };
        let table =
            [(59, "a moment ago"), (3_599, "59 min ago"), (7_200, "2 h ago"), (172_800, "2 days ago")];
        for (ago, words) in table {
            assert_eq!(since(1_000_000, &kept(1_000_000 - ago)), words);
        }
        assert_eq!(since(5, &kept(10)), "a moment ago", "the clock was wrong");
    }
}
