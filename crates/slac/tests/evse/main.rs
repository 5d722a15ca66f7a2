//! The charger's side of matching, in virtual time and against recorded cars.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test ends where it fails"
)]

mod bench;
mod captures;
mod link;
mod matching;
mod measuring;
mod random;
mod recorded;
mod several;
mod validation;
