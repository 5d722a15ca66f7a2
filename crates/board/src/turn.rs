//! The turns of the loop.

use core::ops::ControlFlow;

use hal_esp32p4::Sign;
use machine::{Cx, Duration, Instant};

use crate::command::Command;
use crate::desk::{FRAMES_A_TURN, Leave};
use crate::log::{More, Repeats};
use crate::role::Note;
use crate::{Cable, CableFault, Desk, Hardware, Head, Port, Role};

/// How often the role gets a snapshot: pilot readings are new every 10 ms (judgement).
const SNAPSHOT: Duration = Duration::from_millis(5);
/// Time between two checks of the Ethernet's link and its losses; losses are logged once a second.
const LINK: Duration = Duration::from_millis(50);
const LOSSES: Duration = Duration::from_secs(1);
/// Duration of each step of the pilot's test: long enough for an oscilloscope (judgement).
const STEP: Duration = Duration::from_secs(2);

/// From a step's start until the measurement shows the pilot that is driven.
const SETTLED: Duration = Duration::from_millis(100);

/// A role that runs on a board. A firmware calls [`charger`](crate::charger), [`car`](crate::car) or
/// [`listen`](crate::listen); this type is for tests that run several boards at the same time.
pub struct Turn<'b, H: Hardware, C, R: Role> {
    desk: &'b mut Desk<H>,
    cable: &'b mut C,
    role: &'b mut R,
    snapshot_at: Instant,
    /// The demand that was applied last.
    applied: Option<R::Demand>,
    /// The outputs are not trusted: SAFE until the role demands no energy.
    is_faulty: bool,
    is_up: bool,
    link_at: Instant,
    lost: u32,
    lost_said: Instant,
    repeats: Repeats,
    /// The step of the pilot's test, and when it ends.
    test: Option<(usize, Instant)>,
    /// Buffer for a received frame, then for each that is sent: one for both, in the loop's frame.
    frame: [u8; roles::MAX_FRAME],
}

