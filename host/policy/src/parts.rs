//! Requests that a request carries in its body, each of which the service answers as if it had been sent by itself.
//!
//! The attack: what may not be sent by itself is put into the body of what may: a change into a list of reads, a path that host and
//! service read differently, a member that the one reads and the other does not. So the body is the list of its parts and nothing else, a
//! part is a method and a URL and nothing else, and each is judged by the routes as a request of its own, which reaches no
//! farther than the one that carries it.

use serde::{Deserialize, Serialize};

use crate::json::Json;
use crate::kinds::{BodyPlace, require_json};
use crate::route::equal_leniently;
use crate::{
    Effect, HeaderRefusal, Match, Method, Origin, PathRefusal, RequestPath, RouteRefusal,
    RouteTable, check_headers,
};

/// Parts of one request: as many as services take that have such requests.
pub const PARTS_MAX: usize = 25;

/// Where a route's body has the requests that it carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// The list of them, with a `*` at its end: each item is an object of `method` and `url`.
    pub at: BodyPlace,
    /// What stands before each `url` to make its path; empty: a `url` is a whole path.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub base: String,
}

/// A request that carries others, as far as they depend on it.
#[derive(Clone, Copy)]
pub struct Carrier<'a> {
    /// Where its route says that they are.
    pub parts: &'a Parts,
    /// How far it reaches.
    pub effect: Effect,
    /// Where it goes, if not to the connection's origin.
    pub named: Option<&'a Origin>,
    /// Its path and query.
    pub path: &'a RequestPath,
    /// The names and values of its headers. The service may read any of them with each part.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// Its body.
    pub body: &'a [u8],
}

/// A request that another one carries.
#[derive(Clone, Debug)]
pub struct Part<'t> {
    /// Its method.
    pub method: Method,
    /// Its path and query.
    pub path: RequestPath,
    /// The route that it takes.
    pub found: Match<'t>,
}

/// Why a request that carries others is not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartsRefusal {
    /// What its query asks for would be no part.
    #[error("it has a query beside the requests in its body")]
    Query,
    /// The body says by its headers that it is something else.
    #[error("its headers say that its body is something else than JSON in UTF-8")]
    NotJson,
    /// The body is none, or could be read in two ways.
    #[error("its body cannot be read in one way alone: {0}")]
    Body(String),
    /// The body is not the list that the route says, or has more than it.
    #[error("its body is not the list at `{0}` and nothing else")]
    Shape(String),
    /// There are too many, or none.
    #[error("it carries {0} requests, and may carry 1 to {PARTS_MAX}")]
    Count(usize),
    /// One of them may not be sent.
    #[error("part {number}{}: {why}", said(.request.as_deref()))]
    Part {
        /// Which, from 1.
        number: usize,
        /// Its method and path, as far as it has them.
        request: Option<String>,
        /// Why.
        why: PartRefusal,
    },
}

/// Why a part is not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartRefusal {
    /// It is not a method and a URL, or has more.
    #[error("it is not a `method` and a `url`, each a text, and nothing else")]
    Shape,
    /// Its method is none.
    #[error("its method is none that a manifest can declare")]
    Method,
    /// Its URL could lead elsewhere than behind the base.
    #[error("its URL must be what stands behind `{0}`")]
    Elsewhere(String),
    /// Its path or query could be read in two ways.
    #[error("its path can be read in two ways: {0}")]
    Path(PathRefusal),
    /// No route takes it.
    #[error("the connector's manifest does not declare it: {0}")]
    Route(RouteRefusal),
    /// It would carry requests itself.
    #[error("a request that carries others is no part of one")]
    Nested,
    /// It reaches farther than the request that carries it.
    #[error("its effect is `{is}`, and what carries it is `{may}`")]
    Effect {
        /// How far it reaches.
        is: Effect,
        /// How far it may.
        may: Effect,
    },
    /// The request has a header that the part's route does not declare.
    #[error("{0}")]
    Header(HeaderRefusal),
}

fn said(request: Option<&str>) -> String {
    request.map_or_else(String::new, |request| format!(" (`{request}`)"))
}

/// Characters of a part's path that are shown.
const SHOWN_CHARS_MAX: usize = 200;

