//! The runs of several cars at the same time: bounded; cars that make progress are preferred.

use heapless::Vec;
use homeplug_mme::{Mac, Profile, RunId};
use machine::{Deadline, Instant, Queue, TooShort};

use super::run::{Measured, Reply, Run, Stage};
use super::{EVENTS, EvseConfig};
use crate::times::{C_EVSE_MATCH_PARALLEL, TT_EVSE_MATCH_SESSION, TT_MATCH_SEQUENCE};
use crate::{Event, Failure};

/// Number of cars without room for a run that still receive a response: judgement.
const CROWD: usize = 4;

#[derive(Debug)]
pub(super) struct Runs {
    list: Vec<Run, C_EVSE_MATCH_PARALLEL>,
    /// Responses to cars without a run of their own.
    crowd: Queue<(Mac, RunId), CROWD>,
    /// Until then a car may announce sounds without a run, because its own may have been evicted.
    crowded_until: Option<Instant>,
}

type Events = Queue<Event, EVENTS>;

impl Runs {
    pub(super) const fn new() -> Self {
        Self { list: Vec::new(), crowd: Queue::new(), crowded_until: None }
    }

    pub(super) fn clear(&mut self) {
        self.list.clear();
        self.crowd = Queue::new();
        self.crowded_until = None;
    }

    fn of(&mut self, (car, run_id): (Mac, RunId)) -> Option<&mut Run> {
        self.list.iter_mut().find(|run| run.car == car && run.run_id == run_id)
    }

    fn of_car(&mut self, car: Mac) -> Option<&mut Run> {
        self.list.iter_mut().find(|run| run.car == car)
    }

    pub(super) fn stage(&self, (car, run_id): (Mac, RunId)) -> Option<Stage> {
        self.list.iter().find(|run| run.car == car && run.run_id == run_id).map(|run| run.stage)
    }

    /// The run of a car that may choose; a step of validation restarts its timer.
    pub(super) fn validating(&mut self, now: Instant, car: Mac) -> Option<&mut Run> {
        let run = self.of_car(car).filter(|run| run.stage == Stage::Choosing)?;
        run.due = Some(now + TT_EVSE_MATCH_SESSION);
        Some(run)
    }

    /// Whether a car has begun and sent nothing since.
    pub(super) fn is_silent(&self, car: Mac, run_id: RunId) -> bool {
        self.stage((car, run_id)) == Some(Stage::Asked)
    }

    /// Begins a run, or restarts one: the car's old run ends. `false` if there is no room for a run; the car
    /// receives a response nevertheless.
    pub(super) fn ask(&mut self, now: Instant, car: Mac, run_id: RunId) -> bool {
        self.list.retain(|run| run.car != car);
        if self.insert(now, Run::new(now, car, run_id)).is_some() {
            return true;
        }
        self.crowd.push((car, run_id));
        self.crowded_until = Some(now + TT_MATCH_SEQUENCE);
        false
    }

    /// Inserts a run, and evicts one without recent progress if there is no room.
    fn insert(&mut self, now: Instant, run: Run) -> Option<&mut Run> {
        if self.list.is_full() {
            let stale = |run: &Run| run.stage == Stage::Asked && now.since(run.since) >= TT_MATCH_SEQUENCE;
            let index = self.list.iter().position(stale)?;
            self.list.swap_remove(index);
        }
        self.list.push(run).ok()?;
        self.list.last_mut()
    }

    /// A car announces its sounds: `Some(true)` the first time, `None` if it has no run.
    pub(super) fn announce(
        &mut self,
        now: Instant,
        who: (Mac, RunId),
        sounds: u8,
        lenient: bool,
    ) -> Option<bool> {
        if self.of(who).is_none() && self.crowded_until.is_some_and(|until| now <= until) {
            // If there is no room, a car that announces evicts one that has only begun.
            if self.list.is_full()
                && let Some(index) = self.list.iter().position(|run| run.stage == Stage::Asked)
            {
                self.list.swap_remove(index);
            }
            let mut run = Run::new(now, who.0, who.1);
            run.parm = false;
            self.insert(now, run)?;
        }
        let run = self.of(who)?;
        let is_late = now.since(run.since) > TT_MATCH_SEQUENCE && !lenient;
        if run.stage != Stage::Asked || is_late {
            return Some(false);
        }
        run.announce(now, sounds);
        Some(true)
    }

