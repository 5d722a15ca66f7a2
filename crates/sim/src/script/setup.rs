//! The setup before a script begins, and the world that is built from it.

use evse_fsm::{Authorisation, Preset, TestVoltage};
use homeplug_mme::Mac;
use machine::{Cx, Duration, Instant};
use pev_fsm::Precharge;
use roles::{EvseConfig, EvseLink, EvseStorage, PevConfig, PevLink, PevStorage};

use super::clock::Clock;
use super::injector::FaultInjector;
use super::program::Program;
use super::reborn::Reborn;
use super::rule::Rule;
use super::senses;
use super::words::Form;
use crate::plant::{
    Bands, Battery, BatteryProfile, BenchConfig, CableProfile, Load, Sensor, Side, StageProfile, Tolerance,
};
use crate::{Car, Charger, Host, ModemConfig, ModemKind, Port, Wishes, World};

/// The charger's port.
pub(super) const CHARGER: Port = Port(0);
/// The car's port.
pub(super) const CAR: Port = Port(1);

/// The port of a side.
pub(super) const fn port(side: Side) -> Port {
    match side {
        Side::Charger => CHARGER,
        Side::Car => CAR,
    }
}

/// The setup before a script begins.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The world's seed.
    pub seed: u64,
    /// When the plug is inserted; `None`: never.
    pub plug: Option<Instant>,
    /// When the script ends.
    pub until: Instant,
    /// Whether a step that is never reached, or a message that cannot be changed this way, is accepted.
    pub loose: bool,
    pub(super) wishes: Wishes,
    pub(super) evse: EvseConfig,
    pub(super) pev: PevConfig,
    pub(super) bench: BenchConfig,
    profile: BatteryProfile,
    soc_percent: i32,
    bulbs: Option<u32>,
    modem: ModemConfig,
    clocks: [Clock; 2],
}

type Change = Box<dyn Fn(&mut Setup)>;

fn change(change: impl Fn(&mut Setup) + 'static) -> Change {
    Box::new(change)
}

/// A monitor with this measuring time, and a charger that is configured for it: after another 3 s the charger
/// treats it as hanging.
fn monitor(setup: &mut Setup, measuring: Duration) {
    setup.bench.monitor.measuring = measuring;
    let patience = &mut setup.evse.charger.protection.monitor;
    // A charger waits 60 s at most.
    *patience = (*patience).max(measuring + Duration::from_secs(3)).min(Duration::from_secs(60));
}

