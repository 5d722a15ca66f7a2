use homeplug_mme::view::{
    MODULE_CHUNK, MODULE_PIB, ModuleOperationCnf, ModuleOperationReq, Operation, Outcome, RdModCnf, RdModReq,
    ReadModule,
};
use homeplug_mme::{Frame, Mac, Nmk};
use machine::{Cx, Deadline, Duration, Instant, Machine, Queue, Retry, Timers, TooShort, timers};

use super::{Peer, TransferFault};
use crate::pib::{Image, checksum32};
use crate::profile::{Access, Profile};

/// Wait for a part (open-plc-utils), and number of requests; judgement.
pub(super) const ANSWER: Duration = Duration::from_secs(5);
const RETRY: Retry = Retry::new(3, ANSWER);
/// Maximum number of bytes that `VS_RD_MOD` reads at a time.
const OLD_CHUNK: u16 = 1024;
/// `VS_RD_MOD`'s number of the parameters.
const OLD_PIB: u8 = 2;

const EVENTS: usize = 2;

/// Reads a modem's parameters into a buffer and checks them: the backup before any change.
///
/// The data contains the modem's keys. 16 KiB are enough for every observed image; the longest has 9796
/// bytes.
#[derive(Debug)]
pub struct PibReader<'b> {
    peer: Peer,
    access: Access,
    buffer: &'b mut [u8],
    at: usize,
    retry: Retry,
    state: State,
    send: bool,
    /// The newest only, so that progress never displaces the final event.
    progress: Option<usize>,
    timers: Timers<Timer, 1>,
    events: Queue<ReadEvent, EVENTS>,
}

/// Events of a [`PibReader`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadEvent {
    /// This many bytes have been read.
    Progress(usize),
    /// The image is complete and valid: its length in bytes.
    Done(usize),
    /// The transfer failed.
    Failed(TransferFault),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Stopped,
    Reading,
    Done,
}

timers! {
    enum Timer {
        Answer = "modem read",
    }
}

impl<'b> PibReader<'b> {
    /// Reads from the modem at `target`, or from the one on the own cable ([`Mac::LOCAL_MODEM`]), into
    /// `buffer`.
    ///
    /// # Errors
    /// If `target` is not the address of one modem, or its family cannot be read.
    pub fn new(
        own: Mac,
        target: Mac,
        profile: &Profile,
        buffer: &'b mut [u8],
    ) -> Result<Self, TransferFault> {
        if profile.parameters == Access::None {
            return Err(TransferFault::NotSupported);
        }
        Ok(Self {
            peer: Peer::new(own, target)?,
            access: profile.parameters,
            buffer,
            at: 0,
            retry: RETRY,
            state: State::Stopped,
            send: false,
            progress: None,
            timers: Timers::new(),
            events: Queue::new(),
        })
    }

    /// Begins, or begins again.
    pub fn start(&mut self, cx: &mut Cx<'_>) {
        self.at = 0;
        self.state = State::Reading;
        self.ask_next(cx.now);
    }

    /// The image, when it is complete and valid.
    pub fn image(&self) -> Option<Image<'_>> {
        (self.state == State::Done).then(|| Image::parse(self.buffer.get(..self.at)?).ok())?
    }

    /// Requests the next part.
    fn ask_next(&mut self, now: Instant) {
        self.retry = RETRY;
        self.ask(now);
    }

    fn ask(&mut self, now: Instant) {
        if let Some(due) = self.retry.again(now) {
            self.send = true;
            self.timers.set(Timer::Answer, due);
        } else {
            self.finish(ReadEvent::Failed(TransferFault::NoAnswer));
        }
    }

    /// Length of the next request. An old image contains its length; a new one ends with a short part.
    fn wanted(&self) -> u16 {
        match (self.access, self.buffer.get(..self.at)) {
            (Access::ReadModule, Some([_, _, _, _, low, high, ..])) => {
                let left = usize::from(u16::from_le_bytes([*low, *high])).saturating_sub(self.at);
                u16::try_from(left).map_or(OLD_CHUNK, |left| left.min(OLD_CHUNK))
            }
            (Access::ReadModule, _) => OLD_CHUNK,
            _ => MODULE_CHUNK,
        }
    }

    fn finish(&mut self, event: ReadEvent) {
        self.state = if matches!(event, ReadEvent::Done(_)) { State::Done } else { State::Stopped };
        self.send = false;
        self.timers.clear_all();
        self.events.push(event);
    }

    fn on_refusal(&mut self, status: u16) {
        if self.state == State::Reading && status != 0 {
            self.finish(ReadEvent::Failed(TransferFault::Refused(status)));
        }
    }

    fn on_part(&mut self, now: Instant, offset: u32, data: &[u8]) {
        if self.state != State::Reading {
            return;
        }
        let wanted = usize::from(self.wanted());
        if usize::try_from(offset) != Ok(self.at) || data.len() > wanted {
            return; // An answer to a question that was repeated.
        }
        let Some(room) = self.buffer.get_mut(self.at..self.at + data.len()) else {
            return self.finish(ReadEvent::Failed(TransferFault::TooLong(self.buffer.len())));
        };
        room.copy_from_slice(data);
        self.at += data.len();
        self.progress = Some(self.at);
        match Image::parse(self.buffer.get(..self.at).unwrap_or_default()) {
            Ok(_) => self.finish(ReadEvent::Done(self.at)),
            Err(error) if data.len() < wanted || self.wanted() == 0 => {
                self.finish(ReadEvent::Failed(TransferFault::Image(error)));
            }
            Err(_) => self.ask_next(now),
        }
    }
}

