//! Messages that carry an operation and the token in their bodies: one operation, the token at its place alone, and none comes back.

use portcullis::policy::Mode;
use portcullis::ports::audit::Event;
use portcullis::{Outcome, Reply, Rerun};
use serde_json::{Value, json};

use crate::support::world::Setup;
use crate::support::{TOKEN, World, call, ended, logs, name};

const FRAME: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// A message with a header's content and a body's.
fn message(header: &str, body: &str) -> String {
    format!(
        "<e:Envelope xmlns:e=\"{FRAME}\" xmlns=\"urn:service\"><e:Header>{header}</e:Header><e:Body>{body}</e:Body></e:Envelope>"
    )
}

const SESSION: &str = "<Session><id>{placeholder}</id></Session>";
const UNDELETE: &str = "<undelete><ids>001</ids></undelete>";

/// A plan that restores 001, honest in every respect.
fn honest() -> Value {
    plan(&message(SESSION, UNDELETE), "undelete")
}

fn plan(body: &str, action: &str) -> Value {
    json!({
        "announce": [{"kind": "Account", "id": "001"}],
        "send": [{
            "method": "POST", "path": "/soap/v1", "body": body,
            "headers": [["content-type", "text/xml"], ["SOAPAction", action]],
        }],
    })
}

async fn world(token: &str) -> World {
    let setup = Setup {
        token: token.to_owned(),
        ..Setup::default()
    };
    let world = World::new(setup, &["liar"]).await;
    for tool in ["write", "destroy"] {
        world.mode("liar", tool, Mode::Allow);
    }
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_goes_to_its_place_alone_and_never_comes_back() {
    let secret = "00Dmessage!AQ.a&b<c'd\"e";
    let world = world(secret).await;
    world.service.require_token(secret);
    let reply = world.call("liar", "write", honest()).await;
    assert_eq!(ended(&reply), "done", "{reply:?}");
    let seen = world.service.seen();
    let [seen] = seen.as_slice() else {
        panic!("{seen:?}");
    };
    let body = String::from_utf8(seen.body.to_vec()).unwrap();
    let there = "<Session><id>00Dmessage!AQ.a&amp;b&lt;c&apos;d&quot;e</id></Session>";
    assert_eq!(body, message(there, UNDELETE));
    assert_eq!(seen.header("authorization"), "");
    assert_eq!(seen.header("content-length"), body.len().to_string());
    // The service has sent all of it back, in pieces.
    let records = world.records(&reply);
    let all = format!("{reply:?} {records:?} {}", logs::all());
    assert!(all.contains("<undelete>"), "{all}");
    for form in ["00Dmessage", "a&amp;b&lt;c", "a&b<c"] {
        assert!(!all.contains(form), "{all}");
    }
    let routes: Vec<String> = records
        .into_iter()
        .filter_map(|record| match record.event {
            Event::Intended(intent) => Some(intent.route),
            _ => None,
        })
        .collect();
    assert_eq!(routes, ["/soap/{version}#undelete"]);
}

/// Messages that are none, or that could be another, each with how it must end with a tool that may change and not destroy.
fn attacks() -> Vec<(Value, &'static str)> {
    let of = |header: &str, body: &str| plan(&message(header, body), "");
    let merge = "<merge><keep>001</keep><lose>002</lose></merge>";
    let raw = |text: &str| plan(text, "");
    let honest_text = message(SESSION, UNDELETE);
    let header = |name: &str, value: &str| {
        let mut plan = honest();
        plan["send"][0]["headers"]
            .as_array_mut()
            .unwrap()
            .push(json!([name, value]));
        plan
    };
    let content_type = |value: &str| {
        let mut plan = honest();
        plan["send"][0]["headers"][0][1] = json!(value);
        plan
    };
    vec![
        // Another operation: beyond the tool, beside the one, unknown, or named by the header alone.
        (of(SESSION, merge), "refused ceiling"),
        (
            of(SESSION, &format!("{UNDELETE}{merge}")),
            "refused operation",
        ),
        (
            of(SESSION, &format!("{merge}{UNDELETE}")),
            "refused operation",
        ),
        (
            of(SESSION, "<delete><ids>001</ids></delete>"),
            "refused route",
        ),
        (
            of(SESSION, "<Undelete><ids>001</ids></Undelete>"),
            "refused route",
        ),
        (
            of(
                SESSION,
                "<undelete xmlns=\"urn:other\"><ids>001</ids></undelete>",
            ),
            "refused operation",
        ),
        (of(SESSION, ""), "refused operation"),
        (of(&format!("{SESSION}{merge}"), ""), "refused operation"),
        (plan(&honest_text, "merge"), "refused operation"),
        (header("soapaction", "undelete"), "refused operation"),
        // What only one of two readers sees.
        (
            of(SESSION, &format!("<!-- {merge} -->{UNDELETE}")),
            "refused operation",
        ),
        (
            of(SESSION, &format!("<![CDATA[{merge}]]>{UNDELETE}")),
            "refused operation",
        ),
        (
            of(SESSION, "<undelete><ids>&x;</ids></undelete>"),
            "refused operation",
        ),
        (
            raw(&format!("<!DOCTYPE a [<!ENTITY x \"002\">]>{honest_text}")),
            "refused operation",
        ),
        (
            raw(&format!(
                "<?xml version=\"1.0\" encoding=\"UTF-16\"?>{honest_text}"
            )),
            "refused operation",
        ),
        (
            raw(&format!("<?xml-stylesheet href=\"x\"?>{honest_text}")),
            "refused operation",
        ),
        (
            raw(&format!("{honest_text}{honest_text}")),
            "refused operation",
        ),
        (
            raw(&honest_text.replace(FRAME, "urn:other")),
            "refused operation",
        ),
        (raw("{\"undelete\": \"001\"}"), "refused operation"),
        (
            content_type("text/xml; charset=utf-16"),
            "refused operation",
        ),
        (content_type("application/json"), "refused operation"),
        // The stand-in twice, elsewhere, or not at all.
        (
            of(SESSION, "<undelete><ids>{placeholder}</ids></undelete>"),
            "refused placeholder",
        ),
        (
            of(&format!("{SESSION}{SESSION}"), UNDELETE),
            "refused placeholder",
        ),
        (
            of(
                &format!("{SESSION}<Other>{{placeholder}}</Other>"),
                UNDELETE,
            ),
            "refused placeholder",
        ),
        (
            of("<Session><id>x{placeholder}</id></Session>", UNDELETE),
            "refused placeholder",
        ),
        (
            of("<Session><id>x</id></Session>", UNDELETE),
            "refused placeholder",
        ),
        (
            of("<Session><key>{placeholder}</key></Session>", UNDELETE),
            "refused placeholder",
        ),
        (of("", UNDELETE), "refused placeholder"),
        (plan(&honest_text, "{placeholder}"), "refused operation"),
        // A record that was not announced, one more, or a header that changes what the service does.
        (
            of(SESSION, "<undelete><ids>002</ids></undelete>"),
            "refused announcement",
        ),
        (
            of(SESSION, "<undelete><ids>001</ids><ids>002</ids></undelete>"),
            "refused announcement",
        ),
        (
            of(SESSION, "<undelete><ids>001</ids><IDS>002</IDS></undelete>"),
            "refused announcement",
        ),
        (of(SESSION, "<undelete/>"), "refused announcement"),
        (
            of(
                &format!("{SESSION}<Options><allOrNone>true</allOrNone></Options>"),
                UNDELETE,
            ),
            "refused announcement",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_could_be_another_message_is_not_sent() {
    let world = world(TOKEN).await;
    for mode in [Mode::Allow, Mode::Ask] {
        world.mode("liar", "write", mode);
        for (plan, expected) in attacks() {
            let reply = world.call("liar", "write", plan.clone()).await;
            let said = reply.outcome.message().unwrap_or_default();
            assert_eq!(ended(&reply), expected, "{plan}: {said}");
            assert!(reply.sent.is_empty());
        }
        assert!(world.approvals.pending().is_empty(), "no one is asked");
    }
    assert_eq!(world.service.connections(), 0);
    // The same with the tool for it is done.
    let mut merge = plan(
        &message(SESSION, "<merge><keep>001</keep><lose>002</lose></merge>"),
        "\"merge\"",
    );
    merge["announce"] = json!([{"kind": "Account", "id": "001"}, {"kind": "Account", "id": "002"}]);
    let reply = world.call("liar", "destroy", merge).await;
    assert_eq!(ended(&reply), "done", "{reply:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_was_approved_is_the_same_when_it_is_run_again() {
    let world = world(TOKEN).await;
    world.mode("liar", "write", Mode::Ask);
    let held = |reply: &Reply| match &reply.outcome {
        Outcome::ApprovalRequired(question) => question.clone(),
        other => panic!("{other:?}"),
    };
    let question = held(&world.call("liar", "write", honest()).await);
    // Asked again it is the same question, though each call has a stand-in of its own.
    let again = held(&world.call("liar", "write", honest()).await);
    assert_eq!(again.id, question.id);
    let body = question.card.wire.clone().unwrap().body.unwrap();
    assert!(body.contains("<id>(the token)</id>"), "{body}");
    let pending = world.approvals.pending();
    let (_, request) = pending
        .into_iter()
        .find(|(id, _)| *id == question.id)
        .unwrap();
    assert!(world.approvals.approve(question.id));
    let mut rerun = call("liar", "write", honest());
    rerun.rerun = Some(Rerun {
        approval: question.id,
        replay: request.replay,
    });
    let reply = world.host.call(rerun).await;
    assert_eq!(ended(&reply), "done", "{reply:?}");
    let seen = world.service.seen();
    assert!(String::from_utf8_lossy(&seen[0].body).contains(&format!("<id>{TOKEN}</id>")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_that_calls_the_token_stale_renews_it() {
    let world = world("00Dold!AQ-stale-one").await;
    let new = "00Dnew!AQ-after-a-renewal";
    world.service.require_token(new);
    world
        .credentials
        .on_refresh(&name("liar-connection"), new.into());
    let reply = world.call("liar", "write", honest()).await;
    assert_eq!(ended(&reply), "done", "{reply:?}");
    let sent: Vec<bool> = world
        .service
        .seen()
        .iter()
        .map(|seen| String::from_utf8_lossy(&seen.body).contains(new))
        .collect();
    assert_eq!(sent, [false, true]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_record_gets_what_was_announced_for_another() {
    let world = world(TOKEN).await;
    let plan = |method: &str, path: &str, announce: Value, body: Option<&str>| {
        let mut sent = json!({"method": method, "path": path});
        if let Some(body) = body {
            sent["body"] = json!(body);
            sent["headers"] = json!([["content-type", "application/json"]]);
        }
        json!({"announce": announce, "send": [sent]})
    };
    let change = |id: &str, at: usize, name: &str| json!({"kind": "Account", "id": id, "fields": [["name", null, name, format!("/records/{at}/name")]]});
    let record =
        |id: &str, name: &str| format!(r#"{{"type":"Account","id":"{id}","name":"{name}"}}"#);
    let body = format!(
        r#"{{"records":[{},{}]}}"#,
        record("001", "A"),
        record("002", "B")
    );
    let crossed = format!(
        r#"{{"records":[{},{}]}}"#,
        record("001", "B"),
        record("002", "A")
    );
    let key = |field: &str, value: &str| json!([{"kind": "Account", "fields": [[field, null, value, format!("{{{field}}}")], ["name", null, "A", "/name"]]}]);
    let name = Some(r#"{"name":"A"}"#);
    let ids = |ids: &[&str]| {
        let changes = ids.iter().map(|id| json!({"kind": "Account", "id": id}));
        Value::from_iter(changes)
    };
    for (tool, arguments, expected) in [
        (
            "write",
            plan(
                "PATCH",
                "/records",
                json!([change("001", 0, "A"), change("002", 1, "B")]),
                Some(&body),
            ),
            "done",
        ),
        (
            "write",
            plan(
                "PATCH",
                "/records",
                json!([change("001", 1, "A"), change("002", 0, "B")]),
                Some(&crossed),
            ),
            "refused announcement",
        ),
        (
            "write",
            plan(
                "PATCH",
                "/records",
                json!([change("002", 0, "A"), change("001", 1, "B")]),
                Some(&body),
            ),
            "refused announcement",
        ),
        (
            "destroy",
            plan("DELETE", "/records?ids=001,002", ids(&["001", "002"]), None),
            "done",
        ),
        (
            "destroy",
            plan("DELETE", "/records?ids=001,002", ids(&["001"]), None),
            "refused announcement",
        ),
        (
            "destroy",
            plan("DELETE", "/records?ids=001,003", ids(&["001", "002"]), None),
            "refused announcement",
        ),
        (
            "destroy",
            plan("DELETE", "/records", ids(&["001"]), None),
            "refused announcement",
        ),
        (
            "write",
            plan("PATCH", "/kind/Account/Ext/K1", key("Ext", "K1"), name),
            "done",
        ),
        (
            "write",
            plan("PATCH", "/kind/Account/Ext/K2", key("Ext", "K1"), name),
            "refused announcement",
        ),
        (
            "write",
            plan("PATCH", "/kind/Account/Other/K1", key("Ext", "K1"), name),
            "refused announcement",
        ),
        (
            "write",
            plan(
                "PATCH",
                "/kind/Account/Ext/K1",
                json!([{"kind": "Account", "fields": [["name", null, "A", "/name"]]}]),
                name,
            ),
            "refused announcement",
        ),
    ] {
        let before = world.service.seen().len();
        let reply = world.call("liar", tool, arguments.clone()).await;
        let said = reply.outcome.message().unwrap_or_default();
        assert_eq!(ended(&reply), expected, "{arguments}: {said}");
        let sent = usize::from(expected == "done");
        assert_eq!(world.service.seen().len(), before + sent, "{arguments}");
    }
}
