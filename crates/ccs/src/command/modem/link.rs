//! `ccs modem link`: the link, the stations and their data rates.

use std::fmt::Write as _;

use clap::Args;
use machine::Duration;
use modem::{Details, Question};
use serde_json::json;

use super::Bench;
use super::show::{network_json, stations};
use super::target::TargetArgs;
use crate::escape;
use crate::exit::{Ended, Exit};

const QUESTIONS: &[Question] = &[Question::Link, Question::Network];
/// Interval of `--watch`: judgement.
const PAUSE: Duration = Duration::from_secs(1);

/// Options of `ccs modem link`.
#[derive(Args)]
pub struct LinkArgs {
    #[command(flatten)]
    /// The interface and the form of the output.
    pub at: TargetArgs,
    /// Repeats every second until Ctrl-C; with `--json` one object per line.
    #[arg(long)]
    pub watch: bool,
}

/// Shows the link once, or every second.
pub(super) fn run(args: &LinkArgs, bench: &mut Bench<'_>) -> anyhow::Result<Exit> {
    let details = bench.ready(None, QUESTIONS)?;
    bench.say(&words(&details, args.at.json))?;
    if !args.watch {
        return Ok(Exit::Good);
    }
    while !bench.pause(PAUSE)? {
        let text = match bench.inspect(None, QUESTIONS) {
            Ok(details) => words(&details, args.at.json),
            Err(error) => match error.downcast_ref() {
                Some(Ended::Interrupted(_)) => break,
                // The modem is restarting and will respond again.
                Some(Ended::Stopped(reason)) if args.at.json => {
                    format!("{}\n", escape::json(&json!({ "error": reason.cause.to_string() })))
                }
                Some(Ended::Stopped(reason)) => format!("{}\n", reason.cause),
                _ => return Err(error),
            },
        };
        bench.say(&text)?;
    }
    Ok(Exit::Good)
}

fn words(details: &Details, as_json: bool) -> String {
    let network = details.network.as_ref().and_then(Option::as_ref);
    if as_json {
        let (mac, network) = (details.address.to_string(), network_json(network));
        let link = json!({ "modem": mac, "link": details.link, "network": network });
        return format!("{}\n", escape::json(&link));
    }
    let link = match details.link {
        Some(true) => "link up",
        Some(false) => "link down",
        None => "this modem does not tell the link's state",
    };
    let mut text = format!("{}: {link}", details.address);
    if let Some(network) = network {
        // Writing to a string cannot fail.
        let _ = write!(text, "; network {}, coordinator {}", network.nid, network.coordinator);
        text.extend(stations(network).iter().map(|station| format!("\n  {station}")));
    }
    text.push('\n');
    text
}
