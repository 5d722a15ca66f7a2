//! The command line.

mod decode;
mod modem;
mod world;

use std::borrow::Cow;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use session::StopReason;

use crate::{command, config, name};

pub use decode::DecodeArgs;
pub use modem::{
    CheckArgs, DoctorArgs, KeyArgs, LinkArgs, ModemCommand, OneModemArgs, PibCommand, ReadArgs, ResetArgs,
    RoleArgs, RoleName, TargetArgs, WriteArgs,
};

pub use world::{Format, LiesArgs, ListArgs, ReplayArgs, ReportArgs, RunArgs, WorldCommand};

/// The communication stack of CCS and NACS fast charging: decode captures, filter EXI, run a charger.
///
/// Without a subcommand, `ccs` shows a whole charging session inside the process: charger, car, both modems. No
/// hardware, no network, no privileges.
#[derive(Parser)]
#[command(name = "ccs", version, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_CODES: &str = "\
Exit codes:
  0       all good; for a session: it ended as it should
  1       some input was refused, cut or did not decode; or an error of the operating system
  2       wrong usage or configuration
  3       no access: a missing privilege or interface
  10..65  the last session's stop reason: 10.. people, 20.. pilot, 30.. messages and timers,
          40.. this program, 50.. electrical, 60.. network
  62      no modem answers
  130     interrupted: `ccs evse` switched off at once by a second SIGINT, `ccs modem` by the first";

/// What the process tells its caller; `ccs --help` has the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All good.
    Good,
    /// Something in the input was not good.
    Failed,
    /// A session ended for a reason with this code; 0 is a good end.
    Session(u8),
    /// A second SIGINT, or the first where nothing is to be ended in order.
    Interrupted,
}

/// Invalid command line or configuration.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub Cow<'static, str>);

/// An end with an exit code of its own.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// Destructive: needs `--yes`.
    #[error("{0}")]
    Refused(String),
    /// There is a stop reason, such as that no modem answers.
    #[error("{cause}; {advice}", cause = .0.cause, advice = .0.advice())]
    Stopped(StopReason),
    /// Ctrl-C, and what that means.
    #[error("{0}")]
    Interrupted(String),
}

impl Ended {
    fn exit(&self) -> Exit {
        match self {
            Self::Refused(_) => Exit::Session(2),
            Self::Stopped(reason) => Exit::Session(reason.exit_code()),
            Self::Interrupted(_) => Exit::Interrupted,
        }
    }
}

impl Exit {
    /// As a number.
    pub fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Failed => 1,
            Self::Session(code) => code,
            Self::Interrupted => 130,
        }
    }

    /// Good only if both are.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == Self::Good { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[derive(Subcommand)]
enum Command {
    /// Shows a whole charging session, both sides and both modems, in virtual time; so does `ccs` alone.
    Demo(DemoArgs),
    /// The simulated world: random faults by seed, fault scenarios, reports.
    #[command(
        subcommand,
        after_help = "\
Examples:
  ccs world run --seeds 1000       faults by chance: is any safety rule broken, does every car charge again
  ccs world replay 3               what happened in the world of seed 3, and who stopped
  ccs world list X074              one fault with its cases: what is done, and what must be seen
  ccs world replay X074 --case 2   one of them, played
  ccs world replay my.txt          a file of scenarios, such as a failing seed prints one
  ccs world report --format html -o report.html"
    )]
    World(WorldCommand),
    /// Shows the messages in captures, both directions, in the order in which they were completed.
    Decode(DecodeArgs),
    /// Listens on network interfaces: the messages of both sides live, and why a session stopped.
    Listen(ListenArgs),
    /// Replaces the identifiers and keys in a capture, so that it can be shown to others.
    Redact(RedactArgs),
    /// Filters EXI documents: one line out for every line in.
    #[command(subcommand)]
    Exi(ExiCommand),
    /// Runs a charger on a network interface with a power-line modem.
    Evse(EvseArgs),
    /// Runs a car on a network interface with a power-line modem.
    Pev(PevArgs),
    /// Finds, shows, keys, sets up and restarts power-line modems.
    #[command(subcommand)]
    Modem(ModemCommand),
    /// Says whether this machine, its interface and its modem are ready for a charger or a car.
    Doctor(DoctorArgs),
    /// Simulates the modems of a charger and a car and the power line between them, in real time.
    SimModem(SimModemArgs),
}

