//! The flight recorder: writes frames with their messages as comments, and the plant's actions, to pcapng
//! (`docs/recording.md`). The target is one file, or a directory with one file per session.

pub(crate) mod note;
pub(crate) mod plant;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use hal_linux::{Direction, Recorder};

use crate::calendar;
use crate::config::Megabytes;
use crate::decode::source::{Data, Packet};
use crate::decode::{Content, Decoder, Event, Keys, mme, values};
use crate::escape;
use crate::redact;

/// Entries and bytes that are kept of the time before a session: judgement, matching and discovery fit
/// several times.
const MAX_ENTRIES: usize = 4096;
const MAX_BYTES: usize = 1024 * 1024;
/// Time for which a file stays open after its session: judgement, the connection is closed by then.
const LINGER: Duration = Duration::from_secs(3);
/// The pcap link type of Ethernet.
const ETHERNET: i32 = 1;

/// Parameters of a recording.
pub struct Setup<'s> {
    /// A file, or a directory for one file per session.
    pub path: &'s Path,
    /// Name of the network interface.
    pub interface: &'s str,
    /// Largest size of a file.
    pub at_most: Megabytes,
    /// Whether network keys are recorded unchanged.
    pub with_keys: bool,
    /// Configuration of the role, written as a comment of the file.
    pub configuration: String,
    /// Address of the car, if the own side is the car.
    pub car: Option<[u8; 6]>,
}

/// A recording.
pub struct Recording {
    path: PathBuf,
    is_directory: bool,
    interface: String,
    at_most: Megabytes,
    with_keys: bool,
    configuration: String,
    car: Option<[u8; 6]>,
    decoder: Decoder,
    frames: u64,
    /// In a directory: the entries before the session.
    ring: VecDeque<Entry>,
    ring_bytes: usize,
    file: Option<Recorder<BufWriter<File>>>,
    /// When the file is closed: some time after its session.
    close_at: Option<Duration>,
}

struct Entry {
    at: Duration,
    /// `None`: an event.
    direction: Option<Direction>,
    bytes: Vec<u8>,
    comment: String,
}

impl Entry {
    fn size(&self) -> usize {
        self.bytes.len() + self.comment.len()
    }
}

impl Recording {
    /// Creates the file; in a directory the first file is created when a session begins.
    pub fn open(setup: Setup<'_>) -> anyhow::Result<Self> {
        let Setup { path, interface, at_most, with_keys, configuration, car } = setup;
        let mut recording = Self {
            path: path.to_owned(),
            is_directory: path.is_dir(),
            interface: interface.to_owned(),
            at_most,
            with_keys,
            configuration,
            car,
            decoder: Decoder::of_role(),
            frames: 0,
            ring: VecDeque::new(),
            ring_bytes: 0,
            file: None,
            close_at: None,
        };
        if !recording.is_directory {
            let mut options = OpenOptions::new();
            let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
            let file = file.with_context(|| format!("recording into {}", escape::path(path)))?;
            // An existing file would keep its mode. A pipe or device has no mode of its own.
            if file.metadata().is_ok_and(|data| data.is_file()) {
                file.set_permissions(fs::Permissions::from_mode(0o600))?;
            }
            recording.file = Some(recording.recorder(file)?);
        }
        Ok(recording)
    }

    fn recorder(&self, file: File) -> io::Result<Recorder<BufWriter<File>>> {
        let program = concat!("ccs ", env!("CARGO_PKG_VERSION"));
        let recorder =
            Recorder::described(BufWriter::new(file), &self.interface, program, &self.configuration)?;
        Ok(recorder.at_most(u64::from(self.at_most.0) * 1_000_000))
    }

    /// Records a frame; `at` is its time since 1970. Returns false if the file is full.
    pub fn frame(&mut self, at: Duration, direction: Direction, frame: &[u8]) -> io::Result<bool> {
        if self.close_at.is_none() && self.file.as_ref().is_some_and(Recorder::is_full) {
            return Ok(false);
        }
        let comment = self.comment(at, frame);
        let mut bytes = frame.to_vec();
        if !self.with_keys {
            redact::mask_keys(&mut bytes);
        }
        self.entry(Entry { at, direction: Some(direction), bytes, comment })
    }

    /// Records an event.
    pub fn note(&mut self, at: Duration, words: &str) -> io::Result<bool> {
        self.entry(Entry { at, direction: None, bytes: note::bytes(words), comment: words.to_owned() })
    }

