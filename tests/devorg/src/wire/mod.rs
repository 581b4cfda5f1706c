//! HTTP without regard to what is asked: reading requests, writing replies, choosing who answers.

pub(crate) mod date;
mod multipart;
mod reply;
mod request;
mod route;

use axum::body::Body;
use axum::response::Response;

use crate::fault;
use crate::serve::Dropped;
use crate::state::Shared;
pub(crate) use multipart::invalid as invalid_multipart;
pub(crate) use reply::Reply;
pub(crate) use request::{
    BODY_BYTES_MAX, Form, Request, URI_BYTES_MAX, address_too_long, body_too_long, segments,
};

/// Answers a request that came by https (`secure`) or plain.
///
/// # Errors
///
/// The connection is to be dropped, as a fault on demand.
pub(crate) async fn answer(
    shared: &Shared,
    request: http::Request<Body>,
    secure: bool,
) -> Result<Response, Dropped> {
    shared.count_request();
    let request = match Request::read(request, secure).await {
        Ok(request) => request,
        Err(error) => return Ok(Reply::from(error).into()),
    };
    // Whoever has an answer can rely on it.
    let work = || {
        let reply = route::route(shared, &request);
        let reply = shared.save().map_or_else(Reply::from, |()| reply);
        shared.taken().note(&request, reply.status());
        reply
    };
    // Apart, so that the rules are not locked while the request is answered.
    let struck = shared
        .faults()
        .strike(request.method.as_str(), &request.path_text());
    match struck {
        Some(rule) => fault::answer(&rule, &request, work).await,
        None => Ok(work().into()),
    }
}
