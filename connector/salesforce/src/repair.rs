//! Refusals that say what would have been right: an unknown field, object or relationship is answered with the
//! nearest names of the same object.
//!
//! Only a refusal is looked at; a query that is right costs nothing here. A field that the agent may not see is
//! not proposed. Where the describe cannot be had, the service's own words stand alone.

use std::rc::Rc;

use portcullis_sdk::{Failure, Reason};
use soql::Query;

use crate::client::{Client, ReadError};
use crate::describe::{Describe, Field};
use crate::fence;
use crate::nearest::{Candidate, listed, nearest};
use crate::service_error::ServiceError;
use crate::sql::{self, Wanted};

/// Rows that a query with `FIELDS(ALL)` may have (*SOQL and SOSL Reference*, "FIELDS()").
const FIELDS_ROWS_MAX: u64 = 200;

/// What the refused request named.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The query, where it was one.
    pub query: Option<&'a Query>,
    /// The object, where a path named it.
    pub kind: Option<&'a str>,
    /// The argument at fault, as a JSON Pointer.
    pub pointer: &'a str,
}

/// Describes an object that the caller named at `/object`, or says which ones have a near name.
///
/// # Errors
/// There is no such object, or the org does not answer.
pub fn described(client: &Client<'_>, kind: &str) -> Result<Rc<Describe>, Failure> {
    let asked = Asked {
        query: None,
        kind: Some(kind),
        pointer: "/object",
    };
    let describe = client.describe(kind);
    describe.map_err(|error| repaired(client, error, asked))
}

/// Turns a refusal into a failure, with the nearest names where it was about a name.
pub fn repaired(client: &Client<'_>, error: ReadError, asked: Asked<'_>) -> Failure {
    let error = match error {
        ReadError::Service(error) => error,
        ReadError::Failed(failure) => return failure,
    };
    let problem = Problem::of(&error, asked);
    let meant = mended(client, &error, asked);
    let mut failure = Failure::from(error);
    if let Some(meant) = meant {
        let message = failure.message.clone();
        failure.hint = Some(format!("write: {meant}"));
        return failure.field(asked.pointer, message);
    }
    let Some(problem) = problem else {
        if failure.reason == Reason::InvalidArgument && failure.fields.is_empty() {
            let message = failure.message.clone();
            failure = failure.field(asked.pointer, message);
        }
        return failure;
    };
    // The list of names is an extra: where it cannot be had, the refusal stays as it is.
    let hint = problem.hint(client, asked).ok().flatten();
    if failure.reason == Reason::NotFound && matches!(problem, Problem::Object(_)) {
        failure.reason = Reason::InvalidArgument;
        failure.message = format!(
            "{}: no object `{}`",
            failure.message.trim_end_matches('.'),
            problem.name()
        );
    }
    failure.hint = hint.or(failure.hint);
    failure.field(asked.pointer, problem.said())
}

/// The name that is wrong.
#[derive(Debug, PartialEq, Eq)]
enum Problem {
    /// A field, and its object.
    Field(String, Option<String>),
    /// An object.
    Object(String),
    /// A relationship to a parent.
    Parent(String),
    /// A relationship to children.
    Children(String),
}

impl Problem {
    /// Reads it out of the service's words.
    fn of(error: &ServiceError, asked: Asked<'_>) -> Option<Self> {
        let words = &error.message;
        let quoted = |before: &str| {
            let (_, after) = words.split_once(before)?;
            let (name, _) = after.split_once('\'')?;
            is_name(name).then(|| name.to_owned())
        };
        if let Some(name) = quoted("No such column '") {
            let kind = quoted("on entity '")
                .or_else(|| quoted("on sobject of type '"))
                .or_else(|| {
                    let (_, after) = words.split_once("on sobject of type ")?;
                    let word = after
                        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                        .next()?;
                    is_name(word).then(|| word.to_owned())
                });
            return Some(Self::Field(
                name,
                kind.or_else(|| asked.kind.map(str::to_owned)),
            ));
        }
        if let Some(name) = quoted("Didn't understand relationship '") {
            return Some(if words.contains("in FROM part") {
                Self::Children(name)
            } else {
                Self::Parent(name)
            });
        }
        if let Some(name) = quoted("sObject type '") {
            return Some(Self::Object(name));
        }
        // A path that names no object is answered with the words for any path that is not there.
        let kind = asked.kind.filter(|_| {
            error.is("NOT_FOUND") && words.contains("requested resource does not exist")
        });
        kind.map(|kind| Self::Object(kind.to_owned()))
    }

