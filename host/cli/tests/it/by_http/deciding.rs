//! A change that an agent asks for by HTTP, decided on the page: by its person alone, once, and from that page.

use serde_json::{Value, json};

use super::client::Client;
use super::local::link_in;
use super::{ACCOUNT, client, connect, site};
use crate::public::visitor::{Seen, Visitor, encoded, form_of};
use crate::public::{BASE, Place};

const ORIGIN: &str = "origin";

/// Asks for a change as an agent of a person's, and gives the path where it is decided.
async fn held(client: &Client, to: &str) -> (String, Value) {
    let result = client.call("update_record", site(to)).await;
    assert_eq!(result["isError"], true, "{result}");
    let words = result["content"][0]["text"].as_str().unwrap();
    let (base, path) = link_in(&result);
    assert_eq!(base, BASE);
    assert!(
        words.contains(&format!("{base}{path}")) && words.contains("check_approval"),
        "{words}"
    );
    let id = result["_meta"]["portcullis/problem"]["approval"]["id"].clone();
    assert_eq!(path, format!("/approve/{}", id.as_str().unwrap()));
    (path, id)
}

/// What the org has now, as nobody but its administrator sees it.
async fn site_now(ada: &Client) -> Value {
    let soql = format!("SELECT Site FROM Account WHERE Id = '{ACCOUNT}'");
    let result = ada.call("query", json!({ "soql": soql })).await;
    result["structuredContent"]["rows"][0][0].clone()
}

async fn check(client: &Client, id: &Value) -> Value {
    client
        .call("check_approval", json!({ "approval": id }))
        .await
}

/// The fields of one of the page's forms, with the decision that its button has.
fn decision(page: &Seen, path: &str, decision: &str) -> Vec<(String, String)> {
    let mut fields = form_of(page, path);
    fields.push(("decision".to_owned(), decision.to_owned()));
    fields
}

