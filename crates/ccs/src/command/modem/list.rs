//! `ccs modem list`: the modems within reach.

use machine::Duration;
use modem::pib::Image;
use modem::{Access, FoundModem};
use serde_json::json;

use super::show::{ascii, firmware, network_json, part, stations};
use super::target::TargetArgs;
use super::{Bench, no_modem, table};
use crate::exit::Exit;

/// Longest wait for one modem's parameters: judgement. The own modem takes less than 1 s (observed).
const ROLE: Duration = Duration::from_secs(3);

/// Lists them, the own modem first.
pub(super) fn run(args: &TargetArgs, bench: &mut Bench<'_>) -> anyhow::Result<Exit> {
    let modems = bench.find()?;
    if modems.is_empty() {
        return Err(no_modem().into());
    }
    let mut found = Vec::new();
    for modem in modems {
        let role = role(bench, &modem)?;
        found.push((modem, role));
    }
    if args.json {
        let modems: Vec<_> = found.iter().map(|(modem, role)| as_json(modem, role.as_deref())).collect();
        bench.say_json(&json!({ "modems": modems }))?;
        return Ok(Exit::Good);
    }
    let rows: Vec<_> = found.iter().map(|(modem, role)| row(modem, role.as_deref())).collect();
    let head = ["MODEM", "WHERE", "FAMILY", "FIRMWARE", "ROLE", "NETWORK", "PART", "HOSTS"];
    bench.say(&table(head, &rows))?;
    for (modem, _) in &found {
        for station in modem.network.iter().flat_map(stations) {
            bench.say(&format!("{} sees {station}\n", modem.address))?;
        }
    }
    Ok(Exit::Good)
}

/// The role in a modem's parameters; `None` where they cannot be read.
fn role(bench: &mut Bench<'_>, modem: &FoundModem) -> anyhow::Result<Option<String>> {
    // Old images do not contain it.
    if modem.is_boot_loader() || modem.profile.parameters != Access::ModuleOperation {
        return Ok(None);
    }
    let bytes = bench.parameters_if_any(Some(modem.address), modem.profile, ROLE)?.unwrap_or_default();
    Ok(Image::parse(&bytes).ok().and_then(|image| image.role()).map(|role| role.to_string()))
}

fn row(modem: &FoundModem, role: Option<&str>) -> [String; 8] {
    let network = modem.network.as_ref();
    let hosts: Vec<_> = modem.hosts.iter().map(ToString::to_string).collect();
    [
        modem.address.to_string(),
        if modem.is_local { "here" } else { "far" }.into(),
        if modem.is_boot_loader() { "no firmware" } else { modem.profile.name }.into(),
        firmware(&modem.firmware),
        role.unwrap_or("?").into(),
        network.map_or_else(|| "none".into(), |network| network.nid.to_string()),
        network.map_or("-", |network| part(network.role)).into(),
        if hosts.is_empty() { "-".into() } else { hosts.join(" ") },
    ]
}

fn as_json(modem: &FoundModem, role: Option<&str>) -> serde_json::Value {
    json!({
        "mac": modem.address.to_string(),
        "local": modem.is_local,
        "family": modem.profile.name,
        "firmware": (!modem.firmware.is_empty()).then(|| ascii(&modem.firmware)),
        "boot_loader": modem.is_boot_loader(),
        "role": role,
        "network": network_json(modem.network.as_ref()),
        "hosts": modem.hosts.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
