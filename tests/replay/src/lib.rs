//! Recorded cars against our charger: sessions out of captures, a car on the other end of the wire that sends
//! their bytes, and a plant from a stated model.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    reason = "for tests only: a surprise ends the test"
)]

mod car;
mod play;
mod recorded;
mod world;

pub use car::Car;
pub use play::{CAPTURES, REFUSED, code, config, moments, replay, served};
pub use recorded::{Request, Session, sessions};
pub use world::{Answer, World};
