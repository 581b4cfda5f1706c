//! What tools say of currencies, of people who are accounts and of record types, where an org has them and where it has not.

use std::fmt::Write as _;

use portcullis::Outcome;
use serde_json::{Value, json};

use super::orgs::{KEY, with_currencies, with_keys, with_people};
use crate::writes::desk::{ACCOUNT, Desk, SALE, held, said, update};

/// Another account.
const OTHER: &str = "001DO0000000001YAA";
/// `Open Pipeline by Stage`.
const REPORT: &str = "00ODO00000000012AA";
/// The key of an account that is there.
const THERE: &str = "crm-0002";
/// Lines of an answer or a card that are written out.
const LINES_SHOWN: usize = 14;

/// Calls tools one after the other, and writes what the model reads or the person is asked.
async fn told(desk: &Desk, calls: &[(&str, Value)]) -> String {
    let mut text = String::new();
    for (tool, arguments) in calls {
        let reply = desk.call(tool, arguments.clone()).await;
        let all = match &reply.outcome {
            Outcome::Done(output) => output.text.clone(),
            Outcome::ApprovalRequired(_) => {
                let card = held(&reply).card.text();
                let (_, changes) = card.split_once("What changes").unwrap();
                changes.to_owned()
            }
            Outcome::Failed(failure) => said(failure),
            other => panic!("{tool} {arguments}: {other:?}"),
        };
        writeln!(text, "# {tool} {arguments}").unwrap();
        for line in desk.plain(&all).lines().take(LINES_SHOWN) {
            writeln!(text, "{line}").unwrap();
        }
        text.push('\n');
    }
    text
}

/// An account by its key in another system.
fn upsert(key: &str, fields: Value) -> Value {
    json!({"object": "Account", "key": KEY, "value": key, "fields": fields})
}

/// Gives a lead that a user owns, no queue.
async fn lead(desk: &Desk) -> String {
    let soql = "SELECT Id, OwnerId FROM Lead WHERE IsConverted = false ORDER BY Id LIMIT 20";
    let leads = desk.rows(soql).await;
    let of_a_user = |lead: &&Value| lead["OwnerId"].as_str().unwrap().starts_with("005");
    let lead = leads.iter().find(of_a_user).unwrap();
    lead["Id"].as_str().unwrap().to_owned()
}

/// Gives the account the key by which [`upsert`] finds it.
async fn keyed(desk: &Desk) {
    desk.meanwhile("Account", ACCOUNT, json!({ KEY: THERE }))
        .await;
}

