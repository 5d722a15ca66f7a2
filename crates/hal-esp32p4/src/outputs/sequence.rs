use machine::{Duration, Instant};

/// Which of the contactors' coils are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Coils {
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) precharge: bool,
}

/// State of the contactors' contacts. `None`: the board has no such contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contacts {
    pub(super) plus: Option<Contact>,
    pub(super) minus: Option<Contact>,
}

impl Contacts {
    /// Name of the first contact that does not read open.
    pub(super) fn not_open(self) -> Option<&'static str> {
        let both = [(MINUS, self.minus), (PLUS, self.plus)];
        both.into_iter()
            .find(|(_, contact)| contact.is_some_and(|is| is != Contact::Open))
            .map(|(name, _)| name)
    }
}

/// A contact that the board has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contact {
    Open,
    Closed,
    Silent,
}

/// How the contactors failed to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContactorFault {
    /// A contact did not read open before the command to close.
    #[error(
        "{0} is not open before the command to close: look for a weld, a broken feedback wire, a wrong polarity"
    )]
    NotOpen(&'static str),
    /// A contact did not read closed in time.
    #[error("{0} did not close within {time}: look at its coil, supply and feedback", time = Sequence::CONFIRM)]
    NotClosed(&'static str),
}

/// Closes the contactors in their order: minus, then plus through the precharge resistor where there is one,
/// each confirmed by its contact. Opens all at the same time: no contactor waits for another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sequence {
    step: Step,
    since: Instant,
    /// Time on the precharge resistor; `None` without one.
    precharge: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Open,
    /// Commanded to close, but a contact does not read open yet.
    Waiting,
    Minus,
    Precharge,
    Plus,
    Closed,
}

impl Sequence {
    /// Time in which a contactor must confirm that it is closed, and before that must read open: 200 ms
    /// (judgement: contactors move in 30 ms and bounce for 20 ms).
    pub(super) const CONFIRM: Duration = Duration::from_millis(200);
    /// Time after which a contactor without a contact counts as closed: 100 ms (judgement).
    pub(super) const BLIND: Duration = Duration::from_millis(100);

    pub(super) const fn new(precharge: Option<Duration>) -> Self {
        Self { step: Step::Open, since: Instant::ZERO, precharge }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.step, Step::Open | Step::Waiting)
    }

    pub(super) fn open(&mut self) {
        self.step = Step::Open;
    }

    /// Follows the command and returns which coils are on.
    pub(super) fn step(
        &mut self,
        now: Instant,
        closes: bool,
        contacts: Contacts,
    ) -> Result<Coils, ContactorFault> {
        let next = if closes { self.next(now, contacts) } else { Ok(Step::Open) };
        let next = next.inspect_err(|_| self.step = Step::Open)?;
        if next != self.step {
            (self.step, self.since) = (next, now);
        }
        Ok(self.coils())
    }

    fn next(&self, now: Instant, contacts: Contacts) -> Result<Step, ContactorFault> {
        let elapsed = now.since(self.since);
        let has_closed = |name, contact| match contact {
            None => Ok(elapsed >= Self::BLIND),
            Some(Contact::Closed) => Ok(true),
            Some(_) if elapsed >= Self::CONFIRM => Err(ContactorFault::NotClosed(name)),
            Some(_) => Ok(false),
        };
        Ok(match self.step {
            Step::Open | Step::Waiting => match contacts.not_open() {
                None => Step::Minus,
                Some(name) if self.step == Step::Waiting && elapsed >= Self::CONFIRM => {
                    return Err(ContactorFault::NotOpen(name));
                }
                Some(_) => Step::Waiting,
            },
            Step::Minus if !has_closed(MINUS, contacts.minus)? => Step::Minus,
            Step::Minus if self.precharge.is_some() => Step::Precharge,
            Step::Precharge if self.precharge.is_some_and(|time| elapsed < time) => Step::Precharge,
            Step::Minus | Step::Precharge => Step::Plus,
            Step::Plus if !has_closed(PLUS, contacts.plus)? => Step::Plus,
            Step::Plus | Step::Closed => Step::Closed,
        })
    }

    fn coils(&self) -> Coils {
        let has_precharge = self.precharge.is_some();
        match self.step {
            Step::Open | Step::Waiting => Coils::default(),
            Step::Minus => Coils { minus: true, ..Coils::default() },
            Step::Precharge => Coils { minus: true, precharge: true, plus: false },
            Step::Plus => Coils { minus: true, precharge: has_precharge, plus: true },
            Step::Closed => Coils { minus: true, plus: true, precharge: false },
        }
    }
}

