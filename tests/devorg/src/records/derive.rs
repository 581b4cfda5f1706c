//! Fields that follow from others: a person's name, a sale's probability, a meeting's end.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::objects::{CLOSED_STATUS, COMPLETED_STATUS, STAGES};
use crate::org::Org;
use crate::schema::Object;
use crate::store::Record;
use crate::value::Value;

/// Gives the fields that follow from others their values. `old` is the record before the change.
pub(super) fn derive(
    org: &Org,
    object: &Object,
    old: Option<&Record>,
    record: &mut Record,
    at: Timestamp,
) {
    match &*object.name {
        "Contact" | "Lead" | "User" => person(record),
        // A person account, in an org that has them.
        "Account" if !record.get("LastName").is_null() => {
            person(record);
            set(record, "IsPersonAccount", true);
        }
        "Opportunity" => opportunity(old, record, at),
        "Case" => case(org, old, record, at),
        "Task" => task(org, old, record, at),
        "Event" => event(org, old, record),
        "Measurement__c" => deviation(record),
        "Inspection__c" => total(record),
        "CampaignMember" => {
            let today = TimeZone::UTC.to_datetime(at).date();
            super::members::derive(old, record, today);
        }
        "ContentVersion" => super::versions::derive_version(org, old, record, at),
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

pub(super) fn set(record: &mut Record, field: &str, value: impl Into<Value>) {
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

fn total(record: &mut Record) {
    let hours = record.get("Hours__c").as_number();
    let rate = record.get("Hourly_Rate__c").as_number();
    let total = hours
        .zip(rate)
        .map(|(hours, rate)| (hours * rate * 100.0).round() / 100.0);
    set(record, "Total__c", total);
}
