//! The requests that a request carries in its body: each is held to what it would be held to by itself, and counts as one more that the
//! call has made.

use portcullis_policy::{
    Carrier, Effect, Method, PartRefusal, PartsRefusal, RequestPath, RouteSpec,
};

use super::GateFailure;
use super::admit::{Admitted, is_limited, too_many};
use super::failure::name;
use crate::reply::RefusalCode;
use crate::scope::CallScope;

/// A request that another one carries, and that its route and its effect allow.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) method: Method,
    pub(super) path: RequestPath,
    pub(super) route: String,
    /// The kind of record in the path.
    pub(super) kind: Option<String>,
    /// The route, where it matters what the request touches.
    pub(super) limited_route: Option<RouteSpec>,
    pub(super) effect: Effect,
}

/// Takes out what a request carries; nothing, where its route carries nothing.
pub(super) fn carried(
    scope: &CallScope,
    head: &Admitted,
    body: &[u8],
) -> Result<Vec<Carried>, GateFailure> {
    let Some(parts) = &head.parts else {
        return Ok(Vec::new());
    };
    let headers = head.headers.iter();
    let headers: Vec<(&str, &[u8])> = headers
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let carrier = Carrier {
        parts,
        effect: head.effect,
        named: (!head.is_own_origin).then_some(&head.origin),
        path: &head.path,
        headers: &headers,
        body,
    };
    let found = scope.connector.routes().parts(&carrier);
    let found = found.map_err(|refusal| refused(head, &refusal))?;
    if scope.carry(found.len()) > scope.limits.requests_max {
        return Err(too_many(scope));
    }
    let carried = found.into_iter().map(|part| Carried {
        method: part.method,
        route: part.found.template().to_owned(),
        kind: part.found.kind().map(str::to_owned),
        limited_route: is_limited(scope, part.found.effect).then(|| part.found.route.clone()),
        effect: part.found.effect,
        path: part.path,
    });
    Ok(carried.collect())
}

/// Says of a part what would be said of it by itself.
fn refused(head: &Admitted, refusal: &PartsRefusal) -> GateFailure {
    let code = match refusal {
        PartsRefusal::Part { why, .. } => match why {
            PartRefusal::Path(_) => RefusalCode::Path,
            PartRefusal::Route(_) => RefusalCode::Route,
            PartRefusal::Effect { .. } => RefusalCode::Ceiling,
            PartRefusal::Header(_) => RefusalCode::Header,
            PartRefusal::Shape
            | PartRefusal::Method
            | PartRefusal::Elsewhere(_)
            | PartRefusal::Nested => RefusalCode::Parts,
        },
        PartsRefusal::Query
        | PartsRefusal::NotJson
        | PartsRefusal::Body(_)
        | PartsRefusal::Shape(_)
        | PartsRefusal::Count(_) => RefusalCode::Parts,
    };
    let what = name(head.method, &head.route);
    GateFailure::refused(
        code,
        format!("the connector's `{what}` carries requests and is not sent on: {refusal}"),
    )
}
