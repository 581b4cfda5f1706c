//! What a process and its children take, as `/proc` has it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::process::{Child, Command};

/// Ticks of a second, which Linux shows programs on every machine.
const TICKS: f64 = 100.0;

/// How long a server has to end by itself.
const ENDS: Duration = Duration::from_secs(5);

/// Tells a process to end, and waits for it: who is killed leaves work to the next one, whose start would be measured with it.
pub(crate) async fn end(mut child: Child) -> Result<()> {
    let Some(pid) = child.id() else {
        return Ok(());
    };
    Command::new("kill").arg(pid.to_string()).status().await?;
    if tokio::time::timeout(ENDS, child.wait()).await.is_err() {
        child.kill().await?;
    }
    Ok(())
}

/// Gives the resident memory of a process and its children, in MiB.
pub(crate) fn resident_mib(pid: u32) -> Result<f64> {
    let mut kib = 0.0;
    for pid in family(pid) {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let line = line.context("the process has ended")?;
        let number = line.split_whitespace().next().unwrap_or_default();
        kib += number.parse::<f64>()?;
    }
    Ok(kib / 1024.0)
}

/// Gives the processor time that a process and its children have taken.
pub(crate) fn processor_time(pid: u32) -> Result<Duration> {
    let mut ticks = 0.0;
    for pid in family(pid) {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name may have spaces; what follows its bracket has none.
        let (_, rest) = stat.rsplit_once(')').context("it is no process")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        for field in [11, 12] {
            ticks += fields
                .get(field)
                .context("fields are missing")?
                .parse::<f64>()?;
        }
    }
    Ok(Duration::from_secs_f64(ticks / TICKS))
}

/// Lists a process and those that it began.
fn family(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(pid) = family.get(next).copied() {
        let threads = format!("/proc/{pid}/task");
        for thread in fs::read_dir(Path::new(&threads))
            .into_iter()
            .flatten()
            .flatten()
        {
            let children = fs::read_to_string(thread.path().join("children"));
            let children = children.unwrap_or_default();
            family.extend(
                children
                    .split_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok()),
            );
        }
        next += 1;
    }
    family
}
