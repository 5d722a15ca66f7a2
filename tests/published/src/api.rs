//! The public API of each published crate as text, one line an item: `docs/api/NAME.txt`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::{Package, cargo, packages, root, run, target};

/// Writes the listings.
///
/// # Errors
/// A crate whose documentation cannot be read.
pub fn write() -> Result<()> {
    let (folder, listings) = (folder(), listings()?);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    for (name, text) in listings {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}

/// Compares the listings with the files.
///
/// # Errors
/// The first line that differs.
pub fn check() -> Result<()> {
    let listings = listings()?;
    let mut wrong = Vec::new();
    for (name, text) in &listings {
        let written = fs::read_to_string(folder().join(name)).unwrap_or_default();
        let new = text.lines().find(|line| !written.lines().any(|old| old == *line));
        let gone = written.lines().find(|line| !text.lines().any(|new| new == *line));
        if let Some(line) = new.map(|line| format!("+ {line}")).or(gone.map(|line| format!("- {line}"))) {
            wrong.push(format!("docs/api/{name}: {line}"));
        }
    }
    for entry in fs::read_dir(folder()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !listings.iter().any(|(listed, _)| *listed == name) {
            wrong.push(format!("docs/api/{name}: no such crate"));
        }
    }
    if !wrong.is_empty() {
        bail!(
            "the public API has changed; if that is meant: cargo run -p published -- api\n{}",
            wrong.join("\n")
        );
    }
    Ok(())
}

fn folder() -> PathBuf {
    root().join("docs/api")
}

/// File name and text for each published crate.
fn listings() -> Result<Vec<(String, String)>> {
    let mut packages: Vec<Package> = packages(&root(), false)?;
    packages.retain(|package| package.is_published);
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    let wrapper = wrapper()?;
    let mut command = cargo(&root());
    command.args(["doc", "--no-deps", "--lib", "--all-features", "--locked", "--quiet"]);
    for package in &packages {
        command.args(["-p", &package.name]);
    }
    run(command.env("RUSTDOC", &wrapper).arg("--target-dir").arg(target()))?;
    packages.iter().map(listing).collect()
}

fn listing(package: &Package) -> Result<(String, String)> {
    let targets =
        package.metadata.get("targets").and_then(|targets| targets.as_array()).context("no targets")?;
    let library = targets.iter().find(|target| target.to_string().contains("\"lib\""));
    let library = library.and_then(|library| library.get("name")).and_then(|name| name.as_str());
    let library = library.with_context(|| format!("{} has no library", package.name))?.replace('-', "_");
    let json = target().join("doc").join(format!("{library}.json"));
    let api = public_api::Builder::from_rustdoc_json(&json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .with_context(|| format!("{}: does rustdoc write another format now?", json.display()))?;
    Ok((format!("{}.txt", package.name), api.to_string()))
}

/// A rustdoc that writes JSON, which a stable one does only with a special flag. The compiler has no such
/// flag, so that its output stays valid.
fn wrapper() -> Result<PathBuf> {
    let path = target().join("rustdoc-json.sh");
    let text = "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc -Z unstable-options --output-format json \"$@\"\n";
    write_script(&path, text)?;
    Ok(path)
}

fn write_script(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}
