//! Faults on demand, over real sockets, and the admin endpoint that makes them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use salesforce_devorg::fault::{Fault, Rule, When, Work};
use salesforce_devorg::{AppState, DevOrg, Options};
use serde_json::{Value as Json, json};

use crate::client::{Api, V};

/// Sends one request and reads all that comes until the connection is closed.
fn exchange(url: &str, token: &str, method: &str, path: &str, body: &str) -> String {
    let host = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer); // A connection that is cut may end in an error.
    String::from_utf8(answer).unwrap()
}

/// Does the same without stopping the org, which is served by the same threads.
async fn send(api: &Api, method: &str, path: &str, body: &str) -> String {
    let (url, token) = (api.org.url().to_owned(), api.token.clone());
    let (method, path, body) = (method.to_owned(), path.to_owned(), body.to_owned());
    tokio::task::spawn_blocking(move || exchange(&url, &token, &method, &path, &body))
        .await
        .unwrap()
}

/// Parts an answer into its declared length and the body that came.
fn parts(answer: &str) -> (usize, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    let length = head.split("content-length: ").nth(1).unwrap();
    let length = length.split("\r\n").next().unwrap().parse().unwrap();
    (length, body)
}

#[tokio::test]
async fn each_fault_is_what_its_name_says() {
    let api = Api::new().await;
    let path = format!("{V}/sobjects/Account/001DO0000000001");
    let whole = send(&api, "GET", &path, "").await;
    let (length, whole_body) = parts(&whole);
    let whole_body = whole_body.to_owned();
    assert!(serde_json::from_str::<Json>(&whole_body).is_ok());
    for (fault, status, words) in [
        (Fault::ServerError, 500, "UNKNOWN_EXCEPTION"),
        (
            Fault::Maintenance {
                retry_after_seconds: Some(7),
            },
            503,
            "down for maintenance",
        ),
        (Fault::NoRouting, 420, "routing information"),
        (
            Fault::LockRow,
            400,
            "unable to obtain exclusive access to this record or 1 records: 001DO0000000001YAA",
        ),
        (Fault::QueryTimeout, 400, "QUERY_TIMEOUT"),
        (Fault::ServerUnavailable, 503, "SERVER_UNAVAILABLE"),
        (Fault::RequestLimit, 403, "TotalRequests Limit exceeded."),
        (Fault::SessionExpired, 401, "Session expired or invalid"),
    ] {
        api.org.add_fault(Rule::next(fault.clone())).unwrap();
        let answer = send(&api, "GET", &path, "").await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        assert!(answer.contains(words), "{answer}");
        let retry = answer.to_ascii_lowercase().contains("retry-after: 7");
        assert_eq!(retry, matches!(fault, Fault::Maintenance { .. }));
        let once = send(&api, "GET", &path, "").await;
        assert_eq!(parts(&once).1, whole_body, "a fault is over");
    }

    api.org.add_fault(Rule::next(Fault::Drop)).unwrap();
    assert_eq!(send(&api, "GET", &path, "").await, "");
    for (fault, declared, came) in [
        (Fault::DropHalfway, length, length / 2),
        (Fault::Truncated { missing_bytes: 3 }, length, length - 3),
        (
            Fault::Truncated {
                missing_bytes: usize::MAX,
            },
            length,
            0,
        ),
        (Fault::MalformedJson, length - 1, length - 1),
        (Fault::Trickle { bytes: 100, ms: 2 }, length, length),
    ] {
        api.org.add_fault(Rule::next(fault.clone())).unwrap();
        let answer = send(&api, "GET", &path, "").await;
        let (length, body) = parts(&answer);
        assert_eq!((length, body.len()), (declared, came), "{fault:?}");
        assert!(whole_body.starts_with(body), "{fault:?}");
    }
    let waits = 30;
    api.org
        .add_fault(Rule::next(Fault::Latency { ms: waits }))
        .unwrap();
    let before = Instant::now();
    let late = send(&api, "GET", &path, "").await;
    assert_eq!(parts(&late).1, whole_body);
    assert!(before.elapsed() >= Duration::from_millis(waits));
    assert_eq!(api.org.faults_due(), 0);
}

