//! The loop with a role, a plant and ports made for it.

mod echo;
mod ends;
mod flood;
mod plants;
mod turns;
