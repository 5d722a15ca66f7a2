//! `ccs pev`: a car on a network interface, up to the link.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;

use anyhow::Context;
use hal_linux::{Interface, Recorder};
use machine::{Cx, Duration, Instant, Machine};
use roles::{Pev, PevConfig, PevEvent, PevInput};
use session::{By, Cause, Phase, StopReason};
use slac::PevState;

use crate::cli::{Exit, PevArgs};
use crate::drive::{Cable, End, Wire, drive_with};
use crate::log::Log;
use crate::style::Palette;
use crate::words::{self, Side, Word};

/// The duty cycle that the simulated cable shows: 5 %.
const DUTY_PERMILLE: u16 = 50;
/// How long the modem may take to confirm the key with which the network is left: judgement, three tries of half a
/// second.
const LEAVE: Duration = Duration::from_secs(2);
/// How long a match must hold to count: judgement.
const HELD: Duration = Duration::from_secs(1);

/// Runs until it is interrupted, or matched as often as wanted.
pub fn run(args: &PevArgs, out: &mut (dyn Write + Send)) -> anyhow::Result<Exit> {
    let interface = Interface::find(&args.interface)?;
    let mac = interface.role_mac();
    let recorder = match &args.record {
        Some(path) => {
            let file = File::create(path).with_context(|| format!("recording into {}", path.display()))?;
            Some(Recorder::new(BufWriter::new(file), &args.interface)?)
        }
        None => None,
    };
    let mut cable = Cable::open(&interface, mac)?;
    cable.record(recorder);
    let mut role = Pev::new(&mut Cx { now: cable.now(), entropy: cable.entropy() }, PevConfig::new(mac));
    let mut car = Car { log: Log::new(Palette::stdout()), out, matches: 0, since: None, counted: false };
    car.say(
        cable.now(),
        &format!(
            "ready on {}: {mac}; the pilot is simulated and shows 5 %; no session above the link yet",
            args.interface
        ),
    )?;
    let end = drive_with(
        &mut cable,
        &mut role,
        frame,
        |role, cx| role.handle(cx, PevInput::Pilot(Some(DUTY_PERMILLE))),
        None,
        |role, cx, event| car.look(args, role, cx.now, event),
    )?;
    let exit = if end == End::Done(Enough::GaveUp) {
        let cause = if role.modem().address().is_some() { Cause::NoMatch } else { Cause::NoModem };
        let reason = StopReason::new(By::Network, cause, Phase::Plugged);
        car.say(cable.now(), &reason.to_string())?;
        Exit::Session(reason.exit_code())
    } else {
        // Out of the network: with a key that nobody else has.
        let leave = |role: &mut Pev, cx: &mut Cx<'_>| role.handle(cx, PevInput::Pilot(None));
        let knows_key = role.matching() == PevState::Joining || role.charger().is_some();
        drive_with(&mut cable, &mut role, frame, leave, Some(LEAVE), |role, cx, event| {
            Ok(match event {
                Some(event) => car.tell(cx.now, event).map(ControlFlow::Continue)?,
                None if knows_key && role.modem().key().is_none() => ControlFlow::Continue(()),
                None => ControlFlow::Break(()),
            })
        })?;
        car.say(cable.now(), "stopped: the network is left")?;
        Exit::Good
    };
    cable.flush()?;
    Ok(exit)
}

fn frame(bytes: &[u8]) -> PevInput<'_> {
    PevInput::Frame(bytes)
}

/// Why it is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Enough {
    Matched,
    GaveUp,
}

/// Who looks on, and counts.
struct Car<'o> {
    log: Log,
    out: &'o mut (dyn Write + Send),
    matches: u32,
    since: Option<Instant>,
    counted: bool,
}

impl Car<'_> {
    fn look(
        &mut self,
        args: &PevArgs,
        role: &Pev,
        now: Instant,
        event: Option<PevEvent>,
    ) -> anyhow::Result<ControlFlow<Enough>> {
        if let Some(event) = event {
            return self.tell(now, event).map(ControlFlow::Continue);
        }
        match (role.charger(), self.since) {
            (Some(_), None) => (self.since, self.counted) = (Some(now), false),
            (None, _) => self.since = None,
            (Some(_), Some(from)) if !self.counted && now.since(from) >= HELD => {
                self.counted = true;
                self.matches += 1;
            }
            _ => {}
        }
        let late = args.timeout.is_some_and(|seconds| now >= Instant::ZERO + Duration::from_secs(seconds));
        Ok(if args.matches.is_some_and(|wanted| self.matches >= wanted) {
            ControlFlow::Break(Enough::Matched)
        } else if late && self.matches == 0 {
            ControlFlow::Break(Enough::GaveUp)
        } else {
            ControlFlow::Continue(())
        })
    }

    fn tell(&mut self, now: Instant, event: PevEvent) -> anyhow::Result<()> {
        let Word { checkpoint, words } = match event {
            PevEvent::Modem(event) => words::of_modem(Side::Pev, &event),
            PevEvent::Slac(event) => words::of_slac(Side::Pev, &event),
        };
        self.log.say(now, checkpoint, &words, self.out)?;
        Ok(self.out.flush()?)
    }

    fn say(&mut self, now: Instant, what: &str) -> anyhow::Result<()> {
        self.log.say(now, None, what, self.out)?;
        Ok(self.out.flush()?)
    }
}