/// The forms of `setup` lines.
#[rustfmt::skip] // a table reads best with one row a line
pub(super) const FORMS: &[Form<Change>] = &[
    Form { words: "seed N", make: |a| { let seed = a.fit(0); change(move |s| s.seed = seed) } },
    Form { words: "plug TIME", make: |a| { let at = a.time(); change(move |s| s.plug = Some(Instant::ZERO + at)) } },
    Form { words: "no plug", make: |_| change(|s| s.plug = None) },
    Form { words: "until TIME", make: |a| { let at = a.time(); change(move |s| s.until = Instant::ZERO + at) } },
    Form { words: "loose", make: |_| change(|s| s.loose = true) },
    Form { words: "battery 400V N %", make: |a| { let soc = a.fit(0); change(move |s| s.battery(BatteryProfile::CAR_400V, Wishes::CAR_400V, soc)) } },
    Form { words: "battery 800V N %", make: |a| { let soc = a.fit(0); change(move |s| s.battery(BatteryProfile::CAR_800V, Wishes::CAR_800V, soc)) } },
    Form { words: "bulbs N", make: |a| { let bulbs = a.fit(0); change(move |s| s.bulbs(bulbs)) } },
    Form { words: "car bears VALUE VALUE", make: |a| { let (v, i) = (a.fit(0), a.fit(1)); change(move |s| (s.wishes.limits.max_voltage_mv, s.wishes.limits.max_current_ma) = (v, i)) } },
    Form { words: "enough N %", make: |a| { let soc = a.fit(0); change(move |s| s.wishes.enough_percent = soc) } },
    Form { words: "stage alpitronic", make: |_| change(|s| s.bench.stage = StageProfile::ALPITRONIC) },
    Form { words: "stage compleo", make: |_| change(|s| s.bench.stage = StageProfile::COMPLEO) },
    Form { words: "stage slow", make: |_| change(|s| s.bench.stage = StageProfile::SLOW) },
    Form { words: "stage off by N permille", make: |a| { let permille = a.fit(0); change(move |s| s.bench.stage.tolerance = Tolerance { permille, ..Tolerance::EXACT }) } },
    Form { words: "stage drifts N permille in TIME", make: |a| { let (permille, drift) = (a.fit(0), a.time()); change(move |s| s.bench.stage.tolerance = Tolerance { permille, drift }) } },
    Form { words: "stage keeps VALUE", make: |a| { let mv = a.fit(0); change(move |s| s.bench.stage.residual_mv = mv) } },
    Form { words: "cable switched", make: |_| change(|s| (s.bench.cable, s.evse.charger.bleeder) = (CableProfile::SWITCHED, true)) },
    Form { words: "cable hyc300", make: |_| change(|s| s.bench.cable = CableProfile::HYC300) },
    Form { words: "cable compleo", make: |_| change(|s| s.bench.cable = CableProfile::COMPLEO) },
    Form { words: "isolation bands 2023", make: |_| change(|s| s.bench.monitor.bands = Bands::Edition2023) },
    Form { words: "isolation test by 2023", make: |_| change(|s| s.evse.charger.protection.test_voltage = TestVoltage::Iec2023) },
    Form { words: "isolation test TIME", make: |a| { let time = a.time(); change(move |s| monitor(s, time)) } },
    Form { words: "isolation monitor plain", make: |_| change(|s| (s.bench.monitor.has_count, s.bench.monitor.has_self_test) = (false, false)) },
    Form { words: "isolation monitor without test", make: |_| change(|s| s.bench.monitor.has_self_test = false) },
    Form { words: "isolation monitor with ohms", make: |_| change(|s| s.bench.monitor.has_ohms = true) },
    Form { words: "sensors within N permille", make: |a| { let permille = a.fit(0); change(move |s| s.bench.accuracy.permille = permille) } },
    Form { words: "WHO sensors default", make: |a| { let who = a.who(); change(move |s| s.leave_out(who, optional(who))) } },
    Form { words: "WHO sensors all", make: |a| { let who = a.who(); change(move |s| s.bench.missing.retain(|(side, _)| *side != who)) } },
    Form { words: "WHO without WORD", make: |a| { let (who, name) = (a.who(), a.word(0)); change(move |s| s.leave_out(who, senses::sensor(&name).as_slice())) } },
    Form { words: "heartbeat", make: |_| change(|s| s.bench.heartbeat = Some(BenchConfig::HEARTBEAT)) },
    Form { words: "charger gives VALUE VALUE", make: |a| { let (v, i) = (a.fit(0), a.fit(1)); change(move |s| (s.evse.charger.limits.max_voltage_mv, s.evse.charger.limits.max_current_ma) = (v, i)) } },
    Form { words: "charger strict", make: |_| change(|s| s.evse.charger.strict = true) },
    Form { words: "charger precharge step20", make: |_| change(|s| s.evse.charger.precharge = Preset::Step20) },
    Form { words: "charger precharge two-stage", make: |_| change(|s| s.evse.charger.precharge = Preset::TwoStage) },
    Form { words: "charger precharge overshoot", make: |_| change(|s| s.evse.charger.precharge = Preset::Overshoot) },
    Form { words: "charger asks operator", make: |_| change(|s| s.evse.charger.authorisation = Authorisation::Operator) },
    Form { words: "charger modem QCA7420", make: |_| change(|s| s.modem.kind = ModemKind::Qca7420) },
    Form { words: "charger modem slow", make: |_| change(|s| (s.modem.lingers, s.modem.restart) = ModemConfig::SLOW) },
    Form { words: "charger session id N", make: |a| { let length = a.fit(0); change(move |s| s.evse.charger.session_id_len = length) } },
    Form { words: "car patience TIME", make: |a| { let time = a.time(); change(move |s| s.be_patient(time)) } },
    Form { words: "car strict", make: |_| change(|s| s.pev.car.strict = true) },
    Form { words: "car precharge reported", make: |_| change(|s| s.pev.car.precharge = Precharge::Reported) },
    Form { words: "car precharge compared VALUE", make: |a| { let limit_mv = a.fit(0); change(move |s| s.pev.car.precharge = Precharge::Compared { limit_mv }) } },
    Form { words: "car tolerates attenuation N dB", make: |a| { let db: u32 = a.fit(0); change(move |s| if let PevLink::Matched { slac, .. } = &mut s.pev.link { slac.limit_cdb = Some(db * 100); }) } },
    Form { words: "car id BYTES", make: |a| { let id = a.bytes(); change(move |s| { s.pev.car.evcc_id.clear(); let _ = s.pev.car.evcc_id.extend_from_slice(&id); }) } },
    Form { words: "WHO clock starts TIME", make: |a| { let (who, start) = (a.who(), a.time()); change(move |s| s.clock(who).start = start) } },
    Form { words: "WHO clock skew N ppm", make: |a| { let (who, skew) = (a.who(), a.fit(0)); change(move |s| s.clock(who).skew_ppm = skew) } },
];

