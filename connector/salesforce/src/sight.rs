//! What of the org the agent may see, asked of the host.
//!
//! The attack: to learn what is hidden by its shadow: a relationship that leads to a hidden object, a compound field that
//! holds a hidden one, a count, a name that is proposed. So every view of a describe goes through here, and what is
//! hidden is answered as what is not there.

use portcullis_sdk::Failure;
use portcullis_sdk::permissions::Access;

use crate::client::Client;
use crate::describe::{Child, Describe, Field};
use crate::touched::Touched;

/// The parts of a compound address field, behind its stem: `BillingStreet` of `BillingAddress`.
const ADDRESS_PARTS: [&str; 9] = [
    "Street",
    "City",
    "State",
    "StateCode",
    "PostalCode",
    "Country",
    "CountryCode",
    "Latitude",
    "Longitude",
];

/// The parts of a person's name.
const NAME_PARTS: [&str; 6] = [
    "FirstName",
    "LastName",
    "MiddleName",
    "Salutation",
    "Suffix",
    "InformalName",
];

/// The fields of a history that hold values of the object's fields.
const HISTORY_VALUES: [&str; 2] = ["OldValue", "NewValue"];

/// A field that no org has, since a name has no two underscores in a row but before its suffix: where an agent may see
/// it, only what is denied is hidden from it.
const NO_FIELD: &str = "no__such__field";

/// A name that is none: it fits no pattern, so whoever is limited in what it reads does not see it, whatever its limits
/// are.
const NO_NAME: &str = "*";

impl Client<'_> {
    /// Says whether the agent may read an object, or some of it.
    pub fn may_read(&self, kind: &str) -> bool {
        let key = kind.to_ascii_lowercase();
        if let Some(known) = self.readable.borrow().get(&key) {
            return *known;
        }
        let allowed = self.host.check(&[Access::read(kind, [""; 0])]).is_ok();
        self.readable.borrow_mut().insert(key, allowed);
        allowed
    }

    /// Says whether nothing of an object is hidden from the agent: asked without a describe, and never wrongly true.
    pub fn sees_everything(&self, kind: &str) -> bool {
        let names = [NO_NAME.to_owned()];
        self.host.visible_fields(kind, &names).len() == names.len()
    }

    /// Gives those of an object's fields that the agent may see. A compound field is one only where its parts are.
    pub fn visible_fields(&self, kind: &str, fields: &[String]) -> Vec<String> {
        let hidden = self.hidden_parts(kind, fields);
        let mut visible = self.host.visible_fields(kind, fields);
        visible.retain(|field| hidden.iter().all(|(whole, _)| *whole != field));
        visible
    }

    /// Asks about objects and fields, and the parts of those that are compound.
    ///
    /// # Errors
    /// `not-permitted`, in the host's words, which name what was asked about.
    pub fn check(&self, touched: &[Touched]) -> Result<(), Failure> {
        let accesses: Vec<Access> = touched.iter().map(Touched::permission).collect();
        self.host.check(&accesses)?;
        for Touched { kind, fields } in touched {
            if let Some((_, part)) = self.hidden_parts(kind, fields).first() {
                self.host.check(&[Access::read(kind, [part])])?;
            }
        }
        touched
            .iter()
            .try_for_each(|touched| self.check_history(touched))
    }

    /// Refuses the old and new values of an object's history, where fields of the object are hidden: they are
    /// among them.
    fn check_history(&self, touched: &Touched) -> Result<(), Failure> {
        let Some(kind) = kept_by(&touched.kind) else {
            return Ok(());
        };
        let shows = |field: &String| {
            HISTORY_VALUES
                .iter()
                .any(|value| field.eq_ignore_ascii_case(value))
        };
        if !touched.fields.iter().any(shows) {
            return Ok(());
        }
        let hides = match self.may_read(&kind) {
            true => {
                let describe = self.describe(&kind)?;
                self.fields_of(&describe).len() < describe.fields().count()
            }
            false => true,
        };
        match hides {
            true => Err(Failure::not_permitted(format!(
                "`{}` holds values of fields that this agent may not see",
                touched.kind
            ))),
            false => Ok(()),
        }
    }

    /// Gives the compound fields of which a part is hidden by its name, and that part.
    fn hidden_parts<'f>(&self, kind: &str, fields: &'f [String]) -> Vec<(&'f String, String)> {
        let mut compound: Vec<(&'f String, String)> = Vec::new();
        for field in fields {
            compound.extend(parts(field).into_iter().map(|part| (field, part)));
        }
        if compound.is_empty() {
            return compound;
        }
        let mut names: Vec<String> = compound.iter().map(|(_, part)| part.clone()).collect();
        names.push(NO_FIELD.to_owned());
        let visible = self.host.visible_fields(kind, &names);
        // Who lists the fields that an agent may see has listed the compound one.
        if visible.last().is_none_or(|last| last != NO_FIELD) {
            return Vec::new();
        }
        // Those that are visible come in the order in which they were asked about.
        let mut visible = visible.into_iter().peekable();
        compound.retain(|(_, part)| visible.next_if(|seen| seen == part).is_none());
        compound
    }

    /// Gives the fields of a describe that the agent may see.
    pub fn fields_of<'d>(&self, describe: &'d Describe) -> Vec<Field<'d>> {
        let names: Vec<String> = describe
            .fields()
            .map(|field| field.name().to_owned())
            .collect();
        let visible = self.visible_fields(describe.name(), &names);
        describe
            .fields()
            .filter(|field| visible.iter().any(|name| name == field.name()))
            .collect()
    }

    /// Gives the objects that a reference may point to and the agent may read.
    pub fn targets_of<'d>(&self, field: Field<'d>) -> Vec<&'d str> {
        field.targets().filter(|kind| self.may_read(kind)).collect()
    }

    /// Gives the name of the relationship to a parent, where the agent may follow it.
    pub fn relationship_of<'d>(&self, field: Field<'d>) -> Option<&'d str> {
        let name = field.relationship()?;
        (!self.targets_of(field).is_empty()).then_some(name)
    }

    /// Gives the child relationships that the agent may follow.
    pub fn children_of<'d>(&self, describe: &'d Describe) -> Vec<Child<'d>> {
        let sees = |child: &Child<'_>| {
            let field = [child.field.to_owned()];
            self.may_read(child.kind) && !self.visible_fields(child.kind, &field).is_empty()
        };
        describe.children().filter(sees).collect()
    }
}

