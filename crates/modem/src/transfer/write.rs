use homeplug_mme::view::{
    CommitCode, CommitSession, MODULE_CHUNK, MODULE_PIB, ModuleOperationCnf, ModuleOperationReq, ModuleSpec,
    Operation, Outcome, StartSession, WriteModule,
};
use homeplug_mme::{Frame, Mac};
use machine::{Cx, Deadline, Duration, Instant, Machine, Queue, Retry, Timers, TooShort, timers};

use super::read::{ANSWER, request};
use super::reset::{Reset, ResetEvent};
use super::{Peer, TransferFault};
use crate::pib::{self, Image, Layout, checksum32};
use crate::profile::Vendor;

/// Wait for the start of a session, and for each part and its end (open-plc-utils): flash is slow.
const START_ANSWER: Duration = Duration::from_secs(60);
const WRITE_ANSWER: Duration = Duration::from_secs(90);
/// How many times a request is sent that can be repeated without harm; judgement.
const TRIES: u8 = 2;
/// Bytes of a module in the confirmation of a session; its status and error are the last four.
const STARTED_MODULE: usize = 16;

const EVENTS: usize = 2;
const CHUNK: usize = MODULE_CHUNK as usize;

/// A change of one modem's parameters, checked before anything is sent.
/// [`backup_written`](Self::backup_written) makes the [`PibWriter`] of it.
#[derive(Clone, Copy, Debug)]
pub struct WritePlan<'a> {
    image: Image<'a>,
    before: Mac,
}

/// Why an image is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The backup is not a valid image.
    #[error("the backup: {0}")]
    Backup(pib::Error),
    /// The new image is not a valid image.
    #[error("the new image: {0}")]
    Image(pib::Error),
    /// Only chains can be written.
    #[error("a {0:?} image cannot be written; only those of QCA7000, QCA7005 and QCA7420")]
    Layout(Layout),
    /// The new image is for another type of modem.
    #[error("the new image has {image} bytes of parameters, the modem has {modem}: is it for another chip?")]
    Length {
        /// Length of the new image in bytes.
        image: usize,
        /// Length of the modem's image in bytes.
        modem: usize,
    },
    /// The new image belongs to another modem.
    #[error("the new image belongs to the modem {image}, not to {modem}")]
    OtherModem {
        /// The address in the image.
        image: Mac,
        /// The address of the modem.
        modem: Mac,
    },
    /// The images are equal: nothing to write.
    #[error("the modem has exactly this image already")]
    Unchanged,
}

impl<'a> WritePlan<'a> {
    /// A plan to write `image` to the modem from which `backup` was just read.
    pub fn new(backup: &[u8], image: &'a [u8]) -> Result<Self, Refusal> {
        let plan = Self::checked(backup, image)?;
        plan.is_for(plan.before)
    }

    /// As [`new`](Self::new), for an image that sets the modem's address to `mac`.
    pub fn with_new_address(backup: &[u8], image: &'a [u8], mac: Mac) -> Result<Self, Refusal> {
        Self::checked(backup, image)?.is_for(mac)
    }

    /// The modem's address before the change.
    pub const fn modem(&self) -> Mac {
        self.before
    }

    /// Creates the writer for a host with the address `own`. Call it when the backup is stored.
    pub fn backup_written(self, own: Mac) -> Result<PibWriter<'a>, TransferFault> {
        Ok(PibWriter {
            own,
            image: self.image,
            peer: Peer::new(own, self.before)?,
            session: 0,
            stage: Stage::Stopped,
            retry: Retry::new(0, Duration::ZERO),
            send: false,
            progress: None,
            timers: Timers::new(),
            events: Queue::new(),
        })
    }

    fn checked(backup: &[u8], image: &'a [u8]) -> Result<Self, Refusal> {
        let before = Image::parse(backup).map_err(Refusal::Backup)?;
        let after = Image::parse(image).map_err(Refusal::Image)?;
        for layout in [before.layout(), after.layout()] {
            if layout != Layout::Chain {
                return Err(Refusal::Layout(layout));
            }
        }
        let (image_len, modem_len) = (after.parameters().len(), before.parameters().len());
        if image_len != modem_len {
            return Err(Refusal::Length { image: image_len, modem: modem_len });
        }
        if backup == image {
            return Err(Refusal::Unchanged);
        }
        Ok(Self { image: after, before: before.mac() })
    }

    fn is_for(self, mac: Mac) -> Result<Self, Refusal> {
        let image = self.image.mac();
        if image == mac { Ok(self) } else { Err(Refusal::OtherModem { image, modem: mac }) }
    }
}

