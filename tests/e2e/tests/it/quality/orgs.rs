//! Orgs of other shapes: with several currencies, person accounts, with and without record types, of each version of the API,
//! and large ones.

use std::collections::BTreeSet;

use portcullis::Outcome;
use portcullis::policy::Mode;
use salesforce_devorg::Options;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::answers::requests::{examples, ready, tools};
use crate::support::root;
use crate::writes::desk::{Desk, SALE, held, update};

/// Describes of an object of the sample, with fields besides.
async fn described(objects: &[(&str, Vec<Value>)]) -> TempDir {
    let sample = Desk::new(Mode::Allow).await;
    let folder = tempfile::tempdir().unwrap();
    for (object, fields) in objects {
        let (_, mut describe) = sample
            .direct("GET", &format!("sobjects/{object}/describe"), None)
            .await;
        describe["fields"]
            .as_array_mut()
            .unwrap()
            .extend(fields.iter().cloned());
        let file = folder.path().join(format!("{object}.json"));
        std::fs::write(file, describe.to_string()).unwrap();
    }
    folder
}

async fn at(folder: &TempDir, mode: Mode) -> Desk {
    let options = Options {
        describe: Some(folder.path().to_owned()),
        ..Options::default()
    };
    Desk::at(options, "68.0", "", mode).await
}

/// A field as a describe has it.
fn field(name: &str, label: &str, kind: &str, more: Value) -> Value {
    let mut field = json!({
        "name": name, "label": label, "type": kind, "length": 0, "precision": 0, "scale": 0, "digits": 0,
        "nillable": true, "createable": true, "updateable": true, "defaultedOnCreate": false, "filterable": true,
        "groupable": true, "sortable": true, "aggregatable": true, "idLookup": false, "externalId": false,
        "unique": false, "nameField": false, "permissionable": true, "autoNumber": false, "calculated": false,
        "custom": name.ends_with("__c"), "referenceTo": [], "relationshipName": null, "picklistValues": [],
        "controllerName": null, "restrictedPicklist": false, "defaultValue": null, "calculatedFormula": null,
        "compoundFieldName": null, "extraTypeInfo": null, "inlineHelpText": null,
    });
    for (key, value) in more.as_object().unwrap() {
        field[key] = value.clone();
    }
    field
}

fn value(value: &str, is_default: bool) -> Value {
    json!({"value": value, "label": value, "active": true, "defaultValue": is_default, "validFor": null})
}

/// A field of accounts that says what another system calls one.
pub(super) const KEY: &str = "Crm_Key__c";

fn key() -> Value {
    field(
        KEY,
        "CRM Key",
        "string",
        json!({"length": 40, "externalId": true, "unique": true, "idLookup": true}),
    )
}

/// An org whose accounts have keys of another system, as those of the others here.
pub(super) async fn with_keys() -> (TempDir, Desk) {
    let folder = described(&[("Account", vec![key()])]).await;
    let desk = at(&folder, Mode::Ask).await;
    (folder, desk)
}

/// An org with two currencies.
pub(super) async fn with_currencies() -> (TempDir, Desk) {
    let codes = [value("EUR", false), value("USD", true)];
    let currency = field(
        "CurrencyIsoCode",
        "Currency ISO Code",
        "picklist",
        json!({"length": 3, "picklistValues": codes, "restrictedPicklist": true, "defaultedOnCreate": true}),
    );
    let folder = described(&[
        ("Opportunity", vec![currency.clone()]),
        ("Account", vec![currency, key()]),
    ])
    .await;
    let options = Options {
        describe: Some(folder.path().to_owned()),
        ..Options::default()
    };
    let facts = [("api_version", "68.0"), ("currency", "USD")];
    let desk = Desk::knowing(options, &facts, "", Mode::Ask).await;
    (folder, desk)
}

