//! `ccs modem pib`: parameters of modems and in files.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand, ValueEnum};
use modem::pib::{Editor, Image, Role, checksum32};
use modem::{Details, PibWriter, Refusal, WriteEvent, WritePlan, WriteStep};
use roles::Mac;
use serde_json::{Value as Json, json};

use super::Bench;
use super::show::{image_json, image_rows, list};
use super::target::{OneModemArgs, TargetArgs};
use crate::drive::End;
use crate::escape::{self, Plain};
use crate::exit::{Ended, Exit};

/// Largest file that is read, in bytes: more than any image has.
const MAX_FILE: u64 = 1 << 20;

/// Commands of `ccs modem pib`.
#[derive(Subcommand)]
pub enum PibCommand {
    /// Saves the parameters of a modem to a file. The file then contains the modem's keys.
    Read(ReadArgs),
    /// Checks a parameter file: structure, checksums, unusual values. Exit code 1 if the file is faulty.
    Check(CheckArgs),
    /// Configures the own modem for a charger or a car; saves a backup first.
    Role(RoleArgs),
    /// Writes a parameter file to a modem and verifies it; saves a backup first.
    Write(WriteArgs),
}

/// Options of `ccs modem pib read`.
#[derive(Args)]
pub struct ReadArgs {
    /// File for the parameters; only its owner may read it.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    /// The modem.
    pub of: OneModemArgs,
    /// Confirms the change: replaces an existing file.
    #[arg(long)]
    pub yes: bool,
}

/// Options of `ccs modem pib check`.
#[derive(Args)]
pub struct CheckArgs {
    /// Parameter file.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Prints one JSON object, and nothing else on standard output.
    #[arg(long)]
    pub json: bool,
}

/// Options of `ccs modem pib role`.
#[derive(Args)]
pub struct RoleArgs {
    /// Side of the cable that the modem is for.
    #[arg(value_enum)]
    pub role: RoleName,
    #[command(flatten)]
    /// The interface and the form of the output.
    pub at: TargetArgs,
    /// File for the parameters before the change. Default: `pib-MAC-CHECKSUM.bak` in the working directory.
    #[arg(long, value_name = "FILE")]
    pub backup: Option<PathBuf>,
    /// Confirms the change: writes the parameters to the modem.
    #[arg(long)]
    pub yes: bool,
}

/// Sides of the cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    /// The charger's.
    Evse,
    /// The car's.
    Pev,
}

/// Options of `ccs modem pib write`.
#[derive(Args)]
pub struct WriteArgs {
    /// File with all parameters, as saved by `ccs modem pib read`.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// File for the parameters before the change. An existing file must have the same content.
    #[arg(long, value_name = "FILE")]
    pub backup: PathBuf,
    #[command(flatten)]
    /// The modem.
    pub of: OneModemArgs,
    /// Confirms the change: writes the parameters to the modem.
    #[arg(long)]
    pub yes: bool,
}

/// Refuses to replace a file without `--yes`.
pub(super) fn before_read(args: &ReadArgs) -> anyhow::Result<()> {
    if args.yes || !args.file.exists() {
        return Ok(());
    }
    let file = escape::path(&args.file);
    Err(Ended::Refused(format!("nothing was done: {file} is there already; with --yes it is replaced"))
        .into())
}

/// Saves a modem's parameters.
pub(super) fn read(args: &ReadArgs, bench: &mut Bench<'_>) -> anyhow::Result<Exit> {
    before_read(args)?;
    let (_, bytes) = parameters(bench, args.of.modem)?;
    save(&args.file, &bytes, args.yes)?;
    let image = Image::parse(&bytes)?;
    if args.of.at.json {
        bench.say_json(&with_file(&args.file, image_json(&image)))?;
    } else {
        let mut rows = vec![("file", format!("{}; it holds the modem's keys", escape::path(&args.file)))];
        rows.extend(image_rows(&image));
        bench.say(&list(&rows))?;
    }
    Ok(Exit::Good)
}

