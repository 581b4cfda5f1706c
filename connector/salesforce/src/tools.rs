//! The list of tools: names, words for models and people, and which function runs each.

use portcullis_sdk::{NoArguments, Tool};

use crate::host::Live;
use crate::{files, insight, org, records, schema, writes};

/// Lists every tool, in the order in which a model is best told of them.
#[must_use]
pub fn all() -> Vec<Tool> {
    vec![
        Tool::read(
            "get_identity",
            "Who is signed in",
            "org",
            "Says who is signed in and to which org: user, time zone, organization, production or sandbox, API \
             version, API requests used today. Use it first when that matters.",
            |_: NoArguments| org::get_identity(&Live::default()),
        )
        .output::<org::Identified>(),
        Tool::read(
            "list_objects",
            "List objects",
            "schema",
            "Finds objects (tables) by API name or label. Use it when an object's API name is unknown. Returns name, \
             label and id prefix, and how many were left out.",
            |args| schema::list_objects(&Live::default(), &args),
        )
        .output::<schema::Listed>(),
        Tool::read(
            "describe_object",
            "Describe an object",
            "schema",
            "Describes an object's fields (type, what is required), parent and child relationships, record types or \
             picklist values; narrow it by name or type. Use it before a query on fields you have not seen.",
            |args| schema::describe_object(&Live::default(), &args),
        )
        .output::<schema::Described>(),
        Tool::read(
            "query",
            "Query records",
            "records",
            "Runs a SOQL query and returns a table. Takes parent fields (Account.Name), child subqueries, aggregates \
             and FIELDS(STANDARD). Unknown names are answered with the nearest ones. Give only the fields you need, and a \
             LIMIT.",
            |args| records::query(&Live::default(), &args),
        )
        .output::<records::Rows>(),
        Tool::read(
            "query_next",
            "Next page of a query",
            "records",
            "Returns the next rows of a query, by the cursor of its answer.",
            |args| records::query_next(&Live::default(), &args),
        )
        .output::<records::Rows>(),
        Tool::read(
            "get_record",
            "Get a record",
            "records",
            "Returns one record by its id or by an external id: the fields asked for, or all that are set.",
            |args| records::get_record(&Live::default(), &args),
        )
        .output::<records::Record>(),
        Tool::read(
            "get_account_overview",
            "Look an account over",
            "insight",
            "Returns an account with its open opportunities and cases, contacts, tasks and events, e.g. {\"account\": \"Acme\"}. \
             Use it before a meeting or a summary, instead of several queries. Where there is more it names the query that \
             gets it.",
            |args| insight::get_account_overview(&Live::default(), &args),
        )
        .output::<insight::Overview>(),
        Tool::read(
            "get_pipeline",
            "Sum up the pipeline",
            "insight",
            "Sums up open opportunities by stage and by owner: count, amount, amount weighted by probability, e.g. {\"owner\": \
             \"me\", \"close\": \"THIS_QUARTER\"}. query gets the opportunities themselves.",
            |args| insight::get_pipeline(&Live::default(), &args),
        )
        .output::<insight::Pipeline>(),
        Tool::read(
            "list_reports",
            "List reports",
            "insight",
            "Finds the org's reports, those run last first, e.g. {\"text\": \"pipeline\"}. Use it where somebody may have asked \
             the same before. Returns id, name, folder, format; then run_report.",
            |args| insight::list_reports(&Live::default(), &args),
        )
        .output::<insight::Reports>(),
        Tool::read(
            "describe_report",
            "Describe a report",
            "insight",
            "Says what a report asks for, e.g. {\"id\": \"00O…\"}: columns, groups, sums, dates and filters. Use it to \
             understand its numbers, or to ask for others by query.",
            |args| insight::describe_report(&Live::default(), &args),
        )
        .output::<insight::ReportDescribed>(),
        Tool::read(
            "run_report",
            "Run a report",
            "insight",
            "Runs a report as it is saved, e.g. {\"id\": \"00O…\"}, and returns its sums by group, or its rows. For other \
             filters use query.",
            |args| insight::run_report(&Live::default(), &args),
        )
        .output::<insight::ReportRun>(),
        Tool::read(
            "list_files",
            "List files",
            "files",
            "Finds files, those changed last first: of a record, e.g. {\"record_id\": \"001…\"}, or by title. Returns id, title, \
             type, size; then read_file.",
            |args| files::list_files(&Live::default(), &args),
        )
        .output::<files::Files>(),
        Tool::read(
            "read_file",
            "Read a file",
            "files",
            "Returns what is in a file that holds text (plain, CSV, JSON, HTML, XML, notes), page by page; of others type and \
             size.",
            |args| files::read_file(&Live::default(), &args),
        )
        .output::<files::FileRead>(),
        Tool::write(
            "update_record",
            "Update a record",
            "changes",
            "Changes fields of one record, unless somebody else changed it meanwhile, e.g. {\"object\": \"Lead\", \"id\": \
             \"00Q…\", \"fields\": {\"Status\": \"Closed\"}}. Returns each field before and after, and what is not stored as \
             asked. Values that do not fit are answered with those that do; describe_object lists fields.",
            |args| writes::update_record(&Live::default(), &args),
        )
        .idempotent()
        .output::<writes::Written>(),
        Tool::write(
            "create_record",
            "Create a record",
            "changes",
            "Makes one record, e.g. {\"object\": \"Contact\", \"fields\": {\"LastName\": \"Li\", \"AccountId\": \"001…\"}}. Query \
             first whether it exists. Returns its id and what is stored. Where a failure leaves open whether it was made, \
             run the query named there before trying again.",
            |args| writes::create_record(&Live::default(), &args),
        )
        .output::<writes::Written>(),
        Tool::write(
            "upload_file",
            "Upload a file",
            "files",
            "Makes a file, e.g. {\"name\": \"Notes.md\", \"text\": \"…\", \"record_id\": \"001…\"}. Returns its id. Where a failure \
             leaves open whether it was made, run the query named there before trying again.",
            |args| files::upload_file(&Live::default(), &args),
        )
        .output::<files::Uploaded>(),
        Tool::destructive(
            "delete_record",
            "Delete a record",
            "destructive",
            "Moves one record to the recycle bin, with the records that belong to it. Returns how many went with it and how \
             to restore it.",
            |args| writes::delete_record(&Live::default(), &args),
        )
        .idempotent()
        .output::<writes::Written>(),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::json::Json;

    #[test]
    fn definitions_are_as_published() {
        let mut text = String::new();
        for tool in all() {
            let tool = tool.describe();
            text.push_str(&format!(
                "{}: {}\n{}\n\n",
                tool.name, tool.description, tool.input_schema
            ));
        }
        insta::assert_snapshot!(text);
    }

    #[test]
    fn tools_fit_the_manifest() {
        let manifest = Json::parse(crate::MANIFEST).unwrap();
        let toolsets = manifest.get("toolsets").unwrap();
        for tool in all() {
            let tool = tool.describe();
            assert!(toolsets.get(&tool.toolset).is_some(), "{}", tool.toolset);
            let effect = match (tool.toolset.as_str(), tool.name.as_str()) {
                ("changes", _) | (_, "upload_file") => portcullis_sdk::Effect::Write,
                ("destructive", _) => portcullis_sdk::Effect::Destructive,
                _ => portcullis_sdk::Effect::Read,
            };
            assert_eq!(tool.effect, effect, "{}", tool.name);
            // A second record is one too many.
            let adds = ["create_record", "upload_file"].contains(&tool.name.as_str());
            assert_eq!(tool.idempotent, !adds);
            assert!(tool.output_schema.is_some());
        }
    }
}
