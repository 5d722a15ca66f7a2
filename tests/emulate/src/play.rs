//! A session between the board and its peer, with a power line between them.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, Result, bail};
use hal_linux::{Clock, Direction, Recorder};
use machine::{Duration, Instant};
use roles::{EvseStorage, MAX_FRAME, Mac, PevStorage};
use sim::{ModemConfig, ModemKind, Port, PowerLine, Span};
use wire::{Counted, Driven, Sensed, contact};

use crate::board::Emulator;
use crate::cable::Cable;
use crate::ledger::Row;
use crate::peer::Peer;
use crate::work::Work;
use crate::{Image, Wish};

const PEER: Mac = Mac([2, 0, 0, 0, 0, 0xC2]);
/// The charger whose cable the listener hears.
const TAPPED: Mac = Mac([2, 0, 0, 0, 0, 0xE2]);
const CHARGERS_MODEM: Mac = Mac([0x02, 0xB0, 0x52, 0x00, 0x00, 0xE0]);
const CARS_MODEM: Mac = Mac([0x02, 0xB0, 0x52, 0x00, 0x00, 0xC0]);

/// When the plug goes in: the board's self-test is done and its modem has its key.
const PLUG: Duration = Duration::from_secs(3);
/// From the session's end to the end of the play: the last lines of the log.
const LINGER: Duration = Duration::from_secs(1);
/// How far the board goes on in one exchange, in its own time.
const STEP: Duration = Duration::from_micros(250);
/// A board that sends nothing for this time is answered again, on this machine's clock.
const AGAIN: Duration = Duration::from_millis(500);
/// A board that says nothing for so long, on this machine's clock, is dead.
const SILENT: Duration = Duration::from_secs(60);
/// The exit code of a board whose program panicked.
const PANICKED: i32 = 2;
/// The longest that a play may last, on the board's clock.
const LONGEST: Duration = Duration::from_secs(90);

/// Plays; an error says what is missing of a whole session. Otherwise what it took: the stack's deepest use, and the instructions
/// that frames caused.
pub(crate) fn play(wish: &Wish, elf: &Path) -> Result<Vec<Row>> {
    let image = wish.image;
    let mut emulator = Emulator::boot(wish.machine, elf)?;
    let (mut car, mut charger, mut tapped_charger) =
        (PevStorage::new(), EvseStorage::new(), EvseStorage::new());
    let peer = match image {
        Image::Charger | Image::Listen => Peer::car(Instant::ZERO, PEER, &mut car)?,
        Image::Car => Peer::charger(Instant::ZERO, PEER, &mut charger)?,
    };
    let tapped = match image {
        Image::Listen => Some(Peer::charger(Instant::ZERO, TAPPED, &mut tapped_charger)?),
        Image::Charger | Image::Car => None,
    };
    let recorder = match &wish.output {
        Some(path) => {
            let file = File::create(path).with_context(|| path.display().to_string())?;
            Some(Recorder::new(BufWriter::new(file), "board")?)
        }
        None => None,
    };
    let mut seed = [0; 16];
    getrandom::fill(&mut seed).map_err(|error| anyhow::anyhow!("no entropy: {error}"))?;
    emulator.command(&format!("seed {:032x}", u128::from_le_bytes(seed)))?;

    let mut play = Play::new(image, emulator, peer, tapped, recorder);
    play.panics = wish.panic;
    while !play.is_over() {
        play.turn()?;
        play.emulator.wait()?;
    }
    play.verdict()
}

struct Play<'s> {
    emulator: Emulator,
    peer: Peer<'s>,
    /// In the board's place at the charger's modem, where the board only listens.
    tapped: Option<Peer<'s>>,
    line: PowerLine,
    board: Port,
    host: Port,
    recorder: Option<Recorder<BufWriter<File>>>,
    /// When the recording began, since 1970.
    began: std::time::Duration,
    /// The board's clock.
    now: Instant,
    /// When the board was heard last, on this machine's clock, and how long after that it was answered again.
    heard: Clock,
    asked_again: Instant,
    driven: Driven,
    cable: Cable,
    stepped: Instant,
    sensed_at: Instant,
    plug_at: Option<Instant>,
    finished: Option<Instant>,
    has_heard_key: bool,
    /// What the board says of its stack at its end, in bytes.
    stack: u64,
    work: Work,
    code: Option<i32>,
    image: Image,
    /// The board's program is to panic, and has made its outputs SAFE.
    panics: bool,
    is_safe: bool,
}