/// Checks a file.
pub(super) fn check(args: &CheckArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<Exit> {
    let bytes = contents(&args.file)?;
    let parsed = Image::parse(&bytes);
    let exit = if parsed.is_ok() { Exit::Good } else { Exit::Failed };
    let text = match (parsed, args.json) {
        (Ok(image), true) => format!("{}\n", escape::json(&with_file(&args.file, image_json(&image)))),
        (Ok(image), false) => list(&image_rows(&image)),
        (Err(error), true) => {
            let found =
                json!({ "error": error.fault.to_string(), "offset": error.offset, "bytes": bytes.len() });
            format!("{}\n", escape::json(&with_file(&args.file, found)))
        }
        (Err(error), false) => {
            format!("{}: {error}; it has {} bytes\n", escape::path(&args.file), bytes.len())
        }
    };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(exit)
}

/// Configures the own modem for one side of the cable.
pub(super) fn role(args: &RoleArgs, bench: &mut Bench<'_>) -> anyhow::Result<Exit> {
    let (details, before) = parameters(bench, None)?;
    let mut after = before.clone();
    let role = match args.role {
        RoleName::Evse => Role::Evse,
        RoleName::Pev => Role::Pev,
    };
    let family =
        || format!("modem of the family {} ({})", details.profile.name, escape::word(&details.firmware));
    Editor::open(&mut after)?.set_role(role).with_context(family)?;
    let backup = args.backup.clone().unwrap_or_else(|| backup_name(details.address, &before));
    change(bench, &before, &after, &backup, args.at.json, args.yes)
}

/// Writes a file to a modem.
pub(super) fn write(args: &WriteArgs, bench: &mut Bench<'_>) -> anyhow::Result<Exit> {
    let after = load(&args.file)?;
    let (_, before) = parameters(bench, args.of.modem)?;
    change(bench, &before, &after, &args.backup, args.of.at.json, args.yes)
}

/// Loads a file that can be written to a modem.
pub(super) fn load(file: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = contents(file)?;
    Image::parse(&bytes).with_context(|| format!("nothing was sent: {}", escape::path(file)))?;
    Ok(bytes)
}

fn contents(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = OpenOptions::new().read(true).open(file);
    read.and_then(|opened| opened.take(MAX_FILE).read_to_end(&mut bytes))
        .with_context(|| format!("reading {}", escape::path(file)))?;
    Ok(bytes)
}

/// Writes a file that only its owner may read, and waits until it is on the disk.
fn save(file: &Path, bytes: &[u8], replace: bool) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    let options = if replace { options.create(true).truncate(true) } else { options.create_new(true) };
    let saved = options.open(file).and_then(|mut opened| {
        opened.write_all(bytes)?;
        opened.sync_all()
    });
    saved.with_context(|| format!("saving {}", escape::path(file)))
}

/// The modem and its parameters.
fn parameters(bench: &mut Bench<'_>, target: Option<Mac>) -> anyhow::Result<(Details, Vec<u8>)> {
    let details = bench.ready(target, &[])?;
    let bytes = bench.parameters(target, details.profile, None)?;
    Ok((details, bytes))
}

/// A name that differs by modem and content, so that no backup replaces another.
fn backup_name(mac: Mac, bytes: &[u8]) -> PathBuf {
    let mac = mac.to_string().replace(':', "");
    format!("pib-{mac}-{:08x}.bak", checksum32(bytes)).into()
}

/// Saves the backup; on return it is on the disk.
fn back_up(file: &Path, before: &[u8]) -> anyhow::Result<()> {
    if !file.exists() {
        return save(file, before, false);
    }
    if contents(file)? != before {
        bail!(
            "nothing was sent: {} is no backup of what the modem has now; give another name",
            escape::path(file)
        );
    }
    Ok(())
}

