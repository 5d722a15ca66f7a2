//! Connects a running role with the writers of log and recording. It pairs messages with the events about
//! them, reports an event once and then counts it, and never blocks.

use hal_linux::{Clock, Direction};
use machine::Instant;
use roles::{Happening, PevEvent};
use session::StopReason;

use crate::inbox::Inbox;
use crate::log_writer::{Entry, LogWriter};
use crate::repeats::{EVERY, Line, Repeats};
use crate::said::{Closing, Kind, Often, Said};

/// Reports the events of a role.
pub struct Reporter<'c, 'a> {
    writer: &'c mut LogWriter<'a>,
    inbox: &'c Inbox,
    clock: Clock,
    how: How,
    repeats: Repeats<Kind, Entry>,
    stopped: Option<StopReason>,
    closing: Closing,
    /// A connection is over, and its story is not written yet.
    is_over: bool,
    /// When lost lines are reported next.
    loss_at: Instant,
}

/// Options of a reporter.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    /// Whether frames are recorded.
    pub records: bool,
    /// Whether every message is reported, including repeated ones.
    pub all: bool,
}

impl<'c, 'a> Reporter<'c, 'a> {
    /// A reporter for a role that reports its messages to `inbox`.
    pub fn new(writer: &'c mut LogWriter<'a>, inbox: &'c Inbox, clock: Clock, how: How) -> Self {
        let (repeats, closing) = (Repeats::new(), Closing::default());
        let loss_at = Instant::ZERO;
        Self { writer, inbox, clock, how, repeats, stopped: None, closing, is_over: false, loss_at }
    }

