//! `ccs listen`: shows the messages on one or several interfaces in the lines of `ccs decode`, and the
//! stories at the end.

mod ear;
mod merge;
mod words;
mod writer;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use hal_linux::{Clock, Interface, Recorder, Signals};
use homeplug_mme::{NetworkKey, Nmk};

use crate::config::Megabytes;
use crate::decode::Keys;
use crate::escape;
use crate::exit::{Exit, Usage};
use crate::hex;
use crate::name;
use crate::recording::{Recording, Setup};
use crate::style::Palette;
use crate::style::is_interactive;

use ear::Listener;
use merge::MAX_EARS;
use writer::{Output, Record, Writer, with_writer};

/// The path that stands for standard output.
const STDOUT: &str = "-";

/// Largest key file in bytes: judgement.
const KEY_FILE_MAX: u64 = 4096;

/// Options of `ccs listen`.
#[expect(clippy::struct_excessive_bools, reason = "each is an option on the command line")]
#[derive(Args)]
#[command(after_help = "\
Ctrl-C ends the program and prints the matchings and the story of each session. SIGUSR1 prints the number of
frames. Nothing is sent without --join or --key. Where a listener receives both sides: docs/listen.md.

Examples:
  ccs listen -i eth1                          on the charger's or the car's host, or at a mirror port
  ccs listen -i m1 -i m2 --join               at two modems that form a bridge in the line
  ccs listen -i eth1 -w session.pcapng        also records the frames
  ccs listen -i eth1 -w - | wireshark -k -i - live in Wireshark; the lines go to standard error")]
pub struct ListenArgs {
    /// Network interface to listen on. Repeat it for several interfaces: their frames are merged by time, and
    /// a frame seen on two interfaces counts once.
    #[arg(short, long = "interface", value_name = "IFACE", value_parser = name::Interface, required = true)]
    pub interfaces: Vec<String>,
    /// Configures the modem on each interface with every network key that a charger sends to a car. The modem
    /// then restarts, leaves its network and joins the charger's.
    #[arg(long)]
    pub join: bool,
    /// Configures the modem on each interface at the start with the network key in this file (32 hexadecimal
    /// digits).
    #[arg(long, value_name = "FILE", value_parser = name::Path)]
    pub key: Option<PathBuf>,
    /// Records all frames to a pcapng file that only its owner may read. If PATH is a directory, each session
    /// has its own file there; `-` is standard output, for Wireshark.
    #[arg(short = 'w', long, value_name = "PATH", value_parser = name::Path)]
    pub record: Option<PathBuf>,
    /// Ends a recording file at this size in megabytes (1 to 1000000) and logs that.
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..=1_000_000), default_value_t = Megabytes::USUAL.0)]
    pub record_max_mb: u32,
    /// Records network keys unchanged; by default they are replaced by zeros.
    #[arg(long, requires = "record")]
    pub with_keys: bool,
    /// Prints one JSON object per line and a summary object at the end, and nothing else on standard output.
    #[arg(long)]
    pub json: bool,
    /// Shows the keys in power-line messages; by default they are redacted.
    #[arg(long)]
    pub show_keys: bool,
}

/// Listens until it is stopped.
pub fn run(args: &ListenArgs) -> anyhow::Result<Exit> {
    let is_live = args.record.as_deref().is_some_and(|path| path.as_os_str() == STDOUT);
    check(args, is_live)?;
    let key = args.key.as_deref().map(read_key).transpose()?;
    let interfaces =
        args.interfaces.iter().map(|name| Interface::find(name)).collect::<Result<Vec<_>, _>>()?;
    let clock = Clock::start();
    let listener = Listener::open(&interfaces, args.join, key, clock)?;
    let names = args.interfaces.join("+");
    let recorder = recorder(args, is_live, &names)?;
    let signals = Signals::hold()?;
    let keys = if args.show_keys { Keys::Shown } else { Keys::Redacted };
    // If a capture goes to standard output, the lines go to standard error.
    let out: Output = if is_live { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
    let palette = if is_live { Palette { enabled: false } } else { Palette::stdout() };
    let writer = Writer::new(&names, args.json, keys, palette, out, recorder);
    with_writer(writer, |queue| {
        // The signals are released at the end of this block, so that Ctrl-C can interrupt an output that
        // stalls.
        let signals = signals;
        listener.run(&signals, queue)
    })
}

/// Checks that the types of the arguments cannot express.
fn check(args: &ListenArgs, is_live: bool) -> Result<(), Usage> {
    if args.interfaces.len() > MAX_EARS {
        return Err(Usage(format!("at most {MAX_EARS} interfaces at once").into()));
    }
    let mut names = args.interfaces.clone();
    names.sort_unstable();
    names.dedup();
    if names.len() < args.interfaces.len() {
        return Err(Usage("each `-i` needs an interface of its own".into()));
    }
    if is_live && is_interactive() {
        return Err(Usage(
            "`-w -` writes a capture, and the standard output is a terminal: pipe it, for example into \
             `wireshark -k -i -`"
                .into(),
        ));
    }
    if is_live && args.json {
        return Err(Usage("`-w -` and `--json` both want the standard output: record into a file".into()));
    }
    Ok(())
}

fn recorder(args: &ListenArgs, is_live: bool, names: &str) -> anyhow::Result<Option<Record>> {
    let Some(path) = args.record.as_deref() else { return Ok(None) };
    let with_keys = args.with_keys;
    if is_live {
        let recorder = Recorder::new(Box::new(io::BufWriter::new(io::stdout())) as Output, names)?;
        return Ok(Some(Record::Live { recorder, with_keys }));
    }
    let (at_most, configuration) = (Megabytes(args.record_max_mb), String::new());
    let setup = Setup { path, interface: names, at_most, with_keys, configuration, car: None };
    Ok(Some(Record::File(Box::new(Recording::open(setup)?))))
}

/// A network key from a file: 32 hexadecimal digits.
fn read_key(path: &Path) -> anyhow::Result<NetworkKey> {
    let name = escape::path(path);
    let (mut text, mut bytes) = (Vec::new(), Vec::new());
    let file = File::open(path).with_context(|| format!("reading the key in {name}"))?;
    file.take(KEY_FILE_MAX).read_to_end(&mut text).with_context(|| format!("reading the key in {name}"))?;
    let nmk = hex::parse(text.trim_ascii(), &mut bytes)
        .ok()
        .and_then(|()| <[u8; Nmk::LEN]>::try_from(bytes.as_slice()).ok());
    let Some(nmk) = nmk else {
        // The content may be a key with a typing error, so it is not printed.
        return Err(Usage(format!("{name}: expected a network key of 32 hexadecimal digits").into()).into());
    };
    Ok(NetworkKey::derived(Nmk::new(nmk)))
}
