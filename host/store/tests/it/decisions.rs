//! Attacks on what administrators decided: somebody who writes to the file loosens nothing, and gets rid of nothing that restricts.

use portcullis::ports::Permissions;
use portcullis_policy::{
    AgentPolicy, ConnectorName, Digest, Effect, Level, Mode, PersonId, Scope, ToolRule,
};
use portcullis_store::{
    Account, AgentScope, By, Change, Component, DecidedKind, Deciding, Door, Installing,
    NewVersion, Note, Store, StoreAudit, StoreError, StorePermissions, VersionState,
};

use crate::support::{Fixture, ada, calls, crm, helper};

const CARRIED: &[u8] = b"carried";

fn component(bytes: &[u8]) -> Component {
    Component {
        digest: Digest::of(bytes),
        is_carried: bytes == CARRIED,
    }
}

fn rule(what: &str, mode: Mode) -> ToolRule {
    ToolRule {
        level: Level::Agent(helper()),
        connector: None,
        selector: what.parse().unwrap(),
        mode,
        made_for: None,
    }
}

fn read_only() -> AgentScope {
    AgentScope {
        agent: helper(),
        connector: crm(),
        scope: Scope {
            read_only: true,
            ..Scope::default()
        },
    }
}

fn by() -> By {
    By {
        person: ada(),
        user: Some("ada (uid 1000)".to_owned()),
        door: Door::CommandLine,
    }
}

/// A store in which something restricts.
async fn restricted() -> Fixture {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let off = rule("effect:write", Mode::Disabled);
    store.put_tool_rule(&off).await.unwrap();
    store.put_scope(&read_only()).await.unwrap();
    fixture
}

async fn policy(store: &Store) -> Result<Option<AgentPolicy>, StoreError> {
    store
        .policy(&calls(ada()), &crm(), component(CARRIED))
        .await
}

async fn is_restricted(store: &Store) -> bool {
    let policy = policy(store).await.unwrap().unwrap();
    policy.rules.len() == 1 && policy.scope.is_some_and(|scope| scope.read_only)
}

async fn is_refused(store: &Store) -> bool {
    matches!(policy(store).await, Err(StoreError::Decisions(_)))
}

/// The row as somebody copies it: to put it back later.
async fn copied(fixture: &Fixture) -> String {
    let (generation, sealed, key): (i64, String, i64) =
        sqlx::query_as("SELECT generation, hex(sealed), sealed_key FROM decisions")
            .fetch_one(&mut fixture.raw().await)
            .await
            .unwrap();
    format!("INSERT OR REPLACE INTO decisions VALUES (1, {generation}, x'{sealed}', {key})")
}

#[tokio::test]
async fn what_is_altered_added_or_taken_away_is_no_decision() {
    let other = restricted().await;
    let other = copied(&other).await;
    for attack in [
        "UPDATE decisions SET generation = generation + 1",
        "UPDATE decisions SET generation = generation - 1",
        "UPDATE decisions SET sealed = randomblob(200)",
        "UPDATE decisions SET sealed = substr(sealed, 1, length(sealed) - 1)",
        "DELETE FROM decisions",
        // A sealed value of another store, under a key of the same number.
        &other,
    ] {
        let fixture = restricted().await;
        assert!(is_restricted(&fixture.store).await);
        fixture.tamper(attack).await;
        let again = fixture.open_again(&fixture.master).await.unwrap();
        for store in [&fixture.store, &again] {
            assert!(is_refused(store).await, "{attack}");
            // Nor is it built upon: what is decided next would carry it on.
            let looser = AgentScope {
                scope: Scope::default(),
                ..read_only()
            };
            let refused = store.put_scope(&looser).await.unwrap_err();
            assert!(matches!(refused, StoreError::Decisions(_)), "{refused}");
            assert!(store.tool_rules().await.is_err() && store.scopes().await.is_err());
            assert!(store.trusts_clients(&helper()).await.is_err());
        }
    }
}

#[tokio::test]
async fn the_tables_of_before_are_gone_and_what_is_put_in_their_place_is_not_read() {
    let fixture = restricted().await;
    let tables = include_str!("../../migrations/0004_permissions.sql");
    let mut raw = fixture.raw().await;
    for statement in ["DROP TABLE agent_usage", tables] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()))
            .execute(&mut raw)
            .await
            .unwrap();
    }
    fixture
        .tamper("INSERT INTO tool_rules (agent, selector, mode, created) VALUES ('helper', 'effect:write', 'always', 0)")
        .await;
    let again = fixture.open_again(&fixture.master).await.unwrap();
    assert!(is_restricted(&again).await);
    // Not even where there is nothing else: the store's keys say that it is not one of before.
    fixture.tamper("DELETE FROM decisions").await;
    let again = fixture.open_again(&fixture.master).await.unwrap();
    assert!(is_refused(&again).await);
}

