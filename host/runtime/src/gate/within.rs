//! What a request touches must be within the agent's scope, whatever the connector asked before: the kinds in its path
//! and body as its route says where they are, and the fields of a change.
//!
//! On a route whose kinds the host cannot see, such as a query's, it is the connector that checks. So an agent that is
//! limited uses such a route only of a connector that an administrator trusts to do it, and that is written down.
//!
//! A refusal does not name what it is about: the connector may have come to it by what the agent may not know. The
//! operator's log does.

use portcullis_policy::{DeniedBy, Effect, Scope, Touched};

use super::GateFailure;
use super::admit::Admitted;
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

/// Holds a request to the scope.
pub(super) async fn within(scope: &CallScope, request: Complete) -> Result<Within, GateFailure> {
    let head = &request.head;
    let policy = &scope.policy;
    let limits = policy.scope.as_ref();
    if head.effect > Effect::Read && limits.is_some_and(|limits| limits.read_only) {
        return Err(refused(scope, head, "this agent only reads"));
    }
    let Some(route) = &head.limited_route else {
        return Ok(Within { request, kinds: 0 });
    };
    let headers = head.headers.iter();
    let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
    let kind = head.kind.as_deref();
    let touched = route
        .touched(head.effect, kind, headers, &request.body)
        .map_err(|error| {
            let why = format!("{error}, so that what it touches is not known");
            refused(scope, head, &why)
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
            refused(scope, head, &why)
        })?;
    }
    // A query string can ask for more than the path says, or infer it.
    let has_query = head.path.query().is_some() && !touched.accesses.is_empty();
    let unseen = has_query || is_unseen(limits, head.effect, &touched);
    if unseen && policy.limits(guarded, head.effect) {
        if !policy.is_trusted {
            let connector = &scope.connector.manifest().name;
            let why = format!(
                "what it touches cannot be seen on its route, and the connector `{connector}` is not trusted to check that"
            );
            let trust = format!("portcullis connector trust-scope {connector}");
            return Err(match refused(scope, head, &why) {
                GateFailure::Refused(refusal) => GateFailure::Refused(refusal.allowed_by(trust)),
                other => other,
            });
        }
        let event = Event::Unseen {
            request: head.number,
            route: head.route.clone(),
        };
        scope
            .record(event, Durability::WithTheNext)
            .await
            .map_err(|error| {
                GateFailure::unavailable("write down how the request is checked", &error)
            })?;
    }
    let kinds = touched.accesses.len();
    Ok(Within { request, kinds })
}

/// Says whether a request could touch what the host does not see: other kinds, or fields where some are limited.
fn is_unseen(limits: Option<&Scope>, effect: Effect, touched: &Touched) -> bool {
    let limits_fields = || {
        let mut kinds = touched.accesses.iter().map(|access| &access.kind);
        limits.is_some_and(|limits| kinds.any(|kind| limits.limits_fields(effect, kind)))
    };
    touched.is_unseen || (!touched.has_fields && limits_fields())
}

fn refused(scope: &CallScope, head: &Admitted, why: &str) -> GateFailure {
    let what = name(head.method, &head.route);
    let connector = &scope.connector.manifest().name;
    GateFailure::refused(
        RefusalCode::Scope,
        format!("the connector `{connector}` tried `{what}`: {why}"),
    )
}
