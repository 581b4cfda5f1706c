//! The pages behind a link, as a person's browser sees them, and as others do who should not.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use http::Method;
use http::header::{CONTENT_SECURITY_POLICY, HOST, ORIGIN, SET_COOKIE};
use portcullis::Outcome;
use portcullis::policy::{ConnectorName, PersonId};
use portcullis::ports::Caller;
use portcullis_connect::{
    Begin, LoopbackPages, LoopbackPagesOptions, NoOffer, Offer, Offers, RedirectUri,
};
use portcullis_store::{ConnectLinks, NoLink, Owner};
use secrecy::ExposeSecret;
use url::form_urlencoded;

use super::browser::hidden;
use super::office::{BOB, STAYING, Site, Wish, answered, connector};
use super::visitor::{Visitor, come_back};
use crate::support::name;
use crate::support::world::AGENT;

/// The app and login of everybody.
struct OneApp(Offer);

#[async_trait]
impl Offers for OneApp {
    async fn offer(&self, _: &PersonId, _: &ConnectorName) -> Result<Offer, NoOffer> {
        Ok(self.0.clone())
    }
}

/// Nobody has set anything up.
struct NoApp;

#[async_trait]
impl Offers for NoApp {
    async fn offer(&self, _: &PersonId, _: &ConnectorName) -> Result<Offer, NoOffer> {
        Err(NoOffer::NotSetUp)
    }
}

/// A site whose agent hands on links.
async fn site() -> Site {
    let site = Site::new().await;
    let offer = Offer {
        app: site.app(STAYING),
        login: site.office.login(),
        scopes: Vec::new(),
        label: "Acme".to_owned(),
    };
    let accounts = site.office.accounts.clone();
    site.office
        .pages
        .serve(accounts, Arc::new(OneApp(offer)), None);
    site
}

