//! `undelete`, `merge` and `convertLead`, which no other API has.

use super::Call;
use super::envelope::Element;
use super::fault::Fault;
use super::node::Node;
use super::sobject::Sent;
use super::write::{errors, results};
use crate::error::ApiError;
use crate::id::Id;
use crate::records::{self, LeadConvert, LeadConvertResult, MergeRequest, MergeResult};

impl Call<'_> {
    /// Restores records from the recycle bin.
    pub(super) fn undelete(&self) -> Result<Vec<Node>, Fault> {
        let outcomes = self.each(&self.ids("ids"), |org, session, id| {
            let mut restored = records::undelete(org, session, std::slice::from_ref(id));
            restored.pop().unwrap_or_else(|| Err(ApiError::not_found()))
        })?;
        Ok(results(outcomes))
    }

    /// Makes one record of up to three, for each request.
    pub(super) fn merge(&self) -> Result<Vec<Node>, Fault> {
        let requests = self.envelope.operation.all("request");
        let requests: Result<Vec<_>, Fault> = requests
            .map(|request| self.merge_request(request))
            .collect();
        let outcomes = self.each(&requests?, records::merge)?;
        Ok(outcomes.into_iter().map(merged).collect())
    }

    fn merge_request(&self, request: &Element) -> Result<MergeRequest, Fault> {
        let schema = self.schema();
        let Some(master) = request.child("masterRecord") else {
            return Err(Fault::api("MISSING_ARGUMENT", "masterRecord not specified"));
        };
        let sent = Sent::read(master, schema)?;
        let victims = request.all("recordToMergeIds");
        Ok(MergeRequest {
            object: (*sent.object.name).to_owned(),
            master_id: sent.id.unwrap_or_default(),
            values: sent.fields,
            record_to_merge_ids: victims.map(|id| id.text.trim().to_owned()).collect(),
        })
    }

    /// Makes accounts, contacts and sales of leads.
    pub(super) fn convert_lead(&self) -> Result<Vec<Node>, Fault> {
        let requests = self.envelope.operation.all("leadConverts");
        let requests: Vec<LeadConvert> = requests.map(lead_convert).collect();
        let outcomes = self.each(&requests, records::convert_lead)?;
        Ok(outcomes.into_iter().map(converted).collect())
    }
}

fn lead_convert(request: &Element) -> LeadConvert {
    let text = |name: &str| request.text_of(name).map(str::to_owned);
    let is_on = |name: &str| matches!(request.text_of(name), Some("true" | "1"));
    LeadConvert {
        lead_id: text("leadId").unwrap_or_default(),
        account_id: text("accountId"),
        contact_id: text("contactId"),
        opportunity_id: text("opportunityId"),
        converted_status: text("convertedStatus").unwrap_or_default(),
        do_not_create_opportunity: is_on("doNotCreateOpportunity"),
        opportunity_name: text("opportunityName"),
        overwrite_lead_source: is_on("overwriteLeadSource"),
        owner_id: text("ownerId"),
    }
}

fn merged(outcome: Result<MergeResult, ApiError>) -> Node {
    let ids = |tag: &'static str, ids: Vec<Id>| ids.into_iter().map(move |id| Node::text(tag, id));
    Node::of(
        "result",
        match outcome {
            Ok(done) => {
                let mut members = vec![Node::text("id", done.id)];
                members.extend(ids("mergedRecordIds", done.merged_record_ids));
                members.push(Node::text("success", true));
                members.extend(ids("updatedRelatedIds", done.updated_related_ids));
                members
            }
            Err(error) => {
                let mut members = errors(&error);
                members.extend([Node::nil("id"), Node::text("success", false)]);
                members
            }
        },
    )
}

fn converted(outcome: Result<LeadConvertResult, ApiError>) -> Node {
    let (done, errors) = match outcome {
        Ok(done) => (Some(done), Vec::new()),
        Err(error) => (None, errors(&error)),
    };
    let id = |of: fn(&LeadConvertResult) -> Option<Id>| done.as_ref().and_then(of);
    let mut members = vec![
        Node::maybe("accountId", id(|done| Some(done.account_id))),
        Node::maybe("contactId", id(|done| Some(done.contact_id))),
    ];
    members.extend(errors);
    members.extend([
        Node::maybe("leadId", id(|done| Some(done.lead_id))),
        Node::maybe("opportunityId", id(|done| done.opportunity_id)),
        Node::text("success", done.is_some()),
    ]);
    Node::of("result", members)
}
