//! The loop of a listener: interfaces, own modems, and what can be observed.

use std::os::fd::AsFd;
use std::time::Duration as Real;

use hal_linux::{
    Claim, Clock, Direction, Error, Interface, OsEntropy, PacketSocket, Port as _, Signals, Timed, Wish, wait,
};
use homeplug_mme::{MAX_FRAME, Mac, NetworkKey};
use listen::{Outlook, Sight, packet};
use machine::{Cx, Duration, Instant, Machine, whole};
use modem::{Modem, ModemConfig};

use super::merge::{Heard, Merge};
use super::words::{NOTHING, of_own_modem, of_sight};
use super::writer::Queue;
use crate::escape::Plain;
use crate::exit::Exit;
use crate::repeats::EVERY;

/// Frames read from one interface before the next one: judgement, so that a flood on one does not block the
/// others.
const BURST: usize = 64;
/// Longest wait of the loop: judgement.
const IDLE: Duration = Duration::from_millis(500);
/// Pause before an interface that is down is opened again: judgement.
const AGAIN: Duration = Duration::from_secs(1);
/// The pcap link type of Ethernet.
const ETHERNET: i32 = 1;

/// All interfaces and the observations on them.
pub(super) struct Listener {
    ears: Vec<Ear>,
    merge: Merge,
    outlook: Outlook,
    /// What can be observed, as last reported.
    said: Sight,
    joins: bool,
    /// The key that was last configured or received.
    key: Option<NetworkKey>,
    /// Frames dropped by the kernel as last reported, and when losses are reported next.
    dropped: u64,
    losses_at: Instant,
    clock: Clock,
}

/// One interface.
struct Ear {
    name: String,
    own: Mac,
    socket: PacketSocket,
    /// The own modem that receives keys, and the claim of its interface: no role may use it at the same time.
    modem: Option<(Modem, Claim)>,
    /// Set while the interface is down: when it is opened again.
    down_until: Option<Instant>,
}

impl Ear {
    fn open(interface: &Interface, has_modem: bool) -> Result<Self, Error> {
        let own = interface.role_mac();
        let claim = has_modem.then(|| Claim::take(interface)).transpose()?;
        Ok(Self {
            name: interface.name().into(),
            own,
            socket: PacketSocket::for_listener(interface, own)?,
            modem: claim.map(|claim| (Modem::new(ModemConfig::new(own)), claim)),
            down_until: None,
        })
    }
}

impl Listener {
    /// Opens the interfaces. With `joins` or a `key` the own modems receive keys; else nothing is ever sent.
    pub(super) fn open(
        interfaces: &[Interface],
        joins: bool,
        key: Option<NetworkKey>,
        clock: Clock,
    ) -> Result<Self, Error> {
        let has_modem = joins || key.is_some();
        let ears = interfaces.iter().map(|interface| Ear::open(interface, has_modem));
        let ears = ears.collect::<Result<Vec<_>, _>>()?;
        let merge = Merge::new(ears.len());
        let (outlook, said) = (Outlook::default(), Sight::Nothing);
        Ok(Self { ears, merge, outlook, said, joins, key, dropped: 0, losses_at: Instant::ZERO, clock })
    }

    /// Listens until a signal requests the end, or the reader of the output is gone.
    pub(super) fn run(mut self, signals: &Signals, queue: &mut Queue<'_>) -> anyhow::Result<Exit> {
        self.begin(queue);
        let mut buffer = vec![0; PacketSocket::MAX_FRAME];
        loop {
            for index in 0..self.ears.len() {
                self.take(index, &mut buffer, queue)?;
            }
            while let Some(heard) = self.merge.next(self.unix()) {
                self.hear(heard, queue);
            }
            self.look(queue);
            self.serve_modems(&mut buffer, queue)?;
            self.report_losses(queue);
            let wish = signals.next()?;
            if wish == Some(Wish::Report) {
                self.say(queue, self.counters());
            } else if wish.is_some() || queue.nobody_reads() {
                while let Some(heard) = self.merge.next(Real::MAX) {
                    self.hear(heard, queue);
                }
                self.say(queue, self.counters());
                if self.outlook.sight() == Sight::Nothing {
                    self.say(queue, NOTHING.into());
                }
                return Ok(Exit::Good);
            }
            self.sleep(signals)?;
        }
    }

