use board::{Edge, Edges};
use embedded_hal::pwm::{Error, ErrorKind};
use esp_hal::peripherals::{GPIO, HP_SYS_CLKRST, LEDC};
use hal_esp32p4::{Counter, Ledc, TimerEdges, Timing};

use crate::{Pad, Systimer};

/// The pilot's PWM: LEDC timer 0 and channel 0, on registers because esp-hal 1.2.2 has no LEDC for this chip.
///
/// It has no state, so that the panic handler can create one too.
#[derive(Debug)]
pub struct PilotLedc {
    pad: u8,
}

/// The LEDC does not apply a duty: its clock or its reset is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotRunning;

impl Error for NotRunning {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl PilotLedc {
    /// Output signal of channel 0 in the GPIO matrix (`LEDC_LS_SIG_OUT0`; ESP-IDF's `gpio_sig_map.h`).
    const SIGNAL: u16 = 126;
    /// The register has four bits of fraction: one count of the duty is 16.
    const FRACTION_BITS: u32 = 4;
    /// Counts of the clock until the first duty is at the output: 3 ms, three periods.
    const STARTS_WITHIN: u64 = Systimer::HZ as u64 / 1_000 * 3;

    /// The pilot at this pad; changes no register.
    pub const fn at(pad: u8) -> Self {
        Self { pad }
    }

    /// Enables the clock from the crystal and resets the block (ESP-IDF's `ledc_ll.h`).
    fn enable() {
        // esp-hal changes the same registers for other blocks.
        critical_section::with(|_| {
            let clocks = HP_SYS_CLKRST::regs();
            clocks.soc_clk_ctrl3().modify(|_, w| w.ledc_apb_clk_en().set_bit());
            // SAFETY: 0 is the crystal of 40 MHz.
            clocks
                .peri_clk_ctrl22()
                .modify(|_, w| unsafe { w.ledc_clk_src_sel().bits(0) }.ledc_clk_en().set_bit());
            clocks.hp_rst_en1().modify(|_, w| w.rst_en_ledc().set_bit());
            clocks.hp_rst_en1().modify(|_, w| w.rst_en_ledc().clear_bit());
        });
        LEDC::regs().conf().modify(|_, w| w.clk_en().set_bit());
    }

    fn write(counts: u16) {
        let (ledc, channel) = (LEDC::regs(), LEDC::regs().ch(0));
        // SAFETY: all values are within their fields: the duty has 25 bits, a count 16 and 4 of fraction.
        unsafe {
            channel.hpoint().write(|w| w.hpoint().bits(0));
            channel.duty().write(|w| w.duty().bits(u32::from(counts) << Self::FRACTION_BITS));
            // One step without change: without a range the LEDC does not apply the duty (ESP-IDF does the
            // same).
            ledc.ch_gamma_range(0)
                .write(|w| w.duty_cycle().bits(1).scale().bits(0).duty_num().bits(1).duty_inc().set_bit());
            ledc.ch_gamma_conf(0).modify(|_, w| w.ch_gamma_entry_num().bits(1));
            channel.conf0().modify(|_, w| w.timer_sel().bits(0).sig_out_en().set_bit());
        }
        channel.conf1().modify(|_, w| w.duty_start().set_bit());
        channel.conf0().modify(|_, w| w.para_up().set_bit());
    }

    /// Whether this duty was set last.
    fn is_set(counts: u16) -> bool {
        LEDC::regs().ch(0).duty().read().bits() >> Self::FRACTION_BITS == u32::from(counts)
    }

    /// Whether the channel has applied this duty.
    fn has_taken(counts: u16) -> bool {
        LEDC::regs().ch(0).duty_r().read().bits() >> Self::FRACTION_BITS == u32::from(counts)
    }

    /// Connects the channel to the pad, which until then drives the level of its GPIO register.
    fn connect(&self) {
        let cfg = GPIO::regs().func_out_sel_cfg(self.pad.into());
        // SAFETY: the signal exists in the matrix; the pad's own enable bit stays effective.
        cfg.modify(|_, w| unsafe {
            w.out_sel().bits(Self::SIGNAL).oen_sel().set_bit().inv_sel().clear_bit()
        });
    }
}

impl Ledc for PilotLedc {
    type Error = NotRunning;

    fn start(&mut self, timing: Timing, counts: u16) -> Result<(), NotRunning> {
        // High before the channel runs: +12 V.
        let _ = Pad::output(self.pad, true);
        Self::enable();
        let timer = LEDC::regs().timer(0).conf();
        // SAFETY: `Timing` keeps resolution and divider within their 5 and 18 bits.
        timer.modify(|_, w| unsafe {
            w.duty_res()
                .bits(timing.resolution_bits)
                .clk_div()
                .bits(timing.divider_256ths)
                .pause()
                .clear_bit()
        });
        timer.modify(|_, w| w.para_up().set_bit());
        timer.modify(|_, w| w.rst().set_bit());
        timer.modify(|_, w| w.rst().clear_bit());
        Self::write(counts);
        let begun = Systimer::now();
        while !Self::has_taken(counts) {
            if Systimer::now().wrapping_sub(begun) > Self::STARTS_WITHIN {
                return Err(NotRunning);
            }
        }
        self.connect();
        Ok(())
    }

    fn set_duty(&mut self, counts: u16) -> Result<(), NotRunning> {
        // The loop applies its demand in every turn: a duty that is already applied is not started again.
        if !(Self::has_taken(counts) && Self::is_set(counts)) {
            Self::write(counts);
        }
        Ok(())
    }
}

/// The rising edges of the own PWM, read from its timer.
#[derive(Debug, Default)]
pub struct PwmEdges(TimerEdges);

impl Edges for PwmEdges {
    fn next(&mut self) -> Option<Edge> {
        // No interrupt is allowed between the reads of the two counters.
        let (now, counts) =
            critical_section::with(|_| (Systimer::now(), LEDC::regs().timer(0).value().read().cnt().bits()));
        self.0.look(now, counts, Systimer::HZ).map(|count| Edge { count, is_rising: true })
    }
}
