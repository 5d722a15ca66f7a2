use core::convert::Infallible;

use esp_hal::interrupt::{InterruptConfigurable, Priority};
use esp_hal::peripherals::TIMG1;
use esp_hal::timer::timg::{MwdtStage, MwdtStageAction, TimerGroup, Wdt};
use esp_hal::{handler, ram, time};
use hal_esp32p4::Stages;
use machine::Duration;

use crate::safe;

/// The main watchdog of timer group 1: stage 0 is an interrupt of the highest priority that runs the SAFE
/// sequence and does not return, stage 1 resets the chip.
///
/// The interrupt is delayed while interrupts are off. If they stay off, stage 1 still resets the chip, and
/// the resistors of the wiring make the board SAFE.
pub struct Mwdt(Wdt<TIMG1<'static>>);

impl Mwdt {
    /// A watchdog that is off.
    pub fn new(group: TIMG1<'static>) -> Self {
        Self(TimerGroup::new(group).wdt)
    }
}

impl Stages for Mwdt {
    type Error = Infallible;

    fn start(&mut self, first: Duration, second: Duration) -> Result<(), Infallible> {
        let micros = |duration: Duration| time::Duration::from_micros(duration.as_micros());
        self.0.set_interrupt_handler(first_stage);
        self.0.set_timeout(MwdtStage::Stage0, micros(first));
        self.0.set_timeout(MwdtStage::Stage1, micros(second));
        // esp-hal sets stage 0 to reset here; its real action is set after this call.
        self.0.enable();
        self.0.set_stage_action(MwdtStage::Stage0, MwdtStageAction::Interrupt);
        self.0.set_stage_action(MwdtStage::Stage1, MwdtStageAction::ResetSystem);
        TIMG1::regs().int_ena().modify(|_, w| w.wdt().set_bit());
        self.0.feed();
        Ok(())
    }

    fn feed(&mut self) {
        self.0.feed();
    }
}

#[handler(priority = Priority::max())]
#[ram]
fn first_stage() {
    safe::end(format_args!("the watchdog was not fed"));
}
