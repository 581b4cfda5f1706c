//! Duplicate rules: records that look like one that is there already.
//!
//! The rules are those of a new org in name, on accounts, contacts and leads; their matching rules
//! compare exactly, without regard to case, what the org's administrator chose. A rule alerts: who
//! means it says `Sforce-Duplicate-Rule-Header: allowSave=true`. A change is held against a rule
//! only where it changes what the rule compares.

use serde_json::{Map, Value as Json, json};

use super::{WriteOptions, convert};
use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::schema::Object;
use crate::store::Record;
use crate::value::{Value, folded};

const ERROR_MESSAGE: &str = "Use one of these records?";

/// A rule of one object.
#[derive(Debug)]
struct DuplicateRule {
    object: &'static str,
    developer_name: &'static str,
    matching_rules: &'static [MatchingRule],
}

/// Which records of an object are taken for the same.
#[derive(Debug)]
struct MatchingRule {
    developer_name: &'static str,
    /// The object whose records are compared.
    entity: &'static str,
    /// The fields that all have a value and agree: the new record's, and the other's.
    fields: &'static [(&'static str, &'static str)],
}

const PERSON: &[(&str, &str)] = &[("LastName", "LastName"), ("Email", "Email")];

const RULES: [DuplicateRule; 3] = [
    DuplicateRule {
        object: "Account",
        developer_name: "Standard_Account_Duplicate_Rule",
        matching_rules: &[MatchingRule {
            developer_name: "Standard_Account_Match_Rule_v1_0",
            entity: "Account",
            fields: &[("Name", "Name"), ("Website", "Website")],
        }],
    },
    DuplicateRule {
        object: "Contact",
        developer_name: "Standard_Contact_Duplicate_Rule",
        matching_rules: &[MatchingRule {
            developer_name: "Standard_Contact_Match_Rule_v1_1",
            entity: "Contact",
            fields: PERSON,
        }],
    },
    DuplicateRule {
        object: "Lead",
        developer_name: "Standard_Lead_Duplicate_Rule",
        matching_rules: &[
            MatchingRule {
                developer_name: "Standard_Lead_Match_Rule_v1_0",
                entity: "Lead",
                fields: PERSON,
            },
            MatchingRule {
                developer_name: "Standard_Contact_Match_Rule_v1_1",
                entity: "Contact",
                fields: PERSON,
            },
        ],
    },
];

/// The records that a rule found, for each of its matching rules that found any.
#[derive(Debug)]
pub(crate) struct FoundDuplicates<'o> {
    rule: &'static DuplicateRule,
    matches: Vec<(&'static MatchingRule, Vec<&'o Record>)>,
}

/// Refuses a record that a rule takes for a duplicate; `old` is the one that it replaces.
///
/// # Errors
///
/// `DUPLICATES_DETECTED` with the `duplicateResult`.
pub(super) fn check(
    org: &Org,
    session: &Session,
    object: &Object,
    old: Option<&Record>,
    record: &Record,
    options: &WriteOptions,
) -> Result<(), ApiError> {
    if options.allow_duplicates {
        return Ok(());
    }
    let found = find(org, session, object, record)
        .filter(|found| old.is_none_or(|old| found.compares_a_change(old, record)));
    found.map_or(Ok(()), |found| {
        Err(ApiError {
            duplicates: Some(Box::new(found.to_json(org, session, options))),
            ..ApiError::bad_request("DUPLICATES_DETECTED", ERROR_MESSAGE)
        })
    })
}

/// The records that one matching rule found.
#[derive(Debug)]
pub(crate) struct Matches<'f, 'o> {
    /// The matching rule's name.
    pub(crate) rule: &'static str,
    /// The object of the records.
    pub(crate) entity: &'static str,
    pub(crate) records: &'f [&'o Record],
}

/// Names the rule of an object.
pub(crate) fn duplicate_rule(object: &Object) -> Option<&'static str> {
    let rule = RULES.iter().find(|rule| rule.object == &*object.name)?;
    Some(rule.developer_name)
}

/// Finds the records that the rule of an object would take for the same as a new record.
///
/// # Errors
///
/// `INVALID_FIELD` or `JSON_PARSER_ERROR`: the fields are none of the object's.
pub(crate) fn find_duplicates<'o>(
    org: &'o Org,
    session: &Session,
    object: &Object,
    fields: &Map<String, Json>,
) -> Result<Option<FoundDuplicates<'o>>, ApiError> {
    let mut record = Record::new(Id::numbered(&object.key_prefix, 0), object.name.clone());
    record.values = convert::read(object, fields)?;
    Ok(find(org, session, object, &record))
}