/// A length or offset in an image, as in messages: no image is longer than 16 bits can state.
fn word(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// The length of a part, at most [`MODULE_CHUNK`].
fn chunk(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(MODULE_CHUNK)
}

/// Writes parameters into a modem: session, parts, commit, restart; then reads them back and compares.
///
/// A failure before [`WriteStep::Commit`] changes nothing in the modem; after it, restore the backup.
#[derive(Debug)]
pub struct PibWriter<'a> {
    own: Mac,
    image: Image<'a>,
    peer: Peer,
    session: u32,
    stage: Stage,
    retry: Retry,
    send: bool,
    /// The newest only, so that progress never displaces the final event.
    progress: Option<(WriteStep, usize)>,
    timers: Timers<Timer, 1>,
    events: Queue<WriteEvent, EVENTS>,
}

/// A step of a [`PibWriter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteStep {
    /// It begins a session.
    Start,
    /// It sends the image.
    Write,
    /// It requests that the modem stores the image.
    Commit,
    /// It restarts the modem and waits for it.
    Restart,
    /// It reads the image back and compares.
    Compare,
}

/// Events of a [`PibWriter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteEvent {
    /// The current step, and how many bytes of it are done.
    Progress(WriteStep, usize),
    /// The modem has the new image.
    Done,
    /// The transfer failed in this step.
    Failed(WriteStep, TransferFault),
}

#[derive(Debug)]
enum Stage {
    Stopped,
    Start,
    Write { at: usize },
    Commit,
    Restart(Reset),
    Compare { at: usize },
}

timers! {
    enum Timer {
        Answer = "modem write",
    }
}

impl Stage {
    /// Repetitions of its request; a stage without a request has none.
    const fn retry(&self) -> Retry {
        match self {
            Self::Stopped | Self::Restart(_) => Retry::new(0, Duration::ZERO),
            Self::Start => Retry::new(TRIES, START_ANSWER),
            Self::Write { .. } => Retry::new(TRIES, WRITE_ANSWER),
            // Never repeated: it may have been executed although the response was lost.
            Self::Commit => Retry::new(1, WRITE_ANSWER),
            Self::Compare { .. } => Retry::new(TRIES, ANSWER),
        }
    }
}

