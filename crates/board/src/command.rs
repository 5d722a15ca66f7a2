//! The commands of the serial line.

use heapless::Vec;

use crate::settings::Setting;

/// The commands: how each is typed, and what it does.
pub const COMMANDS: [(&str, &str); 24] = [
    ("help", "this list"),
    ("status", "role, phase, pilot, outputs, link, latch"),
    ("start", "offer charging, or charge"),
    ("stop", "end the session in order, and begin no other one until `start`"),
    ("authorise yes|no", "whether this car may charge"),
    ("role", "which roles this firmware has"),
    ("role NAME", "change the role; the board starts again"),
    ("autostart on|off", "whether the role starts with the power"),
    ("settings", "all settings and what they can be"),
    ("set NAME VALUE", "change a setting; the role is made again"),
    ("key", "whether there is a network key"),
    ("key show|hide", "show the network key in `key` and `modem`, or no more"),
    ("pins", "which pad carries which signal"),
    (
        "test pilot",
        "the pilot at 12 V, 5 %, 10 %, 50 %, 96 % and what is measured; nothing may be plugged in",
    ),
    ("modem find", "the modems that can be reached; the role stops meanwhile"),
    ("modem show", "what the own modem is; the role stops meanwhile"),
    (
        "modem pib role evse|pev",
        "prepare the own modem for this side; `key show` first, and keep the log: it has the backup",
    ),
    ("reset latch", "release what is latched, once its cause is gone"),
    ("seed HEX", "16 bytes or more of a host's entropy"),
    ("json on|off", "each line as a JSON object, or in words"),
    ("frames on|off", "every frame as hexadecimal text, or none"),
    ("messages all|once", "every message of a session, or the same one once in 10 s"),
    ("clear mac", "the address is the board's own again"),
    ("reboot", "start the board again, once nothing is driven"),
];

/// Longest line in bytes; a longer one is rejected.
pub(crate) const LINE: usize = 200;

/// A command of the serial line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command<'l> {
    Help,
    Status,
    Start,
    Stop,
    Authorise(bool),
    Roles,
    Role(&'l str),
    Settings,
    Set(Setting, Vec<u8, 6>),
    /// A value that is outside the setting's range.
    CannotBe(Setting),
    ForgetMac,
    Key,
    ShowKey(bool),
    Pins,
    TestPilot,
    Tool(Tool),
    ResetLatch,
    Seed(Vec<u8, 64>),
    Json(bool),
    Frames(bool),
    AllMessages(bool),
    Reboot,
}

/// A task for the own modem, done while the role rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Lists the modems that respond.
    Find,
    /// Shows address, version and parameters of the own modem.
    Show,
    /// Writes the parameters of a side into the own modem.
    PibRole(modem::pib::Role),
}

impl<'l> Command<'l> {
    /// The command of a line: words, or `{"command":"words"}`. `None`: there is no such command.
    pub(crate) fn parse(line: &'l str) -> Option<Self> {
        let line = line.trim();
        let line = if line.starts_with('{') { of_json(line)? } else { line };
        let mut words = Vec::<&str, 5>::new();
        for word in line.split_ascii_whitespace() {
            words.push(word).ok()?;
        }
        Some(match words.as_slice() {
            ["help"] => Self::Help,
            ["status"] => Self::Status,
            ["start"] => Self::Start,
            ["stop"] => Self::Stop,
            ["authorise", word] => Self::Authorise(choice(word, "yes", "no")?),
            ["role"] => Self::Roles,
            ["role", name] => Self::Role(name),
            ["autostart", word] => Self::set(Setting::Autostart, word),
            ["settings"] => Self::Settings,
            ["set", name, value] => Self::set(Setting::named(name)?, value),
            ["clear", "mac"] => Self::ForgetMac,
            ["key"] => Self::Key,
            ["key", word] => Self::ShowKey(choice(word, "show", "hide")?),
            ["pins"] => Self::Pins,
            ["test", "pilot"] => Self::TestPilot,
            ["modem", "find"] => Self::Tool(Tool::Find),
            ["modem", "show"] => Self::Tool(Tool::Show),
            ["modem", "pib", "role", "evse"] => Self::Tool(Tool::PibRole(modem::pib::Role::Evse)),
            ["modem", "pib", "role", "pev"] => Self::Tool(Tool::PibRole(modem::pib::Role::Pev)),
            ["reset", "latch"] => Self::ResetLatch,
            ["seed", hex] => Self::Seed(bytes(hex)?),
            ["json", word] => Self::Json(choice(word, "on", "off")?),
            ["frames", word] => Self::Frames(choice(word, "on", "off")?),
            ["messages", word] => Self::AllMessages(choice(word, "all", "once")?),
            ["reboot"] => Self::Reboot,
            _ => return None,
        })
    }

    fn set(setting: Setting, word: &str) -> Self {
        setting.parse(word).map_or(Self::CannotBe(setting), |value| Self::Set(setting, value))
    }
}

fn choice(word: &str, yes: &str, no: &str) -> Option<bool> {
    if word == yes { Some(true) } else { (word == no).then_some(false) }
}

fn bytes(hex: &str) -> Option<Vec<u8, 64>> {
    let mut bytes = Vec::new();
    let mut rest = hex;
    while !rest.is_empty() {
        let (byte, next) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(byte, 16).ok()?).ok()?;
        rest = next;
    }
    Some(bytes)
}

/// The words in `{"command":"words"}`. No command has a letter that JSON escapes, so none is read.
fn of_json(line: &str) -> Option<&str> {
    let inside = line.strip_prefix('{')?.strip_suffix('}')?.trim();
    let value = inside.strip_prefix("\"command\"")?.trim_start().strip_prefix(':')?.trim();
    let words = value.strip_prefix('"')?.strip_suffix('"')?;
    (!words.contains(['"', '\\'])).then_some(words)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn every_command_of_the_list_is_known_with_each_of_its_words() {
        for (usage, _) in COMMANDS {
            let typed =
                usage.replace("NAME VALUE", "link given").replace("NAME", "car").replace("HEX", "00ff");
            let typed = typed.replace("MAC", "mac");
            let (start, last) = typed.rsplit_once(' ').unwrap_or(("", &typed));
            for word in last.split('|') {
                let line = std::format!("{start} {word}");
                assert!(Command::parse(&line).is_some(), "{line}");
                let json = std::format!("{{ \"command\": \"{line}\" }}");
                assert_eq!(Command::parse(&json), Command::parse(&line));
            }
        }
    }

    #[test]
    fn anything_else_is_no_command() {
        let long = "00".repeat(65);
        for line in [
            "",
            "stat",
            "status now",
            "authorise",
            "authorise maybe",
            "set link",
            "set nothing on",
            "seed 0",
            "seed 0g",
            &std::format!("seed {long}"),
            "{\"command\":\"sta\\u0074us\"}",
            "{\"command\":\"status\"",
            "{\"other\":\"status\"}",
            "a b c d e f",
        ] {
            assert_eq!(Command::parse(line), None, "{line}");
        }
        assert_eq!(Command::parse("set link up"), Some(Command::CannotBe(Setting::Link)));
    }
}