/// An org in which people may be accounts.
pub(super) async fn with_people() -> (TempDir, Desk) {
    let part = |name: &str, label: &str| {
        field(
            name,
            label,
            "string",
            json!({"length": 80, "compoundFieldName": "Name"}),
        )
    };
    let flag = json!({"nillable": false, "createable": false, "updateable": false, "defaultedOnCreate": true, "defaultValue": false});
    let fields = vec![
        field("IsPersonAccount", "Is Person Account", "boolean", flag),
        part("FirstName", "First Name"),
        part("LastName", "Last Name"),
        field("PersonEmail", "Email", "email", json!({"length": 80})),
        key(),
    ];
    let folder = described(&[("Account", fields)]).await;
    let desk = at(&folder, Mode::Ask).await;
    (folder, desk)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amounts_have_their_currency_where_there_are_several() {
    let (_folder, desk) = with_currencies().await;
    desk.meanwhile("Opportunity", SALE, json!({"CurrencyIsoCode": "EUR"}))
        .await;
    let change = update("Opportunity", SALE, json!({"Amount": 1_500_000}));
    let reply = desk.call("update_record", change).await;
    let card = desk.plain(&held(&reply).card.text());
    assert!(card.contains("1,500,000.00 EUR"), "{card}");
    // The currency is changed with it: the amount is one of the new currency.
    let change = update(
        "Opportunity",
        SALE,
        json!({"Amount": 5, "CurrencyIsoCode": "USD"}),
    );
    let reply = desk.call("update_record", change).await;
    let card = desk.plain(&held(&reply).card.text());
    assert!(card.contains("5.00 USD"), "{card}");
    let read = desk
        .data("get_record", json!({"object": "Opportunity", "id": SALE}))
        .await;
    assert_eq!(read["fields"]["CurrencyIsoCode"], "EUR");
    let wrong = update("Opportunity", SALE, json!({"CurrencyIsoCode": "Euro"}));
    let failure = desk.failure("update_record", wrong).await;
    assert!(failure.contains("valid: `EUR`, `USD`"), "{failure}");

    let account = desk.record("Opportunity", SALE).await["AccountId"].clone();
    let deals = json!({"object": "Account", "id": account, "relationship": "Opportunities", "fields": ["Amount"]});
    let reads = [
        (
            "query",
            json!({"soql": "SELECT Name, Amount FROM Opportunity LIMIT 2"}),
        ),
        (
            "get_record",
            json!({"object": "Opportunity", "id": SALE, "fields": ["Amount"]}),
        ),
        ("get_related_records", deals),
        (
            "get_list_view",
            json!({"object": "Opportunity", "view": "AllOpportunities", "limit": 2}),
        ),
    ];
    let note = "amounts are in each record's own currency: ask for `CurrencyIsoCode`, too";
    for (tool, arguments) in &reads {
        let text = desk.text(tool, arguments.clone()).await;
        assert!(text.ends_with(note), "{tool}: {text}");
    }
    let soql = "SELECT Amount, CurrencyIsoCode FROM Opportunity LIMIT 2";
    let text = desk.text("query", json!({ "soql": soql })).await;
    assert!(!text.contains(note), "{text}");
    for (tool, arguments, said) in [
        (
            "get_account_overview",
            json!({ "account": account }),
            "CurrencyIsoCode",
        ),
        ("get_pipeline", json!({}), " USD\n"),
    ] {
        let text = desk.text(tool, arguments).await;
        assert!(text.contains(said), "{tool}: {text}");
    }
    // Who makes one is told the currency that it gets.
    let new = json!({"object": "Opportunity", "fields": {"Name": "Refit", "StageName": "Prospecting", "CloseDate": "2026-12-31", "Amount": 7, "CurrencyIsoCode": "EUR"}});
    let reply = desk.call("create_record", new).await;
    let card = desk.plain(&held(&reply).card.text());
    assert!(card.contains("7.00 EUR"), "{card}");
    let many = json!({"object": "Opportunity", "records": [{"Id": SALE, "Amount": 9}]});
    let reply = desk.call("update_records", many).await;
    let card = desk.plain(&held(&reply).card.text());
    assert!(card.contains("9.00 EUR"), "{card}");

    // In an org with one currency nothing is said of any.
    let desk = Desk::new(Mode::Ask).await;
    for (tool, arguments) in reads {
        let text = desk.text(tool, arguments).await;
        assert!(!text.contains("currency"), "{tool}: {text}");
    }
    let reply = desk
        .call(
            "update_record",
            update("Opportunity", SALE, json!({"Amount": 5})),
        )
        .await;
    let card = desk.plain(&held(&reply).card.text());
    assert!(
        card.contains("to 5.00\n") && !card.contains("EUR"),
        "{card}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_an_account_where_there_are_person_accounts() {
    let (_folder, desk) = with_people().await;
    let person = json!({"object": "Account", "fields": {"FirstName": "Ada", "LastName": "Li", "PersonEmail": "ada@li.example"}});
    let made = desk.data("create_record", person).await;
    let id = made["id"].as_str().unwrap();
    let read = desk
        .data("get_record", json!({"object": "Account", "id": id}))
        .await;
    assert_eq!(read["fields"]["Name"], "Ada Li");
    assert_eq!(read["fields"]["IsPersonAccount"], true);
    let company = json!({"object": "Account", "fields": {"Name": "Li Ltd"}});
    desk.data("create_record", company).await;
    // Neither a name nor a part of one.
    let failure = desk
        .failure(
            "create_record",
            json!({"object": "Account", "fields": {"PersonEmail": "x@y.example"}}),
        )
        .await;
    assert!(failure.contains("/fields/Name: `Name`"), "{failure}");
    // Without person accounts there are no such fields.
    let desk = Desk::new(Mode::Ask).await;
    let failure = desk
        .failure(
            "create_record",
            json!({"object": "Account", "fields": {"LastName": "Li"}}),
        )
        .await;
    assert!(
        failure.contains("`Account` has no field `LastName`"),
        "{failure}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn record_types_are_there_or_not() {
    let desk = Desk::new(Mode::Ask).await;
    for (name, expected) in [
        ("Partner_Account", "Partner Account"),
        ("Business Account", "Business Account"),
    ] {
        let arguments =
            json!({"object": "Account", "fields": {"Name": "New"}, "record_type": name});
        let made = desk.data("create_record", arguments).await;
        let soql = format!(
            "SELECT RecordType.Name FROM Account WHERE Id = '{}'",
            made["id"].as_str().unwrap()
        );
        let read = desk.data("query", json!({ "soql": soql })).await;
        assert_eq!(read["rows"][0][0], expected);
    }
    let arguments = json!({"object": "Contact", "fields": {"LastName": "Li"}, "record_type": "Partner_Account"});
    let failure = desk.failure("create_record", arguments).await;
    assert!(
        failure.contains("has no record types for this user"),
        "{failure}"
    );
    for (object, count) in [("Account", 2), ("Contact", 0)] {
        let described = desk
            .data(
                "describe_object",
                json!({"object": object, "parts": ["record_types"]}),
            )
            .await;
        assert_eq!(
            described["parts"]["record_types"]["total"], count,
            "{object}"
        );
    }
}

/// Tools whose example rests on records that another's takes away are called before it.
const FIRST: [&str; 3] = ["update_records", "merge_records", "convert_lead"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_of_the_api_answers_the_same_to_every_tool() {
    let mut first: Option<Vec<String>> = None;
    for version in 60..=68 {
        let version = format!("{version}.0");
        let desk = Desk::at(Options::default(), &version, "", Mode::Allow).await;
        let mut calls: Vec<(&str, Value)> = examples(&desk)
            .await
            .into_iter()
            .map(|(tool, [one, other])| (tool, if tool == "delete_records" { other } else { one }))
            .collect();
        calls.sort_by_key(|(tool, _)| FIRST.iter().position(|known| known == tool).unwrap_or(9));
        assert_eq!(calls.len(), tools(&desk).len());
        calls.push(("query", json!({"soql": "SELECT Nmae FROM Account"})));
        calls.push((
            "query",
            json!({"soql": "SELECT Id, Name, Owner.Name, (SELECT LastName FROM Contacts) FROM Account ORDER BY Id LIMIT 3"}),
        ));
        let mut answers = Vec::new();
        for (tool, arguments) in calls {
            let arguments = match tool {
                // What another tool has left in the bin is not there.
                "undelete_record" => json!({"object": "Lead", "id": deleted(&desk).await}),
                _ => ready(&desk, tool, &arguments).await,
            };
            let reply = desk.call(tool, arguments).await;
            let requests = desk.requests(&reply).join(" ");
            assert!(
                !requests.contains("410") && !requests.contains("404"),
                "{version} {tool}: {requests}"
            );
            let text = match &reply.outcome {
                Outcome::Done(output) => desk.plain(&output.text),
                Outcome::Failed(failure) if tool == "query" => {
                    desk.plain(&crate::writes::desk::said(failure))
                }
                other => panic!("{version} {tool}: {other:?}"),
            };
            answers.push(text.replace(&format!("API version: {version}"), "API version"));
        }
        match &first {
            None => first = Some(answers),
            Some(first) => assert_eq!(first, &answers, "{version}"),
        }
    }
}

/// Makes a lead, deletes it, and gives its id.
async fn deleted(desk: &Desk) -> String {
    let lead = json!({"LastName": "Gone", "Company": "Gone Ltd"});
    let (_, made) = desk.direct("POST", "sobjects/Lead", Some(lead)).await;
    let id = made["id"].as_str().unwrap().to_owned();
    let path = format!("sobjects/Lead/{id}");
    assert_eq!(desk.direct("DELETE", &path, None).await.0, 204);
    id
}

/// An org with so many objects of its own besides, and one with 800 fields.
async fn large(objects: usize) -> (TempDir, Desk) {
    let folder = tempfile::tempdir().unwrap();
    let id = |label: &str| {
        field(
            "Id",
            label,
            "id",
            json!({"length": 18, "nillable": false, "createable": false, "updateable": false, "defaultedOnCreate": true}),
        )
    };
    let name = field(
        "Name",
        "Name",
        "string",
        json!({"length": 80, "nameField": true}),
    );
    let describe = |name_: &str, label: &str, prefix: &str, fields: Vec<Value>| {
        json!({
            "name": name_, "label": label, "labelPlural": format!("{label}s"), "keyPrefix": prefix, "custom": true,
            "createable": true, "updateable": true, "deletable": true, "undeletable": true, "mergeable": false,
            "layoutable": true, "searchable": true, "triggerable": true, "replicateable": true, "queryable": true,
            "fields": fields, "childRelationships": [], "recordTypeInfos": [], "supportedScopes": [],
        })
    };
    let digits: Vec<char> = ('0'..='9').chain('A'..='Z').chain('a'..='z').collect();
    for at in 0..objects {
        let (object, label) = (format!("Ledger_{at:04}__c"), format!("Ledger {at:04}"));
        let prefix: String = [
            'b',
            digits[at / digits.len() % digits.len()],
            digits[at % digits.len()],
        ]
        .iter()
        .collect();
        let described = describe(&object, &label, &prefix, vec![id(&label), name.clone()]);
        std::fs::write(
            folder.path().join(format!("{object}.json")),
            described.to_string(),
        )
        .unwrap();
    }
    let mut fields = vec![id("Wide"), name.clone()];
    fields.extend((0..798).map(|at| {
        field(
            &format!("Answer_{at:03}__c"),
            &format!("Answer {at:03}"),
            "string",
            json!({"length": 255}),
        )
    }));
    let wide = describe("Wide__c", "Wide", "c00", fields);
    std::fs::write(folder.path().join("Wide__c.json"), wide.to_string()).unwrap();
    let desk = at(&folder, Mode::Allow).await;
    (folder, desk)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_stay_small_in_a_large_org() {
    /// About 2,500 tokens, at four characters each.
    const CHARS_MAX: usize = 10_000;
    let (_folder, desk) = large(2_000).await;
    for (tool, arguments, contains) in [
        ("list_objects", json!({}), "objects 1-100 of 2"),
        (
            "list_objects",
            json!({"text": "ledger 0777"}),
            "Ledger_0777__c",
        ),
        ("list_objects", json!({"text": "Ledgr 0777"}), "near names"),
        (
            "describe_object",
            json!({"object": "Wide__c"}),
            "fields 1-100 of 800",
        ),
        (
            "describe_object",
            json!({"object": "Wide__c", "text": "answer 77"}),
            "10 fields",
        ),
        (
            "query",
            json!({"soql": "SELECT Anser_777__c FROM Wide__c"}),
            "`Answer_777__c`",
        ),
        (
            "query",
            json!({"soql": "SELECT Id FROM Ledger_777__c"}),
            "`Ledger_0777__c`",
        ),
        (
            "update_record",
            update("Wide__c", "c00DO0000000001AAA", json!({"Answer777": "x"})),
            "`Answer_777__c`",
        ),
    ] {
        let reply = desk.call(tool, arguments.clone()).await;
        let text = match &reply.outcome {
            Outcome::Done(output) => output.text.clone(),
            Outcome::Failed(failure) => crate::writes::desk::said(failure),
            other => panic!("{tool} {arguments}: {other:?}"),
        };
        assert!(text.contains(contains), "{tool} {arguments}: {text}");
        assert!(
            text.len() < CHARS_MAX,
            "{tool} {arguments}: {} characters",
            text.len()
        );
    }
    // Who reads the object as a resource has no cursor: every part has room in the one answer.
    let manifest = root().join("connector/salesforce/manifest.json");
    let manifest: Value =
        serde_json::from_str(&std::fs::read_to_string(manifest).unwrap()).unwrap();
    let resources = manifest["resources"].as_array().unwrap();
    let object = "salesforce://{object}";
    let resource = resources.iter().find(|one| one["uri"] == object).unwrap();
    let mut arguments = resource["read"]["arguments"].clone();
    arguments["object"] = json!("Wide__c");
    let whole = desk.data("describe_object", arguments).await;
    let fields = whole["parts"]["fields"]["rows"].as_array().unwrap();
    assert_eq!((fields.len(), &whole["cursor"]), (800, &Value::Null));
    // A field is no record: an agent with few rows is told of all, at once or page by page.
    desk.limit(json!({"rows_max": 20}));
    let parts = json!(["fields", "record_types"]);
    let mut arguments = json!({"object": "Wide__c", "text": "answer 7", "parts": parts});
    let whole = desk.data("describe_object", arguments.clone()).await;
    let all = whole["parts"]["fields"]["rows"].as_array().unwrap();
    assert_eq!((all.len(), &whole["cursor"]), (98, &Value::Null));
    arguments["limit"] = json!(20);
    let mut fields = BTreeSet::new();
    loop {
        let page = desk.data("describe_object", arguments.clone()).await;
        let rows = page["parts"]["fields"]["rows"].as_array().unwrap().iter();
        fields.extend(rows.map(|row| row[0].to_string()));
        match &page["cursor"] {
            Value::Null => break,
            cursor => arguments["cursor"] = cursor.clone(),
        }
    }
    assert_eq!(fields.len(), 98, "{fields:?}");
    desk.limit(json!({}));
    // The whole record of 800 fields of which three are set.
    let fields = json!({"Name": "A", "Answer_001__c": "x", "Answer_797__c": "y"});
    let made = desk
        .data(
            "create_record",
            json!({"object": "Wide__c", "fields": fields}),
        )
        .await;
    let read = desk
        .text("get_record", json!({"object": "Wide__c", "id": made["id"]}))
        .await;
    assert!(
        read.contains("empty fields left out") && read.len() < CHARS_MAX,
        "{read}"
    );
}
