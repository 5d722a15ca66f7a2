//! Validation: recognises a car by the toggles of its pilot (`CM_VALIDATE`). One car at a time, because there
//! is one pilot.

use homeplug_mme::{Mac, ValidateResult};
use machine::{Deadline, Duration, Instant};

use super::{Evse, EvseValidation};
use crate::times::TT_EVSE_VALD_TOGGLE;
use crate::{Dropped, Event};

/// A window in which toggles are counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Validation {
    pub(super) car: Mac,
    until: Instant,
    ready: bool,
    toggles: u8,
}

impl Validation {
    pub(super) fn deadline(&self) -> Deadline {
        Deadline { at: self.until, name: "TT_EVSE_vald_toggle" }
    }
}

impl Evse {
    /// First step (timer 0): whether validation is possible. Second step: count changes from B to C until the
    /// window ends.
    pub(super) fn validate(&mut self, now: Instant, car: Mac, timer: u8, asked: ValidateResult) {
        let is_choosing = self.runs.validating(now, car).is_some();
        if !is_choosing || asked != ValidateResult::Ready {
            return self.drop(car, Dropped::OutOfOrder);
        }
        let is_other = self.validation.is_some_and(|validation| validation.car != car);
        let result = match self.config.validation {
            EvseValidation::NotRequired => ValidateResult::NotRequired,
            EvseValidation::Failure => ValidateResult::Failure,
            EvseValidation::Toggles if is_other => ValidateResult::NotReady,
            EvseValidation::Toggles if timer == 0 => ValidateResult::Ready,
            EvseValidation::Toggles => {
                let window = Duration::from_millis((u64::from(timer) + 1) * 100).min(TT_EVSE_VALD_TOGGLE);
                if self.validation.is_none() {
                    self.validation = Some(Validation { car, until: now + window, ready: false, toggles: 0 });
                }
                return;
            }
        };
        self.answer(now, car, 0, result);
    }

    fn answer(&mut self, now: Instant, car: Mac, toggles: u8, result: ValidateResult) {
        if let Some(run) = self.runs.validating(now, car) {
            run.validate = Some((toggles, result));
            self.events.push(Event::Validated { peer: car, result });
        }
    }

    /// The pilot changed to C (`true`) or B.
    pub(super) fn toggled(&mut self, now: Instant, ready: bool) {
        if let Some(validation) = &mut self.validation
            && now <= validation.until
        {
            if ready && !validation.ready {
                validation.toggles = validation.toggles.saturating_add(1);
            }
            validation.ready = ready;
        }
    }

    pub(super) fn validation_due(&mut self, now: Instant) {
        if let Some(validation) = self.validation.take_if(|validation| validation.until <= now) {
            let result =
                if validation.toggles > 0 { ValidateResult::Success } else { ValidateResult::Failure };
            self.answer(now, validation.car, validation.toggles, result);
        }
    }
}
