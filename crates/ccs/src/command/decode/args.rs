//! The options of `ccs decode`.

use std::path::PathBuf;

use clap::Args;

use super::time::TimeName;

/// Options of `ccs decode`.
#[expect(clippy::struct_excessive_bools, reason = "each is an option on the command line")]
#[derive(Args)]
#[command(after_help = "\
Each FILE may be:
  a capture       pcapng or pcap
  text            logs of pyPLC, clara and EVerest, hex dumps, hexadecimal lines, C arrays, base64, CSV
  raw bytes       V2GTP or EXI
Each of them may be compressed with gzip, zstd or xz.

Examples:
  ccs decode session.pcapng                          every message; repeated ones are counted
  ccs decode --summary session.pcapng                what happened, which side ended it and why
  ccs decode --filter trouble,evse session.pcapng    errors that the charger reported
  ccs decode --filter CurrentDemand --time abs log   one message pair, with UTC times
  ccs decode -f charger.log                          follows the file; Ctrl-C prints the stories
  ccs decode --plot curves.svg --html session.html session.pcapng

Exit codes:
  0  everything was read
  1  an interface of a capture, a block of text or a truncated message was not read
  2  invalid command line")]
pub struct DecodeArgs {
    /// Files to read; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Prints one JSON object per line, and nothing else on standard output.
    #[arg(long)]
    pub json: bool,
    /// Prints for each file what happened instead of its messages: matchings, the story of each session,
    /// counts.
    #[arg(long)]
    pub summary: bool,
    /// Prints a CSV table instead of messages: time, phase, voltages, currents, targets, limits, state of
    /// charge.
    #[arg(long, conflicts_with_all = ["json", "summary"])]
    pub csv: bool,
    /// Writes the curves of voltage, current, power and state of charge to an SVG file, instead of printing
    /// messages.
    #[arg(long, value_name = "SVG")]
    pub plot: Option<PathBuf>,
    /// Writes stories, curves, the sequence of messages and the bits of each message to one HTML file,
    /// instead of printing messages.
    #[arg(long, value_name = "HTML")]
    pub html: Option<PathBuf>,
    /// Continues to read as the file grows, until Ctrl-C.
    #[arg(short, long)]
    pub follow: bool,
    /// Shows only some messages. TERMS are `pev` or `evse` (the sender), `trouble`, or a part of a message
    /// name, separated by commas. A message is shown if it matches one term of each kind that is given.
    #[arg(long, value_name = "TERMS", value_delimiter = ',')]
    pub filter: Vec<String>,
    /// Shows only discovery and the messages of sessions: no power-line messages, no connections.
    #[arg(long)]
    pub v2g: bool,
    /// Shows every message. By default repeated messages are counted: `x 412 in 44.3 s`.
    #[arg(long)]
    pub all: bool,
    /// Origin of the times.
    #[arg(long, value_enum, value_name = "HOW", default_value = "rel")]
    pub time: TimeName,
    /// Prints each message on one line, however wide the terminal is.
    #[arg(long, conflicts_with = "width")]
    pub wide: bool,
    /// Wraps lines at this many columns, at least 40. Default: the terminal's width; no limit without a
    /// terminal.
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(40..))]
    pub width: Option<u16>,
    /// Shows the keys in power-line messages, and the memory and parameters of modems, which contain keys.
    /// Redacted by default.
    #[arg(long)]
    pub show_keys: bool,
}
