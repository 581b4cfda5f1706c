//! When the program is told to end.

use anyhow::{Context, Result};

/// Waits until the system or somebody at the terminal tells the program to end.
pub(crate) fn stop() -> Result<impl Future<Output = ()> + Send + 'static> {
    #[cfg(unix)]
    let mut terminate = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate()).context("the program cannot hear when it is to end")?
    };
    Ok(async move {
        #[cfg(unix)]
        let told = async {
            terminate.recv().await;
        };
        #[cfg(not(unix))]
        let told = std::future::pending::<()>();
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            () = told => {}
        }
    })
}
