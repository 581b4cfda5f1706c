#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;

use super::*;

fn spec(methods: &[Method], path: &str, effect: Effect) -> RouteSpec {
    RouteSpec {
        methods: methods.to_vec(),
        path: path.to_owned(),
        kinds: None,
        fields: None,
        effect,
        ids: Vec::new(),
        operation: None,
        token_at: None,
        parts: None,
        cache: None,
        headers: Vec::new(),
        origin: None,
        finds_out: None,
        done_at: None,
    }
}

fn table() -> RouteTable {
    use Effect::{Destructive, Read, Write};
    use Method::{Delete, Get, Patch, Post};
    RouteTable::new(&[
        spec(&[Get], "/", Read),
        spec(&[Get], "/data/{version}/query", Read),
        spec(&[Get], "/data/{version}/{resource}", Read),
        spec(&[Get], "/data/{version}/sobjects/{kind}/describe", Read),
        spec(&[Get], "/data/{version}/sobjects/{kind}/{id}", Read),
        spec(&[Patch], "/data/{version}/sobjects/{kind}/{id}", Write),
        spec(
            &[Delete],
            "/data/{version}/sobjects/{kind}/{id}",
            Destructive,
        ),
        spec(&[Post], "/data/{version}/purge/all", Destructive),
        spec(&[Get], "/data/{version}/purge/{id}", Read),
        spec(&[Post], "/data/{version}/{resource}/{id}", Read),
    ])
    .unwrap()
}

fn find(method: Method, path: &str) -> Result<(String, Effect), RouteRefusal> {
    let path = RequestPath::parse(path).unwrap();
    let table = table();
    let found = table.find(None, method, &path, None)?;
    Ok((found.template().to_owned(), found.effect))
}

#[test]
fn the_most_specific_route_takes_a_request() {
    use Method::{Get, Patch, Post};
    let template = |method, path| find(method, path).unwrap().0;
    assert_eq!(template(Get, "/"), "/");
    assert_eq!(template(Get, "/data/v1/query?q=x"), "/data/{version}/query");
    assert_eq!(
        template(Get, "/data/v1/limits"),
        "/data/{version}/{resource}"
    );
    assert_eq!(
        template(Get, "/data/v1/sobjects/Account/describe"),
        "/data/{version}/sobjects/{kind}/describe"
    );
    let found = find(Patch, "/data/v1/sobjects/Account/001").unwrap();
    assert_eq!(found.1, Effect::Write);
    assert_eq!(
        find(Post, "/data/v1/purge/all").unwrap().1,
        Effect::Destructive
    );
    assert_eq!(find(Post, "/data/v1/queue/7").unwrap().1, Effect::Read);
}

#[test]
fn what_is_declared_for_a_literal_is_not_to_be_had_by_a_parameter() {
    use Method::{Get, Post};
    // `/data/{version}/{resource}/{id}` declares a POST that reads; here it would purge.
    assert_eq!(
        find(Post, "/data/v1/purge/7"),
        Err(RouteRefusal::MethodNotDeclared)
    );
    assert_eq!(
        find(Get, "/data/v1/purge/all"),
        Err(RouteRefusal::MethodNotDeclared)
    );
    assert_eq!(
        find(Post, "/data/v1/Purge/all"),
        Err(RouteRefusal::UnknownPath)
    );
    assert_eq!(find(Get, "/data/v1/QUERY"), Err(RouteRefusal::UnknownPath));
    assert_eq!(
        find(Get, "/data/v1/sobjects/Account/DESCRIBE"),
        Err(RouteRefusal::UnknownPath)
    );
    assert_eq!(
        find(Get, "/data/v1/purge/ALL"),
        Err(RouteRefusal::UnknownPath)
    );
}

#[test]
fn a_literal_with_spaces_or_dots_around_it_is_no_parameter() {
    use Method::{Get, Post};
    // Services that drop them would purge, where `/data/{version}/{resource}/{id}` only reads.
    for name in [
        "purge%20",
        "purge.",
        "%20purge",
        "PURGE%20.%20",
        "purge%C2%A0",
    ] {
        assert_eq!(
            find(Post, &format!("/data/v1/{name}/all")),
            Err(RouteRefusal::UnknownPath),
            "{name}"
        );
    }
    assert_eq!(find(Get, "/data/v1/query."), Err(RouteRefusal::UnknownPath));
    assert!(find(Get, "/data/v1/sobjects/Account/Acme%20Inc.").is_ok());
}

