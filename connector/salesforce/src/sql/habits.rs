//! SQL's words and marks, one habit after the other.
#![allow(clippy::ptr_arg, reason = "every habit is of one type")]

use super::token::Token;

/// A change of the tokens at a place.
type Habit = fn(&mut Vec<Token>, usize);

/// Looked at for each place from left to right, in this order.
const HABITS: [Habit; 14] = [
    names_in_quotes,
    star,
    plain_marks,
    is_null,
    between,
    not_like,
    without_as,
    case_of_letters,
    moments,
    today,
    days_ago,
    top_and_fetch,
    comma_before_from,
    bare_text,
];

/// Rewrites what SQL says and SOQL does not.
pub(super) fn unsql(tokens: &mut Vec<Token>) {
    while tokens.last().is_some_and(|last| last.is(";")) {
        tokens.pop();
    }
    for habit in HABITS {
        let mut at = 0;
        while at < tokens.len() {
            habit(tokens, at);
            at += 1;
        }
    }
    distinct(tokens);
    limit_of_two(tokens);
}

fn is(tokens: &[Token], at: usize, wanted: &str) -> bool {
    tokens.get(at).is_some_and(|token| token.is(wanted))
}

fn before(tokens: &[Token], at: usize) -> Option<&Token> {
    at.checked_sub(1).and_then(|at| tokens.get(at))
}

/// What stands in double quotes, backticks or brackets is a name, unless something is compared with it.
fn names_in_quotes(tokens: &mut Vec<Token>, at: usize) {
    let Token::Text(inside, true) = &tokens[at] else {
        return;
    };
    let is_name = inside
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
    let compared = before(tokens, at).is_some_and(|before| {
        before.is_comparison() || before.is("(") || before.is("==") || before.is("ILIKE")
    });
    let listed = is(tokens, at.wrapping_sub(1), ",") && !follows_select(tokens, at);
    if is_name && !compared && !listed {
        tokens[at] = Token::Word(inside.clone());
    }
}

/// Says whether a place is in a `SELECT` list.
fn follows_select(tokens: &[Token], at: usize) -> bool {
    let mut words = tokens[..at].iter().rev();
    let nearest = words.find(|token| {
        ["SELECT", "FROM", "WHERE", "BY"]
            .iter()
            .any(|word| token.is(word))
    });
    nearest.is_some_and(|token| token.is("SELECT") || token.is("BY"))
}

/// `*` is `FIELDS(STANDARD)`, which takes no limit; `COUNT(*)` counts rows.
fn star(tokens: &mut Vec<Token>, at: usize) {
    let is_star = tokens[at].is("*");
    if !is_star {
        return;
    }
    if is(tokens, at.wrapping_sub(1), "(") {
        let alone = is(tokens, at.wrapping_sub(3), "SELECT") && is(tokens, at + 2, "FROM");
        match alone {
            true => _ = tokens.remove(at),
            false => tokens[at] = Token::word("Id"),
        }
        return;
    }
    // `a.*`
    if at >= 2 && is(tokens, at - 1, ".") {
        tokens.drain(at - 2..at);
        return star(tokens, at - 2);
    }
    let fields = [
        Token::word("FIELDS"),
        Token::mark("("),
        Token::word("STANDARD"),
        Token::mark(")"),
    ];
    tokens.splice(at..=at, fields);
}

fn plain_marks(tokens: &mut Vec<Token>, at: usize) {
    let Token::Mark(mark) = &tokens[at] else {
        return;
    };
    tokens[at] = match mark.as_str() {
        "==" => Token::mark("="),
        "<>" => Token::mark("!="),
        "&&" => Token::word("AND"),
        "||" => Token::word("OR"),
        _ => return,
    };
}

