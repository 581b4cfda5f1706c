//! How much of what the org may use in a day or an hour is left.

use portcullis_sdk::http::{Request, path};
use portcullis_sdk::{Failure, Output};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::host::Host;
use crate::json::Json;
use crate::nearest::{Candidate, listed, nearest};
use crate::order;
use crate::table::{Bounds, Table};

const BOUNDS: Bounds = Bounds {
    cell_chars_max: 200,
    text_bytes_max: 60_000,
};

/// What `get_org_limits` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct GetOrgLimits {
    /// Part of a limit's name, such as `Api` or `Storage`; default: all of which some is used.
    text: Option<String>,
}

/// What `get_org_limits` answers as data.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OrgLimits {
    limits: Vec<OrgLimit>,
}

/// One limit; names that end in MB are in megabytes.
#[derive(Debug, Serialize, JsonSchema)]
struct OrgLimit {
    name: String,
    max: u64,
    used: u64,
    left: u64,
}

impl OrgLimit {
    /// How much is used, in thousandths: what has no room at all counts as used up.
    fn share(&self) -> u64 {
        (self.used.saturating_mul(1_000))
            .checked_div(self.max)
            .unwrap_or(0)
    }
}

/// Says what the org has used of its limits, what is used most first.
///
/// # Errors
/// The org does not answer, or does not tell this account.
pub fn get_org_limits(host: &dyn Host, args: &GetOrgLimits) -> Result<Output, Failure> {
    let client = Client::new(host);
    host.step("Asked for the org's limits", args.text.as_deref());
    let version = client.version()?;
    let reply = client.read(|| Request::get(path!("/services/data/{}/limits", version)))?;
    let mut all: Vec<OrgLimit> = reply
        .json
        .members()
        .iter()
        .filter_map(|(name, limit)| limit_of(name, limit))
        .collect();
    order::sort_by(&mut all, |a, b| {
        b.share().cmp(&a.share()).then_with(|| a.name.cmp(&b.name))
    });
    let known = all.len();
    let wanted = args
        .text
        .as_deref()
        .unwrap_or_default()
        .trim()
        .to_lowercase();
    let fits = |limit: &OrgLimit| match wanted.as_str() {
        "" => limit.used > 0,
        wanted => limit.name.to_lowercase().contains(wanted),
    };
    let near: Vec<String> = all.iter().map(|limit| limit.name.clone()).collect();
    all.retain(fits);
    let mut text = vec![format!("limits: {} of {known}", all.len())];
    if all.is_empty() {
        let candidates = near.iter().map(|name| Candidate { name, label: "" });
        let near = nearest(&wanted, candidates);
        if !near.is_empty() {
            text.push(format!("near names: {}", listed(&near)));
        }
    } else {
        let rows = all.iter().map(|limit| {
            let percent = match limit.share() {
                0 if limit.used > 0 => "<0.1".to_owned(),
                share => format!("{}.{}", share / 10, share % 10),
            };
            vec![
                Json::from(limit.name.as_str()),
                limit.used.into(),
                limit.max.into(),
                percent.into(),
            ]
        });
        let table = Table::plain(["limit", "used", "max", "used %"], rows);
        text.push(client.fenced(&table.render(BOUNDS).text));
    }
    if wanted.is_empty() && all.len() < known {
        text.push(format!(
            "{} of which nothing is used left out; `text` finds them",
            known - all.len()
        ));
    }
    let limits = all.iter().map(|limit| {
        Json::object([
            ("name", limit.name.as_str().into()),
            ("max", limit.max.into()),
            ("used", limit.used.into()),
            ("left", limit.left.into()),
        ])
    });
    let data = Json::object([("limits", Json::Array(limits.collect()))]);
    Ok(data.answer(text.join("\n")))
}

/// Reads `{"Max": 5000, "Remaining": 4937}`; what apps used of it stands beside these and is left out.
fn limit_of(name: &str, limit: &Json) -> Option<OrgLimit> {
    let (max, left) = (limit.count_at("Max")?, limit.count_at("Remaining")?);
    Some(OrgLimit {
        name: name.to_owned(),
        max,
        used: max.saturating_sub(left),
        left,
    })
}
