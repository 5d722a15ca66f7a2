//! Both sides of matching: frames in, frames out.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;

use firmware::Chip;
use homeplug_mme::{MAX_FRAME, Mac};
use machine::{Cx, Duration, Instant, Machine, whole};
use slac::{Evse, EvseConfig, EvseInput, Pev, PevConfig, PevInput};

static mut EVSE: MaybeUninit<Evse> = MaybeUninit::uninit();
static mut PEV: MaybeUninit<Pev> = MaybeUninit::uninit();

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let mut buffer = [0; firmware::SIZE];
    let mut chip = Chip([0; 8]);
    let mut now = Instant::ZERO;
    // SAFETY: one thread, and this is the only place where the two statics are used.
    let (evse, pev) = unsafe { (&mut *(&raw mut EVSE), &mut *(&raw mut PEV)) };
    let mac = Mac([2, 0, 0, 0, 0, 1]);
    let evse = evse.write(Evse::new(&mut Cx { now, entropy: &mut chip }, EvseConfig::new(mac)));
    let pev = pev.write(Pev::new(PevConfig::new(mac)));
    loop {
        let input = firmware::read(&mut buffer);
        let Some((head, frame)) = input.split_first_chunk::<8>() else { continue };
        chip.0 = *head;
        let [elapsed, what, level, ..] = *head;
        now += Duration::from_millis(u64::from(elapsed));
        let mut cx = Cx { now, entropy: &mut chip };
        let (evse_input, pev_input) = match what {
            0 => (EvseInput::Frame(frame), PevInput::Frame(frame)),
            1 => (EvseInput::Start, PevInput::Start),
            2 => (EvseInput::Stop, PevInput::Stop),
            3 => (EvseInput::ModemReady(level != 0), PevInput::ModemReady(level != 0)),
            4 => (EvseInput::Link(level != 0), PevInput::Link(level != 0)),
            5 => (EvseInput::Busy(level != 0), PevInput::Error),
            6 => (EvseInput::Ready(level != 0), PevInput::Pause),
            7 => (EvseInput::Error, PevInput::Resume),
            8 => (EvseInput::Pause, PevInput::Resume),
            _ => (EvseInput::Resume, PevInput::Resume),
        };
        evse.handle(&mut cx, evse_input);
        pev.handle(&mut cx, pev_input);
        evse.handle_timeout(&mut cx);
        pev.handle_timeout(&mut cx);
        let mut out = [0; MAX_FRAME];
        while let Some((length, ())) =
            whole(evse.poll_transmit(&mut out)).or_else(|| whole(pev.poll_transmit(&mut out)))
        {
            firmware::write(out.get(..length).unwrap_or_default());
        }
        while let Some(event) = evse.poll_event().or_else(|| pev.poll_event()) {
            firmware::write(&[u8::from(event == slac::Event::Left)]);
        }
        let due =
            |deadline: Option<machine::Deadline>| deadline.map_or(0, |due| due.at.as_micros()).to_le_bytes();
        firmware::write(&due(evse.poll_timeout()));
        firmware::write(&due(pev.poll_timeout()));
        firmware::write(&[u8::from(evse.offers()), u8::from(pev.toggle() == Some(true))]);
        firmware::write(evse.key().nmk.reveal());
        firmware::write(&pev.key().map_or([0; 16], |key| *key.nmk.reveal()));
    }
}
