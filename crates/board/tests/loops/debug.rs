use crate::bench::{Bench, types, usual};
use hal_esp32p4::Side;
use machine::Duration;
#[test]
fn debug() {
    let mut bench = Bench::new();
    bench.types(Side::Charger, "start");
    bench.types(Side::Car, "start");
    let mut last = 0;
    bench.play(|world, now| {
        usual(world, now, Duration::from_secs(2));
        let ms = now.as_millis();
        if ms > 6700 && ms >= last + 7 {
            last = ms;
            types(world, Side::Car, "status");
        }
        ms > 8800
    });
    println!("{}\n{}", bench.world.charger.log(), bench.world.car.log());
}
