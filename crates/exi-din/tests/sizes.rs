//! Size of decoded messages in memory: they are moved on a microcontroller's stack.

#[test]
fn a_decoded_message_takes_less_than_600_bytes() {
    assert!(size_of::<exi_din::V2gMessage<'_>>() < 600, "{} bytes", size_of::<exi_din::V2gMessage<'_>>());
}

#[test]
fn a_physical_value_fits_a_register_of_a_microcontroller() {
    assert_eq!(size_of::<exi_din::PhysicalValue>(), 4);
}
