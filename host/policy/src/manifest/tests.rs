#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn small() -> Value {
    json!({
        "name": "example", "title": "Example", "version": "0.1.0",
        "auth": {
            "kind": "oauth2", "pkce": true,
            "login": [{"id": "production", "title": "Production", "origin": "https://login.example.com"}],
            "authorize": "/authorize", "token": "/token",
            "scopes": {"default": ["records"]},
            "stale_token": [{"status": 401}]
        },
        "origins": ["https://*.example.com", "https://files.example.org"],
        "routes": [
            {"methods": ["GET"], "path": "/record/{id}", "effect": "read"},
            {"methods": ["POST"], "path": "/search", "effect": "read"},
            {"methods": ["GET"], "path": "/file/{id}", "effect": "read", "origin": "https://files.example.org"}
        ],
        "toolsets": {"records": "Records"}
    })
}

fn problems(edit: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut manifest = small();
    edit(&mut manifest);
    match Manifest::from_json(&manifest.to_string()) {
        Ok(_) => Vec::new(),
        Err(error) => error
            .problems
            .into_iter()
            .map(|problem| problem.pointer)
            .collect(),
    }
}

#[test]
fn the_projects_own_manifests_fit() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../");
    for path in [
        "connector/salesforce/manifest.json",
        "connector/sdk/examples/contents.json",
        "connector/sdk/examples/fetch.json",
        "connector/sdk/examples/hello.json",
    ] {
        let text = std::fs::read_to_string(format!("{root}{path}")).unwrap();
        let manifest = Manifest::from_json(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let again = serde_json::to_string(&manifest).unwrap();
        assert_eq!(Manifest::from_json(&again), Ok(manifest));
    }
}

#[test]
fn what_a_manifest_cannot_do_is_refused_with_its_place() {
    assert_eq!(problems(|_| {}), [""; 0]);
    let cases: [(&str, Value, &str); 27] = [
        ("/name", json!("Example"), "/name"),
        ("/version", json!("1"), "/version"),
        ("/title", json!(""), "/title"),
        ("/surprise", json!(1), ""),
        ("/auth/kind", json!("password"), "/auth/kind"),
        ("/auth/pkce", json!("yes"), "/auth/pkce"),
        ("/auth/login", json!([]), "/auth/login"),
        (
            "/auth/login/0/origin",
            json!("http://login.example.com"),
            "/auth/login/0/origin",
        ),
        (
            "/auth/login/0/pattern",
            json!("https://{domain}.example.com"),
            "/auth/login/0",
        ),
        ("/auth/authorize", json!("authorize"), "/auth/authorize"),
        ("/auth/token", json!("/a/../token"), "/auth/token"),
        (
            "/auth/stale_token/0/status",
            json!(200),
            "/auth/stale_token/0/status",
        ),
        ("/origins/0", json!("http://*.example.com"), "/origins/0"),
        ("/origins/0", json!("https://*.com"), "/origins/0"),
        ("/origins/1", json!("https://2130706433"), "/origins/1"),
        (
            "/auth/login/0/origin",
            json!("https://login.example.com:0"),
            "/auth/login/0/origin",
        ),
        (
            "/routes/2/origin",
            json!("https://files..example.org"),
            "/routes/2/origin",
        ),
        ("/routes/0/methods", json!([]), "/routes/0/methods"),
        ("/routes/0/methods", json!(["TRACE"]), "/routes/0/methods/0"),
        ("/routes/0/methods", json!(["DELETE"]), "/routes/0/effect"),
        ("/routes/0/methods", json!(["PUT"]), "/routes/0/effect"),
        ("/routes/0/path", json!("/record/{Id}"), "/routes/0/path"),
        ("/routes/0/path", json!("/search"), ""),
        (
            "/routes/0/headers",
            json!(["Authorization"]),
            "/routes/0/headers/0",
        ),
        ("/routes/0/cache", json!("data"), "/routes/0/cache"),
        (
            "/routes/2/origin",
            json!("https://evil.example.org"),
            "/routes/2/origin",
        ),
        (
            "/routes/2/origin",
            json!("https://*.example.com"),
            "/routes/2/origin",
        ),
    ];
    for (pointer, value, place) in cases {
        let found = problems(|manifest| {
            let (parent, member) = pointer.rsplit_once('/').unwrap();
            let parent = manifest.pointer_mut(parent).unwrap();
            match parent {
                Value::Array(items) => items[member.parse::<usize>().unwrap()] = value.clone(),
                parent => parent[member] = value.clone(),
            }
        });
        let is_valid_route = pointer == "/routes/0/path" && value == json!("/search");
        match is_valid_route {
            // GET beside POST of the same path is no contradiction.
            true => assert!(found.is_empty()),
            false => assert!(
                found.contains(&place.to_owned()),
                "{pointer} {value}: {found:?}"
            ),
        }
    }
}

