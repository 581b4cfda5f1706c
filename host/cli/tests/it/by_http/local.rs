//! On this machine alone, without a public URL: a token all the same, and the pages where `serve --stdio` has them.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};

use portcullis_store::Owner;
use rexpect::session::spawn_command;
use salesforce_devorg::{DevOrg, Options};
use serde_json::{Value, json};

use super::client::Client;
use super::{count, site};
use crate::program::{Home, connection};
use crate::public::id as id_of;
use crate::public::visitor::{Seen, Visitor, form_of};

/// A program that serves on this machine.
pub(crate) struct Local {
    pub(crate) home: Home,
    pub(crate) org: DevOrg,
    pub(crate) address: SocketAddr,
    /// What it said of that.
    pub(crate) said: String,
    child: Child,
}

impl Local {
    pub(crate) async fn new(more: &[&str]) -> Self {
        let org = DevOrg::start(Options::default()).await.unwrap();
        let home = Home::new();
        home.must(&["person", "add", "bob"]);
        home.must(&["agent", "add", "helper"]);
        home.must(&["agent", "give", "helper", "salesforce"]);
        let mut account = connection(Owner::Person(id_of("ada")), "Acme", org.url());
        account.secrets.access_token = org.users()[0].access_token.clone().into();
        home.store().await.put_connection(account).await.unwrap();
        let allowed = org.address().to_string();
        let serve = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--connect-port",
            "0",
            "--allow-origin",
            &allowed,
        ];
        let (child, said) = begun(&home, &[&serve[..], more].concat());
        Self {
            address: address_in(&said),
            said,
            home,
            org,
            child,
        }
    }

    pub(crate) async fn client(&self, person: &str) -> Client {
        let store = self.home.store().await;
        let day = std::time::Duration::from_secs(86_400);
        let token = store
            .make_person_token(&id_of(person), "test", day)
            .await
            .unwrap()
            .0;
        Client::new(self.address, &self.address.to_string(), &token)
            .begun()
            .await
    }
}

/// Starts a server, and gives the line in which it says where it is.
pub(crate) fn begun(home: &Home, arguments: &[&str]) -> (Child, String) {
    let mut child = home
        .command("ada", arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(" is served at ") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "it ended");
    }
    std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
    (child, line)
}

