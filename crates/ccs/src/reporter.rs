//! Between a running role and those who write: pairs messages with the events about them, tells the same thing once and
//! then counts it, and hands everything on without ever waiting.

use hal_linux::{Clock, Direction};
use machine::Instant;
use roles::{Happening, PevEvent};
use session::StopReason;

use crate::command::evse::clerk::{Clerk, Entry};
use crate::inbox::Inbox;
use crate::repeats::{EVERY, Line, Repeats};
use crate::said::{Kind, Often, Said};

/// Reports what a role does.
pub struct Reporter<'c, 'a> {
    clerk: &'c mut Clerk<'a>,
    inbox: &'c Inbox,
    clock: Clock,
    how: How,
    repeats: Repeats<Kind, Entry>,
    stopped: Option<StopReason>,
    /// When what was lost is said next.
    loss_at: Instant,
}

/// What is reported.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    /// Frames, too: there is a recording.
    pub records: bool,
    /// Every message of a session, the same ones too.
    pub all: bool,
}

impl<'c, 'a> Reporter<'c, 'a> {
    /// A reporter of a role that shows its messages to `inbox`.
    pub fn new(clerk: &'c mut Clerk<'a>, inbox: &'c Inbox, clock: Clock, how: How) -> Self {
        let repeats = Repeats::new();
        Self { clerk, inbox, clock, how, repeats, stopped: None, loss_at: Instant::ZERO }
    }

    /// The last session's end.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.stopped
    }

    /// Whether writing lines has failed: the reader of a pipe is gone.
    pub fn nobody_reads(&self) -> bool {
        self.clerk.nobody_reads()
    }

    /// Records a frame.
    pub fn frame(&mut self, at: Instant, direction: Direction, frame: &[u8]) {
        if self.how.records {
            self.clerk.frame(self.clock.unix(at), direction, frame);
        }
    }

    /// Writes a line.
    pub fn say(&mut self, at: Instant, words: impl Into<String>) {
        self.told(at, Said::Words(words.into()));
    }

    /// Takes what the role says.
    pub fn told(&mut self, at: Instant, said: Said) {
        use pev_fsm::Event as CarEvent;
        if let Said::Charger(Happening::Session(evse_fsm::Event::Stopped(reason)))
        | Said::Car(PevEvent::Session(CarEvent::Stopped(reason))) = &said
        {
            self.stopped = Some(*reason);
        }
        let document = said.direction().and_then(|direction| self.inbox.take(at, direction));
        let often = said.often();
        let entry = Entry { at, said, document, more: None };
        match often {
            Often::Once(kind) if !(self.how.all && kind.is_round()) => self.once(at, kind, entry),
            Often::Milestone => {
                self.flush(at, |_| true);
                self.repeats.forget();
                self.clerk.tell(entry);
            }
            _ => self.clerk.tell(entry),
        }
    }

    /// Comes again and again, whatever else happens.
    pub fn tick(&mut self, at: Instant) {
        while let Some(line) = self.repeats.due(at) {
            self.write(at, line);
        }
        if at >= self.loss_at
            && let Some(words) = self.clerk.lost()
        {
            self.loss_at = at + EVERY;
            self.say(at, words);
        }
    }

    /// The end of everything: what was held back, then this line as the very last one.
    pub fn end(&mut self, last: &str) {
        self.flush(self.clock.now(), |_| true);
        self.clerk.last(last);
    }

    /// A message with another name than those of late: the session went on, and what the last round came to is told first.
    fn once(&mut self, at: Instant, kind: Kind, entry: Entry) {
        if let Kind::Message(message) = &kind {
            let is_same = |known: &Kind| matches!(known, Kind::Message(known) if known.name == message.name);
            if !self.repeats.has_told(at, is_same) {
                self.flush(at, Kind::is_round);
            }
        }
        if let Some(line) = self.repeats.take(at, kind, entry) {
            self.write(at, line);
        }
    }

    fn flush(&mut self, at: Instant, which: impl Fn(&Kind) -> bool) {
        while let Some(line) = self.repeats.flush(at, &which) {
            self.write(at, line);
        }
    }

    fn write(&mut self, at: Instant, Line { item, more }: Line<Entry>) {
        self.clerk.tell(Entry { at, more, ..item });
    }
}
