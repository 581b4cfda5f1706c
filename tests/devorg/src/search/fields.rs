//! Which fields a search looks in, and what it finds there.
//!
//! Follows the *SOQL and SOSL Reference*, "IN SearchGroup": texts are searched, numbers, dates,
//! checkboxes, picklists and references are not.

use soql::SearchGroup;

use super::words::words;
use crate::schema::{Field, FieldType, Object};
use crate::store::Record;

/// Gives the fields of a group.
pub(super) fn searched(object: &Object, group: SearchGroup) -> Vec<&Field> {
    let fields = object.fields.iter();
    fields.filter(|field| is_in(field, group)).collect()
}

fn is_in(field: &Field, group: SearchGroup) -> bool {
    let of_name = is_name(field);
    let email = field.field_type == FieldType::Email;
    let phone = field.field_type == FieldType::Phone;
    match group {
        SearchGroup::All => matches!(
            field.field_type,
            FieldType::String
                | FieldType::Textarea
                | FieldType::Combobox
                | FieldType::Email
                | FieldType::Phone
                | FieldType::Url
        ),
        SearchGroup::Name => of_name,
        SearchGroup::Email => email,
        SearchGroup::Phone => phone,
        SearchGroup::Sidebar => of_name || email || phone || field.external_id,
    }
}

/// Says whether a field is the record's name or a part of it.
pub(super) fn is_name(field: &Field) -> bool {
    field.name_field || field.compound_field_name.as_deref() == Some("Name")
}

/// Gives the words of each field; a telephone number is one word of its digits besides.
pub(super) fn words_of(record: &Record, fields: &[&Field]) -> Vec<Vec<Vec<char>>> {
    let mut all = Vec::with_capacity(fields.len());
    for field in fields {
        let Some(text) = record.get(&field.name).as_text() else {
            continue;
        };
        all.push(words(text));
        if field.field_type == FieldType::Phone {
            all.push(vec![text.chars().filter(char::is_ascii_digit).collect()]);
        }
    }
    all
}
