//! The command line.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::command;

/// The communication stack of CCS and NACS fast charging: decode captures, filter EXI, run a charger.
///
/// Without a subcommand, `ccs` shows the session of a charger with a scripted car inside the process:
/// no hardware, no network, no privileges.
#[derive(Parser)]
#[command(name = "ccs", version, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_CODES: &str = "\
Exit codes:
  0   all good; for a session: it ended as it should
  1   some input was refused, cut or did not decode; for a session: it did not come to its end
  2   wrong usage or configuration
  3   no access: a missing privilege or interface
  130 stopped at once by a second SIGINT";

/// What the process tells its caller; [`EXIT_CODES`] has the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All good.
    Good,
    /// Something in the input was not good.
    Failed,
}

impl Exit {
    /// Good only if both are.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == Self::Good { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::Failed => 1,
        })
    }
}

#[derive(Subcommand)]
enum Command {
    /// Shows the messages in captures, both directions, in the order in which they were completed.
    Decode(DecodeArgs),
    /// Filters EXI documents: one line out for every line in.
    #[command(subcommand)]
    Exi(ExiCommand),
}

/// What `ccs decode` takes.
#[derive(Args)]
pub struct DecodeArgs {
    /// Captures (pcapng, pcap), hexadecimal text or raw V2GTP; `-` is the standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// One JSON object a line; nothing else on the standard output.
    #[arg(long)]
    pub json: bool,
    /// Counts and troubles of each file instead of its messages.
    #[arg(long)]
    pub summary: bool,
}

/// What `ccs exi` does.
#[derive(Subcommand)]
pub enum ExiCommand {
    /// Hexadecimal EXI to JSON.
    Decode(ExiArgs),
    /// JSON to hexadecimal EXI.
    Encode(ExiArgs),
    /// Hexadecimal EXI to hexadecimal EXI in its canonical form.
    Recode(ExiArgs),
}

/// What all `ccs exi` commands take.
#[derive(Args)]
#[command(after_help = "\
Reads the standard input, writes one line for every line, a blank one for a blank one. A line that fails
gives {\"error\": ..., \"path\": ..., \"bit\": ...} and the filter goes on. Exit codes: 0 all good, 1 some lines
failed, 2 wrong usage.")]
pub struct ExiArgs {
    /// The schema of every document.
    #[arg(long, value_enum)]
    pub schema: SchemaName,
    /// The lines are fragments (what is signed) instead of documents.
    #[arg(long)]
    pub fragment: bool,
}

/// The schemas that can be decoded and encoded.
#[derive(Clone, Copy, ValueEnum)]
pub enum SchemaName {
    /// The supportedAppProtocol handshake.
    App,
    /// DIN SPEC 70121:2012.
    Din,
}

/// Runs the command line and gives the process's exit code.
pub fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("{}error:{} {error:#}", crate::style::BAD.render(), crate::style::RESET);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    match cli.command {
        Some(Command::Decode(args)) => command::decode::run(&args, &mut output()),
        Some(Command::Exi(command)) => {
            command::exi::run(&command, &mut io::BufReader::new(io::stdin()), &mut output())
        }
        None => Ok(Exit::Good),
    }
}

/// The standard output: whoever writes to it decides about colours by [`crate::style`].
fn output() -> io::BufWriter<io::StdoutLock<'static>> {
    io::BufWriter::with_capacity(64 * 1024, io::stdout().lock())
}

/// Whether someone is looking: then each line appears at once.
pub fn is_interactive() -> bool {
    io::stdout().is_terminal()
}

/// The reader of our output had enough (`ccs ... | head`): that is no error.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
