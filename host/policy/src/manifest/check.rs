//! What a schema cannot say of a manifest.

use serde_json::Value;

use super::{LoginPattern, Manifest, Problem, RouteSpec, UriTemplate, prompt, resource};
use crate::{
    DonePlace, Effect, IdPlace, KindPlace, Method, Origin, OriginPattern, RequestPath, RouteTable,
    is_reserved,
};

mod auth;

/// Finds every text that is no origin, no pattern of a login and no address of a resource. It looks at the JSON, for a type that holds
/// one is not made of a wrong one, and would stop at the first.
pub(super) fn check_addresses(manifest: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut add = |pointer: String, error: Option<String>| {
        problems.extend(error.map(|problem| Problem { pointer, problem }));
    };
    let of_origin = |text: &Value| {
        let error = Origin::parse(text.as_str()?).err()?;
        Some(error.to_string())
    };
    let of_login = |text: &Value| {
        let error = LoginPattern::parse(text.as_str()?).err()?;
        Some(error.to_string())
    };
    for (index, pattern) in items(&manifest["origins"]) {
        let error = pattern
            .as_str()
            .and_then(|text| OriginPattern::parse(text).err());
        add(
            format!("/origins/{index}"),
            error.map(|error| error.to_string()),
        );
    }
    for (index, login) in items(&manifest["auth"]["login"]) {
        add(
            format!("/auth/login/{index}/origin"),
            of_origin(&login["origin"]),
        );
        add(
            format!("/auth/login/{index}/pattern"),
            of_login(&login["pattern"]),
        );
        for (at, also) in items(&login["also"]) {
            for member in ["pattern", "means"] {
                add(
                    format!("/auth/login/{index}/also/{at}/{member}"),
                    of_login(&also[member]),
                );
            }
        }
    }
    for (index, unclear) in items(&manifest["auth"]["unclear"]) {
        add(
            format!("/auth/unclear/{index}/pattern"),
            of_login(&unclear["pattern"]),
        );
    }
    add(
        "/auth/origin".to_owned(),
        of_origin(&manifest["auth"]["origin"]),
    );
    for (index, route) in items(&manifest["routes"]) {
        add(
            format!("/routes/{index}/origin"),
            of_origin(&route["origin"]),
        );
    }
    for (index, resource) in items(&manifest["resources"]) {
        let uri = resource["uri"].as_str();
        let error = uri.and_then(|text| UriTemplate::parse(text).err());
        add(
            format!("/resources/{index}/uri"),
            error.map(|error| error.to_string()),
        );
    }
    problems
}

fn items(list: &Value) -> impl Iterator<Item = (usize, &Value)> {
    list.as_array().into_iter().flatten().enumerate()
}

/// Finds every problem.
pub(super) fn check(manifest: &Manifest) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, route) in manifest.routes.iter().enumerate() {
        check_route(index, route, &manifest.origins, &mut problems);
    }
    if let Err(found) = RouteTable::new(&manifest.routes) {
        problems.extend(found);
    }
    auth::check(manifest, &mut problems);
    resource::check(manifest, &mut problems);
    prompt::check(manifest, &mut problems);
    problems
}

fn check_route(
    index: usize,
    route: &RouteSpec,
    origins: &[OriginPattern],
    problems: &mut Vec<Problem>,
) {
    let mut add = |member: &str, problem: String| {
        problems.push(Problem {
            pointer: format!("/routes/{index}/{member}"),
            problem,
        });
    };
    for method in &route.methods {
        if !route.effect.admits(method.floor()) {
            let (effect, floor) = (route.effect, method.floor());
            add(
                "effect",
                format!("{method} is at least `{floor}`; `{effect}` is less"),
            );
        }
    }
    let of_body = problems_of_kinds(route).into_iter();
    let of_body = of_body.chain(problems_of_message(route));
    for (member, problem) in of_body.chain(problems_of_parts(route)) {
        add(&member, problem.to_owned());
    }
    for (at, header) in route.headers.iter().enumerate() {
        if is_reserved(header) {
            add(
                &format!("headers/{at}"),
                format!("`{header}` is the host's alone; leave it out"),
            );
        }
    }
    if route.finds_out.is_some() && route.effect == Effect::Read {
        let problem = "a request that only reads leaves nothing to find out";
        add("finds_out", problem.to_owned());
    }
    if let Some(problem) = problem_of_done(route) {
        add("done_at", problem.to_owned());
    }
    if let Some(origin) = &route.origin
        && !origins
            .iter()
            .any(|pattern| pattern.exact() == Some(origin))
    {
        add(
            "origin",
            format!("`{origin}` must be named in full among the manifest's `origins`"),
        );
    }
    if let Some(finds_out) = &route.finds_out {
        problems.extend(finds_out.problems(&format!("/routes/{index}/finds_out")));
    }
}

