//! The charger's evaluation of sounds and measurements.

use homeplug_mme::{GROUPS, Profile, Slac};
use slac::{Dropped, Event, EvseConfig, Failure};

use crate::bench::{Bench, CAR, CHARGER, MODEM};

/// A measurement with any content.
fn modem(bench: &mut Bench, profile: Option<Profile>) {
    bench.cast(MODEM, Slac::Measured { car: CAR.mac, profile });
}

#[test]
fn three_sounds_of_ten_are_reported_600_ms_after_the_announcement() {
    let mut bench = Bench::new();
    CAR.begin(&mut bench);
    for remaining in [9, 5, 1] {
        bench.cast(CAR.mac, CAR.sound(remaining));
        bench.measured(&CAR, 20 + remaining);
    }
    bench.sent();
    bench.at(699);
    assert!(bench.sent().is_empty());
    bench.at(700);
    assert_eq!(bench.answers(), [(700, CAR.mac, CAR.report(3, 25))]);
}

#[test]
fn no_sound_at_all_ends_the_run_and_a_new_one_is_served() {
    let mut bench = Bench::new();
    CAR.begin(&mut bench);
    bench.sent();
    bench.at(5000);
    assert!(bench.sent().is_empty());
    assert_eq!(bench.timed().last(), Some(&(700, Event::Failed(Failure::NoSound { car: CAR.mac }))));
    CAR.begin(&mut bench);
    CAR.sounds(&mut bench, 12);
    assert_eq!(bench.answers(), [(5000, CAR.mac, CAR.answer()), (5340, CAR.mac, CAR.report(10, 12))]);
}

#[test]
fn the_report_waits_45_ms_for_measurements_after_the_last_sound() {
    let mut bench = Bench::new();
    CAR.begin(&mut bench);
    for remaining in (0..10).rev() {
        bench.cast(CAR.mac, CAR.sound(remaining));
        if remaining > 1 {
            bench.measured(&CAR, 30);
        }
        bench.after(20);
    }
    // The last sound was at 340; one measurement is lost, one is late.
    bench.sent();
    bench.at(370);
    bench.measured(&CAR, 30);
    bench.at(1000);
    assert_eq!(bench.answers()[0], (385, CAR.mac, CAR.report(9, 30)));
}

#[test]
fn a_measurement_may_come_before_its_sound() {
    let mut bench = Bench::new();
    CAR.begin(&mut bench);
    for remaining in (0..10).rev() {
        bench.measured(&CAR, 30);
        bench.cast(CAR.mac, CAR.sound(remaining));
        bench.after(20);
    }
    assert!(bench.told().contains(&Event::Measured { peer: CAR.mac, sounds: 10, mean_cdb: 3000 }));
}

#[test]
fn sounds_count_when_the_modem_passed_no_announcement() {
    for lenient in [true, false] {
        let mut bench = Bench::with(EvseConfig { lenient, ..EvseConfig::new(CHARGER) });
        bench.cast(CAR.mac, CAR.asks());
        bench.at(200);
        CAR.sounds(&mut bench, 12);
        let report = bench.answers().into_iter().nth(1);
        assert_eq!(report, lenient.then_some((380, CAR.mac, CAR.report(10, 12))));
    }
}

#[test]
fn an_announcement_after_the_first_sound_changes_nothing() {
    let mut bench = Bench::new();
    bench.cast(CAR.mac, CAR.asks());
    bench.cast(CAR.mac, CAR.sound(9));
    bench.measured(&CAR, 12);
    bench.at(300).cast(CAR.mac, CAR.starts());
    bench.at(599);
    assert_eq!(bench.sent().len(), 1);
    bench.at(600);
    assert_eq!(bench.answers(), [(600, CAR.mac, CAR.report(1, 12))]);
}

#[test]
fn a_modem_that_does_not_measure_gets_a_made_up_profile_and_it_is_told() {
    for synthetic_db in [9, 3] {
        let mut bench = Bench::with(EvseConfig { synthetic_db, ..EvseConfig::new(CHARGER) });
        CAR.begin(&mut bench);
        bench.sent();
        for remaining in (0..10).rev() {
            bench.cast(CAR.mac, CAR.sound(remaining));
            modem(&mut bench, None);
        }
        assert_eq!(bench.answers(), [(160, CAR.mac, CAR.report(10, synthetic_db))]);
        assert!(bench.told().contains(&Event::Synthesised { peer: CAR.mac }));
    }
}

