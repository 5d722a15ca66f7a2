//! EVSE, PEV and listener composed over Ethernet frames, without I/O
#![no_std]
#![forbid(unsafe_code)]
