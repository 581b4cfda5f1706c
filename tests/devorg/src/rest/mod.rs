//! The REST API: versions, describes, queries and records.
//!
//! Paths, statuses and headers are those of Salesforce's *REST API Developer Guide*.

mod actions;
mod approvals;
mod batch;
mod classic;
mod collections;
mod composite;
mod files;
mod jobs;
mod limits;
mod list_views;
mod parameterized;
mod predupe;
mod query;
mod quick_actions;
mod recent;
mod records;
mod reference;
mod replication;
mod reports;
mod search;
mod sobjects;
mod subrequest;
mod tree;
mod ui_api;
mod version;
mod write_options;

use http::Method;
use http::header::HeaderName;
use serde_json::json;

use crate::error::ApiError;
use crate::limits::Limit;
use crate::org::Session;
use crate::state::Shared;
use crate::wire::{Reply, Request};
pub(crate) use classic::answer as answer_classic;
pub(crate) use query::{BATCH_SIZE, BATCH_SIZE_MIN, Cursor, Cursors};
pub(crate) use reports::ReportRuns;
pub(crate) use version::{Version, versions};

static SFORCE_LIMIT_INFO: HeaderName = HeaderName::from_static("sforce-limit-info");

/// A request of somebody who is signed in, below a version.
struct Call<'a> {
    shared: &'a Shared,
    request: &'a Request,
    session: Session,
    version: Version,
    /// `/services/data/v68.0`.
    base: String,
}

/// Answers a path below a version; every answer says how much of the day's requests is used.
pub(crate) fn answer(shared: &Shared, request: &Request, version: &str, path: &[&str]) -> Reply {
    let used = shared.limits.count(Limit::DailyApiRequests);
    let max = shared.limits.max(Limit::DailyApiRequests);
    let reply = signed_in(shared, request, version, used)
        .and_then(|call| call.dispatch(path))
        .unwrap_or_else(Reply::from)
        .with(SFORCE_LIMIT_INFO.clone(), format!("api-usage={used}/{max}"));
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
    let version = Version::parse(version)?;
    let session = shared.session(request)?;
    if used > shared.limits.max(Limit::DailyApiRequests) {
        return Err(used_up());
    }
    Ok(Call {
        shared,
        request,
        session,
        version,
        base: format!("/services/data/{version}"),
    })
}

/// Makes the error of a day whose requests are used up.
fn used_up() -> ApiError {
    ApiError::new(
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "TotalRequests Limit exceeded.",
    )
}

/// Gives the first version that has a resource (*REST API Developer Guide* and *Bulk API 2.0 and Bulk
/// API Developer Guide*, "Available in API version …"; *User Interface API Developer Guide*). Most are
/// older than any version that is answered.
fn first_version(path: &[&str]) -> u32 {
    match path {
        ["composite", "batch" | "tree", ..] => 34,
        ["composite", "sobjects", ..] => 42,
        ["composite"] => 38,
        ["jobs", "ingest", ..] | ["ui-api", ..] => 41,
        ["jobs", "query", ..] => 47,
        _ => 0,
    }
}

impl Call<'_> {
    fn dispatch(&self, path: &[&str]) -> Result<Reply, ApiError> {
        if self.version.number() < first_version(path) {
            return Err(ApiError::not_found());
        }
        let read = self.request.method == Method::GET;
        match path {
            []
            | ["sobjects" | "limits"]
            | ["sobjects", _, "describe"]
            | ["query" | "queryAll"]
            | ["query" | "queryAll", _]
            | ["search"]
            | ["search", "scopeOrder" | "layout" | "suggestions"]
                if !read =>
            {
                Ok(Reply::not_allowed(&self.request.method, "GET,HEAD"))
            }
            [] => Ok(self.root()),
            ["limits"] => Ok(self.limits()),
            ["jobs", path @ ..] => self.jobs(path),
            ["query"] => self.query(false),
            ["queryAll"] => self.query(true),
            ["query" | "queryAll", locator] => self.next_page(locator),
            ["search"] => self.search(),
            ["search", "scopeOrder"] => Ok(self.search_scope()),
            ["search", "layout"] => self.search_layouts(),
            ["search", "suggestions"] => self.suggestions(),
            ["parameterizedSearch"] => self.parameterized_search(),
            ["sobjects"] => Ok(self.objects()),
            ["analytics", "reports", path @ ..] => self.reports(path),
            ["actions", path @ ..] => self.actions(path),
            ["quickActions", path @ ..] => self.quick_actions(None, path),
            ["process", "approvals"] => self.approvals(),
            ["recent"] => self.recent(),
            ["ui-api", "predupe"] => self.predupe(),
            ["ui-api", path @ ..] => self.ui_api(path),
            ["sobjects", object] => self.object_or_create(object),
            ["sobjects", object, "describe"] => self.describe(object),
            ["sobjects", _, "describe", ..] => Err(ApiError::not_found()),
            ["sobjects", object, "deleted"] => self.deleted(object),
            ["sobjects", object, "updated"] => self.updated(object),
            ["sobjects", object, "quickActions", path @ ..] => {
                self.quick_actions(Some(object), path)
            }
            ["sobjects", object, "listviews", path @ ..] => self.list_views(object, path),
            ["sobjects", object, id] => self.record(object, id),
            ["sobjects", object, id, field] if self.is_blob(object, field) => {
                self.blob(object, id, field)
            }
            ["sobjects", object, field, value] => self.record_by_field(object, field, value),
            ["composite", rest @ ..] => self.composite_resource(rest),
            _ => Err(ApiError::not_found()),
        }
    }

    fn composite_resource(&self, path: &[&str]) -> Result<Reply, ApiError> {
        match path {
            [] => self.composite(),
            ["batch"] => self.batch(),
            ["tree", object] => self.tree(object),
            ["sobjects"] => self.collection(),
            ["sobjects", object] => self.retrieve(object),
            ["sobjects", object, field] => self.upsert_collection(object, field),
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
                "composite": format!("{base}/composite"),
                "identity": self.shared.identity_url(self.request, self.session.user_id),
                "jobs": format!("{base}/jobs"),
                "limits": format!("{base}/limits"),
                "parameterizedSearch": format!("{base}/parameterizedSearch"),
                "query": format!("{base}/query"),
                "queryAll": format!("{base}/queryAll"),
                "quickActions": format!("{base}/quickActions"),
                "recent": format!("{base}/recent"),
                "search": format!("{base}/search"),
                "sobjects": format!("{base}/sobjects"),
            }),
        )
    }
}