    fn name(&self) -> &str {
        match self {
            Self::Field(name, _)
            | Self::Object(name)
            | Self::Parent(name)
            | Self::Children(name) => name,
        }
    }

    fn said(&self) -> String {
        match self {
            Self::Field(name, Some(kind)) => format!("`{kind}` has no field `{name}`"),
            Self::Field(name, None) => format!("there is no field `{name}`"),
            Self::Object(name) => format!("there is no object `{name}`"),
            Self::Parent(name) => format!("there is no relationship `{name}`"),
            Self::Children(name) => format!("there is no child relationship `{name}`"),
        }
    }

    /// Names what is near. `None`: nothing is known about it.
    fn hint(&self, client: &Client<'_>, asked: Asked<'_>) -> Result<Option<String>, ReadError> {
        Ok(match self {
            Self::Field(_, Some(kind)) if !client.may_read(kind) => None,
            Self::Field(name, Some(kind)) => {
                let describe = client.newest(kind)?;
                Some(near_fields(client, name, &describe))
            }
            Self::Field(_, None) => None,
            Self::Object(name) => Some(near_objects(client, name)?),
            Self::Parent(name) | Self::Children(name) => {
                let start = match asked.query {
                    Some(query) => crate::touched::starts_of(client, query, name)?,
                    None => asked.kind.map(str::to_owned).into_iter().collect(),
                };
                match start.first().filter(|kind| client.may_read(kind)) {
                    Some(kind) => Some(near_relationships(
                        client,
                        name,
                        &*client.newest(kind)?,
                        matches!(self, Self::Children(_)),
                    )),
                    None => None,
                }
            }
        })
    }
}

/// Gives the query that was meant where the service says what is wrong with a clause of it.
fn mended(client: &Client<'_>, error: &ServiceError, asked: Asked<'_>) -> Option<String> {
    let query = asked.query?;
    let words = &error.message;
    // `value of filter criterion for field 'CloseDate' must be of type date and should not be enclosed in quotes`
    if let Some((_, after)) = words.split_once("filter criterion for field '") {
        let (field, after) = after.split_once('\'')?;
        let (_, after) = after.split_once("must be of type ")?;
        let wanted = Wanted::of_word(after.split_whitespace().next()?)?;
        return sql::retyped(&query.to_string(), field, wanted);
    }
    // What SQL says may read as SOQL: `DISTINCT Industry` as a field and its name in the answer.
    if error.is("MALFORMED_QUERY") {
        let text = query.to_string();
        let meant = sql::meant(&text, |_, _| None).filter(|meant| *meant != text);
        if meant.is_some() {
            return meant;
        }
    }
    if words.contains("only aggregate expressions use field aliasing") {
        return without_aliases(client, query);
    }
    let mut meant = query.clone();
    if words.contains("FIELDS function must have a LIMIT") {
        meant.limit = Some(FIELDS_ROWS_MAX.min(meant.limit.unwrap_or(u64::MAX)));
        return Some(meant.to_string());
    }
    // A field beside an aggregate makes a group.
    if !words.contains("must be grouped or aggregated") {
        return None;
    }
    let fields = meant.select.iter().filter_map(|item| match item {
        soql::SelectItem::Field { path, .. } => Some(soql::Operand::Field(path.clone())),
        _ => None,
    });
    let items: Vec<_> = fields.collect();
    let group = match meant.group_by {
        Some(_) => None,
        None => (!items.is_empty()).then_some(items),
    };
    meant.group_by = Some(soql::GroupBy {
        kind: soql::GroupKind::Plain,
        items: group?,
    });
    Some(meant.to_string())
}

