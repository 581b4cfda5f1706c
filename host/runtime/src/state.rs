//! What a host keeps in a call's store: an empty WASI, the call's guard, its memory's bound, and what the
//! guest prints.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::limiter::MemoryLimiter;
use crate::linker::{PortcullisCtx, PortcullisCtxView, PortcullisView};
use crate::ports::lock;

/// The data of a call's store.
pub(crate) struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    portcullis: PortcullisCtx,
    pub(crate) limiter: MemoryLimiter,
}

impl State {
    pub(crate) fn new(portcullis: PortcullisCtx, printed: &Printed) -> Self {
        let memory_bytes_max = portcullis.scope.limits.memory_bytes_max;
        let mut wasi = WasiCtx::builder();
        portcullis.scope.replay.apply(&mut wasi);
        let wasi = wasi
            .stdout(printed.clone())
            .stderr(printed.clone())
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build();
        Self {
            wasi,
            table: ResourceTable::new(),
            portcullis,
            limiter: MemoryLimiter::new(memory_bytes_max),
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl PortcullisView for State {
    fn portcullis(&mut self) -> PortcullisCtxView<'_> {
        PortcullisCtxView {
            ctx: &mut self.portcullis,
            table: &mut self.table,
        }
    }
}

/// What a guest prints, up to a bound; the rest is taken and thrown away.
#[derive(Clone, Debug)]
pub(crate) struct Printed {
    bytes_max: usize,
    kept: Arc<Mutex<Vec<u8>>>,
}

impl Printed {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            kept: Arc::default(),
        }
    }

    /// Says how many bytes are kept.
    pub(crate) fn bytes(&self) -> usize {
        lock(&self.kept).len()
    }

    /// Gives the lines for the operator, with everything that could forge a line or a colour made visible.
    pub(crate) fn lines(&self) -> Vec<String> {
        let kept = lock(&self.kept);
        let text = String::from_utf8_lossy(&kept);
        text.lines()
            .map(|line| line.chars().flat_map(visible).collect())
            .collect()
    }

    fn keep(&self, bytes: &[u8]) {
        let mut kept = lock(&self.kept);
        let room = self.bytes_max.saturating_sub(kept.len());
        kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// Escapes control characters and those that change the direction of a text.
fn visible(char: char) -> impl Iterator<Item = char> {
    let is_harmless = !char.is_control()
        && !matches!(char, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain = is_harmless.then_some(char);
    let escaped = (!is_harmless).then(|| char.escape_unicode());
    plain.into_iter().chain(escaped.into_iter().flatten())
}

impl IsTerminal for Printed {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printed {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Only WASI 0.3 asks for this one, which no connector has.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Printed {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl OutputStream for Printed {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.keep(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_bounded_and_forges_nothing() {
        let printed = Printed::new(30);
        printed.keep(b"one\r\n\x1b[31mtwo\x07\n");
        printed.keep("\u{202e}eerht and much more".as_bytes());
        assert_eq!(
            printed.lines(),
            ["one", "\\u{1b}[31mtwo\\u{7}", "\\u{202e}eerht and mu"]
        );
        assert_eq!(printed.bytes(), 30);
    }
}
