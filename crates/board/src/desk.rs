//! What outlives a role that is created again: the board's parts, the log, settings, entropy, the self-test.

use core::ops::ControlFlow;

use embedded_hal::delay::DelayNs;
use hal_esp32p4::{Check, Generator, Pool, SafeReport, SelfTest, Sign, Store};
use heapless::Vec;
use homeplug_mme::Mac;
use machine::{Duration, Instant};

use crate::command::{Command, LINE};
use crate::settings::{Setting, Settings, key};
use crate::{Board, Cable, Console, Hardware, Head, Noise, Port, Serial};

/// Most frames in one turn: snapshots and demand are handled in time, whatever the traffic. The limit on
/// Linux is 32; a microcontroller is slower (judgement).
pub const FRAMES_A_TURN: usize = 8;
/// Time in which samples are collected before the first self-test: pilot and proximity have several readings
/// then, and the pool is full (judgement).
const FIRST_TEST: Duration = Duration::from_millis(300);
/// Time between two self-tests while one fails: judgement.
const TEST_AGAIN: Duration = Duration::from_secs(1);

/// Why a board's loop ended. The outputs are SAFE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Start the board again.
    Reboot,
}

/// Why the loop of a role ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// The role is created again, with the settings as they are then.
    Again,
    /// The role rests while the own modem is used.
    Tool(crate::command::Tool),
    /// The board starts again.
    Reboot,
}

/// The board's parts and all state that is not the role's.
#[allow(clippy::struct_excessive_bools, reason = "each is a wish or a fact of its own")]
pub struct Desk<H: Hardware> {
    pub(crate) board: Board<H>,
    /// `None`: the flash does not answer.
    pub(crate) store: Option<Store<H::Flash>>,
    pub(crate) console: Console,
    line: Vec<u8, LINE>,
    is_line_too_long: bool,
    pub(crate) pool: Pool,
    pub(crate) generator: Option<Generator>,
    pub(crate) shows_key: bool,
    pub(crate) exports_frames: bool,
    pub(crate) says_all: bool,
    pub(crate) reboots: bool,
    /// Whether the role runs; `None`: the setting `autostart` decides.
    pub(crate) is_started: Option<bool>,
    /// Whether a failed save was reported.
    has_said_flash: bool,
    test_at: Instant,
    failed: Vec<Check, { Check::ALL.len() }>,
}

impl<H: Hardware> Desk<H> {
    /// Loads settings and latch and starts the watchdog.
    #[inline(never)]
    pub fn new<C: Cable>(mut board: Board<H>, flash: H::Flash) -> Self {
        let now = board.clock.now();
        let store = Store::load(flash).ok();
        // The self-test reports a watchdog that does not start.
        let _ = board.watchdog.start(now, C::SIDE);
        Self {
            board,
            store,
            console: Console::new(),
            line: Vec::new(),
            is_line_too_long: false,
            pool: Pool::new(),
            generator: None,
            shows_key: false,
            exports_frames: false,
            says_all: false,
            reboots: false,
            is_started: None,
            has_said_flash: false,
            test_at: now + FIRST_TEST,
            failed: Vec::new(),
        }
    }

    /// Writes name and firmware of the board to the serial line.
    pub(crate) fn greet(&mut self) {
        let (name, mac) = (self.board.name, self.mac());
        self.say(format_args!("{name}: {mac}, version {}; self-test begins", env!("CARGO_PKG_VERSION")));
    }

    /// The address of the role: the setting, or the board's own.
    pub fn mac(&self) -> Mac {
        self.settings().mac().unwrap_or(self.board.mac)
    }

