use heapless::Vec;
use homeplug_mme::view::{
    BrgInfoCnf, BrgInfoReq, GetKeyCnf, GetKeyReq, NscmGetDLinkStatusCnf, NscmGetDLinkStatusReq,
    NscmGetVersionCnf, NscmGetVersionReq, NwInfoOldReq, NwInfoReq, OpAttributesCnf, OpAttributesReq,
    PlLinkStatusCnf, PlLinkStatusReq, SwVerCnf, SwVerReq,
};
use homeplug_mme::{Frame, Mac, Nid, Nmk};
use machine::{Cx, Deadline, Duration, Instant, Machine, Queue, Retry, Timers, TooShort, timers};

use crate::finder::{FoundNetwork, MAX_HOSTS, network_of};
use crate::profile::{LUMISSIL, Profile, UNKNOWN, Vendor};
use crate::transfer::{Peer, TransferFault};
use crate::{Firmware, firmware};

/// Wait for responses, which take up to 40 ms (observed), and number of requests: judgement.
const ANSWER: Duration = Duration::from_millis(400);
const RETRY: Retry = Retry::new(4, ANSWER);

const ASKS: usize = 8;
const EVENTS: usize = 4;

/// Queries one modem for its identity and for a list of [`Question`]s, as far as its family supports them.
///
/// It changes nothing in the modem and finishes within two times 1.6 s; [`Inspector::details`] then has the
/// result.
#[derive(Debug)]
pub struct Inspector {
    peer: Peer,
    questions: &'static [Question],
    stage: Stage,
    retry: Retry,
    details: Details,
    /// The last request for a key contained the network's own NID.
    nid_known: bool,
    nonce: [u8; 4],
    asks: Queue<Ask, ASKS>,
    timers: Timers<Timer, 1>,
    events: Queue<InspectorEvent, EVENTS>,
}

/// What can be requested of a modem besides its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Its attributes.
    Attributes,
    /// The NID of its network.
    Nid,
    /// The key of its network, which it sends to its own host only.
    Key,
    /// Whether it has a link to another modem.
    Link,
    /// The members of its network.
    Network,
    /// The hosts on its Ethernet side.
    Hosts,
}

/// Responses of a modem. A field is `None` if it was not requested, is not supported or was not answered.
#[derive(Clone, Debug)]
pub struct Details {
    /// Its address.
    pub address: Mac,
    /// Its family.
    pub profile: &'static Profile,
    /// The version of its firmware in ASCII; empty if it reports none.
    pub firmware: Firmware,
    /// Its attributes.
    pub attributes: Option<OpAttributesCnf>,
    /// The NID of its network; zero in the first second after a restart.
    pub nid: Option<Nid>,
    /// The key of its network.
    pub key: Option<Nmk>,
    /// Whether it has a link to another modem.
    pub link: Option<bool>,
    /// The members of its network; the inner `None` means that it is in none.
    pub network: Option<Option<FoundNetwork>>,
    /// The hosts on its Ethernet side.
    pub hosts: Option<Vec<Mac, MAX_HOSTS>>,
}

/// Events of an [`Inspector`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InspectorEvent {
    /// All responses are received.
    Finished,
    /// The modem does not respond.
    NoAnswer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Stopped,
    Version,
    Details,
    Finished,
}

#[derive(Clone, Copy, Debug)]
enum Ask {
    Version,
    LumissilVersion,
    NetworkOld,
    Of(Question),
}

timers! {
    enum Timer {
        Answer = "modem inspector",
    }
}

impl Details {
    const fn new(address: Mac) -> Self {
        Self {
            address,
            profile: &UNKNOWN,
            firmware: Firmware::new(),
            attributes: None,
            nid: None,
            key: None,
            link: None,
            network: None,
            hosts: None,
        }
    }

    /// Whether its boot loader responds, without firmware.
    pub fn is_boot_loader(&self) -> bool {
        self.firmware.starts_with(b"BootLoader")
    }

    /// Whether the question is answered, or cannot be answered.
    fn is_settled(&self, question: Question) -> bool {
        let qualcomm = self.profile.vendor == Vendor::Qualcomm;
        match question {
            Question::Attributes => self.attributes.is_some() || !qualcomm,
            Question::Nid => self.nid.is_some() || !self.profile.tells_key,
            Question::Key => self.key.is_some() || !self.profile.tells_key,
            Question::Link => self.link.is_some() || !self.profile.tells_link,
            Question::Network => self.network.is_some() || !qualcomm,
            Question::Hosts => self.hosts.is_some() || !qualcomm,
        }
    }
}

impl Inspector {
    /// An inspector of the modem at `target`, or of the one on the own cable ([`Mac::LOCAL_MODEM`]).
    ///
    /// # Errors
    /// If `target` is not the address of one modem.
    pub fn new(own: Mac, target: Mac, questions: &'static [Question]) -> Result<Self, TransferFault> {
        Ok(Self {
            peer: Peer::new(own, target)?,
            questions,
            stage: Stage::Stopped,
            retry: RETRY,
            details: Details::new(target),
            nid_known: false,
            nonce: [0; 4],
            asks: Queue::new(),
            timers: Timers::new(),
            events: Queue::new(),
        })
    }

