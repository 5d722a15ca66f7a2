//! What survives a power cut besides the latch, under the names of the commands.

use core::fmt;

use hal_esp32p4::{Flash, Key, Store};
use roles::Mac;

/// A setting in flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// Whether the role starts with the power.
    Autostart,
    /// Whether the charger has a power stage, or makes a car close its contactors without one.
    Stage,
    /// How a charger brings its voltage to the car's before the car closes its contactors: an
    /// [`evse_fsm::Preset`].
    Precharge,
    /// Whether a session charges, or reads the car's data and stops.
    Purpose,
    /// Who authorises a session: no one is asked, or the operator.
    Authorise,
    /// Whether SLAC establishes the power-line link.
    Link,
    /// MAC address of the board.
    Mac,
    /// The power stage's limit in mV.
    MaxVoltage,
    /// The power stage's limit in mA.
    MaxCurrent,
    /// The power stage's limit in W.
    MaxPower,
}

/// The values that a setting accepts.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// One of these words; the first is the default.
    Words(&'static [&'static str]),
    /// A unicast MAC address; the board's own is the default.
    Mac,
    /// A number from the first to the second; the third is the default.
    Number(i32, i32, i32),
}

/// One row for each setting: name, number of its key in flash (never reused for another setting), accepted
/// values.
type Row = (Setting, &'static str, u8, Kind);

const ROWS: [Row; 10] = [
    (Setting::Autostart, "autostart", 1, Kind::Words(&["off", "on"])),
    (Setting::Stage, "stage", 2, Kind::Words(&["real", "none"])),
    (
        Setting::Precharge,
        "precharge",
        10,
        Kind::Words(&["ramp", "step20", "two-stage", "overshoot", "mirror"]),
    ),
    (Setting::Purpose, "purpose", 3, Kind::Words(&["charge", "read"])),
    (Setting::Authorise, "authorise", 4, Kind::Words(&["free", "operator"])),
    (Setting::Link, "link", 5, Kind::Words(&["matched", "given"])),
    (Setting::Mac, "mac", 6, Kind::Mac),
    (Setting::MaxVoltage, "max-voltage-mv", 7, Kind::Number(60_000, 1_000_000, 500_000)),
    (Setting::MaxCurrent, "max-current-ma", 8, Kind::Number(2_000, 500_000, 125_000)),
    (Setting::MaxPower, "max-power-w", 9, Kind::Number(1_000, 400_000, 50_000)),
];

impl Setting {
    /// All settings, in the order of the table.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|(setting, ..)| *setting)
    }

    /// The setting with this name; `None`: no setting has it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        ROWS.iter().find(|(_, of, ..)| *of == name).map(|(setting, ..)| *setting)
    }

    fn row(self) -> &'static Row {
        // Every setting has its row, which a test checks.
        let [first, ..] = &ROWS;
        ROWS.iter().find(|(setting, ..)| *setting == self).unwrap_or(first)
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        self.row().1
    }

    /// The bytes to store for `word`; `None`: the setting does not accept it.
    pub(crate) fn parse(self, word: &str) -> Option<heapless::Vec<u8, 6>> {
        match self.row().3 {
            Kind::Words(words) => {
                let index = words.iter().position(|of| *of == word)?;
                heapless::Vec::from_slice(&[u8::try_from(index).ok()?]).ok()
            }
            Kind::Mac => {
                let mac = parse_mac(word).filter(|mac| mac.is_unicast())?;
                heapless::Vec::from_slice(&mac.0).ok()
            }
            Kind::Number(least, most, _) => {
                let number = word.parse::<i32>().ok().filter(|number| (least..=most).contains(number))?;
                heapless::Vec::from_slice(&number.to_le_bytes()).ok()
            }
        }
    }
}

/// Formats the accepted values of a setting: `off | on`, `60000..1000000`.
pub(crate) struct Choices(pub Setting);

impl fmt::Display for Choices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.row().3 {
            Kind::Words(words) => words
                .iter()
                .enumerate()
                .try_for_each(|(index, word)| write!(f, "{}{word}", if index == 0 { "" } else { " | " })),
            Kind::Mac => f.write_str("a unicast address as 02:00:00:00:00:01"),
            Kind::Number(least, most, _) => write!(f, "{least}..{most}"),
        }
    }
}

