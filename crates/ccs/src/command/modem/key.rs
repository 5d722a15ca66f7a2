//! `ccs modem key`: network and network key of the own modem.

use std::io::BufRead;
use std::ops::ControlFlow;

use clap::Args;
use homeplug_mme::{NetworkKey, Nmk};
use machine::Duration;
use modem::{Modem, ModemConfig, ModemEvent, ModemFault, Question};
use serde_json::json;

use super::show::list;
use super::target::TargetArgs;
use super::{Bench, no_modem};
use crate::drive::End;
use crate::exit::{Ended, Exit, Usage};
use crate::hex;
use crate::words::{Side, of_modem};

/// Longest wait for the new key: judgement. A slow modem responds again after 8 s (as in the crate `sim`),
/// and a key may be set three times.
const LIMIT: Duration = Duration::from_secs(60);
/// Permitted lengths of a password in characters (`HomePlug` AV; the passwords of retail plugs have ten).
const PASSWORD: std::ops::RangeInclusive<usize> = 8..=64;

/// Options of `ccs modem key`.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option on the command line")]
pub struct KeyArgs {
    #[command(flatten)]
    /// The interface and the form of the output.
    pub at: TargetArgs,
    /// Sets the key derived from this password of 8 to 64 printable characters; `-` reads it from standard
    /// input.
    #[arg(long, value_name = "PASSWORD", group = "how")]
    pub password: Option<String>,
    /// Sets a random key.
    #[arg(long, group = "how")]
    pub random: bool,
    /// Shows the network and sets nothing; the default.
    #[arg(long, group = "how")]
    pub show: bool,
    /// Shows keys in full; by default they are redacted.
    #[arg(long)]
    pub show_keys: bool,
    /// Confirms the change: the modem leaves its network and restarts.
    #[arg(long)]
    pub yes: bool,
}

/// Whether the command sets a key.
fn sets(args: &KeyArgs) -> bool {
    args.random || args.password.is_some()
}

/// Refuses a change without `--yes`.
pub(super) fn before(args: &KeyArgs) -> anyhow::Result<()> {
    if let Some(password) = args.password.as_deref().filter(|password| *password != "-") {
        check_password(password)?;
    }
    if sets(args) && !args.yes {
        return Err(Ended::Refused(
            "nothing was done: with --yes the own modem gets a new network key, restarts (away for up to 8 s) and \
             leaves its network; a session over it ends"
                .into(),
        )
        .into());
    }
    Ok(())
}

fn check_password(password: &str) -> Result<(), Usage> {
    let is_good = PASSWORD.contains(&password.len())
        && password.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if is_good { Ok(()) } else { Err(Usage("a password has 8 to 64 printable ASCII characters".into())) }
}

/// Shows the network, or sets a key.
pub(super) fn run(args: &KeyArgs, bench: &mut Bench<'_>) -> anyhow::Result<Exit> {
    if sets(args) { set(args, bench) } else { show(args, bench) }
}

fn show(args: &KeyArgs, bench: &mut Bench<'_>) -> anyhow::Result<Exit> {
    let questions: &[Question] = if args.show_keys { &[Question::Key] } else { &[Question::Nid] };
    let details = bench.ready(None, questions)?;
    let key = details.key.map(|key| reveal(&key));
    if args.at.json {
        let nid = details.nid.map(|nid| nid.to_string());
        let modem = details.address.to_string();
        bench.say_json(&json!({ "modem": modem, "nid": nid, "key": key }))?;
    } else {
        let nid = details.nid.map_or_else(
            || format!("a modem of the family {} does not tell it", details.profile.name),
            |nid| nid.to_string(),
        );
        let hidden = if args.show_keys { "the modem does not tell it" } else { "(secret; --show-keys)" };
        let key = key.unwrap_or_else(|| hidden.into());
        bench.say(&list(&[("modem", details.address.to_string()), ("network id", nid), ("key", key)]))?;
    }
    Ok(Exit::Good)
}

fn set(args: &KeyArgs, bench: &mut Bench<'_>) -> anyhow::Result<Exit> {
    before(args)?;
    let key = NetworkKey::derived(wanted(args, bench)?);
    let mut modem = Modem::new(ModemConfig::new(bench.own()));
    let (mut told, mut tried) = (String::new(), false);
    let words = |modem: &Modem| {
        if modem.address().is_some() { "the modem takes the key ..." } else { "looking for the modem ..." }
            .to_owned()
    };
    let end = bench.run(
        &mut modem,
        |modem, cx| {
            modem.start(cx);
            modem.set_key(cx, key);
        },
        Some(LIMIT),
        words,
        |_, _, event| {
            Ok(match event {
                Some(ModemEvent::Ready { verified }) => ControlFlow::Break(Ok(verified)),
                Some(ModemEvent::NotFound) => ControlFlow::Break(Err(anyhow::Error::from(no_modem()))),
                // The modem may be restarting, so the machine tries again.
                Some(ModemEvent::Fault(ModemFault::KeyNotConfirmed)) if !tried => {
                    tried = true;
                    ControlFlow::Continue(())
                }
                Some(ModemEvent::Fault(fault)) => ControlFlow::Break(Err(fault.into())),
                Some(event) => {
                    told = of_modem(Side::Evse, &event);
                    ControlFlow::Continue(())
                }
                None => ControlFlow::Continue(()),
            })
        },
    )?;
    let unsure =
        "whether the modem has taken the key is not known: `ccs modem key` shows the network it is in";
    let verified = match end {
        End::Done(result) => result?,
        End::Late => anyhow::bail!("not done in a minute ({told}); {unsure}"),
        End::Interrupted if modem.address().is_none() => {
            return Err(Ended::Interrupted(
                "interrupted before the modem was found; nothing was changed".into(),
            )
            .into());
        }
        End::Interrupted => return Err(Ended::Interrupted(format!("interrupted; {unsure}")).into()),
    };
    let address = modem.address().map(|mac| mac.to_string());
    let shown = args.show_keys.then(|| reveal(&key.nmk));
    if args.at.json {
        bench.say_json(&json!({
            "modem": address, "nid": key.nid.to_string(), "key": shown, "verified": verified,
        }))?;
    } else {
        let state = if verified {
            "set; the modem restarted and shows it"
        } else {
            "set; the modem restarted, but its family does not show it"
        };
        bench.say(&list(&[
            ("modem", address.unwrap_or_default()),
            ("network id", key.nid.to_string()),
            ("key", shown.unwrap_or_else(|| "(secret; --show-keys)".into())),
            ("state", state.into()),
        ]))?;
    }
    Ok(Exit::Good)
}

fn wanted(args: &KeyArgs, bench: &mut Bench<'_>) -> anyhow::Result<Nmk> {
    let Some(password) = &args.password else {
        let mut bytes = [0; Nmk::LEN];
        bench.entropy().fill(&mut bytes);
        return Ok(Nmk::new(bytes));
    };
    let mut line = String::new();
    let password = if password == "-" {
        std::io::stdin().lock().read_line(&mut line)?;
        line.trim_end_matches(['\r', '\n'])
    } else {
        password
    };
    check_password(password)?;
    Ok(Nmk::from_password(password.as_bytes()))
}

fn reveal(key: &Nmk) -> String {
    let mut text = String::new();
    hex::write(key.reveal(), &mut text);
    text
}
