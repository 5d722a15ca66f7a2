//! What a registry and its users receive of this workspace: the packages, and their public API.
#![forbid(unsafe_code)]

pub mod api;
pub mod outside;
pub mod pack;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

/// Prefix of the name of each published package.
pub const PREFIX: &str = "fastcharge";

/// A package of a workspace.
pub struct Package {
    /// Name in its manifest.
    pub name: String,
    /// Version in its manifest.
    pub version: String,
    /// Path of its manifest.
    pub manifest: PathBuf,
    /// Whether it may be published.
    pub is_published: bool,
    /// Its entry in `cargo metadata`.
    pub metadata: Value,
}

/// The workspace's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

/// The folder of cargo's output.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The packages of the workspace in `folder`; with `all`, also their dependencies.
///
/// # Errors
/// Cargo fails.
pub fn packages(folder: &Path, all: bool) -> Result<Vec<Package>> {
    let mut cargo = cargo(folder);
    cargo.args(["metadata", "--format-version", "1", "--offline"]);
    if !all {
        cargo.arg("--no-deps");
    }
    let output = cargo.output()?;
    ensure!(output.status.success(), "{}: {}", folder.display(), String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata.get("packages").and_then(Value::as_array).context("no packages")?;
    packages.iter().map(package).collect()
}

fn package(metadata: &Value) -> Result<Package> {
    let text = |key| metadata.get(key).and_then(Value::as_str).map(str::to_owned).context(key);
    Ok(Package {
        name: text("name")?,
        version: text("version")?,
        manifest: text("manifest_path")?.into(),
        is_published: metadata.get("publish").is_none_or(Value::is_null),
        metadata: metadata.clone(),
    })
}

/// Cargo in `folder`, the same one that runs this program.
fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.current_dir(folder);
    command
}

/// Runs `command` and shows its output.
fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}