/// Reads the address out of that line.
pub(crate) fn address_in(said: &str) -> SocketAddr {
    let (_, rest) = said.split_once(" is served at ").unwrap();
    rest.split(';').next().unwrap().parse().unwrap()
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the link out of what a call came to, as its page's base, path and query.
pub(crate) fn link_in(result: &Value) -> (String, String) {
    let link = result["_meta"]["portcullis/problem"]["approval"]["link"]
        .as_str()
        .unwrap();
    let at = link.find("/approve/").unwrap();
    (link[..at].to_owned(), link[at..].to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_tools_are_is_said_as_they_are_found() {
    let local = Local::new(&[]).await;
    let path = |said: &str| {
        let (url, _) = said.split_once(" is served at ").unwrap();
        let at = url.find("/mcp").unwrap();
        url[at..].to_owned()
    };
    assert_eq!(path(&local.said), "/mcp");
    local.home.must(&["agent", "add", "other"]);
    let serve = ["serve", "--listen", "127.0.0.1:0", "--connect-port", "0"];
    let other: &[&str] = &["--agent", "other"];
    for (more, expected) in [(&[][..], "/mcp/AGENT"), (other, "/mcp")] {
        let (mut child, said) = begun(&local.home, &[&serve[..], more].concat());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(path(&said), expected, "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_of_this_machine_has_no_token() {
    let local = Local::new(&[]).await;
    let ada = local.client("ada").await;
    assert_eq!(
        ada.call("query", count()).await["content"][0]["text"],
        "count: 60"
    );
    let mut other = ada.clone();
    other.token = None;
    assert_eq!(other.initialize().await.status, 401);
    let port = local.address.port();
    for (host, status) in [
        (format!("localhost:{port}"), 200),
        (format!("[::1]:{port}"), 200),
        (format!("127.0.0.1:{port}"), 200),
        ("localhost".to_owned(), 403),
        (format!("evil.example:{port}"), 403),
        (format!("localhost.evil.example:{port}"), 403),
    ] {
        let mut named = ada.clone();
        named.host = host.clone();
        named.session = None;
        assert_eq!(named.initialize().await.status, status, "{host}");
    }
    // A page of another program of this machine is another site.
    for origin in ["http://localhost:1", "http://evil.example", "null"] {
        let body = serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
        assert_eq!(
            ada.post(&[("origin", origin)], body.to_string())
                .await
                .status,
            403,
            "{origin}"
        );
    }
    // There are no pages at this address.
    let mut page = ada.clone();
    page.path = "/approvals".to_owned();
    assert_eq!(
        page.request("GET", &[], Default::default()).await.status,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_the_link_decides_on_the_page_of_this_machine() {
    let local = Local::new(&[]).await;
    let ada = local.client("ada").await;
    let held = ada.call("update_record", site("Munich")).await;
    let (base, path) = link_in(&held);
    let mut visitor = visitor(&base);
    // Another user of the machine has read the id, and not the key; or has a key for another question, or another person.
    let (plain, query) = path.split_once('?').unwrap();
    let other = ada.call("update_record", site("Vienna")).await;
    let (_, others) = link_in(&other);
    let key_of_other = others.split_once('?').unwrap().1;
    for wrong in [
        plain.to_owned(),
        format!("{plain}?{key_of_other}"),
        format!("{plain}?{}", query.replace("of=ada", "of=bob")),
        format!("{plain}?{query}x"),
        format!("{plain}?{query}&{query}"),
        format!("/approvals?{query}"),
        "/approvals".to_owned(),
    ] {
        let seen = visitor.get(&wrong).await;
        assert_eq!(seen.status, 404, "{wrong}: {}", seen.text);
        assert!(
            !seen.text.contains("Munich") && !seen.text.contains("ada"),
            "{}",
            seen.text
        );
        let posted = visitor.post(&wrong, &[("decision", "approve")]).await;
        assert!(posted.status >= 400, "{wrong}");
    }
    let shown = visitor.get(&path).await;
    shown.has("Munich");
    let done = decide(&mut visitor, &path, &[("decision", "approve")]).await;
    assert_eq!(done.status, 200, "{}", done.text);
    done.has("Approved and done");
    let answer = ada.call("update_record", site("Munich")).await;
    assert_ne!(answer["isError"], true, "{answer}");
}

/// A browser of this machine at the pages.
fn visitor(base: &str) -> Visitor {
    let port = base.strip_prefix("http://localhost:").unwrap();
    Visitor::at(format!("127.0.0.1:{port}").parse().unwrap(), base)
}

/// Sends the form of a question's page, as the page has it.
async fn decide(visitor: &mut Visitor, path: &str, more: &[(&str, &str)]) -> Seen {
    let shown = visitor.get(path).await;
    let form = form_of(&shown, &path.replace('&', "&amp;"));
    let fields = form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let fields: Vec<(&str, &str)> = fields.chain(more.iter().copied()).collect();
    visitor.post(path, &fields).await
}

/// Where a page leads.
fn leads_to(page: &Seen) -> Vec<String> {
    let links = page.text.split("href=\"").skip(1);
    let links = links.map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&"));
    links.collect()
}

/// The path and query of the link to all that waits, as the command gives it to Ada on her terminal.
async fn link_to_all(local: &Local, base: &str) -> String {
    let port = base.strip_prefix("http://localhost:").unwrap();
    let arguments = ["approvals", "link", "--connect-port", port];
    let command = local.home.command("ada", &arguments);
    let said = tokio::task::spawn_blocking(move || {
        let mut terminal = spawn_command(command, Some(60_000)).unwrap();
        terminal.exp_eof().unwrap()
    });
    let said = said.await.unwrap();
    let at = said.find("/approvals?").unwrap_or_else(|| panic!("{said}"));
    said[at..].split_whitespace().next().unwrap().to_owned()
}

/// The attack: an agent, or whoever reads what it was told, opens the link of its question, and from there those of other agents, or
/// comes back by it on another day.
#[tokio::test(flavor = "multi_thread")]
async fn the_link_of_a_question_opens_that_question_alone() {
    let local = Local::new(&[]).await;
    local.home.must(&["agent", "add", "other"]);
    local.home.must(&["agent", "give", "other", "salesforce"]);
    let helper = local.client("ada").await;
    let mut other = helper.clone();
    other.path = "/mcp/other".to_owned();
    other.session = None;
    let other = other.begun().await;
    let (base, path) = link_in(&helper.call("update_record", site("Munich")).await);
    let (_, of_other) = link_in(&other.call("update_record", site("Vienna")).await);
    let mut visitor = visitor(&base);
    let shown = visitor.get(&path).await;
    shown.has("Munich");
    let inside: Vec<String> = leads_to(&shown)
        .into_iter()
        .filter(|link| link.starts_with('/') || link.starts_with(&base))
        .collect();
    assert!(inside.is_empty(), "{inside:?}");
    let query = path.split_once('?').unwrap().1;
    let (plain_of_other, _) = of_other.split_once('?').unwrap();
    for elsewhere in [
        format!("{plain_of_other}?{query}"),
        format!("/approvals?{query}"),
        format!("/approvals?{query}&until=9999999999"),
    ] {
        assert_eq!(visitor.get(&elsewhere).await.status, 404, "{elsewhere}");
    }
    // Nobody gets the link to all without a terminal.
    let piped = local.home.run(&["approvals", "link"]);
    assert_eq!(piped.code, 2, "{}", piped.stderr);
    assert!(
        piped.stderr.contains("on a terminal only"),
        "{}",
        piped.stderr
    );
    // The person does, and it has both.
    let all = link_to_all(&local, &base).await;
    let list = visitor.get(&all).await;
    assert_eq!(list.text.matches("<li>").count(), 2, "{}", list.text);
    // It ends: the time in it is proved too, and one that has passed counts for nothing.
    let until = all
        .split("until=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    let later = all.replace(until, "9999999999");
    assert_eq!(visitor.get(&later).await.status, 404);
    let key = local
        .home
        .store()
        .await
        .prove("/approvals ada 1000")
        .await
        .unwrap();
    let past = format!("/approvals?of=ada&until=1000&key={key}");
    assert_eq!(visitor.get(&past).await.status, 404);
    // With the question ends its link: decided by another way, it shows nothing any more, and a form of before counts for nothing.
    let id = &path["/approve/".len()..][..32];
    local
        .home
        .must(&["approvals", "deny", id, "--reason", "not on a Friday"]);
    let ended = visitor.get(&path).await;
    assert_eq!(ended.status, 410, "{}", ended.text);
    assert!(!ended.text.contains("Munich") && !ended.text.contains("Friday"));
    let posted = visitor.post(&path, &[("decision", "approve")]).await;
    assert_eq!(posted.status, 410, "{}", posted.text);
}

/// What cannot be put back is not approved by who has nothing but a link.
#[tokio::test(flavor = "multi_thread")]
async fn what_destroys_is_not_approved_by_a_link_alone() {
    let local = Local::new(&[]).await;
    local
        .home
        .must(&["allow", "helper", "delete_record", "ask"]);
    let ada = local.client("ada").await;
    let tasks = json!({ "soql": "SELECT Id FROM Task LIMIT 1" });
    let task = ada.call("query", tasks).await["structuredContent"]["rows"][0][0].clone();
    let wanted = json!({ "object": "Task", "id": task });
    let held = ada.call("delete_record", wanted).await;
    let (base, path) = link_in(&held);
    let id = &path["/approve/".len()..][..32];
    let mut visitor = visitor(&base);
    let state = || local.home.json(&["approvals", "show", id])["state"].clone();
    let page = visitor.get(&path).await;
    page.has("on a terminal");
    assert!(!page.text.contains("value=\"approve\""), "{}", page.text);
    // The form that denies has a token of the same page: it approves nothing.
    for given in [None, Some("any passphrase at all")] {
        let mut fields = vec![("decision", "approve")];
        fields.extend(given.map(|given| ("passphrase", given)));
        let refused = decide(&mut visitor, &path, &fields).await;
        assert_eq!(refused.status, 403, "{}", refused.text);
        refused.has("not approved by a link alone");
        assert_eq!(state(), "pending");
    }
    let passphrase = "correct horse battery".into();
    let store = local.home.store().await;
    let ada = id_of("ada");
    let set = store.set_passphrase(&ada, Some(&passphrase));
    set.await.unwrap();
    let refused = decide(&mut visitor, &path, &[("decision", "approve")]).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert_eq!(state(), "pending");
    let fields = [
        ("decision", "approve"),
        ("passphrase", "correct horse battery"),
    ];
    let done = decide(&mut visitor, &path, &fields).await;
    assert_eq!(done.status, 200, "{}", done.text);
    done.has("Approved and done");
    assert_eq!(state(), "used");
}
