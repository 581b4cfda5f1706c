//! What a request touches must be within the agent's scope, whatever the connector asked before: the kinds in its path
//! and body as its route says where they are, and the fields of a change.
//!
//! On a route whose kinds the host cannot see, such as a query's, it is the connector that checks. So an agent that is
//! limited uses such a route only of a connector that an administrator trusts to do it, and that is written down.
//!
//! A refusal does not name what it is about: the connector may have come to it by what the agent may not know. The
//! operator's log does.

use portcullis_policy::{DeniedBy, Effect, RequestPath, RouteSpec, Scope, Touched};

use super::GateFailure;
use super::complete::Complete;
use super::failure::name;
use crate::ports::audit::{Durability, Event};
use crate::reply::RefusalCode;
use crate::scope::CallScope;

/// A request that touches nothing outside of the agent's scope.
#[derive(Debug)]
pub(super) struct Within {
    pub(super) request: Complete,
    /// How many kinds it names, each of which stands for a record.
    pub(super) kinds: usize,
}

/// One of the requests that are held to it: the whole, or one that it carries.
struct Limited<'a> {
    /// Its name, for people.
    what: String,
    /// Its route's template.
    template: &'a str,
    route: &'a RouteSpec,
    kind: Option<&'a str>,
    effect: Effect,
    path: &'a RequestPath,
    headers: Vec<(&'a str, &'a [u8])>,
    body: &'a [u8],
}

/// Lists what of a request is held to the scope.
fn limited(request: &Complete) -> impl Iterator<Item = Limited<'_>> {
    let head = &request.head;
    let whole = name(head.method, &head.route);
    let carried = request.carried.iter().filter_map({
        let whole = whole.clone();
        move |part| {
            let route = part.limited_route.as_ref()?;
            Some(Limited {
                what: format!("{}` in `{whole}", name(part.method, &part.route)),
                template: &part.route,
                route,
                kind: part.kind.as_deref(),
                effect: part.effect,
                path: &part.path,
                headers: Vec::new(),
                body: &[],
            })
        }
    });
    let headers = || {
        let headers = head.headers.iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
        headers.collect()
    };
    let own = head.limited_route.iter().map(move |route| Limited {
        what: whole.clone(),
        template: &head.route,
        route,
        kind: head.kind.as_deref(),
        effect: head.effect,
        path: &head.path,
        headers: headers(),
        body: &request.body,
    });
    own.chain(carried)
}

/// Holds a request to the scope, with all that it carries.
pub(super) async fn within(scope: &CallScope, request: Complete) -> Result<Within, GateFailure> {
    let head = &request.head;
    let connector = &scope.connector.manifest().name;
    let limits = scope.policy.scope.as_ref();
    if head.effect > Effect::Read && limits.is_some_and(|limits| limits.read_only) {
        let what = name(head.method, &head.route);
        let refusal = refused(scope, &what, "this agent only reads");
        let allow = scope.policy.allowing_changes(connector);
        return Err(allowed_by(refusal, Some(allow)));
    }
    let mut kinds = 0;
    let mut unseen: Vec<&str> = Vec::new();
    for one in limited(&request) {
        let seen = look(scope, &one)?;
        kinds += seen.kinds;
        if seen.is_unseen && !unseen.contains(&one.template) {
            unseen.push(one.template);
        }
    }
    for route in unseen {
        let event = Event::Unseen {
            request: head.number,
            route: route.to_owned(),
        };
        scope
            .record(event, Durability::WithTheNext)
            .await
            .map_err(|error| {
                GateFailure::unavailable("write down how the request is checked", &error)
            })?;
    }
    Ok(Within { request, kinds })
}

/// What the host sees of a request that is within the scope as far as it sees it.
struct Seen {
    /// How many kinds it names.
    kinds: usize,
    /// Whether the rest is the word of the connector, which is trusted.
    is_unseen: bool,
}

/// Holds to the scope what is seen of a request, and to an administrator's trust what is not.
fn look(scope: &CallScope, one: &Limited<'_>) -> Result<Seen, GateFailure> {
    let (policy, connector) = (&scope.policy, &scope.connector.manifest().name);
    let headers = one.headers.iter().copied();
    let touched = one
        .route
        .touched(one.effect, one.kind, headers, one.body)
        .map_err(|error| {
            let why = format!("{error}, so that what it touches is not known");
            refused(scope, &one.what, &why)
        })?;
    let guarded = &scope.connector.manifest().guarded_kinds;
    for access in &touched.accesses {
        policy.check(guarded, access).map_err(|denied| {
            tracing::info!(call = %scope.id, %denied, "a request is outside of the agent's scope");
            let why = match denied.why {
                DeniedBy::Guarded => {
                    "it changes what gives power over others, which no administrator allowed by name".to_owned()
                }
                _ => format!("it touches what is not within the {}", policy.scope_name()),
            };
            let refusal = refused(scope, &one.what, &why);
            // It names no more than the refusal does.
            allowed_by(refusal, Some(policy.scope_command(connector)))
        })?;
    }
    // A query string can ask for more than the path says, or infer it.
    let has_query = one.path.query().is_some() && !touched.accesses.is_empty();
    let is_unseen = has_query || is_unseen(policy.scope.as_ref(), one.effect, &touched);
    let is_unseen = is_unseen && policy.limits(guarded, one.effect);
    if is_unseen && !policy.is_trusted {
        let why = format!(
            "what it touches cannot be seen on its route, and the connector `{connector}` is not trusted to check that"
        );
        let trust = format!("portcullis connector trust-scope {connector}");
        return Err(allowed_by(refused(scope, &one.what, &why), Some(trust)));
    }
    Ok(Seen {
        kinds: touched.accesses.len(),
        is_unseen,
    })
}

/// Says whether a request could touch what the host does not see: other kinds, or fields where some are limited.
fn is_unseen(limits: Option<&Scope>, effect: Effect, touched: &Touched) -> bool {
    let limits_fields = || {
        let mut kinds = touched.accesses.iter().map(|access| &access.kind);
        limits.is_some_and(|limits| kinds.any(|kind| limits.limits_fields(effect, kind)))
    };
    touched.is_unseen || (!touched.has_fields && limits_fields())
}

/// Adds what an administrator does to allow it.
pub(super) fn allowed_by(failure: GateFailure, allow: Option<String>) -> GateFailure {
    match (failure, allow) {
        (GateFailure::Refused(refusal), Some(allow)) => {
            GateFailure::Refused(refusal.allowed_by(allow))
        }
        (failure, _) => failure,
    }
}

fn refused(scope: &CallScope, what: &str, why: &str) -> GateFailure {
    let connector = &scope.connector.manifest().name;
    GateFailure::refused(
        RefusalCode::Scope,
        format!("the connector `{connector}` tried `{what}`: {why}"),
    )
}
