//! Five thousand readings of twenty-five sensors: enough for pages.

use super::accounts::Accounts;
use super::people::People;
use super::{Dice, Seed};
use crate::value::Value;

/// The readings.
pub(crate) const MEASUREMENTS: u64 = 5_000;
const SENSORS: u64 = 25;
/// Between one reading of a sensor and its next.
const MINUTES_APART: u64 = 180;

/// Kind, unit, expected value and spread, both in thousandths.
const KINDS: [(&str, &str, u64, u64); 4] = [
    ("Temperature", "degC", 21_500, 6_000),
    ("Pressure", "bar", 4_200, 900),
    ("Vibration", "mm/s", 2_800, 2_400),
    ("Power", "kW", 75_000, 30_000),
];

pub(super) fn add(seed: &mut Seed, people: &People, accounts: &Accounts) {
    for place in 0..MEASUREMENTS {
        let mut dice = Dice::new("measurement", place);
        let sensor = place % SENSORS;
        let (kind, unit, expected, spread) = KINDS[(sensor % 4) as usize];
        let rounds_ago = (MEASUREMENTS - 1 - place) / SENSORS;
        let taken = seed.after(
            seed.org.now(),
            -((rounds_ago * MINUTES_APART * 60 + (SENSORS - sensor) * 60) as i64),
        );
        let outlier = dice.chance(2);
        let reach = if outlier { spread * 4 } else { spread };
        let value = (expected + dice.below(reach)) as f64 / 1_000.0;
        // Readings lie around what is expected, so that deviations have both signs.
        let expected = (expected + spread / 2) as f64 / 1_000.0;
        let flags = ["Calibrated", "Estimated", "Manual", "Replayed"]
            .into_iter()
            .filter(|_| dice.chance(22))
            .collect::<Vec<_>>()
            .join(";");
        let row = vec![
            // The last sensor is on the shelf.
            (
                "Account__c",
                (sensor + 1 != SENSORS)
                    .then(|| accounts.accounts[(sensor * 2) as usize])
                    .into(),
            ),
            ("Sensor__c", format!("S-{:03}", sensor + 1).into()),
            ("Taken_At__c", taken.into()),
            ("Kind__c", kind.into()),
            ("Unit__c", unit.into()),
            ("Value__c", (!dice.chance(1)).then_some(value).into()),
            ("Expected__c", expected.into()),
            ("Outlier__c", outlier.into()),
            ("Flags__c", flags.into()),
            (
                "Battery__c",
                Value::Number((100 - (place / 60) % 90) as f64),
            ),
            (
                "External_Key__c",
                format!("S-{:03}/{:04}", sensor + 1, place / SENSORS).into(),
            ),
            (
                "Note__c",
                (place % 500 == 250)
                    .then_some("Read by hand: the gateway was off.")
                    .into(),
            ),
            ("OwnerId", people.service[(place % 2) as usize].into()),
        ];
        let made = seed.after(taken, 30);
        seed.add("Measurement__c", made, row);
    }
}
