//! The messages of the handshake, supportedAppProtocol.

use exi_app::{Message, ResponseCode, SupportedAppProtocolRes};
use session::Protocol;

use crate::request::{Agreed, NoRequest, Offer};

/// The protocols that a handshake request offers.
pub(crate) fn offers(payload: &[u8]) -> Result<impl Iterator<Item = Offer> + '_, NoRequest> {
    let Message::Req(request) = Message::decode(payload)? else {
        return Err(NoRequest::NotARequest("supportedAppProtocolRes"));
    };
    Ok(request.app_protocol.iter().map(|offer| Offer {
        protocol: Protocol::ALL.iter().copied().find(|of| offer.protocol_namespace == of.namespace()),
        major: offer.version_number_major.0,
        minor: offer.version_number_minor.0,
        schema_id: offer.schema_id,
        priority: offer.priority.get(),
    }))
}

/// The response code for this result.
pub(super) const fn response_code(agreed: Option<Agreed>) -> ResponseCode {
    match agreed {
        None => ResponseCode::FailedNoNegotiation,
        Some(Agreed { deviates: false, .. }) => ResponseCode::OkSuccessfulNegotiation,
        Some(Agreed { deviates: true, .. }) => ResponseCode::OkSuccessfulNegotiationWithMinorDeviation,
    }
}

/// Encodes the response.
pub(super) fn encode(agreed: Option<Agreed>, buffer: &mut [u8]) -> Result<usize, exi::Error> {
    let schema_id = agreed.map(|agreed| agreed.schema_id);
    Message::Res(SupportedAppProtocolRes { response_code: response_code(agreed), schema_id }).encode(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_namespaces_are_those_of_the_message_sets() {
        assert_eq!(Protocol::Din.namespace(), exi_app::NAMESPACE_DIN);
    }
}