impl RouteTable {
    /// Takes out the requests that one carries, in their order, each with the route that it takes.
    ///
    /// # Errors
    ///
    /// [`PartsRefusal`]: the request must not be sent.
    pub fn parts(&self, carrier: &Carrier<'_>) -> Result<Vec<Part<'_>>, PartsRefusal> {
        if carrier.path.query().is_some() {
            return Err(PartsRefusal::Query);
        }
        require_json(carrier.headers.iter().copied()).map_err(|_| PartsRefusal::NotJson)?;
        let json =
            Json::read(carrier.body).map_err(|error| PartsRefusal::Body(error.to_string()))?;
        let at = &carrier.parts.at;
        let items = at.only_items(&json);
        let items = items.ok_or_else(|| PartsRefusal::Shape(at.as_str().to_owned()))?;
        if items.is_empty() || items.len() > PARTS_MAX {
            return Err(PartsRefusal::Count(items.len()));
        }
        let parts = items.iter().enumerate();
        let parts = parts.map(|(at, item)| {
            let mut request = None;
            self.part(carrier, item, &mut request)
                .map_err(|why| PartsRefusal::Part {
                    number: at + 1,
                    request,
                    why,
                })
        });
        parts.collect()
    }

    /// Judges one as if it had been sent by itself; `request` is what it is called, once that is known.
    fn part<'t>(
        &'t self,
        carrier: &Carrier<'_>,
        item: &Json,
        request: &mut Option<String>,
    ) -> Result<Part<'t>, PartRefusal> {
        let (method, url) = method_and_url(item).ok_or(PartRefusal::Shape)?;
        let method = Method::parse(method).ok_or(PartRefusal::Method)?;
        let path = below(&carrier.parts.base, url)?;
        let shown: String = path.path().chars().take(SHOWN_CHARS_MAX).collect();
        *request = Some(format!("{method} {shown}"));
        let found = self
            .find(carrier.named, method, &path, None)
            .map_err(PartRefusal::Route)?;
        if found.route.parts.is_some() {
            return Err(PartRefusal::Nested);
        }
        if found.effect > carrier.effect {
            return Err(PartRefusal::Effect {
                is: found.effect,
                may: carrier.effect,
            });
        }
        let names = carrier.headers.iter().map(|(name, _)| *name);
        check_headers(names, &found.route.headers).map_err(PartRefusal::Header)?;
        Ok(Part {
            method,
            path,
            found,
        })
    }
}

/// Takes a part apart: it has these two members and no other, so that there is none that the service reads and the host does not.
fn method_and_url(item: &Json) -> Option<(&str, &str)> {
    let Json::Object(members) = item else {
        return None;
    };
    let text = |wanted: &str| {
        let (_, value) = members.iter().find(|(name, _)| name == wanted)?;
        match value {
            Json::Text(text) => Some(text.as_str()),
            _ => None,
        }
    };
    let both = (text("method")?, text("url")?);
    (members.len() == 2).then_some(both)
}

/// Puts a part's path together. A URL with a scheme or a host (RFC 3986, section 4.2) would lead elsewhere, and one that begins as the
/// base does is the whole path to a service that does without the base then.
fn below(base: &str, url: &str) -> Result<RequestPath, PartRefusal> {
    let elsewhere = || PartRefusal::Elsewhere(base.to_owned());
    let first = url.split(['/', '?']).next().unwrap_or_default();
    if base.ends_with('/') == url.starts_with('/') || first.contains(':') {
        return Err(elsewhere());
    }
    let path = RequestPath::parse(&format!("{base}{url}")).map_err(PartRefusal::Path)?;
    let base = base.split('/').filter(|segment| !segment.is_empty());
    let base: Vec<&str> = base.collect();
    let rest = path.segments().get(base.len()..).unwrap_or_default();
    let repeats = |(own, known): (&String, &&str)| equal_leniently(own, known);
    match !base.is_empty() && rest.len() >= base.len() && rest.iter().zip(&base).all(repeats) {
        true => Err(elsewhere()),
        false => Ok(path),
    }
}

#[cfg(test)]
#[path = "parts/tests.rs"]
mod tests;