impl PibWriter<'_> {
    /// Begins.
    pub fn start(&mut self, cx: &mut Cx<'_>) {
        let mut session = [0; 4];
        cx.entropy.fill(&mut session);
        self.session = u32::from_le_bytes(session);
        self.enter(cx.now, Stage::Start);
    }

    fn bytes(&self) -> &[u8] {
        self.image.bytes()
    }

    /// The next part at `at`: a slice of the image.
    fn part(&self, at: usize) -> &[u8] {
        let rest = self.bytes().get(at..).unwrap_or_default();
        rest.get(..CHUNK).unwrap_or(rest)
    }

    fn step(&self) -> Option<(WriteStep, usize)> {
        Some(match self.stage {
            Stage::Stopped => return None,
            Stage::Start => (WriteStep::Start, 0),
            Stage::Write { at } => (WriteStep::Write, at),
            Stage::Commit => (WriteStep::Commit, 0),
            Stage::Restart(_) => (WriteStep::Restart, 0),
            Stage::Compare { at } => (WriteStep::Compare, at),
        })
    }

    fn enter(&mut self, now: Instant, stage: Stage) {
        self.stage = stage;
        self.progress = self.step();
        self.retry = self.stage.retry();
        self.ask(now);
    }

    fn ask(&mut self, now: Instant) {
        if matches!(self.stage, Stage::Stopped | Stage::Restart(_)) {
            return self.timers.clear(Timer::Answer);
        }
        if let Some(due) = self.retry.again(now) {
            self.send = true;
            self.timers.set(Timer::Answer, due);
        } else {
            self.fail(TransferFault::NoAnswer);
        }
    }

    fn fail(&mut self, fault: TransferFault) {
        if let Some((step, _)) = self.step() {
            self.finish(WriteEvent::Failed(step, fault));
        }
    }

    fn finish(&mut self, event: WriteEvent) {
        self.stage = Stage::Stopped;
        self.send = false;
        self.timers.clear_all();
        self.events.push(event);
    }

    fn on_answer(&mut self, cx: &mut Cx<'_>, answer: &ModuleOperationCnf<'_>) {
        if matches!(self.stage, Stage::Stopped | Stage::Restart(_)) {
            return;
        }
        if answer.mstatus != 0 {
            return self.fail(TransferFault::Refused(answer.mstatus));
        }
        match (&self.stage, answer.operation) {
            (Stage::Start, Outcome::Started(started)) if started.session_id == self.session => {
                let modules = started.modules.0.chunks_exact(STARTED_MODULE);
                let status = |module: &[u8]| match module {
                    [.., low, high, _, _] => u16::from_le_bytes([*low, *high]),
                    _ => 0,
                };
                match modules.map(status).find(|status| *status != 0) {
                    Some(status) => self.fail(TransferFault::Refused(status)),
                    None => self.enter(cx.now, Stage::Write { at: 0 }),
                }
            }
            (Stage::Write { at }, Outcome::Written(written)) if written.session_id == self.session => {
                // A response with another position or length belongs to a part that was sent twice.
                let part = self.part(*at).len();
                if usize::try_from(written.offset) == Ok(*at) && usize::from(written.length) == part {
                    let at = at + part;
                    let whole = at == self.bytes().len();
                    self.enter(cx.now, if whole { Stage::Commit } else { Stage::Write { at } });
                }
            }
            (Stage::Commit, Outcome::Committed(done)) if done.session_id == self.session => self.restart(cx),
            (&Stage::Compare { at }, Outcome::Read(part))
                if part.module_id == MODULE_PIB && usize::try_from(part.offset) == Ok(at) =>
            {
                self.compare(cx.now, at, part.data.0);
            }
            _ => {}
        }
    }

    fn restart(&mut self, cx: &mut Cx<'_>) {
        // The image may change the modem's address.
        let Ok(later) = Peer::new(self.own, self.image.mac()) else {
            return self.fail(TransferFault::NotOneModem);
        };
        let mut reset = Reset::of(self.peer, later, Vendor::Qualcomm);
        reset.start(cx);
        self.peer = later;
        self.enter(cx.now, Stage::Restart(reset));
    }

    fn compare(&mut self, now: Instant, at: usize, read: &[u8]) {
        let part = self.part(at);
        let differs = part.iter().zip(read).position(|(ours, theirs)| ours != theirs);
        let short = (read.len() != part.len()).then_some(read.len().min(part.len()));
        if let Some(place) = differs.or(short) {
            return self.fail(TransferFault::Differs(word(at + place)));
        }
        let at = at + part.len();
        if at == self.bytes().len() {
            self.finish(WriteEvent::Done);
        } else {
            self.enter(now, Stage::Compare { at });
        }
    }

    /// Processes the events of the restart.
    fn drain(&mut self, now: Instant) {
        while let Stage::Restart(reset) = &mut self.stage {
            match reset.poll_event() {
                None => return,
                Some(ResetEvent::Confirmed) => {}
                Some(ResetEvent::Back) => self.enter(now, Stage::Compare { at: 0 }),
                Some(ResetEvent::Failed(fault)) => self.fail(fault),
            }
        }
    }

    /// Writes the request of the stage, if it has one.
    fn write(&self, buffer: &mut [u8]) -> Result<Option<usize>, TooShort> {
        let mut padded = [0; CHUNK];
        let spec;
        let operation = match self.stage {
            Stage::Stopped | Stage::Restart(_) => return Ok(None),
            Stage::Start => {
                spec = ModuleSpec {
                    module_id: MODULE_PIB,
                    module_sub_id: 0,
                    length: word(self.bytes().len()),
                    checksum: checksum32(self.bytes()),
                }
                .to_bytes();
                Operation::Start(StartSession::new(self.session, &spec))
            }
            Stage::Write { at } => {
                let part = self.part(at);
                padded.iter_mut().zip(part).for_each(|(slot, byte)| *slot = *byte);
                let length = chunk(part.len());
                Operation::Write(WriteModule::new(self.session, MODULE_PIB, word(at), length, &padded))
            }
            Stage::Commit => Operation::Commit(CommitSession::new(self.session, CommitCode::empty())),
            Stage::Compare { at } => {
                return self.peer.emit(&request(at, chunk(self.part(at).len())), buffer).map(Some);
            }
        };
        self.peer.emit(&ModuleOperationReq::new(operation), buffer).map(Some)
    }
}

