//! What definitions and answers cost a model, counted by the vocabulary `o200k`; the table in `README.md` is made here.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and what it counted is worth reading"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::json::Json;
use crate::testing::Org;

/// The definitions of all tools together, output schemas not counted.
const DEFINITIONS_MAX: usize = 8_000;
/// The default answer about the fields of a real org's Account.
const DESCRIBE_MAX: usize = 2_500;
/// What an answer may have over a bare table of the same values, in hundredths of that.
const OVER_A_TABLE_MAX: f64 = 5.0;

fn count(text: &str) -> usize {
    bpe_openai::o200k_base().count(text)
}

#[test]
fn definitions_and_answers_cost_few_tokens() {
    let mut rows = Vec::new();
    let mut all = 0;
    for (toolset, tools, tokens) in toolsets() {
        all += tokens;
        let words = if tools == 1 { "tool" } else { "tools" };
        rows.push((
            format!("definitions of `{toolset}`, {tools} {words}"),
            tokens.to_string(),
            String::new(),
        ));
    }
    assert!(all < DEFINITIONS_MAX, "{all} tokens");
    rows.push((
        "definitions of all tools".to_owned(),
        all.to_string(),
        format!("< {DEFINITIONS_MAX}"),
    ));

    let (table, answer) = records();
    #[allow(clippy::cast_precision_loss, reason = "tokens are few")]
    let over = (answer as f64 / table as f64 - 1.0) * 100.0;
    assert!(
        over <= OVER_A_TABLE_MAX,
        "{answer} tokens, where a table has {table}"
    );
    rows.push((
        format!("128 records of 10 fields, beside the {table} of a bare table of the same values"),
        format!("{answer} ({over:+.1} %)"),
        format!("≤ +{OVER_A_TABLE_MAX} %"),
    ));

    if let Some(tokens) = describe() {
        assert!(tokens < DESCRIBE_MAX, "{tokens} tokens");
        rows.push((
            DESCRIBED.to_owned(),
            tokens.to_string(),
            format!("< {DESCRIBE_MAX}"),
        ));
    }
    hold(&rows);
}

const DESCRIBED: &str =
    "`describe_object` of a real org's Account, with nothing but its name given";

/// Counts the tools of each toolset and their definitions, in the order of the tools.
fn toolsets() -> Vec<(String, usize, usize)> {
    let mut toolsets: Vec<(String, usize, usize)> = Vec::new();
    for tool in crate::tools() {
        let tool = tool.describe();
        let schema = Json::parse(&tool.input_schema).unwrap();
        let definition = Json::object([
            ("name", tool.name.into()),
            ("title", tool.title.into()),
            ("description", tool.description.into()),
            ("inputSchema", schema),
        ]);
        let tokens = count(&definition.text());
        match toolsets.iter_mut().find(|(name, ..)| *name == tool.toolset) {
            Some((_, tools, all)) => {
                *tools += 1;
                *all += tokens;
            }
            None => toolsets.push((tool.toolset, 1, tokens)),
        }
    }
    toolsets
}

/// The columns of [`accounts`].
const COLUMNS: [&str; 10] = [
    "Id",
    "Name",
    "Industry",
    "AnnualRevenue",
    "Phone",
    "Website",
    "BillingCity",
    "OwnerId",
    "CreatedDate",
    "Description",
];

/// Makes 128 accounts as they may be: some values missing, some with what a table must escape.
fn accounts() -> Vec<[Option<String>; 10]> {
    let words = [
        "Northern",
        "Delta",
        "Blue | Green",
        "Quartz",
        "Harbour",
        "O'Hara",
        "Müller",
        "Sunrise",
    ];
    (0..128)
        .map(|n: u32| {
            let word = words[n as usize % words.len()];
            let text = |text: String| Some(text);
            [
                text(format!("001DO000000{n:04}YAA")),
                text(format!("{word} Works {n}")),
                text(["Banking", "Energy", "Manufacturing"][n as usize % 3].to_owned()),
                (!n.is_multiple_of(4)).then(|| format!("{}.0", n * 125_000 + 480)),
                text(format!("(415) 555-{:04}", n * 37 % 10_000)),
                (!n.is_multiple_of(3)).then(|| {
                    format!(
                        "https://www.{}-{n}.example",
                        word.to_lowercase().replace([' ', '|', '\''], "")
                    )
                }),
                text(["Rome", "San Francisco", "Zürich", "Osaka"][n as usize % 4].to_owned()),
                text(format!("005DO0000000{:03}AAA", n % 7)),
                text(format!(
                    "2026-{:02}-{:02}T08:{:02}:00.000+0000",
                    n % 12 + 1,
                    n % 28 + 1,
                    n % 60
                )),
                n.is_multiple_of(5)
                    .then(|| format!("Met at the fair in hall {n}.\nWants an offer by spring.")),
            ]
        })
        .collect()
}