/// The request for a part of a chain, for reading and for comparing.
pub(super) fn request(offset: usize, length: u16) -> ModuleOperationReq<'static> {
    let offset = u32::try_from(offset).unwrap_or(u32::MAX);
    ModuleOperationReq::new(Operation::Read(ReadModule::new(MODULE_PIB, offset, length)))
}

impl Machine for PibReader<'_> {
    /// A whole Ethernet frame.
    type Input<'a> = &'a [u8];
    type Route = ();
    type Event = ReadEvent;

    fn handle(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) {
        let Ok(frame) = Frame::parse(bytes) else { return };
        if let Some(answer) = self.peer.get::<ModuleOperationCnf<'_>>(&frame) {
            match answer.operation {
                Outcome::Read(part) if answer.mstatus == 0 && part.module_id == MODULE_PIB => {
                    self.on_part(cx.now, part.offset, part.data.0);
                }
                _ => self.on_refusal(answer.mstatus),
            }
        } else if let Some(answer) = self.peer.get::<RdModCnf<'_>>(&frame)
            && answer.module_id == OLD_PIB
        {
            self.on_refusal(answer.mstatus.into());
            if checksum32(answer.data.0) == answer.checksum {
                self.on_part(cx.now, answer.offset, answer.data.0);
            }
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        while let Some(Timer::Answer) = self.timers.expired(cx.now) {
            self.ask(cx.now);
        }
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, ())>, TooShort> {
        if !self.send {
            return Ok(None);
        }
        let length = self.wanted();
        let len = if self.access == Access::ReadModule {
            let offset = u32::try_from(self.at).unwrap_or(u32::MAX);
            let secret = Nmk::new([0; Nmk::LEN]);
            let request = RdModReq { module_id: OLD_PIB, maccess: 0, length, offset, secret };
            self.peer.emit(&request, buffer)
        } else {
            self.peer.emit(&request(self.at, length), buffer)
        }?;
        self.send = false;
        Ok(Some((len, ())))
    }

    fn poll_event(&mut self) -> Option<ReadEvent> {
        self.progress.take().map(ReadEvent::Progress).or_else(|| self.events.pop())
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.timers.next()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::pib::{Layout, sample};
    use crate::profile::{LUMISSIL, UNKNOWN};
    use crate::script::{Bench, MODEM, OTHER, OWN, Script, from};
    use homeplug_mme::view::{ModulePart, Slice};
    use std::vec::Vec;
    use std::{format, vec};

    fn family(name: &str) -> &'static Profile {
        Profile::of_firmware(name.as_bytes())
    }

    fn script(pib: Vec<u8>) -> Script {
        Script { pib, ..Script::new() }
    }

    fn bench<'b>(name: &str, script: Script, buffer: &'b mut [u8]) -> Bench<PibReader<'b>> {
        let reader = PibReader::new(OWN, Mac::LOCAL_MODEM, family(name), buffer).unwrap();
        let mut bench = Bench::new(reader, script);
        bench.with(PibReader::start);
        bench
    }

    #[test]
    fn a_chain_is_read_in_parts_and_checked() {
        let pib = sample::chain(8080);
        let mut buffer = [0; 16384];
        let mut bench = bench("QCA7000", script(pib.clone()), &mut buffer);
        let events = bench.run(100);
        assert_eq!(events.first(), Some(&ReadEvent::Progress(1400)));
        assert_eq!(events.last(), Some(&ReadEvent::Done(pib.len())));
        let image = bench.machine.image().unwrap();
        assert_eq!((image.bytes(), image.layout()), (&pib[..], Layout::Chain));
        assert_eq!(bench.modem.log.len(), 6);
    }

    #[test]
    fn a_chain_that_ends_with_a_whole_part_is_complete_without_another() {
        let pib = sample::chain(6 * 1400 - 96 - sample::MANIFEST_LEN - 96);
        let mut buffer = [0; 8400];
        let mut bench = bench("QCA7000", script(pib), &mut buffer);
        assert_eq!(bench.run(100).last(), Some(&ReadEvent::Done(8400)));
        assert_eq!(bench.modem.log.len(), 6);
    }

    #[test]
    fn an_old_image_is_read_by_its_own_message_as_long_as_it_says() {
        let pib = sample::flat(8200);
        let mut long = pib.clone();
        long.extend([0xFF; 500]);
        let mut buffer = [0; 16384];
        let mut bench = bench("INT6000", Script { reads_flat: true, ..script(long) }, &mut buffer);
        assert_eq!(bench.run(100).last(), Some(&ReadEvent::Done(8200)));
        assert_eq!(bench.machine.image().unwrap().bytes(), pib);
    }

    #[test]
    fn an_old_part_with_a_wrong_checksum_is_asked_for_again() {
        let mut buffer = [0; 16384];
        let script = Script { reads_flat: true, lose: vec![0xA024], ..script(sample::flat(8200)) };
        let mut bench = bench("INT6000", script, &mut buffer);
        bench.run(10);
        let data = Slice(&[1; 1024][..]);
        let broken = RdModCnf { mstatus: 0, module_id: OLD_PIB, length: 1024, offset: 0, checksum: 1, data };
        bench.with(|reader, cx| reader.handle(cx, &from(MODEM, &broken)));
        assert_eq!(bench.machine.poll_event(), None);
        assert_eq!(bench.run(6000).last(), Some(&ReadEvent::Done(8200)));
    }

    #[test]
    fn lost_parts_are_asked_for_again_and_then_it_gives_up() {
        let mut buffer = [0; 16384];
        let lossy = Script { lose: vec![0xA0B0, 0xA0B0], ..script(sample::chain(8080)) };
        let mut bench = bench("QCA7420", lossy, &mut buffer);
        assert!(matches!(bench.run(11_000).last(), Some(ReadEvent::Done(_))));

        let mut buffer = [0; 16384];
        let mut bench =
            self::bench("QCA7420", Script { lose: vec![0xA0B0; 9], ..Script::new() }, &mut buffer);
        assert_eq!(bench.run(60_000), [ReadEvent::Failed(TransferFault::NoAnswer)]);
        assert!(bench.machine.image().is_none() && bench.machine.poll_timeout().is_none());
    }

    #[test]
    fn what_cannot_be_a_backup_is_a_failure() {
        let mut damaged = sample::chain(8080);
        damaged[500] ^= 1;
        let table = [
            (script(damaged), 16384, TransferFault::Image(crate::pib::Fault::ImageChecksum.at(156))),
            (script(sample::chain(8080)), 4000, TransferFault::TooLong(4000)),
            (Script { refuses: Some(5), ..script(sample::chain(8080)) }, 16384, TransferFault::Refused(5)),
        ];
        for (script, room, fault) in table {
            let mut buffer = vec![0; room];
            let mut bench = bench("QCA7420", script, &mut buffer);
            assert_eq!(bench.run(100).last(), Some(&ReadEvent::Failed(fault)));
            assert!(bench.machine.image().is_none());
        }
        let new = |target, profile| PibReader::new(OWN, target, profile, &mut []).map(|_| ());
        assert_eq!(new(Mac::BROADCAST, family("QCA7420")), Err(TransferFault::NotOneModem));
        assert_eq!(new(MODEM, &LUMISSIL), Err(TransferFault::NotSupported));
        assert_eq!(new(MODEM, &UNKNOWN), Err(TransferFault::NotSupported));
    }

    #[test]
    fn parts_of_another_modem_or_place_are_passed_over() {
        let mut buffer = [0; 16384];
        let reader = PibReader::new(OWN, MODEM, family("QCA7420"), &mut buffer).unwrap();
        let mut bench = Bench::new(reader, Script { lose: vec![0xA0B0], ..script(sample::chain(8080)) });
        bench.with(PibReader::start);
        bench.run(10);
        let part = |offset| ModulePart {
            mod_op: 0,
            mod_op_data_len: 22,
            module_id: MODULE_PIB,
            module_sub_id: 0,
            length: 4,
            offset,
            data: Slice(&[1; 4]),
        };
        let long = ModulePart { length: 1401, data: Slice(&[1; 1401]), ..part(0) };
        for (mac, part) in [(OTHER, part(0)), (MODEM, part(1400)), (MODEM, long)] {
            let answer = ModuleOperationCnf::new(Outcome::Read(part));
            bench.with(|reader, cx| reader.handle(cx, &from(mac, &answer)));
            assert_eq!(bench.machine.poll_event(), None);
        }
        assert!(matches!(bench.run(6000).last(), Some(ReadEvent::Done(_))));
    }

    /// Data that a tool read from a plug and, over the power line, from the modems of two chargers and a car.
    #[test]
    fn recorded_readings_begin_as_ours_and_give_sound_images() {
        let captures = [
            ("2022-11-25_v0.2_ABB_until_ChargeParamDiscovery.pcapng", 2),
            ("2023-04-24_atHome_Ioniq_without_and_with_60W_bulbs.pcapng", 2),
        ];
        for (name, modems) in captures {
            let Some(frames) = capture::frames(name) else { return };
            let images = capture::images(&frames);
            assert_eq!(images.len(), modems, "{name}");
            for (mac, bytes) in images {
                let image = Image::parse(&bytes).unwrap();
                assert_eq!((image.layout(), image.mac()), (Layout::Chain, mac));
                assert!(matches!(image.role(), Some(crate::pib::Role::Evse | crate::pib::Role::Pev)));
                assert!(!image.description().unwrap().bytes().is_empty());

                let recorded = |kind: u16| {
                    let mut of = frames.iter().filter(|bytes| {
                        Frame::parse(bytes).is_ok_and(|frame| {
                            frame.mm_type.0 == kind && (frame.to == mac || frame.from == mac)
                        })
                    });
                    of.next().unwrap()
                };
                let (asked, answered) = (recorded(0xA0B0), recorded(0xA0B1));
                let own = Frame::parse(asked).unwrap().from;
                let mut buffer = [0; 16384];
                let reader = PibReader::new(own, mac, family("QCA7420"), &mut buffer).unwrap();
                let mut bench = Bench::new(reader, Script { own, mac, ..script(bytes.clone()) });
                bench.with(PibReader::start);
                let mut frame = [0; 1514];
                let (len, ()) = bench.machine.poll_transmit(&mut frame).unwrap().unwrap();
                assert_eq!(&frame[..len], asked, "the first question, byte by byte");
                bench.with(|reader, cx| reader.handle(cx, answered));
                assert_eq!(bench.run(100).last(), Some(&ReadEvent::Done(bytes.len())));
                assert!(bench.machine.image().unwrap().bytes() == bytes);
            }
        }
    }

    mod capture {
        use super::*;
        use pcap_parser::traits::{PcapNGPacketBlock, PcapReaderIterator};
        use pcap_parser::{Block, PcapBlockOwned, PcapError, PcapNGReader};
        use std::collections::BTreeMap;

        pub(super) fn frames(name: &str) -> Option<Vec<Vec<u8>>> {
            let file = std::fs::File::open(corpus::path(&format!("captures/{name}"))?).unwrap();
            let mut reader = PcapNGReader::new(1 << 20, file).unwrap();
            let mut frames = Vec::new();
            loop {
                match reader.next() {
                    Ok((used, block)) => {
                        if let PcapBlockOwned::NG(Block::EnhancedPacket(packet)) = block {
                            frames.push(packet.packet_data().to_vec());
                        }
                        reader.consume(used);
                    }
                    Err(PcapError::Eof) => return Some(frames),
                    Err(PcapError::Incomplete(_)) => reader.refill().unwrap(),
                    Err(error) => panic!("{error}"),
                }
            }
        }

        /// Each modem's image: that tool requests 1400 bytes and continues after 1396 of them.
        pub(super) fn images(frames: &[Vec<u8>]) -> BTreeMap<Mac, Vec<u8>> {
            let mut images = BTreeMap::<Mac, BTreeMap<u32, Vec<u8>>>::new();
            for frame in frames.iter().filter_map(|bytes| Frame::parse(bytes).ok()) {
                let Some(Ok(answer)) = frame.get::<ModuleOperationCnf<'_>>() else { continue };
                let Outcome::Read(part) = answer.operation else { continue };
                if part.offset % 1396 == 0 && part.length != 96 {
                    images.entry(frame.from).or_default().insert(part.offset, part.data.0.to_vec());
                }
            }
            let whole = |parts: BTreeMap<u32, Vec<u8>>| {
                parts.into_iter().fold(Vec::new(), |mut image, (offset, data)| {
                    image.truncate(usize::try_from(offset).unwrap());
                    image.extend(data);
                    image
                })
            };
            images.into_iter().map(|(mac, parts)| (mac, whole(parts))).collect()
        }
    }
}
