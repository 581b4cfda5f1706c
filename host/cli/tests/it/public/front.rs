//! The page of the bare address: what a stranger sees who opens it.

use super::Place;
use super::visitor::Visitor;
use crate::by_http::local::Local;

/// The headers that all pages have.
const HEADERS: [&str; 5] = [
    "content-type",
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "cache-control",
];

#[tokio::test(flavor = "multi_thread")]
async fn who_opens_the_bare_address_is_told_what_it_is_and_nothing_of_who_uses_it() {
    let place = Place::new().await;
    let before = place.visitor().get("/").await;
    // Neither an agent, nor a link, nor a person signed in changes it.
    place.link("ada").await;
    place.home.must(&["agent", "add", "secretary"]);
    let mut ada = place.signed_in("ada").await;
    for visitor in [&mut place.visitor(), &mut ada] {
        let seen = visitor.get("/").await;
        assert_eq!(seen.status, 200, "{}", seen.text);
        assert_eq!(seen.text, before.text);
        seen.has("Portcullis");
        seen.has("<a href=\"/approvals\">");
        seen.has("/mcp");
        let page = visitor.get("/approvals").await;
        for header in HEADERS.into_iter().chain(["strict-transport-security"]) {
            assert!(seen.headers.contains_key(header), "{header}");
            assert_eq!(seen.headers.get(header), page.headers.get(header));
        }
        assert!(!seen.headers.contains_key("set-cookie"));
        for word in [
            "script",
            "style=",
            "ada",
            "helper",
            "secretary",
            "salesforce",
        ] {
            assert!(
                !seen.text.to_lowercase().contains(word),
                "{word}: {}",
                seen.text
            );
        }
    }
    assert_eq!(place.visitor().post("/", &[]).await.status, 405);
    assert_eq!(place.visitor().get("/index.html").await.status, 404);
    let mut other = Visitor::at(place.server.address, "https://evil.example");
    assert_eq!(other.get("/").await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_this_machine_it_says_where_one_decides() {
    let local = Local::new(&[]).await;
    let base = format!("http://{}", local.address);
    let mut visitor = Visitor::at(local.address, &base);
    let seen = visitor.get("/").await;
    assert_eq!(seen.status, 200, "{}", seen.text);
    seen.has("portcullis approvals list");
    seen.has("/mcp");
    assert!(!seen.text.contains("href"), "{}", seen.text);
    for header in HEADERS {
        assert!(seen.headers.contains_key(header), "{header}");
    }
    assert_eq!(visitor.get("/approvals").await.status, 404);
    assert_eq!(visitor.post("/", &[]).await.status, 404);
}
