//! Versions, describes, limits, and what every answer carries.

use salesforce_devorg::{DevOrg, Options};
use serde_json::json;

use crate::client::{Api, V};

#[tokio::test]
async fn versions_need_no_session() {
    let mut api = Api::new().await;
    api.token.clear();
    let answer = api.get("/services/data").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("sforce-limit-info"), "");
    let versions = answer.json();
    let versions = versions.as_array().unwrap();
    assert_eq!(versions.first().unwrap()["version"], "31.0");
    assert_eq!(
        *versions.last().unwrap(),
        json!({"label": "Winter '27", "url": "/services/data/v68.0", "version": "68.0"})
    );
}

#[tokio::test]
async fn the_root_says_who_and_what() {
    let api = Api::new().await;
    let answer = api.get("/services/data/v60.0/").await;
    let root = answer.json();
    assert_eq!(root["query"], "/services/data/v60.0/query");
    let user = api.org.users()[0].id();
    let identity = root["identity"].as_str().unwrap();
    assert!(identity.starts_with(&format!("{}/id/00D", api.org.url())));
    assert!(identity.ends_with(user.as_str()));
}

#[tokio::test]
async fn objects_are_listed_and_described() {
    let api = Api::new().await;
    let answer = api.get(&format!("{V}/sobjects")).await;
    let list = answer.json();
    let names: Vec<&str> = list["sobjects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| object["name"].as_str().unwrap())
        .collect();
    insta::assert_debug_snapshot!(names, @r#"
    [
        "Account",
        "Campaign",
        "CampaignMember",
        "Case",
        "CaseComment",
        "Contact",
        "ContentDocument",
        "ContentDocumentLink",
        "ContentVersion",
        "Dashboard",
        "Event",
        "Folder",
        "Group",
        "Inspection__c",
        "Lead",
        "LeadStatus",
        "ListView",
        "Measurement__c",
        "ObjectPermissions",
        "Opportunity",
        "OpportunityContactRole",
        "Organization",
        "PermissionSet",
        "ProcessDefinition",
        "ProcessInstance",
        "ProcessInstanceStep",
        "ProcessInstanceWorkitem",
        "Profile",
        "RecentlyViewed",
        "RecordType",
        "Report",
        "Task",
        "TaskStatus",
        "User",
        "UserLicense",
        "UserRole",
    ]
    "#);

    let answer = api
        .get(&format!("{V}/sobjects/measurement__C/describe/"))
        .await;
    let describe = answer.json();
    assert_eq!(describe["name"], "Measurement__c");
    let field = |name: &str| {
        let fields = describe["fields"].as_array().unwrap();
        fields
            .iter()
            .find(|field| field["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(field("External_Key__c")["externalId"], true);
    assert_eq!(
        field("Deviation__c")["calculatedFormula"],
        "Value__c - Expected__c"
    );
    assert_eq!(field("Account__c")["relationshipName"], "Account__r");

    let basic = api.get(&format!("{V}/sobjects/Account")).await.json();
    assert_eq!(basic["objectDescribe"]["keyPrefix"], "001");
}

#[tokio::test]
async fn an_unchanged_describe_is_not_sent_again() {
    let api = Api::new().await;
    for path in [
        format!("{V}/sobjects"),
        format!("{V}/sobjects/Account/describe"),
    ] {
        let first = api.get(&path).await;
        assert_eq!(
            first.header("last-modified"),
            "Sun, 22 Nov 2026 00:00:00 GMT"
        );
        let again = api
            .get_with(&path, "If-Modified-Since", first.header("last-modified"))
            .await;
        assert_eq!((again.status, &*again.text), (304, ""));
        for earlier in ["Sat, 21 Nov 2026 00:00:00 GMT", "no date"] {
            assert_eq!(
                api.get_with(&path, "If-Modified-Since", earlier)
                    .await
                    .status,
                200
            );
        }
    }
}

#[tokio::test]
async fn every_answer_says_what_is_used() {
    let api = Api::with(Options {
        api_requests_max: 3,
        ..Options::default()
    })
    .await;
    let limits = api.get(&format!("{V}/limits")).await;
    assert_eq!(limits.header("sforce-limit-info"), "api-usage=1/3");
    assert_eq!(
        limits.json()["DailyApiRequests"],
        json!({"Max": 3, "Remaining": 2})
    );
    let missing = api.get(&format!("{V}/nothing")).await;
    assert_eq!(missing.header("sforce-limit-info"), "api-usage=2/3");
    assert_eq!(api.get(&format!("{V}/sobjects")).await.status, 200);
    let message = api.get(V).await.assert_error(403, "REQUEST_LIMIT_EXCEEDED");
    assert_eq!(message, "TotalRequests Limit exceeded.");
    assert_eq!(api.org.requests(), 4);
}

#[tokio::test]
async fn json_is_spread_over_lines_on_request() {
    let api = Api::new().await;
    let pretty = api.get_with(V, "X-PrettyPrint", "1").await;
    assert!(pretty.text.starts_with("{\n  \""));
    assert_eq!(pretty.json(), api.get(V).await.json());
}

#[tokio::test]
async fn a_stopped_org_is_gone_and_so_is_a_dropped_one() {
    let refused = |address| async move { tokio::net::TcpStream::connect(address).await.is_err() };
    let org = DevOrg::start(Options::default()).await.unwrap();
    let address = org.address();
    assert!(!refused(address).await);
    org.stop().await;
    assert!(refused(address).await);

    let org = DevOrg::start(Options::default()).await.unwrap();
    let address = org.address();
    drop(org);
    // The server ends as soon as it is scheduled.
    while !refused(address).await {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn two_orgs_of_a_day_have_the_same_records_and_other_tokens() {
    let (one, two) = (Api::new().await, Api::new().await);
    let path = format!("{V}/sobjects/Account/001DO0000000001");
    assert_eq!(one.get(&path).await.text, two.get(&path).await.text);
    assert_ne!(one.token, two.token);
    assert_ne!(one.org.client_id(), two.org.client_id());
    assert_eq!(one.org.now(), "2026-11-23T12:00:00Z".parse().unwrap());
}

#[tokio::test]
async fn answers_can_be_put_in_the_way() {
    let api = Api::new().await;
    let html = "<html>Sign in to the proxy</html>";
    api.org
        .answer_next(200, &[("content-type", "text/html")], html);
    api.org.answer_next(
        302,
        &[("location", "http://127.0.0.1:9/"), ("no name", "x")],
        "",
    );
    let page = api.get(V).await;
    assert_eq!(
        (page.status, page.header("content-type"), &*page.text),
        (200, "text/html", html)
    );
    let moved = api.get(V).await;
    assert_eq!(
        (moved.status, moved.header("location")),
        (302, "http://127.0.0.1:9/")
    );
    assert_eq!(
        api.get(V).await.header("content-type"),
        "application/json;charset=UTF-8"
    );
    assert_eq!(api.org.requests(), 3);
}

#[tokio::test]
async fn a_version_has_what_it_had() {
    let api = Api::new().await;
    let one = json!({"batchRequests": [{"method": "GET", "url": "v33.0/limits"}]});
    for (path, body, first) in [
        ("composite/batch", one, 34),
        ("composite/tree/Account", json!({"records": []}), 34),
        ("composite", json!({"compositeRequest": []}), 38),
        ("composite/sobjects", json!({"records": []}), 42),
        ("jobs/ingest", json!({}), 41),
        ("jobs/query", json!({}), 47),
    ] {
        for (version, there) in [(first - 1, false), (first, true)] {
            let path = format!("/services/data/v{version}.0/{path}");
            let answer = api.send_json("POST", &path, &body).await;
            assert_eq!(answer.status != 404, there, "{path}: {answer:?}");
        }
    }
}
