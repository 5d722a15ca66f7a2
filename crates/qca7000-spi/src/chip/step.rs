//! The order of the transactions: the bus access of each step, and the effect of its result.

use machine::Instant;

use super::{Link, Qca7000, count};
use crate::register::{ENABLED, RESET_BIT};
use crate::times::{self, Timer};
use crate::{Cause, Event, Loss, READ_MAX, Register, Reset, SIGNATURE, WRITE_BUFFER};

/// The active transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Idle,
    // A service.
    FirstSignature,
    Signature,
    Mask,
    Cause,
    Acknowledge(Cause),
    /// After a start: whether the write buffer is empty.
    StartSpace,
    Available,
    ReadSize(u16),
    Read(u16),
    Unmask,
    // A reset.
    Config,
    Reset(u16),
    // A frame to send.
    WriteSpace,
    WriteSize,
    Write,
}

/// Bus access of a step.
pub(super) enum Access {
    Get(Register),
    Set(Register, u16),
    /// Read this many bytes of frames.
    Read(u16),
    /// Write the queued frame.
    Write,
}

impl Step {
    /// The bus access of the step; `waiting` is the length of the queued frame with its framing.
    pub(super) fn access(self, waiting: usize) -> Option<Access> {
        Some(match self {
            Self::Idle => return None,
            Self::FirstSignature | Self::Signature => Access::Get(Register::Signature),
            Self::Mask => Access::Set(Register::InterruptEnable, 0),
            Self::Cause => Access::Get(Register::InterruptCause),
            Self::Acknowledge(cause) => Access::Set(Register::InterruptCause, cause.bits()),
            Self::StartSpace | Self::WriteSpace => Access::Get(Register::WriteSpace),
            Self::Available => Access::Get(Register::ReadAvailable),
            Self::ReadSize(count) => Access::Set(Register::BufferSize, count),
            Self::Read(count) => Access::Read(count),
            Self::Unmask => Access::Set(Register::InterruptEnable, ENABLED.bits()),
            Self::Config => Access::Get(Register::Config),
            Self::Reset(config) => Access::Set(Register::Config, config | RESET_BIT),
            Self::WriteSize => Access::Set(Register::BufferSize, u16::try_from(waiting).unwrap_or(u16::MAX)),
            Self::Write => Access::Write,
        })
    }
}

impl Qca7000<'_> {
    /// The step after a finished one.
    pub(super) fn after(&mut self, now: Instant) -> Step {
        let value = u16::from_be_bytes(self.word);
        match self.step {
            Step::Idle => Step::Idle,
            Step::FirstSignature if self.is_up() && value == SIGNATURE => Step::Mask,
            Step::FirstSignature => Step::Signature,
            Step::Signature if value == SIGNATURE => {
                self.silence_said = false;
                self.timers.clear(Timer::Silent);
                Step::Mask
            }
            Step::Signature => self.implausible(now, Register::Signature),
            Step::Mask => Step::Cause,
            Step::Cause => match Cause::from_bits(value) {
                Some(cause) => Step::Acknowledge(cause),
                None => self.implausible(now, Register::InterruptCause),
            },
            Step::Acknowledge(cause) => self.react(now, cause),
            Step::StartSpace if value == WRITE_BUFFER => {
                self.come_up(Event::Up);
                Step::Available
            }
            Step::StartSpace | Step::WriteSpace if value > WRITE_BUFFER => {
                self.implausible(now, Register::WriteSpace)
            }
            Step::StartSpace => self.reset(Reset::NotEmpty { space: value }),
            Step::Available if value > READ_MAX => self.implausible(now, Register::ReadAvailable),
            Step::Available if value == 0 => {
                if self.deframer.is_partial() {
                    self.timers.start(Timer::Cut, now + times::CUT);
                }
                Step::Unmask
            }
            Step::Available => {
                Step::ReadSize(value.min(u16::try_from(self.deframer.free()).unwrap_or(u16::MAX)))
            }
            Step::ReadSize(count) => Step::Read(count),
            Step::Read(count) => {
                self.deframer.filled(count.into());
                self.timers.clear(Timer::Cut);
                self.look(false);
                self.due = true; // until nothing is available
                Step::Unmask
            }
            Step::Unmask => {
                self.timers.set(Timer::Poll, now + times::POLL);
                Step::Idle
            }
            Step::Config => Step::Reset(value),
            Step::Reset(_) => {
                self.link = Link::Resetting;
                self.timers.set(Timer::Reset, now + times::RESET);
                self.probe(now);
                Step::Idle
            }
            Step::WriteSpace if value < self.outbox.needed() => self.wait_for_space(now, value),
            Step::WriteSpace => Step::WriteSize,
            Step::WriteSize => Step::Write,
            Step::Write => {
                self.outbox.clear();
                self.full_since = None;
                count(&mut self.counters.sent, 1);
                Step::Idle
            }
        }
    }

    /// The effect of an acknowledged cause.
    fn react(&mut self, now: Instant, cause: Cause) -> Step {
        if cause.contains(Cause::CPU_ON) {
            return self.started();
        }
        match self.link {
            Link::Resetting => {
                self.probe(now);
                Step::Idle
            }
            _ if cause.contains(Cause::READ_ERROR) => self.reset(Reset::ReadError),
            _ if cause.contains(Cause::WRITE_ERROR) => self.reset(Reset::WriteError),
            Link::Unknown => self.reset(Reset::Unknown),
            Link::Lost => {
                self.come_up(Event::Resumed);
                Step::Available
            }
            Link::Up => Step::Available,
        }
    }

    /// The chip has just started, after a reset or on its own.
    fn started(&mut self) -> Step {
        if matches!(self.link, Link::Up | Link::Lost) {
            count(&mut self.counters.restarts, 1);
            self.events.push(Event::Restarted);
            self.drop_unsent();
        }
        self.link = Link::Unknown; // until its write buffer is known to be empty
        self.timers.clear(Timer::Reset);
        Step::StartSpace
    }

    fn come_up(&mut self, event: Event) {
        self.link = Link::Up;
        self.events.push(event);
    }

    fn wait_for_space(&mut self, now: Instant, space: u16) -> Step {
        match self.full_since {
            None => {
                self.full_since = Some(now);
                count(&mut self.counters.write_buffer_full, 1);
                self.events.push(Event::WriteBufferFull { space, needed: self.outbox.needed() });
            }
            Some(since) if now.since(since) >= times::STUCK => return self.reset(Reset::Stuck),
            Some(_) => {}
        }
        self.timers.set(Timer::Retry, now + times::RETRY);
        Step::Idle
    }

    /// A register returned an impossible value.
    fn implausible(&mut self, now: Instant, register: Register) -> Step {
        self.lose(now, Loss::Value { register, value: u16::from_be_bytes(self.word) })
    }
}
