//! No query makes the evaluator panic, whatever it names.

use proptest::prelude::*;
use soql::*;

use super::{ask, org};

/// Names of the schema, and one that is not there.
const FIELDS: &[&str] = &[
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
    "BillingAddress",
    "Description",
    "ParentId",
    "Rating",
    "Nowhere",
    "Account.Name",
    "StageName",
    "CloseDate",
    "Amount",
    "Flags__c",
    "What.Type",
];

const OBJECTS: &[&str] = &[
    "Account",
    "Opportunity",
    "Task",
    "Measurement__c",
    "Contact",
    "Nothing",
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
    prop::sample::select(FIELDS).prop_map(FieldPath::new)
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
                hour: hour % 24,
                minute: minute % 60,
                second: 59,
                millisecond: millisecond % 1_000,
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
        date_literal().prop_map(Value::DateLiteral),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    let span = Span::default();
    let ops = [
        CompareOp::Eq,
        CompareOp::Ne,
        CompareOp::Lt,
        CompareOp::Le,
        CompareOp::Gt,
        CompareOp::Ge,
    ];
    let leaf = prop_oneof![
        4 => (operand(), prop::sample::select(ops.to_vec()), value())
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
        any::<bool>(),
    )
        .prop_map(
            |((select, object, condition, group_by, having, order_by), limit, offset, all_rows)| {
                Query {
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
                    all_rows,
                    for_clauses: Vec::new(),
                    update: Vec::new(),
                    span: Span::default(),
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_query_is_answered_or_refused(query in query()) {
        thread_local! {
            static ORG: crate::org::Org = org();
        }
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
