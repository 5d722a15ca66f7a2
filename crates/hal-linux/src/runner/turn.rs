//! One turn of the loop, step by step.

use std::net::Ipv6Addr;
use std::os::fd::AsFd;

use machine::{Cx, Duration, Entropy, Instant, whole};

use super::{Budget, Counters, Guard, Happening, Observer, Outcome};
use crate::signals::{Signals, Wish};
use crate::{Clock, Demanded, Direction, Error, Notify, PlantBackend, PlantFault, Port, Role};

/// Longest wait of the loop: a quarter of the permitted age of readings while energised.
const TICK: Duration = Duration::from_millis(50);
/// Longest wait for a plant without [`wakes`](crate::PlantBackend::wakes): a pilot edge is seen at most this
/// late (judgement).
const POLL: Duration = Duration::from_millis(10);
/// Delay of the loop from which it is reported as held up: less than the delay that makes a reading too old
/// (judgement).
const HELD_UP: Duration = Duration::from_millis(100);
/// Interval in which the loop tries to open an interface that is down: judgement.
const REOPEN: Duration = Duration::from_millis(200);

pub(super) struct Running<'a, 'o, R: Role, P, B: PlantBackend> {
    pub(super) role: &'a mut R,
    pub(super) port: &'a mut P,
    pub(super) plant: Guard<'a, B>,
    pub(super) clock: Clock,
    pub(super) entropy: &'a mut dyn Entropy,
    pub(super) observer: &'a mut Observer<'o, R::Event>,
    pub(super) signals: &'a Signals,
    pub(super) notify: Notify,
    pub(super) counters: &'a mut Counters,
    pub(super) received: Vec<u8>,
    pub(super) next_tick: Instant,
    /// The demand that was last applied to the plant.
    pub(super) applied: Option<R::Demand>,
    /// Why the plant is not trusted at present.
    pub(super) fault: Option<PlantFault>,
    /// Set while the interface is down: when it is tried next.
    pub(super) down: Option<Instant>,
    /// The address that the port was last configured with.
    pub(super) address: Option<Ipv6Addr>,
    pub(super) is_stopping: bool,
}

/// Why the loop ends.
pub(super) enum Leave {
    Outcome(Outcome),
    Failed(Error),
}

