//! What must hold at both ends of a cable, whatever happens: rules with an id, checked against the physical
//! state.
//!
//! A [`Witness`] observes a bench after every step and the messages on the line, and reads no state of a
//! machine. It observes one charger and its car:
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
//! The table [`RULES`] lists the rules, their side and the hazard that they prevent; its ids never change.
//! `E` rules are the charger's, `P` rules the car's.
//!
//! | hazard | prevented by |
//! |---|---|
//! | voltage on a cable or plug without a request | E1, E8, E11, E15, E29, P10 |
//! | a plug under load or live pins in a hand | E7, E13, E17, E22, E31, P3, P5, P12, P19 |
//! | voltage or current above the limits of car or charger | E3, E4, E5, E6, E16, E18, E21, P13 |
//! | current out of the car | E24, P20 |
//! | shock by a fault to earth | E14, E25, P2 |
//! | contacts that weld | E2, E12, P1, P4, P17 |
//! | charging that must end | E9, E10, E19, E23, E30, P6, P7, P8, P9, P11, P14, P15, P16, P23 |
//! | charging again before the fault was checked | E20, E26, E27, P18, P21 |
//! | a protection that stops a healthy session, and is then switched off | E28, P22 |
//!
//! A rule applies only if the side has a sensor that can detect the condition. It is judged by the physical
//! state while the side's sensors show it correctly, and by the readings where they show the violation too. A
//! lie that another sensor of the side contradicts counts as detectable. A silent sensor excuses no action.
//! [`Witness::excused`] lists the rules that were broken without a sensor that could detect it.

mod facts;
mod memory;
mod rules;
mod sniffer;
mod view;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use machine::Instant;
use memory::Memory;

pub use facts::Facts;
pub use rules::{RULES, Rule};
pub use sniffer::Sniffer;

use crate::plant::{Bench, Side, Truth};
use crate::world::Tap;
use crate::{Node, Port, World};
use rules::Check;
use view::{By, View};

/// Observes a bench and the messages on its line, and reports the first broken rule.
#[derive(Debug)]
pub struct Witness {
    charger: Port,
    ears: Rc<RefCell<Ears>>,
    /// Number of occurrences that were already judged.
    known: usize,
    /// Since when each rule's condition holds.
    since: Vec<Lasting>,
    memory: Memory,
    /// Whether the program of charger and car hangs: it learns no facts.
    is_frozen: [bool; 2],
    is_sound: bool,
    /// Whether the isolation is tested at the voltage of the edition of 2023.
    tests_higher: bool,
    /// Rules that were broken while the side could not detect it.
    excused: Vec<&'static str>,
}

/// Since when a rule's condition holds.
#[derive(Clone, Copy, Debug, Default)]
struct Lasting {
    /// Judged by the physical state.
    is_so: Option<Instant>,
    /// Held, and detectable by the side for all that time.
    is_known: Option<Instant>,
}

/// The facts as they arrived at either end of the line: a side does not have what has not reached it yet.
#[derive(Debug, Default)]
struct Ears {
    charger: Sniffer,
    car: Sniffer,
    /// Port of the car. Until it is found, the car's facts are the charger's.
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
    /// The broken rule.
    pub rule: &'static Rule,
    /// Time of the violation.
    pub at: Instant,
    /// The physical state at that time.
    pub truth: Truth,
}

const SIDES: [Side; 2] = [Side::Charger, Side::Car];

impl Witness {
    /// A witness of the charger at this port, from the start of a world.
    pub fn new(charger: Port) -> Self {
        let (ears, since, memory) = (Rc::default(), vec![Lasting::default(); RULES.len()], Memory::default());
        let (is_frozen, is_sound, tests_higher, excused) = ([false; 2], false, false, Vec::new());
        Self { charger, ears, known: 0, since, memory, is_frozen, is_sound, tests_higher, excused }
    }

    /// The tap that records the line, for [`World::add_tap`].
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

    /// The facts up to now, as they arrived at the charger.
    pub fn facts(&self) -> Facts {
        let [charger, _] = self.ears.borrow().facts();
        charger
    }