#[tokio::test]
async fn what_was_decided_before_does_not_come_back() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    let allow = Change::Rule(rule("effect:write", Mode::Allow));
    audit.apply(&by(), &[allow]).await.unwrap();
    let looser = copied(&fixture).await;
    let off = Change::Rule(rule("effect:write", Mode::Disabled));
    audit
        .apply(&by(), &[off, Change::Scope(read_only())])
        .await
        .unwrap();
    assert!(is_restricted(store).await);
    audit.close().await.unwrap();
    fixture.tamper(&looser).await;
    // A program that has met what came later refuses it by itself,
    assert!(is_refused(store).await);
    // and one that begins now, by the log.
    let again = fixture.open_again(&fixture.master).await.unwrap();
    let audit = StoreAudit::open(again.clone()).await.unwrap();
    let refused = policy(&again).await.unwrap_err();
    assert!(refused.to_string().contains("were put back"), "{refused}");
    // Nor does it get on by deciding something.
    let more = audit
        .apply(&by(), &[Change::TrustClients(helper(), true)])
        .await;
    assert!(matches!(more, Err(StoreError::Decisions(_))));
    audit.close().await.unwrap();
}

/// The path of a call: nothing is opened again while it is what was opened last.
#[tokio::test]
async fn a_call_opens_what_was_decided_only_when_it_is_another() {
    let fixture = restricted().await;
    assert!(is_restricted(&fixture.store).await);
    // Were it opened again, this would be found: the ends are those that were met.
    fixture
        .tamper(
            "UPDATE decisions SET sealed = CAST(substr(sealed, 1, 20) || x'0102030405060708' || substr(sealed, 29) AS BLOB)",
        )
        .await;
    assert!(
        is_restricted(&fixture.store).await,
        "what was opened is used"
    );
    let again = fixture.open_again(&fixture.master).await.unwrap();
    assert!(is_refused(&again).await);
}

#[tokio::test]
async fn a_new_key_and_another_program_leave_it_as_it_is() {
    let fixture = restricted().await;
    let other = fixture.open_again(&fixture.master).await.unwrap();
    assert!(is_restricted(&other).await);
    fixture.store.rotate_key().await.unwrap();
    assert!(is_restricted(&fixture.store).await && is_restricted(&other).await);
    // What one decides the other has at once.
    fixture
        .store
        .put_tool_rule(&rule("query", Mode::Ask))
        .await
        .unwrap();
    assert_eq!(policy(&other).await.unwrap().unwrap().rules.len(), 2);
}

#[tokio::test]
async fn decisions_are_begun_anew_with_nothing_open() {
    let fixture = restricted().await;
    let store = &fixture.store;
    fixture.tamper("UPDATE decisions SET sealed = x'00'").await;
    assert!(is_refused(store).await);
    store.begin_decisions_anew().await.unwrap();
    assert_eq!(
        policy(store).await.unwrap(),
        None,
        "the agent has no connector"
    );
    store
        .give_connector(&helper(), &crm(), &Account::Personal)
        .await
        .unwrap();
    let policy = policy(store).await.unwrap().unwrap();
    assert!(policy.rules.is_empty() && policy.scope.is_none());
}

#[tokio::test]
async fn trust_is_in_a_component_and_not_in_a_name() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let trusts = async |bytes: &[u8]| store.trusts(&crm(), component(bytes)).await.unwrap();
    assert!(trusts(CARRIED).await, "as nobody decided otherwise");
    assert!(!trusts(b"one").await);
    store
        .put_trust(&crm(), component(b"one"), true)
        .await
        .unwrap();
    assert!(trusts(b"one").await && !trusts(b"two").await);
    store
        .put_trust(&crm(), component(CARRIED), false)
        .await
        .unwrap();
    assert!(!trusts(CARRIED).await && trusts(b"one").await);
    // A newer program carries another, of which the same is held.
    let newer = Component {
        digest: Digest::of(b"newer"),
        is_carried: true,
    };
    assert!(!store.trusts(&crm(), newer).await.unwrap());
    // The port asks about what runs.
    let permissions = StorePermissions::new(store.clone(), [(crm(), newer.digest)]);
    let is_trusted = async |digest| {
        let policy = permissions.policy(&calls(ada()), &crm(), digest).await;
        policy.unwrap().unwrap().is_trusted
    };
    assert!(is_trusted(Digest::of(b"one")).await);
    assert!(!is_trusted(Digest::of(b"two")).await);
    assert!(!is_trusted(newer.digest).await);
}

