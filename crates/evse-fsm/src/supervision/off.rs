//! What is on although nothing is driven.

use machine::{Duration, Instant};
use session::{DEAD_MV, Lasting, earliest};

use crate::reading::fresh;
use crate::{Plant, Warning};

/// Contactors that are still closed so long after they were to open are told: judgement.
const OPENING: Duration = Duration::from_millis(500);
/// Voltage that is still on the cable so long after that is held by something, or nothing discharges the
/// cable: 5 s (judgement; 60 V within 1 s are asked for, IEC 61851-23 from memory). A bleeder is not asked to
/// bear it for longer.
const DISCHARGE: Duration = Duration::from_secs(5);

/// Remembers since when something is on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Off {
    on: Lasting,
    /// What is on all the same, as it was told.
    told: Option<Warning>,
    /// Since when a bleeder is asked for.
    bleeding: Lasting,
    /// Since when the plug is out and the cable live, whoever made it so.
    out: Lasting,
    /// The output was driven, and the cable was not seen dead since.
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

    /// Something is driven; `wants_dead`: the isolation test waits for a dead cable.
    pub(crate) fn driven(&mut self, now: Instant, wants_dead: bool) {
        (self.on, self.told, self.was_driven) = (Lasting::new(), None, true);
        self.bleeding.since(now, wants_dead);
    }

    /// Nothing is driven: what is on all the same, once. `may_bleed`: no car has its battery on the cable by
    /// right; `is_out`: nor by a weld, as the plug is out.
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

    /// Something is on that must not be.
    pub(crate) const fn is_on(&self) -> bool {
        self.told.is_some()
    }

    /// Whether what is on the cable may be left of what was driven, or nobody knows.
    pub(crate) const fn may_be_residual(&self) -> bool {
        self.was_driven
    }

    /// Whether a bleeder shall discharge the cable now.
    pub(crate) fn discharges(&self, now: Instant) -> bool {
        [self.bleeding, self.out].iter().any(|since| since.due(DISCHARGE).is_some_and(|end| now < end))
    }

    /// When something is told, or the bleeder let go.
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
