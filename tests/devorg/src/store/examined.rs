//! How many records and keys of indexes the store has given out in this thread: what work costs,
//! whatever time it takes. Only tests count.

#[cfg(test)]
thread_local! {
    static COUNT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts one.
pub(super) fn note() {
    #[cfg(test)]
    COUNT.set(COUNT.get() + 1);
}

/// Counts what some work examines.
#[cfg(test)]
pub(crate) fn by<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = COUNT.get();
    let done = work();
    (COUNT.get() - before, done)
}
