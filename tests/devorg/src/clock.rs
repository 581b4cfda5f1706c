//! The org's time: the machine's, or one that stands still but for the org's own changes.

use jiff::{SignedDuration, Timestamp};

/// A clock. No change is before the one before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    /// The moment of the last change, or of the start.
    at: Timestamp,
    /// Whether it goes with the machine's.
    goes: bool,
}

impl Clock {
    /// Makes a clock that stands still.
    pub(crate) fn at(now: Timestamp) -> Self {
        Self {
            at: now,
            goes: false,
        }
    }

    /// Says whether the clock goes with the machine's.
    pub(crate) fn goes(&self) -> bool {
        self.goes
    }

    /// Lets the clock go with the machine's.
    pub(crate) fn go(&mut self) {
        self.goes = true;
    }

    /// Moves the clock to a moment, unless it is there already.
    pub(crate) fn move_on(&mut self, to: Timestamp) {
        self.at = self.at.max(to);
    }

    /// Gives the time, in whole seconds: the org keeps no fraction.
    pub(crate) fn now(&self) -> Timestamp {
        match self.goes {
            true => self.at.max(machine()),
            false => self.at,
        }
    }

    /// Gives the moment of the last change.
    pub(crate) fn last(&self) -> Timestamp {
        self.at
    }

    /// Gives the moment of a change: the machine's time, or, where the clock stands still or is ahead of
    /// the machine's, a second after the change before.
    pub(crate) fn tick(&mut self) -> Timestamp {
        let machine = self.goes.then(machine).filter(|now| *now >= self.at);
        self.at = machine.unwrap_or_else(|| {
            let next = self.at.checked_add(SignedDuration::from_secs(1));
            next.unwrap_or(self.at)
        });
        self.at
    }
}

/// Gives the machine's time, in whole seconds.
pub(crate) fn machine() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_stands_still_moves_a_second_a_change() {
        let mut clock = Clock::at(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), clock.now());
        assert_eq!(clock.tick().as_second(), 1);
        assert_eq!(clock.now().as_second(), 1);
    }

    #[test]
    fn a_clock_that_goes_is_the_machines_and_never_goes_back() {
        let mut clock = Clock::at(Timestamp::UNIX_EPOCH);
        clock.go();
        let before = machine();
        let at = clock.tick();
        assert!(before <= at && at <= machine());
        let ahead = machine() + SignedDuration::from_hours(1);
        clock.move_on(ahead);
        assert_eq!(clock.now(), ahead);
        assert_eq!(clock.tick(), ahead + SignedDuration::from_secs(1));
    }
}
