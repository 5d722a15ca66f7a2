//! The travel of frames: which modem receives, answers and forwards them.

use homeplug_mme::view::{AttenProfileInd, AttenuationCharacteristicsInd, Slice};
use homeplug_mme::{Frame, Mac, MmType};
use machine::{Duration, Instant};

use super::answers::{Around, Member, Reply};
use super::kind::Vendor;
use super::modem::Modem;
use super::{Event, Place, Port, PowerLine, SlacMode, write};
use crate::Span;

/// Which modems receive a frame on the power line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// Every modem in reach, whatever its network.
    Reach,
    /// The modems that have joined the sender's network.
    Network,
}

/// Messages of matching, which pass between modems without a common key, and the mode in which a modem passes
/// them to its host. It also passes those that are addressed to another host: a listener with a modem in a
/// car's mode receives what the charger sends to the car (observed).
const MATCHING: [(u16, SlacMode); 10] = [
    (0x6064, SlacMode::Evse), // CM_SLAC_PARM.REQ
    (0x6065, SlacMode::Pev),  // CM_SLAC_PARM.CNF
    (0x606A, SlacMode::Evse), // CM_START_ATTEN_CHAR.IND
    (0x606E, SlacMode::Pev),  // CM_ATTEN_CHAR.IND
    (0x606F, SlacMode::Evse), // CM_ATTEN_CHAR.RSP
    (SOUND.0, SlacMode::Evse),
    (0x6078, SlacMode::Evse), // CM_VALIDATE.REQ
    (0x6079, SlacMode::Pev),  // CM_VALIDATE.CNF
    (0x607C, SlacMode::Evse), // CM_SLAC_MATCH.REQ
    (0x607D, SlacMode::Pev),  // CM_SLAC_MATCH.CNF
];

/// `CM_MNBC_SOUND.IND`.
const SOUND: MmType = MmType(0x6076);

/// Time until a modem answers its host: a few milliseconds (observed), the figures judgement.
const ANSWER: Span = Span::micros(800, 4000);
/// Time from a message that makes a modem restart to its silence: it still sends the answer; judgement.
const LAST_WORDS: Duration = Duration::from_millis(50);
impl PowerLine {
    /// Sends a frame over a host's cable.
    pub(super) fn cable(
        &mut self,
        now: Instant,
        place: Place,
        frame: Vec<u8>,
        event: fn(Port, Vec<u8>) -> Event,
    ) {
        let (Place::FromHost(port) | Place::ToHost(port)) = place else { return };
        let Self { rules, modems, queue, .. } = self;
        let Some(modem) = modems.get_mut(usize::from(port.0)) else { return };
        let [from_host, to_host] = &mut modem.cable;
        let way = if place == Place::FromHost(port) { from_host } else { to_host };
        rules.apply(place, frame, |delay, frame| {
            way.carry(now, frame, |at, frame| queue.push(at + delay, event(port, frame)));
        });
    }

    pub(super) fn tell_host(&mut self, now: Instant, port: Port, frame: Vec<u8>) {
        self.cable(now, Place::ToHost(port), frame, Event::ToHost);
    }

    pub(super) fn host_sent(&mut self, now: Instant, port: Port, frame: &[u8]) {
        let Some(station) = self.awake(port) else { return };
        let Some((to, from)) = addresses(frame) else { return };
        if let Some(modem) = self.modem_mut(port) {
            modem.learn(from);
        }
        let mut scope = Scope::Network;
        if let Ok(message) = Frame::parse(frame) {
            let is_mine = to == Mac::LOCAL_MODEM || to == station.mac;
            if is_mine || to == Mac::BROADCAST {
                self.answer(now, port, None, &message);
            }
            if is_mine {
                return;
            }
            if mode_for(message.mm_type).is_some() {
                scope = Scope::Reach;
            }
        }
        self.spread(now, port, scope, frame);
    }

    /// Sends a frame over the power line to all modems that can receive it.
    fn spread(&mut self, now: Instant, from: Port, scope: Scope, frame: &[u8]) {
        for to in self.ports() {
            let hears = match scope {
                Scope::Reach => self.network.is_heard(from, to),
                Scope::Network => self.network.is_linked(now, from, to),
            };
            if hears {
                self.carry(now, from, to, frame.to_vec());
            }
        }
    }

    pub(super) fn carry(&mut self, now: Instant, from: Port, to: Port, frame: Vec<u8>) {
        let Self { rules, network, queue, .. } = self;
        let way = network.path(from, to).way(from, to);
        rules.apply(Place::Path { from, to }, frame, |delay, frame| {
            way.carry(now, frame, |at, frame| queue.push(at + delay, Event::Heard { from, at: to, frame }));
        });
    }

