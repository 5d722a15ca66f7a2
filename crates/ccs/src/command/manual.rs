//! `ccs completions` and `ccs man`: generated from the description of the command line.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;

use crate::escape;
use crate::exit::Exit;
use crate::name;

/// Options of `ccs completions`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  ccs completions bash > ~/.local/share/bash-completion/completions/ccs
  ccs completions zsh > ~/.zfunc/_ccs                   with ~/.zfunc in fpath, before compinit
  ccs completions fish > ~/.config/fish/completions/ccs.fish")]
pub struct CompletionsArgs {
    /// Shell for which to print the script.
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// Options of `ccs man`.
#[derive(Args)]
#[command(after_help = "\
Example:
  ccs man ~/.local/share/man/man1    then: man ccs, man ccs-decode, man ccs-modem-key")]
pub struct ManArgs {
    /// Directory; it is created if it is missing. Existing pages are overwritten.
    #[arg(value_name = "DIR", value_parser = name::Path)]
    pub folder: PathBuf,
}

impl CompletionsArgs {
    /// Prints the completion script.
    pub fn run(&self, mut of: Command, out: &mut dyn Write) -> anyhow::Result<Exit> {
        // Generated in memory first: the generator panics where it cannot write, such as into a closed pipe.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut of, "ccs", &mut script);
        out.write_all(&script)?;
        out.flush()?;
        Ok(Exit::Good)
    }
}

impl ManArgs {
    /// Writes the pages.
    pub fn run(&self, of: Command, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let folder = escape::path(&self.folder);
        let context = || format!("writing manual pages into {folder}");
        fs::create_dir_all(&self.folder).with_context(context)?;
        clap_mangen::generate_to(of, &self.folder).with_context(context)?;
        writeln!(out, "manual pages are in {folder}; start with ccs.1")?;
        out.flush()?;
        Ok(Exit::Good)
    }
}
