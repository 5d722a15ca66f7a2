//! Formats and writes the log on its own thread: neither a stalled terminal or disk nor decoding delays the
//! role.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hal_linux::Direction;
use listen::Close;
use listen::story::Side;
use machine::Instant;

use crate::inbox::Document;
use crate::log::{Details, Log};
use crate::recording::Recording;
use crate::repeats::More;
use crate::retelling::Retelling;
use crate::said::Said;
use crate::style::Palette;

/// Lines and frames that may wait: judgement, some seconds of a charging loop. Further ones are lost, and the
/// loss is reported.
const WAITING: usize = 2048;
/// Bytes that may wait. The last quarter is for lines only, so that a flood of recorded frames displaces no
/// line.
const WAITING_BYTES: usize = 1 << 20;

/// Queues lines and frames without blocking.
pub struct LogWriter<'a> {
    jobs: SyncSender<Job>,
    shared: &'a Shared,
    lost_lines: u64,
    lost_frames: u64,
}

/// A line to be written.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its time.
    pub at: Instant,
    /// Its event.
    pub said: Said,
    /// The message that the event is about.
    pub document: Option<Document>,
    /// How many events of its kind it stands for.
    pub more: Option<More>,
}

enum Job {
    Line(Box<Entry>),
    /// A message for the session's story; the end of its connection; the end of the story.
    Message(listen::Direction, Document),
    Closed(Instant, Side, Close),
    Story,
    Frame(Duration, Direction, Vec<u8>),
    /// An action of the plant.
    Note(Duration, String),
    /// A session begins (`true`) or ends.
    Session(Duration, bool),
}

/// State that both threads use.
#[derive(Default)]
struct Shared {
    nobody_reads: AtomicBool,
    /// Bytes of the waiting jobs.
    bytes: AtomicUsize,
    /// The line that is written last.
    last: Mutex<String>,
}

impl Job {
    fn size(&self) -> usize {
        let held = match self {
            Self::Line(entry) => {
                let Entry { said, document, .. } = entry.as_ref();
                let words =
                    if let Said::Words(words) | Said::Loop(_, words) = said { words.len() } else { 0 };
                size_of::<Entry>() + words + document.as_ref().map_or(0, |document| document.bytes.len())
            }
            Self::Message(_, document) => document.bytes.len(),
            Self::Frame(_, _, frame) => frame.len(),
            Self::Note(_, words) => words.len(),
            Self::Story | Self::Closed(..) | Self::Session(..) => 0,
        };
        size_of::<Self>() + held
    }
}

impl LogWriter<'_> {
    /// Queues a line.
    pub fn tell(&mut self, entry: Entry) {
        if !self.send(Job::Line(Box::new(entry)), WAITING_BYTES) {
            self.lost_lines += 1;
        }
    }

    /// Queues a message for the session's story.
    pub fn message(&mut self, direction: listen::Direction, document: Document) {
        if !self.send(Job::Message(direction, document), WAITING_BYTES) {
            self.lost_lines += 1;
        }
    }

    /// Queues the end of the session's connection for its story.
    pub fn closed(&mut self, at: Instant, by: Side, close: Close) {
        if !self.send(Job::Closed(at, by, close), WAITING_BYTES) {
            self.lost_lines += 1;
        }
    }

    /// Queues the end of the session: writes its story.
    pub fn story(&mut self) {
        if !self.send(Job::Story, WAITING_BYTES) {
            self.lost_lines += 1;
        }
    }

    /// Queues a frame for the recording; `at` is its time since 1970.
    pub fn frame(&mut self, at: Duration, direction: Direction, frame: &[u8]) {
        // Checked before the frame is copied, because most frames of a flood are dropped here.
        let room = WAITING_BYTES / 4 * 3;
        let is_room = self.shared.bytes.load(Ordering::Relaxed) + frame.len() < room;
        if !is_room || !self.send(Job::Frame(at, direction, frame.to_vec()), room) {
            self.lost_frames += 1;
        }
    }

    /// Queues an action of the plant for the recording; `at` is its time since 1970.
    pub fn note(&mut self, at: Duration, words: String) {
        if !self.send(Job::Note(at, words), WAITING_BYTES / 4 * 3) {
            self.lost_frames += 1;
        }
    }

    /// Queues the begin (`true`) or end of a session, for recordings with one file per session.
    pub fn session(&mut self, at: Duration, begins: bool) {
        if !self.send(Job::Session(at, begins), WAITING_BYTES) {
            self.lost_frames += 1;
        }
    }

    /// Whether writing a line has failed: the reader of the pipe is gone.
    pub fn nobody_reads(&self) -> bool {
        self.shared.nobody_reads.load(Ordering::Relaxed)
    }

    /// What was lost since the last call, as text.
    pub fn lost(&mut self) -> Option<String> {
        let (lines, frames) = (std::mem::take(&mut self.lost_lines), std::mem::take(&mut self.lost_frames));
        let words = match (lines, frames) {
            (0, 0) => return None,
            (lines, 0) => format!("{lines} lines were lost: whoever reads this is too slow"),
            (0, frames) => format!("{frames} frames are not in the recording: the disk is too slow"),
            (lines, frames) => format!(
                "{lines} lines and {frames} frames of the recording were lost: reader or disk is too slow"
            ),
        };
        Some(words)
    }

    /// Sets the line that is written after everything else, even if the queue is full.
    pub fn last(&mut self, line: &str) {
        let lost = self.lost().map(|words| words + "\n").unwrap_or_default();
        let mut last = self.shared.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = format!("{lost}{line}\n");
    }

    fn send(&self, job: Job, room: usize) -> bool {
        let size = job.size();
        let bytes = &self.shared.bytes;
        // Only this thread adds bytes.
        if bytes.load(Ordering::Relaxed) + size > room {
            return false;
        }
        bytes.fetch_add(size, Ordering::Relaxed);
        let is_sent = self.jobs.try_send(job).is_ok();
        if !is_sent {
            bytes.fetch_sub(size, Ordering::Relaxed);
        }
        is_sent
    }
}

