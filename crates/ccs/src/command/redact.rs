//! `ccs redact`: copies a capture with replaced identifiers.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use hal_linux::{OsEntropy, Signals};

use crate::decode::source::{End, Source};
use crate::escape::{self, Plain};
use crate::exit::{Exit, Usage};
use crate::name;
use crate::redact::{self, Names, Options};

/// Options of `ccs redact`.
#[expect(clippy::struct_excessive_bools, reason = "each is an option on the command line")]
#[derive(Args)]
#[command(after_help = "\
Replaced by random values, the same identifier always by the same value within one file:
  MAC and IP addresses, network keys and identifiers, RunIDs, EVCCID, EVSEID, session ids, contracts,
  certificates, and all other texts and bytes of messages
Blanked, because they cannot be parsed:
  messages of ISO 15118-2 and -20, TLS, modem parameters, other protocols
Left out:
  names, comments and secrets in pcapng
Unchanged:
  times, electrical values, and the words of log text on UDP port 514: read it before you publish the file

Exit codes:
  0  the output is written; with --check: nothing would be blanked
  1  the input cannot be read or is truncated; with --check: something would be blanked
  2  invalid command line, or the output exists

Example:
  ccs redact session.pcapng -o public.pcapng")]
pub struct RedactArgs {
    /// Capture to read: pcapng or pcap.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Redacted capture to write; only its owner may read it.
    #[arg(short, long, value_name = "FILE", value_parser = name::Path, required_unless_present = "check")]
    pub output: Option<PathBuf>,
    /// Reports how much of each kind would be replaced and blanked, and writes nothing.
    #[arg(long, conflicts_with = "output")]
    pub check: bool,
    /// Overwrites the output if it exists.
    #[arg(long)]
    pub force: bool,
    /// Keeps the first half of MAC addresses, which identifies the manufacturer.
    #[arg(long)]
    pub keep_makers: bool,
    /// Keeps comments in pcapng. Identifiers in them are replaced; other words stay.
    #[arg(long)]
    pub keep_comments: bool,
}

/// Redacts a file, or reports what would be redacted.
pub fn run(args: &RedactArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let options = Options { keeps_makers: args.keep_makers, keeps_comments: args.keep_comments };
    let path = &args.file;
    let name = escape::path(path);
    let is_stream = |path: &Path| path.as_os_str() == "-";
    if is_stream(path) || args.output.as_deref().is_some_and(is_stream) {
        return Err(Usage(
            "give files: the capture is read twice, and the output gets its name when it is whole".into(),
        )
        .into());
    }
    if !fs::metadata(path).with_context(|| format!("reading {name}"))?.is_file() {
        return Err(Usage(format!("{name} is not a file: it is read twice, so give a file").into()).into());
    }
    if let Some(output) = &args.output
        && !args.force
        && fs::symlink_metadata(output).is_ok()
    {
        return Err(exists(output));
    }
    let mut entropy = OsEntropy;
    let mut names = redact::names(&mut entropy, options);
    let end =
        redact::gather(open(path)?, &mut names, options).with_context(|| format!("redacting {name}"))?;
    if let Some(output) = &args.output {
        // Held before the file is created, so that Ctrl-C removes it.
        let signals = Signals::hold()?;
        let file = Unfinished::create(output)?;
        let writer = Stoppable { file: &file.file, signals: &signals };
        redact::write(open(path)?, &mut names, options, &mut BufWriter::new(writer))
            .with_context(|| format!("redacting {name}"))?;
        file.finish(output, args.force)?;
    }
    let lost = report(&names, args.output.is_some(), out)?;
    out.flush()?;
    if let End::Cut(reason) = end {
        anstream::eprintln!(
            "{}: cut: {}; everything before that is redacted",
            Plain(&path.to_string_lossy()),
            Plain(&reason)
        );
        return Ok(Exit::Failed);
    }
    Ok(if args.check && lost { Exit::Failed } else { Exit::Good })
}

fn open(path: &Path) -> anyhow::Result<Source> {
    let name = escape::path(path);
    let file = File::open(path).with_context(|| format!("reading {name}"))?;
    let what = || format!("reading {name} (only pcapng and pcap captures are redacted, no text)");
    Source::open(Box::new(file)).with_context(what)
}

fn exists(output: &Path) -> anyhow::Error {
    let words = format!("{} exists; give another name, or --force to overwrite it", escape::path(output));
    Usage(words.into()).into()
}

/// Writes what was replaced and blanked. Returns whether anything was blanked.
fn report(names: &Names<'_>, is_done: bool, out: &mut dyn Write) -> io::Result<bool> {
    let would = if is_done { "" } else { "would be " };
    writeln!(out, "{would}replaced:")?;
    for (kind, different, places) in names.counts() {
        writeln!(out, "  {:28} {different:>6} in {places} places", kind.words())?;
    }
    let mut has_lost = false;
    for (what, count) in names.blanked() {
        if !has_lost {
            writeln!(out, "{would}blanked or left out:")?;
        }
        has_lost = true;
        writeln!(out, "  {count:>6} {what}")?;
    }
    Ok(has_lost)
}

/// A file to which writing fails once a signal requests the end.
struct Stoppable<'a> {
    file: &'a File,
    signals: &'a Signals,
}

impl Write for Stoppable<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.signals.take().unwrap_or(false) {
            return Err(io::Error::other("interrupted: nothing is written"));
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A file that receives its name when it is complete.
struct Unfinished {
    path: PathBuf,
    file: File,
}

impl Unfinished {
    /// Creates it next to the output, readable by its owner only.
    fn create(output: &Path) -> anyhow::Result<Self> {
        let name = output.file_name().context("the output has no name")?.to_string_lossy();
        let path = output.with_file_name(format!(".{name}.{}.part", std::process::id()));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = file.with_context(|| format!("writing {}", escape::path(output)))?;
        Ok(Self { path, file })
    }

    /// Gives it its name; without `force` only if no file has that name.
    fn finish(self, output: &Path, force: bool) -> anyhow::Result<()> {
        self.file.sync_all()?;
        if force {
            fs::rename(&self.path, output)?;
        } else if let Err(error) = fs::hard_link(&self.path, output) {
            if error.kind() == io::ErrorKind::AlreadyExists {
                return Err(exists(output));
            }
            // The file system has no hard links.
            fs::rename(&self.path, output)?;
        }
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // The file was renamed, or is incomplete.
        let _ = fs::remove_file(&self.path);
    }
}
