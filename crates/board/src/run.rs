//! A firmware's life with one role.

use core::ops::ControlFlow;

use evse_fsm::{Authorisation, Preset, Purpose};
use machine::Cx;
use roles::{Evse, EvseConfig, EvseLink, EvseStorage, ListenStorage, Pev, PevConfig, PevLink, PevStorage};

use crate::cable::{CablePins, NoCable};
use crate::desk::{Exit, Leave};
use crate::role::Ear;
use crate::settings::Setting;
use crate::{
    Battery, Board, Cable, CarCable, ChargerCable, Desk, Hardware, Listen, Port, Role, Stage, Turn, Wish,
    tools,
};

/// Runs a charger until the board must start again.
pub fn charger<H: Hardware, P: CablePins, S: Stage>(
    board: Board<H>,
    flash: H::Flash,
    cable: &mut ChargerCable<P, S>,
) -> Exit {
    let mut desk = Desk::new::<ChargerCable<P, S>>(board, flash);
    live(&mut desk, cable, |desk, cable| charger_once(desk, cable, S::IS_REAL))
}

/// Runs a car until the board must start again.
pub fn car<H: Hardware, P: CablePins, B: Battery>(
    board: Board<H>,
    flash: H::Flash,
    cable: &mut CarCable<P, B>,
) -> Exit {
    let mut desk = Desk::new::<CarCable<P, B>>(board, flash);
    live(&mut desk, cable, |desk, cable| car_once(desk, cable))
}

/// Runs a listener until the board must start again.
pub fn listen<H: Hardware>(mut board: Board<H>, flash: H::Flash) -> Exit {
    board.port.hear_all();
    let mut desk = Desk::new::<NoCable>(board, flash);
    // A listener sends no frame and drives no output: it starts with the power.
    desk.is_started = Some(true);
    live(&mut desk, &mut NoCable::new(), |desk, cable| listen_once(desk, cable))
}

/// Runs the self-test until it passes, then the role until the board must start again.
fn live<H: Hardware, C: Cable>(
    desk: &mut Desk<H>,
    cable: &mut C,
    mut once: impl FnMut(&mut Desk<H>, &mut C) -> Leave,
) -> Exit {
    desk.greet();
    loop {
        match desk.test(cable) {
            ControlFlow::Break(exit) => return exit,
            ControlFlow::Continue(true) => break,
            ControlFlow::Continue(false) => {}
        }
    }
    loop {
        let leave = once(desk, cable);
        desk.make_safe(cable);
        match leave {
            Leave::Again => {}
            Leave::Tool(tool) => tools::run(desk, cable, tool),
            Leave::Reboot => {
                desk.save(cable);
                desk.flush();
                return Exit::Reboot;
            }
        }
    }
}

/// Creates the role and runs it until it is to be created again. Its memory is this call's frame; the stack
/// that its creation needed is free again while it runs.
#[inline(never)]
fn charger_once<H: Hardware, C>(desk: &mut Desk<H>, cable: &mut C, has_stage: bool) -> Leave
where
    C: Cable<Demand = evse_fsm::Demand, Reading = evse_fsm::Plant>,
{
    let mut storage: EvseStorage = const { EvseStorage::new() };
    // Borrowed, not moved: a move would need the room on the stack twice.
    match &mut make_charger(desk, has_stage, &mut storage) {
        Some(Ok(evse)) => run(desk, cable, evse),
        Some(Err(error)) => refuse(desk, format_args!("{error}")),
        None => Leave::Reboot,
    }
}

/// `None`: the entropy pool has too little.
#[inline(never)]
fn make_charger<'s, H: Hardware>(
    desk: &mut Desk<H>,
    has_stage: bool,
    storage: &'s mut EvseStorage<'s>,
) -> Option<Result<Evse<'s>, roles::EvseConfigError>> {
    let config = charger_config(desk, has_stage);
    let now = desk.now();
    let entropy = desk.generator.as_mut()?;
    Some(Evse::new(&mut Cx { now, entropy }, config, storage))
}

/// As [`charger_once`].
#[inline(never)]
fn car_once<H: Hardware, C>(desk: &mut Desk<H>, cable: &mut C) -> Leave
where
    C: Cable<Demand = pev_fsm::Demand, Reading = crate::CarReading>,
{
    let mut storage: PevStorage = const { PevStorage::new() };
    match &mut make_car(desk, &mut storage) {
        Some(Ok(pev)) => run(desk, cable, pev),
        Some(Err(error)) => refuse(desk, format_args!("{error}")),
        None => Leave::Reboot,
    }
}