/// `IS NULL`, `IS NOT NULL`.
fn is_null(tokens: &mut Vec<Token>, at: usize) {
    if !tokens[at].is("IS") {
        return;
    }
    let negated = is(tokens, at + 1, "NOT");
    let value = at + 1 + usize::from(negated);
    if ["NULL", "TRUE", "FALSE"]
        .iter()
        .any(|word| is(tokens, value, word))
    {
        let mark = if negated { "!=" } else { "=" };
        tokens.splice(at..value, [Token::mark(mark)]);
    }
}

/// `x BETWEEN a AND b`.
fn between(tokens: &mut Vec<Token>, at: usize) {
    let is_it = tokens[at].is("BETWEEN") && is(tokens, at + 2, "AND");
    let (Some(field), true) = (before(tokens, at).cloned(), is_it && at + 3 < tokens.len()) else {
        return;
    };
    let (from, to) = (tokens[at + 1].clone(), tokens[at + 3].clone());
    let both = [
        Token::mark("("),
        field.clone(),
        Token::mark(">="),
        from,
        Token::word("AND"),
        field,
        Token::mark("<="),
        to,
        Token::mark(")"),
    ];
    tokens.splice(at - 1..at + 4, both);
}

/// `x NOT LIKE y`, `x ILIKE y`, `x CONTAINS 'y'`.
fn not_like(tokens: &mut Vec<Token>, at: usize) {
    if tokens[at].is("ILIKE") {
        tokens[at] = Token::word("LIKE");
    }
    if let (true, Some(Token::Text(inside, _))) = (tokens[at].is("CONTAINS"), tokens.get(at + 1)) {
        tokens[at + 1] = Token::Text(format!("%{inside}%"), false);
        tokens[at] = Token::word("LIKE");
    }
    let is_it = tokens[at].is("NOT") && (is(tokens, at + 1, "LIKE") || is(tokens, at + 1, "ILIKE"));
    let (Some(field), true) = (before(tokens, at).cloned(), is_it && at + 2 < tokens.len()) else {
        return;
    };
    let pattern = tokens[at + 2].clone();
    let negated = [
        Token::mark("("),
        Token::word("NOT"),
        field,
        Token::word("LIKE"),
        pattern,
        Token::mark(")"),
    ];
    tokens.splice(at - 1..at + 3, negated);
}

/// `AS n`: functions have names without it, fields of a list have none.
fn without_as(tokens: &mut Vec<Token>, at: usize) {
    if !tokens[at].is("AS") {
        return;
    }
    let of_field = follows_select(tokens, at)
        && before(tokens, at).is_some_and(|token| token.as_word().is_some());
    let name = usize::from(of_field && at + 1 < tokens.len());
    tokens.drain(at..=at + name);
}

/// `LOWER(x)`: texts compare without regard to case.
fn case_of_letters(tokens: &mut Vec<Token>, at: usize) {
    let is_it = ["LOWER", "UPPER", "TRIM"]
        .iter()
        .any(|word| tokens[at].is(word));
    if is_it && is(tokens, at + 1, "(") && is(tokens, at + 3, ")") {
        tokens.remove(at + 3);
        tokens.drain(at..at + 2);
    }
}

/// `2026-01-31 10:00:00` and moments without their distance from UTC, also in quotes, where a moment is compared.
fn moments(tokens: &mut Vec<Token>, at: usize) {
    let Token::Literal(first) = &tokens[at] else {
        return;
    };
    let with_time = match tokens.get(at + 1) {
        Some(Token::Literal(time)) if time.contains(':') => Some(format!("{first} {time}")),
        _ => None,
    };
    let text = with_time.clone().unwrap_or_else(|| first.clone());
    if soql::DateTime::parse(&text).is_some() || !text.contains(':') || text.starts_with('-') {
        return;
    }
    if let Some(moment) = crate::meant::moments(&text).into_iter().next() {
        let both = at + usize::from(with_time.is_some());
        tokens.splice(at..=both, [Token::Literal(moment)]);
    }
}

