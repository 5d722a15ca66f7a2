//! One step: everything that happens at one moment.

use machine::{Deadline, Duration, Instant};

use super::{Cable, Input, Kind, Node, Pilot, Port, Slot, Stop, World, describe};
use crate::plant::Side;
use crate::queue::earlier;

/// Time between two checks of the hardware while a program hangs.
const WATCHED: Duration = Duration::from_millis(20);
/// Most rounds of frames, events and levels at one moment, and steps without time passing, before a node
/// counts as stuck: a busy moment has a few.
const ROUNDS: usize = 200;

impl<N: Node> World<N> {
    /// Advances to the next moment at which something happens, and carries it out.
    pub(super) fn step(&mut self, until: Instant) -> Result<(), Stop> {
        let next = self.next(until).ok_or(Stop::Idle)?;
        if next > until {
            self.now = self.now.max(until);
            return Err(Stop::Time);
        }
        if next > self.now {
            self.now = next;
            self.still = 0;
        }
        self.still += 1;
        self.cables.iter_mut().for_each(|cable| cable.bench.advance(next));
        self.note_hardware();
        while let Some((_, injection)) = self.script.pop_due(self.now) {
            self.perform(injection);
        }
        self.line.handle_timeout(self.now);
        self.settle()?;
        for port in self.ports() {
            if self.acts_at(port).is_none_or(|at| at > self.now) {
                continue;
            }
            if self.reads_at(port).is_some_and(|at| at <= self.now) {
                self.read(port);
                if self.reads_at(port).is_some_and(|at| at <= self.now) {
                    return Err(Stop::Stuck { who: self.name(port).to_owned(), what: "sensors".to_owned() });
                }
                self.settle()?;
            }
            let Some(deadline) = self.overdue(port) else { continue };
            self.with(port, Node::handle_timeout);
            // A deadline that the answers of other nodes make due again belongs to the next step.
            if self.overdue(port).is_some() || self.still > ROUNDS {
                return Err(Stop::Stuck { who: self.name(port).to_owned(), what: deadline.name.to_owned() });
            }
            self.settle()?;
        }
        Ok(())
    }

    /// When something next happens at a node or a cable. Events among modems alone before that time have been
    /// carried out.
    fn next(&mut self, until: Instant) -> Option<Instant> {
        let mut next = self.script.next_at();
        for slot in &self.slots {
            // A program that hangs has no deadline, but its hardware goes on.
            let at = if slot.is_frozen { slot.has_cable.then(|| self.now + WATCHED) } else { slot.acts_at() };
            next = earlier(next, at);
        }
        let line = self.line.run_before(next.map_or(until, |next| next.min(until)));
        earlier(next, line)
    }

    /// When a node acts next without an input.
    fn acts_at(&self, port: Port) -> Option<Instant> {
        self.slot(port).filter(|slot| !slot.is_frozen)?.acts_at()
    }

    /// When a node reads its sensors next; `None` without sensors.
    fn reads_at(&self, port: Port) -> Option<Instant> {
        self.slot(port).filter(|slot| !slot.is_frozen)?.reads_at()
    }

    /// Passes the readings of its sensors to a node.
    fn read(&mut self, port: Port) {
        let now = self.now;
        let Some(cable) = self.cables.iter_mut().find(|cable| cable.side(port).is_some()) else { return };
        let input = match cable.side(port) {
            Some(Side::Charger) => Input::Plant(cable.bench.charger(now)),
            _ => Input::CarPlant(cable.bench.car(now)),
        };
        self.with(port, |node, cx| node.handle(cx, input));
    }

    /// Shows a node the present state of its cable.
    pub(super) fn show(&mut self, port: Port, pilot: Pilot) {
        self.with(port, |node, cx| node.handle(cx, Input::Pilot(pilot)));
        if self.reads_at(port).is_some() {
            self.read(port);
        }
    }

    /// A node's deadline, if it is due.
    fn overdue(&self, port: Port) -> Option<Deadline> {
        let slot = self.slot(port).filter(|slot| !slot.is_frozen)?;
        slot.deadline().filter(|deadline| deadline.at <= self.now)
    }

    /// Carries frames, events and levels until none is left at this moment.
    pub(super) fn settle(&mut self) -> Result<(), Stop> {
        // What nodes drive is also their sign of life.
        if self.is_quiet() && !self.hold() {
            self.ports().for_each(|port| self.drive(port));
        }
        let mut busy = None;
        for _ in 0..ROUNDS {
            if self.is_quiet() && !self.has_changes() {
                return Ok(());
            }
            self.deliver();
            for port in self.ports() {
                if self.collect(port) {
                    busy = Some(port);
                }
            }
        }
        let who = busy.map_or("world", |port| self.name(port)).to_owned();
        Err(Stop::Stuck { who, what: "it sends or changes without end".to_owned() })
    }

    /// Whether no node was called since its last poll, and no node has an input waiting.
    fn is_quiet(&self) -> bool {
        !self.line.has_news() && self.slots.iter().all(|slot| slot.rest.is_some())
    }

