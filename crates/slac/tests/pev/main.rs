//! The car's side seen from outside: behaviour in virtual time, forged frames, recorded chargers, random
//! histories.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod attempts;
mod bench;
mod forged;
mod joining;
mod matching;
mod random;
mod replay;
mod set_aside;
mod unmeasured;
mod validation;
