//! A running firmware: its drive, its log, and its frames in both directions.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, Result};
use hal_linux::{Clock, Direction, Recorder};
use machine::{Duration, Instant};
use sim::Port;
use wire::{Counted, Driven, Sensed};

use crate::board::Emulator;
use crate::senses::{PERIOD, Side};
use crate::work::Work;
use crate::{Fault, Image};

/// Time without a frame of a board after which the answer is repeated, on this machine's clock.
const AGAIN: Duration = Duration::from_millis(500);
/// Time without output after which a board counts as dead, on this machine's clock.
const SILENT: Duration = Duration::from_secs(60);

/// A board at its place.
pub(crate) struct Firmware {
    pub(crate) image: Image,
    /// Its modem's place on the power line.
    pub(crate) port: Port,
    emulator: Emulator,
    /// Prefix of its log lines.
    label: &'static str,
    recorder: Option<Recorder<BufWriter<File>>>,
    /// What it drove last, with the time.
    driven: Driven,
    /// It waits for its readings.
    waits: bool,
    /// Its last readings; a fault is requested once.
    sensed: Sensed,
    heard: Clock,
    asked_again: Instant,
    pub(crate) work: Work,
    pub(crate) log: Log,
    /// The exit code, once it has ended.
    pub(crate) code: Option<i32>,
}

/// The log of a listener for a session, in this order: matching, attenuation, the key only on request, the
/// session with its values, its phases with their durations, and its end.
const STORY: &[&str] = &[
    " asks who is there, run ",
    " dB over 10 sounds",
    " gives ",
    "; `key show` shows it",
    "evse->pev  SDP_RES ",
    "pev->evse  SessionSetupReq",
    "evse->pev  SessionStopRes",
    "session 1: din, frames ",
    "  car ",
    "  charger ",
    "  SoC 42 % to 4",
    "  precharge: target 350.0 V, reached ",
    " kWh, ",
    "  welding detection: ",
    "  phases: Handshake ",
    "ended by the car (PowerDelivery(false) in CurrentDemand, frame ",
    "status: listen, started, frames heard ",
    "network ",
];

/// What a board has logged up to now.
#[derive(Default)]
pub(crate) struct Log {
    /// Number of its starts.
    pub(crate) starts: u32,
    /// Its self-test has passed.
    pub(crate) has_passed: bool,
    /// Its session ended normally.
    pub(crate) is_finished: bool,
    /// The reason that it logged after the SAFE sequence.
    pub(crate) safe: Option<String>,
    /// Number of lines of [`STORY`] that it has logged.
    told: usize,
    /// The deepest use of its stack and the stack's size, in bytes.
    pub(crate) stack: Option<(u64, u64)>,
}

impl Log {
    /// The next missing line of a listener's story, if any.
    pub(crate) fn untold(&self) -> Option<&'static str> {
        STORY.get(self.told).copied()
    }

    /// Reads a line, as a person at the serial line does.
    fn read(&mut self, line: &str) {
        self.starts += u32::from(line.contains("; self-test begins"));
        self.has_passed |= line.contains("self-test passed");
        self.is_finished |= line.contains(": ended normally") && !line.contains("stopping: ");
        self.safe = self.safe.take().or(line.strip_prefix("SAFE: ").map(str::to_owned));
        self.told += usize::from(STORY.get(self.told).is_some_and(|words| line.contains(words)));
        if let Some((_, rest)) = line.split_once("; stack ") {
            let (used, size) = rest.trim_end_matches(" bytes").split_once(" of ").unwrap_or_default();
            self.stack = used.parse().ok().zip(size.parse().ok());
        }
    }
}

impl Firmware {
    /// A board that has just started, with its modem at `port`. Its frames are recorded in a file.
    pub(crate) fn new(
        image: Image,
        emulator: Emulator,
        label: &'static str,
        port: Port,
        record: Option<&Path>,
    ) -> Result<Self> {
        let recorder = match record {
            Some(path) => {
                let file = File::create(path).with_context(|| path.display().to_string())?;
                Some(Recorder::new(BufWriter::new(file), "board")?)
            }
            None => None,
        };
        Ok(Self {
            image,
            port,
            emulator,
            label,
            recorder,
            driven: Driven { pwm: PERIOD, ..Driven::default() },
            waits: false,
            sensed: Sensed::default(),
            heard: Clock::start(),
            asked_again: Instant::ZERO,
            work: Work::default(),
            log: Log::default(),
            code: None,
        })
    }

