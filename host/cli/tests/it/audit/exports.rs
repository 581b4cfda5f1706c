//! What was done, for other programs.

use serde_json::Value;

use super::steady::{steady, steady_json};
use super::support::{run, some_calls};

#[tokio::test(flavor = "multi_thread")]
async fn exports_have_what_other_programs_ask_for() {
    let (home, _org) = some_calls().await;
    let export = async |format: &str| {
        run(&home, "ada", &["audit", "export", "--format", format])
            .await
            .stdout
    };
    let csv = export("csv").await;
    insta::assert_snapshot!("csv", steady(&without_durations(&csv)));
    for format in ["jsonl", "ocsf"] {
        let lines = export(format).await;
        let mut calls: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(calls.len(), 4);
        if format == "ocsf" {
            calls.iter().for_each(is_api_activity);
        }
        calls.iter_mut().for_each(steady_json);
        insta::assert_json_snapshot!(format, calls);
    }
    let file = home.folder.path().join("out.csv");
    let file = file.to_str().unwrap();
    let said = run(
        &home,
        "ada",
        &["audit", "export", "--format", "csv", "--out", file],
    )
    .await;
    assert!(said.stdout.contains("4 calls are in"), "{}", said.stdout);
    assert_eq!(std::fs::read_to_string(file).unwrap(), csv);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        assert_eq!(std::fs::metadata(file).unwrap().mode() & 0o777, 0o600);
    }
    let said = run(
        &home,
        "ada",
        &["audit", "export", "--format", "csv", "--out", file],
    )
    .await;
    assert_eq!(said.code, 2, "it is there already");
    assert!(
        said.stderr.contains("is there already") && said.stderr.contains("with `--out`"),
        "{}",
        said.stderr
    );
}

/// CSV without how long each call took.
fn without_durations(csv: &str) -> String {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let head = reader.headers().unwrap().clone();
    let took = head.iter().position(|name| name == "duration_ms").unwrap();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&head).unwrap();
    for row in reader.records() {
        let row = row.unwrap();
        let cells = row.iter().enumerate();
        let cells = cells.map(|(column, cell)| if column == took { "N" } else { cell });
        writer.write_record(cells).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// What the schema requires of an event of class 6003 (OCSF 1.8.0).
fn is_api_activity(event: &Value) {
    for required in [
        "activity_id",
        "actor",
        "api",
        "category_uid",
        "class_uid",
        "metadata",
        "severity_id",
        "src_endpoint",
        "time",
        "type_uid",
    ] {
        assert!(!event[required].is_null(), "{required}: {event}");
    }
    assert_eq!(
        (&event["class_uid"], &event["category_uid"]),
        (&6003.into(), &6.into())
    );
    let activity = event["activity_id"].as_u64().unwrap();
    assert_eq!(event["type_uid"], 600_300 + activity);
    assert!(event["api"]["operation"].is_string() && event["actor"]["user"]["uid"].is_string());
    assert!(event["metadata"]["product"]["vendor_name"].is_string());
    assert_eq!(event["metadata"]["version"], "1.8.0");
}