impl<'s> Play<'s> {
    fn new(
        image: Image,
        emulator: Emulator,
        peer: Peer<'s>,
        tapped: Option<Peer<'s>>,
        recorder: Option<Recorder<BufWriter<File>>>,
    ) -> Self {
        let mut line = PowerLine::new(1);
        let kind = ModemKind::Qca7005;
        let (restart, lingers) = (Span::exactly(Duration::from_millis(400)), Span::ZERO);
        let evse = ModemConfig { restart, lingers, ..ModemConfig::evse(kind, CHARGERS_MODEM) };
        let pev = ModemConfig { restart, lingers, ..ModemConfig::pev(kind, CARS_MODEM) };
        let (own, other) = if image == Image::Car { (pev, evse) } else { (evse, pev) };
        let board = line.add_modem(Instant::ZERO, own);
        let host = line.add_modem(Instant::ZERO, other);
        line.set_attenuation(Instant::ZERO, board, host, 20);
        Self {
            emulator,
            peer,
            tapped,
            line,
            board,
            host,
            recorder,
            began: Clock::start().unix(Instant::ZERO),
            now: Instant::ZERO,
            heard: Clock::start(),
            asked_again: Instant::ZERO,
            driven: Driven::default(),
            cable: Cable::new(),
            stepped: Instant::ZERO,
            sensed_at: Instant::ZERO,
            plug_at: None,
            finished: None,
            has_heard_key: false,
            stack: 0,
            work: Work::default(),
            code: None,
            image,
            panics: false,
            is_safe: false,
        }
    }

    /// One exchange with the board, or what waits on its serial line.
    fn turn(&mut self) -> Result<()> {
        self.code = self.emulator.ended()?;
        while let Some(line) = self.emulator.line() {
            println!("{line}");
            self.read(&line)?;
        }
        if !self.hear()? {
            if self.heard.now() >= self.asked_again + AGAIN {
                // One of the two frames of an exchange was lost.
                self.asked_again = self.heard.now();
                self.emulator.send(&self.sensed().frame());
            }
            return Ok(());
        }
        self.asked_again = Instant::ZERO;
        self.physical();
        self.line()?;
        self.emulator.send(&self.sensed().frame());
        let now = self.now;
        if self.peer.is_finished() && self.finished.is_none() {
            self.finished = Some(now);
        }
        if self.finished.is_some_and(|at| now.since(at) >= LINGER) && self.plug_at.take().is_some() {
            self.emulator.command("status")?;
            self.emulator.command("reboot")?;
        }
        Ok(())
    }

    fn sensed(&self) -> Sensed {
        let sensed = self.peer.sensed(self.now, self.is_plugged(self.now), &self.driven, &self.cable);
        let panics = self.panics && self.cable.charging.is_some();
        Sensed { contacts: sensed.contacts | if panics { contact::PANIC } else { 0 }, ..sensed }
    }

    /// Reads what the board says, as a person at its serial line does.
    fn read(&mut self, line: &str) -> Result<()> {
        if line.contains("self-test passed") {
            self.emulator.command("start")?;
            self.plug_at = Some(self.now + PLUG);
        }
        if let Some((_, rest)) = line.split_once("; stack ") {
            self.stack = rest.split(' ').next().and_then(|bytes| bytes.parse().ok()).unwrap_or(0);
        }
        self.is_safe |= line.starts_with("SAFE: panicked at");
        self.has_heard_key |= line.contains("CM_SLAC_MATCH.CNF");
        Ok(())
    }

    fn is_plugged(&self, now: Instant) -> bool {
        self.plug_at.is_some_and(|at| now >= at)
    }

