//! Recorded cars against our charger, and recorded chargers against our car: sessions from captures, a peer
//! that sends their bytes, and a plant with a stated model.
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
mod charger;
mod play;
mod recorded;
mod world;

pub use car::Car;
pub use charger::{After, End, Played, play_charger, play_charger_and_after, report};
pub use play::{CAPTURES, REFUSED, code, config, moments, replay, served};
pub use recorded::{Request, Response, Session, sessions, switches_off};
pub use world::{Answer, World};
