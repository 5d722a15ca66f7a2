/// A stop that blocks the next session until a person clears it. Ordered by severity, the worst last: a worse
/// latch replaces a lesser one.
///
/// A latch outlasts the program. Store it under its [`name`](Self::name) in a place that survives a restart
/// (a file, flash), and pass it back at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Latch {
    /// No fault: the driver ended the charge and has not started it again. Also cleared when the plug is
    /// removed.
    DriverStop,
    /// The charger demanded a current twice in a row and measured none.
    NoCurrent,
    /// The isolation test failed twice.
    Isolation,
    /// The voltage of the isolation test was not reached, or was present before the test, twice.
    Voltage,
    /// Over-voltage, over-current, or a power stage that does not follow its demand.
    OutOfRange,
    /// Current flowed against the direction of charging.
    ReverseCurrent,
    /// Two own sensors of one quantity contradict each other. Either of them may be wrong.
    Suspect,
    /// The emergency stop was pressed.
    EmergencyStop,
    /// Voltage is present, or not measured, where none is allowed.
    VoltagePresent,
    /// Contactors did not follow their command, or are closed without a command.
    Contactors,
    /// The stored latch could not be read. Treated as the worst.
    Unreadable,
}

/// One row for each latch: its name in files and logs, and what happened with what to do.
type Row = (Latch, &'static str, &'static str);

const ROWS: [Row; 11] = [
    (Latch::DriverStop, "driver-stop", "the driver has stopped: start again, or pull the plug"),
    (
        Latch::NoCurrent,
        "no-current",
        "no current came although it was demanded: look at the power stage and the current sensor",
    ),
    (Latch::Isolation, "isolation", "isolation fault twice: measure cable and inlet"),
    (
        Latch::Voltage,
        "voltage",
        "the isolation test's voltage was off twice: look at the power stage, its times and the voltage sensor",
    ),
    (Latch::OutOfRange, "out-of-range", "over-voltage or over-current: find the cause"),
    (
        Latch::ReverseCurrent,
        "reverse-current",
        "current flowed backwards: look at the power stage and the sign of the current sensor",
    ),
    (
        Latch::Suspect,
        "suspect-sensor",
        "two sensors contradict each other: measure, replace the wrong one; release the plug by hand only after measuring below 60 V",
    ),
    (Latch::EmergencyStop, "emergency-stop", "the emergency stop was pressed: find out why and release it"),
    (
        Latch::VoltagePresent,
        "voltage-present",
        "voltage where there must be none, or unknown: do not touch, measure",
    ),
    (
        Latch::Contactors,
        "contactors",
        "contactors did not follow: check coil, supply and feedback contact, measure for welds",
    ),
    (Latch::Unreadable, "unreadable", "the kept state cannot be read: find out what was latched, then reset"),
];

impl Latch {
    fn row(self) -> &'static Row {
        // A test checks that every latch has a row. The last row is the worst latch.
        let [.., last] = &ROWS;
        ROWS.iter().find(|(latch, ..)| *latch == self).unwrap_or(last)
    }

    /// The name in files, configurations and logs. It never changes.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// What happened and what to do, in one line.
    pub fn advice(self) -> &'static str {
        self.row().2
    }

    /// The more important of two latches where only one can be stored. It is the worse one, except that
    /// [`Latch::Suspect`] precedes all but [`Latch::Unreadable`]: a button, a contact and a voltage are read
    /// again after a restart, a contradiction of sensors is not detected again.
    #[must_use]
    pub fn kept(self, other: Self) -> Self {
        let rank = |latch: Self| (latch == Self::Unreadable, latch == Self::Suspect, latch);
        if rank(self) < rank(other) { other } else { self }
    }

    /// The latch with this name; [`Latch::Unreadable`] for an unknown name.
    pub fn from_name(name: &str) -> Self {
        ROWS.iter().find(|(_, of, _)| *of == name).map_or(Self::Unreadable, |(latch, ..)| *latch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_latch_has_a_name_of_its_own_and_is_found_by_it() {
        for (index, (latch, name, _)) in ROWS.iter().enumerate() {
            assert_eq!((latch.name(), Latch::from_name(name)), (*name, *latch));
            assert!(ROWS[..index].iter().all(|(before, ..)| before < latch), "in the order of the type");
        }
    }

    #[test]
    fn a_suspect_sensor_is_kept_before_any_other_that_can_be_read_and_else_the_worse_one() {
        for (latch, ..) in ROWS {
            let is_worst = latch == Latch::Unreadable;
            let expected = if is_worst { latch } else { Latch::Suspect };
            assert_eq!((latch.kept(Latch::Suspect), Latch::Suspect.kept(latch)), (expected, expected));
        }
        let (one, other) = (Latch::OutOfRange, Latch::EmergencyStop);
        assert_eq!((one.kept(other), other.kept(one)), (other, other));
    }

    #[test]
    fn a_name_that_is_not_known_counts_as_the_worst() {
        assert_eq!(Latch::from_name("x"), Latch::Unreadable);
        assert!(ROWS.iter().all(|(latch, ..)| *latch <= Latch::Unreadable));
    }
}
