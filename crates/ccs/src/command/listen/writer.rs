//! Decodes, writes and records on its own thread: neither a stalled terminal or disk nor decoding delays the
//! loop.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

use hal_linux::{Direction, Recorder};

use crate::command::decode::json::JsonLines;
use crate::command::decode::notes::seconds;
use crate::command::decode::summary::Summary;
use crate::command::decode::{Lines, Look, Printer, Report, Totals, Width};
use crate::decode::source::{Data, End, Packet};
use crate::decode::{Content, Decoder, Keys};
use crate::recording::Recording;
use crate::redact;
use crate::style::{self, Palette};

/// Most frames and lines that may wait, and their bytes: judgement, seconds of a full link. Further ones are
/// lost, and the loss is reported.
const WAITING: usize = 8192;
const WAITING_BYTES: usize = 8 << 20;

/// Queues frames and lines without blocking.
pub(super) struct Queue<'a> {
    jobs: SyncSender<Job>,
    shared: &'a Shared,
    lost: u64,
}

enum Job {
    Frame(Duration, Direction, Vec<u8>),
    Words(Duration, String),
}

#[derive(Default)]
struct Shared {
    nobody_reads: AtomicBool,
    /// Bytes of the waiting jobs.
    bytes: AtomicUsize,
}

impl Queue<'_> {
    /// Queues a frame; `at` is its time since 1970 (UTC). A frame that was sent is only recorded.
    pub(super) fn frame(&mut self, at: Duration, direction: Direction, bytes: Vec<u8>) {
        self.send(bytes.len(), Job::Frame(at, direction, bytes));
    }

    /// Queues a line.
    pub(super) fn say(&mut self, at: Duration, words: String) {
        self.send(words.len(), Job::Words(at, words));
    }

    /// Number of frames and lines that were lost since the last call.
    pub(super) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// Whether writing has failed: the reader of the pipe is gone.
    pub(super) fn nobody_reads(&self) -> bool {
        self.shared.nobody_reads.load(Ordering::Relaxed)
    }

    fn send(&mut self, size: usize, job: Job) {
        let bytes = &self.shared.bytes;
        // Only this thread adds bytes.
        let has_room = bytes.load(Ordering::Relaxed) + size <= WAITING_BYTES;
        bytes.fetch_add(size, Ordering::Relaxed);
        if !has_room || self.jobs.try_send(job).is_err() {
            bytes.fetch_sub(size, Ordering::Relaxed);
            self.lost += 1;
        }
    }
}

/// Runs `work` with the queue of a writer. Returns its result when everything is written.
pub(super) fn with_writer<T>(writer: Writer<'_>, work: impl FnOnce(&mut Queue<'_>) -> T) -> T {
    let shared = Shared::default();
    let (jobs, received) = sync_channel(WAITING);
    std::thread::scope(|scope| {
        let shared = &shared;
        let thread = scope.spawn(move || writer.run(&received, shared));
        let mut queue = Queue { jobs, shared, lost: 0 };
        let result = work(&mut queue);
        if queue.lost > 0 {
            let lost = queue.lost;
            anstream::eprintln!("{lost} frames and lines were not written: whoever reads this is too slow");
        }
        drop(queue);
        // A panic of the thread continues here.
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
        result
    })
}

/// Output for lines or a live capture.
pub(super) type Output = Box<dyn Write + Send>;

/// Where frames are recorded.
pub(super) enum Record {
    /// A file, as the roles record.
    File(Box<Recording>),
    /// A pipe: frames only, without a limit of size.
    Live { recorder: Recorder<Output>, with_keys: bool },
}

impl Record {
    fn frame(&mut self, at: Duration, direction: Direction, frame: &[u8]) -> io::Result<bool> {
        match self {
            Self::File(recording) => recording.frame(at, direction, frame),
            Self::Live { recorder, with_keys: true } => recorder.frame(at, direction, frame),
            Self::Live { recorder, with_keys: false } => {
                let mut masked = frame.to_vec();
                redact::mask_keys(&mut masked);
                recorder.frame(at, direction, &masked)
            }
        }
    }

    /// A session begins (`true`) or ends: in a directory each has a file.
    fn session(&mut self, at: Duration, begins: bool) -> io::Result<()> {
        match self {
            Self::File(recording) if begins => recording.begin(at),
            Self::File(recording) => recording.end(at),
            Self::Live { .. } => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(recording) => recording.flush(),
            Self::Live { recorder, .. } => recorder.flush(),
        }
    }
}

/// Writes lines for frames, and the stories at the end.
pub(super) struct Writer<'a> {
    lines: Box<dyn Report + Send + 'a>,
    summary: Summary<'a>,
    decoder: Decoder,
    is_json: bool,
    palette: Palette,
    out: Output,
    recorder: Option<Record>,
    frames: u64,
    first: Option<Duration>,
    /// Frames that arrived after the recording was full.
    left_out: u64,
    /// Whether the next message is the first one observed of its connection.
    is_first: bool,
    /// Number of sessions with a message.
    sessions: u64,
}

