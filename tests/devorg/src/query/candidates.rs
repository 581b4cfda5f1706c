//! Which records a query must look at: those that an index finds for a part of its conditions.
//!
//! The whole condition still judges each of them, so that what is found here may be more than what
//! holds, and never less.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Bound;

use soql::{CompareOp, PatternPart};

use super::filter::found_by_join;
use super::plan::{Datum, Entity, Expr, Filter, Operand, Path, Plan, ScopeRows, Set};
use super::view::View;
use crate::id::Id;
use crate::schema::{Field, Object};
use crate::store::{Ids, Key};

/// The records up to which an index is used in any table; in large ones, up to a quarter of them.
const FEW: usize = 1_000;

/// Records that an index found, by the values that they have.
struct Candidates<'a> {
    sets: Vec<Cow<'a, Ids>>,
    /// How many there are, or more, where a record has several of the values.
    count: usize,
}

/// Gives the ids of the records that may satisfy a query, in their order; `None` where every record
/// may.
pub(super) fn candidates<'a>(
    view: &View<'a>,
    plan: &Plan<'a>,
) -> Option<Box<dyn Iterator<Item = Id> + 'a>> {
    let object = plan.object;
    if view.makes_rows(object) {
        return None;
    }
    let owned = match plan.scope {
        ScopeRows::All => None,
        ScopeRows::OwnedBy(owner) => Some(referrers(view, object, "OwnerId", owner)),
        ScopeRows::None => Some(Candidates::none()),
    };
    let most = FEW.max(view.org.store.len(&object.name) / 4);
    let filtered = match &plan.filter {
        Some(filter) => of_filter(view, object, filter, most),
        None => None,
    };
    Some(Candidates::fewer(owned, filtered)?.ids())
}

impl<'a> Candidates<'a> {
    fn none() -> Self {
        Self {
            sets: Vec::new(),
            count: 0,
        }
    }

    /// Gathers the records of several values; `None` where there are more than `most`. Those of one
    /// value need no gathering, and are never too many.
    fn gather(sets: impl IntoIterator<Item = Cow<'a, Ids>>, most: usize) -> Option<Self> {
        let mut gathered = Self::none();
        for set in sets {
            gathered.count += set.len();
            gathered.sets.push(set);
            if gathered.sets.len() > 1 && gathered.count > most {
                return None;
            }
        }
        Some(gathered)
    }

    /// Gives the fewer of what was found in two ways.
    fn fewer(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        one.into_iter().chain(other).min_by_key(|found| found.count)
    }

    /// Gives the ids in their order.
    fn ids(self) -> Box<dyn Iterator<Item = Id> + 'a> {
        if let [Cow::Borrowed(ids)] = self.sets.as_slice() {
            return Box::new(ids.iter());
        }
        let mut ids: Vec<Id> = self.sets.iter().flat_map(|set| set.iter()).collect();
        ids.sort_unstable();
        ids.dedup();
        Box::new(ids.into_iter())
    }
}

/// Gives the records of `object` that may satisfy a condition.
fn of_filter<'a>(
    view: &View<'a>,
    object: &Object,
    filter: &Filter<'a>,
    most: usize,
) -> Option<Candidates<'a>> {
    match filter {
        Filter::And(all) => of_all(view, object, all, most),
        Filter::Or(any) => {
            let found = any
                .iter()
                .map(|filter| of_filter(view, object, filter, most));
            let found: Vec<_> = found.collect::<Option<_>>()?;
            let sets = found.into_iter().flat_map(|found| found.sets);
            Candidates::gather(sets, most)
        }
        Filter::Compare(left, op, datum) => {
            let wanted = match datum {
                Datum::Id(id) if *op == CompareOp::Eq => Wanted::Ids(vec![*id]),
                datum => Wanted::Between(vec![between(*op, datum)?]),
            };
            of_path(view, object, path(left)?, wanted, most)
        }
        Filter::Like(left, pattern) => {
            let prefix: String = pattern
                .iter()
                .map_while(|part| match part {
                    PatternPart::Char(c) => Some(*c),
                    _ => None,
                })
                .collect();
            let wanted = (!prefix.is_empty()).then_some(Wanted::Beginning(prefix))?;
            of_path(view, object, path(left)?, wanted, most)
        }
        Filter::In {
            left,
            negated: false,
            set,
        } => of_path(view, object, path(left)?, among(set)?, most),
        Filter::Join {
            left,
            negated: false,
            plan,
            select,
            found,
        } => {
            let path = path(left)?;
            let ids = found_by_join(view, plan, select, found);
            of_path(
                view,
                object,
                path,
                Wanted::Ids(ids.iter().copied().collect()),
                most,
            )
        }
        Filter::Not(_) | Filter::In { .. } | Filter::Join { .. } | Filter::Includes { .. } => None,
    }
}

