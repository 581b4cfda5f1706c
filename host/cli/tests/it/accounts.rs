//! `portcullis connections` and `portcullis app`: what is shown of accounts, to whom, and that no secret is.

use portcullis::policy::PersonId;
use portcullis_store::{ConnectionState, Owner};
use serde_json::json;

use crate::program::{Home, Said, connection};

const ACME: &str = "https://acme.my.salesforce.com";

/// A store with Bob, Carol and a shared account.
fn home() -> (Home, String) {
    let home = Home::new();
    for person in ["bob", "carol"] {
        home.must(&["person", "add", person]);
    }
    let shared = home.connect(connection(Owner::Shared, "Acme production", ACME));
    (home, shared)
}

fn own(home: &Home, person: &str, label: &str) -> String {
    let owner = Owner::Person(PersonId::parse(person).unwrap());
    home.connect(connection(owner, label, ACME))
}

/// Takes out of a text what is another each time.
fn steady(text: &str, ids: &[(&str, &str)]) -> String {
    let mut steady = text.to_owned();
    for (id, name) in ids {
        // As wide, for the table's sake.
        steady = steady.replace(id, &format!("{name:0<width$}", width = id.len()));
    }
    let mut words: Vec<&str> = steady.split("  ").collect();
    for word in &mut words {
        if word.contains(" UTC") {
            *word = match word.strip_suffix('\n') {
                Some(_) => " MOMENT\n",
                None => " MOMENT",
            };
        }
    }
    words.join("  ").replace("\u{20}\n", "\n")
}

#[test]
fn a_shared_account_says_who_may_use_it_and_why() {
    let (home, shared) = home();
    home.must(&["agent", "add", "reporter"]);
    let report = home.transcript(&[
        &["connections", "share", "Acme production", "--person", "bob"],
        &["connections", "share", "Acme production", "--person", "bob"],
        &["connections", "share", "Acme production", "--person", "eve"],
        &[
            "connections",
            "share",
            "Acme production",
            "--group",
            "sales",
        ],
        &["connections", "share", "Acme production"],
        &["group", "add", "sales"],
        &["group", "join", "sales", "bob", "carol"],
        &["connections", "share", &shared, "--group", "sales"],
        &[
            "agent",
            "give",
            "reporter",
            "salesforce",
            "--shared",
            "Acme production",
        ],
        &["agent", "list"],
        &["connections", "show", "Acme production"],
        &["connections", "unshare", &shared, "--group", "sales"],
        &["connections", "unshare", &shared, "--group", "sales"],
        &["connections", "share", &shared, "--everyone"],
        &["connections", "unshare", &shared, "--everyone"],
        &["connections", "rename", &shared, "Acme"],
        &["connections", "rename", &shared, "Acme"],
        &["connections", "show", "Acme production"],
    ]);
    insta::assert_snapshot!(steady(&report, &[(&shared, "ID")]));
}

#[test]
fn members_see_their_own_and_what_is_shared_with_them() {
    let (home, shared) = home();
    let bobs = own(&home, "bob", "Bob's Acme");
    let carols = own(&home, "carol", "Carol's Acme");
    home.must(&["connections", "share", &shared, "--person", "bob"]);
    let ids = |user: &str| {
        let said = home.run_as(user, &["connections", "list", "--json"]);
        let value: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
        let connections = value.as_array().unwrap().iter();
        let ids: Vec<String> = connections
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect();
        ids
    };
    let mut all = ids("ada");
    all.sort();
    let mut expected = vec![shared.clone(), bobs.clone(), carols.clone()];
    expected.sort();
    assert_eq!(all, expected);
    assert_eq!(ids("carol"), [carols.as_str()]);
    assert!(ids("bob").contains(&shared) && !ids("bob").contains(&carols));

    // What they may not see is not there, by whatever name.
    for name in [carols.as_str(), "Carol's Acme"] {
        let refused = home.run_as("bob", &["connections", "show", name]);
        assert_eq!(refused.code, 2);
        assert!(
            refused.stderr.contains("there is no connection"),
            "{}",
            refused.stderr
        );
    }
    let renamed = home.run_as("bob", &["connections", "rename", &bobs, "Mine"]);
    assert_eq!(renamed.code, 0, "{}", renamed.stderr);
    for arguments in [
        &["connections", "rename", &shared, "Mine"][..],
        &["connections", "share", &shared, "--everyone"],
        &["connections", "unshare", &shared, "--person", "bob"],
    ] {
        let refused = home.run_as("bob", arguments);
        assert_eq!(refused.code, 2);
        assert!(refused.stderr.contains("`ada`"), "{}", refused.stderr);
    }
    let report = home.transcript(&[
        &["connections", "list"],
        &["connections", "share", "Mine", "--everyone"],
        &["person", "remove", "bob"],
    ]);
    let ids = [
        (shared.as_str(), "SHARED"),
        (&bobs, "BOBS"),
        (&carols, "CAROLS"),
    ];
    insta::assert_snapshot!(steady(&report, &ids));
}

