//! A node whose frames and messages a script changes, and whose clock it sets.

use std::collections::VecDeque;

use machine::{Cx, Deadline, Duration, Instant, Machine};
use session::Latch;

use super::act::{Act, Changed};
use super::clock::Clock;
use super::message::{self, Message};
use super::packet::{self, SYN, Segment};
use super::reborn::{self, Reborn};
use super::splice::{Splice, before};
use super::story::{Story, Told};
use crate::{Drive, EventQueue, Host, Input, Node};

/// Which messages or frames a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// The step's number in its script.
    pub(super) step: usize,
    /// The name; `*` is every V2G message.
    pub(super) name: String,
    /// Whether it is what the node is given, not what it says.
    pub(super) is_heard: bool,
    /// From this one on, counted from 1.
    pub(super) first: u32,
    /// Up to this one.
    pub(super) last: u32,
    /// What is done to it; nothing for a step that only waits for it.
    pub(super) act: Option<Act>,
    seen: u32,
}

impl Rule {
    pub(super) fn new(
        step: usize,
        name: &str,
        is_heard: bool,
        (first, last): (u32, u32),
        act: Option<Act>,
    ) -> Self {
        Self { step, name: name.to_owned(), is_heard, first, last, act, seen: 0 }
    }

    fn hits(&mut self, name: &str, is_heard: bool) -> bool {
        if is_heard != self.is_heard || !(self.name == name || self.name == "*" && !is_heard) {
            return false;
        }
        self.seen += 1;
        (self.first..=self.last).contains(&self.seen)
    }
}

/// A message that a node said, before anything was done to it.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) at: Instant,
    pub(super) message: Message,
}

/// A host, and the script between it and its modem.
pub(super) struct Meddler<'a> {
    pub(super) host: Host<'a>,
    clock: Clock,
    now: Instant,
    rules: Vec<Rule>,
    /// Steps whose rule has hit and that were not taken yet.
    fired: Vec<usize>,
    splice: Splice,
    outbox: EventQueue<Vec<u8>>,
    /// Messages that leave later, with the node's own numbers.
    held: EventQueue<Segment>,
    inbox: EventQueue<Vec<u8>>,
    /// Receipts for what never left, in the node's own numbers.
    receipts: EventQueue<Vec<u8>>,
    ready: VecDeque<Vec<u8>>,
    notes: VecDeque<String>,
    said: Vec<Said>,
    frames: Vec<(Instant, String)>,
    discovery_port: Option<u16>,
    /// What it last sent on a connection, with its own numbers.
    last_segment: Option<Segment>,
    /// Where its events and messages go, if the play is watched.
    story: Option<&'a Story>,
    reborn: Reborn<'a>,
    /// Its program has ended, and starts again when it is called next.
    has_ended: bool,
    /// What it had reported as latched, and not as released since.
    kept: Option<Latch>,
}

impl<'a> Meddler<'a> {
    pub(super) fn new(host: Host<'a>, clock: Clock, rules: Vec<Rule>, reborn: Reborn<'a>) -> Self {
        Self {
            host,
            clock,
            now: Instant::ZERO,
            rules,
            fired: Vec::new(),
            splice: Splice::default(),
            outbox: EventQueue::new(),
            held: EventQueue::new(),
            inbox: EventQueue::new(),
            receipts: EventQueue::new(),
            ready: VecDeque::new(),
            notes: VecDeque::new(),
            said: Vec::new(),
            frames: Vec::new(),
            discovery_port: None,
            last_segment: None,
            story: None,
            reborn,
            has_ended: false,
            kept: None,
        }
    }

    /// The play is watched: the story takes what this program and those that replace it report.
    pub(super) fn tell_to(&mut self, story: &'a Story) {
        self.story = Some(story);
        self.show_messages();
    }

    /// Of a session both sides see the same messages: the charger reports them.
    fn show_messages(&mut self) {
        if let (Some(story), Host::Charger(charger)) = (self.story, &mut self.host) {
            charger.role_mut().watch(story);
        }
    }

