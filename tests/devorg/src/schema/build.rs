//! A vocabulary to write objects down in: `text("Site", "Account Site", 80)`.
//!
//! A field begins as the ordinary field of its type (optional, writable, filterable) and each
//! method says how it differs. Only [`crate::objects`] uses it.

use std::sync::Arc;

use serde_json::Map;

use super::{Field, FieldType, Object, PicklistValue};
use crate::value::Value;

/// Begins an object that people make, change, delete and search.
pub(crate) fn object(name: &str, label: &str, label_plural: &str, key_prefix: &str) -> Object {
    Object {
        name: name.into(),
        label: label.into(),
        label_plural: label_plural.into(),
        key_prefix: key_prefix.into(),
        fields: Vec::new(),
        child_relationships: Vec::new(),
        record_types: Vec::new(),
        supported_scopes: Vec::new(),
        custom: name.ends_with("__c"),
        createable: true,
        updateable: true,
        deletable: true,
        undeletable: true,
        mergeable: false,
        layoutable: true,
        feed_enabled: false,
        mru_enabled: true,
        triggerable: true,
        searchable: true,
        replicateable: true,
        described: Map::new(),
        left_out: Vec::new(),
    }
}

impl Object {
    /// Adds fields.
    pub(crate) fn with(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.fields.extend(fields);
        self
    }

    /// Adds an object's way of referring to this one: `child("Contact", "AccountId", "Contacts")`.
    /// An empty relationship name is none.
    pub(crate) fn child(mut self, object: &str, field: &str, relationship: &str) -> Self {
        self.child_relationships.push(super::ChildRelationship {
            relationship_name: (!relationship.is_empty()).then(|| relationship.into()),
            child_object: object.into(),
            field: field.into(),
            cascade_delete: false,
            restricted_delete: false,
        });
        self
    }

    /// Adds a [`Object::child`] that is deleted with its parent.
    pub(crate) fn owned_child(self, object: &str, field: &str, relationship: &str) -> Self {
        let mut object = self.child(object, field, relationship);
        if let Some(child) = object.child_relationships.last_mut() {
            child.cascade_delete = true;
        }
        object
    }

    /// Adds a [`Object::child`] that keeps its parent from being deleted.
    pub(crate) fn keeping_child(self, object: &str, field: &str, relationship: &str) -> Self {
        let mut object = self.child(object, field, relationship);
        if let Some(child) = object.child_relationships.last_mut() {
            child.restricted_delete = true;
        }
        object
    }

    /// Lets files be linked to its records.
    pub(crate) fn with_files(self) -> Self {
        self.owned_child(
            "ContentDocumentLink",
            "LinkedEntityId",
            "ContentDocumentLinks",
        )
        .child("ContentVersion", "FirstPublishLocationId", "")
    }

    /// Says which scopes `USING SCOPE` takes, each with its label.
    pub(crate) fn scopes<L: AsRef<str>>(mut self, scopes: &[(&str, L)]) -> Self {
        self.supported_scopes = scopes
            .iter()
            .map(|(name, label)| ((*name).into(), label.as_ref().into()))
            .collect();
        self
    }

    /// Makes it an object that only an administrator's setup changes.
    pub(crate) fn setup(mut self) -> Self {
        self.createable = false;
        self.updateable = false;
        self.deletable = false;
        self.undeletable = false;
        self.layoutable = false;
        self.mru_enabled = false;
        self.triggerable = false;
        self.searchable = false;
        self
    }
}

/// Makes an ordinary field.
fn field(name: &str, label: &str, field_type: FieldType) -> Field {
    Field {
        name: Arc::from(name),
        label: label.into(),
        field_type,
        length: 0,
        precision: 0,
        scale: 0,
        digits: 0,
        nillable: true,
        createable: true,
        updateable: true,
        defaulted_on_create: false,
        filterable: true,
        groupable: true,
        sortable: true,
        aggregatable: true,
        id_lookup: false,
        external_id: false,
        unique: false,
        name_field: false,
        permissionable: true,
        auto_number: false,
        calculated: false,
        custom: name.ends_with("__c") || name.ends_with("__s"),
        reference_to: Vec::new(),
        relationship_name: None,
        picklist_values: Vec::new(),
        controller: None,
        restricted_picklist: false,
        default_value: None,
        formula: None,
        compound_field_name: None,
        extra_type_info: None,
        inline_help_text: None,
        described: Map::new(),
    }
}

fn sized(name: &str, label: &str, field_type: FieldType, length: u32) -> Field {
    Field {
        length,
        ..field(name, label, field_type)
    }
}

fn number(name: &str, label: &str, field_type: FieldType, precision: u32, scale: u32) -> Field {
    Field {
        precision,
        scale,
        groupable: false,
        ..field(name, label, field_type)
    }
}

