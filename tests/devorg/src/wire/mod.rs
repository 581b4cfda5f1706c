//! HTTP without regard to what is asked: reading requests, writing replies, choosing who answers.

pub(crate) mod date;
mod multipart;
mod reply;
mod request;
mod route;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;

use crate::state::Shared;
pub(crate) use multipart::invalid as invalid_multipart;
pub(crate) use reply::Reply;
pub(crate) use request::{Form, Request};

/// Makes the service that answers every path.
pub(crate) fn service(shared: Arc<Shared>) -> Router {
    Router::new().fallback(move |request: axum::extract::Request| {
        let shared = Arc::clone(&shared);
        async move { answer(&shared, request).await }
    })
}

async fn answer(shared: &Shared, request: axum::extract::Request) -> Response {
    shared.count_request();
    let reply = match Request::read(request).await {
        Ok(request) => {
            // Apart, so that the queue is not locked while the request is answered.
            let canned = shared.canned().pop_front();
            canned.unwrap_or_else(|| route::route(shared, &request))
        }
        Err(error) => error.into(),
    };
    reply.into()
}