    /// The next event as a line; the story takes the event itself.
    fn next_event(&mut self) -> Option<String> {
        let (line, told) = match &mut self.host {
            Host::Charger(charger) => {
                let event = charger.role_mut().poll_event()?;
                (format!("{:?}", event.what), Told::Charger(event))
            }
            Host::Car(car) => {
                let event = car.role_mut().poll_event()?;
                (format!("{event:?}"), Told::Car(event))
            }
        };
        reborn::keep(&mut self.kept, &told);
        if let Some(story) = &self.story {
            story.tell(self.now, told);
        }
        Some(line)
    }

    /// The latch that it has reported, and not released since.
    pub(super) const fn latched(&self) -> Option<Latch> {
        self.kept
    }

    /// Its program ends, and what was under way is lost.
    pub(super) fn end(&mut self) {
        self.has_ended = true;
        for queue in [&mut self.outbox, &mut self.inbox, &mut self.receipts] {
            *queue = EventQueue::new();
        }
        (self.held, self.splice) = (EventQueue::new(), Splice::default());
        self.ready.clear();
    }

    /// Calls the host with its own time.
    pub(super) fn with<R>(
        &mut self,
        cx: &mut Cx<'_>,
        call: impl FnOnce(&mut Host<'a>, &mut Cx<'_>) -> R,
    ) -> R {
        self.now = cx.now;
        if let Some(story) = &self.story {
            story.go_on(cx.now);
        }
        let mut cx = Cx { now: self.clock.to_node(cx.now), entropy: cx.entropy };
        if std::mem::take(&mut self.has_ended) {
            let wishes = self.host.car().map(crate::Car::wishes);
            match self.reborn.begin(&mut cx, wishes, self.kept) {
                Some(host) => {
                    self.host = host;
                    self.show_messages();
                }
                None => self.refuse("a program can start again three times"),
            }
        }
        call(&mut self.host, &mut cx)
    }

    /// Whether a rule has hit that [`take_fired`](Self::take_fired) has not given yet.
    pub(super) fn has_fired(&self) -> bool {
        !self.fired.is_empty()
    }