fn merge() -> Value {
    json!({"object": "Account", "keep": OTHER, "lose": [ACCOUNT], "fields": {"AnnualRevenue": 5}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn currencies() {
    let (_folder, desk) = with_currencies().await;
    keyed(&desk).await;
    let lead = lead(&desk).await;
    let calls = [
        (
            "describe_object",
            json!({"object": "Opportunity", "text": "currency"}),
        ),
        (
            "get_record",
            json!({"object": "Opportunity", "id": SALE, "fields": ["Name", "Amount"]}),
        ),
        ("get_account_overview", json!({ "account": ACCOUNT })),
        ("get_pipeline", json!({})),
        ("run_report", json!({"id": REPORT, "limit": 5})),
        (
            "run_report",
            json!({"id": REPORT, "limit": 2, "rows": true}),
        ),
        (
            "update_record",
            update("Account", ACCOUNT, json!({"AnnualRevenue": 1000})),
        ),
        // One that is there, and one that is not.
        (
            "upsert_record",
            upsert(THERE, json!({"AnnualRevenue": 2000})),
        ),
        (
            "upsert_record",
            upsert("new-1", json!({"Name": "New", "AnnualRevenue": 3000})),
        ),
        ("merge_records", merge()),
        ("convert_lead", json!({"id": lead, "account": ACCOUNT})),
    ];
    let several = told(&desk, &calls).await;
    let (_folder, desk) = with_keys().await;
    keyed(&desk).await;
    let one = told(&desk, &calls).await;
    assert!(several.contains("CurrencyIsoCode|") && !one.contains("CurrencyIsoCode|"));
    assert!(several.contains("Sum of Amount (USD)") && one.contains("Sum of Amount|"));
    insta::assert_snapshot!(
        "currencies",
        format!("## several\n\n{several}\n## one\n\n{one}")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people() {
    let (_folder, desk) = with_people().await;
    let person = |first: &str| json!({"object": "Account", "fields": {"FirstName": first, "LastName": "Li", "PersonEmail": "li@li.example"}});
    let ada = desk.data("create_record", person("Ada")).await["id"].clone();
    let bo = desk.data("create_record", person("Bo")).await["id"].clone();
    let (ada, bo) = (ada.as_str().unwrap(), bo.as_str().unwrap());
    let lead = lead(&desk).await;
    let calls = |ada: &str, bo: &str| {
        [
            (
                "describe_object",
                json!({"object": "Account", "text": "person"}),
            ),
            (
                "query",
                json!({"soql": "SELECT Name, PersonEmail FROM Account WHERE IsPersonAccount = TRUE"}),
            ),
            (
                "update_record",
                update("Account", ada, json!({"LastName": "Lovelace"})),
            ),
            (
                "upsert_record",
                upsert("new-2", json!({"FirstName": "Cy", "LastName": "Li"})),
            ),
            ("get_account_overview", json!({ "account": ada })),
            ("find_duplicates", json!({"object": "Account", "id": ada})),
            (
                "merge_records",
                json!({"object": "Account", "keep": ada, "lose": [bo]}),
            ),
            ("convert_lead", json!({"id": lead, "account": ada})),
        ]
    };
    let with = told(&desk, &calls(ada, bo)).await;
    // Where there are none, a company is one, and the fields of people are not there.
    let (_folder, desk) = with_keys().await;
    let without = told(&desk, &calls(OTHER, ACCOUNT)).await;
    assert!(with.contains("Lovelace") && !without.contains("from “Li”"));
    insta::assert_snapshot!(
        "people",
        format!("## with\n\n{with}\n## without\n\n{without}")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn record_types() {
    let (_folder, desk) = with_keys().await;
    keyed(&desk).await;
    let lead = lead(&desk).await;
    let soql = "SELECT Id, Name FROM RecordType WHERE SobjectType = 'Account' ORDER BY Name";
    let types = desk.rows(soql).await;
    let partner = types.last().unwrap()["Id"].clone();
    let calls = [
        (
            "update_record",
            update("Account", ACCOUNT, json!({ "RecordTypeId": partner })),
        ),
        (
            "update_record",
            update(
                "Account",
                ACCOUNT,
                json!({"RecordTypeId": "Partner_Account"}),
            ),
        ),
        (
            "update_record",
            update("Account", ACCOUNT, json!({"RecordTypeId": "Partners"})),
        ),
        (
            "upsert_record",
            upsert(THERE, json!({ "RecordTypeId": partner })),
        ),
        (
            "upsert_record",
            upsert("new-3", json!({"Name": "New", "RecordTypeId": partner})),
        ),
        (
            "upsert_record",
            upsert(
                "new-4",
                json!({"Name": "New", "RecordTypeId": "partner account"}),
            ),
        ),
        (
            "update_record",
            update(
                "Contact",
                "003DO0000000001YAA",
                json!({ "RecordTypeId": partner }),
            ),
        ),
        (
            "create_records",
            json!({"object": "Account", "records": [{"Name": "New", "RecordTypeId": partner}]}),
        ),
        (
            "get_record",
            json!({"object": "Account", "id": ACCOUNT, "fields": ["Name", "RecordTypeId", "RecordType.Name"]}),
        ),
        (
            "query",
            json!({"soql": "SELECT RecordType.Name, COUNT(Id) FROM Account GROUP BY RecordType.Name"}),
        ),
        (
            "query",
            json!({"soql": "SELECT RecordType.Name FROM Contact LIMIT 1"}),
        ),
        ("merge_records", merge()),
        ("convert_lead", json!({ "id": lead })),
    ];
    let text = told(&desk, &calls).await;
    assert!(text.contains("Partner Account"), "{text}");
    insta::assert_snapshot!("record_types", text);
}
