//! Frames, discovery and the life of a connection.

use homeplug_mme::Mac;
use machine::{Cx, Duration, Instant, Machine};
use pev_fsm::Operator;
use sdp::{ClientEvent, Datagram, Endpoint};
use session::{By, Cause, Closed, Phase, StopReason};

use super::{Pev, PevEvent, Stage, Timer};
use crate::channel::Channels;
use crate::line::Line;
use crate::net::{Ignored, Kind, Received, Rival, TcpState};
use crate::stream::Next;

/// Time for the three steps of TCP's handshake: judgement, several repetitions of the first step.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Connections that are tried before discovery requests the charger's address again: judgement.
const TRIES: u8 = 3;
/// From closing a connection to resetting it: a charger may close its side up to 5 s after its last response
/// (as Josev does, and ISO 15118-4 allows), and a reset would arrive meanwhile. 2 s more: judgement.
const CLOSING: Duration = Duration::from_secs(7);
/// Pause after a discovery without an answer: judgement, time for a charger's program to restart.
const REST: Duration = Duration::from_secs(5);
/// First of the ports that the car connects from (RFC 6335).
const FIRST_EPHEMERAL: u16 = 49_152;

/// A local port for a connection.
pub(super) fn ephemeral(cx: &mut Cx<'_>) -> u16 {
    let mut bytes = [0; 2];
    cx.entropy.fill(&mut bytes);
    FIRST_EPHEMERAL | u16::from_le_bytes(bytes)
}

