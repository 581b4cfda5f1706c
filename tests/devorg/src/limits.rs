//! What an org may use in a day or an hour: the names of `/limits`, and how much is used.
//!
//! The org's days do not end: what is used up stays so until it is started again.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! limits {
    ($($name:ident = $max:literal,)*) => {
        /// A limit of the org, by its name in `/limits`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Limit {
            $(#[doc = concat!("`", stringify!($name), "`")] $name,)*
        }

        impl Limit {
            /// Every limit, in the order of their names.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Gives the name in `/limits`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// Gives how much there is unless the org's options say otherwise.
            pub fn default_max(self) -> u64 {
                match self {
                    $(Self::$name => $max,)*
                }
            }
        }
    };
}

// Names and values as in the *REST API Developer Guide*, "List Organization Limits", but for five:
// requests, since a person works with the org for longer than a day; data, since the sample records
// alone are more than a Developer Edition's 5 MB; files, as a Developer Edition has them; results of
// queries, which are kept in memory; mail, as a Developer Edition has it.
limits! {
    ActiveScratchOrgs = 3,
    AnalyticsExternalDataSizeMB = 40_960,
    ConcurrentAsyncGetReportInstances = 200,
    ConcurrentEinsteinDataInsightsStoryCreation = 5,
    ConcurrentEinsteinDiscoveryStoryCreation = 2,
    ConcurrentSyncReportRuns = 20,
    DailyAnalyticsDataflowJobExecutions = 60,
    DailyAnalyticsUploadedFilesSizeMB = 51_200,
    DailyApiRequests = 5_000_000,
    DailyAsyncApexExecutions = 250_000,
    DailyAsyncApexTests = 500,
    DailyBulkApiBatches = 15_000,
    DailyBulkV2QueryFileStorageMB = 1_024,
    DailyBulkV2QueryJobs = 10_000,
    DailyDeliveredPlatformEvents = 10_000,
    DailyDurableGenericStreamingApiEvents = 10_000,
    DailyDurableStreamingApiEvents = 10_000,
    DailyEinsteinDataInsightsStoryCreation = 1_000,
    DailyEinsteinDiscoveryPredictAPICalls = 50_000,
    DailyEinsteinDiscoveryPredictionsByCDC = 5_000_000,
    DailyEinsteinDiscoveryStoryCreation = 100,
    DailyFunctionsApiCallLimit = 235_000,
    DailyGenericStreamingApiEvents = 10_000,
    DailyScratchOrgs = 6,
    DailyStandardVolumePlatformEvents = 10_000,
    DailyStreamingApiEvents = 10_000,
    DailyWorkflowEmails = 100_000,
    DataStorageMB = 1_024,
    DurableStreamingApiConcurrentClients = 20,
    FileStorageMB = 20,
    HourlyAsyncReportRuns = 1_200,
    HourlyDashboardRefreshes = 200,
    HourlyDashboardResults = 5_000,
    HourlyDashboardStatuses = 999_999_999,
    HourlyLongTermIdMapping = 100_000,
    HourlyManagedContentPublicRequests = 50_000,
    HourlyODataCallout = 20_000,
    HourlyPublishedPlatformEvents = 50_000,
    HourlyPublishedStandardVolumePlatformEvents = 1_000,
    HourlyShortTermIdMapping = 100_000,
    HourlySyncReportRuns = 500,
    HourlyTimeBasedWorkflow = 1_000,
    MassEmail = 5_000,
    MonthlyEinsteinDiscoveryStoryCreation = 500,
    Package2VersionCreates = 6,
    Package2VersionCreatesWithoutValidation = 500,
    PermissionSets = 1_500,
    PlatformEventTriggersWithParallelProcessing = 5,
    PrivateConnectOutboundCalloutHourlyLimitMB = 0,
    SingleEmail = 50,
    StreamingApiConcurrentClients = 20,
}

