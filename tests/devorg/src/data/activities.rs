//! Tasks and events about the other records, and what those show of them.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::accounts::Accounts;
use super::people::People;
use super::sales::Sales;
use super::{Dice, Seed};
use crate::id::Id;
use crate::objects::COMPLETED_STATUS;
use crate::value::Value;

const TASKS: u64 = 160;
const EVENTS: u64 = 80;

pub(super) fn add(
    seed: &mut Seed,
    people: &People,
    accounts: &Accounts,
    sales: &Sales,
    cases: &[Id],
) {
    for place in 0..TASKS {
        task(seed, people, accounts, sales, cases, place);
    }
    for place in 0..EVENTS {
        event(seed, people, accounts, sales, place);
    }
    shown_by_others(seed);
}

/// Chooses what an activity is about and with whom: `WhatId`, `WhoId`.
fn related(
    dice: &mut Dice,
    accounts: &Accounts,
    sales: &Sales,
    cases: &[Id],
    place: u64,
) -> (Option<Id>, Option<Id>) {
    let contact = Some(dice.pick(&accounts.contacts).id);
    match place % 5 {
        0 | 1 => (Some(*dice.pick(&sales.opportunities)), contact),
        2 => (
            Some(*dice.pick(&accounts.accounts)),
            contact.filter(|_| dice.chance(50)),
        ),
        3 if !cases.is_empty() => (Some(*dice.pick(cases)), None),
        3 => (Some(*dice.pick(&sales.campaigns)), None),
        // Nothing else may be said of a lead's activity.
        _ => (None, Some(*dice.pick(&sales.leads))),
    }
}

fn task(
    seed: &mut Seed,
    people: &People,
    accounts: &Accounts,
    sales: &Sales,
    cases: &[Id],
    place: u64,
) {
    let mut dice = Dice::new("task", place);
    let (what, who) = related(&mut dice, accounts, sales, cases, place);
    let status = match place % 8 {
        0..4 => COMPLETED_STATUS,
        4 | 5 => "Not Started",
        6 => "In Progress",
        _ => "Waiting on someone else",
    };
    let done = status == COMPLETED_STATUS;
    // Done ones lie behind; of the others some are overdue and some have no day.
    let due = if done {
        -(dice.between(1, 200) as i64)
    } else {
        dice.between(0, 40) as i64 - 10
    };
    let made_days_ago = (15 - due).max(1).unsigned_abs();
    let mut row = vec![
        (
            "Subject",
            (*dice.pick(&[
                "Call",
                "Send Letter",
                "Send Quote",
                "Check installation",
                "Follow up",
            ]))
            .into(),
        ),
        ("Status", status.into()),
        (
            "Priority",
            (*dice.pick(&["High", "Normal", "Normal", "Normal", "Low"])).into(),
        ),
        ("WhatId", what.into()),
        ("WhoId", who.into()),
        (
            "ActivityDate",
            (place % 16 != 13).then(|| seed.day(due)).into(),
        ),
        ("OwnerId", (*dice.pick(&people.sales)).into()),
    ];
    if done {
        row.push((
            "CompletedDateTime",
            seed.ago(due.unsigned_abs(), 700).into(),
        ));
    }
    if place.is_multiple_of(6) {
        row.push(("CallType", "Outbound".into()));
        row.push((
            "CallDurationInSeconds",
            Value::Int(dice.between(30, 2_400) as i64),
        ));
        row.push(("TaskSubtype", "Call".into()));
    }
    let made = seed.ago(made_days_ago, dice.between(400, 900));
    seed.add("Task", made, row);
}

fn event(seed: &mut Seed, people: &People, accounts: &Accounts, sales: &Sales, place: u64) {
    let mut dice = Dice::new("event", place);
    let (what, who) = related(&mut dice, accounts, sales, &[], place);
    let days = dice.between(0, 90) as i64 - 60;
    let start = seed.after(
        seed.org.now(),
        days * 86_400 - 4 * 3_600 + dice.between(0, 16) as i64 * 1_800,
    );
    let row = vec![
        (
            "Subject",
            (*dice.pick(&["Call", "Meeting", "Site visit", "Demo"])).into(),
        ),
        (
            "Location",
            dice.chance(60)
                .then(|| *dice.pick(&["Online", "Customer's plant", "Our office"]))
                .into(),
        ),
        ("StartDateTime", start.into()),
        (
            "DurationInMinutes",
            Value::Int(*dice.pick(&[30, 60, 60, 90])),
        ),
        ("WhatId", what.into()),
        ("WhoId", who.into()),
        ("ShowAs", "Busy".into()),
        ("OwnerId", (*dice.pick(&people.sales)).into()),
    ];
    let made = seed.ago((20 - days).max(1).unsigned_abs(), dice.between(400, 900));
    seed.add("Event", made, row);
}

/// Gives accounts, contacts, leads and opportunities their last activity, and opportunities word of
/// open ones.
fn shown_by_others(seed: &mut Seed) {
    let today = seed.day(0);
    let mut last: BTreeMap<Id, Date> = BTreeMap::new();
    let mut open: BTreeMap<Id, bool> = BTreeMap::new();
    for activity in seed
        .org
        .store
        .rows("Task")
        .chain(seed.org.store.rows("Event"))
    {
        let Value::Date(day) = *activity.get("ActivityDate") else {
            continue;
        };
        let is_task = &*activity.object == "Task";
        let done = match activity.get("IsClosed").as_bool() {
            Some(closed) => closed,
            None => day < today,
        };
        for id in ["AccountId", "WhatId", "WhoId"]
            .into_iter()
            .filter_map(|field| activity.reference(field))
        {
            if done {
                let latest = last.entry(id).or_insert(day);
                *latest = day.max(*latest);
            } else {
                *open.entry(id).or_default() |= is_task && day < today;
            }
        }
    }
    for (id, day) in last {
        if seed
            .org
            .find(id)
            .is_some_and(|(object, _)| object.field("LastActivityDate").is_some())
        {
            seed.set(id, vec![("LastActivityDate", day.into())]);
        }
    }
    for (id, overdue) in open {
        if id.prefix() == "006" {
            seed.set(
                id,
                vec![
                    ("HasOpenActivity", true.into()),
                    ("HasOverdueTask", overdue.into()),
                ],
            );
        }
    }
}
