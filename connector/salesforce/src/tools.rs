//! The list of tools: names, words for models and people, and which function runs each.
//!
//! Words and arguments that change here change `tools.json`, too, which is what hosts and reviewers read: a test makes it of them.

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
            "get_org_limits",
            "Show the org's limits",
            "org",
            "Says how much of the org's limits is used (API requests, storage, jobs, mail), the fullest first. Use it before many \
             calls, or after REQUEST_LIMIT_EXCEEDED.",
            |args| org::get_org_limits(&Live::default(), &args),
        )
        .output::<org::OrgLimits>(),
        Tool::read(
            "find_users",
            "Find users and queues",
            "org",
            "Finds users, or queues, by name, e-mail address or id, e.g. {\"text\": \"dana\"}. Use it for the id of an owner, or \
             whose id one is.",
            |args| org::find_users(&Live::default(), &args),
        )
        .output::<records::Rows>(),
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
            "get_picklist_values",
            "List a picklist's values",
            "schema",
            "Lists the values a picklist takes, for a record type or a controlling value, e.g. {\"object\": \"Case\", \"field\": \
             \"Reason\"}. Use it before writing one; write the value, not the label.",
            |args| schema::get_picklist_values(&Live::default(), &args),
        )
        .output::<schema::PicklistValues>(),
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
            "search",
            "Search records",
            "records",
            "Finds records of several objects by words, e.g. {\"text\": \"Acme*\", \"objects\": [\"Account\"]}. Use it where you know a \
             word and not the field; query for conditions. Returns a table for each object.",
            |args| records::search(&Live::default(), &args),
        )
        .output::<records::Found>(),
        Tool::read(
            "get_record",
            "Get a record",
            "records",
            "Returns one record by its id or by an external id: the fields asked for, or all that are set.",
            |args| records::get_record(&Live::default(), &args),
        )
        .output::<records::Record>(),
        Tool::read(
            "get_related_records",
            "Get related records",
            "records",
            "Returns the children of a record by a relationship, e.g. {\"object\": \"Account\", \"id\": \"001…\", \"relationship\": \
             \"Contacts\"}. describe_object lists relationships (parts: children).",
            |args| records::get_related_records(&Live::default(), &args),
        )
        .output::<records::Rows>(),
        Tool::read(
            "list_recent",
            "List recent records",
            "records",
            "Lists the records that the user viewed or used last. Use it for \"the account I just looked at\".",
            |args| records::list_recent(&Live::default(), &args),
        )
        .output::<records::Rows>(),
        Tool::read(
            "list_views",
            "List list views",
            "records",
            "Lists an object's list views. get_list_view shows one's records.",
            |args| records::list_views(&Live::default(), &args),
        )
        .output::<records::Views>(),
        Tool::read(
            "get_list_view",
            "Get a list view",
            "records",
            "Returns the records of a list view, in its columns and order, e.g. {\"object\": \"Case\", \"view\": \"My Open Cases\"}.",
            |args| records::get_list_view(&Live::default(), &args),
        )
        .output::<records::Rows>(),
        Tool::read(
            "find_duplicates",
            "Find duplicates",
            "records",
            "Finds records that could be the same by name, e-mail, phone or web site, or by the org's duplicate rules, e.g. \
             {\"object\": \"Lead\", \"fields\": {\"LastName\": \"Li\", \"Email\": \"li@acme.example\"}}. Use it before creating \
             one. Says in what each agrees.",
            |args| records::find_duplicates(&Live::default(), &args),
        )
        .output::<records::Rows>(),
        Tool::read(
            "get_deleted_records",
            "List deleted records",
            "records",
            "Lists an object's records in the recycle bin, the last deleted first. Use it for the id to undelete.",
            |args| records::get_deleted_records(&Live::default(), &args),
        )
        .output::<records::Rows>(),
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
            "Runs a report, e.g. {\"id\": \"00O…\"}, as it is saved or by other filters, and returns its sums by group, or its \
             rows.",
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
            "upsert_record",
            "Update or create a record by an external id",
            "changes",
            "Changes the record with an external id, or makes it, e.g. {\"object\": \"Account\", \"key\": \"Ext__c\", \"value\": \
             \"K-1\", \"fields\": {…}}. Use it to bring data over from another system.",
            |args| writes::upsert_record(&Live::default(), &args),
        )
        .idempotent()
        .output::<writes::Written>(),
        Tool::write(
            "update_records",
            "Update many records",
            "changes",
            "Changes up to 200 records of one object, e.g. {\"object\": \"Lead\", \"records\": [{\"Id\": \"00Q…\", \"Status\": \
             \"Closed\"}]}. Some may fail while others are changed: returns which, and what is not stored as asked.",
            |args| writes::update_records(&Live::default(), &args),
        )
        .idempotent()
        .output::<writes::ManyWritten>(),
        Tool::write(
            "create_records",
            "Create many records",
            "changes",
            "Makes up to 200 records of one object. Some may fail while others are made: returns the ids, and which failed \
             and why, by their place in the call.",
            |args| writes::create_records(&Live::default(), &args),
        )
        .output::<writes::ManyWritten>(),
        Tool::write(
            "undelete_record",
            "Restore a deleted record",
            "changes",
            "Takes one record out of the recycle bin, with what was deleted along with it.",
            |args| writes::undelete_record(&Live::default(), &args),
        )
        .idempotent()
        .output::<writes::Written>(),
        Tool::write(
            "create_task",
            "Create a task",
            "activity",
            "Makes a task, e.g. {\"subject\": \"Send quote\", \"due\": \"2026-11-27\", \"about\": \"006…\"}. For a call that took \
             place use log_call.",
            |args| writes::create_task(&Live::default(), &args),
        )
        .output::<writes::Written>(),
        Tool::write(
            "complete_task",
            "Complete a task",
            "activity",
            "Sets a task's status to completed.",
            |args| writes::complete_task(&Live::default(), &args),
        )
        .idempotent()
        .output::<writes::Written>(),
        Tool::write(
            "log_call",
            "Log a call",
            "activity",
            "Logs a call that took place, as a completed task.",
            |args| writes::log_call(&Live::default(), &args),
        )
        .output::<writes::Written>(),
        Tool::write(
            "create_event",
            "Create an event",
            "activity",
            "Puts an event into a calendar of the org. get_identity says the user's time zone.",
            |args| writes::create_event(&Live::default(), &args),
        )
        .output::<writes::Written>(),
        Tool::write(
            "add_note",
            "Add a note",
            "activity",
            "Adds a note to a record. Who sees the record sees it.",
            |args| writes::add_note(&Live::default(), &args),
        )
        .output::<writes::Written>(),
        Tool::write(
            "assign_owner",
            "Assign an owner",
            "sales",
            "Gives a record to a user or queue, by name, e.g. {\"object\": \"Case\", \"id\": \"500…\", \"owner\": \"Support Tier 1\"}. \
             A name that several have, or nobody, is answered with the candidates.",
            |args| writes::assign_owner(&Live::default(), &args),
        )
        .idempotent()
        .output::<writes::Written>(),
        Tool::write(
            "set_campaign_member",
            "Set a campaign member",
            "sales",
            "Adds a lead or contact to a campaign, or sets the member's status.",
            |args| writes::set_campaign_member(&Live::default(), &args),
        )
        .idempotent()
        .output::<writes::Written>(),
        Tool::write(
            "add_case_comment",
            "Comment on a case",
            "service",
            "Adds a comment to a case, for colleagues unless it is public.",
            |args| writes::add_case_comment(&Live::default(), &args),
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
        Tool::destructive(
            "delete_records",
            "Delete many records",
            "destructive",
            "Moves up to 200 records of one object to the recycle bin, with what belongs to them. Some may fail while others \
             are deleted: returns which.",
            |args| writes::delete_records(&Live::default(), &args),
        )
        .idempotent()
        .output::<writes::ManyWritten>(),
        Tool::destructive(
            "convert_lead",
            "Convert a lead",
            "destructive",
            "Turns a lead into an account, a contact and an opportunity, or into ones that are there. Look for the company's \
             account first. Cannot be undone. Returns their ids.",
            |args| writes::convert_lead(&Live::default(), &args),
        )
        .output::<writes::Converted>(),
        Tool::destructive(
            "merge_records",
            "Merge records",
            "destructive",
            "Makes one record of two or three, e.g. {\"object\": \"Contact\", \"keep\": \"003…\", \"lose\": [\"003…\"], \"fields\": \
             {\"Phone\": \"…\"}}. What belongs to the others moves to the one kept; their own values are lost unless given in \
             `fields`: compare them with get_record first.",
            |args| writes::merge_records(&Live::default(), &args),
        )
        .output::<writes::Written>(),
        Tool::destructive(
            "send_email",
            "Send an e-mail",
            "destructive",
            "Sends a message from the signed-in user. Where a failure leaves open whether it was sent, do not send it again \
             unasked.",
            |args| writes::send_email(&Live::default(), &args),
        )
        .output::<writes::Mailed>(),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::json::Json;

    /// A component does not make its schemas of the structs, so that what it says of its tools is in a file. Holds that to them;
    /// `INSTA_UPDATE=always` writes it, as it does snapshots.
    #[test]
    fn definitions_are_as_published() {
        let made = portcullis_sdk::definitions(all());
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tools.json");
            std::fs::write(file, &made).unwrap();
            return;
        }
        assert!(
            crate::definitions() == made,
            "the tools are others than those of `tools.json`: `just snapshots` writes it, and the component is built with it"
        );
    }

    #[test]
    fn tools_fit_the_manifest() {
        let manifest = Json::parse(&crate::manifest()).unwrap();
        let toolsets = manifest.get("toolsets").unwrap();
        for tool in all() {
            let tool = tool.describe();
            assert!(toolsets.get(&tool.toolset).is_some(), "{}", tool.toolset);
            let effect = match (tool.toolset.as_str(), tool.name.as_str()) {
                ("changes" | "activity" | "sales" | "service", _) | (_, "upload_file") => {
                    portcullis_sdk::Effect::Write
                }
                ("destructive", _) => portcullis_sdk::Effect::Destructive,
                _ => portcullis_sdk::Effect::Read,
            };
            assert_eq!(tool.effect, effect, "{}", tool.name);
            // A second record, or a second message, is one too many.
            let makes = [
                "create_", "log_call", "add_", "upload_", "convert_", "merge_", "send_",
            ];
            let makes_more = makes.iter().any(|start| tool.name.starts_with(start));
            assert_eq!(tool.idempotent, !makes_more, "{}", tool.name);
            assert!(tool.output_schema.is_some());
        }
    }
}