impl<'a> Writer<'a> {
    /// A writer before the first frame. `names` are the names of the interfaces.
    pub(super) fn new(
        names: &'a str,
        is_json: bool,
        keys: Keys,
        palette: Palette,
        out: Output,
        recorder: Option<Record>,
    ) -> Self {
        let lines: Box<dyn Report + Send + 'a> = if is_json {
            Box::new(JsonLines::new(names, keys))
        } else {
            let look =
                Look { keys, width: Width::of_terminal(), is_coloured: palette.enabled, ..Look::default() };
            Box::new(Lines(Printer::new(look)))
        };
        Self {
            lines,
            summary: Summary::new(names, "live", None, is_json),
            decoder: Decoder::new(),
            is_json,
            palette,
            out,
            recorder,
            frames: 0,
            first: None,
            left_out: 0,
            is_first: true,
            sessions: 0,
        }
    }

    fn run(mut self, jobs: &Receiver<Job>, shared: &Shared) {
        let result = self.write_all(jobs, shared).and_then(|()| self.end());
        if result.is_err() {
            shared.nobody_reads.store(true, Ordering::Relaxed);
            // The loop ends soon; until then its queue must not fill up.
            while jobs.recv().is_ok() {}
        }
    }

    fn write_all(&mut self, jobs: &Receiver<Job>, shared: &Shared) -> io::Result<()> {
        loop {
            let job = match jobs.try_recv() {
                Ok(job) => job,
                // The queue is empty: the output is complete up to here.
                Err(TryRecvError::Empty) => {
                    self.flush()?;
                    match jobs.recv() {
                        Ok(job) => job,
                        Err(_) => return Ok(()),
                    }
                }
                Err(TryRecvError::Disconnected) => return Ok(()),
            };
            let size = match &job {
                Job::Frame(.., bytes) => bytes.len(),
                Job::Words(_, words) => words.len(),
            };
            shared.bytes.fetch_sub(size, Ordering::Relaxed);
            match job {
                Job::Frame(at, direction, bytes) => self.frame(at, direction, &bytes)?,
                Job::Words(at, words) => self.words(at, &words)?,
            }
        }
    }

    fn frame(&mut self, at: Duration, direction: Direction, bytes: &[u8]) -> io::Result<()> {
        self.record(at, direction, bytes)?;
        if direction == Direction::Sent {
            return Ok(());
        }
        self.frames += 1;
        self.first.get_or_insert(at);
        let time_ns = i64::try_from(at.as_nanos()).ok();
        let packet = Packet { frame: self.frames, time_ns, data: Data::Link(1, bytes) };
        let Self { decoder, lines, summary, out, .. } = self;
        let mut written = Ok(());
        let (mut opens, mut speaks, mut closes) = (false, false, false);
        decoder.take(packet, &mut |event| {
            opens |= matches!(event.content, Content::Opened(_));
            speaks |= matches!(event.content, Content::Exi(_) | Content::Tls(_));
            closes |= matches!(event.content, Content::Closed(..));
            if written.is_ok() {
                written = lines.event(event, out).and_then(|()| summary.event(event, out));
            }
        });
        written?;
        self.is_first |= opens;
        // A connection without a message is no session.
        if speaks && std::mem::take(&mut self.is_first) {
            self.sessions += 1;
            self.session(at, true)?;
        } else if closes && !self.is_first {
            self.session(at, false)?;
        }
        Ok(())
    }

    fn session(&mut self, at: Duration, begins: bool) -> io::Result<()> {
        let done = self.recorder.as_mut().map_or(Ok(()), |recorder| recorder.session(at, begins));
        done.or_else(|error| self.recording_failed(error))
    }

    /// A full disk ends the recording, which is reported, and nothing else. If the reader of a pipe is gone,
    /// everything ends.
    fn record(&mut self, at: Duration, direction: Direction, bytes: &[u8]) -> io::Result<()> {
        let Some(recorder) = &mut self.recorder else { return Ok(()) };
        match recorder.frame(at, direction, bytes) {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.left_out += 1;
                if self.left_out > 1 {
                    return Ok(());
                }
                self.words(at, "the recording is full and ends here: --record-max-mb")
            }
            Err(error) => self.recording_failed(error),
        }
    }

    fn recording_failed(&mut self, error: io::Error) -> io::Result<()> {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Err(error);
        }
        self.recorder = None;
        let at = self.first.unwrap_or_default();
        self.words(at, &format!("the recording ends: {error}"))
    }

    /// Writes a line that belongs to no frame; with JSON it goes to standard error.
    fn words(&mut self, at: Duration, words: &str) -> io::Result<()> {
        if self.is_json {
            anstream::eprintln!("{words}");
            return Ok(());
        }
        let since = self.first.map_or(Duration::ZERO, |first| at.saturating_sub(first));
        let words = self.palette.paint(style::NOTE, &format!("==> {words}"));
        let time = seconds(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX));
        writeln!(self.out, "{time:12.6} {:>6} {words}", "")
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(Err(error)) = self.recorder.as_mut().map(Record::flush) {
            self.recording_failed(error)?;
        }
        self.out.flush()
    }

    /// Writes what was delayed, then the stories.
    fn end(&mut self) -> io::Result<()> {
        let Self { decoder, lines, summary, out, .. } = self;
        let mut written = Ok(());
        decoder.finish(&mut |event| {
            // The stories are written below.
            let is_over = matches!(event.content, Content::Over(_));
            if written.is_ok() && !is_over {
                written = lines.event(event, out);
            }
            if written.is_ok() {
                written = summary.event(event, out);
            }
        });
        written?;
        let totals = Totals {
            end: &End::Complete,
            streams: decoder.streams(),
            given_up: decoder.given_up(),
            counts: decoder.counts(),
        };
        lines.end(&totals, out)?;
        if !self.is_json {
            writeln!(out)?;
        }
        summary.end(&totals, out)?;
        if self.left_out > 0 {
            let words = format!("the recording was full: {} frames are not in it", self.left_out);
            let at = self.first.unwrap_or_default();
            self.words(at, &words)?;
        }
        if self.sessions == 0 {
            // A matching without a session has a file too.
            self.session(self.first.unwrap_or_default(), false)?;
        }
        self.flush()
    }
}