    /// Begins a session: in a directory creates its file, with the entries before it.
    pub fn begin(&mut self, at: Duration) -> io::Result<()> {
        if !self.is_directory {
            return Ok(());
        }
        self.close()?;
        let file = create(&self.path, &name(at, self.car.or_else(|| self.peer())))?;
        let mut recorder = self.recorder(file)?;
        self.ring_bytes = 0;
        for entry in std::mem::take(&mut self.ring) {
            write(&mut recorder, &entry)?;
        }
        recorder.flush()?;
        self.file = Some(recorder);
        Ok(())
    }

    /// Ends a session: its file is closed a little later. A session without a connection has a file too.
    pub fn end(&mut self, at: Duration) -> io::Result<()> {
        if self.is_directory {
            if self.file.is_none() && !self.ring.is_empty() {
                self.begin(at)?;
            }
            self.close_at = Some(at + LINGER);
        }
        Ok(())
    }

    /// Flushes everything to the operating system, so that it outlives the program.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Recorder::flush)
    }

    fn close(&mut self) -> io::Result<()> {
        self.flush()?;
        self.file = None;
        self.close_at = None;
        Ok(())
    }

    fn entry(&mut self, entry: Entry) -> io::Result<bool> {
        if self.close_at.is_some_and(|close_at| entry.at >= close_at) {
            self.close()?;
        }
        if let Some(recorder) = &mut self.file {
            return write(recorder, &entry);
        }
        self.ring_bytes += entry.size();
        self.ring.push_back(entry);
        while self.ring.len() > MAX_ENTRIES || self.ring_bytes > MAX_BYTES {
            let Some(oldest) = self.ring.pop_front() else { break };
            self.ring_bytes -= oldest.size();
        }
        Ok(true)
    }

    /// The sender of the latest IPv6 frame received, which is the car if the own side is a charger.
    fn peer(&self) -> Option<[u8; 6]> {
        let is_ip = |entry: &&Entry| {
            entry.direction == Some(Direction::Received) && entry.bytes.get(12..14) == Some(&[0x86, 0xDD])
        };
        self.ring.iter().rev().find(is_ip)?.bytes.get(6..12)?.try_into().ok()
    }

    /// The messages that a frame completes, as `ccs decode` names them.
    fn comment(&mut self, at: Duration, frame: &[u8]) -> String {
        self.frames += 1;
        let mut comment = String::new();
        let time_ns = i64::try_from(at.as_nanos()).ok();
        let packet = Packet { frame: self.frames, time_ns, data: Data::Link(ETHERNET, frame) };
        self.decoder.take(packet, &mut |event| describe(event, &mut comment));
        comment
    }
}

/// Appends the text of a message; writing to a string cannot fail.
fn describe(event: &Event<'_>, out: &mut String) {
    if !matches!(event.content, Content::Exi(_) | Content::Sdp(_) | Content::Mme(_)) {
        return;
    }
    if !out.is_empty() {
        out.push('\n');
    }
    let _ = match &event.content {
        Content::Exi(exi) => {
            let schema = exi.schema.map_or("EXI", |schema| schema.name());
            let _ = write!(out, "{schema} {}", exi.message.unwrap_or("-"));
            if let Some(schema) = exi.schema {
                values::describe(schema, exi.payload, out);
            }
            match &exi.error {
                Some(error) => write!(out, " does not decode: {error}"),
                None => Ok(()),
            }
        }
        Content::Sdp(sdp) => write!(out, "{} {sdp}", sdp.name()),
        Content::Mme(frame) => {
            let _ = write!(out, "{}", frame.mm_type);
            match mme::describe(frame, Keys::Redacted, out) {
                Ok(()) => Ok(()),
                Err(error) => write!(out, " does not decode: {error}"),
            }
        }
        _ => Ok(()),
    };
}

fn write(recorder: &mut Recorder<BufWriter<File>>, entry: &Entry) -> io::Result<bool> {
    match entry.direction {
        Some(direction) => recorder.commented(entry.at, direction, &entry.bytes, &entry.comment),
        None => recorder.event(entry.at, &entry.bytes, &entry.comment),
    }
}

/// Creates a file of this name in a directory, readable by its owner only. If the name exists, a number is
/// added.
fn create(directory: &Path, name: &str) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut number = 1;
    loop {
        let suffix = if number == 1 { String::new() } else { format!("_{number}") };
        match options.open(directory.join(format!("{name}{suffix}.pcapng"))) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => number += 1,
            result => return result,
        }
    }
}

