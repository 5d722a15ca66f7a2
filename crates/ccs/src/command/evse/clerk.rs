//! Writes log and recording on a thread of its own: a stalled terminal or disk must not hold the charger up.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

use hal_linux::{Direction, Recorder};

/// Lines and frames that may wait: some seconds of a charging loop (judgement). What comes on top is lost, and
/// told.
const WAITING: usize = 2048;

/// Takes lines and frames without ever waiting.
pub struct Clerk<'a> {
    jobs: SyncSender<Job>,
    lost: u64,
    nobody_reads: &'a AtomicBool,
}

enum Job {
    Line(Vec<u8>),
    Frame(Duration, Direction, Vec<u8>),
}

impl Clerk<'_> {
    /// Writes a line, its end included.
    pub fn line(&mut self, line: Vec<u8>) {
        if self.lost > 0 {
            let told = Job::Line(format!("... {} lines and frames were lost here\n", self.lost).into_bytes());
            if self.jobs.try_send(told).is_ok() {
                self.lost = 0;
            }
        }
        self.send(Job::Line(line));
    }

    /// Records a frame; `at` is its time since 1970.
    pub fn frame(&mut self, at: Duration, direction: Direction, frame: &[u8]) {
        self.send(Job::Frame(at, direction, frame.to_vec()));
    }

    /// Whether writing lines has failed: the reader of a pipe is gone.
    pub fn nobody_reads(&self) -> bool {
        self.nobody_reads.load(Ordering::Relaxed)
    }

    fn send(&mut self, job: Job) {
        if self.jobs.try_send(job).is_err() {
            self.lost += 1;
        }
    }
}

/// Runs `work` with a clerk that writes to `out` and `recorder`, and gives its result when everything is
/// written.
pub fn with_clerk<T>(
    out: &mut (dyn Write + Send),
    recorder: Option<Recorder<BufWriter<File>>>,
    work: impl FnOnce(&mut Clerk<'_>) -> T,
) -> T {
    let nobody_reads = AtomicBool::new(false);
    let nobody = &nobody_reads;
    let (jobs, received) = sync_channel(WAITING);
    std::thread::scope(|scope| {
        scope.spawn(move || write(&received, out, recorder, nobody));
        work(&mut Clerk { jobs, lost: 0, nobody_reads: nobody })
    })
}

fn write(
    jobs: &Receiver<Job>,
    out: &mut (dyn Write + Send),
    mut recorder: Option<Recorder<BufWriter<File>>>,
    nobody_reads: &AtomicBool,
) {
    let mut line = |line: &[u8]| {
        if !nobody_reads.load(Ordering::Relaxed) && out.write_all(line).and_then(|()| out.flush()).is_err() {
            nobody_reads.store(true, Ordering::Relaxed);
        }
    };
    loop {
        let job = match jobs.try_recv() {
            Ok(job) => job,
            // A pause: the recording on disk is complete up to here.
            Err(TryRecvError::Empty) => {
                let flushed = recorder.as_mut().map_or(Ok(()), Recorder::flush);
                if let Err(error) = flushed {
                    recorder = None;
                    line(format!("the recording ends: {error}\n").as_bytes());
                }
                match jobs.recv() {
                    Ok(job) => job,
                    Err(_) => return,
                }
            }
            Err(TryRecvError::Disconnected) => break,
        };
        match job {
            Job::Line(bytes) => line(&bytes),
            Job::Frame(at, direction, frame) => {
                let written =
                    recorder.as_mut().map_or(Ok(()), |recorder| recorder.frame(at, direction, &frame));
                if let Err(error) = written {
                    recorder = None;
                    line(format!("the recording ends: {error}\n").as_bytes());
                }
            }
        }
    }
    if let Some(Err(error)) = recorder.as_mut().map(Recorder::flush) {
        line(format!("the recording ends: {error}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    /// Stalls until it is allowed to go on.
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

    struct Broken;

    impl Write for Broken {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stalled_reader_costs_lines_but_no_time_and_is_told() {
        let (allow, allowed) = std::sync::mpsc::channel();
        let mut out = Stalled(allowed, Vec::new());
        with_clerk(&mut out, None, |clerk| {
            for index in 0..WAITING + 100 {
                clerk.line(format!("{index}\n").into_bytes());
            }
            assert!(clerk.lost > 90);
            drop(allow);
            while clerk.lost > 0 {
                clerk.line(b"again\n".to_vec());
            }
        });
        let text = String::from_utf8(out.1).unwrap();
        assert!(text.starts_with("0\n1\n2\n") && text.contains(" lines and frames were lost here\n"));
        assert!(text.ends_with("again\n"));
    }

    #[test]
    fn a_full_disk_ends_the_recording_with_a_word_and_nothing_else() {
        // Every write to this device fails for want of room.
        let Ok(full) = File::options().write(true).open("/dev/full") else {
            println!("skipped: no /dev/full");
            return;
        };
        let mut out = Vec::new();
        let recorder = Recorder::new(BufWriter::new(full), "eth0").unwrap();
        with_clerk(&mut out, Some(recorder), |clerk| {
            for index in 0..1_000 {
                clerk.frame(Duration::ZERO, Direction::Sent, &[0; 60]);
                clerk.line(format!("{index}\n").into_bytes());
            }
        });
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("the recording ends: ").count(), 1, "{text}");
        assert_eq!(text.lines().filter(|line| line.parse::<u32>().is_ok()).count(), 1_000);
    }

    #[test]
    fn a_gone_reader_is_noticed() {
        let gone = with_clerk(&mut Broken, None, |clerk| {
            while !clerk.nobody_reads() {
                clerk.line(b"hello\n".to_vec());
            }
            true
        });
        assert!(gone);
    }
}
