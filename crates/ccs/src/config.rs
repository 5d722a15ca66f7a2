//! The configurations of `ccs evse` and `ccs pev`. Each is a table of keys, from which parsing, printing and
//! the suggestions for misspelt keys follow.

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

pub(crate) use car::CarConfig;
pub(crate) use charger::Config;
pub(crate) use key::{Configured, Error};

/// Size of a recording in megabytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Megabytes(pub u32);

impl Megabytes {
    /// Default limit: judgement, about a day of charging; a flood fills it within seconds.
    pub const USUAL: Self = Self(256);
}

impl Default for Megabytes {
    fn default() -> Self {
        Self::USUAL
    }
}

/// Names of the available plants.
pub(crate) const PLANTS: &[&str] = &["simulated"];

/// Largest configuration file in bytes: judgement, twenty times the size of all keys.
const FILE_MAX: u64 = 64 * 1024;

/// The configuration in a file; without a path the default configuration.
pub(crate) fn load<C: Configured>(path: Option<&Path>) -> anyhow::Result<C> {
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
