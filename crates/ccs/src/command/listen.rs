//! `ccs listen`: what goes over one or several interfaces, in the lines of `ccs decode`, and the stories at the end.

mod ear;
mod merge;
mod scribe;
mod words;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context;
use hal_linux::{Clock, Interface, Recorder, Signals};
use homeplug_mme::{NetworkKey, Nmk};

use crate::cli::{Exit, ListenArgs, Usage, is_interactive};
use crate::config::Megabytes;
use crate::decode::Keys;
use crate::escape;
use crate::hex;
use crate::recording::{Recording, Setup};
use crate::style::Palette;

use ear::Listener;
use merge::MAX_EARS;
use scribe::{Output, Record, Scribe, with_scribe};

/// The path that stands for the standard output.
const STDOUT: &str = "-";

/// The largest file with a key in bytes: judgement.
const KEY_FILE_MAX: u64 = 4096;

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
    let scribe = Scribe::new(&names, args.json, keys, palette, out, recorder);
    with_scribe(scribe, |desk| {
        // Let go at the end of this block: an output that stalls for ever can then be interrupted.
        let signals = signals;
        listener.run(&signals, desk)
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
