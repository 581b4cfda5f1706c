//! What a caller narrows a part of an object to, and what is said where nothing of it fits.

use super::{DescribeObject, Part, Visible};
use crate::describe::Field;
use crate::nearest::{Candidate, listed, nearest};
use crate::order;

/// What the caller narrows a part to.
pub(super) struct Filter<'a> {
    /// In lower case.
    pub(super) wanted: String,
    kind: Option<&'a str>,
    required_only: bool,
}

impl<'a> Filter<'a> {
    pub(super) fn new(args: &'a DescribeObject) -> Self {
        Self {
            wanted: args
                .text
                .as_deref()
                .unwrap_or_default()
                .trim()
                .to_lowercase(),
            kind: args.kind.as_deref().map(str::trim),
            required_only: args.required_only,
        }
    }

    pub(super) fn text(&self, texts: &[&str]) -> bool {
        self.wanted.is_empty()
            || texts
                .iter()
                .any(|text| text.to_lowercase().contains(&self.wanted))
    }

    pub(super) fn field(&self, field: Field<'_>) -> bool {
        self.kind
            .is_none_or(|kind| field.kind().eq_ignore_ascii_case(kind))
            && (!self.required_only || field.is_required())
            && self.text(&[field.name(), field.label()])
    }
}

impl Visible<'_> {
    /// Says why a part has no rows, with what is near to what was asked for.
    pub(super) fn none_fits(&self, part: Part, args: &DescribeObject) -> Option<String> {
        if let (Part::Fields | Part::Picklists, Some(kind)) = (part, args.kind.as_deref())
            && let Some(said) = self.no_such_type(kind.trim())
        {
            return Some(said);
        }
        let wanted = args.text.as_deref().map(str::trim);
        let wanted = wanted.filter(|text| !text.is_empty() && part != Part::RecordTypes)?;
        let near = match part {
            Part::Fields | Part::Picklists => {
                nearest(wanted, self.fields.iter().map(|field| field.candidate()))
            }
            Part::Relationships => nearest(
                wanted,
                self.relationships().map(|(name, field)| Candidate {
                    name,
                    label: field.label(),
                }),
            ),
            Part::Children => nearest(
                wanted,
                self.children.iter().map(|child| Candidate {
                    name: child.relationship,
                    label: child.kind,
                }),
            ),
            Part::RecordTypes => Vec::new(),
        };
        Some(match near.is_empty() {
            true => "none has this text in its name or label".to_owned(),
            false => format!("near names: {}", listed(&near)),
        })
    }

    /// Says which types there are, where no field is of the one that is wanted.
    fn no_such_type(&self, wanted: &str) -> Option<String> {
        let mut kinds: Vec<&str> = self.fields.iter().map(|field| field.kind()).collect();
        order::sort_once(&mut kinds);
        if kinds.iter().any(|kind| kind.eq_ignore_ascii_case(wanted)) {
            return None;
        }
        let all: Vec<_> = kinds
            .iter()
            .map(|name| Candidate { name, label: "" })
            .collect();
        let near = nearest(wanted, all.iter().copied());
        let said = match near.is_empty() {
            true => format!("types here: {}", listed(&all)),
            false => format!("near: {}", listed(&near)),
        };
        Some(format!("no field is of this type; {said}"))
    }
}
