//! SECC discovery: client and server as machines
#![no_std]
#![forbid(unsafe_code)]
