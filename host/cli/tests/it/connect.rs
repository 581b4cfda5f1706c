//! `portcullis connect` on this machine: while the person is at the service, and what is not connected.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStderr, Stdio};

use portcullis_store::Owner;
use rmcp::model::CallToolRequestParams;
use rmcp::service::RunningService;
use rmcp::transport::TokioChildProcess;
use rmcp::{RoleClient, ServiceExt};
use salesforce_devorg::fault::{Fault, Rule};
use salesforce_devorg::{DevOrg, Options};
use serde_json::Value;

use crate::program::{Home, Said, connection};
use crate::public::visitor::{Visitor, come_back};

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
        // What to paste into the app, as it stands there.
        "Signing in at https://acme.my.salesforce.com, My Domain.",
        "  callback URL  http://localhost:",
        "  scopes        api, refresh_token",
        "  PKCE          required",
        "Nothing has come back yet. If the service shows an error on a page of its own, paste that page's address",
        "- app must be installed into org: The app is not installed in this org",
        "- OAUTH_APPROVAL_ERROR_GENERIC: Salesforce did not let this app in, and does not say why",
        "- redirect_uri: The app does not know this host's callback URL",
        "- API Only: The user may use the API alone, and cannot sign in on a page",
        "The link was:",
        "https://acme.my.salesforce.com/services/oauth2/authorize?",
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
    let mut paste = |text: &str, expected: &str| {
        writeln!(stdin, "{text}").unwrap();
        loop {
            let line = lines.next().unwrap().unwrap();
            if line.contains(expected) {
                break;
            }
        }
    };
    // What is none is asked for again.
    let again = "neither the address that the browser ended at nor a code";
    paste("\nhello", again);
    paste(
        "http://localhost:7717/callback",
        "lacks what the service added",
    );
    paste(
        "http://localhost:7717/callback?code=c&state=x",
        "another sign-in",
    );
    // The address of the service's own error page names the cause.
    let page = format!("{}/setup/secur/RemoteAccessErrorPage.apexp", org.url());
    let page = format!(
        "{page}?error=invalid_client&error_description=app%20must%20be%20installed%20into%20org"
    );
    paste(&page, "The app is not installed in this org");
    let setup = format!("{}/lightning/setup/", org.url());
    paste(
        "OAUTH_APPROVAL_ERROR_GENERIC : An unexpected error has occurred",
        &setup,
    );
    // The code alone, as it stands in the address.
    let (_, code) = back.split_once("code=").unwrap();
    writeln!(stdin, "{}", code.split('&').next().unwrap()).unwrap();
    let said = Said::from(child.wait_with_output().unwrap());
    assert_eq!(said.code, 0, "{}", said.stderr);
    let value: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(value["user"], user.username);
    assert_eq!(value["origin"], org.url());
    let listed = home.json(&["connections", "list"]);
    assert_eq!(listed[0]["state"], "active");
}

/// A sign-in that is under way in a program of its own.
struct SigningIn {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
    link: String,
}

impl SigningIn {
    fn begin(home: &Home, more: &[&str]) -> Self {
        let connect = ["connect", "salesforce"];
        let mut child = home
            .command("ada", &[&connect[..], more].concat())
            // No browser is found.
            .env("PATH", "/nowhere")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let link = loop {
            let line = lines.next().unwrap().unwrap();
            if line.trim().starts_with("http") {
                break line.trim().to_owned();
            }
        };
        Self { child, lines, link }
    }