/// What `ccs evse` takes.
#[expect(clippy::struct_excessive_bools, reason = "each is an option on the command line")]
#[derive(Args)]
#[command(after_help = "\
SIGINT (Ctrl-C), SIGTERM and SIGHUP end the session in order; a second SIGINT or SIGTERM, and SIGQUIT, switch off at
once. SIGUSR1 logs counters. The stop reason is the last line, its code the exit code (`ccs --help`).")]
pub struct EvseArgs {
    /// The network interface that the modem is connected to.
    #[arg(short, long, value_name = "IFACE", value_parser = name::Interface)]
    pub interface: Option<String>,
    /// Configuration (TOML); command-line options override it.
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Prints the configuration with all keys and their meaning, then exits.
    #[arg(long)]
    pub print_config: bool,
    /// What drives pilot and power: `simulated` moves nothing real. There is no default.
    #[arg(long, value_name = "NAME")]
    pub plant: Option<String>,
    /// Records all frames, with their messages as comments, and what the plant does into a pcapng file; in a directory,
    /// one file for each session.
    #[arg(long, value_name = "PATH", value_parser = name::Path)]
    pub record: Option<PathBuf>,
    /// Writes network keys into the recording as they are; by default they are zeros.
    #[arg(long)]
    pub with_keys: bool,
    /// Ends a file of the recording at this size in megabytes and logs that.
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub record_max_mb: Option<u32>,
    /// Logs every message. By default repeated messages are counted; the count is logged every ten seconds.
    #[arg(long)]
    pub all: bool,
    /// The file that stores a latch across restarts. Default: in `$STATE_DIRECTORY`, else in
    /// /var/lib/ccs for root and in ~/.local/state/ccs for others.
    #[arg(long, value_name = "FILE", value_parser = name::Path)]
    pub state: Option<PathBuf>,
    /// Removes the stored latch, then exits: for use after its cause is repaired.
    #[arg(long)]
    pub reset_latch: bool,
    /// Stops after N sessions.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub sessions: Option<u32>,
    /// How the link to the car comes about: `slac` matches through the modem; `up` takes it as there (the modems
    /// are paired already, or it is a plain Ethernet).
    #[arg(long, value_enum, value_name = "HOW")]
    pub link: Option<LinkHow>,
}

/// How a link comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LinkHow {
    /// Match by SLAC.
    Slac,
    /// Assume an existing link.
    Up,
}

