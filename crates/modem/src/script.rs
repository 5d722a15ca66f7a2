//! A scripted modem and virtual time, for the tests of the machines.
extern crate std;
use std::vec::Vec;

use homeplug_mme::view::*;
use homeplug_mme::{Frame, MAX_FRAME, Mac, Message, NetworkKey, Nid, Nmk, emit};
use machine::{Cx, Duration, Instant, Machine, ScriptedEntropy};

pub(crate) const OWN: Mac = Mac([2, 0, 0, 0, 0, 0x5E]);
pub(crate) const MODEM: Mac = crate::pib::sample::MAC;
pub(crate) const OTHER: Mac = Mac([2, 0, 0, 0, 0, 0x43]);

#[allow(clippy::struct_excessive_bools, reason = "each switches one habit")]
/// A modem that follows its script, and restarts as a QCA7420 does.
pub(crate) struct Script {
    pub own: Mac,
    pub mac: Mac,
    pub firmware: Option<&'static str>,
    pub lumissil: bool,
    pub key: NetworkKey,
    /// Result, and whether the nonce is repeated correctly.
    pub set_key: Option<(u8, bool)>,
    pub keeps_key: bool,
    pub link: Option<bool>,
    /// How long it reports no key after a restart.
    pub shy: Duration,
    /// Silent from the first time to the second.
    pub silent: (Instant, Instant),
    /// Time from a key to the silence, and length of the silence.
    pub restart: (Duration, Duration),
    /// The parameters, and the sessions' buffer.
    pub pib: Vec<u8>,
    pub written: Vec<u8>,
    pub reads_flat: bool,
    pub refuses: Option<u16>,
    /// Status of the module in the confirmation of a session.
    pub module_status: u8,
    /// It performs a commit and does not confirm it.
    pub mute_commit: bool,
    /// It writes one byte less of the first part, once.
    pub cuts_first_part: bool,
    /// It stores one byte less than it received.
    pub reads_short: bool,
    /// It confirms a commit without storing anything.
    pub forgets: bool,
    /// After a restart it has the address of its image.
    pub renames: bool,
    /// Every request, in order: destination and type.
    pub log: Vec<(Instant, Mac, u16)>,
    /// Requests of these types are lost, once for each entry.
    pub lose: Vec<u16>,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self {
            own: OWN,
            mac: MODEM,
            firmware: Some("MAC-QCA7420-1.4.0.20-00-20171027-CS"),
            lumissil: false,
            key: NetworkKey { nid: Nid([9; 7]), nmk: Nmk::new([9; 16]) },
            set_key: Some((1, true)),
            keeps_key: true,
            link: Some(false),
            shy: Duration::from_millis(500),
            silent: (Instant::ZERO, Instant::ZERO),
            restart: (Duration::from_millis(2700), Duration::from_millis(1400)),
            pib: Vec::new(),
            written: Vec::new(),
            reads_flat: false,
            refuses: None,
            module_status: 0,
            mute_commit: false,
            cuts_first_part: false,
            reads_short: false,
            forgets: false,
            renames: false,
            log: Vec::new(),
            lose: Vec::new(),
        }
    }

    pub(crate) fn away(&mut self, now: Instant, after: Duration, length: Duration) {
        self.silent = (now + after, now + after + length);
    }

    pub(crate) fn asked(&self, mm_type: u16) -> usize {
        self.log.iter().filter(|(_, _, asked)| *asked == mm_type).count()
    }

    fn answer(&mut self, now: Instant, bytes: &[u8]) -> Option<Vec<u8>> {
        if self.renames && self.silent.1 > Instant::ZERO && now >= self.silent.1 {
            self.mac = crate::pib::Image::parse(&self.pib).unwrap().mac();
        }
        let mut answer = self.respond(now, bytes)?;
        answer[..6].copy_from_slice(&self.own.0);
        answer[6..12].copy_from_slice(&self.mac.0);
        Some(answer)
    }

    fn respond(&mut self, now: Instant, bytes: &[u8]) -> Option<Vec<u8>> {
        let frame = Frame::parse(bytes).unwrap();
        assert_eq!(frame.from, self.own);
        let number = frame.mm_type.0;
        self.log.push((now, frame.to, number));
        if let Some(at) = self.lose.iter().position(|lost| *lost == number) {
            self.lose.remove(at);
            return None;
        }
        if now >= self.silent.0 && now < self.silent.1 {
            return None;
        }
        if frame.get::<SwVerReq>().is_some() {
            return self.firmware.map(|text| sent(&version(text)));
        }
        if frame.get::<NscmGetVersionReq>().is_some() {
            return self.lumissil.then(|| sent(&NscmGetVersionCnf::default()));
        }
        if let Some(Ok(request)) = frame.get::<SetKeyReq>() {
            assert_eq!(frame.to, Mac::LOCAL_MODEM, "a key goes to the own modem only");
            assert_ne!(request.my_nonce, [0; 4]);
            let (result, echoes) = self.set_key?;
            if self.keeps_key && echoes {
                self.key = NetworkKey { nid: request.nid, nmk: request.new_key };
            }
            self.away(now, self.restart.0, self.restart.1);
            let your_nonce = if echoes { request.my_nonce } else { [0xAA; 4] };
            let answer =
                SetKeyCnf { result, my_nonce: [3; 4], your_nonce, pid: 4, prn: 0, pmn: 255, cco_cap: 0 };
            return Some(sent(&answer));
        }
        if let Some(Ok(request)) = frame.get::<GetKeyReq>() {
            if self.lumissil {
                return None;
            }
            return Some(sent(&self.tell_key(now, &request)));
        }
        if frame.get::<PlLinkStatusReq>().is_some() && !self.lumissil {
            return self.link.map(|up| sent(&PlLinkStatusCnf { mstatus: 0, link_status: u8::from(up) }));
        }
        if frame.get::<NscmGetDLinkStatusReq>().is_some() && self.lumissil {
            let up = u8::from(self.link?);
            return Some(sent(&NscmGetDLinkStatusCnf { link_status: up, ..Default::default() }));
        }
        if frame.get::<RsDevReq>().is_some() {
            self.away(now, Duration::from_millis(100), Duration::from_secs(4));
            return Some(sent(&RsDevCnf { mstatus: 0 }));
        }
        if let Some(Ok(request)) = frame.get::<RdModReq>() {
            let data = part(&self.pib, request.offset, request.length);
            let cut = RdModCnf {
                mstatus: 0,
                module_id: request.module_id,
                length: u16::try_from(data.len()).unwrap(),
                offset: request.offset,
                checksum: crate::pib::checksum32(data),
                data: Slice(data),
            };
            return self.reads_flat.then(|| sent(&cut));
        }
        if let Some(Ok(request)) = frame.get::<ModuleOperationReq<'_>>() {
            return self.operate(now, &request);
        }
        None
    }

    /// Shortly after a restart a modem reports no key (observed).
    fn tell_key(&self, now: Instant, request: &GetKeyReq) -> GetKeyCnf {
        let fresh = now.since(self.silent.1) < self.shy && self.silent.1 <= now;
        let same = request.nid == self.key.nid && !fresh;
        GetKeyCnf {
            result: u8::from(!same),
            key_type: 1,
            my_nonce: [3; 4],
            your_nonce: request.my_nonce,
            nid: if fresh { Nid::default() } else { self.key.nid },
            eks: 1,
            pid: 4,
            prn: 0,
            pmn: 255,
            key: if same { self.key.nmk } else { Nmk::new([0; 16]) },
        }
    }

    fn operate(&mut self, now: Instant, request: &ModuleOperationReq<'_>) -> Option<Vec<u8>> {
        let outcome = match request.operation {
            Operation::Read(read) if !self.reads_flat => {
                let data = part(&self.pib, read.offset, read.length);
                let length = u16::try_from(data.len()).unwrap();
                return Some(self.done(Outcome::Read(ModulePart {
                    mod_op: read.mod_op,
                    mod_op_data_len: 18 + length,
                    module_id: read.module_id,
                    module_sub_id: 0,
                    length,
                    offset: read.offset,
                    data: Slice(data),
                })));
            }
            Operation::Start(start) => {
                self.written.clear();
                let mut modules = [0; 16];
                modules[12] = self.module_status;
                return Some(self.done(Outcome::Started(SessionStarted {
                    mod_op: start.mod_op,
                    mod_op_data_len: 13 + 16,
                    session_id: start.session_id,
                    num_modules: 1,
                    modules: Slice(&modules),
                })));
            }
            Operation::Write(write) => {
                assert_eq!(usize::try_from(write.offset), Ok(self.written.len()));
                let cut = u16::from(core::mem::take(&mut self.cuts_first_part));
                if cut == 0 {
                    self.written.extend_from_slice(write.data());
                }
                Outcome::Written(ModuleWritten {
                    mod_op: write.mod_op,
                    mod_op_data_len: 23,
                    session_id: write.session_id,
                    module_index: 0,
                    module_id: write.module_id,
                    module_sub_id: 0,
                    length: write.length - cut,
                    offset: write.offset,
                })
            }
            Operation::Commit(commit) => {
                if !self.forgets {
                    self.pib = self.written.clone();
                }
                if self.reads_short {
                    self.pib.pop();
                }
                if self.mute_commit {
                    return None;
                }
                self.away(now, Duration::from_secs(1), Duration::from_secs(4));
                Outcome::Committed(SessionCommitted {
                    mod_op: commit.mod_op,
                    mod_op_data_len: 36,
                    session_id: commit.session_id,
                    commit_code: commit.commit_code,
                    num_modules: Some(1),
                })
            }
            _ => return None,
        };
        Some(self.done(outcome))
    }

    fn done(&self, outcome: Outcome<'_>) -> Vec<u8> {
        sent(&ModuleOperationCnf { mstatus: self.refuses.unwrap_or(0), ..ModuleOperationCnf::new(outcome) })
    }
}

