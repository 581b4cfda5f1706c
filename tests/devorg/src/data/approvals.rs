//! Approval processes, and a deal that waits for one.

use super::Seed;
use crate::approvals::{Action, PROCESSES, Request, act};
use crate::id::Id;
use crate::org::Session;
use jiff::tz::TimeZone;

pub(super) fn add(seed: &mut Seed) {
    for process in &PROCESSES {
        let row = vec![
            ("Name", process.label.into()),
            ("DeveloperName", process.developer_name.into()),
            ("Description", process.description.into()),
            ("Type", "Approval".into()),
            ("TableEnumOrId", process.object.into()),
            ("LockType", "Total".into()),
            ("State", "Active".into()),
        ];
        seed.add("ProcessDefinition", seed.ago(800, 630), row);
    }
}

/// Submits a deal.
pub(super) fn submit(seed: &mut Seed) {
    // The last deal whose owner has a manager and that the process takes.
    let rows = seed.org.store.rows("Opportunity");
    let deals: Vec<(Id, Id)> = rows
        .filter_map(|deal| Some((deal.id, deal.reference("OwnerId")?)))
        .collect();
    for (deal, owner) in deals.into_iter().rev() {
        let session = Session::of_org(&seed.org, owner, TimeZone::UTC);
        let request = Request {
            action: Action::Submit,
            context: deal,
            submitter: None,
            comments: "The customer wants an offer this week.".into(),
            next_approvers: Vec::new(),
            process: None,
            skip_criteria: false,
        };
        let at = seed.ago(1, 640);
        if act(&mut seed.org, &session, &request, at).is_ok() {
            return;
        }
    }
}
