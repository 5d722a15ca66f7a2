//! The messages of the handshake, supportedAppProtocol.

use exi_app::{
    AppProtocol, Message, Priority, ResponseCode, SupportedAppProtocolReq, SupportedAppProtocolRes,
};

use super::NoResponse;
use crate::handshake::Offer;
use crate::request::{Content, Refusal, Response, SessionId};

/// Encodes the request: the first of `offer` has priority 1, the next 2.
pub(super) fn encode(offer: Offer, buffer: &mut [u8]) -> Result<usize, exi::Error> {
    let mut priority = 0;
    let protocols = offer.map(|offered| {
        priority += 1;
        let (major, minor) = offered.protocol.version();
        AppProtocol {
            protocol_namespace: offered.protocol.namespace().into(),
            version_number_major: exi::Saturated(major),
            version_number_minor: exi::Saturated(minor),
            schema_id: offered.schema_id,
            priority: Priority::clamped(priority),
        }
    });
    Message::Req(SupportedAppProtocolReq { app_protocol: (&protocols).into() }).encode(buffer)
}

/// Decodes the response.
pub(super) fn decode(payload: &[u8]) -> Result<Response, NoResponse> {
    let Message::Res(SupportedAppProtocolRes { response_code, schema_id }) = Message::decode(payload)? else {
        return Err(NoResponse::NotAResponse("supportedAppProtocolReq"));
    };
    let is_refused = response_code == ResponseCode::FailedNoNegotiation;
    Ok(Response {
        name: "supportedAppProtocolRes",
        session_id: SessionId::new(),
        code: response_code.name(),
        refusal: is_refused.then_some(Refusal::NoCommonProtocol),
        content: Content::Handshake { schema_id },
    })
}
