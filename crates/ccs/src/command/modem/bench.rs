//! Access to a modem: what all commands have in common.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;

use anyhow::{Context, anyhow};
use hal_linux::PacketSocket;
use machine::{Cx, Duration, Entropy, Instant, Machine};
use modem::{
    Details, Finder, FinderEvent, FoundModem, Inspector, InspectorEvent, ModemFault, PibReader, Profile,
    Question, ReadEvent,
};
use roles::Mac;
use session::{By, Cause, Phase, StopReason};

use crate::drive::{End, Next, Wire, drive};
use crate::escape;
use crate::exit::Ended;

/// Largest image that is read, in bytes: the longest one seen has 9796.
const MAX_IMAGE: usize = 64 * 1024;

/// A host, its modem, and the outputs for results and progress.
pub struct Bench<'a> {
    wire: &'a mut dyn Wire,
    own: Mac,
    out: &'a mut (dyn Write + Send),
    progress: Progress<'a>,
}

/// Reports progress on standard error, if the work takes longer.
pub struct Progress<'a> {
    to: Box<dyn Write + 'a>,
    is_terminal: bool,
    began: Option<Instant>,
    last: Option<Instant>,
}

/// Work shorter than this reports no progress; without a terminal, also the interval of reports.
const PATIENCE: Duration = Duration::from_secs(2);
/// Returns to the start of the line and clears it.
const CLEAR: &str = "\r\x1b[K";

impl Progress<'static> {
    /// Reports on standard error.
    pub fn stderr() -> Self {
        Self::new(io::stderr(), io::stderr().is_terminal())
    }
}

impl<'a> Progress<'a> {
    /// Reports on `to`; on a terminal as one line that changes.
    pub fn new(to: impl Write + 'a, is_terminal: bool) -> Self {
        Self { to: Box::new(to), is_terminal, began: None, last: None }
    }

    /// Reports progress. A report that cannot be written does not stop the work.
    pub fn tell(&mut self, now: Instant, words: impl FnOnce() -> String) {
        let began = *self.began.get_or_insert(now);
        let pause = if self.is_terminal { Duration::from_millis(100) } else { PATIENCE };
        if now.since(began) < PATIENCE || self.last.is_some_and(|last| now.since(last) < pause) {
            return;
        }
        self.last = Some(now);
        let (start, end) = if self.is_terminal { (CLEAR, "") } else { ("", "\n") };
        let _ = write!(self.to, "{start}{}{end}", words()).and_then(|()| self.to.flush());
    }