/// What `ccs pev` takes.
#[expect(clippy::struct_excessive_bools, reason = "each is an option on the command line")]
#[derive(Args)]
#[command(after_help = "\
SIGINT (Ctrl-C), SIGTERM and SIGHUP end the session in order; a second SIGINT or SIGTERM, and SIGQUIT, switch off at
once. SIGUSR1 logs counters. The stop reason is the last line, its code the exit code (`ccs --help`).")]
pub struct PevArgs {
    /// The network interface that the modem is connected to.
    #[arg(short, long, value_name = "IFACE", value_parser = name::Interface, required_unless_present = "print_config")]
    pub interface: Option<String>,
    /// Configuration (TOML); command-line options override it.
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Prints the configuration with all keys and their meaning, then exits.
    #[arg(long)]
    pub print_config: bool,
    /// What drives contactors and lock: `simulated` moves nothing real. There is no default.
    #[arg(long, value_name = "NAME", required_unless_present_any = ["matches", "reset_latch", "print_config"])]
    pub plant: Option<String>,
    /// How the link to the charger comes about: `slac` matches through the modem; `up` assumes an existing link.
    #[arg(long, value_enum, value_name = "HOW", default_value = "slac")]
    pub link: LinkHow,
    /// Records all frames, with their messages as comments, and what the plant does into a pcapng file; in a directory,
    /// one file for each session.
    #[arg(long, value_name = "PATH", value_parser = name::Path)]
    pub record: Option<PathBuf>,
    /// Writes network keys into the recording as they are; by default they are zeros.
    #[arg(long)]
    pub with_keys: bool,
    /// Ends a file of the recording at this size in megabytes and logs that.
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..=1_000_000), default_value_t = config::Megabytes::USUAL.0)]
    pub record_max_mb: u32,
    /// Logs every message. By default repeated messages are counted; the count is logged every ten seconds.
    #[arg(long)]
    pub all: bool,
    /// The file that stores a latch across restarts. Default: in `$STATE_DIRECTORY`, else in
    /// /var/lib/ccs for root and in ~/.local/state/ccs for others.
    #[arg(long, value_name = "FILE", value_parser = name::Path)]
    pub state: Option<PathBuf>,
    /// Removes the stored latch, then exits: for use after its cause is repaired.
    #[arg(long)]
    pub reset_latch: bool,
    /// Stops after N sessions.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub sessions: Option<u32>,
    /// State of charge at the start, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 50, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub soc: u8,
    /// Target state of charge, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 80, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub target_soc: u8,
    /// Light bulbs of 230 V in place of the battery, until Ctrl-C.
    #[arg(long, conflicts_with_all = ["soc", "target_soc"])]
    pub bulbs: bool,
    /// Stops after N matches, each held for a second, without a session.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub matches: Option<u32>,
    /// Stops after this many seconds without a match.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: Option<u64>,
}

/// What `ccs sim-modem` takes.
#[derive(Args)]
#[command(after_help = "\
Example, as root: two hosts as network namespaces, each with one end of a veth pair; the other ends stay here.
  ip netns add evse; ip link add plc0 netns evse type veth peer name line0; ip link set line0 up
  ip netns add pev;  ip link add plc0 netns pev  type veth peer name line1; ip link set line1 up
  ip -n evse link set plc0 up; ip -n pev link set plc0 up
  ccs sim-modem line0 line1 &
  ip netns exec evse ccs evse -i plc0 --plant simulated &
  ip netns exec pev ccs pev -i plc0")]
pub struct SimModemArgs {
    /// Interface on which the charger's host is.
    #[arg(value_name = "CHARGER_IFACE", value_parser = name::Interface)]
    pub charger: String,
    /// Interface on which the car's host is.
    #[arg(value_name = "CAR_IFACE", value_parser = name::Interface)]
    pub car: String,
    /// Interface of a listener whose modem is a third station on the line, set up as a charger's.
    #[arg(long = "listener-as-charger", value_name = "IFACE", value_parser = name::Interface)]
    pub as_charger: Option<String>,
    /// Interface of a listener whose modem is a third station on the line, set up as a car's.
    #[arg(long = "listener-as-car", value_name = "IFACE", value_parser = name::Interface)]
    pub as_car: Option<String>,
    /// The charger's modem.
    #[arg(long, value_enum, default_value = "qca7005")]
    pub charger_modem: ModemKindName,
    /// The car's modem.
    #[arg(long, value_enum, default_value = "qca7005")]
    pub car_modem: ModemKindName,
    /// Attenuation between them in dB.
    #[arg(long, value_name = "DB", default_value_t = 9)]
    pub attenuation: u8,
    /// Frames lost on the power line, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub loss: u8,
    /// How long a modem is silent after it took a key, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 3000)]
    pub restart_ms: u64,
    /// Seed of everything that is random.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// Kinds of modems that can be simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModemKindName {
    /// QCA7005, automotive.
    Qca7005,
    /// QCA7000, automotive.
    Qca7000,
    /// QCA7420, in powerline plugs: does not measure.
    Qca7420,
    /// INT6000, older: no matching.
    Int6000,
    /// Lumissil.
    Lumissil,
}