/// Gives the fewest of the records that a part of some conditions finds, all of which are to hold.
fn of_all<'a>(
    view: &View<'a>,
    object: &Object,
    all: &[Filter<'a>],
    most: usize,
) -> Option<Candidates<'a>> {
    let mut fewest: Option<Candidates<'a>> = None;
    // More than another part found need not be gathered.
    let most_of = |fewest: &Option<Candidates<'a>>| {
        let found = fewest.as_ref().map(|found| found.count);
        found.map_or(most, |count| count.min(most))
    };
    for (field, from, to) in together(all.iter().filter_map(of_own_field)) {
        let wanted = Wanted::Between(vec![(from, to)]);
        let found = of_field(view, object, field, wanted, most_of(&fewest));
        fewest = Candidates::fewer(fewest, found);
    }
    for filter in all.iter().filter(|filter| of_own_field(filter).is_none()) {
        let found = of_filter(view, object, filter, most_of(&fewest));
        fewest = Candidates::fewer(fewest, found);
    }
    fewest
}

/// What a field is to have.
enum Wanted {
    /// One of these ids.
    Ids(Vec<Id>),
    /// A value between two, for one of several pairs.
    Between(Vec<(Bound<Key>, Bound<Key>)>),
    /// A text that begins so, in lower case.
    Beginning(String),
}

fn path<'f, 'a>(operand: &'f Operand<'a>) -> Option<&'f Path<'a>> {
    match &operand.expr {
        Expr::Field(path) => Some(path),
        _ => None,
    }
}

/// Gives the values that a comparison accepts.
fn between(op: CompareOp, datum: &Datum) -> Option<(Bound<Key>, Bound<Key>)> {
    use Bound::{Excluded, Included, Unbounded};
    let key = match datum {
        Datum::Number(number) => Key::number(*number),
        // The index is in the order of folded texts, which is not theirs.
        Datum::Exact(_) if op != CompareOp::Eq => return None,
        Datum::Text(text) | Datum::Exact(text) => Key::text(text),
        Datum::Days(first, _) => Key::Day(*first),
        Datum::Moments(first, _) => Key::Moment(*first),
        Datum::Null | Datum::Bool(_) | Datum::Id(_) | Datum::Time(_) => return None,
    };
    // What is within a range of days is equal to it.
    let (to, from_after) = match datum {
        Datum::Days(_, after) => (Excluded(Key::Day(*after)), Included(Key::Day(*after))),
        Datum::Moments(_, after) => (Excluded(Key::Moment(*after)), Included(Key::Moment(*after))),
        _ => (Included(key.clone()), Excluded(key.clone())),
    };
    Some(match op {
        CompareOp::Eq => (Included(key), to),
        CompareOp::Lt => (Unbounded, Excluded(key)),
        CompareOp::Le => (Unbounded, to),
        CompareOp::Gt => (from_after, Unbounded),
        CompareOp::Ge => (Included(key), Unbounded),
        CompareOp::Ne | CompareOp::Like => return None,
    })
}

/// A field, and the bounds that its values are between.
type Window<'a> = (&'a Field, Bound<Key>, Bound<Key>);

/// Gives the values that a comparison of the row's own field accepts.
fn of_own_field<'a>(filter: &Filter<'a>) -> Option<Window<'a>> {
    let Filter::Compare(left, op, datum) = filter else {
        return None;
    };
    let path = path(left).filter(|path| path.hops.is_empty())?;
    let (from, to) = between(*op, datum)?;
    Some((path.leaf.field?, from, to))
}

/// Makes one window of all those of a field: from a moment on, and before another.
fn together<'a>(windows: impl Iterator<Item = Window<'a>>) -> Vec<Window<'a>> {
    let mut narrowed: Vec<Window<'a>> = Vec::new();
    for (field, from, to) in windows {
        match narrowed
            .iter_mut()
            .find(|(known, ..)| known.name == field.name)
        {
            None => narrowed.push((field, from, to)),
            Some((_, first, last)) => {
                if is_narrower(&from, first, Ordering::Greater) {
                    *first = from;
                }
                if is_narrower(&to, last, Ordering::Less) {
                    *last = to;
                }
            }
        }
    }
    narrowed
}