#[test]
fn an_account_that_must_be_connected_again_says_why() {
    let (home, _) = home();
    let mut broken = connection(Owner::Shared, "Broken", ACME);
    broken.state = ConnectionState::Reconnect {
        reason: "the user was frozen\u{1b}[2J".to_owned(),
    };
    broken.identity = None;
    let broken = home.connect(broken);
    let shown = home.json(&["connections", "show", "Broken"]);
    assert_eq!(
        (&shown["state"], &shown["environment"]),
        (&json!("reconnect"), &json!("production"))
    );
    let said = home.must(&["connections", "show", &broken]);
    assert!(
        said.contains("must be connected again: the user was frozen"),
        "{said}"
    );
    assert!(said.contains("Nobody may use it yet."), "{said}");
    assert!(!said.contains('\u{1b}'), "{said}");

    home.connect(connection(Owner::Shared, "Broken", ACME));
    let refused = home.run(&["connections", "show", "Broken"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("2 connections are called"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains(&broken), "{}", refused.stderr);
}

#[test]
fn a_sign_in_that_is_under_way_takes_no_label_and_hides_no_account() {
    let (home, shared) = home();
    let other = home.connect(connection(Owner::Shared, "Other", ACME));
    // As it is kept between the service's yes and the answer to who is signed in.
    let under_way = |owner: Owner, label: &str| {
        let mut pending = connection(owner, label, ACME);
        pending.state = ConnectionState::Pending;
        pending.identity = None;
        home.connect(pending)
    };
    let ada = Owner::Person(PersonId::parse("ada").unwrap());
    let pending = [
        under_way(Owner::Shared, "Acme production"),
        under_way(Owner::Shared, "Nightly"),
        under_way(ada, "Acme production"),
    ];
    // The label still means the account that has it, whatever is done with it.
    let shown = home.json(&["connections", "show", "Acme production"]);
    assert_eq!(shown["id"], shared.as_str());
    for arguments in [
        &["connections", "share", "Acme production", "--everyone"][..],
        &["connections", "unshare", "Acme production", "--everyone"],
        // It is nobody's yet.
        &["connections", "rename", "Other", "Nightly"],
    ] {
        home.must(arguments);
    }
    home.must(&["agent", "add", "helper"]);
    let give = ["agent", "give", "helper", "salesforce", "--shared"];
    home.must(&[&give[..], &["Acme production"]].concat());
    let file = home.folder.path().join("portcullis.toml");
    std::fs::write(&file, "[shared.\"Acme production\"]\npeople = [\"bob\"]").unwrap();
    home.must(&["apply", "--yes"]);
    // One that another account has is taken, with or without a sign-in that is under way.
    let taken = home.run(&["connections", "rename", "Nightly", "Acme production"]);
    assert_eq!(taken.code, 2, "{}", taken.stdout);

    let listed = home.json(&["connections", "list"]);
    let listed = listed.as_array().unwrap().iter();
    let mut ids: Vec<&str> = listed.map(|one| one["id"].as_str().unwrap()).collect();
    let mut expected = [shared.as_str(), &other];
    ids.sort_unstable();
    expected.sort_unstable();
    assert_eq!(ids, expected);
    for id in &pending {
        for command in ["show", "share", "disconnect"] {
            let mut arguments = vec!["connections", command, id.as_str()];
            arguments.extend((command == "share").then_some("--everyone"));
            let said = home.run(&arguments);
            assert_eq!(said.code, 2, "{arguments:?}: {}", said.stdout);
        }
    }
}

#[test]
fn programs_get_all_but_the_secrets() {
    let (home, shared) = home();
    home.must(&["group", "add", "sales"]);
    home.must(&["group", "join", "sales", "bob"]);
    home.must(&["connections", "share", &shared, "--group", "sales"]);
    let mut shown = home.json(&["connections", "show", &shared]);
    assert!(shown["created"].take().is_string());
    assert_eq!(
        shown,
        json!({
            "id": shared,
            "label": "Acme production",
            "connector": "salesforce",
            "shared": true,
            "person": null,
            "origin": ACME,
            "environment": "production",
            "organization_id": "00Dxx0000001gER",
            "organization_name": "Acme Inc",
            "user_name": "integration@acme.example",
            "state": "active",
            "reason": null,
            "scopes": ["api", "refresh_token"],
            "created": null,
            "refreshed": null,
            "used": null,
            "shares": [{ "group": "sales" }],
            "access": [{ "person": "bob", "name": "bob", "by": [{ "group": "sales" }] }],
            "agents": [],
        })
    );
    let unshared = home.json(&["connections", "unshare", &shared, "--everyone"]);
    assert_eq!(unshared["changed"], false);
}

#[test]
fn no_secret_of_an_account_or_app_is_printed() {
    let (home, shared) = home();
    let mut all = String::new();
    let mut see = |said: Said| {
        assert_eq!(said.code, 0, "{}", said.stderr);
        all.push_str(&said.stdout);
        all.push_str(&said.stderr);
    };
    for form in [&[][..], &["--json"][..]] {
        let with = |arguments: &[&'static str]| [arguments, form].concat();
        let set = [
            "app",
            "set",
            "salesforce",
            "--client-id",
            "the-id",
            "--client-secret-env",
            "THE_SECRET",
        ];
        for value in ["MARKED-one", "MARKED-two"] {
            let said = home
                .command("ada", &with(&set))
                .env("THE_SECRET", value)
                .output();
            see(said.unwrap().into());
        }
        for arguments in [
            &["app", "list"][..],
            &["connections", "list"],
            &["connections", "show", "Acme production"],
            &["connections", "share", "Acme production", "--everyone"],
            &["key", "show"],
            &["key", "rotate"],
            &["key", "move", "--to", "file"],
            &["--log", "trace", "connections", "list"],
        ] {
            see(home.run(&with(arguments)));
        }
    }
    assert!(all.contains("the-id") && all.contains(&shared), "{all}");
    assert!(!all.contains("MARKED"), "{all}");
    for file in home.files() {
        let bytes = std::fs::read(file).unwrap();
        let is_marked = bytes.windows(6).any(|window| window == b"MARKED");
        assert!(!is_marked);
    }
}

#[test]
fn apps_are_set_for_a_connector_or_one_of_its_logins() {
    let home = Home::new();
    let set = ["app", "set", "salesforce", "--client-id", "3MVG9"];
    let and = |more: &[&'static str]| [&set[..], more].concat();
    insta::assert_snapshot!(home.transcript(&[
        &["app", "list"],
        &set,
        &set,
        &and(&["--login", "sandbox", "--scopes", "api, refresh_token"]),
        &and(&["--login", "https://acme.my.salesforce.com"]),
        &and(&["--scopes", "api"]),
        &and(&["--scopes", "api,,web"]),
        &and(&["--client-secret-env", "NOT_SET"]),
        &["app", "set", "salesfroce", "--client-id", "x"],
        &["app", "list"],
        &["app", "remove", "salesforce", "--login", "sandbox"],
        &["app", "remove", "salesforce", "--login", "sandbox"],
        &["app", "remove", "salesforce"],
    ]));
    let mut apps = home.json(&["app", "list"]);
    assert!(apps[0]["created"].take().is_string());
    assert_eq!(
        apps,
        json!([{
            "connector": "salesforce",
            "login": ACME,
            "client_id": "3MVG9",
            "has_secret": false,
            "scopes": null,
            "created": null,
        }])
    );
}

#[test]
fn who_asks_wrongly_removes_nobody_and_no_secret() {
    let (home, _) = home();
    let bobs = own(&home, "bob", "Bob's Acme");
    let file = home.folder.path().join("people.toml");
    std::fs::write(&file, "prune = true\n[people.ada]\nrole = \"admin\"\n").unwrap();
    let file = file.to_str().unwrap();
    for command in [
        &["person", "remove", "bob", "--ca-file", "/nowhere/ca.pem"][..],
        &["apply", file, "--yes", "--ca-file", "/nowhere/ca.pem"],
    ] {
        let refused = home.run(command);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        assert!(refused.stderr.contains("ca.pem"), "{}", refused.stderr);
        let shown = home.json(&["connections", "show", &bobs]);
        assert_eq!(shown["state"], json!("active"), "{shown}");
        assert!(home.must(&["person", "list"]).contains("bob"));
    }
}