/// Runs `work` with a writer to `out` and `recording`. Returns its result when everything is written.
pub(crate) fn with_log_writer<T>(
    out: &mut (dyn Write + Send),
    recording: Option<Recording>,
    work: impl FnOnce(&mut LogWriter<'_>) -> T,
) -> T {
    let shared = Shared::default();
    let (jobs, received) = sync_channel(WAITING);
    std::thread::scope(|scope| {
        let (log, retelling) = (Log::new(Palette::stdout()), Retelling::default());
        let writer = Writer { out, log, retelling, recording, left_out: 0, shared: &shared };
        let writer = scope.spawn(move || writer.run(&received));
        let result = work(&mut LogWriter { jobs, shared: &shared, lost_lines: 0, lost_frames: 0 });
        // If the log could not be written, the last line goes to standard error.
        if writer.join().is_err() || shared.nobody_reads.load(Ordering::Relaxed) {
            let last = shared.last.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = std::io::stderr().write_all(last.as_bytes());
        }
        result
    })
}

/// The side of the thread, which may block.
struct Writer<'a> {
    out: &'a mut (dyn Write + Send),
    log: Log,
    retelling: Retelling,
    recording: Option<Recording>,
    /// Frames that arrived after the recording was full.
    left_out: u64,
    shared: &'a Shared,
}

