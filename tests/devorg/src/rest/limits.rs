//! `/limits`: what an org may use in a day or an hour, and what is left.

use serde_json::{Map, json};

use super::reports::{ASYNC_RUNS_MAX, SYNC_RUNS_MAX};
use super::{Call, actions};
use crate::wire::Reply;

/// Limits of a Developer Edition org that nothing here uses up.
const UNTOUCHED: [(&str, u64); 8] = [
    ("ConcurrentAsyncGetReportInstances", 200),
    ("ConcurrentSyncReportRuns", 20),
    ("DailyAsyncApexExecutions", 250_000),
    ("DailyBulkApiBatches", 15_000),
    ("DailyBulkV2QueryJobs", 10_000),
    ("DailyStreamingApiEvents", 10_000),
    ("DataStorageMB", 5),
    ("FileStorageMB", 20),
];

impl Call<'_> {
    pub(super) fn limits(&self) -> Reply {
        let max = self.shared.api_requests_max;
        let remaining = max.saturating_sub(self.shared.api_requests());
        let mut limits: Map<_, _> = UNTOUCHED
            .iter()
            .map(|(name, max)| ((*name).to_owned(), json!({"Max": max, "Remaining": max})))
            .collect();
        limits.insert(
            "DailyApiRequests".into(),
            json!({"Max": max, "Remaining": remaining}),
        );
        let (sync, later) = self.shared.report_runs().used(self.shared.org().now());
        let today = actions::day(self.shared.org().now());
        let sent = self.shared.outbox().used(today);
        for (name, max, used) in [
            ("SingleEmail", self.shared.emails_max, sent),
            ("HourlySyncReportRuns", SYNC_RUNS_MAX, sync),
            ("HourlyAsyncReportRuns", ASYNC_RUNS_MAX, later),
        ] {
            limits.insert(
                name.into(),
                json!({"Max": max, "Remaining": max.saturating_sub(used)}),
            );
        }
        Reply::json(200, &limits)
    }
}
