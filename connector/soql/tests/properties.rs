//! Printing and parsing agree on any tree; no text makes the parser panic or point outside.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;
use soql::*;

fn ident() -> impl Strategy<Value = Ident> {
    "[A-Za-z][a-z0-9]{0,5}__[cr]".prop_map(Ident::new)
}

fn path() -> impl Strategy<Value = FieldPath> {
    prop::collection::vec(ident(), 1..4).prop_map(|parts| FieldPath {
        parts,
        span: Span::default(),
    })
}

fn text() -> impl Strategy<Value = StringLiteral> {
    ".{0,8}".prop_map(|text: String| StringLiteral::new(&text))
}

fn date() -> impl Strategy<Value = Date> {
    (0u16..=9999, 1u8..=12, 1u8..=28).prop_map(|(year, month, day)| Date { year, month, day })
}

fn date_literal() -> impl Strategy<Value = DateLiteral> {
    (0usize..7, 0u8..8, any::<u32>()).prop_map(|(unit, form, n)| {
        let unit = DateUnit::ALL[unit].0;
        match form {
            0 => DateLiteral::LastN(unit, n),
            1 => DateLiteral::NextN(unit, n),
            2 => DateLiteral::NAgo(unit, n),
            3 => DateLiteral::Yesterday,
            4 => DateLiteral::Last90Days,
            _ if unit == DateUnit::Day => DateLiteral::Today,
            5 => DateLiteral::Last(unit),
            6 => DateLiteral::This(unit),
            _ => DateLiteral::Next(unit),
        }
    })
}

fn value() -> impl Strategy<Value = Value> {
    let time = || {
        (0u8..24, 0u8..60, 0u8..60, 0u16..1000, -1439i16..1440).prop_map(
            |(hour, minute, second, millisecond, offset_minutes)| Time {
                hour,
                minute,
                second,
                millisecond,
                offset_minutes,
            },
        )
    };
    let moment = (date(), time()).prop_map(|(date, time)| Value::DateTime(DateTime { date, time }));
    prop_oneof![
        text().prop_map(Value::String),
        any::<i64>().prop_map(Value::Integer),
        "-?[0-9]{1,4}\\.[0-9]{1,3}".prop_map(Value::Decimal),
        ("[A-Z]{3}", "[0-9]{1,4}(\\.[0-9]{1,2})?")
            .prop_map(|(code, amount)| Value::Currency { code, amount }),
        any::<bool>().prop_map(Value::Boolean),
        Just(Value::Null),
        date().prop_map(Value::Date),
        moment,
        time().prop_map(Value::Time),
        date_literal().prop_map(Value::DateLiteral),
    ]
}

fn call() -> impl Strategy<Value = FunctionCall> {
    let of = |args| {
        (ident(), args).prop_map(|(name, args)| FunctionCall {
            name,
            args,
            span: Span::default(),
        })
    };
    // Words that stand for values are fields among arguments, so only other literals are made.
    let leaf = prop_oneof![
        path().prop_map(Argument::Field),
        text().prop_map(|t| Argument::Value(Value::String(t)))
    ];
    let inner = of(prop::collection::vec(leaf.clone(), 0..3).boxed());
    of(prop::collection::vec(prop_oneof![leaf, inner.prop_map(Argument::Function)], 0..3).boxed())
}

fn operand() -> impl Strategy<Value = Operand> {
    prop_oneof![
        path().prop_map(Operand::Field),
        call().prop_map(Operand::Function)
    ]
}

fn test(query: Option<BoxedStrategy<Query>>) -> BoxedStrategy<Condition> {
    let span = Span::default();
    let op = prop::sample::select(vec![
        CompareOp::Eq,
        CompareOp::Ne,
        CompareOp::Lt,
        CompareOp::Le,
        CompareOp::Gt,
        CompareOp::Ge,
    ]);
    let values = prop::collection::vec(value(), 1..4)
        .prop_map(InSet::Values)
        .boxed();
    let set = match query {
        Some(query) => prop_oneof![values, query.prop_map(|q| InSet::Query(Box::new(q)))].boxed(),
        None => values,
    };
    prop_oneof![
        (operand(), op, value()).prop_map(move |(left, op, value)| Condition::Comparison {
            left,
            op,
            value,
            span
        }),
        (operand(), text()).prop_map(move |(left, t)| Condition::Comparison {
            left,
            op: CompareOp::Like,
            value: Value::String(t),
            span
        }),
        (operand(), any::<bool>(), set).prop_map(move |(left, negated, set)| Condition::In {
            left,
            negated,
            set,
            span
        }),
        (
            operand(),
            any::<bool>(),
            prop::collection::vec(text().prop_map(Value::String), 1..3)
        )
            .prop_map(move |(left, negated, values)| Condition::Includes {
                left,
                negated,
                values,
                span
            }),
    ]
    .boxed()
}