async fn installed(store: &Store, bytes: &[u8], before: Option<Digest>) -> Digest {
    let new = NewVersion {
        connector: crm(),
        version: "1.0.0".to_owned(),
        bytes: bytes.to_vec(),
        by: ada(),
    };
    store
        .install_version(&new, Installing::Active, before)
        .await
        .unwrap()
}

/// Which version is active, and whether it is so by a decision.
async fn active(store: &Store) -> Option<(Digest, bool)> {
    let (_, versions) = store.active_versions().await.unwrap();
    let [version] = &versions[..] else {
        return None;
    };
    Some((version.digest, version.granted.is_ok()))
}

#[tokio::test]
async fn rows_of_versions_that_are_put_back_or_taken_away_make_none_active() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let one = installed(store, b"one", None).await;
    let two = installed(store, b"two", Some(one)).await;
    sqlx::query("CREATE TABLE copy AS SELECT * FROM connector_versions")
        .execute(&mut fixture.raw().await)
        .await
        .unwrap();
    assert_eq!(active(store).await, Some((two, true)));
    // Taken away: the one before is active by nobody's decision, nor is none.
    fixture
        .tamper("DELETE FROM connector_versions WHERE position = 2")
        .await;
    assert_eq!(active(store).await, Some((one, false)));
    fixture.tamper("DELETE FROM connector_versions").await;
    assert_eq!(active(store).await, Some((two, false)));
    fixture
        .tamper("INSERT INTO connector_versions SELECT * FROM copy")
        .await;
    assert_eq!(active(store).await, Some((two, true)));
    // Gone back from, and put back with its seal.
    assert_eq!(
        store.roll_back_version(&crm(), two).await.unwrap(),
        Some(one)
    );
    assert_eq!(active(store).await, Some((one, true)));
    fixture
        .tamper("INSERT INTO connector_versions SELECT * FROM copy WHERE position = 2")
        .await;
    assert_eq!(active(store).await, Some((two, false)));
    // To go back is the way out.
    store.roll_back_version(&crm(), two).await.unwrap();
    assert_eq!(active(store).await, Some((one, true)));
}

#[tokio::test]
async fn nobody_goes_back_to_what_was_never_made_active() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let one = installed(store, b"one", None).await;
    let two = installed(store, b"two", Some(one)).await;
    let evil = Digest::of(b"evil");
    fixture
        .tamper(&format!("UPDATE connector_versions SET digest = '{evil}', bytes = CAST('evil' AS BLOB) WHERE position = 1"))
        .await;
    let refused = store.roll_back_version(&crm(), two).await.unwrap_err();
    assert!(matches!(refused, StoreError::Seal(_)), "{refused}");
    assert_eq!(
        active(store).await,
        Some((two, true)),
        "nothing was changed"
    );
    let states = store.versions().await.unwrap();
    assert_eq!(states[0].state, VersionState::Active);
}

#[tokio::test]
async fn what_is_decided_is_no_failure_where_the_log_is_lost_after_it() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    let folder = store.location().audit_folder();
    let aside = fixture.folder.path().join("aside");
    let said = || Deciding {
        kind: DecidedKind::Rule,
        subject: "effect:write".to_owned(),
        from: None,
        to: Some("always".to_owned()),
        reason: None,
    };
    let always = rule("effect:write", Mode::Allow);
    let work = async {
        let done = store.put_tool_rule(&always).await;
        std::fs::rename(&folder, &aside).unwrap();
        done
    };
    assert!(audit.deciding(&by(), [said()], work).await.unwrap());
    std::fs::rename(&aside, &folder).unwrap();
    let in_force = async || {
        let (notes, _) = audit.activity().notes().await.unwrap();
        let notes = notes.iter();
        notes
            .filter(|line| matches!(line.note, Note::InForce { .. }))
            .count()
    };
    assert_eq!(in_force().await, 0);
    // What could not be written then, the next decision writes, also where it is none on agents.
    let nothing = async { Ok::<_, StoreError>(()) };
    audit.deciding(&by(), [said()], nothing).await.unwrap();
    assert_eq!(in_force().await, 1);
    audit.close().await.unwrap();
    crate::audit::support::whole(store).await;
}

