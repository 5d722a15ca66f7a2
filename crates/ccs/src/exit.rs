//! Exit codes of the process, and errors with their own exit code.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::RangeInclusive;
use std::process::ExitCode;

use session::StopReason;

/// Meaning of exit codes by range, as listed by `ccs --help`. docs/exit-codes.md has the code of each stop
/// reason and what to do about it.
pub(crate) const CODES: &[(RangeInclusive<u8>, &str)] = &[
    (0..=0, "success; for a session: it ended normally"),
    (1..=1, "some input was refused, cut or did not decode; or an error of the operating system"),
    (2..=2, "invalid command line or configuration, or `--yes` is missing"),
    (3..=3, "no access: a missing privilege or interface"),
    (10..=19, "stop reason of the last session: a person"),
    (20..=29, "stop reason: pilot, proximity"),
    (30..=39, "stop reason: messages, timers"),
    (40..=49, "stop reason: this program"),
    (50..=59, "stop reason: electrical"),
    (60..=69, "stop reason: modem, link, network; 62 also of `ccs modem`: no modem answers"),
    (70..=79, "stop reason: electrical"),
    (130..=130, "interrupted: by the second SIGINT of `ccs evse` and `ccs pev`, by the first of `ccs modem`"),
];

/// [`CODES`] as text for the help.
pub(crate) fn help() -> String {
    let mut text = "Exit codes (each stop reason has its own: docs/exit-codes.md):".to_owned();
    for (codes, meaning) in CODES {
        let (first, last) = (codes.start(), codes.end());
        let codes = if first == last { first.to_string() } else { format!("{first}..{last}") };
        // Writing to a string cannot fail.
        let _ = write!(text, "\n  {codes:<8}{meaning}");
    }
    text
}

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Success.
    Good,
    /// Some input was refused, truncated or did not decode.
    Failed,
    /// A session ended with a stop reason of this code; 0 is a normal end.
    Session(u8),
    /// A second SIGINT; the first one for commands that have nothing to end normally.
    Interrupted,
}

/// Invalid command line or configuration.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub Cow<'static, str>);

/// An end with its own exit code.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// A destructive command without `--yes`.
    #[error("{0}")]
    Refused(String),
    /// A stop reason, such as that no modem responds.
    #[error("{cause}; {advice}", cause = .0.cause, advice = .0.advice())]
    Stopped(StopReason),
    /// Ctrl-C, and its consequence.
    #[error("{0}")]
    Interrupted(String),
}

impl Ended {
    /// The corresponding exit.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Refused(_) => Exit::Session(2),
            Self::Stopped(reason) => Exit::Session(reason.exit_code()),
            Self::Interrupted(_) => Exit::Interrupted,
        }
    }
}

impl Exit {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Failed => 1,
            Self::Session(code) => code,
            Self::Interrupted => 130,
        }
    }

    /// [`Good`](Self::Good) only if both are; else the first that is not.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == Self::Good { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{By, Cause, Phase};

    fn meaning(code: u8) -> Vec<&'static str> {
        CODES.iter().filter(|(codes, _)| codes.contains(&code)).map(|(_, meaning)| *meaning).collect()
    }

    #[test]
    fn every_exit_code_is_in_one_range_and_every_range_has_one() {
        let stops = Cause::ALL.iter().map(|cause| StopReason::new(By::Car, *cause, Phase::Idle).exit_code());
        let own = [Exit::Good, Exit::Failed, Exit::Interrupted].map(Exit::code);
        let codes: Vec<u8> = stops.chain(own).chain([2, 3]).collect();
        for code in &codes {
            assert_eq!(meaning(*code).len(), 1, "{code}");
        }
        for (range, meaning) in CODES {
            assert!(codes.iter().any(|code| range.contains(code)), "{meaning}");
        }
    }

    #[test]
    fn the_page_of_exit_codes_has_every_stop_reason() {
        let mut table = "| code | stop reason | what to do |\n|---|---|---|\n".to_owned();
        for cause in Cause::ALL {
            let reason = StopReason::new(By::Network, *cause, Phase::Idle);
            let code = reason.exit_code();
            writeln!(table, "| {code} | {cause} | {} |", reason.advice()).unwrap();
        }
        let page = include_str!("../../../docs/exit-codes.md");
        assert!(page.contains(&table), "the table of docs/exit-codes.md should be:\n{table}");
    }
}
