//! `ccs modem reset`: restarts a modem.

use std::ops::ControlFlow;

use clap::Args;
use modem::{Reset, ResetEvent};
use roles::Mac;
use serde_json::json;

use super::Bench;
use super::target::OneModemArgs;
use crate::drive::End;
use crate::exit::{Ended, Exit};

/// Options of `ccs modem reset`.
#[derive(Args)]
pub struct ResetArgs {
    #[command(flatten)]
    /// The modem.
    pub of: OneModemArgs,
    /// Confirms the restart: the link is lost, and the modem does not respond for some seconds.
    #[arg(long)]
    pub yes: bool,
}

/// Refuses a restart without `--yes`.
pub(super) fn before(args: &ResetArgs) -> anyhow::Result<()> {
    if args.yes {
        return Ok(());
    }
    let which = args.of.modem.map_or_else(|| "the own modem".into(), |mac| format!("the modem {mac}"));
    let words =
        format!("nothing was done: with --yes {which} restarts, is away for up to 8 s and loses its link");
    Err(Ended::Refused(words).into())
}

/// Restarts a modem and waits until it responds again.
pub(super) fn run(args: &ResetArgs, bench: &mut Bench<'_>) -> anyhow::Result<Exit> {
    before(args)?;
    // A modem without firmware may be restarted too.
    let details = bench.inspect(args.of.modem, &[])?;
    let target = args.of.modem.unwrap_or(Mac::LOCAL_MODEM);
    let mut reset = Reset::new(bench.own(), target, details.profile)?;
    let mut confirmed = false;
    let words = |_: &Reset| "the modem restarts ...".into();
    let end = bench.run(&mut reset, Reset::start, None, words, |_, _, event| {
        confirmed |= event == Some(ResetEvent::Confirmed);
        Ok(match event {
            Some(ResetEvent::Back) => ControlFlow::Break(Ok(())),
            Some(ResetEvent::Failed(fault)) => ControlFlow::Break(Err(fault)),
            _ => ControlFlow::Continue(()),
        })
    })?;
    match end {
        End::Done(result) => result?,
        End::Late | End::Interrupted => {
            let words = "interrupted; the modem was told to restart and will be back by itself";
            return Err(Ended::Interrupted(words.into()).into());
        }
    }
    let mac = details.address.to_string();
    if args.of.at.json {
        bench.say_json(&json!({ "modem": mac, "confirmed": confirmed, "back": true }))?;
    } else {
        bench.say(&format!("{mac} has restarted and is back\n"))?;
    }
    Ok(Exit::Good)
}
