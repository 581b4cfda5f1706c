#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::RouteSpec;

const BASE: &str = "/data/";

const JSON: [(&str, &[u8]); 1] = [("content-type", b"application/json")];

fn table() -> RouteTable {
    let routes = json!([
        { "methods": ["GET"], "path": "/data/{version}", "effect": "read" },
        { "methods": ["GET"], "path": "/data/{version}/query", "effect": "read", "kinds": ["unseen"], "headers": ["X-Page"] },
        { "methods": ["GET", "HEAD"], "path": "/data/{version}/records/{kind}/{id}", "effect": "read" },
        { "methods": ["PATCH"], "path": "/data/{version}/records/{kind}/{id}", "effect": "write" },
        { "methods": ["DELETE"], "path": "/data/{version}/records/{kind}/{id}", "effect": "destructive" },
        { "methods": ["GET"], "path": "/data/{version}/purge", "effect": "destructive" },
        { "methods": ["POST"], "path": "/data/{version}/find", "effect": "read" },
        { "methods": ["POST"], "path": "/data/{version}/batch", "effect": "read", "kinds": [], "headers": ["X-Page"],
            "parts": { "at": "/all/*", "base": BASE } },
        { "methods": ["POST"], "path": "/data/{version}/soap", "effect": "read", "operation": "{urn:service}find" },
        { "methods": ["GET"], "path": "/data/data/{version}/records", "effect": "read" },
        { "methods": ["GET"], "path": "/{a}/{b}/{c}/{d}/{e}/{f}", "effect": "read" },
        { "methods": ["GET"], "path": "/elsewhere", "effect": "read" }
    ]);
    let routes: Vec<RouteSpec> = serde_json::from_value(routes).unwrap();
    RouteTable::new(&routes).unwrap()
}

fn carried(
    table: &RouteTable,
    path: &str,
    headers: &[(&str, &[u8])],
    body: &[u8],
) -> Result<Vec<(Method, String)>, PartsRefusal> {
    let parts = Parts {
        at: BodyPlace::try_from("/all/*".to_owned()).unwrap(),
        base: BASE.to_owned(),
    };
    let carrier = Carrier {
        parts: &parts,
        effect: Effect::Read,
        named: None,
        path: &RequestPath::parse(path).unwrap(),
        headers,
        body,
    };
    let parts = table.parts(&carrier)?;
    let named = parts.into_iter().map(|part| {
        assert!(part.found.effect <= Effect::Read && part.found.route.parts.is_none());
        (part.method, part.path.as_str().to_owned())
    });
    Ok(named.collect())
}

/// Judges a body, and says why it is refused.
fn of(body: &str) -> Result<Vec<(Method, String)>, PartsRefusal> {
    carried(&table(), "/data/v1/batch", &JSON, body.as_bytes())
}

/// Judges a list of one, by its method and its URL.
fn one(method: &str, url: &str) -> Result<(), PartRefusal> {
    let body = json!({ "all": [{ "method": method, "url": url }] });
    match of(&body.to_string()) {
        Ok(_) => Ok(()),
        Err(PartsRefusal::Part { number: 1, why, .. }) => Err(why),
        Err(other) => panic!("{method} {url}: {other}"),
    }
}

#[test]
fn what_may_be_sent_by_itself_may_be_sent_in_a_list() {
    let body = r#" {"all": [
        {"method": "GET", "url": "v1/query?q=SELECT+Id%2C+Name+FROM+A+WHERE+B+%3D+'%2F..%2F'"},
        {"url": "v1/records/A/1", "method": "HEAD"},
        {"method": "POST", "url": "v1/find"},
        {"method": "GET", "url": "v1"}
    ]}"#;
    let expected = [
        (
            Method::Get,
            "/data/v1/query?q=SELECT+Id%2C+Name+FROM+A+WHERE+B+%3D+'%2F..%2F'",
        ),
        (Method::Head, "/data/v1/records/A/1"),
        (Method::Post, "/data/v1/find"),
        (Method::Get, "/data/v1"),
    ];
    let expected = expected.map(|(method, path)| (method, path.to_owned()));
    assert_eq!(of(body).unwrap(), expected);
}

