//! A program that ends and starts again: only the latch that it had reported is kept.

use machine::{Cx, Machine};
use roles::{EvseConfig, EvseInput, EvseStorage, Happening, PevConfig, PevEvent, PevInput, PevStorage};
use session::Latch;

use super::story::Told;
use crate::{Car, Charger, Host, Wishes};

/// What a program needs to start again.
pub(super) enum Reborn<'a> {
    /// The charger's configuration, and a storage for each time.
    Charger(EvseConfig, Vec<&'a mut EvseStorage<'a>>),
    /// The car's configuration, and a storage for each time.
    Car(PevConfig, Vec<&'a mut PevStorage<'a>>),
}

impl<'a> Reborn<'a> {
    /// A new program with what was kept of the previous one; `None` if no storage is left.
    pub(super) fn begin(
        &mut self,
        cx: &mut Cx<'_>,
        wishes: Option<Wishes>,
        kept: Option<Latch>,
    ) -> Option<Host<'a>> {
        match self {
            Self::Charger(config, storage) => {
                let mut charger = Charger::new(cx, config.clone(), storage.pop()?).ok()?;
                if let Some(latch) = kept {
                    charger.role_mut().handle(cx, EvseInput::Operator(evse_fsm::Operator::Latch(latch)));
                }
                Some(Host::Charger(charger))
            }
            Self::Car(config, storage) => {
                let mut car = Car::new(cx, config.clone(), wishes?, storage.pop()?).ok()?;
                if let Some(latch) = kept {
                    car.role_mut().handle(cx, PevInput::Operator(pev_fsm::Operator::Latch(latch)));
                }
                Some(Host::Car(car))
            }
        }
    }
}

/// Updates the kept latch from an event.
pub(super) fn keep(kept: &mut Option<Latch>, told: &Told) {
    let (latched, unlatched) = match told {
        Told::Charger(event) => match event.what {
            Happening::Session(evse_fsm::Event::Latched(latch)) => (Some(latch), None),
            Happening::Session(evse_fsm::Event::Unlatched(latch)) => (None, Some(latch)),
            _ => return,
        },
        Told::Car(PevEvent::Session(pev_fsm::Event::Latched(latch))) => (Some(*latch), None),
        Told::Car(PevEvent::Session(pev_fsm::Event::Unlatched(latch))) => (None, Some(*latch)),
        _ => return,
    };
    if let Some(latch) = latched {
        *kept = Some(kept.map_or(latch, |before| before.kept(latch)));
    }
    kept.take_if(|latch| Some(*latch) == unlatched);
}