#[test]
fn every_problem_is_said_at_once() {
    let text = r#"{"name": "Salesforce!", "title": "x", "version": "one", "auth": {"kind": "none"},
        "origins": [], "routes": [{"methods": ["GET"], "path": "a", "effect": "look"}], "toolsets": {}}"#;
    insta::assert_snapshot!(Manifest::from_json(text).unwrap_err());
    insta::assert_snapshot!(Manifest::from_json("{\n  \"name\": }").unwrap_err());
    let floors = problems(|manifest| {
        manifest["routes"][0]["methods"] = json!(["GET", "DELETE"]);
        manifest["routes"][2]["origin"] = json!("https://evil.example.org");
    });
    assert_eq!(floors, ["/routes/0/effect", "/routes/2/origin"]);
}

#[test]
fn a_route_that_changes_says_which_call_finds_out() {
    let named = |effect: &str, finds_out: Value| {
        problems(|manifest| {
            manifest["routes"][1]["effect"] = json!(effect);
            manifest["routes"][1]["finds_out"] = finds_out;
        })
    };
    let get = |arguments: Value| json!({"tool": "get", "arguments": arguments});
    assert_eq!(named("write", get(json!({"id": "{id}"}))), [""; 0]);
    let at = "/routes/1/finds_out";
    for (effect, finds_out, expected) in [
        ("read", get(json!({})), at.to_owned()),
        ("write", json!({"tool": "get"}), at.to_owned()),
        (
            "write",
            json!({"tool": "Get it", "arguments": {}}),
            format!("{at}/tool"),
        ),
        ("write", get(json!([])), format!("{at}/arguments")),
        (
            "write",
            get(json!({"id": "{name}"})),
            format!("{at}/arguments/id"),
        ),
        (
            "write",
            json!({"tool": "get", "arguments": {}, "once": true}),
            at.to_owned(),
        ),
    ] {
        assert_eq!(named(effect, finds_out.clone()), [expected], "{finds_out}");
    }
}

#[test]
fn a_route_that_changes_says_where_its_answer_says_that_it_did() {
    let found = |effect: &str, operation: Option<&str>, done_at: Value| {
        problems(|manifest| {
            let route = &mut manifest["routes"][1];
            route["effect"] = json!(effect);
            route["done_at"] = done_at.clone();
            if let Some(operation) = operation {
                route["operation"] = json!(operation);
            }
        })
    };
    let at = ["/routes/1/done_at"];
    let soap = Some("{urn:service}undelete");
    let element = json!("Envelope/Body/undeleteResponse/result/success");
    assert_eq!(found("write", None, json!("/*/success")), [""; 0]);
    assert_eq!(found("write", None, element.clone()), [""; 0]);
    assert_eq!(found("destructive", soap, element.clone()), [""; 0]);
    // An operation is answered in XML, what only reads changes nothing, and the whole answer says nothing.
    assert_eq!(found("write", soap, json!("/*/success")), at);
    assert_eq!(found("read", soap, element), at);
    for text in ["", "success", "/", "a//b", "a/b[1]"] {
        assert_eq!(found("write", None, json!(text)), at, "{text}");
    }
}

#[test]
fn posts_that_are_said_to_read_are_listed() {
    let manifest = Manifest::from_json(&small().to_string()).unwrap();
    let posts: Vec<&str> = manifest
        .posts_declared_read()
        .into_iter()
        .map(|route| route.path.as_str())
        .collect();
    assert_eq!(posts, ["/search"]);
}

/// What makes a route, and the words by which it is accepted.
type Route<'a> = (&'a dyn Fn(&mut Value), &'a str);

