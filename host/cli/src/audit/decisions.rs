//! `portcullis audit export --decisions`: what people decided, for other programs.

use std::io::Write;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::export::harmless;
use super::ocsf::{VERSION, product};
use crate::activity::decided::{COLUMNS, Line};
use crate::args::audit::ExportFormat;

/// The class of the schema that events of decisions have: Entity Management, <https://schema.ocsf.io/1.8.0/classes/entity_management>.
const CATEGORY: u32 = 3;
const CLASS: u32 = 3004;

/// Writes decisions out.
pub(super) fn write(lines: &[Line], format: ExportFormat, mut out: impl Write) -> Result<()> {
    match format {
        ExportFormat::Csv => {
            let mut writer = csv::WriterBuilder::new()
                .terminator(csv::Terminator::CRLF)
                .from_writer(out);
            writer.write_record(COLUMNS)?;
            for line in lines {
                writer.write_record(line.cells().map(|cell| harmless(&cell)))?;
            }
            writer.flush().context("the export could not be written")
        }
        ExportFormat::Jsonl | ExportFormat::Ocsf => {
            for line in lines {
                let value = match format {
                    ExportFormat::Ocsf => event(line),
                    _ => line.json(),
                };
                serde_json::to_writer(&mut out, &value)?;
                writeln!(out)?;
            }
            Ok(out.flush()?)
        }
    }
}

/// Makes an event of a decision.
fn event(line: &Line) -> Value {
    let (activity, activity_name) = match (&line.from, &line.to) {
        (None, Some(_)) => (1, "Create"),
        (Some(_), None) => (4, "Delete"),
        _ => (3, "Update"),
    };
    let (status_id, status) = match line.is_undone {
        false => (1, "Success"),
        true => (2, "Failure"),
    };
    json!({
        "activity_id": activity,
        "activity_name": activity_name,
        "category_uid": CATEGORY,
        "category_name": "Identity & Access Management",
        "class_uid": CLASS,
        "class_name": "Entity Management",
        "type_uid": CLASS * 100 + activity,
        "type_name": format!("Entity Management: {activity_name}"),
        "severity_id": 1,
        "severity": "Informational",
        "time": line.at.as_millisecond(),
        "timezone_offset": 0,
        "status_id": status_id,
        "status": status,
        "metadata": { "version": VERSION, "log_name": "audit", "product": product() },
        "actor": {
            "user": { "uid": line.person, "name": line.person, "type_id": 1, "type": "User" },
        },
        "entity": { "type": line.kind, "name": line.subject },
        "unmapped": line.json(),
    })
}
