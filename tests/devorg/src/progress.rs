//! How far loading is, for who waits at a terminal.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use salesforce_devorg::Options;

/// How often it is told; what takes less is not told at all.
const EVERY: Duration = Duration::from_secs(1);

/// Tells on standard error how many records are loaded, until it is dropped.
pub(crate) struct Progress {
    telling: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Begins, where records are to be loaded and somebody looks.
    pub(crate) fn of(options: &Options) -> Self {
        if options.data.is_none() || !io::stderr().is_terminal() {
            return Self { telling: None };
        }
        let (stop, stopped) = channel();
        let loaded = Arc::clone(&options.loaded);
        let thread = thread::spawn(move || {
            let mut told = false;
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                tell(&loaded);
                told = true;
            }
            if told {
                let _ = writeln!(io::stderr()); // Whoever closed it does not want to know.
            }
        });
        Self {
            telling: Some((stop, thread)),
        }
    }
}

fn tell(loaded: &AtomicU64) {
    let loaded = loaded.load(Ordering::Relaxed);
    let _ = write!(io::stderr(), "\r{loaded} records loaded"); // As above.
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.telling.take() {
            drop(stop);
            let _ = thread.join(); // It has nothing else to do.
        }
    }
}