/// A line of text.
pub(crate) fn text(name: &str, label: &str, length: u32) -> Field {
    sized(name, label, FieldType::String, length)
}

/// Lines of text, too long to filter by.
pub(crate) fn long_text(name: &str, label: &str, length: u32) -> Field {
    let mut field = sized(name, label, FieldType::Textarea, length).info("plaintextarea");
    field.filterable = false;
    field.groupable = false;
    field.sortable = false;
    field.aggregatable = false;
    field
}

/// An email address.
pub(crate) fn email(name: &str, label: &str) -> Field {
    sized(name, label, FieldType::Email, 80)
}

/// A telephone number.
pub(crate) fn phone(name: &str, label: &str) -> Field {
    sized(name, label, FieldType::Phone, 40)
}

/// A web address.
pub(crate) fn url(name: &str, label: &str) -> Field {
    sized(name, label, FieldType::Url, 255)
}

/// The address of a picture, which the org makes.
pub(crate) fn photo_url() -> Field {
    url("PhotoUrl", "Photo URL").info("imageurl").system()
}

/// A checkbox, off unless said otherwise.
pub(crate) fn checkbox(name: &str, label: &str) -> Field {
    Field {
        nillable: false,
        defaulted_on_create: true,
        aggregatable: false,
        default_value: Some(Value::Bool(false)),
        ..field(name, label, FieldType::Boolean)
    }
}

/// A whole number of up to `digits` digits.
pub(crate) fn whole(name: &str, label: &str, digits: u32) -> Field {
    Field {
        digits,
        ..field(name, label, FieldType::Int)
    }
}

/// A number.
pub(crate) fn decimal(name: &str, label: &str, precision: u32, scale: u32) -> Field {
    number(name, label, FieldType::Double, precision, scale)
}

/// An amount of money.
pub(crate) fn currency(name: &str, label: &str, precision: u32, scale: u32) -> Field {
    number(name, label, FieldType::Currency, precision, scale)
}

/// A percentage.
pub(crate) fn percent(name: &str, label: &str, precision: u32, scale: u32) -> Field {
    number(name, label, FieldType::Percent, precision, scale)
}

/// A day.
pub(crate) fn date(name: &str, label: &str) -> Field {
    field(name, label, FieldType::Date)
}

/// A moment.
pub(crate) fn datetime(name: &str, label: &str) -> Field {
    Field {
        groupable: false,
        ..field(name, label, FieldType::Datetime)
    }
}

/// A time of day.
pub(crate) fn time(name: &str, label: &str) -> Field {
    Field {
        groupable: false,
        ..field(name, label, FieldType::Time)
    }
}

/// Lines of text with marks of HTML.
pub(crate) fn rich_text(name: &str, label: &str, length: u32) -> Field {
    let mut field = long_text(name, label, length).info("richtextarea");
    field.described.insert("htmlFormatted".into(), true.into());
    field
}

/// A text of which all but the last four characters are masked for who may not view encrypted data.
pub(crate) fn encrypted(name: &str, label: &str, length: u32) -> Field {
    let mut field = sized(name, label, FieldType::EncryptedString, length)
        .queryable(false, false, false, false);
    let mask = [("mask", "*"), ("maskType", "lastFour")];
    field
        .described
        .extend(mask.map(|(key, value)| (key.into(), value.into())));
    field
}

/// One of several values. `Value=Label` gives a value a label of its own, and `*` after either
/// makes it the default.
pub(crate) fn picklist(name: &str, label: &str, length: u32, values: &[&str]) -> Field {
    let mut field = sized(name, label, FieldType::Picklist, length);
    field.picklist_values = picklist_values(values);
    if let Some(default) = field.picklist_values.iter().find(|v| v.default_value) {
        field.default_value = Some(Value::text(default.value.as_str()));
        field.defaulted_on_create = true;
    }
    field
}

/// Some of several values, written as for [`picklist`].
pub(crate) fn multipicklist(name: &str, label: &str, length: u32, values: &[&str]) -> Field {
    let mut field = sized(name, label, FieldType::Multipicklist, length);
    field.picklist_values = picklist_values(values);
    field.groupable = false;
    field.sortable = false;
    field.aggregatable = false;
    field.precision = 4;
    field
}

/// A text with values to choose from.
pub(crate) fn combobox(name: &str, label: &str, length: u32, values: &[&str]) -> Field {
    let mut field = sized(name, label, FieldType::Combobox, length);
    field.picklist_values = picklist_values(values);
    field.groupable = false;
    field
}

fn picklist_values(values: &[&str]) -> Vec<PicklistValue> {
    let mut all = Vec::with_capacity(values.len());
    for text in values {
        let (text, default_value) = text
            .strip_suffix('*')
            .map_or((*text, false), |text| (text, true));
        let (value, label) = text.split_once('=').unwrap_or((text, text));
        all.push(PicklistValue {
            value: value.into(),
            label: label.into(),
            active: true,
            default_value,
            valid_for: Vec::new(),
        });
    }
    all
}

