//! A dozen inspections, some of them still to come.

use jiff::civil::time;

use super::accounts::Accounts;
use super::people::People;
use super::{Dice, Seed};
use crate::value::Value;

/// The inspections.
pub(crate) const INSPECTIONS: u64 = 12;

/// Areas of a site, and what was found there.
const AREAS: [(&str, &str); 3] = [
    (
        "Electrical;Fire",
        "Two detectors in the hall are past their date.",
    ),
    ("Roof", "The gutter above the loading bay leaks."),
    ("Water;Electrical", "All as in the plan."),
];

pub(super) fn add(seed: &mut Seed, people: &People, accounts: &Accounts) {
    for place in 0..INSPECTIONS {
        let mut dice = Dice::new("inspection", place);
        // The last three are still to come.
        let days = (place as i64 - (INSPECTIONS as i64 - 4)) * 7;
        let is_done = days <= 0;
        let (areas, findings) = AREAS[(place % 3) as usize];
        let started = seed.ago(days.min(0).unsigned_abs(), 510);
        let degrees = |whole: u64, millionths: u64| (whole * 1_000_000 + millionths) as f64 / 1e6;
        let row = vec![
            ("Account__c", accounts.accounts[(place * 3) as usize].into()),
            (
                "Summary__c",
                format!("Yearly inspection {}", place + 1).into(),
            ),
            ("Areas__c", areas.into()),
            ("Planned_For__c", seed.day(days).into()),
            (
                "Gate_Opens__c",
                time(6 + (place % 3) as i8, 30, 0, 0).into(),
            ),
            (
                "Hours__c",
                is_done.then(|| (4 + dice.below(20)) as f64 / 4.0).into(),
            ),
            ("Hourly_Rate__c", Value::Number(95.0)),
            (
                "Progress__c",
                Value::Number(if is_done { 100.0 } else { 0.0 }),
            ),
            ("Started_At__c", is_done.then_some(started).into()),
            ("Findings__c", is_done.then_some(findings).into()),
            (
                "Report__c",
                is_done
                    .then(|| format!("<p><b>Findings</b></p><p>{findings}</p>"))
                    .into(),
            ),
            (
                "Result__c",
                is_done
                    .then_some(["C", "F", "P"][(place % 3) as usize])
                    .into(),
            ),
            ("Follow_Up__c", (is_done && place % 3 == 1).into()),
            (
                "Contact_Email__c",
                format!("gate{}@site.example", place + 1).into(),
            ),
            (
                "Contact_Phone__c",
                format!("+49 30 555 01{place:02}").into(),
            ),
            (
                "Plan__c",
                format!("https://plans.example/{}", place + 1).into(),
            ),
            (
                "Door_Code__c",
                format!("{:04}-{:04}", dice.below(10_000), dice.below(10_000)).into(),
            ),
            (
                "Place__Latitude__s",
                degrees(52, dice.below(999_999)).into(),
            ),
            (
                "Place__Longitude__s",
                degrees(13, dice.below(999_999)).into(),
            ),
            ("OwnerId", people.service[(place % 2) as usize].into()),
        ];
        let made = seed.ago(days.min(0).unsigned_abs() + 3, 480);
        seed.add("Inspection__c", made, row);
    }
}
