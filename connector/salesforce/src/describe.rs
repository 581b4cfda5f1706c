//! Views of an object's describe (*REST API Developer Guide*, "sObject Describe").

use crate::json::Json;
use crate::nearest::Candidate;

/// The describe of one object.
#[derive(Debug)]
pub struct Describe {
    json: Json,
    /// Whether the host had it in memory, so that it may be up to a minute old.
    from_memory: bool,
}

/// One field of a describe.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    json: &'a Json,
}

/// One child relationship of a describe.
#[derive(Debug, Clone, Copy)]
pub struct Child<'a> {
    /// Its name in subqueries.
    pub relationship: &'a str,
    /// The child's object.
    pub kind: &'a str,
    /// The child's field that refers to this object.
    pub field: &'a str,
    /// Whether children are deleted with their parent.
    pub cascades: bool,
}

impl Describe {
    /// Wraps the answer of `/sobjects/{kind}/describe`.
    pub fn new(json: Json) -> Self {
        Self {
            json,
            from_memory: false,
        }
    }

    /// Says whether the host had it in memory.
    pub fn from_memory(self, from_memory: bool) -> Self {
        Self {
            from_memory,
            ..self
        }
    }

    /// Says whether it may be up to a minute old.
    pub fn is_from_memory(&self) -> bool {
        self.from_memory
    }

    /// Gives the whole describe.
    pub fn json(&self) -> &Json {
        &self.json
    }

    /// Gives the object's API name, in its own spelling.
    pub fn name(&self) -> &str {
        self.json.str_at("name").unwrap_or_default()
    }

    /// Gives what people call one of its records.
    pub fn label(&self) -> &str {
        self.json.str_at("label").unwrap_or_else(|| self.name())
    }

    /// Gives the first three characters of its records' ids, where it has its own.
    pub fn key_prefix(&self) -> Option<&str> {
        self.json.str_at("keyPrefix")
    }

    /// Says whether a flag of the object is set, such as `deletable`.
    pub fn is(&self, flag: &str) -> bool {
        self.json.is_true_at(flag)
    }

    /// Finds the field that people know a record by.
    pub fn name_field(&self) -> Option<Field<'_>> {
        self.fields().find(|field| field.is("nameField"))
    }

    /// Gives the record types that the user may use: id, API name and label.
    pub fn record_types(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let items = self
            .json
            .get("recordTypeInfos")
            .map_or(&[][..], Json::items);
        items
            .iter()
            .filter(|kind| kind.is_true_at("active") && kind.is_true_at("available"))
            .filter_map(|kind| {
                let name = kind.str_at("name").unwrap_or_default();
                let api_name = kind.str_at("developerName").unwrap_or(name);
                Some((kind.str_at("recordTypeId")?, api_name, name))
            })
    }

    /// Gives the fields in the service's order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        let items = self.json.get("fields").map_or(&[][..], Json::items);
        items.iter().map(|json| Field { json })
    }

    /// Finds a field by its name, without regard to case.
    pub fn field(&self, name: &str) -> Option<Field<'_>> {
        self.fields()
            .find(|field| field.name().eq_ignore_ascii_case(name))
    }

    /// Finds the reference field of a parent relationship: `OwnerId` of `Owner`.
    pub fn parent(&self, relationship: &str) -> Option<Field<'_>> {
        self.fields().find(|field| {
            field
                .relationship()
                .is_some_and(|name| name.eq_ignore_ascii_case(relationship))
        })
    }

    /// Gives the child relationships that a subquery can name.
    pub fn children(&self) -> impl Iterator<Item = Child<'_>> {
        let items = self
            .json
            .get("childRelationships")
            .map_or(&[][..], Json::items);
        items.iter().filter_map(|child| {
            Some(Child {
                relationship: child.str_at("relationshipName")?,
                kind: child.str_at("childSObject").unwrap_or_default(),
                field: child.str_at("field").unwrap_or_default(),
                cascades: child.is_true_at("cascadeDelete"),
            })
        })
    }

    /// Finds a child relationship by its name.
    pub fn child(&self, relationship: &str) -> Option<Child<'_>> {
        self.children()
            .find(|child| child.relationship.eq_ignore_ascii_case(relationship))
    }
}

