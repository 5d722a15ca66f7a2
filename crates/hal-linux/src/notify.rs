use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use machine::{Duration, Instant};

/// Notifications for the service manager (`sd_notify(3)`): the role is ready, its status, and that its loop
/// runs.
///
/// Without `NOTIFY_SOCKET` in the environment nothing is sent.
#[derive(Debug, Default)]
pub struct Notify {
    manager: Option<(UnixDatagram, SocketAddr)>,
    /// Interval between two watchdog notifications.
    every: Option<Duration>,
    next: Instant,
    status: String,
}

impl Notify {
    /// Configured by the environment of this process.
    pub fn from_env() -> Self {
        let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return Self::default() };
        let of_another = std::env::var("WATCHDOG_PID").is_ok_and(|pid| pid != std::process::id().to_string());
        let watchdog = std::env::var("WATCHDOG_USEC").ok().and_then(|micros| micros.parse().ok());
        Self::new(&socket, watchdog.filter(|_| !of_another).map(Duration::from_micros))
    }

    /// Notifies the manager at `socket`: a path, or `@` and a name in the network namespace. With `watchdog`
    /// the manager ends the program after that time without a notification.
    pub fn new(socket: &OsStr, watchdog: Option<Duration>) -> Self {
        let address = match socket.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
            path => SocketAddr::from_pathname(OsStr::from_bytes(path)),
        };
        let own = UnixDatagram::unbound().and_then(|own| own.set_nonblocking(true).map(|()| own));
        let every = watchdog.map(|time| Duration::from_micros(time.as_micros() / 2));
        Self { manager: own.ok().zip(address.ok()), every, ..Self::default() }
    }

    /// Reports that the role runs.
    pub fn ready(&self) {
        self.send("READY=1");
    }

    /// Reports that the role is ending.
    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// Called in every turn of the loop: sends the watchdog notification when it is due, and `status` when it
    /// has changed.
    pub fn turn(&mut self, now: Instant, status: &str) {
        if self.manager.is_none() {
            return;
        }
        if self.status != status {
            status.clone_into(&mut self.status);
            self.send(&format!("STATUS={status}"));
        }
        if let Some(every) = self.every
            && now >= self.next
        {
            self.next = now + every;
            self.send("WATCHDOG=1");
        }
    }

    /// When the next watchdog notification is due; `None` without a watchdog.
    pub fn due(&self) -> Option<Instant> {
        self.every.filter(|_| self.manager.is_some()).map(|_| self.next)
    }

    fn send(&self, words: &str) {
        if let Some((own, manager)) = &self.manager {
            // If the manager does not receive the message, it is lost and the role continues.
            let _ = own.send_to_addr(words.as_bytes(), manager);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(manager: &UnixDatagram) -> Vec<String> {
        let mut buffer = [0; 200];
        let mut next = || manager.recv(&mut buffer).ok().map(|length| buffer[..length].to_vec());
        std::iter::from_fn(&mut next).map(|bytes| String::from_utf8(bytes).unwrap()).collect()
    }

    fn is_told_all(socket: &OsStr, manager: &UnixDatagram) {
        manager.set_nonblocking(true).unwrap();
        let mut notify = Notify::new(socket, Some(Duration::from_secs(2)));
        notify.ready();
        for ms in [0, 400, 999, 1000, 1400, 2000] {
            notify.turn(Instant::from_millis(ms), if ms < 1400 { "Idle" } else { "Plugged" });
        }
        notify.stopping();
        let expected = [
            "READY=1",
            "STATUS=Idle",
            "WATCHDOG=1",
            "WATCHDOG=1",
            "STATUS=Plugged",
            "WATCHDOG=1",
            "STOPPING=1",
        ];
        assert_eq!(heard(manager), expected);
    }

    #[test]
    fn the_manager_hears_of_start_phase_and_end_and_twice_in_the_watchdogs_time() {
        let path = std::env::temp_dir().join(format!("ccs-notify-{}", std::process::id()));
        let manager = UnixDatagram::bind(&path).unwrap();
        is_told_all(path.as_os_str(), &manager);
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_managers_name_may_be_abstract() {
        let name = format!("ccs-notify-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        is_told_all(OsStr::new(&format!("@{name}")), &manager);
    }

    #[test]
    fn without_a_manager_nothing_is_due_and_one_that_is_gone_does_no_harm() {
        let mut none = Notify::default();
        none.turn(Instant::ZERO, "Idle");
        assert_eq!(none.due(), None);
        let mut gone = Notify::new(OsStr::new("/nosuch/socket"), Some(Duration::from_secs(1)));
        gone.ready();
        gone.turn(Instant::ZERO, "Idle");
        assert_eq!(gone.due(), Some(Instant::from_millis(500)));
    }
}