async fn send(visitor: &mut Visitor, path: &str, fields: &[(String, String)]) -> Seen {
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    visitor.post(path, &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_approved_by_the_link_and_made_once() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let agent = client(&place, "ada").await;
    let before = site_now(&agent).await;
    let (path, id) = held(&agent, "Munich").await;
    assert_eq!(
        check(&agent, &id).await["structuredContent"]["state"],
        "waiting"
    );
    assert!(
        check(&agent, &id).await["structuredContent"]["link"]
            .as_str()
            .unwrap()
            .ends_with(&path)
    );

    // Who is not signed in is led there, and back.
    let mut ada = place.visitor();
    let seen = ada.get(&path).await;
    let question = &path["/approve/".len()..];
    assert_eq!(
        (seen.status, seen.to()),
        (303, &*format!("/sign-in?question={question}"))
    );
    assert!(!seen.text.contains("Munich"));
    let asked = seen.to().to_owned();
    let seen = ada.sign_in(&asked, &place.token("ada").await).await;
    assert_eq!((seen.status, seen.to()), (303, &*path));

    // The page has the card, without a script, and a look decides nothing.
    for _ in 0..2 {
        let page = ada.get(&path).await;
        assert_eq!(page.status, 200);
        for word in [
            "Update Account",
            "Munich",
            "the customer has moved",
            "PATCH",
            "helper",
            "All that waits for you",
        ] {
            page.has(word);
        }
        assert!(
            !page.text.contains("<script") && !page.text.contains("style="),
            "{}",
            page.text
        );
    }
    let listed = ada.get("/approvals").await;
    listed.has(&path);
    listed.has("Update Account");
    assert_eq!(site_now(&agent).await, before);

    let page = ada.get(&path).await;
    let form = decision(&page, &path, "approve");
    let done = send(&mut ada, &path, &form).await;
    assert_eq!(done.status, 200, "{}", done.text);
    done.has("Approved and done");
    assert_eq!(site_now(&agent).await, "Munich");
    // The same form again, and the page after that.
    let again = send(&mut ada, &path, &form).await;
    assert_eq!(again.status, 409, "{}", again.text);
    again.has("decided already");
    let after = ada.get(&path).await;
    after.has("It is decided");
    assert!(
        !after.text.contains("Munich") && !after.text.contains("<button type=\"submit\" name"),
        "{}",
        after.text
    );
    ada.get("/approvals").await.has("Nothing waits for you");

    // The agent fetches the answer, once, and that is on record.
    let answer = check(&agent, &id).await;
    assert_ne!(answer["isError"], true, "{answer}");
    assert_eq!(
        check(&agent, &id).await["structuredContent"]["state"],
        "over"
    );
    let activity = place.home.json(&["activity"]);
    let fetched = activity
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .find(|call| call["tool"] == "update_record")
        .unwrap();
    let entry = place.home.json(&[
        "activity",
        "show",
        fetched["id"].as_str().or(fetched["call"].as_str()).unwrap(),
    ]);
    assert!(entry.to_string().contains(id.as_str().unwrap()), "{entry}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_person_decides_nothing() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    connect(&place, "bob").await;
    place.home.must(&["group", "add", "team"]);
    place.home.must(&["group", "join", "team", "ada", "bob"]);
    let (agent, others) = (client(&place, "bob").await, client(&place, "ada").await);
    let before = site_now(&agent).await;
    let (path, id) = held(&agent, "Munich").await;
    // Ada is of the same team, and administers; her own question is another's.
    let (own, _) = held(&others, "Vienna").await;
    let mut ada = place.signed_in("ada").await;
    let page = ada.get(&own).await;
    let seen = ada.get(&path).await;
    assert_eq!(seen.status, 404, "{}", seen.text);
    for word in ["Munich", "bob", "Update"] {
        assert!(!seen.text.contains(word), "{word}: {}", seen.text);
    }
    // As one that never was.
    let never = ada.get("/approve/0123456789abcdef0123456789abcdef").await;
    assert_eq!((never.status, never.text), (404, seen.text));
    let form = decision(&page, &own, "approve");
    for decision in ["approve", "deny"] {
        let mut form = form.clone();
        form.last_mut().unwrap().1 = decision.to_owned();
        assert_eq!(send(&mut ada, &path, &form).await.status, 403);
    }
    // With the form and the browser that Bob was shown it in, and his session not.
    let mut bob = place.signed_in("bob").await;
    let page = bob.get(&path).await;
    let form = decision(&page, &path, "approve");
    for (name, value) in &bob.cookies {
        if name.contains("_page_") {
            ada.cookies.insert(name.clone(), value.clone());
        }
    }
    assert_eq!(send(&mut ada, &path, &form).await.status, 403);
    assert!(!ada.get("/approvals").await.text.contains(&path));
    // Nor does her agent learn of it.
    assert_eq!(
        check(&others, &id).await["structuredContent"]["state"],
        "not_found"
    );
    // By a token as a client has it, nobody decides.
    let mut tool = agent.clone();
    tool.path = path.clone();
    let encoded: Vec<(&str, &str)> = form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        (ORIGIN, BASE),
    ];
    let answer = tool
        .request(
            "POST",
            &headers,
            super::super::public::visitor::encoded(&encoded).into(),
        )
        .await;
    assert!(
        answer.status == 303 || answer.status == 403,
        "{}",
        answer.status
    );
    assert_eq!(site_now(&agent).await, before);
    assert_eq!(
        check(&agent, &id).await["structuredContent"]["state"],
        "waiting"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_sends_the_form_or_frames_the_page() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let agent = client(&place, "ada").await;
    let before = site_now(&agent).await;
    let (path, _) = held(&agent, "Munich").await;
    let (other, _) = held(&agent, "Vienna").await;
    let mut ada = place.signed_in("ada").await;
    let page = ada.get(&path).await;
    for header in [
        "content-security-policy",
        "cache-control",
        "x-content-type-options",
        "referrer-policy",
    ] {
        assert!(page.headers.contains_key(header), "{header}");
    }
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"),
        "{policy}"
    );
    let form = |fields: Vec<(String, String)>| {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        encoded(&fields)
    };
    let right = form(decision(&page, &path, "approve"));
    let of_other = form(decision(&ada.get(&other).await, &other, "approve"));
    let mut elsewhere = place.signed_in("ada").await;
    let of_another_browser = form(decision(&elsewhere.get(&path).await, &path, "approve"));
    // The last look gave the browser no other secret, so that the first page's form would count.
    for (headers, body) in [
        (vec![], right.clone()),
        (vec![(ORIGIN, "https://evil.example")], right.clone()),
        (vec![(ORIGIN, "null")], right.clone()),
        (
            vec![(ORIGIN, BASE), (ORIGIN, "https://evil.example")],
            right.clone(),
        ),
        (
            vec![(ORIGIN, "http://portcullis.acme.example")],
            right.clone(),
        ),
        (vec![(ORIGIN, BASE)], of_other),
        (vec![(ORIGIN, BASE)], of_another_browser),
        (vec![(ORIGIN, BASE)], "decision=approve".to_owned()),
        (
            vec![(ORIGIN, BASE)],
            right.replace("decision=approve", "decision=perhaps"),
        ),
        (vec![(ORIGIN, BASE)], right.replace("decision=approve", "")),
    ] {
        let seen = ada.send("POST", &path, &headers, &body).await;
        assert_eq!(seen.status, 403, "{headers:?} {body}: {}", seen.text);
    }
    // By a link or an image.
    let seen = ada.get(&format!("{path}?{right}")).await;
    assert_eq!(seen.status, 200);
    assert_eq!(
        ada.send("PUT", &path, &[(ORIGIN, BASE)], &right)
            .await
            .status,
        405
    );
    // Another name that leads here.
    let headers = [("host", "evil.example"), (ORIGIN, BASE)];
    assert_eq!(ada.send("POST", &path, &headers, &right).await.status, 403);
    assert_eq!(site_now(&agent).await, before);
    // It counts, sent from the page.
    let seen = ada.send("POST", &path, &[(ORIGIN, BASE)], &right).await;
    assert_eq!(seen.status, 200, "{}", seen.text);
    assert_eq!(site_now(&agent).await, "Munich");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_is_sent_ten_times_at_once() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let agent = client(&place, "ada").await;
    let (path, _) = held(&agent, "Munich").await;
    let mut ada = place.signed_in("ada").await;
    let page = ada.get(&path).await;
    let fields = decision(&page, &path, "approve");
    let cookies = ada.cookies.clone();
    let mut sent = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (path, fields, mut visitor) = (path.clone(), fields.clone(), place.visitor());
        visitor.cookies = cookies.clone();
        sent.spawn(async move { send(&mut visitor, &path, &fields).await.status });
    }
    let statuses = sent.join_all().await;
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(200), count(409)), (1, 9), "{statuses:?}");
    let calls = place.home.json(&["activity"]);
    let done = calls
        .as_array()
        .unwrap()
        .iter()
        .filter(|call| call["tool"] == "update_record" && call["outcome"] == "done");
    assert_eq!(done.count(), 1, "{calls}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_reaches_the_agent_with_its_reason() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let agent = client(&place, "ada").await;
    let before = site_now(&agent).await;
    let (path, id) = held(&agent, "Munich").await;
    let mut ada = place.signed_in("ada").await;
    let shown = ada.get(&path).await;
    let mut form = decision(&shown, &path, "deny");
    form.push(("reason".to_owned(), "not on a <b>Friday</b>".to_owned()));
    send(&mut ada, &path, &form).await.has("Denied");
    let told = check(&agent, &id).await;
    assert_eq!(told["structuredContent"]["state"], "denied");
    assert_eq!(
        told["structuredContent"]["reason"],
        "not on a <b>Friday</b>"
    );
    let again = agent.call("update_record", site("Munich")).await;
    assert_eq!(
        again["_meta"]["portcullis/problem"]["code"],
        "approval_denied"
    );
    let page = ada.get(&path).await;
    page.has("not on a &lt;b&gt;Friday");
    // The form of before does not turn it into a yes.
    let yes = decision(&shown, &path, "approve");
    assert_eq!(send(&mut ada, &path, &yes).await.status, 409);
    assert_eq!(site_now(&agent).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_is_asked_for_where_one_is_set() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let agent = client(&place, "ada").await;
    let before = site_now(&agent).await;
    let store = place.store().await;
    let passphrase = "correct horse battery".into();
    store
        .set_passphrase(&crate::public::id("ada"), Some(&passphrase))
        .await
        .unwrap();
    let (path, _) = held(&agent, "Munich").await;
    let mut ada = place.signed_in("ada").await;
    for given in [None, Some(""), Some("wrong horse battery")] {
        let page = ada.get(&path).await;
        page.has("name=\"passphrase\"");
        let mut form = decision(&page, &path, "approve");
        if let Some(given) = given {
            form.push(("passphrase".to_owned(), given.to_owned()));
        }
        let seen = send(&mut ada, &path, &form).await;
        assert_eq!(seen.status, 403, "{}", seen.text);
        seen.has("not your passphrase");
        assert!(!seen.text.contains("wrong horse"));
        assert_eq!(site_now(&agent).await, before);
    }
    let mut form = decision(&ada.get(&path).await, &path, "approve");
    form.push(("passphrase".to_owned(), "correct horse battery".to_owned()));
    let seen = send(&mut ada, &path, &form).await;
    assert_eq!(seen.status, 200, "{}", seen.text);
    assert_eq!(site_now(&agent).await, "Munich");
    // After five wrong ones none is looked at for a minute.
    let (path, _) = held(&agent, "Vienna").await;
    for _ in 0..5 {
        let mut form = decision(&ada.get(&path).await, &path, "approve");
        form.push(("passphrase".to_owned(), "wrong horse battery".to_owned()));
        assert_eq!(send(&mut ada, &path, &form).await.status, 403);
    }
    let mut form = decision(&ada.get(&path).await, &path, "approve");
    form.push(("passphrase".to_owned(), "correct horse battery".to_owned()));
    let seen = send(&mut ada, &path, &form).await;
    assert_eq!(seen.status, 403);
    seen.has("wait a minute");
    assert_eq!(site_now(&agent).await, "Munich");
    // Each that was looked at is on record, and what was given is not.
    let decided = place.home.json(&["activity", "--decisions"]);
    let lines = decided.as_array().unwrap().iter();
    let wrong =
        lines.filter(|line| line["decided"] == "passphrase" && line["to"] == "a wrong one given");
    let doors: Vec<&Value> = wrong.map(|line| &line["door"]).collect();
    assert_eq!(doors, vec![&json!("page"); 8], "{decided}");
    assert!(!decided.to_string().contains("wrong horse"), "{decided}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_run_is_not_approved_and_still_waits() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let agent = client(&place, "ada").await;
    let before = site_now(&agent).await;
    let (path, _) = held(&agent, "Munich").await;
    let mut ada = place.signed_in("ada").await;
    let form = decision(&ada.get(&path).await, &path, "approve");
    place
        .home
        .must(&["allow", "helper", "update_record", "off"]);
    let seen = send(&mut ada, &path, &form).await;
    seen.has("nothing was approved, and it still waits");
    seen.has("is disabled for this agent");
    assert_eq!(site_now(&agent).await, before);
    place
        .home
        .must(&["allow", "helper", "update_record", "ask"]);
    let form = decision(&ada.get(&path).await, &path, "approve");
    let seen = send(&mut ada, &path, &form).await;
    seen.has("Approved and done");
    assert_eq!(site_now(&agent).await, "Munich");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_changed_meanwhile_is_asked_for_anew() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let agent = client(&place, "ada").await;
    let (path, id) = held(&agent, "Munich").await;
    let mut ada = place.signed_in("ada").await;
    let page = ada.get(&path).await;
    place
        .home
        .must(&["allow", "helper", "update_record", "always"]);
    let theirs = agent.call("update_record", site("Vienna")).await;
    assert_ne!(theirs["isError"], true, "{theirs}");
    place
        .home
        .must(&["allow", "helper", "update_record", "ask"]);
    let seen = send(&mut ada, &path, &decision(&page, &path, "approve")).await;
    assert_eq!(seen.status, 200, "{}", seen.text);
    seen.has("not the same any more");
    seen.has("changed meanwhile");
    assert_eq!(site_now(&agent).await, "Vienna");
    let anew = seen
        .text
        .split("href=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    assert_ne!(anew, path);
    let page = ada.get(&anew).await;
    page.has("Vienna");
    let seen = send(&mut ada, &anew, &decision(&page, &anew, "approve")).await;
    seen.has("Approved and done");
    assert_eq!(site_now(&agent).await, "Munich");
    assert_eq!(
        check(&agent, &id).await["structuredContent"]["state"],
        "over"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_was_taken_away_hands_out_no_answer() {
    let place = Place::new().await;
    connect(&place, "ada").await;
    let agent = client(&place, "ada").await;
    let (path, id) = held(&agent, "Munich").await;
    let mut ada = place.signed_in("ada").await;
    let page = ada.get(&path).await;
    send(&mut ada, &path, &decision(&page, &path, "approve"))
        .await
        .has("Approved and done");
    place
        .home
        .must(&["allow", "helper", "update_record", "off"]);
    let refused = check(&agent, &id).await;
    assert_eq!(
        refused["_meta"]["portcullis/problem"]["code"], "tool_disabled",
        "{refused}"
    );
    place.home.must(&["agent", "take", "helper", "salesforce"]);
    // What was kept for it goes with it, also where it gets the connector again.
    place
        .home
        .must(&["allow", "helper", "update_record", "default"]);
    for _ in 0..2 {
        let over = check(&agent, &id).await;
        assert_eq!(over["structuredContent"]["state"], "over", "{over}");
        assert!(!over.to_string().contains("Munich"), "{over}");
        place.home.must(&["agent", "give", "helper", "salesforce"]);
    }
    // What is no id is no question.
    for wrong in [
        json!(""),
        json!("x"),
        json!(7),
        Value::Null,
        json!("0123456789abcdef0123456789abcdef"),
    ] {
        assert_eq!(check(&agent, &wrong).await["isError"], true, "{wrong}");
    }
}