fn condition(query: Option<BoxedStrategy<Query>>) -> impl Strategy<Value = Condition> {
    test(query).prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Condition::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Condition::Or),
            inner.prop_map(|c| Condition::Not(Box::new(c))),
        ]
    })
}

fn order_item() -> impl Strategy<Value = OrderItem> {
    let direction = prop::option::of(prop::sample::select(vec![
        Direction::Ascending,
        Direction::Descending,
    ]));
    let nulls = prop::option::of(prop::sample::select(vec![Nulls::First, Nulls::Last]));
    (operand(), direction, nulls).prop_map(|(key, direction, nulls)| OrderItem {
        key,
        direction,
        nulls,
    })
}

fn plain_item() -> impl Strategy<Value = SelectItem> {
    let kind = prop::sample::select(vec![
        FieldsKind::All,
        FieldsKind::Standard,
        FieldsKind::Custom,
    ]);
    prop_oneof![
        (path(), prop::option::of(ident()))
            .prop_map(|(path, alias)| SelectItem::Field { path, alias }),
        (call(), prop::option::of(ident()))
            .prop_map(|(call, alias)| SelectItem::Function { call, alias }),
        kind.prop_map(|kind| SelectItem::Fields {
            kind,
            span: Span::default()
        }),
    ]
}

fn type_of() -> impl Strategy<Value = SelectItem> {
    let fields = || prop::collection::vec(path(), 1..3);
    let branch = (ident(), fields()).prop_map(|(object, fields)| TypeOfBranch { object, fields });
    (
        path(),
        prop::collection::vec(branch, 1..3),
        prop::collection::vec(path(), 0..3),
    )
        .prop_map(|(relationship, when, otherwise)| {
            SelectItem::TypeOf(TypeOf {
                relationship,
                when,
                otherwise,
                span: Span::default(),
            })
        })
}

fn categories() -> impl Strategy<Value = Vec<DataCategoryFilter>> {
    let selector = prop::sample::select(vec![
        DataCategorySelector::At,
        DataCategorySelector::Above,
        DataCategorySelector::Below,
        DataCategorySelector::AboveOrBelow,
    ]);
    let filter = (ident(), selector, prop::collection::vec(ident(), 1..3)).prop_map(
        |(group, selector, categories)| DataCategoryFilter {
            group,
            selector,
            categories,
        },
    );
    prop::collection::vec(filter, 1..3)
}

fn query_over(inner: Option<BoxedStrategy<Query>>) -> BoxedStrategy<Query> {
    let item = match inner.clone() {
        Some(inner) => prop_oneof![
            3 => plain_item(),
            1 => type_of(),
            1 => inner.prop_map(|q| SelectItem::Subquery(Box::new(q))),
        ]
        .boxed(),
        None => plain_item().boxed(),
    };
    let from =
        (path(), prop::option::of(ident())).prop_map(|(path, alias)| FromItem { path, alias });
    let with = prop_oneof![
        Just(With::SecurityEnforced),
        Just(With::UserMode),
        Just(With::SystemMode),
        categories().prop_map(With::DataCategory),
        prop::collection::vec((ident(), value()), 1..3).prop_map(With::RecordVisibilityContext),
    ];
    let kind = prop::sample::select(vec![GroupKind::Plain, GroupKind::Rollup, GroupKind::Cube]);
    let group = (kind, prop::collection::vec(operand(), 1..3))
        .prop_map(|(kind, items)| GroupBy { kind, items });
    let fors = prop::sample::select(vec![
        ForClause::View,
        ForClause::Reference,
        ForClause::Update,
    ]);
    let head = (
        prop::collection::vec(item, 1..4),
        prop::collection::vec(from, 1..3),
        prop::option::of(ident()),
        prop::option::of(condition(inner)),
        prop::option::of(with),
        prop::option::of(group),
    );
    let tail = (
        prop::option::of(condition(None)),
        prop::collection::vec(order_item(), 0..3),
        prop::option::of(any::<u64>()),
        prop::option::of(any::<u64>()),
        any::<bool>(),
        prop::collection::vec(fors, 0..3),
        updates(),
    );
    (head, tail)
        .prop_map(|((select, from, scope, condition, with, group_by), tail)| {
            let (having, order_by, limit, offset, all_rows, for_clauses, update) = tail;
            Query {
                select,
                from,
                scope,
                condition,
                with,
                group_by,
                having,
                order_by,
                limit,
                offset,
                all_rows,
                for_clauses,
                update,
                span: Span::default(),
            }
        })
        .boxed()
}