#[tokio::test]
async fn an_answer_is_lost_after_the_work_or_instead_of_it() {
    let api = Api::new().await;
    let path = format!("{V}/sobjects/Account");
    for (fault, work, made) in [
        (Fault::Drop, None, false),
        (Fault::Drop, Some(Work::After), true),
        (Fault::ServerError, Some(Work::After), true),
        (Fault::DropHalfway, None, true),
        (Fault::DropHalfway, Some(Work::Instead), false),
        (
            Fault::Truncated { missing_bytes: 1 },
            Some(Work::Instead),
            false,
        ),
    ] {
        let name = format!("Lost {fault:?} {work:?}");
        api.org
            .add_fault(Rule {
                fault,
                when: When {
                    method: Some("post".into()),
                    path: Some("/services/data/*/sobjects/Account".into()),
                    ..When::default()
                },
                work,
            })
            .unwrap();
        let body = json!({"Name": name}).to_string();
        let answer = send(&api, "POST", &path, &body).await;
        assert!(!answer.contains("201 Created") || parts(&answer).0 > parts(&answer).1.len());
        let soql = format!("SELECT COUNT() FROM Account WHERE Name = '{name}'");
        let found = api.query(&soql).await.json();
        assert_eq!(found["totalSize"], u64::from(made), "{name}");
    }
}

