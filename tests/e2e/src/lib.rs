//! Tests of the whole: real components, real sockets, and the host between them.
//!
//! They are in `tests/it`, a file an idea; each test of an invariant of the architecture bears
//! its number.

/// Where the components are that the build script made, between bars; a file's stem is its component's name.
pub const COMPONENTS: &str = env!("COMPONENTS");
