//! The written form of who is signed in.

use portcullis::ports::credentials::{Environment, Identity};
use serde::{Deserialize, Serialize};

/// An identity as it is sealed: JSON.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    environment: String,
    user_id: String,
    user_name: String,
    organization_id: Option<String>,
    organization_name: Option<String>,
    facts: Vec<(String, String)>,
}

impl From<&Identity> for Record {
    fn from(identity: &Identity) -> Self {
        Self {
            environment: identity.environment.as_str().to_owned(),
            user_id: identity.user_id.clone(),
            user_name: identity.user_name.clone(),
            organization_id: identity.organization_id.clone(),
            organization_name: identity.organization_name.clone(),
            facts: identity.facts.clone(),
        }
    }
}

impl From<Record> for Identity {
    fn from(record: Record) -> Self {
        Self {
            environment: Environment::of_word(&record.environment),
            user_id: record.user_id,
            user_name: record.user_name,
            organization_id: record.organization_id,
            organization_name: record.organization_name,
            facts: record.facts,
        }
    }
}
