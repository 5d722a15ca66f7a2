//! The layers of `docs/ARCHITECTURE.md`, checked by `cargo metadata`: a dependency that is not listed fails.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Each crate and its permitted dependencies, lowest layer first. Below the adapters third-party crates are
/// listed too.
const LAYERS: &[(&str, &[&str])] = &[
    ("machine", &["heapless"]),
    ("control-pilot", &["thiserror"]),
    ("session", &["bitflags", "thiserror", "control-pilot", "machine"]),
    ("homeplug-mme", &["bitflags", "machine", "nom", "sha2", "thiserror"]),
    ("slac", &["heapless", "homeplug-mme", "machine", "thiserror"]),
    ("modem", &["heapless", "homeplug-mme", "machine", "nom", "thiserror"]),
    ("qca7000-spi", &["bitflags", "embedded-hal", "machine", "thiserror"]),
    ("v2gtp", &["nom", "thiserror", "heapless"]),
    ("sdp", &["machine", "v2gtp", "nom", "thiserror", "bitflags"]),
    ("exi", &["thiserror", "base64", "bumpalo", "serde", "serde_json"]),
    ("exi-app", &["exi"]),
    ("exi-dsig", &["exi"]),
    ("exi-din", &["exi", "exi-dsig", "thiserror"]),
    (
        "listen",
        &[
            "etherparse",
            "exi",
            "exi-app",
            "exi-din",
            "heapless",
            "homeplug-mme",
            "machine",
            "sdp",
            "session",
            "v2gtp",
        ],
    ),
    (
        "evse-fsm",
        &[
            "machine",
            "session",
            "control-pilot",
            "exi",
            "exi-app",
            "exi-din",
            "heapless",
            "thiserror",
            "bitflags",
        ],
    ),
    (
        "pev-fsm",
        &[
            "machine",
            "session",
            "control-pilot",
            "exi",
            "exi-app",
            "exi-din",
            "heapless",
            "thiserror",
            "bitflags",
        ],
    ),
    (
        "roles",
        &[
            "machine",
            "session",
            "control-pilot",
            "homeplug-mme",
            "slac",
            "modem",
            "v2gtp",
            "sdp",
            "evse-fsm",
            "listen",
            "pev-fsm",
            "smoltcp",
            "heapless",
            "thiserror",
        ],
    ),
    (
        "hal-esp32p4",
        &["machine", "session", "control-pilot", "embedded-hal", "heapless", "sha2", "thiserror"],
    ),
    (
        "board",
        &[
            "machine",
            "session",
            "control-pilot",
            "homeplug-mme",
            "listen",
            "modem",
            "evse-fsm",
            "pev-fsm",
            "roles",
            "hal-esp32p4",
            "qca7000-spi",
            "embedded-hal",
            "heapless",
            "thiserror",
        ],
    ),
    // Re-exports only; `sim` is for hosts, as an option.
    (
        "fastcharge",
        &[
            "machine",
            "session",
            "control-pilot",
            "homeplug-mme",
            "slac",
            "modem",
            "v2gtp",
            "sdp",
            "exi",
            "exi-app",
            "exi-din",
            "evse-fsm",
            "pev-fsm",
            "listen",
            "roles",
            "sim",
        ],
    ),
];

/// Crates that use the operating system.
const HOSTED: &[&str] = &["sim", "hal-linux", "ccs"];

/// Dependencies between them that are not allowed: the adapter does not use the simulation, and no crate uses
/// the command.
const FORBIDDEN: &[(&str, &str)] =
    &[("hal-linux", "sim"), ("hal-linux", "ccs"), ("sim", "hal-linux"), ("sim", "ccs")];

/// Optional dependencies that need `std` or an allocator, enabled by a feature that no firmware uses.
const BEHIND_JSON: &[&str] = &["base64", "bumpalo", "serde", "serde_json"];

/// Prefix of the package name of each published crate, before the folder's name.
const PREFIX: &str = "fastcharge-";

struct Package {
    /// Without the prefix.
    name: String,
    folder: PathBuf,
    /// Name of the dependency, and whether it is optional.
    dependencies: BTreeMap<String, bool>,
}

fn packages() -> Vec<Package> {
    let metadata = layers::workspace::metadata().unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let short = |value: &serde_json::Value| text(value).trim_start_matches(PREFIX).to_owned();
    let dependencies = |package: &serde_json::Value| {
        let all = package["dependencies"].as_array().unwrap().clone();
        let normal = all.into_iter().filter(|dependency| dependency["kind"] != "dev");
        normal.map(|dependency| (short(&dependency["name"]), dependency["optional"] == true)).collect()
    };
    let package = |package: &serde_json::Value| Package {
        name: short(&package["name"]),
        folder: PathBuf::from(text(&package["manifest_path"])).parent().unwrap().to_owned(),
        dependencies: dependencies(package),
    };
    metadata["packages"].as_array().unwrap().iter().map(package).collect()
}

#[test]
fn no_crate_below_the_adapters_depends_on_anything_that_is_not_listed() {
    let layers: BTreeMap<_, _> = LAYERS.iter().copied().collect();
    for package in packages().iter().filter(|package| package.folder.parent().unwrap().ends_with("crates")) {
        let Some(allowed) = layers.get(package.name.as_str()) else {
            assert!(
                HOSTED.contains(&package.name.as_str()),
                "{} has no layer: add it to LAYERS",
                package.name
            );
            continue;
        };
        for (dependency, optional) in &package.dependencies {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{} may not depend on {dependency}",
                package.name
            );
            let is_for_json = BEHIND_JSON.contains(&dependency.as_str());
            assert!(*optional || !is_for_json, "{}: {dependency} must be optional", package.name);
        }
    }
}

#[test]
fn the_linux_adapter_and_the_simulation_do_not_know_each_other() {
    for package in packages() {
        for (from, to) in FORBIDDEN {
            let is_there = package.name == *from && package.dependencies.contains_key(*to);
            assert!(!is_there, "{from} may not depend on {to}");
        }
    }
}

#[test]
fn the_layers_are_listed_lowest_first() {
    let mut below = BTreeSet::new();
    let ours: BTreeSet<_> = LAYERS.iter().map(|(name, _)| *name).collect();
    for (name, allowed) in LAYERS {
        for dependency in allowed.iter().filter(|dependency| ours.contains(*dependency)) {
            assert!(below.contains(dependency), "{name} depends on {dependency}, which is listed later");
        }
        below.insert(*name);
    }
}

#[test]
fn every_crate_below_the_adapters_is_without_std_and_without_unsafe_code() {
    for package in packages().iter().filter(|package| LAYERS.iter().any(|(name, _)| *name == package.name)) {
        let root = std::fs::read_to_string(package.folder.join("src/lib.rs")).unwrap();
        assert!(root.contains("#![no_std]"), "{} uses std", package.name);
        assert!(root.contains("#![forbid(unsafe_code)]"), "{} does not forbid unsafe code", package.name);
    }
}
