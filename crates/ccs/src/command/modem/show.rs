//! Modems as text and as JSON, and `ccs modem info`.

use std::fmt::Write as _;

use anstyle::Style;
use homeplug_mme::view::OpAttributesCnf;
use machine::Duration;
use modem::pib::{Image, Value};
use modem::{Details, FoundNetwork, Question};
use serde_json::{Value as Json, json};

use super::Bench;
use super::target::OneModemArgs;
use crate::escape;
use crate::exit::Exit;
use crate::style::{DIM, Palette, RESET};

/// Longest wait for a modem's parameters: three attempts at their first part, 5 s each.
pub(super) const PARAMETERS: Duration = Duration::from_secs(16);

/// Shows everything about one modem.
pub(super) fn run(args: &OneModemArgs, bench: &mut Bench<'_>) -> anyhow::Result<Exit> {
    const EVERYTHING: &[Question] =
        &[Question::Attributes, Question::Nid, Question::Link, Question::Network, Question::Hosts];
    let details = bench.inspect(args.modem, EVERYTHING)?;
    let parameters = if details.is_boot_loader() {
        Err("it has no firmware".into())
    } else {
        bench.parameters_if_any(args.modem, details.profile, PARAMETERS)?
    };
    let image = match &parameters {
        Ok(bytes) => Image::parse(bytes).map_err(|error| error.to_string()),
        Err(error) => Err(error.clone()),
    };
    if args.at.json {
        let mut value = details_json(&details);
        if let Json::Object(map) = &mut value {
            map.insert("parameters".into(), image.as_ref().map_or(Json::Null, image_json));
            map.insert("parameters_error".into(), image.as_ref().err().map_or(Json::Null, |e| json!(e)));
        }
        bench.say_json(&value)?;
        return Ok(Exit::Good);
    }
    let mut rows = details_rows(&details);
    match &image {
        Ok(image) => rows.extend(image_rows(image)),
        Err(error) => rows.push(("parameters", error.clone())),
    }
    bench.say(&list(&rows))?;
    Ok(Exit::Good)
}

/// Names and values, one pair per line.
pub(super) fn list(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    rows.iter().fold(String::new(), |mut text, (name, value)| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:width$}  {}", escape::Plain(value));
        text
    })
}

/// Rows in columns, with headings that are dimmed on a terminal.
pub(super) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    let widths: Vec<usize> = (0..N)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(String::len);
            cells.chain(head.get(column).map(|name| name.len())).max().unwrap_or_default()
        })
        .collect();
    let palette = Palette::stdout();
    let line = |cells: &[&str], style: Style| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        let reset = if style == Style::new() { String::new() } else { RESET.to_string() };
        format!("{style}{}{reset}\n", line.trim_end())
    };
    let mut text = line(&head, palette.with(DIM));
    for row in rows {
        text.push_str(&line(&row.each_ref().map(String::as_str), Style::new()));
    }
    text
}

/// Bytes as text; what is not printable is escaped.
pub(super) fn ascii(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// The version of a firmware, or that the modem has none.
pub fn firmware(version: &[u8]) -> String {
    if version.is_empty() { "not told".into() } else { escape::word(version) }
}

/// The role of a modem in its power-line network.
pub(super) fn part(role: u8) -> &'static str {
    match role {
        0 => "station",
        1 => "proxy coordinator",
        2 => "coordinator",
        _ => "unknown",
    }
}

/// A network as JSON.
pub(super) fn network_json(network: Option<&FoundNetwork>) -> Json {
    network.map_or(Json::Null, |network| {
        let stations = network.neighbours.iter().map(|station| {
            json!({
                "mac": station.address.to_string(),
                "host": station.host.is_unicast().then(|| station.host.to_string()),
                "tx_mbit_s": station.tx_mbit_s,
                "rx_mbit_s": station.rx_mbit_s,
            })
        });
        json!({
            "nid": network.nid.to_string(),
            "part": part(network.role),
            "coordinator": network.coordinator.to_string(),
            "stations": stations.collect::<Vec<_>>(),
        })
    })
}

