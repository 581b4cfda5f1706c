//! What a schema cannot say of a manifest.

use std::collections::HashSet;

use super::{ApiKeyPlace, Auth, Manifest, Problem, RouteSpec};
use crate::{OriginPattern, RequestPath, RouteTable, is_reserved};

/// Finds every problem.
pub(super) fn check(manifest: &Manifest) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, route) in manifest.routes.iter().enumerate() {
        check_route(index, route, &manifest.origins, &mut problems);
    }
    if let Err(found) = RouteTable::new(&manifest.routes) {
        problems.extend(found);
    }
    check_auth(&manifest.auth, &mut problems);
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

fn check_auth(auth: &Auth, problems: &mut Vec<Problem>) {
    let mut add = |pointer: String, problem: String| problems.push(Problem { pointer, problem });
    match auth {
        Auth::OAuth2(oauth2) => {
            let mut ids = HashSet::new();
            for (index, login) in oauth2.login.iter().enumerate() {
                if !ids.insert(&login.id) {
                    add(
                        format!("/auth/login/{index}/id"),
                        format!("`{}` is there twice", login.id),
                    );
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
        Auth::ApiKey(key) => {
            if let ApiKeyPlace::Header(header) = &key.place
                && is_reserved(header)
                && !header.eq_ignore_ascii_case("authorization")
            {
                add(
                    "/auth/header".to_owned(),
                    format!("`{header}` is no header for a key"),
                );
            }
        }
        Auth::None => {}
    }
}
