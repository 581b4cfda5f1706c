//! What each tool's table has at least: an empty result, its bounds, an account without the right, the sources on record, and a
//! person's card where it changes something. A fault in the middle is in `interrupted.rs`, and what the service documents in
//! `documented.rs`, for every tool as well.
//!
//! A tool without a row fails the tests.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use portcullis::Outcome;
use portcullis::policy::{Effect, Mode};
use portcullis::ports::audit::Event;
use serde_json::Value;

mod rows;

use rows::{DONE, Row, changes, reads};

use super::requests::{examples, ready, tools};
use crate::support::ended;
use crate::writes::desk::{Desk, held, said};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_tool_has_its_columns() {
    let sample = Desk::new(Mode::Allow).await;
    let rows: Vec<Row> = reads().into_iter().chain(changes()).collect();
    let known: BTreeSet<&str> = rows.iter().map(|row| row.tool).collect();
    let tools = tools(&sample);
    for (tool, _) in &tools {
        assert!(known.contains(tool.as_str()), "`{tool}` has no row");
    }
    assert_eq!(rows.len(), tools.len());
    let examples = examples(&sample).await;
    let (mut text, mut others) = (String::new(), Vec::new());
    for row in rows {
        let (_, effect) = tools.iter().find(|(tool, _)| tool == row.tool).unwrap();
        let (_, [ordinary, _]) = examples.iter().find(|(tool, _)| *tool == row.tool).unwrap();
        writeln!(text, "{}", row.tool).unwrap();
        let cells = [
            ("empty", "", row.empty),
            ("bounds", "", Some(row.bounds)),
            ("without the right", row.user, Some(row.without_right)),
        ];
        for (column, user, cell) in cells {
            let Some((arguments, end)) = cell else {
                writeln!(text, "  {column}: there is no such thing").unwrap();
                continue;
            };
            let desk = Desk::of(user, Mode::Allow).await;
            let reply = desk.call(row.tool, arguments.clone()).await;
            // Of those that change something none is done, so nothing is changed.
            if ended(&reply) != end {
                others.push(format!("{} {column}: {reply:?}", row.tool));
            }
            let read = match &reply.outcome {
                Outcome::Done(output) => desk.plain(&output.text),
                Outcome::Failed(failure) => desk.plain(&said(failure)),
                other => format!("{other:?}"),
            };
            let first: String = read
                .lines()
                .next()
                .unwrap_or_default()
                .chars()
                .take(160)
                .collect();
            writeln!(text, "  {column}: {first}").unwrap();
        }
        writeln!(text, "  sources: {}", sources(row.tool, ordinary).await).unwrap();
        if *effect != Effect::Read {
            writeln!(text, "  card: {}", card(row.tool, ordinary).await).unwrap();
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n\n"));
    insta::assert_snapshot!("columns", text);
}

/// Makes the ordinary call, and gives the kinds that are on record as its sources.
async fn sources(tool: &str, arguments: &Value) -> String {
    let desk = Desk::new(Mode::Allow).await;
    let arguments = ready(&desk, tool, arguments).await;
    let reply = desk.call(tool, arguments).await;
    assert_eq!(ended(&reply), DONE, "{tool}: {reply:?}");
    let mut kinds = BTreeSet::new();
    for record in desk.world.records(&reply) {
        if let Event::Cited(sources) = record.event {
            kinds.extend(sources.into_iter().map(|source| source.kind));
        }
    }
    kinds.into_iter().collect::<Vec<_>>().join(", ")
}

/// Makes the ordinary call where a person is asked, and gives the card's first line: nothing is changed before the person says yes.
async fn card(tool: &str, arguments: &Value) -> String {
    let desk = Desk::new(Mode::Ask).await;
    let arguments = ready(&desk, tool, arguments).await;
    let reply = desk.call(tool, arguments).await;
    assert!(reply.sent.is_empty(), "{tool}: {:?}", reply.sent);
    let card = desk.plain(&held(&reply).card.text());
    card.lines().next().unwrap_or_default().to_owned()
}
