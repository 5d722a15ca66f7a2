/// An Ethernet MAC with a ring of DMA descriptors, as its driver presents it.
///
/// On the ESP32-P4 it is esp-hal's. That driver drops a frame that its descriptor marks as damaged,
/// incomplete, shorter than 14 bytes or longer than 1524, and reports nothing. Such a frame is not counted
/// here.
pub trait Ring {
    /// The oldest received frame that was not released yet, without its check sequence.
    fn oldest(&mut self) -> Option<&[u8]>;

    /// Returns the oldest frame's descriptor to the DMA.
    fn release(&mut self);

    /// Sends a frame; `false`: no descriptor is free, or it is longer than a buffer.
    fn transmit(&mut self, frame: &[u8]) -> bool;

    /// Whether the PHY's link is up. An implementation sets the MAC to the PHY's speed.
    fn link(&mut self) -> bool;

    /// Whether the DMA stopped because of a bus error, which only a reset repairs.
    fn has_stopped(&mut self) -> bool;

    /// Frames since the last call that found no descriptor or no room in the FIFO.
    fn missed(&mut self) -> u32;
}

/// Receives and sends through a [`Ring`] and counts lost frames.
///
/// # Example
/// ```
/// use hal_esp32p4::{RingPort, Ring};
///
/// /// A ring in which one frame has come.
/// struct One(Option<[u8; 60]>);
/// impl Ring for One {
///     fn oldest(&mut self) -> Option<&[u8]> { self.0.as_ref().map(|frame| &frame[..]) }
///     fn release(&mut self) { self.0 = None; }
///     fn transmit(&mut self, _: &[u8]) -> bool { true }
///     fn link(&mut self) -> bool { true }
///     fn has_stopped(&mut self) -> bool { false }
///     fn missed(&mut self) -> u32 { 0 }
/// }
///
/// let (mut port, mut buffer) = (RingPort::new(One(Some([7; 60]))), [0; 1_514]);
/// assert_eq!(port.receive(&mut buffer), Some(60));
/// assert_eq!(port.receive(&mut buffer), None);
/// ```
#[derive(Debug)]
pub struct RingPort<R> {
    ring: R,
    lost: u32,
    has_stopped: bool,
}

/// Bytes of an Ethernet header: a shorter frame is dropped.
const HEADER: usize = 14;
/// Shortest frame on the wire without its check sequence (IEEE 802.3); a shorter one is padded with zeros.
const SHORTEST: usize = 60;
/// Most frames dropped in one call before the loop goes on: judgement, the size of the ring on the ESP32-P4.
const DROPPED: usize = 8;

impl<R: Ring> RingPort<R> {
    /// The port of a ring that was just started.
    pub const fn new(ring: R) -> Self {
        Self { ring, lost: 0, has_stopped: false }
    }

    /// Writes the next frame into `buffer` and returns its length. A frame that does not fit, or has no whole
    /// header, is dropped and counted as lost.
    pub fn receive(&mut self, buffer: &mut [u8]) -> Option<usize> {
        for _ in 0..DROPPED {
            let frame = self.ring.oldest()?;
            let length = frame.len();
            let room = buffer.get_mut(..length).filter(|_| length >= HEADER);
            let taken = room.map(|room| room.copy_from_slice(frame));
            self.ring.release();
            match taken {
                Some(()) => return Some(length),
                None => self.lost = self.lost.wrapping_add(1),
            }
        }
        None
    }

    /// Sends a frame; `false`: it is lost.
    pub fn send(&mut self, frame: &[u8]) -> bool {
        let mut padded = [0; SHORTEST];
        let Some(start) = padded.get_mut(..frame.len()) else { return self.ring.transmit(frame) };
        start.copy_from_slice(frame);
        self.ring.transmit(&padded)
    }

    /// Whether frames pass: the PHY's link is up, and the DMA runs. After the DMA stopped it is `false` until
    /// a reset.
    pub fn is_up(&mut self) -> bool {
        self.has_stopped |= self.ring.has_stopped();
        self.ring.link() && !self.has_stopped
    }

    /// Frames that were lost on reception since the start. Wraps.
    pub fn lost(&mut self) -> u32 {
        self.lost = self.lost.wrapping_add(self.ring.missed());
        self.lost
    }
}
