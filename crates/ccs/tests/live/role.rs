//! Roles at the ends of a virtual cable: started, read, signalled, and ended with their test.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

pub(crate) fn ip(args: &str) -> bool {
    let status = Command::new("ip").args(args.split(' ')).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

pub(crate) fn make_cable() -> bool {
    let silent = |end: &str| {
        std::fs::write(format!("/proc/sys/net/ipv6/conf/{end}/disable_ipv6"), "1").is_ok()
            && ip(&format!("link set {end} up"))
    };
    ip("link add charger0 type veth peer name car0") && silent("charger0") && silent("car0")
}

/// Runs `test` in a separate network namespace, with a folder that is removed at the end.
pub(crate) fn on_a_cable(name: &str, test: impl FnOnce(&Path) + Send + 'static) {
    let folder = std::env::temp_dir().join(format!("ccs-live-{name}-{}", std::process::id()));
    let thread = std::thread::spawn(move || {
        if unshare(CloneFlags::CLONE_NEWNET).is_err() || !make_cable() {
            println!("skipped: no right to make namespaces and interfaces, or no `ip`");
            return;
        }
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("evse.toml"), "[charger]\nisolation_test_s = 1\n").unwrap();
        test(&folder);
        std::fs::remove_dir_all(folder).unwrap();
    });
    thread.join().unwrap();
}

/// A program that writes nothing for this long, in ms, hangs: judgement, the longest silence of a working
/// role is ten seconds. No test depends on speed.
pub(crate) const HUNG: u16 = 60_000;
/// A log of this many lines without the expected one is endless: judgement, an hour of charging.
pub(crate) const MOST_LINES: usize = 10_000;

/// Waits until `source` is readable or ends; `read` are the lines before.
pub(crate) fn await_output(source: BorrowedFd<'_>, waiting_for: &str, read: &[String]) {
    let mut polled = [PollFd::new(source, PollFlags::POLLIN)];
    let ready = loop {
        match poll(&mut polled, PollTimeout::from(HUNG)) {
            Err(Errno::EINTR) => {}
            ready => break ready.unwrap(),
        }
    };
    assert!(ready > 0, "hung: no output for {HUNG} ms while waiting for `{waiting_for}`, {}", end_of(read));
}

/// The last lines, for a message.
pub(crate) fn end_of(read: &[String]) -> String {
    format!("the last lines are:\n{}", read[read.len().saturating_sub(20)..].concat())
}

/// The lines up to the first one for which `is_last` holds, or to the end.
pub(crate) fn read_lines<R: Read + AsFd>(
    source: &mut BufReader<R>,
    waiting_for: &str,
    is_last: impl Fn(&str) -> bool,
) -> Vec<String> {
    let mut read: Vec<String> = Vec::new();
    while !read.last().is_some_and(|line| is_last(line)) {
        assert!(read.len() < MOST_LINES, "{MOST_LINES} lines without `{waiting_for}`, {}", end_of(&read));
        if source.buffer().is_empty() {
            await_output(source.get_ref().as_fd(), waiting_for, &read);
        }
        let mut line = String::new();
        if source.read_line(&mut line).unwrap() == 0 {
            break;
        }
        read.push(line);
    }
    read
}

/// A running role; killed when this is dropped.
pub(crate) struct Role {
    pub(crate) child: Child,
    pub(crate) log: Option<BufReader<ChildStdout>>,
}

impl Role {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::spawn(&[args, &["--plant", "simulated", "--link", "up"]].concat())
    }

    pub(crate) fn spawn(args: &[&str]) -> Self {
        // A signal that is ignored here (`nohup`) would be ignored there, too.
        let mut child = Command::new("env")
            .args(["--default-signal=HUP", env!("CARGO_BIN_EXE_ccs")])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = child.stdout.take().map(BufReader::new);
        Self { child, log }
    }

    /// A charger that offers 5 %.
    pub(crate) fn charger(folder: &Path) -> Self {
        let mut charger = Self::start(&charger_args(folder));
        charger.wait_for("charger applies 5 %");
        charger
    }

    /// A car; with `charger` it charges.
    pub(crate) fn car(folder: &Path) -> Self {
        Self::start(&["pev", "-i", "car0", "--state", state(folder, "pev").to_str().unwrap(), "--soc", "20"])
    }

    /// Reads the log up to a line that contains `words`, and returns it.
    pub(crate) fn wait_for(&mut self, words: &str) -> String {
        self.read_up_to(words).pop().unwrap()
    }

    /// The lines of the log up to one that contains `words`.
    pub(crate) fn read_up_to(&mut self, words: &str) -> Vec<String> {
        let log = self.log.as_mut().unwrap();
        let lines = read_lines(log, words, |line| line.contains(words));
        let is_there = lines.last().is_some_and(|line| line.contains(words));
        assert!(is_there, "the log ended without `{words}`, {}", end_of(&lines));
        lines
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// The rest of the log, standard error, and the exit code.
    pub(crate) fn end(mut self) -> (String, String, Option<i32>) {
        let rest = self.log.take().map(|mut log| read_lines(&mut log, "the end of the log", |_| false));
        let mut errors = BufReader::new(self.child.stderr.take().unwrap());
        let errors = read_lines(&mut errors, "the end of the errors", |_| false).concat();
        let code = self.child.wait().unwrap().code();
        (rest.unwrap_or_default().concat(), errors, code)
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn state(folder: &Path, role: &str) -> PathBuf {
    folder.join(format!("{role}.latch"))
}

pub(crate) fn charger_args(folder: &Path) -> [&'static str; 7] {
    // Lives as long as the process of the test.
    let leak = |path: PathBuf| -> &'static str {
        Box::leak(path.into_os_string().into_string().unwrap().into_boxed_str())
    };
    ["evse", "-i", "charger0", "-c", leak(folder.join("evse.toml")), "--state", leak(state(folder, "evse"))]
}

#[expect(clippy::disallowed_methods, reason = "another process runs meanwhile: real time")]
pub(crate) fn wait(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
}

pub(crate) fn last(log: &str) -> &str {
    log.lines().last().unwrap()
}
