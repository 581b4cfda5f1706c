//! What agents may do: rules, scopes, trust, what was seen, and what was used, over processes and restarts.

use std::collections::BTreeSet;
use std::time::Duration;

use portcullis::ports::permissions::{Counted, Exhausted, Usage};
use portcullis_policy::{
    Acting, Digest, Effect, Level, Mode, Novelty, Scope, SeenTools, Selector, ToolName, ToolRule,
};
use portcullis_store::{Account, AgentScope, Change, Component, StoreError};

use crate::support::{Fixture, ada, bob, calls, crm, helper};

fn rule(level: Level, what: &str, mode: Mode) -> ToolRule {
    ToolRule {
        level,
        connector: None,
        selector: what.parse().unwrap(),
        mode,
        made_for: None,
    }
}

/// A component that the program carries, and one that it does not.
fn carried() -> Component {
    Component {
        digest: Digest::of(b"carried"),
        is_carried: true,
    }
}

fn installed() -> Component {
    Component {
        digest: Digest::of(b"other"),
        is_carried: false,
    }
}

fn tool(name: &str) -> ToolName {
    name.parse().unwrap()
}

async fn given() -> Fixture {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    store
        .give_connector(&helper(), &crm(), &Account::Personal)
        .await
        .unwrap();
    fixture
}

#[tokio::test]
async fn rules_are_kept_replaced_and_taken_back() {
    let fixture = given().await;
    let store = &fixture.store;
    let shared = fixture.shared("token").await;
    let agent = Level::Agent(helper());
    let rules = [
        rule(Level::Workspace, "effect:write", Mode::Ask),
        rule(agent.clone(), "effect:write", Mode::Disabled),
        rule(Level::Shared(shared.clone()), "toolset:records", Mode::Ask),
        rule(Level::Own(bob()), "query", Mode::Allow),
    ];
    for rule in &rules {
        assert!(store.put_tool_rule(rule).await.unwrap(), "{rule}");
        assert!(!store.put_tool_rule(rule).await.unwrap(), "{rule} again");
    }
    assert_eq!(store.tool_rules().await.unwrap().len(), 4);
    let looser = rule(agent.clone(), "effect:write", Mode::Allow);
    assert!(store.put_tool_rule(&looser).await.unwrap());
    let of_crm = ToolRule {
        connector: Some(crm()),
        ..looser.clone()
    };
    assert!(
        store.put_tool_rule(&of_crm).await.unwrap(),
        "it is another rule"
    );
    let all: Vec<String> = store
        .tool_rules()
        .await
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        all[1..3],
        [
            "agent helper: effect:write always",
            "agent helper: effect:write always"
        ]
    );
    let selector: Selector = "effect:write".parse().unwrap();
    assert!(
        store
            .remove_tool_rule(&agent, None, &selector)
            .await
            .unwrap()
    );
    assert!(
        !store
            .remove_tool_rule(&agent, None, &selector)
            .await
            .unwrap()
    );
    // Others have it at once.
    let other = fixture.open_again(&fixture.master).await.unwrap();
    let policy = other
        .policy(&calls(ada()), &crm(), installed())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(policy.rules.len(), 4);
    for missing in [
        rule(Level::Agent("nobody".parse().unwrap()), "query", Mode::Ask),
        rule(Level::Own("nobody".parse().unwrap()), "query", Mode::Ask),
        rule(Level::Shared("nobody".parse().unwrap()), "query", Mode::Ask),
    ] {
        assert!(matches!(
            store.put_tool_rule(&missing).await,
            Err(StoreError::NotFound { .. })
        ));
    }
    // What they were about takes them along; a person who connects anew does not leave one behind.
    store.remove_agent(&helper()).await.unwrap();
    let left: Vec<String> = store
        .tool_rules()
        .await
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left.contains(&"connection of bob@example.com: query always".to_owned()));
}

