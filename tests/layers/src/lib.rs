//! Only tests: see `tests/layers.rs`.