/// Gives the link that the agent hands on.
async fn link(site: &Site) -> String {
    match site.office.call().await.outcome {
        Outcome::ConnectRequired(connect) => connect.link.unwrap(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_person_opens_the_link_and_connects() {
    let site = site().await;
    let link = link(&site).await;
    assert!(link.starts_with("http://127.0.0.1:"), "{link}");

    // Programs open links to show what is behind them; that begins nothing.
    for _ in 0..2 {
        let preview = Visitor::new().get(&link).await;
        assert_eq!(preview.status, 200);
    }
    let mut person = Visitor::new();
    let welcome = person.get(&link).await;
    for word in [
        "The agent Desk",
        "as ada",
        "Salesforce",
        site.org.url(),
        "Stay connected",
    ] {
        assert!(welcome.text.contains(word), "{word}: {}", welcome.text);
    }
    assert!(!welcome.text.contains("<script"));
    assert_eq!(
        welcome.headers[CONTENT_SECURITY_POLICY],
        "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    assert_eq!(welcome.headers["cache-control"], "no-store");
    let cookie = welcome.headers[SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");

    let end = person.connect(&site, &link, "aiko", &[]).await;
    assert_eq!(end.status, 200, "{}", end.text);
    for word in [
        "You are connected",
        "aiko",
        "Organization: ",
        "Read and change records",
    ] {
        assert!(end.text.contains(word), "{word}: {}", end.text);
    }
    assert!(answered(site.office.call().await).contains("aiko"));
}

#[tokio::test]
async fn a_link_works_once_and_the_same_page_serves_the_next() {
    let site = site().await;
    let first = link(&site).await;
    let mut person = Visitor::new();
    let welcome = person.get(&first).await;
    person.submit(&first, &welcome.text, &[]).await;
    for again in [
        person.get(&first).await,
        person.submit(&first, &welcome.text, &[]).await,
    ] {
        assert_eq!(again.status, 404);
        assert!(again.text.contains("used already"), "{}", again.text);
    }
    // Two sign-ins of one browser do not end each other.
    let (second, third) = (link(&site).await, link(&site).await);
    let base = |link: &str| link.split("/connect/").next().unwrap().to_owned();
    assert_eq!(base(&first), base(&second));
    let (one, other) = (
        person.go_on(&second, &[]).await,
        person.go_on(&third, &[]).await,
    );
    let one = come_back(&site, &second, &one, "aiko", "allow").await;
    let other = come_back(&site, &third, &other, "aiko", "allow").await;
    assert_eq!(person.get(&one).await.status, 200);
    assert_eq!(person.get(&other).await.status, 200);
}

#[tokio::test]
async fn the_form_of_another_site_or_browser_begins_nothing() {
    let site = site().await;
    let link = link(&site).await;
    let (mut person, mut other) = (Visitor::new(), Visitor::new());
    let page = person.get(&link).await.text;
    let theirs = other.get(&link).await.text;
    let form = |page: &str| {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(hidden(page))
            .finish()
    };
    let evil = [(ORIGIN.as_str(), "https://evil.example")];
    let opaque = [(ORIGIN.as_str(), "null")];
    let long = "x".repeat(5_000);
    for refused in [
        // A site that has the link and a page of its own.
        person.send(Method::POST, &link, &[], &form(&theirs)).await,
        // A site whose request carries no cookies of this one.
        Visitor::new()
            .send(Method::POST, &link, &[], &form(&page))
            .await,
        person.send(Method::POST, &link, &evil, &form(&page)).await,
        person
            .send(Method::POST, &link, &opaque, &form(&page))
            .await,
        person.send(Method::POST, &link, &[], "").await,
        person.send(Method::POST, &link, &[], &long).await,
    ] {
        assert_eq!(refused.status, 403, "{}", refused.text);
    }
    // The link was not used up.
    let end = person.connect(&site, &link, "aiko", &[]).await;
    assert_eq!(end.status, 200, "{}", end.text);
}

#[tokio::test]
async fn another_name_for_this_machine_is_refused() {
    let site = site().await;
    let link = link(&site).await;
    let port = link.split(':').nth(2).unwrap().split('/').next().unwrap();
    for host in ["evil.example", &format!("localhost:{port}"), "127.0.0.1"] {
        let mut visitor = Visitor::new();
        let headers = [(HOST.as_str(), host)];
        let seen = visitor.send(Method::GET, &link, &headers, "").await;
        assert_eq!(seen.status, 403, "{host}");
        assert!(!seen.text.contains("Desk"));
    }
    let mut visitor = Visitor::new();
    assert_eq!(visitor.send(Method::HEAD, &link, &[], "").await.status, 405);
    let base = link.split("/connect/").next().unwrap();
    // The bare address says what is here, and nothing of links or people.
    let front = visitor.get(base).await;
    assert_eq!(front.status, 200);
    assert!(!front.text.contains("Desk") && !front.text.contains("/connect/"));
    for nowhere in ["connect/x", "x"] {
        let seen = visitor.get(&format!("{base}/{nowhere}")).await;
        assert_eq!(seen.status, 404, "{nowhere}");
    }
}

#[tokio::test]
async fn the_end_of_a_sign_in_in_another_browser_is_refused() {
    let site = site().await;
    let link = link(&site).await;
    let mut attacker = Visitor::new();
    let url = attacker.go_on(&link, &[]).await;
    let callback = come_back(&site, &link, &url, "hedda", "allow").await;
    let seen = Visitor::new().get(&callback).await;
    assert_eq!(seen.status, 400);
    assert!(
        seen.text.contains("not the sign-in that you began"),
        "{}",
        seen.text
    );
    assert_eq!(attacker.get(&callback).await.status, 400);
    assert!(site.stored().await.is_empty());
}

#[tokio::test]
async fn a_sign_in_that_was_begun_elsewhere_does_not_end_here() {
    let site = site().await;
    let link = link(&site).await;
    let base = link.split("/connect/").next().unwrap();
    // Bob begins at the command line, where there is one browser, and has Ada open the address.
    let redirect = RedirectUri::parse(&format!("{base}/callback")).unwrap();
    let begin = Begin {
        person: &name(BOB),
        owner: Owner::Person(name(BOB)),
        connector: &connector(),
        app: &site.app(STAYING),
        login: &site.office.login(),
        scopes: &[],
        redirect: &redirect,
        link: None,
        browser: None,
        label: "Acme",
        replaces: None,
        allow_other_organization: false,
    };
    let url = site.office.accounts.begin(begin).await.unwrap().url;
    let callback = come_back(&site, &link, &url, "aiko", "allow").await;
    let seen = Visitor::new().get(&callback).await;
    assert_eq!(seen.status, 400);
    assert!(
        seen.text.contains("not the sign-in that you began"),
        "{}",
        seen.text
    );
    assert!(site.stored().await.is_empty());
}

/// Gives the address of the page that waits in the place of a link's.
async fn waiting(person: &mut Visitor, link: &str) -> (String, String) {
    let welcome = person.get(link).await;
    let onward = person.submit(link, &welcome.text, &[]).await.text;
    let after = |text: &str, mark: &str| {
        let (_, rest) = text.split_once(mark).unwrap();
        rest.split('"').next().unwrap().replace("&amp;", "&")
    };
    assert!(onward.contains("target=\"_blank\""), "{onward}");
    let base = link.split("/connect/").next().unwrap();
    let (service, wait) = (after(&onward, "<a href=\""), after(&onward, ";url="));
    (service, format!("{base}{wait}"))
}

#[tokio::test]
async fn the_page_that_waits_says_what_came_of_it_and_so_does_the_agent() {
    let site = site().await;
    let mut person = Visitor::new();
    let first = link(&site).await;
    let (service, wait) = waiting(&mut person, &first).await;
    let asked = "showed an error on a page of its own";
    let early = person.get(&wait).await;
    assert!(
        early.text.contains("Waiting for Salesforce"),
        "{}",
        early.text
    );
    assert!(!early.text.contains(asked), "{}", early.text);
    // It is for this browser, for this link.
    assert_eq!(Visitor::new().get(&wait).await.status, 404);
    let other = Visitor::new().get(&first).await;
    assert_eq!(other.status, 404);
    let forged = wait.replace("of=ada", "of=bob");
    assert_eq!(person.get(&forged).await.status, 404);
    site.office.clock.0.store(61_000, Ordering::SeqCst);
    let late = person.get(&wait).await.text;
    for word in [asked, "The app is not installed in this org"] {
        assert!(late.contains(word), "{word}: {late}");
    }

    let back = come_back(&site, &first, &service, "kofi.arden", "allow").await;
    assert_eq!(person.get(&back).await.status, 400);
    let refused = person.get(&wait).await.text;
    for word in ["Not connected", "The user may not use the API"] {
        assert!(refused.contains(word), "{word}: {refused}");
    }
    let Outcome::ConnectRequired(connect) = site.office.call().await.outcome else {
        panic!("nothing is connected");
    };
    let last = "the last sign-in ended so: the account was signed in to, and does not work";
    assert!(connect.advice.contains(last), "{}", connect.advice);

    let second = connect.link.unwrap();
    let (service, wait) = waiting(&mut person, &second).await;
    let back = come_back(&site, &second, &service, "aiko", "allow").await;
    assert_eq!(person.get(&back).await.status, 200);
    let connected = person.get(&wait).await.text;
    for word in ["You are connected", "aiko"] {
        assert!(connected.contains(word), "{word}: {connected}");
    }
}

#[tokio::test]
async fn another_program_of_the_same_store_makes_links_to_the_same_page() {
    let site = site().await;
    let first = link(&site).await;
    let port = first.split(':').nth(2).unwrap().split('/').next().unwrap();
    let port: u16 = port.parse().unwrap();
    let at = |port| {
        LoopbackPages::new(LoopbackPagesOptions {
            port,
            ..LoopbackPagesOptions::default()
        })
    };
    let offers = Arc::new(NoApp);
    let another = site.another_office().await;
    let second = at(port);
    second.serve(another.accounts.clone(), offers.clone(), None);
    let caller = Caller {
        agent: name(AGENT),
        person: name("ada"),
    };
    let made = second.link(&caller, &connector()).await.unwrap();
    assert_eq!(
        made.split("/connect/").next(),
        first.split("/connect/").next()
    );
    let end = Visitor::new().connect(&site, &made, "aiko", &[]).await;
    assert_eq!(end.status, 200, "{}", end.text);

    // Another store's pages, and another program, are no place for a link.
    let elsewhere = Site::new().await;
    let theirs = at(port);
    theirs.serve(elsewhere.office.accounts.clone(), offers.clone(), None);
    let refused = theirs.link(&caller, &connector()).await.unwrap_err();
    assert!(matches!(&refused, NoLink::Because(why) if why.contains(&port.to_string())));
    let stranger = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let answers = stranger.try_clone().unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = answers.accept() {
            use std::io::Write;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n1.AAAA");
        }
    });
    let third = at(stranger.local_addr().unwrap().port());
    third.serve(another.accounts.clone(), offers, None);
    let refused = third.link(&caller, &connector()).await.unwrap_err();
    assert!(
        refused.to_string().contains("another program has the port"),
        "{refused}"
    );
}

#[tokio::test]
async fn what_is_refused_comes_with_what_to_do() {
    let site = site().await;
    let mut person = Visitor::new();
    let first = link(&site).await;
    let end = person.connect(&site, &first, "kofi.arden", &[]).await;
    assert_eq!(end.status, 400);
    for word in [
        "Not connected",
        "The user may not use the API",
        "Ask an administrator for the permission &quot;API Enabled&quot;.",
    ] {
        assert!(end.text.contains(word), "{word}: {}", end.text);
    }

    let second = link(&site).await;
    let url = person.go_on(&second, &[]).await;
    let denied = come_back(&site, &second, &url, "aiko", "deny").await;
    let denied = person.get(&denied).await;
    assert_eq!(denied.status, 400);
    assert!(denied.text.contains("What you can do:"), "{}", denied.text);
    assert!(site.stored().await.is_empty());
}

#[tokio::test]
async fn who_was_kept_at_the_service_is_told_what_its_page_may_mean() {
    let site = site().await;
    let mut person = Visitor::new();
    let first = link(&site).await;
    person.go_on(&first, &[]).await;
    let asked = "showed an error on a page of its own";
    // Who has just gone there is on the way.
    let early = person.get(&link(&site).await).await;
    assert!(!early.text.contains(asked), "{}", early.text);
    site.office.clock.0.store(61_000, Ordering::SeqCst);
    let second = link(&site).await;
    let again = person.get(&second).await;
    let setup = format!("{}/lightning/setup/", site.org.url());
    let base = first.split("/connect/").next().unwrap();
    for word in [
        asked,
        "Salesforce did not let this app in, and does not say why",
        "The app is not installed in this org",
        &format!("Add {base}/callback to the app"),
        &setup,
    ] {
        assert!(again.text.contains(word), "{word}: {}", again.text);
    }
    // The form of the page is as good as without it.
    let end = person.connect(&site, &second, "aiko", &[]).await;
    assert_eq!(end.status, 200, "{}", end.text);
}

#[tokio::test]
async fn what_others_wrote_is_shown_as_text() {
    let site = site().await;
    let hostile = "<img src=x onerror=alert(1)>\u{202e}";
    let store = &site.office.store;
    store.rename_agent(&name(AGENT), hostile).await.unwrap();
    store
        .rename_person(&name("ada"), "<b>Ada</b>")
        .await
        .unwrap();
    let page = Visitor::new().get(&link(&site).await).await.text;
    assert!(
        page.contains("&lt;img src=x onerror=alert(1)&gt;"),
        "{page}"
    );
    assert!(page.contains("&lt;b&gt;Ada"), "{page}");
    assert!(!page.contains("<img") && !page.contains('\u{202e}'));
}

#[tokio::test]
async fn who_has_an_account_is_asked_whether_the_organization_may_change() {
    let site = site().await;
    let id = site.sign_in(&Wish::default()).await.unwrap().connection;
    let store = &site.office.store;
    store.mark_reconnect(&id, 0, "ended").await.unwrap();
    let link = link(&site).await;
    let mut person = Visitor::new();
    let page = person.get(&link).await.text;
    assert!(page.contains("another organization than"), "{page}");
    let tick = [("other_organization", "yes")];
    let end = person.connect(&site, &link, "aiko", &tick).await;
    assert_eq!(end.status, 200, "{}", end.text);
    assert_eq!(site.stored().await, [id]);
}

#[tokio::test]
async fn without_an_app_the_page_says_whom_to_ask() {
    let site = Site::new().await;
    assert!(matches!(
        site.office.call().await.outcome,
        Outcome::ConnectRequired(connect) if connect.link.is_none()
    ));
    let accounts = site.office.accounts.clone();
    site.office.pages.serve(accounts, Arc::new(NoApp), None);
    let page = Visitor::new().get(&link(&site).await).await;
    assert_eq!(page.status, 404);
    assert!(page.text.contains("ask an administrator"), "{}", page.text);
}

#[tokio::test]
async fn a_call_that_finds_its_connection_ended_hands_on_a_link() {
    let site = site().await;
    let id = site.sign_in(&Wish::default()).await.unwrap().connection;
    let (secrets, _) = site.office.store.secrets(&id).await.unwrap();
    let refresh = secrets.refresh_token.unwrap();
    assert!(site.org.revoke(refresh.expose_secret()));
    let reply = site.office.call().await;
    let Outcome::ConnectRequired(connect) = reply.outcome else {
        panic!("{reply:?}");
    };
    assert!(
        connect.advice.contains("Salesforce has ended this sign-in"),
        "{connect:?}"
    );
    let link = connect.link.clone().unwrap();
    assert!(
        !format!("{connect:?}").contains(&link),
        "a debug print has the link"
    );
    let page = Visitor::new().get(&link).await;
    assert_eq!(page.status, 200, "{}", page.text);
}
