mod step;

use core::ops::Range;

use machine::{Cx, Deadline, Instant, Queue, Timers};

use crate::outbox::{NotSent, Outbox};
use crate::times::{self, Timer};
use crate::{Counters, Deframer, Dropped, Event, Item, Loss, RECEIVE_MIN, Reset, SEND_LEN};
use step::{Access, Step};

/// The host's side of one chip. The crate's documentation has the rules and an example.
#[derive(Debug)]
pub struct Qca7000<'b> {
    step: Step,
    link: Link,
    /// Why the chip is probed.
    lost: Loss,
    /// Whether [`Event::Silent`] was reported since the last signature.
    silence_said: bool,
    /// A service is due.
    due: bool,
    /// Start of the wait for room in the write buffer.
    full_since: Option<Instant>,
    /// The value to write to a register, or read from it.
    word: [u8; 2],
    deframer: Deframer<'b>,
    /// The next whole frame; while it is present nothing is read.
    frame: Option<Range<usize>>,
    outbox: Outbox<'b>,
    timers: Timers<Timer, 6>,
    events: Queue<Event, EVENTS>,
    counters: Counters,
}

/// Bound of queued events.
const EVENTS: usize = 16;

/// State of the chip as far as observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// It may have been running before the host.
    Unknown,
    /// It was reset and has not reported its start.
    Resetting,
    /// It is set up.
    Up,
    /// It was set up and does not respond.
    Lost,
}

/// Memory for a [`Qca7000`].
#[derive(Debug)]
pub struct Buffers<'b> {
    /// For bursts from the chip: at least [`RECEIVE_MIN`] bytes. From [`READ_MAX`](crate::READ_MAX) on every
    /// burst is read in one transaction; more has no effect.
    pub receive: &'b mut [u8],
    /// For the queued frame.
    pub send: &'b mut [u8; SEND_LEN],
}

/// The receive buffer is shorter than the longest frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a receive buffer of {have} bytes does not hold the longest frame: give it {RECEIVE_MIN} or more")]
pub struct BufferTooSmall {
    /// Its length in bytes.
    pub have: usize,
}

/// Inputs of a [`Qca7000`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The chip's interrupt is active. A level, so it may be repeated. It has an effect only while the chip
    /// is set up.
    Interrupt,
    /// The transaction of [`Qca7000::poll_transfer`] is done, and its [`Data::Read`] is filled.
    Done,
    /// The bus reported an error in that transaction.
    Failed,
}

/// One transaction: the command, then the data, under one chip select.
#[derive(Debug, PartialEq, Eq)]
pub struct Transfer<'t> {
    /// The command, most significant byte first.
    pub command: [u8; 2],
    /// The data that follow the command.
    pub data: Data<'t>,
}

