use std::time::Duration;

use nix::errno::Errno;

/// Why the adapter cannot work. The text of each error contains what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The process may not open raw sockets.
    #[error("no permission for a raw socket: {advice}", advice = get_privilege(.program))]
    Privilege {
        /// Path of the running program.
        program: String,
    },
    /// No interface has this name.
    #[error("there is no interface {name}; there are: {there_are}")]
    NoInterface {
        /// The requested name.
        name: String,
        /// Names and states of the existing interfaces.
        there_are: String,
    },
    /// The interface has no MAC address (a tunnel, or the loopback).
    #[error("interface {0} has no Ethernet address: take one that a modem is connected to")]
    NotEthernet(String),
    /// The interface is switched off.
    #[error("interface {0} is down: {advice}", advice = switch_on(.0))]
    Down(String),
    /// Another program runs a role on the interface.
    #[error("interface {name} is taken by {holder}: end that one first, or take another interface")]
    Taken {
        /// Name of the interface.
        name: String,
        /// The other process: its id and command, as far as visible.
        holder: String,
    },
    /// The plant's hardware would stay in its state when this program stops.
    #[error(
        "the plant has no heartbeat: wire a watchdog that switches power off, opens the contactors and takes the pilot \
         away by itself when this program gives no sign of life for 500 ms, and name its time in \
         `PlantBackend::heartbeat`"
    )]
    NoHeartbeat,
    /// The plant's hardware would stay in its state for too long; its heartbeat time.
    #[error(
        "the plant's heartbeat is too slow: it goes to SAFE after {} ms without a sign of life, and 500 ms is the \
         longest; set the watchdog's time lower",
        .0.as_millis()
    )]
    SlowHeartbeat(Duration),
    /// The operating system refuses a call.
    #[error("{what}: {errno}")]
    Os {
        /// What was attempted.
        what: &'static str,
        /// Its error number.
        errno: Errno,
    },
}

impl Error {
    pub(crate) fn os(what: &'static str) -> impl FnOnce(Errno) -> Self {
        move |errno| Self::Os { what, errno }
    }

    pub(crate) fn privilege() -> Self {
        let program =
            std::env::current_exe().map_or_else(|_| "PROGRAM".into(), |path| path.display().to_string());
        Self::Privilege { program }
    }

    /// A command that repairs the cause; `None` where the error's text already says what to do.
    pub fn advice(&self) -> Option<String> {
        match self {
            Self::Privilege { program } => Some(get_privilege(program)),
            Self::Down(name) => Some(switch_on(name)),
            _ => None,
        }
    }

    /// Whether the user lacks access: a privilege, an interface, or a link.
    pub fn is_access(&self) -> bool {
        matches!(
            self,
            Self::Privilege { .. }
                | Self::NoInterface { .. }
                | Self::NotEthernet(_)
                | Self::Down(_)
                | Self::Taken { .. }
        )
    }

    /// Whether an interface that worked is down or removed at present, and may come back.
    pub fn is_interface_down(&self) -> bool {
        matches!(self, Self::NoInterface { .. } | Self::NotEthernet(_) | Self::Down(_))
    }
}

fn get_privilege(program: &str) -> String {
    format!("run `sudo setcap cap_net_raw=ep {program}` once (and again after each build), or run it as root")
}

fn switch_on(interface: &str) -> String {
    format!("run `sudo ip link set {interface} up`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_privilege_names_the_command_with_this_program() {
        let words = Error::privilege().to_string();
        let program = std::env::current_exe().unwrap();
        assert!(words.contains(&format!("sudo setcap cap_net_raw=ep {}", program.display())), "{words}");
    }

    #[test]
    fn an_advice_is_the_end_of_its_error() {
        for error in [Error::privilege(), Error::Down("plc0".into())] {
            let (words, advice) = (error.to_string(), error.advice().unwrap());
            assert!(words.ends_with(&advice) && words.len() > advice.len(), "{words}");
        }
        assert_eq!(Error::NoHeartbeat.advice(), None);
    }
}
