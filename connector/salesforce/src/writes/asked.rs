//! What a caller wants a record's fields to be: checked against the describe before anything is read or changed.
//!
//! Every mistake is found at once, each at its own argument. The fields are in the order of their API names (by bytes), whatever the
//! order in which they were given: the same arguments make the same request.

use std::rc::Rc;

use portcullis_sdk::Failure;
use serde_json::{Map, Value};

use super::record;
use super::value::{self, about};
use crate::client::{Client, TIME_ZONE_FACT};
use crate::describe::{Describe, Field};
use crate::json::Json;
use crate::lookup;
use crate::names;
use crate::order;
use crate::repair::near_fields;

/// Where a record's fields are in the arguments of a tool that changes one.
pub(super) const FIELDS: &str = "/fields";

/// What the values are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A new record.
    Create,
    /// A record that is there.
    Update,
}

/// A field and what it is to be.
#[derive(Debug, Clone)]
pub(super) struct Asked<'d> {
    /// The field.
    pub(super) field: Field<'d>,
    /// As it is sent.
    pub(super) value: Json,
}

/// Mistakes in the arguments, each with its place.
#[derive(Debug)]
pub(super) struct Problems {
    /// Where the fields are that are looked at.
    at: String,
    found: Vec<(String, String)>,
}

impl Default for Problems {
    fn default() -> Self {
        Self {
            at: FIELDS.to_owned(),
            found: Vec::new(),
        }
    }
}

impl Problems {
    /// Says where the fields are from here on: a JSON Pointer into the arguments.
    pub(super) fn look_at(&mut self, at: &str) {
        at.clone_into(&mut self.at);
    }

    /// Adds one about a field, by the name that the caller gave it.
    pub(super) fn add(&mut self, name: &str, problem: String) {
        self.found.push((pointer(&self.at, name), problem));
    }

    /// Says whether there are any.
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Refuses the call if there are any.
    ///
    /// # Errors
    /// `invalid-argument` with all of them.
    pub(super) fn refuse(self, client: &Client<'_>) -> Result<(), Failure> {
        if self.found.is_empty() {
            return Ok(());
        }
        let message = self.message();
        let is_about_time = self
            .found
            .iter()
            .any(|(_, problem)| problem.contains("offset from UTC"));
        let mut failure = Failure::invalid(message);
        const TOLD: usize = 20;
        let left_out = self.found.len().saturating_sub(TOLD);
        if left_out > 0 {
            failure = failure.hint(format!("{left_out} more are not told here"));
        }
        for (pointer, problem) in self.found.into_iter().take(TOLD) {
            failure = failure.field(pointer, problem);
        }
        if let (true, Some(zone)) = (is_about_time, client.fact(TIME_ZONE_FACT)) {
            failure = failure.hint(format!("the user's time zone is {zone}"));
        }
        Err(failure)
    }
}

impl Problems {
    /// Names the fields; what is wrong with each stands at its place.
    fn message(&self) -> String {
        const SHOWN: usize = 10;
        let names = self.found.iter().take(SHOWN);
        let names = names.map(|(pointer, _)| {
            let name = pointer.strip_prefix("/fields/");
            format!("`{}`", name.unwrap_or(pointer.trim_start_matches('/')))
        });
        let names = names.collect::<Vec<_>>().join(", ");
        match self.found.len() {
            1 => format!("nothing was changed: the field {names} does not fit"),
            count if count > SHOWN => {
                format!("nothing was changed: {count} fields do not fit: {names} and others")
            }
            count => format!("nothing was changed: {count} fields do not fit: {names}"),
        }
    }
}