/// What `ccs demo` takes.
#[derive(Args)]
pub struct DemoArgs {
    /// Seed of everything that is random.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Plays a scenario in which something goes wrong, such as X074; `ccs world list` shows them.
    #[arg(long, value_name = "ID", conflicts_with_all = ["soc", "target_soc"])]
    pub fault: Option<String>,
    /// Which of the scenario's cases, counted from 1.
    #[arg(long, value_name = "N", requires = "fault")]
    pub case: Option<usize>,
    /// At the pace of a real session.
    #[arg(long)]
    pub realtime: bool,
    /// Every message, repetitions too.
    #[arg(long)]
    pub all: bool,
    /// Records the frames on the charger's cable into a pcapng file.
    #[arg(long, value_name = "FILE", value_parser = name::Path)]
    pub record: Option<PathBuf>,
    /// State of charge at the start, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 50, value_parser = clap::value_parser!(u8).range(0..=99))]
    pub soc: u8,
    /// Target state of charge, in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 80, value_parser = clap::value_parser!(u8).range(1..=94))]
    pub target_soc: u8,
}

impl Default for DemoArgs {
    fn default() -> Self {
        Self {
            seed: None,
            fault: None,
            case: None,
            realtime: false,
            all: false,
            record: None,
            soc: 50,
            target_soc: 80,
        }
    }
}

/// What `ccs listen` takes.
#[expect(clippy::struct_excessive_bools, reason = "each is an option on the command line")]
#[derive(Args)]
#[command(after_help = "\
Ctrl-C ends it and shows the matchings and the story of each session. SIGUSR1 says how many frames were heard.
Nothing is sent without --join or --key. docs/listen.md says where a listener sees both sides.

Examples:
  ccs listen -i eth1                          on the charger's or the car's host, or at the port of a mirror
  ccs listen -i m1 -i m2 --join               two modems back to back as a bridge in the line
  ccs listen -i eth1 -w session.pcapng        the same frames in a file
  ccs listen -i eth1 -w - | wireshark -k -i - live in Wireshark; the lines go to the standard error")]
pub struct ListenArgs {
    /// A network interface; repeat it for several: their frames are merged by time, and what two of them show is one frame.
    #[arg(short, long = "interface", value_name = "IFACE", value_parser = name::Interface, required = true)]
    pub interfaces: Vec<String>,
    /// Sets each network key that a charger gives to a car in the own modem, which restarts, leaves its network and joins
    /// that one.
    #[arg(long)]
    pub join: bool,
    /// Sets the network key in this file (32 hexadecimal digits) in the own modem at the start.
    #[arg(long, value_name = "FILE", value_parser = name::Path)]
    pub key: Option<PathBuf>,
    /// Records all frames into a pcapng file, readable by its owner only; in a directory, one file for each session; `-` is
    /// the standard output, for Wireshark.
    #[arg(short = 'w', long, value_name = "PATH", value_parser = name::Path)]
    pub record: Option<PathBuf>,
    /// Ends the recording in a file at this size in megabytes and logs that.
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..=1_000_000), default_value_t = config::Megabytes::USUAL.0)]
    pub record_max_mb: u32,
    /// Records network keys as they are; without it they are masked.
    #[arg(long, requires = "record")]
    pub with_keys: bool,
    /// One JSON object a line, and at the end one for all that was heard; nothing else on the standard output.
    #[arg(long)]
    pub json: bool,
    /// Shows the keys in power-line messages.
    #[arg(long)]
    pub show_keys: bool,
}

