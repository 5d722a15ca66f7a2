//! virtio-net.

use core::cell::UnsafeCell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};

use virtio_drivers::device::net::VirtIONetRaw;
use virtio_drivers::transport::mmio::{MmioTransport, VirtIOHeader};
use virtio_drivers::transport::{DeviceType, Transport};
use virtio_drivers::{BufferDirection, Hal, PAGE_SIZE, PhysAddr};

/// Address of the first of the eight devices of `virt`.
const FIRST: usize = 0x1000_1000;
const STEP: usize = 0x1000;
const DEVICES: usize = 8;
/// Frames that may wait to be read.
const FRAMES: usize = 16;
/// Size of a buffer: a frame with virtio's header.
const ROOM: usize = 1_600;
/// Pages for the rings.
const PAGES: usize = 8;

#[repr(align(4096))]
struct Pool(UnsafeCell<[u8; PAGES * PAGE_SIZE]>);

// SAFETY: one thread; each page is given once.
unsafe impl Sync for Pool {}

#[unsafe(link_section = ".emulator")]
static POOL: Pool = Pool(UnsafeCell::new([0; PAGES * PAGE_SIZE]));
static USED: AtomicUsize = AtomicUsize::new(0);

struct Identity;

// SAFETY: memory and devices have the same addresses for both sides; each page is given out once and never
// returned.
unsafe impl Hal for Identity {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        let first = USED.load(Ordering::Relaxed);
        assert!(first + pages <= PAGES, "too few pages for the rings");
        USED.store(first + pages, Ordering::Relaxed);
        let at = POOL.0.get() as usize + first * PAGE_SIZE;
        (at as PhysAddr, NonNull::new(at as *mut u8).unwrap_or(NonNull::dangling()))
    }

    unsafe fn dma_dealloc(_: PhysAddr, _: NonNull<u8>, _: usize) -> i32 {
        0
    }

    unsafe fn mmio_phys_to_virt(at: PhysAddr, _: usize) -> NonNull<u8> {
        NonNull::new(at as usize as *mut u8).unwrap_or(NonNull::dangling())
    }

    unsafe fn share(buffer: NonNull<[u8]>, _: BufferDirection) -> PhysAddr {
        buffer.cast::<u8>().as_ptr() as usize as PhysAddr
    }

    unsafe fn unshare(_: PhysAddr, _: NonNull<[u8]>, _: BufferDirection) {}
}

struct Buffers(UnsafeCell<[[u8; ROOM]; FRAMES]>);

// SAFETY: one thread, and only `Net` uses it.
unsafe impl Sync for Buffers {}

#[unsafe(link_section = ".emulator")]
static BUFFERS: Buffers = Buffers(UnsafeCell::new([[0; ROOM]; FRAMES]));

/// The network device.
pub struct Net {
    device: VirtIONetRaw<Identity, MmioTransport<'static>, FRAMES>,
    buffers: &'static mut [[u8; ROOM]; FRAMES],
}

impl Net {
    /// The first network device; `None` without one.
    pub fn new() -> Option<Self> {
        let mut device = (0..DEVICES).find_map(|index| {
            let header = NonNull::new((FIRST + index * STEP) as *mut VirtIOHeader)?;
            // SAFETY: `virt` always has a device at this address.
            let transport = unsafe { MmioTransport::new(header, STEP) }.ok()?;
            (transport.device_type() == DeviceType::Network).then(|| VirtIONetRaw::new(transport).ok())?
        })?;
        // SAFETY: used once, because only one network device exists.
        let buffers = unsafe { &mut *BUFFERS.0.get() };
        for buffer in buffers.iter_mut() {
            // SAFETY: not used until the device returns it.
            unsafe { device.receive_begin(buffer) }.ok()?;
        }
        Some(Self { device, buffers })
    }

    /// Writes the next frame into `room`, as far as it fits; returns its length.
    pub fn receive(&mut self, room: &mut [u8]) -> Option<usize> {
        let token = self.device.poll_receive()?;
        let buffer = self.buffers.get_mut(usize::from(token))?;
        // SAFETY: the device has returned this buffer: tokens are buffer indices.
        let (head, length) = unsafe { self.device.receive_complete(token, buffer) }.ok()?;
        let frame = buffer.get(head..head + length).unwrap_or_default();
        for (to, from) in room.iter_mut().zip(frame) {
            *to = *from;
        }
        // SAFETY: as at the start: not used until the device returns it.
        let _ = unsafe { self.device.receive_begin(buffer) };
        Some(length)
    }

    /// Sends a frame.
    pub fn send(&mut self, frame: &[u8]) -> bool {
        self.device.send(frame).is_ok()
    }
}