#[test]
fn parameters_are_decoded_and_the_kind_is_known() {
    let path = RequestPath::parse("/data/v1/sobjects/My%20Kind/0%31").unwrap();
    let table = table();
    let found = table.find(None, Method::Get, &path, None).unwrap();
    assert_eq!(found.kind(), Some("My Kind"));
    assert_eq!(found.params[2], ("id".to_owned(), "01".to_owned()));
}

#[test]
fn origins_have_routes_of_their_own() {
    let files = Origin::parse("https://files.example.org").unwrap();
    let mut named = spec(&[Method::Get], "/file/{id}", Effect::Read);
    named.origin = Some(files.clone());
    let table = RouteTable::new(&[named, spec(&[Method::Get], "/a", Effect::Read)]).unwrap();
    let find = |origin, path| {
        let path = RequestPath::parse(path).unwrap();
        table
            .find(origin, Method::Get, &path, None)
            .map(|found| found.template().to_owned())
    };
    assert!(find(Some(&files), "/file/1").is_ok());
    assert!(find(None, "/file/1").is_err());
    assert!(find(Some(&files), "/a").is_err());
    assert!(find(None, "/a").is_ok());
}

fn operation(name: &str) -> Operation {
    Operation::try_from(format!("{{urn:service}}{name}")).unwrap()
}

#[test]
fn a_path_of_several_operations_has_a_route_for_each() {
    let of = |name: Option<&str>, effect| RouteSpec {
        operation: name.map(operation),
        ..spec(&[Method::Post], "/soap/{version}", effect)
    };
    let routes = [
        of(Some("find"), Effect::Read),
        of(Some("merge"), Effect::Destructive),
    ];
    let table = RouteTable::new(&routes).unwrap();
    let path = RequestPath::parse("/soap/v1").unwrap();
    let find = |operation: Option<&Operation>| {
        let found = table.find(None, Method::Post, &path, operation);
        found.map(|found| found.effect)
    };
    assert_eq!(find(None), Err(RouteRefusal::ByOperation));
    assert_eq!(find(Some(&operation("find"))), Ok(Effect::Read));
    assert_eq!(find(Some(&operation("merge"))), Ok(Effect::Destructive));
    let others = ["Merge", "find2", "delete"].map(operation);
    let foreign = Operation::try_from("{urn:other}find".to_owned()).unwrap();
    for other in others.iter().chain([&foreign]) {
        assert_eq!(find(Some(other)), Err(RouteRefusal::OperationNotDeclared));
    }
    let path = RequestPath::parse("/soap/v1").unwrap();
    assert_eq!(
        table.find(None, Method::Get, &path, None).unwrap_err(),
        RouteRefusal::MethodNotDeclared
    );
    // One without an operation would take all that the others are for.
    for (one, two) in [
        (Some("find"), Some("find")),
        (Some("find"), None),
        (None, Some("find")),
    ] {
        let routes = [of(one, Effect::Read), of(two, Effect::Destructive)];
        assert!(RouteTable::new(&routes).is_err(), "{one:?} {two:?}");
    }
    // A route that carries none is not found by one.
    let plain = RouteTable::new(&[of(None, Effect::Read)]).unwrap();
    let found = plain.find(None, Method::Post, &path, Some(&operation("find")));
    assert_eq!(found.unwrap_err(), RouteRefusal::OperationNotDeclared);
}

#[test]
fn templates_that_cannot_be_meant_are_refused() {
    for path in [
        "", "a", "/a//b", "/a/", "/a/{}", "/a/{B}", "/a/{b}c", "/{a}/{a}", "/a/..", "/a/.",
        "/a%20b", "/a?b", "/a b", "/a;b", "/{a", "/a}",
    ] {
        let routes = RouteTable::new(&[spec(&[Method::Get], path, Effect::Read)]);
        assert!(routes.is_err(), "{path}");
    }
    let twice = [
        spec(&[Method::Get], "/a/{b}", Effect::Read),
        spec(&[Method::Post, Method::Get], "/A/{c}", Effect::Write),
    ];
    assert_eq!(
        RouteTable::new(&twice).unwrap_err()[0].pointer,
        "/routes/1/path"
    );
}

