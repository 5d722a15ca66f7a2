//! The metadata of every published package.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where it fails")]

use published::{PREFIX, Package, packages, root};
use serde_json::Value;

fn published() -> Vec<Package> {
    packages(&root(), false).unwrap().into_iter().filter(|package| package.is_published).collect()
}

#[test]
fn every_crate_of_the_folder_crates_is_published_under_its_folders_name() {
    let mut folders: Vec<String> = std::fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|folder| if folder == PREFIX { folder } else { format!("{PREFIX}-{folder}") })
        .collect();
    folders.sort();
    let mut names: Vec<String> = published().into_iter().map(|package| package.name).collect();
    names.sort();
    assert_eq!(names, folders);
}

#[test]
fn a_library_is_called_as_its_folder() {
    for package in published() {
        let folder = package.manifest.parent().unwrap().file_name().unwrap().to_str().unwrap();
        let library = folder.replace('-', "_");
        let targets = package.metadata["targets"].as_array().unwrap();
        assert!(
            targets.iter().any(|target| target["name"] == library.as_str() && target["kind"][0] == "lib"),
            "{}: the library is not {library}",
            package.name
        );
    }
}

#[test]
fn every_package_says_what_a_registry_asks() {
    for package in published() {
        let (name, metadata) = (&package.name, &package.metadata);
        for key in ["description", "license", "readme", "rust_version"] {
            assert!(metadata[key].as_str().is_some_and(|text| !text.is_empty()), "{name}: no {key}");
        }
        for key in ["keywords", "categories"] {
            let count = metadata[key].as_array().map_or(0, Vec::len);
            assert!((1..=5).contains(&count), "{name}: {count} {key}, a registry takes 1 to 5");
        }
        assert_eq!(
            metadata["metadata"]["docs"]["rs"]["all-features"], true,
            "{name}: no settings for docs.rs"
        );
    }
}

#[test]
fn a_package_depends_on_our_others_by_version_and_on_unpublished_ones_only_in_tests() {
    let published: Vec<String> = published().into_iter().map(|package| package.name).collect();
    for package in self::published() {
        for dependency in package.metadata["dependencies"].as_array().unwrap() {
            let other = dependency["name"].as_str().unwrap();
            let is_dev = dependency["kind"] == "dev";
            let has_version = dependency["req"] != "*";
            if dependency["path"] == Value::Null {
                assert!(has_version, "{}: {other} has no version", package.name);
            } else if published.iter().any(|name| name == other) {
                // A dependency on itself, for another feature in tests: it has no version and is left out of
                // the package.
                let is_circle = other == package.name;
                assert!(has_version || is_dev, "{}: {other} has no version", package.name);
                assert!(!(is_circle && has_version), "{} needs itself by version", package.name);
            } else {
                assert!(is_dev && !has_version, "{}: {other} is not published", package.name);
            }
        }
    }
}
