//! What is asked by mistake, or says less than whoever asked believes: it is told, and not taken for an answer.

use std::fs::File;
use std::process::Stdio;

use portcullis_store::Owner;
use serde_json::Value;

use crate::program::{Home, connection};

const ACME: &str = "https://acme.my.salesforce.com";

fn home() -> Home {
    let home = Home::new();
    home.must(&["agent", "add", "helper"]);
    home.must(&["agent", "give", "helper", "salesforce"]);
    home
}

#[test]
fn a_name_that_is_nowhere_is_no_empty_list() {
    let home = home();
    home.must(&["person", "add", "bob"]);
    for (filter, near) in [
        (["--agent", "helpr"], Some("helper")),
        (["--agent", "nobody-at-all"], None),
        (["--person", "bop"], Some("bob")),
        (["--tool", "qery"], Some("query")),
        (["--connector", "salesforc"], Some("salesforce")),
        (["--connection", "none"], None),
        (
            ["--outcome", "approval-required"],
            Some("approval_required"),
        ),
        (["--outcome", "nonsense"], None),
    ] {
        for command in [&["activity"][..], &["audit", "export", "--format", "csv"]] {
            let said = home.run(&[command, &filter].concat());
            assert_eq!(said.code, 2, "{filter:?}: {}", said.stdout);
            assert_eq!(said.stdout, "", "{filter:?}");
            if let Some(near) = near {
                let hint = format!("`{near}` is probably meant");
                assert!(said.stderr.contains(&hint), "{filter:?}: {}", said.stderr);
            }
        }
    }
    let said = home.run(&["activity", "--since", "2h", "--until", "3h"]);
    assert_eq!(said.code, 2, "{}", said.stdout);
    let said = home.run(&["activity", "--follow", "--until", "2026-01-01"]);
    assert_eq!(said.code, 2, "{}", said.stdout);
    // What is there and did nothing is an empty list.
    for filter in [
        ["--agent", "helper"],
        ["--person", "bob"],
        ["--tool", "query"],
        ["--outcome", "unclear"],
    ] {
        let said = home.must(&[&["activity"][..], &filter].concat());
        assert_eq!(said, "There are no such calls.\n", "{filter:?}");
    }
}

#[test]
fn who_lacks_a_connector_is_told_the_one_that_helps_or_that_there_is_none() {
    let home = home();
    home.must(&["agent", "add", "other"]);
    let call = |tool| home.run(&["call", tool, "--agent", "other"]).stderr;
    let said = call("query");
    assert!(
        said.contains("portcullis agent give other salesforce"),
        "{said}"
    );
    let said = call("echo");
    assert!(said.contains("has a tool `echo`"), "{said}");
    assert!(!said.contains("agent give"), "{said}");
    let said = home.run(&["explain", "other", "query"]).stderr;
    assert!(
        said.contains("`portcullis agent give other salesforce`"),
        "{said}"
    );
    let said = home.run(&["explain", "other", "query", "--connector", "mail"]);
    assert!(
        said.stderr.contains("there is no connector `mail`"),
        "{}",
        said.stderr
    );
    assert_eq!(said.code, 2);
}

