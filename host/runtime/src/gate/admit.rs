//! The first steps: origin, path, route, headers and ceiling, of what the guest has written down before its
//! body. Nothing here waits, and nothing is remembered. Where a path carries several operations, the route, the headers and the
//! ceiling are those of the operation, and wait for the body.

use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use portcullis_policy::{
    BodyPlace, CachePolicy, DonePlace, Effect, FindsOut, IdPlace, KindPlace, Match, Method,
    Operation, Origin, RequestPath, RouteRefusal, RouteSpec, TICKET_HEADER, XmlPlace,
};

use super::GateFailure;
use super::failure::name;
use crate::reply::{Refusal, RefusalCode};
use crate::scope::CallScope;

/// What is known of a request by its head.
#[derive(Debug)]
pub(super) enum Head {
    /// All that is checked of a head.
    Admitted(Box<Admitted>),
    /// Where it goes; its path carries several operations, and which one it is stands in the body.
    ByOperation(Box<Addressed>),
}

/// Where a request goes.
#[derive(Debug)]
pub(super) struct Addressed {
    number: u32,
    method: Method,
    origin: Origin,
    is_own_origin: bool,
    path: RequestPath,
    pub(super) headers: HeaderMap,
}

/// A request that its origin, route, headers and effect allow.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) number: u32,
    pub(super) method: Method,
    pub(super) origin: Origin,
    /// Whether the origin is the connection's: the credential goes nowhere else.
    pub(super) is_own_origin: bool,
    pub(super) path: RequestPath,
    pub(super) headers: HeaderMap,
    pub(super) ticket: Option<String>,
    pub(super) route: String,
    /// The kind of record in the path.
    pub(super) kind: Option<String>,
    /// What a change's announcement is held to; empty for a read.
    pub(super) names: ChangeNames,
    /// Where the token stands in the body, instead of in a header.
    pub(super) token_at: Option<XmlPlace>,
    /// Where in the body the requests are that it carries.
    pub(super) parts: Option<portcullis_policy::Parts>,
    /// The route, where it matters what the request touches.
    pub(super) limited_route: Option<RouteSpec>,
    pub(super) effect: Effect,
    pub(super) is_schema: bool,
}

/// What a change's route has besides the kind in its path.
#[derive(Debug, Default)]
pub(super) struct ChangeNames {
    /// The id of the record in the path.
    pub(super) id: Option<String>,
    /// Where the kinds are in the body.
    pub(super) kinds_at: Vec<BodyPlace>,
    /// Where the fields are in the body.
    pub(super) fields_at: Option<BodyPlace>,
    /// The call that finds out whether it was made.
    pub(super) finds_out: Option<FindsOut>,
    /// Where its answer says whether it was made.
    pub(super) done_at: Option<DonePlace>,
    /// Where the ids of the records are.
    pub(super) ids_at: Vec<IdPlace>,
    /// The field by which the path finds a record, and its value.
    pub(super) key: Option<(String, String)>,
}

impl ChangeNames {
    fn of(found: &Match<'_>) -> Self {
        if found.effect == Effect::Read {
            return Self::default();
        }
        let in_body = |place| match place {
            KindPlace::Body(place) => Some(place),
            KindPlace::Path | KindPlace::Unseen => None,
        };
        let kinds = found.route.kind_places().into_iter();
        Self {
            id: found.id().map(str::to_owned),
            kinds_at: kinds.filter_map(in_body).collect(),
            fields_at: found.route.fields.clone(),
            finds_out: found.route.finds_out.clone(),
            done_at: found.route.done_at.clone(),
            ids_at: found.route.ids.clone(),
            key: found
                .key()
                .map(|(field, value)| (field.to_owned(), value.to_owned())),
        }
    }
}

/// Checks a request's head.
pub(super) fn admit(scope: &CallScope, number: u32, parts: &Parts) -> Result<Head, GateFailure> {
    let addressed = address(scope, number, parts)?;
    let place = (!addressed.is_own_origin).then_some(&addressed.origin);
    let routes = scope.connector.routes();
    match routes.find(place, addressed.method, &addressed.path, None) {
        Err(RouteRefusal::ByOperation) => Ok(Head::ByOperation(Box::new(addressed))),
        _ => Ok(Head::Admitted(Box::new(addressed.admit(scope, None)?))),
    }
}

/// Checks where a request goes.
fn address(scope: &CallScope, number: u32, parts: &Parts) -> Result<Addressed, GateFailure> {
    if scope.stopped().is_some() {
        return Err(GateFailure::Latched);
    }
    if number.saturating_add(scope.carried()) > scope.limits.requests_max {
        return Err(too_many(scope));
    }
    let (origin, is_own_origin) = origin(scope, parts)?;
    let path = path(parts)?;
    let method = Method::parse(parts.method.as_str()).ok_or_else(|| {
        let message = format!(
            "`{}` is no method that a manifest can declare",
            parts.method
        );
        Refusal::new(RefusalCode::Route, message)
    })?;
    Ok(Addressed {
        number,
        method,
        origin,
        is_own_origin,
        path,
        headers: parts.headers.clone(),
    })
}