    pub(crate) fn settings(&self) -> Settings<'_, H::Flash> {
        Settings(self.store.as_ref())
    }

    pub(crate) fn now(&mut self) -> Instant {
        self.board.clock.now()
    }

    /// Writes a line of the board to the log.
    pub(crate) fn say(&mut self, words: core::fmt::Arguments<'_>) {
        let now = self.now();
        self.console.line(Head::plain(now), words);
    }

    /// Writes a warning to the log.
    pub(crate) fn warn(&mut self, words: core::fmt::Arguments<'_>) {
        let now = self.now();
        self.console.line(Head { who: "warning", ..Head::plain(now) }, words);
    }

    /// A sign of life for the watchdog where no role runs: the sensors are read, no output is driven.
    pub(crate) fn sign(&mut self) {
        let now = self.now();
        self.board.watchdog.sign(now, Sign::Read);
        self.board.watchdog.sign(now, Sign::Applied);
    }

    /// Runs the SAFE sequence.
    pub(crate) fn make_safe<C: Cable>(&mut self, cable: &mut C) -> SafeReport {
        let Board { clock, watchdog, delay, .. } = &mut self.board;
        let mut sign = || {
            let now = clock.now();
            watchdog.sign(now, Sign::Read);
            watchdog.sign(now, Sign::Applied);
            now
        };
        let report = cable.make_safe(&mut sign, delay);
        for part in &report.failed {
            self.warn(format_args!("{part} did not take its safe level: look at its pad and driver"));
        }
        if report.is_emergency {
            self.warn(format_args!(
                "the contactors had to open although current may have flowed: look for wear and welds"
            ));
        }
        report
    }

    /// Saves the changed settings while no output is driven. A flash that fails is reported once.
    pub(crate) fn save<C: Cable>(&mut self, cable: &mut C) {
        let Some(store) = self.store.as_mut().filter(|store| store.is_dirty()) else { return };
        let Some(safe) = cable.while_safe() else { return };
        let saved = store.save(&safe);
        if let Err(error) = saved
            && !core::mem::replace(&mut self.has_said_flash, true)
        {
            self.warn(format_args!("settings and latch are not kept over power loss: {error}"));
        }
    }

    /// Sets a setting, or removes it with `None`.
    pub(crate) fn set(&mut self, setting: Setting, value: Option<&[u8]>) {
        let (Some(store), Some(key)) = (self.store.as_mut(), key(setting)) else {
            return self.warn(format_args!("the flash does not answer: nothing is kept"));
        };
        let Some(value) = value else { return store.remove(key) };
        if let Err(full) = store.set(key, value) {
            self.warn(format_args!("{full}"));
        }
    }

    /// A turn before the self-test has passed: collects samples, repeats the test, answers commands. `true`:
    /// the test has passed, and the outputs are armed.
    // Not inlined, like the other parts of a board's life: the stack holds only one of them at a time.
    #[inline(never)]
    pub fn test<C: Cable>(&mut self, cable: &mut C) -> ControlFlow<Exit, bool> {
        cable.measure(&mut self.board.clock);
        if !self.pool.quality().is_enough() {
            self.board.noise.sample(&mut self.pool);
        }
        self.sign();
        if let Some(line) = self.read_line() {
            self.answer_untested(&line);
        }
        let now = self.now();
        self.drop_frames(now);
        let has_passed = now >= self.test_at && self.self_test(now, cable);
        self.console.pump(now, &mut self.board.serial);
        if self.reboots && self.console.is_empty() {
            return ControlFlow::Break(Exit::Reboot);
        }
        ControlFlow::Continue(has_passed)
    }

    fn self_test<C: Cable>(&mut self, now: Instant, cable: &mut C) -> bool {
        let mut test = SelfTest::new();
        (self.board.checks)(&mut test);
        cable.check(now, &mut test);
        test.entropy(&self.pool.quality());
        test.store(&self.store.as_ref().ok_or(()));
        test.watchdog(self.board.watchdog.stage(now));
        let Some(passed) = test.verdict() else {
            self.test_at = now + TEST_AGAIN;
            self.say_failures(&test);
            return false;
        };
        cable.arm(passed);
        self.generator = self.pool.generator().ok();
        let quality = self.pool.quality();
        self.say(format_args!("self-test passed; entropy {quality}"));
        if let Some(latch) = self.store.as_ref().and_then(Store::latch) {
            self.warn(format_args!("latched before the start: {}", latch.advice()));
        }
        self.generator.is_some()
    }

    /// Logs the failed checks when they change.
    fn say_failures(&mut self, test: &SelfTest) {
        let failed: Vec<Check, { Check::ALL.len() }> = test.failures().map(|(check, _)| check).collect();
        if failed == self.failed {
            return;
        }
        self.failed = failed;
        for (check, error) in test.failures() {
            self.warn(format_args!("self-test, {check:?}: {error}"));
        }
        self.warn(format_args!("nothing is driven until the self-test passes"));
    }

    fn answer_untested(&mut self, line: &str) {
        match Command::parse(line) {
            Some(Command::Seed(bytes)) => self.seed(&bytes),
            Some(Command::Reboot) => self.reboots = true,
            Some(Command::Start) => {
                self.is_started = Some(true);
                self.say(format_args!("started once the self-test has passed"));
            }
            Some(Command::Stop) => self.is_started = Some(false),
            Some(Command::Json(on)) => self.console.is_json = on,
            Some(Command::Help) => self.help(),
            Some(Command::Settings) => self.say_settings(),
            Some(Command::Pins) => self.say_pins(),
            Some(Command::Status) => {
                // The next test reports the failures again.
                self.failed.clear();
                self.say(format_args!("status: the self-test has not passed"));
            }
            Some(_) => self.say(format_args!("not before the self-test has passed")),
            None => self.say_unknown(),
        }
    }

    pub(crate) fn seed(&mut self, bytes: &[u8]) {
        self.pool.seed(bytes);
        if let Some(generator) = &mut self.generator {
            generator.stir(bytes);
        }
        let quality = self.pool.quality();
        self.say(format_args!("entropy {quality}"));
    }

    /// Discards the frames that arrive while no role runs.
    pub(crate) fn drop_frames(&mut self, now: Instant) {
        let mut buffer = [0; roles::MAX_FRAME];
        for _ in 0..FRAMES_A_TURN {
            if self.board.port.receive(now, &mut buffer).is_none() {
                break;
            }
        }
    }

    /// The next complete line from the serial line.
    pub(crate) fn read_line(&mut self) -> Option<heapless::String<LINE>> {
        while let Some(byte) = self.board.serial.read() {
            if byte != b'\n' && byte != b'\r' {
                self.is_line_too_long |= self.line.push(byte).is_err();
                continue;
            }
            let line = core::mem::take(&mut self.line);
            if core::mem::take(&mut self.is_line_too_long) {
                self.say(format_args!("a command has {LINE} bytes at most"));
            } else if !line.is_empty() {
                match heapless::String::from_utf8(line) {
                    Ok(line) => return Some(line),
                    Err(_) => self.say_unknown(),
                }
            }
        }
        None
    }

    /// Waits until the log is written, 200 ms at most. Called before the board starts again.
    pub(crate) fn flush(&mut self) {
        for _ in 0..200 {
            let now = self.now();
            self.console.pump(now, &mut self.board.serial);
            if self.console.is_empty() {
                break;
            }
            self.sign();
            self.board.delay.delay_ms(1);
        }
    }
}
