//! Only the modules that map messages use the message sets, and no other part of a session.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

use std::fs;
use std::path::Path;

use layers::workspace::{files, root};

/// The crates with sessions.
const SESSIONS: [&str; 4] = ["session", "evse-fsm", "pev-fsm", "roles"];
/// The modules that map messages, anywhere below a crate's `src`.
const MAPS: [&str; 3] = ["din", "handshake", "wire"];

/// The library names of all message sets: each crate whose name begins with `exi-`.
fn message_sets(root: &Path) -> Vec<String> {
    let folders = fs::read_dir(root.join("crates")).unwrap();
    let names = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("exi-")).map(|name| name.replace('-', "_")).collect()
}

/// The files below `source` that use a message set and belong to no module that maps messages.
fn intruders(source: &Path, sets: &[String]) -> Vec<String> {
    let is_map = |path: &Path| {
        let inside = path.strip_prefix(source).unwrap().with_extension("");
        inside.components().any(|part| MAPS.iter().any(|map| part.as_os_str() == *map))
    };
    let knows = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        sets.iter().any(|set| text.contains(&format!("{set}::")))
    };
    let found = files(source, &["rs"]).unwrap();
    let found = found.iter().filter(|path| !is_map(path) && knows(path));
    found.map(|path| path.strip_prefix(source).unwrap().display().to_string()).collect()
}

#[test]
fn the_message_sets_are_known_only_to_the_modules_that_map_them() {
    let root = root().unwrap();
    let sets = message_sets(&root);
    assert!(sets.len() >= 3, "{sets:?}");
    for name in SESSIONS {
        let found = intruders(&root.join("crates").join(name).join("src"), &sets);
        assert!(found.is_empty(), "{name} knows a message set in {found:?}");
    }
}

#[test]
fn a_message_set_is_found_at_any_depth_whichever_it_is() {
    let source = std::env::temp_dir().join(format!("message-sets-{}", std::process::id()));
    let sets = message_sets(&root().unwrap());
    fs::create_dir_all(source.join("car/deep")).unwrap();
    fs::create_dir_all(source.join("wire")).unwrap();
    fs::write(source.join("car/deep/order.rs"), "use exi_app::Handshake;").unwrap();
    fs::write(source.join("policy.rs"), "fn f() { exi_dsig::check() }").unwrap();
    fs::write(source.join("wire/din2.rs"), "use exi_din::Body;").unwrap();
    fs::write(source.join("din.rs"), "use exi_din::Body;").unwrap();
    let found = intruders(&source, &sets);
    fs::remove_dir_all(source).unwrap();
    assert_eq!(found, ["car/deep/order.rs", "policy.rs"]);
}
