//! Tests of the loop with a role, a plant and ports made for them.

mod echo;
mod ends;
mod flood;
mod plants;
mod turns;
