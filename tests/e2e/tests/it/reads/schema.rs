//! The toolset `schema`: the values of picklists.

use serde_json::json;

use super::table::Table;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn get_picklist_values() {
    let mut table = Table::new("get_picklist_values");
    let of = |object: &str, field: &str| json!({"object": object, "field": field});
    table.case("ordinary", of("Case", "priority")).await;
    table
        .case("of all record types", of("Account", "Type"))
        .await;
    for record_type in ["Partner_Account", "partner account"] {
        let arguments = json!({"object": "Account", "field": "Type", "record_type": record_type});
        table.case("of one", arguments).await;
    }
    table
        .case("dependent", of("Measurement__c", "Unit__c"))
        .await;
    for value in ["Power", "pressure"] {
        let arguments =
            json!({"object": "Measurement__c", "field": "Unit__c", "controlling_value": value});
        table.case("for one value", arguments).await;
    }
    let arguments =
        json!({"object": "Measurement__c", "field": "Unit__c", "controlling_value": "Pwer"});
    table.case("for none", arguments).await;
    let arguments =
        json!({"object": "Measurement__c", "field": "Kind__c", "controlling_value": "Power"});
    table.case("for nothing that controls it", arguments).await;
    table.case("no such object", of("Cases", "Priority")).await;
    table.case("no such field", of("Case", "Prioriti")).await;
    table.case("no picklist", of("Case", "Subject")).await;
    let arguments = json!({"object": "Account", "field": "Type", "record_type": "Partner"});
    table.case("no such record type", arguments).await;
    let arguments = json!({"object": "Account", "field": "Type", "cursor": "x"});
    table.case("no cursor", arguments).await;
    table
        .case(
            "the last page",
            json!({"object": "Account", "field": "Type", "cursor": "250"}),
        )
        .await;
    table
        .case_as(
            "gus",
            "an account without the right",
            of("Opportunity", "StageName"),
        )
        .await;
    table
        .case_as(
            "aiko",
            "a field that the account does not see",
            of("Case", "IsEscalated"),
        )
        .await;
    let hides = json!({"deny_read": ["Measurement__c.Kind__c"]});
    table
        .limited(
            hides.clone(),
            "a controlling field that is hidden",
            of("Measurement__c", "Unit__c"),
        )
        .await;
    table
        .limited(
            hides,
            "a field that is hidden",
            of("Measurement__c", "Kind__c"),
        )
        .await;
    let arguments = json!({"object": "Account", "field": "Type", "record_type": "Partner_Account"});
    table.faults("/ui-api/*", arguments).await;
    insta::assert_snapshot!("get_picklist_values", table.text());
}
