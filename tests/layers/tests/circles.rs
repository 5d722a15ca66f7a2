//! No files import each other in a circle, in the whole workspace.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use layers::circles::{Imports, circles};
use layers::modules::Crate;
use layers::workspace::roots;

/// The circles of the crate with this root.
fn circles_of(root: &Path) -> (Imports, Vec<BTreeSet<PathBuf>>) {
    let imports = Crate::read(root).unwrap_or_else(|words| panic!("{words}")).imports();
    let found = circles(&imports);
    (imports, found)
}

/// A circle as text: the imports inside it.
fn words(imports: &Imports, circle: &BTreeSet<PathBuf>) -> String {
    let line = |file: &PathBuf| {
        let others: Vec<_> =
            imports.get(file).into_iter().flatten().filter(|other| circle.contains(*other)).collect();
        format!("\n  {} imports {others:?}", file.display())
    };
    circle.iter().map(line).collect::<Vec<_>>().concat()
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    for root in roots().unwrap() {
        let (imports, found) = circles_of(&root);
        let found: Vec<_> = found.iter().map(|circle| words(&imports, circle)).collect();
        assert!(found.is_empty(), "{}: circles of files:{}", root.display(), found.concat());
    }
}

/// Writes a crate of these files; returns the circles in it, by file name.
fn planted(name: &str, files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let folder = std::env::temp_dir().join(format!("circles-{name}-{}", std::process::id()));
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let (_, found) = circles_of(&folder.join("lib.rs"));
    let short = |path: &PathBuf| path.strip_prefix(&folder).unwrap().display().to_string();
    let found = found.iter().map(|circle| circle.iter().map(short).collect()).collect();
    fs::remove_dir_all(folder).unwrap();
    found
}

#[test]
fn a_planted_circle_is_found_however_it_is_written() {
    let forms = [
        ("use", "use crate::b::B; pub struct A;", "use crate::a::A; pub struct B;"),
        ("group", "use crate::{b::{self, B}}; pub struct A;", "use super::a::A; pub struct B;"),
        ("path", "pub struct A(crate::b::B);", "pub fn f() { let _ = super::a::A::new(); }"),
        ("glob", "use crate::b::*; pub struct A(B);", "use crate::a::*; pub struct B(A);"),
        ("re-export", "use crate::B; pub struct A;", "use crate::A; pub struct B;"),
        (
            "macro",
            "pub struct A; fn f() { vec![crate::b::B] }",
            "pub struct B; fn f() { println!(\"{}\", crate::a::A) }",
        ),
    ];
    for (name, a, b) in forms {
        let lib = "mod a; mod b; pub use a::A; pub use b::B;";
        let found = planted(name, &[("lib.rs", lib), ("a.rs", a), ("b.rs", b)]);
        assert_eq!(found, [["a.rs", "b.rs"]], "{name}");
    }
}

#[test]
fn a_circle_through_globs_and_items_that_a_macro_makes_is_found() {
    let found = planted(
        "globs",
        &[
            (
                "lib.rs",
                "mod a; mod b; mod c; mod all; macro_rules! make { ($($item:item)*) => { $($item)* } }",
            ),
            ("all.rs", "pub use crate::b::*; pub use crate::c::*;"),
            ("a.rs", "use crate::all::Made; pub struct A;"),
            ("b.rs", "pub struct B;"),
            ("c.rs", "make! { pub struct Made(crate::a::A); }"),
        ],
    );
    assert_eq!(found, [["a.rs", "c.rs"]]);
}

#[test]
fn a_circle_through_three_files_and_folders_is_found() {
    let found = planted(
        "three",
        &[
            ("lib.rs", "mod x; mod c;"),
            ("x/mod.rs", "pub mod a; pub mod b;"),
            ("x/a.rs", "use super::b::B;"),
            ("x/b.rs", "use crate::c::C; pub struct B;"),
            ("c.rs", "use crate::x::a; pub struct C;"),
        ],
    );
    assert_eq!(found, [["c.rs", "x/a.rs", "x/b.rs"]]);
}

#[test]
fn a_module_of_a_module_a_test_and_a_plain_order_are_no_circles() {
    let found = planted(
        "none",
        &[
            ("lib.rs", "mod a; mod b; pub struct Root;"),
            ("a.rs", "mod inside; use inside::Inside; pub struct A(Inside); use crate::Root;"),
            ("a/inside.rs", "use super::A; pub struct Inside;"),
            ("b.rs", "use crate::a::A; #[cfg(test)] mod tests { use super::*; }"),
        ],
    );
    assert_eq!(found, Vec::<Vec<String>>::new());
}
