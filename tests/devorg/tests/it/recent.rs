//! What a user has used last, in `/recent`, `recentItems`, `RecentlyViewed` and the fields of a
//! record; and what counts as using it.

use serde_json::{Value as Json, json};

use crate::client::{Api, V};

const LATEST: &str = "SELECT Id, Name, LastViewedDate, LastReferencedDate FROM Account \
                      WHERE LastReferencedDate != NULL ORDER BY LastReferencedDate DESC LIMIT 1";

#[tokio::test]
async fn every_way_to_ask_names_the_same_records() {
    let api = Api::new().await;
    let recent = api.get(&format!("{V}/recent")).await.json();
    let recent = recent.as_array().unwrap();
    assert!(recent.len() >= 10, "{} items", recent.len());
    for object in ["Account", "Case", "Contact", "Lead", "Opportunity"] {
        let of_object: Vec<&Json> = recent
            .iter()
            .filter(|item| item["attributes"]["type"] == object)
            .map(|item| &item["Id"])
            .collect();
        assert!(!of_object.is_empty(), "{object}");
        let items = api.get(&format!("{V}/sobjects/{object}")).await.json();
        let items = items["recentItems"].as_array().unwrap();
        assert_eq!(
            items.iter().map(|item| &item["Id"]).collect::<Vec<_>>(),
            of_object
        );
        let soql = format!(
            "SELECT Id, Name, LastViewedDate FROM RecentlyViewed WHERE Type = '{object}' AND LastViewedDate != NULL \
             ORDER BY LastViewedDate DESC"
        );
        let rows = api.query(&soql).await.json();
        let rows = rows["records"].as_array().unwrap();
        assert_eq!(
            rows.iter().map(|row| &row["Id"]).collect::<Vec<_>>(),
            of_object
        );
        let path = format!("{V}/sobjects/{object}/{}", of_object[0].as_str().unwrap());
        assert_eq!(
            api.get(&path).await.json()["LastViewedDate"],
            rows[0]["LastViewedDate"]
        );
    }
    let first = api.get(&format!("{V}/recent?limit=1")).await.json();
    assert_eq!(first, json!([recent[0]]));
    for limit in ["0", "201", "x"] {
        let answer = api.get(&format!("{V}/recent?limit={limit}")).await;
        answer.assert_error(400, "NUMBER_OUTSIDE_VALID_RANGE");
    }
}

#[tokio::test]
async fn what_is_looked_at_made_or_changed_comes_first_for_that_user_alone() {
    let mut api = Api::new().await;
    let id = "001DO0000000009YAA";
    let before = api.query(LATEST).await.json()["records"][0].clone();
    assert_ne!(before["Id"], id);

    // A plain read and a plain query change nothing.
    api.get(&format!("{V}/sobjects/Account/{id}")).await;
    api.query(&format!("SELECT Id FROM Account WHERE Id = '{id}'"))
        .await;
    assert_eq!(api.query(LATEST).await.json()["records"][0], before);

    api.query(&format!(
        "SELECT Name FROM Account WHERE Id = '{id}' FOR REFERENCE"
    ))
    .await;
    let referenced = api.query(LATEST).await.json()["records"][0].clone();
    assert_eq!(
        (&referenced["Id"], &referenced["LastViewedDate"]),
        (&json!(id), &json!(null))
    );
    api.query(&format!(
        "SELECT Name FROM Account WHERE Id = '{id}' FOR VIEW"
    ))
    .await;
    let viewed = api.query(LATEST).await.json()["records"][0].clone();
    assert_eq!(viewed["LastViewedDate"], viewed["LastReferencedDate"]);
    let first = api.get(&format!("{V}/recent?limit=1")).await.json();
    assert_eq!(
        (&first[0]["Id"], &first[0]["Name"]),
        (&json!(id), &viewed["Name"])
    );

    let made = api
        .send_json(
            "POST",
            &format!("{V}/sobjects/Lead"),
            &json!({"LastName": "Last", "Company": "x"}),
        )
        .await;
    let made = made.json()["id"].clone();
    let first = api.get(&format!("{V}/recent?limit=1")).await.json();
    assert_eq!(
        (&first[0]["Id"], &first[0]["attributes"]["type"]),
        (&made, &json!("Lead"))
    );
    let changed = format!("{V}/sobjects/Case/500DO0000000003");
    assert_eq!(
        api.send_json("PATCH", &changed, &json!({"Subject": "x"}))
            .await
            .status,
        204
    );
    let first = api.get(&format!("{V}/recent?limit=1")).await.json();
    assert_eq!(
        (&first[0]["attributes"]["type"], &first[0]["Name"]),
        (&json!("Case"), &json!("00001003"))
    );

    // What is deleted is in no list any more.
    api.send("DELETE", &changed, &[], "").await;
    let first = api.get(&format!("{V}/recent?limit=1")).await.json();
    assert_eq!(first[0]["Id"], made);

    api.token = api.org.users()[1].access_token.clone();
    let other = api
        .query("SELECT Id FROM RecentlyViewed WHERE Id IN (SELECT Id FROM Lead)")
        .await
        .json();
    let ids = other["records"].as_array().unwrap();
    assert!(!ids.is_empty() && ids.iter().all(|row| row["Id"] != made));
}

