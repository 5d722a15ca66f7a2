//! State that outlives the program: a latch, in a file.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A stored latch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Name of the latch (`session::Latch::name`), or [`UNREADABLE`](Self::UNREADABLE).
    pub latch: String,
    /// Its cause, in one line.
    pub cause: String,
    /// When it was set, in seconds since 1970 (UTC).
    pub unix_s: u64,
}

impl Kept {
    /// Name of the latch of a file that cannot be read.
    pub const UNREADABLE: &'static str = "unreadable";
}

/// The file that stores a latch. Without a file there is no latch; a file with any content is a latch.
///
/// A new version is written to a second file, synchronised and renamed, and the folder is synchronised. After
/// a power cut the old version, the new version or the second file exists; each of them counts as a latch.
#[derive(Clone, Debug)]
pub struct StateFile {
    path: PathBuf,
}

/// The first line: kind and version of the file.
const HEAD: &str = "ccs latch 1";
/// The last line, which shows that the file is complete.
const END: &str = "end";
/// A longer file is no state file; in bytes.
const LONGEST: u64 = 4096;

impl StateFile {
    /// The state file at this path; does not access it.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The default file for a role on an interface: in `$STATE_DIRECTORY` (systemd), else for root in
    /// `/var/lib/ccs`, else in `$XDG_STATE_HOME/ccs` or `~/.local/state/ccs`. `None` if no folder is known.
    pub fn usual(role: &str, interface: &str) -> Option<Self> {
        let is_root = nix::unistd::geteuid().is_root();
        let folder = usual_folder(is_root, |name| std::env::var_os(name))?;
        Some(Self::new(folder.join(format!("{role}-{interface}.latch"))))
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The stored latch. A file that cannot be read is a latch with the error as its cause.
    pub fn load(&self) -> Option<Kept> {
        [self.path.clone(), self.beside()].iter().find_map(|path| load(path))
    }

    /// Stores a latch. After a return without an error it survives a power cut.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn save(&self, kept: &Kept) -> io::Result<()> {
        let line = |text: &str| text.replace(|c: char| c.is_control(), " ");
        let text = format!(
            "{HEAD}\nlatch = {}\ncause = {}\nsince = {}\n{END}\n",
            line(&kept.latch),
            line(&kept.cause),
            kept.unix_s
        );
        fs::create_dir_all(self.folder())?;
        let beside = self.beside();
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        self.sync_folder()
    }

