//! A session between the two ends of a cable, with a power line between them: boards, and roles of this
//! machine.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use hal_linux::{Clock, Direction};
use machine::{Duration, Instant};
use roles::{EvseStorage, MAX_FRAME, Mac, PevStorage};
use session::Target;
use sim::{ModemConfig, ModemKind, Port, PowerLine, Span};
use wire::{Driven, Sensed};

use crate::board::{Emulator, Machine};
use crate::cable::Cable;
use crate::firmware::Firmware;
use crate::outside::Outside;
use crate::peer::Peer;
use crate::senses::{self, Side};
use crate::share::Row;
use crate::{Image, Wish};

const CAR: Mac = Mac([2, 0, 0, 0, 0, 0xC2]);
const CHARGER: Mac = Mac([2, 0, 0, 0, 0, 0xE2]);
const CHARGERS_MODEM: Mac = Mac([0x02, 0xB0, 0x52, 0x00, 0x00, 0xE0]);
const CARS_MODEM: Mac = Mac([0x02, 0xB0, 0x52, 0x00, 0x00, 0xC0]);

/// When the plug is inserted: the board's self-test has passed and its modem has its key.
const PLUG: Duration = Duration::from_secs(3);
/// Time between two typed lines: long enough for an answer.
const TYPED: Duration = Duration::from_secs(2);
/// From the session's end to the end of the run: for the last lines of the log.
const LINGER: Duration = Duration::from_secs(1);
/// Advance of a board in one exchange, in its own time.
const STEP: Duration = Duration::from_micros(250);
/// Time between two snapshots for the roles of this machine.
const SNAPSHOT: Duration = Duration::from_millis(5);
/// Longest run, on the boards' clock.
const LONGEST: Duration = Duration::from_secs(90);

/// Memory of this machine's roles.
#[derive(Default)]
struct Storage<'s> {
    car: PevStorage<'s>,
    charger: EvseStorage<'s>,
}

/// A firmware, its machine, and its file.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) machine: Machine,
    pub(crate) image: Image,
    pub(crate) elf: PathBuf,
}

/// Runs with these boards: the requested one and the one at the other end. An error states what is missing of
/// a whole session. Otherwise the result is the measurement of each: the stack's deepest use, and the
/// instructions that frames caused.
pub(crate) fn play(wish: &Wish, built: &[Built]) -> Result<Vec<Vec<Row>>> {
    let mut storage = Storage::default();
    let mut play = Play::new(wish, built, &mut storage)?;
    while !play.is_over() {
        play.turn()?;
        for board in &play.boards {
            board.wait()?;
        }
    }
    play.verdict()
}

/// A role of this machine at an end of the cable.
struct Host<'s> {
    peer: Peer<'s>,
    port: Port,
}

struct Play<'s> {
    wish: &'s Wish,
    /// The requested board, and the one at the other end.
    boards: Vec<Firmware>,
    hosts: Vec<Host<'s>>,
    outside: Option<Outside>,
    line: PowerLine,
    /// Start of the recordings, since 1970.
    began: std::time::Duration,
    /// The boards' clock.
    now: Instant,
    cable: Cable,
    stepped: Instant,
    sensed_at: Instant,
    /// Number of typed lines, and the time of the next one.
    typed: (usize, Instant),
    is_started: bool,
    plug_at: Option<Instant>,
    finished: Option<Instant>,
}

impl<'s> Play<'s> {
    fn new(wish: &'s Wish, built: &[Built], storage: &'s mut Storage<'s>) -> Result<Self> {
        let mut line = PowerLine::new(1);
        let kind = ModemKind::Qca7005;
        let (restart, lingers) = (Span::exactly(Duration::from_millis(400)), Span::ZERO);
        let [evse, pev] = [ModemConfig::evse(kind, CHARGERS_MODEM), ModemConfig::pev(kind, CARS_MODEM)]
            .map(|config| line.add_modem(Instant::ZERO, ModemConfig { restart, lingers, ..config }));
        line.set_attenuation(Instant::ZERO, evse, pev, 20);
        // A listener receives the frames of the charger's modem.
        let port = |image| if image == Image::Car { pev } else { evse };

        let mut boards = Vec::new();
        for (Built { machine, image, elf }, record) in built.iter().zip([&wish.output, &wish.peer_output]) {
            let emulator = Emulator::boot(*machine, elf)?;
            let label = if built.len() == 1 { "" } else { image.label() };
            boards.push(Firmware::new(*image, emulator, label, port(*image), record.as_deref())?);
        }
        let mut hosts = Vec::new();
        if built.len() == 1 && wish.bridge.is_none() {
            if wish.image != Image::Car {
                hosts.push(Host { peer: Peer::car(Instant::ZERO, CAR, &mut storage.car)?, port: pev });
            }
            if wish.image != Image::Charger {
                let peer = Peer::charger(Instant::ZERO, CHARGER, &mut storage.charger)?;
                hosts.push(Host { peer, port: evse });
            }
        }
        for board in &mut boards {
            board.command(&format!("seed {:032x}", u128::from_le_bytes(seed()?)))?;
        }
        Ok(Self {
            wish,
            boards,
            hosts,
            outside: wish.bridge.as_deref().map(Outside::open).transpose()?,
            line,
            began: Clock::start().unix(Instant::ZERO),
            now: Instant::ZERO,
            cable: Cable::new(),
            stepped: Instant::ZERO,
            sensed_at: Instant::ZERO,
            typed: (0, Instant::ZERO),
            is_started: false,
            plug_at: None,
            finished: None,
        })
    }