/// A file name: when the session began (UTC), and the manufacturer's prefix of the car's address.
fn name(at: Duration, car: Option<[u8; 6]>) -> String {
    let seconds = at.as_secs();
    let (year, month, day) = calendar::date(i64::try_from(seconds / 86_400).unwrap_or(0));
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let car = match car {
        Some([first, second, third, ..]) => format!("{first:02x}{second:02x}{third:02x}"),
        None => "unknown".into(),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}{minute:02}{second:02}Z_{car}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use homeplug_mme::view::SetKeyReq;
    use homeplug_mme::{MAX_FRAME, Mac, NetworkKey, Nmk, emit};

    const KEY: &[u8; 16] = b"0123456789abcdef";
    const CAR: Mac = Mac([0xDC, 0x0E, 0xA1, 0x11, 0x67, 0x08]);

    fn open(path: &Path, with_keys: bool) -> Recording {
        let (interface, at_most, configuration) = ("eth0", Megabytes(1), "key = 1".into());
        Recording::open(Setup { path, interface, at_most, with_keys, configuration, car: None }).unwrap()
    }

    fn with_key() -> Vec<u8> {
        let mut frame = [0; MAX_FRAME];
        let key = NetworkKey::derived(Nmk::new(*KEY));
        let length = emit(&SetKeyReq::new([1; 4], key), Mac::LOCAL_MODEM, CAR, &mut frame).unwrap();
        frame[..length].to_vec()
    }

    fn holds(file: &[u8], part: &[u8]) -> bool {
        file.windows(part.len()).any(|window| window == part)
    }

    /// A folder for one test, removed at its end.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("ccs-recording-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn keys_are_in_the_file_only_on_request_and_a_file_that_is_there_loses_its_mode() {
        let folder = folder("keys");
        let path = folder.join("run.pcapng");
        fs::write(&path, "old").unwrap();
        for with_keys in [false, true] {
            let mut recording = open(&path, with_keys);
            recording.frame(Duration::ZERO, Direction::Sent, &with_key()).unwrap();
            recording.flush().unwrap();
            let file = fs::read(&path).unwrap();
            assert_eq!(holds(&file, KEY), with_keys);
            assert!(holds(&file, b"CM_SET_KEY.REQ from=") && holds(&file, b"key = 1"));
            assert!(!holds(&file, b"30313233"), "nor in the comment");
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_session_s_file_has_what_came_before_and_the_next_session_another_one() {
        let folder = folder("sessions");
        let mut recording = open(&folder, false);
        let second = Duration::from_secs;
        let ip = [&[2; 6][..], &CAR.0, &[0x86, 0xDD], &[0; 46]].concat();
        for index in 0..2 * MAX_ENTRIES {
            recording.note(second(1), &format!("before <{index}>")).unwrap();
        }
        recording.frame(second(1), Direction::Received, &ip).unwrap();
        recording.begin(second(951_782_400)).unwrap();
        recording.note(second(951_782_401), "in the session").unwrap();
        recording.end(second(951_782_402)).unwrap();
        recording.note(second(951_782_404), "the connection's end").unwrap();
        recording.note(second(951_782_406), "later").unwrap();
        // No connection: a matching that failed.
        recording.end(second(951_868_800)).unwrap();
        recording.flush().unwrap();
        let mut names: Vec<_> =
            fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["2000-02-29T000000Z_dc0ea1.pcapng", "2000-03-01T000000Z_unknown.pcapng"]);
        let [first, last] = [&names[0], &names[1]].map(|name| fs::read(folder.join(name)).unwrap());
        assert!(
            !holds(&first, b"before <0>") && holds(&first, format!("<{}>", 2 * MAX_ENTRIES - 1).as_bytes())
        );
        assert!(holds(&first, b"in the session") && holds(&first, b"the connection's end"));
        assert!(holds(&last, b"later") && !holds(&first, b"later"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_that_vanishes_or_is_not_writable_is_an_error_and_no_more() {
        let folder = folder("gone");
        let mut recording = open(&folder, false);
        recording.note(Duration::ZERO, "before").unwrap();
        fs::remove_dir_all(folder).unwrap();
        assert!(recording.begin(Duration::ZERO).is_err());
    }
}