    /// Removes the stored latch: for use after its cause is repaired.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn clear(&self) -> io::Result<()> {
        for path in [&self.beside(), &self.path] {
            match fs::remove_file(path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        match self.sync_folder() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    fn beside(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        name.into()
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(self.folder())?.sync_all()
    }
}

fn usual_folder(is_root: bool, env: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    // The variable lists several folders of a service with colons between them.
    let of_service = env("STATE_DIRECTORY").and_then(|all| std::env::split_paths(&all).next());
    if let Some(folder) = of_service.filter(|folder| folder.is_absolute()) {
        return Some(folder);
    }
    if is_root {
        return Some("/var/lib/ccs".into());
    }
    let absolute = |name: &str| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || absolute("HOME").map(|home| home.join(".local/state"));
    absolute("XDG_STATE_HOME").or_else(home).map(|state| state.join("ccs"))
}

/// The latch in a file; `None` if no file exists.
fn load(path: &Path) -> Option<Kept> {
    let unreadable = |why: String| {
        let cause = format!("{} cannot be read: {why}", path.display());
        Some(Kept { latch: Kept::UNREADABLE.into(), cause, unix_s: 0 })
    };
    let file = match File::open(path) {
        Ok(file) => file,
        // A symbolic link without target is not the same as a missing file.
        Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => {
            return None;
        }
        Err(error) => return unreadable(error.to_string()),
    };
    let mut text = String::new();
    if let Err(error) = file.take(LONGEST).read_to_string(&mut text) {
        return unreadable(error.to_string());
    }
    match parse(&text) {
        Some(kept) => Some(kept),
        None => unreadable("it is cut or changed".into()),
    }
}

fn parse(text: &str) -> Option<Kept> {
    let mut lines = text.strip_suffix('\n')?.split('\n');
    let mut value = |name: &str| lines.next()?.strip_prefix(name);
    value(HEAD).filter(|rest| rest.is_empty())?;
    let latch = value("latch = ")?.to_owned();
    let cause = value("cause = ")?.to_owned();
    let unix_s = value("since = ")?.parse().ok()?;
    value(END).filter(|rest| rest.is_empty())?;
    lines.next().is_none().then_some(Kept { latch, cause, unix_s })
}

/// Writes the state file on its own thread, because a disk may stall and the loop must not.
///
/// The latest call counts. A write that fails is repeated every second. Dropping this waits until the file is
/// written or the write has failed again.
#[derive(Debug)]
pub struct Keeper {
    jobs: Option<Sender<Option<Kept>>>,
    trouble: Arc<Mutex<Option<String>>>,
    thread: Option<JoinHandle<()>>,
}

/// Time between two attempts: judgement.
const AGAIN: Duration = Duration::from_secs(1);

impl Keeper {
    /// Starts the thread.
    ///
    /// # Errors
    /// The operating system cannot start a thread.
    pub fn start(file: StateFile) -> io::Result<Self> {
        let (jobs, received) = channel();
        let trouble = Arc::new(Mutex::new(None));
        let told = trouble.clone();
        let thread = crate::signals::spawn("state", move || keep(&file, &received, &told))?;
        Ok(Self { jobs: Some(jobs), trouble, thread: Some(thread) })
    }

    /// Stores this latch in place of the one before. Does not block.
    pub fn keep(&self, kept: Kept) {
        self.send(Some(kept));
    }

    /// Removes the stored latch. Does not block.
    pub fn clear(&self) {
        self.send(None);
    }

    /// The errors since the last call as text, each once; `None` without an error.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Waits until everything is written. Returns the errors since the last [`trouble`](Self::trouble).
    pub fn finish(mut self) -> Option<String> {
        self.end();
        self.trouble()
    }

    fn end(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }

    fn send(&self, job: Option<Kept>) {
        if let Some(jobs) = &self.jobs {
            // The thread ends only when the sender is dropped, so it receives this.
            let _ = jobs.send(job);
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.end();
    }
}

fn keep(file: &StateFile, jobs: &Receiver<Option<Kept>>, trouble: &Mutex<Option<String>>) {
    let mut last_error = None;
    let mut next = jobs.recv().ok();
    while let Some(mut job) = next {
        while let Ok(newer) = jobs.try_recv() {
            job = newer;
        }
        let done = job.as_ref().map_or_else(|| file.clear(), |kept| file.save(kept));
        let Err(error) = done else {
            last_error = None;
            next = jobs.recv().ok();
            continue;
        };
        let words = format!(
            "{} cannot be written: {error}; the latch is lost when this program ends",
            file.path().display()
        );
        if last_error.as_ref() != Some(&words) {
            *trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(words.clone());
            last_error = Some(words);
        }
        next = match jobs.recv_timeout(AGAIN) {
            Ok(newer) => Some(newer),
            Err(RecvTimeoutError::Timeout) => Some(job),
            Err(RecvTimeoutError::Disconnected) => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        Kept { latch: "contactors".into(), cause: "weld suspected".into(), unix_s: 1_795_000_000 }
    }

    /// A folder for one test, removed at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("ccs-state-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn file(&self) -> StateFile {
            StateFile::new(self.0.join("sub/evse-plc0.latch"))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_latch_is_there_until_it_is_cleared_and_no_file_is_no_latch() {
        let folder = Folder::new("kept");
        let file = folder.file();
        assert_eq!(file.load(), None);
        file.clear().unwrap();
        file.save(&kept()).unwrap();
        assert_eq!(file.load(), Some(kept()));
        file.save(&Kept { latch: "voltage".into(), cause: "two\nlines".into(), ..kept() }).unwrap();
        assert_eq!(file.load().unwrap().cause, "two lines");
        assert_eq!(fs::read_dir(file.folder()).unwrap().count(), 1, "nothing is left beside it");
        file.clear().unwrap();
        assert_eq!(file.load(), None);
    }

    #[test]
    fn a_file_that_is_cut_anywhere_or_changed_or_no_file_at_all_is_a_latch() {
        let folder = Folder::new("cut");
        let file = folder.file();
        file.save(&kept()).unwrap();
        let whole = fs::read(file.path()).unwrap();
        for length in 0..whole.len() {
            fs::write(file.path(), &whole[..length]).unwrap();
            assert_eq!(file.load().unwrap().latch, Kept::UNREADABLE, "{length}");
        }
        for bytes in [&b"\xFF\xFE"[..], b"\n", &[whole.clone(), whole.clone()].concat(), &[b'x'; 10_000]] {
            fs::write(file.path(), bytes).unwrap();
            assert_eq!(file.load().unwrap().latch, Kept::UNREADABLE);
        }
        fs::remove_file(file.path()).unwrap();
        fs::create_dir(file.path()).unwrap();
        let words = file.load().unwrap().cause;
        assert!(words.contains("evse-plc0.latch cannot be read: "), "{words}");
        fs::remove_dir(file.path()).unwrap();
        std::os::unix::fs::symlink("/nosuch/file", file.path()).unwrap();
        assert_eq!(file.load().unwrap().latch, Kept::UNREADABLE);
    }

    #[test]
    fn a_power_cut_before_the_rename_leaves_a_latch() {
        let folder = Folder::new("beside");
        let file = folder.file();
        file.save(&kept()).unwrap();
        fs::rename(file.path(), file.beside()).unwrap();
        assert_eq!(file.load(), Some(kept()));
        file.clear().unwrap();
        assert_eq!(file.load(), None);
    }

    #[test]
    fn the_keeper_has_written_the_last_word_when_it_is_dropped() {
        let folder = Folder::new("keeper");
        let keeper = Keeper::start(folder.file()).unwrap();
        for second in 0..100 {
            keeper.keep(Kept { unix_s: second, ..kept() });
        }
        drop(keeper);
        assert_eq!(folder.file().load().unwrap().unix_s, 99);
        let keeper = Keeper::start(folder.file()).unwrap();
        keeper.clear();
        drop(keeper);
        assert_eq!(folder.file().load(), None);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_reported_once() {
        let folder = Folder::new("trouble");
        fs::write(folder.0.join("sub"), b"in the way").unwrap();
        let keeper = Keeper::start(folder.file()).unwrap();
        keeper.keep(kept());
        let trouble = std::iter::repeat_with(|| keeper.trouble()).flatten().next().unwrap();
        assert!(trouble.contains("cannot be written: ") && keeper.trouble().is_none(), "{trouble}");
    }

    #[test]
    fn the_usual_folder_is_the_services_then_roots_then_the_users() {
        let folder = |is_root, set: &[(&str, &str)]| {
            let env = |name: &str| set.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).into());
            usual_folder(is_root, env).map(|path| path.display().to_string())
        };
        let home = ("HOME", "/home/u");
        assert_eq!(folder(true, &[("STATE_DIRECTORY", "/a:/b"), home]).as_deref(), Some("/a"));
        assert_eq!(folder(true, &[home]).as_deref(), Some("/var/lib/ccs"));
        assert_eq!(folder(false, &[("XDG_STATE_HOME", "/s"), home]).as_deref(), Some("/s/ccs"));
        assert_eq!(folder(false, &[home]).as_deref(), Some("/home/u/.local/state/ccs"));
        assert_eq!(folder(false, &[("XDG_STATE_HOME", "relative")]), None);
    }
}
