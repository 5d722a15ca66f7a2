//! How the process ends: its exit codes, and the errors that have one of their own.

use std::borrow::Cow;
use std::process::ExitCode;

use session::StopReason;

/// What the process tells its caller; `ccs --help` has the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All good.
    Good,
    /// Something in the input was not good.
    Failed,
    /// A session ended for a reason with this code; 0 is a good end.
    Session(u8),
    /// A second SIGINT, or the first where nothing is to be ended in order.
    Interrupted,
}

/// Invalid command line or configuration.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub Cow<'static, str>);

/// An end with an exit code of its own.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// Destructive: needs `--yes`.
    #[error("{0}")]
    Refused(String),
    /// There is a stop reason, such as that no modem answers.
    #[error("{cause}; {advice}", cause = .0.cause, advice = .0.advice())]
    Stopped(StopReason),
    /// Ctrl-C, and what that means.
    #[error("{0}")]
    Interrupted(String),
}

impl Ended {
    /// As an exit.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Refused(_) => Exit::Session(2),
            Self::Stopped(reason) => Exit::Session(reason.exit_code()),
            Self::Interrupted(_) => Exit::Interrupted,
        }
    }
}

impl Exit {
    /// As a number.
    pub fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Failed => 1,
            Self::Session(code) => code,
            Self::Interrupted => 130,
        }
    }

    /// Good only if both are.
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
