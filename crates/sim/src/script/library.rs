//! The scenarios of this crate.

use super::parse::{Mistake, Script, parse};

/// The files of `scenarios/`, by name.
pub const FILES: &[(&str, &str)] = &[
    ("usual", include_str!("../../scenarios/usual.txt")),
    ("safety", include_str!("../../scenarios/safety.txt")),
    ("lies", include_str!("../../scenarios/lies.txt")),
    ("stops", include_str!("../../scenarios/stops.txt")),
    ("network", include_str!("../../scenarios/network.txt")),
    ("modem", include_str!("../../scenarios/modem.txt")),
    ("car", include_str!("../../scenarios/car.txt")),
    ("charger", include_str!("../../scenarios/charger.txt")),
    ("electrical", include_str!("../../scenarios/electrical.txt")),
    ("time", include_str!("../../scenarios/time.txt")),
    ("car-hazards", include_str!("../../scenarios/car-hazards.txt")),
    ("pyplc", include_str!("../../scenarios/pyplc.txt")),
];

/// A fault of the list without a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unplayed {
    /// Its id.
    pub id: &'static str,
    /// Whether another test covers it.
    pub is_elsewhere: bool,
    /// Where it is tested, or why it is not.
    pub why: &'static str,
}

/// Every scenario, one for each case, in the order of the files.
///
/// # Errors
/// A mistake in the crate's own files, which a test excludes; it names the line, not the file.
pub fn library() -> Result<Vec<Script>, Mistake> {
    FILES.iter().try_fold(Vec::new(), |mut scripts, (_, text)| {
        scripts.extend(parse(text)?);
        Ok(scripts)
    })
}

/// The faults without a scenario, with the reason.
pub fn unplayed() -> impl Iterator<Item = Unplayed> {
    let rows = include_str!("../../scenarios/pending.list").lines().filter(|line| !line.starts_with('#'));
    rows.filter_map(|row| {
        let (id, rest) = row.split_once(' ')?;
        let (place, why) = rest.trim().split_once(' ')?;
        Some(Unplayed { id, is_elsewhere: place == "elsewhere", why: why.trim() })
    })
}
