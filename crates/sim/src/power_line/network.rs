use std::collections::BTreeMap;

use homeplug_mme::{Mac, NetworkKey};
use machine::Instant;

use super::faults::Way;
use super::{Coordinator, Port, Weather};
use crate::{Chance, Span};

/// Attenuation in dB from which on a modem receives nothing: judgement, above every limit that stacks have
/// for a match.
pub const OUT_OF_REACH_DB: u8 = 100;
/// Time from two modems that run, are in reach and have the same key to their link: the captures have 6.3 to
/// 8.3 s from match to link, of which the restart is one part.
const JOIN: Span = Span::millis(1000, 3000);
/// Time of a frame over the power line: a few milliseconds with retries, judgement.
const PROPAGATION: Span = Span::micros(500, 3000);

/// The power line: the paths between the modems, and which of them have joined a network.
#[derive(Debug)]
pub(super) struct Network {
    chance: Chance,
    default_db: u8,
    paths: BTreeMap<Pair, Path>,
    links: BTreeMap<Pair, Instant>,
}

/// The path between two modems.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) attenuation_db: u8,
    pub(super) is_cut: bool,
    /// The direction from the lower port to the higher one, and the reverse.
    ways: [Way; 2],
    chance: Chance,
}

impl Path {
    /// Sets the random disturbance in both directions.
    pub(super) fn set_weather(&mut self, weather: Weather) {
        for way in &mut self.ways {
            way.weather = weather;
        }
    }

    /// The direction from `from` to `to`.
    pub(super) fn way(&mut self, from: Port, to: Port) -> &mut Way {
        let [up, down] = &mut self.ways;
        if from < to { up } else { down }
    }
}

/// The state of a running modem that matters for networks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Station {
    pub(super) port: Port,
    pub(super) mac: Mac,
    pub(super) key: NetworkKey,
    pub(super) coordinator: Coordinator,
}

/// What [`Network::update`] changed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Links that will be established at a time, unless they end before.
    pub(super) begun: Vec<(Instant, Pair)>,
    /// Links that have ended.
    pub(super) ended: Vec<Pair>,
}

/// Two modems, the lower port first.
type Pair = (Port, Port);

fn pair(a: Port, b: Port) -> Pair {
    if a < b { (a, b) } else { (b, a) }
}

impl Network {
    pub(super) fn new(chance: Chance, default_db: u8) -> Self {
        Self { chance, default_db, paths: BTreeMap::new(), links: BTreeMap::new() }
    }

    pub(super) fn set_default_db(&mut self, db: u8) {
        self.default_db = db;
    }

    /// The path between `a` and `b`.
    pub(super) fn path(&mut self, a: Port, b: Port) -> &mut Path {
        let (a, b) = pair(a, b);
        let default = || {
            let weather = Weather { delay: PROPAGATION, ..Weather::default() };
            let chance = self.chance.child(&format!("path {a} {b}"));
            let ways = ["up", "down"].map(|name| Way::new(chance.child(name), weather));
            Path { attenuation_db: self.default_db, is_cut: false, ways, chance }
        };
        self.paths.entry((a, b)).or_insert_with(default)
    }

    /// Whether `a` and `b` receive each other.
    pub(super) fn is_heard(&self, a: Port, b: Port) -> bool {
        let path = self.paths.get(&pair(a, b));
        let (db, is_cut) = path.map_or((self.default_db, false), |path| (path.attenuation_db, path.is_cut));
        a != b && !is_cut && db < OUT_OF_REACH_DB
    }

    /// Whether `a` and `b` are in one network and have joined.
    pub(super) fn is_linked(&self, now: Instant, a: Port, b: Port) -> bool {
        self.links.get(&pair(a, b)).is_some_and(|joined| *joined <= now)
    }

