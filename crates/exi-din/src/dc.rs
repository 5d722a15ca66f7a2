//! The 22 messages of DC charging only, for firmware without room for the others.
//!
//! The types are those of the crate. What is missing (AC charging, certificates, receipts, the signature in
//! the header) has a code in the grammar and is refused.
//!
//! ```
//! use exi_din::dc;
//! let stop = [0x80, 0x9a, 0x02, 0x1a, 0x3d, 0x73, 0x30, 0x88, 0x03, 0x4d, 0xa2, 0x91, 0xf0];
//! let message = dc::V2gMessage::decode(&stop)?;
//! assert!(matches!(message.body.element, Some(dc::BodyElement::SessionStopReq(_))));
//! # Ok::<(), exi::Error>(())
//! ```

use exi::{Error, Head, Wildcard, choice, element};

use crate::{
    CableCheckReq, CableCheckRes, ChargeParameterDiscoveryReq, ChargeParameterDiscoveryRes,
    ContractAuthenticationReq, ContractAuthenticationRes, CurrentDemandReq, CurrentDemandRes, Notification,
    PowerDeliveryReq, PowerDeliveryRes, PreChargeReq, PreChargeRes, ServiceDiscoveryReq, ServiceDiscoveryRes,
    ServicePaymentSelectionReq, ServicePaymentSelectionRes, SessionId, SessionSetupReq, SessionSetupRes,
    SessionStopReq, SessionStopRes, V2G_MESSAGE, WeldingDetectionReq, WeldingDetectionRes,
};

element! {
    /// A message with its header.
    pub struct V2gMessage<'a> {
        /// The session.
        pub header: Header<'a> = "Header",
        /// The message.
        pub body: Body<'a> = "Body",
    }

    /// The header, with which every message begins.
    pub struct Header<'a> {
        /// The session's id.
        pub session_id: SessionId<'a> = "SessionID",
        /// What was wrong with the previous message.
        pub notification: Option<Notification<'a>> = "Notification",
        /// Refused: DC charging has no signatures.
        pub signature: Option<Wildcard> = "Signature",
    }

    /// The body, which contains one message.
    pub struct Body<'a> {
        /// The message; the schema allows an empty body.
        pub element: Option<BodyElement<'a>> = "",
    }
}