/// Gives the names of the fields as they were given, which must be ones that a field can have. They are at a place of the arguments.
///
/// # Errors
/// `invalid-argument` at the name.
pub(super) fn names(
    client: &Client<'_>,
    kind: &str,
    fields: &Map<String, Value>,
    at: &str,
) -> Result<Vec<String>, Failure> {
    let pointer = |name: &str| pointer(at, name);
    let mut names: Vec<String> = Vec::with_capacity(fields.len());
    for given in fields.keys() {
        if given.contains('.') {
            return Err(Failure::invalid(format!(
                "a parent's field cannot be set through its child: `{}`",
                crate::fence::inline(given, 80)
            ))
            .field(pointer(given), "is a parent's field")
            .hint("change the parent by its own id"));
        }
        let name = names::api_name(given, &pointer(given))
            .map_err(|failure| lookup::with_near_field(client, kind, given, failure))?;
        if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            return Err(Failure::invalid(format!("`{name}` is given twice"))
                .field(pointer(given), "is given twice, in another case"));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

/// Describes the object as it must be for these fields: where one seems not to fit a describe that is a minute old, it is asked for anew.
///
/// # Errors
/// There is no such object, or the org does not answer.
pub(super) fn describe(
    client: &Client<'_>,
    kind: &str,
    purpose: Purpose,
    all: &mut dyn Iterator<Item = &Map<String, Value>>,
) -> Result<Rc<Describe>, Failure> {
    let describe = record::describe(client, kind)?;
    if !describe.is_from_memory() {
        return Ok(describe);
    }
    let mut problems = Problems::default();
    for fields in all {
        read(client, &describe, fields, purpose, &mut problems);
        if purpose == Purpose::Create {
            require(client, &describe, fields, &mut problems);
        }
    }
    let allows = match purpose {
        Purpose::Create => describe.is("createable"),
        Purpose::Update => describe.is("updateable"),
    };
    match problems.is_empty() && allows {
        true => Ok(describe),
        false => Ok(client.newest(kind)?),
    }
}

/// Checks each field and its value.
pub(super) fn read<'d>(
    client: &Client<'_>,
    describe: &'d Describe,
    fields: &Map<String, Value>,
    purpose: Purpose,
    problems: &mut Problems,
) -> Vec<Asked<'d>> {
    let mut asked = Vec::with_capacity(fields.len());
    for (name, given) in fields {
        let Some(field) = describe.field(name.trim()) else {
            let near = near_fields(client, name.trim(), describe);
            let kind = describe.name();
            problems.add(
                name,
                format!("`{kind}` has no field `{}`; {near}", name.trim()),
            );
            continue;
        };
        if let Some(problem) = unwritable(client, describe, field, purpose) {
            problems.add(name, problem);
            continue;
        }
        let given = Json::of_value(given);
        match value::read(field, &given) {
            Ok(value) => asked.push(Asked { field, value }),
            Err(problem) => problems.add(name, problem + &led_to(client, describe, field, &given)),
        }
    }
    order::sort_by(&mut asked, |one, other| {
        one.field.name().cmp(other.field.name())
    });
    asked
}

/// Says of a reference that does not fit which objects it leads to, and which of their records has what is given as its name.
fn led_to(client: &Client<'_>, describe: &Describe, field: Field<'_>, given: &Json) -> String {
    /// A polymorphic field leads to up to a hundred objects.
    const TARGETS_SHOWN: usize = 4;
    if field.kind() != "reference" {
        return String::new();
    }
    let targets = client.targets_of(field);
    let shown = &targets[..targets.len().min(TARGETS_SHOWN)];
    let mut says = match shown.is_empty() {
        true => String::new(),
        false => format!("; it refers to {}", shown.join(" or ")),
    };
    match given.as_str() {
        Some(text) if names::record_id(text).is_ok() => {
            let object = lookup::object_of(client, text.trim());
            says.extend(object.map(|object| format!("; this is an id of the object `{object}`")));
        }
        Some(text) => says.extend(shown.iter().map(|kind| match *kind {
            "RecordType" => type_named(client, describe, text.trim()),
            kind => lookup::named(client, kind, text),
        })),
        None => {}
    }
    says
}

/// Says which record type of the object is called so, or which it has: objects may have some of one name.
fn type_named(client: &Client<'_>, describe: &Describe, name: &str) -> String {
    const SHOWN: usize = 10;
    let seen = ["Id", "Name", "DeveloperName"].map(str::to_owned);
    if client.visible_fields("RecordType", &seen).len() < seen.len() {
        return String::new();
    }
    let is_it = |known: &str| known.eq_ignore_ascii_case(name);
    let mut types = describe.record_types();
    if let Some((id, ..)) = types.find(|(_, api_name, label)| is_it(api_name) || is_it(label)) {
        return format!("; the record type of that name: `{}`", names::long_id(id));
    }
    let types = describe.record_types().take(SHOWN);
    let listed: Vec<String> = types
        .map(|(id, api_name, _)| format!("`{}` ({api_name})", names::long_id(id)))
        .collect();
    match listed.is_empty() {
        true => "; there are none for this user".to_owned(),
        false => format!("; its record types: {}", listed.join(", ")),
    }
}

/// Names the fields that a new record must have and that are not given, each with its label and type.
pub(super) fn require(
    client: &Client<'_>,
    describe: &Describe,
    fields: &Map<String, Value>,
    problems: &mut Problems,
) {
    for field in describe.fields().filter(|field| field.is_required()) {
        // A name is given by its parts, too: that of a person account.
        let is_given = fields.keys().any(|name| {
            let name = name.trim();
            let given = describe.field(name);
            name.eq_ignore_ascii_case(field.name())
                || given.is_some_and(|given| given.compound() == Some(field.name()))
        });
        // One that the agent may not see is the org's to ask for.
        let name = [field.name().to_owned()];
        if !is_given && !client.visible_fields(describe.name(), &name).is_empty() {
            let values: Vec<_> = field
                .values()
                .take(10)
                .map(|(value, _)| format!("`{value}`"))
                .collect();
            let says = match values.is_empty() {
                true => "is required".to_owned(),
                false => format!("is required; its values: {}", values.join(", ")),
            };
            problems.add(field.name(), about(field, &says));
        }
    }
}

