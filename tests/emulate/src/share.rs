//! The share of each crate in a firmware.

use std::collections::BTreeMap;
use std::path::Path;

use object::{File, Object, ObjectSection, ObjectSymbol, SectionKind};

/// A line of the ledger: the measurement's name and value.
pub(crate) type Row = (String, u64);

/// Crates that take fewer bytes than this share a row.
const SMALL: u64 = 256;

/// Whether the section is memory of the emulator or the stack's.
pub(crate) fn is_emulators(section: &str) -> bool {
    [".emulator", ".stack"].contains(&section)
}

/// A row for each crate, the largest first.
pub(crate) fn rows(what: &str, shares: BTreeMap<String, u64>) -> Vec<Row> {
    let (mut named, small): (Vec<_>, Vec<_>) = shares.into_iter().partition(|(_, bytes)| *bytes >= SMALL);
    named.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let rest: u64 = small.iter().map(|(_, bytes)| bytes).sum();
    if rest > 0 {
        named.push(("others".to_owned(), rest));
    }
    named.into_iter().map(|(name, bytes)| (format!("{what}.{name}"), bytes)).collect()
}

/// Bytes of code by crate.
pub(crate) fn code(elf: &Path) -> BTreeMap<String, u64> {
    let mut shares = BTreeMap::new();
    for (source, bytes) in benches::share::by_source(elf) {
        let name = source.split('/').next().unwrap_or_default().to_owned();
        *shares.entry(name).or_default() += bytes;
    }
    shares
}

/// Bytes of statics by crate.
pub(crate) fn ram(file: &File<'_>) -> BTreeMap<String, u64> {
    let is_ram = |symbol: &object::Symbol<'_, '_>| {
        let section = symbol.section_index().and_then(|index| file.section_by_index(index).ok());
        section.is_some_and(|section| {
            matches!(section.kind(), SectionKind::Data | SectionKind::UninitializedData)
                && !is_emulators(section.name().unwrap_or_default())
        })
    };
    let mut shares = BTreeMap::new();
    for symbol in file.symbols().filter(|symbol| symbol.size() > 0 && is_ram(symbol)) {
        let name = format!("{:#}", rustc_demangle::demangle(symbol.name().unwrap_or_default()));
        // `<a::b::C as d>::E` and `a::b::E` belong to `a`.
        let name = name.trim_start_matches('<').split("::").next().unwrap_or_default().replace('_', "-");
        // Merged data of the compiler belongs to several crates.
        let name = if name.starts_with('.') { "merged".to_owned() } else { name };
        *shares.entry(name).or_default() += symbol.size();
    }
    shares
}
