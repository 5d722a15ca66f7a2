//! What can be observed from the place of the observer: whole sessions, or broadcasts only.

use homeplug_mme::{Frame, Mac, NetworkKey, Slac};

use crate::Discovery;
use crate::packet::{Flow, Layer};
use crate::story::Side;

/// Time after a match or a discovery request within which a connection is expected. Judgement: a car
/// discovers within 2 s and connects immediately; modems restart within 6 s.
const SILENT_NS: i64 = 20_000_000_000;
/// Sounds without an observed answer of a charger after which the answers count as hidden. Judgement: a car
/// sends ten sounds, and only after an answer; one lost frame is no proof.
const UNANSWERED_SOUNDS: u8 = 3;

/// What can be observed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sight {
    /// No frame yet that a session follows.
    #[default]
    Nothing,
    /// Matching or discovery was observed; a connection may follow.
    Waiting,
    /// Only one side's messages of a matching: the observer's modem is a third station and has the other
    /// side's role. Of the session it will show broadcasts only; for remedies see
    /// [`OnlyBroadcasts`](Self::OnlyBroadcasts).
    OneSide(Side),
    /// Only broadcasts: a car sounds for a charger whose answer was not observed, or no connection was
    /// observed within 20 s after a match or a discovery request. A modem forwards unicast frames of other
    /// stations to no third station. Remedies: two modems back to back as a bridge, a mirror on one of the
    /// hosts, or an older modem that forwards everything.
    OnlyBroadcasts,
    /// No connection was observed within 20 s, but the car's unicast frames of the matching were. Either the
    /// car did not connect, or the modem is a third station with a charger's role: it forwards what cars send
    /// during matching and nothing later.
    NoConnection,
    /// Connections of sessions.
    Connections,
}

/// What an observer has seen so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Number of frames handled.
    pub frames: u64,
    /// What can be observed.
    pub sight: Sight,
    /// Whether a network key was observed (`CM_SLAC_MATCH.CNF`). The key itself is not part of the status.
    pub has_key: bool,
    /// MAC address of the car in the latest matching.
    pub car: Option<Mac>,
}

/// Determines what can be observed, from frames and time only.
#[derive(Clone, Debug, Default)]
pub struct Outlook {
    frames: u64,
    has_key: bool,
    car: Option<Mac>,
    /// Time since when a connection is expected: of a match or a discovery request.
    expects_since: Option<i64>,
    now_ns: Option<i64>,
    has_tcp: bool,
    /// Unicast frames of the car were observed in a matching.
    sees_unicast: bool,
    matching: Matching,
}

/// Observations of the current matching.
#[derive(Clone, Copy, Debug, Default)]
struct Matching {
    has_request: bool,
    /// A charger's answer, report or key was observed.
    has_answer: bool,
    sounds: u8,
    is_matched: bool,
}

impl Outlook {
    /// Handles a frame. `time_ns` is its time of arrival, of any monotonic clock. Returns the network key if
    /// the frame contains one.
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

    /// Advances the time without a frame.
    pub fn pass(&mut self, time_ns: i64) {
        self.now_ns = self.now_ns.max(Some(time_ns));
    }

    /// When the result changes without a further frame, in ns of the same clock.
    pub fn due_ns(&self) -> Option<i64> {
        let is_waiting = self.sight() == Sight::Waiting;
        self.expects_since.filter(|_| is_waiting).map(|since| since.saturating_add(SILENT_NS + 1))
    }

    /// What can be observed.
    pub fn sight(&self) -> Sight {
        let waits = self.expects_since.zip(self.now_ns).map(|(since, now)| now.saturating_sub(since));
        let Matching { has_request, has_answer, sounds, is_matched } = self.matching;
        let is_hidden = has_request && !has_answer && sounds >= UNANSWERED_SOUNDS;
        let is_car_silent = is_matched && !has_request && sounds == 0 && !self.sees_unicast;
        match waits {
            _ if self.has_tcp => Sight::Connections,
            _ if is_car_silent => Sight::OneSide(Side::Charger),
            _ if is_hidden && self.sees_unicast => Sight::OneSide(Side::Car),
            _ if is_hidden => Sight::OnlyBroadcasts,
            Some(waited) if waited > SILENT_NS && self.sees_unicast => Sight::NoConnection,
            Some(waited) if waited > SILENT_NS => Sight::OnlyBroadcasts,
            Some(_) => Sight::Waiting,
            None => Sight::Nothing,
        }
    }

    /// A summary of the observations so far.
    pub fn status(&self) -> Status {
        Status { frames: self.frames, sight: self.sight(), has_key: self.has_key, car: self.car }
    }

    fn matching(&mut self, time_ns: i64, frame: &Frame<'_>) -> Option<NetworkKey> {
        let Ok(message) = Slac::parse(frame)? else { return None };
        match message {
            Slac::ParmReq { .. } => self.matching = Matching { has_request: true, ..Matching::default() },
            Slac::Sound { .. } => self.matching.sounds = self.matching.sounds.saturating_add(1),
            Slac::ParmCnf { .. } => self.matching.has_answer = true,
            // Only a unicast report proves that unicast frames are visible: pyPLC broadcasts its report
            // (observed).
            Slac::AttenChar { .. } => self.matching.has_answer |= frame.to.is_unicast(),
            Slac::AttenCharRsp { .. } | Slac::MatchReq { .. } => self.sees_unicast = true,
            Slac::MatchCnf { car, key, .. } => {
                (self.has_key, self.car) = (true, Some(car));
                (self.matching.has_answer, self.matching.is_matched) = (true, true);
                self.has_tcp = false;
                self.expects_since = Some(time_ns);
                return Some(key);
            }
            _ => {}
        }
        None
    }
}