impl Limit {
    /// Says how many units of what is counted make one of what is shown: bytes for megabytes.
    pub(crate) fn unit(self) -> u64 {
        if self.name().ends_with("MB") {
            crate::storage::MEGABYTE
        } else {
            1
        }
    }
}

/// What is used, in units of [`Limit::unit`].
#[derive(Debug)]
pub(crate) struct Limits {
    /// In the order of [`Limit::ALL`].
    counters: Vec<Counter>,
}

#[derive(Debug)]
struct Counter {
    max: u64,
    used: AtomicU64,
}

impl Limits {
    /// Makes counters of which nothing is used; `maxima` are in the units that `/limits` shows.
    pub(crate) fn new(maxima: &[(Limit, u64)]) -> Self {
        let max = |limit: &Limit| {
            let mut given = maxima.iter().rev();
            let given = given.find(|(known, _)| known == limit);
            let shown = given.map_or(limit.default_max(), |(_, max)| *max);
            shown.saturating_mul(limit.unit())
        };
        let counters = Limit::ALL.iter().map(|limit| Counter {
            max: max(limit),
            used: AtomicU64::new(0),
        });
        Self {
            counters: counters.collect(),
        }
    }

    fn counter(&self, limit: Limit) -> Option<&Counter> {
        self.counters.get(limit as usize) // Every limit has one.
    }

    /// Gives how much there is.
    pub(crate) fn max(&self, limit: Limit) -> u64 {
        self.counter(limit).map_or(0, |counter| counter.max)
    }

    /// Gives how much is used, which is more than there is where requests were refused.
    pub(crate) fn used(&self, limit: Limit) -> u64 {
        let counter = self.counter(limit);
        counter.map_or(0, |counter| counter.used.load(Ordering::Relaxed))
    }

    /// Uses one, there or not, and gives how many are used.
    pub(crate) fn count(&self, limit: Limit) -> u64 {
        let counter = self.counter(limit);
        counter.map_or(0, |counter| {
            counter.used.fetch_add(1, Ordering::Relaxed) + 1
        })
    }

    /// Uses an amount, unless there is less. Says whether there was enough.
    #[must_use]
    pub(crate) fn take(&self, limit: Limit, amount: u64) -> bool {
        let Some(counter) = self.counter(limit) else {
            return false;
        };
        let taken = |used: u64| used.checked_add(amount).filter(|used| *used <= counter.max);
        let (order, relaxed) = (Ordering::Relaxed, Ordering::Relaxed);
        counter.used.fetch_update(order, relaxed, taken).is_ok()
    }

    /// Gives what is left, in the units that `/limits` shows: what is begun counts as used.
    pub(crate) fn remaining(&self, limit: Limit) -> u64 {
        self.max(limit).saturating_sub(self.used(limit)) / limit.unit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_stand_where_their_counters_do() {
        assert!(Limit::ALL.is_sorted_by_key(|limit| limit.name()));
        for (at, limit) in Limit::ALL.iter().enumerate() {
            assert_eq!(*limit as usize, at);
        }
    }

    #[test]
    fn what_is_used_up_is_refused() {
        let limits = Limits::new(&[
            (Limit::HourlySyncReportRuns, 2),
            (Limit::DailyBulkV2QueryFileStorageMB, 1),
        ]);
        let taken = |limit, amount| limits.take(limit, amount);
        let reports = Limit::HourlySyncReportRuns;
        assert_eq!(
            [
                taken(reports, 1),
                taken(reports, 2),
                taken(reports, 1),
                taken(reports, 1)
            ],
            [true, false, true, false]
        );
        assert_eq!(limits.remaining(reports), 0);
        let bytes = Limit::DailyBulkV2QueryFileStorageMB;
        assert!(taken(bytes, 1_024 * 1_024) && !taken(bytes, 1) && !taken(bytes, u64::MAX));
        assert_eq!(limits.remaining(Limit::MassEmail), 5_000);
    }
}
