//! The charger's machine, a car by script, and the bench between them; no network.

use control_pilot::Level;
use evse_fsm::{Charger, Config, Contactors, Event, Input, Lock, PAYLOAD_TYPE};
use exi_din::*;
use machine::{Cx, Duration, Instant, Machine, ScriptedEntropy};
use session::StopReason;
use sim::Port;
use sim::invariant::Witness;
use sim::plant::{Bench, BenchConfig, CarDemand, CarPlant, Fault};

/// What the car is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    Handshake,
    Setup,
    Services,
    Payment,
    Authentication,
    Parameters,
    CableCheck,
    Precharge,
    PowerOn,
    Charge,
    PowerOff,
    Welding,
    Stop,
    Over,
}

/// A charger, its car and what stands between them.
pub struct Session {
    pub charger: Charger,
    pub bench: Bench,
    pub witness: Witness,
    pub now: Instant,
    pub stage: Stage,
    /// The car ends the session then.
    pub until: Instant,
    /// The car hangs: it says nothing, and its hardware stays as it is.
    pub hangs: bool,
    pub stop: Option<StopReason>,
    pub warnings: Vec<String>,
    pub steps: u64,
    car: CarDemand,
    plant: CarPlant,
    id: Vec<u8>,
    next_reading: Instant,
    next_request: Option<Instant>,
    /// Since when the car has to stop.
    stopping: Option<Instant>,
    asked_ma: i32,
    /// What the inlet had at the last answers in precharge, in mV.
    inlet_was: [i32; 3],
    entropy: ScriptedEntropy<'static>,
}

/// Both sides read their sensors so often.
const READING: Duration = Duration::from_millis(50);
/// The car's period in every loop (charge curve, section 1).
const PERIOD: Duration = Duration::from_millis(90);

impl Session {
    pub fn new(config: Config, bench: BenchConfig) -> Self {
        Self {
            charger: Charger::new(config).unwrap(),
            bench: Bench::new(bench),
            witness: Witness::new(Port(0)),
            now: Instant::ZERO,
            stage: Stage::Handshake,
            until: Instant::from_millis(60_000),
            hangs: false,
            stop: None,
            warnings: Vec::new(),
            steps: 0,
            car: CarDemand { lock: Lock::Released, ..CarDemand::SAFE },
            plant: CarPlant::default(),
            id: vec![0; 8],
            next_reading: Instant::ZERO,
            next_request: None,
            stopping: None,
            asked_ma: 0,
            inlet_was: [-1_000_000; 3],
            entropy: ScriptedEntropy::new(&[1, 2, 3, 4, 5, 6, 7, 8]),
        }
    }

    /// The plug goes in; 2 s later the car connects.
    pub fn plug(&mut self) {
        self.bench.plug(self.now, true);
        self.car.lock = Lock::Held;
        self.run(2_000);
        self.charger(Input::Connected);
        self.next_request = Some(self.now);
    }

    /// The plug goes in for another session.
    pub fn again(&mut self) {
        (self.stage, self.stopping, self.asked_ma) = (Stage::Handshake, None, 0);
        (self.car, self.id) = (CarDemand { lock: Lock::Released, ..CarDemand::SAFE }, vec![0; 8]);
        self.run(3_000);
        self.plug();
    }

    pub fn inject(&mut self, fault: Fault) {
        self.bench.inject(self.now, fault);
    }

    /// Runs until the car is at `stage` and half a second beyond.
    pub fn reach(&mut self, stage: Stage) {
        for _ in 0..6_000 {
            if self.stage >= stage {
                return self.run(500);
            }
            self.run(10);
        }
        panic!("{:?} never comes; at {:?}, {:?}", stage, self.stage, self.stop);
    }

    pub fn run(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        loop {
            let due = self.charger.poll_timeout().map(|due| due.at);
            let next = [due, self.next_request, Some(self.next_reading)].into_iter().flatten().min().unwrap();
            if next > end {
                self.now = end;
                return self.apply();
            }
            self.now = self.now.max(next);
            self.steps += 1;
            self.step();
        }
    }