/// The attack: what was accepted of one operation, origin or list of requests is taken for another at the same path.
#[test]
fn what_is_accepted_of_a_path_is_not_accepted_of_another_request_there() {
    let missing = |route: &dyn Fn(&mut Value), accepted: &[&str]| {
        let mut manifest = small();
        manifest["origins"] = json!(["https://*.example.com", "https://files.example.org"]);
        let mut post = json!({"methods": ["POST"], "path": "/all", "effect": "read", "kinds": []});
        route(&mut post);
        manifest["routes"].as_array_mut().unwrap().push(post);
        let manifest = Manifest::from_json(&manifest.to_string()).unwrap();
        manifest.not_accepted(&[accepted, &["POST /search"]].concat())
    };
    let operation = |name: &'static str| {
        move |route: &mut Value| {
            route["kinds"] = json!(["unseen"]);
            route["operation"] = json!(format!("{{urn:service}}{name}"));
        }
    };
    let elsewhere = |route: &mut Value| route["origin"] = json!("https://files.example.org");
    let carrying = |route: &mut Value| route["parts"] = json!({"at": "/all/*"});
    let plain = |_: &mut Value| {};
    let routes: [Route<'_>; 5] = [
        (&plain, "POST /all"),
        (&operation("query"), "POST /all ({urn:service}query)"),
        (&operation("delete"), "POST /all ({urn:service}delete)"),
        (&elsewhere, "POST https://files.example.org/all"),
        (&carrying, "POST /all (carries requests)"),
    ];
    for (route, words) in routes {
        assert_eq!(missing(route, &[words]), [""; 0], "{words}");
        let mut others: Vec<&str> = routes.iter().map(|(_, words)| *words).collect();
        others.retain(|other| *other != words);
        others.extend(["/all", "", "*"]);
        assert_eq!(missing(route, &others), [words]);
    }
}

#[test]
fn keys_stand_in_a_header_or_a_query() {
    for (auth, place) in [
        (
            json!({"kind": "api_key", "header": "X-Key"}),
            ApiKeyPlace::Header("X-Key".to_owned()),
        ),
        (
            json!({"kind": "api_key", "query": "key"}),
            ApiKeyPlace::Query("key".to_owned()),
        ),
    ] {
        let mut manifest = small();
        manifest["auth"] = auth;
        let manifest = Manifest::from_json(&manifest.to_string()).unwrap();
        let Auth::ApiKey(key) = manifest.auth else {
            panic!("no key")
        };
        assert_eq!(key.place, place);
    }
    assert!(!problems(|manifest| manifest["auth"] = json!({"kind": "api_key"})).is_empty());
    let both = json!({"kind": "api_key", "header": "X-Key", "query": "key"});
    assert!(!problems(|manifest| manifest["auth"] = both).is_empty());
    let host = json!({"kind": "api_key", "header": "Host"});
    assert!(!problems(|manifest| manifest["auth"] = host).is_empty());
    let accept = json!({"kind": "api_key", "header": "Accept"});
    assert_eq!(
        problems(|manifest| manifest["auth"] = accept),
        ["/auth/header"]
    );
    let method = json!({"kind": "api_key", "query": "_method"});
    assert_eq!(
        problems(|manifest| manifest["auth"] = method),
        ["/auth/query"]
    );
    let far = json!({"kind": "api_key", "header": "X-Key", "origin": "https://1.2"});
    assert_eq!(
        problems(|manifest| manifest["auth"] = far),
        ["/auth/origin"]
    );
    let declared = problems(|manifest| {
        manifest["auth"] = json!({"kind": "api_key", "header": "X-Key"});
        manifest["routes"][1]["headers"] = json!(["x-key"]);
    });
    assert_eq!(declared, ["/routes/1/headers/0"]);
}

#[test]
fn a_login_of_each_customer_is_below_one_name() {
    let at = |pattern: &str| {
        let login = json!([{"id": "own", "title": "Own", "pattern": pattern}]);
        problems(|manifest| manifest["auth"]["login"] = login)
    };
    assert_eq!(at("https://{domain}.example.com"), [""; 0]);
    for wide in [
        "https://{domain}.com",
        "https://{domain}.1.2.3.4",
        "https://{domain}.a..b",
    ] {
        assert_eq!(at(wide), ["/auth/login/0/pattern"], "{wide}");
    }
}