/// Says whether a bound leaves less than another; of two at different keys, the one in this order.
fn is_narrower(bound: &Bound<Key>, other: &Bound<Key>, order: Ordering) -> bool {
    use Bound::{Excluded, Included, Unbounded};
    match (bound, other) {
        (Unbounded, _) => false,
        (_, Unbounded) => true,
        (Excluded(key), Included(other)) if key == other => true,
        (Included(key) | Excluded(key), Included(other) | Excluded(other)) => {
            key.cmp(other) == order
        }
    }
}

/// Gives what an `IN` accepts; no value is in no index.
fn among(set: &Set) -> Option<Wanted> {
    if set.null {
        return None;
    }
    if !set.ids.is_empty() {
        return Some(Wanted::Ids(set.ids.iter().copied().collect()));
    }
    let texts = set.texts.iter().chain(&set.exact);
    let texts = texts.map(|text| Key::text(text));
    let texts = texts.map(|key| Some((Bound::Included(key.clone()), Bound::Included(key))));
    let others = set.others.iter();
    let others = others.map(|datum| between(CompareOp::Eq, datum));
    let pairs: Option<_> = texts.chain(others).collect();
    Some(Wanted::Between(pairs?))
}

/// Gives the records of `object` at the beginning of a path at whose end is what is wanted.
fn of_path<'a>(
    view: &View<'a>,
    object: &Object,
    path: &Path<'a>,
    wanted: Wanted,
    most: usize,
) -> Option<Candidates<'a>> {
    let Some((last, before)) = path.hops.split_last() else {
        return of_field(view, object, path.leaf.field?, wanted, most);
    };
    // From the parents at the path's end down to the records that lead to them.
    let Entity::Object(parent) = last.to else {
        return None;
    };
    let mut found = of_field(view, parent, path.leaf.field?, wanted, most)?;
    let mut hop = last;
    for from in before.iter().rev() {
        let Entity::Object(children) = from.to else {
            return None;
        };
        found = below(view, children, hop.field, found, most)?;
        hop = from;
    }
    below(view, object, hop.field, found, most)
}

/// Gives the records of `object` that refer to one of some parents.
fn below<'a>(
    view: &View<'a>,
    object: &Object,
    field: &Field,
    parents: Candidates<'a>,
    most: usize,
) -> Option<Candidates<'a>> {
    let sets = parents.ids().filter_map(|parent| {
        let store = &view.org.store;
        store.referrers(&object.name, &field.name, parent)
    });
    Candidates::gather(sets.map(Cow::Borrowed), most)
}

fn referrers<'a>(view: &View<'a>, object: &Object, field: &str, parent: Id) -> Candidates<'a> {
    let found = view.org.store.referrers(&object.name, field, parent);
    Candidates {
        count: found.map_or(0, Ids::len),
        sets: found.map(Cow::Borrowed).into_iter().collect(),
    }
}

/// Gives the records of `object` whose `field` has what is wanted.
fn of_field<'a>(
    view: &View<'a>,
    object: &Object,
    field: &Field,
    wanted: Wanted,
    most: usize,
) -> Option<Candidates<'a>> {
    let (store, object_name, name) = (&view.org.store, &*object.name, &*field.name);
    if let (Wanted::Ids(ids), true) = (&wanted, field.holds_ids()) {
        let sets = ids.iter().filter_map(|id| match name {
            "Id" => Some(Cow::Owned(Ids::One(*id))),
            _ => store.referrers(object_name, name, *id).map(Cow::Borrowed),
        });
        return Candidates::gather(sets, most);
    }
    if field.holds_ids() || !store.has_index(object_name, name) {
        return None;
    }
    match wanted {
        Wanted::Ids(_) => None,
        Wanted::Between(pairs) => {
            let sets = pairs.into_iter().flat_map(|(from, to)| {
                let found = store.between(object_name, name, from, to);
                found.map(|(_, ids)| Cow::Borrowed(ids))
            });
            Candidates::gather(sets, most)
        }
        Wanted::Beginning(prefix) => {
            let from = Bound::Included(Key::text(&prefix));
            let found = store.between(object_name, name, from, Bound::Unbounded);
            let found = found.take_while(|(key, _)| key.begins(&prefix));
            Candidates::gather(found.map(|(_, ids)| Cow::Borrowed(ids)), most)
        }
    }
}