impl Default for Setup {
    /// A usual charger and the 400 V car at half its charge, plugged in at 5 s, for a minute.
    fn default() -> Self {
        let mac = Mac([2, 0, 0, 0, 0, 0x5E]);
        let mut evse = EvseConfig { link: EvseLink::matched(mac), ..EvseConfig::new(mac) };
        evse.charger.limits.max_voltage_mv = 920_000;
        Self {
            seed: 1,
            plug: Some(Instant::from_millis(5_000)),
            until: Instant::from_millis(60_000),
            loose: false,
            wishes: Wishes::CAR_400V,
            evse,
            pev: PevConfig::new(Mac([2, 0, 0, 0, 0, 0xE1])),
            bench: BenchConfig { heartbeat: Some(BenchConfig::HEARTBEAT), ..BenchConfig::default() },
            profile: BatteryProfile::CAR_400V,
            soc_percent: 50,
            bulbs: None,
            modem: ModemConfig::evse(ModemKind::Qca7005, Mac([0, 0xB0, 0x52, 0, 0, 0x5E])),
            clocks: [Clock::default(); 2],
        }
    }
}

/// The sensors that a side does not require: all but the pilot and those that its default configuration
/// requires.
const fn optional(side: Side) -> &'static [Sensor] {
    match side {
        Side::Charger => &[Sensor::Duty, Sensor::Proximity, Sensor::Stage, Sensor::Lock],
        Side::Car => &[Sensor::Proximity, Sensor::Temperature, Sensor::EmergencyStop],
    }
}

impl Setup {
    /// Removes these sensors of a side.
    fn leave_out(&mut self, side: Side, sensors: &[Sensor]) {
        self.bench.missing.extend(sensors.iter().map(|sensor| (side, *sensor)));
    }

    fn battery(&mut self, profile: BatteryProfile, wishes: Wishes, soc_percent: i32) {
        let enough_percent = self.wishes.enough_percent;
        (self.profile, self.soc_percent, self.wishes) =
            (profile, soc_percent, Wishes { enough_percent, ..wishes });
    }

    fn bulbs(&mut self, bulbs: u32) {
        (self.bulbs, self.wishes) = (Some(bulbs), Wishes::BULBS);
        self.pev.car.load = pev_fsm::Load::Bulb { voltage_mv: Wishes::BULBS_MV };
    }

    /// The car waits this time for each response, which no good car does.
    fn be_patient(&mut self, time: Duration) {
        for answer in session::EXCHANGES.iter().filter_map(|row| row.response_time) {
            self.pev.car.times = self.pev.car.times.with(answer, time);
        }
    }

    const fn clock(&mut self, side: Side) -> &mut Clock {
        let [charger, car] = &mut self.clocks;
        match side {
            Side::Charger => charger,
            Side::Car => car,
        }
    }