#[test]
fn sounds_without_any_measurement_are_reported_like_those_of_a_modem_that_does_not_measure() {
    let mut bench = Bench::new();
    CAR.begin(&mut bench);
    bench.sent();
    for remaining in (0..10).rev() {
        bench.cast(CAR.mac, CAR.sound(remaining));
    }
    bench.at(205);
    assert_eq!(bench.answers(), [(205, CAR.mac, CAR.report(10, 9))]);
}

#[test]
fn measurements_of_255_db_are_left_out_and_the_run_fails_if_there_are_no_others() {
    let mut impossible = Profile([10; GROUPS]);
    impossible.0[57] = 255;
    for good in [0_u8, 4] {
        let mut bench = Bench::new();
        CAR.begin(&mut bench);
        bench.sent();
        bench.told();
        for remaining in (0..10).rev() {
            bench.cast(CAR.mac, CAR.sound(remaining));
            modem(&mut bench, Some(if remaining < good { Profile([254; GROUPS]) } else { impossible }));
        }
        let told = bench.told();
        let implausible = Event::Dropped { from: CAR.mac, why: Dropped::Implausible };
        assert_eq!(told.iter().filter(|event| **event == implausible).count(), usize::from(10 - good));
        let report = bench.answers();
        if good == 0 {
            assert_eq!(report, []);
            assert!(told.contains(&Event::Failed(Failure::NoMeasurement { car: CAR.mac })));
        } else {
            assert_eq!(report, [(160, CAR.mac, CAR.report(4, 254))]);
        }
    }
}

#[test]
fn the_offset_is_added_to_the_mean_and_stays_within_a_byte() {
    for (offset_db, db, expected) in
        [(5, 12, 17), (-5, 12, 7), (-20, 12, 0), (100, 200, 255), (-128, 254, 126)]
    {
        let mut bench = Bench::with(EvseConfig { offset_db, ..EvseConfig::new(CHARGER) });
        CAR.begin(&mut bench);
        CAR.sounds(&mut bench, db);
        assert_eq!(bench.answers()[1].2, CAR.report(10, expected));
    }
}

#[test]
fn the_mean_is_over_measurements_not_over_sounds_and_rounded_down() {
    let mut bench = Bench::new();
    CAR.begin(&mut bench);
    for remaining in (0..10).rev() {
        bench.cast(CAR.mac, CAR.sound(remaining));
    }
    // Ten sounds, three measurements: 61 / 3 in each group.
    bench.sent();
    for db in [20, 20, 21] {
        bench.measured(&CAR, db);
    }
    bench.at(205);
    assert_eq!(bench.answers(), [(205, CAR.mac, CAR.report(3, 20))]);
}

#[test]
fn groups_are_averaged_each_for_itself() {
    let mut bench = Bench::new();
    CAR.begin(&mut bench);
    bench.sent();
    let ramp = |step: u8| Profile(std::array::from_fn(|group| group as u8 * step));
    for _ in 0..5 {
        modem(&mut bench, Some(ramp(1)));
        modem(&mut bench, Some(ramp(2)));
    }
    let Slac::AttenChar { profile: Some(profile), sounds: 10, .. } = bench.sent()[0].message else {
        panic!()
    };
    assert_eq!(profile, Profile(std::array::from_fn(|group| (group * 3 / 2) as u8)));
}

#[test]
fn doubled_sounds_count_once_and_measurements_before_the_announcement_not_at_all() {
    let mut bench = Bench::new();
    bench.cast(CAR.mac, CAR.asks());
    bench.measured(&CAR, 90);
    bench.cast(CAR.mac, CAR.starts());
    bench.sent();
    for remaining in [9, 9, 8, 8] {
        bench.cast(CAR.mac, CAR.sound(remaining));
    }
    bench.at(600);
    assert_eq!(bench.answers(), [(600, CAR.mac, CAR.report(2, 9))]);
}

#[test]
fn more_measurements_than_a_counter_holds_do_no_harm() {
    let mut bench = Bench::new();
    bench.cast(CAR.mac, CAR.asks());
    let sounds = Slac::StartAttenChar { run_id: CAR.run_id, sounds: 255, timeout_100ms: 6, car: CAR.mac };
    bench.cast(CAR.mac, sounds);
    bench.sent();
    for _ in 0..300 {
        bench.measured(&CAR, 254);
    }
    assert_eq!(bench.answers(), [(0, CAR.mac, CAR.report(255, 254))]);
}