/// What `ccs redact` takes.
#[expect(clippy::struct_excessive_bools, reason = "each is an option on the command line")]
#[derive(Args)]
#[command(after_help = "\
Replaced by random ones, the same one always by the same one within a file: MAC addresses, IP addresses, network keys and
identifiers, RunIDs, EVCCID, EVSEID, session ids, contracts, certificates and all other texts and bytes of messages. Blanked,
for it cannot be taken apart: messages of ISO 15118-2 and -20, TLS, parameters of modems, other protocols. Left out: names,
comments and secrets in pcapng. Log text on UDP port 514 keeps its words: read it before you show it. Times and electrical
values stay.
Exit codes: 0 the output is written, or with --check nothing would be blanked; 1 with --check something would be blanked,
the input is cut, or it cannot be read; 2 wrong usage, such as an output that exists.")]
pub struct RedactArgs {
    /// The capture: pcapng or pcap.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where the redacted capture goes; it is readable by its owner only.
    #[arg(short, long, value_name = "FILE", value_parser = name::Path, required_unless_present = "check")]
    pub output: Option<PathBuf>,
    /// Reports what would be replaced and blanked, by kind and count, and writes nothing.
    #[arg(long, conflicts_with = "output")]
    pub check: bool,
    /// Overwrites the output if it exists.
    #[arg(long)]
    pub force: bool,
    /// Keeps the first half of MAC addresses, which names the maker.
    #[arg(long)]
    pub keep_makers: bool,
    /// Keeps comments in pcapng, with identifiers replaced as in log text; their words stay.
    #[arg(long)]
    pub keep_comments: bool,
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
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let words = format!("{error:#}");
            let words = crate::escape::Lines(&words);
            anstream::eprintln!("{}error:{} {words}", crate::style::BAD.render(), crate::style::RESET);
            ExitCode::from(code_of(&error))
        }
    }
}

/// What clap says of a command line, which may have quoted what steers a terminal.
fn refuse(error: &clap::Error) -> ExitCode {
    let words = error.to_string();
    let escaped = crate::escape::Lines(&words).to_string();
    if escaped == words {
        error.exit();
    }
    anstream::eprint!("{escaped}");
    ExitCode::from(2)
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    match cli.command {
        Some(Command::Decode(args)) => command::decode::run(&args, &mut output()),
        Some(Command::Listen(args)) => command::listen::run(&args),
        Some(Command::Redact(args)) => command::redact::run(&args, &mut output()),
        Some(Command::Exi(command)) => {
            command::exi::run(&command, &mut io::BufReader::new(io::stdin()), &mut output())
        }
        Some(Command::Evse(args)) => command::evse::run(&args, &mut io::stdout()),
        Some(Command::Pev(args)) => command::pev::run(&args, &mut io::stdout()),
        Some(Command::Modem(command)) => command::modem::run(&command, &mut io::stdout()),
        Some(Command::Doctor(args)) => command::doctor::run(&args, &mut io::stdout()),
        Some(Command::SimModem(args)) => command::sim_modem::run(&args, &mut io::stdout()),
        Some(Command::Demo(args)) => crate::demo::run(&args, &mut output()),
        Some(Command::World(command)) => crate::world::run(&command, &mut output()),
        None => crate::demo::run(&DemoArgs::default(), &mut output()),
    }
}

/// The exit code of what ended the program.
pub fn code_of(error: &anyhow::Error) -> u8 {
    let is_usage =
        |cause: &(dyn std::error::Error + 'static)| cause.is::<Usage>() || cause.is::<config::Error>();
    let is_access = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<hal_linux::Error>().is_some_and(hal_linux::Error::is_access)
    };
    if let Some(ended) = error.downcast_ref::<Ended>() {
        ended.exit().code()
    } else if error.chain().any(is_usage) {
        2
    } else if error.chain().any(is_access) {
        3
    } else {
        1
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

/// The reader of our output closed it (`ccs ... | head`): not an error.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}
