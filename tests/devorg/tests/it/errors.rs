//! What is refused, and in which words.

use salesforce_devorg::error::StartError;
use salesforce_devorg::{DevOrg, Options};

use crate::client::{Api, V};

#[tokio::test]
async fn without_a_session_nothing_is_answered() {
    let mut api = Api::new().await;
    for token in ["", "00DDO0000000001!AQnothing"] {
        api.token = token.into();
        let answer = api.get(&format!("{V}/sobjects")).await;
        let message = answer.assert_error(401, "INVALID_SESSION_ID");
        assert_eq!(message, "Session expired or invalid");
        assert_eq!(answer.header("www-authenticate"), "Token");
    }
    let other = [("authorization", "Basic eDp5")];
    api.token.clear();
    api.send("GET", V, &other, "")
        .await
        .assert_error(401, "INVALID_SESSION_ID");
    let older = format!("OAuth {}", api.org.users()[0].access_token);
    assert_eq!(api.get_with(V, "authorization", &older).await.status, 200);
}

#[tokio::test]
async fn an_expired_session_is_refused() {
    let api = Api::new().await;
    assert!(api.org.expire_session(&api.token));
    assert!(!api.org.expire_session(&api.token));
    api.get(V).await.assert_error(401, "INVALID_SESSION_ID");
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let api = Api::new().await;
    for path in [
        "/",
        "/services",
        "/services/data/v99.0/sobjects",
        "/services/oauth2/nothing",
        "/services/data/v68.0/nothing",
        "/services/data/v68.0/sobjects/Nothing",
        "/services/data/v68.0/sobjects/Nothing/describe",
        "/services/data/v68.0/sobjects/Account/describe/nothing",
        "/services/data/v68.0/sobjects/Account/%FF",
        "/services/data/v68.0/sobjects/Account/003DO0000000001",
        "/services/data/v68.0/sobjects/Account/001DO0000000zzz",
        "/services/data/v68.0/sobjects/Measurement__c/External_Key__c/nothing",
        "/services/data/v68.0/sobjects/Measurement__c/External_Key__c/a/b",
    ] {
        let message = api.get(path).await.assert_error(404, "NOT_FOUND");
        assert_eq!(message, "The requested resource does not exist", "{path}");
    }
    for (path, name) in [
        ("Account/nothing", "nothing"),
        ("Account/Name/Acme", "Name"),
    ] {
        let answer = api.get(&format!("{V}/sobjects/{path}")).await;
        let message = answer.assert_error(404, "NOT_FOUND");
        assert_eq!(
            message,
            format!("Provided external ID field does not exist or is not accessible: {name}")
        );
    }
    api.get("/services/data/v25.0/sobjects")
        .await
        .assert_error(410, "UNSUPPORTED_API_VERSION");
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let api = Api::new().await;
    for (path, allowed) in [
        ("/services/data", "GET,HEAD"),
        ("/services/data/v68.0", "GET,HEAD"),
        ("/services/data/v68.0/sobjects", "GET,HEAD"),
        ("/services/data/v68.0/sobjects/Account", "GET,HEAD,POST"),
        ("/services/data/v68.0/sobjects/Account/describe", "GET,HEAD"),
        (
            "/services/data/v68.0/sobjects/Account/001DO0000000001",
            "GET,HEAD,PATCH,DELETE",
        ),
        ("/services/data/v68.0/query", "GET,HEAD"),
        ("/services/data/v68.0/limits", "GET,HEAD"),
        ("/services/oauth2/introspect", "POST"),
        ("/services/oauth2/authorize", "GET,POST"),
        ("/.well-known/openid-configuration", "GET,HEAD"),
    ] {
        let answer = api.send("PUT", path, &[], "").await;
        let message = answer.assert_error(405, "METHOD_NOT_ALLOWED");
        assert_eq!(
            message,
            format!("HTTP Method 'PUT' not allowed. Allowed are {allowed}")
        );
        assert_eq!(answer.header("allow"), allowed);
    }
    let head = api.send("HEAD", V, &[], "").await;
    assert_eq!((head.status, &*head.text), (200, ""));
}

#[tokio::test]
async fn what_is_too_long_is_refused() {
    let api = Api::new().await;
    let long = format!("{V}/query?q={}", "x".repeat(16_384));
    api.get(&long).await.assert_error(414, "URI_TOO_LONG");
    let path = format!("{V}/sobjects/Account");
    let headers = [("content-type", "application/json")];
    let body = vec![b' '; 7 * 1_024 * 1_024];
    api.send("POST", &path, &headers, body)
        .await
        .assert_error(413, "EXCEEDED_MAX_SIZE_REQUEST");
}

#[tokio::test]
async fn a_query_must_be_one() {
    let api = Api::new().await;
    for path in ["query", "query?q=", "queryAll?q=%20"] {
        let message = api
            .get(&format!("{V}/{path}"))
            .await
            .assert_error(400, "MALFORMED_QUERY");
        assert_eq!(message, "A query string has to be specified");
    }
    api.query("SELEKT Id")
        .await
        .assert_error(400, "MALFORMED_QUERY");
    for locator in [
        "nothing",
        "01gDO0000000001AAA-2000",
        "01gDO0000000001AAA-x",
        "x-2000",
    ] {
        let answer = api.get(&format!("{V}/query/{locator}")).await;
        answer.assert_error(400, "INVALID_QUERY_LOCATOR");
    }
}

#[tokio::test]
async fn an_org_does_not_start_where_it_must_not_or_cannot() {
    let public = Options {
        listen: ([0, 0, 0, 0], 0).into(),
        ..Options::default()
    };
    let error = DevOrg::start(public.clone()).await.unwrap_err();
    assert!(matches!(error, StartError::NotLoopback { .. }));
    insta::assert_snapshot!(error, @"`0.0.0.0:0` can be reached from other machines; listen on 127.0.0.1, or say that other machines are allowed");
    let org = DevOrg::start(Options {
        allow_other_machines: true,
        ..public
    })
    .await
    .unwrap();
    assert!(org.url().starts_with("http://127.0.0.1:"));

    let taken = Options {
        listen: ([127, 0, 0, 1], org.address().port()).into(),
        ..Options::default()
    };
    let error = DevOrg::start(taken).await.unwrap_err();
    assert!(matches!(error, StartError::Listen { .. }));
}
