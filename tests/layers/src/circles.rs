//! Circles: files that import each other, directly or through others.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// For each file, the files that it imports.
pub type Imports = BTreeMap<PathBuf, BTreeSet<PathBuf>>;

/// Each group of at least two files in which every file leads to every other.
pub fn circles(imports: &Imports) -> Vec<BTreeSet<PathBuf>> {
    let reached: BTreeMap<_, _> = imports.keys().map(|file| (file, reach(imports, file))).collect();
    let mut found: Vec<BTreeSet<PathBuf>> = Vec::new();
    for (file, to) in &reached {
        if found.iter().any(|circle| circle.contains(*file)) {
            continue;
        }
        let back = |other: &&PathBuf| reached.get(other).is_some_and(|to| to.contains(*file));
        let circle: BTreeSet<_> = to.iter().filter(back).cloned().collect();
        if circle.len() > 1 {
            found.push(circle);
        }
    }
    found
}

/// All files that this one leads to.
fn reach(imports: &Imports, from: &PathBuf) -> BTreeSet<PathBuf> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        for next in imports.get(file).into_iter().flatten() {
            if reached.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    reached
}