    /// What the board sends; `true`: it waits now.
    fn hear(&mut self) -> Result<bool> {
        let mut buffer = [0; 2_048];
        while let Some(length) = self.emulator.receive(&mut buffer) {
            let Some(frame) = buffer.get(..length) else { continue };
            self.heard = Clock::start();
            if let Some(counted) = Counted::of(frame) {
                self.work.count(counted);
                continue;
            }
            let Some(driven) = Driven::of(frame) else {
                self.record(Direction::Sent, frame)?;
                self.line.handle(self.now, self.board, frame);
                continue;
            };
            self.now = Instant::from_micros(driven.at) + STEP;
            if self.tapped.is_none() {
                self.driven = driven;
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Power, pilot and sensors.
    fn physical(&mut self) {
        let now = self.now;
        let (supply, charger_closed, car_closed) = self.peer.power(&self.driven);
        while self.stepped < now {
            self.stepped += Duration::from_millis(1);
            self.cable.step(now, supply, charger_closed, car_closed);
        }
        if now >= self.sensed_at {
            self.sensed_at = now + Peer::interval();
            let plugged = self.is_plugged(now);
            if let Some(tapped) = &mut self.tapped {
                tapped.sense(now, plugged, &self.peer.driven(), &self.cable);
                self.driven = tapped.driven();
            }
            self.peer.sense(now, plugged, &self.driven, &self.cable);
        }
        self.peer.timers(now);
        if let Some(tapped) = &mut self.tapped {
            tapped.timers(now);
        }
    }

    /// The power line and the modems at both its ends.
    fn line(&mut self) -> Result<()> {
        let mut buffer = [0; MAX_FRAME];
        while let Some(length) = self.peer.transmit(&mut buffer) {
            self.line.handle(self.now, self.host, buffer.get(..length).unwrap_or_default());
        }
        while let Some(length) = self.tapped.as_mut().and_then(|tapped| tapped.transmit(&mut buffer)) {
            let frame = buffer.get(..length).unwrap_or_default();
            self.record(Direction::Sent, frame)?;
            self.work.give(frame);
            self.emulator.send(frame);
            self.line.handle(self.now, self.board, frame);
        }
        self.line.handle_timeout(self.now);
        while let Some((port, frame)) = self.line.poll_transmit() {
            if port == self.board {
                self.record(Direction::Received, &frame)?;
                self.work.give(&frame);
                self.emulator.send(&frame);
                if let Some(tapped) = &mut self.tapped {
                    tapped.frame(self.now, &frame);
                }
            } else {
                self.peer.frame(self.now, &frame);
            }
        }
        while self.line.poll_event().is_some() {}
        Ok(())
    }

    fn record(&mut self, direction: Direction, frame: &[u8]) -> Result<()> {
        let Some(recorder) = &mut self.recorder else { return Ok(()) };
        recorder.frame(
            self.began + std::time::Duration::from_micros(self.now.as_micros()),
            direction,
            frame,
        )?;
        Ok(())
    }

    fn is_over(&self) -> bool {
        let is_silent = self.heard.now() >= Instant::ZERO + SILENT;
        self.code.is_some() || is_silent || self.now >= Instant::ZERO + LONGEST
    }

    fn verdict(mut self) -> Result<Vec<Row>> {
        while let Some(line) = self.emulator.line() {
            println!("{line}");
            self.read(&line)?;
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.flush()?;
        }
        if self.panics {
            return match (self.code, self.is_safe) {
                (Some(PANICKED), true) => Ok(Vec::new()),
                (code, _) => bail!("the board was to panic and to be SAFE then; its exit code: {code:?}"),
            };
        }
        match (self.code, self.finished, self.image) {
            (Some(0), Some(_), Image::Listen) if !self.has_heard_key => {
                bail!("the key's frame was not heard")
            }
            (Some(0), Some(_), _) => {
                let mut rows = vec![("stack".to_owned(), self.stack)];
                rows.extend(self.work.rows());
                Ok(rows)
            }
            (Some(code), ..) => bail!("the board ended with {code} before the session was over"),
            (None, Some(_), _) => bail!("the board did not end when it was asked to"),
            (None, None, _) => bail!("no whole session within {LONGEST}"),
        }
    }
}
