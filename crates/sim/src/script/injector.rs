//! Sits between a node's program and its modem: a script changes the frames and messages that pass.

use std::collections::VecDeque;

use machine::{Cx, Deadline, Duration, Instant};

use super::act::{Act, Changed};
use super::message::{self, Message};
use super::packet::{self, SYN, Segment};
use super::program::{Program, Reported};
use super::rule::Rule;
use super::splice::{Splice, before};
use crate::{Drive, EventQueue, Host, Input, Node};

/// A message that a node sent, before any change.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) at: Instant,
    pub(super) message: Message,
}

/// A program with the script between it and its modem.
pub(super) struct FaultInjector<'a> {
    pub(super) program: Program<'a>,
    rules: Vec<Rule>,
    /// Steps whose rule has matched and that were not collected yet.
    fired: Vec<usize>,
    splice: Splice,
    outbox: EventQueue<Vec<u8>>,
    /// Delayed messages, with the node's own sequence numbers.
    held: EventQueue<Segment>,
    inbox: EventQueue<Vec<u8>>,
    /// Acknowledgements for data that were never sent, with the node's own sequence numbers.
    receipts: EventQueue<Vec<u8>>,
    ready: VecDeque<Vec<u8>>,
    notes: VecDeque<String>,
    said: Vec<Said>,
    frames: Vec<(Instant, String)>,
    discovery_port: Option<u16>,
    /// The last segment that it sent on a connection, with its own sequence numbers.
    last_segment: Option<Segment>,
}

impl<'a> FaultInjector<'a> {
    pub(super) fn new(program: Program<'a>, rules: Vec<Rule>) -> Self {
        Self {
            program,
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
        }
    }

    /// Ends its program; pending frames are lost.
    pub(super) fn end(&mut self) {
        self.program.end();
        for queue in [&mut self.outbox, &mut self.inbox, &mut self.receipts] {
            *queue = EventQueue::new();
        }
        (self.held, self.splice) = (EventQueue::new(), Splice::default());
        self.ready.clear();
    }

    /// Calls the host with the time of its own clock.
    pub(super) fn with<R>(
        &mut self,
        cx: &mut Cx<'_>,
        call: impl FnOnce(&mut Host<'a>, &mut Cx<'_>) -> R,
    ) -> R {
        let (result, started) = self.program.with(cx, call);
        if let Err(words) = started {
            self.refuse(words);
        }
        result
    }

    /// Whether a rule has matched that [`take_fired`](Self::take_fired) has not returned yet.
    pub(super) fn has_fired(&self) -> bool {
        !self.fired.is_empty()
    }

    pub(super) fn take_fired(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.fired)
    }

    /// All messages that it sent.
    pub(super) fn said(&self) -> &[Said] {
        &self.said
    }

    /// All named frames that it sent.
    pub(super) fn frames(&self) -> &[(Instant, String)] {
        &self.frames
    }

    /// Source port of its last discovery request.
    pub(super) const fn discovery_port(&self) -> Option<u16> {
        self.discovery_port
    }

    /// The last segment that it sent on a connection.
    pub(super) const fn last_segment(&self) -> Option<&Segment> {
        self.last_segment.as_ref()
    }

    /// Removes all rules.
    pub(super) fn calm(&mut self) {
        self.rules.clear();
        self.fired.clear();
    }

    /// The actions of all rules that match this message or frame.
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

    /// Delivers a frame as the world would.
    pub(super) fn hear(&mut self, cx: &mut Cx<'_>, frame: &[u8]) {
        let mut frame = frame.to_vec();
        // A damaged segment stays damaged: written again, its checksum would be right.
        if let Some(mut segment) = Segment::parse(&frame).filter(|_| packet::is_whole(&frame)) {
            let acknowledged = self.splice.to_node(segment.acknowledged);
            if acknowledged != segment.acknowledged {
                segment.acknowledged = acknowledged;
                frame = segment.frame();
            }
        }
        self.with(cx, |host, cx| host.handle(cx, Input::Frame(&frame)));
    }

    /// Records that an action of the script is not possible.
    pub(super) fn refuse(&mut self, words: &str) {
        self.notes.push_back(format!("script: {words}"));
    }

    /// Delivers a frame at a later time.
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
            self.frames.push((self.program.now, name.clone()));
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
            self.outbox.push(self.program.now + delay, frame);
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
            self.said.push(Said { at: self.program.now, message });
            for act in self.acts(&name, false) {
                if let Err(words) = act.to_message(&mut changed) {
                    self.notes.push_back(format!("script: {name} cannot be changed: {words}"));
                }
            }
        }
        if changed.bytes.is_empty() || changed.delay.is_some() {
            let mut own = segment.clone();
            own.number = number;
            self.receipts.push(self.program.now, own.receipt());
        }
        if let Some(delay) = changed.delay.filter(|_| !changed.bytes.is_empty()) {
            let mut late = segment.clone();
            late.number = number;
            late.payload = std::mem::take(&mut changed.bytes);
            self.held.push(self.program.now + delay, late);
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

    /// Sends a message that was delayed: from now on its bytes count.
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

impl Node for FaultInjector<'_> {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.with(cx, Host::start);
    }

    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        let input = match input {
            Input::Frame(frame) => {
                let mut frames = vec![(Duration::ZERO, frame.to_vec())];
                if let Some(name) = packet::name(frame) {
                    self.program.now = cx.now;
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
            Input::Plant(plant) => Input::Plant(self.program.clock.plant(plant)),
            Input::CarPlant(plant) => Input::CarPlant(self.program.clock.car_plant(plant)),
            Input::Pilot(pilot) => Input::Pilot(pilot),
        };
        self.with(cx, |host, cx| host.handle(cx, input));
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.program.now = cx.now;
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
        // Last, because the input may have made a deadline due immediately.
        self.with(cx, Host::handle_timeout);
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<usize> {
        while self.ready.is_empty() {
            let length = self.program.host.poll_transmit(buffer)?;
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
        let Reported { line, checkpoint } = self.program.next_event()?;
        if let Some(checkpoint) = checkpoint {
            self.acts(&format!("checkpoint {}", checkpoint.number()), false);
        }
        Some(line)
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        let queues = [&self.outbox, &self.inbox, &self.receipts];
        let own = queues.into_iter().filter_map(EventQueue::next_at).chain(self.held.next_at()).min();
        let own = own.map(|at| Deadline { at, name: "script" });
        let host = self
            .program
            .host
            .poll_timeout()
            .map(|deadline| Deadline { at: self.program.clock.to_world(deadline.at), name: deadline.name });
        own.into_iter().chain(host).min_by_key(|deadline| deadline.at)
    }

    fn drive(&self) -> Drive {
        self.program.host.drive()
    }

    fn reads_at(&self) -> Option<Instant> {
        self.program.host.reads_at().map(|at| self.program.clock.to_world(at))
    }
}
