//! Deleted and restored, merged, converted.
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use serde_json::json;

use super::tests::org;
use super::*;
use crate::objects::CONVERTED_STATUS;
use crate::value::Value;

fn add(org: &mut Org, session: &Session, object: &str, body: Json) -> Id {
    let schema = org.schema.clone();
    let body = body.as_object().unwrap();
    let object = schema.object(object).unwrap();
    insert(org, session, object, body, &WriteOptions::default()).unwrap()
}

fn delete(org: &mut Org, session: &Session, id: Id) {
    let schema = org.schema.clone();
    let object = schema.object_by_prefix(id.prefix()).unwrap();
    remove(org, session, object, id).unwrap();
}

fn deleted(org: &Org, id: Id) -> bool {
    org.find(id).unwrap().1.deleted
}

fn value(org: &Org, id: Id, field: &str) -> Value {
    org.find(id).unwrap().1.get(field).clone()
}

/// Undeletes one record, and gives the code of its error or nothing.
fn restored(org: &mut Org, session: &Session, id: &str) -> String {
    let results = undelete(org, session, &[id.to_owned()]);
    assert_eq!(results.len(), 1);
    results[0]
        .as_ref()
        .map_or_else(|error| error.code.clone(), |_| String::new())
}

#[test]
fn undelete_restores_what_was_deleted_along_and_nothing_else() {
    let (mut org, session) = org();
    let account = add(&mut org, &session, "Account", json!({"Name": "a"}));
    let child = add(
        &mut org,
        &session,
        "Account",
        json!({"Name": "b", "ParentId": account.as_str()}),
    );
    let contact = |org: &mut Org| {
        let body = json!({"LastName": "c", "AccountId": account.as_str()});
        add(org, &session, "Contact", body)
    };
    let (kept, gone) = (contact(&mut org), contact(&mut org));
    let task = add(&mut org, &session, "Task", json!({"WhoId": kept.as_str()}));
    delete(&mut org, &session, gone);
    delete(&mut org, &session, account);
    assert!(
        [account, kept, gone, task]
            .iter()
            .all(|id| deleted(&org, *id))
    );
    assert_eq!(value(&org, child, "ParentId"), Value::Null);

    for (id, code) in [
        (kept.as_str(), "UNDELETE_FAILED"),
        (child.as_str(), "UNDELETE_FAILED"),
        ("nothing", "MALFORMED_ID"),
        ("001DO00000zzzzz", "INVALID_CROSS_REFERENCE_KEY"),
        (account.short(), ""),
        (account.as_str(), "UNDELETE_FAILED"),
    ] {
        assert_eq!(restored(&mut org, &session, id), code, "{id}");
    }
    assert!([account, kept, task].iter().all(|id| !deleted(&org, *id)));
    assert!(deleted(&org, gone));
    assert_eq!(value(&org, child, "ParentId"), account.into());
    assert_eq!(value(&org, kept, "AccountId"), account.into());

    // Restored alone, a record loses the parent that has been deleted since.
    delete(&mut org, &session, account);
    assert_eq!(restored(&mut org, &session, gone.as_str()), "");
    assert_eq!(value(&org, gone, "AccountId"), Value::Null);
}

#[test]
fn undelete_does_not_bring_back_a_value_that_another_record_has_now() {
    let (mut org, session) = org();
    let reading =
        json!({"Sensor__c": "S", "Taken_At__c": "2026-11-23T00:00:00Z", "External_Key__c": "k"});
    let first = add(&mut org, &session, "Measurement__c", reading.clone());
    delete(&mut org, &session, first);
    add(&mut org, &session, "Measurement__c", reading);
    assert_eq!(
        restored(&mut org, &session, first.as_str()),
        "DUPLICATE_VALUE"
    );
    assert!(deleted(&org, first));
}

