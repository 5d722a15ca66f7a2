//! Lumissil's messages (the three that EVerest uses).

use crate::message::messages;

messages! {
    /// `NSCM_GET_VERSION.REQ`: detects a Lumissil modem.
    #[derive(Default)]
    nscm(0xAC6C) => pub struct NscmGetVersionReq {
        /// Version of the message.
        pub version: u16 => 4,
        /// Number of the request.
        pub request_id: u8 => 12,
    }

    /// `NSCM_GET_VERSION.CNF`: sent by a Lumissil modem. The rest of the message is not public.
    #[derive(Default)]
    nscm(0xAC6D) => pub struct NscmGetVersionCnf {
        /// Version of the message.
        pub version: u16 => 4,
        /// Number of the request.
        pub request_id: u8 => 12,
    }

    /// `NSCM_RESET_DEVICE.REQ`: restart. There is no confirmation.
    #[derive(Default)]
    nscm(0xAC70) => pub struct NscmResetDeviceReq {
        /// Version of the message.
        pub version: u16 => 4,
        /// Number of the request.
        pub request_id: u8 => 12,
    }

    /// `NSCM_GET_D_LINK_STATUS.REQ`: requests the link's state.
    #[derive(Default)]
    nscm(0xAC9C) => pub struct NscmGetDLinkStatusReq {
        /// Version of the message.
        pub version: u16 => 4,
        /// Number of the request.
        pub request_id: u8 => 12,
    }

    /// `NSCM_GET_D_LINK_STATUS.CNF`.
    #[derive(Default)]
    nscm(0xAC9D) => pub struct NscmGetDLinkStatusCnf {
        /// Version of the message.
        pub version: u16 => 4,
        /// Number of the request.
        pub request_id: u8 => 12,
        /// 1: up.
        pub link_status: u8,
    }
}
