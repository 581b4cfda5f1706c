//! The bound on a guest's memory, over all memories of its instance.

use wasmtime::ResourceLimiter;

/// Elements that one table may grow to: more than any program of a connector's size has functions.
const TABLE_ELEMENTS_MAX: usize = 100_000;

/// The guest wanted more memory than a call may have.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the memory limit of {bytes_max} bytes is reached")]
pub(crate) struct MemoryLimitReached {
    /// The limit.
    pub(crate) bytes_max: usize,
}

/// Counts what the memories of one store hold, and ends the guest at the limit: a guest that is
/// told that it gets no more may go on asking.
#[derive(Debug)]
pub(crate) struct MemoryLimiter {
    bytes_max: usize,
    bytes: usize,
}

impl MemoryLimiter {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            bytes: 0,
        }
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let bytes = self.bytes.saturating_add(desired.saturating_sub(current));
        if bytes > self.bytes_max {
            return Err(wasmtime::Error::new(MemoryLimitReached {
                bytes_max: self.bytes_max,
            }));
        }
        self.bytes = bytes;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _: usize,
        desired: usize,
        _: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn memories_count_together() {
        let mut limiter = MemoryLimiter::new(100);
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(limiter.memory_growing(60, 70, None).unwrap());
        let error = limiter.memory_growing(0, 31, None).unwrap_err();
        assert!(error.is::<MemoryLimitReached>());
        assert!(limiter.memory_growing(0, 30, None).unwrap());
    }
}
