//! What must hold at both ends of a cable, whatever happens: rules with an id, checked against what is really there.
//!
//! A [`Witness`] sees a bench after every step and the messages on the line, and never asks a machine. It is made for
//! one charger and its car:
//!
//! ```
//! use machine::{Duration, Instant};
//! use sim::invariant::Witness;
//! use sim::{Host, Limit, Port, World};
//!
//! let mut world: World<Host> = World::new(1);
//! let mut witness = Witness::new(Port(0));
//! world.add_tap(witness.tap());
//! world.run(Limit::until(Instant::from_millis(1_000)), |world| witness.watch(world));
//! ```
//!
//! The rules, their side and what they keep away are the table [`RULES`]; its ids are for ever. `E` rules are the charger's,
//! `P` rules the car's.
//!
//! | what could happen | kept away by |
//! |---|---|
//! | voltage on a cable or plug that nobody asked for | E1, E8, E11, E15, P10 |
//! | a plug or live pins in somebody's hand | E7, E13, E17, P3, P5, P12 |
//! | voltage or current beyond what both bear | E3, E4, E5, E6, E16, E18, P13 |
//! | shock by a fault to earth | E14, P2 |
//! | contacts that weld | E2, E12, P1, P4, P17 |
//! | charging although it must end | E9, E10, E19, P6, P7, P8, P9, P11, P14, P15, P16 |
//! | charging again before anybody has looked | E20, P18 |
//!
//! What they do not judge: a charger whose own voltage or current sensor is wrong without saying so.

mod facts;
mod memory;
mod rules;
mod sniffer;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use evse_fsm::Demand;
use machine::Instant;
use memory::Memory;

pub use facts::Facts;
pub use rules::{RULES, Rule};
pub use sniffer::Sniffer;

use crate::plant::{Bench, CarDemand, Side, Truth};
use crate::world::Tap;
use crate::{Node, Port, World};
use rules::Check;

/// Sees a bench and the messages on its line, and says which rule is broken.
#[derive(Debug)]
pub struct Witness {
    charger: Port,
    ears: Rc<RefCell<Ears>>,
    /// How many occurrences were judged.
    known: usize,
    /// Since when each rule's condition holds.
    since: Vec<Option<Instant>>,
    memory: Memory,
    /// Whether the program of charger and car hangs, shorter than its hardware waits for it: no rule is its then.
    hangs: [bool; 2],
    /// Whether it hangs at all: it sees nothing.
    is_frozen: [bool; 2],
}

/// What was said, as it came to either end of the line: nobody can know of an end that is still on its way to him.
#[derive(Debug, Default)]
struct Ears {
    charger: Sniffer,
    car: Sniffer,
    /// Where the car is. As long as nobody knows, it hears what the charger hears.
    car_at: Option<Port>,
}

impl Ears {
    fn facts(&self) -> [Facts; 2] {
        let car = if self.car_at.is_some() { &self.car } else { &self.charger };
        [*self.charger.facts(), *car.facts()]
    }
}

/// A broken rule.
#[derive(Clone, Copy, Debug)]
pub struct Broken {
    /// Which.
    pub rule: &'static Rule,
    /// When it was seen.
    pub at: Instant,
    /// What was there.
    pub truth: Truth,
}

/// What rules look at.
struct View<'a> {
    now: Instant,
    bench: &'a Bench,
    truth: Truth,
    demand: &'a Demand,
    car: &'a CarDemand,
    /// What was said, as the side knows that has to keep the rule.
    facts: &'a Facts,
    memory: &'a Memory,
}

const SIDES: [Side; 2] = [Side::Charger, Side::Car];

impl Witness {
    /// A witness of the charger at this port, from the beginning on.
    pub fn new(charger: Port) -> Self {
        let (ears, since, memory) = (Rc::default(), vec![None; RULES.len()], Memory::default());
        Self { charger, ears, known: 0, since, memory, hangs: [false; 2], is_frozen: [false; 2] }
    }

    /// What lets it hear the line, for [`World::add_tap`].
    pub fn tap(&self) -> Tap {
        let (ears, charger) = (Rc::clone(&self.ears), self.charger);
        Box::new(move |at, port, _, frame| {
            let mut ears = ears.borrow_mut();
            if port == charger {
                ears.charger.frame(at, frame);
            } else if ears.car_at == Some(port) {
                ears.car.frame(at, frame);
            }
        })
    }

    /// What was said so far, as the charger knows.
    pub fn facts(&self) -> Facts {
        let [charger, _] = self.ears.borrow().facts();
        charger
    }

    /// Something is said where no tap hears it.
    pub fn tell(&mut self, words: impl Fn(&mut Facts)) {
        let Ears { charger, car, .. } = &mut *self.ears.borrow_mut();
        words(charger.facts_mut());
        words(car.facts_mut());
    }

    /// Somebody has reset a side: it may charge again.
    pub fn reset(&mut self, side: Side) {
        self.memory.of_mut(side).is_halted = false;
    }

    /// Judges a world, as [`World::run`] wants it.
    pub fn watch<N: Node>(&mut self, world: &World<N>) -> Option<String> {
        let cable = world.cable(self.charger)?;
        self.ears.borrow_mut().car_at = Some(cable.port(Side::Car));
        for ((side, hangs), is_frozen) in SIDES.into_iter().zip(&mut self.hangs).zip(&mut self.is_frozen) {
            *is_frozen = world.is_frozen(cable.port(side));
            *hangs = *is_frozen && cable.bench().bears_hang(side);
        }
        self.check(world.now(), cable.bench()).err().map(|broken| broken.to_string())
    }

    /// Judges a bench as it is after a step.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&mut self, now: Instant, bench: &Bench) -> Result<(), Broken> {
        let truth = bench.truth();
        let (demand, car) = (bench.demand(), bench.car_demand());
        let [facts, car_facts] = self.ears.borrow().facts();
        let known_to = |side| if side == Side::Charger { &facts } else { &car_facts };
        self.memory.keep(now, bench, [&facts, &car_facts], self.is_frozen);
        let news = bench.occurrences().get(self.known..).unwrap_or_default();
        self.known += news.len();
        for (at, what) in news {
            self.memory.note(*at, what);
        }

        let mut view = View { now, bench, truth, demand, car, facts: &facts, memory: &self.memory };
        for (at, what) in news {
            view.now = *at;
            for rule in RULES {
                view.facts = known_to(rule.side);
                if matches!(rule.check, Check::Happens(is_bad) if is_bad(&view, what)) {
                    return Err(Broken { rule, at: *at, truth });
                }
            }
        }
        view.now = now;
        for (rule, since) in RULES.iter().zip(&mut self.since) {
            let Check::Lasts(limit, is_bad) = rule.check else { continue };
            view.facts = known_to(rule.side);
            let [charger, car] = self.hangs;
            let hangs = if rule.side == Side::Charger { charger } else { car };
            if hold(since, !hangs && is_bad(&view), now).is_some_and(|since| now.since(since) >= limit) {
                return Err(Broken { rule, at: now, truth });
            }
        }
        Ok(())
    }
}

/// Keeps since when something is so.
fn hold(since: &mut Option<Instant>, is_so: bool, now: Instant) -> Option<Instant> {
    *since = is_so.then(|| since.unwrap_or(now));
    *since
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, at, truth } = self;
        write!(f, "{} at {} ms: {} ({truth:?})", rule.id, at.as_millis(), rule.words)
    }
}

impl std::error::Error for Broken {}