#[test]
fn merge_gives_the_losers_children_to_the_master() {
    let (mut org, session) = org();
    let account = |org: &mut Org, body| add(org, &session, "Account", body);
    let master = account(&mut org, json!({"Name": "m", "Industry": "Energy"}));
    let loser = account(&mut org, json!({"Name": "l", "Site": "s"}));
    let third = account(&mut org, json!({"Name": "t"}));
    let below = account(&mut org, json!({"Name": "b", "ParentId": loser.as_str()}));
    let contact = add(
        &mut org,
        &session,
        "Contact",
        json!({"LastName": "c", "AccountId": loser.as_str()}),
    );
    let case = add(
        &mut org,
        &session,
        "Case",
        json!({"AccountId": third.as_str()}),
    );
    let request = MergeRequest {
        object: "account".into(),
        master_id: master.to_string(),
        values: json!({"Site": "s"}).as_object().unwrap().clone(),
        record_to_merge_ids: vec![loser.to_string(), third.short().to_owned()],
    };

    let with = |change: &dyn Fn(&mut MergeRequest)| {
        let mut request = request.clone();
        change(&mut request);
        request
    };
    for (request, code) in [
        (with(&|r| r.object = "Opportunity".into()), "INVALID_TYPE"),
        (with(&|r| r.record_to_merge_ids.clear()), "MISSING_ARGUMENT"),
        (
            with(&|r| r.record_to_merge_ids.push(below.to_string())),
            "LIMIT_EXCEEDED",
        ),
        (
            with(&|r| r.record_to_merge_ids[0] = master.to_string()),
            "INVALID_ID_FIELD",
        ),
        (
            with(&|r| r.record_to_merge_ids[0] = contact.to_string()),
            "MALFORMED_ID",
        ),
        (
            with(&|r| r.record_to_merge_ids[0] = "x".into()),
            "MALFORMED_ID",
        ),
        (
            with(&|r| r.master_id = "001DO00000zzzzz".into()),
            "INVALID_CROSS_REFERENCE_KEY",
        ),
        (
            with(&|r| r.master_id = below.to_string()),
            "CIRCULAR_DEPENDENCY",
        ),
        (
            with(&|r| drop(r.values.insert("CleanStatus".into(), "x".into()))),
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        ),
    ] {
        let before = org.clone();
        let error = merge(&mut org, &session, &request).unwrap_err();
        assert_eq!(error.code, code, "{request:?}");
        assert_eq!(org.store, before.store, "{request:?}");
    }

    let result = merge(&mut org, &session, &request).unwrap();
    assert_eq!(result.id, master);
    assert_eq!(result.merged_record_ids, [loser, third]);
    assert_eq!(result.updated_related_ids, [below, contact, case]);
    for id in [loser, third] {
        assert!(deleted(&org, id));
        assert_eq!(value(&org, id, "MasterRecordId"), master.into());
    }
    assert_eq!(value(&org, below, "ParentId"), master.into());
    assert_eq!(value(&org, contact, "AccountId"), master.into());
    assert_eq!(value(&org, master, "Site"), "s".into());
    assert_eq!(value(&org, master, "Industry"), "Energy".into());
    let error = merge(&mut org, &session, &request).unwrap_err();
    assert_eq!(error.code, "ENTITY_IS_DELETED");
}

#[test]
fn a_converted_lead_is_an_account_a_contact_and_a_sale() {
    let (mut org, session) = org();
    let lead = json!({
        "LastName": "Ōe", "FirstName": "Kenzaburō", "Company": "Oe Works", "City": "Ehime",
        "Email": "oe@works.example", "LeadSource": "Web", "Phone": "4155550100",
    });
    let lead = add(&mut org, &session, "Lead", lead);
    let task = add(&mut org, &session, "Task", json!({"WhoId": lead.as_str()}));
    let request = LeadConvert {
        lead_id: lead.to_string(),
        converted_status: CONVERTED_STATUS.into(),
        ..LeadConvert::default()
    };
    let result = convert_lead(&mut org, &session, &request).unwrap();
    let sale = result.opportunity_id.unwrap();
    for (id, field, expected) in [
        (result.account_id, "Name", "Oe Works"),
        (result.account_id, "BillingCity", "Ehime"),
        (result.account_id, "Phone", "(415) 555-0100"),
        (result.contact_id, "Name", "Kenzaburō Ōe"),
        (result.contact_id, "Email", "oe@works.example"),
        (result.contact_id, "AccountId", result.account_id.as_str()),
        (sale, "Name", "Oe Works"),
        (sale, "StageName", "Prospecting"),
        (sale, "AccountId", result.account_id.as_str()),
        (task, "WhoId", result.contact_id.as_str()),
        (task, "WhatId", sale.as_str()),
        (lead, "Status", CONVERTED_STATUS),
        (lead, "ConvertedAccountId", result.account_id.as_str()),
        (lead, "ConvertedContactId", result.contact_id.as_str()),
        (lead, "ConvertedOpportunityId", sale.as_str()),
    ] {
        assert_eq!(value(&org, id, field), expected.into(), "{field}");
    }
    assert_eq!(value(&org, lead, "IsConverted"), true.into());
    assert_eq!(
        value(&org, lead, "ConvertedDate"),
        jiff::civil::date(2026, 11, 23).into()
    );
    assert_eq!(
        value(&org, sale, "CloseDate"),
        jiff::civil::date(2026, 12, 31).into()
    );
    let roles: Vec<_> = org
        .store
        .children("OpportunityContactRole", "OpportunityId", sale)
        .collect();
    assert_eq!(roles[0].get("ContactId"), &result.contact_id.into());

    let again = convert_lead(&mut org, &session, &request).unwrap_err();
    assert_eq!(
        (&*again.code, &*again.message),
        (
            "CANNOT_UPDATE_CONVERTED_LEAD",
            "cannot reference converted lead"
        )
    );
    let schema = org.schema.clone();
    let tasks = schema.object("Task").unwrap();
    let about = json!({"WhoId": lead.as_str()});
    let options = WriteOptions::default();
    let task = insert(
        &mut org,
        &session,
        tasks,
        about.as_object().unwrap(),
        &options,
    );
    assert_eq!(task.unwrap_err().code, "CANNOT_UPDATE_CONVERTED_LEAD");
    let leads = schema.object("Lead").unwrap();
    let title = json!({"Title": "x"});
    let changed = update(
        &mut org,
        &session,
        leads,
        lead,
        title.as_object().unwrap(),
        &WriteOptions::default(),
    );
    assert_eq!(changed.unwrap_err().code, "CANNOT_UPDATE_CONVERTED_LEAD");
}