/// The data of a [`Transfer`].
#[derive(Debug, PartialEq, Eq)]
pub enum Data<'t> {
    /// These bytes are written.
    Write(&'t [u8]),
    /// This many bytes are read.
    Read(&'t mut [u8]),
}

impl<'b> Qca7000<'b> {
    /// A machine for a chip in an unknown state; the first transaction is due immediately.
    ///
    /// # Errors
    /// [`BufferTooSmall`].
    pub fn new(buffers: Buffers<'b>) -> Result<Self, BufferTooSmall> {
        let Buffers { receive, send } = buffers;
        let have = receive.len();
        if have < RECEIVE_MIN {
            return Err(BufferTooSmall { have });
        }
        Ok(Self {
            step: Step::Idle,
            link: Link::Unknown,
            lost: Loss::Bus,
            silence_said: false,
            due: true,
            full_since: None,
            word: [0; 2],
            deframer: Deframer::new(receive),
            frame: None,
            outbox: Outbox::new(send),
            timers: Timers::new(),
            events: Queue::new(),
            counters: Counters::default(),
        })
    }

    /// Whether the chip is set up and responds.
    pub fn is_up(&self) -> bool {
        self.link == Link::Up
    }

    /// Whether [`send`](Self::send) accepts a frame.
    pub fn can_send(&self) -> bool {
        self.is_up() && !self.outbox.is_waiting()
    }

    /// Whether [`poll_transfer`](Self::poll_transfer) has a transaction: if so, do not sleep, poll. Call it
    /// after all frames are taken.
    pub fn is_busy(&self) -> bool {
        self.step != Step::Idle || self.job().is_some()
    }

    /// Queues an Ethernet frame of 14 to [`MAX_FRAME`](crate::MAX_FRAME) bytes, without FCS, for the power
    /// line.
    ///
    /// # Errors
    /// [`NotSent`]; the frame is not queued.
    pub fn send(&mut self, frame: &[u8]) -> Result<(), NotSent> {
        if !self.is_up() {
            return Err(NotSent::NotReady);
        }
        self.outbox.put(frame)
    }

    /// Processes one input. [`Input::Done`] and [`Input::Failed`] without a transaction do nothing.
    pub fn handle(&mut self, cx: &mut Cx<'_>, input: Input) {
        match input {
            Input::Interrupt => self.due |= self.is_up(),
            Input::Done => {
                self.step = self.after(cx.now);
            }
            Input::Failed if self.step != Step::Idle => {
                self.step = self.lose(cx.now, Loss::Bus);
            }
            Input::Failed => {}
        }
    }

    /// Processes every deadline that is due at `cx.now`. Calling it early does nothing.
    pub fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        while let Some(timer) = self.timers.expired(cx.now) {
            match timer {
                Timer::Probe | Timer::Poll => self.due = true,
                Timer::Retry => {} // while it runs, the frame waits
                Timer::Silent => {
                    self.silence_said = true;
                    self.events.push(Event::Silent(self.lost));
                }
                Timer::Reset => {
                    self.link = Link::Unknown;
                    self.events.push(Event::ResetUnanswered);
                }
                Timer::Cut => self.look(true),
            }
        }
    }

    /// The next transaction, the same one until [`Input::Done`] or [`Input::Failed`]. `None`: take the
    /// received frames; else wait for the interrupt, the deadline or a frame to send.
    pub fn poll_transfer(&mut self) -> Option<Transfer<'_>> {
        if self.step == Step::Idle {
            self.step = self.job()?;
            self.due &= self.step != Step::FirstSignature;
        }
        let (command, data) = match self.step.access(self.outbox.bytes().len())? {
            Access::Get(register) => (register.read(), Data::Read(&mut self.word)),
            Access::Set(register, value) => {
                self.word = value.to_be_bytes();
                (register.write(), Data::Write(&self.word))
            }
            Access::Read(count) => {
                let space = self.deframer.space();
                (crate::READ, Data::Read(space.get_mut(..count.into()).unwrap_or_default()))
            }
            Access::Write => (crate::WRITE, Data::Write(self.outbox.bytes())),
        };
        Some(Transfer { command: command.to_be_bytes(), data })
    }

    /// The next Ethernet frame from the power line, without FCS, at least 60 bytes. Call it until it returns
    /// `None`: nothing is read from the chip before.
    pub fn poll_frame(&mut self) -> Option<&[u8]> {
        let place = self.frame.take()?;
        count(&mut self.counters.received, 1);
        self.look(false);
        Some(self.deframer.get(place))
    }

    /// Removes and returns the oldest event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    /// The earliest deadline.
    pub fn poll_timeout(&self) -> Option<Deadline> {
        self.timers.next()
    }

    /// Counts since the machine was created.
    pub fn counters(&self) -> Counters {
        Counters { events_lost: self.events.dropped(), ..self.counters }
    }

    /// The next job when no transaction is active: a frame to send, then a service.
    fn job(&self) -> Option<Step> {
        if self.is_up() && self.outbox.is_waiting() && self.timers.due(Timer::Retry).is_none() {
            return Some(Step::WriteSpace);
        }
        (self.due && self.frame.is_none()).then_some(Step::FirstSignature)
    }

    /// Searches the received bytes for the next frame; `last`: no more bytes of a partial frame will come.
    fn look(&mut self, last: bool) {
        while let Some(item) = if last { self.deframer.poll_rest() } else { self.deframer.poll_item() } {
            let dropped = match item {
                Item::Frame(place) => {
                    self.frame = Some(place);
                    return;
                }
                Item::Noise { bytes } => Dropped::Noise { bytes },
                Item::Cut { length } => Dropped::Cut { length },
                Item::TooLong { length } => Dropped::TooLong { length },
            };
            self.drop(dropped);
        }
    }

    /// Drops the frame in the outbox.
    fn drop_unsent(&mut self) {
        self.full_since = None;
        if let Some(length) = self.outbox.clear() {
            self.drop(Dropped::Unsent { length });
        }
    }

    fn drop(&mut self, dropped: Dropped) {
        let counters = &mut self.counters;
        match dropped {
            Dropped::Noise { bytes } => {
                count(&mut counters.noise_bytes, u32::try_from(bytes).unwrap_or(u32::MAX));
            }
            Dropped::Cut { .. } => count(&mut counters.cut, 1),
            Dropped::TooLong { .. } => count(&mut counters.too_long, 1),
            Dropped::Unsent { .. } => count(&mut counters.unsent, 1),
        }
        self.events.push(Event::Dropped(dropped));
    }

    /// The chip's response is invalid: probe it.
    fn lose(&mut self, now: Instant, why: Loss) -> Step {
        if self.link == Link::Up {
            self.link = Link::Lost;
            count(&mut self.counters.losses, 1);
            self.events.push(Event::Lost(why));
        }
        self.lost = why;
        self.probe(now);
        if !self.silence_said {
            self.timers.start(Timer::Silent, now + times::SILENT);
        }
        Step::Idle
    }

    fn probe(&mut self, now: Instant) {
        self.timers.set(Timer::Probe, now + times::PROBE);
    }

    /// Begins the chip's reset.
    fn reset(&mut self, why: Reset) -> Step {
        count(&mut self.counters.resets, 1);
        self.events.push(Event::Resetting(why));
        self.link = Link::Unknown;
        self.drop_unsent();
        Step::Config
    }
}

/// Adds to a counter that saturates.
fn count(counter: &mut u32, more: u32) {
    *counter = counter.saturating_add(more);
}