impl<'a> Field<'a> {
    /// Gives the API name.
    pub fn name(self) -> &'a str {
        self.json.str_at("name").unwrap_or_default()
    }

    /// Gives the label.
    pub fn label(self) -> &'a str {
        self.json.str_at("label").unwrap_or_default()
    }

    /// Gives the type as the service names it: `string`, `reference`.
    pub fn kind(self) -> &'a str {
        self.json.str_at("type").unwrap_or_default()
    }

    /// Gives name and label, to find it by either.
    pub fn candidate(self) -> Candidate<'a> {
        Candidate {
            name: self.name(),
            label: self.label(),
        }
    }

    /// Gives the name of the parent relationship.
    pub fn relationship(self) -> Option<&'a str> {
        self.json.str_at("relationshipName")
    }

    /// Gives the objects that a reference may point to.
    pub fn targets(self) -> impl Iterator<Item = &'a str> {
        self.json
            .get("referenceTo")
            .map_or(&[][..], Json::items)
            .iter()
            .filter_map(Json::as_str)
    }

    /// Gives a picklist's active values: value and label.
    pub fn values(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let values = self.json.get("picklistValues").map_or(&[][..], Json::items);
        values
            .iter()
            .filter(|value| !matches!(value.get("active"), Some(Json::Bool(false))))
            .map(|value| {
                let name = value.str_at("value").unwrap_or_default();
                (name, value.str_at("label").unwrap_or(name))
            })
    }

    /// Gives a picklist's values as they are described, those that are not active any more among them.
    pub fn all_values(self) -> impl Iterator<Item = &'a Json> {
        self.json
            .get("picklistValues")
            .map_or(&[][..], Json::items)
            .iter()
    }

    /// Gives the field whose value decides which values this picklist takes.
    pub fn controller(self) -> Option<&'a str> {
        self.json.str_at("controllerName")
    }

    /// Says whether a flag of the describe is set.
    pub fn is(self, flag: &str) -> bool {
        self.json.is_true_at(flag)
    }

    /// Gives a number of the describe, such as `length`; 0 where it has none.
    pub fn count(self, name: &str) -> u64 {
        self.json.count_at(name).unwrap_or(0)
    }

    /// Gives the compound field that it is a part of, such as `BillingAddress`.
    pub fn compound(self) -> Option<&'a str> {
        self.json.str_at("compoundFieldName")
    }

    /// Says whether a stored text is one that the org masks for this user, who may not view what is encrypted.
    pub fn is_masked(self, stored: &str) -> bool {
        let mask = match self.json.str_at("mask") {
            Some("X") => 'X',
            _ => '*',
        };
        self.kind() == "encryptedstring" && stored.starts_with(mask)
    }

    /// Gives the greatest value of a latitude or a longitude, in degrees; the least is as far below zero.
    pub fn degrees_max(self) -> Option<u32> {
        let part = self.compound().filter(|_| self.kind() == "double")?;
        let name = self.name().strip_suffix("__s").unwrap_or(self.name());
        match (part.is_empty(), name.ends_with("Latitude")) {
            (false, true) => Some(90),
            (false, false) if name.ends_with("Longitude") => Some(180),
            _ => None,
        }
    }

    /// Says whether a new record must have a value here.
    pub fn is_required(self) -> bool {
        self.is("createable")
            && !self.is("nillable")
            && !self.is("defaultedOnCreate")
            && self.kind() != "boolean"
    }

    /// Says the type with its bounds: `string(255)`, `currency(18,2)`, `reference(User)`. `targets` are the objects of a
    /// reference that are told.
    pub fn type_with_bounds(self, targets: &[&str]) -> String {
        let count = |name| self.count(name);
        match self.kind() {
            "reference" => {
                // A polymorphic field lists up to a hundred objects.
                const TARGETS_SHOWN: usize = 4;
                let shown = targets
                    .iter()
                    .take(TARGETS_SHOWN)
                    .copied()
                    .collect::<Vec<_>>()
                    .join(",");
                if targets.is_empty() {
                    return "reference".to_owned();
                }
                match targets.len().checked_sub(TARGETS_SHOWN + 1) {
                    Some(_) => format!("reference({shown},+{})", targets.len() - TARGETS_SHOWN),
                    None => format!("reference({shown})"),
                }
            }
            kind @ ("currency" | "double" | "percent") => {
                format!("{kind}({},{})", count("precision"), count("scale"))
            }
            kind @ ("string" | "textarea" | "encryptedstring" | "url") if count("length") > 0 => {
                format!("{kind}({})", count("length"))
            }
            kind @ ("picklist" | "multipicklist" | "combobox") => {
                format!("{kind}({} values)", self.values().count())
            }
            kind => kind.to_owned(),
        }
    }

    /// Says what else matters to who reads or writes it, in few words.
    pub fn notes(self) -> String {
        let mut notes = Vec::new();
        let mut note = |applies: bool, text: &'static str| {
            if applies {
                notes.push(text);
            }
        };
        let writable = self.is("createable") || self.is("updateable");
        note(self.is_required(), "required");
        note(self.is("calculated"), "formula");
        note(self.is("autoNumber"), "auto-number");
        note(
            !writable && !self.is("calculated") && !self.is("autoNumber"),
            "read-only",
        );
        note(
            self.is("createable") && !self.is("updateable"),
            "set at creation only",
        );
        note(self.is("externalId"), "external id");
        note(self.is("unique"), "unique");
        note(self.is("dependentPicklist"), "dependent");
        note(!self.is("filterable"), "no WHERE");
        let mut said = notes.join(", ");
        if let Some(help) = self.json.str_at("inlineHelpText") {
            let separator = if said.is_empty() { "" } else { "; " };
            said.push_str(separator);
            said.push_str(&crate::fence::inline(help, 120));
        }
        said
    }
}
