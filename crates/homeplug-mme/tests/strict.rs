//! The strict form of matching: one byte that the standard does not allow, and the fault that reports it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where it fails")]

use homeplug_mme::{
    Frame, GROUPS, MAX_FRAME, Mac, MessageError, NetworkKey, Nmk, Profile, RunId, Slac, SlacFault, StationId,
    ValidateResult,
};
use proptest::prelude::*;

const CAR: Mac = Mac([2, 0, 0, 0, 0, 0xE1]);
const CHARGER: Mac = Mac([2, 0, 0, 0, 0, 0x5E]);
const RUN: RunId = RunId(*b"RUN-ID-1");

fn written(message: &Slac) -> Vec<u8> {
    let mut buffer = [0xEE; MAX_FRAME];
    let len = message.emit(CHARGER, CAR, &mut buffer).unwrap();
    buffer[..len].to_vec()
}

fn read(bytes: &[u8]) -> Result<Slac, SlacFault> {
    Slac::parse(&Frame::parse(bytes).unwrap()).unwrap()
}

/// One of each, in the order of a matching.
fn messages() -> [Slac; 12] {
    let none = StationId::default();
    let key = NetworkKey::derived(Nmk::new([0; 16]));
    let profile = Profile([20; GROUPS]);
    [
        Slac::ParmReq { run_id: RUN },
        Slac::ParmCnf { run_id: RUN, sounds: 10, timeout_100ms: 6, car: CAR },
        Slac::StartAttenChar { run_id: RUN, sounds: 10, timeout_100ms: 6, car: CAR },
        Slac::Sound { run_id: RUN, remaining: 9, random: [0xFF; 16] },
        Slac::Measured { car: CAR, profile: Some(profile) },
        Slac::Measured { car: CAR, profile: None },
        Slac::AttenChar { run_id: RUN, car: CAR, sounds: 10, profile: Some(profile) },
        Slac::AttenCharRsp { run_id: RUN, car: CAR, result: 0 },
        Slac::ValidateReq { timer: 0, result: ValidateResult::Ready },
        Slac::ValidateCnf { toggles: 0, result: ValidateResult::NotRequired },
        Slac::MatchReq { run_id: RUN, car: CAR, pev_id: none, charger: CHARGER, evse_id: none },
        Slac::MatchCnf { run_id: RUN, car: CAR, pev_id: none, charger: CHARGER, evse_id: none, key },
    ]
}

/// Type, offset in the frame, the byte there, and the fault.
const FAULTS: &[(u16, usize, u8, SlacFault)] = &[
    (0x6064, 19, 1, SlacFault::ApplicationType(1)),
    (0x6064, 20, 2, SlacFault::SecurityType(2)),
    (0x6065, 25, 0, SlacFault::NoSounds),
    (0x6065, 26, 0, SlacFault::NoSounds),
    (0x6065, 34, 7, SlacFault::ApplicationType(7)),
    (0x6065, 35, 1, SlacFault::SecurityType(1)),
    (0x606A, 19, 1, SlacFault::ApplicationType(1)),
    (0x606A, 20, 1, SlacFault::SecurityType(1)),
    (0x606A, 21, 0, SlacFault::NoSounds),
    (0x606A, 22, 0, SlacFault::NoSounds),
    (0x606A, 23, 0, SlacFault::ResponseType(0)),
    (0x6076, 19, 1, SlacFault::ApplicationType(1)),
    (0x6076, 20, 1, SlacFault::SecurityType(1)),
    (0x6086, 25, 57, SlacFault::Groups(57)),
    (0x6086, 25, 59, SlacFault::Message(MessageError::Short { at: 8 })),
    (0x606E, 19, 1, SlacFault::ApplicationType(1)),
    (0x606E, 20, 1, SlacFault::SecurityType(1)),
    (0x606E, 70, 59, SlacFault::Message(MessageError::Short { at: 52 })),
    (0x606F, 19, 1, SlacFault::ApplicationType(1)),
    (0x606F, 20, 1, SlacFault::SecurityType(1)),
    (0x6078, 19, 1, SlacFault::SignalType(1)),
    (0x6078, 21, 5, SlacFault::Result(5)),
    (0x6079, 19, 1, SlacFault::SignalType(1)),
    (0x6079, 21, 255, SlacFault::Result(255)),
    (0x607C, 19, 1, SlacFault::ApplicationType(1)),
    (0x607C, 20, 1, SlacFault::SecurityType(1)),
    (0x607C, 21, 86, SlacFault::MvfLength(86)),
    (0x607C, 22, 1, SlacFault::MvfLength(0x013E)),
    (0x607D, 19, 1, SlacFault::ApplicationType(1)),
    (0x607D, 20, 1, SlacFault::SecurityType(1)),
    (0x607D, 21, 62, SlacFault::MvfLength(62)),
    (0x607D, 22, 1, SlacFault::MvfLength(0x0156)),
];

