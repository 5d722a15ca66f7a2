//! The supportedAppProtocol handshake
#![no_std]
#![forbid(unsafe_code)]
