//! A listener and its own modem: what it sends, when, and the contract of a machine.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a surprise ends the test"
)]

use std::cell::RefCell;

use homeplug_mme::view::{GetKeyCnf, GetKeyReq, Label, SetKeyCnf, SetKeyReq, SwVerCnf, SwVerReq};
use homeplug_mme::{Frame, Mac, NetworkKey, Nmk, RunId, Slac, StationId, emit};
use listen::{Event, Sight};
use machine::{Cx, Duration, Instant, Machine, ScriptedEntropy};
use modem::ModemEvent;
use proptest::prelude::*;
use roles::{Listen, ListenEvent, ListenStorage, ListenWatch, MAX_FRAME};

const OWN: Mac = Mac([2, 0, 0, 0, 0, 0x11]);
const MODEM: Mac = Mac([0, 0xB0, 0x52, 0, 1, 0x11]);
const CAR: Mac = Mac([2, 0, 0, 0, 0, 0xE1]);
const CHARGER: Mac = Mac([2, 0, 0, 0, 0, 0x5E]);
const RUN: RunId = RunId(*b"TESLA EV");
/// A modem's restart with a key takes 4 s (observed), and it is polled every 250 ms.
const RESTARTED: u64 = 10_000;

fn key(byte: u8) -> NetworkKey {
    NetworkKey::derived(Nmk::new([byte; 16]))
}

fn slac(from: Mac, to: Mac, message: &Slac) -> Vec<u8> {
    let mut buffer = [0; MAX_FRAME];
    let length = message.emit(to, from, &mut buffer).unwrap();
    buffer[..length].to_vec()
}

/// A charger gives this key to the car.
fn given(byte: u8) -> Vec<u8> {
    let none = StationId::default();
    let message = Slac::MatchCnf {
        run_id: RUN,
        car: CAR,
        pev_id: none,
        charger: CHARGER,
        evse_id: none,
        key: key(byte),
    };
    slac(CHARGER, CAR, &message)
}

fn request() -> Vec<u8> {
    slac(CAR, Mac::BROADCAST, &Slac::ParmReq { run_id: RUN })
}

/// The own modem, which accepts each key immediately; the keys that it has received.
#[derive(Default)]
struct FakeModem {
    keys: Vec<NetworkKey>,
}

impl FakeModem {
    fn answer(&mut self, sent: &[u8]) -> Option<Vec<u8>> {
        let frame = Frame::parse(sent).unwrap();
        assert_eq!((frame.from, frame.to), (OWN, Mac::LOCAL_MODEM), "a key never leaves the own cable");
        let mut buffer = [0; MAX_FRAME];
        let length = if frame.get::<SwVerReq>().is_some() {
            let mut version = Label([0; 254]);
            version.0[..11].copy_from_slice(b"MAC-QCA7005");
            let (ident, stepping, cookie) = (None, None, None);
            let answer =
                SwVerCnf { mstatus: 0, device_class: 0x22, ver_len: 11, version, ident, stepping, cookie };
            emit(&answer, OWN, MODEM, &mut buffer)
        } else if let Some(Ok(request)) = frame.get::<SetKeyReq>() {
            self.keys.push(NetworkKey { nid: request.nid, nmk: request.new_key });
            let your_nonce = request.my_nonce;
            let answer =
                SetKeyCnf { result: 1, my_nonce: [3; 4], your_nonce, pid: 4, prn: 0, pmn: 255, cco_cap: 0 };
            emit(&answer, OWN, MODEM, &mut buffer)
        } else if let (Some(Ok(request)), Some(key)) = (frame.get::<GetKeyReq>(), self.keys.last()) {
            let answer = GetKeyCnf {
                result: 0,
                key_type: 1,
                my_nonce: [3; 4],
                your_nonce: request.my_nonce,
                nid: key.nid,
                eks: 1,
                pid: 4,
                prn: 0,
                pmn: 255,
                key: key.nmk,
            };
            emit(&answer, OWN, MODEM, &mut buffer)
        } else {
            return None;
        };
        Some(buffer[..length.unwrap()].to_vec())
    }
}