/// Says why a field cannot be set, if it cannot.
fn unwritable(
    client: &Client<'_>,
    describe: &Describe,
    field: Field<'_>,
    purpose: Purpose,
) -> Option<String> {
    let flag = match purpose {
        Purpose::Create => "createable",
        Purpose::Update => "updateable",
    };
    let says = match field.kind() {
        "base64" => "is a file's content, which this tool does not send".to_owned(),
        _ if field.is(flag) => return None,
        "id" => "is the record's id, which cannot be set".to_owned(),
        _ if field.is("calculated") => {
            "is computed by a formula or a roll-up, and cannot be set".to_owned()
        }
        _ if field.is("autoNumber") => "is numbered by the org, and cannot be set".to_owned(),
        "address" | "location" | "complexvalue" => {
            let parts = describe
                .fields()
                .filter(|part| part.compound() == Some(field.name()) && part.is(flag));
            let parts: Vec<String> = parts.map(|part| part.name().to_owned()).collect();
            let parts = client.visible_fields(describe.name(), &parts);
            let parts: Vec<_> = parts.iter().map(|part| format!("`{part}`")).collect();
            format!("is made of its parts; set these: {}", parts.join(", "))
        }
        _ if field.is("createable") => "can be set at creation only".to_owned(),
        _ if field.is("updateable") => {
            "can be set by an update only, once the record is there".to_owned()
        }
        _ => {
            "is read-only for this user: a system field, or one that field-level security protects"
                .to_owned()
        }
    };
    Some(about(field, &says))
}

/// Points to a field's argument (RFC 6901).
fn pointer(at: &str, name: &str) -> String {
    format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::testing::Org;

    #[test]
    fn a_record_type_by_its_name_is_told_by_its_id_where_the_agent_may_see_it() {
        let describe = Describe::new(
            Json::parse(
                r#"{"name":"Account","fields":[{"name":"RecordTypeId","label":"Record Type ID","type":"reference",
                    "referenceTo":["RecordType"],"nillable":true,"updateable":true}],
                    "recordTypeInfos":[{"active":true,"available":true,"developerName":"Household","name":"A Household",
                    "recordTypeId":"01254000001upcKAAQ"}]}"#,
            )
            .unwrap(),
        );
        let said = |org: &Org, name: &str| {
            let client = Client::new(org);
            let fields = Map::from_iter([("RecordTypeId".to_owned(), Value::from(name))]);
            let mut problems = Problems::default();
            read(&client, &describe, &fields, Purpose::Update, &mut problems);
            let failure = problems.refuse(&client).unwrap_err();
            assert!(org.requests().is_empty());
            failure.fields[0].problem.clone()
        };
        for name in ["household", " A household "] {
            let said = said(&Org::new(), name);
            assert!(
                said.ends_with("of that name: `01254000001upcKAAQ`"),
                "{said}"
            );
        }
        let other = said(&Org::new(), "House");
        assert!(
            other.ends_with("record types: `01254000001upcKAAQ` (Household)"),
            "{other}"
        );
        for org in [
            Org::new().forbid("RecordType"),
            Org::new().hide("RecordType", "Name"),
        ] {
            let said = said(&org, "Household");
            assert!(!said.contains("01254000001upcKAAQ"), "{said}");
        }
    }

    #[test]
    fn what_a_reference_takes_is_told_of_what_the_agent_sees() {
        let describe = Describe::new(
            Json::parse(
                r#"{"name":"Thing__c","fields":[{"name":"F","label":"Owner","type":"reference",
                    "referenceTo":["User","Group"],"nillable":true,"updateable":true}]}"#,
            )
            .unwrap(),
        );
        for (hidden, said) in [
            (&["Group"][..], "; it refers to User"),
            (&["Group", "User"], "takes the id of a record, not"),
        ] {
            let org = hidden.iter().fold(Org::new(), |org, kind| org.forbid(kind));
            let client = Client::new(&org);
            for given in [Value::from(1), Value::Array(Vec::new())] {
                let fields = Map::from_iter([("F".to_owned(), given)]);
                let mut problems = Problems::default();
                read(&client, &describe, &fields, Purpose::Update, &mut problems);
                let failure = format!("{:?}", problems.refuse(&client).unwrap_err());
                assert!(failure.contains(said), "{failure}");
                assert!(!failure.contains("Group"), "{failure}");
            }
        }
    }
}