impl Writer<'_> {
    fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let job = match jobs.try_recv() {
                Ok(job) => job,
                // The queue is empty: the recording on disk is complete up to here.
                Err(TryRecvError::Empty) => {
                    self.flush();
                    match jobs.recv() {
                        Ok(job) => job,
                        Err(_) => break,
                    }
                }
                Err(TryRecvError::Disconnected) => break,
            };
            self.shared.bytes.fetch_sub(job.size(), Ordering::Relaxed);
            match job {
                Job::Line(entry) => self.entry(&entry),
                Job::Message(direction, Document { at, payload_type, bytes, .. }) => {
                    self.retelling.message(at, direction, payload_type, &bytes);
                }
                Job::Closed(at, by, close) => self.retelling.closed(at, by, close),
                Job::Story => {
                    let mut story = Vec::new();
                    // Writing to memory cannot fail.
                    let _ = self.retelling.end(&mut story);
                    self.line(&story);
                }
                Job::Frame(at, direction, frame) => {
                    self.record(|recording| recording.frame(at, direction, &frame));
                }
                Job::Note(at, words) => self.record(|recording| recording.note(at, &words)),
                Job::Session(at, begins) => self.record(|recording| {
                    let done = if begins { recording.begin(at) } else { recording.end(at) };
                    done.map(|()| true)
                }),
            }
        }
        self.flush();
        if self.left_out > 0 {
            let words = format!("the recording was full: {} frames are not in it\n", self.left_out);
            self.line(words.as_bytes());
        }
        let last = self.shared.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.line(last.as_bytes());
    }

    fn entry(&mut self, entry: &Entry) {
        let Entry { at, said, document, more } = entry;
        let details = Details { document: document.as_ref(), more: *more };
        let mut line = Vec::new();
        // Writing to memory cannot fail.
        let _ = self.log.said(*at, said, details, &mut line);
        self.line(&line);
    }

    fn line(&mut self, line: &[u8]) {
        let Self { out, shared: Shared { nobody_reads, .. }, .. } = self;
        if !nobody_reads.load(Ordering::Relaxed) && out.write_all(line).and_then(|()| out.flush()).is_err() {
            nobody_reads.store(true, Ordering::Relaxed);
        }
    }

    /// Records something. A failure ends the recording, never the role.
    fn record(&mut self, write: impl FnOnce(&mut Recording) -> io::Result<bool>) {
        let Some(recording) = &mut self.recording else { return };
        match write(recording) {
            Ok(true) => {}
            Ok(false) => {
                self.left_out += 1;
                if self.left_out == 1 {
                    self.line(b"the recording is full and ends here: record_max_mb\n");
                }
            }
            Err(error) => self.fail(&error),
        }
    }

    fn flush(&mut self) {
        if let Some(Err(error)) = self.recording.as_mut().map(Recording::flush) {
            self.fail(&error);
        }
    }

    fn fail(&mut self, error: &io::Error) {
        self.recording = None;
        self.line(format!("the recording ends: {error}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Megabytes;
    use crate::recording::Setup;
    use std::path::Path;

    /// Blocks until the test allows it to continue.
    struct Stalled(Receiver<()>, Vec<u8>);

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            self.1.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn recording(path: &Path) -> Recording {
        let at_most = Megabytes(1);
        let (interface, configuration) = ("eth0", String::new());
        Recording::open(Setup { path, interface, at_most, with_keys: false, configuration, car: None })
            .unwrap()
    }

    struct Broken;

    impl Write for Broken {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn words(words: &str) -> Entry {
        Entry { at: Instant::ZERO, said: Said::Words(words.into()), document: None, more: None }
    }

    #[test]
    fn a_stalled_reader_costs_lines_but_no_time_and_the_last_line_is_never_lost() {
        let (allow, allowed) = std::sync::mpsc::channel();
        let mut out = Stalled(allowed, Vec::new());
        with_log_writer(&mut out, None, |writer| {
            for index in 0..WAITING + 100 {
                writer.tell(words(&format!("<{index}>")));
            }
            assert!(writer.lost_lines > 90);
            writer.last("the end");
            drop(allow);
        });
        let text = String::from_utf8(out.1).unwrap();
        assert!(text.contains("<0>\n") && text.contains("<1>\n"), "{text}");
        let last: Vec<&str> = text.lines().rev().take(2).collect();
        assert!(last[1].ends_with(" lines were lost: whoever reads this is too slow"), "{last:?}");
        assert_eq!(last[0], "the end");
    }

    #[test]
    fn large_frames_wait_in_bounded_memory_and_leave_room_for_lines() {
        let (allow, allowed) = std::sync::mpsc::channel();
        let mut out = Stalled(allowed, Vec::new());
        let frame = vec![0; 60_000];
        with_log_writer(&mut out, None, |writer| {
            for _ in 0..500 {
                writer.tell(words("first"));
                writer.frame(Duration::ZERO, Direction::Received, &frame);
                assert!(writer.shared.bytes.load(Ordering::Relaxed) <= WAITING_BYTES);
            }
            assert_eq!(writer.lost_lines, 0);
            assert!(writer.lost_frames > 400, "{}", writer.lost_frames);
            assert!(writer.lost().is_some_and(|words| words.contains(" frames are not in the recording")));
            assert_eq!(writer.lost(), None);
            drop(allow);
        });
        assert_eq!(String::from_utf8(out.1).unwrap().matches("first").count(), 500);
    }

    #[test]
    fn a_full_disk_ends_the_recording_with_a_word_and_nothing_else() {
        // Every write to this device fails for lack of space.
        let full = Path::new("/dev/full");
        if !full.exists() {
            println!("skipped: no /dev/full");
            return;
        }
        let mut out = Vec::new();
        with_log_writer(&mut out, Some(recording(full)), |writer| {
            for index in 0..1_000 {
                writer.frame(Duration::ZERO, Direction::Sent, &[0; 60]);
                writer.tell(words(&format!("<{index}>")));
            }
        });
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("the recording ends: ").count(), 1, "{text}");
        assert_eq!(text.lines().filter(|line| line.ends_with('>')).count(), 1_000);
    }

    #[test]
    fn a_full_recording_says_so_once_and_what_it_lacks_at_the_end() {
        let path = std::env::temp_dir().join(format!("ccs-full-{}.pcapng", std::process::id()));
        let mut out = Vec::new();
        with_log_writer(&mut out, Some(recording(&path)), |writer| {
            for _ in 0..50 {
                writer.note(Duration::ZERO, "x".repeat(25_000 - 30));
                while writer.shared.bytes.load(Ordering::Relaxed) > 0 {
                    std::thread::yield_now();
                }
            }
            writer.last("the end");
        });
        let size = std::fs::metadata(&path).unwrap().len();
        std::fs::remove_file(path).unwrap();
        assert!((900_000..1_001_000).contains(&size), "{size}");
        let text = String::from_utf8(out).unwrap();
        let full = "the recording is full and ends here: record_max_mb\n";
        assert_eq!(text, format!("{full}the recording was full: 30 frames are not in it\nthe end\n"));
    }

    #[test]
    fn a_gone_reader_is_noticed() {
        let gone = with_log_writer(&mut Broken, None, |writer| {
            while !writer.nobody_reads() {
                writer.tell(words("hello"));
            }
            true
        });
        assert!(gone);
    }
}