/// The problems of the small manifest with a member of its `auth` in place of what was there.
fn of_auth(member: &str, value: Value) -> Vec<String> {
    problems(|manifest| manifest["auth"][member] = value)
}

#[test]
fn what_people_paste_leads_to_the_login_that_names_it() {
    let with = |also: Value| {
        let own = json!({"id": "own", "title": "Own", "pattern": "https://{domain}.my.example.com", "also": also});
        of_auth("login", json!([own]))
    };
    let narrow =
        json!({"pattern": "https://{domain}.box.my.example.com", "environment": "sandbox"});
    let page = json!({"pattern": "https://{domain}.page.example.com", "means": "https://{domain}.my.example.com"});
    let page_of_box = json!({"pattern": "https://{domain}.box.page.example.com", "means": "https://{domain}.box.my.example.com"});
    let of_package = json!({"pattern": "https://{domain}--{package}.{box}.page.example.com", "means": "https://{domain}.{box}.my.example.com"});
    assert_eq!(
        with(json!([narrow, page_of_box, of_package, page])),
        [""; 0]
    );
    assert_eq!(
        with(json!([page, of_package])),
        ["/auth/login/0/also/1/pattern"]
    );
    assert_eq!(
        with(json!([page, page_of_box])),
        ["/auth/login/0/also/1/pattern"]
    );
    assert_eq!(with(json!([page, page])), ["/auth/login/0/also/1/pattern"]);
    for (also, place) in [
        (
            json!({"pattern": "https://{domain}.evil.example"}),
            "pattern",
        ),
        (
            json!({"pattern": "https://{domain}.page.example.com", "means": "https://{domain}.evil.example"}),
            "means",
        ),
        (
            json!({"pattern": "https://{domain}.page.example.com", "means": "https://{org}.my.example.com"}),
            "means",
        ),
        (
            json!({"pattern": "https://{domain}.page.example.com", "means": "https://{domain}.{box}.my.example.com"}),
            "means",
        ),
        (json!({"pattern": "https://{domain}.com"}), "pattern"),
        (
            json!({"pattern": "https://{domain}.page.example.com", "means": "https://{domain}.1.2.3.4"}),
            "means",
        ),
    ] {
        let place = format!("/auth/login/0/also/0/{place}");
        assert_eq!(with(json!([also])), [place], "{also}");
    }
    let at_one = |also: Value| {
        let one = json!({"id": "one", "title": "One", "origin": "https://login.example.com", "also": [also]});
        of_auth("login", json!([one]))
    };
    assert_eq!(
        at_one(json!({"pattern": "https://{server}.node.example.com"})),
        [""; 0]
    );
    assert_eq!(at_one(page), ["/auth/login/0/also/0/means"]);
}

#[test]
fn what_names_no_login_says_what_it_is() {
    let with = |entries: Value| of_auth("unclear", entries);
    let entry = |pattern: &str| json!({"pattern": pattern, "what": "a server that many share", "hint": "give your own"});
    let server = entry("https://{server}.example.com");
    let node = entry("https://{server}.node.example.com");
    assert_eq!(with(json!([node, server])), [""; 0]);
    assert_eq!(with(json!([server, node])), ["/auth/unclear/1/pattern"]);
    assert_eq!(
        with(json!([entry("https://{server}.com")])),
        ["/auth/unclear/0/pattern"]
    );
    let mut silent = node;
    silent["hint"] = json!("");
    assert_eq!(with(json!([silent])), ["/auth/unclear/0/hint"]);
}

#[test]
fn scopes_that_are_spoken_of_are_declared() {
    let scopes = json!({"default": ["records"], "optional": ["stay"], "refresh": "stay", "explain": {"records": "Read records."}});
    assert_eq!(of_auth("scopes", scopes.clone()), [""; 0]);
    let mut wrong = scopes.clone();
    wrong["refresh"] = json!("forever");
    wrong["explain"]["files/all"] = json!("Read files.");
    assert_eq!(
        of_auth("scopes", wrong),
        ["/auth/scopes/refresh", "/auth/scopes/explain/files~1all"]
    );
    let mut silent = scopes;
    silent["explain"]["records"] = json!("");
    assert_eq!(of_auth("scopes", silent), ["/auth/scopes/explain/records"]);
}

