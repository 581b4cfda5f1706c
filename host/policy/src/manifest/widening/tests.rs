#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Method, RequestPath, RouteSpec, RouteTable};

/// A manifest, its tools and its imports, as a test changes them.
#[derive(Clone)]
struct Version {
    manifest: Value,
    tools: Vec<(&'static str, &'static str, Effect, bool)>,
    imports: Vec<String>,
}

fn version() -> Version {
    let manifest = json!({
        "name": "example", "title": "Example", "version": "0.1.0",
        "auth": {
            "kind": "oauth2", "pkce": true,
            "login": [
                {"id": "production", "title": "Production", "origin": "https://login.example.com",
                 "environment": "production"},
                {"id": "own", "title": "Own", "pattern": "https://{domain}.my.example.com",
                 "also": [{"pattern": "https://{domain}.pages.example.com", "means": "https://{domain}.my.example.com"}]}
            ],
            "authorize": "/authorize", "token": "/token", "revoke": "/revoke",
            "scopes": {"default": ["records"], "optional": ["full"], "refresh": "records"},
            "origin_from": "/instance_url",
            "stale_token": [{"status": 401, "code": "STALE"}],
            "guidance": [{"match": "LOCKED", "title": "Locked", "steps": ["Wait"], "passes": true}]
        },
        "origins": ["https://*.example.com", "https://files.example.org"],
        "routes": [
            {"methods": ["GET"], "path": "/record/{id}", "effect": "read", "headers": ["If-Match"]},
            {"methods": ["PATCH", "POST"], "path": "/kind/{kind}/{id}", "effect": "write", "fields": ""},
            {"methods": ["POST"], "path": "/kind/{kind}/merge", "effect": "destructive"},
            {"methods": ["DELETE"], "path": "/record/{id}", "effect": "destructive", "done_at": "/ok"},
            {"methods": ["POST"], "path": "/search", "effect": "read"},
            {"methods": ["GET"], "path": "/schema", "effect": "read", "cache": "schema"},
            {"methods": ["GET"], "path": "/file/{id}", "effect": "read", "origin": "https://files.example.org"}
        ],
        "guarded_kinds": ["User*", "*Share"],
        "toolsets": {"records": "Records", "changes": "Changes"},
        "resources": [
            {"uri": "example://{kind}/{id}", "name": "record", "title": "A record", "description": "A record.",
             "read": {"tool": "get", "arguments": {"id": "{id}"}},
             "complete": {"id": {"call": {"tool": "get", "arguments": {"id": "{value}"}}, "values": "/ids/*"}}},
            {"uri": "example://limits/all", "name": "limits", "title": "Limits", "description": "What is left.",
             "read": {"tool": "get", "arguments": {"id": "limits"}}}
        ],
        "prompts": [
            {"name": "look", "title": "Look", "description": "Looks.", "tools": ["get"], "text": "Use `get`."}
        ]
    });
    let text = |import: &&str| (*import).to_owned();
    Version {
        manifest,
        tools: vec![
            ("get", "records", Effect::Read, true),
            ("put", "changes", Effect::Write, false),
            ("delete", "changes", Effect::Destructive, true),
        ],
        imports: ["portcullis:connector/audit@0.1.0", "wasi:http/types@0.2.9"]
            .iter()
            .map(text)
            .collect(),
    }
}

impl Version {
    /// Lists in what it is wider than another.
    fn wider_than(&self, before: Option<&Self>) -> Vec<Widening> {
        let manifest = |version: &Self| {
            let text = version.manifest.to_string();
            Manifest::from_json(&text).unwrap_or_else(|error| panic!("{error}"))
        };
        let names = |version: &Self| -> Vec<ToolName> {
            let names = version.tools.iter();
            names.map(|tool| ToolName::parse(tool.0).unwrap()).collect()
        };
        let of = |version: &Self, run: &mut dyn FnMut(&Declared<'_>)| {
            let (manifest, names) = (manifest(version), names(version));
            let tools = version.tools.iter().zip(&names);
            let tools = tools.map(|((_, toolset, effect, idempotent), name)| DeclaredTool {
                name,
                toolset,
                effect: *effect,
                idempotent: *idempotent,
            });
            run(&Declared {
                manifest: &manifest,
                tools: tools.collect(),
                imports: &version.imports,
            });
        };
        let mut found = Vec::new();
        of(self, &mut |after| match before {
            None => found = widenings(None, after),
            Some(before) => of(before, &mut |before| {
                found = widenings(Some(before), after);
            }),
        });
        found
    }
}