#[inline(never)]
fn make_car<'s, H: Hardware>(
    desk: &mut Desk<H>,
    storage: &'s mut PevStorage<'s>,
) -> Option<Result<Pev<'s>, roles::PevConfigError>> {
    let config = car_config(desk);
    let now = desk.now();
    let entropy = desk.generator.as_mut()?;
    Some(Pev::new(&mut Cx { now, entropy }, config, storage))
}

/// As [`charger_once`].
#[inline(never)]
fn listen_once<H: Hardware>(desk: &mut Desk<H>, cable: &mut NoCable) -> Leave {
    let mut storage: ListenStorage = const { ListenStorage::new() };
    let ear = Ear::new();
    run(desk, cable, &mut Listen::new(desk.mac(), &mut storage, &ear))
}

/// An invalid configuration: all settings return to their defaults.
fn refuse<H: Hardware>(desk: &mut Desk<H>, why: core::fmt::Arguments<'_>) -> Leave {
    desk.warn(format_args!("{why}; all settings are set back"));
    Setting::all().for_each(|setting| desk.set(setting, None));
    Leave::Again
}

#[inline(never)]
fn run<H, C, R>(desk: &mut Desk<H>, cable: &mut C, role: &mut R) -> Leave
where
    H: Hardware,
    C: Cable<Demand = R::Demand, Reading = R::Reading>,
    R: Role,
{
    desk.begin(role);
    let mut turn = Turn::new(desk, cable, role);
    loop {
        if let ControlFlow::Break(leave) = turn.turn() {
            return leave;
        }
    }
}

impl<H: Hardware> Desk<H> {
    /// Passes the stored latch to a role that was just created, and starts the role if that is requested.
    #[inline(never)]
    pub fn begin<R: Role>(&mut self, role: &mut R) {
        let mac = self.mac();
        self.say(format_args!("{} at {mac}; `help` lists the commands", R::NAME));
        let latch = self.store.as_ref().and_then(hal_esp32p4::Store::latch);
        if let Some(latch) = latch {
            self.wish(role, Wish::Latch(latch));
        }
        // A driver's stop outlives the power: only a person starts again.
        let by_itself =
            self.settings().word(Setting::Autostart) == 1 && latch != Some(session::Latch::DriverStop);
        let starts = *self.is_started.get_or_insert(by_itself);
        self.wish(role, if starts { Wish::Start } else { Wish::Stop });
    }
}

/// The charger's configuration from the settings. A charger without a power stage makes a car close its
/// contactors and reads its state of charge; it reports synthetic values, and each session logs that.
pub fn charger_config<H: Hardware>(desk: &Desk<H>, has_stage: bool) -> EvseConfig {
    let (settings, mac) = (desk.settings(), desk.mac());
    let preset = Preset::ALL.get(settings.word(Setting::Precharge)).copied().unwrap_or_default();
    let charger = if has_stage && settings.word(Setting::Stage) == 0 {
        let mut charger = evse_fsm::Config::default();
        charger.limits.max_voltage_mv = settings.number(Setting::MaxVoltage);
        charger.limits.max_current_ma = settings.number(Setting::MaxCurrent);
        charger.limits.max_power_w = settings.number(Setting::MaxPower);
        charger.precharge = preset;
        charger
    } else {
        evse_fsm::Config::without_power_stage(preset)
    };
    let choose = |setting| settings.word(setting) == 1;
    let charger = evse_fsm::Config {
        purpose: if choose(Setting::Purpose) { Purpose::ReadCar } else { Purpose::Charge },
        authorisation: if choose(Setting::Authorise) { Authorisation::Operator } else { Authorisation::Free },
        available: false,
        ..charger
    };
    let link = if choose(Setting::Link) { EvseLink::Up } else { EvseLink::matched(mac) };
    EvseConfig { link, charger, ..EvseConfig::new(mac) }
}

/// The car's configuration from the settings: a car with all sensors, which decides by its own measurements.
pub fn car_config<H: Hardware>(desk: &Desk<H>) -> PevConfig {
    let (settings, mac) = (desk.settings(), desk.mac());
    let link = if settings.word(Setting::Link) == 1 { PevLink::Up } else { PevLink::matched(mac) };
    // Six bytes always fit.
    let evcc_id = heapless::Vec::from_slice(&mac.0).unwrap_or_default();
    let car = pev_fsm::Config { evcc_id, ..pev_fsm::Config::default() };
    PevConfig { link, car, ..PevConfig::new(mac) }
}