    /// Repeats the demands at both ends of every cable. `false` if one of them has to be driven again.
    fn hold(&mut self) -> bool {
        let Self { slots, cables, .. } = self;
        let holds = |cable: &mut Cable, side: Side| match slots.get(usize::from(cable.port(side).0)) {
            Some(slot) if slot.is_frozen => true,
            Some(Slot { rest: Some(rest), .. }) if rest.is_driven => cable.hold(side),
            _ => false,
        };
        cables.iter_mut().all(|cable| holds(cable, Side::Charger) && holds(cable, Side::Car))
    }

    /// Applies a node's demand to its end of the cable.
    fn drive(&mut self, port: Port) {
        let Self { slots, cables, now, .. } = self;
        let Some(slot) = slots.get_mut(usize::from(port.0)).filter(|slot| !slot.is_frozen) else { return };
        let drive = match &mut slot.rest {
            Some(rest) => {
                rest.is_driven = true;
                rest.drive
            }
            None => slot.node.drive(),
        };
        for cable in cables {
            cable.apply(*now, port, &drive);
        }
    }

    /// Delivers the frames of the modems to their nodes.
    fn deliver(&mut self) {
        while let Some((port, frame)) = self.line.poll_transmit() {
            self.see(port, false, &frame);
            self.with(port, |node, cx| node.handle(cx, Input::Frame(&frame)));
        }
        while let Some(event) = self.line.poll_event() {
            self.note(Kind::World, None, || event.to_string());
        }
    }

    /// Collects all output of a node; returns whether there was any.
    fn collect(&mut self, port: Port) -> bool {
        if self.slot(port).is_some_and(|slot| slot.rest.is_some()) {
            self.drive(port);
            return self.show_pilots();
        }
        let taken = self.take(port);
        // A node that reached the limit has more.
        if taken < ROUNDS
            && let Some(slot) = self.slots.get_mut(usize::from(port.0))
        {
            slot.rest = Some(slot.ask());
        }
        self.drive(port);
        self.show_pilots() || taken > 0
    }

    /// Collects a node's frames and events; returns the larger of the two counts.
    fn take(&mut self, port: Port) -> usize {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut frames = 0;
        while frames < ROUNDS
            && let Some(Some(length)) = self.with(port, |node, _| node.poll_transmit(&mut buffer))
        {
            frames += 1;
            let frame = buffer.get(..length).unwrap_or_default();
            self.see(port, true, frame);
            self.line.handle(self.now, port, frame);
        }
        self.buffer = buffer;
        let mut events = 0;
        while events < ROUNDS && self.tell_event(port) {
            events += 1;
        }
        frames.max(events)
    }

    /// Writes a node's next event to the trace; returns whether it had one.
    fn tell_event(&mut self, port: Port) -> bool {
        if !self.trace.is_kept() {
            return self.with(port, |node, _| node.drop_event()).unwrap_or_default();
        }
        let Some(Some(event)) = self.with(port, |node, _| node.poll_event()) else { return false };
        self.note(Kind::Told, Some(port), || event);
        true
    }

    /// Whether [`show_pilots`](Self::show_pilots) has a change to show.
    fn has_changes(&self) -> bool {
        self.cables.iter().any(|cable| cable.has_news() || cable.has_changed())
    }

    /// Shows both ends of every cable the changes since the last call.
    fn show_pilots(&mut self) -> bool {
        if !self.has_changes() {
            return false;
        }
        self.note_hardware();
        let changed = |cable: &mut Cable| {
            let pilot = cable.changed()?;
            Some((cable.port(Side::Charger), cable.port(Side::Car), cable.bench.demand().pilot, pilot))
        };
        let changes: Vec<_> = self.cables.iter_mut().filter_map(changed).collect();
        for (charger, car, output, pilot) in &changes {
            let plug = if pilot.is_plugged { "plugged" } else { "unplugged" };
            self.note(Kind::Pilot, Some(*charger), || format!("{plug}, {output:?}, level {:?}", pilot.level));
            for port in [*charger, *car] {
                self.show(port, *pilot);
            }
        }
        !changes.is_empty()
    }

    /// Writes the occurrences of the cables' hardware to the trace.
    fn note_hardware(&mut self) {
        for cable in self.cables.iter_mut().filter(|cable| cable.has_news()) {
            let slot = self.slots.get(usize::from(cable.port(Side::Charger).0));
            let who = slot.map_or("nobody", |slot| slot.name.as_str());
            for (at, what) in cable.news() {
                self.trace.push(at, Kind::Hardware, who, format!("{what:?}"));
            }
        }
    }

    fn see(&mut self, port: Port, is_sent: bool, frame: &[u8]) {
        self.note(if is_sent { Kind::Sent } else { Kind::Heard }, Some(port), || describe(frame));
        for tap in &mut self.taps {
            tap(self.now, port, is_sent, frame);
        }
    }
}
