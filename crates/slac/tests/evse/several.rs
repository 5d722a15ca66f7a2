//! Several cars on the same medium.

use homeplug_mme::{Mac, RunId, Slac};
use slac::{Event, Evse, EvseInput, EvseState};

use crate::bench::{Bench, CAR, CHARGER, Car};

#[test]
fn each_of_five_cars_gets_its_own_report_and_the_first_that_chooses_wins() {
    let cars: Vec<_> = (1..=5).map(Car::new).collect();
    let mut bench = Bench::new();
    for car in &cars {
        bench.cast(car.mac, car.asks());
        bench.cast(car.mac, car.starts());
    }
    bench.sent();
    for remaining in (0..10).rev() {
        for (car, db) in cars.iter().zip([10, 20, 30, 40, 50]) {
            bench.cast(car.mac, car.sound(remaining));
            bench.measured(car, db);
        }
        bench.after(20);
    }
    let reports: Vec<_> = bench.answers().into_iter().map(|(_, to, report)| (to, report)).collect();
    let expected = cars.iter().zip([10, 20, 30, 40, 50]).map(|(car, db)| (car.mac, car.report(10, db)));
    assert_eq!(reports, expected.collect::<Vec<_>>());
    for car in &cars {
        bench.send(car.mac, CHARGER, car.acknowledges(0));
    }
    bench.send(cars[3].mac, CHARGER, cars[3].chooses());
    bench.send(cars[0].mac, CHARGER, cars[0].chooses());
    let key = bench.evse.key();
    assert_eq!(bench.answers(), [(200, cars[3].mac, cars[3].confirmation(key))]);
    // The others receive no response, not even to a new run, until the plug is pulled.
    bench.told();
    for car in &cars[..3] {
        bench.cast(car.mac, car.asks());
        bench.send(car.mac, CHARGER, car.chooses());
    }
    bench.after(11_000);
    assert!(bench.sent().is_empty() && bench.told().is_empty());
}

#[test]
fn the_frames_of_one_input_are_bounded() {
    let mut bench = Bench::new();
    let cars: Vec<_> = (1..=9).map(Car::new).collect();
    for car in &cars {
        bench.cast(car.mac, car.asks());
        bench.cast(car.mac, car.starts());
        bench.cast(car.mac, car.sound(9));
    }
    bench.at(600);
    assert_eq!(bench.most, 5, "five reports at the same moment");
}

#[test]
fn a_sixth_car_is_answered_and_measured_when_it_sounds_before_those_that_only_ask() {
    let mut bench = Bench::new();
    for number in 2..=6 {
        let car = Car::new(number);
        bench.cast(car.mac, car.asks());
    }
    bench.sent();
    bench.cast(CAR.mac, CAR.asks());
    assert!(bench.told().contains(&Event::Crowded));
    bench.at(100).cast(CAR.mac, CAR.starts());
    CAR.sounds(&mut bench, 12);
    assert_eq!(bench.answers(), [(0, CAR.mac, CAR.answer()), (280, CAR.mac, CAR.report(10, 12))]);
    // Cars that began in vain are evicted after a while, even by a lenient charger.
    for number in 7..=10 {
        let car = Car::new(number);
        bench.at(1000).cast(car.mac, car.asks());
    }
    assert!(!bench.told().contains(&Event::Crowded));
}

#[test]
fn cars_that_sound_are_not_displaced() {
    let mut bench = Bench::new();
    let cars: Vec<_> = (1..=5).map(Car::new).collect();
    for car in &cars {
        bench.cast(car.mac, car.asks());
        bench.cast(car.mac, car.starts());
        bench.cast(car.mac, car.sound(9));
    }
    let late = Car::new(9);
    bench.at(590).cast(late.mac, late.asks());
    bench.cast(late.mac, late.starts());
    bench.sent();
    bench.at(600);
    let served: Vec<_> = bench.sent().iter().map(|sent| sent.to).collect();
    assert_eq!(served, cars.iter().map(|car| car.mac).collect::<Vec<_>>());
}

/// Size limit of a charger in bytes: judgement, so that growth is detected.
const LARGEST: usize = 4096;

#[test]
fn a_flood_of_forged_cars_does_not_keep_a_real_one_from_matching() {
    println!("a charger's matching takes {} bytes", size_of::<Evse>());
    assert!(size_of::<Evse>() <= LARGEST);
    let mut bench = Bench::new();
    let mut real = 0_u32;
    for number in 0..100_000_u32 {
        // 2 000 in a second; the real car begins after 40 s.
        let now = u64::from(number) / 2;
        bench.at(now);
        let [_, a, b, c] = number.to_be_bytes();
        bench.cast(Mac([2, 0x66, 0, a, b, c]), Slac::ParmReq { run_id: RunId([c; 8]) });
        if number % 2 == 0 {
            let message = match now.checked_sub(40_000) {
                Some(0) => Some((Mac::BROADCAST, CAR.asks())),
                Some(120 | 150 | 180) => Some((Mac::BROADCAST, CAR.starts())),
                Some(at @ 210..=480) if at % 30 == 0 => {
                    bench.measured(&CAR, 12);
                    Some((Mac::BROADCAST, CAR.sound((9 - (at - 210) / 30) as u8)))
                }
                Some(600) => Some((CHARGER, CAR.acknowledges(0))),
                Some(1500) => Some((CHARGER, CAR.chooses())),
                Some(8500) => {
                    bench.input(EvseInput::Link(true));
                    None
                }
                _ => None,
            };
            if let Some((to, message)) = message {
                bench.send(CAR.mac, to, message);
                real += 1;
            }
        }
        if number % 1000 == 0 {
            bench.told();
        }
        let sent = bench.sent();
        assert!(sent.len() <= 3);
        if now < 40_000 {
            assert_eq!(sent.len(), 1, "each one is answered");
        }
    }
    assert_eq!((real, bench.evse.state()), (16, EvseState::Matched));
    assert_eq!(bench.evse.peer(), Some(CAR.mac));
}

#[test]
fn nobody_disturbs_a_session_and_only_its_car_may_match_anew_between_sessions() {
    let mut bench = Bench::new();
    CAR.reach_link(&mut bench);
    let key = bench.evse.key();
    let stranger = Car::new(9);
    bench.sent();
    bench.told();
    bench.input(EvseInput::Busy(true));
    for car in [CAR, stranger] {
        bench.cast(car.mac, car.asks());
        bench.cast(car.mac, car.starts());
        bench.send(car.mac, CHARGER, car.chooses());
    }
    assert!(bench.sent().is_empty() && bench.told().is_empty());
    bench.input(EvseInput::Busy(false));
    stranger.reach_choosing(&mut bench);
    assert!(bench.sent().is_empty() && bench.told().is_empty());
    CAR.reach_key(&mut bench);
    let sent = bench.sent();
    assert_eq!(sent.len(), 3);
    assert_eq!(sent[2].message, CAR.confirmation(key), "the key that its modem already has");
    // The link existed all the time.
    bench.after(200);
    assert!(bench.evse.is_matched());
}

#[test]
fn what_was_begun_anew_is_over_when_the_session_begins() {
    let mut bench = Bench::new();
    CAR.reach_link(&mut bench);
    CAR.begin(&mut bench);
    bench.cast(CAR.mac, CAR.sound(9));
    bench.sent();
    bench.told();
    bench.input(EvseInput::Busy(true));
    bench.after(30_000);
    assert!(bench.sent().is_empty() && bench.told().is_empty());
    assert!(bench.evse.is_matched());
}
