//! `ccs listen`: what goes over one or several interfaces, in the lines of `ccs decode`, and the stories at
//! the end.

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

/// The path that stands for the standard output.
const STDOUT: &str = "-";

/// The largest file with a key in bytes: judgement.
const KEY_FILE_MAX: u64 = 4096;

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
    /// A network interface; repeat it for several: their frames are merged by time, and what two of them show
    /// is one frame.
    #[arg(short, long = "interface", value_name = "IFACE", value_parser = name::Interface, required = true)]
    pub interfaces: Vec<String>,
    /// Sets each network key that a charger gives to a car in the own modem, which restarts, leaves its
    /// network and joins that one.
    #[arg(long)]
    pub join: bool,
    /// Sets the network key in this file (32 hexadecimal digits) in the own modem at the start.
    #[arg(long, value_name = "FILE", value_parser = name::Path)]
    pub key: Option<PathBuf>,
    /// Records all frames into a pcapng file, readable by its owner only; in a directory, one file for each
    /// session; `-` is the standard output, for Wireshark.
    #[arg(short = 'w', long, value_name = "PATH", value_parser = name::Path)]
    pub record: Option<PathBuf>,
    /// Ends the recording in a file at this size in megabytes and logs that.
    #[arg(long, value_name = "MB", value_parser = clap::value_parser!(u32).range(1..=1_000_000), default_value_t = Megabytes::USUAL.0)]
    pub record_max_mb: u32,
    /// Records network keys as they are; without it they are masked.
    #[arg(long, requires = "record")]
    pub with_keys: bool,
    /// One JSON object a line, and at the end one for all that was heard; nothing else on the standard
    /// output.
    #[arg(long)]
    pub json: bool,
    /// Shows the keys in power-line messages.
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
    // Beside a capture on the standard output the lines go to the other one.
    let out: Output = if is_live { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
    let palette = if is_live { Palette { enabled: false } } else { Palette::stdout() };
    let writer = Writer::new(&names, args.json, keys, palette, out, recorder);
    with_writer(writer, |queue| {
        // Let go at the end of this block: an output that stalls for ever can then be interrupted.
        let signals = signals;
        listener.run(&signals, queue)
    })
}

/// What the types of the arguments do not say.
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

/// A network's key from a file: 32 hexadecimal digits.
fn read_key(path: &Path) -> anyhow::Result<NetworkKey> {
    let name = escape::path(path);
    let (mut text, mut bytes) = (Vec::new(), Vec::new());
    let file = File::open(path).with_context(|| format!("reading the key in {name}"))?;
    file.take(KEY_FILE_MAX).read_to_end(&mut text).with_context(|| format!("reading the key in {name}"))?;
    let nmk = hex::parse(text.trim_ascii(), &mut bytes)
        .ok()
        .and_then(|()| <[u8; Nmk::LEN]>::try_from(bytes.as_slice()).ok());
    let Some(nmk) = nmk else {
        // What the file has may be a key with a slip: it is not shown.
        return Err(Usage(format!("{name}: expected a network key of 32 hexadecimal digits").into()).into());
    };
    Ok(NetworkKey::derived(Nmk::new(nmk)))
}
