use crate::Instant;

/// The earliest deadline of a machine, with the name of its timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// Time at which to call `handle_timeout`.
    pub at: Instant,
    /// The timer's name, for logs.
    pub name: &'static str,
}

impl Deadline {
    /// The earlier of two optional deadlines; `a` is preferred if they are equal.
    pub fn earlier(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        match (a, b) {
            (Some(a), Some(b)) => Some(if b.at < a.at { b } else { a }),
            (a, b) => a.or(b),
        }
    }

    /// The earliest of a machine's timers and other deadlines, by name; of equal ones `timers` is preferred,
    /// then the first.
    pub fn earliest(timers: Option<Self>, others: &[(&'static str, Option<Instant>)]) -> Option<Self> {
        let mut first = timers;
        for (name, due) in others {
            first = Self::earlier(first, due.map(|at| Self { at, name }));
        }
        first
    }
}

/// The timers of one machine, as a plain enum.
pub trait TimerName: Copy + PartialEq + 'static {
    /// Every timer, in the order in which timers due at the same moment fire.
    const ALL: &'static [Self];

    /// The name in logs.
    fn name(self) -> &'static str;
}

/// Declares the timers of a machine: an enum, and its [`TimerName`] with the timers in the order of the
/// lines. The text after `=` is the timer's name in logs: the standard's name if one exists.
///
/// ```
/// machine::timers! {
///     enum Timer {
///         /// Wait for an answer.
///         Answer = "TT_match_response",
///         Pause = "pause between attempts",
///     }
/// }
/// let timers = machine::Timers::<Timer, 2>::new();
/// assert_eq!(timers.next(), None);
/// # let _ = (Timer::Answer, Timer::Pause);
/// ```
#[macro_export]
macro_rules! timers {
    ($(#[$meta:meta])* $vis:vis enum $name:ident {
        $($(#[$about:meta])* $timer:ident = $text:expr),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name {
            $($(#[$about])* $timer,)+
        }

        impl $crate::TimerName for $name {
            const ALL: &'static [Self] = &[$(Self::$timer),+];

            fn name(self) -> &'static str {
                match self {
                    $(Self::$timer => $text,)+
                }
            }
        }
    };
}

/// `N` timers named by the enum `T`; `N` is the length of [`TimerName::ALL`].
#[derive(Clone, Debug)]
pub struct Timers<T, const N: usize> {
    due: [Option<Instant>; N],
    names: core::marker::PhantomData<T>,
}

impl<T: TimerName, const N: usize> Timers<T, N> {
    /// All timers stopped.
    pub const fn new() -> Self {
        const { assert!(T::ALL.len() == N, "Timers<T, N> needs N == T::ALL.len()") };
        Self { due: [None; N], names: core::marker::PhantomData }
    }

    /// Starts or restarts `timer`, to fire at `at`.
    pub fn set(&mut self, timer: T, at: Instant) {
        if let Some(slot) = self.slot(timer) {
            *slot = Some(at);
        }
    }

    /// Starts `timer` to fire at `at`, unless it runs already.
    pub fn start(&mut self, timer: T, at: Instant) {
        if let Some(slot) = self.slot(timer) {
            slot.get_or_insert(at);
        }
    }

    /// Stops `timer`.
    pub fn clear(&mut self, timer: T) {
        if let Some(slot) = self.slot(timer) {
            *slot = None;
        }
    }

    /// Stops all timers.
    pub fn clear_all(&mut self) {
        self.due = [None; N];
    }

    /// The time at which `timer` fires; `None` if it is stopped.
    pub fn due(&self, timer: T) -> Option<Instant> {
        T::ALL.iter().zip(&self.due).find(|(name, _)| **name == timer).and_then(|(_, due)| *due)
    }

    /// Stops and returns the earliest timer that is due at `now`.
    pub fn expired(&mut self, now: Instant) -> Option<T> {
        let (timer, at) = self.earliest()?;
        (at <= now).then(|| {
            self.clear(timer);
            timer
        })
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Deadline> {
        self.earliest().map(|(timer, at)| Deadline { at, name: timer.name() })
    }

    fn earliest(&self) -> Option<(T, Instant)> {
        // Called after every call of every machine: a plain loop takes half the instructions of `min_by_key`.
        let mut first: Option<(T, Instant)> = None;
        for (timer, due) in T::ALL.iter().zip(&self.due) {
            if let Some(at) = *due
                && first.is_none_or(|(_, earliest)| at < earliest)
            {
                first = Some((*timer, at));
            }
        }
        first
    }

    fn slot(&mut self, timer: T) -> Option<&mut Option<Instant>> {
        let index = T::ALL.iter().position(|name| *name == timer)?;
        self.due.get_mut(index)
    }
}

impl<T: TimerName, const N: usize> Default for Timers<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    timers! {
        enum Name {
            First = "first",
            Second = "second",
        }
    }

    #[test]
    fn timers_fire_in_order_of_time_and_then_of_declaration() {
        let mut timers = Timers::<Name, 2>::new();
        timers.set(Name::Second, Instant::from_millis(1));
        timers.set(Name::First, Instant::from_millis(2));
        assert_eq!(timers.next().map(|d| d.name), Some("second"));
        assert_eq!(timers.expired(Instant::ZERO), None);
        timers.set(Name::Second, Instant::from_millis(2));
        assert_eq!(timers.expired(Instant::from_millis(2)), Some(Name::First));
        assert_eq!(timers.expired(Instant::from_millis(2)), Some(Name::Second));
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_timer_that_runs_is_moved_by_set_and_not_by_start() {
        let mut timers = Timers::<Name, 2>::new();
        timers.start(Name::First, Instant::from_millis(1));
        timers.start(Name::First, Instant::from_millis(2));
        assert_eq!(timers.due(Name::First), Some(Instant::from_millis(1)));
        timers.set(Name::First, Instant::from_millis(3));
        assert_eq!(timers.due(Name::First), Some(Instant::from_millis(3)));
        timers.clear(Name::First);
        timers.start(Name::First, Instant::from_millis(2));
        assert_eq!(timers.due(Name::First), Some(Instant::from_millis(2)));
    }

    #[test]
    fn the_earlier_deadline_wins_and_an_absent_one_never() {
        let at = |millis, name| Some(Deadline { at: Instant::from_millis(millis), name });
        assert_eq!(Deadline::earlier(at(2, "a"), at(1, "b")), at(1, "b"));
        assert_eq!(Deadline::earlier(None, at(1, "b")), at(1, "b"));
        assert_eq!(Deadline::earlier(None, None), None);
    }
}