/// What has no body cannot be cut in the middle, and is not sent at all.
#[tokio::test]
async fn answers_without_a_body_are_lost_too() {
    let api = Api::new().await;
    let account = api.query("SELECT Id FROM Account LIMIT 1").await.json();
    let id = account["records"][0]["Id"].as_str().unwrap();
    let path = format!("{V}/sobjects/Account/{id}");
    for (fault, phone, comes) in [
        (Fault::DropHalfway, "1", ""),
        (Fault::Truncated { missing_bytes: 1 }, "2", ""),
        (Fault::MalformedJson, "3", "HTTP/1.1 204 "),
        (Fault::Trickle { bytes: 1, ms: 0 }, "4", "HTTP/1.1 204 "),
    ] {
        api.org.add_fault(Rule::next(fault.clone())).unwrap();
        let body = json!({"Phone": phone}).to_string();
        let answer = send(&api, "PATCH", &path, &body).await;
        assert_eq!(answer.is_empty(), comes.is_empty(), "{answer}");
        assert!(answer.starts_with(comes), "{answer}");
        let now = api.get(&format!("{path}?fields=Phone")).await.json();
        assert_eq!(now["Phone"], phone, "{fault:?}");
    }
    for fault in [
        Fault::MalformedJson,
        Fault::Trickle { bytes: 9, ms: 1 },
        Fault::ServerError,
    ] {
        api.org.add_fault(Rule::next(fault)).unwrap();
        let answer = send(&api, "HEAD", &path, "").await;
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn a_program_is_made_to_misbehave_over_http() {
    let api = Api::with(Options {
        admin: Some(([127, 0, 0, 1], 0).into()),
        ..Options::default()
    })
    .await;
    let admin = api.org.admin_url().unwrap().to_owned();
    let client = hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
        .build_http::<Full<bytes::Bytes>>();
    let ask_as = async |host: &str, method: &str, path: &str, kind: &str, body: &str| {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{admin}{path}"))
            .header("host", host)
            .header("content-type", kind)
            .body(Full::new(bytes::Bytes::from(body.to_owned())))
            .unwrap();
        let (parts, body) = client.request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let json: Json = serde_json::from_slice(&body).unwrap();
        (parts.status.as_u16(), json)
    };
    let ask = async |method: &str, path: &str, kind: &str, body: &str| {
        ask_as("localhost:1", method, path, kind, body).await
    };
    let json_kind = "application/json";
    for (host, status) in [
        ("[::1]:80", 200),
        ("127.0.0.1", 200),
        ("evil.example", 400),
        ("127.0.0.1.example:80", 400),
    ] {
        assert_eq!(
            ask_as(host, "GET", "/apps", "", "").await.0,
            status,
            "{host}"
        );
    }
    let (status, index) = ask("GET", "/", "", "").await;
    assert_eq!(status, 200);
    let states = index["app_states"].as_array().unwrap();
    assert_eq!(states.len(), 17, "{index}");
    // What it shows can be sent.
    let faults = index["faults"].as_array().unwrap().iter();
    let shown: Vec<Json> = faults.map(|fault| json!({"fault": fault})).collect();
    for rule in &shown {
        let (status, added) = ask("POST", "/faults", json_kind, &rule.to_string()).await;
        assert_eq!(status, 200, "{rule} {added}");
    }
    assert_eq!(api.org.faults_due(), shown.len());
    api.org.clear_faults();

    let rule = json!({
        "fault": {"kind": "maintenance", "retry_after_seconds": 1},
        "when": {"path": V, "nth": 2, "times": null},
    });
    let (status, added) = ask("POST", "/faults", json_kind, &rule.to_string()).await;
    assert_eq!(status, 200);
    let id = added["id"].as_u64().unwrap();
    assert_eq!(api.get(V).await.status, 200);
    for _ in 0..3 {
        assert_eq!(api.get(V).await.status, 503);
    }
    let (_, faults) = ask("GET", "/faults", "", "").await;
    assert_eq!(
        (&faults[0]["seen"], &faults[0]["struck"]),
        (&json!(4), &json!(3))
    );
    assert_eq!(faults[0]["fault"], rule["fault"]);
    let one = format!("/faults/{id}");
    assert_eq!(ask("DELETE", &one, "", "").await.0, 200);
    assert_eq!(ask("DELETE", &one, "", "").await.0, 404);
    assert_eq!(api.get(V).await.status, 200);
    for kind in ["drop", "lock-row"] {
        let rule = json!({"fault": {"kind": kind}});
        ask("POST", "/faults", json_kind, &rule.to_string()).await;
    }
    assert_eq!(ask("DELETE", "/faults", "", "").await.0, 200);
    assert_eq!(api.org.faults_due(), 0);

    // Sessions: one user's, then all.
    let others = api.org.users()[1].username.clone();
    let whose = json!({"username": others}).to_string();
    assert_eq!(
        ask("POST", "/sessions/expire", json_kind, &whose).await.1,
        json!({"expired": 1})
    );
    assert_eq!(api.get(V).await.status, 200);
    let (_, expired) = ask("POST", "/sessions/expire", json_kind, "{}").await;
    assert_eq!(expired["expired"], api.org.users().len() - 1);
    api.get(V).await.assert_error(401, "INVALID_SESSION_ID");

    let state = json!({"app": "Portcullis", "state": "not-installed"}).to_string();
    assert_eq!(ask("POST", "/apps/state", json_kind, &state).await.0, 200);
    assert_eq!(api.org.apps()[0].state, AppState::NotInstalled);
    let (_, apps) = ask("GET", "/apps", "", "").await;
    assert_eq!(apps[0]["state"], "not-installed");
    assert_eq!(apps.as_array().unwrap().len(), api.org.apps().len());
    assert_eq!(ask("POST", "/cursors/expire", json_kind, "{}").await.0, 200);

    // The examples can be sent as they are.
    let mut posted = 0;
    for request in index["requests"].as_array().unwrap() {
        let (method, path) = request["request"]
            .as_str()
            .unwrap()
            .split_once(' ')
            .unwrap();
        if method == "POST" {
            let kind = request["content_type"].as_str().unwrap();
            let example = &request["example"];
            let (status, answer) = ask(method, path, kind, &example.to_string()).await;
            assert_eq!(status, 200, "{request} {answer}");
            // The form names whatever the example has.
            let form = request["body"].as_object().unwrap();
            let mut fields = example.as_object().unwrap().keys();
            assert!(fields.all(|field| form.contains_key(field)), "{request}");
            posted += 1;
        }
    }
    assert_eq!((posted, api.org.faults_due()), (4, 1));

    for (method, path, kind, body, status) in [
        ("POST", "/faults", "text/plain", "{}", 400),
        ("POST", "/faults", json_kind, "{", 400),
        (
            "POST",
            "/faults",
            json_kind,
            r#"{"fault":{"kind":"none"}}"#,
            400,
        ),
        (
            "POST",
            "/faults",
            json_kind,
            r#"{"fault":{"kind":"drop"},"wen":{}}"#,
            400,
        ),
        (
            "POST",
            "/apps/state",
            json_kind,
            r#"{"app":"x","state":"ready"}"#,
            404,
        ),
        (
            "POST",
            "/apps/state",
            json_kind,
            r#"{"app":"Portcullis","state":"x"}"#,
            400,
        ),
        (
            "POST",
            "/sessions/expire",
            json_kind,
            r#"{"username":"x"}"#,
            404,
        ),
        ("GET", "/nothing", "", "", 404),
        ("PUT", "/faults", "", "", 405),
    ] {
        let (answered, json) = ask(method, path, kind, body).await;
        assert_eq!(answered, status, "{method} {path} {body} {json}");
        assert!(json["error"].is_string(), "{json}");
    }
}

#[tokio::test]
async fn the_admin_endpoint_is_on_loopback_alone() {
    let error = DevOrg::start(Options {
        admin: Some(([0, 0, 0, 0], 0).into()),
        allow_other_machines: true,
        ..Options::default()
    })
    .await
    .unwrap_err();
    assert!(error.to_string().contains("127.0.0.1 alone"), "{error}");
}

#[tokio::test]
async fn a_path_of_the_admin_endpoint_says_how_it_is_asked() {
    let api = Api::with(Options {
        admin: Some(([127, 0, 0, 1], 0).into()),
        ..Options::default()
    })
    .await;
    let admin = api.org.admin_url().unwrap().to_owned();
    for (method, path, status, allow) in [
        ("POST", "/", 405, "GET,HEAD"),
        ("DELETE", "/apps", 405, "GET,HEAD"),
        ("GET", "/apps/state", 405, "POST"),
        ("PATCH", "/faults", 405, "DELETE,GET,HEAD,POST"),
        ("GET", "/faults/7", 405, "DELETE"),
        ("PUT", "/sessions/expire", 405, "POST"),
        ("GET", "/cursors/expire", 405, "POST"),
        ("GET", "/cursors", 404, ""),
        ("DELETE", "/faults/7/8", 404, ""),
    ] {
        let admin = admin.clone();
        let exchanged = move || exchange(&admin, "", method, path, "{}");
        let answer = tokio::task::spawn_blocking(exchanged).await.unwrap();
        let head = answer.to_ascii_lowercase();
        let allowed = head.split("\r\nallow: ").nth(1);
        let allowed = allowed.map_or("", |rest| rest.split("\r\n").next().unwrap());
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{answer}");
        assert_eq!(allowed, allow.to_ascii_lowercase(), "{method} {path}");
    }
}

#[tokio::test]
async fn a_rule_that_never_strikes_is_refused_with_the_reason() {
    let api = Api::with(Options {
        admin: Some(([127, 0, 0, 1], 0).into()),
        ..Options::default()
    })
    .await;
    let admin = api.org.admin_url().unwrap().to_owned();
    let drop = json!({"kind": "drop"});
    let answer = |status: u16, headers: Json| json!({"kind": "answer", "status": status, "headers": headers});
    let mut reasons = String::new();
    for (fault, when) in [
        (drop.clone(), json!({"path": "services/data"})),
        (drop.clone(), json!({"path": ""})),
        (drop.clone(), json!({"path": "/query?q=SELECT"})),
        (drop.clone(), json!({"method": "GET POST"})),
        (drop.clone(), json!({"nth": 0})),
        (drop.clone(), json!({"times": 0})),
        (answer(99, json!([])), json!({})),
        (answer(600, json!([])), json!({})),
        (answer(200, json!([["a b", "c"]])), json!({})),
        (answer(200, json!([["a", "b\nc"]])), json!({})),
        (json!({"kind": "truncated", "missing_bytes": 0}), json!({})),
        (json!({"kind": "trickle", "bytes": 0, "ms": 1}), json!({})),
    ] {
        let rule = json!({"fault": fault, "when": when});
        let (admin, body) = (admin.clone(), rule.to_string());
        let exchanged = move || exchange(&admin, "", "POST", "/faults", &body);
        let answer = tokio::task::spawn_blocking(exchanged).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        let told: Json = serde_json::from_str(parts(&answer).1).unwrap();
        // Who embeds the org is told the same.
        let rule: Rule = serde_json::from_value(rule).unwrap();
        let error = api.org.add_fault(rule).unwrap_err();
        assert_eq!(told["error"], error.to_string());
        reasons += told["error"].as_str().unwrap();
        reasons += "\n";
    }
    assert_eq!(api.org.faults_due(), 0);
    insta::assert_snapshot!(reasons, @r"
    `when.path` is `services/data`; a path begins with `/`, or with `*` for any beginning
    `when.path` is ``; a path begins with `/`, or with `*` for any beginning
    `when.path` is `/query?q=SELECT`; it is compared with the path alone, without what follows `?`
    `when.method` is `GET POST`, which is no method
    `when.nth` is 0; requests are counted from 1
    `when.times` is 0; leave it out for once, or give null for always
    `fault.status` is 99; it must be from 200 to 599
    `fault.status` is 600; it must be from 200 to 599
    `fault.headers` has `a b: c`, which is no header
    `fault.headers` has `a: b
    c`, which is no header
    `fault.missing_bytes` is 0; it must be at least 1
    `fault.bytes` is 0; it must be at least 1
    ");
}