/// The stations of a network, one per line.
pub fn stations(network: &FoundNetwork) -> Vec<String> {
    let line = |station: &modem::Neighbour| {
        let host = if station.host.is_unicast() { station.host.to_string() } else { "no host".into() };
        let (tx, rx) = (station.tx_mbit_s, station.rx_mbit_s);
        format!("{}, {tx} Mbit/s to it, {rx} Mbit/s from it, {host} behind it", station.address)
    };
    network.neighbours.iter().map(line).collect()
}

fn details_json(details: &Details) -> Json {
    let hosts = details.hosts.as_ref().map(|hosts| hosts.iter().map(ToString::to_string).collect::<Vec<_>>());
    json!({
        "mac": details.address.to_string(),
        "family": details.profile.name,
        "firmware": (!details.firmware.is_empty()).then(|| ascii(&details.firmware)),
        "attributes": details.attributes.as_ref().map(|of| json!({
            "hardware": ascii(of.family.text()),
            "software": ascii(of.devtype.text()),
            "version": version(of),
            "build": of.build,
            "build_date": ascii(of.build_date.text()),
            "release": ascii(of.release.text()),
        })),
        "nid": details.nid.map(|nid| nid.to_string()),
        "link": details.link,
        "network": network_json(details.network.as_ref().and_then(Option::as_ref)),
        "hosts": hosts,
    })
}

fn details_rows(details: &Details) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("modem", details.address.to_string()),
        ("family", details.profile.name.into()),
        ("firmware", firmware(&details.firmware)),
    ];
    if let Some(of) = &details.attributes {
        rows.push((
            "hardware",
            format!("{} {}", escape::word(of.family.text()), escape::word(of.devtype.text())),
        ));
        let (date, release) = (escape::word(of.build_date.text()), escape::word(of.release.text()));
        rows.push(("version", format!("{}, build {} of {date} {release}", version(of), of.build)));
    }
    if let Some(nid) = details.nid {
        rows.push(("network id", nid.to_string()));
    }
    if let Some(up) = details.link {
        rows.push(("link", if up { "up" } else { "down" }.into()));
    }
    match &details.network {
        Some(Some(network)) => {
            rows.push(("part", format!("{} (coordinator {})", part(network.role), network.coordinator)));
            rows.extend(stations(network).into_iter().map(|line| ("station", line)));
        }
        Some(None) => rows.push(("part", "in no network".into())),
        None => {}
    }
    rows.extend(details.hosts.iter().flatten().map(|host| ("host", host.to_string())));
    rows
}

fn version(of: &OpAttributesCnf) -> String {
    format!("{}.{}.{}", of.major, of.minor, of.composite)
}

/// The kind of an image, its findings and its fields, without keys.
pub(super) fn image_rows(image: &Image<'_>) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("parameters", format!("{:?}, {} bytes", image.layout(), image.bytes().len())),
        ("role", image.role().map_or_else(|| "not known in old images".into(), |role| role.to_string())),
    ];
    rows.extend(image.description().map(|text| ("description", text.to_string())));
    rows.extend(image.findings().map(|finding| ("note", finding.to_string())));
    rows.extend(image.fields().map(|(field, value)| (field.name, value.to_string())));
    rows
}

/// As [`image_rows`], as JSON.
pub(super) fn image_json(image: &Image<'_>) -> Json {
    let fields = image.fields().map(|(field, value)| {
        let value = match value {
            Value::Number(number) => json!(number),
            Value::Choice(number, _) => json!(number),
            Value::Key(_) => Json::Null,
            value => json!(value.to_string()),
        };
        (field.name.to_owned(), value)
    });
    json!({
        "layout": format!("{:?}", image.layout()).to_lowercase(),
        "bytes": image.bytes().len(),
        "mac": image.mac().to_string(),
        "role": image.role().map(|role| role.to_string()),
        "description": image.description().map(|text| text.to_string()),
        "findings": image.findings().map(|finding| finding.to_string()).collect::<Vec<_>>(),
        "fields": fields.collect::<serde_json::Map<_, _>>(),
    })
}
