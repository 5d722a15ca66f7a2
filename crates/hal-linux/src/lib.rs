//! Linux adapters: raw socket, clock, entropy, pcapng, simulated plant
#![no_std]
#![forbid(unsafe_code)]
