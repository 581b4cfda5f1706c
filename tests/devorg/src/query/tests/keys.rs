//! What indexes find, against a plain evaluator that has none: keys, names, ids in every form,
//! lookups and what lies behind them, alone and combined.

use proptest::prelude::*;

use super::reference::{compares, like};
use super::*;

const KEYS: &[&str] = &["k-1", "K-1", "K-10", "k_1", "É1", "é10", "zz"];
const PATTERNS: &[&str] = &[
    "k%", "K-1%", "k\\_%", "é1_", "é1", "%1", "_-1", "ZZ%", "k-%0",
];
const OPS: &[&str] = &["=", "=", "=", "!=", "<", "<=", ">", ">="];
/// The accounts: who owns them, and whether they are deleted.
const ACCOUNTS: [(&str, usize, bool); 4] = [
    ("k-1", 0, false),
    ("K-10", 1, false),
    ("é1", 0, false),
    ("K-1", 1, true),
];
const TEXTS: &[&str] = &["Name", "External_Key__c", "Account__r.Name"];
const IDS: &[&str] = &[
    "Id",
    "Account__c",
    "OwnerId",
    "Account__r.Id",
    "Account__r.OwnerId",
];

/// A reading.
#[derive(Debug, Clone)]
struct Row {
    name: Option<&'static str>,
    key: Option<&'static str>,
    account: Option<usize>,
    owner: usize,
    /// When it was made, in days from now.
    made: Option<i64>,
    deleted: bool,
}

/// An id in a query: of which record, and in which form.
#[derive(Debug, Clone)]
struct Literal {
    prefix: &'static str,
    number: u64,
    form: u8,
}

impl Literal {
    fn id(&self) -> Id {
        Id::numbered(self.prefix, self.number)
    }

    fn soql(&self) -> String {
        match self.form {
            0 => format!("'{}'", self.id()),
            1 => format!("'{}'", self.id().short()),
            _ => format!("'{}'", self.id().as_str().to_ascii_lowercase()),
        }
    }
}

