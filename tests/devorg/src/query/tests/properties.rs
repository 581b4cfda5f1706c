//! No query makes the evaluator panic, whatever it names.

use proptest::prelude::*;
use soql::*;

use super::{ask, org};

/// Names of accounts' fields, a few of other objects', and one that is not there.
const FIELDS: &[(u32, &[&str])] = &[
    (
        20,
        &[
            "Id",
            "Name",
            "Industry",
            "AnnualRevenue",
            "NumberOfEmployees",
            "CreatedDate",
            "IsPartner",
            "OwnerId",
            "Owner.Name",
            "Parent.Parent.Name",
            "ParentId",
            "Rating",
            "LastActivityDate",
        ],
    ),
    (
        1,
        &[
            "BillingAddress",
            "Description",
            "Nowhere",
            "CloseDate",
            "Flags__c",
            "What.Type",
        ],
    ),
];

const OBJECTS: &[&str] = &[
    "Account",
    "Account",
    "Account",
    "Account",
    "Account",
    "Opportunity",
    "Task",
    "Nothing",
];

const OPS: &[CompareOp] = &[
    CompareOp::Eq,
    CompareOp::Ne,
    CompareOp::Lt,
    CompareOp::Le,
    CompareOp::Gt,
    CompareOp::Ge,
];

const FUNCTIONS: &[&str] = &[
    "COUNT",
    "SUM",
    "AVG",
    "MIN",
    "MAX",
    "COUNT_DISTINCT",
    "CALENDAR_YEAR",
    "HOUR_IN_DAY",
    "DAY_ONLY",
    "FISCAL_QUARTER",
    "toLabel",
    "FORMAT",
    "GROUPING",
    "convertCurrency",
    "DISTANCE",
    "nothing",
];

fn field() -> impl Strategy<Value = FieldPath> {
    let pools = FIELDS
        .iter()
        .map(|(weight, names)| (*weight, prop::sample::select(*names)));
    prop::strategy::Union::new_weighted(pools.collect()).prop_map(FieldPath::new)
}

/// A test whose value is of its field's type.
fn fitting() -> impl Strategy<Value = Condition> {
    let text = || "[a-zA-Zé%_]{0,3}".prop_map(|text| Value::String(StringLiteral::new(&text)));
    let literal = || date_literal().prop_map(Value::DateLiteral);
    let whole = || any::<i64>().prop_map(Value::Integer);
    let of = |name: &str| Operand::Field(FieldPath::new(name));
    let part = Operand::Function(FunctionCall {
        name: Ident::new("CALENDAR_YEAR"),
        args: vec![Argument::Field(FieldPath::new("CreatedDate"))],
        span: Span::default(),
    });
    let sides = prop_oneof![
        (Just(of("Name")), text()),
        (Just(of("Owner.Name")), text()),
        (Just(of("Industry")), text()),
        (Just(of("NumberOfEmployees")), whole()),
        (Just(of("CreatedDate")), literal()),
        (Just(of("LastActivityDate")), literal()),
        (Just(part), whole()),
        (Just(of("ParentId")), Just(Value::Null)),
    ];
    (sides, prop::sample::select(OPS)).prop_map(|((left, value), op)| Condition::Comparison {
        left,
        op,
        value,
        span: Span::default(),
    })
}

/// A query of another object, as a child subquery or a semi-join has it.
fn inner(field: &str, from: &str, condition: Option<Condition>) -> Query {
    let items = vec![SelectItem::Field {
        path: FieldPath::new(field),
        alias: None,
    }];
    Query {
        select: items,
        from: vec![FromItem {
            path: FieldPath::new(from),
            alias: None,
        }],
        scope: None,
        condition,
        with: None,
        group_by: None,
        having: None,
        order_by: Vec::new(),
        limit: None,
        offset: None,
        all_rows: false,
        for_clauses: Vec::new(),
        update: Vec::new(),
        span: Span::default(),
    }
}

