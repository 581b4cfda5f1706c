//! What an administrator says of tools and scopes, what comes of it, and how it is explained.

use std::sync::Arc;

use portcullis::policy::Effect;
use portcullis_store::Owner;
use salesforce_devorg::{DevOrg, Options};
use serde_json::{Value, json};

use crate::program::{Home, Said, TOOLS, connection};

fn home() -> Home {
    let home = Home::new();
    home.must(&["agent", "add", "helper"]);
    home.must(&["agent", "give", "helper", "salesforce"]);
    home
}

#[test]
fn rules_are_made_explained_and_taken_back() {
    let home = home();
    insta::assert_snapshot!(home.transcript(&[
        &["explain", "helper"],
        &["allow", "helper", "query", "ask"],
        &["allow", "helper", "query", "ask"],
        &["allow", "--workspace", "toolset:records", "always"],
        &["allow", "helper", "effect:read", "always"],
        &["explain", "helper", "query"],
        &["explain", "helper"],
        &["allow", "helper", "query", "default"],
        &["allow", "helper", "query", "default"],
        &["explain", "helper", "query"],
        &["allow", "helper", "query", "off"],
        &["tools", "--agent", "helper"],
        &[
            "call",
            "query",
            "--json",
            r#"{"soql": "SELECT Id FROM Account"}"#
        ],
        &["call", "qery"],
    ]));
}

#[test]
fn rules_of_connections_hold_for_who_acts_as_them() {
    let home = home();
    home.must(&["person", "add", "bob"]);
    let acme = "https://acme.my.salesforce.com";
    let shared = home.connect(connection(Owner::Shared, "Acme", acme));
    let own = Owner::Person("ada".parse().unwrap());
    home.connect(connection(own, "Ada's Acme", acme));
    let said = home.transcript(&[
        &["allow", "--connection", "Ada's Acme", "effect:read", "ask"],
        &["explain", "helper", "query"],
        &["explain", "helper", "query", "--person", "bob"],
        &["allow", "--connection", "Acme", "toolset:records", "off"],
        &["agent", "give", "helper", "salesforce", "--shared", "Acme"],
        &["explain", "helper", "query", "--person", "bob"],
        &["explain", "helper", "get_identity"],
    ]);
    insta::assert_snapshot!(said.replace(&shared, "SHARED"));
    // It is one of the connection's connector alone, and whoever connects anew does not leave it behind.
    let rule = ["allow", "--connection", "Ada's Acme", "effect:read", "off"];
    let rule = home.json(&rule)["rule"].clone();
    assert_eq!(rule["connector"], "salesforce");
    assert_eq!(
        (&rule["level"], &rule["subject"]),
        (&json!("own_connection"), &json!("ada"))
    );
}

#[test]
fn mistakes_are_answered_with_what_to_write() {
    let home = home();
    home.must(&["person", "add", "bob"]);
    insta::assert_snapshot!(home.transcript_of(&[
        ("ada", &["allow", "helper", "query"]),
        ("ada", &["allow", "helper", "query", "never"]),
        ("ada", &["allow", "helper", "qery", "ask"]),
        ("ada", &["allow", "helper", "toolset:qery", "ask"]),
        ("ada", &["allow", "helper", "effect:reed", "ask"]),
        ("ada", &["allow", "helpre", "query", "ask"]),
        ("ada", &["allow", "--workspace", "helper", "query", "ask"]),
        ("ada", &["allow", "--connection", "nowhere", "query", "ask"]),
        (
            "ada",
            &["allow", "helper", "query", "ask", "--connector", "mail"]
        ),
        ("ada", &["explain", "helper", "qery"]),
        ("ada", &["explain", "helper", "query", "--person", "eve"]),
        ("ada", &["scope", "helper", "--read", "Account Name"]),
        ("ada", &["scope", "helper", "--rows", "many"]),
        ("ada", &["connector", "trust-scope", "mail"]),
        ("bob", &["allow", "helper", "query", "always"]),
        ("bob", &["scope", "helper", "--clear"]),
        ("bob", &["connector", "trust-scope", "salesforce"]),
        ("bob", &["explain", "helper", "--person", "ada"]),
        ("bob", &["tools", "--seen"]),
    ]));
    assert_eq!(
        home.json(&["allow", "helper", "query", "never"])["code"],
        "mode"
    );
    assert_eq!(
        home.json(&["explain", "helper", "qery"])["code"],
        "unknown_tool"
    );
}

