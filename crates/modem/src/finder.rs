use heapless::Vec;
use homeplug_mme::view::{
    BrgInfoCnf, BrgInfoReq, Entry, NscmGetVersionCnf, NscmGetVersionReq, NwInfoCnf, NwInfoOldCnf,
    NwInfoOldReq, NwInfoReq, OpAttributesCnf, OpAttributesReq, SwVerCnf, SwVerReq,
};
use homeplug_mme::{Frame, Mac, MessageError, Nid, emit};
use machine::{Cx, Deadline, Duration, Instant, Machine, Queue, Retry, Timers, TooShort, timers};

use crate::Firmware;
use crate::profile::{LUMISSIL, Profile, UNKNOWN};

/// Bound of listed modems; judgement.
pub const MAX_MODEMS: usize = 16;
/// Bound of listed hosts of each modem; judgement.
pub const MAX_HOSTS: usize = 4;
/// Bound of listed neighbours of each modem; judgement.
pub const MAX_NEIGHBOURS: usize = 8;

/// Wait for responses of the own modem, which take 1 to 20 ms (observed), and number of requests; judgement.
const LOCAL_WAIT: Duration = Duration::from_millis(300);
const LOCAL_TRIES: u8 = 3;
/// Wait for responses of all others, which take up to 40 ms (observed), and number of requests; judgement.
const OTHERS_WAIT: Duration = Duration::from_millis(500);
const OTHERS_TRIES: u8 = 2;
/// Wait for one modem's response about its network, and number of requests; judgement.
const DETAILS_WAIT: Duration = Duration::from_millis(200);
const DETAILS_TRIES: u8 = 2;

const EVENTS: usize = MAX_MODEMS + 4;
const ASKS: usize = 4;

/// Lists the modems that can be reached: the own one and those of its network, their firmware and their
/// hosts.
///
/// It sends requests for two to five seconds; [`Finder::modems`] then has the result. The modem on the own
/// cable comes first.
/// own cable comes first.
#[derive(Debug)]
pub struct Finder {
    own: Mac,
    stage: Stage,
    retry: Retry,
    modems: Vec<FoundModem, MAX_MODEMS>,
    timers: Timers<Timer, 1>,
    asks: Queue<(Ask, Mac), ASKS>,
    events: Queue<FinderEvent, EVENTS>,
}

/// A modem and its reported properties.
#[derive(Clone, Debug)]
pub struct FoundModem {
    /// Its address.
    pub address: Mac,
    /// Whether it is on the own cable, and not at the other end of the power line.
    pub is_local: bool,
    /// Its family.
    pub profile: &'static Profile,
    /// The version of its firmware in ASCII; empty if it did not report one.
    pub firmware: Firmware,
    /// Its network; `None` if it is in no network.
    pub network: Option<FoundNetwork>,
    /// The hosts on its Ethernet side.
    pub hosts: Vec<Mac, MAX_HOSTS>,
    told_network: bool,
    told_hosts: bool,
}

/// A modem's network as that modem reports it.
#[derive(Clone, Debug)]
pub struct FoundNetwork {
    /// Its identifier.
    pub nid: Nid,
    /// The modem's role: 0 station, 1 proxy coordinator, 2 coordinator.
    pub role: u8,
    /// The coordinator.
    pub coordinator: Mac,
    /// The other modems in it.
    pub neighbours: Vec<Neighbour, MAX_NEIGHBOURS>,
}

/// Another modem in a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Its address.
    pub address: Mac,
    /// The first host on its Ethernet side.
    pub host: Mac,
    /// Average rate to it in Mbit/s.
    pub tx_mbit_s: u16,
    /// Average rate from it in Mbit/s.
    pub rx_mbit_s: u16,
}

/// Events of a [`Finder`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinderEvent {
    /// A modem responded.
    Found(Mac),
    /// No room for another modem.
    Full(Mac),
    /// A modem's message is malformed.
    Malformed(Mac),
    /// The list is complete.
    Finished,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Stopped,
    Local,
    Others,
    Details { index: usize },
    Finished,
}

