//! On this machine alone, without a public URL: a token all the same, and the pages where `serve --stdio` has them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use portcullis_store::Owner;
use salesforce_devorg::{DevOrg, Options};
use serde_json::Value;

use super::client::Client;
use super::{count, site};
use crate::program::{Home, connection};
use crate::public::id;
use crate::public::visitor::{Visitor, form_of};

/// A program that serves on this machine.
pub(crate) struct Local {
    pub(crate) home: Home,
    pub(crate) org: DevOrg,
    pub(crate) address: std::net::SocketAddr,
    child: Child,
}

impl Local {
    pub(crate) async fn new(more: &[&str]) -> Self {
        let org = DevOrg::start(Options::default()).await.unwrap();
        let home = Home::new();
        home.must(&["person", "add", "bob"]);
        home.must(&["agent", "add", "helper"]);
        home.must(&["agent", "give", "helper", "salesforce"]);
        let mut account = connection(Owner::Person(id("ada")), "Acme", org.url());
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
        let mut child = home
            .command("ada", &[&serve[..], more].concat())
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
        let (_, rest) = line.split_once(" is served at ").unwrap();
        Self {
            address: rest.split(';').next().unwrap().parse().unwrap(),
            home,
            org,
            child,
        }
    }

    pub(crate) async fn client(&self, person: &str) -> Client {
        let store = self.home.store().await;
        let day = std::time::Duration::from_secs(86_400);
        let token = store
            .make_person_token(&id(person), "test", day)
            .await
            .unwrap()
            .0;
        Client::new(self.address, &self.address.to_string(), &token)
            .begun()
            .await
    }
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
    let address = base.strip_prefix("http://localhost:").unwrap();
    let address = format!("127.0.0.1:{address}").parse().unwrap();
    let mut visitor = Visitor::at(address, &base);
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
    let action = shown
        .text
        .split("action=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .replace("&amp;", "&");
    assert_eq!(action, path);
    let form = form_of(&shown, &action.replace('&', "&amp;"));
    let mut fields: Vec<(&str, &str)> = form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    fields.push(("decision", "approve"));
    let done = visitor.post(&path, &fields).await;
    assert_eq!(done.status, 200, "{}", done.text);
    done.has("Approved and done");
    // The list has what is left.
    let again = visitor.get(&path).await;
    let all = again
        .text
        .split("href=\"/approvals")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .replace("&amp;", "&");
    let list = visitor.get(&format!("/approvals{all}")).await;
    assert_eq!(list.text.matches("<li>").count(), 1, "{}", list.text);
    let answer = ada.call("update_record", site("Munich")).await;
    assert_ne!(answer["isError"], true, "{answer}");
}