    pub(super) fn take_fired(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.fired)
    }

    /// Everything that it said.
    pub(super) fn said(&self) -> &[Said] {
        &self.said
    }

    /// The frames with a name that it sent.
    pub(super) fn frames(&self) -> &[(Instant, String)] {
        &self.frames
    }

    /// Where its last discovery request came from.
    pub(super) const fn discovery_port(&self) -> Option<u16> {
        self.discovery_port
    }

    /// What it last sent on a connection.
    pub(super) const fn last_segment(&self) -> Option<&Segment> {
        self.last_segment.as_ref()
    }

    /// Ends all rules.
    pub(super) fn calm(&mut self) {
        self.rules.clear();
        self.fired.clear();
    }

    /// The acts of all rules that this one hits.
    fn acts(&mut self, name: &str, is_heard: bool) -> Vec<Act> {
        let mut acts = Vec::new();
        for rule in &mut self.rules {
            if rule.hits(name, is_heard) {
                self.fired.push(rule.step);
                acts.extend(rule.act.clone());
            }
        }
        acts
    }

    /// A frame as the world would give it.
    pub(super) fn hear(&mut self, cx: &mut Cx<'_>, frame: &[u8]) {
        let mut frame = frame.to_vec();
        // One that was damaged stays so: written again, its checksum would be right.
        if let Some(mut segment) = Segment::parse(&frame).filter(|_| packet::is_whole(&frame)) {
            let acknowledged = self.splice.to_node(segment.acknowledged);
            if acknowledged != segment.acknowledged {
                segment.acknowledged = acknowledged;
                frame = segment.frame();
            }
        }
        self.with(cx, |host, cx| host.handle(cx, Input::Frame(&frame)));
    }

    /// Something that the script wants cannot be.
    pub(super) fn refuse(&mut self, words: &str) {
        self.notes.push_back(format!("script: {words}"));
    }

    /// A frame that it will be given.
    pub(super) fn hear_later(&mut self, at: Instant, frame: Vec<u8>) {
        self.inbox.push(at, frame);
    }

    fn send_frame(&mut self, frame: Vec<u8>) {
        let mut frames = vec![(Duration::ZERO, frame)];
        if let Some((_, frame)) = frames.first()
            && let Some(name) = packet::name(frame)
        {
            if name == "SdpReq" {
                self.discovery_port = packet::source_port(frame);
            }
            self.frames.push((self.now, name.clone()));
            self.acts(&name, false).iter().for_each(|act| act.to_frame(&mut frames));
        }
        for (delay, frame) in frames {
            self.leave(delay, frame);
        }
    }

    fn leave(&mut self, delay: Duration, frame: Vec<u8>) {
        if delay == Duration::ZERO {
            self.ready.push_back(frame);
        } else {
            self.outbox.push(self.now + delay, frame);
        }
    }

    fn send_segment(&mut self, mut segment: Segment) {
        self.last_segment = Some(segment.clone());
        if segment.flags & SYN != 0 {
            let next = segment.number.wrapping_add(1);
            self.splice = Splice { next, ..Splice::default() };
        }
        let number = segment.number;
        segment.number = self.splice.to_line(number);
        if segment.payload.is_empty() {
            return self.send_frame(segment.frame());
        }
        let length = u32::try_from(segment.payload.len()).unwrap_or_default();
        let is_old = before(number, self.splice.next);
        if !is_old {
            self.splice.next = number.wrapping_add(length);
            return self.send_new(segment, number, length);
        }
        if let Some(bytes) = self.splice.instead_of(number) {
            segment.payload = bytes.to_vec();
        }
        if !segment.payload.is_empty() {
            self.send_payload(&segment);
        }
    }

    fn send_new(&mut self, mut segment: Segment, number: u32, length: u32) {
        let mut changed = Changed::new(&segment.payload);
        if let Some(message) = message::payload(&segment.payload).and_then(Message::decode) {
            let name = message.name().to_owned();
            self.said.push(Said { at: self.now, message });
            for act in self.acts(&name, false) {
                if let Err(words) = act.to_message(&mut changed) {
                    self.notes.push_back(format!("script: {name} cannot be changed: {words}"));
                }
            }
        }
        if changed.bytes.is_empty() || changed.delay.is_some() {
            let mut own = segment.clone();
            own.number = number;
            self.receipts.push(self.now, own.receipt());
        }
        if let Some(delay) = changed.delay.filter(|_| !changed.bytes.is_empty()) {
            let mut late = segment.clone();
            late.number = number;
            late.payload = std::mem::take(&mut changed.bytes);
            self.held.push(self.now + delay, late);
        }
        if changed.bytes != segment.payload {
            self.splice.changed.push((number, length, changed.bytes.clone()));
        }
        if changed.bytes.is_empty() || changed.delay.is_some() {
            return;
        }
        self.splice.lost += changed.lost;
        if let Some(size) = changed.pieces {
            let mut delay = Duration::ZERO;
            for piece in changed.bytes.chunks(size) {
                segment.payload = piece.to_vec();
                self.leave(delay, segment.frame());
                segment.number = segment.number.wrapping_add(u32::try_from(piece.len()).unwrap_or_default());
                delay = delay + Duration::from_millis(1);
            }
            return;
        }
        segment.payload = changed.bytes;
        self.send_payload(&segment);
    }

    /// Lets a message go that was held back: from now on its bytes count.
    fn release(&mut self, mut segment: Segment) {
        if let Some((.., bytes)) = self.splice.changed.iter_mut().find(|(start, ..)| *start == segment.number)
        {
            bytes.clone_from(&segment.payload);
            segment.number = self.splice.to_line(segment.number);
            self.ready.push_back(segment.frame());
        }
    }

    fn send_payload(&mut self, segment: &Segment) {
        if self.splice.lost > 0 {
            self.splice.lost -= 1;
            return;
        }
        self.ready.push_back(segment.frame());
    }
}