impl Stage {
    const fn retry(self) -> Retry {
        match self {
            Self::Stopped | Self::Finished => Retry::new(1, Duration::ZERO),
            Self::Local => Retry::new(LOCAL_TRIES, LOCAL_WAIT),
            Self::Others => Retry::new(OTHERS_TRIES, OTHERS_WAIT),
            Self::Details { .. } => Retry::new(DETAILS_TRIES, DETAILS_WAIT),
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Stopped | Self::Finished => self,
            Self::Local => Self::Others,
            Self::Others => Self::Details { index: 0 },
            Self::Details { index } => Self::Details { index: index + 1 },
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Ask {
    Version,
    LumissilVersion,
    Attributes,
    Network,
    NetworkOld,
    Hosts,
}

timers! {
    enum Timer {
        Step = "modem finder",
    }
}

impl FoundModem {
    /// Whether its boot loader responds, without firmware.
    pub fn is_boot_loader(&self) -> bool {
        self.firmware.starts_with(b"BootLoader")
    }

    /// Whether only a neighbour has named it so far: it joined after the requests to all modems.
    fn is_untold(&self) -> bool {
        self.firmware.is_empty() && *self.profile == UNKNOWN
    }
}

impl Finder {
    /// A finder before its start, for a host with the address `own`.
    pub const fn new(own: Mac) -> Self {
        Self {
            own,
            stage: Stage::Stopped,
            retry: Stage::Stopped.retry(),
            modems: Vec::new(),
            timers: Timers::new(),
            asks: Queue::new(),
            events: Queue::new(),
        }
    }

    /// Begins, or begins again.
    pub fn start(&mut self, cx: &mut Cx<'_>) {
        self.modems.clear();
        self.asks.clear();
        self.enter(cx.now, Stage::Local);
    }

    /// The modems found so far.
    pub fn modems(&self) -> &[FoundModem] {
        &self.modems
    }

    /// Whether the list is complete.
    pub fn is_finished(&self) -> bool {
        self.stage == Stage::Finished
    }

    fn enter(&mut self, now: Instant, stage: Stage) {
        self.stage = stage;
        self.retry = stage.retry();
        self.ask(now);
    }

    /// Sends the requests of the stage again; after the last repetition the next stage begins.
    fn ask(&mut self, now: Instant) {
        let Some(due) = self.retry.again(now) else { return self.enter(now, self.stage.next()) };
        let mut ask = |ask, to| self.asks.push((ask, to));
        match self.stage {
            Stage::Stopped => return,
            Stage::Finished => {
                self.timers.clear(Timer::Step);
                return self.events.push(FinderEvent::Finished);
            }
            Stage::Local => {
                for question in [Ask::Version, Ask::Attributes, Ask::LumissilVersion] {
                    ask(question, Mac::LOCAL_MODEM);
                }
            }
            Stage::Others => ask(Ask::Version, Mac::BROADCAST),
            Stage::Details { index } => {
                let Some(modem) = self.modems.get(index) else { return self.enter(now, Stage::Finished) };
                if modem.is_untold() {
                    ask(Ask::Version, modem.address);
                }
                if !modem.told_network {
                    // INT6x00 support the old form only.
                    ask(if self.retry.is_first() { Ask::Network } else { Ask::NetworkOld }, modem.address);
                }
                if !modem.told_hosts {
                    ask(Ask::Hosts, modem.address);
                }
            }
        }
        self.timers.set(Timer::Step, due);
    }

    fn on_step(&mut self, now: Instant) {
        if self.stage == Stage::Local && !self.modems.is_empty() {
            self.enter(now, Stage::Others);
        } else {
            self.ask(now);
        }
    }

    /// The entry of a modem; creates it if there is room.
    fn entry(&mut self, address: Mac) -> Option<&mut FoundModem> {
        if let Some(index) = self.modems.iter().position(|modem| modem.address == address) {
            return self.modems.get_mut(index);
        }
        let modem = FoundModem {
            address,
            is_local: self.stage == Stage::Local,
            profile: &UNKNOWN,
            firmware: Firmware::new(),
            network: None,
            hosts: Vec::new(),
            told_network: false,
            told_hosts: false,
        };
        if self.modems.push(modem).is_err() {
            self.events.push(FinderEvent::Full(address));
            return None;
        }
        self.events.push(FinderEvent::Found(address));
        self.modems.last_mut()
    }

    fn on_version(&mut self, from: Mac, version: &[u8]) {
        if let Some(modem) = self.entry(from) {
            modem.profile = Profile::of_firmware(version);
            modem.firmware = crate::firmware(version);
        }
    }

    fn on_network(&mut self, from: Mac, network: Option<FoundNetwork>) {
        for neighbour in network.iter().flat_map(|network| &network.neighbours) {
            self.entry(neighbour.address);
        }
        if let Some(modem) = self.entry(from) {
            modem.network = network;
            modem.told_network = true;
        }
    }

    fn on_hosts(&mut self, from: Mac, hosts: impl Iterator<Item = Mac>) {
        if let Some(modem) = self.entry(from) {
            modem.hosts = hosts.take(MAX_HOSTS).collect();
            modem.told_hosts = true;
        }
    }

    fn on_frame(&mut self, frame: &Frame<'_>) -> Result<(), MessageError> {
        let from = frame.from;
        if let Some(answer) = frame.get::<SwVerCnf>() {
            self.on_version(from, answer?.text());
        } else if let Some(answer) = frame.get::<OpAttributesCnf>() {
            let family = answer?.family;
            if let Some(modem) = self.entry(from).filter(|modem| modem.firmware.is_empty()) {
                modem.profile = Profile::of_firmware(family.text());
            }
        } else if let Some(answer) = frame.get::<NscmGetVersionCnf>() {
            answer?;
            if let Some(modem) = self.entry(from) {
                modem.profile = &LUMISSIL;
            }
        } else if let Some(network) = network_of(frame) {
            self.on_network(from, network?);
        } else if let Some(answer) = frame.get::<BrgInfoCnf<'_>>() {
            self.on_hosts(from, answer?.hosts());
        }
        Ok(())
    }

    /// Continues with the next modem as soon as all responses of this one are received.
    fn skip_wait(&mut self, now: Instant) {
        if let Stage::Details { index } = self.stage
            && let Some(modem) = self.modems.get(index)
            && modem.told_network
            && modem.told_hosts
            && !modem.is_untold()
        {
            self.enter(now, self.stage.next());
        }
    }
}

/// The network in a modem's response; `None` for any other frame.
pub(crate) fn network_of(frame: &Frame<'_>) -> Option<Result<Option<FoundNetwork>, MessageError>> {
    if let Some(answer) = frame.get::<NwInfoCnf<'_>>() {
        return Some(answer.map(|answer| {
            first_network(answer.networks().map(|entry| match entry {
                Entry::Network(network) => Entry::Network((network.nid, network.role, network.cco_mac)),
                Entry::Station(station) => Entry::Station(Neighbour {
                    address: station.mac,
                    host: station.bda,
                    tx_mbit_s: station.avg_tx,
                    rx_mbit_s: station.avg_rx,
                }),
            }))
        }));
    }
    Some(frame.get::<NwInfoOldCnf<'_>>()?.map(|answer| {
        first_network(answer.networks.entries().map(|entry| match entry {
            Entry::Network(network) => Entry::Network((network.nid, network.role, network.cco_mac)),
            Entry::Station(station) => Entry::Station(Neighbour {
                address: station.mac,
                host: station.bda,
                tx_mbit_s: station.avg_tx.into(),
                rx_mbit_s: station.avg_rx.into(),
            }),
        }))
    }))
}

