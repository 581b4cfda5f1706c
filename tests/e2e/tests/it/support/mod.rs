//! What the tests share: a host, a service, the components, and what is logged.

pub mod components;
pub mod logs;
pub mod service;
pub mod world;

pub use components::{component, patched, root};
pub use world::{Setup, TOKEN, World, call, done, ended, name};
