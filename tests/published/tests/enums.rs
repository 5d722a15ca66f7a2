//! The rule of CONTRIBUTING.md on `#[non_exhaustive]`: errors have it, other enums do not.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::path::{Path, PathBuf};

use published::{packages, root};

/// The one exception: management messages, of which a view supports more with each release.
const VIEW: &str = "crates/homeplug-mme/src/view/mod.rs";

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_public_error_enum_may_grow_and_no_other_enum() {
    let mut files = Vec::new();
    // The command's library is for its own tests.
    for package in packages(&root(), false).unwrap().iter().filter(|package| package.name != "fastcharge-ccs")
    {
        if package.is_published {
            sources(&package.manifest.parent().unwrap().join("src"), &mut files);
        }
    }
    let mut errors = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut attributes = String::new();
        for line in text.lines().map(str::trim_start) {
            if line.starts_with("#[") {
                attributes += line;
                continue;
            }
            if line.starts_with("pub enum") {
                let is_error = attributes.contains("thiserror::Error");
                errors += usize::from(is_error);
                let may_grow = attributes.contains("#[non_exhaustive]");
                assert!(is_error == may_grow || file.ends_with(VIEW), "{}: {line}", file.display());
            }
            attributes.clear();
        }
    }
    assert!(errors >= 25, "only {errors} public errors found: is the search broken?");
}
