//! A back end whose calls may block, on its own thread.

use std::any::Any;
use std::borrow::Cow;
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use machine::Instant;

use crate::{Clock, Demanded, Error, Heartbeat, PlantBackend, PlantFault, Waker};

/// A snapshot of a plant's sensors, as far as the loop needs it.
pub trait Snapshot: Clone {
    /// Whether the loop must react immediately: something other than a measured number has changed.
    fn wakes_after(&self, before: &Self) -> bool;
}

/// Runs a back end whose calls may block on its own thread, so that the loop never waits for it.
///
/// The thread applies the latest demand, as a level, and reads in each period. The loop receives the latest
/// snapshot immediately, with the times of measurement. If the back end hangs, its readings grow old, and
/// readings that are too old make the role SAFE. If something other than a number changes, the loop is woken.
///
/// | event | reaction |
/// |---|---|
/// | the loop is silent for the heartbeat's time | SAFE until a demand that is not energised |
/// | the back end panics | a plant fault |
/// | this is dropped | SAFE, and the thread is joined: the back end's calls must return |
#[derive(Debug)]
pub struct Threaded<D, R> {
    shared: Arc<Shared<D, R>>,
    heartbeat: Heartbeat,
    /// Time of silence of the loop or of the thread after which the other one acts.
    patience: Duration,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared<D, R> {
    state: Mutex<State<D, R>>,
    /// Notified when the demand changed, or the thread has to end.
    demanded: Condvar,
    /// Notified after each cycle of the thread.
    done: Condvar,
    waker: Waker,
}

#[derive(Debug)]
struct State<D, R> {
    demand: D,
    /// Last sign of life of the loop.
    loop_seen: Instant,
    /// Whether the sequence to SAFE is requested; and how often it ran.
    wants_safe: bool,
    safe_done: u64,
    ends: bool,
    /// Latest result of the back end.
    latest: Result<R, PlantFault>,
    /// Last sign of life of the thread.
    thread_seen: Instant,
    is_over: bool,
}

/// The fault that the loop reads after it was silent for too long.
const SILENT: &str = "this program gave no sign of life for too long, and the plant went to SAFE";

/// Longest wait for the first snapshot: judgement.
const FIRST: Duration = Duration::from_secs(2);

impl<D, R> Threaded<D, R>
where
    D: Demanded + Send + 'static,
    R: Snapshot + Send + 'static,
{
    /// Starts the thread. It reads every `period`, and immediately when the demand changes; `clock` is the
    /// loop's.
    ///
    /// # Errors
    /// The back end's heartbeat is refused ([`Heartbeat::check`]); [`Error::Os`].
    pub fn start<B>(backend: B, clock: Clock, period: Duration) -> Result<Self, Error>
    where
        B: PlantBackend<Demand = D, Reading = R> + Send + 'static,
    {
        let heartbeat = backend.heartbeat();
        heartbeat.check()?;
        let patience = match heartbeat {
            Heartbeat::Within(time) => time,
            _ => Heartbeat::LONGEST,
        };
        let now = clock.now();
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                demand: D::SAFE,
                loop_seen: now,
                wants_safe: false,
                safe_done: 0,
                ends: false,
                latest: Err(PlantFault("the plant has given no reading since the start".into())),
                thread_seen: now,
                is_over: false,
            }),
            demanded: Condvar::new(),
            done: Condvar::new(),
            waker: Waker::new()?,
        });
        let work = Worker {
            backend,
            shared: shared.clone(),
            clock,
            period,
            patience,
            is_held: false,
            seen: D::SAFE,
        };
        let thread = crate::signals::spawn("plant", move || work.run());
        let thread = thread.map_err(|error| Error::Os {
            what: "starting the plant's thread",
            errno: nix::errno::Errno::from_raw(error.raw_os_error().unwrap_or_default()),
        })?;
        let threaded = Self { shared, heartbeat, patience, thread: Some(thread) };
        threaded.wait_while(FIRST, |state| state.latest.is_err() && !state.is_over);
        threaded.lock().loop_seen = clock.now();
        Ok(threaded)
    }
}

impl<D, R> Threaded<D, R> {
    fn lock(&self) -> MutexGuard<'_, State<D, R>> {
        self.shared.lock()
    }

    fn wait_while(&self, at_most: Duration, waits: impl Fn(&State<D, R>) -> bool) {
        let guard = self.lock();
        // A poisoned lock means that the thread has ended, which the next reading reports.
        let _ = self.shared.done.wait_timeout_while(guard, at_most, |state| waits(state));
    }
}

impl<D, R> Shared<D, R> {
    /// No code that can panic runs while the state is locked.
    fn lock(&self) -> MutexGuard<'_, State<D, R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D, R> PlantBackend for Threaded<D, R>
where
    D: Demanded,
    R: Clone,
{
    type Demand = D;
    type Reading = R;

    fn apply(&mut self, now: Instant, demand: &D) -> Result<(), PlantFault> {
        let mut state = self.lock();
        let is_new = state.demand != *demand;
        state.demand = *demand;
        state.loop_seen = now;
        drop(state);
        if is_new {
            self.shared.demanded.notify_one();
        }
        Ok(())
    }

    fn read(&mut self, now: Instant) -> Result<R, PlantFault> {
        self.shared.waker.take();
        let mut state = self.lock();
        state.loop_seen = now;
        let silent = now.since(state.thread_seen);
        if !state.is_over && silent.as_micros() > micros(self.patience) {
            let words =
                format!("the plant has not answered for {} ms: look at its connection", silent.as_millis());
            return Err(PlantFault(words.into()));
        }
        state.latest.clone()
    }

    fn make_safe(&mut self, now: Instant) {
        let mut state = self.lock();
        state.demand = D::SAFE;
        state.wants_safe = true;
        let before = state.safe_done;
        // Hardware that does not respond goes to SAFE by its own heartbeat.
        let hangs = now.since(state.thread_seen).as_micros() > micros(self.patience) / 2;
        drop(state);
        self.shared.demanded.notify_one();
        if !hangs {
            self.wait_while(self.patience, |state| state.safe_done == before && !state.is_over);
        }
    }

    fn heartbeat(&self) -> Heartbeat {
        self.heartbeat
    }

    fn wakes(&self) -> Option<BorrowedFd<'_>> {
        Some(self.shared.waker.as_fd())
    }
}