    fn begin(&mut self, queue: &mut Queue<'_>) {
        let names: Vec<String> = self.ears.iter().map(|ear| Plain(&ear.name).to_string()).collect();
        let how = match (self.joins, self.key.is_some()) {
            (false, false) => "nothing is sent",
            (false, true) => "the own modem is given the key",
            (true, _) => "the own modem is given each key that is learned",
        };
        self.say(
            queue,
            format!("ready on {}: {how}; Ctrl-C ends it and shows the stories", names.join(", ")),
        );
        let (mut cx, key) = (Cx { now: self.clock.now(), entropy: &mut OsEntropy }, self.key);
        for (modem, _) in self.ears.iter_mut().filter_map(|ear| ear.modem.as_mut()) {
            modem.start(&mut cx);
            if let Some(key) = key {
                modem.set_key(&mut cx, key);
            }
        }
    }

    /// Reads the waiting frames of an interface.
    fn take(&mut self, index: usize, buffer: &mut [u8], queue: &mut Queue<'_>) -> Result<(), Error> {
        for _ in 0..BURST {
            let (now, unix) = (self.clock.now(), self.unix());
            let Some(ear) = self.ears.get_mut(index).filter(|ear| ear.down_until.is_none()) else { break };
            let (at, bytes) = match ear.socket.receive_at(buffer) {
                Ok(Some(Timed { at, frame })) => (at.unwrap_or(unix), frame),
                Ok(None) => break,
                Err(error) if error.is_interface_down() => {
                    ear.down_until = Some(now + AGAIN);
                    let words = format!(
                        "warning: {}: the interface is down or gone; waiting for it",
                        Plain(&ear.name)
                    );
                    queue.say(unix, words);
                    break;
                }
                Err(error) => return Err(error),
            };
            if let Some((modem, _)) = &mut ear.modem {
                modem.handle(&mut Cx { now, entropy: &mut OsEntropy }, bytes);
            }
            let bytes = bytes.to_vec();
            if !self.is_own(&bytes) {
                self.merge.push(unix, Heard { at, ear: index, bytes });
            }
        }
        Ok(())
    }

    /// Whether a frame is the own modem's answer to this program. It is not part of the observed traffic,
    /// whichever interface a bridge shows it on.
    fn is_own(&self, bytes: &[u8]) -> bool {
        self.ears.iter().any(|ear| ear.modem.is_some() && bytes.starts_with(&ear.own.0))
    }

    /// Handles a frame in the order of times.
    fn hear(&mut self, heard: Heard, queue: &mut Queue<'_>) {
        let learned = self.outlook.take(nanos(heard.at), &packet::parse(ETHERNET, &heard.bytes));
        let at = heard.at;
        queue.frame(at, Direction::Received, heard.bytes);
        let Some(key) = learned.filter(|key| self.key != Some(*key)) else { return };
        let car = self.outlook.status().car.map_or_else(String::new, |car| format!(" given to {car}"));
        self.key = Some(key);
        if !self.joins {
            return queue.say(at, format!("the network's key{car} was seen"));
        }
        queue.say(at, format!("the network's key{car} is set in the own modem"));
        let mut cx = Cx { now: self.clock.now(), entropy: &mut OsEntropy };
        for (modem, _) in self.ears.iter_mut().filter_map(|ear| ear.modem.as_mut()) {
            modem.set_key(&mut cx, key);
        }
    }

    /// Reports what can be observed when that has changed.
    fn look(&mut self, queue: &mut Queue<'_>) {
        self.outlook.pass(nanos(self.unix()));
        let sight = self.outlook.sight();
        // A connection is reported only after its absence was.
        let was_missed = of_sight(self.said).is_some();
        if sight != self.said
            && let Some(words) = of_sight(sight).filter(|_| sight != Sight::Connections || was_missed)
        {
            self.say(queue, words.into());
        }
        self.said = sight;
    }

