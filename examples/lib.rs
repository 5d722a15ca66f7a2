//! Only examples: `cargo run -p examples --example decode_message`.