    pub(super) fn heard(&mut self, now: Instant, from: Port, port: Port, frame: Vec<u8>) {
        let Some(station) = self.awake(port) else { return };
        let Some(modem) = self.modem(port) else { return };
        let Some((to, _)) = addresses(&frame) else { return };
        if let Ok(message) = Frame::parse(&frame) {
            if let Some(mode) = mode_for(message.mm_type) {
                if modem.slac_mode() == Some(mode) {
                    if message.mm_type == SOUND {
                        self.measure(now, from, port, message.from);
                    }
                    self.tell_host(now, port, frame);
                }
                return;
            }
            if to == station.mac || to == Mac::BROADCAST {
                self.answer(now, port, Some(from), &message);
            }
        }
        let is_group = to.0.first().is_some_and(|first| first & 1 == 1);
        let is_for_host =
            self.modem(port).is_none_or(|modem| modem.hosts.is_empty() || modem.hosts.contains(&to));
        if to != station.mac && (is_group || is_for_host) {
            self.tell_host(now, port, frame);
        }
    }

    /// Answers a message of the own host, or of a host at the modem `asker`.
    fn answer(&mut self, now: Instant, port: Port, asker: Option<Port>, message: &Frame<'_>) {
        let Some(around) = self.around(now, port, asker.is_none()) else { return };
        let Some(modem) = self.modem_mut(port) else { return };
        let time = now + modem.chance.within(ANSWER);
        let Reply { frame, restarts } = modem.answer(message, &around);
        let restart = restarts.map(|lingers| (time + LAST_WORDS + lingers, modem.restart_time()));
        if !frame.is_empty() {
            self.queue.push(time, Event::Ready { port, asker, frame });
        }
        if let (Some((down, restart)), Some(modem)) = (restart, self.modem_mut(port)) {
            let start = modem.begin_start();
            self.queue.push(down, Event::Down(port, start));
            self.queue.push(down + restart, Event::Up(port, start));
        }
    }

    /// The modem's view of its network at this moment.
    fn around(&self, now: Instant, port: Port, is_local: bool) -> Option<Around> {
        let stations = self.stations();
        let own = stations.iter().find(|station| station.port == port)?;
        let coordinator = self.network.coordinator_of(own, &stations);
        let tei = |port: Port| {
            if coordinator.is_some_and(|station| station.port == port) { 1 } else { port.0.saturating_add(2) }
        };
        let linked = stations.iter().filter(|other| self.network.is_linked(now, port, other.port));
        let members = linked.map(|other| Member {
            mac: other.mac,
            tei: tei(other.port),
            host: modem_host(self.modem(other.port)),
        });
        Some(Around {
            is_local,
            is_fresh: self.modem(port).is_some_and(|modem| modem.is_fresh(now)),
            tei: tei(port),
            is_coordinator: coordinator.is_some_and(|station| station.port == port),
            coordinator: coordinator.map(|station| station.mac),
            members: members.collect(),
        })
    }

    /// Reports to the host how strong a sound was.
    fn measure(&mut self, now: Instant, from: Port, port: Port, pev_mac: Mac) {
        let attenuation_db = self.network.path(from, port).attenuation_db;
        let Some(modem) = self.modem_mut(port) else { return };
        let Some((mac, aag)) = modem.measure(attenuation_db) else { return };
        let num_groups = u8::try_from(aag.len()).unwrap_or(u8::MAX);
        let aag = Slice(&aag);
        let profile = AttenProfileInd { pev_mac, num_groups, aag };
        let vendor = AttenuationCharacteristicsInd { pev_mac, num_groups, rsvd: 0, unknown: 0x10, aag };
        let is_qualcomm = modem.config.kind.traits().vendor == Vendor::Qualcomm;
        let times = [now + modem.chance.within(ANSWER), now + modem.chance.within(ANSWER)];
        let profile = write(&profile, Mac::BROADCAST, mac);
        let vendor = is_qualcomm.then(|| write(&vendor, Mac::BROADCAST, mac));
        for (time, frame) in times.into_iter().zip([Some(profile), vendor].into_iter().flatten()) {
            self.queue.push(time, Event::Ready { port, asker: None, frame });
        }
    }
}

/// The mode in which a modem passes a message of matching to its host; `None` for all other messages.
fn mode_for(mm_type: MmType) -> Option<SlacMode> {
    MATCHING.iter().find(|(number, _)| *number == mm_type.0).map(|(_, mode)| *mode)
}

fn modem_host(modem: Option<&Modem>) -> Option<Mac> {
    modem.and_then(|modem| modem.hosts.first().copied())
}

/// Destination and source of an Ethernet frame.
fn addresses(frame: &[u8]) -> Option<(Mac, Mac)> {
    let (to, rest) = frame.split_first_chunk()?;
    Some((Mac(*to), Mac(*rest.first_chunk()?)))
}
