//! What the whole process logs, for a test to search.

use std::io::{self, Write};
use std::sync::{Mutex, Once};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

static KEPT: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static BEGUN: Once = Once::new();

#[derive(Clone, Copy)]
struct Keep;

impl Write for Keep {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        KEPT.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Keep {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        *self
    }
}

/// Keeps everything that is logged from now on, the host's own in every detail.
pub fn begin() {
    BEGUN.call_once(|| {
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new("debug,portcullis=trace"))
            .with_writer(Keep)
            .with_ansi(false)
            .init();
    });
}

/// Gives everything that was logged so far, by all tests.
pub fn all() -> String {
    String::from_utf8_lossy(&KEPT.lock().unwrap()).into_owned()
}
