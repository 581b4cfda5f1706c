//! What a schema cannot say of a manifest.

use std::collections::HashSet;

use serde_json::Value;

use super::{ApiKey, ApiKeyPlace, Auth, LoginPlace, Manifest, OAuth2, Problem, RouteSpec};
use crate::header::is_harmless;
use crate::{Origin, OriginPattern, RequestPath, RouteTable, is_reserved};

/// Finds every text that is no origin. It looks at the JSON, for a type that holds an origin is not made of
/// a wrong one, and would stop at the first.
pub(super) fn check_origins(manifest: &Value) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut add = |pointer: String, error: Option<String>| {
        problems.extend(error.map(|problem| Problem { pointer, problem }));
    };
    let of_origin = |text: &Value| {
        let error = Origin::parse(text.as_str()?).err()?;
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
    check_auth(manifest, &mut problems);
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
    for (at, header) in route.headers.iter().enumerate() {
        if is_reserved(header) {
            add(
                &format!("headers/{at}"),
                format!("`{header}` is the host's alone; leave it out"),
            );
        }
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
}

fn check_auth(manifest: &Manifest, problems: &mut Vec<Problem>) {
    match &manifest.auth {
        Auth::OAuth2(oauth2) => check_oauth2(oauth2, problems),
        Auth::ApiKey(key) => check_key(key, &manifest.routes, problems),
        Auth::None => {}
    }
}

fn check_oauth2(oauth2: &OAuth2, problems: &mut Vec<Problem>) {
    let mut add = |pointer: String, problem: String| problems.push(Problem { pointer, problem });
    let mut ids = HashSet::new();
    for (index, login) in oauth2.login.iter().enumerate() {
        if !ids.insert(&login.id) {
            add(
                format!("/auth/login/{index}/id"),
                format!("`{}` is there twice", login.id),
            );
        }
        if let LoginPlace::Pattern(pattern) = &login.place
            && let Err(problem) = check_login_pattern(pattern)
        {
            add(format!("/auth/login/{index}/pattern"), problem);
        }
    }
    let paths = [
        ("authorize", Some(&oauth2.authorize)),
        ("token", Some(&oauth2.token)),
        ("revoke", oauth2.revoke.as_ref()),
    ];
    for (member, path) in paths {
        if let Some(Err(refusal)) = path.map(|path| RequestPath::parse(path)) {
            add(format!("/auth/{member}"), format!("{refusal}"));
        }
    }
}

/// Holds a login's pattern to what holds for a star: behind it is a name that one owner has.
fn check_login_pattern(pattern: &str) -> Result<(), String> {
    let below = pattern.split_once("}.").map(|(_, below)| below);
    let wildcard = format!("https://*.{}", below.unwrap_or_default());
    match OriginPattern::parse(&wildcard) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!(
            "what stands behind its braces is too wide: {error}"
        )),
    }
}

fn check_key(key: &ApiKey, routes: &[RouteSpec], problems: &mut Vec<Problem>) {
    let mut add = |pointer: String, problem: String| problems.push(Problem { pointer, problem });
    match &key.place {
        ApiKeyPlace::Header(header) => {
            let is_the_hosts = is_reserved(header) && !header.eq_ignore_ascii_case("authorization");
            if is_the_hosts || is_harmless(header) {
                add(
                    "/auth/header".to_owned(),
                    format!("`{header}` is no header for a key"),
                );
            }
            for (index, route) in routes.iter().enumerate() {
                for (at, declared) in route.headers.iter().enumerate() {
                    if declared.eq_ignore_ascii_case(header) {
                        add(
                            format!("/routes/{index}/headers/{at}"),
                            format!(
                                "`{declared}` carries the key, which the host adds; leave it out"
                            ),
                        );
                    }
                }
            }
        }
        ApiKeyPlace::Query(name) => {
            if let Err(refusal) = RequestPath::parse(&format!("/?{name}=x")) {
                add(
                    "/auth/query".to_owned(),
                    format!("`{name}` is no parameter for a key: {refusal}"),
                );
            }
        }
    }
}