    pub(super) fn sound(&mut self, now: Instant, who: (Mac, RunId), remaining: u8) {
        if let Some(run) = self.of(who) {
            run.sound(now, remaining);
        }
    }

    /// A measurement contains the car's address only. It may precede its sound.
    pub(super) fn measured(
        &mut self,
        now: Instant,
        car: Mac,
        profile: Option<&Profile>,
        events: &mut Events,
    ) {
        if let Some(run) = self.of_car(car)
            && run.stage == Stage::Sounding
        {
            let impossible = run.impossible;
            run.measure(now, profile);
            if run.impossible > impossible {
                events.push(Event::Dropped { from: car, why: crate::Dropped::Implausible });
            }
        }
    }

    /// Whether a car acknowledges its report. A car that refuses the report receives it again.
    pub(super) fn acknowledge(&mut self, now: Instant, who: (Mac, RunId), result: u8) -> bool {
        let Some(run) = self.of(who) else { return false };
        match run.stage {
            Stage::Reported if result == 0 => run.acknowledge(now),
            // The response to a repeated report.
            Stage::Choosing => {}
            Stage::Reported | Stage::Asked | Stage::Sounding => return false,
        }
        true
    }

    pub(super) fn deadline(&self) -> Option<Deadline> {
        let at = self.list.iter().filter_map(|run| run.due).min()?;
        Some(Deadline { at, name: "slac run" })
    }

    /// Processes the timers of the runs.
    pub(super) fn due(&mut self, now: Instant, config: &EvseConfig, events: &mut Events) {
        self.list.retain_mut(|run| {
            if run.due.is_none_or(|due| due > now) {
                return true;
            }
            match due(run, now, config, events) {
                Ok(()) => true,
                Err(failure) => {
                    events.push(Event::Failed(failure));
                    false
                }
            }
        });
    }

    pub(super) fn reply(
        &mut self,
        config: &EvseConfig,
        send: impl FnOnce(Mac, RunId, Reply) -> Result<usize, TooShort>,
    ) -> Result<Option<usize>, TooShort> {
        let of_runs = self.list.iter_mut().find_map(|run| run.next_reply(config).map(|reply| (run, reply)));
        if let Some((run, reply)) = of_runs {
            let len = send(run.car, run.run_id, reply)?;
            run.replied(reply);
            return Ok(Some(len));
        }
        let Some(&(car, run_id)) = self.crowd.peek() else { return Ok(None) };
        let len = send(car, run_id, Reply::Parm)?;
        self.crowd.pop();
        Ok(Some(len))
    }
}

/// Processes a run's timer; an error ends the run.
fn due(run: &mut Run, now: Instant, config: &EvseConfig, events: &mut Events) -> Result<(), Failure> {
    let car = run.car;
    match run.stage {
        // It may be evicted; the car may still continue late.
        Stage::Asked if config.lenient => run.due = None,
        Stage::Asked => return Err(Failure::NoSound { car }),
        Stage::Sounding => {
            let sounds = match run.result() {
                Measured::Silence => return Err(Failure::NoSound { car }),
                Measured::Impossible => return Err(Failure::NoMeasurement { car }),
                Measured::Synthetic(sounds) => {
                    events.push(Event::Synthesised { peer: car });
                    sounds
                }
                Measured::Yes(sounds) => sounds,
            };
            let mean_cdb = run.profile(config).mean_cdb();
            events.push(Event::Measured { peer: car, sounds, mean_cdb });
            run.reported(now);
        }
        Stage::Reported => {
            if !run.repeat(now) {
                return Err(Failure::NotAcknowledged { car });
            }
        }
        Stage::Choosing => return Err(Failure::NoMatch { peer: car }),
    }
    Ok(())
}