choice! {
    /// A message of DC charging.
    pub enum BodyElement<'a> {
        /// The abstract head: no content; see [`Head`].
        Head(Head) = "BodyElement",
        /// See [`CableCheckReq`](crate::CableCheckReq).
        CableCheckReq(CableCheckReq) = "CableCheckReq",
        /// See [`CableCheckRes`](crate::CableCheckRes).
        CableCheckRes(CableCheckRes) = "CableCheckRes",
        /// Refused: not a message of DC charging.
        CertificateInstallationReq(Wildcard) = "CertificateInstallationReq",
        /// Refused: not a message of DC charging.
        CertificateInstallationRes(Wildcard) = "CertificateInstallationRes",
        /// Refused: not a message of DC charging.
        CertificateUpdateReq(Wildcard) = "CertificateUpdateReq",
        /// Refused: not a message of DC charging.
        CertificateUpdateRes(Wildcard) = "CertificateUpdateRes",
        /// See [`ChargeParameterDiscoveryReq`](crate::ChargeParameterDiscoveryReq).
        ChargeParameterDiscoveryReq(ChargeParameterDiscoveryReq) = "ChargeParameterDiscoveryReq",
        /// See [`ChargeParameterDiscoveryRes`](crate::ChargeParameterDiscoveryRes).
        ChargeParameterDiscoveryRes(ChargeParameterDiscoveryRes<'a>) = "ChargeParameterDiscoveryRes",
        /// Refused: not a message of DC charging.
        ChargingStatusReq(Wildcard) = "ChargingStatusReq",
        /// Refused: not a message of DC charging.
        ChargingStatusRes(Wildcard) = "ChargingStatusRes",
        /// See [`ContractAuthenticationReq`](crate::ContractAuthenticationReq).
        ContractAuthenticationReq(ContractAuthenticationReq<'a>) = "ContractAuthenticationReq",
        /// See [`ContractAuthenticationRes`](crate::ContractAuthenticationRes).
        ContractAuthenticationRes(ContractAuthenticationRes) = "ContractAuthenticationRes",
        /// See [`CurrentDemandReq`](crate::CurrentDemandReq).
        CurrentDemandReq(CurrentDemandReq) = "CurrentDemandReq",
        /// See [`CurrentDemandRes`](crate::CurrentDemandRes).
        CurrentDemandRes(CurrentDemandRes) = "CurrentDemandRes",
        /// Refused: not a message of DC charging.
        MeteringReceiptReq(Wildcard) = "MeteringReceiptReq",
        /// Refused: not a message of DC charging.
        MeteringReceiptRes(Wildcard) = "MeteringReceiptRes",
        /// Refused: not a message of DC charging.
        PaymentDetailsReq(Wildcard) = "PaymentDetailsReq",
        /// Refused: not a message of DC charging.
        PaymentDetailsRes(Wildcard) = "PaymentDetailsRes",
        /// See [`PowerDeliveryReq`](crate::PowerDeliveryReq).
        PowerDeliveryReq(PowerDeliveryReq<'a>) = "PowerDeliveryReq",
        /// See [`PowerDeliveryRes`](crate::PowerDeliveryRes).
        PowerDeliveryRes(PowerDeliveryRes) = "PowerDeliveryRes",
        /// See [`PreChargeReq`](crate::PreChargeReq).
        PreChargeReq(PreChargeReq) = "PreChargeReq",
        /// See [`PreChargeRes`](crate::PreChargeRes).
        PreChargeRes(PreChargeRes) = "PreChargeRes",
        /// Refused: not a message of DC charging.
        ServiceDetailReq(Wildcard) = "ServiceDetailReq",
        /// Refused: not a message of DC charging.
        ServiceDetailRes(Wildcard) = "ServiceDetailRes",
        /// See [`ServiceDiscoveryReq`](crate::ServiceDiscoveryReq).
        ServiceDiscoveryReq(ServiceDiscoveryReq<'a>) = "ServiceDiscoveryReq",
        /// See [`ServiceDiscoveryRes`](crate::ServiceDiscoveryRes).
        ServiceDiscoveryRes(ServiceDiscoveryRes<'a>) = "ServiceDiscoveryRes",
        /// See [`ServicePaymentSelectionReq`](crate::ServicePaymentSelectionReq).
        ServicePaymentSelectionReq(ServicePaymentSelectionReq<'a>) = "ServicePaymentSelectionReq",
        /// See [`ServicePaymentSelectionRes`](crate::ServicePaymentSelectionRes).
        ServicePaymentSelectionRes(ServicePaymentSelectionRes) = "ServicePaymentSelectionRes",
        /// See [`SessionSetupReq`](crate::SessionSetupReq).
        SessionSetupReq(SessionSetupReq<'a>) = "SessionSetupReq",
        /// See [`SessionSetupRes`](crate::SessionSetupRes).
        SessionSetupRes(SessionSetupRes<'a>) = "SessionSetupRes",
        /// See [`SessionStopReq`](crate::SessionStopReq).
        SessionStopReq(SessionStopReq) = "SessionStopReq",
        /// See [`SessionStopRes`](crate::SessionStopRes).
        SessionStopRes(SessionStopRes) = "SessionStopRes",
        /// See [`WeldingDetectionReq`](crate::WeldingDetectionReq).
        WeldingDetectionReq(WeldingDetectionReq) = "WeldingDetectionReq",
        /// See [`WeldingDetectionRes`](crate::WeldingDetectionRes).
        WeldingDetectionRes(WeldingDetectionRes) = "WeldingDetectionRes",
    }
}

impl<'a> V2gMessage<'a> {
    /// As [`V2gMessage::in_session`](crate::V2gMessage::in_session) of the complete message set.
    pub fn in_session(session_id: &'a [u8], element: BodyElement<'a>) -> Self {
        Self::new(Header::new(session_id.into()), Body { element: Some(element) })
    }

    /// Decodes the payload of a V2GTP message of type 0x8001.
    pub fn decode(stream: &'a [u8]) -> Result<Self, Error> {
        exi::decode(stream, V2G_MESSAGE)
    }

    /// Encodes the message into `buffer` and returns its length in bytes.
    pub fn encode(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        exi::encode(self, V2G_MESSAGE, buffer)
    }
}