/// What a change of a version is found to be.
fn found(edit: impl FnOnce(&mut Version)) -> Vec<Widened> {
    let before = version();
    let mut after = before.clone();
    edit(&mut after);
    let found = after.wider_than(Some(&before));
    found.into_iter().map(|one| one.what).collect()
}

fn at(pointer: &'static str, value: Value) -> impl Fn(&mut Version) {
    move |version| {
        let place = version.manifest.pointer_mut(pointer);
        *place.unwrap_or_else(|| panic!("{pointer}")) = value.clone();
    }
}

fn with(pointer: &'static str, value: Value) -> impl Fn(&mut Version) {
    move |version| {
        let list = version.manifest.pointer_mut(pointer).unwrap();
        list.as_array_mut().unwrap().push(value.clone());
    }
}

fn set(pointer: &'static str, member: &'static str, value: Value) -> impl Fn(&mut Version) {
    move |version| version.manifest.pointer_mut(pointer).unwrap()[member] = value.clone()
}

fn without(pointer: &'static str, member: &'static str) -> impl Fn(&mut Version) {
    move |version| {
        let object = version.manifest.pointer_mut(pointer).unwrap();
        object.as_object_mut().unwrap().remove(member).unwrap();
    }
}

fn drop_at(pointer: &'static str, index: usize) -> impl Fn(&mut Version) {
    move |version| {
        let list = version.manifest.pointer_mut(pointer).unwrap();
        list.as_array_mut().unwrap().remove(index);
    }
}

/// The attack, one by one: each of these reaches farther, and is the only difference.
#[test]
fn each_operation_of_a_path_is_a_request_of_its_own() {
    let soap = |operation: &str, ids: &str| {
        json!({"methods": ["POST"], "path": "/soap", "effect": "destructive", "kinds": ["unseen"],
            "operation": format!("{{urn:example}}{operation}"), "token_at": "Envelope/Header/token",
            "ids": [format!("Envelope/Body/{operation}/{ids}")]})
    };
    let with = |routes: &[Value]| {
        let mut version = version();
        let known = version.manifest["routes"].as_array_mut().unwrap();
        known.extend(routes.iter().cloned());
        version
    };
    let (restore, merge) = (soap("restore", "id"), soap("merge", "id"));
    let texts = |after: &[Value], before: &[Value]| -> Vec<String> {
        let found = with(after).wider_than(Some(&with(before)));
        found.into_iter().map(|widening| widening.text).collect()
    };
    let both = [restore.clone(), merge.clone()];
    assert_eq!(texts(&both, &both), [""; 0]);
    assert_eq!(texts(&both[..1], &both), [""; 0]);
    assert_eq!(
        texts(&both, &both[..1]),
        ["it may send `POST /soap ({urn:example}merge)`, whose effect is `destructive`"]
    );
    let elsewhere = texts(&[soap("restore", "other")], &both[..1]);
    assert_eq!(elsewhere.len(), 1, "{elsewhere:?}");
    assert!(elsewhere[0].contains("ids"), "{elsewhere:?}");
}

#[test]
fn where_the_requests_of_a_request_are_is_compared() {
    let batch = |parts: Option<Value>| {
        let mut version = version();
        let mut route =
            json!({"methods": ["POST"], "path": "/batch", "effect": "read", "kinds": []});
        if let Some(parts) = parts {
            route["parts"] = parts;
        }
        version.manifest["routes"]
            .as_array_mut()
            .unwrap()
            .push(route);
        version
    };
    let texts = |after: Option<Value>, before: Option<Value>| -> Vec<String> {
        let found = batch(after).wider_than(Some(&batch(before)));
        found.into_iter().map(|widening| widening.text).collect()
    };
    let all = || Some(json!({"at": "/all/*", "base": "/data/"}));
    assert_eq!(texts(all(), all()), [""; 0]);
    assert_eq!(
        texts(all(), None),
        ["`POST /batch` may carry other requests"]
    );
    let added = batch(all()).wider_than(Some(&version()));
    let added: Vec<String> = added.into_iter().map(|widening| widening.text).collect();
    assert_eq!(
        added,
        [
            "it says that `POST /batch` does no more than the requests that it carries, of which the host judges each"
        ]
    );
    // Without them the host no longer looks into its body.
    let elsewhere = ["the requests that `POST /batch` carries are said to be elsewhere"];
    for after in [
        None,
        Some(json!({"at": "/some/*", "base": "/data/"})),
        Some(json!({"at": "/all/*"})),
    ] {
        assert_eq!(texts(after, all()), elsewhere);
    }
}