    /// Handles the boards' frames and logs; when all of them wait, a step of the world.
    fn turn(&mut self) -> Result<()> {
        for index in 0..self.boards.len() {
            let Some(board) = self.boards.get_mut(index) else { continue };
            board.read()?;
            let mut buffer = [0; 2_048];
            while let Some(length) = self.boards.get_mut(index).and_then(|board| board.receive(&mut buffer)) {
                self.sent(index, buffer.get(..length).unwrap_or_default())?;
            }
        }
        self.begin()?;
        let waiting = self.boards.iter().filter(|board| board.code.is_none()).map(Firmware::waits_since);
        let Some(latest) = waiting.collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().max()) else {
            return Ok(());
        };
        self.now = match &self.outside {
            Some(outside) => match outside.until(latest + STEP) {
                Some(now) => now,
                None => return Ok(()),
            },
            None => latest + STEP,
        };
        self.physical();
        self.frames()?;
        self.resume();
        self.end()
    }

    /// Passes a frame of a board to its modem, or outside.
    fn sent(&mut self, index: usize, frame: &[u8]) -> Result<()> {
        let at = self.since_1970();
        let Some(board) = self.boards.get_mut(index) else { return Ok(()) };
        board.record(at, Direction::Sent, frame)?;
        match &self.outside {
            Some(outside) => outside.send(frame)?,
            None => self.line.handle(self.now, board.port, frame),
        }
        Ok(())
    }

    /// Types the next requested line; `true`: none is left, and the time of the last one is over.
    fn types(&mut self) -> Result<bool> {
        let (count, at) = self.typed;
        if self.now < at {
            return Ok(false);
        }
        let Some((line, board)) = self.wish.lines.get(count).zip(self.boards.first_mut()) else {
            return Ok(true);
        };
        self.typed = (count + 1, self.now + TYPED);
        if !line.is_empty() {
            board.command(line)?;
        }
        Ok(false)
    }

    /// Starts the boards after all of them have passed their self-tests and every line is typed.
    fn begin(&mut self) -> Result<()> {
        if self.is_started || !self.boards.iter().all(|board| board.log.has_passed) || !self.types()? {
            return Ok(());
        }
        self.is_started = true;
        self.plug_at = Some(self.now + PLUG);
        // A car outside has no matching, and its precharge may end at any voltage.
        let outside = ["set link given", "set stage none", "set precharge mirror"];
        let outside = outside.iter().filter(|_| self.outside.is_some());
        for board in &mut self.boards {
            outside.clone().chain(&["start"]).try_for_each(|command| board.command(command))?;
        }
        Ok(())
    }

    /// What the end at `side` drives.
    fn driven(&self, side: Side) -> Driven {
        let board = self.boards.iter().find(|board| board.side() == Some(side)).map(|board| *board.driven());
        let host = self.hosts.iter().find(|host| host.peer.side() == side).map(|host| host.peer.driven());
        let outside = self.outside.as_ref().map(|outside| *outside.driven());
        board.or(host).or(outside).unwrap_or_default()
    }

    fn is_plugged(&self) -> bool {
        self.plug_at.is_some_and(|at| self.now >= at)
    }

    /// Updates power, pilot and sensors of this machine's roles.
    fn physical(&mut self) {
        let (now, plugged) = (self.now, self.is_plugged());
        let [charger, car] = [Side::Charger, Side::Car].map(|side| self.driven(side));
        let supply = Target { voltage_mv: charger.supply_mv, current_ma: charger.supply_ma };
        while self.stepped < now {
            self.stepped += Duration::from_millis(1);
            self.cable.step(now, supply, senses::is_closed(&charger), senses::is_closed(&car));
        }
        if now >= self.sensed_at {
            self.sensed_at = now + SNAPSHOT;
            for host in &mut self.hosts {
                let other = if host.peer.side() == Side::Car { &charger } else { &car };
                host.peer.sense(now, plugged, other, &self.cable);
            }
        }
        self.hosts.iter_mut().for_each(|host| host.peer.timers(now));
    }

    /// Handles the power line and the modems at both its ends, or the interface.
    fn frames(&mut self) -> Result<()> {
        let (now, at) = (self.now, self.since_1970());
        let mut buffer = [0; MAX_FRAME];
        for Host { peer, port } in &mut self.hosts {
            while let Some(length) = peer.transmit(&mut buffer) {
                let frame = buffer.get(..length).unwrap_or_default();
                self.line.handle(now, *port, frame);
                // A listener receives what is sent at its port.
                for board in self.boards.iter_mut().filter(|board| board.port == *port) {
                    board.record(at, Direction::Sent, frame)?;
                    board.give(frame);
                }
            }
        }
        self.line.handle_timeout(now);
        while let Some((port, frame)) = self.line.poll_transmit() {
            for board in self.boards.iter_mut().filter(|board| board.port == port) {
                board.record(at, Direction::Received, &frame)?;
                board.give(&frame);
            }
            for host in self.hosts.iter_mut().filter(|host| host.port == port) {
                host.peer.frame(now, &frame);
            }
        }
        while self.line.poll_event().is_some() {}
        if let Some(outside) = &mut self.outside {
            while let Some(frame) = outside.receive()? {
                for board in &mut self.boards {
                    board.record(at, Direction::Received, frame)?;
                    board.give(frame);
                }
            }
        }
        Ok(())
    }

    /// Continues the boards with their present readings.
    fn resume(&mut self) {
        let (now, plugged) = (self.now, self.is_plugged());
        let [charger, car] = [Side::Charger, Side::Car].map(|side| self.driven(side));
        for board in &mut self.boards {
            let sensed = match board.side() {
                Some(Side::Charger) => {
                    senses::sensed(Side::Charger, now, plugged, [&charger, &car], &self.cable)
                }
                Some(Side::Car) => senses::sensed(Side::Car, now, plugged, [&car, &charger], &self.cable),
                None => Sensed { until: now.as_micros(), ..Sensed::default() },
            };
            let is_time = self.cable.charging.is_some() && board.log.safe.is_none();
            board.resume(sensed, self.wish.fault().filter(|_| is_time));
        }
    }

    /// After a session pulls the plug and requests the boards to end.
    fn end(&mut self) -> Result<()> {
        let boards = self.boards.iter().all(|board| board.side().is_none() || board.log.is_finished);
        if boards && self.hosts.iter().all(|host| host.peer.is_finished()) {
            self.finished.get_or_insert(self.now);
        }
        if self.finished.is_some_and(|at| self.now.since(at) >= LINGER) && self.plug_at.take().is_some() {
            for board in &mut self.boards {
                board.command("status")?;
                if board.image == Image::Listen {
                    board.command("key show")?;
                }
                board.command("reboot")?;
            }
        }
        Ok(())
    }

    fn since_1970(&self) -> std::time::Duration {
        self.began + std::time::Duration::from_micros(self.now.as_micros())
    }

    fn is_over(&self) -> bool {
        let has_failed = |board: &Firmware| board.code.is_some_and(|code| code != 0) || board.is_silent();
        self.boards.iter().all(|board| board.code.is_some())
            || self.boards.iter().any(has_failed)
            || self.boards.iter().any(|board| board.log.starts > 1 && self.has_answered(board))
            || self.now >= Instant::ZERO + LONGEST
    }

    /// Whether a board with a requested fault is in the required state after it; a board without one has
    /// nothing to wait for.
    fn has_answered(&self, board: &Firmware) -> bool {
        self.wish.fault().is_none_or(|fault| board.has_begun_again(fault.reason()))
    }

    fn verdict(mut self) -> Result<Vec<Vec<Row>>> {
        for board in &mut self.boards {
            board.finish()?;
        }
        if let Some(fault) = self.wish.fault() {
            let stopped = self.boards.first().context("no board")?;
            if !stopped.has_begun_again(fault.reason()) {
                bail!(
                    "the board was to be SAFE and to begin again with nothing driven; it said: {:?}",
                    stopped.log.safe
                );
            }
            println!("SAFE, then reset, and nothing is driven");
            return Ok(Vec::new());
        }
        for board in &self.boards {
            match (board.code, self.finished) {
                (_, _) if board.log.starts > 1 => bail!("the board began again: {:?}", board.log.safe),
                (Some(0), Some(_)) => {}
                (Some(code), _) => bail!("the board ended with {code} before the session was over"),
                (None, Some(_)) => bail!("the board did not end when it was asked to"),
                (None, None) => bail!("no whole session within {LONGEST}"),
            }
            if let Some(words) = board.log.untold().filter(|_| board.image == Image::Listen) {
                bail!("the listener did not say: {words}");
            }
        }
        let taken = self.boards.into_iter().map(|board| {
            let (used, size) =
                board.log.stack.context("the board did not say how much of its stack it took")?;
            if used >= size {
                bail!("the board took all of its stack, {size} bytes: what it needs is not known");
            }
            let mut rows = vec![("stack".to_owned(), used)];
            rows.extend(board.work.rows());
            Ok(rows)
        });
        taken.collect()
    }
}

fn seed() -> Result<[u8; 16]> {
    let mut seed = [0; 16];
    getrandom::fill(&mut seed).map_err(|error| anyhow::anyhow!("no entropy: {error}"))?;
    Ok(seed)
}
