//! `portcullis apply`: what a file comes to, and that nothing is changed where anything in it is wrong.

use portcullis::policy::PersonId;
use portcullis_store::Owner;
use salesforce_devorg::{DevOrg, Options};
use serde_json::{Value, json};

use crate::program::{Home, ask_org, connection};

const ACME: &str = "https://acme.my.salesforce.com";

const FILE: &str = r#"
[people.ada]
name = "Ada Lovelace"
role = "admin"

[people.bob]

[groups]
sales = ["ada", "bob"]

[agents.helper]
name = "Sales helper"
connectors.salesforce = { account = "personal" }

[agents.reporter]
connectors.salesforce = { account = "shared", connection = "Acme production" }

[shared."Acme production"]
groups = ["sales"]
"#;

fn home() -> Home {
    let home = Home::new();
    home.must(&["person", "list"]);
    home.connect(connection(Owner::Shared, "Acme production", ACME));
    home
}

fn write(home: &Home, text: &str) {
    std::fs::write(home.folder.path().join("portcullis.toml"), text).unwrap();
}

#[test]
fn a_file_is_shown_applied_and_found_to_be_so() {
    let home = home();
    write(&home, FILE);
    insta::assert_snapshot!(home.transcript(&[
        &["apply", "--dry-run"],
        &["apply"],
        &["person", "list"],
        &["apply", "--yes"],
        &["apply", "--yes"],
        &["apply"],
        &["person", "list"],
        &["group", "list"],
    ]));
    let agents = home.json(&["agent", "list"]);
    assert_eq!(agents[1]["connectors"]["salesforce"]["account"], "shared");
}

#[test]
fn what_is_not_in_the_file_stays_unless_it_is_pruned() {
    let home = home();
    write(&home, FILE);
    home.must(&["apply", "--yes"]);
    home.must(&["person", "add", "carol", "--role", "admin"]);
    home.must(&["group", "join", "sales", "carol"]);
    home.must(&["group", "add", "old"]);
    home.must(&["agent", "add", "old"]);
    home.must(&["connections", "share", "Acme production", "--everyone"]);
    let owner = Owner::Person(PersonId::parse("carol").unwrap());
    home.connect(connection(owner, "Carol's Acme", ACME));
    assert_eq!(home.must(&["apply"]), "Nothing differs.\n");

    let changed = FILE
        .replace(
            "[people.bob]",
            "[people.bob]\nname = \"Bob\"\nrole = \"admin\"",
        )
        .replace(
            "role = \"admin\"\n\n[people.bob]",
            "role = \"member\"\n\n[people.bob]",
        )
        .replace(
            "account = \"shared\", connection = \"Acme production\"",
            "account = \"personal\"",
        )
        .replace("sales = [\"ada\", \"bob\"]", "sales = [\"bob\"]");
    write(&home, &format!("prune = true\n{changed}"));
    insta::assert_snapshot!(home.transcript(&[&["apply", "--dry-run"], &["apply", "--yes"]]));
    // Ada is a member from now on.
    insta::assert_snapshot!(home.transcript_of(&[
        ("ada", &["apply", "--yes"]),
        ("bob", &["apply", "--yes"]),
        ("bob", &["person", "list"]),
    ]));
}

#[test]
fn a_file_that_is_wrong_changes_nothing_and_says_where() {
    let home = home();
    let own = Owner::Person(PersonId::parse("ada").unwrap());
    home.connect(connection(own, "Ada's Acme", ACME));
    let mut report = String::new();
    for text in [
        "people = 1",
        "[people.bob]\nrole = \"boss\"",
        "[people.bob]\nrole = \"amdin\"",
        "[agents.x.tools]\nquery = \"aks\"",
        "[agents.x.connectors]\nsalesforce = { account = \"shard\" }",
        "[people.ADA]",
        "[people.bob]\n[people.Bob]",
        "[people.bob]\nnmae = \"Bob\"",
        "[persons.bob]",
        "[people.bob]\n[people.bob]",
        "[people.\"b b\"]",
        "[people.bob]\nname = \"a\\u0007b\"",
        "[people.bob]\n[groups]\nsales = [\"bob\", \"eve\"]\n\"a b\" = []\n[agents.x]\nconnectors.nothing = { account = \"personal\" }",
        "[agents.x.connectors]\nsalesforce = { account = \"shared\" }",
        "[agents.x.connectors]\nsalesforce = { account = \"personal\", connection = \"Acme production\" }",
        "[agents.x.connectors]\nsalesforce = { account = \"shared\", connection = \"Ada's Acme\" }",
        "[people.bob]\n\n[shared.\"Acme production\"]\npeople = [\"bob\", \"ève\"]\ngroups = [\"sales\"]",
        "[people.ada]\nrole = \"member\"",
        "prune = true\n[people.bob]\nrole = \"admin\"",
        "prune = true\n[people.ada]\n[people.bob]\n[groups]\nsales = [\"eve\"]",
    ] {
        write(&home, &format!("# A file.\n{text}\n"));
        let said = home.run(&["apply", "--yes"]);
        assert_eq!(said.code, 2, "{text}: {}", said.stdout);
        report.push_str(&format!("{text}\n---\n{}\n\n", said.stderr.trim_end()));
    }
    insta::assert_snapshot!(report);
    let people = home.json(&["person", "list"]);
    assert_eq!(people.as_array().unwrap().len(), 1);
    assert_eq!(home.json(&["agent", "list"]), json!([]));
}

