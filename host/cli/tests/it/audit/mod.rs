//! `portcullis activity` and `portcullis audit`: what people read of what was done, and what is said where the log is not as it was.

mod asked;
mod broken;
mod exports;
mod given_up;
mod inside;
mod killed;
mod steady;
mod support;
pub(crate) mod views;
