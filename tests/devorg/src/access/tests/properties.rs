//! For any query: a user gets the rows that they may read, all of them, and no other.

use std::sync::{Arc, LazyLock};

use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::Value as Json;

use super::{ORG, ask, user};
use crate::id::Id;
use crate::org::Session;
use crate::schema::{Field, FieldType};

/// Each user's session, beside one of the same user that sees everything.
static SESSIONS: LazyLock<Vec<(Session, Session)>> = LazyLock::new(|| {
    let places = 1..=14;
    let sessions = places.map(|place| {
        let mut session = Session::of(&ORG, user(place));
        session.time_zone = TimeZone::UTC;
        let all_seeing = Session::of_org(&ORG, user(place), TimeZone::UTC);
        (all_seeing, session)
    });
    sessions.collect()
});

/// A query of records of any object, with what conditions and orders its fields take.
fn any_query() -> impl Strategy<Value = (String, usize)> {
    let picks = any::<[prop::sample::Index; 6]>();
    let texts = ("[a-m]", 0..9_u8, any::<bool>(), 1..40_usize);
    (picks, texts).prop_map(|(picks, (text, number, not, limit))| {
        let [object, first, second, third, parent, order] = picks;
        let schema = &ORG.schema;
        let object = object.get(&schema.objects);
        // What else is there is copied from records, and hidden with their fields.
        let own = |field: &&Field| {
            &*object.name != "RecentlyViewed" || ["Id", "Type"].contains(&&*field.name)
        };
        let fields: Vec<&Field> = object.fields.iter().filter(own).collect();
        let field = |pick: prop::sample::Index| *pick.get(&fields);
        let test = |pick| {
            let field = field(pick);
            let name = &field.name;
            match field.field_type {
                _ if !field.filterable => "Id != null".to_owned(),
                kind if kind.is_compound() => "Id != null".to_owned(),
                FieldType::Time => format!("{name} < 0{}:00:00Z", number % 10),
                FieldType::Boolean => format!("{name} = true"),
                FieldType::Multipicklist => format!("{name} != null"),
                FieldType::Date | FieldType::Datetime => format!("{name} < LAST_N_DAYS:{number}0"),
                kind if kind.is_number() => format!("{name} > {number}00"),
                FieldType::Id | FieldType::Reference => format!("{name} != null"),
                _ => format!("{name} LIKE '%{text}%'"),
            }
        };
        let references: Vec<_> = object
            .fields
            .iter()
            .filter(|field| {
                field
                    .reference_to
                    .iter()
                    .any(|to| schema.object(to).is_some())
            })
            .filter_map(|field| field.relationship_name.as_deref())
            .collect();
        let mut select = format!("Id, {}", field(first).name);
        if &*field(first).name == "Id" {
            select = "Id".into();
        }
        if !references.is_empty() {
            select = format!("{select}, {}.Id", parent.get(&references));
        }
        let key = field(order);
        let order = if key.sortable { &*key.name } else { "Id" };
        let not = if not { "NOT " } else { "" };
        let name = &object.name;
        let (one, two) = (test(second), test(third));
        let soql =
            format!("SELECT {select} FROM {name} WHERE ({not}{one}) OR {two} ORDER BY {order}");
        (soql, limit)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever a user asks, a row is one that they may read, and one of the administrator's, and
    /// none that they may read is left out.
    #[test]
    fn rows_are_those_that_the_user_may_read((whole, limit) in any_query(), place in 0..14_usize) {
        let org = &*ORG;
        let (all_seeing, user) = &SESSIONS[place];
        let soql = format!("{whole} LIMIT {limit}");
        let Ok(all) = ask(org, all_seeing, &whole) else {
            prop_assert!(ask(org, user, &soql).is_err(), "{soql}");
            return Ok(());
        };
        let answer = match ask(org, user, &whole) {
            Ok(answer) => answer,
            Err(error) => {
                // Something that it names is hidden.
                prop_assert!(["INVALID_TYPE", "INVALID_FIELD"].contains(&&*error.code), "{soql}");
                prop_assert!(!Arc::ptr_eq(user.schema(), &org.schema), "{soql}");
                return Ok(());
            }
        };
        let record = |row: &Json| org.find(Id::parse(row["Id"].as_str().unwrap()).unwrap()).unwrap().1;
        let found: Vec<Id> = answer.records.iter().map(|row| record(row).id).collect();
        let readable: Vec<Id> = all
            .records
            .iter()
            .map(record)
            .filter(|record| user.may_read(org, record))
            .map(|record| record.id)
            .collect();
        prop_assert_eq!(&found, &readable, "{}", soql);
        for row in &answer.records {
            for parent in row.as_object().unwrap().values().filter(|value| value.is_object()) {
                if let Some(id) = parent["Id"].as_str().and_then(Id::parse) {
                    prop_assert!(user.may_read(org, org.find(id).unwrap().1), "{soql}");
                }
            }
        }
        let cut: Vec<Id> = ask(org, user, &soql).unwrap().records.iter().map(|row| record(row).id).collect();
        prop_assert!(found.starts_with(&cut) && cut.len() == found.len().min(limit), "{}", soql);
        let count = soql.find(" FROM ").map(|at| format!("SELECT COUNT(){}", &whole[at..]));
        let count = count.unwrap();
        let count = count.split(" ORDER BY").next().unwrap();
        prop_assert_eq!(ask(org, user, count).unwrap().total_size, found.len());
    }
}