/// Checks the change, saves the backup, shows the difference and, if confirmed, writes.
fn change(
    bench: &mut Bench<'_>,
    before: &[u8],
    after: &[u8],
    backup: &Path,
    as_json: bool,
    yes: bool,
) -> anyhow::Result<Exit> {
    let plan = match WritePlan::new(before, after) {
        Ok(plan) => plan,
        Err(Refusal::Unchanged) => {
            let mac = Image::parse(before)?.mac().to_string();
            if as_json {
                bench.say_json(
                    &json!({ "modem": mac, "backup": null, "changes": [], "bytes": 0, "written": false }),
                )?;
            } else {
                bench.say(&format!("{mac} has exactly these parameters already: nothing to write\n"))?;
            }
            return Ok(Exit::Good);
        }
        Err(refusal) => return Err(anyhow!(refusal).context("nothing was sent")),
    };
    back_up(backup, before)?;
    let (mac, file) = (plan.modem(), escape::path(backup));
    let differences = differences(before, after)?;
    if !as_json {
        bench.say(&format!("modem {mac}, saved in {file}\n"))?;
        for (name, old, new) in &differences {
            bench.say(&format!("  {name}: {} -> {}\n", Plain(old), Plain(new)))?;
        }
    }
    let bytes = before.iter().zip(after).filter(|(old, new)| old != new).count();
    if !as_json {
        bench.say(&format!("  {bytes} bytes differ, checksums included\n"))?;
    }
    let changes: Vec<_> = differences
        .iter()
        .map(|(name, old, new)| json!({ "field": name, "before": old, "after": new }))
        .collect();
    let answer = |written: bool| json!({ "modem": mac.to_string(), "backup": backup.to_string_lossy(), "changes": changes, "bytes": bytes, "written": written });
    if !yes {
        if as_json {
            bench.say_json(&answer(false))?;
        }
        let words = format!(
            "nothing was written: with --yes the modem {mac} gets these parameters and restarts (away for up to 8 s); \
             it must keep its power meanwhile"
        );
        return Err(Ended::Refused(words).into());
    }
    transfer(bench, plan.backup_written(bench.own())?, after.len(), backup)?;
    if as_json {
        bench.say_json(&answer(true))?;
    } else {
        bench.say(&format!("{mac} has restarted with the new parameters, and they compare\n"))?;
    }
    Ok(Exit::Good)
}

/// The fields that differ. Keys are redacted.
fn differences(before: &[u8], after: &[u8]) -> anyhow::Result<Vec<(&'static str, String, String)>> {
    let (old, new) = (Image::parse(before)?, Image::parse(after)?);
    let mut rows = Vec::new();
    for (field, value) in new.fields() {
        match old.get(field) {
            Some(was) if was != value => {
                let now = value.to_string();
                let was = was.to_string();
                rows.push((field.name, was.clone(), if was == now { "(another)".into() } else { now }));
            }
            _ => {}
        }
    }
    Ok(rows)
}

fn transfer(
    bench: &mut Bench<'_>,
    mut writer: PibWriter<'_>,
    length: usize,
    backup: &Path,
) -> anyhow::Result<()> {
    let step = std::cell::Cell::new((WriteStep::Start, 0));
    let words = |_: &PibWriter<'_>| {
        let (step, done) = step.get();
        match step {
            WriteStep::Start => "beginning to write ...".into(),
            WriteStep::Write => format!("writing {done} of {length} bytes ..."),
            WriteStep::Commit => "the modem keeps the parameters: leave its power on ...".into(),
            WriteStep::Restart => "the modem restarts ...".into(),
            WriteStep::Compare => format!("comparing {done} of {length} bytes ..."),
        }
    };
    let end = bench.run(&mut writer, PibWriter::start, None, words, |_, _, event| {
        Ok(match event {
            Some(WriteEvent::Progress(now, done)) => {
                step.set((now, done));
                ControlFlow::Continue(())
            }
            Some(WriteEvent::Done) => ControlFlow::Break(Ok(())),
            Some(WriteEvent::Failed(at, fault)) => ControlFlow::Break(Err((at, fault))),
            None => ControlFlow::Continue(()),
        })
    })?;
    match end {
        End::Done(Ok(())) => Ok(()),
        End::Done(Err((at, fault))) => Err(anyhow!(fault).context(state(at, backup))),
        End::Late | End::Interrupted => {
            let (at, _) = step.get();
            Err(Ended::Interrupted(format!("interrupted; {}", state(at, backup))).into())
        }
    }
}

/// State of the modem when writing ends at this step.
fn state(at: WriteStep, backup: &Path) -> String {
    let file = escape::path(backup);
    match at {
        WriteStep::Start | WriteStep::Write => {
            "the modem is unchanged: it keeps nothing before it has everything".into()
        }
        WriteStep::Commit => format!(
            "whether the modem keeps the new parameters is not known: leave its power on for a minute, look with \
             `ccs modem info`; the old ones are in {file}"
        ),
        WriteStep::Restart => format!(
            "the modem has the new parameters and was told to restart; look with `ccs modem info`; the old ones are \
             in {file}"
        ),
        WriteStep::Compare => format!(
            "the modem has new parameters and has restarted, but they were not compared to the end: read them with \
             `ccs modem pib read`; the old ones are in {file}"
        ),
    }
}

fn with_file(file: &Path, value: Json) -> Json {
    let mut map = serde_json::Map::new();
    map.insert("file".into(), json!(file.to_string_lossy()));
    if let Json::Object(rest) = value {
        map.extend(rest);
    }
    Json::Object(map)
}
