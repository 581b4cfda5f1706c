//! Requests that depend on what the client knows (RFC 9110, section 13).

use serde_json::json;

use crate::client::{Answer, Api, V};

async fn patch(api: &Api, path: &str, name: &str, value: &str) -> Answer {
    let headers = [("content-type", "application/json"), (name, value)];
    api.send("PATCH", path, &headers, json!({"Site": "x"}).to_string())
        .await
}

#[tokio::test]
async fn a_change_of_what_has_changed_is_refused() {
    let api = Api::new().await;
    let path = format!("{V}/sobjects/Account/001DO0000000002");
    let read = api.get(&path).await;
    let known = read.header("last-modified").to_owned();
    assert_eq!(
        patch(&api, &path, "If-Unmodified-Since", &known)
            .await
            .status,
        204
    );
    patch(&api, &path, "If-Unmodified-Since", &known)
        .await
        .assert_error(412, "PRECONDITION_FAILED");
    assert_eq!(
        patch(&api, &path, "If-Unmodified-Since", "no date")
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn accounts_have_entity_tags() {
    let api = Api::new().await;
    let path = format!("{V}/sobjects/Account/001DO0000000003");
    let tag = api.get(&path).await.header("etag").to_owned();
    assert!(tag.starts_with('"'));
    assert_eq!(api.get_with(&path, "If-None-Match", &tag).await.status, 304);
    assert_eq!(patch(&api, &path, "If-Match", "*").await.status, 204);
    patch(&api, &path, "If-Match", &tag)
        .await
        .assert_error(412, "PRECONDITION_FAILED");
    assert_eq!(api.get_with(&path, "If-None-Match", &tag).await.status, 200);
    let lead = api.get(&format!("{V}/sobjects/Lead/00QDO0000000001")).await;
    assert_eq!(lead.header("etag"), "");
}

#[tokio::test]
async fn an_unchanged_record_is_not_sent_again() {
    let api = Api::new().await;
    let path = format!("{V}/sobjects/Case/500DO0000000001");
    let read = api.get(&path).await;
    let known = read.header("last-modified");
    assert_eq!(
        api.get_with(&path, "If-Modified-Since", known).await.status,
        304
    );
    let earlier = "Mon, 01 Jan 2001 00:00:00 GMT";
    assert_eq!(
        api.get_with(&path, "If-Modified-Since", earlier)
            .await
            .status,
        200
    );
}
