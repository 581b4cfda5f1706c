//! What time it is, so that a test can say.

use jiff::Timestamp;

/// A clock.
pub trait Clock: Send + Sync {
    /// Gives the time.
    fn now(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}
