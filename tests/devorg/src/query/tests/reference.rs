//! The evaluator against a plain, slow one, on random records and queries.
//!
//! The other one works on its own rows and conditions and shares nothing with the evaluator but the text
//! of the query. What it says of missing values, of texts and of days is written out here once more.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

/// Tokyo has no summer time: nine hours ahead all year.
const ZONE: &str = "Asia/Tokyo";
const ZONE_HOURS: i64 = 9;
/// The hour of [`NOW`] in UTC.
const NOW_HOUR: i64 = 12;

const NAMES: &[&str] = &["acme", "Acme", "ACME Ltd", "beta", "bE%ta", "é", "Éa_", "z"];
const INDUSTRIES: &[&str] = &["Banking", "Energy", "Media"];
const PATTERNS: &[&str] = &[
    "%", "a%", "%E", "_", "%\\%%", "%a\\_", "acme", "b_ta", "b_\\%ta", "%m%",
];
const OPS: &[&str] = &["=", "!=", "<", "<=", ">", ">="];

/// An account.
#[derive(Debug, Clone)]
struct Row {
    name: Option<&'static str>,
    industry: Option<&'static str>,
    employees: Option<i64>,
    revenue: Option<f64>,
    partner: bool,
    /// When it was made, in hours from now.
    made: Option<i64>,
    /// The place of the parent account.
    parent: Option<usize>,
    deleted: bool,
    /// What its contacts are called.
    contacts: Vec<&'static str>,
}

