//! Frames, discovery and the life of a connection.

use evse_fsm::Closed;
use machine::{Cx, Duration, Instant, Machine};
use sdp::{Datagram, Endpoint, ServerEvent};
use session::{Phase, Time};

use super::{Evse, Happening, Stage, Timer};
use crate::channel::Channels;
use crate::line::Line;
use crate::net::{Heard, Ignored, Kind, Mac, Received, Rival, TcpState};
use crate::stream::Next;

/// A matched car that opens no connection is disconnected after this time, so that it may be matched again:
/// 60 s (judgement). With a link by a key alone the time runs from the key. It includes 12 s of joining, a
/// modem's restart, and the 18 s of [`Time::SetupBudget`]; it also bounds a car that never discovers.
pub(super) const QUIET: Duration = Duration::from_secs(60);

/// Time for the three steps of TCP's handshake: judgement, 20 repetitions. After a handshake that was lost
/// halfway, a car that tries again from a new port is refused for this time.
const HANDSHAKE: Duration = Duration::from_secs(2);

/// From closing a connection to resetting it (ISO 15118-4: TCP must have ended 5 s later).
const CLOSING: Duration = Duration::from_secs(5);

impl<C: Channels, const N: usize> Evse<'_, C, N> {
    pub(super) fn frame(&mut self, cx: &mut Cx<'_>, frame: &[u8]) {
        if let Some(line) = &mut self.line {
            if Line::<slac::Evse>::is_for(frame) {
                return line.frame(cx, frame);
            }
            if !line.is_up() {
                self.ignored = self.ignored.saturating_add(1);
                return;
            }
        }
        let heard = match self.station.classify(frame) {
            Ok(heard) => heard,
            Err(Ignored::Full) => return self.events.push(Happening::Overrun),
            Err(_) => {
                self.ignored = self.ignored.saturating_add(1);
                return;
            }
        };
        if self.serving.is_some_and(|mac| mac != heard.mac) {
            self.ignored = self.ignored.saturating_add(1);
            if matches!(heard.kind, Kind::Discovery | Kind::Segment { opens: true, .. }) {
                self.events.push(Happening::OtherStation(heard.mac));
            }
            return;
        }
        if let Kind::Rival(rival) = heard.kind {
            return self.contest(cx, rival);
        }
        if self.station.receive(cx.now, heard.kind, frame) == Received::Sockets {
            self.discover(cx, &heard);
            self.opened(cx, &heard);
        }
        if let Kind::Segment { opens: true, port, from_port } = heard.kind
            && port == self.port
            && self.stage != Stage::Free
        {
            let from = Endpoint { address: heard.from, port: from_port };
            if self.station.peer() != Some(from) {
                self.events.push(Happening::Refused(from));
            }
        }
    }

    /// The car has the same address. Before the first connection the charger changes its own.
    fn contest(&mut self, cx: &mut Cx<'_>, rival: Rival) {
        let is_free = self.stage == Stage::Free;
        let Some(address) = self.station.contest(cx, rival, is_free) else { return };
        self.address = address;
        self.discovery.move_to(address);
        self.station.abort();
        self.station.listen();
        self.events.push(Happening::AddressTaken(address));
    }

    /// Answers discovery requests. The sender of the first answered request is served.
    fn discover(&mut self, cx: &mut Cx<'_>, heard: &Heard) {
        while self
            .station
            .datagram(|from, bytes| self.discovery.handle(cx, Datagram { from, bytes }))
            .is_some()
        {}
        while let Some(event) = self.discovery.poll_event() {
            self.events.push(Happening::Discovery(event));
            if let ServerEvent::Answered { given, .. } = event {
                self.given = given;
                self.station.learn(heard);
                self.serve(cx.now, heard.mac);
            }
        }
        let mut bytes = [0; sdp::MAX_LEN];
        while let Some((len, to)) = machine::whole(self.discovery.poll_transmit(&mut bytes)) {
            self.station.send_datagram(to, bytes.get(..len).unwrap_or_default());
        }
    }

    /// Detects a new connection, with the frame that opened it.
    fn opened(&mut self, cx: &mut Cx<'_>, heard: &Heard) {
        let is_new = self.stage == Stage::Free && self.station.tcp_state() != TcpState::Listening;
        if is_new && matches!(heard.kind, Kind::Segment { .. }) {
            self.station.learn(heard);
            self.serve(cx.now, heard.mac);
            self.discovery.stop();
            self.stage = Stage::Opening;
            self.timers.set(Timer::Place, cx.now + HANDSHAKE);
        }
    }

    fn serve(&mut self, now: Instant, mac: Mac) {
        if self.serving.is_none() {
            self.serving = Some(mac);
            self.timers.set(Timer::Place, now + self.session.time(Time::SetupBudget));
            self.events.push(Happening::Serving(mac));
        }
    }

    /// Updates the connection after any change, and transfers bytes and responses.
    pub(super) fn follow(&mut self, cx: &mut Cx<'_>) {
        let state = self.station.tcp_state();
        if self.stage == Stage::Opening && matches!(state, TcpState::Open | TcpState::PeerClosed) {
            self.connected(cx);
        }
        if self.stage == Stage::Open {
            self.flow(cx);
        }
        match (self.stage, self.station.tcp_state()) {
            (Stage::Opening, TcpState::Listening) => self.free(),
            (Stage::Closing, state) => {
                // The session no longer reads: further bytes are dropped.
                let _ = self.station.read(|bytes| (bytes.len(), ()));
                if state == TcpState::Gone {
                    self.disconnected(cx, Closed::Fin);
                }
            }
            _ => {}
        }
        self.station.schedule();
    }

    fn connected(&mut self, cx: &mut Cx<'_>) {
        self.stage = Stage::Open;
        self.timers.set(Timer::Place, cx.now + self.session.time(Time::SetupBudget));
        if let Some(peer) = self.station.peer() {
            self.events.push(Happening::Connected(peer));
        }
        let channel = self.channels.open(self.given);
        self.stream.connect(cx, &mut self.session, channel);
    }

    /// Transfers messages and responses; closes the connection where either side requires it.
    fn flow(&mut self, cx: &mut Cx<'_>) {
        let Self { stream, station, session, events, .. } = self;
        match stream.flow(cx, station, session, |told| events.push(told.into())) {
            Next::On => {}
            Next::Ending => self.timers.start(Timer::Close, cx.now + CLOSING),
            Next::Closing => {
                self.stage = Stage::Closing;
                self.timers.start(Timer::Close, cx.now + CLOSING);
            }
            Next::Gone => self.stage = Stage::Closing,
        }
    }

    fn disconnected(&mut self, cx: &mut Cx<'_>, closed: Closed) {
        let Self { stream, session, events, .. } = self;
        stream.disconnect(cx, session, closed, |told| events.push(told.into()));
    }

    /// A connection ends when the interface below it is down.
    pub(super) fn interface_down(&mut self, cx: &mut Cx<'_>) {
        if self.stage != Stage::Free {
            self.disconnected(cx, Closed::InterfaceDown);
            self.station.abort();
            self.stage = Stage::Closing;
        }
    }

    /// Permits the next car.
    pub(super) fn free(&mut self) {
        self.station.listen();
        self.stream.reset();
        self.stage = Stage::Free;
        self.timers.clear_all();
        // A car that was matched is served as long as the link lasts.
        let matched = self.line.as_ref().filter(|line| line.is_up()).and_then(Line::peer);
        if self.line.is_none() || matched.is_some() {
            self.discovery.start(None);
        } else {
            self.discovery.stop();
        }
        if core::mem::replace(&mut self.serving, matched).is_some() && matched.is_none() {
            self.events.push(Happening::Free);
        }
    }

    /// Permits the next car once the connection has ended and its last frame is sent.
    pub(super) fn recycle(&mut self) {
        let is_over = matches!(self.stage, Stage::Opening | Stage::Closing)
            && self.station.tcp_state() == TcpState::Gone;
        if is_over && !self.stream.is_connected() && !self.station.is_sending() {
            self.free();
            self.station.schedule();
        }
    }

    pub(super) fn expired(&mut self, cx: &mut Cx<'_>, timer: Timer) {
        match (timer, self.stage) {
            (Timer::Place, Stage::Free) => self.free(),
            (Timer::Place, Stage::Opening) => self.station.abort(),
            (Timer::Place, Stage::Open) if self.session.phase() < Phase::SessionSetup => {
                self.disconnected(cx, Closed::Timeout);
                self.station.abort();
                self.stage = Stage::Closing;
            }
            (Timer::Close, _) => {
                self.disconnected(cx, Closed::Timeout);
                self.station.abort();
                self.stage = Stage::Closing;
            }
            (Timer::Quiet, Stage::Free) => {
                if let Some(line) = &mut self.line {
                    line.tell(cx, slac::EvseInput::Error);
                }
            }
            (Timer::Place | Timer::Quiet, _) => {}
        }
    }
}