#[test]
fn guidance_is_reached_and_leads_to_the_service() {
    let with = |entries: Value| of_auth("guidance", entries);
    let page = json!({"title": "Apps", "path": "/setup/apps?filter=all"});
    let entry = json!({"match": "denied", "where": ["token", "page"], "title": "Denied", "person": ["Give {callback}."],
        "administrator": ["Let {client_id} in."], "setup": page});
    let old = json!({"match": "old", "title": "Old", "steps": ["Wait."]});
    assert_eq!(with(json!([entry, old])), [""; 0]);
    assert_eq!(
        with(json!([{"match": "x", "title": "x"}])),
        ["/auth/guidance/0"]
    );
    for (member, value, place) in [
        ("where", json!(["elsewhere"]), "where/0"),
        ("passes", json!("later"), "passes"),
        ("where", json!([]), "where"),
        ("person", json!([]), "person"),
        ("person", json!(["Give {secret}."]), "person/0"),
        (
            "administrator",
            json!(["x", "Give {callback."]),
            "administrator/1",
        ),
        (
            "setup",
            json!({"title": "Apps", "path": "//evil.example/x"}),
            "setup/path",
        ),
        (
            "setup",
            json!({"title": "Apps", "path": "/a/../b"}),
            "setup/path",
        ),
        (
            "setup",
            json!({"title": "Apps", "path": "https://evil.example"}),
            "setup/path",
        ),
    ] {
        let mut wrong = entry.clone();
        wrong[member] = value;
        assert_eq!(
            with(json!([wrong])),
            [format!("/auth/guidance/0/{place}")],
            "{wrong}"
        );
    }

    let narrower = |places: Value| json!({"match": "access_DENIED", "where": places, "title": "x", "steps": ["x"]});
    let hidden = ["/auth/guidance/1/match"];
    assert_eq!(with(json!([entry, narrower(json!(["token"]))])), hidden);
    assert_eq!(
        with(json!([entry, narrower(json!(["token", "call"]))])),
        [""; 0]
    );
    assert_eq!(with(json!([narrower(json!(["token"])), entry])), [""; 0]);
    assert_eq!(with(json!([old, old])), hidden);
}

#[test]
fn an_error_is_found_by_its_place_and_its_words() {
    let mut manifest = small();
    manifest["auth"]["guidance"] = json!([
        {"match": "Ip Restricted", "where": ["token"], "passes": true, "title": "x", "steps": ["x"]},
        {"match": "x", "title": "y", "steps": ["y"]},
    ]);
    let manifest = Manifest::from_json(&manifest.to_string()).unwrap();
    let Auth::OAuth2(auth) = manifest.auth else {
        panic!("no OAuth")
    };
    let [there, anywhere] = &auth.guidance[..] else {
        panic!("not two")
    };
    assert!(there.is_about(ErrorPlace::Token, "invalid_grant: ip restricted"));
    assert!(!there.is_about(ErrorPlace::Call, "ip restricted"));
    assert!(!there.is_about(ErrorPlace::Token, "restricted"));
    assert!(anywhere.is_about(ErrorPlace::Call, "eXit"));
    assert!(there.passes && !anywhere.passes);
    // Who says nothing of grants is taken at the worst.
    assert_eq!(auth.grants, Grants::Shared);
}

#[test]
fn the_schema_explains_every_member_to_authors() {
    fn unexplained(schema: &Value, place: &str, found: &mut Vec<String>) {
        if let Some(members) = schema["properties"].as_object() {
            for (name, member) in members {
                let is_plain = member.is_object() && member.get("const").is_none();
                if is_plain && !member["description"].is_string() {
                    found.push(format!("{place}/{name}"));
                }
            }
        }
        match schema {
            Value::Object(members) => members
                .iter()
                .for_each(|(name, value)| unexplained(value, &format!("{place}/{name}"), found)),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(at, value)| unexplained(value, &format!("{place}/{at}"), found)),
            _ => {}
        }
    }
    let schema: Value = serde_json::from_str(MANIFEST_SCHEMA).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    let mut found = Vec::new();
    unexplained(&schema, "", &mut found);
    assert_eq!(found, [""; 0]);
}