/// `GETDATE()`, `CURRENT_DATE`.
fn today(tokens: &mut Vec<Token>, at: usize) {
    const NOW: [&str; 6] = [
        "GETDATE",
        "NOW",
        "CURDATE",
        "CURRENT_DATE",
        "CURRENT_TIMESTAMP",
        "SYSDATE",
    ];
    if !NOW.iter().any(|word| tokens[at].is(word)) {
        return;
    }
    let called = is(tokens, at + 1, "(") && is(tokens, at + 2, ")");
    let end = at + if called { 2 } else { 0 };
    tokens.splice(at..=end, [Token::word("TODAY")]);
}

/// `TODAY - 30`.
fn days_ago(tokens: &mut Vec<Token>, at: usize) {
    if !tokens[at].is("TODAY") {
        return;
    }
    let (days, end) = match (tokens.get(at + 1), tokens.get(at + 2)) {
        (Some(Token::Literal(days)), _) if days.starts_with('-') => (days[1..].to_owned(), at + 1),
        (Some(minus), Some(Token::Literal(days))) if minus.is("-") => (days.clone(), at + 2),
        _ => return,
    };
    if days.bytes().all(|digit| digit.is_ascii_digit()) {
        tokens.splice(at..=end, [Token::Word(format!("N_DAYS_AGO:{days}"))]);
    }
}

/// `TOP 10`, `FETCH FIRST 10 ROWS ONLY`.
fn top_and_fetch(tokens: &mut Vec<Token>, at: usize) {
    let (from, count, to) = match () {
        () if tokens[at].is("TOP") => (at, at + 1, at + 1),
        () if tokens[at].is("FETCH") && is(tokens, at + 4, "ONLY") => (at, at + 2, at + 4),
        () => return,
    };
    if let Some(Token::Literal(rows)) = tokens.get(count).cloned() {
        tokens.drain(from..=to);
        tokens.extend([Token::word("LIMIT"), Token::Literal(rows)]);
    }
}

fn comma_before_from(tokens: &mut Vec<Token>, at: usize) {
    if tokens[at].is(",") && is(tokens, at + 1, "FROM") {
        tokens.remove(at);
    }
}

/// A word that something is compared with, and that is no value, is a text without its quotes.
fn bare_text(tokens: &mut Vec<Token>, at: usize) {
    let Token::Word(word) = &tokens[at] else {
        return;
    };
    let compared = before(tokens, at).is_some_and(Token::is_comparison);
    let is_value = ["TRUE", "FALSE", "NULL"]
        .iter()
        .any(|value| word.eq_ignore_ascii_case(value));
    let parses = || soql::parse_query(&format!("SELECT Id FROM A WHERE F > {word}")).is_ok();
    if compared && !is_value && !is(tokens, at + 1, "(") && !parses() {
        tokens[at] = Token::Text(word.clone(), false);
    }
}

/// `SELECT DISTINCT a, b` are groups of `a` and `b`.
fn distinct(tokens: &mut Vec<Token>) {
    let from = tokens.iter().position(|token| token.is("FROM"));
    let (Some(from @ 2..), true) = (from, is(tokens, 1, "DISTINCT")) else {
        return;
    };
    let columns: Vec<Token> = tokens[2..from].to_vec();
    let group = [Token::word("GROUP"), Token::word("BY")]
        .into_iter()
        .chain(columns);
    let end = tokens
        .iter()
        .position(|token| {
            ["HAVING", "ORDER", "LIMIT", "OFFSET"]
                .iter()
                .any(|word| token.is(word))
        })
        .unwrap_or(tokens.len());
    tokens.splice(end..end, group);
    tokens.remove(1);
}

/// `LIMIT 20, 10` skips twenty rows.
fn limit_of_two(tokens: &mut Vec<Token>) {
    let Some(at) = tokens.iter().position(|token| token.is("LIMIT")) else {
        return;
    };
    if is(tokens, at + 2, ",") && at + 3 < tokens.len() {
        let (skipped, rows) = (tokens[at + 1].clone(), tokens[at + 3].clone());
        tokens.splice(at + 1..at + 4, [rows, Token::word("OFFSET"), skipped]);
    }
}
