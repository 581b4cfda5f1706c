//! `/limits`: what an org may use in a day or an hour, and what is left.

use serde_json::{Map, json};

use super::Call;
use crate::limits::Limit;
use crate::wire::Reply;

impl Call<'_> {
    pub(super) fn limits(&self) -> Reply {
        let (data, files) = {
            let org = self.shared.org();
            (org.data_bytes(), org.file_bytes())
        };
        let counters = &self.shared.limits;
        let limits: Map<_, _> = Limit::ALL
            .iter()
            .map(|limit| {
                let max = counters.max(*limit);
                let remaining = match limit {
                    Limit::DataStorageMB => max.saturating_sub(data) / limit.unit(),
                    Limit::FileStorageMB => max.saturating_sub(files) / limit.unit(),
                    _ => counters.remaining(*limit),
                };
                let max = max / limit.unit();
                let limit = limit.name().to_owned();
                (limit, json!({"Max": max, "Remaining": remaining}))
            })
            .collect();
        Reply::json(200, &limits)
    }
}