    /// Stop reason of the last session.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.stopped
    }

    /// Whether writing a line has failed: the reader of the pipe is gone.
    pub fn nobody_reads(&self) -> bool {
        self.writer.nobody_reads()
    }

    /// Records a frame.
    pub fn frame(&mut self, at: Instant, direction: Direction, frame: &[u8]) {
        if self.how.records {
            self.notes();
            self.writer.frame(self.clock.unix(at), direction, frame);
        }
    }

    /// Records the plant's actions.
    fn notes(&mut self) {
        for (at, words) in self.inbox.notes() {
            self.writer.note(self.clock.unix(at), words);
        }
    }

    /// Marks the begin or the end of a session.
    fn session(&mut self, at: Instant, begins: bool) {
        if self.how.records {
            self.notes();
            self.writer.session(self.clock.unix(at), begins);
        }
    }

    /// Writes a line.
    pub fn say(&mut self, at: Instant, words: impl Into<String>) {
        self.told(at, Said::Words(words.into()));
    }

    /// Handles an event of the role.
    pub fn told(&mut self, at: Instant, said: Said) {
        use pev_fsm::Event as CarEvent;
        if let Said::Charger(Happening::Session(evse_fsm::Event::Stopped(reason)))
        | Said::Car(PevEvent::Session(CarEvent::Stopped(reason))) = &said
        {
            self.stopped = Some(*reason);
            self.session(at, false);
        }
        if let Said::Charger(Happening::Connected(_)) | Said::Car(PevEvent::Connected(_)) = &said {
            self.session(at, true);
        }
        let document = said.direction().and_then(|direction| self.inbox.take(at, direction));
        if let Some(document) = &document {
            self.writer.message(said.towards(document.direction), document.clone());
        }
        if let Some((by, close)) = self.closing.take(&said) {
            self.writer.closed(at, by, close);
        }
        self.is_over |= said.ends_session();
        let often = said.often();
        let entry = Entry { at, said, document, more: None };
        match often {
            Often::Once(kind) if !(self.how.all && kind.is_round()) => self.once(at, kind, entry),
            Often::Milestone => {
                self.flush(at, |_| true);
                self.repeats.forget();
                self.writer.tell(entry);
            }
            _ => self.writer.tell(entry),
        }
    }

    /// Called with the tick of the loop, about every 50 ms.
    pub fn tick(&mut self, at: Instant) {
        if self.how.records {
            self.notes();
        }
        while let Some(line) = self.repeats.due(at) {
            self.write(at, line);
        }
        // The stop reason is an event of the same step as the end of the connection, so the story is complete
        // here.
        if std::mem::take(&mut self.is_over) {
            self.flush(at, Kind::is_round);
            self.writer.story();
        }
        if at >= self.loss_at
            && let Some(words) = self.writer.lost()
        {
            self.loss_at = at + EVERY;
            self.say(at, words);
        }
    }

    /// Writes everything that was delayed, then this line as the last one.
    pub fn end(&mut self, last: &str) {
        self.flush(self.clock.now(), |_| true);
        self.writer.story();
        self.writer.last(last);
    }

    /// A message with a name that was not logged recently shows that the session continues: events delayed
    /// since the last round are written first.
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
        self.writer.tell(Entry { at, more, ..item });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_writer::with_log_writer;
    use evse_fsm::Event;
    use roles::{Mac, Watch};
    use sdp::Endpoint;
    use session::{By, Cause, Checkpoint, Message, Phase, Values};

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    /// The lines that are written for what `work` reports.
    fn written(how: How, work: impl FnOnce(&mut Reporter<'_, '_>, &Inbox)) -> Vec<String> {
        let (mut out, inbox) = (Vec::new(), Inbox::default());
        with_log_writer(&mut out, None, |writer| {
            let mut reporter = Reporter::new(writer, &inbox, Clock::start(), how);
            work(&mut reporter, &inbox);
            reporter.end("the end");
        });
        String::from_utf8(out).unwrap().lines().map(|line| line.trim().to_owned()).collect()
    }

    fn session(event: Event) -> Said {
        Said::Charger(Happening::Session(event))
    }

    fn received(name: &'static str, values: Values) -> Said {
        session(Event::Message(Message {
            direction: session::Direction::Received,
            name,
            checkpoint: None,
            values,
        }))
    }

    fn round(name: &'static str, soc: u8) -> Said {
        received(name, Values { soc_percent: Some(soc), ..Values::default() })
    }

    #[test]
    fn a_round_that_repeats_shows_its_first_and_its_last_message_and_their_number() {
        let lines = written(How::default(), |reporter, _| {
            for index in 0..40_u8 {
                reporter.told(at(u64::from(index) * 100), round("PreChargeReq", index));
                reporter.told(
                    at(u64::from(index) * 100),
                    session(Event::Checkpoint(Checkpoint::PRE_CHARGE_REPEATED)),
                );
            }
            reporter.told(at(4_000), round("PowerDeliveryReq", 41));
        });
        let shown: Vec<&str> = lines.iter().map(|line| line.split_once(' ').unwrap().1.trim()).collect();
        assert_eq!(shown.len(), 6, "{lines:#?}");
        assert!(shown[0].ends_with("PreChargeReq soc=0%"), "{lines:#?}");
        assert!(shown[2].ends_with("PreChargeReq soc=39% x 39 in 4.0 s"), "{lines:#?}");
        assert!(shown[3].ends_with(" x 39 in 4.0 s") && shown[3].starts_with('['), "{lines:#?}");
        assert!(shown[4].ends_with("PowerDeliveryReq soc=41%"), "{lines:#?}");
    }

    #[test]
    fn an_answer_that_says_something_else_is_shown_at_once() {
        let lines = written(How::default(), |reporter, _| {
            for finished in [false, false, true] {
                let values = Values { finished: Some(finished), ..Values::default() };
                reporter.told(at(1), received("CableCheckRes", values));
            }
        });
        assert!(
            lines[0].ends_with("CableCheckRes ongoing") && lines[1].ends_with("CableCheckRes finished"),
            "{lines:#?}"
        );
    }

    #[test]
    fn every_message_is_shown_where_that_is_wanted() {
        let lines = written(How { all: true, records: false }, |reporter, _| {
            (0..40).for_each(|index| reporter.told(at(index), round("PreChargeReq", 1)));
            (0..40).for_each(|index| reporter.told(at(index), Said::Charger(Happening::Overrun)));
        });
        assert_eq!(lines.iter().filter(|line| line.ends_with("PreChargeReq soc=1%")).count(), 40);
        assert_eq!(lines.len(), 40 + 2 + 1, "{lines:#?}");
    }

    #[test]
    fn a_flood_of_strangers_is_a_line_a_kind_in_ten_seconds_with_numbers_that_add_up() {
        let strange = |index: u64| {
            let mac = Mac([2, 0, 0, 0, 1, u8::try_from(index % 256).unwrap()]);
            let from = Endpoint { address: mac.link_local(), port: 1 };
            match index % 4 {
                0 => Happening::OtherStation(mac),
                1 => Happening::Refused(from),
                2 => Happening::Slac(slac::Event::Announced { car: mac, sounds: 10 }),
                _ => {
                    Happening::Discovery(sdp::ServerEvent::Unanswered { from, why: sdp::Unanswered::Source })
                }
            }
        };
        let lines = written(How::default(), |reporter, _| {
            for index in 0..100_000 {
                // 35 s in total.
                let now = at(index * 35 / 100);
                reporter.told(now, Said::Charger(strange(index)));
                reporter.tick(now);
            }
        });
        assert_eq!(lines.len(), 4 * (1 + 3 + 1) + 1, "{lines:#?}");
        let counted = lines.iter().filter_map(|line| line.split_once(" x ")?.1.split(" in ").next());
        let counted: u64 = counted.map(|count| count.parse::<u64>().unwrap()).sum();
        assert_eq!(counted + 4, 100_000);
        assert_eq!(lines.last().unwrap(), "the end");
    }

    #[test]
    fn a_stop_reason_is_never_held_back_and_what_was_is_told_before_it() {
        let reason = StopReason::new(By::Car, Cause::Finished, Phase::SessionStop);
        let lines = written(How::default(), |reporter, _| {
            for _ in 0..3 {
                reporter.told(at(5), Said::Charger(Happening::Overrun));
                reporter.told(at(5), session(Event::Stopped(reason)));
            }
            reporter.told(at(6), round("SessionSetupReq", 1));
            reporter.told(at(6), round("SessionSetupReq", 2));
            assert_eq!(reporter.stop_reason(), Some(reason));
        });
        assert_eq!(lines.iter().filter(|line| line.ends_with(&reason.to_string())).count(), 3, "{lines:#?}");
        assert!(lines[lines.len() - 2].ends_with("soc=2% x 1"), "{lines:#?}");
    }

    #[test]
    fn an_event_is_written_with_the_message_that_it_is_about() {
        let lines = written(How::default(), |reporter, inbox| {
            // `supportedAppProtocolRes`, and bytes that are no message.
            inbox.message(at(1), session::Direction::Received, 0x8001, &[0x80, 0x40, 0x00, 0x40]);
            inbox.message(at(1), session::Direction::Received, 0x8001, &[0xFF; 9]);
            reporter.told(at(1), received("supportedAppProtocolRes", Values::default()));
            reporter.told(at(1), session(Event::Dropped(evse_fsm::Dropped::Undecodable { bit: 3 })));
        });
        assert!(lines[0].ends_with("ResponseCode=OK_SuccessfulNegotiation SchemaID=1"), "{lines:#?}");
        assert!(lines[1].ends_with("does not decode at bit 3 (9 bytes)"), "{lines:#?}");
    }
}