/// A condition.
#[derive(Debug, Clone)]
enum Test {
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    /// A text: its field, the operator, the literal or null.
    Text(&'static str, &'static str, Option<&'static str>),
    TextIn(&'static str, bool, Vec<Option<&'static str>>),
    Like(&'static str, &'static str),
    /// A number, likewise.
    Number(&'static str, &'static str, Option<i64>),
    NumberIn(&'static str, bool, Vec<i64>),
    Partner(&'static str, bool),
    /// The day it was made, against so many days up to today.
    Made(&'static str, i64),
    /// The hour it was made, where the user is.
    MadeHour(&'static str, i64),
}

impl Test {
    fn soql(&self) -> String {
        let join = |all: &[Test], word: &str| {
            let all: Vec<String> = all.iter().map(Test::soql).collect();
            format!("({})", all.join(word))
        };
        let literal = |text: &Option<&str>| text.map_or("null".into(), |text| format!("'{text}'"));
        let not = |negated: &bool| if *negated { "NOT " } else { "" };
        match self {
            Self::And(all) => join(all, " AND "),
            Self::Or(any) => join(any, " OR "),
            Self::Not(test) => format!("(NOT {})", test.soql()),
            Self::Text(field, op, text) => format!("{field} {op} {}", literal(text)),
            Self::TextIn(field, negated, texts) => {
                let texts: Vec<String> = texts.iter().map(literal).collect();
                format!("{field} {}IN ({})", not(negated), texts.join(", "))
            }
            Self::Like(field, pattern) => format!("{field} LIKE '{pattern}'"),
            Self::Number(field, op, number) => {
                let number = number.map_or("null".into(), |number| number.to_string());
                format!("{field} {op} {number}")
            }
            Self::NumberIn(field, negated, numbers) => {
                let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
                format!("{field} {}IN ({})", not(negated), numbers.join(", "))
            }
            Self::Partner(op, value) => format!("IsPartner {op} {value}"),
            Self::Made(op, days) => format!("CreatedDate {op} LAST_N_DAYS:{days}"),
            Self::MadeHour(op, hour) => {
                format!("HOUR_IN_DAY(convertTimezone(CreatedDate)) {op} {hour}")
            }
        }
    }

    fn holds(&self, row: &Row, all: &[Row], deleted_too: bool) -> bool {
        let parent = || {
            let parent = &all[row.parent?];
            (deleted_too || !parent.deleted).then_some(parent)
        };
        let text = |field: &str| match field {
            "Name" => row.name,
            "Industry" => row.industry,
            _ => parent().and_then(|parent| parent.name),
        };
        let number = |field: &str| match field {
            "NumberOfEmployees" => row.employees.map(|number| number as f64),
            "AnnualRevenue" => row.revenue,
            _ => parent()
                .and_then(|parent| parent.employees)
                .map(|number| number as f64),
        };
        let lower = |text: Option<&str>| text.map(str::to_lowercase);
        let inside = |tests: &[Test]| -> Vec<bool> {
            tests
                .iter()
                .map(|test| test.holds(row, all, deleted_too))
                .collect()
        };
        match self {
            Self::And(tests) => !inside(tests).contains(&false),
            Self::Or(tests) => inside(tests).contains(&true),
            Self::Not(test) => !test.holds(row, all, deleted_too),
            Self::Text(field, op, literal) => compares(lower(text(field)), op, lower(*literal)),
            Self::TextIn(field, negated, literals) => {
                let value = lower(text(field));
                literals.iter().any(|literal| lower(*literal) == value) != *negated
            }
            Self::Like(field, pattern) => lower(text(field)).is_some_and(|text| {
                let text: Vec<char> = text.chars().collect();
                like(&text, &pattern.to_lowercase().chars().collect::<Vec<_>>())
            }),
            Self::Number(field, op, literal) => {
                compares(number(field), op, literal.map(|number| number as f64))
            }
            Self::NumberIn(field, negated, literals) => {
                let among = |value: f64| literals.iter().any(|literal| *literal as f64 == value);
                number(field).is_some_and(among) != *negated
            }
            Self::Partner(op, value) => (row.partner == *value) == (*op == "="),
            Self::Made(op, days) => {
                let day = row
                    .made
                    .map(|hours| (NOW_HOUR + ZONE_HOURS + hours).div_euclid(24));
                // Today is 0; days within the range are as one.
                let place = day.map(|day| if day < -days { -1 } else { i64::from(day > 0) });
                compares(place, op, Some(0))
            }
            Self::MadeHour(op, hour) => {
                let is = row
                    .made
                    .map(|hours| (NOW_HOUR + ZONE_HOURS + hours).rem_euclid(24));
                compares(is, op, Some(*hour))
            }
        }
    }
}

/// Compares as SOQL does: what is missing equals only what is missing, and is neither less nor more.
pub(super) fn compares<T: PartialOrd>(value: Option<T>, op: &str, literal: Option<T>) -> bool {
    let (Some(value), Some(literal)) = (&value, &literal) else {
        let both = value.is_none() && literal.is_none();
        return match op {
            "=" => both,
            "!=" => !both,
            _ => false,
        };
    };
    match op {
        "=" => value == literal,
        "!=" => value != literal,
        "<" => value < literal,
        "<=" => value <= literal,
        ">" => value > literal,
        _ => value >= literal,
    }
}

/// Matches by trying everything.
pub(super) fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['%', rest @ ..] => (0..=text.len()).any(|from| like(&text[from..], rest)),
        ['_', rest @ ..] => !text.is_empty() && like(&text[1..], rest),
        ['\\', c, rest @ ..] | [c, rest @ ..] => text.first() == Some(c) && like(&text[1..], rest),
    }
}

fn org_of(accounts: &[Row]) -> Org {
    let id = Id::numbered("00D", 1);
    let mut org = Maker(Org::new(crate::objects::schema(), id, NOW.parse().unwrap()));
    let now: jiff::Timestamp = NOW.parse().unwrap();
    let mut contacts = 0;
    for (at, row) in accounts.iter().enumerate() {
        let made = row
            .made
            .map(|hours| now + jiff::SignedDuration::from_hours(hours));
        let parent = row.parent.map(id_of);
        let values = [
            ("Name", row.name.into()),
            ("Industry", row.industry.into()),
            ("NumberOfEmployees", row.employees.into()),
            ("AnnualRevenue", row.revenue.into()),
            ("IsPartner", row.partner.into()),
            ("CreatedDate", made.into()),
            ("ParentId", parent.into()),
        ];
        let id = org.add("Account", at as u64, &values);
        for name in &row.contacts {
            contacts += 1;
            let values = [("LastName", (*name).into()), ("AccountId", id.into())];
            org.add("Contact", contacts, &values);
        }
    }
    for (at, _) in accounts.iter().enumerate().filter(|(_, row)| row.deleted) {
        org.delete(id_of(at));
    }
    org.0
}

fn id_of(at: usize) -> Id {
    Id::numbered("001", at as u64)
}

fn asked(org: &Org, soql: &str, deleted_too: bool) -> Answer {
    let options = Options {
        include_deleted: deleted_too,
        ..options()
    };
    run(org, &session(org, ZONE), soql, options).unwrap_or_else(|error| panic!("{soql}\n{error}"))
}

fn text_test() -> impl Strategy<Value = Test> {
    let field = || prop::sample::select(&["Name", "Industry", "Parent.Name"][..]);
    let literal =
        || prop::option::weighted(0.85, prop::sample::select([NAMES, INDUSTRIES].concat()));
    let op = || prop::sample::select(OPS);
    prop_oneof![
        (field(), op(), literal()).prop_map(|(field, op, text)| Test::Text(field, op, text)),
        (
            field(),
            any::<bool>(),
            prop::collection::vec(literal(), 1..4)
        )
            .prop_map(|(field, negated, texts)| Test::TextIn(field, negated, texts)),
        (field(), prop::sample::select(PATTERNS)).prop_map(|(field, like)| Test::Like(field, like)),
    ]
}

fn test() -> impl Strategy<Value = Test> {
    let field = || {
        let fields = &[
            "NumberOfEmployees",
            "AnnualRevenue",
            "Parent.NumberOfEmployees",
        ];
        prop::sample::select(&fields[..])
    };
    let op = || prop::sample::select(OPS);
    let number = || prop::option::weighted(0.85, 0i64..4);
    let leaf = prop_oneof![
        3 => text_test(),
        2 => (field(), op(), number()).prop_map(|(field, op, number)| Test::Number(field, op, number)),
        1 => (field(), any::<bool>(), prop::collection::vec(0i64..4, 1..3))
            .prop_map(|(field, negated, numbers)| Test::NumberIn(field, negated, numbers)),
        1 => (prop::sample::select(&OPS[..2]), any::<bool>()).prop_map(|(op, value)| Test::Partner(op, value)),
        1 => (op(), 0i64..4).prop_map(|(op, days)| Test::Made(op, days)),
        1 => (op(), 0i64..24).prop_map(|(op, hour)| Test::MadeHour(op, hour)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Test::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Test::Or),
            inner.prop_map(|inner| Test::Not(Box::new(inner))),
        ]
    })
}

fn accounts() -> impl Strategy<Value = Vec<Row>> {
    let name = prop::option::weighted(0.9, prop::sample::select(NAMES));
    let industry = prop::option::of(prop::sample::select(INDUSTRIES));
    let numbers = (
        prop::option::of(0i64..4),
        prop::option::of((0i32..8).prop_map(|n| f64::from(n) / 2.0)),
    );
    let contacts = prop::collection::vec(prop::sample::select(&["Young", "Zed"][..]), 0..3);
    let row = (
        name,
        industry,
        numbers,
        any::<bool>(),
        prop::option::of(-100i64..100),
        prop::option::of(0usize..12),
        prop::bool::weighted(0.2),
        contacts,
    );
    let row = row.prop_map(
        |(name, industry, (employees, revenue), partner, made, parent, deleted, contacts)| Row {
            name,
            industry,
            employees,
            revenue,
            partner,
            made,
            parent,
            deleted,
            contacts,
        },
    );
    prop::collection::vec(row, 0..12).prop_map(|mut rows| {
        let count = rows.len();
        for row in &mut rows {
            row.parent = row.parent.filter(|parent| *parent < count);
        }
        rows
    })
}

/// A key of the order: the field, whether it descends, whether what is missing comes last.
type Key = (&'static str, bool, bool);

fn in_order(a: &Row, b: &Row, keys: &[Key]) -> Ordering {
    for (field, descending, nulls_last) in keys {
        // Texts and numbers are never compared with one another.
        let key = |row: &Row| match *field {
            "Name" => row.name.map(|name| (name.to_lowercase(), 0.0)),
            "NumberOfEmployees" => row.employees.map(|number| (String::new(), number as f64)),
            _ => row.revenue.map(|number| (String::new(), number)),
        };
        let order = match (key(a), key(b)) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) if *nulls_last => Ordering::Greater,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) if *nulls_last => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) if *descending => b.partial_cmp(&a).unwrap(),
            (Some(a), Some(b)) => a.partial_cmp(&b).unwrap(),
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn keys() -> impl Strategy<Value = Vec<Key>> {
    let field = prop::sample::select(&["Name", "NumberOfEmployees", "AnnualRevenue"][..]);
    prop::collection::vec((field, any::<bool>(), any::<bool>()), 0..3)
}

/// Tells of the accounts of a group: how many, and what their numbers come to.
fn totals(rows: &[&Row]) -> String {
    let employees: Vec<i64> = rows.iter().filter_map(|row| row.employees).collect();
    let revenues: Vec<f64> = rows.iter().filter_map(|row| row.revenue).collect();
    let names: BTreeSet<String> = rows
        .iter()
        .filter_map(|row| row.name)
        .map(str::to_lowercase)
        .collect();
    let named = rows.iter().filter(|row| row.name.is_some()).count();
    let sum: i64 = employees.iter().sum();
    let some = |is: bool, value: String| if is { value } else { "null".into() };
    let average = sum as f64 / employees.len() as f64;
    let revenue = |of: fn(f64, f64) -> f64| {
        revenues
            .iter()
            .copied()
            .reduce(of)
            .map(Json::from)
            .unwrap_or_default()
    };
    [
        rows.len().to_string(),
        named.to_string(),
        names.len().to_string(),
        some(!employees.is_empty(), sum.to_string()),
        some(!employees.is_empty(), Json::from(average).to_string()),
        revenue(f64::min).to_string(),
        revenue(f64::max).to_string(),
    ]
    .join(" ")
}

const TOTALS: &str = "COUNT(Id) a, COUNT(Name) b, COUNT_DISTINCT(Name) c, SUM(NumberOfEmployees) d, \
     AVG(NumberOfEmployees) e, MIN(AnnualRevenue) f, MAX(AnnualRevenue) g";

fn totals_of(row: &Json) -> String {
    let values: Vec<String> = ["a", "b", "c", "d", "e", "f", "g"]
        .map(|name| row[name].to_string())
        .into();
    values.join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn records_are_those_of_the_plain_evaluator(
        all in accounts(),
        test in test(),
        keys in keys(),
        offset in 0usize..4,
        limit in prop::option::of(0usize..8),
        deleted_too in any::<bool>(),
        join in prop::option::of((any::<bool>(), prop::sample::select(&["young", "ZED"][..]))),
    ) {
        let org = org_of(&all);
        let mut soql = format!("SELECT Id, (SELECT LastName FROM Contacts ORDER BY LastName) FROM Account WHERE {}", test.soql());
        if let Some((negated, name)) = &join {
            let not = if *negated { "NOT " } else { "" };
            soql += &format!(" AND Id {not}IN (SELECT AccountId FROM Contact WHERE LastName = '{name}')");
        }
        let order: Vec<String> = keys
            .iter()
            .map(|(field, descending, nulls_last)| {
                let direction = if *descending { "DESC" } else { "ASC" };
                let nulls = if *nulls_last { "LAST" } else { "FIRST" };
                format!("{field} {direction} NULLS {nulls}")
            })
            .collect();
        if !order.is_empty() {
            soql += &format!(" ORDER BY {}", order.join(", "));
        }
        if let Some(limit) = limit {
            soql += &format!(" LIMIT {limit}");
        }
        soql += &format!(" OFFSET {offset}");

        let mut expected: Vec<usize> = (0..all.len())
            .filter(|at| deleted_too || !all[*at].deleted)
            .filter(|at| test.holds(&all[*at], &all, deleted_too))
            .filter(|at| {
                let has = |name: &str| all[*at].contacts.iter().any(|contact| contact.eq_ignore_ascii_case(name));
                join.as_ref().is_none_or(|(negated, name)| has(name) != *negated)
            })
            .collect();
        expected.sort_by(|a, b| in_order(&all[*a], &all[*b], &keys));
        let expected: Vec<usize> = expected.into_iter().skip(offset).take(limit.unwrap_or(usize::MAX)).collect();

        let answer = asked(&org, &soql, deleted_too);
        let found: Vec<&str> = answer.records.iter().filter_map(|row| row["Id"].as_str()).collect();
        let ids: Vec<String> = expected.iter().map(|at| id_of(*at).to_string()).collect();
        prop_assert_eq!(&found, &ids, "{}", soql);
        for (row, at) in answer.records.iter().zip(&expected) {
            let mut names = all[*at].contacts.clone();
            names.sort_unstable();
            let records = row["Contacts"]["records"].as_array();
            let found: Vec<&str> = records.into_iter().flatten().filter_map(|row| row["LastName"].as_str()).collect();
            prop_assert_eq!(found, names);
        }
    }

    #[test]
    fn groups_are_those_of_the_plain_evaluator(
        all in accounts(),
        test in test(),
        least in 0usize..3,
        kind in prop::sample::select(&["", "ROLLUP", "CUBE"][..]),
    ) {
        let org = org_of(&all);
        let condition = test.soql();
        let rows: Vec<&Row> = all.iter().filter(|row| !row.deleted && test.holds(row, &all, false)).collect();
        let answer = asked(&org, &format!("SELECT {TOTALS} FROM Account WHERE {condition}"), false);
        prop_assert_eq!(totals_of(&answer.records[0]), totals(&rows));

        // The keys of each level of totals: both, the first, the second, none.
        let levels: &[(bool, bool)] = match kind {
            "" => &[(true, true)],
            "ROLLUP" => &[(true, true), (true, false), (false, false)],
            _ => &[(true, true), (true, false), (false, true), (false, false)],
        };
        let mut groups: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
        for row in &rows {
            for (first, second) in levels {
                let industry = row.industry.filter(|_| *first).map_or(Json::Null, Json::from);
                let partner = if *second { Json::from(row.partner) } else { Json::Null };
                let key = format!("{industry} {partner} {} {}", u8::from(!first), u8::from(!second));
                groups.entry(key).or_default().push(row);
            }
        }
        let expected: BTreeSet<String> = groups
            .iter()
            .filter(|(_, rows)| rows.len() > least)
            .map(|(key, rows)| format!("{key} {}", totals(rows)))
            .collect();
        let (select, by) = match kind {
            "" => ("", "Industry, IsPartner".to_owned()),
            _ => (", GROUPING(Industry) x, GROUPING(IsPartner) y", format!("{kind}(Industry, IsPartner)")),
        };
        let soql = format!("SELECT Industry, IsPartner{select}, {TOTALS} FROM Account WHERE {condition} GROUP BY {by} HAVING COUNT(Id) > {least}");
        let answer = asked(&org, &soql, false);
        let flag = |row: &Json, name: &str| row.get(name).map_or("0".to_owned(), Json::to_string);
        let found: BTreeSet<String> = answer
            .records
            .iter()
            .map(|row| format!("{} {} {} {} {}", row["Industry"], row["IsPartner"], flag(row, "x"), flag(row, "y"), totals_of(row)))
            .collect();
        prop_assert_eq!(answer.records.len(), found.len());
        prop_assert_eq!(found, expected, "{}", soql);
    }
}
