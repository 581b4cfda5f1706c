//! The org's objects, one a file, as Salesforce describes them in a new org.
//!
//! Standard fields are those of Salesforce's *Object Reference*. References to objects that the org
//! does not have (assets, price books) are fields like any other that stay empty.

mod account;
mod approval;
mod campaign;
mod campaign_member;
mod case;
mod case_comment;
mod contact;
mod content_document;
mod content_document_link;
mod content_version;
mod event;
mod group;
mod inspection;
mod lead;
mod lead_status;
mod list_view;
mod measurement;
mod object_permissions;
mod opportunity;
mod opportunity_contact_role;
mod organization;
mod permission_set;
mod profile;
mod recently_viewed;
mod record_type;
mod report;
mod task;
mod task_status;
mod user;
mod user_license;
mod user_role;
mod words;

use crate::schema::Schema;
pub(crate) use account::RECORD_TYPES;
pub(crate) use campaign_member::MEMBER_STATUSES;
pub(crate) use case::{CLOSED_STATUS, REASONS};
pub(crate) use content_version::file_type;
pub(crate) use lead::CONVERTED_STATUS;
pub(crate) use object_permissions::GRANTED_APART;
pub(crate) use opportunity::STAGES;
pub(crate) use opportunity_contact_role::ROLES;
pub(crate) use task::COMPLETED_STATUS;
pub(crate) use words::*;

/// Makes the schema of every object.
pub(crate) fn schema() -> Schema {
    Schema::new(vec![
        account::object(),
        approval::definition(),
        approval::instance(),
        approval::step(),
        approval::work_item(),
        campaign::object(),
        campaign_member::object(),
        case::object(),
        case_comment::object(),
        contact::object(),
        content_document::object(),
        content_document_link::object(),
        content_version::object(),
        event::object(),
        group::object(),
        inspection::object(),
        lead::object(),
        lead_status::object(),
        list_view::object(),
        measurement::object(),
        object_permissions::object(),
        opportunity::object(),
        opportunity_contact_role::object(),
        organization::object(),
        permission_set::object(),
        profile::object(),
        recently_viewed::object(),
        record_type::object(),
        report::dashboard(),
        report::folder(),
        report::report(),
        task::object(),
        task_status::object(),
        user::object(),
        user_license::object(),
        user_role::object(),
    ])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_prefixes_and_relationships_are_unique() {
        let schema = schema();
        let mut prefixes = HashSet::new();
        for object in &schema.objects {
            assert!(prefixes.insert(&object.key_prefix), "{}", object.name);
            let mut names = HashSet::new();
            for field in &object.fields {
                assert!(
                    names.insert(field.name.to_ascii_lowercase()),
                    "{}.{}",
                    object.name,
                    field.name
                );
            }
            let mut children = HashSet::new();
            for child in &object.child_relationships {
                let Some(name) = &child.relationship_name else {
                    continue;
                };
                assert!(children.insert(name), "{}.{name}", object.name);
            }
            let nameless = [
                "CampaignMember",
                "CaseComment",
                "ContentDocumentLink",
                "ObjectPermissions",
                "OpportunityContactRole",
                "ProcessInstance",
                "ProcessInstanceStep",
                "ProcessInstanceWorkitem",
            ];
            assert!(object.name_field().is_some() || nameless.contains(&&*object.name));
        }
    }

    #[test]
    fn every_child_relationship_has_a_field_that_refers_back() {
        let schema = schema();
        for object in &schema.objects {
            for child in &object.child_relationships {
                let field = schema
                    .object(&child.child_object)
                    .and_then(|object| object.field(&child.field));
                assert!(
                    field.is_some_and(|field| field
                        .reference_to
                        .iter()
                        .any(|o| **o == *object.name)),
                    "{} has no {}.{}",
                    object.name,
                    child.child_object,
                    child.field
                );
            }
        }
    }

    #[test]
    fn every_compound_field_is_there() {
        for object in &schema().objects {
            for field in &object.fields {
                if let Some(compound) = &field.compound_field_name {
                    assert!(object.field(compound).is_some(), "{compound}");
                }
            }
        }
    }
}