#[test]
fn a_scope_is_shown_and_set_in_words_that_teach() {
    let home = home();
    let said = home.transcript(&[
        &["scope", "helper"],
        &[
            "scope",
            "helper",
            "--read",
            "Account,Contact, Opportunity",
            "--deny-read",
            "*.Salary*",
        ],
        &[
            "scope",
            "helper",
            "--change",
            "Contact.Phone,User.Email",
            "--rows",
            "200",
        ],
        &[
            "scope",
            "helper",
            "--read-only",
            "--calls-per-minute",
            "30",
            "--changes-per-day",
            "5",
        ],
        &[
            "scope",
            "helper",
            "--unset",
            "read-only",
            "--unset",
            "rows",
            "--read",
            "",
        ],
        &["scope", "helper", "--clear"],
        &["connector", "trust-scope", "salesforce"],
        &["connector", "trust-scope", "salesforce", "--no"],
    ]);
    // Which version that is, is another after each change of the connector.
    let (_, rest) = said.split_once("The version ").unwrap();
    let (version, _) = rest.split_once(' ').unwrap();
    insta::assert_snapshot!(said.replace(version, "VERSION"));
    let set = home.json(&["scope", "helper", "--read", "Account", "--rows", "5"]);
    let scope = json!({ "read": ["Account"], "rows_max": 5 });
    assert_eq!((&set["changed"], &set["scope"]), (&json!(true), &scope));
    assert_eq!(home.json(&["scope", "helper"])["scope"], scope);
    let rules = home.json(&["explain", "helper", "query"]);
    assert_eq!(
        (&rules["mode"], &rules["rule"]),
        (&json!("always"), &json!("default: effect:read always"))
    );
}

#[test]
fn a_new_tool_is_marked_until_an_administrator_has_seen_it() {
    let home = home();
    // As if an older version, which the store met first, had had no `query`.
    let older = TOOLS.iter().filter(|tool| **tool != "query");
    let older: Vec<_> = older
        .map(|tool| (tool.parse().unwrap(), Effect::Read))
        .collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = home.store().await;
        store
            .meet_tools(&"salesforce".parse().unwrap(), &older)
            .await
            .unwrap();
        store.close().await;
    });
    let novelty = || {
        let tools = home.json(&["tools", "--agent", "helper"]);
        let tools = tools.as_array().unwrap();
        let query = tools.iter().find(|tool| tool["name"] == "query").unwrap();
        query["novelty"].clone()
    };
    assert_eq!(novelty(), "new");
    assert!(
        home.must(&["tools", "--agent", "helper"])
            .contains("query (salesforce, read, new)")
    );
    insta::assert_snapshot!(home.transcript(&[&["explain", "helper", "query"]]));
    home.must(&["tools", "--seen"]);
    assert_eq!(novelty(), "known");
}

#[test]
fn a_file_says_it_too() {
    let home = home();
    let write =
        |text: &str| std::fs::write(home.folder.path().join("portcullis.toml"), text).unwrap();
    let file = r#"
[people.ada]
role = "admin"

[agents.helper]
connectors.salesforce = { account = "personal" }

[agents.helper.tools]
"effect:write" = "always"
query = "ask"

[agents.helper.scope.salesforce]
read = ["Account", "Contact.Name"]
rows_max = 100
"#;
    write(file);
    insta::assert_snapshot!(home.transcript(&[
        &["apply", "--dry-run"],
        &["apply", "--yes"],
        &["apply", "--yes"],
        &["explain", "helper", "query"],
    ]));
    let changed = file
        .replace("query = \"ask\"", "query = \"off\"")
        .replace("\"Account\", ", "");
    write(&changed);
    insta::assert_snapshot!(home.transcript(&[&["apply", "--yes"]]));
    write(&format!(
        "prune = true\n{}",
        &file[..file.find("[agents.helper.tools]").unwrap()]
    ));
    insta::assert_snapshot!(home.transcript(&[&["apply", "--yes"], &["scope", "helper"]]));
    let mut report = String::new();
    for text in [
        "[agents.helper.tools]\nqery = \"ask\"",
        "[agents.helper.tools]\nquery = \"maybe\"",
        "[agents.helper.tools]\n\"effect:reed\" = \"ask\"",
        "[agents.helper.scope.salesforce]\nread = [\"A B\"]",
        "[agents.helper.scope.salesforce]\nraed = []",
        "[agents.helper.scope.salesforce]\nrows_max = -1",
        "[agents.helper.scope.mail]\nread = []",
    ] {
        write(&format!("{text}\n"));
        let said = home.run(&["apply", "--yes"]);
        assert_eq!(said.code, 2, "{text}: {}", said.stdout);
        report.push_str(&format!("{text}\n---\n{}\n\n", said.stderr.trim_end()));
    }
    insta::assert_snapshot!(report.replace(&home.folder.path().display().to_string(), "FOLDER"));
}