    fn step(&mut self) {
        if self.next_reading <= self.now {
            self.next_reading = self.now + READING;
            let plant = self.bench.charger(self.now);
            self.charger(Input::Plant(plant));
            self.plant = self.bench.car(self.now);
            if !self.hangs {
                self.supervise();
            }
        }
        if self.charger.poll_timeout().is_some_and(|due| due.at <= self.now) {
            let mut cx = Cx { now: self.now, entropy: &mut self.entropy };
            self.charger.handle_timeout(&mut cx);
        }
        self.apply();
        if self.next_request.is_some_and(|at| at <= self.now) {
            self.next_request = None;
            if !self.hangs {
                self.ask();
            }
        }
        self.answer();
        self.apply();
    }

    /// Demands take effect, and are judged.
    fn apply(&mut self) {
        while let Some(event) = self.charger.poll_event() {
            match event {
                Event::Stopping(reason) => self.stop = Some(reason),
                Event::Warning(warning) => self.warnings.push(format!("{warning:?}")),
                _ => (),
            }
        }
        self.bench.drive_charger(self.now, &self.charger.demand());
        self.bench.drive_car(self.now, &self.car);
        if let Err(broken) = self.witness.check(self.now, &self.bench) {
            panic!("{broken}; car {:?}, charger {:?}, {:?}", self.stage, self.charger.phase(), self.stop);
        }
        if self.charger.wants_close() {
            self.close();
        }
    }

    /// The connection is closed.
    pub fn close(&mut self) {
        self.charger(Input::Closed(evse_fsm::Closed::Fin));
        let now = self.now;
        self.witness.tell(|facts| facts.closed(now));
        self.next_request = None;
        if self.stage < Stage::Over {
            self.must_stop();
        }
    }

    fn charger(&mut self, input: Input<'_>) {
        let mut cx = Cx { now: self.now, entropy: &mut self.entropy };
        self.charger.handle(&mut cx, input);
    }

    /// The car's own safety: pilot B at once, contactors open below 1 A or after 2 s.
    fn supervise(&mut self) {
        let value = |reading: Option<evse_fsm::Reading<u16>>| reading.map_or(0, |reading| reading.value);
        let is_fresh = |at: Instant| self.now.since(at) <= evse_fsm::MAX_AGE;
        let is_stale = !self.plant.current_ma.is_some_and(|reading| is_fresh(reading.at));
        let is_offered = (30..=70).contains(&value(self.plant.duty_permille));
        let is_stopped = self.plant.emergency_stop.is_some_and(|reading| reading.value);
        let is_unlocked = self.plant.lock.is_some_and(|reading| !reading.value);
        if self.car.level.is_ready() && (is_stale || !is_offered || is_stopped || is_unlocked) {
            self.must_stop();
        }
        let Some(since) = self.stopping else { return };
        let current_ma = self.plant.current_ma.map_or(0, |reading| reading.value);
        let is_late = self.now.since(since) >= Duration::from_millis(2_000);
        if self.car.contactors == Contactors::Closed && (current_ma < 1_000 && !is_stale || is_late) {
            self.car.contactors = Contactors::Open;
        }
        self.release();
    }

    fn must_stop(&mut self) {
        self.stopping = self.stopping.or(Some(self.now));
        self.car.level = Level::B;
        self.next_request = None;
    }

    /// Unlocks once that is safe.
    fn release(&mut self) {
        let is_open = self.plant.contactors.is_some_and(|reading| !reading.value);
        let is_dead = self.plant.inlet_mv.is_some_and(|reading| reading.value < 60_000);
        if is_open && is_dead && self.car.contactors == Contactors::Open {
            self.car.lock = Lock::Released;
        }
    }

    fn ask(&mut self) {
        let mut buffer = [0; 256];
        let length = if self.stage == Stage::Handshake {
            let offer = [exi_app::AppProtocol {
                protocol_namespace: exi_app::NAMESPACE_DIN.into(),
                version_number_major: exi::Saturated(2),
                version_number_minor: exi::Saturated(0),
                schema_id: 1,
                priority: exi_app::Priority::clamped(1),
            }];
            let offer = exi_app::SupportedAppProtocolReq { app_protocol: offer.as_slice().into() };
            exi_app::Message::Req(offer).encode(&mut buffer).unwrap()
        } else {
            let header =
                Header { session_id: self.id.as_slice().into(), notification: None, signature: None };
            let body = Body { element: Some(self.request()) };
            V2gMessage { header, body }.encode(&mut buffer).unwrap()
        };
        let now = self.now;
        self.witness.tell(|facts| facts.message(now, &buffer[..length]));
        self.charger(Input::Message { payload_type: PAYLOAD_TYPE, payload: &buffer[..length] });
    }

