#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::testing::Org;
use portcullis_sdk::{Failure, Output, Reason};

const QUERY: &str = "/services/data/v68.0/query";
const ROW: &str = "/services/data/v68.0/sobjects/Account/001DO0000000001YAA";
const SENT: &str = "!/services/data/v68.0/sobjects/Account/001DO0000000001YAA";
const BEFORE: &str = r#"{"totalSize":1,"done":true,"records":[{"attributes":{"type":"Account"},"Id":"001DO0000000001YAA","Name":"Acme","LastModifiedDate":"2026-11-23T08:00:00.000+0000","Industry":"Banking","AnnualRevenue":1500000.0,"Description":null,
"OwnerId":"005DO0000000001YAA","Owner":{"attributes":{"type":"User"},"Name":"Ann Lee"}}]}"#;

/// An org with an account whose read-back is `after`.
fn org(after: &str) -> Org {
    Org::new()
        .answer(QUERY, 200, BEFORE)
        .answer(SENT, 204, "")
        .answer(ROW, 200, after)
}

fn update(org: &Org, fields: &str) -> Result<Output, Failure> {
    let args = format!(r#"{{"object":"account","id":"001DO0000000001","fields":{fields}}}"#);
    update_record(org, &serde_json::from_str(&args).unwrap())
}

fn create(org: &Org, args: &str) -> Result<Output, Failure> {
    create_record(org, &serde_json::from_str(args).unwrap())
}

fn lowercase(org: Org) -> Org {
    org.answer(
        "/services/data/v68.0/sobjects/account/describe",
        200,
        crate::testing::ACCOUNT,
    )
}

#[test]
fn the_same_arguments_make_the_same_request() {
    let after = r#"{"Id":"001DO0000000001YAA","AnnualRevenue":2000000,"Industry":"Technology"}"#;
    for fields in [
        r#"{"Industry":"Technology","AnnualRevenue":2000000}"#,
        r#"{"annualrevenue":2000000.0,"INDUSTRY":" Technology "}"#,
    ] {
        let org = lowercase(org(after));
        update(&org, fields).unwrap();
        let requests = org.requests();
        assert_eq!(requests.len(), 4, "{requests:?}");
        assert_eq!(
            requests[2],
            format!(
                "PATCH {ROW} | content-type: application/json | If-Unmodified-Since: Mon, 23 Nov 2026 08:00:00 GMT | {}",
                r#"{"AnnualRevenue":2000000,"Industry":"Technology"}"#
            )
        );
    }
}

#[test]
fn what_is_announced_is_what_is_sent() {
    let after = r#"{"Id":"001DO0000000001YAA","AnnualRevenue":2000000,"Industry":null}"#;
    let org = lowercase(org(after));
    let output = update(&org, r#"{"Industry":null,"AnnualRevenue":2000000}"#).unwrap();
    insta::assert_debug_snapshot!(org.announced());
    insta::assert_snapshot!(output.text);
    insta::assert_snapshot!(output.structured.unwrap());
    assert_eq!(
        org.checked(),
        [
            "Effect::Write account: AnnualRevenue, Industry",
            "account: AnnualRevenue, Industry"
        ]
    );
    // Names of fields, and no values.
    insta::assert_debug_snapshot!((org.steps(), org.cited()));
}

#[test]
fn nothing_that_differs_is_nothing_sent() {
    let org = lowercase(org(""));
    let output = update(
        &org,
        r#"{"Industry":"Banking","AnnualRevenue":"1500000.00"}"#,
    )
    .unwrap();
    assert!(output.text.contains("nothing was sent"), "{}", output.text);
    assert!(org.announced().is_empty());
    assert_eq!(org.requests().len(), 2);
}

#[test]
fn a_forbidden_field_costs_no_request() {
    for org in [
        Org::new().hide("Account", "Industry"),
        Org::new().forbid("Account"),
    ] {
        let failure = update(&org, r#"{"Industry":"Banking"}"#).unwrap_err();
        assert_eq!(failure.reason, Reason::NotPermitted);
        let args = r#"{"object":"Account","fields":{"Name":"x","Industry":"Banking"}}"#;
        assert_eq!(create(&org, args).unwrap_err().reason, Reason::NotPermitted);
        assert!(org.requests().is_empty());
    }
}

#[test]
fn names_that_cannot_be_fields_cost_no_request() {
    let org = Org::new();
    for fields in ["{}", r#"{"Owner.Name":"x"}"#, r#"{"Name":"x","name":"y"}"#] {
        let failure = update(&org, fields).unwrap_err();
        assert_eq!(failure.reason, Reason::InvalidArgument, "{fields}");
        assert!(failure.fields[0].pointer.starts_with("/fields"), "{fields}");
    }
    assert!(org.requests().is_empty());
}

#[test]
fn a_label_is_answered_with_its_field() {
    let failure = update(&lowercase(Org::new()), r#"{"Annual Revenue":1}"#).unwrap_err();
    assert_eq!(failure.fields[0].pointer, "/fields/Annual Revenue");
    insta::assert_snapshot!(failure.fields[0].problem, @"letters, digits and `_`, such as `Account` or `Region__c`; fields of `Account` with near names: `AnnualRevenue` (Annual Revenue)");
    let hidden = lowercase(Org::new().hide("Account", "AnnualRevenue"));
    let failure = update(&hidden, r#"{"Annual Revenue":1}"#).unwrap_err();
    assert!(
        !failure.fields[0].problem.contains("AnnualRevenue"),
        "{failure:?}"
    );
}

#[test]
fn a_name_in_the_place_of_an_id_is_looked_for() {
    let found = r#"{"totalSize":1,"done":true,"records":[{"Id":"005DO0000000001YAA"}]}"#;
    let by_name = "/services/data/v68.0/query?q=SELECT%20Id%20FROM%20User%20WHERE%20Name%20%3D%20%27O%5C%27Brien%27";
    let org = || lowercase(Org::new().answer(by_name, 200, found));
    let problem = |org: &Org| {
        update(org, r#"{"OwnerId":"O'Brien"}"#).unwrap_err().fields[0]
            .problem
            .clone()
    };
    insta::assert_snapshot!(problem(&org()), @"`OwnerId` (Owner ID, reference) takes the id of a record, not “O'Brien”; it refers to User; records of `User` of that name: `005DO0000000001YAA`");
    insta::assert_snapshot!(problem(&org().hide("User", "Name")), @"`OwnerId` (Owner ID, reference) takes the id of a record, not “O'Brien”; it refers to User");
    insta::assert_snapshot!(problem(&org().forbid("User")), @"`OwnerId` (Owner ID, reference) takes the id of a record, not “O'Brien”");
}

#[test]
fn a_duplicate_of_a_hidden_object_is_not_named() {
    let found = r#"[{"errorCode":"DUPLICATES_DETECTED","message":"Use one of these records?","fields":[],"duplicateResult":{"matchResults":[
        {"entityType":"Lead","matchRecords":[{"record":{"Id":"00QDO0000000001YAA"}}]},
        {"entityType":"Account","matchRecords":[{"record":{"Id":"001DO0000000002YAA"}}]}]}}]"#;
    let org = || Org::new().answer("!/services/data/v68.0/sobjects/Account", 400, found);
    let args = r#"{"object":"Account","fields":{"Name":"x"}}"#;
    let hint = |org: &Org| create(org, args).unwrap_err().hint.unwrap();
    let all = hint(&org());
    assert!(
        all.contains("Lead 00QDO0000000001YAA, Account 001DO0000000002YAA"),
        "{all}"
    );
    let limited = hint(&org().forbid("Lead"));
    assert!(
        limited.contains("found Account 001DO0000000002YAA:"),
        "{limited}"
    );
    assert!(!limited.contains("00Q"), "{limited}");
}

#[test]
fn a_lost_answer_is_settled_by_the_record() {
    // There is no answer to the change: the connection broke.
    let lost = |after| {
        lowercase(
            Org::new()
                .answer(QUERY, 200, BEFORE)
                .answer(ROW, 200, after),
        )
    };
    let done = r#"{"Id":"001DO0000000001YAA","Industry":"Technology","LastModifiedDate":"2026-11-23T08:00:01.000+0000"}"#;
    let output = update(&lost(done), r#"{"Industry":"Technology"}"#).unwrap();
    assert!(
        output
            .text
            .contains("the org's answer was lost; the record shows"),
        "{}",
        output.text
    );
    let open = r#"{"Id":"001DO0000000001YAA","Industry":"Banking","LastModifiedDate":"2026-11-23T08:00:00.000+0000"}"#;
    let org = lost(open);
    let failure = update(&org, r#"{"Industry":"Technology"}"#).unwrap_err();
    assert_eq!(failure.reason, Reason::Unavailable);
    insta::assert_snapshot!(failure.hint.unwrap(), @r#"it may have been done all the same, and was not tried again: get_record {"object": "Account", "id": "001DO0000000001YAA", "fields": ["Industry"]} shows it"#);
    let changes = org
        .requests()
        .into_iter()
        .filter(|request| request.starts_with("PATCH"));
    assert_eq!(changes.count(), 1);
}

#[test]
fn a_post_is_sent_once_and_the_query_that_shows_it_is_named() {
    let org = Org::new();
    let failure = create(
        &org,
        r#"{"object":"Account","fields":{"Name":"O'Neil \\ Sons"}}"#,
    )
    .unwrap_err();
    assert_eq!(failure.reason, Reason::Unavailable);
    insta::assert_snapshot!(failure.hint.unwrap(), @r#"the record may have been made all the same, and nothing was sent again. Look before you call create_record anew: query {"soql": "SELECT Id, CreatedDate FROM Account WHERE CreatedById = '005xx000001SwiUAAS' AND Name = 'O\\'Neil \\\\ Sons' AND CreatedDate >= YESTERDAY ORDER BY CreatedDate DESC LIMIT 5"}"#);
    let posts = org
        .requests()
        .into_iter()
        .filter(|request| request.starts_with("POST"));
    assert_eq!(posts.count(), 1);
}

#[test]
fn record_types_are_given_by_any_name() {
    for name in [
        "household",
        "Household",
        "01254000001upcKAAQ",
        "01254000001upcK",
    ] {
        let org = Org::new().answer(
            "!/services/data/v68.0/sobjects/Account",
            201,
            r#"{"id":"001DO0000000001YAA","success":true}"#,
        );
        let args =
            format!(r#"{{"object":"Account","fields":{{"Name":"x"}},"record_type":"{name}"}}"#);
        // The describe of the tests has no such field: it is refused by its name, after the type was found.
        let failure = create(&org, &args).unwrap_err();
        assert!(
            failure.message.contains("RecordTypeId"),
            "{}",
            failure.message
        );
    }
    let org = Org::new();
    let args = r#"{"object":"Account","fields":{"Name":"x"},"record_type":"Hosehold"}"#;
    insta::assert_snapshot!(create(&org, args).unwrap_err().fields[0].problem, @"`Account` has no record type “Hosehold” for this user; near: `Household`; valid: `Household`, `Master`");
}

#[test]
fn a_deletion_names_what_goes_with_it_and_asks_for_that_too() {
    let found = r#"{"totalSize":1,"done":true,"records":[{"Id":"001DO0000000001YAA","Name":"Acme","Contacts":{"totalSize":3,"records":[]}}]}"#;
    let org = || Org::new().answer(QUERY, 200, found).answer(SENT, 204, "");
    let run = |org: &Org| {
        let args = r#"{"object":"Account","id":"001DO0000000001YAA"}"#;
        delete_record(org, &serde_json::from_str(args).unwrap())
    };
    let allowed = org();
    let output = run(&allowed).unwrap();
    insta::assert_snapshot!(output.text, @r"
    deleted Account 001DO0000000001YAA
    Deleted with it: 3 Contact (Contacts), and what hangs on these.
    undelete_record restores it, or a person from the Recycle Bin in Salesforce, which keeps it for 15 days with what was deleted along with it.
    ");
    assert_eq!(
        allowed.checked(),
        [
            "Effect::Destructive Account: ",
            "Contact: ",
            "Effect::Destructive Contact: "
        ]
    );
    assert_eq!(allowed.requests().len(), 3);
    let forbidden = org().forbid("Contact");
    assert_eq!(run(&forbidden).unwrap_err().reason, Reason::NotPermitted);
    assert!(forbidden.announced().is_empty());
}

const TASK: &str = r#"{"name":"Task","label":"Task","keyPrefix":"00T","createable":true,"updateable":true,"fields":[
{"name":"Subject","label":"Subject","type":"string","length":255,"nillable":true,"createable":true,"updateable":true},
{"name":"WhatId","label":"Related To","type":"reference","nillable":true,"createable":true,"updateable":true,"referenceTo":["Account","Opportunity","Site__c"]},
{"name":"WhoId","label":"Name","type":"reference","nillable":true,"createable":true,"updateable":true,"referenceTo":["Contact","Lead"]},
{"name":"OwnerId","label":"Assigned To","type":"reference","nillable":true,"createable":true,"updateable":true,"referenceTo":["User","Group"]}]}"#;

/// An org with a task that is about nothing, for an agent that may not read an object.
fn org_without(forbidden: &'static str) -> Org {
    let before = r#"{"totalSize":1,"done":true,"records":[{"attributes":{"type":"Task"},"Id":"00TDO0000000001YAA","LastModifiedDate":"2026-11-23T08:00:00.000+0000","WhatId":null,"WhoId":null,"OwnerId":null}]}"#;
    let list = r#"{"sobjects":[{"name":"Site__c","keyPrefix":"a00"}]}"#;
    Org::new()
        .forbid("*")
        .forbid(forbidden)
        .answer("/services/data/v68.0/sobjects", 200, list)
        .answer("/services/data/v68.0/sobjects/Task/describe", 200, TASK)
        .answer(QUERY, 200, before)
}

/// A tool with its arguments.
type Tool<'t> = &'t dyn Fn(&Org) -> Result<Output, Failure>;

#[test]
fn a_reference_leads_to_no_record_that_the_agent_may_not_read() {
    for (forbidden, argument, field, id) in [
        ("Account", "about", "WhatId", "001DO0000000001YAA"),
        ("Site__c", "about", "WhatId", "a00DO0000000001YAA"),
        // Nobody knows of which object it is.
        ("Account", "about", "WhatId", "a99DO0000000001YAA"),
        ("Lead", "person", "WhoId", "00QDO0000000001YAA"),
    ] {
        let create = |org: &Org| {
            let args = format!(r#"{{"subject":"x","{argument}":"{id}"}}"#);
            create_task(org, &serde_json::from_str(&args).unwrap())
        };
        let create_many = |org: &Org| {
            let args = format!(r#"{{"object":"Task","records":[{{"{field}":"{id}"}}]}}"#);
            create_records(org, &serde_json::from_str(&args).unwrap())
        };
        let update = |org: &Org| {
            let args = format!(
                r#"{{"object":"Task","id":"00TDO0000000001YAA","fields":{{"{field}":"{id}"}}}}"#
            );
            update_record(org, &serde_json::from_str(&args).unwrap())
        };
        let update_many = |org: &Org| {
            let args = format!(
                r#"{{"object":"Task","records":[{{"Id":"00TDO0000000001YAA","{field}":"{id}"}}]}}"#
            );
            update_records(org, &serde_json::from_str(&args).unwrap())
        };
        let tools: [(Tool<'_>, String); 4] = [
            (&create, format!("/{argument}")),
            (&create_many, format!("/records/0/{field}")),
            (&update, format!("/fields/{field}")),
            (&update_many, format!("/records/0/{field}")),
        ];
        for (tool, pointer) in tools {
            let org = org_without(forbidden);
            let failure = tool(&org).unwrap_err();
            let said = format!("{pointer} {id}: {failure:?}");
            assert_eq!(failure.reason, Reason::NotPermitted, "{said}");
            assert_eq!(failure.fields[0].pointer, pointer, "{said}");
            assert!(org.announced().is_empty(), "{said}");
        }
    }
}

#[test]
fn an_owner_is_given_by_id_where_users_are_hidden() {
    let org = org_without("User");
    let args = r#"{"subject":"x","owner":"005DO0000000001YAA"}"#;
    // The line breaks once it is sent.
    let failure = create_task(&org, &serde_json::from_str(args).unwrap()).unwrap_err();
    assert_eq!(failure.reason, Reason::Unavailable, "{failure:?}");
    assert_eq!(org.announced().len(), 1);
}