impl<'b, H, C, R> Turn<'b, H, C, R>
where
    H: Hardware,
    C: Cable<Demand = R::Demand, Reading = R::Reading>,
    R: Role,
{
    /// `role` on `cable`, before its first turn.
    pub fn new(desk: &'b mut Desk<H>, cable: &'b mut C, role: &'b mut R) -> Self {
        let lost = desk.board.port.lost();
        Self {
            desk,
            cable,
            role,
            snapshot_at: Instant::ZERO,
            applied: None,
            is_faulty: false,
            is_up: true,
            link_at: Instant::ZERO,
            lost,
            lost_said: Instant::ZERO,
            repeats: Repeats::default(),
            test: None,
            frame: [0; roles::MAX_FRAME],
        }
    }

    /// Runs one turn of the loop; `Break` when the role must be created again, or the board must start again.
    pub fn turn(&mut self) -> ControlFlow<Leave> {
        self.cable.measure(&mut self.desk.board.clock);
        let now = self.desk.now();
        if now >= self.snapshot_at {
            self.snapshot_at = now + SNAPSHOT;
            self.snapshot(now);
        }
        self.timers(now);
        self.apply();
        self.test_pilot(now);
        if let Some(line) = self.desk.read_line()
            && let Some(leave) = self.command(&line)
        {
            return ControlFlow::Break(leave);
        }
        self.link(now);
        self.frames();
        self.desk.save(self.cable);
        let now = self.desk.now();
        self.desk.console.pump(now, &mut self.desk.board.serial);
        if self.desk.reboots && Desk::<H>::rests(self.cable, self.role) && self.desk.console.is_empty() {
            return ControlFlow::Break(Leave::Reboot);
        }
        (self.desk.board.rest)(self.next(now));
        ControlFlow::Continue(())
    }

    /// When the next work is due.
    fn next(&self, now: Instant) -> Instant {
        let due = self.role.poll_timeout().map(|deadline| deadline.at);
        due.into_iter().fold(self.snapshot_at, Instant::min).max(now)
    }

    fn with_role<T>(&mut self, now: Instant, call: impl FnOnce(&mut R, &mut Cx<'_>) -> T) -> Option<T> {
        let generator = self.desk.generator.as_mut()?;
        let mut cx = Cx { now, entropy: generator };
        Some(call(self.role, &mut cx))
    }

    fn snapshot(&mut self, now: Instant) {
        let input = if self.is_faulty { R::no_reading() } else { R::reading(self.cable.read(now)) };
        self.with_role(now, |role, cx| role.handle(cx, input));
        self.drain(now);
        self.desk.board.watchdog.sign(now, Sign::Read);
    }

    fn timers(&mut self, now: Instant) {
        if self.role.poll_timeout().is_some_and(|deadline| deadline.at <= now) {
            self.with_role(now, R::handle_timeout);
            self.drain(now);
        }
    }

    /// Drives what the role demands; SAFE while the outputs are not trusted.
    fn apply(&mut self) {
        let now = self.desk.now();
        let mut demand = self.role.demand();
        if self.is_faulty && !R::is_energised(&demand) {
            self.is_faulty = false;
            self.desk.say(format_args!("the outputs follow again"));
        }
        if self.is_faulty {
            demand = R::SAFE;
        } else if let Some(tested) = self.test.and_then(|(step, _)| self.cable.pilot_test(step)) {
            demand = tested;
        }
        self.applied = Some(self.role.demand());
        if let Err(fault) = self.cable.apply(now, &demand) {
            self.fail(now, fault);
        }
        self.desk.board.watchdog.sign(now, Sign::Applied);
    }

    /// Runs the SAFE sequence and removes all readings from the role.
    fn fail(&mut self, now: Instant, fault: CableFault) {
        self.desk.warn(format_args!("{fault}"));
        self.desk.make_safe(self.cable);
        if !core::mem::replace(&mut self.is_faulty, true) {
            self.with_role(now, |role, cx| role.handle(cx, R::no_reading()));
            self.drain(now);
        }
    }

    /// Sends the frames and logs the events of the role, after each call of it.
    fn drain(&mut self, now: Instant) {
        while let Some((length, ())) = machine::whole(self.role.poll_transmit(&mut self.frame)) {
            let frame = self.frame.get(..length).unwrap_or_default();
            if !self.desk.board.port.send(now, frame) {
                self.desk.warn(format_args!("a frame of {length} bytes was not sent: the port has no room"));
            } else if self.desk.exports_frames {
                self.desk.console.frame(now, false, frame);
            }
        }
        while let Some(event) = self.role.poll_event() {
            self.event(now, &event);
        }
    }

    fn event(&mut self, now: Instant, event: &R::Event) {
        let mut more = More::NONE;
        match R::note(event) {
            Note::Message(_) if self.desk.says_all => {}
            Note::Message(message) => match self.repeats.take(now, message) {
                None => return,
                Some(others) => more = others,
            },
            Note::Latched(latch) => self.keep(Some(self.kept().map_or(latch, |kept| kept.kept(latch)))),
            Note::Unlatched(latch) if self.kept() == Some(latch) => self.keep(None),
            Note::None | Note::Unlatched(_) => {}
        }
        let console = &mut self.desk.console;
        self.role.say(event, &mut |checkpoint, who, words| {
            console.line(Head { at: now, checkpoint, who }, format_args!("{words}{more}"));
        });
    }

    fn kept(&self) -> Option<session::Latch> {
        self.desk.store.as_ref().and_then(hal_esp32p4::Store::latch)
    }

    fn keep(&mut self, latch: Option<session::Latch>) {
        if let Some(store) = &mut self.desk.store {
            store.set_latch(latch);
        }
    }

    fn frames(&mut self) {
        for _ in 0..FRAMES_A_TURN {
            let now = self.desk.now();
            let Some(length) = self.desk.board.port.receive(now, &mut self.frame) else { break };
            let frame = self.frame.get(..length).unwrap_or_default();
            if self.desk.exports_frames {
                self.desk.console.frame(now, true, frame);
            }
            if let Some(entropy) = &mut self.desk.generator {
                self.role.handle(&mut Cx { now, entropy }, R::frame(frame));
            }
            self.drain(now);
            if self.applied != Some(self.role.demand()) {
                self.apply();
            }
        }
    }

    #[inline(never)]
    fn link(&mut self, now: Instant) {
        if now < self.link_at {
            return;
        }
        self.link_at = now + LINK;
        let is_up = self.desk.board.port.is_up(now);
        if core::mem::replace(&mut self.is_up, is_up) != is_up {
            self.desk.say(format_args!("the Ethernet link is {}", if is_up { "up" } else { "down" }));
            if !is_up {
                self.with_role(now, |role, cx| role.handle(cx, R::interface_down()));
                self.drain(now);
            }
        }
        let lost = self.desk.board.port.lost();
        if lost != self.lost && now.since(self.lost_said) >= LOSSES {
            let count = lost.wrapping_sub(core::mem::replace(&mut self.lost, lost));
            self.lost_said = now;
            self.desk.warn(format_args!("{count} frames were lost: too long, damaged, or no room"));
        }
    }

    #[inline(never)]
    fn command(&mut self, line: &str) -> Option<Leave> {
        if Command::parse(line) != Some(Command::TestPilot) {
            return self.desk.answer(line, self.cable, self.role);
        }
        let now = self.desk.now();
        if !self.cable.is_free(now) || !Desk::<H>::rests(self.cable, self.role) {
            self.desk.say(format_args!("not while a plug is in"));
        } else if self.cable.pilot_test(0).is_some() {
            self.test = Some((0, now + STEP));
        } else {
            self.desk.say(format_args!("a {} has no pilot", R::NAME));
        }
        None
    }

    /// Logs the measurement of a step of the pilot's test, and begins the next step. A plug that is inserted
    /// ends the test.
    fn test_pilot(&mut self, now: Instant) {
        if let Some((step, until)) = self.test {
            self.say_tested(now, step, until);
        }
    }

    #[inline(never)]
    fn say_tested(&mut self, now: Instant, step: usize, until: Instant) {
        // A change of the pilot takes two periods and a window to be measured again.
        let is_settled = until.since(now) + SETTLED <= STEP;
        if is_settled && !self.cable.is_free(now) {
            self.test = None;
            return self.desk.say(format_args!("test pilot: a plug went in, the test is over"));
        }
        if now < until {
            return;
        }
        let mut text = heapless::String::<300>::new();
        // What does not fit is cut.
        let _ = self.cable.describe(now, &mut text);
        self.desk.say(format_args!("test pilot: {text}"));
        self.test = self.cable.pilot_test(step + 1).is_some().then_some((step + 1, now + STEP));
    }
}