/// The id of another record. The parent's name in a path is the field's without `Id`, or with `__r`
/// for `__c`.
pub(crate) fn reference(name: &str, label: &str, to: &[&str]) -> Field {
    let relationship = match name.strip_suffix("__c") {
        Some(name) => format!("{name}__r"),
        None => name.strip_suffix("Id").unwrap_or(name).into(),
    };
    Field {
        reference_to: to.iter().map(|object| (*object).into()).collect(),
        relationship_name: Some(relationship),
        ..sized(name, label, FieldType::Reference, 18)
    }
}

/// The record's own id.
pub(crate) fn id(label: &str) -> Field {
    let mut id = sized("Id", label, FieldType::Id, 18).system().required();
    id.defaulted_on_create = true;
    id.id_lookup = true;
    id
}

/// Whether the record is in the recycle bin.
pub(crate) fn is_deleted() -> Field {
    checkbox("IsDeleted", "Deleted").system()
}

/// Who made the record and changed it last, and when.
pub(crate) fn audit() -> [Field; 5] {
    let filled = |field: Field| Field {
        defaulted_on_create: true,
        ..field.system().required()
    };
    [
        filled(datetime("CreatedDate", "Created Date")),
        filled(reference("CreatedById", "Created By ID", &["User"])),
        filled(datetime("LastModifiedDate", "Last Modified Date")),
        filled(reference(
            "LastModifiedById",
            "Last Modified By ID",
            &["User"],
        )),
        filled(datetime("SystemModstamp", "System Modstamp")),
    ]
}

/// The bytes of a file.
pub(crate) fn blob(name: &str, label: &str) -> Field {
    let blob = sized(name, label, FieldType::Base64, 0);
    blob.queryable(false, false, false, false)
}

/// When the record's last activity is due.
pub(crate) fn last_activity() -> Field {
    date("LastActivityDate", "Last Activity").system()
}

/// When the person asking saw the record, and a record related to it.
pub(crate) fn last_seen() -> [Field; 2] {
    [
        datetime("LastViewedDate", "Last Viewed Date").system(),
        datetime("LastReferencedDate", "Last Referenced Date").system(),
    ]
}

/// The owner.
pub(crate) fn owner(label: &str, to: &[&str]) -> Field {
    let mut owner = reference("OwnerId", label, to).standard().required();
    owner.defaulted_on_create = true;
    owner
}

/// A place of the org's own and its parts: `Place__Latitude__s` and `Place__Longitude__s` of `Place__c`.
pub(crate) fn place(name: &str, label: &str, scale: u32) -> [Field; 3] {
    // A longitude has up to three digits before the point.
    const WHOLE_DIGITS: u32 = 3;
    let stem = name.strip_suffix("__c").unwrap_or(name);
    let part = |part: &str| {
        let (own_name, label) = (format!("{stem}__{part}__s"), format!("{label} ({part})"));
        decimal(&own_name, &label, WHOLE_DIGITS + scale, scale).part_of(name)
    };
    let mut whole = field(name, label, FieldType::Location).read_only();
    whole.groupable = false;
    whole.sortable = false;
    whole.aggregatable = false;
    [part("Latitude"), part("Longitude"), whole]
}

/// An address and its parts; `prefix` is that of the names and of the labels.
pub(crate) fn address(prefix: &str) -> [Field; 9] {
    let compound = format!("{prefix}Address");
    let label = |text: &str| format!("{prefix} {text}").trim_start().to_owned();
    let part = |field: Field| Field {
        compound_field_name: Some(compound.clone()),
        ..field
    };
    let name = |text: &str| format!("{prefix}{text}");
    let mut street = sized(&name("Street"), &label("Street"), FieldType::Textarea, 255);
    street.extra_type_info = Some("plaintextarea".into());
    let mut whole = field(&compound, &label("Address"), FieldType::Address).read_only();
    whole.groupable = false;
    whole.sortable = false;
    whole.aggregatable = false;
    [
        part(street),
        part(text(&name("City"), &label("City"), 40)),
        part(text(&name("State"), &label("State/Province"), 80)),
        part(text(&name("PostalCode"), &label("Zip/Postal Code"), 20)),
        part(text(&name("Country"), &label("Country"), 80)),
        part(decimal(&name("Latitude"), &label("Latitude"), 18, 15)),
        part(decimal(&name("Longitude"), &label("Longitude"), 18, 15)),
        part(
            picklist(
                &name("GeocodeAccuracy"),
                &label("Geocode Accuracy"),
                40,
                &crate::objects::GEOCODE_ACCURACIES,
            )
            .restricted(),
        ),
        whole,
    ]
}
