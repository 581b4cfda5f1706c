//! What was measured, as a table and for programs.

use serde_json::{Value, json};

use crate::measure::Measured;

/// A row: what it is, and how it is written of one.
type Row = (&'static str, fn(&Measured) -> String);

const ROWS: [Row; 14] = [
    ("cold start to `tools/list`, ms", |one| ms(one.start)),
    ("a query call, p50, ms", |one| ms(one.quantiles[0])),
    ("a query call, p95, ms", |one| ms(one.quantiles[1])),
    ("a query call, p99, ms", |one| ms(one.quantiles[2])),
    ("calls a second, 16 in flight", |one| {
        format!("{:.0}", one.calls_a_second)
    }),
    ("processor time a call, ms", |one| ms(one.processor)),
    ("resident memory idle, MiB", |one| {
        format!("{:.1}", one.idle_mib)
    }),
    ("resident memory loaded, MiB", |one| {
        format!("{:.1}", one.loaded_mib)
    }),
    ("tools", |one| one.tools.to_string()),
    ("bytes of `tools/list` a tool", |one| {
        a_tool(one.tools_bytes, one)
    }),
    ("tokens of `tools/list` a tool", |one| {
        a_tool(one.tools_tokens, one)
    }),
    ("HTTP requests a call", |one| {
        format!("{:.2}", one.requests_a_call)
    }),
    ("new connections a call", |one| {
        format!("{:.2}", one.connections_a_call)
    }),
    ("calls a second, 16 in flight, org 100 ms away", |one| {
        format!("{:.0}", one.distant_calls_a_second)
    }),
];

/// Writes a table of Markdown.
pub(crate) fn text(results: &[Measured]) -> String {
    let mut text = String::from("| |");
    for one in results {
        text += &format!(" {} |", one.name);
    }
    text += "\n| --- |";
    text += &" ---: |".repeat(results.len());
    for (what, write) in ROWS {
        text += &format!("\n| {what} |");
        for one in results {
            text += &format!(" {} |", write(one));
        }
    }
    text + "\n"
}

/// Writes it for programs, in the same words.
pub(crate) fn json(results: &[Measured]) -> Value {
    let of = |one: &Measured| {
        let rows = ROWS
            .iter()
            .map(|(what, write)| ((*what).to_owned(), json!(write(one))));
        json!({"name": one.name, "measured": rows.collect::<serde_json::Map<_, _>>()})
    };
    results.iter().map(of).collect()
}

fn ms(time: std::time::Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    match ms < 10.0 {
        true => format!("{ms:.2}"),
        false => format!("{ms:.0}"),
    }
}

fn a_tool(count: usize, one: &Measured) -> String {
    let each = count as f64 / one.tools.max(1) as f64;
    format!("{each:.0}")
}
