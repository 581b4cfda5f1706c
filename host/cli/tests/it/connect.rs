//! `portcullis connect` on this machine: while the person is at the service, and what is not connected.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use salesforce_devorg::{DevOrg, Options};
use serde_json::Value;

use crate::program::{Home, Said};
use crate::public::visitor::come_back;

#[test]
#[allow(clippy::expect_used, reason = "it says which is missing")]
fn after_a_wait_the_errors_are_told_that_the_service_shows_on_its_own_page() {
    let home = Home::new();
    let set = ["app", "set", "salesforce", "--client-id", "3MVG9.key"];
    home.must(&[&set[..], &["--login", "https://acme.my.salesforce.com"]].concat());
    let connect = ["connect", "salesforce", "--no-browser", "--port", "0"];
    let mut child = home
        .command("ada", &[&connect[..], &["--stuck-after", "0"]].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    // Each of those that never come back, with what to do and where.
    let mut told = Vec::new();
    for expected in [
        "Nothing has come back yet. If the service shows an error on a page of its own:",
        "- The app is not installed in this org",
        "- Salesforce did not let this app in, and does not say why",
        "- The app does not know this host's callback URL",
        "Add http://localhost:",
        "https://acme.my.salesforce.com/lightning/setup/",
        "- The user may use the API alone, and cannot sign in on a page",
    ] {
        if told.iter().any(|line: &String| line.contains(expected)) {
            continue;
        }
        loop {
            let line = lines.next().expect(expected).unwrap();
            let is_it = line.contains(expected);
            told.push(line);
            if is_it {
                break;
            }
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Sets an app of the org, and gives what makes the program reach it.
fn set_app(home: &Home, org: &DevOrg, name: &str) -> [String; 2] {
    let app = org.apps().into_iter().find(|app| app.name == name).unwrap();
    let set = ["app", "set", "salesforce", "--client-id", &app.client_id];
    let of = ["--login", org.url(), "--client-secret-env", "THE_SECRET"];
    let mut set = home.command("ada", &[&set[..], &of].concat());
    let set = set.env("THE_SECRET", &app.client_secret).output().unwrap();
    assert!(set.status.success());
    ["--allow-origin".to_owned(), org.address().to_string()]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_that_a_browser_elsewhere_ends_at_is_pasted() {
    let org = DevOrg::start(Options::default()).await.unwrap();
    let home = Home::new();
    let reach = set_app(&home, &org, "Confidential Client");
    let connect = ["connect", "salesforce", "--no-browser", "--port", "0"];
    let mut child = home
        .command(
            "ada",
            &[&connect[..], &["--json", &reach[0], &reach[1]]].concat(),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let link = loop {
        let line = lines.next().unwrap().unwrap();
        if line.contains("/services/oauth2/authorize?") {
            break line.trim().to_owned();
        }
    };
    let user = &org.users()[2];
    let back = come_back(&org, &link, (&user.username, &user.password), "allow").await;
    let mut stdin = child.stdin.take().unwrap();
    // An empty line is waited over.
    writeln!(stdin, "\nhttp://localhost:7717{back}").unwrap();
    let said = Said::from(child.wait_with_output().unwrap());
    assert_eq!(said.code, 0, "{}", said.stderr);
    let value: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(value["user"], user.username);
    assert_eq!(value["origin"], org.url());
    let listed = home.json(&["connections", "list"]);
    assert_eq!(listed[0]["state"], "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn service_accounts_are_connected_at_the_command_line() {
    let key = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/devorg/tests/data/jwt.key.pem"
    );
    let certificate = include_str!("../../../../tests/devorg/tests/data/jwt.crt.pem");
    let org = DevOrg::start(Options {
        jwt_certificate: Some(certificate.to_owned()),
        ..Options::default()
    });
    let org = org.await.unwrap();
    let user = "robin.admin@devorg.example";
    for (app, how) in [
        ("Nightly Job", vec!["--client-credentials"]),
        (
            "Signing Job",
            vec!["--jwt-user", user, "--jwt-key-file", key],
        ),
    ] {
        let home = Home::new();
        home.must(&["person", "add", "bob"]);
        let reach = set_app(&home, &org, app);
        let connect = [
            "connect",
            "salesforce",
            "--label",
            app,
            "--json",
            &reach[0],
            &reach[1],
        ];
        let connect = [&connect[..], &how].concat();
        let refused = home.run_as("bob", &connect);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        let said = home.run(&connect);
        assert_eq!(said.code, 0, "{}", said.stderr);
        let value: Value = serde_json::from_str(&said.stdout).unwrap();
        assert_eq!(
            (&value["user"], &value["shared"]),
            (&user.into(), &true.into())
        );
        let test = ["connections", "test", app, "--json", &reach[0], &reach[1]];
        let tested: Value = serde_json::from_str(&home.run(&test).stdout).unwrap();
        assert_eq!(tested["works"], true, "{tested}");
    }
}