impl<C: Channels, const N: usize> Pev<'_, C, N> {
    pub(super) fn frame(&mut self, cx: &mut Cx<'_>, frame: &[u8]) {
        if let Some(line) = &mut self.line
            && Line::<slac::Pev>::is_for(frame)
        {
            return line.frame(cx, frame);
        }
        let heard = match self.station.classify(frame) {
            Ok(heard) if self.is_up() && self.charger.is_none_or(|mac| mac == heard.mac) => heard,
            Err(Ignored::Full) => return self.events.push(PevEvent::Overrun),
            _ => {
                self.ignored = self.ignored.saturating_add(1);
                return;
            }
        };
        if let Kind::Rival(rival) = heard.kind {
            return self.contest(cx, rival);
        }
        if self.station.receive(cx.now, heard.kind, frame) != Received::Sockets {
            return;
        }
        while self
            .station
            .datagram(|from, bytes| self.discovery.handle(cx, Datagram { from, bytes }))
            .is_some()
        {}
        while let Some(event) = self.discovery.poll_event() {
            self.events.push(PevEvent::Discovery(event));
            if let ClientEvent::Found(found) = event {
                self.station.learn(&heard);
                self.hear_only(heard.mac);
                self.tries = 0;
                self.given = found.security;
                self.announced = Some(Endpoint { address: found.address, port: found.port });
                self.connect(cx);
            }
        }
    }

    /// The charger has the same address. Before the first connection discovery begins again with another
    /// address.
    fn contest(&mut self, cx: &mut Cx<'_>, rival: Rival) {
        let may_yield =
            matches!(self.stage, Stage::Asking | Stage::Opening | Stage::Done) && !self.stream.is_connected();
        let Some(address) = self.station.contest(cx, rival, may_yield) else { return };
        self.address = address;
        self.events.push(PevEvent::AddressTaken(address));
        if self.stage == Stage::Opening {
            self.station.abort();
            self.timers.clear(Timer::Connect);
        }
        if self.stage != Stage::Done {
            self.discovery.start(cx);
            self.stage = Stage::Asking;
        }
    }

    /// Whether the charger offers a session, and no state of the car forbids it. A session in progress ends
    /// by its own rules when the pilot is lost or the driver stops; until then its connection is kept.
    fn is_offered(&self) -> bool {
        let is_wanted = !self.is_content && !self.session.is_stop_kept();
        (self.session.is_offered() && is_wanted) || self.stream.is_connected()
    }

    /// Whether IP frames may be sent.
    fn is_up(&self) -> bool {
        self.is_offered() && self.line.as_ref().is_none_or(Line::is_up)
    }

    fn hear_only(&mut self, mac: Mac) {
        if self.charger.replace(mac) != Some(mac) {
            self.events.push(PevEvent::Serving(mac));
        }
    }

    /// A command of a person or of another part of the car. The driver's stop also ends an attempt before a
    /// session.
    pub(super) fn operator(&mut self, cx: &mut Cx<'_>, word: Operator) {
        let is_on_its_way = self.was_offered && !self.stream.is_connected() && self.stage != Stage::Done;
        if word == Operator::Stop && is_on_its_way {
            let phase = if self.is_up() { Phase::Discovery } else { Phase::Slac };
            self.give_up(By::Operator, Cause::OperatorStop, phase);
        }
        self.session.handle(cx, pev_fsm::Input::Operator(word));
    }

    fn connect(&mut self, cx: &mut Cx<'_>) {
        let Some(announced) = self.announced else { return };
        let own_port = ephemeral(cx);
        self.station.connect(announced, own_port);
        self.stage = Stage::Opening;
        self.tries = self.tries.saturating_add(1);
        self.timers.set(Timer::Connect, cx.now + HANDSHAKE);
        self.events.push(PevEvent::Connecting(announced));
    }

    /// Updates link and connection after any change, and transfers messages.
    pub(super) fn follow(&mut self, cx: &mut Cx<'_>) {
        let offered = self.is_offered();
        if core::mem::replace(&mut self.was_offered, offered) != offered
            && let Some(line) = &mut self.line
        {
            line.tell(cx, if offered { slac::PevInput::Start } else { slac::PevInput::Stop });
        }
        let up = self.is_up();
        if core::mem::replace(&mut self.was_up, up) && !up {
            self.down(cx);
        }
        if up && self.stage == Stage::Waiting {
            self.charger = self.line.as_ref().and_then(Line::peer);
            if let Some(mac) = self.charger {
                self.events.push(PevEvent::Serving(mac));
            }
            self.station.claim(cx.now);
            self.stage = Stage::Done;
            if self.discovers {
                self.discovery.start(cx);
                self.stage = Stage::Asking;
            }
        }
        if self.stage == Stage::Opening && self.station.tcp_state() == TcpState::Open {
            self.connected(cx);
        }
        if self.stage == Stage::Open {
            self.flow(cx);
        }
        if self.stage == Stage::Closing {
            self.follow_closing(cx);
        }
        self.ask(cx.now);
        self.station.schedule();
    }

    /// Waits for a connection to close.
    fn follow_closing(&mut self, cx: &mut Cx<'_>) {
        // The session no longer reads: further bytes are dropped.
        let _ = self.station.read(|bytes| (bytes.len(), ()));
        if self.station.tcp_state() == TcpState::Gone {
            self.disconnected(cx, Closed::Fin);
            self.over();
        }
    }

    /// Sends discovery requests.
    fn ask(&mut self, now: Instant) {
        let mut bytes = [0; sdp::MAX_LEN];
        while let Some((len, to)) = machine::whole(self.discovery.poll_transmit(&mut bytes)) {
            self.station.send_datagram(to, bytes.get(..len).unwrap_or_default());
        }
        while let Some(event) = self.discovery.poll_event() {
            self.events.push(PevEvent::Discovery(event));
            if event == ClientEvent::NoAnswer {
                self.stage = Stage::Done;
                self.timers.set(Timer::Rest, now + REST);
                self.give_up(By::Network, Cause::NoDiscovery, Phase::Discovery);
            }
        }
    }

    /// Reports the end of an attempt before a session began.
    fn give_up(&mut self, by: By, cause: Cause, phase: Phase) {
        let reason = StopReason::new(by, cause, phase);
        self.gave_up = Some(reason);
        self.events.push(PevEvent::Session(pev_fsm::Event::Stopped(reason)));
    }

    fn connected(&mut self, cx: &mut Cx<'_>) {
        self.stage = Stage::Open;
        self.gave_up = None;
        self.timers.clear(Timer::Connect);
        if let Some(peer) = self.announced {
            self.events.push(PevEvent::Connected(peer));
        }
        let channel = self.channels.open(self.given);
        self.stream.connect(cx, &mut self.session, channel);
    }

    /// Transfers messages; closes the connection where either side requires it.
    fn flow(&mut self, cx: &mut Cx<'_>) {
        let Self { stream, station, session, events, .. } = self;
        match stream.flow(cx, station, session, |told| events.push(told.into())) {
            Next::On => {}
            Next::Ending => self.timers.start(Timer::Close, cx.now + CLOSING),
            Next::Closing => {
                self.stage = Stage::Closing;
                self.timers.start(Timer::Close, cx.now + CLOSING);
            }
            Next::Gone => self.over(),
        }
    }

    fn disconnected(&mut self, cx: &mut Cx<'_>, closed: Closed) {
        let Self { stream, session, events, .. } = self;
        stream.disconnect(cx, session, closed, |told| events.push(told.into()));
    }

    fn done(&mut self) {
        self.stage = Stage::Done;
        self.timers.clear_all();
        self.stream.reset();
    }

    /// The connection has ended.
    fn over(&mut self) {
        self.done();
        let is_normal = self.session.stop_reason().is_some_and(StopReason::is_normal);
        self.is_content = self.is_done && is_normal;
    }

    /// The offer or the link has ended, and all parts that depend on it.
    fn down(&mut self, cx: &mut Cx<'_>) {
        self.discovery.stop();
        let Self { stream, session, events, .. } = self;
        if stream.lose(cx, session, |told| events.push(told.into())) {
            self.over();
        }
        self.station.abort();
        self.done();
        self.stage = Stage::Waiting;
        self.charger = None;
        self.announced = None;
    }

    /// A connection ends when the interface below it is down. The charger is discovered again; with
    /// [`PevLink::Up`] after the last report that the interface is down, because no station can answer
    /// before.
    pub(super) fn interface_down(&mut self, cx: &mut Cx<'_>) {
        let is_searching = matches!(self.stage, Stage::Asking | Stage::Opening)
            || self.stage == Stage::Done && self.timers.due(Timer::Rest).is_some();
        if self.stream.is_connected() {
            self.disconnected(cx, Closed::InterfaceDown);
            self.over();
        } else if self.line.is_none() && is_searching {
            self.discovery.stop();
            self.done();
        } else {
            return;
        }
        self.station.abort();
        self.timers.set(Timer::Rest, cx.now + REST);
    }

    /// Leaves the network and begins again; `why` is reported to the matching.
    pub(super) fn restart(&mut self, cx: &mut Cx<'_>, why: slac::PevInput<'_>) {
        if self.stream.is_connected() || self.session.is_stop_kept() {
            return;
        }
        self.is_content = false;
        self.down(cx);
        self.was_up = false;
        if let Some(line) = &mut self.line {
            line.tell(cx, why);
        }
    }

    pub(super) fn expired(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match (timer, self.stage) {
            (Timer::Connect, Stage::Opening) if self.tries < TRIES => self.connect(cx),
            (Timer::Connect, Stage::Opening) => {
                if let Some(announced) = self.announced.take() {
                    self.events.push(PevEvent::NoConnection(announced));
                    self.give_up(By::Network, Cause::NoConnection, Phase::Connecting);
                }
                self.station.abort();
                // The charger may have restarted with another address.
                self.discovery.start(cx);
                self.stage = Stage::Asking;
            }
            (Timer::Close, _) => {
                self.disconnected(cx, Closed::Timeout);
                self.station.abort();
                self.over();
            }
            (Timer::Rest, Stage::Done) if self.line.is_some() => {
                self.restart(cx, slac::PevInput::NoSession);
            }
            (Timer::Rest, Stage::Done) => {
                self.discovery.start(cx);
                self.stage = Stage::Asking;
            }
            (Timer::Connect | Timer::Rest, _) => {}
        }
    }
}
