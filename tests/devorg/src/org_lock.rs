//! The lock around the org: many read, one writes, and a transaction over several requests keeps
//! everybody else out from its first request to its last.
//!
//! A composite request is answered by one thread from beginning to end, and its subrequests lock the
//! org as any request does. So the lock knows the thread whose transaction is open and lets it pass.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::{self, ThreadId};

use crate::org::{Beginning, Org};

/// An org that several threads use.
#[derive(Debug)]
pub(crate) struct OrgLock {
    org: RwLock<Org>,
    /// Held by everybody who uses the org; alone by the thread whose transaction is open.
    gate: RwLock<()>,
    /// That thread.
    inside: Mutex<Option<ThreadId>>,
}

/// The org to read.
pub(crate) struct OrgRef<'a> {
    // Fields are dropped in order: the org is let go before the gate.
    org: RwLockReadGuard<'a, Org>,
    _gate: Option<RwLockReadGuard<'a, ()>>,
}

/// The org to change.
pub(crate) struct OrgMut<'a> {
    org: RwLockWriteGuard<'a, Org>,
    _gate: Option<RwLockReadGuard<'a, ()>>,
}

/// An open transaction over several requests; dropped without an end, it is taken back.
pub(crate) struct Exclusive<'a> {
    lock: &'a OrgLock,
    beginning: Option<Beginning>,
    _gate: RwLockWriteGuard<'a, ()>,
}

impl OrgLock {
    pub(crate) fn new(org: Org) -> Self {
        Self {
            org: RwLock::new(org),
            gate: RwLock::default(),
            inside: Mutex::default(),
        }
    }

    pub(crate) fn read(&self) -> OrgRef<'_> {
        let gate = self.pass();
        OrgRef {
            org: self.org.read().unwrap_or_else(PoisonError::into_inner),
            _gate: gate,
        }
    }

    pub(crate) fn write(&self) -> OrgMut<'_> {
        let gate = self.pass();
        OrgMut {
            org: self.org.write().unwrap_or_else(PoisonError::into_inner),
            _gate: gate,
        }
    }

    /// Begins a transaction; nothing if this thread has one already, for which it would wait for ever.
    pub(crate) fn exclusive(&self) -> Option<Exclusive<'_>> {
        if self.is_inside() {
            return None;
        }
        let gate = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        self.set_inside(Some(thread::current().id()));
        let beginning = self.write().begin();
        Some(Exclusive {
            lock: self,
            beginning: Some(beginning),
            _gate: gate,
        })
    }

    /// Says whether the open transaction is this thread's.
    fn is_inside(&self) -> bool {
        let inside = *self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside == Some(thread::current().id())
    }

    /// Waits for the transaction of another thread to end.
    fn pass(&self) -> Option<RwLockReadGuard<'_, ()>> {
        if self.is_inside() {
            return None;
        }
        Some(self.gate.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_inside(&self, thread: Option<ThreadId>) {
        *self.inside.lock().unwrap_or_else(PoisonError::into_inner) = thread;
    }
}

impl Exclusive<'_> {
    /// Ends the transaction and keeps its changes.
    pub(crate) fn commit(mut self) {
        if let Some(beginning) = self.beginning.take() {
            self.lock.write().commit(beginning);
        }
    }
}

impl Drop for Exclusive<'_> {
    fn drop(&mut self) {
        if let Some(beginning) = self.beginning.take() {
            self.lock.write().roll_back(beginning);
        }
        self.lock.set_inside(None);
    }
}

impl Deref for OrgRef<'_> {
    type Target = Org;

    fn deref(&self) -> &Org {
        &self.org
    }
}

impl Deref for OrgMut<'_> {
    type Target = Org;

    fn deref(&self) -> &Org {
        &self.org
    }
}

impl DerefMut for OrgMut<'_> {
    fn deref_mut(&mut self) -> &mut Org {
        &mut self.org
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn nobody_sees_into_a_transaction() {
        let lock = OrgLock::new(Org::sample(jiff::Timestamp::UNIX_EPOCH));
        let start = lock.read().now();
        let done = AtomicBool::new(false);
        let (seen, within) = thread::scope(|scope| {
            let seen = scope.spawn(|| {
                let mut seen = vec![start];
                while !done.load(Ordering::Acquire) {
                    seen.push(lock.read().now());
                    seen.dedup();
                }
                seen
            });
            let mut within = Vec::new();
            for keep in [false, true, false] {
                let Some(transaction) = lock.exclusive() else {
                    break;
                };
                assert!(lock.exclusive().is_none(), "a thread has one transaction");
                for _ in 0..50 {
                    lock.write().tick();
                    // Others may try to read in between.
                    thread::yield_now();
                }
                within.push(lock.read().now().duration_since(start).as_secs());
                if keep {
                    transaction.commit();
                }
            }
            done.store(true, Ordering::Release);
            (seen.join().unwrap_or_default(), within)
        });
        let end = lock.read().now();
        assert_eq!(within, [50, 50, 100]);
        assert_eq!(end.duration_since(start).as_secs(), 50);
        assert!(seen == [start] || seen == [start, end], "{seen:?}");
    }
}