/// The ways in which a path is disguised.
#[derive(Clone, Debug)]
enum Disguise {
    Encode(usize, bool),
    Case(usize),
    Insert(usize, &'static str),
    Append(&'static str),
}

fn disguise() -> impl Strategy<Value = Disguise> {
    let pieces = prop::sample::select(vec![
        "/", "/./", "/../", "%2f", "%2F..%2f", "//", "\\", "%5c", ";a=b", "%00", "%20", "%252f",
        ".", "%2e",
    ]);
    let ends = prop::sample::select(vec![
        "/",
        "?",
        "?_HttpMethod=GET",
        "?_method=get",
        "/.",
        "%20",
        "%00",
        ";x",
        "#",
        ".json",
    ]);
    prop_oneof![
        (0_usize..40, any::<bool>()).prop_map(|(at, lower)| Disguise::Encode(at, lower)),
        (0_usize..40).prop_map(Disguise::Case),
        (0_usize..40, pieces).prop_map(|(at, piece)| Disguise::Insert(at, piece)),
        ends.prop_map(Disguise::Append),
    ]
}

fn disguised(path: &str, disguises: &[Disguise]) -> String {
    let mut path = path.to_owned();
    for disguise in disguises {
        match disguise {
            Disguise::Encode(at, lower) => {
                let at = at % path.len();
                let byte = path.as_bytes()[at];
                let code = if *lower {
                    format!("%{byte:02x}")
                } else {
                    format!("%{byte:02X}")
                };
                path.replace_range(at..=at, &code);
            }
            Disguise::Case(at) => {
                let at = at % path.len();
                let byte = path.as_bytes()[at];
                let other = if byte.is_ascii_lowercase() {
                    byte.to_ascii_uppercase()
                } else {
                    byte.to_ascii_lowercase()
                };
                path.replace_range(at..=at, &char::from(other).to_string());
            }
            Disguise::Insert(at, piece) => path.insert_str(at % path.len(), piece),
            Disguise::Append(piece) => path.push_str(piece),
        }
    }
    path
}

/// Reads a path as the most lenient service would.
fn lenient(path: &str) -> Vec<String> {
    let mut path = path.split(['?', '#']).next().unwrap().to_owned();
    loop {
        let decoded = percent_encoding::percent_decode_str(&path)
            .decode_utf8_lossy()
            .into_owned();
        if decoded == path {
            break;
        }
        path = decoded;
    }
    let mut segments: Vec<String> = Vec::new();
    for segment in path.replace('\\', "/").split('/') {
        let segment = segment
            .split([';', '\0'])
            .next()
            .unwrap()
            .trim()
            .to_lowercase();
        let name = segment.trim_matches([' ', '.']);
        match (segment.as_str(), name) {
            ("..", _) => drop(segments.pop()),
            (_, "") => {}
            _ => segments.push(name.to_owned()),
        }
    }
    segments
}

proptest! {
    #[test]
    fn no_disguise_makes_a_request_less_than_it_is(
        disguises in prop::collection::vec(disguise(), 1..4),
        (method, path) in prop::sample::select(vec![
            (Method::Delete, "/data/v1/sobjects/Account/001"),
            (Method::Patch, "/data/v1/sobjects/Account/001"),
            (Method::Post, "/data/v1/purge/all"),
        ]),
    ) {
        let plain = find(method, path).unwrap();
        let other = disguised(path, &disguises);
        let Ok(parsed) = RequestPath::parse(&other) else { return Ok(()) };
        let table = table();
        let Ok(found) = table.find(None, method, &parsed, None) else { return Ok(()) };
        prop_assert!(found.effect >= method.floor());
        // If a service could take the disguised path for the plain one, the gate takes it so too.
        if lenient(&other) == lenient(path) {
            prop_assert_eq!(found.effect, plain.1, "{}", other);
        }
    }

    #[test]
    fn no_request_is_less_than_its_method(path in "/[a-z0-9/{}.]{0,30}", index in 0_usize..6) {
        let method = Method::ALL[index];
        if let Ok(path) = RequestPath::parse(&path)
            && let Ok(found) = table().find(None, method, &path, None)
        {
            prop_assert!(found.effect >= method.floor());
            prop_assert!(found.route.methods.contains(&method));
        }
    }
}