impl Machine for PibWriter<'_> {
    /// A whole Ethernet frame.
    type Input<'a> = &'a [u8];
    type Route = ();
    type Event = WriteEvent;

    fn handle(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) {
        if let Stage::Restart(reset) = &mut self.stage {
            reset.handle(cx, bytes);
            return self.drain(cx.now);
        }
        let Ok(frame) = Frame::parse(bytes) else { return };
        if let Some(answer) = self.peer.get::<ModuleOperationCnf<'_>>(&frame) {
            self.on_answer(cx, &answer);
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        if let Stage::Restart(reset) = &mut self.stage {
            reset.handle_timeout(cx);
            self.drain(cx.now);
        }
        while let Some(Timer::Answer) = self.timers.expired(cx.now) {
            self.ask(cx.now);
        }
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, ())>, TooShort> {
        if let Stage::Restart(reset) = &mut self.stage {
            return reset.poll_transmit(buffer);
        }
        if !self.send {
            return Ok(None);
        }
        let sent = self.write(buffer)?;
        self.send = false;
        Ok(sent.map(|len| (len, ())))
    }

    fn poll_event(&mut self) -> Option<WriteEvent> {
        let progress = self.progress.take().map(|(step, at)| WriteEvent::Progress(step, at));
        progress.or_else(|| self.events.pop())
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        let restart = match &self.stage {
            Stage::Restart(reset) => reset.poll_timeout(),
            _ => None,
        };
        Deadline::earlier(restart, self.timers.next())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::pib::{Editor, Role, sample};
    use crate::script::{Bench, MODEM, OWN, Script};
    use std::vec;
    use std::vec::Vec;

    fn images() -> (Vec<u8>, Vec<u8>) {
        let before = sample::chain(8080);
        let mut after = before.clone();
        Editor::open(&mut after).unwrap().set_role(Role::Evse).unwrap();
        (before, after)
    }

    fn bench<'a>(backup: &[u8], image: &'a [u8], script: Script) -> Bench<PibWriter<'a>> {
        let writer = WritePlan::new(backup, image).unwrap().backup_written(OWN).unwrap();
        let mut bench = Bench::new(writer, Script { pib: backup.to_vec(), ..script });
        bench.with(PibWriter::start);
        bench
    }

    #[test]
    fn a_changed_image_is_written_kept_and_read_back() {
        let (before, after) = images();
        let mut bench = bench(&before, &after, Script::new());
        let events = bench.run(20_000);
        let steps: Vec<_> = events
            .iter()
            .filter_map(|event| match event {
                WriteEvent::Progress(step, 0) => Some(*step),
                _ => None,
            })
            .collect();
        let all =
            [WriteStep::Start, WriteStep::Write, WriteStep::Commit, WriteStep::Restart, WriteStep::Compare];
        assert_eq!(steps, all);
        assert_eq!(events.last(), Some(&WriteEvent::Done));
        assert!(events.contains(&WriteEvent::Progress(WriteStep::Write, 1400)));
        assert_eq!(bench.modem.pib, after);
        assert!(bench.modem.log.iter().all(|(_, to, _)| *to == MODEM), "to that modem only");
        assert!(bench.modem.log.iter().any(|(_, _, what)| *what == 0xA01C), "it is restarted");
    }

    #[test]
    fn a_new_address_is_followed() {
        let (before, mut after) = images();
        let mac = Mac([2, 0, 0, 0, 0, 0x99]);
        Editor::open(&mut after).unwrap().set_mac(mac).unwrap();
        let plan = WritePlan::with_new_address(&before, &after, mac).unwrap();
        let script = Script { pib: before.clone(), renames: true, ..Script::new() };
        let mut bench = Bench::new(plan.backup_written(OWN).unwrap(), script);
        bench.with(PibWriter::start);
        assert_eq!(bench.run(30_000).last(), Some(&WriteEvent::Done));
        assert_eq!((bench.modem.mac, bench.modem.pib), (mac, after));
    }

    #[test]
    fn nothing_is_planned_that_could_harm_a_modem() {
        let (before, after) = images();
        let refused = |backup: &[u8], image: &[u8]| WritePlan::new(backup, image).map(|_| ()).unwrap_err();
        let mut damaged = after.clone();
        damaged[5000] ^= 4;
        let fault = pib::Fault::ImageChecksum.at(96 + sample::MANIFEST_LEN + 20);
        assert_eq!(refused(&before, &damaged), Refusal::Image(fault));
        assert_eq!(refused(&damaged, &after), Refusal::Backup(fault));
        assert_eq!(refused(&before, &after[..4000]), Refusal::Image(pib::Fault::Short.at(4000)));
        assert_eq!(refused(&before, &vec![0; 8080]), Refusal::Layout(Layout::Bare));
        assert_eq!(refused(&sample::flat(8200), &after), Refusal::Layout(Layout::Flat));
        assert_eq!(refused(&before, &sample::chain(8836)), Refusal::Length { image: 8836, modem: 8080 });
        assert_eq!(refused(&before, &before), Refusal::Unchanged);
        let (mut foreign, image) = (after.clone(), Mac([2, 0, 0, 0, 0, 0x99]));
        Editor::open(&mut foreign).unwrap().set_mac(image).unwrap();
        assert_eq!(refused(&before, &foreign), Refusal::OtherModem { image, modem: MODEM });
        let named = WritePlan::with_new_address(&before, &foreign, MODEM).map(|_| ());
        assert_eq!(named, Err(Refusal::OtherModem { image, modem: MODEM }));
    }

    #[test]
    fn lost_frames_are_repeated_and_the_commit_is_not() {
        let (before, after) = images();
        let mut bench = bench(&before, &after, Script { lose: vec![0xA0B0, 0xA01C], ..Script::new() });
        assert_eq!(bench.run(100_000).last(), Some(&WriteEvent::Done));

        let mut silent = self::bench(&before, &after, Script { lose: vec![0xA0B0; 9], ..Script::new() });
        let failed = WriteEvent::Failed(WriteStep::Start, TransferFault::NoAnswer);
        assert_eq!(silent.run(119_000).len(), 1);
        assert_eq!(silent.run(2000), [failed]);
        assert_eq!(silent.modem.pib, before);
    }

    #[test]
    fn a_lost_answer_to_the_commit_is_told_and_not_repeated() {
        let (before, after) = images();
        let mut bench = bench(&before, &after, Script { mute_commit: true, ..Script::new() });
        let failed = WriteEvent::Failed(WriteStep::Commit, TransferFault::NoAnswer);
        assert_eq!(bench.run(200_000).last(), Some(&failed));
        assert_eq!(bench.modem.asked(0xA0B0), 1 + 6 + 1);
    }

    #[test]
    fn a_part_of_which_less_was_written_is_sent_again() {
        let (before, after) = images();
        let mut bench = bench(&before, &after, Script { cuts_first_part: true, ..Script::new() });
        assert_eq!(bench.run(89_000).last(), Some(&WriteEvent::Progress(WriteStep::Write, 0)));
        assert_eq!(bench.run(60_000).last(), Some(&WriteEvent::Done));
    }

    #[test]
    fn an_image_that_is_read_back_too_short_differs() {
        let (before, after) = images();
        let mut bench = bench(&before, &after, Script { reads_short: true, ..Script::new() });
        let at = u32::try_from(after.len() - 1).unwrap();
        let failed = WriteEvent::Failed(WriteStep::Compare, TransferFault::Differs(at));
        assert_eq!(bench.run(30_000).last(), Some(&failed));
    }

    #[test]
    fn a_refusal_and_a_modem_that_keeps_the_old_image_are_failures() {
        let (before, after) = images();
        let mut refusing = bench(&before, &after, Script { refuses: Some(3), ..Script::new() });
        let failed = WriteEvent::Failed(WriteStep::Start, TransferFault::Refused(3));
        assert_eq!(refusing.run(1000).last(), Some(&failed));

        let mut picky = bench(&before, &after, Script { module_status: 9, ..Script::new() });
        let failed = WriteEvent::Failed(WriteStep::Start, TransferFault::Refused(9));
        assert_eq!(picky.run(1000).last(), Some(&failed));

        let mut forgetful = bench(&before, &after, Script { forgets: true, ..Script::new() });
        // The image's checksum is the first that differs.
        let differs = TransferFault::Differs(u32::try_from(96 + sample::MANIFEST_LEN + 20).unwrap());
        assert_eq!(forgetful.run(30_000).last(), Some(&WriteEvent::Failed(WriteStep::Compare, differs)));

        let mut bare = bench(&before, &after, Script { firmware: Some("BootLoader"), ..Script::new() });
        let failed = WriteEvent::Failed(WriteStep::Restart, TransferFault::NoFirmware);
        assert_eq!(bare.run(30_000).last(), Some(&failed));
    }
}
