//! SLAC messages with the values that the standard allows, owned, for the roles.

use machine::TooShort;

use crate::view::{self, Slice};
use crate::{Frame, Mac, Message, MessageError, NetworkKey, RunId, StationId, emit};

/// Groups of carriers in a measurement (ISO 15118-3; every capture).
pub const GROUPS: usize = 58;

/// Attenuation of each group of carriers in dB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile(pub [u8; GROUPS]);

/// A message of matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slac {
    /// `CM_SLAC_PARM.REQ`, car to all.
    ParmReq {
        /// The run.
        run_id: RunId,
    },
    /// `CM_SLAC_PARM.CNF`, charger to car.
    ParmCnf {
        /// The run.
        run_id: RunId,
        /// Number of sounds that the charger requests, at least 1.
        sounds: u8,
        /// Time for the sounds in 100 ms, at least 1.
        timeout_100ms: u8,
        /// The car.
        car: Mac,
    },
    /// `CM_START_ATTEN_CHAR.IND`, car to all.
    StartAttenChar {
        /// The run.
        run_id: RunId,
        /// Sounds that follow, at least 1.
        sounds: u8,
        /// Time for the sounds in 100 ms, at least 1.
        timeout_100ms: u8,
        /// The car.
        car: Mac,
    },
    /// `CM_MNBC_SOUND.IND`, car to all.
    Sound {
        /// The run.
        run_id: RunId,
        /// Sounds that follow this one.
        remaining: u8,
        /// Random bytes.
        random: [u8; 16],
    },
    /// `CM_ATTEN_PROFILE.IND`, modem to its host.
    Measured {
        /// The car whose sound was measured.
        car: Mac,
        /// `None` from a modem that does not measure.
        profile: Option<Profile>,
    },
    /// `CM_ATTEN_CHAR.IND`, charger to car.
    AttenChar {
        /// The run.
        run_id: RunId,
        /// The car.
        car: Mac,
        /// Number of averaged sounds; 0 from `EVerest` if the modem does not measure.
        sounds: u8,
        /// The average. `None`: no groups (pyslac if the modem does not measure), or a number of groups other
        /// than 58, which cannot be compared.
        profile: Option<Profile>,
    },
    /// `CM_ATTEN_CHAR.RSP`, car to charger.
    AttenCharRsp {
        /// The run.
        run_id: RunId,
        /// The car.
        car: Mac,
        /// 0: success.
        result: u8,
    },
    /// `CM_VALIDATE.REQ`, car to charger.
    ValidateReq {
        /// First step 0; second step: the window is (value + 1) * 100 ms.
        timer: u8,
        /// `Ready`, or another state of the car.
        result: ValidateResult,
    },
    /// `CM_VALIDATE.CNF`, charger to car.
    ValidateCnf {
        /// Toggles counted.
        toggles: u8,
        /// Result of the validation.
        result: ValidateResult,
    },
    /// `CM_SLAC_MATCH.REQ`, car to charger.
    MatchReq {
        /// The run.
        run_id: RunId,
        /// The car.
        car: Mac,
        /// The car's identifier.
        pev_id: StationId,
        /// The charger.
        charger: Mac,
        /// The charger's identifier.
        evse_id: StationId,
    },
    /// `CM_SLAC_MATCH.CNF`, charger to car.
    MatchCnf {
        /// The run.
        run_id: RunId,
        /// The car.
        car: Mac,
        /// The car's identifier.
        pev_id: StationId,
        /// The charger.
        charger: Mac,
        /// The charger's identifier.
        evse_id: StationId,
        /// The network of the charger's modem, for the car's modem.
        key: NetworkKey,
    },
}

/// The result in `CM_VALIDATE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidateResult {
    /// 0.
    NotReady,
    /// 1.
    Ready,
    /// 2.
    Success,
    /// 3.
    Failure,
    /// 4.
    NotRequired,
}

