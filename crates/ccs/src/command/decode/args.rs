//! The options of `ccs decode`.

use std::path::PathBuf;

use clap::Args;

use super::time::TimeName;

/// What `ccs decode` takes.
#[expect(clippy::struct_excessive_bools, reason = "each is an option on the command line")]
#[derive(Args)]
#[command(after_help = "\
Files: pcapng and pcap captures, any text with messages in it (logs of pyPLC, clara and EVerest, hex dumps, lines of
hexadecimal digits, C arrays, base64, CSV), raw V2GTP and raw EXI; each also as gzip, zstd or xz.

Examples:
  ccs decode session.pcapng                          every message; what repeats is counted
  ccs decode --summary session.pcapng                what happened, who ended it and why
  ccs decode --filter trouble,evse session.pcapng    what the charger complained about
  ccs decode --filter CurrentDemand --time abs log   one pair of messages, by the clock
  ccs decode -f charger.log                          as the file grows; Ctrl-C prints the stories
  ccs decode --plot curves.svg --html session.html session.pcapng

Exit codes: 0 all was read; 1 an interface, a block of text or a cut message was not; 2 wrong usage.")]
pub struct DecodeArgs {
    /// What is to be read; `-` is the standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// One JSON object a line; nothing else on the standard output.
    #[arg(long)]
    pub json: bool,
    /// What happened in each file instead of its messages: matchings, the story of each session, counts.
    #[arg(long)]
    pub summary: bool,
    /// A table instead of messages: time, phase, voltages, currents, targets, limits, state of charge.
    #[arg(long, conflicts_with_all = ["json", "summary"])]
    pub csv: bool,
    /// Writes the curves of voltage, current, power and state of charge into an SVG picture, instead of
    /// messages.
    #[arg(long, value_name = "SVG")]
    pub plot: Option<PathBuf>,
    /// Writes stories, curves, the ladder of messages and each message with its bits into one HTML file,
    /// instead of messages.
    #[arg(long, value_name = "HTML")]
    pub html: Option<PathBuf>,
    /// Goes on as the file grows, until Ctrl-C.
    #[arg(short, long)]
    pub follow: bool,
    /// Shows only some messages: `pev` or `evse` sends them, `trouble`, or a part of their name. Terms of one
    /// sort, separated by commas, are alternatives; each sort must hold.
    #[arg(long, value_name = "TERMS", value_delimiter = ',')]
    pub filter: Vec<String>,
    /// Shows only discovery and the messages of sessions: no power-line messages, no connections.
    #[arg(long)]
    pub v2g: bool,
    /// Shows every message. By default what repeats is counted: `x 412 in 44.3 s`.
    #[arg(long)]
    pub all: bool,
    /// What times count from.
    #[arg(long, value_enum, value_name = "HOW", default_value = "rel")]
    pub time: TimeName,
    /// Does not fit lines into the terminal.
    #[arg(long, conflicts_with = "width")]
    pub wide: bool,
    /// Fits lines into this many columns. Default: the terminal's; any number where the output is none.
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(40..))]
    pub width: Option<u16>,
    /// Shows the keys in power-line messages, and memory and parameters of modems, which hold keys.
    #[arg(long)]
    pub show_keys: bool,
}