fn call() -> impl Strategy<Value = FunctionCall> {
    let argument = prop_oneof![
        8 => field().prop_map(Argument::Field),
        1 => Just(Argument::Value(Value::Integer(1))),
        1 => field().prop_map(|field| Argument::Function(FunctionCall {
            name: Ident::new("convertTimezone"),
            args: vec![Argument::Field(field)],
            span: Span::default(),
        })),
    ];
    (
        prop::sample::select(FUNCTIONS),
        prop::collection::vec(argument, 0..2),
    )
        .prop_map(|(name, args)| FunctionCall {
            name: Ident::new(name),
            args,
            span: Span::default(),
        })
}

fn operand() -> impl Strategy<Value = Operand> {
    prop_oneof![3 => field().prop_map(Operand::Field), 1 => call().prop_map(Operand::Function)]
}

fn date_literal() -> impl Strategy<Value = DateLiteral> {
    (prop::sample::select(&DateUnit::ALL[..]), any::<u32>(), 0..4).prop_map(
        |((unit, _), n, form)| match form {
            0 => DateLiteral::LastN(unit, n),
            1 => DateLiteral::NextN(unit, n),
            2 => DateLiteral::NAgo(unit, n % 100),
            _ => DateLiteral::Today,
        },
    )
}

fn value() -> impl Strategy<Value = Value> {
    let moment =
        (any::<(u16, u8, u8, u16)>(), -1439i16..1440).prop_map(|(parts, offset_minutes)| {
            let (year, hour, minute, millisecond) = parts;
            Value::DateTime(DateTime {
                date: Date {
                    year: year % 10_000,
                    month: 12,
                    day: 31,
                },
                time: Time {
                    hour: hour % 24,
                    minute: minute % 60,
                    second: 59,
                    millisecond: millisecond % 1_000,
                    offset_minutes,
                },
            })
        });
    let time = (0u8..24, -1439i16..1440).prop_map(|(hour, offset_minutes)| {
        Value::Time(Time {
            hour,
            minute: 59,
            second: 0,
            millisecond: 1,
            offset_minutes,
        })
    });
    prop_oneof![
        "[a-zA-Z%_é' ]{0,6}".prop_map(|text| Value::String(StringLiteral::new(&text))),
        any::<i64>().prop_map(Value::Integer),
        Just(Value::Decimal("99999999999999999999999999999999.5".into())),
        any::<bool>().prop_map(Value::Boolean),
        Just(Value::Null),
        (0u16..10_000).prop_map(|year| Value::Date(Date {
            year,
            month: 12,
            day: 31
        })),
        moment,
        time,
        date_literal().prop_map(Value::DateLiteral),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    let span = Span::default();
    let joins = [
        ("ParentId", "Account"),
        ("AccountId", "Contact"),
        ("Account.Id", "Opportunity"),
    ];
    let leaf = prop_oneof![
        16 => fitting(),
        1 => (prop::sample::select(joins.to_vec()), any::<bool>(), prop::option::of(fitting())).prop_map(
            move |((field, from), negated, condition)| Condition::In {
                left: Operand::Field(FieldPath::new("Id")),
                negated,
                set: InSet::Query(Box::new(inner(field, from, condition))),
                span,
            }
        ),
        4 => (operand(), prop::sample::select(OPS), value())
            .prop_map(move |(left, op, value)| Condition::Comparison { left, op, value, span }),
        1 => (operand(), "[a-z%_]{0,5}").prop_map(move |(left, pattern)| Condition::Comparison {
            left,
            op: CompareOp::Like,
            value: Value::String(StringLiteral::new(&pattern)),
            span,
        }),
        1 => (operand(), any::<bool>(), prop::collection::vec(value(), 1..3))
            .prop_map(move |(left, negated, values)| Condition::In {
                left,
                negated,
                set: InSet::Values(values),
                span,
            }),
        1 => (operand(), any::<bool>(), "[a-z;]{0,5}").prop_map(move |(left, negated, text)| {
            let values = vec![Value::String(StringLiteral::new(&text))];
            Condition::Includes { left, negated, values, span }
        }),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..3).prop_map(Condition::And),
            prop::collection::vec(inner.clone(), 2..3).prop_map(Condition::Or),
            inner.prop_map(|inner| Condition::Not(Box::new(inner))),
        ]
    })
}