/// Takes the second names from fields, which sums alone have. Two words may be a field's label, `Account Name`, or a parent and its field.
/// `None`: they are none of these, or nobody can say.
fn without_aliases(client: &Client<'_>, query: &Query) -> Option<String> {
    let mut meant = query.clone();
    let [from] = query.from.as_slice() else {
        return None;
    };
    let describe = client.describe(&from.path.to_string()).ok()?;
    let fields = client.fields_of(&describe);
    for item in &mut meant.select {
        let soql::SelectItem::Field { path, alias } = item else {
            continue;
        };
        let (Some(second), [first]) = (alias.take(), path.parts.as_slice()) else {
            continue;
        };
        let label = format!("{} {}", first.name, second.name);
        let labelled = |field: &&Field<'_>| field.label().eq_ignore_ascii_case(&label);
        let named = |field: &&Field<'_>| first.is(field.name());
        let followed = |field: &&Field<'_>| {
            let relationship = client.relationship_of(**field);
            relationship.is_some_and(|relationship| first.is(relationship))
        };
        let mut all = [fields.iter().find(labelled), fields.iter().find(named)]
            .into_iter()
            .flatten();
        let name = match all.next() {
            Some(field) => field.name().to_owned(),
            None if fields.iter().any(|field| followed(&field)) => label.replace(' ', "."),
            None => return None,
        };
        *path = soql::FieldPath::new(&name);
    }
    Some(meant.to_string())
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 160
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
}

/// Names the visible fields near to `name`; a field of a parent is named with its path.
pub fn near_fields(client: &Client<'_>, name: &str, describe: &Describe) -> String {
    let kind = describe.name();
    let fields = client.fields_of(describe);
    let candidates = fields.iter().map(|field| field.candidate());
    let near = nearest(name, candidates);
    if near.is_empty() {
        return format!(
            "no field of `{kind}` is named so; describe_object lists them: {{\"object\": \"{kind}\"}}"
        );
    }
    format!("fields of `{kind}` with near names: {}", listed(&near))
}

/// Names the relationships near to `name` that the agent may follow.
pub fn near_relationships(
    client: &Client<'_>,
    name: &str,
    describe: &Describe,
    children: bool,
) -> String {
    let kind = describe.name();
    let (what, part, near) = if children {
        let followed = client.children_of(describe);
        let candidates = followed.iter().map(|child| Candidate {
            name: child.relationship,
            label: child.kind,
        });
        ("child relationships", "children", nearest(name, candidates))
    } else {
        let fields = client.fields_of(describe);
        let candidates = fields.iter().filter_map(|field| {
            Some(Candidate {
                name: client.relationship_of(*field)?,
                label: field.name(),
            })
        });
        ("relationships", "relationships", nearest(name, candidates))
    };
    if near.is_empty() {
        return format!(
            "describe_object lists the {what} of `{kind}`: {{\"object\": \"{kind}\", \"parts\": [\"{part}\"]}}"
        );
    }
    format!("{what} of `{kind}` with near names: {}", listed(&near))
}