/// Names the object whose history an object keeps: `Account` of `AccountHistory`, `Site__c` of `Site__History`.
fn kept_by(history: &str) -> Option<String> {
    let lower = history.to_ascii_lowercase();
    let stem = |suffix: &str| {
        let stem = lower.strip_suffix(suffix)?;
        (!stem.is_empty()).then(|| history[..stem.len()].to_owned())
    };
    let custom = stem("__history").map(|stem| format!("{stem}__c"));
    custom
        .or_else(|| stem("fieldhistory"))
        .or_else(|| stem("history"))
}

/// Names the parts that a field of this name has, if it is a compound one.
fn parts(field: &str) -> Vec<String> {
    let lower = field.to_ascii_lowercase();
    let with = |stem: &str, parts: &[&str], suffix: &str| {
        parts
            .iter()
            .map(|part| format!("{stem}{part}{suffix}"))
            .collect()
    };
    match (
        lower.as_str(),
        lower.strip_suffix("address"),
        lower.strip_suffix("__c"),
    ) {
        ("name", _, _) => with("", &NAME_PARTS, ""),
        (_, Some(stem), _) => with(&field[..stem.len()], &ADDRESS_PARTS, ""),
        // An address or a place of the org's own: `Office__Street__s` of `Office__c`.
        (_, _, Some(stem)) => with(
            &format!("{}__", &field[..stem.len()]),
            &ADDRESS_PARTS,
            "__s",
        ),
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::testing::Org;

    #[test]
    fn a_compound_field_is_as_visible_as_its_parts() {
        let org = Org::new()
            .hide("Account", "BillingStreet")
            .hide("Contact", "LastName")
            .hide("Site__c", "Office__Latitude__s");
        let client = Client::new(&org);
        let sees = |kind: &str, field: &str| {
            let seen = client.visible_fields(kind, &[field.to_owned()]).len() == 1;
            let touched = Touched {
                kind: kind.to_owned(),
                fields: vec![field.to_owned()],
            };
            assert_eq!(client.check(&[touched]).is_ok(), seen, "{kind}.{field}");
            seen
        };
        assert!(!sees("Account", "BillingAddress") && !sees("Account", "billingADDRESS"));
        assert!(sees("Account", "ShippingAddress") && sees("Account", "BillingCity"));
        assert!(!sees("Contact", "Name") && sees("Account", "Name"));
        assert!(!sees("Site__c", "Office__c") && sees("Site__c", "Other__c"));
    }

    #[test]
    fn a_history_is_as_visible_as_what_it_keeps() {
        let touched = |kind: &str, field: &str| {
            [Touched {
                kind: kind.to_owned(),
                fields: vec![field.to_owned()],
            }]
        };
        let org = Org::new().hide("Account", "AnnualRevenue");
        let client = Client::new(&org);
        assert!(client.check(&touched("AccountHistory", "Field")).is_ok());
        for field in ["OldValue", "newVALUE"] {
            assert!(client.check(&touched("accounthistory", field)).is_err());
        }
        let org = Org::new().forbid("Site__c");
        let client = Client::new(&org);
        assert!(client.check(&touched("Site__History", "OldValue")).is_err());
        let org = Org::new();
        let client = Client::new(&org);
        assert!(client.check(&touched("AccountHistory", "OldValue")).is_ok());
    }

    #[test]
    fn what_leads_to_a_hidden_object_leads_nowhere() {
        let org = Org::new().forbid("User").forbid("AccountHistory");
        let client = Client::new(&org);
        let describe = client.describe("Account").unwrap();
        let owner = describe.field("OwnerId").unwrap();
        assert_eq!(client.targets_of(owner), [""; 0]);
        assert_eq!(client.relationship_of(owner), None);
        let children = client.children_of(&describe);
        let names: Vec<&str> = children.iter().map(|child| child.kind).collect();
        assert_eq!(names, ["Contact"]);
    }
}
