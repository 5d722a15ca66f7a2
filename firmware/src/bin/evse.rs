//! The whole charger's role with matching and its modem: frames and readings in, frames and the demand out.
#![no_std]
#![no_main]

use core::mem::MaybeUninit;

use control_pilot::{Level, Output};
use evse_fsm::{Contactors, Insulation, Isolation, Plant, Reading};
use firmware::Chip;
use machine::{Cx, Duration, Instant, Machine, whole};
use roles::{Evse, EvseConfig, EvseInput, EvseLink, EvseStorage, MAX_FRAME, Mac};

/// The role's memory, borrowed for the whole run.
static mut STORAGE: EvseStorage<'static> = EvseStorage::new();
static mut EVSE: MaybeUninit<Evse<'static>> = MaybeUninit::uninit();

/// The readings from bytes, as an adapter would have them.
fn plant(now: Instant, [level, voltage, current, isolation, contactors, stop, ..]: [u8; 8]) -> Plant {
    let level = match level % 6 {
        0 => Level::A,
        1 => Level::B,
        2 => Level::C,
        3 => Level::D,
        4 => Level::E,
        _ => Level::F,
    };
    let isolation = match isolation % 4 {
        0 => Isolation::Measuring,
        1 => Isolation::Valid,
        2 => Isolation::Warning,
        _ => Isolation::Fault,
    };
    Plant {
        pilot: Some(Reading::new(level, now)),
        voltage_mv: Some(Reading::new(i32::from(voltage) * 4000, now)),
        current_ma: Some(Reading::new(i32::from(current) * 1000, now)),
        isolation: Some(Reading::new(Insulation::of(isolation), now)),
        contactors: Some(Reading::new(contactors != 0, now)),
        emergency_stop: Some(Reading::new(stop != 0, now)),
        ..Plant::default()
    }
}

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let mut buffer = [0; firmware::SIZE];
    let mut chip = Chip([0; 8]);
    let mut now = Instant::ZERO;
    // SAFETY: one thread, and this is the only place where the two statics are used.
    let (storage, place) = unsafe { (&mut *(&raw mut STORAGE), &mut *(&raw mut EVSE)) };
    let mut cx = Cx { now, entropy: &mut chip };
    let mac = Mac([2, 0, 0, 0, 0, 1]);
    let config = EvseConfig { link: EvseLink::matched(mac), ..EvseConfig::new(mac) };
    let Ok(evse) = Evse::new(&mut cx, config, storage) else { loop {} };
    let evse = place.write(evse);
    loop {
        let input = firmware::read(&mut buffer);
        let Some((head, frame)) = input.split_first_chunk::<16>() else { continue };
        let [a, b, c, d, e, f, g, h, sensors @ ..] = *head;
        chip.0 = [a, b, c, d, e, f, g, h];
        now += Duration::from_millis(u64::from(a));
        let mut cx = Cx { now, entropy: &mut chip };
        evse.handle(&mut cx, EvseInput::Plant(plant(now, sensors)));
        evse.handle(&mut cx, EvseInput::Frame(frame));
        evse.handle_timeout(&mut cx);
        let mut out = [0; MAX_FRAME];
        while let Some((length, ())) = whole(evse.poll_transmit(&mut out)) {
            firmware::write(out.get(..length).unwrap_or_default());
        }
        while let Some(event) = evse.poll_event() {
            firmware::write(&[event.connector]);
        }
        let demand = evse.demand();
        let pilot = matches!(demand.pilot, Output::Pwm(_));
        firmware::write(&[u8::from(pilot), u8::from(demand.contactors == Contactors::Closed)]);
        firmware::write(&demand.supply.voltage_mv.to_le_bytes());
        firmware::write(&demand.supply.current_ma.to_le_bytes());
        firmware::write(&evse.poll_timeout().map_or(0, |due| due.at.as_micros()).to_le_bytes());
    }
}
