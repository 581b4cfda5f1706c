//! Routes: each method of each is looked for among those of the version before.

use super::{Widened, Widening, others};
use crate::manifest::{CachePolicy, RouteSpec};
use crate::route::stands_before;
use crate::{Effect, KindPlace, Method};

/// The members of a route that are compared.
const COMPARED: [&str; 11] = [
    "methods",
    "path",
    "operation",
    "effect",
    "kinds",
    "fields",
    "parts",
    "cache",
    "headers",
    "origin",
    "done_at",
];

pub(super) fn compare(before: &[RouteSpec], after: &[RouteSpec], found: &mut Vec<Widening>) {
    for route in after {
        for method in &route.methods {
            let known = before
                .iter()
                .filter(|known| is_same_request(known, route) && known.methods.contains(method));
            // Of several at one place the one counts that it differs from least.
            let differences = known.map(|known| differences(known, route, *method));
            match differences.min_by_key(Vec::len) {
                Some(differences) => found.extend(differences),
                None => found.push(new(route, *method)),
            }
        }
    }
    taken_over(before, after, found);
}

fn is_same_place(one: &RouteSpec, other: &RouteSpec) -> bool {
    one.path == other.path && one.origin == other.origin
}

/// A path of a SOAP service carries several operations, each with a route of its own.
fn is_same_request(one: &RouteSpec, other: &RouteSpec) -> bool {
    is_same_place(one, other) && one.operation == other.operation
}

fn is_post_as_read(route: &RouteSpec, method: Method) -> bool {
    method == Method::Post && route.effect == Effect::Read
}

fn new(route: &RouteSpec, method: Method) -> Widening {
    let request = route.named(method);
    match is_post_as_read(route, method) {
        true => post_as_read(route, &request),
        false => {
            let effect = route.effect.max(method.floor());
            Widening::new(
                Widened::Route,
                format!("it may send `{request}`, whose effect is `{effect}`"),
            )
        }
    }
}

fn post_as_read(route: &RouteSpec, request: &str) -> Widening {
    let text = match route.parts {
        Some(_) => format!(
            "it says that `{request}` does no more than the requests that it carries, of which the host judges each"
        ),
        None => format!("it says that `{request}` only reads, which the host cannot see"),
    };
    Widening::new(Widened::PostAsRead, text)
}

/// Lists in what a route is wider than the one of the same method and place.
fn differences(before: &RouteSpec, after: &RouteSpec, method: Method) -> Vec<Widening> {
    let request = after.named(method);
    let mut found = Vec::new();
    let [was, is] = [before, after].map(|route| route.effect.max(method.floor()));
    if is < was {
        found.push(match is_post_as_read(after, method) {
            true => post_as_read(after, &request),
            false => Widening::new(
                Widened::Route,
                format!("`{request}` counts as `{is}`; it counted as `{was}`"),
            ),
        });
    }
    let mut add = |text: String| found.push(Widening::new(Widened::Route, text));
    for header in &after.headers {
        let is_known = |known: &String| known.eq_ignore_ascii_case(header);
        if !before.headers.iter().any(is_known) {
            add(format!("`{request}` may carry the header `{header}`"));
        }
    }
    if !is_same_set(&before.kind_places(), &after.kind_places()) {
        add(format!(
            "the kinds of record of `{request}` are said to be elsewhere"
        ));
    }
    if before.fields != after.fields {
        add(format!(
            "the fields of `{request}` are said to be elsewhere"
        ));
    }
    if before.parts != after.parts {
        add(match (&before.parts, &after.parts) {
            (None, _) => format!("`{request}` may carry other requests"),
            (Some(_), _) => {
                format!("the requests that `{request}` carries are said to be elsewhere")
            }
        });
    }
    if after.cache != before.cache && after.cache == Some(CachePolicy::Schema) {
        add(format!("answers to `{request}` are remembered"));
    }
    // Where none is looked for, what was sent counts as made.
    if after.done_at != before.done_at && after.done_at.is_some() {
        add(format!(
            "whether `{request}` changed anything is looked for elsewhere in its answer, and may count as refused"
        ));
    }
    others(
        before,
        after,
        &COMPARED,
        &format!("`{request}`"),
        &mut found,
    );
    found
}

fn is_same_set(one: &[KindPlace], other: &[KindPlace]) -> bool {
    one.iter().all(|place| other.contains(place)) && other.iter().all(|place| one.contains(place))
}

/// Finds requests whose own route is gone, and which another one takes now: what the route was stricter about, or refused
/// by being there, is so no more.
fn taken_over(before: &[RouteSpec], after: &[RouteSpec], found: &mut Vec<Widening>) {
    let mut said = Vec::new();
    for gone in before {
        if said.contains(&(&gone.path, &gone.origin))
            || after.iter().any(|route| is_same_place(route, gone))
        {
            continue;
        }
        let takes = |route: &&RouteSpec| {
            route.origin == gone.origin && stands_before(&gone.path, &route.path)
        };
        if let Some(route) = after.iter().find(takes) {
            let text = format!(
                "requests to `{}` had a route of their own, and may go by `{}`",
                gone.path, route.path
            );
            found.push(Widening::new(Widened::Route, text));
            said.push((&gone.path, &gone.origin));
        }
    }
}
