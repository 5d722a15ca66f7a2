//! What can be seen from where an observer is: everything, or broadcasts only.

use homeplug_mme::{Frame, Mac, NetworkKey, Slac};

use crate::Discovery;
use crate::packet::{Flow, Layer};

/// How long after a match or a request for discovery a connection must be seen. Judgement: a car has discovered after 2 s
/// and connects at once; modems restart within 6 s.
const SILENT_NS: i64 = 20_000_000_000;
/// Sounds of a car that no charger is seen to answer, until it is said that answers are hidden. Judgement: a car sounds ten
/// times, and only after an answer; one lost frame is no proof.
const UNANSWERED_SOUNDS: u8 = 3;

/// What can be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sight {
    /// Nothing yet that a session would follow.
    #[default]
    Nothing,
    /// Matching or discovery; a connection may follow.
    Waiting,
    /// Only broadcasts: a car sounds for a charger whose answer was not seen, or it was matched or asked for a charger and no
    /// connection was seen for 20 s. A modem forwards foreign unicast frames to no third station. Ways out: two modems back
    /// to back as a bridge, a mirror on one of the hosts, an older modem that forwards everything.
    OnlyBroadcasts,
    /// A connection was not seen for 20 s either, but the car's unicast frames were while it was matched. The car did not
    /// connect; or the modem is a third station that is set up as a charger's, which forwards what cars say while they are
    /// matched and nothing later.
    NoConnection,
    /// Connections.
    Connections,
}

/// What an observer has seen so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Frames taken.
    pub frames: u64,
    /// What can be seen.
    pub sight: Sight,
    /// Whether a network's key was seen (`CM_SLAC_MATCH.CNF`); the key itself is never shown.
    pub has_key: bool,
    /// The car of the latest matching.
    pub car: Option<Mac>,
}

/// Finds out what can be seen, from frames and from time alone.
#[derive(Clone, Debug, Default)]
pub struct Outlook {
    frames: u64,
    has_key: bool,
    car: Option<Mac>,
    /// Since when a connection is expected: a match or a request for discovery was seen.
    expects_since: Option<i64>,
    now_ns: Option<i64>,
    has_tcp: bool,
    /// The car's own unicast frames of a matching were seen.
    sees_unicast: bool,
    matching: Matching,
}

/// What was seen of the matching at hand.
#[derive(Clone, Copy, Debug, Default)]
struct Matching {
    has_request: bool,
    has_answer: bool,
    sounds: u8,
}

impl Outlook {
    /// Takes a frame and when it came, in ns of any clock; the network's key where it carries one.
    pub fn take(&mut self, time_ns: i64, layer: &Layer<'_>) -> Option<NetworkKey> {
        self.frames += 1;
        self.pass(time_ns);
        match layer {
            Layer::Mme { to, from, payload } => {
                let frame = Frame::parse_payload(*to, *from, payload).ok()?;
                return self.matching(time_ns, &frame);
            }
            Layer::Udp(_, datagram) if Discovery::parse(datagram).is_some() => {
                self.expects_since.get_or_insert(time_ns);
            }
            Layer::Tcp(flow, _) => self.has_tcp |= is_of_vehicle(flow),
            Layer::Udp(..) | Layer::Fragment | Layer::Other => {}
        }
        None
    }

    /// Time passes without a frame.
    pub fn pass(&mut self, time_ns: i64) {
        self.now_ns = self.now_ns.max(Some(time_ns));
    }

    /// When what can be seen changes if nothing comes, in ns of the same clock.
    pub fn due_ns(&self) -> Option<i64> {
        let is_waiting = self.sight() == Sight::Waiting;
        self.expects_since.filter(|_| is_waiting).map(|since| since.saturating_add(SILENT_NS + 1))
    }

    /// What can be seen.
    pub fn sight(&self) -> Sight {
        let waits = self.expects_since.zip(self.now_ns).map(|(since, now)| now.saturating_sub(since));
        let Matching { has_request, has_answer, sounds } = self.matching;
        let is_hidden = has_request && !has_answer && sounds >= UNANSWERED_SOUNDS;
        match waits {
            _ if self.has_tcp => Sight::Connections,
            _ if is_hidden && !self.sees_unicast => Sight::OnlyBroadcasts,
            Some(waited) if waited > SILENT_NS && self.sees_unicast => Sight::NoConnection,
            Some(waited) if waited > SILENT_NS => Sight::OnlyBroadcasts,
            Some(_) => Sight::Waiting,
            None => Sight::Nothing,
        }
    }

    /// What was seen so far.
    pub fn status(&self) -> Status {
        Status { frames: self.frames, sight: self.sight(), has_key: self.has_key, car: self.car }
    }

    fn matching(&mut self, time_ns: i64, frame: &Frame<'_>) -> Option<NetworkKey> {
        let Ok(message) = Slac::parse(frame)? else { return None };
        match message {
            Slac::ParmReq { .. } => self.matching = Matching { has_request: true, ..Matching::default() },
            Slac::Sound { .. } => self.matching.sounds = self.matching.sounds.saturating_add(1),
            Slac::ParmCnf { .. } => self.matching.has_answer = true,
            // A charger may say it to all (observed: pyPLC's).
            Slac::AttenChar { .. } => self.matching.has_answer |= frame.to.is_unicast(),
            Slac::AttenCharRsp { .. } | Slac::MatchReq { .. } => self.sees_unicast = true,
            Slac::MatchCnf { car, key, .. } => {
                (self.has_key, self.car) = (true, Some(car));
                (self.has_tcp, self.matching.has_answer) = (false, true);
                self.expects_since = Some(time_ns);
                return Some(key);
            }
            _ => {}
        }
        None
    }
}

/// Whether a connection can be one of charging: those are IPv6. A host on which a mirror runs has others.
fn is_of_vehicle(flow: &Flow) -> bool {
    flow.source.address.to_ipv4_mapped().is_none()
}