impl Node for Meddler<'_> {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.with(cx, Host::start);
    }

    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        let input = match input {
            Input::Frame(frame) => {
                let mut frames = vec![(Duration::ZERO, frame.to_vec())];
                if let Some(name) = packet::name(frame) {
                    self.now = cx.now;
                    self.acts(&name, true).iter().for_each(|act| act.to_frame(&mut frames));
                }
                for (delay, frame) in frames {
                    if delay == Duration::ZERO {
                        self.hear(cx, &frame);
                    } else {
                        self.inbox.push(cx.now + delay, frame);
                    }
                }
                return;
            }
            Input::Plant(plant) => Input::Plant(self.clock.plant(plant)),
            Input::CarPlant(plant) => Input::CarPlant(self.clock.car_plant(plant)),
            Input::Pilot(pilot) => Input::Pilot(pilot),
        };
        self.with(cx, |host, cx| host.handle(cx, input));
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.now = cx.now;
        while let Some((_, frame)) = self.outbox.pop_due(cx.now) {
            self.ready.push_back(frame);
        }
        while let Some((_, segment)) = self.held.pop_due(cx.now) {
            self.release(segment);
        }
        while let Some((_, frame)) = self.inbox.pop_due(cx.now) {
            self.hear(cx, &frame);
        }
        while let Some((_, frame)) = self.receipts.pop_due(cx.now) {
            self.with(cx, |host, cx| host.handle(cx, Input::Frame(&frame)));
        }
        // Last: what it was given may be due at once.
        self.with(cx, Host::handle_timeout);
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<usize> {
        while self.ready.is_empty() {
            let length = self.host.poll_transmit(buffer)?;
            let frame = buffer.get(..length)?;
            match Segment::parse(frame) {
                Some(segment) => self.send_segment(segment),
                None => self.send_frame(frame.to_vec()),
            }
        }
        let frame = self.ready.pop_front()?;
        buffer.get_mut(..frame.len())?.copy_from_slice(&frame);
        Some(frame.len())
    }

    fn poll_event(&mut self) -> Option<String> {
        if let Some(note) = self.notes.pop_front() {
            return Some(note);
        }
        let event = self.next_event()?;
        if let Some(name) = checkpoint(&event) {
            self.acts(&name, false);
        }
        Some(event)
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        let queues = [&self.outbox, &self.inbox, &self.receipts];
        let own = queues.into_iter().filter_map(EventQueue::next_at).chain(self.held.next_at()).min();
        let own = own.map(|at| Deadline { at, name: "script" });
        let host = self
            .host
            .poll_timeout()
            .map(|deadline| Deadline { at: self.clock.to_world(deadline.at), name: deadline.name });
        own.into_iter().chain(host).min_by_key(|deadline| deadline.at)
    }

    fn drive(&self) -> Drive {
        self.host.drive()
    }

    fn reads_at(&self) -> Option<Instant> {
        self.host.reads_at().map(|at| self.clock.to_world(at))
    }
}

/// What a rule calls the checkpoint that an event passes.
fn checkpoint(event: &str) -> Option<String> {
    let number =
        event.split_once("Checkpoint(Checkpoint(").or_else(|| event.split_once("Some(Checkpoint("))?.1;
    let number: String = number.chars().take_while(char::is_ascii_digit).collect();
    (!number.is_empty()).then(|| format!("checkpoint {number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_named_by_its_number() {
        let event = "Session(Checkpoint(Checkpoint(550 car moves the pilot to C or D)))";
        assert_eq!(checkpoint(event).as_deref(), Some("checkpoint 550"));
        assert_eq!(checkpoint("Session(Phase(Plugged))"), None);
    }
}