/// Finds the records that the user sees and that the rule of an object takes for the same as a record.
fn find<'o>(
    org: &'o Org,
    session: &Session,
    object: &Object,
    record: &Record,
) -> Option<FoundDuplicates<'o>> {
    let rule = RULES.iter().find(|rule| rule.object == &*object.name)?;
    let matches: Vec<_> = rule
        .matching_rules
        .iter()
        .map(|matching| (matching, matching.records(org, session, record)))
        .filter(|(_, records)| !records.is_empty())
        .collect();
    (!matches.is_empty()).then_some(FoundDuplicates { rule, matches })
}

impl MatchingRule {
    fn records<'o>(&self, org: &'o Org, session: &Session, record: &Record) -> Vec<&'o Record> {
        let wanted: Option<Vec<(&str, &str)>> = self
            .fields
            .iter()
            .map(|(own, other)| Some((*other, record.get(own).as_text()?)))
            .collect();
        let Some(wanted) = wanted else {
            return Vec::new(); // An empty field matches nothing.
        };
        // Any of the fields finds them; one with an index does at once.
        let indexed = |(field, _): &&(&str, &str)| org.store.has_index(self.entity, field);
        let Some((field, text)) = wanted.iter().find(indexed).or(wanted.first()) else {
            return Vec::new();
        };
        org.store
            .having(self.entity, field, &Value::text(*text))
            .filter(|other| !other.deleted && other.id != record.id)
            // A converted lead lives on as its contact.
            .filter(|other| other.get("IsConverted").as_bool() != Some(true))
            .filter(|other| {
                wanted
                    .iter()
                    .all(|(field, text)| normal(other, field) == Some(folded(text).collect()))
            })
            .filter(|other| session.may_read(org, other))
            .collect()
    }
}

fn normal(record: &Record, field: &str) -> Option<String> {
    Some(folded(record.get(field).as_text()?).collect())
}

impl<'o> FoundDuplicates<'o> {
    fn compares_a_change(&self, old: &Record, record: &Record) -> bool {
        let mut fields = self.matches.iter().flat_map(|(rule, _)| rule.fields);
        fields.any(|(own, _)| normal(old, own) != normal(record, own))
    }

    /// Gives what each matching rule found.
    pub(crate) fn by_rule(&self) -> impl Iterator<Item = Matches<'_, 'o>> {
        self.matches.iter().map(|(rule, records)| Matches {
            rule: rule.developer_name,
            entity: rule.entity,
            records,
        })
    }

    /// Gives the `duplicateResult`.
    fn to_json(&self, org: &Org, session: &Session, options: &WriteOptions) -> Json {
        let results: Vec<Json> = self
            .matches
            .iter()
            .map(|(rule, records)| {
                let records: Vec<Json> = records
                    .iter()
                    .map(|record| match_record(org, session, rule, record, options))
                    .collect();
                json!({
                    "entityType": rule.entity,
                    "errors": [],
                    "matchEngine": "ExactMatchEngine",
                    "matchRecords": records,
                    "rule": rule.developer_name,
                    "size": records.len(),
                    "success": true,
                })
            })
            .collect();
        json!({
            "allowSave": true,
            "duplicateRule": self.rule.developer_name,
            "duplicateRuleEntityType": self.rule.object,
            "errorMessage": ERROR_MESSAGE,
            "matchResults": results,
        })
    }
}

/// Gives one match: its id alone, or the fields that were compared where the client asks for them.
fn match_record(
    org: &Org,
    session: &Session,
    rule: &MatchingRule,
    record: &Record,
    options: &WriteOptions,
) -> Json {
    let mut json = json!({"attributes": {"type": rule.entity}, "Id": record.id.as_str()});
    if let Some(base) = options.base {
        let url = format!("{base}/sobjects/{}/{}", rule.entity, record.id);
        json["attributes"]["url"] = url.into();
    }
    let mut diffs = Vec::new();
    if let (true, Some(object)) = (
        options.include_record_details,
        session.schema().object(rule.entity),
    ) {
        for field in rule
            .fields
            .iter()
            .filter_map(|(_, other)| object.field(other))
        {
            json[&*field.name] = org.field_json(session, object, record, field);
            diffs.push(json!({"difference": "SAME", "name": &*field.name}));
        }
    }
    json!({
        "additionalInformation": [],
        "fieldDiffs": diffs,
        "matchConfidence": 100.0,
        "record": json,
    })
}
