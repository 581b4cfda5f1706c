//! Changes: what they name is plain, their words and values are sealed.

use portcullis_policy::{Change, FieldChange};

use super::super::form::{HiddenChange, HiddenNames, PlainChange, PlainField};
use super::cut;
use super::names::{is_name, is_pointer};

pub(super) fn plain_change(change: &Change) -> PlainChange {
    let field = |field: &FieldChange| PlainField {
        name: field.name.clone(),
        pointer: field.pointer.clone(),
    };
    match change_names(change) {
        None => PlainChange {
            action: change.action.clone(),
            kind: change.kind.clone(),
            id: change.id.clone(),
            fields: change.fields.iter().map(field).collect(),
        },
        Some(_) => PlainChange {
            action: String::new(),
            kind: String::new(),
            id: None,
            fields: Vec::new(),
        },
    }
}

/// What a change names, where any of it is none of the names that stand in the clear.
fn change_names(change: &Change) -> Option<HiddenNames> {
    let mut names = [&change.action, &change.kind].into_iter().chain(&change.id);
    let is_field = |field: &FieldChange| {
        is_name(&field.name) && field.pointer.as_deref().is_none_or(is_pointer)
    };
    let are_names = names.all(|name| is_name(name)) && change.fields.iter().all(is_field);
    let field = |field: &FieldChange| (cut(&field.name), field.pointer.as_deref().map(cut));
    (!are_names).then(|| HiddenNames {
        action: cut(&change.action),
        kind: cut(&change.kind),
        id: change.id.as_deref().map(cut),
        fields: change.fields.iter().map(field).collect(),
    })
}

/// The notes and the undo are the connector's own words and may quote values, so they are kept only where values are.
pub(super) fn hidden_change(change: &Change, keeps_values: bool) -> HiddenChange {
    let words = change.notes.iter().filter(|_| keeps_values);
    let kept = |value: &Option<String>| value.as_deref().filter(|_| keeps_values).map(cut);
    let field = |field: &FieldChange| (cut(&field.label), kept(&field.before), kept(&field.after));
    HiddenChange {
        label: cut(&change.label),
        url: change.url.clone(),
        notes: words.map(|note| cut(note)).collect(),
        undo: kept(&change.undo),
        fields: change.fields.iter().map(field).collect(),
        names: change_names(change),
    }
}

pub(super) fn join_change(plain: PlainChange, hidden: HiddenChange) -> Change {
    let plain = match hidden.names {
        None => plain,
        Some(names) => PlainChange {
            action: names.action,
            kind: names.kind,
            id: names.id,
            fields: names
                .fields
                .into_iter()
                .map(|(name, pointer)| PlainField { name, pointer })
                .collect(),
        },
    };
    let fields = plain.fields.into_iter().zip(hidden.fields);
    Change {
        action: plain.action,
        kind: plain.kind,
        id: plain.id,
        label: hidden.label,
        url: hidden.url,
        fields: fields
            .map(|(field, (label, before, after))| FieldChange {
                name: field.name,
                label,
                before,
                after,
                pointer: field.pointer,
            })
            .collect(),
        notes: hidden.notes,
        undo: hidden.undo,
    }
}