#[test]
fn a_lead_is_converted_into_what_is_there() {
    let (mut org, session) = org();
    let queue = org
        .store
        .rows("Group")
        .find(|group| group.get("Type") == &"Queue".into())
        .unwrap()
        .id;
    let lead = json!({"LastName": "x", "Company": "New", "Phone": "1", "Title": "CEO", "LeadSource": "Web", "OwnerId": queue.as_str()});
    let lead = add(&mut org, &session, "Lead", lead);
    let account = add(&mut org, &session, "Account", json!({"Name": "Old"}));
    let other = add(&mut org, &session, "Account", json!({"Name": "Other"}));
    let contact = json!({"LastName": "y", "AccountId": account.as_str(), "LeadSource": "Other"});
    let contact = add(&mut org, &session, "Contact", contact);
    let request = LeadConvert {
        lead_id: lead.to_string(),
        account_id: Some(account.to_string()),
        contact_id: Some(contact.to_string()),
        converted_status: CONVERTED_STATUS.into(),
        do_not_create_opportunity: true,
        overwrite_lead_source: true,
        owner_id: Some(session.user_id.to_string()),
        ..LeadConvert::default()
    };
    let with = |change: &dyn Fn(&mut LeadConvert)| {
        let mut request = request.clone();
        change(&mut request);
        request
    };
    for (request, code) in [
        (with(&|r| r.lead_id = account.to_string()), "MALFORMED_ID"),
        (
            with(&|r| r.converted_status = "Working - Contacted".into()),
            "INVALID_STATUS",
        ),
        (with(&|r| r.owner_id = None), "INVALID_OWNER"),
        (
            with(&|r| r.account_id = None),
            "INVALID_CROSS_REFERENCE_KEY",
        ),
        (
            with(&|r| r.account_id = Some(other.to_string())),
            "INVALID_CROSS_REFERENCE_KEY",
        ),
        (
            with(&|r| r.contact_id = Some(account.to_string())),
            "MALFORMED_ID",
        ),
        (
            with(&|r| r.opportunity_id = Some("x".into())),
            "MALFORMED_ID",
        ),
    ] {
        let before = org.clone();
        assert_eq!(
            convert_lead(&mut org, &session, &request).unwrap_err().code,
            code
        );
        assert_eq!(org.store, before.store, "{request:?}");
    }
    let result = convert_lead(&mut org, &session, &request).unwrap();
    let expected = LeadConvertResult {
        lead_id: lead,
        account_id: account,
        contact_id: contact,
        opportunity_id: None,
    };
    assert_eq!(result, expected);
    for (id, field, expected) in [
        (account, "Name", "Old"),
        (account, "Phone", "1"),
        (contact, "LastName", "y"),
        (contact, "Title", "CEO"),
        (contact, "LeadSource", "Web"),
    ] {
        assert_eq!(value(&org, id, field), expected.into(), "{field}");
    }
}
