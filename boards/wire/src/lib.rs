//! The physical side between an emulated board and its host, in place of a real board's wires, relays and
//! sensors.
//!
//! Board and host proceed in turns. The board sends what it drives and the time of that on its clock, and
//! waits. The host simulates the world up to a moment shortly after, sends the frames up to then, and last
//! what the board senses and that moment. The host's own clock therefore has no influence, and a slow or
//! delayed host changes nothing.
//!
//! The values travel in frames of a private `EtherType`, so that one socket is enough. A frame is 60 bytes:
//! addresses, `EtherType`, then the values in order, little endian.
#![no_std]
#![forbid(unsafe_code)]

/// `EtherType`: IEEE 802 local experimental 1.
pub const ETHERTYPE: u16 = 0x88B5;
/// Length of a frame in bytes.
pub const LEN: usize = 60;

const HEAD: usize = 14;

macro_rules! wire {
    ($(#[$about:meta])* $name:ident, $kind:literal, { $($(#[$field_about:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_about])* pub $field: $type,)*
        }

        impl $name {
            /// The values as a frame.
            pub fn frame(&self) -> [u8; LEN] {
                let mut frame = [0; LEN];
                let kind = [$kind];
                let head = [0xFF; 6].into_iter().chain([0x02, 0, 0, 0, 0, $kind]).chain(ETHERTYPE.to_be_bytes());
                let values = head.chain(kind)$(.chain(self.$field.to_le_bytes()))*;
                frame.iter_mut().zip(values).for_each(|(to, from)| *to = from);
                frame
            }

            /// The values of a frame; `None`: it is another frame.
            pub fn of(frame: &[u8]) -> Option<Self> {
                let rest = frame.get(HEAD - 2..)?.strip_prefix(&ETHERTYPE.to_be_bytes())?.strip_prefix(&[$kind])?;
                $(let (bytes, rest) = rest.split_first_chunk()?;
                let $field = <$type>::from_le_bytes(*bytes);)*
                let _ = rest;
                Some(Self { $($field,)* })
            }
        }
    };
}

wire! {
    /// What a board drives.
    Driven, 1, {
        /// Time in us of the board's clock.
        at: u64,
        /// Bits of [`coil`].
        coils: u8,
        /// The pilot's PWM in counts of 16384; a car's board drives none.
        pwm: u16,
        /// Set point of the power stage in mV.
        supply_mv: i32,
        /// Current limit of the power stage in mA.
        supply_ma: i32,
    }
}

wire! {
    /// What a board senses.
    Sensed, 2, {
        /// The board's clock advances to this time, in us.
        until: u64,
        /// Bits of [`contact`].
        contacts: u8,
        /// Voltage of the pilot's high phase, or of the steady pilot, in mV.
        pilot_mv: i32,
        /// The charger's PWM in counts of 16384; unused by a charger's board, which has its own.
        pwm: u16,
        /// Voltage at the cable in mV.
        voltage_mv: i32,
        /// Current into the car in mA.
        current_ma: i32,
        /// Number of measurements by the isolation monitor.
        monitor: u32,
        /// The battery's voltage in mV.
        battery_mv: i32,
        /// State of charge in percent.
        soc_percent: u8,
        /// 1: the battery has reached its owner's target.
        is_done: u8,
    }
}

wire! {
    /// Cost of a frame of the network for the board, if its core counts instructions.
    Counted, 3, {
        /// The frame's length in bytes.
        length: u16,
        /// Instructions from its arrival until the loop requested the next frame.
        instructions: u32,
    }
}

/// Bits of [`Driven::coils`].
pub mod coil {
    /// Contactor in the positive conductor.
    pub const PLUS: u8 = 1;
    /// Contactor in the negative conductor.
    pub const MINUS: u8 = 1 << 1;
    /// The relay: pilot C in the car, power stage enabled at the charger.
    pub const RELAY: u8 = 1 << 2;
    /// The lock releases the plug.
    pub const UNLOCK: u8 = 1 << 3;
}

/// Bits of [`Sensed::contacts`].
pub mod contact {
    /// The positive contactor is closed.
    pub const PLUS: u8 = 1;
    /// The negative contactor is closed.
    pub const MINUS: u8 = 1 << 1;
    /// The plug is locked.
    pub const LOCKED: u8 = 1 << 2;
    /// The emergency stop is pressed.
    pub const STOP: u8 = 1 << 3;
    /// Test: the board's program must hang.
    pub const HANG: u8 = 1 << 6;
    /// Test: the board's program must panic.
    pub const PANIC: u8 = 1 << 7;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_carries_every_value_and_is_not_taken_for_another_kind() {
        let driven = Driven { at: 7, coils: 5, pwm: 819, supply_mv: 400_000, supply_ma: -1 };
        let sensed = Sensed { pilot_mv: -12_000, monitor: u32::MAX, is_done: 1, ..Sensed::default() };
        let (first, second) = (driven.frame(), sensed.frame());
        assert_eq!((&first[12..15], second[14]), (&[0x88, 0xB5, 1][..], 2));
        assert_eq!((Driven::of(&first), Sensed::of(&second)), (Some(driven), Some(sensed)));
        assert_eq!((Driven::of(&second), Sensed::of(&first)), (None, None));
        assert_eq!(Driven::of(&first[..20]), None);
    }
}
