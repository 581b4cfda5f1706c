//! The types of fields, with the words that a describe gives them.

use crate::value::Value;

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// The record's id.
    Id,
    /// A line of text.
    String,
    /// Lines of text.
    Textarea,
    /// A checkbox.
    Boolean,
    /// A whole number.
    Int,
    /// A number.
    Double,
    /// An amount of money.
    Currency,
    /// A percentage.
    Percent,
    /// A day.
    Date,
    /// A moment.
    Datetime,
    /// A time of day.
    Time,
    /// One of several values.
    Picklist,
    /// Some of several values.
    Multipicklist,
    /// A text with values to choose from.
    Combobox,
    /// The id of another record.
    Reference,
    /// An email address.
    Email,
    /// A telephone number.
    Phone,
    /// A web address.
    Url,
    /// A text that only who may view encrypted data reads.
    EncryptedString,
    /// An address, made of other fields.
    Address,
    /// A place on the globe, made of a latitude and a longitude.
    Location,
    /// The bytes of a file.
    Base64,
}

impl FieldType {
    /// Every type.
    const ALL: [Self; 22] = [
        Self::Id,
        Self::String,
        Self::Textarea,
        Self::Boolean,
        Self::Int,
        Self::Double,
        Self::Currency,
        Self::Percent,
        Self::Date,
        Self::Datetime,
        Self::Time,
        Self::Picklist,
        Self::Multipicklist,
        Self::Combobox,
        Self::Reference,
        Self::Email,
        Self::Phone,
        Self::Url,
        Self::EncryptedString,
        Self::Address,
        Self::Location,
        Self::Base64,
    ];

    /// Finds the type that a describe gives a word.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Says whether fields of the type can have a value.
    pub(crate) fn takes(self, value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Bool(_) => self == Self::Boolean,
            Value::Int(_) => self == Self::Int,
            Value::Number(_) => self.is_number() && self != Self::Int,
            Value::Date(_) => self == Self::Date,
            Value::DateTime(_) => self == Self::Datetime,
            Value::Time(_) => self == Self::Time,
            Value::Blob(_) => self == Self::Base64,
            Value::Text(_) => self.is_text() || matches!(self, Self::Id | Self::Reference),
        }
    }

    /// Gives the describe's `type`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::String => "string",
            Self::Textarea => "textarea",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Double => "double",
            Self::Currency => "currency",
            Self::Percent => "percent",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Time => "time",
            Self::Picklist => "picklist",
            Self::Multipicklist => "multipicklist",
            Self::Combobox => "combobox",
            Self::Reference => "reference",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Url => "url",
            Self::EncryptedString => "encryptedstring",
            Self::Address => "address",
            Self::Location => "location",
            Self::Base64 => "base64",
        }
    }

    /// Gives the describe's `soapType`.
    pub fn soap_type(self) -> &'static str {
        match self {
            Self::Id | Self::Reference => "tns:ID",
            Self::Boolean => "xsd:boolean",
            Self::Int => "xsd:int",
            Self::Double | Self::Currency | Self::Percent => "xsd:double",
            Self::Date => "xsd:date",
            Self::Datetime => "xsd:dateTime",
            Self::Time => "xsd:time",
            Self::Address => "urn:address",
            Self::Location => "urn:location",
            Self::Base64 => "xsd:base64Binary",
            _ => "xsd:string",
        }
    }

    /// Says whether values are numbers.
    pub fn is_number(self) -> bool {
        matches!(
            self,
            Self::Int | Self::Double | Self::Currency | Self::Percent
        )
    }

    /// Says whether values are texts of a person's choosing, and so have a greatest length.
    pub fn is_text(self) -> bool {
        matches!(
            self,
            Self::String
                | Self::Textarea
                | Self::Picklist
                | Self::Multipicklist
                | Self::Combobox
                | Self::Email
                | Self::Phone
                | Self::Url
                | Self::EncryptedString
        )
    }

    /// Says whether values are made of other fields, and set by these alone.
    pub fn is_compound(self) -> bool {
        matches!(self, Self::Address | Self::Location)
    }
}