/// Why a message of matching is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SlacFault {
    /// It ends too early.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Not matching of car and charger.
    #[error("application type {0}; only 0 is matching of car and charger")]
    ApplicationType(u8),
    /// A security type that no known peer uses.
    #[error("security type {0}; only 0 (none) is spoken")]
    SecurityType(u8),
    /// Responses are not addressed to a station.
    #[error("response type {0}; only 1 (another station) is spoken")]
    ResponseType(u8),
    /// No sounds, or no time for them.
    #[error("no sounds, or no time for them")]
    NoSounds,
    /// A number of groups other than 58.
    #[error("{0} groups of carriers instead of {GROUPS}")]
    Groups(u8),
    /// The declared length differs from that of a match message.
    #[error("declared length {0} is not the message's")]
    MvfLength(u16),
    /// The validation does not use the control pilot.
    #[error("validation by signal type {0}; only 0 (control pilot) is spoken")]
    SignalType(u8),
    /// An unknown result.
    #[error("unknown validation result {0}")]
    Result(u8),
}

/// Length of the rest of a match request and confirmation.
const MVF_REQ: u16 = 62;
const MVF_CNF: u16 = 86;
/// Responses go to another station.
const OTHER_STATION: u8 = 1;

impl Slac {
    /// The message in a frame; `None` if it is not a message of matching.
    ///
    /// # Errors
    /// The inner `Result` states why the message is invalid.
    pub fn parse(frame: &Frame<'_>) -> Option<Result<Self, SlacFault>> {
        let is_standard = frame.oui.is_none() && frame.version.has_fragment() && frame.fragment.is_whole();
        if !is_standard {
            return None;
        }
        // One row for each message; a type is compared once.
        macro_rules! of_type {
            ($($view:ident => $convert:path),* $(,)?) => {
                match frame.mm_type {
                    $(mm_type if mm_type == view::$view::ID.mm_type => {
                        view::$view::parse(frame.body).map_err(SlacFault::from).and_then($convert)
                    })*
                    _ => return None,
                }
            };
        }
        Some(of_type! {
            SlacParmReq => parm_req,
            SlacParmCnf => parm_cnf,
            StartAttenCharInd => start,
            MnbcSoundInd => sound,
            AttenProfileInd => measured,
            AttenCharInd => atten_char,
            AttenCharRsp => atten_char_rsp,
            ValidateReq => validate_req,
            ValidateCnf => validate_cnf,
            SlacMatchReq => match_req,
            SlacMatchCnf => match_cnf,
        })
    }

