//! The shared part of every measured binary: input and output through volatile memory, so that the linker
//! removes nothing, and a panic handler.
//!
//! Where a firmware has its drivers, these binaries have environment calls with the numbers of Linux. So the
//! measured binary itself also runs, under `qemu-riscv32`.
#![no_std]

use core::arch::asm;
use core::ptr;

use machine::Entropy;

/// Most bytes of one input or output.
pub const SIZE: usize = 4096;

/// Where a driver would write received bytes.
static mut INPUT: [u8; SIZE] = [0; SIZE];
/// Where a driver would read the bytes to send.
static mut OUTPUT: [u8; SIZE] = [0; SIZE];

const READ: usize = 63;
const WRITE: usize = 64;
const EXIT: usize = 93;

/// Calls the environment.
fn environment(call: usize, first: usize, second: usize, third: usize) -> usize {
    let mut result = first;
    // SAFETY: the calls made here touch only `INPUT` and `OUTPUT`, and no other code uses these meanwhile.
    unsafe { asm!("ecall", in("a7") call, inlateout("a0") result, in("a1") second, in("a2") third) };
    result
}

/// Waits for bytes about which the compiler can assume nothing; ends the program at the end of the input.
pub fn read(buffer: &mut [u8; SIZE]) -> &[u8] {
    let input = &raw const INPUT as *const u8;
    let length = environment(READ, 0, input as usize, SIZE).min(SIZE);
    if length == 0 {
        environment(EXIT, 0, 0, 0);
    }
    for (index, byte) in buffer.iter_mut().enumerate() {
        // SAFETY: `index` is below the length of `INPUT`; no other code uses it while this runs.
        *byte = unsafe { ptr::read_volatile(input.add(index)) };
    }
    buffer.get(..length).unwrap_or_default()
}

/// Writes bytes, so that the compiler has to compute them.
pub fn write(bytes: &[u8]) {
    let output = &raw mut OUTPUT as *mut u8;
    for (index, byte) in bytes.iter().enumerate().take(SIZE) {
        // SAFETY: `index` is below the length of `OUTPUT`; no other code uses it while this runs.
        unsafe { ptr::write_volatile(output.add(index), *byte) };
    }
    environment(WRITE, 1, output as usize, bytes.len());
}

/// Writes `answer`'s result for each input, without end; `answer` returns the number of bytes.
#[inline(always)]
pub fn run(answer: impl Fn(&[u8], &mut [u8]) -> usize) -> ! {
    let mut stream = [0; SIZE];
    let mut out = [0; SIZE];
    loop {
        let length = answer(read(&mut stream), &mut out);
        write(out.get(..length).unwrap_or_default());
    }
}

/// Random bytes from the input.
pub struct Chip(pub [u8; 8]);

impl Entropy for Chip {
    fn fill(&mut self, bytes: &mut [u8]) {
        for (to, from) in bytes.iter_mut().zip(self.0.iter().cycle()) {
            *to = *from;
        }
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