#[test]
fn one_wrong_byte_is_refused_by_its_name() {
    let messages = messages().map(|message| written(&message));
    for (mm_type, at, byte, fault) in FAULTS {
        let is_it = |bytes: &&Vec<u8>| bytes[15..17] == mm_type.to_le_bytes();
        let mut bytes = messages.iter().find(is_it).unwrap().clone();
        assert!(read(&bytes).is_ok());
        bytes[*at] = *byte;
        assert_eq!(read(&bytes), Err(*fault), "{mm_type:04x} byte {at}");
    }
}

#[test]
fn what_the_standard_does_not_judge_is_read() {
    // Old chargers let the host respond, and name no station.
    let mut bytes = written(&Slac::ParmCnf { run_id: RUN, sounds: 10, timeout_100ms: 6, car: CAR });
    bytes[27] = 0;
    bytes[28..34].fill(0);
    assert_eq!(
        read(&bytes),
        Ok(Slac::ParmCnf { run_id: RUN, sounds: 10, timeout_100ms: 6, car: Mac([0; 6]) })
    );
    // open-plc-utils pads its measurement up to 255 groups.
    let profile = Profile([20; GROUPS]);
    let measured = Slac::AttenChar { run_id: RUN, car: CAR, sounds: 10, profile: Some(profile) };
    let mut bytes = written(&measured);
    assert_eq!(bytes.len(), 129);
    bytes.resize(326, 0);
    assert_eq!(read(&bytes), Ok(measured));
    // pyslac reports no groups if the modem does not measure; other numbers cannot be compared, either.
    for groups in [0, 1, 57] {
        bytes[70] = groups;
        let unmeasured = Slac::AttenChar { run_id: RUN, car: CAR, sounds: 10, profile: None };
        assert_eq!(read(&bytes), Ok(unmeasured), "{groups} groups");
    }
    bytes[70] = 59;
    assert_eq!(read(&bytes), Ok(Slac::AttenChar { run_id: RUN, car: CAR, sounds: 10, profile: None }));
}

#[test]
fn every_message_ends_where_its_last_field_ends() {
    // Lengths of the bodies without padding and without reserved bytes at the end.
    let lengths = [10, 25, 19, 52, 66, 7, 110, 51, 3, 3, 58, 90];
    for (message, length) in messages().iter().zip(lengths) {
        let bytes = written(message);
        assert_eq!(read(&bytes[..19 + length]), Ok(*message), "{message:?}");
        assert!(
            matches!(read(&bytes[..18 + length]), Err(SlacFault::Message(_))),
            "{message:?} needs {length} bytes"
        );
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(
        run_id in any::<[u8; 8]>().prop_map(RunId),
        (car, charger) in any::<([u8; 6], [u8; 6])>().prop_map(|(car, charger)| (Mac(car), Mac(charger))),
        (sounds, timeout_100ms, number) in (1..=255_u8, 1..=255_u8, any::<u8>()),
        (pev_id, evse_id) in any::<([u8; 17], [u8; 17])>().prop_map(|(a, b)| (StationId(a), StationId(b))),
        (random, nmk) in any::<([u8; 16], [u8; 16])>(),
        aag in prop::collection::vec(any::<u8>(), GROUPS),
    ) {
        let profile = Profile(aag.try_into().unwrap());
        let key = NetworkKey::derived(Nmk::new(random));
        let key = NetworkKey { nmk: Nmk::new(nmk), ..key };
        for message in [
            Slac::ParmReq { run_id },
            Slac::ParmCnf { run_id, sounds, timeout_100ms, car },
            Slac::StartAttenChar { run_id, sounds, timeout_100ms, car },
            Slac::Sound { run_id, remaining: number, random },
            Slac::Measured { car, profile: Some(profile) },
            Slac::AttenChar { run_id, car, sounds, profile: Some(profile) },
            Slac::AttenChar { run_id, car, sounds, profile: None },
            Slac::AttenCharRsp { run_id, car, result: number },
            Slac::ValidateReq { timer: number, result: ValidateResult::Ready },
            Slac::ValidateCnf { toggles: number, result: ValidateResult::Success },
            Slac::MatchReq { run_id, car, pev_id, charger, evse_id },
            Slac::MatchCnf { run_id, car, pev_id, charger, evse_id, key },
        ] {
            prop_assert_eq!(read(&written(&message)), Ok(message));
        }
    }
}
