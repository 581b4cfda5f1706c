//! Sources: what they name is plain, what they are called is sealed.

use std::borrow::Cow;

use portcullis::ports::Sensitive;
use portcullis::ports::audit::Source;

use super::super::form::{HiddenNames, HiddenSource, Name, PlainSource};
use super::names::is_name;
use super::{cut, shortened};

pub(super) fn plain_source(source: &Source) -> PlainSource<'_> {
    match are_names(source) {
        true => PlainSource {
            kind: Cow::Borrowed(&source.kind),
            id: source.id.as_deref().map(Cow::Borrowed),
            fields: source.fields.iter().map(|name| Name::of(name)).collect(),
        },
        false => PlainSource {
            kind: Cow::Borrowed(""),
            id: None,
            fields: Vec::new(),
        },
    }
}

/// Says whether all that a source names are names as they stand in the clear.
fn are_names(source: &Source) -> bool {
    let mut names = [&source.kind]
        .into_iter()
        .chain(&source.id)
        .chain(&source.fields);
    names.all(|name| is_name(name))
}

pub(super) fn hidden_source(source: &Source) -> HiddenSource<'_> {
    HiddenSource {
        label: source.label.as_ref().map(|label| shortened(label.expose())),
        url: source.url.as_deref().map(Cow::Borrowed),
        names: (!are_names(source)).then(|| HiddenNames {
            action: String::new(),
            kind: cut(&source.kind),
            id: source.id.as_deref().map(cut),
            fields: source
                .fields
                .iter()
                .map(|field| (cut(field), None))
                .collect(),
        }),
    }
}

pub(super) fn join_source(plain: PlainSource<'_>, hidden: HiddenSource<'_>) -> Source {
    let HiddenSource { label, url, names } = hidden;
    let (kind, id, fields) = match names {
        Some(names) => {
            let fields = names.fields.into_iter().map(|(name, _)| name);
            (names.kind, names.id, fields.collect())
        }
        None => (
            plain.kind.into_owned(),
            plain.id.map(Cow::into_owned),
            plain
                .fields
                .into_iter()
                .map(|Name(name)| name.into_owned())
                .collect(),
        ),
    };
    Source {
        kind,
        id,
        label: label.map(|label| Sensitive::new(label.into_owned())),
        url: url.map(Cow::into_owned),
        fields,
    }
}
