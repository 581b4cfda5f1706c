//! `portcullis connect --public-url`: the person signs in on the server, and is waited for at the terminal.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};

use serde_json::Value;

use super::{BASE, Place};
use crate::program::Said;

/// The command, while it waits.
struct Waiting {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
    said: String,
}

impl Waiting {
    fn start(place: &Place, more: &[&str]) -> Self {
        let connect = ["connect", "salesforce", "--public-url", BASE];
        let reach = ["--allow-origin", &place.org.address().to_string()];
        let mut child = place
            .home
            .command("ada", &[&connect[..], &reach, more].concat())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self {
            child,
            stderr,
            said: String::new(),
        }
    }

    /// Reads until a line has a word, and gives the line.
    fn until(&mut self, word: &str) -> String {
        loop {
            let at = self.said.len();
            let read = self.stderr.read_line(&mut self.said).unwrap();
            assert_ne!(read, 0, "it ended: {}", self.said);
            if self.said[at..].contains(word) {
                return self.said[at..].trim().to_owned();
            }
        }
    }

    /// Reads the path of the link.
    fn link(&mut self) -> String {
        let line = self.until("/connect/");
        line.strip_prefix(BASE).unwrap().to_owned()
    }

    fn ended(mut self) -> Said {
        self.stderr.read_to_string(&mut self.said).unwrap();
        let mut stdout = String::new();
        let mut out = self.child.stdout.take().unwrap();
        out.read_to_string(&mut stdout).unwrap();
        Said {
            code: self.child.wait().unwrap().code().unwrap(),
            stdout,
            stderr: self.said,
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_until_the_account_is_connected() {
    let place = Place::new().await;
    let mut waiting = Waiting::start(&place, &["--json", "--stuck-after", "0"]);
    let callback = waiting.until("callback URL");
    assert_eq!(callback, format!("callback URL  {BASE}/callback"));
    assert!(waiting.until("scopes").ends_with("api, refresh_token"));
    assert!(waiting.until("PKCE").ends_with("required"));
    let link = waiting.link();
    let token = waiting.until("a token of yours");
    assert!(token.contains("portcullis person token add ada"), "{token}");

    // Somebody else who opens it ends nothing.
    let mut bob = place.signed_in("bob").await;
    assert_eq!(bob.get(&link).await.status, 403);
    let mut ada = place.signed_in("ada").await;
    ada.get(&link)
        .await
        .has("At the command line, ada asks to connect Salesforce");
    let url = ada.go_on(&link).await;
    // While the person is at the service, the errors are told that it shows on its own page.
    let (told, waiting) = blocking(move || {
        let told = waiting.until("shows an error on a page of its own");
        waiting.until("did not let this app in");
        (told, waiting)
    })
    .await;
    assert!(told.contains("Nothing has come back yet"), "{told}");
    let end = ada.get(&place.come_back(&url, "aiko", "allow").await).await;
    end.has("You are connected");
    let said = blocking(move || waiting.ended()).await;
    assert_eq!(said.code, 0, "{}", said.stderr);
    let value: Value = serde_json::from_str(&said.stdout).unwrap();
    assert!(
        value["user"].as_str().unwrap().starts_with("aiko"),
        "{value}"
    );
    assert_eq!(value["shared"], false);
    assert_eq!(value["origin"], place.org.url());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_why_nothing_was_connected() {
    let place = Place::new().await;
    for (user, decision, words) in [
        (
            "aiko",
            "deny",
            ["access_denied", "Connect again and choose Allow."],
        ),
        (
            "kofi.arden",
            "allow",
            ["does not work", "The user may not use the API"],
        ),
    ] {
        let mut waiting = Waiting::start(&place, &[]);
        let link = waiting.link();
        let mut ada = place.signed_in("ada").await;
        let url = ada.go_on(&link).await;
        let end = ada.get(&place.come_back(&url, user, decision).await).await;
        assert_eq!(end.status, 400, "{}", end.text);
        let said = blocking(move || waiting.ended()).await;
        assert_eq!(said.code, 1, "{}", said.stderr);
        for word in words {
            assert!(said.stderr.contains(word), "{word}: {}", said.stderr);
        }
    }
    assert_eq!(place.connected().await, 0);

    // A sign-in that comes back by somebody else is over, too.
    let mut waiting = Waiting::start(&place, &["--json"]);
    let link = waiting.link();
    let mut ada = place.signed_in("ada").await;
    let url = ada.go_on(&link).await;
    let back = place.come_back(&url, "aiko", "allow").await;
    assert_eq!(place.signed_in("bob").await.get(&back).await.status, 400);
    let said = blocking(move || waiting.ended()).await;
    let value: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(said.code, 1);
    let message = value["message"].as_str().unwrap();
    assert!(
        message.contains("not the sign-in that you began"),
        "{value}"
    );

    // Nor is anything waited for that nobody can sign in to.
    let mut waiting = Waiting::start(&place, &[]);
    let link = waiting.link();
    let welcome = ada.get(&link).await;
    place
        .home
        .must(&["app", "remove", "salesforce", "--login", place.org.url()]);
    let seen = ada.submit(&welcome, &link, &[]).await;
    assert_eq!(seen.status, 404, "{}", seen.text);
    let said = blocking(move || waiting.ended()).await;
    assert!(
        said.stderr.contains("nobody has set up yet"),
        "{}",
        said.stderr
    );
    let said = place
        .home
        .run(&["connect", "salesforce", "--public-url", BASE]);
    assert_eq!(said.code, 2);
    let hint = format!("with the callback URL `{BASE}/callback`");
    assert!(said.stderr.contains(&hint), "{}", said.stderr);
}