/// Gives the org's time.
async fn now(api: &Api) -> String {
    let xml = crate::soap::call(api, "<getServerTimestamp/>").await;
    let (_, rest) = xml.split_once("<timestamp>").unwrap();
    rest.split_once("</timestamp>")
        .unwrap()
        .0
        .replace(".000Z", ".000+0000")
}

#[tokio::test]
async fn a_page_of_rows_is_seen_in_one_moment() {
    let api = Api::new().await;
    // One more than fits on a page.
    let contact = json!({"LastName": "Seen"});
    let made = api
        .send_json("POST", &format!("{V}/sobjects/Contact"), &contact)
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let view = "SELECT Id FROM Contact ORDER BY Id FOR VIEW";
    let seen = async |moment: &str| {
        let moment = moment.replace("+0000", "Z");
        let soql = format!("SELECT COUNT() FROM Contact WHERE LastViewedDate = {moment}");
        api.query(&soql).await.json()["totalSize"].clone()
    };
    let mut moments = vec![now(&api).await];

    // Of a page it is the page's rows, by whichever API they are asked for.
    let headers = [("sforce-query-options", "batchSize=200")];
    let path = format!("{V}/query?q={}", view.replace(' ', "+"));
    let mut page = api.send("GET", &path, &headers, "").await.json();
    for rows in [200, 1] {
        moments.push(now(&api).await);
        assert_eq!(seen(&moments[moments.len() - 1]).await, rows);
        if let Some(next) = page["nextRecordsUrl"].as_str() {
            page = api.get(next).await.json();
        }
    }
    let query = format!("<query><queryString>{view}</queryString></query>");
    assert!(
        crate::soap::call(&api, &query)
            .await
            .contains("<size>201</size>")
    );
    moments.push(now(&api).await);
    assert_eq!(seen(&moments[3]).await, 201);
    // Without rows there is nothing to see.
    api.query("SELECT Id FROM Account WHERE Name = 'Nobody' FOR VIEW")
        .await;
    moments.push(now(&api).await);

    let seconds: Vec<jiff::Timestamp> = moments
        .iter()
        .map(|moment| moment.replace("+0000", "Z").parse().unwrap())
        .collect();
    let after = |at: &jiff::Timestamp| at.duration_since(seconds[0]).as_secs();
    let after: Vec<i64> = seconds.iter().map(after).collect();
    assert_eq!(after, [0, 1, 2, 3, 3]);
}

#[tokio::test]
async fn what_is_refused_takes_no_time() {
    let api = Api::new().await;
    let before = now(&api).await;
    let submit = json!({"actionType": "Submit", "contextId": "001DO0000000001"});
    let path = format!("{V}/process/approvals");
    let answer = api
        .send_json("POST", &path, &json!({"requests": [submit, submit]}))
        .await;
    assert_eq!(answer.json()[1]["success"], false, "{answer:?}");
    assert_eq!(now(&api).await, before);
}
