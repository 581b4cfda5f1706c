//! Five thousand rows, a page at a time.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::client::{Answer, Api, V, query};

const ALL: &str = "SELECT Id, Name FROM Measurement__c ORDER BY Name";

async fn first(api: &Api, options: Option<&str>) -> Answer {
    let path = format!("{V}/query?{}", query(&[("q", ALL)]));
    match options {
        Some(options) => api.get_with(&path, "Sforce-Query-Options", options).await,
        None => api.get(&path).await,
    }
}

/// Follows an answer to its end; gives the sizes of its pages and its names.
async fn follow(api: &Api, answer: Answer) -> (Vec<usize>, Vec<String>) {
    let (mut sizes, mut names) = (Vec::new(), Vec::new());
    let mut page = answer.json();
    loop {
        let records = page["records"].as_array().unwrap();
        assert_eq!(page["totalSize"], 5_000);
        sizes.push(records.len());
        names.extend(
            records
                .iter()
                .map(|record| record["Name"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["nextRecordsUrl"].as_str() else {
            assert_eq!(page["done"], true);
            return (sizes, names);
        };
        assert_eq!(page["done"], false);
        page = api.get(next).await.json();
    }
}

#[tokio::test]
async fn every_row_comes_once_and_in_order() {
    let api = Api::new().await;
    let answer = first(&api, None).await;
    let next = answer.json()["nextRecordsUrl"].as_str().unwrap().to_owned();
    assert!(
        next.starts_with("/services/data/v68.0/query/01g") && next.ends_with("-2000"),
        "{next}"
    );
    let (sizes, names) = follow(&api, answer).await;
    assert_eq!(sizes, [2_000, 2_000, 1_000]);
    assert!(names.is_sorted());
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 5_000);
}

#[tokio::test]
async fn the_client_says_how_long_a_page_is_within_bounds() {
    let api = Api::new().await;
    for (options, size) in [
        ("batchSize=500", 500),
        ("batchSize=1", 200),
        ("BATCHSIZE = 9999", 2_000),
        ("batchSize=x", 2_000),
    ] {
        let answer = first(&api, Some(options)).await;
        assert_eq!(
            answer.json()["records"].as_array().unwrap().len(),
            size,
            "{options}"
        );
    }
    let answer = first(&api, Some("batchSize=1200")).await;
    assert_eq!(
        follow(&api, answer).await.0,
        [1_200, 1_200, 1_200, 1_200, 200]
    );
}

#[tokio::test]
async fn a_page_can_be_asked_for_again_until_its_answer_is_forgotten() {
    let mut api = Api::new().await;
    let next = first(&api, None).await.json()["nextRecordsUrl"]
        .as_str()
        .unwrap()
        .to_owned();
    let page = api.get(&next).await;
    assert_eq!(page.status, 200);
    assert_eq!(api.get(&next).await.text, page.text);
    // What one user pages is nobody else's.
    let own = std::mem::replace(&mut api.token, api.org.users()[1].access_token.clone());
    api.get(&next)
        .await
        .assert_error(400, "INVALID_QUERY_LOCATOR");
    api.token = own;
    api.org.expire_cursors();
    let message = api
        .get(&next)
        .await
        .assert_error(400, "INVALID_QUERY_LOCATOR");
    assert_eq!(message, "invalid query locator");
}

#[tokio::test]
async fn a_user_pages_ten_answers_at_a_time() {
    let api = Api::new().await;
    let mut next: Vec<String> = Vec::new();
    for _ in 0..11 {
        let page: Json = first(&api, Some("batchSize=200")).await.json();
        next.push(page["nextRecordsUrl"].as_str().unwrap().to_owned());
    }
    api.get(&next[0])
        .await
        .assert_error(400, "INVALID_QUERY_LOCATOR");
    for url in &next[1..] {
        assert_eq!(api.get(url).await.status, 200);
    }
}

#[tokio::test]
async fn a_short_answer_is_one_page() {
    let api = Api::new().await;
    let answer = api
        .query("SELECT Name FROM Account\nORDER BY Name LIMIT 3")
        .await
        .json();
    assert_eq!(
        (&answer["totalSize"], &answer["done"]),
        (&Json::from(3), &Json::from(true))
    );
    assert!(answer.get("nextRecordsUrl").is_none());
    let count = api.query("SELECT COUNT() FROM Lead").await.json();
    assert_eq!(count["totalSize"], 150);
    let path = format!(
        "{V}/queryAll?{}",
        query(&[("q", "SELECT COUNT() FROM Lead")])
    );
    assert_eq!(api.get(&path).await.json()["totalSize"], 153);
}

#[tokio::test]
async fn columns_are_told_instead_of_rows() {
    let api = Api::new().await;
    let path = format!(
        "{V}/query?columns=true&{}",
        query(&[("q", "SELECT Name FROM Account")])
    );
    let answer = api.get(&path).await.json();
    assert_eq!(
        answer["columnMetadata"].as_array().unwrap().len(),
        1,
        "{answer}"
    );
    assert!(answer.get("records").is_none());
}

#[tokio::test]
async fn a_query_is_explained() {
    let api = Api::new().await;
    let explain = async |text: &str| {
        api.get(&format!("{V}/query?{}", query(&[("explain", text)])))
            .await
    };
    let answer = explain("SELECT Id FROM Measurement__c WHERE Name = 'none'")
        .await
        .json();
    assert_eq!(answer["plans"][0]["leadingOperationType"], "Index");
    assert_eq!(answer["plans"][0]["sobjectCardinality"], 5_000);
    explain("SELECT Id FROM Nothing")
        .await
        .assert_error(400, "INVALID_TYPE");
    explain("").await.assert_error(400, "MALFORMED_QUERY");
    // A report or list view that is not there.
    explain("00ODO0000000001AAA")
        .await
        .assert_error(404, "NOT_FOUND");
}