const PLUS: &str = "contactor +";
const MINUS: &str = "contactor -";

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Option<Contact> = Some(Contact::Open);
    const CLOSED: Option<Contact> = Some(Contact::Closed);

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    fn coils(minus: bool, precharge: bool, plus: bool) -> Coils {
        Coils { plus, minus, precharge }
    }

    #[test]
    fn minus_precharge_and_plus_follow_each_other_and_precharge_goes_off_last() {
        let mut sequence = Sequence::new(Some(Duration::from_millis(500)));
        let mut step = |ms, minus, plus| sequence.step(at(ms), true, Contacts { plus, minus });
        assert_eq!(step(0, OPEN, OPEN), Ok(coils(true, false, false)));
        assert_eq!(step(30, OPEN, OPEN), Ok(coils(true, false, false)));
        assert_eq!(step(40, CLOSED, OPEN), Ok(coils(true, true, false)));
        assert_eq!(step(539, CLOSED, OPEN), Ok(coils(true, true, false)));
        assert_eq!(step(540, CLOSED, OPEN), Ok(coils(true, true, true)));
        assert_eq!(step(560, CLOSED, OPEN), Ok(coils(true, true, true)));
        assert_eq!(step(570, CLOSED, CLOSED), Ok(coils(true, false, true)));
        assert_eq!(step(9_999, CLOSED, CLOSED), Ok(coils(true, false, true)));
    }

    #[test]
    fn every_step_opens_at_once() {
        for until in [0, 40, 200, 540, 570, 900] {
            let mut sequence = Sequence::new(Some(Duration::from_millis(500)));
            for ms in 0..=until {
                let contact = |after| if ms > after { CLOSED } else { OPEN };
                let contacts = Contacts { minus: contact(30), plus: contact(560) };
                sequence.step(at(ms), true, contacts).unwrap();
            }
            let contacts = Contacts { minus: CLOSED, plus: CLOSED };
            assert_eq!(sequence.step(at(until + 1), false, contacts), Ok(coils(false, false, false)));
            assert!(sequence.is_open());
        }
    }

    #[test]
    fn a_contact_that_is_not_open_before_or_not_closed_in_time_stops_with_all_coils_off() {
        let silent = Some(Contact::Silent);
        let before =
            [(CLOSED, OPEN, MINUS), (OPEN, CLOSED, PLUS), (silent, OPEN, MINUS), (OPEN, silent, PLUS)];
        for (minus, plus, name) in before {
            let mut sequence = Sequence::new(None);
            let mut step = |ms| sequence.step(at(ms), true, Contacts { plus, minus });
            assert_eq!(step(0), Ok(Coils::default()));
            assert_eq!(step(199), Ok(Coils::default()));
            assert_eq!(step(200), Err(ContactorFault::NotOpen(name)));
        }
        for stuck in [OPEN, silent] {
            let mut sequence = Sequence::new(None);
            let mut step = |ms, minus, plus| sequence.step(at(ms), true, Contacts { plus, minus });
            step(0, OPEN, OPEN).unwrap();
            assert_eq!(step(199, stuck, OPEN), Ok(coils(true, false, false)));
            assert_eq!(step(200, stuck, OPEN), Err(ContactorFault::NotClosed(MINUS)));
            step(300, OPEN, OPEN).unwrap();
            step(340, CLOSED, OPEN).unwrap();
            assert_eq!(step(540, CLOSED, stuck), Err(ContactorFault::NotClosed(PLUS)));
            assert!(sequence.is_open());
        }
    }

    #[test]
    fn a_contact_that_still_bounces_from_opening_is_waited_for() {
        let mut sequence = Sequence::new(None);
        let mut step = |ms, contact| sequence.step(at(ms), true, Contacts { plus: contact, minus: contact });
        assert_eq!(step(0, CLOSED), Ok(Coils::default()));
        assert_eq!(step(20, OPEN), Ok(coils(true, false, false)));
    }

    #[test]
    fn contactors_without_contacts_follow_by_time() {
        let mut sequence = Sequence::new(None);
        let mut step = |ms| sequence.step(at(ms), true, Contacts { plus: None, minus: None });
        assert_eq!(step(0), Ok(coils(true, false, false)));
        assert_eq!(step(99), Ok(coils(true, false, false)));
        assert_eq!(step(100), Ok(coils(true, false, true)));
        assert_eq!(step(200), Ok(coils(true, false, true)));
    }
}
