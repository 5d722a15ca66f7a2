//! The configurations of `ccs evse` and `ccs pev`: a table of keys for each, from which reading, printing and
//! the suggestions for misspelt keys all follow.

mod bounds;
mod car;
mod charger;
mod key;
mod value;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Context;

use crate::escape;
use crate::exit::Usage;

pub use car::CarConfig;
pub use charger::Config;
pub use key::{Configured, Error};

/// The size of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Megabytes(pub u32);

impl Megabytes {
    /// A recording's usual limit: judgement, about a day of charging; a flood fills it in seconds.
    pub const USUAL: Self = Self(256);
}

impl Default for Megabytes {
    fn default() -> Self {
        Self::USUAL
    }
}

/// The plants there are.
pub const PLANTS: &[&str] = &["simulated"];

/// The largest configuration file in bytes: judgement, twenty times as much as all keys.
const FILE_MAX: u64 = 64 * 1024;

/// The configuration in a file; without one, the usual one.
pub fn load<C: Configured>(path: Option<&Path>) -> anyhow::Result<C> {
    let Some(path) = path else { return Ok(C::default()) };
    let context = || format!("reading {}", escape::path(path));
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(context)?;
    file.take(FILE_MAX + 1).read_to_end(&mut bytes).with_context(context)?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(Usage(format!("a configuration has at most {FILE_MAX} bytes").into()))
            .with_context(context);
    }
    let text =
        String::from_utf8(bytes).map_err(|error| Usage(error.to_string().into())).with_context(context)?;
    C::from_toml(&text).with_context(|| escape::path(path))
}