    /// Begins, or begins again.
    pub fn start(&mut self, cx: &mut Cx<'_>) {
        self.details = Details::new(self.details.address);
        self.nid_known = false;
        cx.entropy.fill(&mut self.nonce);
        self.enter(cx.now, Stage::Version);
    }

    /// The responses; `None` until the modem has reported its version.
    pub fn details(&self) -> Option<&Details> {
        matches!(self.stage, Stage::Details | Stage::Finished).then_some(&self.details)
    }

    fn enter(&mut self, now: Instant, stage: Stage) {
        self.stage = stage;
        self.retry = RETRY;
        self.ask(now);
    }

    /// Sends the unanswered requests.
    fn ask(&mut self, now: Instant) {
        let is_version = self.stage == Stage::Version;
        let Some(due) = self.retry.again(now) else {
            return if is_version {
                self.finish(Stage::Stopped, InspectorEvent::NoAnswer);
            } else {
                self.finish(Stage::Finished, InspectorEvent::Finished);
            };
        };
        self.asks.clear();
        if is_version {
            self.asks.push(Ask::Version);
            self.asks.push(Ask::LumissilVersion);
        } else {
            self.ask_details();
        }
        if self.asks.is_empty() {
            return self.finish(Stage::Finished, InspectorEvent::Finished);
        }
        self.timers.set(Timer::Answer, due);
    }

    fn ask_details(&mut self) {
        for question in self.questions {
            if !self.details.is_settled(*question) {
                // INT6x00 support the old form only.
                let old = *question == Question::Network && !self.retry.is_first();
                self.asks.push(if old { Ask::NetworkOld } else { Ask::Of(*question) });
            }
        }
    }

    fn finish(&mut self, stage: Stage, event: InspectorEvent) {
        self.stage = stage;
        self.asks.clear();
        self.timers.clear_all();
        self.events.push(event);
    }

    fn on_version(&mut self, cx: &Cx<'_>, from: Mac, profile: &'static Profile, version: &[u8]) {
        if self.stage == Stage::Version {
            self.details.address = from;
            self.details.profile = profile;
            self.details.firmware = firmware(version);
            self.enter(cx.now, Stage::Details);
        }
    }

    fn on_key(&mut self, answer: &GetKeyCnf) {
        if answer.your_nonce != self.nonce {
            return;
        }
        self.details.nid = Some(answer.nid);
        if !self.questions.contains(&Question::Key) {
            return;
        }
        // Result and key: a modem that refuses sends zeros.
        if answer.key != Nmk::new([0; Nmk::LEN]) {
            self.details.key = Some(answer.key);
        } else if !self.nid_known {
            // It sends the key only to a host that names the network.
            self.nid_known = true;
            self.asks.push(Ask::Of(Question::Key));
        }
    }

    fn on_details(&mut self, frame: &Frame<'_>) {
        let peer = &mut self.peer;
        if let Some(answer) = peer.get::<OpAttributesCnf>(frame) {
            self.details.attributes = Some(answer);
        } else if let Some(answer) = peer.get::<GetKeyCnf>(frame) {
            self.on_key(&answer);
        } else if let Some(answer) = peer.get::<PlLinkStatusCnf>(frame) {
            self.details.link = Some(answer.mstatus == 0 && answer.link_status == 1);
        } else if let Some(answer) = peer.get::<NscmGetDLinkStatusCnf>(frame) {
            self.details.link = Some(answer.link_status == 1);
        } else if let Some(answer) = peer.get::<BrgInfoCnf<'_>>(frame) {
            self.details.hosts = Some(answer.hosts().take(MAX_HOSTS).collect());
        } else if frame.from == self.details.address
            && let Some(Ok(network)) = network_of(frame)
        {
            self.details.network = Some(network);
        }
    }

    fn write(&self, ask: Ask, buffer: &mut [u8]) -> Result<usize, TooShort> {
        let peer = &self.peer;
        let lumissil = self.details.profile.vendor == Vendor::Lumissil;
        match ask {
            Ask::Version => peer.emit(&SwVerReq::default(), buffer),
            Ask::LumissilVersion => peer.emit(&NscmGetVersionReq::default(), buffer),
            Ask::NetworkOld => peer.emit(&NwInfoOldReq::default(), buffer),
            Ask::Of(Question::Attributes) => peer.emit(&OpAttributesReq::default(), buffer),
            Ask::Of(Question::Nid | Question::Key) => {
                peer.emit(&GetKeyReq::new(self.nonce, self.details.nid.unwrap_or_default()), buffer)
            }
            Ask::Of(Question::Link) if lumissil => peer.emit(&NscmGetDLinkStatusReq::default(), buffer),
            Ask::Of(Question::Link) => peer.emit(&PlLinkStatusReq::default(), buffer),
            Ask::Of(Question::Network) => peer.emit(&NwInfoReq::default(), buffer),
            Ask::Of(Question::Hosts) => peer.emit(&BrgInfoReq::default(), buffer),
        }
    }
}