#[test]
fn a_change_is_no_part_of_a_read() {
    use Effect::{Destructive, Read, Write};
    let effect = |is| Err(PartRefusal::Effect { is, may: Read });
    assert_eq!(one("DELETE", "v1/records/A/1"), effect(Destructive));
    assert_eq!(one("PATCH", "v1/records/A/1"), effect(Write));
    // What counts is the route, not the method.
    assert_eq!(one("GET", "v1/purge"), effect(Destructive));
    // The first of several is no better than the last.
    let body = json!({ "all": [
        { "method": "GET", "url": "v1" }, { "method": "DELETE", "url": "v1/records/A/1" },
    ]});
    let refusal = of(&body.to_string()).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "part 2 (`DELETE /data/v1/records/A/1`): its effect is `destructive`, and what carries it is `read`"
    );
    for method in [
        "delete",
        "Delete",
        "DELETE ",
        " GET",
        "get",
        "GET\n",
        "GET\0",
        "DELETE\u{200b}",
        "",
        "CONNECT",
        "ＧＥＴ",
        "GET DELETE",
        "_GET",
        "OPTIONS",
        "TRACE",
    ] {
        assert_eq!(one(method, "v1"), Err(PartRefusal::Method), "{method:?}");
    }
    for method in ["DELETE", "PATCH", "PUT", "POST"] {
        let known = Err(PartRefusal::Route(RouteRefusal::MethodNotDeclared));
        assert_eq!(one(method, "v1/query"), known, "{method}");
    }
}

#[test]
fn a_list_is_no_part_of_a_list_and_a_message_neither() {
    assert_eq!(one("POST", "v1/batch"), Err(PartRefusal::Nested));
    assert_eq!(one("POST", "v1/batch?x=1"), Err(PartRefusal::Nested));
    let by_operation = PartRefusal::Route(RouteRefusal::ByOperation);
    assert_eq!(one("POST", "v1/soap"), Err(by_operation));
}

#[test]
fn a_url_that_could_lead_elsewhere_is_refused() {
    use PathRefusal::*;
    let elsewhere = || PartRefusal::Elsewhere(BASE.to_owned());
    let unknown = || PartRefusal::Route(RouteRefusal::UnknownPath);
    for (url, refusal) in [
        // A whole path, another host, another scheme.
        ("/data/v1/query", elsewhere()),
        ("/elsewhere", elsewhere()),
        ("/", elsewhere()),
        ("//evil.example/v1/query", elsewhere()),
        ("https://evil.example/v1/query", elsewhere()),
        ("https:evil", elsewhere()),
        ("javascript:v1", elsewhere()),
        ("v1:2/query", elsewhere()),
        ("evil.example:443/query", elsewhere()),
        ("\\\\evil.example\\v1", PartRefusal::Path(Characters)),
        // The base once more, which some services take off.
        ("data/v1/records", elsewhere()),
        ("DATA/v1/query", elsewhere()),
        ("data", elsewhere()),
        ("d%61ta/v1/records", elsewhere()),
        ("data./v1/records", elsewhere()),
        ("%20data/v1/records", elsewhere()),
        // What host and service read in two ways.
        ("", PartRefusal::Path(EmptySegment)),
        ("?q=1", PartRefusal::Path(EmptySegment)),
        ("v1/", PartRefusal::Path(EmptySegment)),
        ("v1//query", PartRefusal::Path(EmptySegment)),
        ("../elsewhere", PartRefusal::Path(DotSegment)),
        ("..", PartRefusal::Path(DotSegment)),
        ("v1/../../elsewhere", PartRefusal::Path(DotSegment)),
        ("v1/%2e%2e/%2E%2E/elsewhere", PartRefusal::Path(DotSegment)),
        ("./v1/query", PartRefusal::Path(DotSegment)),
        ("v1%2fquery", PartRefusal::Path(EncodedStructure)),
        ("v1/records%5cA/1", PartRefusal::Path(EncodedStructure)),
        ("v1/records/A/1%252f", PartRefusal::Path(EncodedStructure)),
        ("v1/records/A/1%00", PartRefusal::Path(EncodedStructure)),
        ("v1/query#q", PartRefusal::Path(Characters)),
        ("v1/query?q=1#x", PartRefusal::Path(Characters)),
        ("v1/query;x=1", PartRefusal::Path(Characters)),
        (" v1/query", PartRefusal::Path(Characters)),
        ("v1/query ", PartRefusal::Path(Characters)),
        ("v1/query\n", PartRefusal::Path(Characters)),
        ("v1/query\r\nHost: evil", PartRefusal::Path(Characters)),
        ("v1/qu\u{e9}ry", PartRefusal::Path(Characters)),
        ("v1/records/A/%ff", PartRefusal::Path(NotUtf8)),
        ("v1/query?q=%", PartRefusal::Path(Encoding)),
        (
            "v1/records/A/1?_HttpMethod=DELETE",
            PartRefusal::Path(MethodOverride),
        ),
        (
            "v1/records/A/1?q=1&%5fmethod=PATCH",
            PartRefusal::Path(MethodOverride),
        ),
        // What no route has, or not in this spelling.
        ("v1/QUERY", unknown()),
        ("v1/query%20", unknown()),
        ("v1/records", unknown()),
        ("v1/records/A/1/2/3/4", unknown()),
    ] {
        assert_eq!(one("GET", url), Err(refusal), "{url:?}");
    }
    let long = format!("v1/query?q={}", "a".repeat(17_000));
    assert_eq!(one("GET", &long), Err(PartRefusal::Path(TooLong)));
}