#[test]
fn programs_get_what_differs() {
    let home = home();
    write(&home, "[people.bob]\n[agents.helper]\n");
    let changes = json!([
        { "op": "add", "text": "person bob: bob, member" },
        { "op": "add", "text": "agent helper: helper" },
    ]);
    let differs =
        |applied| json!({ "applied": applied, "changes": changes, "connections_removed": [] });
    assert_eq!(home.json(&["apply", "--dry-run"]), differs(false));
    let unasked = home.json(&["apply"]);
    assert_eq!(unasked["code"], "not_confirmed");
    assert_eq!(unasked["changes"], changes, "who is asked sees what for");
    assert_eq!(home.json(&["apply", "--yes"]), differs(true));
    assert_eq!(home.json(&["apply", "--yes"])["changes"], json!([]));
    assert_eq!(home.json(&["apply", "nowhere.toml"])["code"], "file");
    assert_eq!(home.run(&["apply", "--yes", "--dry-run"]).code, 2);
}

/// The example of the help is one.
#[test]
fn the_example_of_the_help_can_be_applied() {
    let home = home();
    let help = home.must(&["apply", "--help"]);
    let example: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "A file:")
        .skip(1)
        .take_while(|line| *line != "Examples:")
        .map(|line| line.strip_prefix("  ").unwrap_or(line))
        .collect();
    write(&home, &example.join("\n"));
    let said = home.must(&["apply", "--yes"]);
    assert!(
        said.contains("+ agent reporter: salesforce, shared Acme production"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_with_a_person_is_revoked_where_the_command_may_reach() {
    let org = DevOrg::start(Options::default()).await.unwrap();
    let allowed = org.address().to_string();
    for (reach, is_revoked) in [(&[][..], false), (&["--allow-origin", &allowed][..], true)] {
        let home = Home::new();
        home.must(&["person", "add", "bob"]);
        let bob = PersonId::parse("bob").unwrap();
        let mut own = connection(Owner::Person(bob), "Bob's", org.url());
        let user = &org.users()[1];
        own.secrets.access_token = user.access_token.clone().into();
        own.secrets.refresh_token = Some(user.refresh_token.clone().into());
        own.secrets.client_id = org.client_id().to_owned();
        own.secrets.client_secret = Some(org.client_secret().to_owned().into());
        own.secrets.endpoints.revoke = Some(format!("{}/services/oauth2/revoke", org.url()));
        home.store().await.put_connection(own).await.unwrap();
        write(&home, "prune = true\n[people.ada]\nrole = \"admin\"");
        let apply = [&["apply", "--yes", "--json"][..], reach].concat();
        let said = home.run(&apply);
        assert_eq!(said.code, 0, "{}", said.stderr);
        let value: Value = serde_json::from_str(&said.stdout).unwrap();
        let ended = &value["connections_removed"][0];
        assert_eq!(
            (&ended["label"], &ended["revoked"]),
            (&json!("Bob's"), &json!(is_revoked))
        );
        // Else it is said why, and where somebody ends it by hand.
        assert_eq!(ended["why"].is_string(), !is_revoked, "{ended}");
        let setup = format!("{}/lightning/setup/ConnectedAppsUsage/home", org.url());
        let page = if is_revoked {
            json!(null)
        } else {
            json!(setup)
        };
        assert_eq!(ended["page"], page);
        let taken = ask_org(&allowed, &user.access_token, &[]);
        assert_eq!(taken.code == 0, !is_revoked, "{}", taken.stderr);
    }
}

#[test]
fn subjects_are_added_moved_and_pruned_and_each_is_one_persons() {
    const ISSUER: &str = "https://acme.okta.example";
    let home = home();
    let file = |ada: &str, bob: &str, prune: bool| {
        let subjects = |subject: &str| match subject {
            "" => String::new(),
            subject => {
                format!("subjects = [{{ issuer = \"{ISSUER}\", subject = \"{subject}\" }}]\n")
            }
        };
        let (ada, bob) = (subjects(ada), subjects(bob));
        let text =
            format!("prune = {prune}\n[people.ada]\nrole = \"admin\"\n{ada}[people.bob]\n{bob}");
        write(&home, &text);
    };
    let known = |person: &str| {
        let listed = home.json(&["person", "subject", "list", person]);
        let all = listed.as_array().unwrap().iter();
        all.map(|one| one["subject"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    file("", "00u1", false);
    let said = home.json(&["apply", "--yes"]);
    assert!(said.to_string().contains("person bob: 00u1 of"), "{said}");
    assert_eq!(known("bob"), ["00u1"]);
    assert_eq!(home.json(&["apply", "--yes"])["applied"], false);
    // What the file does not say stays, and what is another's is refused, with nothing changed.
    file("", "", false);
    assert_eq!(home.json(&["apply", "--yes"])["applied"], false);
    file("00u1", "", false);
    assert_ne!(home.run(&["apply", "--yes"]).code, 0);
    assert_eq!(
        (known("ada"), known("bob")),
        (vec![], vec!["00u1".to_owned()])
    );
    file("00u1", "00u1", false);
    let twice = home.run(&["apply", "--yes"]);
    assert_eq!(twice.code, 2, "{}", twice.stderr);
    assert!(
        twice
            .stderr
            .contains("one account at an issuer is one person"),
        "{}",
        twice.stderr
    );
    // Also with `prune`: a file that was written before there were subjects locks nobody out.
    file("", "", true);
    assert_eq!(home.json(&["apply", "--yes"])["applied"], false);
    assert_eq!(known("bob"), ["00u1"]);
    // By that it goes from one to the other at once, where both are said.
    let both = |of_ada: &str, of_bob: &str| {
        let ada = format!("[people.ada]\nrole = \"admin\"\nsubjects = [{of_ada}]");
        let bob = format!("[people.bob]\nsubjects = [{of_bob}]");
        write(&home, &format!("prune = true\n{ada}\n{bob}\n"));
        home.must(&["apply", "--yes"]);
    };
    let it = format!("{{ issuer = \"{ISSUER}\", subject = \"00u1\" }}");
    both(&it, "");
    assert_eq!(
        (known("ada"), known("bob")),
        (vec!["00u1".to_owned()], vec![])
    );
    both("", "");
    assert_eq!(known("ada"), Vec::<String>::new());
    let log = home.json(&["activity", "--decisions"]).to_string();
    assert!(log.contains("ada as 00u1 of"), "{log}");
}

/// A name that is kept for what is no issuer would never be anybody's.
#[test]
fn the_issuer_of_a_subject_is_a_url_in_a_file_as_at_the_command_line() {
    let home = home();
    for (issuer, why) in [
        ("acme.okta.example", "begins with neither"),
        (
            "https://acme.okta.example?tenant=1",
            "a query or a fragment",
        ),
        ("http://acme.okta.example", "away from this machine"),
    ] {
        let at = [
            "person", "subject", "add", "ada", "00u1", "--issuer", issuer,
        ];
        let by_command = home.run(&at);
        write(
            &home,
            &format!(
                "[people.ada]\nsubjects = [{{ issuer = \"{issuer}\", subject = \"00u1\" }}]\n"
            ),
        );
        let by_file = home.run(&["apply", "--yes"]);
        for said in [&by_command, &by_file] {
            assert_eq!(said.code, 2, "{issuer}: {}", said.stderr);
            assert!(said.stderr.contains(why), "{issuer}: {}", said.stderr);
        }
        let place = "line 2, column 24";
        assert!(by_file.stderr.contains(place), "{}", by_file.stderr);
    }
    assert_eq!(home.json(&["person", "subject", "list", "ada"]), json!([]));
}