    fn clear(&mut self) {
        if self.is_terminal && self.last.is_some() {
            let _ = write!(self.to, "{CLEAR}").and_then(|()| self.to.flush());
        }
        (self.began, self.last) = (None, None);
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The end with "no modem responds".
pub fn no_modem() -> Ended {
    Ended::Stopped(StopReason::new(By::Network, Cause::NoModem, Phase::Idle))
}

impl<'a> Bench<'a> {
    /// A host with the address `own` that writes its results to `out`.
    pub fn new(
        wire: &'a mut dyn Wire,
        own: Mac,
        out: &'a mut (dyn Write + Send),
        progress: Progress<'a>,
    ) -> Self {
        Self { wire, own, out, progress }
    }

    /// The host's address.
    pub fn own(&self) -> Mac {
        self.own
    }

    /// Source of random bytes.
    pub fn entropy(&mut self) -> &mut dyn Entropy {
        self.wire.entropy()
    }

    /// Output for results.
    pub fn out(&mut self) -> &mut (dyn Write + Send) {
        self.progress.clear();
        self.out
    }

    /// Writes a result.
    pub fn say(&mut self, text: &str) -> anyhow::Result<()> {
        let out = self.out();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    /// Writes a result as a line of JSON.
    pub fn say_json(&mut self, value: &serde_json::Value) -> anyhow::Result<()> {
        self.say(&format!("{}\n", escape::json(value)))
    }

    /// Runs a machine until `look` returns a result. `words` describes the work for progress reports.
    pub fn run<M, T>(
        &mut self,
        machine: &mut M,
        begin: impl FnOnce(&mut M, &mut Cx<'_>),
        limit: Option<Duration>,
        words: impl Fn(&M) -> String,
        mut look: impl FnMut(&mut M, &mut Cx<'_>, Option<M::Event>) -> anyhow::Result<ControlFlow<T>>,
    ) -> anyhow::Result<End<T>>
    where
        M: for<'f> Machine<Input<'f> = &'f [u8], Route = ()>,
    {
        let progress = &mut self.progress;
        let end = drive(self.wire, machine, begin, limit, |machine, cx, event| {
            progress.tell(cx.now, || words(machine));
            look(machine, cx, event)
        });
        self.progress.clear();
        end
    }

    /// Waits. Returns whether an interrupt was requested.
    pub fn pause(&mut self, pause: Duration) -> anyhow::Result<bool> {
        let end = self.wire.now() + pause;
        let mut buffer = vec![0; PacketSocket::MAX_FRAME];
        while self.wire.now() < end {
            if self.wire.next(end, &mut buffer)? == Next::Interrupt {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Identity of the modem at `target` (default: the own one), and its answers to these questions.
    pub fn inspect(
        &mut self,
        target: Option<Mac>,
        questions: &'static [Question],
    ) -> anyhow::Result<Details> {
        let mut inspector = Inspector::new(self.own, target.unwrap_or(Mac::LOCAL_MODEM), questions)?;
        let words = |_: &Inspector| "asking the modem ...".into();
        let end = self.run(&mut inspector, Inspector::start, None, words, |inspector, _, event| {
            Ok(match event {
                Some(InspectorEvent::Finished) => ControlFlow::Break(inspector.details().cloned()),
                Some(InspectorEvent::NoAnswer) => ControlFlow::Break(None),
                None => ControlFlow::Continue(()),
            })
        })?;
        finished(end)?.ok_or_else(|| no_modem().into())
    }

    /// As [`inspect`](Self::inspect), for a modem that must have its firmware.
    pub fn ready(&mut self, target: Option<Mac>, questions: &'static [Question]) -> anyhow::Result<Details> {
        let details = self.inspect(target, questions)?;
        if details.is_boot_loader() {
            return Err(ModemFault::NoFirmware.into());
        }
        Ok(details)
    }

    /// All modems within reach.
    pub fn find(&mut self) -> anyhow::Result<Vec<FoundModem>> {
        let mut finder = Finder::new(self.own);
        let words = |finder: &Finder| format!("looking for modems, {} found ...", finder.modems().len());
        let end = self.run(&mut finder, Finder::start, None, words, |finder, _, event| {
            Ok(match event {
                Some(FinderEvent::Finished) => ControlFlow::Break(finder.modems().to_vec()),
                _ => ControlFlow::Continue(()),
            })
        })?;
        finished(end)
    }

    /// A modem's parameters, checked.
    pub fn parameters(
        &mut self,
        target: Option<Mac>,
        profile: &Profile,
        limit: Option<Duration>,
    ) -> anyhow::Result<Vec<u8>> {
        let mut buffer = vec![0; MAX_IMAGE];
        let mut done = 0;
        let target = target.unwrap_or(Mac::LOCAL_MODEM);
        let mut reader = PibReader::new(self.own, target, profile, &mut buffer)
            .with_context(|| format!("modem of the family {}", profile.name))?;
        let words = |_: &PibReader<'_>| "reading the parameters ...".into();
        let end = self.run(&mut reader, PibReader::start, limit, words, |_, _, event| {
            Ok(match event {
                Some(ReadEvent::Done(length)) => {
                    done = length;
                    ControlFlow::Break(Ok(()))
                }
                Some(ReadEvent::Failed(fault)) => ControlFlow::Break(Err(fault)),
                Some(ReadEvent::Progress(_)) | None => ControlFlow::Continue(()),
            })
        })?;
        finished(end)?.context("reading the parameters")?;
        buffer.truncate(done);
        Ok(buffer)
    }

    /// As [`parameters`](Self::parameters); if they cannot be read, that is no failure and the reason is
    /// returned.
    pub fn parameters_if_any(
        &mut self,
        target: Option<Mac>,
        profile: &Profile,
        limit: Duration,
    ) -> anyhow::Result<Result<Vec<u8>, String>> {
        match self.parameters(target, profile, Some(limit)) {
            Ok(bytes) => Ok(Ok(bytes)),
            Err(error) if error.is::<Ended>() || error.is::<hal_linux::Error>() => Err(error),
            Err(error) => Ok(Err(format!("{error:#}"))),
        }
    }
}

/// The result of a run that only reads.
fn finished<T>(end: End<T>) -> anyhow::Result<T> {
    match end {
        End::Done(result) => Ok(result),
        End::Late => Err(anyhow!("the modem takes too long to answer")),
        End::Interrupted => Err(Ended::Interrupted("interrupted; nothing was changed".into()).into()),
    }
}
