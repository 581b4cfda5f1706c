//! List views: listed, described, and run as the SOQL that they say they are.

use serde_json::{Value as Json, json};

use crate::client::{Api, V};

const OBJECTS: [&str; 7] = [
    "Account",
    "Campaign",
    "Case",
    "Contact",
    "Lead",
    "Measurement__c",
    "Opportunity",
];

async fn listed(api: &Api, object: &str) -> Vec<Json> {
    let path = format!("{V}/sobjects/{object}/listviews");
    let list = api.get(&path).await.json();
    assert_eq!(
        (&list["done"], &list["sobjectType"]),
        (&json!(true), &json!(object))
    );
    let views = list["listviews"].as_array().unwrap().clone();
    assert_eq!(list["size"], views.len());
    views
}

#[tokio::test]
async fn every_view_shows_the_rows_of_its_query() {
    let api = Api::new().await;
    let (mut views, mut filled) = (0, 0);
    for object in OBJECTS {
        for view in listed(&api, object).await {
            let describe = api.get(view["describeUrl"].as_str().unwrap()).await.json();
            let soql = describe["query"].as_str().unwrap();
            let rows = api.query(soql).await.json();
            let results = format!("{}?limit=2000", view["resultsUrl"].as_str().unwrap());
            let results = api.get(&results).await.json();
            let total = rows["totalSize"].as_u64().unwrap();
            let shown = results["records"].as_array().unwrap();
            assert_eq!(shown.len() as u64, total.min(2_000), "{soql}");
            assert_eq!(results["done"], total <= 2_000);
            assert_eq!(results["columns"], describe["columns"]);
            let id = |record: &Json| {
                let columns = record["columns"].as_array().unwrap();
                let column = columns
                    .iter()
                    .find(|column| column["fieldNameOrPath"] == "Id");
                column.unwrap()["value"].clone()
            };
            for (record, row) in shown.iter().zip(rows["records"].as_array().unwrap()) {
                assert_eq!(id(record), row["Id"], "{soql}");
            }
            views += 1;
            filled += usize::from(total > 0);
        }
    }
    assert!(
        views >= 25 && filled >= 20,
        "{filled} of {views} show something"
    );
    let known = api
        .query("SELECT COUNT() FROM ListView WHERE IsSoqlCompatible = true")
        .await;
    assert_eq!(known.json()["totalSize"], views);
}

#[tokio::test]
async fn a_view_is_described_as_the_guide_has_it() {
    let api = Api::new().await;
    let path = format!("{V}/sobjects/Opportunity/listviews");
    // As long as an id, and none.
    let mine = api.get(&format!("{path}/MyOpportunities/results")).await;
    assert_eq!(mine.status, 200, "{mine:?}");
    let describe = api.get(&format!("{path}/Overdue/describe")).await.json();
    assert_eq!(
        describe["query"],
        "SELECT Name, Account.Name, Amount, CloseDate, toLabel(StageName), Owner.Alias, Id, CreatedDate, \
         LastModifiedDate, SystemModstamp FROM Opportunity WHERE IsClosed = false AND CloseDate < TODAY \
         ORDER BY CloseDate ASC NULLS FIRST, Id ASC NULLS FIRST"
    );
    assert_eq!(
        describe["whereCondition"],
        json!({"conjunction": "and", "conditions": [
            {"field": "IsClosed", "operator": "equals", "values": ["false"]},
            {"field": "CloseDate", "operator": "lessThan", "values": ["TODAY"]},
        ]})
    );
    assert_eq!(
        describe["orderBy"][0],
        json!({"fieldNameOrPath": "CloseDate", "nullsPosition": "first", "sortDirection": "ascending"})
    );
    assert_eq!(
        describe["columns"][4],
        json!({
            "ascendingLabel": "High to Low", "descendingLabel": "Low to High", "fieldNameOrPath": "StageName",
            "hidden": false, "label": "Stage", "selectListItem": "toLabel(StageName)", "sortDirection": null,
            "sortIndex": null, "sortable": true, "type": "picklist",
        })
    );
    let mine = api
        .get(&format!(
            "{V}/sobjects/Account/listviews/MyAccounts/describe"
        ))
        .await
        .json();
    assert_eq!(mine["scope"], "mine");
    let one = api
        .get(&format!("{path}/Overdue/results?limit=1"))
        .await
        .json();
    let columns = one["records"][0]["columns"].as_array().unwrap();
    let value = |name: &str| {
        let column = columns
            .iter()
            .find(|column| column["fieldNameOrPath"] == name);
        column.unwrap()["value"].as_str().unwrap().to_owned()
    };
    assert!(
        value("CreatedDate").contains(" GMT 20"),
        "{}",
        value("CreatedDate")
    );
    assert!(value("Account.Name").len() > 3 && value("CloseDate").starts_with("2026-"));
}

