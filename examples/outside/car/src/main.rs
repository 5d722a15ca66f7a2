//! A car on a microcontroller, without `std` and without an allocator. Sensors, frames and time of the board
//! are missing: the functions at the end return nothing.
#![no_std]
#![no_main]

use core::panic::PanicInfo;

use fastcharge::machine::{Cx, Entropy, Instant, Machine};
use fastcharge::pev::{Config, Demand, Input, MAX_FRAME, Mac, Pev, Plant, Storage, Vehicle};
use fastcharge::session::{Limits, Target};

/// The chip's random numbers.
struct Noise;

impl Entropy for Noise {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(0x5a);
    }
}

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let mut noise = Noise;
    let mut storage = Storage::new();
    let mut cx = Cx { now: clock(), entropy: &mut noise };
    let Ok(mut car) = Pev::new(&mut cx, Config::new(Mac([0x02, 0, 0, 0, 0, 0x02])), &mut storage) else {
        stop()
    };
    let mut frame = [0; MAX_FRAME];
    loop {
        let now = clock();
        let mut cx = Cx { now, entropy: &mut noise };
        if car.poll_timeout().is_some_and(|deadline| deadline.at <= now) {
            car.handle_timeout(&mut cx);
        }
        car.handle(&mut cx, Input::Snapshot(sensors(), battery(now)));
        if let Some(length) = receive(&mut frame) {
            car.handle(&mut cx, Input::Frame(frame.get(..length).unwrap_or_default()));
        }
        while let Ok(Some((length, ()))) = car.poll_transmit(&mut frame) {
            send(frame.get(..length).unwrap_or_default());
        }
        while car.poll_event().is_some() {}
        apply(&car.demand());
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    stop()
}

/// Opens the contactors: the watchdog does that in a product.
fn stop() -> ! {
    apply(&Demand::SAFE);
    loop {
        core::hint::spin_loop();
    }
}

fn clock() -> Instant {
    core::hint::black_box(Instant::ZERO)
}

fn sensors() -> Plant {
    core::hint::black_box(Plant::default())
}

fn battery(now: Instant) -> Vehicle {
    core::hint::black_box(Vehicle {
        at: now,
        limits: Limits {
            max_voltage_mv: 420_000,
            min_voltage_mv: 0,
            max_current_ma: 125_000,
            min_current_ma: 0,
            max_power_w: 50_000,
        },
        battery_mv: Some(360_000),
        target: Target { voltage_mv: 400_000, current_ma: 100_000 },
        soc_percent: 40,
        capacity_wh: 50_000,
        request_wh: 25_000,
        full_soc_percent: None,
        bulk_soc_percent: None,
        full_in_s: None,
        bulk_in_s: None,
        is_done: false,
        error: 0,
    })
}

fn receive(frame: &mut [u8]) -> Option<usize> {
    core::hint::black_box(frame);
    None
}

fn send(frame: &[u8]) {
    core::hint::black_box(frame);
}

fn apply(demand: &Demand) {
    core::hint::black_box(demand);
}