    /// Its end of the cable; `None` for a listener.
    pub(crate) const fn side(&self) -> Option<Side> {
        match self.image {
            Image::Charger => Some(Side::Charger),
            Image::Car => Some(Side::Car),
            Image::Listen => None,
        }
    }

    /// What it drives.
    pub(crate) const fn driven(&self) -> &Driven {
        &self.driven
    }

    /// Since when it waits for its readings, on its clock; `None`: it works.
    pub(crate) fn waits_since(&self) -> Option<Instant> {
        self.waits.then_some(Instant::from_micros(self.driven.at))
    }

    /// Prints and evaluates its output, and checks whether it has ended.
    pub(crate) fn read(&mut self) -> Result<()> {
        self.code = self.emulator.ended()?;
        while let Some(line) = self.emulator.line() {
            println!("{}{line}", self.label);
            self.log.read(&line);
        }
        Ok(())
    }

    /// Types a command.
    pub(crate) fn command(&mut self, words: &str) -> Result<()> {
        self.emulator.command(words)
    }

    /// Writes its next frame for its modem into `buffer`; returns the length.
    pub(crate) fn receive(&mut self, buffer: &mut [u8]) -> Option<usize> {
        while let Some(length) = self.emulator.receive(buffer) {
            self.heard = Clock::start();
            self.asked_again = Instant::ZERO;
            let frame = buffer.get(..length).unwrap_or_default();
            if let Some(counted) = Counted::of(frame) {
                self.work.count(counted);
            } else if let Some(driven) = Driven::of(frame) {
                (self.driven, self.waits) = (driven, true);
            } else {
                return Some(length);
            }
        }
        if !self.waits && self.heard.now() >= self.asked_again + AGAIN {
            // One of the two frames of an exchange was lost.
            self.asked_again = self.heard.now();
            self.emulator.send(&self.sensed.frame());
        }
        None
    }

    /// Delivers a frame from its modem.
    pub(crate) fn give(&mut self, frame: &[u8]) {
        self.work.give(frame);
        self.emulator.send(frame);
    }

    /// Sends its readings, with which it continues, and the fault that its program must have now.
    pub(crate) fn resume(&mut self, sensed: Sensed, fault: Option<Fault>) {
        (self.sensed, self.waits) = (sensed, false);
        let contacts = sensed.contacts | fault.map_or(0, Fault::contact);
        self.emulator.send(&Sensed { contacts, ..sensed }.frame());
    }

    /// Records a frame of this board, with a time since 1970.
    pub(crate) fn record(
        &mut self,
        at: std::time::Duration,
        direction: Direction,
        frame: &[u8],
    ) -> Result<()> {
        let Some(recorder) = &mut self.recorder else { return Ok(()) };
        recorder.frame(at, direction, frame)?;
        Ok(())
    }

    /// Waits a short time for a frame of this board.
    pub(crate) fn wait(&self) -> Result<()> {
        self.emulator.wait()
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.heard.now() >= Instant::ZERO + SILENT
    }

    /// Ends its recording.
    pub(crate) fn finish(&mut self) -> Result<()> {
        self.read()?;
        while let Some(line) = self.code.and_then(|_| self.emulator.last_line()) {
            println!("{}{line}", self.label);
            self.log.read(&line);
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.flush()?;
        }
        Ok(())
    }

    /// Whether it was SAFE for a reason that begins like this, and then started again with nothing driven.
    pub(crate) fn has_begun_again(&self, reason: &str) -> bool {
        let rests = Driven { at: self.driven.at, pwm: PERIOD, ..Driven::default() };
        let is_safe = self.log.safe.as_ref().is_some_and(|safe| safe.starts_with(reason));
        is_safe && self.log.starts == 2 && self.driven == rests
    }
}
