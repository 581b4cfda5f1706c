//! List views, and what each user has looked at lately.

use super::{Dice, Seed};
use crate::id::Id;
use crate::list_views::VIEWS;
use crate::seen::Glance;
use crate::value::Value;

/// The objects whose records users look at.
const LOOKED_AT: [&str; 5] = ["Account", "Contact", "Opportunity", "Lead", "Case"];
/// How many records of each object a user has looked at.
const LOOKED_AT_EACH: u64 = 4;

pub(super) fn add(seed: &mut Seed) {
    for view in &VIEWS {
        let row = vec![
            ("Name", view.label.into()),
            ("DeveloperName", view.developer_name.into()),
            ("SobjectType", view.object.into()),
            ("IsSoqlCompatible", true.into()),
        ];
        seed.add("ListView", seed.ago(1_100, 620), row);
    }
}

/// Lets every user look at some records.
pub(super) fn look(seed: &mut Seed) {
    let users: Vec<Id> = seed
        .org
        .store
        .rows("User")
        .filter(|user| user.get("IsActive") == &Value::Bool(true))
        .map(|user| user.id)
        .collect();
    for (place, user) in users.into_iter().enumerate() {
        let mut dice = Dice::new("seen", place as u64);
        for object in LOOKED_AT {
            looked_at(seed, &mut dice, user, object);
        }
    }
}

fn looked_at(seed: &mut Seed, dice: &mut Dice, user: Id, object: &str) {
    let rows = seed.org.store.rows(object).filter(|row| !row.deleted);
    let ids: Vec<Id> = rows.map(|row| row.id).collect();
    if ids.is_empty() {
        return;
    }
    for days in 0..LOOKED_AT_EACH {
        let id = *dice.pick(&ids);
        let at = seed.ago(days, dice.between(420, 700));
        let glance = match dice.chance(80) {
            true => Glance::View,
            false => Glance::Reference,
        };
        seed.org.seen.note(user, id, glance, at);
    }
}
