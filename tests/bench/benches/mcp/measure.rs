//! What is measured of each, one thing after the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use salesforce_devorg::DevOrg;
use salesforce_devorg::fault::{Fault, Rule, When};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::contestant::{ANSWERED, Contestant, Way};
use crate::http::Web;
use crate::process::{processor_time, resident_mib};
use crate::stdio::Pipes;

/// Calls in flight at once, where it is about many.
const IN_FLIGHT: usize = 16;
/// What a distant org adds.
const DISTANCE: Duration = Duration::from_millis(100);
/// How long a server has to come to rest before its idle memory is read.
const RESTS: Duration = Duration::from_millis(500);

/// How much is done to find out.
pub(crate) struct Effort {
    /// Starts, of which the median counts.
    starts: usize,
    /// Calls before any is timed.
    warm_up: usize,
    /// Calls, one after the other.
    calls: usize,
    /// For how long there are many in flight.
    load: Duration,
}

impl Effort {
    pub(crate) fn full() -> Self {
        Self {
            starts: 11,
            warm_up: 100,
            calls: 2_000,
            load: Duration::from_secs(10),
        }
    }

    /// As much as shows that it works.
    pub(crate) fn quick() -> Self {
        Self {
            starts: 2,
            warm_up: 5,
            calls: 50,
            load: Duration::from_secs(1),
        }
    }
}

/// What was found out.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) start: Duration,
    /// Of a call: half of them, 95 and 99 of a hundred are as quick.
    pub(crate) quantiles: [Duration; 3],
    pub(crate) calls_a_second: f64,
    pub(crate) processor: Duration,
    pub(crate) idle_mib: f64,
    pub(crate) loaded_mib: f64,
    pub(crate) tools: usize,
    pub(crate) tools_bytes: usize,
    pub(crate) tools_tokens: usize,
    pub(crate) requests_a_call: f64,
    pub(crate) connections_a_call: f64,
    pub(crate) distant_calls_a_second: f64,
}

/// A server that was begun.
enum Running {
    Pipes(Pipes),
    Web(Web),
}

impl Running {
    /// Starts it, and asks for its tools.
    async fn start(contestant: &Contestant) -> Result<(Self, String)> {
        let running = match &contestant.way {
            Way::Stdio => Self::Pipes(Pipes::start(contestant.command())?),
            Way::Http { token } => {
                Self::Web(Web::start(contestant.command(), token, IN_FLIGHT).await?)
            }
        };
        let me = json!({"name": "bench", "version": "0"});
        let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": me});
        running.ask("initialize", &hello).await?;
        running
            .tell(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
            .await?;
        let tools = running.ask("tools/list", &json!({})).await?;
        Ok((running, tools))
    }

    async fn ask(&self, method: &str, params: &Value) -> Result<String> {
        match self {
            Self::Pipes(pipes) => pipes.ask(method, params).await,
            Self::Web(web) => web.ask(method, params).await,
        }
    }

    async fn tell(&self, message: &Value) -> Result<()> {
        match self {
            Self::Pipes(pipes) => pipes.send(message).await,
            Self::Web(web) => web.send(message).await.map(drop),
        }
    }

    async fn end(self) -> Result<()> {
        match self {
            Self::Pipes(pipes) => pipes.end().await,
            Self::Web(web) => web.end().await,
        }
    }

    fn pid(&self) -> Result<u32> {
        match self {
            Self::Pipes(pipes) => pipes.pid(),
            Self::Web(web) => web.pid(),
        }
    }

    /// Calls once; an answer without the records is none.
    async fn call(&self, params: &Value) -> Result<()> {
        let answer = self.ask("tools/call", params).await?;
        let is_answer = answer.contains(ANSWERED) && !answer.contains("\"isError\":true");
        ensure!(is_answer, "it was answered {answer:.400}");
        Ok(())
    }
}

/// Measures one.
pub(crate) async fn measure(
    contestant: &Contestant,
    org: &DevOrg,
    effort: &Effort,
) -> Result<Measured> {
    let mut starts = Vec::new();
    // The first one may have to make what the others find, such as a compiled connector.
    Running::start(contestant).await?.0.end().await?;
    for _ in 0..effort.starts {
        let began = Instant::now();
        let (server, _) = Running::start(contestant).await?;
        starts.push(began.elapsed());
        server.end().await?;
    }
    let (server, tools) = Running::start(contestant).await?;
    tokio::time::sleep(RESTS).await;
    let idle_mib = resident_mib(server.pid()?)?;
    let tools: Value = serde_json::from_str(&tools)?;
    let tools = tools["result"]["tools"].as_array().cloned();
    let tools = tools.context("it lists no tools")?;
    let listed = json!(tools).to_string();

    let params = json!({"name": contestant.tool, "arguments": contestant.arguments});
    for _ in 0..effort.warm_up {
        server.call(&params).await?;
    }
    let (requests, connections) = (org.requests(), org.connections());
    let mut times = Vec::with_capacity(effort.calls);
    for _ in 0..effort.calls {
        let began = Instant::now();
        server.call(&params).await?;
        times.push(began.elapsed());
    }
    let each = |now: u64, before: u64| (now - before) as f64 / effort.calls as f64;
    let requests_a_call = each(org.requests(), requests);
    let connections_a_call = each(org.connections(), connections);

    let server = Arc::new(server);
    let before = processor_time(server.pid()?)?;
    let (calls, took) = load(&server, &params, effort.load).await?;
    let processor = processor_time(server.pid()?)?.saturating_sub(before);
    let loaded_mib = resident_mib(server.pid()?)?;
    let ms = u64::try_from(DISTANCE.as_millis())?;
    let late = Rule {
        fault: Fault::Latency { ms },
        // Until it is cleared.
        when: When {
            times: None,
            ..When::default()
        },
        work: None,
    };
    let late = org.add_fault(late)?;
    let (distant, distant_took) = load(&server, &params, effort.load).await?;
    org.clear_fault(late);
    if let Some(server) = Arc::into_inner(server) {
        server.end().await?;
    }
    Ok(Measured {
        name: contestant.name,
        start: quantile(&mut starts, 0.5),
        quantiles: [0.5, 0.95, 0.99].map(|part| quantile(&mut times, part)),
        calls_a_second: calls as f64 / took.as_secs_f64(),
        processor: processor.div_f64(calls.max(1) as f64),
        idle_mib,
        loaded_mib,
        tools: tools.len(),
        tools_bytes: listed.len(),
        tools_tokens: bpe_openai::o200k_base().count(listed.as_str()),
        requests_a_call,
        connections_a_call,
        distant_calls_a_second: distant as f64 / distant_took.as_secs_f64(),
    })
}

/// Keeps many calls in flight for a time, and counts them.
async fn load(server: &Arc<Running>, params: &Value, lasts: Duration) -> Result<(u64, Duration)> {
    let began = Instant::now();
    let mut calling = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (server, params) = (server.clone(), params.clone());
        calling.spawn(async move {
            let mut calls = 0_u64;
            while began.elapsed() < lasts {
                server.call(&params).await?;
                calls += 1;
            }
            Ok::<_, anyhow::Error>(calls)
        });
    }
    let mut calls = 0;
    while let Some(ended) = calling.join_next().await {
        calls += ended??;
    }
    Ok((calls, began.elapsed()))
}

/// Gives the time in which a part of them was done.
fn quantile(times: &mut [Duration], part: f64) -> Duration {
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    let at = (last as f64 * part).round() as usize;
    times.get(at).copied().unwrap_or_default()
}