#[test]
fn members_of_later_versions_are_refused_by_name() {
    for member in ["redirects", "retries"] {
        let found = problems(|manifest| manifest["routes"][0][member] = json!("x"));
        assert_eq!(found, ["/routes/0"], "{member}");
    }
}

#[test]
fn an_operation_stands_in_a_message_and_the_token_in_its_header() {
    let soap = || {
        json!({
            "methods": ["POST"], "path": "/soap/{version}", "effect": "destructive", "kinds": ["unseen"],
            "operation": "{urn:service}merge", "token_at": "Envelope/Header/Session/id",
            "ids": ["Envelope/Body/merge/keep", "Envelope/Body/merge/lose"]
        })
    };
    let with = |edits: &[(&str, Value)]| {
        problems(|manifest| {
            let mut route = soap();
            for (member, value) in edits {
                route[*member] = value.clone();
            }
            manifest["routes"][0] = route;
        })
    };
    assert_eq!(with(&[]), [""; 0]);
    for (member, value, place) in [
        ("operation", json!("merge"), "/routes/0/operation"),
        ("operation", json!("{}merge"), "/routes/0/operation"),
        (
            "operation",
            json!("{urn:service}a b"),
            "/routes/0/operation",
        ),
        ("methods", json!(["POST", "PUT"]), "/routes/0/operation"),
        ("fields", json!("/a"), "/routes/0/operation"),
        ("kinds", json!(["/type"]), "/routes/0/operation"),
        (
            "token_at",
            json!("Envelope/Body/merge/token"),
            "/routes/0/token_at",
        ),
        (
            "token_at",
            json!("/Envelope/Header/id"),
            "/routes/0/token_at",
        ),
        ("token_at", json!("Envelope/Header"), "/routes/0/token_at"),
        (
            "origin",
            json!("https://files.example.org"),
            "/routes/0/token_at",
        ),
        ("ids", json!(["/records/*/id"]), "/routes/0/ids/0"),
        ("ids", json!(["?"]), "/routes/0/ids/0"),
        ("path", json!("/soap/{id}"), "/routes/0/ids/0"),
    ] {
        let found = with(&[(member, value.clone())]);
        assert!(
            found.contains(&place.to_owned()),
            "{member} {value}: {found:?}"
        );
    }
    let mut alone = soap();
    alone.as_object_mut().unwrap().remove("operation");
    let found = problems(|manifest| manifest["routes"][0] = alone);
    assert!(
        found.contains(&"/routes/0/token_at".to_owned()),
        "{found:?}"
    );
    assert!(found.contains(&"/routes/0/ids/0".to_owned()), "{found:?}");
    // Where there is no token, none stands in a message.
    let found = problems(|manifest| {
        manifest["auth"] = json!({"kind": "none"});
        manifest["routes"][0] = soap();
    });
    assert_eq!(found, ["/routes/0/token_at"]);
    // A list of records in JSON, and in a query.
    let found = problems(|manifest| {
        manifest["routes"][0] = json!({
            "methods": ["PATCH"], "path": "/records", "effect": "write", "kinds": ["/records/*/type"], "fields": "/records/*",
            "ids": ["/records/*/id"]
        });
        manifest["routes"][1] = json!({
            "methods": ["DELETE"], "path": "/records", "effect": "destructive", "kinds": ["unseen"], "ids": ["?ids"]
        });
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_route_that_carries_requests_is_nothing_besides() {
    let carrying = || {
        json!({
            "methods": ["POST"], "path": "/batch", "effect": "read", "kinds": [],
            "parts": { "at": "/all/*", "base": "/services/data/" }
        })
    };
    let with = |member: &str, value: Value| {
        problems(|manifest| {
            let mut route = carrying();
            route[member] = value;
            manifest["routes"][0] = route;
        })
    };
    assert_eq!(with("kinds", json!(["unseen"])), [""; 0]);
    for parts in [
        json!({ "at": "/*" }),
        json!({ "at": "/a/b/*", "base": "/" }),
    ] {
        assert_eq!(with("parts", parts.clone()), [""; 0], "{parts}");
    }
    for (member, value, place) in [
        ("methods", json!(["GET"]), "/routes/0/parts"),
        ("methods", json!(["POST", "PUT"]), "/routes/0/parts"),
        ("effect", json!("write"), "/routes/0/effect"),
        ("effect", json!("destructive"), "/routes/0/effect"),
        ("kinds", json!(["/type"]), "/routes/0/parts"),
        ("ids", json!(["/all/*/id"]), "/routes/0/parts"),
        ("operation", json!("{urn:a}b"), "/routes/0/parts"),
        ("parts", json!({}), "/routes/0/parts"),
        ("parts", json!({ "at": "" }), "/routes/0/parts/at"),
        ("parts", json!({ "at": "/all" }), "/routes/0/parts/at"),
        ("parts", json!({ "at": "/*/*" }), "/routes/0/parts/at"),
        ("parts", json!({ "at": "/*/all/*" }), "/routes/0/parts/at"),
        ("parts", json!({ "at": "all/*" }), "/routes/0/parts/at"),
        (
            "parts",
            json!({ "at": "/*", "base": "data/" }),
            "/routes/0/parts/base",
        ),
        (
            "parts",
            json!({ "at": "/*", "base": "//evil.example/" }),
            "/routes/0/parts/base",
        ),
        (
            "parts",
            json!({ "at": "/*", "base": "https://evil.example/" }),
            "/routes/0/parts/base",
        ),
        (
            "parts",
            json!({ "at": "/*", "base": "/a/../b/" }),
            "/routes/0/parts/base",
        ),
        (
            "parts",
            json!({ "at": "/*", "base": "/a?b=" }),
            "/routes/0/parts/base",
        ),
        (
            "parts",
            json!({ "at": "/*", "method": "verb" }),
            "/routes/0/parts",
        ),
    ] {
        let found = with(member, value.clone());
        assert!(
            found.contains(&place.to_owned()),
            "{member} {value}: {found:?}"
        );
    }
}

#[test]
fn a_stale_token_is_told_by_a_fault_too() {
    let stale = StaleToken {
        status: 500,
        code: Some("INVALID_SESSION_ID".to_owned()),
        message: Some("Invalid Session ID".to_owned()),
    };
    let fault = |code: &str, words: &str| {
        format!(
            "<e:Envelope xmlns:e=\"urn:e\" xmlns:sf=\"urn:sf\"><e:Body><e:Fault><faultcode>sf:{code}</faultcode><faultstring>{words}</faultstring></e:Fault></e:Body></e:Envelope>"
        )
    };
    let matches = |text: &str| stale.matches(500, text.as_bytes());
    assert!(matches(&fault(
        "INVALID_SESSION_ID",
        "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader"
    )));
    assert!(!matches(&fault("INVALID_SESSION_ID", "something else")));
    assert!(!matches(&fault(
        "UNKNOWN",
        "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader"
    )));
    // What a record holds is no fault.
    assert!(!matches(
        "<a><Name>INVALID_SESSION_ID</Name><b>Invalid Session ID</b></a>"
    ));
    assert!(!matches("<a><faultcode>INVALID_SESSION_ID</faultcode>"));
}

#[test]
fn a_stale_token_is_told_by_status_code_and_message() {
    let stale = StaleToken {
        status: 401,
        code: Some("INVALID_SESSION_ID".to_owned()),
        message: Some("expired".to_owned()),
    };
    let body = br#"[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]"#;
    assert!(stale.matches(401, body));
    assert!(!stale.matches(403, body));
    assert!(!stale.matches(
        401,
        br#"[{"message":"wrong","errorCode":"INVALID_SESSION_ID"}]"#
    ));
    assert!(!stale.matches(
        401,
        br#"[{"message":"expired","errorCode":"INVALID_AUTH_HEADER"}]"#
    ));
    assert!(!stale.matches(401, b"<html>expired</html>"));
    assert!(!stale.matches(401, b"null"));
    let any = StaleToken {
        status: 401,
        code: None,
        message: None,
    };
    assert!(any.matches(401, b"") && !any.matches(400, b""));
}

proptest! {
    #[test]
    fn no_text_panics(text in ".{0,60}") {
        let _ = Manifest::from_json(&text);
    }
}
