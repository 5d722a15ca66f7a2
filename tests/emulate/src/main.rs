//! Boots a firmware on an emulated board and plays the other end of the cable.
//!
//! ```text
//! cargo run -p emulate                    the charger's firmware, a car on this side
//! cargo run -p emulate -- car             the car's firmware, a charger on this side
//! cargo run -p emulate -- listen          the listener's firmware, a matching on its wire
//!     -o FILE.pcapng                      records the board's frames
//!     --ledger FILE                       compares flash, RAM and stack with this file's
//! ```
//! What the board says on its serial line is printed. The exit code is 0 after a whole session in order.
#![forbid(unsafe_code)]

mod board;
mod cable;
mod ledger;
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

const USAGE: &str = "usage: emulate [charger|car|listen] [-o FILE.pcapng] [--ledger FILE]";

fn main() -> ExitCode {
    let Some(wish) = Wish::parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&wish) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("emulate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What is asked for.
struct Wish {
    image: Image,
    recording: Option<PathBuf>,
    ledger: Option<PathBuf>,
}

impl Wish {
    fn parse(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let mut wish = Self { image: Image::Evse, recording: None, ledger: None };
        while let Some(word) = words.next() {
            match word.as_str() {
                "charger" => wish.image = Image::Evse,
                "car" => wish.image = Image::Pev,
                "listen" => wish.image = Image::Listen,
                "-o" => wish.recording = Some(words.next()?.into()),
                "--ledger" => wish.ledger = Some(words.next()?.into()),
                _ => return None,
            }
        }
        Some(wish)
    }
}

fn run(wish: &Wish) -> anyhow::Result<()> {
    let elf = board::build(wish.image)?;
    let stack = play::play(wish.image, &elf, wish.recording.as_deref())?;
    match &wish.ledger {
        Some(path) => ledger::compare(path, wish.image, &elf, stack),
        None => Ok(()),
    }
}
