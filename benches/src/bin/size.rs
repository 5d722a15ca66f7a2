//! Flash and RAM of the crates on a microcontroller, compared with their budgets.
//!
//! `cargo run -p benches --bin size` builds `firmware/` for riscv32imafc and prints the table as Markdown. It
//! fails if a budget is exceeded or if the measured codec does not decode and encode each of the 34 messages.
#![allow(clippy::expect_used, reason = "a measurement without its tool ends")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use object::{Object, ObjectSection, SectionKind};

const TARGET: &str = "riscv32imafc-unknown-none-elf";

/// Binary, description, and its budgets of flash and RAM in bytes.
const ROWS: &[(&str, &str, Option<u64>, Option<u64>)] = &[
    ("base", "input and output alone", None, None),
    ("din", "DIN codec, all 34 messages, both directions", Some(30 * 1024), None),
    ("names", "the same with error paths, dissector and names", None, None),
    ("dc", "DIN codec, the 22 messages of DC charging", Some(20 * 1024), None),
    ("slac", "`slac` and `homeplug-mme`, matching of both roles", None, None),
    ("listen", "the listener's role: its modem, connections, messages, stories", None, None),
    (
        "evse",
        "the charger's role: modem, SLAC, IPv6, TCP, discovery, session",
        Some(160 * 1024),
        Some(40 * 1024),
    ),
];

struct Size {
    flash: u64,
    ram: u64,
}

fn main() {
    let firmware = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").join("firmware");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| firmware.join("target"), PathBuf::from);
    build(&firmware, &target, &[]);

    println!("| what | flash | budget | RAM | budget |\n|---|---|---|---|---|");
    let mut broken = Vec::new();
    for (name, what, flash_budget, ram_budget) in ROWS {
        if *name == "names" {
            build(&firmware, &target, &["--features", "names", "--bin", "names"]);
        }
        let program = target.join(TARGET).join("release").join(name);
        let bytes = std::fs::read(&program).expect("the binary that was built");
        let size = measure(&bytes);
        let budget = |budget: &Option<u64>| budget.map_or("-".to_owned(), |budget| budget.to_string());
        println!(
            "| {what} | {} | {} | {} | {} |",
            size.flash,
            budget(flash_budget),
            size.ram,
            budget(ram_budget)
        );
        if flash_budget.is_some_and(|budget| size.flash >= budget)
            || ram_budget.is_some_and(|budget| size.ram >= budget)
        {
            broken.push(format!("{name} breaks its budget"));
        }
    }
    broken.extend(missing(&target.join(TARGET).join("release/din")));
    println!(
        "\nThe first row is in all others. Flash is code, constants and initial values; RAM is without the stack."
    );
    print_shares(&target.join(TARGET).join("release/evse"));
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Functions that supervise the physical side beyond the needs of a session: plausibility, debounce, dead or
/// live, latches.
const WATCHES: &[&str] = &[
    "evse-fsm/src/supervision/",
    "evse-fsm/src/charger/latches.rs",
    "evse-fsm/src/found.rs",
    "evse-fsm/src/insulation.rs",
    "evse-fsm/src/protection.rs",
    "session/src/lasting.rs",
    "session/src/latch.rs",
    "session/src/plausible.rs",
    "session/src/reading.rs",
];

/// Prints the share of each crate in the code of the charger's role, and the size of its plausibility checks.
fn print_shares(program: &Path) {
    let sources = benches::share::by_source(program);
    let mut crates = std::collections::BTreeMap::<&str, u64>::new();
    for (source, bytes) in &sources {
        *crates.entry(source.split('/').next().unwrap_or_default()).or_default() += bytes;
    }
    let mut crates: Vec<_> = crates.into_iter().collect();
    crates.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    println!(
        "\nCode of the charger's role, by the crate whose source it comes from:\n\n| crate | bytes |\n|---|---|"
    );
    for (name, bytes) in crates {
        println!("| {name} | {bytes} |");
    }
    for watch in WATCHES {
        assert!(
            sources.keys().any(|source| source.starts_with(watch)),
            "{watch} has no code: is it still there?"
        );
    }
    let watches = sources.iter().filter(|(source, _)| WATCHES.iter().any(|watch| source.starts_with(watch)));
    let bytes: u64 = watches.map(|(_, bytes)| bytes).sum();
    println!("\nOf it {bytes} bytes are plausibility: {}.", WATCHES.join(", "));
}

fn build(firmware: &Path, target: &Path, arguments: &[&str]) {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--target-dir"])
        .arg(target)
        .args(["--config", &short_paths(firmware)])
        .args(arguments)
        .current_dir(firmware)
        .env_remove("RUSTFLAGS")
        .status()
        .expect("cargo");
    assert!(built.success(), "the firmware does not build: `rustup target add {TARGET}` may be missing");
}

/// Source file names in panics without the folders of this machine, so that the figure is the same on each
/// machine.
fn short_paths(firmware: &Path) -> String {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home =
        home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo"))).expect("a home of cargo");
    let registries = std::fs::read_dir(home.join("registry/src")).into_iter().flatten().flatten();
    let workspace = firmware.parent().expect("a workspace").to_path_buf();
    let folders = registries.map(|registry| registry.path()).chain([workspace]);
    let flags: Vec<String> =
        folders.map(|folder| format!("\"--remap-path-prefix={}/=\"", folder.display())).collect();
    format!("target.{TARGET}.rustflags=[{}]", flags.join(","))
}

fn measure(bytes: &[u8]) -> Size {
    let file = object::File::parse(bytes).expect("an ELF file");
    let mut size = Size { flash: 0, ram: 0 };
    for section in file.sections() {
        match section.kind() {
            // Unwind tables are not loaded, because a firmware aborts.
            SectionKind::Text | SectionKind::ReadOnlyData | SectionKind::ReadOnlyString
                if section.name() != Ok(".eh_frame") =>
            {
                size.flash += section.size();
            }
            SectionKind::Data => {
                size.flash += section.size();
                size.ram += section.size();
            }
            SectionKind::UninitializedData => size.ram += section.size(),
            _ => {}
        }
    }
    size
}

/// Messages that the codec's binary does not decode and encode again: it runs under qemu on a golden vector
/// of each kind.
fn missing(program: &Path) -> Vec<String> {
    let messages = benches::golden_messages();
    let kinds = messages.len();
    let missing = messages.into_iter().filter(|message| run(program, &message.stream) != message.stream);
    let missing: Vec<String> =
        missing.map(|message| format!("{} is not in the codec", message.name)).collect();
    if kinds == 0 {
        println!("skipped: without the corpus the binary is measured and not run");
    } else {
        assert_eq!(kinds, 34, "the kinds of DIN messages");
        println!(
            "\n{} of 34 messages come back from the measured binary as they went in.",
            kinds - missing.len()
        );
    }
    missing
}

/// The program's output for one input.
fn run(program: &Path, input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("qemu-riscv32")
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("qemu-riscv32, which runs the measured binary: install the package qemu-user");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input).expect("the program reads its input");
    drop(stdin);
    child.wait_with_output().expect("the program ends").stdout
}
