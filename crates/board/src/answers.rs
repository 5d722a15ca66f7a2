//! Answers to the commands of the serial line.

use core::fmt::Write as _;

use hal_esp32p4::Flash;
use machine::Cx;

use crate::command::{COMMANDS, Command};
use crate::desk::Leave;
use crate::settings::{Choices, Setting};
use crate::{Cable, Desk, Hardware, Role, Wish};

/// A line of an answer; longer text is cut.
type Text = heapless::String<400>;

/// Key of the stored name of the requested role.
const ROLE_KEY: u8 = 32;

/// The role that the last `role` command requested, by its name, for a firmware that has several. `None`: no
/// role was requested.
pub fn kept_role<F: Flash>(flash: &mut F, roles: &[&'static str]) -> Option<&'static str> {
    let store = hal_esp32p4::Store::load(flash).ok()?;
    let kept = store.get(hal_esp32p4::Key::new(ROLE_KEY)?)?;
    roles.iter().find(|role| role.as_bytes() == kept).copied()
}

impl<H: Hardware> Desk<H> {
    pub(crate) fn help(&mut self) {
        for (usage, meaning) in COMMANDS {
            self.say(format_args!("{usage}: {meaning}"));
        }
    }

    pub(crate) fn say_unknown(&mut self) {
        self.say(format_args!("no such command; `help` lists them"));
    }

    pub(crate) fn say_settings(&mut self) {
        for setting in Setting::all() {
            let mut value = Text::new();
            // What does not fit is cut.
            let _ = self.settings().write(setting, self.board.mac, &mut value);
            self.say(format_args!("{} {value} ({})", setting.name(), Choices(setting)));
        }
    }

    pub(crate) fn say_pins(&mut self) {
        for (signal, pad) in (0..).map_while(self.board.pins) {
            self.say(format_args!("{signal}: GPIO{pad}"));
        }
    }

    /// Answers a command while a role runs.
    pub(crate) fn answer<C, R>(&mut self, line: &str, cable: &mut C, role: &mut R) -> Option<Leave>
    where
        C: Cable<Demand = R::Demand>,
        R: Role,
    {
        let Some(command) = Command::parse(line) else {
            self.say_unknown();
            return None;
        };
        match command {
            Command::Help => self.help(),
            Command::Settings => self.say_settings(),
            Command::Pins => self.say_pins(),
            Command::Status => self.say_status(cable, role),
            Command::Start => self.wish(role, Wish::Start),
            Command::Stop => self.wish(role, Wish::Stop),
            Command::Authorise(yes) => self.wish(role, Wish::Authorise(yes)),
            Command::ResetLatch => self.reset_latch(role),
            Command::Roles => {
                self.say(format_args!("role {}; this firmware has: {}", R::NAME, Names(self.board.roles)));
            }
            Command::Role(name) => self.change_role::<R>(name),
            Command::Set(setting, value) => return self.change(setting, Some(&value), cable, role),
            Command::ForgetMac => return self.change(Setting::Mac, None, cable, role),
            Command::CannotBe(setting) => {
                self.say(format_args!("{} can be {}", setting.name(), Choices(setting)));
            }
            Command::Key => self.say_key(role),
            Command::ShowKey(yes) => {
                self.shows_key = yes;
                self.say_key(role);
            }
            Command::TestPilot => self.say(format_args!("not now")),
            Command::Tool(tool) => {
                if Self::rests(cable, role) {
                    return Some(Leave::Tool(tool));
                }
                self.say(format_args!("not while a plug is in or something is driven"));
            }
            Command::Seed(bytes) => self.seed(&bytes),
            Command::Json(on) => self.console.is_json = on,
            Command::Frames(on) => self.exports_frames = on,
            Command::AllMessages(on) => self.says_all = on,
            Command::Reboot => {
                self.reboots = true;
                self.wish(role, Wish::Stop);
            }
        }
        None
    }

    /// Whether the outputs are SAFE and no session runs: another task may use the modem.
    pub(crate) fn rests<C: Cable, R: Role>(cable: &mut C, role: &R) -> bool {
        let is_idle = role
            .phase()
            .is_none_or(|phase| phase <= session::Phase::Plugged || phase == session::Phase::Ended);
        is_idle && cable.while_safe().is_some()
    }

    pub(crate) fn wish<R: Role>(&mut self, role: &mut R, wish: Wish) {
        let now = self.now();
        let Some(generator) = &mut self.generator else { return };
        let mut cx = Cx { now, entropy: generator };
        if !role.wish(&mut cx, wish) {
            return self.say(format_args!("the role {} cannot do that", R::NAME));
        }
        match wish {
            Wish::Start => {
                self.is_started = Some(true);
                self.say(format_args!("started"));
            }
            Wish::Stop => {
                self.is_started = Some(false);
                self.say(format_args!("stopped: `start` goes on"));
            }
            Wish::Authorise(true) => self.say(format_args!("authorised")),
            Wish::Authorise(false) => self.say(format_args!("refused")),
            Wish::Reset | Wish::Latch(_) => {}
        }
    }

    fn reset_latch<R: Role>(&mut self, role: &mut R) {
        self.wish(role, Wish::Reset);
        // The role reports the release of a latch that it holds. A latch that is only in flash is released
        // here.
        let latch = self.store.as_ref().and_then(hal_esp32p4::Store::latch);
        if latch == Some(session::Latch::Unreadable)
            && let Some(store) = &mut self.store
        {
            store.set_latch(None);
        }
        if latch.is_none() {
            self.say(format_args!("nothing is latched"));
        }
    }

    fn say_status<C: Cable, R: Role>(&mut self, cable: &mut C, role: &R) {
        let now = self.now();
        let mut text = Text::new();
        let is_safe = cable.while_safe().is_some();
        // What does not fit is cut.
        let _ = self.write_status(&mut text, now, cable, role, is_safe);
        self.say(format_args!("status: {text}"));
    }

    fn write_status<C: Cable, R: Role>(
        &self,
        text: &mut Text,
        now: machine::Instant,
        cable: &C,
        role: &R,
        is_safe: bool,
    ) -> core::fmt::Result {
        write!(text, "{}, {}", R::NAME, if self.is_started == Some(true) { "started" } else { "stopped" })?;
        if let Some(phase) = role.phase() {
            write!(text, ", phase {phase}")?;
        }
        role.describe(text)?;
        text.push_str("; ").map_err(|_| core::fmt::Error)?;
        cable.describe(now, text)?;
        text.push_str(if is_safe { "; nothing is driven" } else { "; driven" })
            .map_err(|_| core::fmt::Error)?;
        match self.store.as_ref().map(hal_esp32p4::Store::latch) {
            Some(Some(latch)) => write!(text, "; latched: {}", latch.name()),
            Some(None) => Ok(()),
            None => write!(text, "; the flash does not answer"),
        }
    }

    fn say_key<R: Role>(&mut self, role: &R) {
        match role.key() {
            None => self.say(format_args!("no network key")),
            Some(_) if !self.shows_key => self.say(format_args!("a network key is set; `key show` shows it")),
            Some(key) => self.say(format_args!("network {}, key {}", key.nid, Hex(key.nmk.reveal()))),
        }
    }

    fn change_role<R: Role>(&mut self, name: &str) {
        if name == R::NAME {
            return self.say(format_args!("it is the {name} already"));
        }
        let known = self.board.roles.contains(&name);
        let (Some(store), Some(key), true) = (&mut self.store, hal_esp32p4::Key::new(ROLE_KEY), known) else {
            return self
                .say(format_args!("this firmware has: {}; flash another one", Names(self.board.roles)));
        };
        if store.set(key, name.as_bytes()).is_ok() {
            self.reboots = true;
            self.say(format_args!("role {name} after the start that follows"));
        }
    }

    fn change<C, R>(
        &mut self,
        setting: Setting,
        value: Option<&[u8]>,
        cable: &mut C,
        role: &R,
    ) -> Option<Leave>
    where
        C: Cable,
        R: Role,
    {
        // `autostart` does not change the running role.
        let rests = Self::rests(cable, role);
        if !rests && setting != Setting::Autostart {
            self.say(format_args!("not while a plug is in or something is driven"));
            return None;
        }
        self.set(setting, value);
        let mut text = Text::new();
        let _ = self.settings().write(setting, self.board.mac, &mut text);
        self.say(format_args!("{} {text}", setting.name()));
        (setting != Setting::Autostart).then_some(Leave::Again)
    }
}

/// Bytes as hexadecimal text.
pub(crate) struct Hex<'b>(pub &'b [u8]);

impl core::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Names, separated by commas.
struct Names(&'static [&'static str]);

impl core::fmt::Display for Names {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0
            .iter()
            .enumerate()
            .try_for_each(|(index, name)| write!(f, "{}{name}", if index == 0 { "" } else { ", " }))
    }
}
