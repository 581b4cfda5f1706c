//! What the org fills in: defaults, numbers, who and when, and fields that follow from others.
//!
//! Sample data and requests are written through here alike, so that no record of the org looks
//! as if it had been made elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::id::Id;
use crate::objects::{CLOSED_STATUS, COMPLETED_STATUS, STAGES};
use crate::org::Org;
use crate::schema::Object;
use crate::store::Record;
use crate::value::Value;

/// The values of a record to be written, by the field's exact name.
pub(crate) type Values = BTreeMap<Arc<str>, Value>;

/// Makes a record of checked values, and gives its id.
pub(crate) fn insert(org: &mut Org, object: &Object, values: Values, by: Id, at: Timestamp) -> Id {
    let id = org.store.next_id(&object.name, &object.key_prefix);
    let mut record = Record::new(id, object.name.clone());
    record.values = values;
    record.values.insert("Id".into(), id.into());
    defaults(org, object, &mut record, by);
    audit(object, &mut record, by, at, true);
    derive(org, object, None, &mut record, at);
    org.store.put(record.clone());
    roll_up(org, None, &record);
    id
}

/// Changes a record by checked values; an empty value is [`Value::Null`].
pub(crate) fn update(
    org: &mut Org,
    object: &Object,
    old: &Record,
    values: Values,
    by: Id,
    at: Timestamp,
) {
    let mut record = old.clone();
    record.values.extend(values);
    audit(object, &mut record, by, at, false);
    derive(org, object, Some(old), &mut record, at);
    org.store.put(record.clone());
    roll_up(org, Some(old), &record);
}

/// Moves a record to the recycle bin, with the records that belong to it.
pub(crate) fn delete(org: &mut Org, id: Id, by: Id, at: Timestamp) {
    let Some((object, record)) = org.find(id) else {
        return;
    };
    if record.deleted {
        return;
    }
    let owned: Vec<Id> = object
        .child_relationships
        .iter()
        .filter(|child| child.cascade_delete)
        .flat_map(|child| org.store.children(&child.child_object, &child.field, id))
        .map(|child| child.id)
        .collect();
    let lookups: Vec<(Id, Arc<str>)> = object
        .child_relationships
        .iter()
        .filter(|child| !child.cascade_delete)
        .flat_map(|child| {
            let children = org.store.children(&child.child_object, &child.field, id);
            children.map(|record| (record.id, child.field.clone()))
        })
        .collect();
    let mut record = record.clone();
    let old = record.clone();
    let schema = org.schema.clone();
    record.deleted = true;
    record.values.insert("IsDeleted".into(), true.into());
    if let Some(object) = schema.object(&record.object) {
        audit(object, &mut record, by, at, false);
    }
    org.store.put(record.clone());
    roll_up(org, Some(&old), &record);
    for child in owned {
        delete(org, child, by, at);
    }
    // A lookup to a deleted record is emptied, and nobody is said to have done it.
    for (child, field) in lookups {
        if let Some((_, child)) = org.find(child) {
            let mut child = child.clone();
            child.values.insert(field, Value::Null);
            org.store.put(child);
        }
    }
}

/// Gives a new record the values that it does not say itself.
fn defaults(org: &Org, object: &Object, record: &mut Record, by: Id) {
    for field in &object.fields {
        if !record.get(&field.name).is_null() {
            continue;
        }
        let value = match &*field.name {
            "OwnerId" => by.into(),
            "RecordTypeId" => object
                .record_types
                .iter()
                .find(|record_type| record_type.default)
                .map(|record_type| record_type.id)
                .into(),
            _ if field.auto_number => auto_number(org, object).into(),
            _ => field.default_value.clone().unwrap_or_default(),
        };
        if !value.is_null() {
            record.values.insert(field.name.clone(), value);
        }
    }
}

/// Gives the next value of an object's numbered field, in its display format.
fn auto_number(org: &Org, object: &Object) -> String {
    let number = org.store.last_number(&object.name);
    match &*object.name {
        "Case" => format!("{:08}", 1_000 + number),
        _ => format!("M-{number:05}"),
    }
}

