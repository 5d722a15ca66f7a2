//! Where the charger's role over Ethernet frames is put together.

use std::io::Write;

use hal_linux::{Mac, Port};

use super::serve::Desk;
use crate::cli::Exit;
use crate::config::Config;

/// Runs the role with this address.
pub fn run<P: Port, B>(
    _config: &Config,
    _mac: Mac,
    _desk: Desk<'_, P, B>,
    _out: &mut (dyn Write + Send),
) -> anyhow::Result<Exit> {
    anyhow::bail!("this build has no charger's role over Ethernet yet: crate `roles` is to come")
}
