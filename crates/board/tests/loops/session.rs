use std::cell::Cell;

use hal_esp32p4::Side;
use machine::Duration;

use crate::bench::{Bench, usual};

#[test]
fn a_board_charges_another_from_the_plug_to_the_end_in_order() {
    let mut bench = Bench::new();
    bench.types(Side::Charger, "start");
    bench.types(Side::Car, "start");
    let most = Cell::new(0);
    bench.play(|world, now| {
        usual(world, now, Duration::from_secs(2));
        most.set(most.get().max(world.cable.get().current_ma));
        world.charger.log().contains("phase Ended") && world.car.log().contains("phase Ended")
    });
    let (charger, car) = (bench.world.charger.log(), bench.world.car.log());
    assert!(most.get() > 20_000, "{} mA", most.get());
    for number in [4, 5, 101, 155, 202, 303, 402, 505, 566, 605, 710, 805, 905] {
        assert!(charger.contains(&format!("[{number:03}]")), "{number}\n{charger}");
    }
    for number in [100, 160, 170, 203, 303, 590, 710, 900] {
        assert!(car.contains(&format!("[{number:03}]")), "{number}\n{car}");
    }
    assert!(charger.contains("stopped by the car in SessionStop: ended normally"), "{charger}");
    assert!(!bench.world.charger.is_driven() && !bench.world.car.is_driven());
}
