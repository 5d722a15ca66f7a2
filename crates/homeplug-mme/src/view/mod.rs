//! Lenient views: every field of a frame, unchecked, for observers.
//!
//! Reserved bytes are skipped (named if the decoders of the captures name them). Values are not checked;
//! declared counts are checked before use. A role uses [`Slac`](crate::Slac) instead.

mod lumissil;
mod module;
mod network;
mod qualcomm;
mod slac;
mod station;

pub use crate::field::{Label, Slice};
pub use lumissil::*;
pub use module::*;
pub use network::*;
pub use qualcomm::*;
pub use slac::*;
pub(crate) use station::rates;
pub use station::*;

use crate::field::Visit;
use crate::{Frame, Message, MessageError};

macro_rules! views {
    ($($name:ident $(<$life:lifetime>)?),* $(,)?) => {
        /// Any known message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        #[allow(clippy::large_enum_variant, reason = "it lives for one look")]
        #[allow(missing_docs, reason = "each variant holds the struct of its name")]
        pub enum View<'a> {
            $($name($name $(<$life>)?),)*
            /// Another message, a fragment, or a message of another vendor: its body.
            Unknown(&'a [u8]),
        }

        impl<'a> View<'a> {
            /// The message in a frame.
            ///
            /// # Errors
            /// If a frame of a known type ends too early.
            pub fn of(frame: &Frame<'a>) -> Result<Self, MessageError> {
                $(if let Some(message) = frame.get::<$name $(<$life>)?>() {
                    return message.map(Self::$name);
                })*
                Ok(Self::Unknown(frame.body))
            }

            /// Shows every field.
            pub fn fields(&self, visit: &mut Visit<'_>) {
                match self {
                    $(Self::$name(message) => message.fields(visit),)*
                    Self::Unknown(body) => visit("body", crate::Value::Bytes(body)),
                }
            }

            /// Writes the frame of the message again, in its transmit form; `None` if the message is unknown
            /// or the buffer is too short.
            pub fn emit(&self, to: crate::Mac, from: crate::Mac, buffer: &mut [u8]) -> Option<usize> {
                match self {
                    $(Self::$name(message) => crate::emit(message, to, from, buffer).ok(),)*
                    Self::Unknown(_) => None,
                }
            }
        }
    };
}

views! {
    SlacParmReq<'a>, SlacParmCnf, StartAttenCharInd, MnbcSoundInd, AttenProfileInd<'a>, AttenCharInd<'a>,
    AttenCharRsp, ValidateReq, ValidateCnf, SlacMatchReq, SlacMatchCnf,
    SetKeyReq, SetKeyCnf, GetKeyReq, GetKeyCnf, AmpMapReq<'a>, AmpMapCnf, BrgInfoReq, BrgInfoCnf<'a>,
    NwStatsReq, NwStatsCnf<'a>,
    SwVerReq, SwVerCnf, WrMemReq<'a>, WrMemCnf, RdMemReq, RdMemCnf<'a>, GetNvmReq, GetNvmCnf, RsDevReq, RsDevCnf,
    WrModReq<'a>, WrModCnf, RdModReq, RdModCnf<'a>, ModNvmReq, ModNvmCnf, VsSetKeyReq, VsSetKeyCnf,
    HostActionInd, HostActionRsp, OpAttributesReq, OpAttributesCnf, FacDefaultsReq, FacDefaultsCnf,
    PlLinkStatusReq, PlLinkStatusCnf, GetPropertyReq, GetPropertyCnf<'a>, SetPropertyReq<'a>, SetPropertyCnf,
    AttenuationCharacteristicsInd<'a>,
    NwInfoReq, NwInfoCnf<'a>, NwInfoOldReq, NwInfoOldCnf<'a>,
    ModuleOperationReq<'a>, ModuleOperationCnf<'a>,
    NscmGetVersionReq, NscmGetVersionCnf, NscmResetDeviceReq, NscmGetDLinkStatusReq, NscmGetDLinkStatusCnf,
}
