//! Input and output alone: its size is subtracted from that of the others.
#![no_std]
#![no_main]

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let mut buffer = [0; firmware::SIZE];
    loop {
        firmware::write(firmware::read(&mut buffer));
    }
}