#[tokio::test]
async fn a_policy_is_what_was_decided() {
    let fixture = given().await;
    let store = &fixture.store;
    let policy = async |person| {
        store
            .policy(&calls(person), &crm(), carried())
            .await
            .unwrap()
    };
    let before = policy(ada()).await.unwrap();
    assert_eq!(before.acting, Some(Acting::Own(ada())));
    assert_eq!((before.scope, before.is_trusted), (None, true));
    assert_eq!(
        policy("eve".parse().unwrap()).await,
        None,
        "nobody here knows her"
    );
    let shared = fixture.shared("token").await;
    let account = Account::Shared(shared.clone());
    store
        .give_connector(&helper(), &crm(), &account)
        .await
        .unwrap();
    let scope = Scope {
        read: Some(vec!["Account".parse().unwrap()]),
        rows_max: Some(10),
        ..Scope::default()
    };
    let put = AgentScope {
        agent: helper(),
        connector: crm(),
        scope: scope.clone(),
    };
    assert!(store.put_scope(&put).await.unwrap());
    assert!(!store.put_scope(&put).await.unwrap());
    assert!(store.put_trust(&crm(), carried(), false).await.unwrap());
    assert!(!store.put_trust(&crm(), carried(), false).await.unwrap());
    let after = policy(ada()).await.unwrap();
    assert_eq!(after.acting, Some(Acting::Shared(shared)));
    assert_eq!(
        (after.scope, after.is_trusted),
        (Some(scope.clone()), false)
    );
    // It outlives that the connector is taken away, for giving it again must not open everything.
    store.take_connector(&helper(), &crm()).await.unwrap();
    assert_eq!(policy(ada()).await, None);
    assert_eq!(store.scope(&helper(), &crm()).await.unwrap(), scope);
    store
        .apply(&[Change::Scope(AgentScope {
            scope: Scope::default(),
            ..put
        })])
        .await
        .unwrap();
    assert!(store.scopes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_connectors_first_tools_are_known_and_later_ones_are_new() {
    let fixture = given().await;
    let store = &fixture.store;
    let seen = async || {
        store
            .policy(&calls(ada()), &crm(), installed())
            .await
            .unwrap()
            .unwrap()
            .seen
    };
    assert_eq!(
        seen().await,
        SeenTools::These([].into()),
        "nothing is, before anybody looked"
    );
    let first = [(tool("query"), Effect::Read), (tool("note"), Effect::Read)];
    store.meet_tools(&crm(), &first).await.unwrap();
    let grown = [
        (tool("query"), Effect::Read),
        (tool("note"), Effect::Write),
        (tool("add"), Effect::Write),
    ];
    store.meet_tools(&crm(), &grown).await.unwrap();
    let now = seen().await;
    assert_eq!(now.novelty(&tool("query"), Effect::Read), Novelty::Known);
    assert_eq!(now.novelty(&tool("note"), Effect::Write), Novelty::Grown);
    assert_eq!(now.novelty(&tool("add"), Effect::Write), Novelty::New);
    store.see_tools(&crm(), &grown).await.unwrap();
    let now = seen().await;
    assert_eq!(now.novelty(&tool("note"), Effect::Write), Novelty::Known);
    assert_eq!(now.novelty(&tool("add"), Effect::Write), Novelty::Known);
}

fn calls_of(max: u32) -> Usage {
    Usage {
        counted: Counted::Calls,
        count: 1,
        max,
        only_look: false,
        reserved_by: None,
    }
}

fn changes_of(count: u32, max: u32) -> Usage {
    Usage {
        counted: Counted::Changes,
        count,
        max,
        only_look: false,
        reserved_by: None,
    }
}

#[tokio::test]
async fn what_was_used_counts_over_processes_and_restarts() {
    let fixture = given().await;
    let (one, other) = (
        &fixture.store,
        fixture.open_again(&fixture.master).await.unwrap(),
    );
    let changes = changes_of(4, 10);
    assert_eq!(
        one.count_usage(&helper(), &crm(), changes).await.unwrap(),
        Ok(())
    );
    fixture.pass(Duration::from_secs(3_600));
    assert_eq!(
        other.count_usage(&helper(), &crm(), changes).await.unwrap(),
        Ok(())
    );
    one.close().await;
    let again = fixture.open_again(&fixture.master).await.unwrap();
    let left = Exhausted {
        retry_after: Duration::from_secs(23 * 3_600),
    };
    assert_eq!(
        again.count_usage(&helper(), &crm(), changes).await.unwrap(),
        Err(left)
    );
    // What is only looked at, and what is refused, does not count.
    let look = Usage {
        only_look: true,
        ..changes_of(2, 10)
    };
    assert_eq!(
        again.count_usage(&helper(), &crm(), look).await.unwrap(),
        Ok(())
    );
    assert_eq!(
        again
            .count_usage(&helper(), &crm(), changes_of(2, 10))
            .await
            .unwrap(),
        Ok(())
    );
    assert!(
        again
            .count_usage(&helper(), &crm(), changes_of(1, 10))
            .await
            .unwrap()
            .is_err()
    );
    // Another connector, and calls, are counted for themselves.
    let mail = "mail".parse().unwrap();
    assert_eq!(
        again.count_usage(&helper(), &mail, changes).await.unwrap(),
        Ok(())
    );
    assert_eq!(
        again
            .count_usage(&helper(), &crm(), calls_of(1))
            .await
            .unwrap(),
        Ok(())
    );
    // After a day the first four do not count any more, nor are they kept.
    fixture.pass(Duration::from_secs(23 * 3_600));
    assert_eq!(
        again
            .count_usage(&helper(), &crm(), changes_of(4, 10))
            .await
            .unwrap(),
        Ok(())
    );
    assert!(
        again
            .count_usage(&helper(), &crm(), changes_of(1, 10))
            .await
            .unwrap()
            .is_err()
    );
    let rows: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM agent_usage WHERE connector = 'crm' AND counted = 'change'",
    )
    .fetch_one(&mut fixture.raw().await)
    .await
    .unwrap();
    assert_eq!(rows, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_processes_at_once_get_no_more_than_there_is() {
    let fixture = given().await;
    let mut counting = Vec::new();
    for _ in 0..4 {
        let store = fixture.open_again(&fixture.master).await.unwrap();
        for _ in 0..10 {
            let store = store.clone();
            counting.push(tokio::spawn(async move {
                store
                    .count_usage(&helper(), &crm(), changes_of(1, 13))
                    .await
                    .unwrap()
                    .is_ok()
            }));
        }
    }
    let mut counted = 0;
    for one in counting {
        counted += usize::from(one.await.unwrap());
    }
    assert_eq!(counted, 13);
}

#[tokio::test]
async fn a_clock_that_was_wrong_neither_opens_nor_closes_for_ever() {
    let fixture = given().await;
    let store = &fixture.store;
    // It was a year ahead, and is set right.
    fixture
        .tamper("INSERT INTO agent_usage VALUES ('helper', 'crm', 'call', 1731536000000, 2, NULL)")
        .await;
    assert!(
        store
            .count_usage(&helper(), &crm(), calls_of(2))
            .await
            .unwrap()
            .is_err()
    );
    fixture.pass(Duration::from_secs(59));
    assert!(
        store
            .count_usage(&helper(), &crm(), calls_of(2))
            .await
            .unwrap()
            .is_err()
    );
    fixture.pass(Duration::from_secs(1));
    assert_eq!(
        store
            .count_usage(&helper(), &crm(), calls_of(2))
            .await
            .unwrap(),
        Ok(())
    );
    // A sum that no number holds is too much.
    fixture.tamper("INSERT INTO agent_usage VALUES ('helper', 'crm', 'change', 1700000060000, 9223372036854775807, NULL)").await;
    assert!(
        store
            .count_usage(&helper(), &crm(), changes_of(u32::MAX, u32::MAX))
            .await
            .unwrap()
            .is_err()
    );
}

/// What a person could do to get rid of a rule that an administrator made for their account.
#[tokio::test]
async fn who_connects_anew_has_the_same_rules() {
    let fixture = given().await;
    let store = &fixture.store;
    let first = fixture.own(bob(), "first").await;
    store
        .put_tool_rule(&rule(Level::Own(bob()), "effect:read", Mode::Disabled))
        .await
        .unwrap();
    store.remove_connection(&first).await.unwrap();
    let second = fixture.own(bob(), "second").await;
    assert_ne!(first, second);
    let policy = store
        .policy(&calls(bob()), &crm(), installed())
        .await
        .unwrap()
        .unwrap();
    let levels: BTreeSet<&Level> = policy.rules.iter().map(|rule| &rule.level).collect();
    assert_eq!(levels, [&Level::Own(bob())].into());
}