/// Calls a tool in processes of their own.
async fn call(home: &Arc<Home>, org: &DevOrg, arguments: &'static [&'static str]) -> Said {
    let (home, address) = (Arc::clone(home), org.address().to_string());
    let call = move || home.run(&[&["call"], arguments, &["--allow-origin", &address]].concat());
    tokio::task::spawn_blocking(call).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_decided_holds_from_the_next_call_on() {
    const ACCOUNTS: &[&str] = &[
        "query",
        "--json",
        r#"{"soql": "SELECT COUNT() FROM Account"}"#,
    ];
    const CASES: &[&str] = &["query", "--json", r#"{"soql": "SELECT COUNT() FROM Case"}"#];
    let org = DevOrg::start(Options::default()).await.unwrap();
    let mut account = connection(Owner::Person("ada".parse().unwrap()), "Ada's", org.url());
    account.secrets.access_token = org.users()[0].access_token.clone().into();
    account.identity = None;
    let home = tokio::task::spawn_blocking(move || {
        let home = home();
        home.connect(account);
        Arc::new(home)
    })
    .await
    .unwrap();
    let must = async |arguments: &'static [&'static str]| {
        let home = Arc::clone(&home);
        tokio::task::spawn_blocking(move || home.must(arguments))
            .await
            .unwrap()
    };
    assert_eq!(call(&home, &org, CASES).await.code, 0);
    must(&[
        "scope",
        "helper",
        "--read",
        "Account",
        "--calls-per-minute",
        "4",
    ])
    .await;
    let said = call(&home, &org, CASES).await;
    assert!(
        said.stderr.contains("this agent may not read `Case`"),
        "{}",
        said.stderr
    );
    let allow =
        "to allow it: portcullis scope helper --connector salesforce: add `Case` to its `--read`";
    assert!(said.stderr.contains(allow), "{}", said.stderr);
    let audited = [ACCOUNTS, &["--audit"]].concat();
    let audited: &'static [&'static str] = Vec::leak(audited);
    let said = call(&home, &org, audited).await;
    assert!(
        said.stdout.starts_with("count: 60"),
        "{}{}",
        said.stdout,
        said.stderr
    );
    assert!(
        said.stdout.contains("default: effect:read always"),
        "{}",
        said.stdout
    );
    assert!(
        said.stdout.contains("is the connector's word"),
        "{}",
        said.stdout
    );
    // It is no longer the connector's to say.
    must(&["connector", "trust-scope", "salesforce", "--no"]).await;
    let said = call(&home, &org, ACCOUNTS).await;
    assert!(
        said.stderr.contains("is not trusted to check that"),
        "{}",
        said.stderr
    );
    must(&["connector", "trust-scope", "salesforce"]).await;
    assert_eq!(call(&home, &org, ACCOUNTS).await.code, 0);
    // Four calls are made, by four processes.
    let said = call(&home, &org, ACCOUNTS).await;
    assert!(
        said.stderr.contains("may make 4 calls a minute"),
        "{}",
        said.stderr
    );
    must(&["scope", "helper", "--clear"]).await;
    must(&["allow", "--workspace", "effect:read", "off"]).await;
    must(&["allow", "--workspace", "effect:write", "off"]).await;
    let said = call(
        &home,
        &org,
        &[
            "query",
            "--json",
            r#"{"soql": "SELECT COUNT() FROM Case"}"#,
            "--output",
            "json",
        ],
    )
    .await;
    let answer: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(answer["code"], "tool_disabled");
    assert_eq!(
        answer["message"],
        "the tool `query` is disabled for this agent; an administrator can change that"
    );
    assert_eq!(
        must(&["tools", "--agent", "helper"]).await.lines().next(),
        Some("The agent has no tools.")
    );
}
