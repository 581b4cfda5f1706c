//! List views.

use serde_json::json;

use super::table::Table;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn list_views() {
    let mut table = Table::new("list_views");
    table.case("ordinary", json!({"object": "Account"})).await;
    table
        .case("by a part", json!({"object": "case", "text": "open"}))
        .await;
    table
        .case(
            "nothing",
            json!({"object": "Account", "text": "Lage Customers"}),
        )
        .await;
    table.case("no views", json!({"object": "Group"})).await;
    table.case("no object", json!({"object": "Acounts"})).await;
    table
        .case("no cursor", json!({"object": "Account", "cursor": "x"}))
        .await;
    table
        .case(
            "a further page",
            json!({"object": "Account", "cursor": "4"}),
        )
        .await;
    table
        .case_as(
            "gus",
            "an account without the right",
            json!({"object": "Opportunity"}),
        )
        .await;
    table
        .limited(
            json!({"read": ["Account"]}),
            "another object",
            json!({"object": "Case"}),
        )
        .await;
    table
        .limited(
            json!({"read": ["Account"]}),
            "an agent that is limited",
            json!({"object": "Account", "text": "all"}),
        )
        .await;
    table
        .faults("/sobjects/Account/listviews", json!({"object": "Account"}))
        .await;
    insta::assert_snapshot!("list_views", table.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn get_list_view() {
    let mut table = Table::new("get_list_view");
    let of = |object: &str, view: &str| json!({"object": object, "view": view, "limit": 3});
    table.case("ordinary", of("Case", "AllOpenCases")).await;
    let text = table
        .case("by its label", of("Case", "all open cases"))
        .await;
    assert!(text.starts_with("list view “all open cases” of Case: 3 rows"));
    table
        .case("by its scope", of("Account", "My Accounts"))
        .await;
    table
        .case("nothing", of("Campaign", "RecentlyViewedCampaigns"))
        .await;
    table.case("no view", of("Case", "All Opn Cases")).await;
    table
        .case("no view at all", of("Case", "../describe"))
        .await;
    table.case("no object", of("Cases", "AllOpenCases")).await;
    table
        .case(
            "beyond its bounds",
            json!({"object": "Case", "view": "AllCases", "limit": 5000}),
        )
        .await;
    table
        .case_as(
            "gus",
            "an account without the right",
            of("Opportunity", "AllOpportunities"),
        )
        .await;
    let hides = json!({"deny_read": ["Account.Phone", "User", "Account.AnnualRevenue"]});
    table
        .limited(
            hides.clone(),
            "hidden columns",
            of("Account", "AllAccounts"),
        )
        .await;
    table
        .limited(hides, "a hidden filter", of("Account", "LargeCustomers"))
        .await;
    table
        .limited(
            json!({"deny_read": ["Opportunity.CloseDate"]}),
            "a hidden order",
            of("Opportunity", "Won"),
        )
        .await;
    table
        .limited(
            json!({"read": ["Account"]}),
            "another object",
            of("Case", "AllCases"),
        )
        .await;
    table
        .faults_of_description(
            "/sobjects/Case/listviews/AllOpenCases/describe",
            of("Case", "AllOpenCases"),
        )
        .await;
    table.faults("/query", of("Case", "AllOpenCases")).await;
    insta::assert_snapshot!("get_list_view", table.text());
}

/// Opening a view is looking at it, which the user's list of recent views would show.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_is_read_without_being_looked_at() {
    let mut table = Table::new("get_list_view");
    let desk = table.desk("").await;
    let recent = "sobjects/Case/listviews/recent";
    let before = desk.direct("GET", recent, None).await.1;
    desk.text(
        "get_list_view",
        json!({"object": "Case", "view": "AllCases"}),
    )
    .await;
    assert_eq!(desk.direct("GET", recent, None).await.1, before);
    assert_eq!(
        desk.direct("GET", "sobjects/Case/listviews/AllCases/results", None)
            .await
            .0,
        200
    );
    assert_ne!(desk.direct("GET", recent, None).await.1, before);
}