/// A condition.
#[derive(Debug, Clone)]
enum Test {
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    Text(&'static str, &'static str, Option<&'static str>),
    TextIn(&'static str, bool, Vec<Option<&'static str>>),
    Like(&'static str, &'static str),
    Is(&'static str, bool, Option<Literal>),
    IsIn(&'static str, bool, Vec<Option<Literal>>),
    Made(&'static str, i64),
}

/// The readings with the accounts, as one query sees them.
struct World<'r> {
    rows: &'r [Row],
    deleted_too: bool,
}

impl World<'_> {
    fn account(&self, at: usize) -> Option<usize> {
        let account = self.rows[at].account?;
        (self.deleted_too || !ACCOUNTS[account].2).then_some(account)
    }

    fn text(&self, at: usize, field: &str) -> Option<String> {
        let text = match field {
            "Name" => self.rows[at].name,
            "External_Key__c" => self.rows[at].key,
            _ => self.account(at).map(|account| ACCOUNTS[account].0),
        };
        text.map(str::to_lowercase)
    }

    fn id(&self, at: usize, field: &str) -> Option<Id> {
        match field {
            "Id" => Some(Id::numbered("a00", at as u64)),
            "Account__c" => self.rows[at].account.map(account),
            "OwnerId" => Some(user(self.rows[at].owner)),
            "Account__r.Id" => self.account(at).map(account),
            _ => self.account(at).map(|account| user(ACCOUNTS[account].1)),
        }
    }

    fn holds(&self, at: usize, test: &Test) -> bool {
        match test {
            Test::And(all) => all.iter().all(|test| self.holds(at, test)),
            Test::Or(any) => any.iter().any(|test| self.holds(at, test)),
            Test::Not(test) => !self.holds(at, test),
            Test::Text(field, op, text) => {
                compares(self.text(at, field), op, text.map(str::to_lowercase))
            }
            Test::TextIn(field, negated, texts) => {
                let value = self.text(at, field);
                texts
                    .iter()
                    .any(|text| text.map(str::to_lowercase) == value)
                    != *negated
            }
            Test::Like(field, pattern) => self.text(at, field).is_some_and(|text| {
                let text: Vec<char> = text.chars().collect();
                like(&text, &pattern.to_lowercase().chars().collect::<Vec<_>>())
            }),
            Test::Is(field, negated, id) => {
                (self.id(at, field) == id.as_ref().map(Literal::id)) != *negated
            }
            Test::IsIn(field, negated, ids) => {
                let value = self.id(at, field);
                ids.iter().any(|id| id.as_ref().map(Literal::id) == value) != *negated
            }
            Test::Made(op, days) => compares(self.rows[at].made, op, Some(*days)),
        }
    }
}

impl Test {
    fn soql(&self) -> String {
        let join = |all: &[Test], word: &str| {
            let all: Vec<String> = all.iter().map(Test::soql).collect();
            format!("({})", all.join(word))
        };
        let text = |text: &Option<&str>| text.map_or("null".into(), |text| format!("'{text}'"));
        let id = |id: &Option<Literal>| id.as_ref().map_or("null".into(), Literal::soql);
        let not = |negated: &bool| if *negated { "NOT " } else { "" };
        match self {
            Self::And(all) => join(all, " AND "),
            Self::Or(any) => join(any, " OR "),
            Self::Not(test) => format!("(NOT {})", test.soql()),
            Self::Text(field, op, literal) => format!("{field} {op} {}", text(literal)),
            Self::TextIn(field, negated, texts) => {
                let texts: Vec<String> = texts.iter().map(text).collect();
                format!("{field} {}IN ({})", not(negated), texts.join(", "))
            }
            Self::Like(field, pattern) => format!("{field} LIKE '{pattern}'"),
            Self::Is(field, negated, literal) => {
                format!(
                    "{field} {} {}",
                    if *negated { "!=" } else { "=" },
                    id(literal)
                )
            }
            Self::IsIn(field, negated, ids) => {
                let ids: Vec<String> = ids.iter().map(id).collect();
                format!("{field} {}IN ({})", not(negated), ids.join(", "))
            }
            Self::Made(op, days) => {
                let day = jiff::civil::date(2026, 11, 23) + jiff::Span::new().days(*days);
                format!("CreatedDate {op} {day}T12:00:00Z")
            }
        }
    }
}

fn account(at: usize) -> Id {
    Id::numbered("001", at as u64)
}

fn user(at: usize) -> Id {
    Id::numbered("005", at as u64 + 1)
}

fn org_of(rows: &[Row]) -> Org {
    let id = Id::numbered("00D", 1);
    let mut org = Maker(Org::new(crate::objects::schema(), id, NOW.parse().unwrap()));
    for (at, (name, owner, deleted)) in ACCOUNTS.iter().enumerate() {
        let values = [("Name", (*name).into()), ("OwnerId", user(*owner).into())];
        let id = org.add("Account", at as u64, &values);
        if *deleted {
            org.delete(id);
        }
    }
    let now: jiff::Timestamp = NOW.parse().unwrap();
    for (at, row) in rows.iter().enumerate() {
        let made = row
            .made
            .map(|days| now + jiff::SignedDuration::from_hours(24 * days));
        let values = [
            ("Name", row.name.into()),
            ("External_Key__c", row.key.into()),
            ("Account__c", row.account.map(account).into()),
            ("OwnerId", user(row.owner).into()),
            ("CreatedDate", made.into()),
        ];
        // What was there before is in no index any more.
        org.add(
            "Measurement__c",
            at as u64,
            &[
                ("Name", "k-1".into()),
                ("External_Key__c", "zz".into()),
                ("Account__c", account(0).into()),
            ],
        );
        let id = org.add("Measurement__c", at as u64, &values);
        if row.deleted {
            org.delete(id);
        }
    }
    org.0
}

fn rows_strategy() -> impl Strategy<Value = Vec<Row>> {
    let key = || prop::option::weighted(0.8, prop::sample::select(KEYS));
    let account = prop::option::of(0..ACCOUNTS.len());
    let made = prop::option::weighted(0.9, -3i64..3);
    let row = (
        key(),
        key(),
        account,
        0usize..2,
        made,
        prop::bool::weighted(0.2),
    );
    let row = row.prop_map(|(name, key, account, owner, made, deleted)| Row {
        name,
        key,
        account,
        owner,
        made,
        deleted,
    });
    prop::collection::vec(row, 0..20)
}

fn test() -> impl Strategy<Value = Test> {
    let text = || prop::sample::select(TEXTS);
    let key = || prop::option::weighted(0.85, prop::sample::select(KEYS));
    let of = || prop::sample::select(IDS);
    let id = || {
        let id = (
            prop::sample::select(&["a00", "001", "005"][..]),
            0u64..8,
            0u8..3,
        );
        prop::option::weighted(
            0.85,
            id.prop_map(|(prefix, number, form)| Literal {
                prefix,
                number,
                form,
            }),
        )
    };
    let op = || prop::sample::select(OPS);
    let leaf = prop_oneof![
        3 => (text(), op(), key()).prop_map(|(field, op, key)| Test::Text(field, op, key)),
        2 => (text(), prop::bool::weighted(0.2), prop::collection::vec(key(), 1..4))
            .prop_map(|(field, negated, keys)| Test::TextIn(field, negated, keys)),
        2 => (text(), prop::sample::select(PATTERNS)).prop_map(|(field, like)| Test::Like(field, like)),
        3 => (of(), prop::bool::weighted(0.2), id()).prop_map(|(field, negated, id)| Test::Is(field, negated, id)),
        2 => (of(), prop::bool::weighted(0.2), prop::collection::vec(id(), 1..4))
            .prop_map(|(field, negated, ids)| Test::IsIn(field, negated, ids)),
        1 => (op(), -3i64..3).prop_map(|(op, days)| Test::Made(op, days)),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            3 => prop::collection::vec(inner.clone(), 2..4).prop_map(Test::And),
            3 => prop::collection::vec(inner.clone(), 2..4).prop_map(Test::Or),
            1 => inner.prop_map(|inner| Test::Not(Box::new(inner))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn an_index_finds_what_holds_and_nothing_else(
        rows in rows_strategy(),
        test in test(),
        mine in prop::bool::weighted(0.2),
        join in prop::option::weighted(0.3, (prop::bool::weighted(0.2), prop::sample::select(KEYS))),
        cut in (0usize..3, prop::option::of(0usize..6)),
        deleted_too in any::<bool>(),
    ) {
        let org = org_of(&rows);
        let world = World { rows: &rows, deleted_too };
        let mut condition = test.soql();
        if let Some((negated, name)) = join {
            let not = if negated { "NOT " } else { "" };
            condition += &format!(" AND Account__c {not}IN (SELECT Id FROM Account WHERE Name = '{name}')");
        }
        let joined = |at: usize| join.is_none_or(|(negated, name)| {
            let found = rows[at].account.is_some_and(|account| {
                ACCOUNTS[account].0.to_lowercase() == name.to_lowercase() && (deleted_too || !ACCOUNTS[account].2)
            });
            found != negated
        });
        let (offset, limit) = cut;
        let expected: Vec<String> = (0..rows.len())
            .filter(|at| deleted_too || !rows[*at].deleted)
            .filter(|at| !mine || rows[*at].owner == 0)
            .filter(|at| world.holds(*at, &test) && joined(*at))
            .skip(offset)
            .take(limit.unwrap_or(usize::MAX))
            .map(|at| Id::numbered("a00", at as u64).to_string())
            .collect();
        let scope = if mine { " USING SCOPE mine" } else { "" };
        let limit = limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
        let rest = format!("FROM Measurement__c{scope} WHERE {condition}{limit} OFFSET {offset}");
        let options = Options { include_deleted: deleted_too, ..options() };
        let answer = |soql: String| run(&org, &session(&org, "UTC"), &soql, options.clone()).map_err(|error| format!("{soql}\n{error}"));
        let found = answer(format!("SELECT Id {rest}")).unwrap();
        let found: Vec<&str> = found.records.iter().filter_map(|row| row["Id"].as_str()).collect();
        prop_assert_eq!(&found, &expected, "{}", rest);
        prop_assert_eq!(answer(format!("SELECT COUNT() {rest}")).unwrap().total_size, expected.len());
    }
}
