//! `ccs doctor`: whether machine, interface and modem are ready, and what to do if not.

use std::fmt::Write as _;
use std::io::Write;

use anstyle::Style;
use clap::Args;
use hal_linux::{Error, Interface, InterfaceState};
use machine::Duration;
use modem::pib::{Finding, Image, Role};
use modem::{Details, Question};
use serde_json::json;

use super::modem::TargetArgs;
use super::modem::{Bench, Progress};
use crate::drive::Cable;
use crate::escape;
use crate::exit::{Ended, Exit};
use crate::style::{BAD, DIM, GOOD, NOTE, Palette, RESET};

/// Longest wait for the modem's parameters: judgement, reading takes less than 1 s (observed).
const PARAMETERS: Duration = Duration::from_secs(6);

/// All checks in this order. After a failed check those that depend on it are left out.
const NAMES: [&str; 11] = [
    "interface",
    "switched on",
    "carrier",
    "privilege",
    "IPv6",
    "others",
    "modem",
    "firmware",
    "role",
    "key",
    "link",
];

/// Result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Passed.
    Good(String),
    /// Passed, with a remark.
    Note(String),
    /// Failed: what is wrong, and what to do.
    Bad(String, String),
}

use Verdict::{Bad, Good, Note};

/// The results so far, with the name of each check.
#[derive(Debug, Default)]
pub struct Findings(Vec<(&'static str, Verdict)>);

/// Options of `ccs doctor`.
#[derive(Args)]
#[command(after_help = "\
Changes nothing.

Exit codes:
  0  every check passed
  1  something must be repaired")]
pub struct DoctorArgs {
    #[command(flatten)]
    /// The interface and the form of the output.
    pub at: TargetArgs,
}

/// Runs all checks and prints the results.
pub fn run(args: &DoctorArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<Exit> {
    let mut found = Findings::default();
    if let Some(interface) = found.interface(&args.at.interface)? {
        let own = interface.role_mac();
        match Cable::open(&interface, own) {
            Ok(mut cable) => {
                found.add("privilege", Good("frames can be sent and received".into()));
                found.around(&args.at.interface, &interface)?;
                found.modem(&mut Bench::new(&mut cable, own, out, Progress::stderr()))?;
            }
            Err(error @ Error::Privilege { .. }) => {
                let advice = error.advice().unwrap_or_default();
                found.add("privilege", Bad("no permission for a raw socket".into(), advice));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let text = if args.at.json { found.json(&args.at.interface) } else { found.text(Palette::stdout()) };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(if found.is_good() { Exit::Good } else { Exit::Failed })
}

impl Findings {
    fn add(&mut self, name: &'static str, verdict: Verdict) {
        self.0.push((name, verdict));
    }

    /// Whether every check passed.
    pub fn is_good(&self) -> bool {
        !self.0.iter().any(|(_, verdict)| matches!(verdict, Bad(..)))
    }

    /// Checks the interface. `None` if it cannot be used.
    fn interface(&mut self, name: &str) -> anyhow::Result<Option<Interface>> {
        let interface = match Interface::find(name) {
            Ok(interface) => interface,
            Err(error @ Error::Down(_)) => {
                self.add("interface", Good(format!("{name} is there")));
                let advice = error.advice().unwrap_or_default();
                self.add("switched on", Bad("it is down".into(), advice));
                return Ok(None);
            }
            Err(error @ (Error::NoInterface { .. } | Error::NotEthernet(_))) => {
                let advice = "give `-i` the one that the modem is connected to";
                self.add("interface", Bad(error.to_string(), advice.into()));
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        self.add("interface", Good(format!("{name} is there, {}", interface.mac())));
        self.add("switched on", Good("it is up".into()));
        let carrier = if Interface::state(name)?.has_carrier {
            Good("link partner present".into())
        } else {
            let advice = "power the modem and plug the cable in; the link light must be on";
            Bad("no link partner".into(), advice.into())
        };
        self.add("carrier", carrier);
        Ok(Some(interface))
    }

    /// Checks for other programs on the interface.
    fn around(&mut self, name: &str, interface: &Interface) -> anyhow::Result<()> {
        let InterfaceState { link_local, raw_sockets, .. } = Interface::state(name)?;
        let role = interface.role_address(interface.role_mac());
        let kernel = link_local.map_or_else(|| "has none".into(), |address| format!("has {address}"));
        self.add("IPv6", Good(format!("`ccs` uses {role} of its own; the kernel {kernel}")));
        // This program's socket is one of them.
        let others = raw_sockets.saturating_sub(1);
        self.add(
            "others",
            match others {
                0 => Good("no other program has a raw socket on it".into()),
                _ => Note(format!(
                    "other raw sockets on it: {others}; a capture is harmless, a second master of the modem \
                 (`ccs evse`, `ccs pev`, another stack) is not"
                )),
            },
        );
        Ok(())
    }

    /// Checks the modem.
    pub fn modem(&mut self, bench: &mut Bench<'_>) -> anyhow::Result<()> {
        let details = match bench.inspect(None, &[Question::Nid, Question::Link, Question::Network]) {
            Ok(details) => details,
            Err(error) => match error.downcast_ref() {
                Some(Ended::Stopped(reason)) => {
                    self.add("modem", Bad(reason.cause.to_string(), reason.advice().into()));
                    return Ok(());
                }
                _ => return Err(error),
            },
        };
        let family = details.profile.name;
        self.add("modem", Good(format!("{} answers, family {family}", details.address)));
        if details.is_boot_loader() {
            let advice = "load it with its maker's tool; without it the modem does nothing";
            self.add("firmware", Bad("it has none (it says BootLoader)".into(), advice.into()));
            return Ok(());
        }
        let firmware = super::modem::firmware(&details.firmware);
        let is_known = details.profile != &modem::UNKNOWN;
        self.add(
            "firmware",
            if is_known {
                Good(firmware)
            } else {
                Note(format!("{firmware}: this family is not known; parameters cannot be looked at"))
            },
        );
        let parameters = self.role(bench, &details)?;
        self.key(&details, parameters.as_deref());
        self.link(&details);
        Ok(())
    }

    /// Checks for which commands the modem is configured. Returns its parameters.
    fn role(&mut self, bench: &mut Bench<'_>, details: &Details) -> anyhow::Result<Option<Vec<u8>>> {
        let bytes = match bench.parameters_if_any(None, details.profile, PARAMETERS)? {
            Ok(bytes) => bytes,
            Err(reason) => {
                self.add("role", Note(format!("not known: {reason}")));
                return Ok(None);
            }
        };
        let advice = "`ccs modem pib role evse` (a charger's) or `pev` (a car's) sets it";
        let role = Image::parse(&bytes)?.role();
        self.add(
            "role",
            match role {
                Some(Role::Evse) => Good("EVSE: fits `ccs evse`, not `ccs pev`".into()),
                Some(Role::Pev) => Good("PEV: fits `ccs pev`, not `ccs evse`".into()),
                Some(role @ Role::Off) => Bad(
                    format!("{role}: it passes no matching, so no car and no charger is found"),
                    advice.into(),
                ),
                Some(role @ Role::Mixed { .. }) => Bad(role.to_string(), advice.into()),
                None => Note("not known in this family's parameters".into()),
            },
        );
        Ok(Some(bytes))
    }

    fn key(&mut self, details: &Details, parameters: Option<&[u8]>) {
        let factory = parameters
            .and_then(|bytes| Image::parse(bytes).ok())
            .is_some_and(|image| image.findings().any(|finding| finding == Finding::WellKnownKey));
        self.add("key", match details.nid {
            Some(nid) if factory => Note(format!(
                "network {nid} with the factory's key, which everybody knows: `ccs modem key --random` sets \
                 another; `ccs evse` and `ccs pev` do so by themselves"
            )),
            Some(nid) if nid == homeplug_mme::Nid::default() => {
                Note("in no network yet: it has just restarted".into())
            }
            Some(nid) => Good(format!("network {nid}")),
            None => Note(format!("a modem of the family {} does not tell its network", details.profile.name)),
        });
    }

    fn link(&mut self, details: &Details) {
        let network = details.network.as_ref().and_then(Option::as_ref);
        let stations: Vec<_> = network.iter().flat_map(|network| super::modem::stations(network)).collect();
        self.add(
            "link",
            match details.link {
                Some(true) => Good(format!("up: {}", stations.join("; "))),
                Some(false) => Good("down, as it should be while no car and no charger is matched".into()),
                None => Note("this modem does not tell it".into()),
            },
        );
    }

    fn json(&self, interface: &str) -> String {
        let checks: Vec<_> = self
            .0
            .iter()
            .map(|(name, verdict)| {
                let (state, says, advice) = match verdict {
                    Good(says) => ("good", says, None),
                    Note(says) => ("note", says, None),
                    Bad(says, advice) => ("bad", says, Some(advice)),
                };
                json!({ "check": name, "state": state, "says": says, "advice": advice })
            })
            .collect();
        let left_out: Vec<_> = self.left_out().collect();
        let (good, not_checked) = (self.is_good(), left_out);
        let found = json!({
            "interface": interface, "good": good, "checks": checks, "not_checked": not_checked,
        });
        format!("{}\n", escape::json(&found))
    }

    fn text(&self, palette: Palette) -> String {
        let mut text = String::new();
        let mut line = |style: Style, state: &str, name: &str, says: &str| {
            let style = palette.with(style);
            let reset = if palette.enabled { RESET.to_string() } else { String::new() };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{style}{state:4}{reset}  {name:11}  {}", escape::Plain(says));
        };
        for (name, verdict) in &self.0 {
            match verdict {
                Good(says) => line(GOOD, "good", name, says),
                Note(says) => line(NOTE, "note", name, says),
                Bad(says, advice) => {
                    line(BAD, "BAD", name, says);
                    line(DIM, "", "", &format!("-> {advice}"));
                }
            }
        }
        for name in self.left_out() {
            line(DIM, "-", name, "not checked");
        }
        text
    }

    fn left_out(&self) -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().filter(|name| !self.0.iter().any(|(done, _)| done == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::simulated::SimulatedWire;
    use homeplug_mme::{NetworkKey, Nmk};
    use machine::Instant;
    use sim::{ModemConfig, ModemKind};

    fn look(wire: &mut SimulatedWire) -> Findings {
        let (mut found, mut out) = (Findings::default(), Vec::new());
        let progress = Progress::new(std::io::sink(), false);
        found.modem(&mut Bench::new(wire, SimulatedWire::HOST, &mut out, progress)).unwrap();
        assert!(out.is_empty());
        found
    }

    fn of<'f>(found: &'f Findings, name: &str) -> &'f Verdict {
        &found.0.iter().find(|(done, _)| *done == name).unwrap().1
    }

    #[test]
    fn each_role_fits_a_command_of_ours_and_a_plug_from_a_shop_is_to_be_set_up() {
        let plug = ModemConfig::plug(ModemKind::Qca7420, SimulatedWire::OWN);
        let table = [
            (ModemConfig::evse(ModemKind::Qca7005, SimulatedWire::OWN), true, "fits `ccs evse`"),
            (ModemConfig::pev(ModemKind::Qca7000, SimulatedWire::OWN), true, "fits `ccs pev`"),
            (plug, false, "`ccs modem pib role evse`"),
        ];
        for (modem, good, words) in table {
            let found = look(&mut SimulatedWire::with(&[modem]));
            assert_eq!(found.is_good(), good);
            assert!(format!("{:?}", of(&found, "role")).contains(words), "{:?}", of(&found, "role"));
            assert!(matches!(of(&found, "link"), Good(words) if words.starts_with("down")));
        }
    }

    #[test]
    fn a_silent_modem_is_bad_and_what_comes_behind_it_is_not_checked() {
        let mut wire = SimulatedWire::pair(ModemKind::Qca7005, ModemKind::Qca7005);
        wire.line.freeze(wire.port, true);
        let found = look(&mut wire);
        assert!(matches!(of(&found, "modem"), Bad(_, advice) if advice.contains("supply")));
        assert!(found.left_out().any(|name| name == "role") && !found.is_good());
        let text = found.text(Palette { enabled: false });
        assert!(
            text.contains("BAD   modem        no modem answers\n") && text.contains("-     link"),
            "{text}"
        );
        assert!(!text.contains('\x1b'));
        let json: serde_json::Value = serde_json::from_str(&found.json("plc0")).unwrap();
        assert_eq!((&json["good"], &json["checks"][0]["state"]), (&false.into(), &"bad".into()));
    }

    #[test]
    fn a_family_that_tells_little_is_noted_and_the_link_of_a_pair_and_the_key_of_the_shop_are_told() {
        let lumissil = look(&mut SimulatedWire::pair(ModemKind::Lumissil, ModemKind::Qca7005));
        assert!(lumissil.is_good(), "{lumissil:?}");
        assert!(matches!(of(&lumissil, "role"), Note(_)) && matches!(of(&lumissil, "key"), Note(_)));

        let key = Some(NetworkKey::derived(Nmk::from_password(b"HomePlugAV")));
        let pair = [
            ModemConfig { key, ..ModemConfig::evse(ModemKind::Qca7005, SimulatedWire::OWN) },
            ModemConfig { key, ..ModemConfig::pev(ModemKind::Qca7005, SimulatedWire::OTHER) },
        ];
        let mut wire = SimulatedWire::with(&pair);
        // A network forms within some seconds.
        assert!(
            !Bench::new(
                &mut wire,
                SimulatedWire::HOST,
                &mut Vec::new(),
                Progress::new(std::io::sink(), false)
            )
            .pause(Duration::from_secs(20))
            .unwrap()
        );
        let found = look(&mut wire);
        assert!(matches!(of(&found, "key"), Note(words) if words.contains("everybody knows")));
        let other = SimulatedWire::OTHER.to_string();
        assert!(matches!(of(&found, "link"), Good(words) if words.contains(&other)), "{found:?}");
        assert!(crate::drive::Wire::now(&wire) < Instant::from_millis(60_000));
    }

    #[test]
    fn an_interface_that_is_not_there_is_bad() {
        let mut found = Findings::default();
        assert!(found.interface("nosuch0").unwrap().is_none() && !found.is_good());
        assert_eq!(found.left_out().count(), NAMES.len() - 1);
    }
}
