//! Tasks for the own modem while the role rests: the machines of the crate `modem`, in the memory of the
//! role.

use core::ops::ControlFlow;

use homeplug_mme::Mac;
use machine::{Cx, Instant, Machine};
use modem::pib::{Editor, Role as Side};
use modem::{
    Details, Finder, FinderEvent, Inspector, InspectorEvent, PibReader, Question, ReadEvent, WriteEvent,
    WritePlan,
};

use crate::answers::Hex;
use crate::command::{Command, Tool};
use crate::{Cable, Desk, Hardware, Port};

/// Longest parameter image in bytes; the longest observed has 9796.
const IMAGE: usize = 16 * 1024;
/// Bytes of the backup in one log line.
const BACKUP_LINE: usize = 64;

/// Runs a tool to its end, or until `stop`.
#[inline(never)]
pub(crate) fn run<H: Hardware, C: Cable>(desk: &mut Desk<H>, cable: &mut C, tool: Tool) {
    match tool {
        Tool::Find => find(desk, cable),
        Tool::Show => show(desk, cable),
        Tool::PibRole(side) => pib_role(desk, cable, side),
    }
}

fn find<H: Hardware, C: Cable>(desk: &mut Desk<H>, cable: &mut C) {
    let mut finder = Finder::new(desk.mac());
    if !start(desk, |cx| finder.start(cx)) {
        return;
    }
    let is_done = drive(desk, cable, &mut finder, |_, event| match event {
        FinderEvent::Finished => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    if is_done && finder.modems().is_empty() {
        desk.say(format_args!("modem find: none answers; is it powered, is it on this interface?"));
    }
    for modem in finder.modems() {
        let place = if modem.is_local { "own cable" } else { "power line" };
        let (address, name) = (modem.address, modem.profile.name);
        desk.say(format_args!("modem find: {address} on the {place}, {name}, {}", Ascii(&modem.firmware)));
    }
}

fn show<H: Hardware, C: Cable>(desk: &mut Desk<H>, cable: &mut C) {
    let Some(details) = inspect(desk, cable) else { return };
    let (address, name) = (details.address, details.profile.name);
    desk.say(format_args!("modem show: {address}, {name}, {}", Ascii(&details.firmware)));
    if let Some(nid) = details.nid {
        desk.say(format_args!("modem show: network {nid}"));
    }
    match details.key {
        Some(key) if desk.shows_key => desk.say(format_args!("modem show: key {}", Hex(key.reveal()))),
        Some(_) => desk.say(format_args!("modem show: it has a key; `key show` shows it")),
        None => {}
    }
    if let Some(link) = details.link {
        desk.say(format_args!("modem show: link {}", if link { "up" } else { "down" }));
    }
    for host in details.hosts.iter().flatten() {
        desk.say(format_args!("modem show: host {host}"));
    }
}

/// Identifies the own modem; logs why that failed.
fn inspect<H: Hardware, C: Cable>(desk: &mut Desk<H>, cable: &mut C) -> Option<Details> {
    const QUESTIONS: &[Question] =
        &[Question::Attributes, Question::Nid, Question::Key, Question::Link, Question::Hosts];
    let mut inspector = Inspector::new(desk.mac(), Mac::LOCAL_MODEM, QUESTIONS).ok()?;
    if !start(desk, |cx| inspector.start(cx)) {
        return None;
    }
    let mut has_answered = false;
    let is_done = drive(desk, cable, &mut inspector, |_, event| match event {
        InspectorEvent::Finished => {
            has_answered = true;
            ControlFlow::Break(())
        }
        InspectorEvent::NoAnswer => ControlFlow::Break(()),
    });
    if is_done && !has_answered {
        desk.say(format_args!("modem: none answers on the own cable"));
    }
    inspector.details().filter(|_| has_answered).cloned()
}

/// Reads the parameters, logs them as a backup, changes the side, writes and compares them.
fn pib_role<H: Hardware, C: Cable>(desk: &mut Desk<H>, cable: &mut C, side: Side) {
    if !desk.shows_key {
        desk.say(format_args!(
            "modem pib role: the backup that comes first has the modem's keys: give `key show`, keep the log, and repeat"
        ));
        return;
    }
    let Some(details) = inspect(desk, cable) else { return };
    let (mut before, mut after) = ([0; IMAGE], [0; IMAGE]);
    let Some(length) = read(desk, cable, &details, &mut before) else { return };
    let (Some(before), Some(after)) = (before.get(..length), after.get_mut(..length)) else { return };
    for (number, part) in before.chunks(BACKUP_LINE).enumerate() {
        // Waits for room in the log: a backup with a missing line is useless.
        while !desk.console.is_empty() {
            turn(desk, cable);
        }
        desk.say(format_args!("backup {:06x} {}", number * BACKUP_LINE, Hex(part)));
    }
    after.copy_from_slice(before);
    let edited = Editor::open(after).and_then(|mut editor| editor.set_role(side));
    if let Err(error) = edited {
        return desk.say(format_args!("modem pib role: {error}"));
    }
    match WritePlan::new(before, after) {
        Ok(plan) => write(desk, cable, plan),
        Err(why) => desk.say(format_args!("modem pib role: {why}")),
    }
}

fn read<H: Hardware, C: Cable>(
    desk: &mut Desk<H>,
    cable: &mut C,
    details: &Details,
    buffer: &mut [u8],
) -> Option<usize> {
    let mut reader = match PibReader::new(desk.mac(), details.address, details.profile, buffer) {
        Ok(reader) => reader,
        Err(why) => {
            desk.say(format_args!("modem pib: {why}"));
            return None;
        }
    };
    if !start(desk, |cx| reader.start(cx)) {
        return None;
    }
    let mut length = None;
    drive(desk, cable, &mut reader, |desk, event| match event {
        ReadEvent::Done(bytes) => {
            length = Some(bytes);
            ControlFlow::Break(())
        }
        ReadEvent::Failed(why) => {
            desk.say(format_args!("modem pib: {why}"));
            ControlFlow::Break(())
        }
        ReadEvent::Progress(_) => ControlFlow::Continue(()),
    });
    length
}

fn write<H: Hardware, C: Cable>(desk: &mut Desk<H>, cable: &mut C, plan: WritePlan<'_>) {
    let mut writer = match plan.backup_written(desk.mac()) {
        Ok(writer) => writer,
        Err(why) => return desk.say(format_args!("modem pib: {why}")),
    };
    if !start(desk, |cx| writer.start(cx)) {
        return;
    }
    drive(desk, cable, &mut writer, |desk, event| match event {
        WriteEvent::Done => {
            desk.say(format_args!(
                "modem pib role: done; the modem has restarted and shows what was written"
            ));
            ControlFlow::Break(())
        }
        WriteEvent::Failed(step, why) => {
            desk.say(format_args!("modem pib role: {step:?}: {why}"));
            ControlFlow::Break(())
        }
        WriteEvent::Progress(..) => ControlFlow::Continue(()),
    });
}

/// Starts a machine; `false`: the entropy pool has too little.
fn start<H: Hardware>(desk: &mut Desk<H>, begin: impl FnOnce(&mut Cx<'_>)) -> bool {
    let now = desk.now();
    let Some(generator) = &mut desk.generator else { return false };
    begin(&mut Cx { now, entropy: generator });
    true
}

/// Runs a machine with the frames of the port until `judge` ends it (`true`), or `stop` is received
/// (`false`).
fn drive<H, C, M>(
    desk: &mut Desk<H>,
    cable: &mut C,
    machine: &mut M,
    mut judge: impl FnMut(&mut Desk<H>, M::Event) -> ControlFlow<()>,
) -> bool
where
    H: Hardware,
    C: Cable,
    M: for<'f> Machine<Input<'f> = &'f [u8], Route = ()>,
{
    let mut buffer = [0; roles::MAX_FRAME];
    loop {
        let now = turn(desk, cable);
        if desk.read_line().is_some_and(|line| is_stop(desk, &line)) {
            return false;
        }
        while let Some(length) = desk.board.port.receive(now, &mut buffer) {
            let frame = buffer.get(..length).unwrap_or_default();
            start(desk, |cx| machine.handle(cx, frame));
        }
        if machine.poll_timeout().is_some_and(|deadline| deadline.at <= now) {
            start(desk, |cx| machine.handle_timeout(cx));
        }
        while let Some((length, ())) = machine::whole(machine.poll_transmit(&mut buffer)) {
            desk.board.port.send(now, buffer.get(..length).unwrap_or_default());
        }
        while let Some(event) = machine.poll_event() {
            if judge(desk, event).is_break() {
                return true;
            }
        }
    }
}

/// The board's duties in each turn, whatever the tool does.
fn turn<H: Hardware, C: Cable>(desk: &mut Desk<H>, cable: &mut C) -> Instant {
    cable.measure(&mut desk.board.clock);
    desk.sign();
    let now = desk.now();
    desk.console.pump(now, &mut desk.board.serial);
    now
}

fn is_stop<H: Hardware>(desk: &mut Desk<H>, line: &str) -> bool {
    let is_stop = Command::parse(line) == Some(Command::Stop);
    if !is_stop {
        desk.say(format_args!("the modem is being worked on; `stop` ends that"));
    }
    is_stop
}

/// ASCII text of bytes; a byte that is not printable is a point.
struct Ascii<'b>(&'b [u8]);

impl core::fmt::Display for Ascii<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        use core::fmt::Write as _;
        self.0.iter().try_for_each(|byte| {
            let letter = char::from(*byte);
            f.write_char(if letter == ' ' || letter.is_ascii_graphic() { letter } else { '.' })
        })
    }
}