    /// Changes the facts where no tap records the line.
    pub fn tell(&mut self, words: impl Fn(&mut Facts)) {
        let Ears { charger, car, .. } = &mut *self.ears.borrow_mut();
        words(charger.facts_mut());
        words(car.facts_mut());
    }

    /// A side is reset: it may charge again.
    pub fn reset(&mut self, side: Side) {
        self.memory.reset(side);
    }

    /// The charger's operator requests the end of the session.
    pub fn stops(&mut self, now: Instant) {
        self.memory.stop.tell(now, &self.facts());
    }

    /// A side has reported a latch.
    pub fn latched(&mut self, now: Instant, side: Side) {
        self.memory.latched(side, now);
    }

    /// A driver has started its side again; nothing but the driver's stop was latched.
    pub fn released(&mut self, side: Side) {
        self.memory.of_mut(side).latched_since = None;
    }

    /// No fault occurs in this world, and neither driver nor operator ends the session: the charge must not
    /// be stopped.
    pub fn expect_sound(&mut self) {
        self.is_sound = true;
    }

    /// The charger tests the isolation at the voltage of IEC 61851-23:2023, which may be above the car's
    /// limit.
    pub fn expect_higher_test(&mut self) {
        self.tests_higher = true;
    }

    /// The rules that were broken while the side could not detect it.
    pub fn excused(&self) -> &[&'static str] {
        &self.excused
    }

    /// Judges a world; for the `watch` of [`World::run`].
    pub fn watch<N: Node>(&mut self, world: &World<N>) -> Option<String> {
        let cable = world.cable(self.charger)?;
        self.ears.borrow_mut().car_at = Some(cable.port(Side::Car));
        for (side, was_frozen) in SIDES.into_iter().zip(&mut self.is_frozen) {
            let is_frozen = world.is_frozen(cable.port(side));
            if std::mem::replace(was_frozen, is_frozen) && !is_frozen {
                // The side sees everything for the first time.
                let own = RULES.iter().zip(&mut self.since).filter(|(rule, _)| rule.side == side);
                own.for_each(|(_, since)| *since = Lasting::default());
            }
        }
        self.check(world.now(), cable.bench()).err().map(|broken| broken.to_string())
    }

    /// Judges a bench after a step.
    ///
    /// # Errors
    /// The first broken rule.
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

        let (memory, is_frozen) = (&self.memory, self.is_frozen);
        let (is_sound, tests_higher) = (self.is_sound, self.tests_higher);
        let mut view = View {
            now,
            bench,
            truth,
            demand,
            car,
            facts: &facts,
            memory,
            is_frozen,
            is_sound,
            tests_higher,
            by: By::Truth,
        };
        for (at, what) in news {
            view.now = *at;
            for rule in RULES {
                let Check::Happens(is_bad) = rule.check else { continue };
                view.facts = known_to(rule.side);
                if !view.judged(rule.side, By::Truth, |view| is_bad(view, what)) {
                    continue;
                }
                if view.judged(rule.side, By::Known, |view| is_bad(view, what)) {
                    return Err(Broken { rule, at: *at, truth });
                }
                excuse(&mut self.excused, rule);
            }
        }
        view.now = now;
        for (rule, since) in RULES.iter().zip(&mut self.since) {
            let Check::Lasts(limit, is_bad) = rule.check else { continue };
            view.facts = known_to(rule.side);
            let is_so = view.judged(rule.side, By::Truth, is_bad);
            let mut is_by = |by| view.judged(rule.side, by, is_bad);
            let is_known = is_so && (is_by(By::Known) || is_by(By::Readings));
            let is_over = |since: Option<Instant>| since.is_some_and(|since| now.since(since) >= limit);
            let (lasts, known) = (
                is_over(hold(&mut since.is_so, is_so, now)),
                is_over(hold(&mut since.is_known, is_known, now)),
            );
            // After the hardware's time limit a hanging program counts again.
            if lasts && !view.may_hang(rule.side) {
                if known {
                    return Err(Broken { rule, at: now, truth });
                }
                excuse(&mut self.excused, rule);
            }
        }
        Ok(())
    }
}

fn excuse(excused: &mut Vec<&'static str>, rule: &Rule) {
    if !excused.contains(&rule.id) {
        excused.push(rule.id);
    }
}

/// Stores since when a condition holds.
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