impl<D, R> Drop for Threaded<D, R> {
    fn drop(&mut self) {
        self.lock().ends = true;
        self.shared.demanded.notify_one();
        if let Some(thread) = self.thread.take() {
            // The thread catches its panics.
            let _ = thread.join();
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The side of the thread.
struct Worker<B: PlantBackend> {
    backend: B,
    shared: Arc<Shared<B::Demand, B::Reading>>,
    clock: Clock,
    period: Duration,
    patience: Duration,
    /// SAFE because the loop was silent, until the loop demands something that is not energised.
    is_held: bool,
    /// The demand that the last cycle applied.
    seen: B::Demand,
}

/// What a cycle has to do.
enum Task<D> {
    Drive(D),
    MakeSafe,
    End,
}

impl<B> Worker<B>
where
    B: PlantBackend,
    B::Demand: Demanded,
    B::Reading: Snapshot,
{
    fn run(mut self) {
        let outcome = catch_unwind(AssertUnwindSafe(|| self.work()));
        if let Err(panic) = outcome {
            let words = format!("the plant's program failed: {}", words_of(&*panic));
            let now = self.clock.now();
            let _ = catch_unwind(AssertUnwindSafe(|| self.backend.make_safe(now)));
            self.shared.lock().latest = Err(PlantFault(words.into()));
        }
        self.shared.lock().is_over = true;
        self.shared.done.notify_all();
        self.shared.waker.wake();
    }

    fn work(&mut self) {
        let mut is_first = true;
        loop {
            let now = self.clock.now();
            match self.next(now, is_first) {
                Task::End => return self.backend.make_safe(now),
                Task::MakeSafe => {
                    self.backend.make_safe(now);
                    self.shared.lock().safe_done += 1;
                    self.read(Ok(()));
                }
                Task::Drive(demand) => {
                    let applied = self.backend.apply(now, &demand);
                    self.read(applied);
                }
            }
            is_first = false;
            self.rest();
        }
    }

    fn next(&mut self, now: Instant, is_first: bool) -> Task<B::Demand> {
        let mut state = self.shared.lock();
        if state.ends {
            return Task::End;
        }
        let is_silent = now.since(state.loop_seen).as_micros() >= micros(self.patience);
        let wants_safe = std::mem::take(&mut state.wants_safe);
        self.seen = state.demand;
        if is_silent && !is_first {
            let begins = !std::mem::replace(&mut self.is_held, true);
            return if begins { Task::MakeSafe } else { Task::Drive(B::Demand::SAFE) };
        }
        if wants_safe {
            return Task::MakeSafe;
        }
        self.is_held &= state.demand.is_energised();
        Task::Drive(if self.is_held { B::Demand::SAFE } else { state.demand })
    }

    fn read(&mut self, applied: Result<(), PlantFault>) {
        let read = self.backend.read(self.clock.now());
        let held = if self.is_held { Err(PlantFault(SILENT.into())) } else { Ok(()) };
        self.publish(applied.and(held).and(read));
    }

    fn publish(&self, latest: Result<B::Reading, PlantFault>) {
        let mut state = self.shared.lock();
        let wakes = match (&latest, &state.latest) {
            (Ok(now), Ok(before)) => now.wakes_after(before),
            (now, before) => now.is_ok() != before.is_ok(),
        };
        state.latest = latest;
        state.thread_seen = self.clock.now();
        drop(state);
        self.shared.done.notify_all();
        if wakes {
            self.shared.waker.wake();
        }
    }

    /// Waits until the next period, the next demand or the end.
    fn rest(&self) {
        let state = self.shared.lock();
        let is_idle = |state: &mut State<B::Demand, B::Reading>| {
            state.demand == self.seen && !state.wants_safe && !state.ends
        };
        let _ = self.shared.demanded.wait_timeout_while(state, self.period, is_idle);
    }
}

fn words_of(panic: &(dyn Any + Send)) -> Cow<'static, str> {
    let text = panic.downcast_ref::<&'static str>().map(|words| Cow::Borrowed(*words));
    text.or_else(|| panic.downcast_ref::<String>().map(|words| words.clone().into()))
        .unwrap_or("a panic".into())
}

/// The parts of a reading that wake the loop: the value, not the time of measurement.
macro_rules! differ {
    ($one:expr, $other:expr, $($field:ident),+) => {
        $($one.$field.map(|reading| reading.value) != $other.$field.map(|reading| reading.value))||+
    };
}

impl Snapshot for evse_fsm::Plant {
    fn wakes_after(&self, before: &Self) -> bool {
        differ!(self, before, pilot, proximity, isolation, contactors, lock, emergency_stop)
    }
}

impl Snapshot for (pev_fsm::Plant, pev_fsm::Vehicle) {
    fn wakes_after(&self, before: &Self) -> bool {
        differ!(self.0, before.0, pilot, proximity, contactors, lock, emergency_stop)
            || (self.1.is_done, self.1.error) != (before.1.is_done, before.1.error)
    }
}

#[cfg(test)]
mod tests;
