use std::fs::File;
use std::ops::ControlFlow;

use ccs::decode::source::Source;
use ccs::decode::{Content, Decoder, Direction};
use exi_din::{BodyElement, V2gMessage};

/// One session of a capture.
pub struct Session {
    /// Name of the capture and number of the session in it.
    pub name: String,
    /// The car's messages, in order.
    pub requests: Vec<Request>,
    /// The charger's messages, in order.
    pub responses: Vec<Response>,
    /// The `SessionID` of the recorded charger; empty if it sent none.
    pub id: Vec<u8>,
}

/// A message of the car.
#[derive(Clone)]
pub struct Request {
    /// Microseconds since the start of the capture.
    pub at: u64,
    /// Number of its frame in the capture.
    pub frame: u64,
    /// `supportedAppProtocolReq`, or the DIN message's name.
    pub name: &'static str,
    /// The EXI stream.
    pub stream: Vec<u8>,
}

/// A message of the charger.
#[derive(Clone)]
pub struct Response {
    /// Number of its frame in the capture.
    pub frame: u64,
    /// `supportedAppProtocolRes`, or the DIN message's name.
    pub name: &'static str,
    /// Microseconds since the car's message before it.
    pub latency: u64,
    /// Whether that message was a `PowerDeliveryReq` that switches off.
    pub is_power_off: bool,
    /// The EXI stream.
    pub stream: Vec<u8>,
}

/// The DIN sessions of a capture: each begins with a handshake.
pub fn sessions(capture: &str) -> Vec<Session> {
    let Some(path) = corpus::path(&format!("captures/{capture}")) else { return Vec::new() };
    let source = Source::open(Box::new(File::open(path).unwrap())).unwrap();
    let mut decoder = Decoder::new();
    let mut sessions: Vec<Session> = Vec::new();
    let mut take = |event: &ccs::decode::Event<'_>| {
        let Content::Exi(exi) = &event.content else { return };
        let (Some(name), Some(direction)) = (exi.message, event.direction) else { return };
        let at = u64::try_from(event.time_ns.unwrap() / 1000).unwrap();
        if direction == Direction::ToPev {
            let Some(session) = sessions.last_mut() else { return };
            if name == "SessionSetupRes" {
                session.id = V2gMessage::decode(exi.payload).unwrap().header.session_id.iter().collect();
            }
            let Some(request) = session.requests.last() else { return };
            let latency = at.saturating_sub(request.at);
            let is_power_off = switches_off(&request.stream);
            let stream = exi.payload.to_vec();
            session.responses.push(Response { frame: event.frame, name, latency, is_power_off, stream });
            return;
        }
        if name == "supportedAppProtocolReq" {
            let name = format!("{capture} session {}", sessions.len() + 1);
            sessions.push(Session { name, requests: Vec::new(), responses: Vec::new(), id: Vec::new() });
        }
        let request = Request { at, frame: event.frame, name, stream: exi.payload.to_vec() };
        sessions.last_mut().expect("a session begins with a handshake").requests.push(request);
    };
    source
        .read(&mut |packet| {
            decoder.take(packet, &mut take);
            ControlFlow::Continue(())
        })
        .unwrap();
    decoder.finish(&mut take);
    sessions
}

/// Whether a message is a `PowerDeliveryReq` that switches off.
pub fn switches_off(stream: &[u8]) -> bool {
    let body = V2gMessage::decode(stream).ok().and_then(|message| message.body.element);
    matches!(body, Some(BodyElement::PowerDeliveryReq(req)) if !req.ready_to_charge_state)
}

impl Session {
    /// When the car first and last sent a message of this name.
    pub fn span(&self, name: &str) -> Option<(u64, u64)> {
        let mut times = self.requests.iter().filter(|request| request.name == name).map(|request| request.at);
        let first = times.next()?;
        Some((first, times.next_back().unwrap_or(first)))
    }
}
