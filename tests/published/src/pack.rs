//! Packages, as `cargo publish` would send them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::{Package, cargo, packages, root, run, target};

/// What every package must contain.
const FILES: &[&str] = &["Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "src/lib.rs"];

/// An unpacked package.
pub struct Packed {
    /// Its name.
    pub name: String,
    /// Its folder, without symbolic links in the path.
    pub folder: PathBuf,
}

/// Packs all published crates, unpacks them under `target/package`, and checks their required files.
///
/// # Errors
/// Cargo refuses a package, or a file is missing in one.
pub fn pack() -> Result<Vec<Packed>> {
    let folder = target().join("package");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let (published, others): (Vec<_>, Vec<_>) =
        packages(&root(), false)?.into_iter().partition(|package| package.is_published);
    let mut command = cargo(&root());
    command.args([
        "package",
        "--workspace",
        "--no-verify",
        "--allow-dirty",
        "--locked",
        "--offline",
        "--quiet",
    ]);
    for package in &others {
        command.args(["--exclude", &package.name]);
    }
    run(command.arg("--target-dir").arg(target()))?;
    published.iter().map(unpack).collect()
}

fn unpack(package: &Package) -> Result<Packed> {
    let parent = target().join("package");
    let name = format!("{}-{}", package.name, package.version);
    run(Command::new("tar").current_dir(&parent).args(["-xzf", &format!("{name}.crate")]))?;
    let folder = parent.join(&name).canonicalize().context(name.clone())?;
    for file in FILES {
        let path = folder.join(file);
        ensure!(path.is_file() && !path.is_symlink(), "{name}: no {file} in the package");
    }
    Ok(Packed { name: package.name.clone(), folder })
}
