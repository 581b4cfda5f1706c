//! What a schema cannot say of how a connector is authorized.

use std::collections::HashSet;

use super::super::{
    ApiKey, ApiKeyPlace, Auth, Guidance, Login, LoginPlace, Manifest, OAuth2, PLACEHOLDERS,
    Problem, RouteSpec, Scopes, UnclearLogin,
};
use crate::header::is_harmless;
use crate::{RequestPath, is_reserved};

/// Holds what is said of signing in, or of a key, to make sense.
pub(super) fn check(manifest: &Manifest, problems: &mut Vec<Problem>) {
    match &manifest.auth {
        Auth::OAuth2(oauth2) => check_oauth2(oauth2, problems),
        Auth::ApiKey(key) => check_key(key, &manifest.routes, problems),
        Auth::None => {}
    }
    if matches!(manifest.auth, Auth::OAuth2(_)) {
        return;
    }
    for (index, route) in manifest.routes.iter().enumerate() {
        if route.token_at.is_some() {
            problems.push(Problem {
                pointer: format!("/routes/{index}/token_at"),
                problem: "there is a token only where `auth` is `oauth2`".to_owned(),
            });
        }
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
    if let Some(page) = &oauth2.grants_page
        && let Err(refusal) = RequestPath::parse(&page.path)
    {
        add("/auth/grants_page/path".to_owned(), refusal.to_string());
    }
    for (index, login) in oauth2.login.iter().enumerate() {
        check_also(index, login, problems);
    }
    check_unclear(&oauth2.unclear, problems);
    check_scopes(&oauth2.scopes, problems);
    check_guidance(&oauth2.guidance, problems);
}

/// Holds the other addresses of a login to lead to it, and each to be reached.
fn check_also(index: usize, login: &Login, problems: &mut Vec<Problem>) {
    let mut add = |at: usize, member: &str, problem: String| {
        problems.push(Problem {
            pointer: format!("/auth/login/{index}/also/{at}/{member}"),
            problem,
        });
    };
    for (at, also) in login.also.iter().enumerate() {
        let earlier = &login.also[..at];
        if let Some(wider) = earlier.iter().find(|one| one.pattern.covers(&also.pattern)) {
            let problem = format!("`{}` stands before it and covers it", wider.pattern);
            add(at, "pattern", problem);
        }
        match (&login.place, &also.means) {
            (LoginPlace::Origin(origin), Some(_)) => {
                add(at, "means", format!("it means `{origin}`; leave it out"));
            }
            (LoginPlace::Origin(_), None) => {}
            (LoginPlace::Pattern(place), means) => {
                let (member, meant) = match means {
                    Some(means) => ("means", means),
                    None => ("pattern", &also.pattern),
                };
                let is_known = |name: &&str| also.pattern.names().any(|known| known == *name);
                if let Some(name) = meant.names().find(|name| !is_known(name)) {
                    let problem = format!("`{{{name}}}` is not in `{}`", also.pattern);
                    add(at, member, problem);
                }
                if !place.covers(meant) {
                    add(at, member, format!("it does not lead to `{place}`"));
                }
            }
        }
    }
}

/// Holds each address that does not say which login is meant to be reached.
fn check_unclear(unclear: &[UnclearLogin], problems: &mut Vec<Problem>) {
    for (at, entry) in unclear.iter().enumerate() {
        let earlier = &unclear[..at];
        if let Some(wider) = earlier
            .iter()
            .find(|one| one.pattern.covers(&entry.pattern))
        {
            problems.push(Problem {
                pointer: format!("/auth/unclear/{at}/pattern"),
                problem: format!("`{}` stands before it and covers it", wider.pattern),
            });
        }
    }
}

fn check_scopes(scopes: &Scopes, problems: &mut Vec<Problem>) {
    let declared: HashSet<&str> = scopes.all().collect();
    let mut add = |pointer: String, scope: &str| {
        problems.push(Problem {
            pointer,
            problem: format!("`{scope}` is neither among `default` nor among `optional`"),
        });
    };
    if let Some(refresh) = &scopes.refresh
        && !declared.contains(&**refresh)
    {
        add("/auth/scopes/refresh".to_owned(), refresh);
    }
    for scope in scopes.explain.keys() {
        if !declared.contains(&**scope) {
            let member = scope.replace('~', "~0").replace('/', "~1");
            add(format!("/auth/scopes/explain/{member}"), scope);
        }
    }
}

/// Holds what is said of errors to be reached, to lead to pages of the service, and to name only what the host knows.
fn check_guidance(guidance: &[Guidance], problems: &mut Vec<Problem>) {
    for (index, entry) in guidance.iter().enumerate() {
        let mut add = |member: String, problem: String| {
            problems.push(Problem {
                pointer: format!("/auth/guidance/{index}/{member}"),
                problem,
            });
        };
        if let Some(before) = guidance[..index].iter().find(|one| one.hides(entry)) {
            let problem = format!("`{}` stands before it and matches it too", before.match_);
            add("match".to_owned(), problem);
        }
        if let Some(page) = &entry.setup
            && let Err(refusal) = RequestPath::parse(&page.path)
        {
            add("setup/path".to_owned(), refusal.to_string());
        }
        for (member, at, step) in entry.all_steps() {
            if let Some(problem) = wrong_placeholder(step) {
                add(format!("{member}/{at}"), problem);
            }
        }
    }
}

fn wrong_placeholder(step: &str) -> Option<String> {
    let mut rest = step.to_owned();
    for name in PLACEHOLDERS {
        rest = rest.replace(&format!("{{{name}}}"), "");
    }
    let known = PLACEHOLDERS.map(|name| format!("`{{{name}}}`")).join(", ");
    rest.contains(['{', '}'])
        .then(|| format!("braces stand around {known} and nothing else"))
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
