//! The REST API: versions, describes, queries and records.
//!
//! Paths, statuses and headers are those of Salesforce's *REST API Developer Guide*.

mod actions;
mod approvals;
mod limits;
mod list_views;
mod query;
mod quick_actions;
mod recent;
mod records;
mod reports;
mod sobjects;
mod ui_api;
mod version;

use http::Method;
use http::header::HeaderName;
use serde_json::json;

use crate::error::ApiError;
use crate::org::Session;
use crate::state::Shared;
use crate::wire::{Reply, Request};
pub(crate) use query::Cursors;
pub(crate) use reports::ReportRuns;
use version::Version;
pub(crate) use version::versions;

static SFORCE_LIMIT_INFO: HeaderName = HeaderName::from_static("sforce-limit-info");

/// A request of somebody who is signed in, below a version.
struct Call<'a> {
    shared: &'a Shared,
    request: &'a Request,
    session: Session,
    /// `/services/data/v68.0`.
    base: String,
}

/// Answers a path below a version; every answer says how much of the day's requests is used.
pub(crate) fn answer(shared: &Shared, request: &Request, version: &str, path: &[&str]) -> Reply {
    let used = shared.count_api_request();
    let reply = signed_in(shared, request, version, used)
        .and_then(|call| call.dispatch(path))
        .unwrap_or_else(Reply::from)
        .with(
            SFORCE_LIMIT_INFO.clone(),
            format!("api-usage={used}/{}", shared.api_requests_max),
        );
    let pretty = request
        .header("x-prettyprint")
        .is_some_and(|value| value != "0" && value != "false");
    if pretty { reply.pretty() } else { reply }
}

fn signed_in<'a>(
    shared: &'a Shared,
    request: &'a Request,
    version: &str,
    used: u64,
) -> Result<Call<'a>, ApiError> {
    let base = format!("/services/data/{}", Version::parse(version)?);
    let session = shared.session(request)?;
    if used > shared.api_requests_max {
        return Err(ApiError::new(
            403,
            "REQUEST_LIMIT_EXCEEDED",
            "TotalRequests Limit exceeded.",
        ));
    }
    Ok(Call {
        shared,
        request,
        session,
        base,
    })
}

impl Call<'_> {
    fn dispatch(&self, path: &[&str]) -> Result<Reply, ApiError> {
        let read = self.request.method == Method::GET;
        match path {
            []
            | ["sobjects" | "limits"]
            | ["sobjects", _, "describe"]
            | ["query" | "queryAll"]
            | ["query" | "queryAll", _]
                if !read =>
            {
                Ok(Reply::not_allowed(&self.request.method, "GET,HEAD"))
            }
            [] => Ok(self.root()),
            ["limits"] => Ok(self.limits()),
            ["query"] => self.query(false),
            ["queryAll"] => self.query(true),
            ["query" | "queryAll", locator] => self.next_page(locator),
            ["sobjects"] => Ok(self.objects()),
            ["analytics", "reports", path @ ..] => self.reports(path),
            ["actions", path @ ..] => self.actions(path),
            ["quickActions", path @ ..] => self.quick_actions(None, path),
            ["process", "approvals"] => self.approvals(),
            ["recent"] => self.recent(),
            ["ui-api", path @ ..] => self.ui_api(path),
            ["sobjects", object] => self.object_or_create(object),
            ["sobjects", object, "describe"] => self.describe(object),
            ["sobjects", _, "describe", ..] => Err(ApiError::not_found()),
            ["sobjects", object, "quickActions", path @ ..] => {
                self.quick_actions(Some(object), path)
            }
            ["sobjects", object, "listviews", path @ ..] => self.list_views(object, path),
            ["sobjects", object, id] => self.record(object, id),
            ["sobjects", object, field, value] => self.record_by_field(object, field, value),
            _ => Err(ApiError::not_found()),
        }
    }

    /// Lists what a version has, and who asks.
    fn root(&self) -> Reply {
        let base = &self.base;
        Reply::json(
            200,
            &json!({
                "actions": format!("{base}/actions"),
                "identity": self.shared.identity_url(self.session.user_id),
                "limits": format!("{base}/limits"),
                "query": format!("{base}/query"),
                "queryAll": format!("{base}/queryAll"),
                "quickActions": format!("{base}/quickActions"),
                "recent": format!("{base}/recent"),
                "sobjects": format!("{base}/sobjects"),
            }),
        )
    }
}