/// A modem is in one network at a time (observed); further networks would follow the stations of the first.
fn first_network(entries: impl Iterator<Item = Entry<(Nid, u8, Mac), Neighbour>>) -> Option<FoundNetwork> {
    let mut found: Option<FoundNetwork> = None;
    for entry in entries {
        match (entry, &mut found) {
            (Entry::Network((nid, role, coordinator)), None) => {
                found = Some(FoundNetwork { nid, role, coordinator, neighbours: Vec::new() });
            }
            (Entry::Station(neighbour), Some(network)) => {
                // A longer list is cut: the modems of interest are on the own cable or its neighbours.
                let _ = network.neighbours.push(neighbour);
            }
            _ => break,
        }
    }
    found
}

impl Machine for Finder {
    /// A whole Ethernet frame.
    type Input<'a> = &'a [u8];
    type Route = ();
    type Event = FinderEvent;

    fn handle(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) {
        let Ok(frame) = Frame::parse(bytes) else { return };
        if frame.to != self.own || matches!(self.stage, Stage::Stopped | Stage::Finished) {
            return;
        }
        if self.on_frame(&frame).is_err() {
            self.events.push(FinderEvent::Malformed(frame.from));
        }
        self.skip_wait(cx.now);
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        while let Some(Timer::Step) = self.timers.expired(cx.now) {
            self.on_step(cx.now);
        }
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, ())>, TooShort> {
        let Some(&(ask, to)) = self.asks.peek() else { return Ok(None) };
        let own = self.own;
        let len = match ask {
            Ask::Version => emit(&SwVerReq::default(), to, own, buffer),
            Ask::LumissilVersion => emit(&NscmGetVersionReq::default(), to, own, buffer),
            Ask::Attributes => emit(&OpAttributesReq::default(), to, own, buffer),
            Ask::Network => emit(&NwInfoReq::default(), to, own, buffer),
            Ask::NetworkOld => emit(&NwInfoOldReq::default(), to, own, buffer),
            Ask::Hosts => emit(&BrgInfoReq::default(), to, own, buffer),
        }?;
        self.asks.pop();
        Ok(Some((len, ())))
    }