    /// Writes the frame into `buffer` and returns its length in bytes.
    ///
    /// # Errors
    /// If the buffer is too short: the length that is required.
    #[allow(clippy::too_many_lines, reason = "a table with one row for each message")]
    pub fn emit(&self, to: Mac, from: Mac, buffer: &mut [u8]) -> Result<usize, TooShort> {
        let none = StationId::default();
        match *self {
            Self::ParmReq { run_id } => {
                emit(&view::SlacParmReq { run_id, ..view::SlacParmReq::default() }, to, from, buffer)
            }
            Self::ParmCnf { run_id, sounds, timeout_100ms, car } => {
                let message = view::SlacParmCnf {
                    m_sound_target: Mac::BROADCAST,
                    num_sounds: sounds,
                    time_out_100ms: timeout_100ms,
                    resp_type: OTHER_STATION,
                    forwarding_sta: car,
                    application_type: 0,
                    security_type: 0,
                    run_id,
                    cipher_suite: None,
                };
                emit(&message, to, from, buffer)
            }
            Self::StartAttenChar { run_id, sounds, timeout_100ms, car } => {
                let message = view::StartAttenCharInd {
                    application_type: 0,
                    security_type: 0,
                    num_sounds: sounds,
                    time_out_100ms: timeout_100ms,
                    resp_type: OTHER_STATION,
                    forwarding_sta: car,
                    run_id,
                };
                emit(&message, to, from, buffer)
            }
            Self::Sound { run_id, remaining, random } => {
                let message = view::MnbcSoundInd {
                    application_type: 0,
                    security_type: 0,
                    sender_id: none,
                    cnt: remaining,
                    run_id,
                    rsvd: [0; 8],
                    rnd: random,
                };
                emit(&message, to, from, buffer)
            }
            Self::Measured { car, profile } => {
                let aag = Slice(profile.as_ref().map_or(&[][..], |profile| &profile.0));
                let message = view::AttenProfileInd { pev_mac: car, num_groups: groups(&aag), aag };
                emit(&message, to, from, buffer)
            }
            Self::AttenChar { run_id, car, sounds, profile } => {
                let aag = Slice(profile.as_ref().map_or(&[][..], |profile| &profile.0));
                let message = view::AttenCharInd {
                    application_type: 0,
                    security_type: 0,
                    source_address: car,
                    run_id,
                    source_id: none,
                    resp_id: none,
                    num_sounds: sounds,
                    num_groups: groups(&aag),
                    aag,
                };
                emit(&message, to, from, buffer)
            }
            Self::AttenCharRsp { run_id, car, result } => {
                let message = view::AttenCharRsp {
                    application_type: 0,
                    security_type: 0,
                    source_address: car,
                    run_id,
                    source_id: none,
                    resp_id: none,
                    result,
                };
                emit(&message, to, from, buffer)
            }
            Self::ValidateReq { timer, result } => {
                emit(&view::ValidateReq { signal_type: 0, timer, result: result.number() }, to, from, buffer)
            }
            Self::ValidateCnf { toggles, result } => {
                let message =
                    view::ValidateCnf { signal_type: 0, toggle_num: toggles, result: result.number() };
                emit(&message, to, from, buffer)
            }
            Self::MatchReq { run_id, car, pev_id, charger, evse_id } => {
                let message = view::SlacMatchReq {
                    application_type: 0,
                    security_type: 0,
                    mvf_length: MVF_REQ,
                    pev_id,
                    pev_mac: car,
                    evse_id,
                    evse_mac: charger,
                    run_id,
                    rsvd: Some([0; 8]),
                };
                emit(&message, to, from, buffer)
            }
            Self::MatchCnf { run_id, car, pev_id, charger, evse_id, key } => {
                let message = view::SlacMatchCnf {
                    application_type: 0,
                    security_type: 0,
                    mvf_length: MVF_CNF,
                    pev_id,
                    pev_mac: car,
                    evse_id,
                    evse_mac: charger,
                    run_id,
                    rsvd: [0; 8],
                    nid: key.nid,
                    rsvd2: 0,
                    nmk: key.nmk,
                };
                emit(&message, to, from, buffer)
            }
        }
    }
}

fn groups(aag: &Slice<'_>) -> u8 {
    u8::try_from(aag.0.len()).unwrap_or(u8::MAX)
}

fn check_types(application_type: u8, security_type: u8) -> Result<(), SlacFault> {
    match (application_type, security_type) {
        (0, 0) => Ok(()),
        (0, security) => Err(SlacFault::SecurityType(security)),
        (application, _) => Err(SlacFault::ApplicationType(application)),
    }
}

fn parm_req(message: view::SlacParmReq<'_>) -> Result<Slac, SlacFault> {
    check_types(message.application_type, message.security_type)?;
    Ok(Slac::ParmReq { run_id: message.run_id })
}

/// Any response type: old chargers send 0.
fn parm_cnf(message: view::SlacParmCnf) -> Result<Slac, SlacFault> {
    let view::SlacParmCnf { run_id, num_sounds: sounds, time_out_100ms: timeout_100ms, .. } = message;
    check_types(message.application_type, message.security_type)?;
    if sounds == 0 || timeout_100ms == 0 {
        return Err(SlacFault::NoSounds);
    }
    Ok(Slac::ParmCnf { run_id, sounds, timeout_100ms, car: message.forwarding_sta })
}