#[tokio::test]
async fn who_decided_what_is_on_record_before_it_is_done() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let audit = StoreAudit::open(store.clone()).await.unwrap();
    let eve = PersonId::parse("eve").unwrap();
    let of_tool = |made_for| ToolRule {
        made_for: Some(made_for),
        ..rule("query", Mode::Allow)
    };
    let changes = [
        Change::Rule(rule("effect:write", Mode::Allow)),
        Change::Rule(rule("effect:write", Mode::Disabled)),
        // Nothing changes by it, so that nobody decided it.
        Change::Rule(rule("effect:write", Mode::Disabled)),
        Change::Rule(of_tool(Effect::Read)),
        // The same word, for a tool that reaches farther by now.
        Change::Rule(of_tool(Effect::Write)),
        Change::Scope(read_only()),
        Change::Trust(crm(), component(b"one"), true),
        Change::TrustClients(helper(), true),
    ];
    let (changed, _) = audit.apply(&by(), &changes).await.unwrap();
    assert!(changed);
    // What is refused is not there, and neither are those before it.
    let refused = [
        Change::TrustClients(helper(), false),
        Change::RemovePerson(ada()),
    ];
    audit.apply(&by(), &refused).await.unwrap_err();
    let no = Deciding {
        kind: DecidedKind::Approval,
        subject: "a question".to_owned(),
        from: Some("pending".to_owned()),
        to: Some("denied".to_owned()),
        reason: Some("Zaphod must not".to_owned()),
    };
    let by_eve = By {
        person: eve,
        user: None,
        door: Door::Page,
    };
    let failing = async { Err::<(), _>(StoreError::Randomness) };
    audit.deciding(&by_eve, [no], failing).await.unwrap_err();
    let (notes, stopped) = audit.activity().notes().await.unwrap();
    assert_eq!(stopped, None);
    let words: Vec<String> = notes
        .iter()
        .filter_map(|line| match &line.note {
            Note::Decided(decided) => {
                let digest = Digest::of(b"one").to_string();
                Some(decided.to_string().replace(&digest, "<digest>"))
            }
            Note::Undone { .. } => Some("that came to nothing".to_owned()),
            _ => None,
        })
        .collect();
    let cli = "by `ada@example.com`, command line of the user ada (uid 1000)";
    let expected = [
        format!("rule `agent helper: effect:write`: none -> always, {cli}"),
        format!("rule `agent helper: effect:write`: always -> off, {cli}"),
        format!("rule `agent helper: query`: none -> always, {cli}"),
        format!("rule `agent helper: query`: always, for the tool as it was -> always, {cli}"),
        format!("scope `helper with crm`: none -> {{\"read_only\":true}}, {cli}"),
        format!("trust `crm <digest>`: not trusted -> trusted, {cli}"),
        format!("clients `helper`: not trusted -> trusted, {cli}"),
        "approval `a question`: pending -> denied, by `eve`, page".to_owned(),
        "that came to nothing".to_owned(),
    ];
    assert_eq!(words, expected);
    audit.close().await.unwrap();
    crate::audit::support::whole(store).await;
    for file in crate::audit::support::files(store) {
        let bytes = std::fs::read(file).unwrap();
        assert!(
            !bytes.windows(6).any(|window| window == b"Zaphod"),
            "a reason is sealed"
        );
    }
    // The index says the same, and one that was altered is found.
    let folder = store.location().audit_folder();
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("index.db"));
    let mut index = sqlx::ConnectOptions::connect(&options).await.unwrap();
    sqlx::query("DELETE FROM notes WHERE number = 1")
        .execute(&mut index)
        .await
        .unwrap();
    let report = crate::audit::support::verify(store).await;
    assert!(report.index_made_anew);
    crate::audit::support::whole(store).await;
}

#[tokio::test]
async fn an_agent_that_goes_takes_along_what_was_decided_on_it() {
    let fixture = restricted().await;
    let store = &fixture.store;
    assert!(store.decided_on_agent(&helper()).await.unwrap());
    let connector: ConnectorName = crm();
    store
        .meet_tools(&connector, &[("query".parse().unwrap(), Effect::Read)])
        .await
        .unwrap();
    store.trust_clients(&helper(), true).await.unwrap();
    store.remove_agent(&helper()).await.unwrap();
    assert!(!store.decided_on_agent(&helper()).await.unwrap());
    assert!(store.tool_rules().await.unwrap().is_empty());
    assert!(!store.trusts_clients(&helper()).await.unwrap());
}
