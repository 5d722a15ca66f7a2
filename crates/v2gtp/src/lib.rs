//! V2GTP framing: header, deframer, payload types
#![no_std]
#![forbid(unsafe_code)]
