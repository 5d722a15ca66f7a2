use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::sockopt::PeerCredentials;
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, connect, getsockopt, listen, socket,
};

use crate::{Error, Interface};

/// An interface claimed for one role. No second program can run a role there until this is dropped or its
/// process ends in any way.
///
/// The claim is a name in the network namespace (an abstract Unix socket): it leaves nothing in a file system
/// and needs no privilege.
#[derive(Debug)]
pub struct Claim {
    _name: OwnedFd,
}

/// Length of the command line that is shown, in characters.
const SHOWN: usize = 120;

impl Claim {
    /// Claims the interface.
    ///
    /// # Errors
    /// [`Error::Taken`] with the process that holds it; [`Error::Os`].
    pub fn take(interface: &Interface) -> Result<Self, Error> {
        let name = format!("ccs/interface/{}", interface.index());
        let address = UnixAddr::new_abstract(name.as_bytes()).map_err(Error::os("naming the interface"))?;
        let own = unix_socket()?;
        match bind(own.as_raw_fd(), &address) {
            Ok(()) => {}
            Err(Errno::EADDRINUSE) => {
                return Err(Error::Taken { name: interface.name().into(), holder: holder(&address) });
            }
            Err(errno) => return Err(Error::Os { what: "taking the interface for this role", errno }),
        }
        // A listening socket shows this process to later claimants.
        listen(&own, Backlog::MAXCONN).map_err(Error::os("taking the interface for this role"))?;
        Ok(Self { _name: own })
    }
}

fn unix_socket() -> Result<OwnedFd, Error> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    socket(AddressFamily::Unix, SockType::Stream, flags, None)
        .map_err(Error::os("opening a socket within this machine"))
}

/// The process that listens at the address and its command, as far as visible.
fn holder(address: &UnixAddr) -> String {
    let process = unix_socket().ok().and_then(|own| {
        connect(own.as_raw_fd(), address).ok()?;
        getsockopt(&own, PeerCredentials).ok()
    });
    // 0: the process is in another container.
    let Some(process) = process.map(|peer| peer.pid()).filter(|process| *process != 0) else {
        return "another process".into();
    };
    match std::fs::read(format!("/proc/{process}/cmdline")) {
        Ok(command) if !command.is_empty() => format!("process {process} ({})", printable(&command)),
        _ => format!("process {process}"),
    }
}

/// A command line from the kernel, safe for a terminal: the other program's user chose its text.
fn printable(command: &[u8]) -> String {
    let text = String::from_utf8_lossy(command);
    let words = text.trim_end_matches('\0').replace('\0', " ");
    let mut shown: String =
        words.chars().take(SHOWN).map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    if words.chars().count() > SHOWN {
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_role_on_an_interface_is_refused_and_names_the_first_until_that_ends() {
        let interface = Interface::any_of_this_machine();
        let first = Claim::take(&interface).unwrap();
        let refused = Claim::take(&interface).unwrap_err();
        let words = refused.to_string();
        let own = std::process::id();
        assert!(words.contains(&format!("is taken by process {own} (")) && refused.is_access(), "{words}");
        drop(first);
        assert!(Claim::take(&interface).is_ok());
    }

    #[test]
    fn a_command_line_cannot_move_the_cursor() {
        assert_eq!(printable(b"ccs\0evse\0\x1B[2Jx\0"), "ccs evse \u{FFFD}[2Jx");
        assert_eq!(printable(&[b'x'; 500]).len(), SHOWN + 3);
    }
}