    /// Lets the own modems perform what is due.
    fn serve_modems(&mut self, buffer: &mut [u8], queue: &mut Queue<'_>) -> Result<(), Error> {
        let (now, unix) = (self.clock.now(), self.unix());
        let room = buffer.get_mut(..MAX_FRAME).unwrap_or_default();
        for ear in &mut self.ears {
            if ear.down_until.is_some_and(|until| until <= now) {
                ear.down_until = Some(now + AGAIN);
                if ear.socket.reopen().is_ok() {
                    ear.down_until = None;
                    queue.say(unix, format!("{}: the interface is back", Plain(&ear.name)));
                }
            }
            let Some((modem, _)) = &mut ear.modem else { continue };
            if modem.poll_timeout().is_some_and(|due| due.at <= now) {
                modem.handle_timeout(&mut Cx { now, entropy: &mut OsEntropy });
            }
            while let Some((length, ())) = whole(modem.poll_transmit(room)) {
                let frame = room.get(..length).unwrap_or_default();
                match ear.socket.send(frame) {
                    // A full queue loses the frame, as on any wire; an interface that is down is reported
                    // where it is read.
                    Ok(_) => queue.frame(unix, Direction::Sent, frame.to_vec()),
                    Err(error) if error.is_interface_down() => {}
                    Err(error) => return Err(error),
                }
            }
            while let Some(event) = modem.poll_event() {
                queue.say(unix, of_own_modem(&Plain(&ear.name).to_string(), &event));
            }
        }
        Ok(())
    }

    /// Reports losses; called every ten seconds, because it reads a table of the kernel.
    fn report_losses(&mut self, queue: &mut Queue<'_>) {
        let now = self.clock.now();
        if now < self.losses_at {
            return;
        }
        self.losses_at = now + EVERY;
        let all = self.dropped_by_kernel();
        let (dropped, unwritten) = (all - self.dropped, queue.take_lost());
        if dropped + unwritten > 0 {
            self.dropped = all;
            self.say(
                queue,
                format!(
                    "warning: {dropped} frames were dropped by the kernel, {unwritten} frames and lines not written: this \
                     machine, or whoever reads this, is too slow"
                ),
            );
        }
    }

    fn dropped_by_kernel(&self) -> u64 {
        self.ears.iter().map(|ear| ear.socket.statistics().dropped).sum()
    }

    fn sleep(&self, signals: &Signals) -> Result<(), Error> {
        let now = self.clock.now();
        let modems = self.ears.iter().filter_map(|ear| ear.modem.as_ref()?.0.poll_timeout());
        let until = modems.map(|due| due.at).fold(now + IDLE, Instant::min);
        let mut left = Real::from_micros(until.since(now).as_micros());
        if let Some(due) = self.merge.due() {
            left = left.min(due.saturating_sub(self.unix()));
        }
        let up = self.ears.iter().filter(|ear| ear.down_until.is_none());
        let sources: Vec<_> = up.map(|ear| ear.socket.as_fd()).chain([signals.as_fd()]).collect();
        wait(&sources, left)
    }

    fn counters(&self) -> String {
        let duplicates = self.merge.duplicates();
        let again = match duplicates {
            0 => String::new(),
            count => format!(", {count} of them a second time on another interface"),
        };
        let heard = self.outlook.status().frames + duplicates;
        format!("frames: {heard} heard{again}, {} dropped by the kernel", self.dropped_by_kernel())
    }

    fn say(&self, queue: &mut Queue<'_>, words: String) {
        queue.say(self.unix(), words);
    }

    /// The time since 1970 (UTC).
    fn unix(&self) -> Real {
        self.clock.unix(self.clock.now())
    }
}

fn nanos(at: Real) -> i64 {
    i64::try_from(at.as_nanos()).unwrap_or(i64::MAX)
}