#[tokio::test]
async fn results_are_paged_and_used_views_are_remembered() {
    let api = Api::new().await;
    let path = format!("{V}/sobjects/Account/listviews");
    let first = api.get(&format!("{path}/AllAccounts/results")).await.json();
    assert_eq!(
        (first["size"].as_u64(), &first["done"]),
        (Some(25), &json!(false))
    );
    let last = api
        .get(&format!("{path}/AllAccounts/results?limit=40&offset=50"))
        .await
        .json();
    assert_eq!(
        (last["size"].as_u64(), &last["done"]),
        (Some(10), &json!(true))
    );
    let beyond = api
        .get(&format!("{path}/AllAccounts/results?offset=60"))
        .await
        .json();
    assert_eq!(
        (beyond["size"].as_u64(), &beyond["done"]),
        (Some(0), &json!(true))
    );

    let page = api.get(&format!("{path}?limit=2")).await.json();
    assert_eq!(
        (page["size"].as_u64(), &page["done"]),
        (Some(2), &json!(false))
    );
    let next = api
        .get(page["nextRecordsUrl"].as_str().unwrap())
        .await
        .json();
    assert_ne!(next["listviews"][0], page["listviews"][0]);

    let recent = api.get(&format!("{path}/recent")).await.json();
    assert_eq!(
        (
            recent["size"].as_u64(),
            &recent["listviews"][0]["developerName"]
        ),
        (Some(1), &json!("AllAccounts"))
    );
    api.get(&format!("{path}/MyAccounts/results")).await;
    let recent = api.get(&format!("{path}/recent")).await.json();
    assert_eq!(recent["listviews"][0]["developerName"], "MyAccounts");
}

#[tokio::test]
async fn what_is_no_view_is_refused() {
    let api = Api::new().await;
    let of_contact = listed(&api, "Contact").await[0]["id"].clone();
    let of_contact = of_contact.as_str().unwrap();
    for (path, status, code) in [
        ("Nothing/listviews".to_owned(), 404, "NOT_FOUND"),
        ("ListView/listviews".to_owned(), 404, "NOT_FOUND"),
        (format!("Account/listviews/{of_contact}"), 404, "NOT_FOUND"),
        (
            "Account/listviews/00BDO00000zzzzz/results".to_owned(),
            404,
            "NOT_FOUND",
        ),
        (
            "Account/listviews/AllAccounts/rows".to_owned(),
            404,
            "NOT_FOUND",
        ),
        (
            "Account/listviews/AllAccounts/results?limit=0".to_owned(),
            400,
            "NUMBER_OUTSIDE_VALID_RANGE",
        ),
        (
            "Account/listviews/AllAccounts/results?limit=2001".to_owned(),
            400,
            "NUMBER_OUTSIDE_VALID_RANGE",
        ),
        (
            "Account/listviews/AllAccounts/results?offset=-1".to_owned(),
            400,
            "INVALID_QUERY_FILTER_OPERATOR",
        ),
    ] {
        api.get(&format!("{V}/sobjects/{path}"))
            .await
            .assert_error(status, code);
    }
    let posted = api
        .send_json(
            "POST",
            &format!("{V}/sobjects/Account/listviews"),
            &json!({}),
        )
        .await;
    posted.assert_error(405, "METHOD_NOT_ALLOWED");
}
