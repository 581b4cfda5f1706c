//! How often somebody may do something.
//!
//! The attack: guesses, and a flood of them. A token cannot be guessed (256 bits); a flood must still end before it costs anything
//! but a count. So it is counted for each and for all together, and who has used it up waits for the next window. What is counted is
//! bounded by the count of all.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How much is let pass.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// How long it is counted.
    pub window: Duration,
    /// In a window, by each.
    pub each: u32,
    /// In a window, by all: so many that few who want to keep others out use them up.
    pub all: u32,
}

/// Counts what somebody does, by who it is.
#[derive(Debug)]
pub struct Limit<K> {
    allowance: Allowance,
    window: Mutex<Window<K>>,
}

#[derive(Debug)]
struct Window<K> {
    began: Instant,
    all: u32,
    by_each: HashMap<K, u32>,
}

impl<K> Window<K> {
    fn at(now: Instant) -> Self {
        Self {
            began: now,
            all: 0,
            by_each: HashMap::new(),
        }
    }
}

impl<K: Eq + Hash> Limit<K> {
    /// Makes a limit whose first window begins now.
    pub fn new(allowance: Allowance, now: Instant) -> Self {
        Self {
            allowance,
            window: Mutex::new(Window::at(now)),
        }
    }

    /// Counts before it is looked at what is asked, so that many at once are no way around; none: of nobody who is known.
    ///
    /// # Errors
    ///
    /// How long to wait, where there is no more.
    pub fn count(&self, who: Option<K>, now: Instant) -> Result<(), Duration> {
        let mut window = self.lock();
        self.room(&mut window, who.as_ref(), now)?;
        window.all += 1;
        if let Some(who) = who {
            *window.by_each.entry(who).or_default() += 1;
        }
        Ok(())
    }

    /// Looks whether there is more, and counts nothing: for what is counted where it fails, and of which many are under way at once.
    ///
    /// # Errors
    ///
    /// How long to wait, where there is no more.
    pub fn look(&self, who: Option<&K>, now: Instant) -> Result<(), Duration> {
        self.room(&mut self.lock(), who, now)
    }

    fn room(&self, window: &mut Window<K>, who: Option<&K>, now: Instant) -> Result<(), Duration> {
        let Allowance {
            window: lasts,
            each,
            all,
        } = self.allowance;
        let past = now.saturating_duration_since(window.began);
        if past >= lasts {
            *window = Window::at(now);
            return Ok(());
        }
        let counted = who.and_then(|who| window.by_each.get(who));
        match window.all >= all || counted.is_some_and(|counted| *counted >= each) {
            true => Err(lasts.saturating_sub(past)),
            false => Ok(()),
        }
    }

    /// Takes back the count of what turned out well.
    pub fn give_back(&self, who: Option<K>) {
        let mut window = self.lock();
        window.all = window.all.saturating_sub(1);
        if let Some(counted) = who.and_then(|who| window.by_each.get_mut(&who)) {
            *counted = counted.saturating_sub(1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Window<K>> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one who is at an address has more of: of IPv6 everybody has a network of 64 bits.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let bits = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(600);
    const ADDRESS_MAX: u32 = 10;
    const ALL_MAX: u32 = 2_000;
    const TRIES: Allowance = Allowance {
        window: WINDOW,
        each: ADDRESS_MAX,
        all: ALL_MAX,
    };

    fn address(text: &str) -> Option<IpAddr> {
        Some(network(text.parse().unwrap()))
    }

    #[test]
    fn who_fails_too_often_waits_and_nobody_else_does() {
        let began = Instant::now();
        let limit = Limit::new(TRIES, began);
        for _ in 0..ADDRESS_MAX {
            limit.count(address("192.0.2.1"), began).unwrap();
        }
        let half = began + WINDOW / 2;
        let refused = limit.count(address("192.0.2.1"), half);
        assert_eq!(refused, Err(WINDOW / 2));
        // Written otherwise, it is the same address.
        assert!(limit.count(address("::ffff:192.0.2.1"), half).is_err());
        limit.count(address("192.0.2.2"), half).unwrap();
        limit.give_back(address("192.0.2.1"));
        limit.count(address("192.0.2.1"), half).unwrap();
        assert!(limit.count(address("192.0.2.1"), half).is_err());
        limit.count(address("192.0.2.1"), began + WINDOW).unwrap();
    }

    #[test]
    fn many_addresses_are_no_way_around() {
        let now = Instant::now();
        let limit = Limit::new(TRIES, now);
        for host in 0..ADDRESS_MAX {
            let of_one = format!("2001:db8::{host:x}");
            limit.count(address(&of_one), now).unwrap();
        }
        assert!(limit.count(address("2001:db8::ffff:1"), now).is_err());
        for network in 1..=ALL_MAX - ADDRESS_MAX {
            let of_one = format!("2001:db8:0:{network:x}::1");
            limit.count(address(&of_one), now).unwrap();
        }
        assert!(limit.count(address("2001:db8:1::1"), now).is_err());
        assert!(limit.count(None, now).is_err());
        assert!(limit.lock().by_each.len() <= ALL_MAX as usize);
        limit.count(None, now + WINDOW).unwrap();
    }
}
