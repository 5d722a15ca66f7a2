//! The share of each source file in a linked program, from its debug information.

use std::collections::BTreeMap;
use std::path::Path;

use addr2line::Loader;
use object::{Object, ObjectSection, SectionKind};

/// Folders of this project's own code: crates, boards, firmwares.
const OURS: [&str; 3] = ["crates/", "boards/", "examples/"];

/// The shortest instruction of the target, in bytes: the source of each step is looked up.
const STEP: u8 = 2;

/// Bytes of code by source file: `evse-fsm/src/pilot.rs` for own files, the package for others (`smoltcp`),
/// `core` for code of the compiler.
///
/// Inlined code counts for its own file. Code of the standard library counts for the file that calls it.
pub fn by_source(program: &Path) -> BTreeMap<String, u64> {
    let bytes = std::fs::read(program).expect("the binary that was built");
    let file = object::File::parse(&*bytes).expect("an ELF file");
    let loader = Loader::new(program).expect("debug information");
    let mut sources = BTreeMap::new();
    for section in file.sections().filter(|section| section.kind() == SectionKind::Text) {
        for address in (section.address()..section.address() + section.size()).step_by(STEP.into()) {
            *sources.entry(source(&loader, address)).or_default() += u64::from(STEP);
        }
    }
    sources
}

fn source(loader: &Loader, address: u64) -> String {
    let mut owner = "core".to_owned();
    let Ok(mut frames) = loader.find_frames(address) else { return owner };
    while let Ok(Some(frame)) = frames.next() {
        let file = frame.location.and_then(|location| location.file).unwrap_or_default();
        if let Some(name) = package(file) {
            owner = name;
            break;
        }
    }
    owner
}

/// The package of a file; `None` for the standard library's.
fn package(file: &str) -> Option<String> {
    // Code inlined from another crate may have a path below the folder of the compiled crate.
    if let Some((_, ours)) = OURS.iter().find_map(|folder| file.rsplit_once(folder)) {
        return Some(ours.to_owned());
    }
    let (folder, _) = file.rsplit_once("/src/")?;
    let folder = folder.rsplit('/').next()?;
    let (name, version) = folder.rsplit_once('-')?;
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| name.to_owned())
}
