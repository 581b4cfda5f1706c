//! How long a person has been waited for, on a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// A line that tells how long it has been.
pub(super) struct Progress {
    began: Instant,
    all: Duration,
    may_show: bool,
    is_shown: bool,
}

impl Progress {
    /// Begins to count, up to a time; it is told on a terminal, where it may be.
    pub(super) fn new(all: Duration, may_show: bool) -> Self {
        Self {
            began: Instant::now(),
            all,
            may_show: may_show && io::stderr().is_terminal(),
            is_shown: false,
        }
    }

    /// Tells for what is waited, in the place of what was told before.
    pub(super) fn tell(&mut self, what: &str) {
        if !self.may_show {
            return;
        }
        let (waited, all) = (self.began.elapsed().as_secs(), self.all.as_secs());
        // Nobody misses it where it cannot be written.
        let _ = write!(
            io::stderr(),
            "\r\u{1b}[Kwaiting for {what}: {waited} of {all} s"
        );
        self.is_shown = true;
    }

    /// Lets something else be written.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            let _ = writeln!(io::stderr());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