#[test]
fn each_way_to_reach_farther_is_found() {
    type Edit = Box<dyn Fn(&mut Version)>;
    let route = |value: Value| -> Edit { Box::new(with("/routes", value)) };
    let edits: Vec<(&str, Widened, Edit)> = vec![
        (
            "a tool that writes",
            Widened::Tool,
            Box::new(|one| one.tools.push(("mail", "records", Effect::Write, false))),
        ),
        (
            "a tool that destroys",
            Widened::Tool,
            Box::new(|one| {
                one.tools
                    .push(("wipe", "records", Effect::Destructive, false))
            }),
        ),
        (
            "a tool's effect",
            Widened::Tool,
            Box::new(|one| one.tools[0].2 = Effect::Write),
        ),
        (
            "a tool's effect, farther",
            Widened::Tool,
            Box::new(|one| one.tools[1].2 = Effect::Destructive),
        ),
        (
            "a tool's effect that no rule on what destroys meets any more",
            Widened::Tool,
            Box::new(|one| one.tools[2].2 = Effect::Write),
        ),
        (
            "a tool that says it reads now",
            Widened::Tool,
            Box::new(|one| one.tools[1].2 = Effect::Read),
        ),
        (
            "a tool leaves its toolset",
            Widened::Tool,
            Box::new(|one| one.tools[1].1 = "records"),
        ),
        (
            "a tool may be repeated",
            Widened::Tool,
            Box::new(|one| one.tools[1].3 = true),
        ),
        (
            "an origin",
            Widened::Origin,
            Box::new(with("/origins", json!("https://evil.example"))),
        ),
        (
            "a wider origin",
            Widened::Origin,
            Box::new(with("/origins", json!("https://*.example.org"))),
        ),
        (
            "another port",
            Widened::Origin,
            Box::new(with("/origins", json!("https://files.example.org:8443"))),
        ),
        (
            "no PKCE",
            Widened::SignIn,
            Box::new(at("/auth/pkce", json!(false))),
        ),
        (
            "authorization elsewhere",
            Widened::SignIn,
            Box::new(at("/auth/authorize", json!("/other"))),
        ),
        (
            "tokens elsewhere",
            Widened::SignIn,
            Box::new(at("/auth/token", json!("/other"))),
        ),
        (
            "revocation elsewhere",
            Widened::SignIn,
            Box::new(at("/auth/revoke", json!("/other"))),
        ),
        (
            "no revocation",
            Widened::SignIn,
            Box::new(without("/auth", "revoke")),
        ),
        (
            "a login",
            Widened::SignIn,
            Box::new(with(
                "/auth/login",
                json!({"id": "evil", "title": "E", "origin": "https://evil.example.com"}),
            )),
        ),
        (
            "a login elsewhere",
            Widened::SignIn,
            Box::new(at(
                "/auth/login/0/origin",
                json!("https://login.example.net"),
            )),
        ),
        (
            "a wider login",
            Widened::SignIn,
            Box::new(at(
                "/auth/login/1",
                json!({"id": "own", "title": "Own", "pattern": "https://{domain}.example.com"}),
            )),
        ),
        (
            "a real system as a copy",
            Widened::SignIn,
            Box::new(at("/auth/login/0/environment", json!("sandbox"))),
        ),
        (
            "another address of a login",
            Widened::SignIn,
            Box::new(at(
                "/auth/login/1/also/0/pattern",
                json!("https://{domain}.evil.example.com"),
            )),
        ),
        (
            "the origin read elsewhere",
            Widened::SignIn,
            Box::new(at("/auth/origin_from", json!("/evil"))),
        ),
        (
            "separate grants",
            Widened::SignIn,
            Box::new(set("/auth", "grants", json!("separate"))),
        ),
        (
            "any 401 is stale",
            Widened::SignIn,
            Box::new(at("/auth/stale_token/0", json!({"status": 401}))),
        ),
        (
            "a refusal that passes",
            Widened::SignIn,
            Box::new(at("/auth/guidance/0/match", json!("DENIED"))),
        ),
        (
            "no sign-in",
            Widened::SignIn,
            Box::new(at("/auth", json!({"kind": "none"}))),
        ),
        (
            "a key",
            Widened::SignIn,
            Box::new(at("/auth", json!({"kind": "api_key", "header": "X-Key"}))),
        ),
        (
            "a scope",
            Widened::Scope,
            Box::new(with("/auth/scopes/default", json!("mail"))),
        ),
        (
            "a scope that was optional",
            Widened::Scope,
            Box::new(with("/auth/scopes/default", json!("full"))),
        ),
        (
            "an optional scope",
            Widened::Scope,
            Box::new(with("/auth/scopes/optional", json!("mail"))),
        ),
        (
            "what keeps connections",
            Widened::Scope,
            Box::new(at("/auth/scopes/refresh", json!("full"))),
        ),
        (
            "a route",
            Widened::Route,
            route(json!({"methods": ["GET"], "path": "/admin", "effect": "read"})),
        ),
        (
            "a route elsewhere",
            Widened::Route,
            route(
                json!({"methods": ["GET"], "path": "/record/{id}", "effect": "read", "origin": "https://files.example.org"}),
            ),
        ),
        (
            "a method",
            Widened::Route,
            Box::new(at("/routes/0/methods", json!(["GET", "HEAD"]))),
        ),
        (
            "a longer path",
            Widened::Route,
            route(json!({"methods": ["GET"], "path": "/record/{id}/{more}", "effect": "read"})),
        ),
        (
            "an effect lowered",
            Widened::Route,
            Box::new(at("/routes/2/effect", json!("write"))),
        ),
        (
            "an effect lowered to read",
            Widened::PostAsRead,
            Box::new(at("/routes/2/effect", json!("read"))),
        ),
        (
            "a POST that reads",
            Widened::PostAsRead,
            route(json!({"methods": ["POST"], "path": "/find", "effect": "read"})),
        ),
        (
            "a header",
            Widened::Route,
            Box::new(set("/routes/3", "headers", json!(["X-Force"]))),
        ),
        (
            "kinds elsewhere",
            Widened::Route,
            Box::new(set("/routes/1", "kinds", json!(["path", "unseen"]))),
        ),
        (
            "kinds nowhere",
            Widened::Route,
            Box::new(set("/routes/0", "kinds", json!([]))),
        ),
        (
            "fields elsewhere",
            Widened::Route,
            Box::new(at("/routes/1/fields", json!("/fields"))),
        ),
        (
            "fields nowhere",
            Widened::Route,
            Box::new(without("/routes/1", "fields")),
        ),
        (
            "answers remembered",
            Widened::Route,
            Box::new(set("/routes/0", "cache", json!("schema"))),
        ),
        (
            "a change that may read as refused",
            Widened::Route,
            Box::new(set("/routes/2", "done_at", json!("/success"))),
        ),
        (
            "what is refused said elsewhere",
            Widened::Route,
            Box::new(at("/routes/3/done_at", json!("/errors"))),
        ),
        // What it was strict about goes by `/kind/{kind}/{id}` now, as a write.
        (
            "a stricter route gone",
            Widened::Route,
            Box::new(drop_at("/routes", 2)),
        ),
        (
            "a guarded kind gone",
            Widened::GuardedKind,
            Box::new(drop_at("/guarded_kinds", 0)),
        ),
        (
            "a guarded kind narrowed",
            Widened::GuardedKind,
            Box::new(at("/guarded_kinds/0", json!("UserRole*"))),
        ),
        (
            "none guarded",
            Widened::GuardedKind,
            Box::new(without("", "guarded_kinds")),
        ),
        (
            "an import",
            Widened::Import,
            Box::new(|one| one.imports.push("wasi:sockets/tcp@0.2.9".to_owned())),
        ),
        (
            "another name",
            Widened::Connector,
            Box::new(|one| {
                at("/name", json!("other"))(one);
                without("", "resources")(one);
            }),
        ),
    ];
    for (name, expected, edit) in edits {
        let found = found(edit);
        assert!(found.contains(&expected), "{name}: {found:?}");
        let all = found.iter().all(|one| *one == expected);
        // Who signs in otherwise altogether may be asked for other scopes, too.
        assert!(all || expected == Widened::SignIn, "{name}: {found:?}");
    }
}

