//! Any bytes as a modem's parameter image: no panic, and a valid image stays valid through every edit.
//! Sealing corrects the checksums first, because few inputs would pass them otherwise.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modem::pib::{Editor, Image, Layout, Role, field, seal};

/// A text that shows a key would contain these bytes as numbers or letters.
fn show(image: &Image<'_>) {
    let shown: String = image.fields().map(|(field, value)| format!("{}={value}\n", field.name)).collect();
    assert!(!shown.contains("NMK=") || shown.contains("NMK=(secret)"));
    let _ = (image.description().map(|text| text.to_string()), image.findings().count());
}

fuzz_target!(|input: &[u8]| {
    if let Ok(image) = Image::parse(input) {
        show(&image);
    }
    let mut bytes = input.to_vec();
    if seal(&mut bytes).is_err() {
        assert!(Image::parse(input).is_err());
        return;
    }
    let image = Image::parse(&bytes).expect("a sealed image is sound");
    show(&image);
    let (layout, length) = (image.layout(), image.parameters().len());
    let before = bytes.clone();
    let mut editor = Editor::open(&mut bytes).expect("a sound image");
    let known = editor.set_role(Role::Evse).is_ok();
    assert!(editor.set_byte(length, 0).is_err() && editor.set_long(length - 3, 0).is_err());
    editor.set(&field::NMK, &[7; 16]).expect("every image has a key");
    let image = Image::parse(&bytes).expect("still sound");
    assert_eq!(image.role(), known.then_some(Role::Evse));
    assert_eq!((image.layout(), image.parameters().len(), bytes.len()), (layout, length, before.len()));

    // A flipped bit is always detected if the layout has checksums.
    if layout != Layout::Bare {
        let at = input.iter().fold(0, |sum, &byte| (sum * 31 + usize::from(byte)) % bytes.len());
        bytes[at] ^= 1 << (at % 8);
        assert!(Image::parse(&bytes).is_err());
    }
});