    fn poll_event(&mut self) -> Option<FinderEvent> {
        self.events.pop()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.timers.next()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::script::{Bench, MODEM, OTHER, OWN, Script, from, version};
    use homeplug_mme::view::Slice;
    use std::vec;

    fn bench(script: Script) -> Bench<Finder> {
        let mut bench = Bench::new(Finder::new(OWN), script);
        bench.with(Finder::start);
        bench
    }

    #[test]
    fn the_own_modem_and_those_behind_the_line_are_listed() {
        let mut bench = bench(Script::new());
        assert_eq!(bench.run(400), [FinderEvent::Found(MODEM)]);
        let far = from(OTHER, &version("MAC-QCA7000-1.1.0.727-02-20130826-FINAL"));
        bench.with(|finder, cx| finder.handle(cx, &far));
        bench.with(|finder, cx| finder.handle(cx, &far));
        let hosts = [[2, 9, 0, 0, 0, 1], [2, 9, 0, 0, 0, 2]];
        let hosts = BrgInfoCnf { bsf: 1, btei: 1, nbda: 2, bda: Slice(hosts.as_flattened()) };
        bench.with(|finder, cx| finder.handle(cx, &from(OTHER, &hosts)));
        assert_eq!(bench.run(5000), [FinderEvent::Found(OTHER), FinderEvent::Finished]);
        assert!(bench.machine.is_finished() && bench.machine.poll_timeout().is_none());
        let [local, remote] = bench.machine.modems() else { panic!("two modems") };
        assert_eq!((local.address, local.is_local, local.profile.name), (MODEM, true, "QCA7420"));
        assert_eq!((remote.address, remote.is_local, remote.profile.name), (OTHER, false, "QCA7000/7005"));
        assert_eq!(remote.hosts[..], [Mac([2, 9, 0, 0, 0, 1]), Mac([2, 9, 0, 0, 0, 2])]);
        let asked_broadcast = bench.modem.log.iter().filter(|(_, to, _)| *to == Mac::BROADCAST);
        assert!(
            asked_broadcast.clone().count() == 2
                && asked_broadcast.clone().all(|(_, _, what)| *what == 0xA000)
        );
    }

    #[test]
    fn a_lumissil_modem_is_listed_and_lost_questions_are_repeated() {
        let mut script = Script { firmware: None, lumissil: true, ..Script::new() };
        script.lose = vec![0xAC6C];
        let mut bench = bench(script);
        bench.run(5000);
        let [modem] = bench.machine.modems() else { panic!("one modem") };
        assert_eq!((modem.profile, modem.is_local), (&LUMISSIL, true));
    }

    #[test]
    fn a_modem_that_only_a_neighbour_has_named_is_asked_for_its_version() {
        let mut bench = bench(Script { lose: vec![0xA000], ..Script::new() });
        bench.run(10);
        let network = Some(FoundNetwork {
            nid: Nid([1; 7]),
            role: 2,
            coordinator: MODEM,
            neighbours: Vec::from_slice(&[Neighbour {
                address: OTHER,
                host: OWN,
                tx_mbit_s: 9,
                rx_mbit_s: 9,
            }])
            .unwrap(),
        });
        bench.with(|finder, _| finder.on_network(MODEM, network));
        bench.run(5000);
        assert!(bench.modem.log.iter().any(|(_, to, what)| (*to, *what) == (OTHER, 0xA000)));
    }

    #[test]
    fn no_modem_is_an_empty_list_after_a_bounded_time() {
        let mut bench = bench(Script { firmware: None, ..Script::new() });
        assert_eq!(bench.run(2000), [FinderEvent::Finished]);
        assert!(bench.machine.modems().is_empty());
    }

    #[test]
    fn more_modems_than_fit_are_told() {
        let mut bench = bench(Script::new());
        bench.run(10);
        for number in 0..20 {
            let far = Mac([2, 7, 0, 0, 0, number]);
            bench.with(|finder, cx| finder.handle(cx, &from(far, &version("BootLoader"))));
        }
        let full = bench.run(20_000).into_iter().filter(|event| matches!(event, FinderEvent::Full(_)));
        assert_eq!((full.count(), bench.machine.modems().len()), (5, MAX_MODEMS));
        assert!(bench.machine.modems().iter().skip(1).all(FoundModem::is_boot_loader));
        assert!(bench.machine.is_finished());
    }

    #[test]
    fn the_recorded_network_of_a_car_and_an_abb_charger_is_listed() {
        const CAPTURE: &str = "2022-11-25_v0.2_ABB_until_ChargeParamDiscovery.pcapng";
        let Some(lines) = corpus::lines("captures/mme.jsonl") else { return };
        let own = Mac([0xDC, 0x0E, 0xA1, 0x11, 0x67, 0x08]);
        let mut bench = Bench::new(Finder::new(own), Script { firmware: None, own, ..Script::new() });
        bench.with(Finder::start);
        let mut given = 0;
        for line in lines.iter().filter(|line| corpus::text(line, "capture") == CAPTURE) {
            let name = corpus::text(line, "name");
            if ["VS_SW_VER.CNF", "VS_OP_ATTRIBUTES.CNF", "VS_NW_INFO.CNF"].contains(&name) {
                bench.with(|finder, cx| finder.handle(cx, &corpus::bytes(corpus::text(line, "bytes"))));
                bench.run(1);
                given += 1;
            }
        }
        assert!(given > 5);
        let [car, charger] = bench.machine.modems() else { panic!("two modems") };
        assert_eq!((car.profile.name, charger.profile.name), ("QCA7420", "QCA7000/7005"));
        let (seen, back) = (car.network.as_ref().unwrap(), charger.network.as_ref().unwrap());
        assert_eq!((seen.role, back.role, seen.nid, seen.coordinator), (0, 2, back.nid, charger.address));
        // Each lists the other modem and its host.
        assert_eq!((seen.neighbours[0].address, back.neighbours[0].address), (charger.address, car.address));
        assert_eq!(back.neighbours[0].host, own);
        assert!(seen.neighbours[0].tx_mbit_s > 0);
    }
}