    /// Recomputes which modems form a network; called after every change. A link that has begun keeps its
    /// time.
    pub(super) fn update(&mut self, now: Instant, stations: &[Station]) -> Changes {
        let mut changes = Changes::default();
        let before: Vec<Pair> =
            self.links.iter().filter(|(_, at)| **at <= now).map(|(pair, _)| *pair).collect();
        for (index, a) in stations.iter().enumerate() {
            for b in stations.iter().skip(index + 1) {
                let pair = pair(a.port, b.port);
                if !self.belong_together(a, b, stations) {
                    self.links.remove(&pair);
                } else if !self.links.contains_key(&pair) {
                    let chance = &mut self.path(a.port, b.port).chance;
                    let joined = now + chance.within(JOIN);
                    self.links.insert(pair, joined);
                    changes.begun.push((joined, pair));
                }
            }
        }
        let is_up = |port: Port| stations.iter().any(|station| station.port == port);
        self.links.retain(|(a, b), _| is_up(*a) && is_up(*b));
        changes.ended = before.into_iter().filter(|pair| !self.links.contains_key(pair)).collect();
        changes
    }

    /// The coordinator of `station`'s network.
    pub(super) fn coordinator_of(&self, station: &Station, stations: &[Station]) -> Option<Station> {
        let members = || {
            let hears =
                |other: &&Station| other.port == station.port || self.is_heard(other.port, station.port);
            stations.iter().filter(|other| other.key == station.key).filter(hears)
        };
        let of =
            |role| members().filter(move |other| other.coordinator == role).min_by_key(|other| other.mac);
        of(Coordinator::Always).or_else(|| of(Coordinator::Auto)).copied()
    }

    /// Whether `station` receives the beacons of any coordinator, of its own network or another.
    pub(super) fn hears_beacons(&self, station: &Station, stations: &[Station]) -> bool {
        stations
            .iter()
            .any(|other| other.coordinator != Coordinator::Never && self.is_heard(other.port, station.port))
    }

    fn belong_together(&self, a: &Station, b: &Station, stations: &[Station]) -> bool {
        a.key == b.key
            && self.is_heard(a.port, b.port)
            && match (self.coordinator_of(a, stations), self.coordinator_of(b, stations)) {
                (Some(of_a), Some(of_b)) => of_a.port == of_b.port,
                _ => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeplug_mme::Nmk;

    const LATER: Instant = Instant::from_millis(3001);

    fn station(port: u8, coordinator: Coordinator) -> Station {
        let key = NetworkKey::derived(Nmk::new([1; 16]));
        Station { port: Port(port), mac: Mac([2, 0, 0, 0, 0, port]), key, coordinator }
    }

    fn linked(stations: &[Station], prepare: fn(&mut Network)) -> bool {
        let mut network = Network::new(Chance::new(1), 10);
        prepare(&mut network);
        network.update(Instant::ZERO, stations);
        assert!(!network.is_linked(Instant::from_millis(999), Port(0), Port(1)), "joining takes time");
        network.is_linked(LATER, Port(0), Port(1))
    }

    #[test]
    fn two_modems_link_with_one_key_one_coordinator_and_a_path() {
        use Coordinator::{Always, Auto, Never};
        let pair = |a, b| [station(0, a), station(1, b)];
        assert!(linked(&pair(Always, Never), |_| ()));
        assert!(linked(&pair(Auto, Never), |_| ()));
        assert!(linked(&pair(Auto, Auto), |_| ()));
        assert!(!linked(&pair(Never, Never), |_| ()), "no modem coordinates");
        assert!(!linked(&pair(Always, Never), |network| network.path(Port(1), Port(0)).is_cut = true));
        let far = |network: &mut Network| network.path(Port(0), Port(1)).attenuation_db = OUT_OF_REACH_DB;
        assert!(!linked(&pair(Always, Never), far));
        let mut other = pair(Always, Never);
        other[1].key.nid.0[0] ^= 1;
        assert!(!linked(&other, |_| ()), "the same key under another identifier is another network");
    }

    #[test]
    fn a_link_ends_with_its_cause_and_comes_back_only_after_the_join_time() {
        let stations = [station(0, Coordinator::Always), station(1, Coordinator::Never)];
        let mut network = Network::new(Chance::new(1), 10);
        network.update(Instant::ZERO, &stations);
        network.update(LATER, &stations);
        assert!(network.is_linked(LATER, Port(0), Port(1)), "an update without a change changes nothing");
        network.update(LATER, &stations[..1]);
        assert!(!network.is_linked(LATER, Port(0), Port(1)));
        network.update(LATER, &stations);
        assert!(!network.is_linked(LATER, Port(0), Port(1)));
        assert!(network.is_linked(Instant::from_millis(6002), Port(0), Port(1)));
    }
}