/// Counts a table of 128 accounts without anything around it, and the answer of `query`.
fn records() -> (usize, usize) {
    let rows = accounts();
    let cells = |row: &[Option<String>; 10]| {
        row.iter()
            .map(|cell| cell.clone().unwrap_or_default())
            .collect::<Vec<_>>()
            .join("|")
    };
    let bare: Vec<String> = std::iter::once(COLUMNS.join("|"))
        .chain(rows.iter().map(cells))
        .collect();

    let records = rows.iter().map(|row| {
        let value = |(name, cell): (&&'static str, &Option<String>)| {
            let value = match (cell, *name) {
                (None, _) => Json::Null,
                (Some(digits), "AnnualRevenue") => Json::Number(digits.as_str().into()),
                (Some(text), _) => Json::from(text.as_str()),
            };
            (*name, value)
        };
        let attributes = Json::object([
            ("type", "Account".into()),
            ("url", "/services/data/v68.0/sobjects/Account/001".into()),
        ]);
        let members = COLUMNS.iter().zip(row).map(value);
        Json::object(std::iter::once(("attributes", attributes)).chain(members))
    });
    let reply = Json::object([
        ("totalSize", 128.into()),
        ("done", Json::Bool(true)),
        ("records", Json::Array(records.collect())),
    ]);
    let org = Org::new().answer("/services/data/v68.0/query", 200, &reply.text());
    let soql = format!("SELECT {} FROM Account", COLUMNS.join(", "));
    let args = serde_json::from_value(serde_json::json!({ "soql": soql })).unwrap();
    let answer = crate::records::query(&org, &args).unwrap();
    (count(&bare.join("\n")), count(&answer.text))
}

/// Counts the default answer about the recorded Account, where the recordings are.
fn describe() -> Option<usize> {
    let folder = std::env::var_os("SALESFORCE_REFERENCE").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| root().join("../shared/reference/salesforce"));
    let recorded = std::fs::read_to_string(folder.join("describe-Account.json")).ok()?;
    let path = "/services/data/v68.0/sobjects/Account/describe";
    let org = Org::without_answers().answer(path, 200, &recorded);
    let args = serde_json::from_str(r#"{"object": "Account"}"#).unwrap();
    let answer = crate::schema::describe_object(&org, &args).unwrap();
    Some(count(&answer.text))
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Prints the table, and holds that of `README.md` to it; `INSTA_UPDATE=always` writes it there, as it does snapshots.
fn hold(rows: &[(String, String, String)]) {
    const BEGIN: &str = "<!-- tokens: made by a test -->\n";
    const END: &str = "<!-- end of tokens -->";
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (kept, after) = rest.split_once(END).unwrap();
    let kept: BTreeMap<&str, &str> = kept
        .lines()
        .filter_map(|line| Some((line.strip_prefix("| ")?.split(" | ").next()?, line)))
        .collect();
    let mut lines = vec![
        "| what | tokens | aim |".to_owned(),
        "| --- | --- | --- |".to_owned(),
    ];
    for (what, tokens, aim) in rows {
        lines.push(format!("| {what} | {tokens} | {aim} |"));
    }
    // Where the recording is not at hand, what was measured with it stays.
    if !rows.iter().any(|(what, ..)| what == DESCRIBED) {
        lines.extend(kept.get(DESCRIBED).map(|line| (*line).to_owned()));
    }
    let table = format!("{}\n", lines.join("\n"));
    println!("{table}");
    let expected = format!("{before}{BEGIN}{table}{END}{after}");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, &expected).unwrap();
        return;
    }
    assert!(
        readme == expected,
        "README.md has another table: `just snapshots` writes this one\n{table}"
    );
}