/// Writes down who made or changed a record, and when.
fn audit(object: &Object, record: &mut Record, by: Id, at: Timestamp, new: bool) {
    let moments = ["LastModifiedDate", "SystemModstamp", "CreatedDate"];
    let people = ["LastModifiedById", "CreatedById"];
    for name in moments
        .into_iter()
        .filter(|name| new || !name.starts_with("Created"))
    {
        if let Some(field) = object.field(name) {
            record.values.insert(field.name.clone(), at.into());
        }
    }
    for name in people
        .into_iter()
        .filter(|name| new || !name.starts_with("Created"))
    {
        if let Some(field) = object.field(name) {
            record.values.insert(field.name.clone(), by.into());
        }
    }
}

/// Gives the fields that follow from others their values. `old` is the record before the change.
fn derive(org: &Org, object: &Object, old: Option<&Record>, record: &mut Record, at: Timestamp) {
    match &*object.name {
        "Contact" | "Lead" | "User" => person(record),
        "Opportunity" => opportunity(old, record, at),
        "Case" => case(org, old, record, at),
        "Task" => task(org, old, record, at),
        "Event" => event(org, old, record),
        "Measurement__c" => deviation(record),
        _ => {}
    }
    if object.field("PhotoUrl").is_some() {
        set(
            record,
            "PhotoUrl",
            format!("/services/images/photo/{}", record.id),
        );
    }
}

fn set(record: &mut Record, field: &str, value: impl Into<Value>) {
    record.values.insert(field.into(), value.into());
}

fn set_if_empty(record: &mut Record, field: &str, value: impl Into<Value>) {
    if record.get(field).is_null() {
        set(record, field, value);
    }
}

fn text<'a>(record: &'a Record, field: &str) -> &'a str {
    record.get(field).as_text().unwrap_or_default()
}

fn person(record: &mut Record) {
    let name = format!("{} {}", text(record, "FirstName"), text(record, "LastName"));
    set(record, "Name", name.trim());
    if &*record.object == "User" {
        let nickname = text(record, "Username")
            .split('@')
            .next()
            .unwrap_or_default()
            .to_owned();
        set_if_empty(record, "CommunityNickname", nickname);
        set_if_empty(record, "UserType", "Standard");
    }
}

fn opportunity(old: Option<&Record>, record: &mut Record, at: Timestamp) {
    let changed =
        |field: &str, record: &Record| old.is_none_or(|old| old.get(field) != record.get(field));
    let stage = STAGES
        .iter()
        .find(|stage| stage.name == text(record, "StageName"));
    if let (Some(stage), true) = (stage, changed("StageName", record)) {
        if record.get("Probability").is_null() || (old.is_some() && !changed("Probability", record))
        {
            set(record, "Probability", stage.probability);
        }
        set(record, "IsClosed", stage.closed);
        set(record, "IsWon", stage.won);
        set(record, "ForecastCategory", stage.forecast.0);
        set(record, "ForecastCategoryName", stage.forecast.1);
        if old.is_some() {
            set(record, "LastStageChangeDate", at);
        }
    }
    let amount = record.get("Amount").as_number();
    let probability = record.get("Probability").as_number().unwrap_or_default();
    let expected = amount.map(|amount| (amount * probability).round() / 100.0);
    set(record, "ExpectedRevenue", expected);
    if let Value::Date(close) = *record.get("CloseDate") {
        let quarter = i64::from((close.month() - 1) / 3 + 1);
        set(record, "FiscalYear", i64::from(close.year()));
        set(record, "FiscalQuarter", quarter);
        set(record, "Fiscal", format!("{} {quarter}", close.year()));
    }
}

fn case(org: &Org, old: Option<&Record>, record: &mut Record, at: Timestamp) {
    let closed = text(record, "Status") == CLOSED_STATUS;
    set(record, "IsClosed", closed);
    if !closed {
        set(record, "ClosedDate", Value::Null);
    } else if old.is_none_or(|old| old.get("ClosedDate").is_null()) {
        set_if_empty(record, "ClosedDate", at);
    }
    let contact = record
        .reference("ContactId")
        .and_then(|id| org.store.get("Contact", id));
    let of_contact = |field: &str| {
        contact
            .map(|contact| contact.get(field).clone())
            .unwrap_or_default()
    };
    set(record, "ContactPhone", of_contact("Phone"));
    set(record, "ContactMobile", of_contact("MobilePhone"));
    set(record, "ContactEmail", of_contact("Email"));
    set(record, "ContactFax", of_contact("Fax"));
    if old.is_none() {
        set_if_empty(record, "AccountId", of_contact("AccountId"));
    }
}

