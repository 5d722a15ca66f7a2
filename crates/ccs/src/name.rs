//! Checks names from users (interfaces, files, choices) where they are read: in the configuration and on the
//! command line.

use std::ffi::OsStr;
use std::path::PathBuf;

use clap::builder::TypedValueParser;

use clap::error::ErrorKind;
use clap::{Arg, Command};

use crate::escape::{self, Short};

/// Longest name of an interface in bytes (Linux, `IFNAMSIZ` without its end).
const INTERFACE_MAX: usize = 15;
/// Longest text in bytes: that of a path (Linux, `PATH_MAX` without its end).
const TEXT_MAX: usize = 4095;

/// Checks that a text is printable and of a plausible length; the error states what is expected.
pub(crate) fn text(text: &str) -> Result<(), String> {
    if text.len() > TEXT_MAX {
        return Err(format!("expected at most {TEXT_MAX} bytes"));
    }
    if text.chars().any(escape::is_hidden) {
        return Err("expected a text without control and invisible characters".into());
    }
    Ok(())
}

/// Checks that an interface can have this name (Linux, `dev_valid_name`, and [`text`]); the error states what
/// is expected.
pub(crate) fn interface(name: &str) -> Result<(), String> {
    text(name)?;
    let is_odd = |c: char| c == '/' || c == ':' || c.is_whitespace();
    if matches!(name.len(), 1..=INTERFACE_MAX) && !name.contains(is_odd) && !matches!(name, "." | "..") {
        return Ok(());
    }
    Err(format!(
        "expected the name of a network interface as `ip link` shows it: 1..={INTERFACE_MAX} bytes, no space, no `/`, \
         no `:`, not `.` or `..`"
    ))
}

/// Parser of an interface name on the command line.
#[derive(Clone, Copy)]
pub(crate) struct Interface;

/// Parser of a path on the command line.
#[derive(Clone, Copy)]
pub(crate) struct Path;

impl TypedValueParser for Interface {
    type Value = String;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<String, clap::Error> {
        let name = value.to_string_lossy();
        interface(&name).map_err(|expected| refused(command, arg, &name, &expected))?;
        Ok(name.into_owned())
    }
}

impl TypedValueParser for Path {
    type Value = PathBuf;

    fn parse_ref(&self, command: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<PathBuf, clap::Error> {
        let path = value.to_string_lossy();
        let checked = if path.is_empty() { Err("expected the path of a file".into()) } else { text(&path) };
        checked.map_err(|expected| refused(command, arg, &path, &expected))?;
        Ok(value.into())
    }
}

/// The error that clap would report, with the value escaped and shortened.
fn refused(command: &Command, arg: Option<&Arg>, value: &str, expected: &str) -> clap::Error {
    let of = arg.map(ToString::to_string).unwrap_or_default();
    let words = format!("invalid value '{}' for '{of}': {expected}\n", Short(value));
    clap::Error::raw(ErrorKind::ValueValidation, words).with_cmd(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_has_a_name_that_the_kernel_takes_and_a_terminal_can_show() {
        for good in ["a", "eth0", "enp0s31f6", "br-lan.100", "...", "0123456789abcde", "plc_ü"] {
            assert_eq!(interface(good), Ok(()), "{good}");
        }
        let long = "a".repeat(1_000_000);
        for bad in [
            "",
            ".",
            "..",
            "0123456789abcdef",
            "a/b",
            "../x",
            "a b",
            " a",
            "a\u{a0}",
            "a:1",
            "a\0",
            "a\n",
            "a\u{1b}[31m",
            "a\u{9b}",
            "a\u{202e}",
            &long,
        ] {
            let expected = interface(bad).unwrap_err();
            assert!(expected.starts_with("expected ") && expected.len() < 200, "{bad:.20}: {expected}");
        }
    }

    #[test]
    fn a_text_is_printable_and_no_longer_than_a_path() {
        let longest = "ü".repeat(TEXT_MAX / 2);
        for good in ["", "/var/log/a b.pcapng", "Ladesäule", &longest] {
            assert_eq!(text(good), Ok(()), "{good:.20}");
        }
        for bad in ["\0", "a\tb", "a\nb", "\u{7f}", "\u{85}", "\u{200b}", &"a".repeat(TEXT_MAX + 1)] {
            assert!(text(bad).unwrap_err().starts_with("expected "), "{bad:.20}");
        }
    }
}
