use crate::world::{HANDSHAKE_REQ, HANDSHAKE_RES, SESSION_SETUP_REQ, World, bytes};

/// A generator of reproducible pseudo-random numbers, so that each run of a test is the same.
pub(crate) fn noise(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

#[test]
fn one_lost_answer_is_repeated_within_the_250_ms_of_the_charging_loop() {
    let mut world = World::new();
    world.connect(0, 50_001);
    world.ask(HANDSHAKE_REQ);
    let mut lose = 1;
    world.pass = Box::new(move |_, to_charger| {
        let lost = !to_charger && lose > 0;
        lose -= i32::from(lost);
        !lost
    });
    world.car().send_exi(&bytes(SESSION_SETUP_REQ));
    assert!(!world.until(50, |world| world.car().message().is_some()));
    assert!(world.until(100, |world| world.car().message().is_some()));
}

#[test]
fn with_every_third_frame_lost_a_session_still_begins() {
    for seed in 1..20 {
        let mut world = World::new();
        let mut random = noise(seed);
        world.pass = Box::new(move |_, _| !(random() >> 20).is_multiple_of(3));
        let found = world.discover(0).expect("discovery");
        world.car().connect(found.address, found.port, 50_001);
        assert!(world.until(15_000, |world| world.car().tcp().may_send()), "seed {seed}");
        world.car().send_exi(&bytes(HANDSHAKE_REQ));
        assert_eq!(world.next_message(15_000), bytes(HANDSHAKE_RES), "seed {seed}");
    }
}

#[test]
fn with_half_of_all_frames_lost_the_charger_ends_safe_and_free() {
    for seed in 1..10 {
        let mut world = World::new();
        let mut random = noise(seed);
        world.pass = Box::new(move |_, _| (random() >> 20).is_multiple_of(2));
        if let Some(found) = world.discover(0) {
            world.car().connect(found.address, found.port, 50_001);
            if world.until(5_000, |world| world.car().tcp().may_send()) {
                world.car().send_exi(&bytes(HANDSHAKE_REQ));
                world.run(5_000);
            }
            world.car().tcp().abort();
        }
        world.run(60_000);
        assert!(!world.evse.demand().is_energised(), "seed {seed}");
        world.pass = Box::new(|_, _| true);
        world.run(25_000);
        world.connect(1, 50_100);
    }
}