impl From<Error> for Leave {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Continues, or ends the loop.
type Step = Result<(), Leave>;

impl<R, P, B> Running<'_, '_, R, P, B>
where
    R: Role,
    P: Port,
    B: PlantBackend<Demand = R::Demand, Reading = R::Reading>,
{
    pub(super) fn run(&mut self) -> Leave {
        loop {
            let began = self.clock.now();
            if let Err(leave) = self.turn(began) {
                return leave;
            }
            if self.counters.turns == 1 {
                self.notify.ready();
            }
            self.counters.longest_turn = self.counters.longest_turn.max(self.clock.now().since(began));
            if let Err(error) = self.wait() {
                return error.into();
            }
        }
    }

    /// Final notifications to the observer and the service manager.
    pub(super) fn end(&mut self) {
        self.notify.stopping();
        self.count();
        let _ = (self.observer)(self.clock.now(), Happening::Counters(self.counters));
    }

    fn turn(&mut self, now: Instant) -> Step {
        self.counters.turns += 1;
        let mut budget = Budget::TURN;
        self.notice_delay(now)?;
        self.physical(now, &mut budget)?;
        self.timers(now, &mut budget)?;
        self.wishes(now, &mut budget)?;
        if now >= self.next_tick {
            self.next_tick = now + TICK;
            self.tell(now, Happening::Tick)?;
        }
        self.notify.turn(now, self.role.status());
        if self.down.is_some() {
            return self.look_for_interface(now, &mut budget);
        }
        self.follow_address()?;
        self.frames(&mut budget)
    }

    /// Sleeps until a frame, a signal, the plant, a deadline or the next tick.
    fn wait(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let wakes = self.plant.plant.wakes();
        // A failed plant may stay readable. It is tried with the tick only, so that the loop does not spin.
        let plant = wakes.filter(|_| self.fault.is_none());
        let poll = if wakes.is_some() { self.next_tick } else { self.next_tick.min(now + POLL) };
        let due = self.role.poll_timeout().map(|deadline| deadline.at);
        let until = [due, self.notify.due()].into_iter().flatten().fold(poll, Instant::min);
        let port = self.down.is_none().then(|| self.port.as_fd());
        let sources: Vec<_> = [port, plant, Some(self.signals.as_fd())].into_iter().flatten().collect();
        crate::wait(&sources, std::time::Duration::from_micros(until.since(now).as_micros()))
    }

    fn tell(&mut self, now: Instant, happening: Happening<'_, R::Event>) -> Step {
        if (self.observer)(now, happening).is_break() {
            return Err(Leave::Outcome(Outcome::Ended));
        }
        Ok(())
    }

    fn notice_delay(&mut self, now: Instant) -> Step {
        let late = now.since(self.next_tick);
        if late <= HELD_UP {
            return Ok(());
        }
        self.counters.held_up += 1;
        self.tell(now, Happening::HeldUp(late))
    }

    /// Reads the plant, passes the reading to the role, and applies the role's demand.
    fn physical(&mut self, now: Instant, budget: &mut Budget) -> Step {
        if self.fault.is_some() && now < self.next_tick {
            return Ok(());
        }
        match self.plant.plant.read(now) {
            Ok(reading) => {
                self.counters.readings += 1;
                if self.fault.take().is_some() {
                    self.tell(now, Happening::PlantGood)?;
                }
                self.input(now, R::reading(reading), budget)?;
            }
            Err(fault) => self.plant_failed(now, fault, budget)?,
        }
        self.apply(now, budget)
    }

    /// Applies the role's demand; SAFE while the plant is not trusted.
    fn apply(&mut self, now: Instant, budget: &mut Budget) -> Step {
        let demand = if self.fault.is_some() { R::Demand::SAFE } else { self.role.demand() };
        self.applied = Some(demand);
        self.counters.demands += 1;
        match self.plant.plant.apply(now, &demand) {
            Ok(()) => Ok(()),
            Err(fault) => self.plant_failed(now, fault, budget),
        }
    }

    /// Runs the plant's sequence to SAFE and passes the role a snapshot without readings.
    fn plant_failed(&mut self, now: Instant, fault: PlantFault, budget: &mut Budget) -> Step {
        if self.fault.is_some() {
            return Ok(());
        }
        self.plant.plant.make_safe(now);
        self.counters.plant_faults += 1;
        self.tell(now, Happening::PlantFailed(&fault))?;
        self.fault = Some(fault);
        self.input(now, R::no_reading(), budget)
    }

    fn timers(&mut self, now: Instant, budget: &mut Budget) -> Step {
        if self.role.poll_timeout().is_none_or(|deadline| deadline.at > now) {
            return Ok(());
        }
        let mut cx = Cx { now, entropy: self.entropy };
        self.role.handle_timeout(&mut cx);
        self.drain(now, budget)
    }

    /// Handles the requests that arrive as signals.
    fn wishes(&mut self, now: Instant, budget: &mut Budget) -> Step {
        while let Some(wish) = self.signals.next()? {
            match wish {
                Wish::Quit => return Err(Leave::Outcome(Outcome::Interrupted)),
                Wish::Stop if self.is_stopping => return Err(Leave::Outcome(Outcome::Interrupted)),
                Wish::Stop | Wish::Leave if !self.is_stopping => {
                    self.is_stopping = true;
                    self.input(now, R::stop(), budget)?;
                    self.tell(now, Happening::StopRequested)?;
                }
                Wish::Stop | Wish::Leave => {}
                Wish::Report => {
                    self.count();
                    if (self.observer)(now, Happening::Counters(self.counters)).is_break() {
                        return Err(Leave::Outcome(Outcome::Ended));
                    }
                }
            }
        }
        Ok(())
    }

    /// Passes the waiting frames to the role, within the budget of the turn.
    fn frames(&mut self, budget: &mut Budget) -> Step {
        let mut buffer = std::mem::take(&mut self.received);
        let step = self.frames_into(&mut buffer, budget);
        self.received = buffer;
        step
    }

    fn frames_into(&mut self, buffer: &mut [u8], budget: &mut Budget) -> Step {
        let mut frames = 0;
        while budget.has_left() && self.down.is_none() {
            let now = self.clock.now();
            match self.port.receive(buffer) {
                Ok(Some(frame)) => {
                    budget.take(frame.len());
                    frames += 1;
                    self.counters.received += 1;
                    self.counters.most_frames = self.counters.most_frames.max(frames);
                    self.tell(now, Happening::Frame(Direction::Received, frame))?;
                    self.input(now, R::frame(frame), budget)?;
                }
                Ok(None) => break,
                Err(error) => self.port_failed(now, error, budget)?,
            }
        }
        Ok(())
    }

    fn input(&mut self, now: Instant, input: R::Input<'_>, budget: &mut Budget) -> Step {
        let mut cx = Cx { now, entropy: self.entropy };
        self.role.handle(&mut cx, input);
        self.drain(now, budget)
    }

    /// After each step: applies the demand first, because safety depends on it.
    fn drain(&mut self, now: Instant, budget: &mut Budget) -> Step {
        self.follow_demand(now, budget)?;
        let mut failed = None;
        let mut frame = [0; roles::MAX_FRAME];
        while let Some((length, _)) = whole(self.role.poll_transmit(&mut frame)) {
            budget.spend(1);
            if let Err(error) = self.send(now, frame.get(..length).unwrap_or_default()) {
                match error {
                    Leave::Failed(error) => failed = Some(error),
                    leave @ Leave::Outcome(_) => return Err(leave),
                }
            }
        }
        // All events are delivered, even after the observer breaks off: the last one may be the stop reason.
        let mut step = Ok(());
        while let Some(event) = self.role.poll_event() {
            budget.spend(1);
            self.counters.events += 1;
            step = step.and(self.tell(now, Happening::Event(event)));
        }
        step?;
        self.follow_demand(now, budget)?;
        match failed {
            Some(error) => self.port_failed(now, error, budget),
            None => Ok(()),
        }
    }

    fn follow_demand(&mut self, now: Instant, budget: &mut Budget) -> Step {
        if self.fault.is_some() || self.applied == Some(self.role.demand()) {
            return Ok(());
        }
        self.apply(now, budget)
    }

    fn send(&mut self, now: Instant, frame: &[u8]) -> Step {
        if self.down.is_none() && self.port.send(frame)? {
            self.counters.sent += 1;
            return self.tell(now, Happening::Frame(Direction::Sent, frame));
        }
        self.counters.lost += 1;
        // An interface that is down was already reported.
        if self.down.is_some() { Ok(()) } else { self.tell(now, Happening::Lost(frame.len())) }
    }

    /// Handles a failed port: an interface that is down ends the session, and the loop waits for it. Any
    /// other error ends the loop.
    fn port_failed(&mut self, now: Instant, error: Error, budget: &mut Budget) -> Step {
        if !error.is_interface_down() {
            return Err(error.into());
        }
        if self.down.replace(now + REOPEN).is_some() {
            return Ok(());
        }
        self.counters.interface_downs += 1;
        self.tell(now, Happening::InterfaceDown)?;
        self.input(now, R::interface_down(), budget)
    }

    fn look_for_interface(&mut self, now: Instant, budget: &mut Budget) -> Step {
        if self.down.is_none_or(|next| now < next) {
            return Ok(());
        }
        match self.port.reopen() {
            Ok(()) => {
                self.down = None;
                self.address = None;
                self.tell(now, Happening::InterfaceUp)
            }
            Err(error) if error.is_interface_down() => {
                self.down = Some(now + REOPEN);
                self.input(now, R::interface_down(), budget)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Configures the port with the role's address after it changed because another host has the first one.
    fn follow_address(&mut self) -> Result<(), Error> {
        let address = self.role.address();
        if self.address != Some(address) {
            self.port.hear(address)?;
            self.address = Some(address);
        }
        Ok(())
    }

    fn count(&mut self) {
        self.counters.ignored = self.role.ignored();
        self.counters.port = self.port.statistics();
    }
}
