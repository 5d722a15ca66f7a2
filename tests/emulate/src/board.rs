//! The emulator: built, started, its serial line and its network.

use std::io::{BufRead, BufReader, Write};
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::Image;

/// A running board.
pub(crate) struct Emulator {
    child: Child,
    lines: Receiver<String>,
    network: UdpSocket,
    port: u16,
}

/// An emulated machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Machine {
    /// RISC-V, QEMU's virt.
    Riscv,
    /// Cortex-M4F, QEMU's mps2-an386.
    Arm,
}

impl Machine {
    /// The target of its compiler.
    const fn target(self) -> &'static str {
        match self {
            Self::Riscv => "riscv32imafc-unknown-none-elf",
            Self::Arm => "thumbv7em-none-eabihf",
        }
    }

    const fn emulator(self) -> &'static str {
        match self {
            Self::Riscv => "qemu-system-riscv32",
            Self::Arm => "qemu-system-arm",
        }
    }

    /// Its devices, besides those that both have. With `-icount` its time advances by instructions, so that a
    /// busy machine does not affect its watchdog: 1 ns each, with which a RISC-V core reads its count of
    /// instructions, or 8 ns.
    const fn devices(self) -> &'static [&'static str] {
        match self {
            Self::Riscv => &[
                "-machine",
                "virt",
                "-cpu",
                "rv32,f=true,d=false",
                "-m",
                "16M",
                "-bios",
                "none",
                "-device",
                "i6300esb,addr=1",
                "-icount",
                "shift=0",
                "-global",
                "virtio-mmio.force-legacy=false",
                "-device",
                "virtio-net-device,netdev=n",
            ],
            Self::Arm => &[
                "-machine",
                "mps2-an386",
                "-icount",
                "shift=3",
                "-semihosting-config",
                "enable=on,target=native",
                "-net",
                "nic,model=lan9118,netdev=n",
            ],
        }
    }

    /// A firmware's name in the ledger.
    pub(crate) fn firmware(self, image: Image) -> String {
        match self {
            Self::Riscv => image.name().to_owned(),
            Self::Arm => format!("{}-cortex-m4f", image.name()),
        }
    }
}

impl Emulator {
    /// Boots an image. The emulator comes from `.ci/qemu.sh`.
    pub(crate) fn boot(machine: Machine, elf: &Path) -> Result<Self> {
        let qemu = qemu(&root())?;
        let network = UdpSocket::bind("127.0.0.1:0")?;
        network.set_nonblocking(true)?;
        let own = network.local_addr()?.port();
        // A port that was free just now: the emulator binds it itself.
        let port = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
        let net = format!(
            "dgram,id=n,local.type=inet,local.host=127.0.0.1,local.port={port},remote.type=inet,remote.host=127.0.0.1,remote.port={own}"
        );
        let mut child = Command::new(qemu.join("usr/bin").join(machine.emulator()))
            .env("LD_LIBRARY_PATH", qemu.join("usr/lib/x86_64-linux-gnu"))
            .args(["-display", "none", "-monitor", "none", "-serial", "stdio", "-netdev", &net])
            .args(machine.devices())
            .arg("-kernel")
            .arg(elf)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the emulator does not start")?;
        let out = child.stdout.take().context("no serial line")?;
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).split(b'\n').map_while(Result::ok) {
                if send.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, lines, network, port })
    }

    /// The next line from the serial line.
    pub(crate) fn line(&self) -> Option<String> {
        self.lines.try_recv().ok()
    }

    /// The next line of a board that has ended, whose last lines may not have arrived yet.
    pub(crate) fn last_line(&self) -> Option<String> {
        self.lines.recv_timeout(Duration::from_secs(5)).ok()
    }

    /// Types a command.
    pub(crate) fn command(&mut self, words: &str) -> Result<()> {
        let input = self.child.stdin.as_mut().context("no serial line")?;
        writeln!(input, "{words}")?;
        Ok(input.flush()?)
    }

    /// Writes the next frame of the board into `buffer`; returns its length.
    pub(crate) fn receive(&self, buffer: &mut [u8]) -> Option<usize> {
        self.network.recv(buffer).ok()
    }

    /// Sends the board a frame, which may be lost as on any wire.
    pub(crate) fn send(&self, frame: &[u8]) {
        let _ = self.network.send_to(frame, ("127.0.0.1", self.port));
    }

    /// Waits a short time for a frame of the board.
    pub(crate) fn wait(&self) -> Result<()> {
        Ok(hal_linux::wait(&[self.network.as_fd()], Duration::from_micros(500))?)
    }

    /// The exit code, once the emulator has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<i32>> {
        Ok(self.child.try_wait()?.map(|status| status.code().unwrap_or(-1)))
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The project's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

/// Builds an image; returns its file.
pub(crate) fn build(machine: Machine, image: Image) -> Result<PathBuf> {
    let (root, triple) = (root(), machine.target());
    let folder = root.join("boards/qemu");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let target = target.join("qemu-board");
    let status = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", &target)
        .args(["build", "--quiet", "--locked", "--release", "--target", triple, "--bin", image.name()])
        .status()?;
    if !status.success() {
        bail!("the firmware does not build: is the target installed? rustup target add {triple}");
    }
    Ok(target.join(triple).join("release").join(image.name()))
}

fn qemu(root: &Path) -> Result<PathBuf> {
    let output = Command::new(root.join(".ci/qemu.sh")).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        bail!("no emulator: .ci/qemu.sh failed");
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}