fn updates() -> impl Strategy<Value = Vec<UpdateClause>> {
    prop::collection::vec(
        prop::sample::select(vec![UpdateClause::Tracking, UpdateClause::Viewstat]),
        0..3,
    )
}

fn search() -> impl Strategy<Value = Search> {
    let group = prop::sample::select(vec![
        SearchGroup::All,
        SearchGroup::Name,
        SearchGroup::Email,
        SearchGroup::Phone,
        SearchGroup::Sidebar,
    ]);
    let full = (
        ident(),
        prop::collection::vec(plain_item(), 1..3),
        prop::option::of(ident()),
        prop::option::of(condition(None)),
        prop::collection::vec(order_item(), 0..3),
        prop::option::of(any::<u64>()),
        prop::option::of(any::<u64>()),
    )
        .prop_map(
            |(object, fields, list_view, condition, order_by, limit, offset)| Returning {
                object,
                fields,
                list_view,
                condition,
                order_by,
                limit,
                offset,
            },
        );
    let with = prop_oneof![
        categories().prop_map(SearchWith::DataCategory),
        text().prop_map(SearchWith::Division),
        Just(SearchWith::Highlight),
        text().prop_map(SearchWith::Metadata),
        prop::collection::vec(text(), 1..3).prop_map(SearchWith::Network),
        text().prop_map(SearchWith::PricebookId),
        prop::option::of(any::<u64>()).prop_map(SearchWith::Snippet),
        any::<bool>().prop_map(SearchWith::SpellCorrection),
    ];
    (
        "[a-z\"*?' ]{0,5}[a-z](\\\\[{}])?",
        prop::option::of(group),
        prop::collection::vec(full, 0..3),
        prop::collection::vec(with, 0..3),
        prop::option::of(any::<u64>()),
        updates(),
    )
        .prop_map(|(find, group, returning, with, limit, update)| Search {
            find,
            group,
            returning,
            with,
            limit,
            update,
            span: Span::default(),
        })
}

/// Parses as both languages; an error must lie in the text and print.
fn survives(text: &str) {
    for error in [parse_query(text).err(), parse_search(text).err()]
        .into_iter()
        .flatten()
    {
        assert!(
            error.position.offset <= text.len() && text.is_char_boundary(error.position.offset)
        );
        assert!(!error.to_string().is_empty());
        assert!(error.excerpt(text).ends_with('^'));
    }
}

const SOUP: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "Id",
    "Account",
    "(",
    ")",
    ",",
    ".",
    "=",
    "'x'",
    "AND",
    "OR",
    "NOT",
    "IN",
    "TYPEOF",
    "WHEN",
    "THEN",
    "END",
    "1",
    "2026-01-01",
    "LAST_N_DAYS",
    ":",
    "GROUP",
    "BY",
    "ORDER",
    "LIMIT",
    "FIND",
    "{x}",
    "RETURNING",
    "WITH",
    "DATA",
    "CATEGORY",
    "USD5.5",
    "é",
    "'",
    "\\",
    "-",
    "FIELDS",
    "ROLLUP",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_printed_query_parses_to_the_same_tree(query in query_over(Some(query_over(None)))) {
        let text = query.to_string();
        prop_assert_eq!(parse_query(&text).map_err(|e| format!("{e}\n{text}")), Ok(query));
    }

    #[test]
    fn a_printed_search_parses_to_the_same_tree(search in search()) {
        let text = search.to_string();
        prop_assert_eq!(parse_search(&text).map_err(|e| format!("{e}\n{text}")), Ok(search));
    }

    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn any_token_soup_is_survived(words in prop::collection::vec(prop::sample::select(SOUP), 0..40)) {
        survives(&words.join(" "));
        survives(&words.concat());
    }

    #[test]
    fn a_mutated_query_is_survived(query in query_over(None), at in any::<prop::sample::Index>(), c in any::<char>()) {
        let mut chars: Vec<char> = query.to_string().chars().collect();
        let at = at.index(chars.len());
        chars[at] = c;
        survives(&chars.iter().collect::<String>());
        survives(&chars[..at].iter().collect::<String>());
    }
}

#[test]
fn deep_nesting_is_refused_not_overflowed() {
    for open in ["(", "NOT ", "f(", "Id IN (SELECT Id FROM A WHERE "] {
        let text = format!("SELECT Id FROM Account WHERE {}", open.repeat(3000));
        assert!(
            parse_query(&text)
                .unwrap_err()
                .message
                .contains("nested more than 60 levels")
        );
    }
    assert!(
        parse_query(&" ".repeat(INPUT_CHARS_MAX + 1))
            .unwrap_err()
            .message
            .contains("longer than")
    );
}
