//! The conformance cases of ISO 15118-4 and ISO 15118-3 against our machines, in virtual time.
//!
//! The catalogue (`conformance.json`, beside the corpus) names 472 cases of two public test environments. One
//! [table] has for each case its runner, the arguments and the result, or the reason why it does not apply to
//! a DC charger and car with DIN SPEC 70121. A case for a message of ISO 15118-2 that has another name in DIN
//! runs with DIN's.
//!
//! ```
//! let Some(report) = conformance::run() else { return };
//! assert_eq!(report.surprises().count(), 0);
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    reason = "for tests only: a surprise ends the case"
)]

mod case;
mod charger;
mod matching;
mod report;
pub mod table;
mod world;

pub use case::{Case, cases};
pub use report::{Line, Report, Verdict, run};

/// The result of a case: what went wrong, in a few words.
type Outcome = Result<(), String>;

/// An error with this text, unless the condition holds.
fn check(holds: bool, what: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(what()) }
}

/// An error with the observed and the required value, unless they are equal.
#[allow(clippy::needless_pass_by_value, reason = "both are made for the comparison")]
fn same<T: PartialEq + std::fmt::Debug>(what: &str, seen: T, wanted: T) -> Outcome {
    if seen == wanted { Ok(()) } else { Err(format!("{what}: {seen:?} instead of {wanted:?}")) }
}
