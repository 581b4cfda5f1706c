//! What the org fills in: defaults, numbers, who and when, and sums in other records.
//!
//! Sample data and requests are written through here alike, so that no record of the org looks
//! as if it had been made elsewhere.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::derive::{derive, set};
use super::{members, versions};
use crate::id::Id;
use crate::org::Org;
use crate::schema::{Field, Object};
use crate::store::{Deletion, Emptied, Record};
use crate::value::Value;

/// The number after which those of cases begin.
const CASE_NUMBERS_BEGIN: u64 = 1_000;

/// The most digits of a numbered field, which are zeros at first: its whole value has no more.
const DIGITS_MAX: usize = 30;

/// The fields that say who made and changed a record, and when.
pub(crate) const AUDIT: [&str; 5] = [
    "CreatedById",
    "CreatedDate",
    "LastModifiedById",
    "LastModifiedDate",
    "SystemModstamp",
];

/// The values of a record to be written.
pub(crate) use crate::store::Values;

/// Makes a record of checked values, and gives its id.
pub(crate) fn insert(org: &mut Org, object: &Object, values: Values, by: Id, at: Timestamp) -> Id {
    let record = draft(org, object, values, by, at);
    let id = record.id;
    save(org, object, None, record, by, at);
    id
}

/// Makes a record of checked values as it was elsewhere: with its id, and with who made and changed
/// it and when where `values` say so. What follows for other records is [`settle`]'s and
/// [`sum_up`]'s, once these are there.
pub(crate) fn restore(
    org: &mut Org,
    object: &Object,
    id: Id,
    mut values: Values,
    by: Id,
    at: Timestamp,
) {
    let known: Vec<(Arc<str>, Value)> = AUDIT
        .iter()
        .filter_map(|name| Some((object.field(name)?.name.clone(), values.remove(name)?)))
        .collect();
    let mut record = draft_as(org, object, id, values, by, at);
    record.values.extend(known);
    derive(org, object, None, &mut record, at);
    org.store.put(record.clone());
    versions::made(org, &record, by, at);
}

/// Gives a restored record what follows from records that were restored after it.
pub(crate) fn settle(org: &mut Org, object: &Object, id: Id, at: Timestamp) {
    let Some(mut record) = org.store.get(&object.name, id).cloned() else {
        return;
    };
    derive(org, object, None, &mut record, at);
    org.store.put(record);
}

/// Makes a record of checked values, with its defaults, that is not stored yet.
pub(super) fn draft(
    org: &mut Org,
    object: &Object,
    values: Values,
    by: Id,
    at: Timestamp,
) -> Record {
    let id = org.store.next_id(&object.name, &object.key_prefix);
    draft_as(org, object, id, values, by, at)
}

fn draft_as(
    org: &mut Org,
    object: &Object,
    id: Id,
    values: Values,
    by: Id,
    at: Timestamp,
) -> Record {
    let mut record = Record::new(id, object.name.clone());
    record.values = values;
    record.values.insert("Id".into(), id.into());
    let number = match id.number() {
        Some(number) => number,
        // An id of another org says nothing of numbers.
        None if object.fields.iter().any(|field| field.auto_number) => {
            let other = org.store.next_id(&object.name, &object.key_prefix);
            other.number().unwrap_or_default()
        }
        None => 0,
    };
    defaults(org, object, &mut record, (by, number));
    audit(object, &mut record, by, at, true);
    record
}

/// Gives a record with checked values in the place of its own, that is not stored yet.
pub(super) fn changed(
    object: &Object,
    old: &Record,
    values: Values,
    by: Id,
    at: Timestamp,
) -> Record {
    let mut record = old.clone();
    record.values.extend(values);
    audit(object, &mut record, by, at, false);
    record
}

/// Stores a record with what follows from its values, in itself and in others.
pub(super) fn save(
    org: &mut Org,
    object: &Object,
    old: Option<&Record>,
    mut record: Record,
    by: Id,
    at: Timestamp,
) {
    derive(org, object, old, &mut record, at);
    org.store.put(record.clone());
    roll_up(org, old, &record);
    match old {
        None => versions::made(org, &record, by, at),
        Some(old) => versions::changed(org, old, &record, by, at),
    }
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
    let record = changed(object, old, values, by, at);
    save(org, object, Some(old), record, by, at);
}

/// Moves a record to the recycle bin, with the records that belong to it.
pub(crate) fn delete(org: &mut Org, id: Id, by: Id, at: Timestamp) {
    delete_with(org, id, None, by, at);
}

/// Deletes a record, possibly because another was deleted.
fn delete_with(org: &mut Org, id: Id, with: Option<Id>, by: Id, at: Timestamp) {
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
    let all_owned: HashSet<Id> = owned.iter().copied().collect();
    let lookups: Vec<Emptied> = object
        .child_relationships
        .iter()
        .filter(|child| !child.cascade_delete)
        .flat_map(|child| {
            let children = org.store.children(&child.child_object, &child.field, id);
            children.map(|record| Emptied {
                child: record.id,
                field: child.field.clone(),
            })
        })
        .filter(|lookup| !all_owned.contains(&lookup.child))
        .collect();
    let mut record = record.clone();
    let old = record.clone();
    let schema = org.schema.clone();
    record.deleted = true;
    record.deletion = Some(Box::new(Deletion {
        with,
        emptied: lookups.clone(),
    }));
    record.values.insert("IsDeleted".into(), true.into());
    if let Some(object) = schema.object(&record.object) {
        audit(object, &mut record, by, at, false);
    }
    org.store.put(record.clone());
    roll_up(org, Some(&old), &record);
    for child in owned {
        delete_with(org, child, Some(with.unwrap_or(id)), by, at);
    }
    // A lookup to a deleted record is emptied, and nobody is said to have done it.
    for Emptied { child, field } in lookups {
        if let Some((_, child)) = org.find(child) {
            let mut child = child.clone();
            child.values.insert(field, Value::Null);
            org.store.put(child);
        }
    }
}

