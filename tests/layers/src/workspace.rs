//! The workspace as cargo reports it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use serde_json::Value;

/// The answer of `cargo metadata` for the workspace's own packages.
///
/// # Errors
/// Cargo cannot be run, or its answer is no JSON.
pub fn metadata() -> io::Result<Value> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(["metadata", "--no-deps", "--format-version", "1"]).output()?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The root files of all libraries, programs, tests, benches and examples of the workspace.
///
/// # Errors
/// Those of [`metadata`].
pub fn roots() -> io::Result<Vec<PathBuf>> {
    let metadata = metadata()?;
    let packages = metadata.get("packages").and_then(Value::as_array).into_iter().flatten();
    let targets = packages.filter_map(|package| package.get("targets").and_then(Value::as_array)).flatten();
    Ok(targets.filter_map(|target| target.get("src_path")?.as_str()).map(PathBuf::from).collect())
}

/// The root of the workspace.
///
/// # Errors
/// Those of [`metadata`].
pub fn root() -> io::Result<PathBuf> {
    let metadata = metadata()?;
    Ok(metadata.get("workspace_root").and_then(Value::as_str).unwrap_or_default().into())
}

/// All files below a folder with one of these extensions, without cargo's build folders and hidden folders.
///
/// # Errors
/// A folder cannot be read.
pub fn files(folder: &Path, extensions: &[&str]) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let extension = path.extension().unwrap_or_default();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                open.push(path);
            } else if extensions.iter().any(|known| extension == *known) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
