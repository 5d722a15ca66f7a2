//! SLAC (ISO 15118-3 annex A). Layouts as in the captures; offsets in the captures count from the frame's
//! first byte.

use crate::field::Slice;
use crate::message::messages;
use crate::{Mac, Nid, Nmk, RunId, StationId};

/// Security type: messages contain fields for a public key.
const SECURITY_PUBLIC_KEY: u8 = 1;

messages! {
    /// `CM_SLAC_PARM.REQ`: a car searches for chargers.
    #[derive(Default)]
    cm(0x6064) => pub struct SlacParmReq<'a> {
        /// 0: matching of car and charger.
        pub application_type: u8,
        /// 0: none; 1: public key, not used by any known peer.
        pub security_type: u8,
        /// The car's identifier of this matching.
        pub run_id: RunId,
        /// With security: number of cipher suites.
        pub cipher_suite_count: Option<u8> where (security_type == SECURITY_PUBLIC_KEY),
        /// With security: the suites, 16 bit each.
        pub cipher_suites: Slice<'a> = u16::from(cipher_suite_count.unwrap_or(0)) * 2,
    }

    /// `CM_SLAC_PARM.CNF`: a charger responds with the parameters of the sounds.
    cm(0x6065) => pub struct SlacParmCnf {
        /// Destination of the sounds: broadcast.
        pub m_sound_target: Mac,
        /// Number of sounds requested.
        pub num_sounds: u8,
        /// Time for the sounds in 100 ms.
        pub time_out_100ms: u8,
        /// 1: responses go to `forwarding_sta`; 0: to the host (old open-plc-utils).
        pub resp_type: u8,
        /// The car.
        pub forwarding_sta: Mac,
        /// See [`SlacParmReq`].
        pub application_type: u8,
        /// See [`SlacParmReq`].
        pub security_type: u8,
        /// See [`SlacParmReq`].
        pub run_id: RunId,
        /// With security: the chosen suite.
        pub cipher_suite: Option<u16> where (security_type == SECURITY_PUBLIC_KEY),
    }

    /// `CM_START_ATTEN_CHAR.IND`: sounds follow.
    cm(0x606A) => pub struct StartAttenCharInd {
        /// See [`SlacParmReq`].
        pub application_type: u8,
        /// See [`SlacParmReq`].
        pub security_type: u8,
        /// Sounds that follow.
        pub num_sounds: u8,
        /// Time for the sounds in 100 ms.
        pub time_out_100ms: u8,
        /// 1.
        pub resp_type: u8,
        /// The car.
        pub forwarding_sta: Mac,
        /// See [`SlacParmReq`].
        pub run_id: RunId,
    }

    /// `CM_MNBC_SOUND.IND`: a sound.
    cm(0x6076) => pub struct MnbcSoundInd {
        /// See [`SlacParmReq`].
        pub application_type: u8,
        /// See [`SlacParmReq`].
        pub security_type: u8,
        /// Zero in the field.
        pub sender_id: StationId,
        /// Sounds that follow this one.
        pub cnt: u8,
        /// See [`SlacParmReq`].
        pub run_id: RunId,
        /// Reserved.
        pub rsvd: [u8; 8],
        /// Random by the standard; in the field also all bits set or zero.
        pub rnd: [u8; 16],
    }

    /// `CM_ATTEN_PROFILE.IND`: a modem's measurement of one sound, sent to its host. It does not contain a
    /// `RunID`.
    cm(0x6086) => pub struct AttenProfileInd<'a> {
        /// The car whose sound was measured.
        pub pev_mac: Mac,
        /// Groups of carriers; 58, or 0 from modems that do not measure (QCA7420).
        pub num_groups: u8 => 1,
        /// Attenuation of each group in dB.
        pub aag: Slice<'a> = num_groups,
    }

    /// `CM_ATTEN_CHAR.IND`: a charger's measurement.
    cm(0x606E) => pub struct AttenCharInd<'a> {
        /// See [`SlacParmReq`].
        pub application_type: u8,
        /// See [`SlacParmReq`].
        pub security_type: u8,
        /// The car.
        pub source_address: Mac,
        /// See [`SlacParmReq`].
        pub run_id: RunId,
        /// Zero.
        pub source_id: StationId,
        /// Zero.
        pub resp_id: StationId,
        /// Number of averaged sounds.
        pub num_sounds: u8,
        /// Groups of carriers: 58.
        pub num_groups: u8,
        /// Average attenuation of each group in dB.
        pub aag: Slice<'a> = num_groups,
    }

    /// `CM_ATTEN_CHAR.RSP`: the car acknowledges the report.
    cm(0x606F) => pub struct AttenCharRsp {
        /// See [`SlacParmReq`].
        pub application_type: u8,
        /// See [`SlacParmReq`].
        pub security_type: u8,
        /// The car.
        pub source_address: Mac,
        /// See [`SlacParmReq`].
        pub run_id: RunId,
        /// Zero.
        pub source_id: StationId,
        /// Zero.
        pub resp_id: StationId,
        /// 0: success.
        pub result: u8,
    }

    /// `CM_VALIDATE.REQ`: the car requests validation by its pilot.
    cm(0x6078) => pub struct ValidateReq {
        /// 0: switch S2 toggles on the control pilot.
        pub signal_type: u8,
        /// First step: 0. Second step: the window is (value + 1) * 100 ms.
        pub timer: u8,
        /// 1: ready.
        pub result: u8,
    }

    /// `CM_VALIDATE.CNF`.
    cm(0x6079) => pub struct ValidateCnf {
        /// See [`ValidateReq`].
        pub signal_type: u8,
        /// First step: 0. Second step: toggles counted.
        pub toggle_num: u8,
        /// 0 not ready, 1 ready, 2 success, 3 failure, 4 not required.
        pub result: u8,
    }

    /// `CM_SLAC_MATCH.REQ`: the car has chosen this charger.
    cm(0x607C) => pub struct SlacMatchReq {
        /// See [`SlacParmReq`].
        pub application_type: u8,
        /// See [`SlacParmReq`].
        pub security_type: u8,
        /// Bytes that follow: 62.
        pub mvf_length: u16,
        /// Zero in the field.
        pub pev_id: StationId,
        /// The car.
        pub pev_mac: Mac,
        /// Zero in the field.
        pub evse_id: StationId,
        /// The charger.
        pub evse_mac: Mac,
        /// See [`SlacParmReq`].
        pub run_id: RunId,
        /// Reserved.
        pub rsvd: Option<[u8; 8]>,
    }

    /// `CM_SLAC_MATCH.CNF`: the charger sends its network's key.
    cm(0x607D) => pub struct SlacMatchCnf {
        /// See [`SlacParmReq`].
        pub application_type: u8,
        /// See [`SlacParmReq`].
        pub security_type: u8,
        /// Bytes that follow: 86.
        pub mvf_length: u16,
        /// Zero in the field.
        pub pev_id: StationId,
        /// The car.
        pub pev_mac: Mac,
        /// Zero in the field.
        pub evse_id: StationId,
        /// The charger.
        pub evse_mac: Mac,
        /// See [`SlacParmReq`].
        pub run_id: RunId,
        /// Reserved.
        pub rsvd: [u8; 8],
        /// The network.
        pub nid: Nid,
        /// Reserved.
        pub rsvd2: u8,
        /// Its key.
        pub nmk: Nmk,
    }
}