    /// Checks that its configurations are valid.
    pub(super) fn check(&self) -> Result<(), String> {
        self.evse.check().map_err(|error| error.to_string())?;
        self.pev.check().map_err(|error| error.to_string())
    }

    /// The world with the rules of either side. A program needs one storage for each start.
    pub(super) fn build<'a>(
        &self,
        [charger_rules, car_rules]: [Vec<Rule>; 2],
        evse: &'a mut [EvseStorage<'a>],
        pev: &'a mut [PevStorage<'a>],
    ) -> Result<World<FaultInjector<'a>>, String> {
        let (Some((evse, evse_spare)), Some((pev, pev_spare))) =
            (evse.split_first_mut(), pev.split_first_mut())
        else {
            return Err("a program has no storage".to_owned());
        };
        let mut world = World::new(self.seed);
        let [charger_clock, car_clock] = self.clocks;
        let mut error = None;
        let charger = {
            // Checked before the world is built, so that an invalid configuration is an error and not a
            // panic.
            let mut entropy = crate::Chance::new(self.seed).child("charger");
            let mut cx = Cx { now: charger_clock.to_node(Instant::ZERO), entropy: &mut entropy };
            Charger::new(&mut cx, self.evse.clone(), evse)
                .map_err(|found| error = Some(found.to_string()))
                .ok()
        };
        let car = {
            let mut entropy = crate::Chance::new(self.seed).child("car");
            let mut cx = Cx { now: car_clock.to_node(Instant::ZERO), entropy: &mut entropy };
            Car::new(&mut cx, self.pev.clone(), self.wishes, pev)
                .map_err(|found| error = Some(found.to_string()))
                .ok()
        };
        let (Some(charger), Some(car)) = (charger, car) else { return Err(error.unwrap_or_default()) };
        let charger_reborn = Reborn::Charger(self.evse.clone(), evse_spare.iter_mut().collect());
        let car_reborn = Reborn::Car(self.pev.clone(), pev_spare.iter_mut().collect());
        let host = Host::Charger(charger);
        let charger = FaultInjector::new(Program::new(host, charger_clock, charger_reborn), charger_rules);
        world.add("charger", charger, self.modem);
        let modem = ModemConfig::pev(ModemKind::Qca7005, Mac([0, 0xB0, 0x52, 0, 0, 0xE1]));
        let car = Program::new(Host::Car(car), car_clock, car_reborn);
        world.add("car", FaultInjector::new(car, car_rules), modem);
        let load = self.bulbs.map_or_else(|| Load::battery(self.profile, self.soc_percent), Load::Bulbs);
        let mut bench = BenchConfig { load, ..self.bench.clone() };
        bench.accuracy.seed = self.seed;
        world.add_cable_with(CHARGER, CAR, bench);
        Ok(world)
    }

    /// Whether charger and car are compatible, so that a charge without faults succeeds. A stage at rest that
    /// a sensor within its accuracy may read as live counts as faulty, as does a battery above the limit that
    /// it reports.
    pub(super) fn is_sound(&self) -> bool {
        let is_free = self.evse.charger.authorisation == Authorisation::Free;
        let is_strict = self.evse.charger.strict || self.pev.car.strict;
        let is_fast = self.bench.monitor.measuring <= Duration::from_secs(30);
        let BenchConfig { stage, accuracy, .. } = &self.bench;
        let rests_at_mv = stage.residual_mv / 1000 * (1000 + i32::from(accuracy.permille));
        let is_stage_good = *stage != StageProfile::SLOW && rests_at_mv < session::DEAD_MV;
        let is_battery_good =
            Battery::new(self.profile, self.soc_percent).rest_mv() <= self.wishes.limits.max_voltage_mv;
        is_free && is_fast && !is_strict && self.bulbs.is_none() && is_stage_good && is_battery_good
    }

    /// Whether the charger tests the isolation above the car's limit.
    pub(super) fn tests_higher(&self) -> bool {
        self.evse.charger.protection.test_voltage == TestVoltage::Iec2023
    }

    /// Duration of a script.
    pub(super) fn end(&self) -> Duration {
        self.until.since(Instant::ZERO)
    }
}
