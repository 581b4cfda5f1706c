//! A hundred cases.

use super::accounts::Accounts;
use super::people::People;
use super::words::TROUBLES;
use super::{Dice, Seed};
use crate::id::Id;
use crate::objects::{CLOSED_STATUS, REASONS};

const CASES: u64 = 100;

pub(super) fn add(seed: &mut Seed, people: &People, accounts: &Accounts) -> Vec<Id> {
    let mut cases: Vec<Id> = Vec::new();
    for place in 0..CASES {
        let mut dice = Dice::new("case", place);
        let status = match place % 10 {
            0..2 => "New",
            2..5 => "Working",
            5 => "Escalated",
            _ => CLOSED_STATUS,
        };
        let closed = status == CLOSED_STATUS;
        let days = if closed {
            dice.between(10, 400)
        } else {
            dice.below(45)
        };
        let minute = dice.between(60, 700);
        let made = seed.ago(days, minute);
        let contact = dice.pick(&accounts.contacts).id;
        let owner = match status {
            "New" => people.case_queue,
            _ => *dice.pick(&people.service),
        };
        // A few belong to the same trouble as an earlier one.
        let parent = (place % 12 == 11)
            .then(|| cases.get(place as usize - 5).copied())
            .flatten();
        let trouble = *dice.pick(&TROUBLES);
        let solved = seed.after(made, dice.between(2, 220) as i64 * 3_600);
        let mut row = vec![
            ("Subject", trouble.into()),
            (
                "Description",
                format!("{trouble}. Seen {} times this week.", dice.between(1, 9)).into(),
            ),
            ("Status", status.into()),
            (
                "Priority",
                (*dice.pick(&["High", "Medium", "Medium", "Low"])).into(),
            ),
            ("Origin", (*dice.pick(&["Phone", "Email", "Web"])).into()),
            (
                "Reason",
                (!dice.chance(15)).then(|| *dice.pick(&REASONS)).into(),
            ),
            (
                "Type",
                (!dice.chance(20))
                    .then(|| *dice.pick(&["Mechanical", "Electrical", "Electronic", "Other"]))
                    .into(),
            ),
            ("ContactId", (place % 20 != 19).then_some(contact).into()),
            ("ParentId", parent.into()),
            ("IsEscalated", (status == "Escalated").into()),
            ("OwnerId", owner.into()),
        ];
        if closed {
            row.push(("ClosedDate", solved.min(seed.org.now()).into()));
        }
        if place % 20 == 19 {
            row.push(("SuppliedName", "Somebody without a login".into()));
            row.push(("SuppliedEmail", format!("guest{place}@mail.example").into()));
        }
        cases.push(seed.add("Case", made, row));
    }
    comments(seed, &cases);
    cases
}

/// What people said about three cases, to each other and to the customer.
fn comments(seed: &mut Seed, cases: &[Id]) {
    for (place, case) in cases.iter().skip(40).take(3).enumerate() {
        for (public, words) in [
            (false, "The sensor was replaced last spring."),
            (true, "We have sent you a new one."),
        ] {
            let row = vec![
                ("ParentId", (*case).into()),
                ("CommentBody", words.into()),
                ("IsPublished", public.into()),
            ];
            seed.add("CaseComment", seed.ago(3, place as u64), row);
        }
    }
}