    fn end(self) -> Said {
        let rest: Vec<String> = self.lines.map(Result::unwrap).collect();
        let mut said = Said::from(self.child.wait_with_output().unwrap());
        said.stderr = rest.join("\n");
        said
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_browser_starts_the_address_is_read_and_the_browser_is_told_what_came_of_it() {
    let org = DevOrg::start(Options::default()).await.unwrap();
    let home = Home::new();
    let reach = set_app(&home, &org, "Confidential Client");
    let more = ["--port", "0", "--json", &reach[0], &reach[1]];
    let user = &org.users()[2];
    let user = (&*user.username, &*user.password);

    let mut pasted = SigningIn::begin(&home, &more);
    let back = come_back(&org, &pasted.link, user, "allow").await;
    let mut stdin = pasted.child.stdin.take().unwrap();
    writeln!(stdin, "http://localhost:7717{back}").unwrap();
    let said = pasted.end();
    assert_eq!(said.code, 0, "{}", said.stderr);

    // A browser on this machine sees what came of it, the good as well as the bad.
    let fresh = &org.users()[1];
    let fresh = (&*fresh.username, &*fresh.password);
    for (who, decision, word, code) in [
        (user, "allow", "You are connected", 0),
        (fresh, "deny", "Not connected", 1),
    ] {
        let here = SigningIn::begin(&home, &more);
        let back = come_back(&org, &here.link, who, decision).await;
        let (_, rest) = here.link.split_once("localhost%3A").unwrap();
        let port: u16 = rest.split('%').next().unwrap().parse().unwrap();
        let base = format!("http://localhost:{port}");
        let mut browser = Visitor::at(([127, 0, 0, 1], port).into(), &base);
        browser.get(&back).await.has(word);
        let said = here.end();
        assert_eq!(said.code, code, "{}", said.stderr);
    }
}

/// What the log has of accounts: on which, from what to what, and whether that came to nothing.
fn decided(home: &Home) -> Vec<[String; 4]> {
    let lines = home.json(&["activity", "--decisions"]);
    let lines = lines.as_array().unwrap().iter();
    let of_accounts = lines.filter(|line| line["decided"] == "connection");
    let words = |line: &Value| {
        ["subject", "from", "to", "came_to_nothing"].map(|name| match &line[name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    };
    of_accounts.map(words).collect()
}

/// The attack is an accident: the program is killed while somebody is at the service, and the log says for ever that they connected
/// what is not there.
#[tokio::test(flavor = "multi_thread")]
async fn a_shared_account_is_decided_on_when_it_is_put_in_its_place() {
    let org = DevOrg::start(Options::default()).await.unwrap();
    let home = Home::new();
    let reach = set_app(&home, &org, "Confidential Client");
    let user = &org.users()[2];
    let user = (&*user.username, &*user.password);
    let more = ["--port", "0", "--json", &reach[0], &reach[1]];
    let begin = |how: &[&str]| SigningIn::begin(&home, &[&more[..], how].concat());
    let ends = async |mut signing_in: SigningIn, decision: &str| {
        let back = come_back(&org, &signing_in.link, user, decision).await;
        let mut stdin = signing_in.child.stdin.take().unwrap();
        writeln!(stdin, "http://localhost:7717{back}").unwrap();
        let said = signing_in.end();
        let value: Value = serde_json::from_str(&said.stdout).unwrap();
        (said.code, value)
    };
    let new = ["--shared", "--label", "Reports"];
    let mut killed = begin(&new);
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    assert_eq!(decided(&home), Vec::<[String; 4]>::new());
    // Nor is it one where the person says no.
    assert_eq!(ends(begin(&new), "deny").await.0, 1);
    assert_eq!(decided(&home), Vec::<[String; 4]>::new());

    let (code, connected) = ends(begin(&new), "allow").await;
    assert_eq!(code, 0, "{connected}");
    let id = connected["connection"].as_str().unwrap();
    let subject = format!("{id} of salesforce, shared");
    let line = |from: &str, to: &str| {
        let nothing = "false".to_owned();
        [subject.clone(), from.to_owned(), to.to_owned(), nothing]
    };
    let mut expected = vec![line("null", "called Reports")];
    assert_eq!(decided(&home), expected);
    let (code, again) = ends(begin(&["--again", "Reports"]), "allow").await;
    assert_eq!((code, again["connection"].as_str()), (0, Some(id)));
    expected.push(line("called Reports", "called Reports, signed in to anew"));
    assert_eq!(decided(&home), expected);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_was_given_up_is_finished_by_nobody() {
    let org = DevOrg::start(Options::default()).await.unwrap();
    let home = Home::new();
    let reach = set_app(&home, &org, "Confidential Client");
    let given_up = SigningIn::begin(&home, &["--port", "0", &reach[0], &reach[1]]);
    let id = given_up.child.id().to_string();
    let interrupt = std::process::Command::new("kill")
        .args(["-INT", &id])
        .status();
    assert!(interrupt.unwrap().success());
    let said = given_up.end();
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(
        said.stderr.contains("the sign-in was given up"),
        "{}",
        said.stderr
    );
    let (store, ada) = (home.store().await, "ada".parse().unwrap());
    let hour = std::time::Duration::from_secs(3_600);
    assert!(!store.has_sign_in_ending_within(&ada, hour).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_account_stays_that_of_its_user_and_its_label_is_its_own() {
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
    let home = Home::new();
    let reach = set_app(&home, &org, "Signing Job");
    let as_user = |user: &'static str, more: &[&str]| {
        let connect = ["connect", "salesforce", &reach[0], &reach[1]];
        let how = ["--jwt-user", user, "--jwt-key-file", key];
        home.run(&[&connect[..], &how, more].concat())
    };
    let robin = "robin.admin@devorg.example";
    let first = as_user(robin, &["--label", "Nightly"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let twice = as_user(robin, &["--label", "Nightly"]);
    assert_eq!(twice.code, 2, "{}", twice.stdout);
    assert!(twice.stderr.contains("--again"), "{}", twice.stderr);

    // One that was another's is not replaced unless that is said.
    let before = connection(Owner::Shared, "Weekly", org.url());
    let was = before.identity.as_ref().unwrap().user_name.clone();
    let store = home.store().await;
    let id = store.put_connection(before).await.unwrap().id.to_string();
    store.close().await;
    let lured = as_user(robin, &["--again", "Weekly"]);
    assert_eq!(lured.code, 1, "{}", lured.stdout);
    assert!(lured.stderr.contains("--other-account"), "{}", lured.stderr);
    let is_of = |user: &str| home.json(&["connections", "show", &id])["user_name"] == user;
    assert!(is_of(&was));
    let meant = as_user(robin, &["--again", "Weekly", "--other-account"]);
    assert_eq!(meant.code, 0, "{}", meant.stderr);
    let said = format!("It takes the place of {was}");
    assert!(meant.stdout.contains(&said), "{}", meant.stdout);
    assert!(is_of(robin));

    let second = as_user(robin, &["--label", "Daily"]);
    assert_eq!(second.code, 0, "{}", second.stderr);
    let taken = home.run(&["connections", "rename", "Daily", "Nightly"]);
    assert_eq!(taken.code, 2, "{}", taken.stdout);
    let bad = as_user(robin, &["--label", "More", "--jwt-audience", "nonsense"]);
    assert_eq!(bad.code, 2, "{}", bad.stdout);
    assert!(bad.stderr.contains("--jwt-audience"), "{}", bad.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_in_again_keeps_label_login_and_scopes() {
    let org = DevOrg::start(Options::default()).await.unwrap();
    let home = Home::new();
    let reach = set_app(&home, &org, "Confidential Client");
    let user = &org.users()[2];
    let user = (&*user.username, &*user.password);
    let signed_in = async |more: &[&str]| {
        let all = ["--port", "0", "--json", &reach[0], &reach[1]];
        let here = SigningIn::begin(&home, &[&all[..], more].concat());
        let link = here.link.clone();
        let back = come_back(&org, &link, user, "allow").await;
        let (_, rest) = link.split_once("localhost%3A").unwrap();
        let port: u16 = rest.split('%').next().unwrap().parse().unwrap();
        let base = format!("http://localhost:{port}");
        let mut browser = Visitor::at(([127, 0, 0, 1], port).into(), &base);
        browser.get(&back).await.has("You are connected");
        let said = here.end();
        assert_eq!(said.code, 0, "{}", said.stderr);
        let value: Value = serde_json::from_str(&said.stdout).unwrap();
        (link, value)
    };
    let scopes = "api,refresh_token,openid";
    let (_, first) = signed_in(&["--label", "Mine", "--scopes", scopes]).await;
    assert_eq!(first["label"], "Mine");
    // Whom, which org, of which kind.
    assert_eq!(first["user"], user.0);
    assert!(first["organization"].is_string(), "{first}");
    assert_ne!(first["environment"], "unknown");
    // Another app, which would be the only choice, or one of two, for who signs in for the first time.
    for login in ["https://acme.my.salesforce.com", "sandbox"] {
        let set = ["app", "set", "salesforce", "--client-id", "other"];
        home.must(&[&set[..], &["--login", login]].concat());
    }
    let (link, again) = signed_in(&[]).await;
    let authorize = format!("{}/services/oauth2/authorize?", org.url());
    assert!(link.starts_with(&authorize), "{link}");
    assert!(link.contains("scope=api+refresh_token+openid"), "{link}");
    for member in ["connection", "label", "origin", "user", "scopes"] {
        assert_eq!(again[member], first[member], "{member}");
    }
    let listed = home.json(&["connections", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    // What is said anew counts.
    let (_, renamed) = signed_in(&["--label", "Ours", "--scopes", "api,refresh_token"]).await;
    assert_eq!(renamed["label"], "Ours");
    assert_eq!(renamed["connection"], first["connection"]);
    assert!(!renamed["scopes"].to_string().contains("openid"));
}

#[test]
fn which_app_and_login_are_used_is_said() {
    let home = Home::new();
    let connect = |more: &[&str]| {
        let connect = ["connect", "salesforce", "--port", "0"];
        let said = home.run(&[&connect[..], more].concat());
        assert_eq!(said.code, 2, "{}", said.stdout);
        said.stderr
    };
    let set = |login: &str| {
        home.run(&[
            "app",
            "set",
            "salesforce",
            "--client-id",
            "k",
            "--login",
            login,
        ])
    };
    for wrong in [
        "not a url",
        "https://google.com",
        "https://acme.my.salesforce.com.evil.com",
        "https://acme.my.salesforce.com:8443",
        "https://na139.salesforce.com",
    ] {
        assert_eq!(set(wrong).code, 2, "{wrong}");
    }
    // One login in two spellings has one app.
    for spelling in [
        "https://acme.my.salesforce.com/",
        "https://ACME.lightning.force.com/lightning/page/home",
        "http://acme--npsp.vf.force.com/apex/Home",
    ] {
        let said = set(spelling);
        assert_eq!(said.code, 0, "{}", said.stderr);
    }
    let apps = home.json(&["app", "list"]);
    assert_eq!(apps.as_array().unwrap().len(), 1);
    assert_eq!(apps[0]["login"], "https://acme.my.salesforce.com");

    let said = connect(&["--login", "sandbox"]);
    let set_for = "at `https://test.salesforce.com`; those that are set are for `https://acme.my.salesforce.com`";
    assert!(said.contains(set_for), "{said}");
    assert!(
        said.contains("--login https://test.salesforce.com"),
        "{said}"
    );
    assert_eq!(set("sandbox").code, 0);
    let said = connect(&[]);
    assert!(said.contains("several logins"), "{said}");
    assert!(
        said.contains("`https://acme.my.salesforce.com`, `sandbox`"),
        "{said}"
    );
    let said = connect(&["--client-credentials", "--login", "sandbox"]);
    assert!(said.contains("--client-secret-env"), "{said}");

    home.must(&["person", "add", "bob"]);
    let bobs = home.run_as("bob", &["connect", "salesforce", "--login", "production"]);
    assert_eq!(bobs.code, 2, "{}", bobs.stdout);
    assert!(
        bobs.stderr.contains("ask an administrator"),
        "{}",
        bobs.stderr
    );
}

/// An agent's link, by a program of its own that an MCP client runs.
async fn served(home: &Home, org: &DevOrg, port: u16) -> (RunningService<RoleClient, ()>, String) {
    let serve = ["serve", "--stdio", "--connect-port", &port.to_string()];
    let reach = ["--allow-origin", &org.address().to_string()];
    let command = home.command("ada", &[&serve[..], &reach].concat());
    let command = tokio::process::Command::from(command);
    let client = ().serve(TokioChildProcess::new(command).unwrap()).await.unwrap();
    let request = CallToolRequestParams::new("get_identity");
    let answer = client.call_tool(request).await.unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    let text = answer["content"][0]["text"].as_str().unwrap();
    let link = text.split_whitespace().last().unwrap().to_owned();
    (client, link)
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_of_one_store_share_a_port() {
    let org = DevOrg::start(Options::default()).await.unwrap();
    let home = Home::new();
    let reach = set_app(&home, &org, "Confidential Client");
    home.must(&["agent", "add", "helper"]);
    home.must(&["agent", "give", "helper", "salesforce"]);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);

    let (first, one) = served(&home, &org, port).await;
    let (second, two) = served(&home, &org, port).await;
    let base = format!("http://localhost:{port}");
    // Nothing stands behind a link that would be copied with it.
    for link in [&one, &two] {
        let secret = link.strip_prefix(&format!("{base}/connect/")).unwrap();
        assert!(
            secret
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || "-_".contains(char))
        );
    }
    let port_text = port.to_string();
    let more = [
        "--port",
        &port_text,
        "--no-browser",
        "--json",
        &reach[0],
        &reach[1],
    ];
    let waits = SigningIn::begin(&home, &more);
    let link = waits.link.strip_prefix(&base).unwrap().to_owned();
    let mut browser = Visitor::at(([127, 0, 0, 1], port).into(), &base);
    let url = browser.go_on(&link).await;
    let user = &org.users()[2];
    let user = (&*user.username, &*user.password);
    let back = come_back(&org, &url, user, "allow").await;
    browser.get(&back).await.has("You are connected");
    let said = waits.end();
    assert_eq!(said.code, 0, "{}", said.stderr);
    let value: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(value["user"], user.0);
    first.cancel().await.unwrap();
    second.cancel().await.unwrap();
}

#[test]
fn a_port_that_another_program_has_is_said_with_what_to_do() {
    let home = Home::new();
    let set = ["app", "set", "salesforce", "--client-id", "k"];
    home.must(&[&set[..], &["--login", "https://acme.my.salesforce.com"]].concat());
    // At the address that browsers look for first.
    let theirs = std::net::TcpListener::bind("[::1]:0").unwrap();
    let port = theirs.local_addr().unwrap().port().to_string();
    let said = home.run(&["connect", "salesforce", "--port", &port]);
    assert_eq!(said.code, 2, "{}", said.stdout);
    for word in ["localhost", &port, "--port", "callback URL"] {
        assert!(said.stderr.contains(word), "{word}: {}", said.stderr);
    }
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
        // What the connector advises is said where the account cannot be tried.
        let mut rule = Rule::next(Fault::RequestLimit);
        rule.when.path = Some("/services/oauth2/userinfo".to_owned());
        org.add_fault(rule).unwrap();
        let advised = home.run(&["connections", "test", app, &reach[0], &reach[1]]);
        assert_eq!(advised.code, 1, "{}", advised.stdout);
        assert!(
            advised.stderr.contains("Company Information"),
            "{}",
            advised.stderr
        );
        let test = ["connections", "test", app, "--json", &reach[0], &reach[1]];
        let tested: Value = serde_json::from_str(&home.run(&test).stdout).unwrap();
        assert_eq!(tested["works"], true, "{tested}");
    }
}
