//! The statuses by which a record is over, which the org has as records: those that converted leads and closed tasks have.

use portcullis_sdk::Failure;
use portcullis_sdk::audit::Source;

use crate::client::{Client, ReadError};
use crate::fence;
use crate::json::Json;
use crate::nearest::{Candidate, listed};
use crate::touched::Touched;
use crate::writes::record;

/// Statuses of one object.
pub(super) struct Statuses {
    kind: &'static str,
    /// What says of a status that a record with it is over.
    flag: &'static str,
    /// Whose they are.
    of: &'static str,
}

/// Those that a lead is converted to.
pub(super) const CONVERTED: Statuses = Statuses {
    kind: "LeadStatus",
    flag: "IsConverted",
    of: "converted leads",
};

/// Those that close a task.
pub(super) const CLOSED: Statuses = Statuses {
    kind: "TaskStatus",
    flag: "IsClosed",
    of: "closed tasks",
};

impl Statuses {
    /// Writes the query for them, and asks the host about it. `None`: the agent may not see them.
    pub(super) fn query(&self, client: &Client<'_>) -> Result<Option<String>, Failure> {
        seen(
            client,
            self.kind,
            &["ApiName", "MasterLabel", self.flag],
            &format!("{} = true", self.flag),
        )
    }

    /// Reads them. `None`: the org does not say, or the agent may not see it.
    ///
    /// # Errors
    /// The org does not answer.
    pub(super) fn read(&self, client: &Client<'_>) -> Result<Option<Vec<Json>>, Failure> {
        let Some(soql) = self.query(client)? else {
            return Ok(None);
        };
        match record::query(client, &soql) {
            Ok(reply) => Ok(Some(self.cited(client, &reply).to_vec())),
            // The user may not see it, or the org has none: the change itself will tell.
            Err(ReadError::Service(_)) => Ok(None),
            Err(ReadError::Failed(failure)) => Err(failure),
        }
    }

    /// Takes them out of an answer to the [query](Self::query), and names them among the sources.
    pub(super) fn cited<'r>(&self, client: &Client<'_>, reply: &'r Json) -> &'r [Json] {
        let fields = ["ApiName", "MasterLabel", self.flag];
        client.host.cite(&[Source::new(self.kind).fields(fields)]);
        reply.get("records").map_or(&[][..], Json::items)
    }

    /// Says what is wrong with a status that is none of them; nothing where the org names none, and nobody knows.
    pub(super) fn problem(&self, statuses: &[Json], wanted: &str) -> Option<String> {
        let is_it = |status: &Json| {
            ["ApiName", "MasterLabel"]
                .iter()
                .any(|name| status.str_at(name) == Some(wanted))
        };
        let is_known = !statuses.is_empty();
        (is_known && !statuses.iter().any(is_it)).then(|| {
            let shown = fence::inline(wanted, 80);
            let (of, names) = (self.of, names(statuses));
            format!("“{shown}” is none of the statuses of {of}: {names}")
        })
    }

    /// Says which there are, at the end of a sentence.
    pub(super) fn listed(&self, statuses: &[Json]) -> String {
        format!("; of {}: {}", self.of, names(statuses))
    }
}

fn names(statuses: &[Json]) -> String {
    let text =
        |status: &Json, name: &str| fence::inline(status.str_at(name).unwrap_or_default(), 80);
    let names: Vec<_> = statuses
        .iter()
        .map(|status| (text(status, "ApiName"), text(status, "MasterLabel")))
        .collect();
    let candidates = names.iter().map(|(name, label)| Candidate { name, label });
    listed(&candidates.collect::<Vec<_>>())
}

/// Writes a query for what tells whether a change can succeed, and asks the host about it. `None`: the agent may not see it.
///
/// # Errors
/// The host refused.
pub(super) fn seen(
    client: &Client<'_>,
    kind: &str,
    fields: &[&str],
    condition: &str,
) -> Result<Option<String>, Failure> {
    let names: Vec<String> = fields.iter().map(|name| (*name).to_owned()).collect();
    if !client.may_read(kind) || client.visible_fields(kind, &names).len() < names.len() {
        return Ok(None);
    }
    client.check(&[Touched {
        kind: kind.to_owned(),
        fields: names,
    }])?;
    let fields = fields.join(", ");
    Ok(Some(format!(
        "SELECT {fields} FROM {kind} WHERE {condition}"
    )))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_status_is_wrong_only_where_the_org_says_which_there_are() {
        let json = r#"[{"ApiName": "Completed", "MasterLabel": "Done"}]"#;
        let statuses = Json::parse(json).unwrap();
        for status in ["Completed", "Done"] {
            assert_eq!(CLOSED.problem(statuses.items(), status), None);
        }
        let problem = CLOSED.problem(statuses.items(), "Open").unwrap();
        assert!(
            problem.contains("“Open” is none of the statuses"),
            "{problem}"
        );
        assert_eq!(CLOSED.problem(&[], "Open"), None);
    }
}
