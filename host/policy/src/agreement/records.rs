//! Which record of a request each announced change is about, where a request changes several.
//!
//! The attack: the right ids and the right values, with one record's values under the other's name.

use std::collections::BTreeMap;

use super::value::Scalar;
use super::{Disagreement, SentChange};
use crate::{BodyPlace, Change, IdPlace};

/// Where the record of each change stands.
pub(super) struct Homes {
    /// Of an XML body: the element in which the change's id stands.
    parents: Vec<Option<String>>,
}

/// Compares the ids in a request with those that are announced, and takes them off `open`.
pub(super) fn homes(
    changes: &[Change],
    sent: &SentChange<'_>,
    open: &mut BTreeMap<&str, &Scalar>,
) -> Result<Homes, Disagreement> {
    let mut parents = vec![None; changes.len()];
    // In a list of a JSON body each item stands at its change's number; elsewhere the ids are in the order of the changes that have one.
    let mut in_order: Vec<(String, Option<String>)> = Vec::new();
    for place in sent.ids_at {
        match place {
            IdPlace::Body(place) if place.has_items() => items(changes, place, open)?,
            IdPlace::Body(place) => {
                in_order.extend(taken(open, |at| place.is_at(at).then_some(0))?)
            }
            IdPlace::Query(name) => {
                for (id, _) in taken(open, |at| (at.strip_prefix('?') == Some(name)).then_some(0))?
                {
                    in_order.extend(id.split(',').map(|id| (id.to_owned(), None)));
                }
            }
            IdPlace::Xml(place) => {
                let found = taken(open, |at| place.index_of(at))?;
                in_order.extend(found.into_iter().map(|(id, at)| {
                    let parent = at.and_then(|at| Some(at.rsplit_once('/')?.0.to_owned()));
                    (id, parent)
                }));
            }
        }
    }
    let is_by_item = sent
        .ids_at
        .iter()
        .any(|place| matches!(place, IdPlace::Body(place) if place.has_items()));
    if sent.ids_at.is_empty() || is_by_item {
        return Ok(Homes { parents });
    }
    let announced = changes.iter().enumerate();
    let announced: Vec<(usize, &str)> = announced
        .filter_map(|(index, change)| Some((index, change.id.as_deref()?)))
        .collect();
    if announced.len() != in_order.len() {
        return Err(Disagreement::Records);
    }
    for ((index, announced), (sent, parent)) in announced.into_iter().zip(in_order) {
        if announced != sent {
            return Err(Disagreement::Records);
        }
        parents[index] = parent;
    }
    Ok(Homes { parents })
}

/// Compares the ids in the items of a list, each with that of the change of its number.
fn items(
    changes: &[Change],
    place: &BodyPlace,
    open: &mut BTreeMap<&str, &Scalar>,
) -> Result<(), Disagreement> {
    let found = taken(open, |at| {
        place.is_at(at).then(|| place.item_of(at)).flatten()
    })?;
    let mut of_items: BTreeMap<usize, String> = BTreeMap::new();
    for (id, at) in found {
        let item = at.as_deref().and_then(|at| place.item_of(at));
        let item = item.ok_or(Disagreement::Records)?;
        if of_items.insert(item, id).is_some() {
            return Err(Disagreement::Records);
        }
    }
    let announced = changes.iter().enumerate();
    let announced: BTreeMap<usize, String> = announced
        .filter_map(|(index, change)| Some((index, change.id.clone()?)))
        .collect();
    match announced == of_items {
        true => Ok(()),
        false => Err(Disagreement::Records),
    }
}

/// Takes the values at some places off `open`, in the order that `order` gives them.
fn taken(
    open: &mut BTreeMap<&str, &Scalar>,
    order: impl Fn(&str) -> Option<usize>,
) -> Result<Vec<(String, Option<String>)>, Disagreement> {
    let mut found: Vec<(usize, &str, &Scalar)> = Vec::new();
    open.retain(|place, value| match order(place) {
        Some(number) => {
            found.push((number, place, value));
            false
        }
        None => true,
    });
    found.sort_by_key(|(number, ..)| *number);
    let texts = found.into_iter().map(|(_, place, value)| match value {
        Scalar::Text(id) | Scalar::Untyped(id) => Ok((id.clone(), Some(place.to_owned()))),
        _ => Err(Disagreement::Records),
    });
    texts.collect()
}

impl Homes {
    /// Refuses a value that a change has of another's record.
    pub(super) fn check(
        &self,
        index: usize,
        pointer: &str,
        sent: &SentChange<'_>,
    ) -> Result<(), Disagreement> {
        let ids = sent.ids_at.iter().filter_map(|place| match place {
            IdPlace::Body(place) => Some(place),
            IdPlace::Query(_) | IdPlace::Xml(_) => None,
        });
        let lists = sent.kinds_at.iter().chain(sent.fields_at).chain(ids);
        let mut items = lists.filter_map(|place| place.item_of(pointer));
        let is_elsewhere = match self.parents.get(index) {
            Some(Some(parent)) => pointer.rsplit_once('/').map(|(at, _)| at) != Some(parent),
            // In an XML message only a change that has an id there has values.
            Some(None) => self.parents.iter().any(Option::is_some),
            None => true,
        };
        match is_elsewhere || items.any(|item| item != index) {
            true => Err(Disagreement::OtherRecord(pointer.to_owned())),
            false => Ok(()),
        }
    }
}