/// Forgets a deleted record, and the records that went with it.
pub(crate) fn purge(org: &mut Org, id: Id) {
    let Some((object, record)) = org.find(id) else {
        return;
    };
    if !record.deleted {
        return;
    }
    let name = record.object.clone();
    let owned: Vec<Id> = object
        .child_relationships
        .iter()
        .filter(|child| child.cascade_delete)
        .flat_map(|child| org.store.children(&child.child_object, &child.field, id))
        .map(|child| child.id)
        .collect();
    org.store.purge(&name, id);
    for child in owned {
        purge(org, child);
    }
}

/// Gives a new record, of a number of its own, the values that it does not say itself.
fn defaults(org: &Org, object: &Object, record: &mut Record, (by, number): (Id, u64)) {
    for field in &object.fields {
        if !record.get(&field.name).is_null() {
            continue;
        }
        let value = match &*field.name {
            "OwnerId" => by.into(),
            "RecordTypeId" => object
                .record_types
                .iter()
                .find(|record_type| record_type.default && !record_type.master)
                .map(|record_type| record_type.id)
                .into(),
            _ if field.auto_number => auto_number(org, object, field, number).into(),
            _ => field.default_value.clone().unwrap_or_default(),
        };
        if !value.is_null() {
            record.values.insert(field.name.clone(), value);
        }
    }
}

/// Gives the value of an object's numbered field: of the record's own number, or of the first after it
/// that no other record has.
fn auto_number(org: &Org, object: &Object, field: &Field, number: u64) -> String {
    let text = |number| numbered(org, object, field, number);
    // What was loaded can have higher numbers than these alone, since room stays for as many others.
    if number <= Id::NUMBER_MAX / 2 {
        return text(number);
    }
    let is_free = |text: &String| {
        let value = text.as_str().into();
        let mut others = org.store.having(&object.name, &field.name, &value);
        others.next().is_none()
    };
    let mut texts = (number..=u64::MAX).map(text);
    texts.find(is_free).unwrap_or_else(|| text(number)) // There are more numbers than records.
}

/// Writes a number in the display format of an object's numbered field. A describe does not
/// have that, so a described object's goes on as its last record's value does.
fn numbered(org: &Org, object: &Object, field: &Field, number: u64) -> String {
    match &*object.name {
        "Case" => format!("{:08}", CASE_NUMBERS_BEGIN.saturating_add(number)),
        "Measurement__c" => format!("M-{number:05}"),
        "Inspection__c" => format!("INSP-{number:04}"),
        _ => {
            let last = org.store.last(&object.name);
            let last = last.and_then(|record| record.get(&field.name).as_text());
            let (words, digits) = last.map_or(("A-", 4), |last| {
                let words = last.trim_end_matches(|c: char| c.is_ascii_digit());
                (words, (last.len() - words.len()).min(DIGITS_MAX))
            });
            format!("{words}{number:0digits$}")
        }
    }
}

/// Counts the numbers up to a value of an object's numbered field.
pub(crate) fn numbers_until(object: &Object, value: &str) -> u64 {
    let words = value.trim_end_matches(|c: char| c.is_ascii_digit());
    let number: u64 = value[words.len()..].parse().unwrap_or_default();
    match &*object.name {
        "Case" => number.saturating_sub(CASE_NUMBERS_BEGIN),
        _ => number,
    }
}

/// Writes down who made or changed a record, and when.
pub(super) fn audit(object: &Object, record: &mut Record, by: Id, at: Timestamp, new: bool) {
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

/// Brings the sums of campaigns up to date with an opportunity's change.
pub(super) fn roll_up(org: &mut Org, old: Option<&Record>, record: &Record) {
    if &*record.object == "CampaignMember" {
        members::count(org, record);
        return;
    }
    if &*record.object != "Opportunity" {
        return;
    }
    let before = old.and_then(|old| old.reference("CampaignId"));
    let after = record.reference("CampaignId");
    for campaign in [before, after.filter(|after| Some(*after) != before)]
        .into_iter()
        .flatten()
    {
        sum_up(org, campaign);
    }
}

/// Brings the sums of a campaign up to date.
pub(crate) fn sum_up(org: &mut Org, campaign: Id) {
    let Some(mut campaign) = org.store.get("Campaign", campaign).cloned() else {
        return;
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_the_digits_of_the_last_but_no_more_than_there_are() {
        let mut org = Org::sample(Timestamp::UNIX_EPOCH);
        let schema = org.schema.clone();
        let object = schema.object("Account").unwrap();
        let field = object.field("Name").unwrap();
        let mut after = |last: &str, number| {
            let id = Id::numbered(&object.key_prefix, Id::NUMBER_MAX);
            let mut record = Record::new(id, object.name.clone());
            record.values.insert(field.name.clone(), last.into());
            org.store.put(record);
            numbered(&org, object, field, number)
        };
        assert_eq!(after("B-0009", 10), "B-0010");
        assert_eq!(after("", 10), "A-0010");
        assert_eq!(after("é", u64::MAX), format!("é{}", u64::MAX));
        let long = "9".repeat(usize::from(u16::MAX) + 1);
        assert_eq!(after(&long, 10), format!("{:030}", 10));
    }
}
