//! How often somebody may try to sign in.
//!
//! The attack: guesses, and a flood of them. A token cannot be guessed (256 bits); a flood must still end before it costs anything
//! but a count. So tries that fail are counted for each address and for all together, and who has used them up waits for the
//! next window. What is counted is bounded by the count of all.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long tries are counted.
const WINDOW: Duration = Duration::from_secs(600);
/// Tries that fail from one address in a window.
const ADDRESS_MAX: u32 = 10;
/// Tries that fail from all addresses in a window: so many that few who want to keep others out use them up.
const ALL_MAX: u32 = 2_000;

/// Counts tries.
#[derive(Debug)]
pub(super) struct Limit(Mutex<Window>);

#[derive(Debug)]
struct Window {
    began: Instant,
    all: u32,
    by_address: HashMap<IpAddr, u32>,
}

impl Limit {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(Window {
            began: now,
            all: 0,
            by_address: HashMap::new(),
        }))
    }

    /// Counts a try before it is looked at, so that many at once are no way around.
    ///
    /// # Errors
    ///
    /// How long to wait, where there are no more.
    pub(super) fn count(&self, address: Option<IpAddr>, now: Instant) -> Result<(), Duration> {
        let mut window = self.lock();
        let past = now.saturating_duration_since(window.began);
        if past >= WINDOW {
            *window = Window {
                began: now,
                all: 0,
                by_address: HashMap::new(),
            };
        }
        let of_address = address.map(network);
        let tried = of_address.and_then(|address| window.by_address.get(&address));
        if window.all >= ALL_MAX || tried.is_some_and(|tried| *tried >= ADDRESS_MAX) {
            return Err(WINDOW.saturating_sub(past));
        }
        window.all += 1;
        if let Some(address) = of_address {
            *window.by_address.entry(address).or_default() += 1;
        }
        Ok(())
    }

    /// Takes back the count of a try that succeeded.
    pub(super) fn give_back(&self, address: Option<IpAddr>) {
        let mut window = self.lock();
        window.all = window.all.saturating_sub(1);
        let of_address = address.map(network);
        if let Some(tried) = of_address.and_then(|address| window.by_address.get_mut(&address)) {
            *tried = tried.saturating_sub(1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Window> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one who is at an address has more of: of IPv6 everybody has a network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
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

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn who_fails_too_often_waits_and_nobody_else_does() {
        let began = Instant::now();
        let limit = Limit::new(began);
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
        let limit = Limit::new(now);
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
        assert!(limit.lock().by_address.len() <= ALL_MAX as usize);
        limit.count(None, now + WINDOW).unwrap();
    }
}