    fn request(&self) -> BodyElement<'static> {
        let battery_mv = i64::from(self.plant.battery_mv.unwrap().value);
        let volts = |milli| PhysicalValue::limit(milli, UnitSymbol::V).unwrap();
        let amperes = |milli| PhysicalValue::limit(milli, UnitSymbol::A).unwrap();
        match self.stage {
            Stage::Setup => {
                BodyElement::SessionSetupReq(SessionSetupReq { evcc_id: (&[2, 0, 0, 0, 0, 1]).into() })
            }
            Stage::Services => BodyElement::ServiceDiscoveryReq(ServiceDiscoveryReq {
                service_scope: None,
                service_category: Some(ServiceCategory::EvCharging),
            }),
            Stage::Payment => BodyElement::ServicePaymentSelectionReq(ServicePaymentSelectionReq {
                selected_payment_option: PaymentOption::ExternalPayment,
                selected_service_list: SelectedServiceList { selected_service: SERVICES.into() },
            }),
            Stage::Authentication => BodyElement::ContractAuthenticationReq(ContractAuthenticationReq {
                id: None,
                gen_challenge: None,
            }),
            Stage::Parameters => BodyElement::ChargeParameterDiscoveryReq(ChargeParameterDiscoveryReq {
                ev_requested_energy_transfer_type: EvRequestedEnergyTransfer::DcExtended,
                ev_charge_parameter: EvChargeParameter::Dc(DcEvChargeParameter {
                    dc_ev_status: CAR,
                    ev_maximum_current_limit: amperes(200_000),
                    ev_maximum_power_limit: None,
                    ev_maximum_voltage_limit: volts(self.max_mv()),
                    ev_energy_capacity: None,
                    ev_energy_request: None,
                    full_soc: None,
                    bulk_soc: None,
                }),
            }),
            Stage::CableCheck => BodyElement::CableCheckReq(CableCheckReq { dc_ev_status: CAR }),
            Stage::Precharge => BodyElement::PreChargeReq(PreChargeReq {
                dc_ev_status: CAR,
                ev_target_voltage: volts(battery_mv),
                ev_target_current: amperes(1_000),
            }),
            Stage::PowerOn | Stage::PowerOff => BodyElement::PowerDeliveryReq(PowerDeliveryReq {
                ready_to_charge_state: self.stage == Stage::PowerOn,
                charging_profile: None,
                ev_power_delivery_parameter: None,
            }),
            Stage::Charge => BodyElement::CurrentDemandReq(CurrentDemandReq {
                dc_ev_status: CAR,
                ev_target_current: amperes(i64::from(self.asked_ma)),
                ev_maximum_voltage_limit: None,
                ev_maximum_current_limit: None,
                ev_maximum_power_limit: None,
                bulk_charging_complete: None,
                charging_complete: false,
                remaining_time_to_full_soc: None,
                remaining_time_to_bulk_soc: None,
                ev_target_voltage: volts(self.max_mv()),
            }),
            Stage::Welding => BodyElement::WeldingDetectionReq(WeldingDetectionReq { dc_ev_status: CAR }),
            Stage::Stop => BodyElement::SessionStopReq(SessionStopReq {}),
            Stage::Handshake | Stage::Over => panic!("no request"),
        }
    }

    fn max_mv(&self) -> i64 {
        self.bench.load().as_battery().map_or(500_000, |battery| i64::from(battery.profile().max_mv))
    }

    /// Takes the charger's answer, if there is one, and goes on.
    fn answer(&mut self) {
        let mut buffer = [0; 256];
        let Some((length, _)) = self.charger.poll_transmit(&mut buffer) else { return };
        let now = self.now;
        self.witness.tell(|facts| facts.message(now, &buffer[..length]));
        if self.stopping.is_some() || self.hangs {
            return;
        }
        self.next_request = Some(self.now + PERIOD);
        if self.stage == Stage::Handshake {
            self.stage = Stage::Setup;
            return;
        }
        let answer = V2gMessage::decode(&buffer[..length]).unwrap();
        let id: Vec<u8> = answer.header.session_id.iter().collect();
        match self.next(&answer.body.element.unwrap()) {
            Some(stage) => self.stage = stage,
            None => self.must_stop(),
        }
        self.id = id;
        if self.stage == Stage::Over {
            self.next_request = None;
            self.close();
        }
    }

    /// Where the car goes on; nowhere when it was refused.
    fn next(&mut self, answer: &BodyElement<'_>) -> Option<Stage> {
        let ok = |code: ResponseCode| (!code.is_failed()).then_some(());
        let inlet_mv = self.plant.inlet_mv.unwrap().value;
        let battery_mv = self.plant.battery_mv.unwrap().value;
        let is_closed = self.plant.contactors.unwrap().value;
        Some(match answer {
            BodyElement::SessionSetupRes(res) => ok(res.response_code).map(|()| Stage::Services)?,
            BodyElement::ServiceDiscoveryRes(res) => ok(res.response_code).map(|()| Stage::Payment)?,
            BodyElement::ServicePaymentSelectionRes(res) => {
                ok(res.response_code).map(|()| Stage::Authentication)?
            }
            BodyElement::ContractAuthenticationRes(res) => {
                ok(res.response_code).map(|()| Stage::Parameters)?
            }
            BodyElement::ChargeParameterDiscoveryRes(res) => {
                ok(res.response_code)?;
                self.car.level = Level::C;
                Stage::CableCheck
            }
            BodyElement::CableCheckRes(res) => {
                ok(res.response_code)?;
                let is_over = res.evse_processing == EvseProcessing::Finished;
                if is_over { Stage::Precharge } else { Stage::CableCheck }
            }
            BodyElement::PreChargeRes(res) => {
                ok(res.response_code)?;
                let has_battery = self.bench.load().as_battery().is_some();
                // Near, and it has stayed there for two periods.
                let is_steady = self.inlet_was.iter().all(|was| (inlet_mv - was).abs() <= 5_000);
                self.inlet_was = [self.inlet_was[1], self.inlet_was[2], inlet_mv];
                if (inlet_mv - battery_mv).abs() <= 10_000 && is_steady || !has_battery {
                    self.car.contactors = Contactors::Closed;
                }
                if is_closed { Stage::PowerOn } else { Stage::Precharge }
            }
            BodyElement::PowerDeliveryRes(res) if self.stage == Stage::PowerOn => {
                ok(res.response_code)?;
                Stage::Charge
            }
            BodyElement::CurrentDemandRes(res) => {
                ok(res.response_code)?;
                let most_ma = self.plant.request_ma.map_or(0, |reading| reading.value).min(125_000);
                let is_over = self.until <= self.now;
                self.asked_ma = if is_over { 0 } else { (self.asked_ma + 1_000).min(most_ma) };
                let is_wanted = res.dc_evse_status.evse_status_code == DcEvseStatusCode::EvseReady;
                if is_over || !is_wanted { Stage::PowerOff } else { Stage::Charge }
            }
            BodyElement::PowerDeliveryRes(_) => {
                self.car.level = Level::B;
                self.stopping = None;
                self.car.contactors = Contactors::Open;
                Stage::Welding
            }
            BodyElement::WeldingDetectionRes(res) => {
                ok(res.response_code)?;
                if inlet_mv < 60_000 { Stage::Stop } else { Stage::Welding }
            }
            BodyElement::SessionStopRes(_) => {
                self.release();
                Stage::Over
            }
            other => panic!("{other:?} is no answer"),
        })
    }
}

const SERVICES: &[SelectedService] = &[SelectedService { service_id: 1, parameter_set_id: None }];

const CAR: DcEvStatus = DcEvStatus {
    ev_ready: true,
    ev_cabin_conditioning: None,
    ev_ress_conditioning: None,
    ev_error_code: DcEvErrorCode::NoError,
    ev_ress_soc: Percent::MAX,
};
