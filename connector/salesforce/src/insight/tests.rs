//! What needs no org: several currencies, accounts that have less than every org has, owners of one name.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::client::CURRENCY_FACT;
use crate::testing::Org;
use portcullis_sdk::{Failure, Output, Reason};

const QUERY: &str = "/services/data/v68.0/query";
const ID: &str = "001000000000001AAA";

fn overview(org: &Org, account: &str) -> Result<Output, Failure> {
    let args = serde_json::json!({ "account": account });
    get_account_overview(org, &serde_json::from_value(args).unwrap())
}

fn pipeline(org: &Org, args: &str) -> Result<Output, Failure> {
    get_pipeline(org, &serde_json::from_str(args).unwrap())
}

fn one(record: &str) -> String {
    format!(r#"{{"totalSize":1,"done":true,"records":[{record}]}}"#)
}

#[test]
fn amounts_have_their_currency_where_there_are_several() {
    let deal = r#"{"attributes":{"type":"Opportunity"},"Id":"006000000000001AAA","Name":"Sensors","StageName":"Prospecting","Amount":1500000.5,"CloseDate":"2026-12-01","Owner":null,"CurrencyIsoCode":"CHF"}"#;
    let account = format!(
        r#"{{"attributes":{{"type":"Account"}},"Id":"{ID}","Name":"Acme","AnnualRevenue":12345678901234567.89,"CurrencyIsoCode":"EUR","Opportunities":{{"totalSize":1,"done":true,"records":[{deal}]}},"Cases":null,"Contacts":null,"Tasks":null,"Events":null}}"#
    );
    let org = Org::new()
        .fact(CURRENCY_FACT, "EUR")
        .answer(QUERY, 200, &one(&account));
    insta::assert_snapshot!(overview(&org, ID).unwrap().text);
    assert_eq!(org.requests().len(), 1);

    let groups = r#"{"attributes":{"type":"AggregateResult"},"StageName":"Prospecting","OwnerId":"005000000000001AAA","Name":"Ann Lee","deals":2,"total":1.5E7,"weighted":1500000.25},
        {"attributes":{"type":"AggregateResult"},"StageName":"Prospecting","OwnerId":"005000000000002AAA","Name":"Ann Lee","deals":1,"total":null,"weighted":null}"#;
    let org = Org::new()
        .fact(CURRENCY_FACT, "EUR")
        .answer(QUERY, 200, &one(groups));
    insta::assert_snapshot!(pipeline(&org, "{}").unwrap().text);
}

#[test]
fn what_the_account_does_not_have_is_left_out_after_the_service_said_so() {
    let refused = r#"[{"errorCode":"INVALID_FIELD","message":"No such column 'AccountNumber' on entity 'Account'."}]"#;
    let contact =
        r#"{"name":"Contact","fields":[{"name":"Id"},{"name":"Name"},{"name":"AccountId"}]}"#;
    let account = format!(
        r#"{{"attributes":{{"type":"Account"}},"Id":"{ID}","Name":"Acme","Contacts":null}}"#
    );
    let org = Org::new()
        .answer(
            "/services/data/v68.0/sobjects/Contact/describe",
            200,
            contact,
        )
        .answer(QUERY, 400, refused)
        .answer(QUERY, 200, &one(&account));
    let text = overview(&org, ID).unwrap().text;
    assert!(
        text.contains("none: contacts") && !text.contains("opportunities"),
        "{text}"
    );
    let requests = org.requests();
    let sent = requests
        .last()
        .unwrap()
        .replace("%20", " ")
        .replace("%2C", ",")
        .replace("%28", "(")
        .replace("%29", ")");
    assert!(sent.contains("SELECT Id, Name, Industry, AnnualRevenue, (SELECT Id, Name FROM Contacts ORDER BY Id LIMIT 11) FROM Account"), "{sent}");
    // The host is asked about what is sent.
    assert_eq!(
        org.checked().last().unwrap(),
        "Contact: AccountId, Id, Name"
    );

    // Where nothing can be left out, the service's own words stand.
    let org = Org::without_answers().answer(QUERY, 400, refused);
    let failure = pipeline(&org, "{}").unwrap_err();
    assert_eq!(failure.service_code.as_deref(), Some("INVALID_FIELD"));
}

#[test]
fn nobody_is_asked_about_what_the_agent_may_not_see() {
    let org = Org::new()
        .forbid("User")
        .hide("Opportunity", "Probability")
        .answer(QUERY, 200, &one(""));
    pipeline(&org, r#"{"owner": "me"}"#).unwrap();
    let sent = org.requests()[0].replace("%20", " ");
    assert!(
        !sent.contains("Owner.Name") && !sent.contains("ExpectedRevenue"),
        "{sent}"
    );
    assert!(sent.contains("005xx000001SwiUAAS"));
    let failure = pipeline(&org, r#"{"owner": "Ann Lee"}"#).unwrap_err();
    assert_eq!(failure.reason, Reason::NotPermitted);
    assert!(!format!("{failure:?}").contains("User"), "{failure:?}");
    let org = Org::new().forbid("Opportunity");
    assert!(pipeline(&org, "{}").is_err() && org.requests().is_empty());
}

#[test]
fn a_report_of_several_currencies_says_which() {
    let reply = r#"{"allData":true,"factMap":{"T!T":{"aggregates":[{"label":"EUR 12.50","value":{"amount":12.5,"currency":"EUR"}}],"rows":[
        {"dataCells":[{"label":"Acme","value":"001000000000001AAA"},{"label":"CHF 10.00","value":{"amount":10,"currency":"CHF"}},{"label":"1.2.2026","value":"2026-02-01"},{"label":"-","value":null}]}]}},
        "groupingsDown":{"groupings":[]},"groupingsAcross":{"groupings":[]},"hasDetailRows":true,
        "reportExtendedMetadata":{"aggregateColumnInfo":{"s!AMOUNT":{"label":"Sum of Amount","dataType":"currency"}},"detailColumnInfo":{"NAME":{"label":"Account","dataType":"string"},"AMOUNT":{"label":"Amount","dataType":"currency"},"DAY":{"label":"Day","dataType":"date"},"X":{"label":"X","dataType":"string"}},"groupingColumnInfo":{}},
        "reportMetadata":{"name":"Deals","currency":"EUR","aggregates":["s!AMOUNT"],"detailColumns":["NAME","AMOUNT","DAY","X"],"groupingsDown":[],"groupingsAcross":[],"reportFormat":"TABULAR"}}"#;
    let org = Org::new().answer(
        "/services/data/v68.0/analytics/reports/00O000000000001AAA",
        200,
        reply,
    );
    let run = |args: &str| {
        run_report(&org, &serde_json::from_str(args).unwrap())
            .unwrap()
            .text
    };
    insta::assert_snapshot!(run(r#"{"id": "00O000000000001AAA"}"#));
    insta::assert_snapshot!(run(r#"{"id": "00O000000000001AAA", "rows": false}"#));
}
