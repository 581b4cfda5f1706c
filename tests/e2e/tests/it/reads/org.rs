//! The toolset `org`: limits, users and queues.

use serde_json::json;

use super::table::Table;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn find_users() {
    let mut table = Table::new("find_users");
    table.case("ordinary", json!({"text": "dana"})).await;
    table
        .case("words in their order", json!({"text": "Carmen Del"}))
        .await;
    table
        .case("by an e-mail address", json!({"text": "gus.hale@"}))
        .await;
    table
        .case("by an id", json!({"text": "005DO0000000001"}))
        .await;
    table
        .case("a queue", json!({"text": "support", "queues": true}))
        .await;
    table.case("nobody", json!({"text": "zebra"})).await;
    table
        .case("no queue", json!({"text": "zebra", "queues": true}))
        .await;
    table
        .case(
            "what SOQL takes for more is a character",
            json!({"text": "%_' OR Id != ''"}),
        )
        .await;
    table
        .case("inactive ones are left out", json!({"text": "jo.marsh"}))
        .await;
    table
        .case(
            "unless they are asked for",
            json!({"text": "jo.marsh", "inactive": true}),
        )
        .await;
    table.case("bounds", json!({"limit": 2})).await;
    table.case("beyond its bounds", json!({"limit": 201})).await;
    table
        .case_as(
            "kofi",
            "an account without the right",
            json!({"text": "dana"}),
        )
        .await;
    let hides = json!({"deny_read": ["User.Email", "UserRole"]});
    table
        .limited(hides, "hidden fields", json!({"text": "dana"}))
        .await;
    let hides = json!({"deny_read": ["User.Email", "User.Name", "User.Username", "User.Alias"]});
    table
        .limited(hides, "nothing to find them by", json!({"text": "dana"}))
        .await;
    let only = json!({"read": ["Account"]});
    table
        .limited(only.clone(), "another object", json!({"text": "dana"}))
        .await;
    table
        .limited(only, "another object", json!({"queues": true}))
        .await;
    table.faults("/query", json!({"text": "dana"})).await;
    insta::assert_snapshot!("find_users", table.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn get_org_limits() {
    let mut table = Table::new("get_org_limits");
    let text = table
        .case("a part of the name", json!({"text": "storage"}))
        .await;
    assert!(text.contains("DataStorageMB"));
    table
        .case("a name that is near", json!({"text": "SingelEmail"}))
        .await;
    table.case("nothing", json!({"text": "zebra"})).await;
    table
        .case_as("kofi", "an account without the right", json!({}))
        .await;
    table
        .limited(
            json!({"read": ["Account"]}),
            "an agent that is limited",
            json!({"text": "MassEmail"}),
        )
        .await;
    // What is used changes with every request.
    let desk = table.desk("").await;
    let text = desk.text("get_org_limits", json!({})).await;
    assert!(
        text.starts_with("limits: ") && text.contains("\nDailyApiRequests|"),
        "{text}"
    );
    assert!(text.contains("of which nothing is used left out"), "{text}");
    table.faults("/limits", json!({"text": "MassEmail"})).await;
    insta::assert_snapshot!("get_org_limits", table.text());
}
