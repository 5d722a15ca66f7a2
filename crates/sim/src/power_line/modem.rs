use homeplug_mme::{Mac, NetworkKey, Nmk};
use machine::{Duration, Entropy, Instant};

use super::faults::Way;
use super::network::Station;
use super::writing::Writing;
use super::{Coordinator, Image, ModemKind, Port, SlacMode, Weather};
use crate::{Chance, Span};

/// Configuration of a modem when it is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModemConfig {
    /// Its type.
    pub kind: ModemKind,
    /// MAC address.
    pub mac: Mac,
    /// Which modem coordinates its network.
    pub coordinator: Coordinator,
    /// Which matching messages it passes to its host.
    pub slac_mode: SlacMode,
    /// Key of its network; `None`: a network of its own.
    pub key: Option<NetworkKey>,
    /// Time for which it keeps the old key after it accepted a new one.
    pub lingers: Span,
    /// Time for which it is silent when it restarts.
    pub restart: Span,
    /// Result code for its own host when it accepts a key.
    pub set_key_result: u8,
    /// Whether it applies a key that it confirms.
    pub takes_keys: bool,
    /// Whether it reports the sounds that it receives.
    pub reports_sounds: bool,
    /// Whether it answers nothing while it receives no coordinator's beacons.
    pub sleeps: bool,
}

impl ModemConfig {
    /// After a new key a QCA7420 answers as before for 2.6 to 3.6 s (observed in `2022-11-25_v0.2_ABB` and
    /// `2022-11-25_v0.2_alpi`).
    pub const LINGERS: Span = Span::millis(2600, 3600);
    /// After that it is silent for 0.5 to 2.5 s (observed in the same captures).
    pub const RESTART: Span = Span::millis(500, 2500);
    /// The restart of a slower modem: immediately, for 4 to 8 s; judgement from the times that other stacks
    /// allow.
    pub const SLOW: (Span, Span) = (Span::ZERO, Span::millis(4000, 8000));

    /// A factory-new adapter: any modem coordinates, no matching.
    pub const fn plug(kind: ModemKind, mac: Mac) -> Self {
        Self {
            kind,
            mac,
            coordinator: Coordinator::Auto,
            slac_mode: SlacMode::Off,
            key: None,
            lingers: Self::LINGERS,
            restart: Self::RESTART,
            set_key_result: 1,
            takes_keys: true,
            reports_sounds: true,
            sleeps: false,
        }
    }

    /// A charger's modem.
    pub const fn evse(kind: ModemKind, mac: Mac) -> Self {
        Self { coordinator: Coordinator::Always, slac_mode: SlacMode::Evse, ..Self::plug(kind, mac) }
    }

    /// A car's modem.
    pub const fn pev(kind: ModemKind, mac: Mac) -> Self {
        Self { coordinator: Coordinator::Never, slac_mode: SlacMode::Pev, ..Self::plug(kind, mac) }
    }
}

/// Length of the parameters of kinds without a length in their row.
const UNREAD_PARAMETERS: usize = 8080;

/// A modem.
#[derive(Debug)]
pub(super) struct Modem {
    pub(super) config: ModemConfig,
    /// Its flash.
    pub(super) image: Image,
    /// What it read from its flash at its start; `None` while it restarts.
    running: Option<Running>,
    /// Until then it reports no network.
    fresh_until: Instant,
    /// Number of the present start.
    starts: u32,
    pub(super) is_frozen: bool,
    /// The hosts on its cable in the order of their first frames.
    pub(super) hosts: Vec<Mac>,
    /// The cable from its host and to its host.
    pub(super) cable: [Way; 2],
    /// A session that writes its image.
    pub(super) writing: Option<Writing>,
    pub(super) chance: Chance,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    mac: Mac,
    key: NetworkKey,
    coordinator: Coordinator,
    slac_mode: SlacMode,
}

impl Running {
    fn from_flash(image: &Image) -> Self {
        Self {
            mac: image.mac(),
            key: image.network(),
            coordinator: image.coordinator(),
            slac_mode: image.slac_mode(),
        }
    }
}

/// Time after a start in which a modem reports no network: 0.3 to 0.8 s (observed in `2022-11-25_v0.2_ABB`).
const FRESH: Duration = Duration::from_millis(500);
/// Most hosts that a modem stores: judgement; the messages that list them have room for more.
const HOSTS: usize = 8;

/// Time of a frame on a host's cable: less than a millisecond.
const CABLE: Span = Span::micros(20, 120);

impl Modem {
    /// A modem that runs.
    pub(super) fn new(config: ModemConfig, mut chance: Chance) -> Self {
        let mut image = Image::new(config.kind.traits().parameters_len.unwrap_or(UNREAD_PARAMETERS));
        let mut own = [[0; 16]; 2];
        for key in &mut own {
            chance.fill(key);
        }
        let [own_nmk, dak] = own;
        image.set_mac(config.mac);
        image.set_dak(dak);
        image.set_coordinator(config.coordinator);
        image.set_slac_mode(config.slac_mode);
        image.set_network(config.key.unwrap_or_else(|| NetworkKey::derived(Nmk::new(own_nmk))));
        Self {
            running: Some(Running::from_flash(&image)),
            config,
            image,
            fresh_until: Instant::ZERO,
            starts: 0,
            is_frozen: false,
            hosts: Vec::new(),
            cable: ["from host", "to host"]
                .map(|name| Way::new(chance.child(name), Weather { delay: CABLE, ..Weather::default() })),
            writing: None,
            chance,
        }
    }