#[test]
fn what_only_narrows_or_only_says_otherwise_is_not_wider() {
    type Edit = Box<dyn Fn(&mut Version)>;
    let edits: Vec<(&str, Edit)> = vec![
        ("nothing", Box::new(|_| {})),
        ("a later version", Box::new(at("/version", json!("9.0.0")))),
        ("other words", Box::new(at("/title", json!("Words")))),
        (
            "a tool that reads",
            Box::new(|one| one.tools.push(("list", "records", Effect::Read, true))),
        ),
        ("a tool gone", Box::new(|one| one.tools.truncate(2))),
        (
            "a tool may not be repeated",
            Box::new(|one| one.tools[0].3 = false),
        ),
        (
            "an origin narrowed",
            Box::new(at("/origins/0", json!("https://*.my.example.com"))),
        ),
        (
            "an origin in full",
            Box::new(at("/origins/0", json!("https://acme.example.com"))),
        ),
        ("a login gone", Box::new(drop_at("/auth/login", 0))),
        (
            "a login narrowed",
            Box::new(|one| {
                at(
                    "/auth/login/1/pattern",
                    json!("https://{domain}.eu.my.example.com"),
                )(one);
                at(
                    "/auth/login/1/also/0/means",
                    json!("https://{domain}.eu.my.example.com"),
                )(one);
                // What is pasted is compared to the letter.
                one.manifest["auth"]["login"]
                    .as_array_mut()
                    .unwrap()
                    .remove(1);
            }),
        ),
        (
            "a scope gone",
            Box::new(without("/auth/scopes", "optional")),
        ),
        (
            "a stale token gone",
            Box::new(at("/auth/stale_token", json!([]))),
        ),
        (
            "a refusal ends",
            Box::new(set("/auth/guidance/0", "passes", json!(false))),
        ),
        (
            "a method gone",
            Box::new(at("/routes/1/methods", json!(["PATCH"]))),
        ),
        ("a route gone", Box::new(drop_at("/routes", 4))),
        (
            "an effect raised",
            Box::new(at("/routes/4/effect", json!("write"))),
        ),
        ("a header gone", Box::new(without("/routes/0", "headers"))),
        (
            "nothing remembered",
            Box::new(without("/routes/5", "cache")),
        ),
        (
            "what was sent counts as made",
            Box::new(without("/routes/3", "done_at")),
        ),
        (
            "routes in another order",
            Box::new(|one| one.manifest["routes"].as_array_mut().unwrap().reverse()),
        ),
        (
            "a kind guarded",
            Box::new(with("/guarded_kinds", json!("Profile"))),
        ),
        (
            "a wider guard",
            Box::new(at("/guarded_kinds/0", json!("Use*"))),
        ),
        (
            "an import gone",
            Box::new(|one| drop(one.imports.remove(0))),
        ),
        (
            "a patch of WASI",
            Box::new(|one| one.imports[1] = "wasi:http/types@0.2.12".to_owned()),
        ),
    ];
    for (name, edit) in edits {
        let found = found(edit);
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}

#[test]
fn of_a_connector_that_is_new_everything_is_told() {
    let texts = version().wider_than(None);
    let texts: Vec<String> = texts.into_iter().map(|one| one.text).collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn a_member_that_nobody_compares_counts_as_wider() {
    let mut found = Vec::new();
    let [before, after] = [json!({"a": 1, "b": 1}), json!({"a": 2, "b": 2})];
    others(&before, &after, &["a"], "manifest", &mut found);
    let texts: Vec<&str> = found.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(
        texts,
        ["`b` of its manifest is another, which nothing here can weigh: it was `1`, and is `2`"]
    );
    found.clear();
    others(&json!({}), &json!({"c": null}), &[], "manifest", &mut found);
    assert_eq!(found.len(), 1, "what is new too");
    assert!(found[0].text.contains("it was not there, and is `null`"));
    found.clear();
    others(&json!(1), &json!(1), &[], "manifest", &mut found);
    assert_eq!(found.len(), 1, "what has no members cannot be compared");
}

/// What is compared by its members must have no others, or they would be compared by nobody.
#[test]
fn every_member_is_compared_or_told() {
    let manifest = Manifest::from_json(&version().manifest.to_string()).unwrap();
    let members = serde_json::to_value(&manifest).unwrap();
    for member in members.as_object().unwrap().keys() {
        assert!(COMPARED.contains(&member.as_str()), "{member}");
    }
}

#[test]
fn another_connector_of_the_same_name_is_told_from_a_version() {
    let manifest = |edit: &dyn Fn(&mut Version)| {
        let mut version = version();
        edit(&mut version);
        Manifest::from_json(&version.manifest.to_string()).unwrap()
    };
    let same = manifest(&|_| {});
    let moved = manifest(&|one| {
        at("/origins", json!(["https://*.example.com"]))(one);
        drop_at("/routes", 6)(one);
    });
    let elsewhere = manifest(&|one| {
        at("/origins", json!(["https://*.evil.example"]))(one);
        at("/auth/login/0/origin", json!("https://login.evil.example"))(one);
        drop_at("/routes", 6)(one);
    });
    let open = manifest(&at("/auth", json!({"kind": "none"})));
    assert_eq!(stranger(&same, &moved), None);
    assert_eq!(stranger(&moved, &same), None);
    assert!(stranger(&same, &elsewhere).is_some());
    assert!(stranger(&same, &open).is_some());
    assert!(stranger(&open, &same).is_some());
}

fn segment() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("a"),
        Just("b"),
        Just("A"),
        Just("{x}"),
        Just("{kind}"),
        Just("{id}")
    ]
}

