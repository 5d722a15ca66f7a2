//! Boots a firmware on an emulated board and plays the other end of the cable.
//!
//! ```text
//! cargo run -p emulate                    the charger's firmware, a car on this side
//! cargo run -p emulate -- car             the car's firmware, a charger on this side
//! cargo run -p emulate -- listen          the listener's firmware, a matching on its wire
//!     -o FILE.pcapng                      records the board's frames
//! ```
//! What the board says on its serial line is printed. The exit code is 0 after a whole session in order.
#![forbid(unsafe_code)]

mod board;
mod cable;
mod peer;
mod play;

use std::path::PathBuf;
use std::process::ExitCode;

/// Which firmware runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Image {
    /// The charger's.
    Evse,
    /// The car's.
    Pev,
    /// The listener's.
    Listen,
}

impl Image {
    /// Its binary.
    const fn name(self) -> &'static str {
        match self {
            Self::Evse => "evse",
            Self::Pev => "pev",
            Self::Listen => "listen",
        }
    }
}

const USAGE: &str = "usage: emulate [charger|car|listen] [-o FILE.pcapng]";

fn main() -> ExitCode {
    let Some((image, recording)) = arguments(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match play::play(image, recording.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("emulate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(mut words: impl Iterator<Item = String>) -> Option<(Image, Option<PathBuf>)> {
    let (mut image, mut recording) = (Image::Evse, None);
    while let Some(word) = words.next() {
        match word.as_str() {
            "charger" => image = Image::Evse,
            "car" => image = Image::Pev,
            "listen" => image = Image::Listen,
            "-o" => recording = Some(words.next()?.into()),
            _ => return None,
        }
    }
    Some((image, recording))
}