fn start(message: view::StartAttenCharInd) -> Result<Slac, SlacFault> {
    let view::StartAttenCharInd { run_id, num_sounds: sounds, time_out_100ms: timeout_100ms, .. } = message;
    check_types(message.application_type, message.security_type)?;
    if message.resp_type != OTHER_STATION {
        return Err(SlacFault::ResponseType(message.resp_type));
    }
    if sounds == 0 || timeout_100ms == 0 {
        return Err(SlacFault::NoSounds);
    }
    Ok(Slac::StartAttenChar { run_id, sounds, timeout_100ms, car: message.forwarding_sta })
}

fn sound(message: view::MnbcSoundInd) -> Result<Slac, SlacFault> {
    check_types(message.application_type, message.security_type)?;
    Ok(Slac::Sound { run_id: message.run_id, remaining: message.cnt, random: message.rnd })
}

fn measured(message: view::AttenProfileInd<'_>) -> Result<Slac, SlacFault> {
    let profile = match message.aag.0 {
        [] => None,
        aag => Some(Profile(aag.try_into().map_err(|_| SlacFault::Groups(message.num_groups))?)),
    };
    Ok(Slac::Measured { car: message.pev_mac, profile })
}

fn atten_char(message: view::AttenCharInd<'_>) -> Result<Slac, SlacFault> {
    check_types(message.application_type, message.security_type)?;
    Ok(Slac::AttenChar {
        run_id: message.run_id,
        car: message.source_address,
        sounds: message.num_sounds,
        profile: message.aag.0.try_into().ok().map(Profile),
    })
}

fn atten_char_rsp(message: view::AttenCharRsp) -> Result<Slac, SlacFault> {
    check_types(message.application_type, message.security_type)?;
    Ok(Slac::AttenCharRsp { run_id: message.run_id, car: message.source_address, result: message.result })
}

fn validate_req(message: view::ValidateReq) -> Result<Slac, SlacFault> {
    let result = validation(message.signal_type, message.result)?;
    Ok(Slac::ValidateReq { timer: message.timer, result })
}

fn validate_cnf(message: view::ValidateCnf) -> Result<Slac, SlacFault> {
    let result = validation(message.signal_type, message.result)?;
    Ok(Slac::ValidateCnf { toggles: message.toggle_num, result })
}

fn validation(signal_type: u8, result: u8) -> Result<ValidateResult, SlacFault> {
    if signal_type != 0 {
        return Err(SlacFault::SignalType(signal_type));
    }
    ValidateResult::of(result).ok_or(SlacFault::Result(result))
}

fn match_req(message: view::SlacMatchReq) -> Result<Slac, SlacFault> {
    let view::SlacMatchReq { run_id, pev_mac: car, pev_id, evse_mac: charger, evse_id, .. } = message;
    check_types(message.application_type, message.security_type)?;
    if message.mvf_length != MVF_REQ {
        return Err(SlacFault::MvfLength(message.mvf_length));
    }
    Ok(Slac::MatchReq { run_id, car, pev_id, charger, evse_id })
}

fn match_cnf(message: view::SlacMatchCnf) -> Result<Slac, SlacFault> {
    let view::SlacMatchCnf { run_id, pev_mac: car, pev_id, evse_mac: charger, evse_id, .. } = message;
    check_types(message.application_type, message.security_type)?;
    if message.mvf_length != MVF_CNF {
        return Err(SlacFault::MvfLength(message.mvf_length));
    }
    let key = NetworkKey { nid: message.nid, nmk: message.nmk };
    Ok(Slac::MatchCnf { run_id, car, pev_id, charger, evse_id, key })
}

impl Profile {
    /// The mean over all groups in hundredths of a dB.
    pub fn mean_cdb(&self) -> u32 {
        let sum: u32 = self.0.iter().map(|db| u32::from(*db)).sum();
        // 58 groups.
        sum * 100 / 58
    }
}

impl ValidateResult {
    const ALL: [Self; 5] = [Self::NotReady, Self::Ready, Self::Success, Self::Failure, Self::NotRequired];

    fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.number() == number)
    }

    const fn number(self) -> u8 {
        match self {
            Self::NotReady => 0,
            Self::Ready => 1,
            Self::Success => 2,
            Self::Failure => 3,
            Self::NotRequired => 4,
        }
    }
}