/// A listener with its modem and the time.
struct Bench<'a> {
    listen: Listen<'a>,
    modem: FakeModem,
    now: Instant,
    entropy: ScriptedEntropy<'static>,
    sent: Vec<Vec<u8>>,
    events: Vec<ListenEvent>,
}

impl<'a> Bench<'a> {
    fn new(storage: &'a mut ListenStorage) -> Self {
        Self {
            listen: Listen::new(OWN, storage),
            modem: FakeModem::default(),
            now: Instant::ZERO,
            entropy: ScriptedEntropy::new(&[1, 2, 3, 4, 5, 6, 7]),
            sent: Vec::new(),
            events: Vec::new(),
        }
    }

    fn with(&mut self, act: impl FnOnce(&mut Listen<'a>, &mut Cx<'_>)) {
        act(&mut self.listen, &mut Cx { now: self.now, entropy: &mut self.entropy });
        self.drain();
    }

    fn hear(&mut self, frame: &[u8]) {
        self.with(|listen, cx| listen.handle(cx, frame));
    }

    fn drain(&mut self) {
        let mut buffer = [0; MAX_FRAME];
        while let Some((length, ())) = self.listen.poll_transmit(&mut buffer).unwrap() {
            self.sent.push(buffer[..length].to_vec());
            if let Some(answer) = self.modem.answer(&buffer[..length]) {
                self.listen.handle(&mut Cx { now: self.now, entropy: &mut self.entropy }, &answer);
            }
        }
        self.events.extend(std::iter::from_fn(|| self.listen.poll_event()));
    }

    /// Advances by this time, from deadline to deadline.
    fn pass(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(due) = self.listen.poll_timeout().filter(|due| due.at <= end) {
            assert!(due.at >= self.now, "a deadline in the past: {}", due.name);
            self.now = due.at;
            self.with(Machine::handle_timeout);
            let next = self.listen.poll_timeout();
            assert!(next.is_none_or(|next| next.at > self.now), "{} stays due", due.name);
        }
        self.now = end;
    }
}

fn storage() -> Box<ListenStorage> {
    Box::default()
}

#[test]
fn it_sends_nothing_until_it_is_told_to_and_shows_the_key_only_to_who_asks_for_it() {
    let mut storage = storage();
    let mut bench = Bench::new(&mut storage);
    bench.hear(&request());
    bench.hear(&given(0xAB));
    bench.pass(60_000);
    assert_eq!((bench.sent.len(), bench.listen.has_joined()), (0, false));
    let status = bench.listen.status();
    assert_eq!((status.has_key, status.car, status.frames), (true, Some(CAR), 2));
    let sights = [Sight::Waiting, Sight::OnlyBroadcasts].map(ListenEvent::Sight);
    assert_eq!(bench.events, [&[ListenEvent::Learned(CAR)], &sights[..]].concat());
    let shown = format!("{status:?} {:?} {:?}", bench.events, bench.listen.key()).to_lowercase();
    assert!(!shown.contains("abab") && !shown.contains("171, 171"), "{shown}");
    assert_eq!(bench.listen.key(), Some(key(0xAB)));
}

#[test]
fn each_key_that_is_learned_is_set_once_and_again_at_every_new_match() {
    let mut storage = storage();
    let mut bench = Bench::new(&mut storage);
    bench.with(Listen::join);
    bench.hear(&given(1));
    bench.hear(&given(1));
    bench.pass(RESTARTED);
    assert!(bench.listen.has_joined());
    assert_eq!(bench.modem.keys, [key(1)]);
    bench.hear(&given(2));
    assert!(!bench.listen.has_joined());
    bench.pass(RESTARTED);
    assert!(bench.listen.has_joined());
    assert_eq!(bench.modem.keys, [key(1), key(2)]);
    let ready =
        |event: &&ListenEvent| matches!(event, ListenEvent::Modem(ModemEvent::Ready { verified: true }));
    assert_eq!(bench.events.iter().filter(ready).count(), 2);
}

