//! `ccs pev`: a car on a network interface, up to the link.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::fd::AsFd;

use anyhow::Context;
use hal_linux::{Clock, Direction, Interface, OsEntropy, PacketSocket, Recorder, Signals, wait};
use machine::{Cx, Duration, Instant, Machine};
use roles::{Pev, PevConfig, PevEvent, PevInput};
use session::{By, Cause, Phase, StopReason};

use crate::cli::{Exit, PevArgs};
use crate::log::Log;
use crate::style::Palette;
use crate::words::{self, Side, Word};

/// The duty cycle that the simulated cable shows: 5 %.
const DUTY_PERMILLE: u16 = 50;
/// How long a match must hold to count: judgement.
const HELD: Duration = Duration::from_secs(1);
/// How long the loop sleeps at most: judgement.
const IDLE: Duration = Duration::from_millis(100);
/// Frames taken before timers are looked at again: judgement, against a flood.
const BURST: usize = 32;

/// Runs until it is interrupted, or matched as often as wanted.
pub fn run(args: &PevArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<Exit> {
    let interface = Interface::find(&args.interface)?;
    let mac = interface.role_mac();
    let socket = PacketSocket::open(&interface, mac, false)?;
    let recorder = match &args.record {
        Some(path) => {
            let file = File::create(path).with_context(|| format!("recording into {}", path.display()))?;
            Some(Recorder::new(BufWriter::new(file), &args.interface)?)
        }
        None => None,
    };
    let signals = Signals::hold()?;
    let clock = Clock::start();
    let mut cx = Cx { now: clock.now(), entropy: &mut OsEntropy };
    let mut car = Car {
        role: Pev::new(&mut cx, PevConfig::new(mac)),
        socket,
        recorder,
        clock,
        log: Log::new(Palette::stdout()),
        out,
        buffer: vec![0; PacketSocket::MAX_FRAME],
    };
    car.say(&format!(
        "ready on {}: {mac}; the pilot is simulated and shows 5 %; no session above the link yet",
        args.interface
    ))?;
    car.input(PevInput::Pilot(Some(DUTY_PERMILLE)))?;
    car.until_done(args, &signals)
}

struct Car<'o> {
    role: Pev,
    socket: PacketSocket,
    recorder: Option<Recorder<BufWriter<File>>>,
    clock: Clock,
    log: Log,
    out: &'o mut (dyn Write + Send),
    buffer: Vec<u8>,
}

impl Car<'_> {
    fn until_done(&mut self, args: &PevArgs, signals: &Signals) -> anyhow::Result<Exit> {
        let mut matches = 0;
        let mut since: Option<Instant> = None;
        let mut counted = false;
        loop {
            self.frames()?;
            let now = self.clock.now();
            if self.role.poll_timeout().is_some_and(|deadline| deadline.at <= now) {
                self.role.handle_timeout(&mut Cx { now, entropy: &mut OsEntropy });
                self.drain(now)?;
            }
            match (self.role.charger(), since) {
                (Some(_), None) => (since, counted) = (Some(now), false),
                (None, _) => since = None,
                (Some(_), Some(from)) if !counted && now.since(from) >= HELD => {
                    counted = true;
                    matches += 1;
                }
                _ => {}
            }
            if args.matches.is_some_and(|wanted| matches >= wanted) {
                self.leave()?;
                return Ok(Exit::Good);
            }
            let late =
                args.timeout.is_some_and(|seconds| now >= Instant::ZERO + Duration::from_secs(seconds));
            if late && matches == 0 {
                return self.gave_up();
            }
            if signals.take()? {
                self.leave()?;
                return Ok(Exit::Good);
            }
            let left = self.role.poll_timeout().map_or(IDLE, |deadline| deadline.at.since(now).min(IDLE));
            let left = std::time::Duration::from_micros(left.as_micros());
            wait(&[self.socket.as_fd(), signals.as_fd()], left)?;
        }
    }

    /// Out of the network: with a key that nobody else has.
    fn leave(&mut self) -> anyhow::Result<()> {
        self.input(PevInput::Pilot(None))?;
        self.say("stopped: the network is left")?;
        self.flush()
    }

    fn gave_up(&mut self) -> anyhow::Result<Exit> {
        let cause = if self.role.modem().address().is_some() { Cause::NoMatch } else { Cause::NoModem };
        let reason = StopReason::new(By::Network, cause, Phase::Plugged);
        self.say(&reason.to_string())?;
        self.flush()?;
        Ok(Exit::Session(reason.exit_code()))
    }

    fn frames(&mut self) -> anyhow::Result<()> {
        for _ in 0..BURST {
            let mut buffer = std::mem::take(&mut self.buffer);
            let frame = self.socket.receive(&mut buffer);
            let done = match frame {
                Ok(Some(frame)) => {
                    self.record(Direction::Received, frame)?;
                    self.input(PevInput::Frame(frame))?;
                    false
                }
                Ok(None) => true,
                Err(error) => return Err(error.into()),
            };
            self.buffer = buffer;
            if done {
                break;
            }
        }
        Ok(())
    }

    fn input(&mut self, input: PevInput<'_>) -> anyhow::Result<()> {
        let now = self.clock.now();
        self.role.handle(&mut Cx { now, entropy: &mut OsEntropy }, input);
        self.drain(now)
    }

    fn drain(&mut self, now: Instant) -> anyhow::Result<()> {
        let mut frame = [0; roles::MAX_FRAME];
        while let Some((length, ())) = self.role.poll_transmit(&mut frame) {
            let frame = frame.get(..length).unwrap_or_default();
            self.record(Direction::Sent, frame)?;
            // A full queue loses the frame, as any wire does.
            self.socket.send(frame)?;
        }
        while let Some(event) = self.role.poll_event() {
            let Word { checkpoint, words } = match event {
                PevEvent::Modem(event) => words::of_modem(Side::Pev, &event),
                PevEvent::Slac(event) => words::of_slac(Side::Pev, &event),
            };
            self.log.say(now, checkpoint, &words, self.out)?;
            self.out.flush()?;
        }
        Ok(())
    }

    fn say(&mut self, what: &str) -> anyhow::Result<()> {
        self.log.say(self.clock.now(), None, what, self.out)?;
        Ok(self.out.flush()?)
    }

    fn record(&mut self, direction: Direction, frame: &[u8]) -> anyhow::Result<()> {
        let at = self.clock.unix(self.clock.now());
        self.recorder.as_mut().map_or(Ok(()), |recorder| recorder.frame(at, direction, frame))?;
        Ok(())
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        Ok(self.recorder.as_mut().map_or(Ok(()), Recorder::flush)?)
    }
}