    /// Its state for the network; `None` while it restarts.
    pub(super) fn station(&self, port: Port) -> Option<Station> {
        let Running { mac, key, coordinator, .. } = self.running?;
        Some(Station { port, mac, key, coordinator })
    }

    /// Which matching messages it passes; `None` while it restarts.
    pub(super) fn slac_mode(&self) -> Option<SlacMode> {
        self.running.map(|running| running.slac_mode)
    }

    /// Its address and key; `None` while it restarts.
    pub(super) fn identity(&self) -> Option<(Mac, NetworkKey)> {
        self.running.map(|running| (running.mac, running.key))
    }

    /// Stores the address of a host: a program besides the kernel has its own.
    pub(super) fn learn(&mut self, host: Mac) {
        if host.is_unicast() && self.hosts.len() < HOSTS && !self.hosts.contains(&host) {
            self.hosts.push(host);
        }
    }

    /// Stops; `false` if it was stopped already.
    pub(super) fn stop(&mut self) -> bool {
        self.hosts.clear();
        self.writing = None;
        self.running.take().is_some()
    }

    /// Announces a start and returns its number: only the last announced start takes place.
    pub(super) fn begin_start(&mut self) -> u32 {
        self.starts += 1;
        self.starts
    }

    /// Whether this is the last announced start.
    pub(super) fn awaits(&self, start: u32) -> bool {
        self.starts == start
    }

    /// Starts from its flash; `false` if a later start was announced.
    pub(super) fn start(&mut self, now: Instant, start: u32) -> bool {
        let is_current = self.awaits(start) && self.running.is_none();
        if is_current {
            self.running = Some(Running::from_flash(&self.image));
            self.is_frozen = false;
            self.fresh_until = now + FRESH;
        }
        is_current
    }

    /// Whether it has just started and reports no network yet.
    pub(super) fn is_fresh(&self, now: Instant) -> bool {
        now < self.fresh_until
    }

    /// Time for which it keeps the old key.
    pub(super) fn linger_time(&mut self) -> Duration {
        self.chance.within(self.config.lingers)
    }

    /// Duration of the next restart.
    pub(super) fn restart_time(&mut self) -> Duration {
        self.chance.within(self.config.restart)
    }

    /// Its address and the attenuation of each group for a sound over a path with this attenuation; `None` if
    /// it does not report sounds. The groups rise by 6 dB over the band and vary by up to 1 dB, about as in
    /// recorded profiles; their mean is the path's attenuation.
    pub(super) fn measure(&mut self, attenuation_db: u8) -> Option<(Mac, Vec<u8>)> {
        let traits = self.config.kind.traits();
        let (mac, _) = self.identity().filter(|_| traits.reports_sounds && self.config.reports_sounds)?;
        let groups = (0..traits.groups).map(|group| {
            let above = u64::try_from(group * 7 / traits.groups).unwrap_or_default() + self.chance.below(3);
            let db = (u64::from(attenuation_db) + above).saturating_sub(4);
            u8::try_from(db).unwrap_or(u8::MAX)
        });
        Some((mac, groups.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modem(kind: ModemKind) -> Modem {
        Modem::new(ModemConfig::evse(kind, Mac([2, 0, 0, 0, 0, 1])), Chance::new(1))
    }

    #[test]
    fn the_mean_of_a_measurement_is_the_attenuation_of_the_path() {
        let mut modem = modem(ModemKind::Qca7005);
        let mut total = 0;
        for _ in 0..100 {
            let (_, groups) = modem.measure(25).unwrap();
            assert_eq!(groups.len(), 58);
            total += groups.iter().map(|group| u32::from(*group)).sum::<u32>();
        }
        let mean_mdb = total * 10 / 58;
        assert!((24_900..25_100).contains(&mean_mdb), "{mean_mdb}");
        assert!(modem.measure(0).is_some() && modem.measure(255).is_some(), "no overflow at the ends");
    }

    #[test]
    fn a_plug_measures_no_groups_and_one_that_reports_nothing_nothing() {
        assert_eq!(modem(ModemKind::Qca7420).measure(20).map(|(_, groups)| groups.len()), Some(0));
        assert_eq!(modem(ModemKind::Int6000).measure(20), None);
        let mut quiet = modem(ModemKind::Qca7005);
        quiet.config.reports_sounds = false;
        assert_eq!(quiet.measure(20), None);
    }

    #[test]
    fn what_is_in_the_flash_takes_effect_with_the_next_start_and_only_the_last_start_counts() {
        let mut modem = modem(ModemKind::Qca7005);
        let key = NetworkKey::derived(Nmk::new([5; 16]));
        modem.image.set_network(key);
        modem.image.set_slac_mode(SlacMode::Pev);
        assert_ne!(modem.identity().unwrap().1, key);
        assert!(modem.stop());
        let (first, second) = (modem.begin_start(), modem.begin_start());
        assert!(!modem.start(Instant::ZERO, first) && modem.identity().is_none());
        assert!(modem.start(Instant::ZERO, second));
        assert_eq!((modem.identity().unwrap().1, modem.slac_mode()), (key, Some(SlacMode::Pev)));
    }
}