fn item() -> impl Strategy<Value = SelectItem> {
    prop_oneof![
        4 => field().prop_map(|path| SelectItem::Field { path, alias: None }),
        2 => call().prop_map(|call| SelectItem::Function { call, alias: None }),
        1 => prop::option::of(condition())
            .prop_map(|condition| SelectItem::Subquery(Box::new(inner("Name", "ChildAccounts", condition)))),
        1 => Just(SelectItem::Fields { kind: FieldsKind::All, span: Span::default() }),
    ]
}

fn query() -> impl Strategy<Value = Query> {
    let order =
        (operand(), any::<Option<bool>>(), any::<Option<bool>>()).prop_map(|(key, desc, last)| {
            OrderItem {
                key,
                direction: desc.map(|desc| {
                    if desc {
                        Direction::Descending
                    } else {
                        Direction::Ascending
                    }
                }),
                nulls: last.map(|last| if last { Nulls::Last } else { Nulls::First }),
            }
        });
    let kinds = vec![GroupKind::Plain, GroupKind::Rollup, GroupKind::Cube];
    let group = (
        prop::sample::select(kinds),
        prop::collection::vec(operand(), 1..4),
    )
        .prop_map(|(kind, items)| GroupBy { kind, items });
    let body = (
        prop::collection::vec(item(), 1..4),
        prop::sample::select(OBJECTS),
        prop::option::of(condition()),
        prop::option::of(group),
        prop::option::of(condition()),
        prop::collection::vec(order, 0..3),
    );
    (
        body,
        prop::option::of(any::<u64>()),
        prop::option::of(0u64..2_002),
    )
        .prop_map(
            |((select, object, condition, group_by, having, order_by), limit, offset)| Query {
                select,
                from: vec![FromItem {
                    path: FieldPath::new(object),
                    alias: None,
                }],
                scope: None,
                condition,
                with: None,
                having: having.filter(|_| group_by.is_some()),
                group_by,
                order_by,
                limit: limit.map(|limit| limit >> (limit % 64)),
                offset,
                all_rows: false,
                for_clauses: Vec::new(),
                update: Vec::new(),
                span: Span::default(),
            },
        )
}

/// Conditions that fit accounts.
fn of_accounts() -> impl Strategy<Value = Condition> {
    fitting().prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..3).prop_map(Condition::And),
            prop::collection::vec(inner.clone(), 2..3).prop_map(Condition::Or),
            inner.prop_map(|inner| Condition::Not(Box::new(inner))),
        ]
    })
}

thread_local! {
    static ORG: crate::org::Org = org();
}

proptest! {
    #[test]
    fn every_row_satisfies_a_condition_or_its_opposite(condition in of_accounts(), key in field_of_groups()) {
        let query = inner("Name", "Account", Some(condition.clone()));
        let opposite = inner("Name", "Account", Some(Condition::Not(Box::new(condition))));
        ORG.with(|org| {
            let found = ask(org, &query.to_string()).unwrap();
            let rest = ask(org, &opposite.to_string()).unwrap();
            prop_assert_eq!(found.total_size + rest.total_size, 3);

            let filter = query.to_string().replace("SELECT Name", "");
            let count = ask(org, &format!("SELECT COUNT(){filter}")).unwrap();
            prop_assert_eq!(count.total_size, found.total_size);
            let soql = format!("SELECT {key} k, COUNT(Id) n{filter} GROUP BY {key} ORDER BY COUNT(Id)");
            let groups = ask(org, &soql).unwrap();
            let counted: u64 = groups.records.iter().filter_map(|row| row["n"].as_u64()).sum();
            prop_assert_eq!(counted as usize, found.total_size);
            Ok(())
        })?;
    }
}

fn field_of_groups() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "Name",
        "Rating",
        "Owner.Name",
        "CALENDAR_YEAR(CreatedDate)",
        "ParentId",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_query_is_answered_or_refused(query in query()) {
        let soql = query.to_string();
        ORG.with(|org| {
            if let Ok(answer) = ask(org, &soql) {
                prop_assert!(answer.records.len() <= answer.total_size);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_text_is_answered_or_refused(text in "(SELECT|select) [A-Za-z(),.* ]{0,20} FROM (Account|Task)[ -~é]{0,30}") {
        let _ = ask(&org(), &text);
    }
}
