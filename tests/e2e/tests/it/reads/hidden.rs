//! Attacks: a hidden field is asked for by every way that a tool has, and by none is it read, inferred, or named.

use portcullis::Outcome;
use portcullis::policy::{Mode, Scope};
use portcullis::ports::audit::Event;
use serde_json::{Value, json};

use crate::support::world::{AGENT, paths};
use crate::support::{ended, name};
use crate::writes::desk::{ACCOUNT, Desk};

fn limit(desk: &Desk, scope: Value) {
    let scope: Scope = serde_json::from_value(scope).unwrap();
    desk.world
        .permissions
        .set_scope(name(AGENT), name("salesforce"), scope);
}

/// Gives the addresses that a call asked the org for.
fn asked(desk: &Desk, reply: &portcullis::Reply) -> String {
    let records = desk.world.records(reply).into_iter();
    let paths = records.flat_map(|record| match record.event {
        Event::Intended(intent) => paths(&intent),
        _ => Vec::new(),
    });
    paths.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hidden_value_is_found_by_no_tool() {
    let desk = Desk::new(Mode::Allow).await;
    let secret =
        json!({"Site": "quokkaville", "AccountNumber": "QX-77", "Phone": "+1 415 555 7788"});
    desk.meanwhile("Account", ACCOUNT, secret).await;
    let words = ["quokkaville", "QX-77", "7788"];
    let attacks = |object: &str| {
        [
            (
                "search",
                json!({"text": "quokkaville", "objects": [object]}),
            ),
            ("search", json!({"text": "quokkaville"})),
            (
                "search",
                json!({"text": "quokkaville", "in": "name", "objects": [object]}),
            ),
            (
                "search",
                json!({"text": "7788", "in": "phone", "objects": [object]}),
            ),
            (
                "search",
                json!({"text": "acme", "in": "name", "objects": [format!("{object}(Name WHERE Site = 'quokkaville')")]}),
            ),
            (
                "search",
                json!({"text": "acme", "in": "name", "objects": [format!("{object}(Name ORDER BY Site)")]}),
            ),
            (
                "search",
                json!({"text": "acme", "in": "name", "objects": [format!("{object}(Site, Name)")]}),
            ),
            (
                "find_duplicates",
                json!({"object": object, "fields": {"Site": "quokkaville", "Name": "x"}}),
            ),
            (
                "find_duplicates",
                json!({"object": object, "fields": {"phone": "+1 415 555 7788"}}),
            ),
            ("find_duplicates", json!({"object": object, "id": ACCOUNT})),
            (
                "get_related_records",
                json!({"object": "Account", "id": ACCOUNT, "relationship": "ChildAccounts", "where": "Site = 'quokkaville'"}),
            ),
            (
                "get_related_records",
                json!({"object": "Account", "id": ACCOUNT, "relationship": "Contacts", "fields": ["Account.Site"]}),
            ),
            (
                "get_related_records",
                json!({"object": "Account", "id": ACCOUNT, "relationship": "Contacts", "where": "AccountId IN (SELECT Id FROM Account WHERE Phone LIKE '%7788')"}),
            ),
            (
                "get_related_records",
                json!({"object": "Account", "id": ACCOUNT, "relationship": "Contacts", "order_by": "Account.Site"}),
            ),
            ("get_deleted_records", json!({"object": object})),
            (
                "get_list_view",
                json!({"object": object, "view": "AllAccounts"}),
            ),
            ("list_recent", json!({"object": object})),
            (
                "get_picklist_values",
                json!({"object": object, "field": "Site"}),
            ),
        ]
    };
    // That they are attacks: without limits some find it.
    let mut found = 0;
    for (tool, arguments) in attacks("Account") {
        let reply = desk.call(tool, arguments).await;
        found += usize::from(format!("{:?}", reply.outcome).contains("quokkaville"));
    }
    assert!(found >= 2, "{found} find it");

    limit(
        &desk,
        json!({"deny_read": ["*.Site", "Account.AccountNumber", "Account.Phone"]}),
    );
    for object in ["Account", "ACCOUNT"] {
        for (tool, arguments) in attacks(object) {
            let reply = desk.call(tool, arguments.clone()).await;
            let text = format!("{:?}", reply.outcome);
            for word in words {
                let is_mine = arguments.to_string().contains(word);
                assert!(
                    is_mine || !text.contains(word),
                    "{tool} {arguments}: {text}"
                );
            }
            if let Outcome::Done(output) = &reply.outcome {
                let data = output.structured.as_ref().unwrap().to_string();
                assert!(
                    !data.contains(&ACCOUNT[..15]) || !arguments.to_string().contains("quokka"),
                    "{tool} {arguments}: {data}"
                );
                assert!(
                    !words.iter().any(|word| data.contains(word)),
                    "{tool} {arguments}: {data}"
                );
            }
            // Nor does a query go out whose answer would tell.
            let asked = asked(&desk, &reply);
            assert!(
                !asked.contains("Site") && !asked.contains("Phone"),
                "{tool} {arguments}: {asked}"
            );
        }
    }
}

/// Its query stands in no path: that it is looked at shows where it names what the agent may see.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_asks_for_no_hidden_field() {
    let desk = Desk::new(Mode::Allow).await;
    let file = "SELECT Id FROM ContentDocument WHERE Title = 'Account plan'";
    let file = json!({"id": desk.rows(file).await[0]["Id"]});
    for (scope, is_asked) in [
        (json!({}), true),
        (json!({"deny_read": ["ContentVersion.Title"]}), false),
    ] {
        limit(&desk, scope);
        let reply = desk.call("read_file", file.clone()).await;
        assert_eq!(ended(&reply), "done");
        let asked = asked(&desk, &reply);
        assert!(asked.contains("VersionData"), "{asked}");
        assert_eq!(asked.contains("Title"), is_asked, "{asked}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_view_names_nothing_that_is_hidden() {
    let desk = Desk::new(Mode::Allow).await;
    limit(
        &desk,
        json!({"read": ["Account"], "deny_read": ["Account.AnnualRevenue"]}),
    );
    let reply = desk
        .call(
            "get_list_view",
            json!({"object": "Account", "view": "LargeCustomers"}),
        )
        .await;
    assert_eq!(ended(&reply), "failed not_permitted");
    let text = format!("{:?}", reply.outcome);
    assert!(
        !text.contains("Revenue") && !text.contains("100000000"),
        "{text}"
    );
    let text = desk
        .text(
            "get_list_view",
            json!({"object": "Account", "view": "AllAccounts", "limit": 2}),
        )
        .await;
    assert!(
        text.contains("columns that this agent may not see are left out")
            && !text.contains("Owner"),
        "{text}"
    );
}
