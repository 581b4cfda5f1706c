//! The rows: of each tool the call in which nothing is found, one beyond its bounds, and one of an account without the right.

use serde_json::{Value, json};

use crate::writes::desk::{ACCOUNT, SALE};

const CAMPAIGN: &str = "701DO0000000001YAA";
const CASE: &str = "500DO0000000001YAA";
const LEAD: &str = "00QDO00000000012AA";
const LEAD_2: &str = "00QDO00000000022AA";
/// Of no record.
const NOBODY: &str = "001DO0000zzzzzzAAA";

pub const DONE: &str = "done";
const INVALID: &str = "failed invalid_arguments";
const MISSING: &str = "failed not_found";
const NOT_PERMITTED: &str = "failed not_permitted";

/// A call, and how it ends.
pub type Cell = (Value, &'static str);

pub struct Row {
    pub tool: &'static str,
    /// Where nothing is found, or nothing is to do. None: there is no such thing.
    pub empty: Option<Cell>,
    /// One beyond what it takes.
    pub bounds: Cell,
    /// The user whose name begins so may not do it.
    pub user: &'static str,
    pub without_right: Cell,
}

/// Makes a row of a tool that an account without the API may not use either: it has nothing that depends on rights.
fn of_all(tool: &'static str, empty: Option<Cell>, bounds: Value) -> Row {
    Row {
        tool,
        empty,
        bounds: (bounds, INVALID),
        user: "kofi",
        without_right: (json!({}), NOT_PERMITTED),
    }
}

fn row(
    tool: &'static str,
    empty: Option<Cell>,
    bounds: Value,
    user: &'static str,
    without_right: Cell,
) -> Row {
    Row {
        tool,
        empty,
        bounds: (bounds, INVALID),
        user,
        without_right,
    }
}

pub fn reads() -> Vec<Row> {
    let sale = json!({ "object": "Opportunity" });
    let of_sale = |more: Value| -> Value {
        let mut call = sale.clone();
        call.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        call
    };
    let related = |id: &str, narrowed: &str, limit: u32| json!({"object": "Account", "id": id, "relationship": "Contacts", "where": narrowed, "limit": limit});
    let deals = json!({"object": "Account", "id": ACCOUNT, "relationship": "Opportunities"});
    let of_lead = |name: &str| json!({"object": "Lead", "fields": {"LastName": name, "Email": "nobody@zebra.example"}});
    let more_than = |limit: u32| json!({ "limit": limit });
    let text = |text: &str| json!({ "text": text });
    let soql = |soql: &str| json!({ "soql": soql });
    let no_such = Some((text("zebra"), DONE));
    vec![
        of_all("get_identity", None, json!({"user": "me"})),
        of_all("get_org_limits", no_such.clone(), json!({"text": 5})),
        of_all("list_objects", no_such.clone(), more_than(1001)),
        Row {
            without_right: (text("dana"), NOT_PERMITTED),
            ..of_all("find_users", no_such.clone(), more_than(201))
        },
        row(
            "describe_object",
            Some((json!({"object": "Account", "text": "zebra"}), DONE)),
            json!({"object": "Account", "limit": 1001}),
            "gus",
            (sale.clone(), INVALID),
        ),
        row(
            "get_picklist_values",
            Some((
                json!({"object": "Case", "field": "Priority", "cursor": "900"}),
                DONE,
            )),
            json!({"object": "Case", "field": "Priority", "cursor": "-1"}),
            "gus",
            (of_sale(json!({"field": "StageName"})), INVALID),
        ),
        row(
            "query",
            Some((soql("SELECT Id FROM Account WHERE Name = 'zebra'"), DONE)),
            json!({"soql": "SELECT Id FROM Account", "batch_size": 2001}),
            "gus",
            (soql("SELECT Id FROM Opportunity"), INVALID),
        ),
        row(
            "query_next",
            None,
            json!({"cursor": "../limits"}),
            "gus",
            (json!({"cursor": "01gxx0000000001AAA-200"}), INVALID),
        ),
        row(
            "search",
            Some((text("zebra*"), DONE)),
            json!({"text": "pump", "limit": 201}),
            "gus",
            (
                json!({"text": "pump*", "objects": ["Opportunity"]}),
                INVALID,
            ),
        ),
        row(
            "get_record",
            Some((json!({"object": "Account", "id": NOBODY}), MISSING)),
            json!({"object": "Account", "id": "1".repeat(19)}),
            "gus",
            (of_sale(json!({ "id": SALE })), INVALID),
        ),
        row(
            "get_related_records",
            Some((related(ACCOUNT, "LastName = 'zebra'", 5), DONE)),
            related(ACCOUNT, "", 201),
            "gus",
            (deals, INVALID),
        ),
        row(
            "list_recent",
            Some((json!({"object": "Campaign"}), DONE)),
            more_than(201),
            "gus",
            (sale.clone(), INVALID),
        ),
        row(
            "list_views",
            Some((json!({"object": "Account", "text": "zebra"}), DONE)),
            json!({"object": "Account", "cursor": "x"}),
            "gus",
            (sale.clone(), INVALID),
        ),
        row(
            "get_list_view",
            Some((json!({"object": "Case", "view": "zebra"}), MISSING)),
            json!({"object": "Case", "view": "AllOpenCases", "limit": 2001}),
            "gus",
            (of_sale(json!({"view": "AllOpportunities"})), INVALID),
        ),
        row(
            "find_duplicates",
            Some((of_lead("Zebra"), DONE)),
            json!({"object": "Lead", "id": LEAD, "limit": 101}),
            "gus",
            (of_sale(json!({ "id": SALE })), INVALID),
        ),
        row(
            "get_deleted_records",
            Some((json!({"object": "Lead", "text": "zebra"}), DONE)),
            json!({"object": "Lead", "limit": 10_001}),
            "gus",
            (sale.clone(), INVALID),
        ),
        row(
            "get_account_overview",
            Some((json!({"account": "Zebra"}), MISSING)),
            json!({"account": ["a"]}),
            "kofi",
            (json!({ "account": ACCOUNT }), NOT_PERMITTED),
        ),
        row(
            "get_pipeline",
            Some((json!({"close": "1999-01-01..1999-01-02"}), DONE)),
            json!({"close": "1999-01-01..yesterday"}),
            "gus",
            (json!({}), NOT_PERMITTED),
        ),
        row(
            "list_reports",
            no_such,
            more_than(501),
            "kofi",
            (json!({}), NOT_PERMITTED),
        ),
        row(
            "describe_report",
            Some((json!({"id": "00ODO0000zzzzzzAAA"}), MISSING)),
            json!({"id": "00O"}),
            "kofi",
            (json!({"id": "00ODO00000000012AA"}), NOT_PERMITTED),
        ),
        row(
            "run_report",
            Some((json!({"id": "00ODO0000zzzzzzAAA"}), MISSING)),
            json!({"id": "00ODO00000000012AA", "limit": 2001}),
            "gus",
            (json!({"id": "00ODO00000000012AA"}), INVALID),
        ),
        row(
            "list_files",
            Some((text("zebra"), DONE)),
            more_than(501),
            "kofi",
            (json!({}), NOT_PERMITTED),
        ),
        row(
            "read_file",
            Some((json!({"id": "069DO0000zzzzzzAAA"}), MISSING)),
            json!({"id": "069DO0000000001YAA", "cursor": "-1"}),
            "kofi",
            (json!({"id": "069DO0000000001YAA"}), NOT_PERMITTED),
        ),
    ]
}

pub fn changes() -> Vec<Row> {
    let account =
        |id: &str, fields: Value| json!({"object": "Account", "id": id, "fields": fields});
    let site = json!({"Site": "x"});
    let of_leads = |count: usize| -> Vec<Value> {
        (0..count)
            .map(|_| json!({"Id": LEAD, "Title": "x"}))
            .collect()
    };
    let leads = |count: usize| json!({"object": "Lead", "records": of_leads(count)});
    let new = |count: usize| {
        let records: Vec<Value> = (0..count).map(|_| json!({"LastName": "Li"})).collect();
        json!({"object": "Contact", "records": records})
    };
    let sensor = |key: &str| json!({"object": "Measurement__c", "key": "External_Key__c", "value": key, "fields": {"Sensor__c": "S-9", "Taken_At__c": "2026-11-23T09:00:00Z"}});
    let note = |about: &str, text: &str| json!({"about": about, "title": "x", "text": text});
    let comment = |case: &str, comment: &str| json!({"case": case, "comment": comment});
    let mail = |to: &[&str], subject: &str| json!({"to": to, "subject": subject, "body": "x"});
    let owner = |id: &str, owner: &str| json!({"object": "Case", "id": id, "owner": owner});
    let merge = |lose: &[&str]| json!({"object": "Lead", "keep": LEAD, "lose": lose});
    let call = |subject: &str, day: &str| json!({"subject": subject, "day": day});
    let event = |start: &str, end: &str| json!({"subject": "x", "start": start, "end": end});
    let upload = |text: &str, at: &str| json!({"name": "x.txt", "text": text, "record_id": at});
    vec![
        row(
            "create_record",
            Some((json!({"object": "Account", "fields": {}}), INVALID)),
            json!({"object": "Account", "fields": {"Name": "x".repeat(256)}}),
            "imre",
            (
                json!({"object": "Account", "fields": {"Name": "x"}}),
                NOT_PERMITTED,
            ),
        ),
        row(
            "update_record",
            Some((account(NOBODY, site.clone()), MISSING)),
            account(ACCOUNT, json!({"Site": "x".repeat(81)})),
            "imre",
            (account(ACCOUNT, site), NOT_PERMITTED),
        ),
        row(
            "upsert_record",
            Some((sensor(" "), INVALID)),
            sensor(&"K".repeat(300)),
            "victor",
            (sensor("K-9"), INVALID),
        ),
        row(
            "update_records",
            Some((leads(0), INVALID)),
            leads(201),
            "hedda",
            (leads(1), NOT_PERMITTED),
        ),
        row(
            "create_records",
            Some((new(0), INVALID)),
            new(201),
            "imre",
            (new(1), NOT_PERMITTED),
        ),
        row(
            "undelete_record",
            Some((
                json!({"object": "Lead", "id": "00QDO0000zzzzzzAAA"}),
                MISSING,
            )),
            json!({"object": "Lead", "id": ACCOUNT}),
            "hedda",
            (json!({"object": "Lead", "id": LEAD}), INVALID),
        ),
        row(
            "create_task",
            Some((json!({"subject": "x", "about": NOBODY}), INVALID)),
            json!({"subject": "x".repeat(256)}),
            "imre",
            (json!({"subject": "x"}), NOT_PERMITTED),
        ),
        row(
            "complete_task",
            Some((json!({"id": "00TDO0000zzzzzzAAA"}), MISSING)),
            json!({"id": ACCOUNT}),
            "imre",
            (json!({"id": "00TDO0000000001YAA"}), NOT_PERMITTED),
        ),
        row(
            "log_call",
            Some((call("x", ""), INVALID)),
            call("x", "2026-13-23"),
            "imre",
            (call("x", "2024-11-22"), NOT_PERMITTED),
        ),
        row(
            "create_event",
            Some((event("", ""), INVALID)),
            event("2026-11-28", "2026-11-27"),
            "imre",
            (event("2026-11-27", "2026-11-28"), NOT_PERMITTED),
        ),
        row(
            "add_note",
            Some((note(ACCOUNT, " "), INVALID)),
            note("001", "x"),
            "kofi",
            (note(ACCOUNT, "x"), NOT_PERMITTED),
        ),
        row(
            "assign_owner",
            Some((owner(CASE, " "), INVALID)),
            owner(CASE, "Zebra"),
            "imre",
            (owner(CASE, "Carmen Delgado"), NOT_PERMITTED),
        ),
        row(
            "set_campaign_member",
            Some((json!({"campaign": CAMPAIGN, "person": ""}), INVALID)),
            json!({"campaign": CAMPAIGN, "person": ACCOUNT}),
            "hedda",
            (json!({"campaign": CAMPAIGN, "person": LEAD}), NOT_PERMITTED),
        ),
        row(
            "add_case_comment",
            Some((comment(CASE, " "), INVALID)),
            comment(CASE, &"x".repeat(4001)),
            "imre",
            (comment(CASE, "x"), NOT_PERMITTED),
        ),
        row(
            "upload_file",
            Some((upload("", ACCOUNT), INVALID)),
            upload(&"x".repeat((1 << 20) + 1), ACCOUNT),
            "kofi",
            (upload("x", ACCOUNT), NOT_PERMITTED),
        ),
        row(
            "delete_record",
            Some((json!({"object": "Account", "id": NOBODY}), MISSING)),
            json!({"object": "Account", "id": CASE}),
            "imre",
            (json!({"object": "Account", "id": ACCOUNT}), NOT_PERMITTED),
        ),
        row(
            "delete_records",
            Some((json!({"object": "Lead", "ids": []}), INVALID)),
            json!({"object": "Lead", "ids": [LEAD, LEAD]}),
            "hedda",
            (json!({"object": "Lead", "ids": [LEAD]}), NOT_PERMITTED),
        ),
        row(
            "convert_lead",
            Some((json!({"id": "00QDO0000zzzzzzAAA"}), MISSING)),
            json!({"id": ACCOUNT}),
            "hedda",
            (json!({"id": LEAD_2}), NOT_PERMITTED),
        ),
        row(
            "merge_records",
            Some((merge(&[]), INVALID)),
            merge(&[LEAD_2, LEAD_2, LEAD_2]),
            "hedda",
            (merge(&[LEAD_2]), INVALID),
        ),
        row(
            "send_email",
            Some((mail(&[], "x"), INVALID)),
            mail(&["li@mail.example"], ""),
            "kofi",
            (mail(&["li@mail.example"], "x"), NOT_PERMITTED),
        ),
    ]
}