fn task(org: &Org, old: Option<&Record>, record: &mut Record, at: Timestamp) {
    let closed = text(record, "Status") == COMPLETED_STATUS;
    let urgent = text(record, "Priority") == "High";
    set(record, "IsClosed", closed);
    set(record, "IsHighPriority", urgent);
    if !closed {
        set(record, "CompletedDateTime", Value::Null);
    } else if old.is_none_or(|old| old.get("CompletedDateTime").is_null()) {
        set_if_empty(record, "CompletedDateTime", at);
    }
    set_if_empty(record, "TaskSubtype", "Task");
    activity_account(org, record);
}

fn event(org: &Org, old: Option<&Record>, record: &mut Record) {
    let moment = |record: &Record, field: &str| match *record.get(field) {
        Value::DateTime(moment) => Some(moment),
        _ => None,
    };
    let changed =
        |field: &str, record: &Record| old.is_some_and(|old| old.get(field) != record.get(field));
    // The two names of the start say the same; the one that was written last counts.
    let (first, second) = if changed("ActivityDateTime", record) {
        ("ActivityDateTime", "StartDateTime")
    } else {
        ("StartDateTime", "ActivityDateTime")
    };
    let start = moment(record, first).or_else(|| moment(record, second));
    let minutes = match *record.get("DurationInMinutes") {
        Value::Int(minutes) => Some(minutes),
        _ => None,
    };
    let by_duration = changed("DurationInMinutes", record)
        || (start.is_some()
            && old.is_some_and(|old| old.get("StartDateTime") != &Value::from(start))
            && !changed("EndDateTime", record));
    let end = match (start, minutes) {
        (Some(start), Some(minutes)) if by_duration || record.get("EndDateTime").is_null() => {
            start.checked_add(SignedDuration::from_mins(minutes)).ok()
        }
        _ => moment(record, "EndDateTime"),
    };
    set(record, "StartDateTime", start);
    set(record, "ActivityDateTime", start);
    set(record, "EndDateTime", end);
    if let (Some(start), Some(end)) = (start, end) {
        set(
            record,
            "DurationInMinutes",
            end.duration_since(start).as_mins(),
        );
    }
    let day = |moment: Timestamp| TimeZone::UTC.to_datetime(moment).date();
    if start.is_some() {
        set(record, "ActivityDate", start.map(day));
    }
    set(record, "EndDate", end.map(day));
    set_if_empty(record, "EventSubtype", "Event");
    activity_account(org, record);
}

/// An activity belongs to the account that it is about, or to that of its record or its contact.
fn activity_account(org: &Org, record: &mut Record) {
    let account = ["WhatId", "WhoId"].into_iter().find_map(|field| {
        let (object, related) = org.find(record.reference(field)?)?;
        match &*object.name {
            "Account" => Some(related.id),
            _ => related.reference("AccountId"),
        }
    });
    set(record, "AccountId", account);
}

fn deviation(record: &mut Record) {
    let value = record.get("Value__c").as_number();
    let expected = record.get("Expected__c").as_number();
    let deviation = value
        .zip(expected)
        .map(|(value, expected)| ((value - expected) * 1_000.0).round() / 1_000.0);
    set(record, "Deviation__c", deviation);
}

/// Brings the sums of campaigns up to date with an opportunity's change.
fn roll_up(org: &mut Org, old: Option<&Record>, record: &Record) {
    if &*record.object != "Opportunity" {
        return;
    }
    let before = old.and_then(|old| old.reference("CampaignId"));
    let after = record.reference("CampaignId");
    for campaign in [before, after.filter(|after| Some(*after) != before)]
        .into_iter()
        .flatten()
    {
        let Some(mut campaign) = org.store.get("Campaign", campaign).cloned() else {
            continue;
        };
        let (mut all, mut won) = ((0_i64, 0.0), (0_i64, 0.0));
        for sale in org.store.children("Opportunity", "CampaignId", campaign.id) {
            if sale.deleted {
                continue;
            }
            let amount = sale.get("Amount").as_number().unwrap_or_default();
            all = (all.0 + 1, all.1 + amount);
            if sale.get("IsWon").as_bool() == Some(true) {
                won = (won.0 + 1, won.1 + amount);
            }
        }
        set(&mut campaign, "NumberOfOpportunities", all.0);
        set(&mut campaign, "AmountAllOpportunities", all.1);
        set(&mut campaign, "NumberOfWonOpportunities", won.0);
        set(&mut campaign, "AmountWonOpportunities", won.1);
        org.store.put(campaign);
    }
}
