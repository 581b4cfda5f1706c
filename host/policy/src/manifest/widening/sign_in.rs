//! How accounts sign in, and what is asked for when they do.

use super::{Widened, Widening, others};
use crate::OriginPattern;
use crate::manifest::{ApiKey, Auth, Grants, Guidance, Login, LoginPlace, OAuth2, Scopes};

/// The members of OAuth 2 that are compared.
const COMPARED: [&str; 11] = [
    "kind",
    "pkce",
    "login",
    "authorize",
    "token",
    "revoke",
    "grants",
    "scopes",
    "origin_from",
    "stale_token",
    "guidance",
];

/// Says whether accounts sign in in the same way.
pub(super) fn is_of_one_kind(one: &Auth, other: &Auth) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

/// Gives the addresses of logins that are the same for everyone.
pub(super) fn places(auth: &Auth) -> Vec<OriginPattern> {
    match auth {
        Auth::OAuth2(oauth2) => {
            let fixed = oauth2.login.iter().filter_map(|login| match &login.place {
                LoginPlace::Origin(origin) => OriginPattern::parse(&origin.to_string()).ok(),
                LoginPlace::Pattern(_) => None,
            });
            fixed.collect()
        }
        Auth::ApiKey(key) => key.origin.iter().cloned().collect(),
        Auth::None => Vec::new(),
    }
}

pub(super) fn compare(before: Option<&Auth>, after: &Auth, found: &mut Vec<Widening>) {
    let mut add = |text: String| found.push(Widening::new(Widened::SignIn, text));
    match (before, after) {
        (Some(Auth::None), Auth::None) | (None, Auth::None) => {}
        (Some(Auth::OAuth2(before)), Auth::OAuth2(after)) => oauth2(before, after, found),
        (Some(Auth::ApiKey(before)), Auth::ApiKey(after)) => {
            for text in api_key(before, after) {
                add(text);
            }
            others(before, after, &["header", "query", "origin"], "auth", found);
        }
        (_, Auth::OAuth2(after)) => {
            add("accounts sign in by OAuth 2".to_owned());
            for login in &after.login {
                add(format!("people sign in at {}", place(&login.place)));
            }
            for scope in after.scopes.all() {
                found.push(asked_for(scope, "is asked for, or may be"));
            }
        }
        (_, Auth::ApiKey(_)) => add("accounts sign in by a key".to_owned()),
        (Some(_), Auth::None) => add("accounts do not sign in".to_owned()),
    }
}

fn asked_for(scope: &str, how: &str) -> Widening {
    Widening::new(Widened::Scope, format!("the scope `{scope}` {how}"))
}

fn oauth2(before: &OAuth2, after: &OAuth2, found: &mut Vec<Widening>) {
    let mut add = |text: String| found.push(Widening::new(Widened::SignIn, text));
    if before.pkce && !after.pkce {
        add("the code of a sign-in is no longer bound to who asked for it (PKCE)".to_owned());
    }
    let shown = |path: Option<&String>| path.map_or("none".to_owned(), |path| format!("`{path}`"));
    let endpoints = [
        (
            "authorization",
            Some(&before.authorize),
            Some(&after.authorize),
        ),
        ("token", Some(&before.token), Some(&after.token)),
        ("revocation", before.revoke.as_ref(), after.revoke.as_ref()),
    ];
    for (endpoint, was, is) in endpoints {
        if was != is {
            let (was, is) = (shown(was), shown(is));
            add(format!("the {endpoint} endpoint is {is}; it was {was}"));
        }
    }
    for login in &after.login {
        match before.login.iter().find(|known| known.id == login.id) {
            Some(known) => {
                if let Some(text) = login_is_other(known, login) {
                    add(text);
                }
            }
            None => add(format!("people may sign in at {}", place(&login.place))),
        }
    }
    if before.origin_from != after.origin_from {
        add("the address of a connection is read elsewhere in the service's answer".to_owned());
    }
    if before.grants != after.grants && after.grants == Grants::Separate {
        add(
            "a sign-in is said to end alone when it is revoked, and others of the user to go on"
                .to_owned(),
        );
    }
    for stale in &after.stale_token {
        if !before.stale_token.contains(stale) {
            let status = stale.status;
            add(format!(
                "another answer with status {status} has the request sent again with a new token"
            ));
        }
    }
    for guidance in after.guidance.iter().filter(|one| one.passes) {
        let is_known = |known: &Guidance| {
            known.passes && known.match_ == guidance.match_ && known.where_ == guidance.where_
        };
        if !before.guidance.iter().any(is_known) {
            let match_ = &guidance.match_;
            add(format!(
                "the service's refusal `{match_}` no longer ends a connection"
            ));
        }
    }
    scopes(&before.scopes, &after.scopes, found);
    others(before, after, &COMPARED, "auth", found);
}

fn scopes(before: &Scopes, after: &Scopes, found: &mut Vec<Widening>) {
    for scope in &after.default {
        if !before.default.contains(scope) {
            found.push(asked_for(scope, "is asked for"));
        }
    }
    for scope in &after.optional {
        if !before.all().any(|known| known == scope) {
            found.push(asked_for(scope, "may be asked for"));
        }
    }
    if let Some(refresh) = &after.refresh
        && before.refresh.as_ref() != Some(refresh)
    {
        found.push(asked_for(refresh, "is said to be what keeps connections"));
    }
    let compared = ["default", "optional", "refresh", "explain"];
    others(before, after, &compared, "scopes", found);
}

/// Says in what a login differs from the one of the same id, if it may lead elsewhere.
fn login_is_other(before: &Login, after: &Login) -> Option<String> {
    let leads_there = match (&before.place, &after.place) {
        (LoginPlace::Origin(known), LoginPlace::Origin(origin)) => known == origin,
        (LoginPlace::Pattern(known), LoginPlace::Origin(origin)) => known.fits(origin),
        (LoginPlace::Pattern(known), LoginPlace::Pattern(pattern)) => known.covers(pattern),
        (LoginPlace::Origin(_), LoginPlace::Pattern(_)) => false,
    };
    let id = &after.id;
    if !leads_there {
        let (is, was) = (place(&after.place), place(&before.place));
        return Some(format!("the login `{id}` is at {is}; it was at {was}"));
    }
    // People tell a copy from the real thing by it.
    if before.environment != after.environment {
        return Some(format!(
            "the login `{id}` is said to be of another kind of system"
        ));
    }
    if before.also != after.also {
        return Some(format!("other addresses are read as the login `{id}`"));
    }
    let mut rest = Vec::new();
    let compared = ["id", "title", "origin", "pattern", "environment", "also"];
    others(before, after, &compared, "login", &mut rest);
    rest.pop().map(|one| one.text)
}

fn place(place: &LoginPlace) -> String {
    match place {
        LoginPlace::Origin(origin) => format!("`{origin}`"),
        LoginPlace::Pattern(pattern) => format!("`{pattern}`"),
    }
}

fn api_key(before: &ApiKey, after: &ApiKey) -> Vec<String> {
    let mut texts = Vec::new();
    if before.place != after.place {
        texts.push("the key stands elsewhere in a request".to_owned());
    }
    let is_within = match (&before.origin, &after.origin) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(before), Some(after)) => before.covers(after),
    };
    if !is_within {
        texts.push("the key may be sent elsewhere".to_owned());
    }
    texts
}