/// A call makes no more requests than it may, those that others carry among them.
pub(super) fn too_many(scope: &CallScope) -> GateFailure {
    let max = scope.limits.requests_max;
    let message = format!("the tool made more than {max} requests in one call");
    GateFailure::refused(RefusalCode::TooManyRequests, message)
}

impl Addressed {
    /// Checks route, headers and effect; `operation` is the one in the body.
    pub(super) fn admit(
        self,
        scope: &CallScope,
        operation: Option<&Operation>,
    ) -> Result<Admitted, GateFailure> {
        let Self {
            number,
            method,
            origin,
            is_own_origin,
            path,
            headers: sent,
        } = self;
        let place = (!is_own_origin).then_some(&origin);
        let routes = scope.connector.routes();
        let found = routes
            .find(place, method, &path, operation)
            .map_err(|refusal| {
                let request = name(method, path.path());
                Refusal::new(
                    RefusalCode::Route,
                    format!("the connector's manifest does not declare `{request}`: {refusal}"),
                )
            })?;
        let (headers, ticket) = headers(&sent, &found.route.headers)?;
        if !scope.effect.admits(found.effect) {
            let request = name(method, path.path());
            return Err(GateFailure::refused(
                RefusalCode::Ceiling,
                format!(
                    "a tool that may {} tried `{request}`, which is {}",
                    verb(scope.effect),
                    found.effect
                ),
            ));
        }
        let effect = found.effect;
        // An operation is part of what a request is, as its method is.
        let route = match operation {
            Some(operation) => format!("{}#{}", found.template(), operation.name()),
            None => found.template().to_owned(),
        };
        let (kind, names) = (found.kind().map(str::to_owned), ChangeNames::of(&found));
        let token_at = found.route.token_at.clone();
        let parts = found.route.parts.clone();
        let limited_route = is_limited(scope, effect).then(|| found.route.clone());
        let is_schema = found.route.cache == Some(CachePolicy::Schema) && method == Method::Get;
        Ok(Admitted {
            number,
            method,
            origin,
            is_own_origin,
            path,
            headers,
            ticket,
            route,
            kind,
            names,
            token_at,
            parts,
            limited_route,
            effect,
            is_schema,
        })
    }
}

/// Says whether it matters what a request touches: since the agent is limited to some kinds or fields, some kinds are
/// guarded, or the records that it changes are counted.
pub(super) fn is_limited(scope: &CallScope, effect: Effect) -> bool {
    let policy = &scope.policy;
    let limits = policy.scope.as_ref();
    let is_counted = limits.is_some_and(|limits| limits.changes_per_day.is_some());
    policy.limits(&scope.connector.manifest().guarded_kinds, effect)
        || (is_counted && effect > Effect::Read)
}

/// The connection's origin, or one that the manifest names in full.
fn origin(scope: &CallScope, parts: &Parts) -> Result<(Origin, bool), Refusal> {
    let refuse = |what: &str| {
        Refusal::new(
            RefusalCode::Origin,
            format!(
                "the connector tried to reach {what}, which is neither its connection's address nor named in its manifest"
            ),
        )
    };
    let (Some(scheme), Some(authority)) = (parts.uri.scheme_str(), parts.uri.authority()) else {
        return Err(refuse("an address without a host"));
    };
    let text: String = format!("{scheme}://{authority}")
        .chars()
        .take(200)
        .collect();
    let origin = Origin::parse(&text).map_err(|_| refuse("an address that is none"))?;
    let connection = scope.account.connection.as_ref();
    if connection.is_some_and(|connection| connection.origin == origin) {
        return Ok((origin, true));
    }
    let named = &scope.connector.manifest().origins;
    match named.iter().any(|pattern| pattern.exact() == Some(&origin)) {
        true => Ok((origin, false)),
        false => Err(refuse(&format!("`{origin}`"))),
    }
}

fn path(parts: &Parts) -> Result<RequestPath, Refusal> {
    let text = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    RequestPath::parse(text).map_err(|refusal| {
        Refusal::new(
            RefusalCode::Path,
            format!("the connector sent a path that can be read in two ways: {refusal}"),
        )
    })
}

/// The headers that go on, without the ticket and without the length, which is the host's to say.
fn headers(sent: &HeaderMap, declared: &[String]) -> Result<(HeaderMap, Option<String>), Refusal> {
    let names = sent.keys().map(http::HeaderName::as_str);
    portcullis_policy::check_headers(names, declared)
        .map_err(|refusal| Refusal::new(RefusalCode::Header, refusal.to_string()))?;
    let mut headers = sent.clone();
    headers.remove(CONTENT_LENGTH);
    let mut tickets = headers.get_all(TICKET_HEADER).iter();
    let ticket = match (tickets.next(), tickets.next()) {
        (None, _) => None,
        (Some(ticket), None) => ticket.to_str().ok().map(str::to_owned),
        (Some(_), Some(_)) => {
            let message = "the connector sent two tickets with one request";
            return Err(Refusal::new(RefusalCode::NoTicket, message));
        }
    };
    headers.remove(TICKET_HEADER);
    Ok((headers, ticket))
}

fn verb(ceiling: Effect) -> &'static str {
    match ceiling {
        Effect::Read => "only read",
        Effect::Write => "change but not destroy",
        Effect::Destructive => "destroy",
    }
}