/// The stored settings; without flash the defaults.
pub(crate) struct Settings<'s, F>(pub Option<&'s Store<F>>);

impl<F: Flash> Settings<'_, F> {
    fn bytes(&self, setting: Setting) -> Option<&[u8]> {
        self.0?.get(Key::new(setting.row().2)?)
    }

    /// Index of the stored word in the setting's row: 0 is the default. A stored index outside the row counts
    /// as the default.
    pub(crate) fn word(&self, setting: Setting) -> usize {
        let Kind::Words(words) = setting.row().3 else { return 0 };
        match self.bytes(setting) {
            Some([index]) if usize::from(*index) < words.len() => usize::from(*index),
            _ => 0,
        }
    }

    /// The stored number, or the default.
    pub(crate) fn number(&self, setting: Setting) -> i32 {
        let Kind::Number(least, most, default) = setting.row().3 else { return 0 };
        let kept = self.bytes(setting).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        kept.map(i32::from_le_bytes).filter(|kept| (least..=most).contains(kept)).unwrap_or(default)
    }

    /// The stored address; `None`: the board's own is used.
    pub(crate) fn mac(&self) -> Option<Mac> {
        let kept = self.bytes(Setting::Mac).and_then(|bytes| <[u8; 6]>::try_from(bytes).ok());
        kept.map(Mac).filter(|mac| mac.is_unicast())
    }

    /// Writes a value as the command `set` accepts it.
    pub(crate) fn write(&self, setting: Setting, board: Mac, out: &mut dyn fmt::Write) -> fmt::Result {
        match setting.row().3 {
            Kind::Words(words) => out.write_str(words.get(self.word(setting)).unwrap_or(&"")),
            Kind::Mac => write!(out, "{}", self.mac().unwrap_or(board)),
            Kind::Number(..) => write!(out, "{}", self.number(setting)),
        }
    }
}

/// Key of a setting in the store.
pub(crate) fn key(setting: Setting) -> Option<Key> {
    Key::new(setting.row().2)
}

fn parse_mac(word: &str) -> Option<Mac> {
    let mut bytes = [0; 6];
    let mut parts = word.split(':');
    for byte in &mut bytes {
        let part = parts.next().filter(|part| part.len() == 2)?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(Mac(bytes))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::ToString;

    use super::*;

    #[test]
    fn each_setting_has_a_row_a_name_and_a_key_of_its_own() {
        for (index, (setting, name, key, _)) in ROWS.iter().enumerate() {
            assert_eq!((Setting::named(name), setting.name()), (Some(*setting), *name));
            assert!(ROWS[..index].iter().all(|(_, _, other, _)| other != key), "{name}");
        }
    }

    #[test]
    fn only_what_a_setting_can_be_is_taken() {
        assert_eq!(Setting::Autostart.parse("on").unwrap(), [1]);
        assert_eq!(Setting::Autostart.parse("yes"), None);
        assert_eq!(Setting::MaxVoltage.parse("400000").unwrap(), 400_000_i32.to_le_bytes());
        assert_eq!(Setting::MaxVoltage.parse("1000001"), None);
        assert_eq!(Setting::Mac.parse("02:00:00:00:00:0a").unwrap(), [2, 0, 0, 0, 0, 10]);
        for wrong in ["03:00:00:00:00:0a", "02:00:00:00:00", "02:00:00:00:00:0a:00", "2:0:0:0:0:a", ""] {
            assert_eq!(Setting::Mac.parse(wrong), None, "{wrong}");
        }
        assert_eq!(Choices(Setting::Stage).to_string(), "real | none");
        let presets: std::vec::Vec<_> = evse_fsm::Preset::ALL.iter().map(|preset| preset.name()).collect();
        assert_eq!(Choices(Setting::Precharge).to_string(), presets.join(" | "));
        assert_eq!(Choices(Setting::MaxPower).to_string(), "1000..400000");
    }
}