impl Machine for Inspector {
    /// A whole Ethernet frame.
    type Input<'a> = &'a [u8];
    type Route = ();
    type Event = InspectorEvent;

    fn handle(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) {
        let Ok(frame) = Frame::parse(bytes) else { return };
        match self.stage {
            Stage::Version => {
                if let Some(answer) = self.peer.get::<SwVerCnf>(&frame) {
                    self.on_version(cx, frame.from, Profile::of_firmware(answer.text()), answer.text());
                } else if self.peer.get::<NscmGetVersionCnf>(&frame).is_some() {
                    self.on_version(cx, frame.from, &LUMISSIL, &[]);
                }
            }
            Stage::Details => {
                self.on_details(&frame);
                if self.questions.iter().all(|question| self.details.is_settled(*question)) {
                    self.finish(Stage::Finished, InspectorEvent::Finished);
                }
            }
            Stage::Stopped | Stage::Finished => {}
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        while let Some(Timer::Answer) = self.timers.expired(cx.now) {
            self.ask(cx.now);
        }
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, ())>, TooShort> {
        let Some(&ask) = self.asks.peek() else { return Ok(None) };
        let len = self.write(ask, buffer)?;
        self.asks.pop();
        Ok(Some((len, ())))
    }

    fn poll_event(&mut self) -> Option<InspectorEvent> {
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
    use crate::script::{Bench, MODEM, OWN, Script};
    use homeplug_mme::Message;
    use std::vec;

    fn bench(script: Script, questions: &'static [Question]) -> Bench<Inspector> {
        let mut bench = Bench::new(Inspector::new(OWN, Mac::LOCAL_MODEM, questions).unwrap(), script);
        bench.with(Inspector::start);
        bench
    }

    #[test]
    fn network_id_and_key_and_link_are_told_and_nothing_else_is_asked() {
        let key = Script::new().key;
        let mut asked = bench(
            Script { link: Some(true), shy: Duration::ZERO, ..Script::new() },
            &[Question::Key, Question::Link],
        );
        assert_eq!(asked.run(100), [InspectorEvent::Finished]);
        let details = asked.machine.details().unwrap();
        assert_eq!((details.address, details.profile.name), (MODEM, "QCA7420"));
        assert_eq!((details.nid, details.key, details.link), (Some(key.nid), Some(key.nmk), Some(true)));
        assert!(details.attributes.is_none() && details.network.is_none() && details.hosts.is_none());
        assert!(asked.machine.poll_timeout().is_none());

        let mut id_only = bench(Script { shy: Duration::ZERO, ..Script::new() }, &[Question::Nid]);
        id_only.run(100);
        let details = id_only.machine.details().unwrap();
        assert_eq!((details.nid, details.key), (Some(key.nid), None));
        assert_eq!(id_only.modem.asked(GetKeyReq::ID.mm_type.0), 1);
    }

    #[test]
    fn what_stays_unanswered_is_absent_after_a_bounded_time_and_what_was_lost_is_asked_again() {
        let lossy = Script { lose: vec![0xA000, 0xA000, 0xA0B8], ..Script::new() };
        let mut bench = bench(lossy, &[Question::Link, Question::Hosts]);
        assert_eq!(bench.run(5000), [InspectorEvent::Finished]);
        let details = bench.machine.details().unwrap();
        assert_eq!((details.link, details.hosts.is_none()), (Some(false), true));
    }

    #[test]
    fn a_lumissil_modem_is_asked_what_it_knows_only() {
        let script = Script { firmware: None, lumissil: true, link: Some(true), ..Script::new() };
        let mut bench =
            bench(script, &[Question::Attributes, Question::Key, Question::Link, Question::Network]);
        assert_eq!(bench.run(100), [InspectorEvent::Finished]);
        let details = bench.machine.details().unwrap();
        assert_eq!((details.profile, details.link), (&LUMISSIL, Some(true)));
        assert_eq!(bench.modem.log.len(), 3);
    }

    #[test]
    fn nobody_there_and_nobody_meant_are_told() {
        let mut bench = bench(Script { firmware: None, ..Script::new() }, &[Question::Link]);
        assert_eq!(bench.run(5000), [InspectorEvent::NoAnswer]);
        assert!(bench.machine.details().is_none());
        assert!(Inspector::new(OWN, Mac::BROADCAST, &[]).is_err());
    }

    #[test]
    fn a_boot_loader_and_an_unknown_family_are_told_as_such() {
        for (firmware, boot) in [("BootLoader", true), ("MAC-SOMETHING-1.0", false)] {
            let mut bench = bench(Script { firmware: Some(firmware), ..Script::new() }, &[]);
            assert_eq!(bench.run(100), [InspectorEvent::Finished]);
            let details = bench.machine.details().unwrap();
            assert_eq!((details.is_boot_loader(), details.profile), (boot, &UNKNOWN));
        }
    }
}
