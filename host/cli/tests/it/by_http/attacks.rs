//! Attacks, each by its name: nobody calls in another's name, from another's page, or takes over what another began.

use std::time::Duration;

use serde_json::json;

use super::client::Client;
use super::{HOST, client, connect, count};
use crate::public::{Place, id};

/// What of the org's a call would show.
const SHOWN: &str = "count: 60";

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_or_with_one_that_is_nobodys() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let token = place.token("ada").await;
    let good = Client::new(place.server.address, HOST, &token)
        .begun()
        .await;
    let before = place.org.requests();
    let ended = place
        .store()
        .await
        .make_person_token(&id("ada"), "x", Duration::ZERO)
        .await
        .unwrap()
        .0;
    let session = place.signed_in("ada").await;
    let session = session.session().unwrap().1.to_owned();
    for wrong in [
        None,
        Some(format!("pct_{}", "A".repeat(43))),
        Some(secrecy::ExposeSecret::expose_secret(&ended).to_owned()),
        // A browser's session is no token of a client's.
        Some(session),
        Some("x".repeat(3_000)),
    ] {
        let mut client = good.clone();
        client.token = wrong.clone().map(Into::into);
        for method in ["POST", "GET", "DELETE"] {
            let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "query", "arguments": count()}});
            let answer = client.request(method, &[], body.to_string().into()).await;
            assert_eq!(answer.status, 401, "{method} {wrong:?}: {}", answer.text);
            let asks = answer.header("www-authenticate").unwrap();
            assert!(asks.starts_with("Bearer realm="), "{asks}");
            assert_eq!(asks.contains("invalid_token"), wrong.is_some());
            if let Some(wrong) = &wrong {
                assert!(!answer.text.contains(wrong.as_str()));
            }
        }
    }
    // Two of them are none, and a token in the address is none.
    let twice = [("authorization", "Bearer x")];
    assert_eq!(
        good.post(
            &twice,
            json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string()
        )
        .await
        .status,
        401
    );
    let mut client = good.clone();
    client.token = None;
    client.path = format!(
        "/mcp/helper?access_token={}",
        secrecy::ExposeSecret::expose_secret(&token)
    );
    assert_eq!(client.initialize().await.status, 401);
    assert_eq!(place.org.requests(), before);
    // What was removed ends in the middle of a session.
    assert_eq!(
        good.call("query", count()).await["content"][0]["text"],
        SHOWN
    );
    for token in place.store().await.person_tokens(&id("ada")).await.unwrap() {
        place
            .home
            .must(&["person", "token", "remove", "ada", &token.id]);
    }
    assert_eq!(good.ask("tools/list", json!({})).await.status, 401);
    let log = place.server.log();
    assert!(
        log.contains("the token is nobody's") && !log.contains("pct_"),
        "{log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_another_person() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let ada = client(&place, "ada").await;
    let bob = client(&place, "bob").await;
    // Bob has seen the id of Ada's session, and sends it with his own token.
    let mut stolen = bob.clone();
    stolen.session = ada.session.clone();
    let before = place.org.requests();
    let answer = stolen
        .ask("tools/call", json!({"name": "query", "arguments": count()}))
        .await;
    assert_eq!(answer.status, 404, "{}", answer.text);
    for (method, headers) in [
        ("GET", vec![("accept", "text/event-stream")]),
        (
            "GET",
            vec![("accept", "text/event-stream"), ("last-event-id", "0/0")],
        ),
        ("DELETE", vec![]),
    ] {
        let answer = stolen.request(method, &headers, Default::default()).await;
        assert!(
            answer.status == 404 || answer.text.is_empty(),
            "{method}: {} {}",
            answer.status,
            answer.text
        );
        assert!(!answer.text.contains(SHOWN));
    }
    // Hers answers with another agent's address no more than with another person's token.
    place.home.must(&["agent", "add", "other"]);
    let mut elsewhere = ada.clone();
    elsewhere.path = "/mcp/other".to_owned();
    assert_eq!(elsewhere.ask("tools/list", json!({})).await.status, 404);
    assert_eq!(place.org.requests(), before);
    // It was not ended by that, and is still hers; what Bob calls in his own is his.
    assert_eq!(
        ada.call("query", count()).await["content"][0]["text"],
        SHOWN
    );
    let needed = bob.call("query", count()).await;
    assert_eq!(needed["isError"], true);
    assert!(
        needed.to_string().contains("An account is needed first"),
        "{needed}"
    );
    // One that was ended, or never was, is the same to its owner.
    assert!(ada.request("DELETE", &[], Default::default()).await.status < 300);
    assert_eq!(ada.ask("tools/list", json!({})).await.status, 404);
    let mut never = ada;
    never.session = Some("00000000-0000-4000-8000-000000000000".to_owned());
    assert_eq!(never.ask("tools/list", json!({})).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn dns_rebinding_and_other_sites() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let ada = client(&place, "ada").await;
    let before = place.org.requests();
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "query", "arguments": count()}});
    for host in [
        "evil.example",
        "portcullis.acme.example.evil.example",
        "portcullis.acme.example:8443",
        "localhost",
        &place.server.address.to_string(),
    ] {
        let answer = ada.post(&[("host", host)], body.to_string()).await;
        assert_eq!(answer.status, 403, "{host}: {}", answer.text);
    }
    for origin in [
        "https://evil.example",
        "null",
        "http://portcullis.acme.example",
        "https://portcullis.acme.example:444",
    ] {
        let answer = ada.post(&[("origin", origin)], body.to_string()).await;
        assert_eq!(answer.status, 403, "{origin}: {}", answer.text);
        // Nor is a browser told that it may.
        let asked = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
        ];
        let answer = ada.request("OPTIONS", &asked, Default::default()).await;
        assert_eq!(answer.status, 403);
        assert!(answer.header("access-control-allow-origin").is_none());
    }
    assert_eq!(place.org.requests(), before);
    let own = [("origin", "https://portcullis.acme.example")];
    assert_eq!(ada.post(&own, body.to_string()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_agent_may_not_do_it_may_not_do_by_http() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let ada = client(&place, "ada").await;
    place.home.must(&["allow", "helper", "query", "off"]);
    let refused = ada.call("query", count()).await;
    assert_eq!(
        refused["_meta"]["portcullis/problem"]["code"],
        "tool_disabled"
    );
    let listed = ada.ask("tools/list", json!({})).await.text;
    assert!(!listed.contains("\"query\""), "{listed}");
    // What is asked is on record, in the name of who asked.
    let activity = place.home.json(&["activity", "--person", "ada"]);
    assert!(
        activity
            .as_array()
            .unwrap()
            .iter()
            .any(|call| call["outcome"] == "refused"),
        "{activity}"
    );
}
