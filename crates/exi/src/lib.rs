//! Schema-informed, bit-packed EXI for V2G messages, without an allocator
#![no_std]
#![forbid(unsafe_code)]
