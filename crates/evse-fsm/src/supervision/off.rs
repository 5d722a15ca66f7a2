//! Faults while no output is driven: closed contactors, voltage on the cable.

use machine::{Duration, Instant};
use session::{DEAD_MV, Lasting, earliest};

use crate::reading::fresh;
use crate::{Plant, Warning};

/// Contactors that are still closed this long after their command to open are reported: judgement.
const OPENING: Duration = Duration::from_millis(500);
/// Voltage that is still on the cable after this time is held by a source, or nothing discharges the cable: 5
/// s (judgement; 60 V within 1 s are required, IEC 61851-23 from memory). The bleeder is connected for at
/// most this time.
const DISCHARGE: Duration = Duration::from_secs(5);

/// Stores since when each fault has been present.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Off {
    on: Lasting,
    /// The fault that was reported and is still present.
    told: Option<Warning>,
    /// Since when a bleeder has been demanded.
    bleeding: Lasting,
    /// Since when the plug has been out with a live cable, whatever the source.
    out: Lasting,
    /// The output was driven, and the cable was not dead since then.
    was_driven: bool,
}

impl Off {
    pub(crate) const fn new() -> Self {
        Self {
            on: Lasting::new(),
            told: None,
            bleeding: Lasting::new(),
            out: Lasting::new(),
            was_driven: true,
        }
    }

    /// An output is driven; `wants_dead`: the isolation test waits for a dead cable.
    pub(crate) fn driven(&mut self, now: Instant, wants_dead: bool) {
        (self.on, self.told, self.was_driven) = (Lasting::new(), None, true);
        self.bleeding.since(now, wants_dead);
    }

    /// No output is driven: returns a fault, once. `may_bleed`: no car is permitted to have its battery
    /// on the cable. `is_out`: the plug is out, so that no welded contactor connects a battery either.
    pub(crate) fn step(
        &mut self,
        now: Instant,
        plant: &Plant,
        may_bleed: bool,
        is_out: bool,
    ) -> Option<Warning> {
        let is_closed = fresh(plant.contactors, now) == Some(true);
        let voltage_mv = fresh(plant.voltage_mv, now).map(i32::saturating_abs);
        let live_mv = voltage_mv.filter(|mv| *mv >= DEAD_MV);
        self.was_driven &= voltage_mv.is_none() || live_mv.is_some();
        self.bleeding.since(now, self.was_driven && may_bleed);
        self.out.since(now, is_out && live_mv.is_some());
        let since = self.on.since(now, is_closed || live_mv.is_some());
        let waited = since.map_or(Duration::ZERO, |since| now.since(since));
        let before = self.told.is_some();
        self.told = match live_mv {
            _ if is_closed && waited >= OPENING => Some(Warning::ContactorsStillClosed),
            Some(mv) if waited >= DISCHARGE => Some(Warning::StillLive(mv)),
            _ => None,
        };
        self.told.filter(|_| !before)
    }

    /// Whether a fault is present.
    pub(crate) const fn is_on(&self) -> bool {
        self.told.is_some()
    }

    /// Whether the voltage on the cable may be left of an earlier demand, or its origin is unknown.
    pub(crate) const fn may_be_residual(&self) -> bool {
        self.was_driven
    }

    /// Whether a bleeder is to discharge the cable now.
    pub(crate) fn discharges(&self, now: Instant) -> bool {
        [self.bleeding, self.out].iter().any(|since| since.due(DISCHARGE).is_some_and(|end| now < end))
    }

    /// When a fault will be reported, or the bleeder disconnected.
    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        let dues = [
            self.on.due(OPENING),
            self.on.due(DISCHARGE),
            self.bleeding.due(DISCHARGE),
            self.out.due(DISCHARGE),
        ];
        earliest(now, &dues)
    }
}
