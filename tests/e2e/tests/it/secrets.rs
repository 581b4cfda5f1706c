//! The token is in the host, and nowhere else.

use std::collections::HashSet;

use portcullis::Outcome;
use serde_json::{Value, json};

use crate::support::world::Setup;
use crate::support::{TOKEN, World, call, done, ended, logs};

/// Everything of a call that anyone gets to see, written out.
async fn everything(world: &World, connector: &str, tool: &str, arguments: Value) -> String {
    let call = call(connector, tool, arguments);
    let asked = format!("{call:?}");
    let reply = world.host.call(call).await;
    let records = world.records(&reply);
    let sealed: String = records.iter().map(|record| sealed(&record.event)).collect();
    format!("{asked} {reply:?} {records:?} {sealed}")
}

/// What a log keeps sealed, and would show to a person.
fn sealed(event: &portcullis::ports::audit::Event) -> String {
    use portcullis::ports::audit::Event;
    match event {
        Event::Opened(opened) => opened.arguments.expose().to_owned(),
        Event::Step { title, detail } => {
            let detail = detail.as_ref().map_or("", |detail| detail.expose());
            format!("{} {detail}", title.expose())
        }
        Event::Intended(intent) => intent.path.expose().to_owned(),
        Event::Closed(closed) => {
            let message = closed.message.as_ref();
            message.map_or("", |message| message.expose()).to_owned()
        }
        _ => String::new(),
    }
}

fn placeholder(text: &str) -> Option<&str> {
    let at = text.find("portcullis-")?;
    text.get(at..at + "portcullis-".len() + 32)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_1_no_secret_reaches_the_guest() {
    let secret = "00Dinvariant1!AQ.of%20one test";
    let setup = Setup {
        token: secret.to_owned(),
        ..Setup::default()
    };
    let world = World::new(setup, &["fetch", "leak"]).await;
    world.service.require_token(secret);

    // The service has got the token, and sends it back in two headers and, in small pieces, in its body.
    let seen = everything(&world, "fetch", "get", json!({"path": "/record/echo"})).await;
    assert_eq!(
        world.service.seen()[0].header("authorization"),
        format!("Bearer {secret}")
    );
    assert!(seen.contains("Bearer ***"), "{seen}");
    let mut all = vec![seen];

    // The guest takes out all that it has, by every way there is.
    for way in ["text", "failure", "step", "progress", "print"] {
        all.push(everything(&world, "leak", "leak", json!({"way": way})).await);
    }
    for way in ["header", "query", "path", "body", "encoded"] {
        all.push(everything(&world, "leak", "leak", json!({"way": way})).await);
        let elsewhere = json!({"way": way, "origin": "https://files.example.org"});
        all.push(everything(&world, "leak", "leak", elsewhere).await);
    }
    all.push(format!("{world:?} {:?}", world.service.seen().len()));
    all.push(logs::all());
    for text in &all {
        for form in [secret, "00Dinvariant1%21AQ", "00Dinvariant1"] {
            assert!(!text.contains(form), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stand_in_for_the_token_is_random_and_goes_nowhere() {
    let world = World::with(&["leak"]).await;
    let mut seen = HashSet::new();
    for _ in 0..50 {
        let text = done(world.call("leak", "leak", json!({"way": "text"})).await).text;
        assert_eq!(placeholder(&text), Some(text.as_str()));
        assert!(seen.insert(text));
    }
    for (way, code) in [
        ("query", "refused placeholder"),
        ("path", "refused placeholder"),
        ("body", "refused placeholder"),
    ] {
        let reply = world.call("leak", "leak", json!({"way": way})).await;
        assert_eq!(ended(&reply), code, "{way}");
    }
    // In a header that a route might allow, and in one that is the host's.
    for header in ["accept", "content-type"] {
        let arguments = json!({"way": "header", "header": header});
        let reply = world.call("leak", "leak", arguments).await;
        assert_eq!(ended(&reply), "refused placeholder", "{header}");
    }
    for header in ["authorization", "cookie", "x-mine"] {
        let arguments = json!({"way": "header", "header": header});
        let reply = world.call("leak", "leak", arguments).await;
        let ended = ended(&reply);
        assert!(
            ["refused header", "failed not_permitted"].contains(&ended.as_str()),
            "{header}: {ended}"
        );
    }
    // To another origin it does not go at all.
    let arguments = json!({"way": "query", "origin": "https://evil.example"});
    let reply = world.call("leak", "leak", arguments).await;
    assert_eq!(ended(&reply), "refused origin");
    assert!(world.service.seen().is_empty());
    // What is written otherwise is not the stand-in any more, and is not replaced.
    let reply = world.call("leak", "leak", json!({"way": "encoded"})).await;
    assert!(matches!(reply.outcome, Outcome::Done(_)), "{reply:?}");
    let sent = &world.service.seen()[0];
    let body = String::from_utf8_lossy(&sent.body).into_owned();
    assert!(
        !body.contains(TOKEN) && body.contains("706f727463756c6c6973"),
        "{body}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_could_hide_the_token_is_refused() {
    let world = World::with(&["fetch"]).await;
    let reply = world
        .call("fetch", "get", json!({"path": "/record/packed"}))
        .await;
    assert_eq!(ended(&reply), "refused response_encoding");
    let sent = &world.service.seen()[0];
    assert_eq!(sent.header("accept-encoding"), "identity");
}