#[test]
fn what_may_still_be_good_at_a_service_is_said_once() {
    let home = home();
    let nobody = "https://127.0.0.1:9";
    let mut account = connection(Owner::Shared, "Acme", nobody);
    account.secrets.endpoints.revoke = Some(format!("{nobody}/services/oauth2/revoke"));
    home.connect(account);
    let said = home.run(&["connections", "disconnect", "Acme"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let (_, why) = said.stdout.split_once("it may still be good: ").unwrap();
    let (why, _) = why.split_once(". It is tried again later").unwrap();
    assert!(!said.stderr.contains(why), "{}", said.stderr);
}

#[test]
fn a_scope_that_cannot_be_meant_so_is_warned_of() {
    let home = home();
    for (arguments, says) in [
        (
            &["--read", "Account", "--unset", "read"][..],
            "`--read` and `--unset read` are both given",
        ),
        (
            &["--change", "Contact.Phone"],
            "`Contact.Phone` may be changed only where it may be read",
        ),
        (&["--unset", "read", "--read-only"], "does nothing now"),
        (&["--rows", "0"], "an answer has no rows"),
        (&["--calls-per-minute", "0"], "the agent calls nothing"),
    ] {
        let said = home.run(&[&["scope", "helper"][..], arguments].concat());
        assert_eq!(said.code, 0, "{}", said.stderr);
        assert!(said.stderr.contains(says), "{arguments:?}: {}", said.stderr);
    }
    // The list that does nothing now is shown, for it counts again.
    let shown = home.must(&["scope", "helper"]);
    assert!(shown.contains("(else Contact.Phone)"), "{shown}");
    home.must(&["scope", "helper", "--clear"]);
    let said = home.run(&[
        "scope",
        "helper",
        "--read",
        "Account",
        "--change",
        "Account.Phone",
        "--rows",
        "1",
    ]);
    assert_eq!(said.stderr, "", "nothing is wrong with it");
    assert!(said.stdout.contains("1 row an answer"), "{}", said.stdout);
}

#[test]
fn what_is_always_refused_is_not_explained_as_allowed() {
    let home = home();
    let mode = |tool: &str| home.json(&["explain", "helper", tool]);
    home.must(&["allow", "helper", "update_record", "always"]);
    assert_eq!(mode("update_record")["mode"], "always");
    // An empty list of what may be changed is as good as read-only.
    home.must(&["scope", "helper", "--change", ""]);
    let explained = mode("update_record");
    assert_eq!(explained["mode"], "off", "{explained}");
    assert_eq!(
        explained["rule"],
        "scope of agent helper: it may change nothing"
    );
    let tools = home.must(&["tools", "--agent", "helper"]);
    assert!(
        !tools.contains("update_record") && tools.contains("query"),
        "{tools}"
    );
    // Of who is not trusted to look into a query, none is sent for an agent that is limited.
    home.must(&["scope", "helper", "--clear"]);
    home.must(&["connector", "trust-scope", "salesforce", "--no"]);
    assert_eq!(mode("query")["lacks_trust"], false, "nothing is limited");
    home.must(&["scope", "helper", "--deny-read", "Account.Phone"]);
    let explained = mode("query");
    assert_eq!(explained["lacks_trust"], true, "{explained}");
    for command in [&["explain", "helper"][..], &["explain", "helper", "query"]] {
        let said = home.must(command);
        assert!(said.contains("connector trust-scope salesforce"), "{said}");
        assert!(said.contains("but not Account.Phone"), "{said}");
    }
}

#[test]
fn a_member_is_told_what_an_agent_may_do_for_them() {
    let home = home();
    home.must(&["person", "add", "bob"]);
    let said = home.run_as("bob", &["explain", "helper", "query"]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(
        said.stdout.contains("the own account of `bob`"),
        "{}",
        said.stdout
    );
    let said = home.run_as("bob", &["explain", "helper", "query", "--person", "ada"]);
    assert_eq!(said.code, 2, "{}", said.stdout);
    for decides in [
        &["allow", "helper", "query", "off"][..],
        &["allow", "--list"],
        &["scope", "helper"],
    ] {
        assert_eq!(home.run_as("bob", decides).code, 2, "{decides:?}");
    }
}

#[test]
fn rules_are_listed_by_labels_and_modes_known_by_their_names() {
    let home = home();
    let id = home.connect(connection(Owner::Shared, "Nightly", ACME));
    assert!(
        home.must(&["allow", "--list"])
            .contains("the defaults hold")
    );
    home.must(&["allow", "helper", "query", "needs approval"]);
    home.must(&["allow", "helper", "search", "Disabled"]);
    home.must(&["allow", "--workspace", "effect:destructive", "disabled"]);
    let made = home.must(&["allow", "--connection", "Nightly", "effect:write", "ask"]);
    assert!(
        made.contains("connection `Nightly`") && !made.contains(&id),
        "{made}"
    );
    let listed = home.must(&["allow", "--list"]);
    assert!(!listed.contains(&id), "{listed}");
    insta::assert_snapshot!(listed);
    let rules = home.json(&["allow", "--list"]);
    let modes: Vec<&Value> = rules
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| &rule["mode"])
        .collect();
    assert_eq!(
        modes.iter().filter(|mode| **mode == "off").count(),
        2,
        "{rules}"
    );
    home.must(&[
        "agent",
        "give",
        "helper",
        "salesforce",
        "--shared",
        "Nightly",
    ]);
    let explained = home.must(&["explain", "helper", "update_record"]);
    assert!(!explained.contains(&id), "{explained}");
    assert_eq!(home.run(&["allow", "helper", "query", "perhaps"]).code, 2);
}

#[test]
fn a_setting_that_a_file_leaves_out_stays() {
    let home = home();
    home.must(&[
        "scope",
        "helper",
        "--deny-read",
        "*.Fax",
        "--rows",
        "5",
        "--read",
        "Lead",
    ]);
    let file = home.folder.path().join("portcullis.toml");
    let agents = "[people.ada]\nrole = \"admin\"\n[agents.helper]\nconnectors.salesforce = { account = \"personal\" }\n";
    let scope = "[agents.helper.scope.salesforce]\nread = [\"Account\"]\nchanges_per_day = 50\n";
    std::fs::write(&file, format!("{agents}{scope}")).unwrap();
    home.must(&["apply", "--yes"]);
    let now = home.json(&["scope", "helper"])["scope"].clone();
    assert_eq!(now["read"], serde_json::json!(["Account"]));
    assert_eq!(now["deny_read"], serde_json::json!(["*.Fax"]));
    assert_eq!(
        (&now["rows_max"], &now["changes_per_day"]),
        (&5.into(), &50.into())
    );
    assert_eq!(home.must(&["apply"]), "Nothing differs.\n");
    // Unless the file is all that is to be.
    std::fs::write(&file, format!("prune = true\n{agents}{scope}")).unwrap();
    let differs = home.must(&["apply", "--dry-run"]);
    assert!(differs.contains("but not *.Fax"), "{differs}");
    home.must(&["apply", "--yes"]);
    let now = home.json(&["scope", "helper"])["scope"].clone();
    assert!(
        now["deny_read"].is_null() && now["rows_max"].is_null(),
        "{now}"
    );
    // What is no count is said as that.
    std::fs::write(
        &file,
        format!("{agents}[agents.helper.scope.salesforce]\nrows_max = -1\n"),
    )
    .unwrap();
    let said = home.run(&["apply", "--yes"]);
    assert!(
        said.stderr.contains("give a whole number"),
        "{}",
        said.stderr
    );
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_done_is_done_though_nobody_can_be_told() {
    let home = home();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = home.command("ada", &["allow", "helper", "query", "ask"]);
    let said = command.stdout(Stdio::from(full)).output().unwrap();
    let stderr = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{stderr}");
    assert!(stderr.contains("could not be printed"), "{stderr}");
    assert_eq!(home.json(&["explain", "helper", "query"])["mode"], "ask");
    // Where nothing was done, what cannot be printed is a failure.
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = home.command("ada", &["explain", "helper"]);
    let said = command.stdout(Stdio::from(full)).output().unwrap();
    assert_eq!(said.status.code(), Some(1));
}

#[test]
fn an_issuer_is_a_url_and_whom_issuers_know_is_listed_for_all() {
    let home = home();
    for wrong in [
        "acme.okta.example",
        "ftp://acme.okta.example",
        "http://acme.okta.example",
        "https://",
        "https://acme.okta.example?x=1",
        "https://acme.okta.example#x",
        "https://user@acme.okta.example",
        "https://acme.okta.example:port/a",
    ] {
        let add = ["person", "subject", "add", "ada", "00u1", "--issuer", wrong];
        let said = home.json(&add);
        assert_eq!(said["code"], "issuer", "{wrong}: {said}");
    }
    let none = home.must(&["person", "subject", "list"]);
    assert!(none.contains("No issuer knows anybody here"), "{none}");
    home.must(&["person", "add", "bob"]);
    for (person, subject, issuer) in [
        ("ada", "00uada", "https://acme.okta.example/oauth2/default"),
        ("ada", "a1", "http://127.0.0.1:7000/"),
        ("bob", "00ubob", "https://acme.okta.example/oauth2/default"),
    ] {
        let add = ["person", "subject", "add", person, subject, "--issuer"];
        home.must(&[&add[..], &[issuer]].concat());
    }
    let all = home.json(&["person", "subject", "list"]);
    let known = |one: &Value| format!("{}/{}", one["person"], one["subject"]).replace('"', "");
    let all: Vec<String> = all.as_array().unwrap().iter().map(known).collect();
    assert_eq!(all, ["ada/a1", "ada/00uada", "bob/00ubob"]);
    let of_bob = home.json(&["person", "subject", "list", "bob"]);
    assert_eq!(of_bob.as_array().unwrap().len(), 1);
}