fn route() -> impl Strategy<Value = RouteSpec> {
    let methods = prop::sample::subsequence(Method::ALL.to_vec(), 1..3);
    let effects = prop_oneof![
        Just(Effect::Read),
        Just(Effect::Write),
        Just(Effect::Destructive)
    ];
    let path = prop::collection::vec(segment(), 1..3);
    let headers = prop::sample::subsequence(vec!["X-A".to_owned(), "X-B".to_owned()], 0..2);
    (methods, effects, path, headers).prop_map(|(methods, effect, path, headers)| RouteSpec {
        methods,
        path: format!("/{}", path.join("/")),
        effect,
        kinds: None,
        fields: None,
        cache: None,
        headers,
        origin: None,
        finds_out: None,
        done_at: None,
        ids: Vec::new(),
        operation: None,
        token_at: None,
        parts: None,
    })
}

/// Routes that a manifest could have.
fn routes() -> impl Strategy<Value = Vec<RouteSpec>> {
    prop::collection::vec(route(), 1..5)
        .prop_filter("a manifest's", |routes| RouteTable::new(routes).is_ok())
}

/// Changes of routes as a next version has them: some gone, some with less, some new.
fn next(routes: Vec<RouteSpec>) -> impl Strategy<Value = (Vec<RouteSpec>, Vec<RouteSpec>)> {
    let kept = prop::collection::vec(0_u8..6, routes.len());
    let more = prop::option::weighted(0.2, route());
    (kept, more).prop_map(move |(fates, more)| {
        let mut after = Vec::new();
        for (route, fate) in routes.iter().zip(fates) {
            let mut route = route.clone();
            match fate {
                0 => continue,
                1 => route.effect = Effect::Destructive,
                2 => route.headers.clear(),
                3 => route.effect = Effect::Read,
                4 => route.methods.truncate(1),
                _ => {}
            }
            after.push(route);
        }
        after.extend(more);
        (routes.clone(), after)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the routes are: where nothing is found to be wider, every request that may be sent could be before, counted as no
    /// more, by the same names, with the same headers.
    #[test]
    fn what_is_not_found_to_be_wider_is_not(
        (before, after) in routes().prop_flat_map(next),
        paths in prop::collection::vec(prop::collection::vec(prop_oneof!["a", "b", "A", "c", "a%20"], 1..3), 12),
    ) {
        let mut found = Vec::new();
        routes::compare(&before, &after, &mut found);
        let (Ok(before), Ok(after)) = (RouteTable::new(&before), RouteTable::new(&after)) else {
            return Ok(());
        };
        if !found.is_empty() {
            return Ok(());
        }
        for path in paths {
            let Ok(path) = RequestPath::parse(&format!("/{}", path.join("/"))) else { continue };
            for method in Method::ALL {
                let Ok(now) = after.find(None, method, &path, None) else { continue };
                let Ok(was) = before.find(None, method, &path, None) else {
                    return Err(TestCaseError::fail(format!("{method} {path:?} was refused")));
                };
                prop_assert!(now.effect >= was.effect, "{method} {path:?}: {} after {}", now.effect, was.effect);
                prop_assert_eq!(now.template(), was.template());
                prop_assert!(now.route.headers.iter().all(|header| was.route.headers.contains(header)));
            }
        }
    }

    #[test]
    fn routes_compared_with_themselves_are_not_wider(routes in routes()) {
        let mut found = Vec::new();
        routes::compare(&routes, &routes, &mut found);
        prop_assert!(found.is_empty(), "{:?}", found);
    }

    #[test]
    fn a_pattern_covers_what_it_says(wide in "[*]?[ab]{1,2}[*]?", narrow in "[*]?[ab]{1,3}[*]?", name in "[ab]{1,4}") {
        let [wide, narrow] = [wide, narrow].map(|text| NamePattern::parse(&text).unwrap());
        prop_assert!(wide.covers(&wide));
        if wide.covers(&narrow) && narrow.matches(&name) {
            prop_assert!(wide.matches(&name));
        }
    }

    #[test]
    fn an_origin_covers_what_it_says(parts in prop::collection::vec(prop_oneof!["\\*\\.", ""], 2), names in prop::collection::vec("([ab]\\.){0,2}b\\.example", 3)) {
        let [wide, narrow] = [0, 1].map(|at| OriginPattern::parse(&format!("https://{}{}", parts[at], names[at])).unwrap());
        let origin = crate::Origin::parse(&format!("https://{}", names[2])).unwrap();
        prop_assert!(wide.covers(&wide));
        if wide.covers(&narrow) && narrow.matches(&origin) {
            prop_assert!(wide.matches(&origin));
        }
    }
}

#[test]
fn what_people_know_by_a_name_does_not_become_something_else() {
    let new_resource = json!({
        "uri": "example://kinds", "name": "kinds", "title": "Kinds", "description": "All kinds.",
        "read": {"tool": "get", "arguments": {"id": "kinds"}}
    });
    let new_prompt = json!({
        "name": "clean", "title": "Clean", "description": "Cleans.", "tools": ["delete"], "text": "Use `delete`."
    });
    let mut narrower = new_resource.clone();
    narrower["uri"] = json!("example://users/{id}");
    type Edit = Box<dyn FnOnce(&mut Version)>;
    let edits: Vec<(Edit, &[Widened])> = vec![
        // What is offered anew reaches no farther than its tools.
        (Box::new(with("/resources", new_resource)), &[]),
        (Box::new(with("/prompts", new_prompt)), &[]),
        (Box::new(at("/resources/0/title", json!("Another"))), &[]),
        (Box::new(at("/prompts/0/text", json!("Do use `get`."))), &[]),
        (Box::new(without("/resources/0", "complete")), &[]),
        (Box::new(drop_at("/prompts", 0)), &[]),
        // Another call behind an address, another reading of it, and one that takes its addresses.
        (
            Box::new(at("/resources/0/read/arguments/id", json!("{kind}"))),
            &[Widened::Resource],
        ),
        (
            Box::new(at("/resources/0/uri", json!("example://{id}/{kind}"))),
            &[Widened::Resource],
        ),
        (
            Box::new(at(
                "/resources/0/complete/id/call/arguments/id",
                json!("{kind}"),
            )),
            &[Widened::Resource],
        ),
        (Box::new(with("/resources", narrower)), &[Widened::Resource]),
        (Box::new(drop_at("/resources", 1)), &[Widened::Resource]),
        // A text that has agents change something.
        (
            Box::new(|one| {
                at("/prompts/0/tools", json!(["get", "put"]))(one);
                at("/prompts/0/text", json!("Use `get` and `put`."))(one);
            }),
            &[Widened::Prompt],
        ),
    ];
    for (number, (edit, expected)) in edits.into_iter().enumerate() {
        assert_eq!(found(edit), expected, "{number}");
    }
}