/// Holds the place of what an answer says to be in an answer that says it.
fn problem_of_done(route: &RouteSpec) -> Option<&'static str> {
    let is_json = matches!(route.done_at.as_ref()?, DonePlace::Json(_));
    if route.effect == Effect::Read {
        return Some("a request that only reads makes no change");
    }
    (is_json && route.operation.is_some())
        .then_some("an operation is answered in XML: name the elements on the way")
}

/// Holds what a route says of its kinds to be there, and the kind in its path to be counted.
fn problems_of_kinds(route: &RouteSpec) -> Vec<(String, &'static str)> {
    let mut problems = Vec::new();
    let has_body = |method: &Method| matches!(method, Method::Post | Method::Put | Method::Patch);
    let has_body = route.methods.iter().all(has_body);
    if let Some(places) = &route.kinds {
        let in_path = places.contains(&KindPlace::Path);
        if in_path != route.names_kind() {
            let problem = match in_path {
                true => "the path has no `{kind}`",
                false => "the path has `{kind}`, so `path` must be among them",
            };
            problems.push(("kinds".to_owned(), problem));
        }
        for (at, place) in places.iter().enumerate() {
            if matches!(place, KindPlace::Body(_)) && !has_body {
                let problem = "not every method of the route has a body";
                problems.push((format!("kinds/{at}"), problem));
            }
        }
    }
    if route.fields.is_some() {
        let is_seen = |place: &KindPlace| *place != KindPlace::Unseen;
        if !has_body {
            problems.push((
                "fields".to_owned(),
                "not every method of the route has a body",
            ));
        } else if !route.kind_places().iter().any(is_seen) {
            problems.push((
                "fields".to_owned(),
                "they are of no kind that the route names",
            ));
        }
    }
    problems
}

/// Holds what a route says of its XML message, and of the ids in it, to fit together.
fn problems_of_message(route: &RouteSpec) -> Vec<(String, &'static str)> {
    let mut problems = Vec::new();
    let mut add = |member: &str, problem| problems.push((member.to_owned(), problem));
    let is_posted = route.methods == [Method::Post];
    let reads_json = route.fields.is_some()
        || route
            .kinds
            .iter()
            .flatten()
            .any(|place| matches!(place, KindPlace::Body(_)));
    if route.operation.is_some() {
        if !is_posted {
            add("operation", "only a POST carries an operation");
        }
        if reads_json {
            add(
                "operation",
                "an operation's body is XML, in which no kinds and fields are looked for: say `unseen`",
            );
        }
    }
    if let Some(place) = &route.token_at {
        if route.operation.is_none() {
            add("token_at", "it is for routes that have an `operation`");
        }
        if !place.is_in_header() {
            add("token_at", "it must be in `Envelope/Header`");
        }
        if route.origin.is_some() {
            add(
                "token_at",
                "the token goes to the connection's origin alone",
            );
        }
    }
    let has_json = |method: &Method| matches!(method, Method::Post | Method::Put | Method::Patch);
    for (at, place) in route.ids.iter().enumerate() {
        let problem = match place {
            _ if route.path.contains("{id}") => "the path has the id already",
            IdPlace::Body(_)
                if !route.methods.iter().all(has_json) || route.operation.is_some() =>
            {
                "the route has no JSON body"
            }
            IdPlace::Xml(_) if route.operation.is_none() => {
                "it is for routes that have an `operation`"
            }
            _ => continue,
        };
        add(&format!("ids/{at}"), problem);
    }
    problems
}

/// Holds what a route says of the requests that it carries to be all that it is.
fn problems_of_parts(route: &RouteSpec) -> Vec<(String, &'static str)> {
    let Some(parts) = &route.parts else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    let mut add = |member: &str, problem| problems.push((member.to_owned(), problem));
    if route.methods != [Method::Post] {
        add("parts", "only a POST carries requests");
    }
    if route.effect != Effect::Read {
        let problem =
            "a route that carries requests only reads: a person approves one change, by itself";
        add("effect", problem);
    }
    let in_body = |place: &KindPlace| matches!(place, KindPlace::Body(_));
    if route.operation.is_some()
        || route.fields.is_some()
        || !route.ids.is_empty()
        || route.kinds.iter().flatten().any(in_body)
    {
        let problem = "the body is the list of requests and nothing else: it has no `operation`, `kinds`, `fields` and `ids` of its own";
        add("parts", problem);
    }
    if !parts.at.is_items() {
        let problem = "it must lead to a list, with a `*` for its items at the end and none before";
        add("parts/at", problem);
    }
    let base = parts.base.strip_suffix('/').unwrap_or(&parts.base);
    if !base.is_empty() && RequestPath::parse(base).is_err() {
        add("parts/base", "it must be the beginning of a path");
    }
    problems
}