#[test]
fn a_key_that_is_known_already_is_set_when_it_is_told_to_join_and_so_is_one_from_elsewhere() {
    let (mut first, mut second) = (storage(), storage());
    let mut bench = Bench::new(&mut first);
    bench.hear(&given(1));
    bench.with(Listen::join);
    bench.pass(RESTARTED);
    assert_eq!((bench.modem.keys.as_slice(), bench.listen.has_joined()), (&[key(1)][..], true));
    let mut bench = Bench::new(&mut second);
    bench.with(|listen, cx| listen.set_key(cx, key(7)));
    bench.hear(&given(1));
    bench.pass(RESTARTED);
    assert_eq!(bench.modem.keys, [key(7)], "it was not told to join");
}

#[derive(Default)]
struct Count(RefCell<Vec<u64>>);

impl ListenWatch for Count {
    fn heard(&self, event: &Event<'_>) {
        self.0.borrow_mut().push(event.when.frame);
    }
}

#[test]
fn what_the_own_modem_says_is_not_part_of_what_is_heard() {
    let (count, mut storage) = (Count::default(), storage());
    let mut bench = Bench::new(&mut storage);
    bench.listen.watch(&count);
    bench.with(Listen::join);
    bench.hear(&given(1));
    bench.pass(RESTARTED);
    bench.hear(&request());
    drop(bench);
    assert_eq!(count.0.into_inner(), [1, 2]);
}

/// One input of a listener.
#[derive(Clone, Debug)]
enum Deed {
    Frame(Vec<u8>),
    Join,
    SetKey(u8),
    Pass(u64),
    Finish,
    /// The next frame is fetched into a buffer that is too short.
    ShortBuffer,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let frame = prop_oneof![
        Just(request()),
        (1..4_u8).prop_map(given),
        proptest::collection::vec(any::<u8>(), 0..200),
        // A frame of the matching with some bytes changed, or truncated.
        (1..4_u8, any::<u8>(), 0..120_usize, 0..120_usize).prop_map(|(byte, to, at, length)| {
            let mut frame = given(byte);
            let at = at % frame.len();
            frame[at] = to;
            frame.truncate(length.max(14));
            frame
        }),
    ];
    let deed = prop_oneof![
        6 => frame.prop_map(Deed::Frame),
        1 => Just(Deed::Join),
        1 => any::<u8>().prop_map(Deed::SetKey),
        3 => (0..30_000_u64).prop_map(Deed::Pass),
        1 => Just(Deed::Finish),
        1 => Just(Deed::ShortBuffer),
    ];
    proptest::collection::vec(deed, 0..40)
}

/// The result of these inputs.
fn played(deeds: &[Deed]) -> (Vec<Vec<u8>>, Vec<ListenEvent>, Vec<u64>) {
    let (count, mut storage) = (Count::default(), storage());
    let mut bench = Bench::new(&mut storage);
    bench.listen.watch(&count);
    let mut is_told = false;
    for deed in deeds {
        is_told |= matches!(deed, Deed::Join | Deed::SetKey(_));
        match deed {
            Deed::Frame(frame) => bench.hear(frame),
            Deed::Join => bench.with(Listen::join),
            Deed::SetKey(byte) => bench.with(|listen, cx| listen.set_key(cx, key(*byte))),
            Deed::Pass(millis) => bench.pass(*millis),
            Deed::Finish => bench.listen.finish(),
            Deed::ShortBuffer => assert!(!matches!(bench.listen.poll_transmit(&mut [0; 8]), Ok(Some(_)))),
        }
        bench.drain();
        assert!(is_told || bench.sent.is_empty());
    }
    let (sent, events) = (std::mem::take(&mut bench.sent), std::mem::take(&mut bench.events));
    drop(bench);
    (sent, events, count.0.into_inner())
}

proptest! {
    /// The contract of a machine, as `Bench` asserts it: no deadline in the past, none that stays due, and no
    /// frame on another station's cable. The same inputs give the same frames and events.
    #[test]
    fn whatever_comes_it_keeps_the_contract_of_a_machine(deeds in deeds()) {
        prop_assert_eq!(played(&deeds), played(&deeds));
    }
}
