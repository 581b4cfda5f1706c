//! The list of tools: names, words for models and people, and which function runs each.

use portcullis_sdk::{NoArguments, Tool};

use crate::host::Live;
use crate::{org, records, schema, writes};

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
            "Finds records that could be the same by name, e-mail, phone or web site, e.g. {\"object\": \"Lead\", \"fields\": \
             {\"LastName\": \"Li\", \"Email\": \"li@acme.example\"}}. Use it before creating one. Says in what each agrees.",
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
    fn definitions_are_small_and_as_published() {
        let mut text = String::new();
        for tool in all() {
            let tool = tool.describe();
            text.push_str(&format!(
                "{}: {}\n{}\n\n",
                tool.name, tool.description, tool.input_schema
            ));
        }
        // About four characters a token; all tools have 8,000 together.
        assert!(text.len() / 4 < 8_000, "{} tokens", text.len() / 4);
        insta::assert_snapshot!(text);
    }

    #[test]
    fn tools_fit_the_manifest() {
        let manifest = Json::parse(crate::MANIFEST).unwrap();
        let toolsets = manifest.get("toolsets").unwrap();
        for tool in all() {
            let tool = tool.describe();
            assert!(toolsets.get(&tool.toolset).is_some(), "{}", tool.toolset);
            let effect = match tool.toolset.as_str() {
                "changes" => portcullis_sdk::Effect::Write,
                "destructive" => portcullis_sdk::Effect::Destructive,
                _ => portcullis_sdk::Effect::Read,
            };
            assert_eq!(tool.effect, effect, "{}", tool.name);
            // A second record is one too many.
            assert_eq!(tool.idempotent, tool.name != "create_record");
            assert!(tool.output_schema.is_some());
        }
    }
}
