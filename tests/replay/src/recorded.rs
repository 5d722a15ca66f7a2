use std::fs::File;
use std::ops::ControlFlow;

use ccs::decode::source::Source;
use ccs::decode::{Content, Decoder, Direction};
use exi_din::V2gMessage;

/// One session of a capture, as the car sent it.
pub struct Session {
    /// The capture and the number of the session in it.
    pub name: String,
    /// What the car sent, in order.
    pub requests: Vec<Request>,
    /// The session id that the recorded charger gave; empty when it gave none.
    pub id: Vec<u8>,
}

/// A message of the car.
#[derive(Clone)]
pub struct Request {
    /// Microseconds since the start of the capture.
    pub at: u64,
    /// Its frame in the capture.
    pub frame: u64,
    /// `supportedAppProtocolReq`, or the DIN message's name.
    pub name: &'static str,
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
            if let (Some(session), "SessionSetupRes") = (sessions.last_mut(), name) {
                session.id = V2gMessage::decode(exi.payload).unwrap().header.session_id.iter().collect();
            }
            return;
        }
        if name == "supportedAppProtocolReq" {
            let name = format!("{capture} session {}", sessions.len() + 1);
            sessions.push(Session { name, requests: Vec::new(), id: Vec::new() });
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

impl Session {
    /// When the car first and last sent a message of this name.
    pub fn span(&self, name: &str) -> Option<(u64, u64)> {
        let mut times = self.requests.iter().filter(|request| request.name == name).map(|request| request.at);
        let first = times.next()?;
        Some((first, times.next_back().unwrap_or(first)))
    }
}