fn part(bytes: &[u8], offset: u32, length: u16) -> &[u8] {
    let rest = bytes.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
    &rest[..rest.len().min(usize::from(length))]
}

pub(crate) fn version(text: &str) -> SwVerCnf {
    let mut version = Label([0; 254]);
    version.0[..text.len()].copy_from_slice(text.as_bytes());
    let ver_len = u8::try_from(text.len()).unwrap();
    SwVerCnf { mstatus: 0, device_class: 0x20, ver_len, version, ident: None, stepping: None, cookie: None }
}

/// A message from the modem to its host.
pub(crate) fn sent<'m>(message: &impl Message<'m>) -> Vec<u8> {
    from(MODEM, message)
}

pub(crate) fn from<'m>(mac: Mac, message: &impl Message<'m>) -> Vec<u8> {
    let mut buffer = [0; MAX_FRAME];
    let len = emit(message, OWN, mac, &mut buffer).unwrap();
    buffer[..len].to_vec()
}

/// A machine, its modem and the time.
pub(crate) struct Bench<M> {
    pub machine: M,
    pub modem: Script,
    pub now: Instant,
    pub entropy: ScriptedEntropy<'static>,
}

impl<M: for<'a> Machine<Input<'a> = &'a [u8], Route = ()>> Bench<M> {
    pub(crate) fn new(machine: M, modem: Script) -> Self {
        Self { machine, modem, now: Instant::ZERO, entropy: ScriptedEntropy::new(&[0, 1, 2, 3, 4, 5, 6]) }
    }

    pub(crate) fn with<T>(&mut self, act: impl FnOnce(&mut M, &mut Cx<'_>) -> T) -> T {
        act(&mut self.machine, &mut Cx { now: self.now, entropy: &mut self.entropy })
    }

    /// Advances the time; returns the events of the machine.
    pub(crate) fn run(&mut self, millis: u64) -> Vec<M::Event> {
        let end = self.now + Duration::from_millis(millis);
        let mut events = Vec::new();
        loop {
            let mut buffer = [0; MAX_FRAME];
            events.extend(core::iter::from_fn(|| self.machine.poll_event()));
            while let Some((len, ())) = self.machine.poll_transmit(&mut buffer).unwrap() {
                if let Some(answer) = self.modem.answer(self.now, &buffer[..len]) {
                    self.with(|machine, cx| machine.handle(cx, &answer));
                }
                events.extend(core::iter::from_fn(|| self.machine.poll_event()));
            }
            events.extend(core::iter::from_fn(|| self.machine.poll_event()));
            match self.machine.poll_timeout() {
                Some(due) if due.at <= end => {
                    assert!(due.at >= self.now, "a deadline in the past: {}", due.name);
                    self.now = due.at;
                    self.with(Machine::handle_timeout);
                }
                _ => {
                    self.now = end;
                    return events;
                }
            }
        }
    }
}
