//! What a firmware takes, compared with what it took.

use std::path::Path;

use anyhow::{Context, Result, bail};
use object::{Object, ObjectSection};

use crate::Image;

/// What may be more than the ledger's line says, in bytes.
const GROWTH: u64 = 256;
/// The same for the stack: its deepest use differs from run to run by an interrupted call.
const STACK_GROWTH: u64 = 512;

/// Flash, RAM and stack in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Taken {
    flash: u64,
    ram: u64,
    stack: u64,
}

/// Compares an image with its line in the file.
pub(crate) fn compare(file: &Path, image: Image, elf: &Path, stack: u64) -> Result<()> {
    let name = image.name();
    let (flash, ram) = measure(&std::fs::read(elf)?)?;
    let now = Taken { flash, ram, stack };
    println!("ledger: {name} {flash} {ram} {stack}");
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let Some(before) = line(&text, name) else {
        bail!("{} has no line for {name}: add `{name} {flash} {ram} {stack}`", file.display());
    };
    let rows = [
        ("flash", before.flash, now.flash, GROWTH),
        ("ram", before.ram, now.ram, GROWTH),
        ("stack", before.stack, now.stack, STACK_GROWTH),
    ];
    let grown: Vec<_> = rows
        .iter()
        .filter(|(_, before, now, growth)| *now > before + growth)
        .map(|(what, before, now, _)| format!("{what} {before} -> {now}"))
        .collect();
    if !grown.is_empty() {
        bail!(
            "{name} takes more than {} says: {}; change its line, with the reason",
            file.display(),
            grown.join(", ")
        );
    }
    Ok(())
}

fn line(text: &str, name: &str) -> Option<Taken> {
    let mut words = text
        .lines()
        .map(str::split_whitespace)
        .find_map(|mut words| (words.next()? == name).then_some(words))?;
    let mut next = || words.next()?.parse().ok();
    Some(Taken { flash: next()?, ram: next()?, stack: next()? })
}

fn measure(elf: &[u8]) -> Result<(u64, u64)> {
    let file = object::File::parse(elf)?;
    let size = |names: &[&str]| {
        let sections =
            file.sections().filter(|section| section.name().is_ok_and(|name| names.contains(&name)));
        sections.map(|section| section.size()).sum()
    };
    Ok((size(&[".text", ".rodata", ".data"]), size(&[".data", ".bss"])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_by_its_name_and_anything_that_is_no_number_is_no_line() {
        let text = "# evse 1 2 3\nevse 10 20 30\npev 1 2\n";
        assert_eq!(line(text, "evse"), Some(Taken { flash: 10, ram: 20, stack: 30 }));
        assert_eq!((line(text, "pev"), line(text, "listen")), (None, None));
    }
}