/// Names the objects near to `name`.
///
/// # Errors
/// The org does not list its objects.
pub fn near_objects(client: &Client<'_>, name: &str) -> Result<String, ReadError> {
    let objects = crate::schema::objects(client)?;
    // People say one, and several.
    let candidates = objects
        .items()
        .iter()
        .filter(|object| object.is_true_at("queryable"))
        .flat_map(|object| {
            ["label", "labelPlural"].map(|label| Candidate {
                name: object.str_at("name").unwrap_or_default(),
                label: object.str_at(label).unwrap_or_default(),
            })
        });
    let mut near = nearest(name, candidates);
    let mut seen: Vec<&str> = Vec::new();
    near.retain(|found| {
        let is_first = !seen.contains(&found.name);
        seen.push(found.name);
        is_first
    });
    if near.is_empty() {
        let name = fence::inline(name, 80);
        return Ok(format!(
            "no object is named so; list_objects finds one by its label: {{\"text\": \"{name}\"}}"
        ));
    }
    Ok(format!("objects with near names: {}", listed(&near)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::testing::Org;

    fn refused(code: &str, message: &str) -> ReadError {
        ReadError::Service(ServiceError {
            status: 400,
            code: Some(code.to_owned()),
            message: message.to_owned(),
            retry_after_seconds: None,
            choices: Vec::new(),
        })
    }

    fn hint(org: &Org, soql: &str, code: &str, message: &str) -> String {
        let query = soql::parse_query(soql).unwrap();
        let asked = Asked {
            query: Some(&query),
            kind: None,
            pointer: "/soql",
        };
        let failure = repaired(&Client::new(org), refused(code, message), asked);
        assert_eq!(failure.service_code.as_deref(), Some(code));
        assert_eq!(failure.fields[0].pointer, "/soql");
        format!(
            "{}\n{}",
            failure.fields[0].problem,
            failure.hint.unwrap_or_default()
        )
    }

    #[test]
    fn an_unknown_field_is_answered_with_the_nearest() {
        let message = "\nSELECT Nmae FROM Account\n       ^\nERROR at Row:1:Column:8\nNo such column 'Nmae' on entity 'Account'. If …";
        insta::assert_snapshot!(hint(&Org::new(), "SELECT Nmae FROM Account", "INVALID_FIELD", message), @r"
        `Account` has no field `Nmae`
        fields of `Account` with near names: `Name` (Account Name)
        ");
        let hidden = Org::new().hide("Account", "Name");
        insta::assert_snapshot!(hint(&hidden, "SELECT Nmae FROM Account", "INVALID_FIELD", message), @r#"
        `Account` has no field `Nmae`
        no field of `Account` is named so; describe_object lists them: {"object": "Account"}
        "#);
    }

    #[test]
    fn unknown_relationships_are_answered_with_the_nearest() {
        let message = "Didn't understand relationship 'Ownr' in field path. If …";
        insta::assert_snapshot!(hint(&Org::new(), "SELECT Ownr.Name FROM Account", "INVALID_FIELD", message), @r"
        there is no relationship `Ownr`
        relationships of `Account` with near names: `Owner` (OwnerId)
        ");
        let message = "Didn't understand relationship 'Contact' in FROM part of query call. If …";
        insta::assert_snapshot!(hint(&Org::new(), "SELECT Id, (SELECT Id FROM Contact) FROM Account", "INVALID_TYPE", message), @r"
        there is no child relationship `Contact`
        child relationships of `Account` with near names: `Contacts` (Contact)
        ");
    }

    #[test]
    fn an_unknown_object_is_answered_with_the_nearest() {
        let list = r#"{"sobjects":[{"name":"Account","label":"Account","queryable":true},{"name":"Account__c","label":"Ledger","queryable":true},{"name":"Hidden","queryable":false}]}"#;
        let org = Org::new().answer("/services/data/v68.0/sobjects", 200, list);
        let message = "\nSELECT Id FROM Acount\n               ^\nERROR at Row:1:Column:16\nsObject type 'Acount' is not supported. If …";
        insta::assert_snapshot!(hint(&org, "SELECT Id FROM Acount", "INVALID_TYPE", message), @r"
        there is no object `Acount`
        objects with near names: `Account`, `Account__c` (Ledger)
        ");
    }

    #[test]
    fn without_a_describe_the_words_stand_alone() {
        let org = Org::new();
        let message = "No such column 'X' on entity 'Nowhere'.";
        insta::assert_snapshot!(hint(&org, "SELECT X FROM Nowhere", "INVALID_FIELD", message), @"`Nowhere` has no field `X`");
    }

    #[test]
    fn a_label_in_words_is_its_field_and_a_parent_beside_its_field_a_path() {
        const WORDS: &str = "only aggregate expressions use field aliasing";
        for (soql, meant) in [
            (
                "SELECT Account Name, Id x FROM Account",
                "write: SELECT Name, Id FROM Account",
            ),
            (
                "SELECT Owner Alias FROM Account a",
                "write: SELECT Owner.Alias FROM Account a",
            ),
            (
                "SELECT Owner.Name n FROM Account",
                "write: SELECT Owner.Name FROM Account",
            ),
            ("SELECT Account Nmae FROM Account", ""),
        ] {
            let said = hint(&Org::new(), soql, "MALFORMED_QUERY", WORDS);
            assert_eq!(said, format!("{WORDS}\n{meant}"));
        }
        let org = Org::new().hide("Account", "Name");
        let said = hint(
            &org,
            "SELECT Account Name FROM Account",
            "MALFORMED_QUERY",
            WORDS,
        );
        assert!(!said.contains("write:"), "{said}");
    }

    #[test]
    fn other_refusals_name_the_argument() {
        insta::assert_snapshot!(hint(&Org::new(), "SELECT Id FROM Account", "MALFORMED_QUERY", "only aggregate …"), @"only aggregate …");
    }
}