#[test]
fn a_body_that_is_more_than_the_list_is_refused() {
    let part = r#"{"method":"GET","url":"v1"}"#;
    let list = |items: &str| format!(r#"{{"all":[{items}]}}"#);
    assert!(of(&list(part)).is_ok());
    for body in [
        part.to_owned(),
        format!("[{part}]"),
        r#"{"all":{}}"#.to_owned(),
        r#"{"all":"x"}"#.to_owned(),
        r#"{"all":null}"#.to_owned(),
        format!(r#"{{"All":[{part}]}}"#),
        format!(r#"{{"all":[{part}],"halt":true}}"#),
        format!(r#"{{"all":[{part}],"more":[{{"method":"DELETE","url":"v1/records/A/1"}}]}}"#),
        format!(r#"{{"x":{{"all":[{part}]}}}}"#),
        "{}".to_owned(),
    ] {
        let refusal = of(&body).unwrap_err();
        assert_eq!(refusal, PartsRefusal::Shape("/all/*".to_owned()), "{body}");
    }
    for body in [
        format!(r#"{{"all":[{part}],"all":[]}}"#),
        format!(r#"{{"all":[],"ALL":[{part}]}}"#),
        format!(r#"{{"all":[],"a\u006cl":[{part}]}}"#),
        list(r#"{"method":"GET","method":"DELETE","url":"v1"}"#),
        list(r#"{"method":"DELETE","method":"GET","url":"v1"}"#),
        list(r#"{"method":"GET","Method":"DELETE","url":"v1"}"#),
        list(r#"{"method":"GET","meth\u006fd":"DELETE","url":"v1"}"#),
        list(r#"{"method":"GET","url":"v1","URL":"v1/purge"}"#),
        list(r#"{"method":"GET","url":"v1","url":"v1/purge"}"#),
        format!("{}{}", list(part), list(part)),
        format!("\u{feff}{}", list(part)),
        list(&format!("{part},")),
        "GET /v1".to_owned(),
        String::new(),
    ] {
        let refusal = of(&body).unwrap_err();
        assert!(matches!(refusal, PartsRefusal::Body(_)), "{body}");
    }
    for item in [
        "null",
        "[]",
        r#""GET v1""#,
        "{}",
        r#"{"method":"GET"}"#,
        r#"{"url":"v1"}"#,
        r#"{"method":"GET","url":null}"#,
        r#"{"method":"GET","url":["v1"]}"#,
        r#"{"method":["GET"],"url":"v1"}"#,
        r#"{"Method":"GET","url":"v1"}"#,
        r#"{"method":"GET","url":"v1","body":{}}"#,
        r#"{"method":"GET","url":"v1","richInput":{"Name":"x"}}"#,
        r#"{"method":"GET","url":"v1","richInput":null}"#,
        r#"{"method":"GET","url":"v1","httpHeaders":{"X-HTTP-Method-Override":"DELETE"}}"#,
        r#"{"method":"GET","url":"v1","binaryPartName":"x"}"#,
        r#"{"method":"GET","url":"v1","":""}"#,
    ] {
        let refusal = of(&list(item)).unwrap_err();
        assert!(
            matches!(
                refusal,
                PartsRefusal::Part {
                    number: 1,
                    request: None,
                    why: PartRefusal::Shape
                }
            ),
            "{item}: {refusal}"
        );
    }
    for (count, is_taken) in [
        (0, false),
        (1, true),
        (25, true),
        (26, false),
        (2_000, false),
    ] {
        let body = list(&vec![part; count].join(","));
        match of(&body) {
            Ok(parts) => assert!(is_taken && parts.len() == count),
            Err(refusal) => assert!(!is_taken && refusal == PartsRefusal::Count(count)),
        }
    }
}

#[test]
fn the_headers_and_the_query_of_the_whole_count_for_each_part() {
    let body = |urls: &[&str]| {
        let parts: Vec<Value> = urls
            .iter()
            .map(|url| json!({ "method": "GET", "url": url }))
            .collect();
        json!({ "all": parts }).to_string()
    };
    let with = |headers: &[(&str, &[u8])], urls: &[&str]| {
        carried(&table(), "/data/v1/batch", headers, body(urls).as_bytes())
    };
    let paged: [(&str, &[u8]); 2] = [JSON[0], ("X-Page", b"200")];
    assert!(with(&paged, &["v1/query"]).is_ok());
    // The route of the second does not have it.
    let Err(PartsRefusal::Part { number: 2, why, .. }) = with(&paged, &["v1/query", "v1"]) else {
        panic!("it would be sent with a header that it may not have");
    };
    assert!(matches!(why, PartRefusal::Header(_)));
    let types: [&[(&str, &[u8])]; 7] = [
        &[],
        &[("content-type", b"text/plain")],
        &[("content-type", b"application/json; charset=utf-16")],
        &[("content-type", b"application/xml"), JSON[0]],
        &[JSON[0], JSON[0]],
        &[("content-type", b"\xff")],
        &[JSON[0], ("content-encoding", b"gzip")],
    ];
    for headers in types {
        assert_eq!(with(headers, &["v1"]).unwrap_err(), PartsRefusal::NotJson);
    }
    for path in ["/data/v1/batch?", "/data/v1/batch?all=1"] {
        let refusal = carried(&table(), path, &JSON, body(&["v1"]).as_bytes());
        assert_eq!(refusal.unwrap_err(), PartsRefusal::Query);
    }
}

#[test]
fn a_url_is_joined_to_its_base_in_one_way() {
    let joined = |base: &str, url: &str| below(base, url).ok().map(|path| path.as_str().to_owned());
    for (base, url, path) in [
        ("/data/", "v1", Some("/data/v1")),
        ("/data/", "/v1", None),
        ("/v1", "/me", Some("/v1/me")),
        ("/v1", "me", None),
        ("/v1", "", None),
        ("/v1", "//evil.example/me", None),
        ("/v1", "/v1/me", None),
        ("/v1", "/V1", None),
        ("", "/me?x=1", Some("/me?x=1")),
        ("", "me", None),
        ("", "//evil.example/me", None),
        ("", "https://evil.example/me", None),
        ("/", "me", Some("/me")),
        ("/", "/me", None),
        ("/a/b/", "a/c", Some("/a/b/a/c")),
        ("/a/b/", "a/b/c", None),
    ] {
        assert_eq!(joined(base, url).as_deref(), path, "{base} {url}");
    }
}

/// Bodies near to one that is taken: members and texts that are there twice, in another case, or of something else.
fn bodies() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "method",
        "url",
        "Method",
        "URL",
        "u\\u0072l",
        "body",
        "all",
    ]);
    let text = prop::sample::select(vec![
        "\"GET\"",
        "\"DELETE\"",
        "\"PATCH\"",
        "\"get\"",
        "\"\\u0047ET\"",
        "\"v1\"",
        "\"v1/query?q=1\"",
        "\"v1/records/A/1\"",
        "\"v1/purge\"",
        "\"v1/batch\"",
        "\"data/v1/records\"",
        "\"/elsewhere\"",
        "\"v1\\/query\"",
        "\"v1/..\"",
        "null",
        "[]",
        "{}",
        "1",
    ]);
    let member = (name, text).prop_map(|(name, text)| format!("\"{name}\":{text}"));
    let object =
        prop::collection::vec(member, 0..4).prop_map(|all| format!("{{{}}}", all.join(",")));
    let ordinary = prop::sample::select(vec![
        r#"{"method":"GET","url":"v1"}"#,
        r#"{"url":"v1/query","method":"GET"}"#,
    ]);
    let item = prop_oneof![object.clone(), ordinary.prop_map(str::to_owned)];
    let list = prop::collection::vec(item, 0..4).prop_map(|all| format!("[{}]", all.join(",")));
    (list, prop::option::weighted(0.2, object)).prop_map(|(list, more)| match more {
        None => format!("{{\"all\":{list}}}"),
        Some(more) => format!("{{\"all\":{list},\"more\":{more}}}"),
    })
}

proptest! {
    /// Whatever is taken is, to a reader that takes the last of two members, the same list of reads that each may be sent alone.
    #[test]
    fn what_is_taken_has_one_meaning(body in bodies()) {
        let Ok(parts) = of(&body) else { return Ok(()) };
        let read: Value = serde_json::from_str(&body).unwrap();
        let list: Vec<Value> = parts
            .iter()
            .map(|(method, path)| json!({ "method": method, "url": path.strip_prefix(BASE).unwrap() }))
            .collect();
        prop_assert_eq!(read, json!({ "all": list }));
        for (method, path) in parts {
            let path = RequestPath::parse(&path).unwrap();
            let table = table();
            let alone = table.find(None, method, &path, None).unwrap();
            prop_assert_eq!(alone.effect, Effect::Read);
        }
    }

    /// A part is refused where it would be by itself.
    #[test]
    fn a_url_is_taken_where_it_would_be_alone(
        url in "(v1|data|v:1|d%61ta|)(/(query|QUERY|records|purge|batch|A|%2e|\\.\\.|%2f|1|;x)){0,4}([?#/](_method=x|q=1)?)?",
        index in 0_usize..6,
    ) {
        let method = Method::ALL[index];
        let taken = one(method.as_str(), &url).is_ok();
        let table = table();
        let alone = RequestPath::parse(&format!("{BASE}{url}")).ok().and_then(|path| {
            let found = table.find(None, method, &path, None).ok()?;
            (found.effect == Effect::Read && found.route.parts.is_none()).then_some(())
        });
        prop_assert!(!taken || alone.is_some(), "{}", url);
        let leads_on = url.starts_with('/') || url.starts_with("v:1") || url.starts_with("data") || url.starts_with("d%61ta");
        prop_assert_eq!(taken, alone.is_some() && !leads_on, "{}", url);
    }

    #[test]
    fn no_body_panics(body in any::<Vec<u8>>(), text in "[\\[\\]{}\",:a-z/?]{0,60}") {
        for body in [body, text.into_bytes()] {
            prop_assert!(carried(&table(), "/data/v1/batch", &JSON, &body).is_err());
        }
    }
}
