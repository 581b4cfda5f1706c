//! `/analytics/reports`: listed, described, run at once or later.
//!
//! Follows the *Reports and Dashboards REST API Developer Guide*.

use std::collections::VecDeque;

use http::Method;
use serde_json::{Value as Json, json};

use super::Call;
use crate::error::ApiError;
use crate::id::Id;
use crate::limits::Limit;
use crate::reports::{self, Report};
use crate::seen::Glance;
use crate::value::{Value, format_moment};
use crate::wire::Reply;

/// The reports of a list.
const LISTED_MAX: usize = 200;
/// The answers that are kept to be fetched; a new one displaces the oldest.
const INSTANCES_MAX: usize = 200;

/// What runs of reports leave behind.
#[derive(Debug, Default)]
pub(crate) struct ReportRuns {
    instances: VecDeque<Instance>,
    last_number: u64,
}

/// A run whose answer is fetched later.
#[derive(Debug, Clone)]
struct Instance {
    id: Id,
    report: Id,
    user: Id,
    /// When it was asked for, as it is written.
    requested: String,
    details: bool,
    /// The answer, or why there is none.
    result: Result<Json, ApiError>,
}

impl Call<'_> {
    /// Answers a path below `/analytics/reports`.
    pub(super) fn reports(&self, path: &[&str]) -> Result<Reply, ApiError> {
        let method = &self.request.method;
        match (path, method) {
            ([], &Method::GET) => self.list_reports(),
            ([id], &Method::GET | &Method::POST) => self.run_report(id),
            ([id, "describe"], &Method::GET) => self.describe_report(id),
            ([id, "instances"], &Method::GET) => self.list_instances(id),
            ([id, "instances"], &Method::POST) => self.run_report_later(id),
            ([id, "instances", instance], &Method::GET) => self.instance_result(id, instance),
            ([id, "instances", instance], &Method::DELETE) => self.delete_instance(id, instance),
            ([] | [_, "describe"], _) => Ok(Reply::not_allowed(method, "GET,HEAD")),
            ([_] | [_, "instances"], _) => Ok(Reply::not_allowed(method, "GET,HEAD,POST")),
            ([_, "instances", _], _) => Ok(Reply::not_allowed(method, "GET,HEAD,DELETE")),
            _ => Err(ApiError::not_found()),
        }
    }

    /// Lists the reports that who asks has run or looked at, the latest first.
    fn list_reports(&self) -> Result<Reply, ApiError> {
        let soql = format!(
            "SELECT Id, Name FROM Report WHERE LastViewedDate != NULL \
             ORDER BY LastViewedDate DESC LIMIT {LISTED_MAX}"
        );
        let reports: Vec<Json> = self
            .ask(&soql)?
            .iter()
            .map(|row| {
                let own = self.report_url(row["Id"].as_str().unwrap_or_default());
                json!({
                    "describeUrl": format!("{own}/describe"),
                    "id": row["Id"],
                    "instancesUrl": format!("{own}/instances"),
                    "name": row["Name"],
                    "url": own,
                })
            })
            .collect();
        Ok(Reply::json(200, &reports))
    }

    fn report_url(&self, id: &str) -> String {
        format!("{}/analytics/reports/{id}", self.base)
    }

    /// Finds a report that who asks may see, and gives its name and `reportMetadata`.
    fn report(&self, id: &str) -> Result<(Id, &'static Report, Json), ApiError> {
        let missing = || {
            let message = "The data you’re trying to access is unavailable.";
            ApiError::new(404, "NOT_FOUND", message)
        };
        let id = Id::parse(id).ok_or_else(missing)?;
        let seen = self.ask(&format!("SELECT Id FROM Report WHERE Id = '{id}'"))?;
        let org = self.shared.org();
        let record = org.store.get("Report", id).filter(|_| !seen.is_empty());
        record
            .and_then(|record| {
                let report = Report::of(record)?;
                Some((id, report, report.metadata(record)))
            })
            .ok_or_else(missing)
    }

    fn describe_report(&self, id: &str) -> Result<Reply, ApiError> {
        let (id, report, metadata) = self.report(id)?;
        let mut body = reports::describe(&self.session, &metadata)?;
        body["attributes"] = self.attributes(id, report);
        self.note_seen(id, Glance::View);
        Ok(Reply::json(200, &body))
    }

    fn attributes(&self, id: Id, report: &Report) -> Json {
        let own = self.report_url(id.as_str());
        json!({
            "describeUrl": format!("{own}/describe"),
            "instancesUrl": format!("{own}/instances"),
            "reportId": id.as_str(),
            "reportName": report.name,
            "type": "Report",
        })
    }

    fn with_details(&self) -> bool {
        let asked = self.request.param("includeDetails");
        asked.is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    fn run_report(&self, id: &str) -> Result<Reply, ApiError> {
        let (id, report, metadata) = self.report(id)?;
        let metadata = reports::overlaid(metadata, &self.request.body)?;
        self.count_run(Limit::HourlySyncReportRuns, "synchronously")?;
        let details = self.with_details();
        let mut body = reports::run(&self.shared.org(), &self.session, &metadata, details)?;
        body["attributes"] = self.attributes(id, report);
        self.note_run(id);
        Ok(Reply::json(200, &body))
    }

    /// Counts a run of this hour.
    fn count_run(&self, limit: Limit, how: &str) -> Result<(), ApiError> {
        if self.shared.limits.take(limit, 1) {
            return Ok(());
        }
        let max = self.shared.limits.max(limit);
        let message = format!("You can’t run more than {max} reports {how} every 60 minutes.");
        Err(ApiError::new(403, "FORBIDDEN", message))
    }

    /// Writes down that a report has been run.
    fn note_run(&self, id: Id) {
        self.note_seen(id, Glance::View);
        let mut org = self.shared.org_mut();
        if let Some(mut record) = org.store.get("Report", id).cloned() {
            let now = Value::DateTime(org.now());
            record.values.insert("LastRunDate".into(), now);
            org.store.put(record);
        }
    }

    fn run_report_later(&self, id: &str) -> Result<Reply, ApiError> {
        let (id, _, metadata) = self.report(id)?;
        let metadata = reports::overlaid(metadata, &self.request.body)?;
        self.count_run(Limit::HourlyAsyncReportRuns, "asynchronously")?;
        let details = self.with_details();
        let result = reports::run(&self.shared.org(), &self.session, &metadata, details);
        self.note_run(id);
        let requested = format_moment(self.shared.org().now());
        let mut runs = self.shared.report_runs();
        runs.last_number += 1;
        let instance = Instance {
            id: Id::numbered("0LG", runs.last_number),
            report: id,
            user: self.session.user_id,
            requested,
            details,
            result,
        };
        let body = self.instance_json(&instance, false);
        if runs.instances.len() >= INSTANCES_MAX {
            runs.instances.pop_front();
        }
        runs.instances.push_back(instance);
        Ok(Reply::json(200, &body))
    }

    /// Gives what is known of an instance: at first only that it is new.
    fn instance_json(&self, instance: &Instance, done: bool) -> Json {
        let status = match (&instance.result, done) {
            (_, false) => "New",
            (Ok(_), true) => "Success",
            (Err(_), true) => "Error",
        };
        let own = self.report_url(instance.report.as_str());
        json!({
            "completionDate": done.then_some(&instance.requested),
            "hasDetailRows": instance.details,
            "id": instance.id.as_str(),
            "ownerId": instance.user.as_str(),
            "queryable": false,
            "requestDate": instance.requested,
            "status": status,
            "url": format!("{own}/instances/{}", instance.id),
        })
    }

    fn list_instances(&self, id: &str) -> Result<Reply, ApiError> {
        let (id, ..) = self.report(id)?;
        let runs = self.shared.report_runs();
        let of_report = runs
            .instances
            .iter()
            .rev()
            .filter(|instance| instance.report == id && instance.user == self.session.user_id);
        let list: Vec<Json> = of_report
            .map(|instance| self.instance_json(instance, true))
            .collect();
        Ok(Reply::json(200, &list))
    }

    fn instance_result(&self, id: &str, instance: &str) -> Result<Reply, ApiError> {
        let (id, report, metadata) = self.report(id)?;
        let place = self.instance_place(id, instance)?;
        let found = self.shared.report_runs().instances.get(place).cloned();
        let instance = found.ok_or_else(ApiError::not_found)?;
        let mut attributes = self.instance_json(&instance, true);
        attributes["reportId"] = json!(id.as_str());
        attributes["reportName"] = json!(report.name);
        attributes["type"] = json!("ReportInstance");
        let mut body = match instance.result {
            Ok(body) => body,
            Err(error) => {
                attributes["errorCode"] = json!(error.code);
                attributes["errorMessage"] = json!(error.message);
                json!({"reportMetadata": metadata})
            }
        };
        body["attributes"] = attributes;
        Ok(Reply::json(200, &body))
    }

    fn delete_instance(&self, id: &str, instance: &str) -> Result<Reply, ApiError> {
        let (id, ..) = self.report(id)?;
        let place = self.instance_place(id, instance)?;
        self.shared.report_runs().instances.remove(place);
        Ok(Reply::empty(204))
    }

    /// Finds an instance of a report that who asks has asked for.
    fn instance_place(&self, report: Id, instance: &str) -> Result<usize, ApiError> {
        let id = Id::parse(instance);
        let runs = self.shared.report_runs();
        let place = runs.instances.iter().position(|instance| {
            Some(instance.id) == id
                && instance.report == report
                && instance.user == self.session.user_id
        });
        place.ok_or_else(ApiError::not_found)
    }
}