/// Whether a connection can be one of charging: those use IPv6. A host with a mirror port also has other
/// ones.
fn is_of_vehicle(flow: &Flow) -> bool {
    flow.source.address.to_ipv4_mapped().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeplug_mme::{MAX_FRAME, Nmk, RunId, StationId};
    use std::vec::Vec;

    const CAR: Mac = Mac([2, 0, 0, 0, 0, 0xE1]);
    const CHARGER: Mac = Mac([2, 0, 0, 0, 0, 0x5E]);
    const RUN: RunId = RunId(*b"TESLA EV");
    const SECOND: i64 = 1_000_000_000;

    fn key() -> NetworkKey {
        NetworkKey::derived(Nmk::new([0xAB; 16]))
    }

    /// A complete matching: sender, and whether its frames are unicast.
    fn matching() -> Vec<(Side, bool, Slac)> {
        let none = StationId::default();
        let mut all = std::vec![
            (Side::Car, false, Slac::ParmReq { run_id: RUN }),
            (Side::Charger, true, Slac::ParmCnf { run_id: RUN, sounds: 10, timeout_100ms: 6, car: CAR }),
        ];
        all.extend((0..10).rev().map(|remaining| {
            (Side::Car, false, Slac::Sound { run_id: RUN, remaining, random: [remaining; 16] })
        }));
        all.extend([
            (Side::Charger, true, Slac::AttenChar { run_id: RUN, car: CAR, sounds: 10, profile: None }),
            (Side::Car, true, Slac::AttenCharRsp { run_id: RUN, car: CAR, result: 0 }),
            (
                Side::Car,
                true,
                Slac::MatchReq { run_id: RUN, car: CAR, pev_id: none, charger: CHARGER, evse_id: none },
            ),
            (
                Side::Charger,
                true,
                Slac::MatchCnf {
                    run_id: RUN,
                    car: CAR,
                    pev_id: none,
                    charger: CHARGER,
                    evse_id: none,
                    key: key(),
                },
            ),
        ]);
        all
    }

    /// The result for a matching of which only these frames are observed, and the key.
    fn seen(passes: impl Fn(Side, bool) -> bool) -> (Outlook, Option<NetworkKey>) {
        let (mut outlook, mut learned) = (Outlook::default(), None);
        for (side, is_unicast, message) in matching() {
            let (from, peer) = if side == Side::Car { (CAR, CHARGER) } else { (CHARGER, CAR) };
            let to = if is_unicast { peer } else { Mac::BROADCAST };
            let mut buffer = [0; MAX_FRAME];
            let length = message.emit(to, from, &mut buffer).unwrap();
            if passes(side, is_unicast) {
                let layer = crate::packet::parse(1, &buffer[..length]);
                learned = outlook.take(0, &layer).or(learned);
            }
        }
        (outlook, learned)
    }

    /// Which frames are observed, by sender and whether they are unicast.
    type Passes = fn(Side, bool) -> bool;

    #[test]
    fn where_a_modem_stands_is_known_from_what_it_shows_of_a_matching() {
        let table: [(Passes, Sight, bool); 4] = [
            (|_, _| true, Sight::Waiting, true),
            (|_, is_unicast| !is_unicast, Sight::OnlyBroadcasts, false),
            (|side, _| side == Side::Charger, Sight::OneSide(Side::Charger), true),
            (|side, _| side == Side::Car, Sight::OneSide(Side::Car), false),
        ];
        for (passes, sight, has_key) in table {
            let (outlook, learned) = seen(passes);
            assert_eq!((outlook.sight(), outlook.status().has_key), (sight, has_key));
            assert_eq!(learned, has_key.then(key));
        }
    }

    #[test]
    fn a_match_that_no_connection_follows_for_twenty_seconds_is_said_by_time_alone() {
        let (mut outlook, _) = seen(|_, _| true);
        let due = outlook.due_ns().unwrap();
        outlook.pass(due - 1);
        assert_eq!(outlook.sight(), Sight::Waiting);
        outlook.pass(due);
        assert_eq!((outlook.sight(), outlook.due_ns()), (Sight::NoConnection, None));
        assert_eq!(due, 20 * SECOND + 1);
    }

    #[test]
    fn a_connection_over_ipv4_is_none_of_charging() {
        let end = |address: core::net::Ipv6Addr, port| crate::packet::Endpoint { address, port };
        let flow = |address| Flow { source: end(address, 50_000), destination: end(address, 15_118) };
        let segment =
            crate::packet::Segment { sequence: 0, acknowledged: None, syn: true, close: None, data: &[] };
        for (address, sight) in [
            (core::net::Ipv4Addr::LOCALHOST.to_ipv6_mapped(), Sight::Nothing),
            ("fe80::1".parse().unwrap(), Sight::Connections),
        ] {
            let mut outlook = Outlook::default();
            outlook.take(0, &Layer::Tcp(flow(address), segment));
            assert_eq!(outlook.sight(), sight);
        }
    }
}
