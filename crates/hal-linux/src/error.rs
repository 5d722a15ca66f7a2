use nix::errno::Errno;

/// Why the adapter cannot work. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The process may not open raw sockets.
    #[error(
        "no permission for a raw socket: run `sudo setcap cap_net_raw=ep {program}` once (and again after each \
         build), or run it as root"
    )]
    Privilege {
        /// Path of the program that runs.
        program: String,
    },
    /// There is no interface of that name.
    #[error("there is no interface {name}; there are: {there_are}")]
    NoInterface {
        /// The name asked for.
        name: String,
        /// Names and states of the interfaces there are.
        there_are: String,
    },
    /// The interface has no MAC address (a tunnel, or the loopback).
    #[error("interface {0} has no Ethernet address: take one that a modem is connected to")]
    NotEthernet(String),
    /// The interface is switched off.
    #[error("interface {0} is down: run `sudo ip link set {0} up`")]
    Down(String),
    /// The operating system refuses.
    #[error("{what}: {errno}")]
    Os {
        /// What was tried.
        what: &'static str,
        /// What it says.
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

    /// Whether the user lacks access: a privilege, an interface, or a link.
    pub fn is_access(&self) -> bool {
        matches!(
            self,
            Self::Privilege { .. } | Self::NoInterface { .. } | Self::NotEthernet(_) | Self::Down(_)
        )
    }
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
}
