//! IEC 61851-1 control pilot and proximity: levels, duty cycle, resistors
#![no_std]
#![forbid(unsafe_code)]
