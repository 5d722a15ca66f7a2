//! Programs of other people, built from the packages without the rest of this workspace.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::pack::{Packed, pack};
use crate::{PREFIX, Package, packages, root, run, target};

/// The target of the program without an operating system.
const BARE: &str = "thumbv7em-none-eabihf";

/// A message of the corpus (`bench-messages.txt`), for the program that decodes.
const MESSAGE: &str = "809a021a3d733088034da290e000408000018280081818008000060a1b00803030ac02020387403800";

/// The programs that run here, their arguments, and the start of their last line.
const RUNS: &[(&str, &[&str], &str)] = &[
    ("decode", &[MESSAGE], "CurrentDemandRes: "),
    ("encode", &[], "809a02004080c1014181c210e00040800001028488f8101858048000c0"),
    ("charger", &[], "2 frames sent, energised: false"),
];

/// Packs, then builds the programs with the present compiler and with the oldest supported one, and runs
/// those that run here.
///
/// # Errors
/// A package that does not pack or build, or a dependency from elsewhere than a package.
pub fn build() -> Result<()> {
    let packed = pack()?;
    let folder = target().join("outside");
    lay_out(&folder, &packed)?;
    build_with(&folder, None)?;
    for (program, arguments, says) in RUNS {
        let output =
            Command::new(folder.join("target/stable/debug").join(program)).args(*arguments).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        let line = text.lines().last().unwrap_or_default();
        ensure!(line.starts_with(says), "{program} prints {line:?}, not {says:?}");
    }
    build_with(&folder, Some(&oldest()?))
}

/// A copy of the programs with a generated configuration that points to the packages. The versions of other
/// crates are those of this workspace.
fn lay_out(folder: &Path, packed: &[Packed]) -> Result<()> {
    if folder.exists() {
        // The build folder stays.
        for old in fs::read_dir(folder)?.flatten().filter(|entry| entry.file_name() != "target") {
            let path = old.path();
            if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
        }
    }
    fs::create_dir_all(folder.join(".cargo"))?;
    let source = root().join("examples/outside");
    run(Command::new("cp").arg("-R").arg(source.join(".")).arg(folder))?;
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock"))?;

    // First all packages, then only the used ones: cargo warns of an unused patch.
    configure(folder, packed.iter())?;
    let used = ours(folder, packed)?;
    configure(folder, packed.iter().filter(|package| used.contains(&package.name)))?;
    let used = ours(folder, packed)?;
    println!("from packages: {}", used.join(", "));
    Ok(())
}

fn configure<'a>(folder: &Path, packed: impl Iterator<Item = &'a Packed>) -> Result<()> {
    let mut text = "[patch.crates-io]\n".to_owned();
    for package in packed {
        writeln!(text, "{} = {{ path = \"{}\" }}", package.name, package.folder.display())?;
    }
    Ok(fs::write(folder.join(".cargo/config.toml"), text)?)
}

/// The packages of this workspace that the programs use. A package that is not an unpacked one is an error.
fn ours(folder: &Path, packed: &[Packed]) -> Result<Vec<String>> {
    let all = packages(folder, true)?;
    if let Some(package) = elsewhere(&all, packed) {
        bail!("{} comes from {}, not from its package", package.name, package.manifest.display());
    }
    let used: Vec<String> =
        all.into_iter().map(|package| package.name).filter(|name| is_ours(name)).collect();
    ensure!(!used.is_empty(), "the programs use none of our packages");
    Ok(used)
}

fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// A package of this workspace that is not where its package was unpacked.
fn elsewhere<'a>(all: &'a [Package], packed: &[Packed]) -> Option<&'a Package> {
    let lies_there = |package: &Package| {
        packed
            .iter()
            .any(|packed| packed.name == package.name && Some(&*packed.folder) == package.manifest.parent())
    };
    all.iter().find(|package| is_ours(&package.name) && !lies_there(package))
}

/// Builds the programs, including that for a microcontroller, with the present compiler or another toolchain.
fn build_with(folder: &Path, toolchain: Option<&str>) -> Result<()> {
    let name = toolchain.unwrap_or("stable");
    ensure!(
        has_target(toolchain),
        "Rust {name} for {BARE} is missing: \
         `rustup toolchain install {name} --profile minimal --target {BARE}`"
    );
    for arguments in [&[][..], &["-p", "car", "--target", BARE]] {
        let mut command = tool(toolchain, "cargo");
        command.current_dir(folder).args(["build", "--offline", "--quiet"]).args(arguments);
        run(command.arg("--target-dir").arg(folder.join("target").join(name)))?;
    }
    println!("built with {name}");
    Ok(())
}

/// A program of the present compiler or of another toolchain, without the environment of the cargo that runs
/// this.
fn tool(toolchain: Option<&str>, program: &str) -> Command {
    let mut command = match toolchain {
        None => Command::new(program),
        Some(toolchain) => {
            let mut rustup = Command::new("rustup");
            rustup.args(["run", toolchain, program]);
            rustup
        }
    };
    for variable in ["CARGO", "CARGO_TARGET_DIR", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(variable);
    }
    command
}

fn has_target(toolchain: Option<&str>) -> bool {
    let mut rustc = tool(toolchain, "rustc");
    let output = rustc.args(["--print", "target-libdir", "--target", BARE]).output();
    output.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}

/// `rust-version` of the published crates, as rustup names a toolchain.
fn oldest() -> Result<String> {
    let facade = packages(&root(), false)?.into_iter().find(|package| package.name == PREFIX);
    let facade = facade.context("the facade")?;
    let version = facade.metadata.get("rust_version").and_then(|version| version.as_str());
    let version = version.context("the facade has no rust-version")?;
    Ok(if version.matches('.').count() == 1 { format!("{version}.0") } else { version.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_our_crates_from_elsewhere_is_found() {
        let package = |name: &str, manifest: &str| Package {
            name: name.into(),
            version: "0.1.0".into(),
            manifest: manifest.into(),
            is_published: true,
            metadata: serde_json::Value::Null,
        };
        let exi =
            Packed { name: "fastcharge-exi".into(), folder: "/target/package/fastcharge-exi-0.1.0".into() };
        let mut all = vec![
            package("heapless", "/registry/heapless/Cargo.toml"),
            package("fastcharge-exi", "/target/package/fastcharge-exi-0.1.0/Cargo.toml"),
        ];
        assert!(elsewhere(&all, std::slice::from_ref(&exi)).is_none());
        all.push(package("fastcharge-sdp", "/registry/fastcharge-sdp/Cargo.toml"));
        assert_eq!(elsewhere(&all, std::slice::from_ref(&exi)).unwrap().name, "fastcharge-sdp");
        all = vec![package("fastcharge-exi", "/crates/exi/Cargo.toml")];
        assert_eq!(elsewhere(&all, &[exi]).unwrap().name, "fastcharge-exi");
    }
}
