//! What every measured binary has: input and output through volatile memory, so that nothing is left out,
//! and a panic handler.
//!
//! Around the memory stand environment calls with the numbers of Linux, where a firmware has its drivers: so
//! the very binary that is measured also runs, under `qemu-riscv32`.
#![no_std]

use core::arch::asm;
use core::ptr;

use machine::Entropy;

/// The most bytes that go in or out at once.
pub const SIZE: usize = 4096;

/// Where a driver would put what comes in.
static mut INPUT: [u8; SIZE] = [0; SIZE];
/// Where it would find what goes out.
static mut OUTPUT: [u8; SIZE] = [0; SIZE];

const READ: usize = 63;
const WRITE: usize = 64;
const EXIT: usize = 93;

/// Asks the environment for something.
fn environment(call: usize, first: usize, second: usize, third: usize) -> usize {
    let mut result = first;
    // SAFETY: the calls made here touch only `INPUT` and `OUTPUT`, which nobody else touches meanwhile.
    unsafe { asm!("ecall", in("a7") call, inlateout("a0") result, in("a1") second, in("a2") third) };
    result
}

/// Waits for bytes that the compiler knows nothing about; ends the program when there are no more.
pub fn read(buffer: &mut [u8; SIZE]) -> &[u8] {
    let input = &raw const INPUT as *const u8;
    let length = environment(READ, 0, input as usize, SIZE).min(SIZE);
    if length == 0 {
        environment(EXIT, 0, 0, 0);
    }
    for (index, byte) in buffer.iter_mut().enumerate() {
        // SAFETY: `index` is below the length of `INPUT`; nobody else touches it while this runs.
        *byte = unsafe { ptr::read_volatile(input.add(index)) };
    }
    buffer.get(..length).unwrap_or_default()
}

/// Gives bytes that the compiler must therefore make.
pub fn write(bytes: &[u8]) {
    let output = &raw mut OUTPUT as *mut u8;
    for (index, byte) in bytes.iter().enumerate().take(SIZE) {
        // SAFETY: `index` is below the length of `OUTPUT`; nobody else touches it while this runs.
        unsafe { ptr::write_volatile(output.add(index), *byte) };
    }
    environment(WRITE, 1, output as usize, bytes.len());
}

/// Writes what `answer` makes of each input, for ever; `answer` gives how many bytes it made.
#[inline(always)]
pub fn run(answer: impl Fn(&[u8], &mut [u8]) -> usize) -> ! {
    let mut stream = [0; SIZE];
    let mut out = [0; SIZE];
    loop {
        let length = answer(read(&mut stream), &mut out);
        write(out.get(..length).unwrap_or_default());
    }
}

/// Randomness that comes in with everything else.
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
