//! `JOIN`: SOQL goes from a child to its parent by a path, so the query begins at the child.

use super::token::Token;

/// A table of a join.
struct Table {
    object: String,
    /// What its columns are written with.
    names: Vec<String>,
}

/// Rewrites a join of two tables; leaves a query without one as it is. `None`: it has another join, or one whose
/// relationship is not known.
pub(super) fn joined(
    tokens: &mut Vec<Token>,
    parent: impl Fn(&str, &str) -> Option<String>,
) -> Option<()> {
    let mut joins = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| token.is("JOIN"));
    let Some((join, _)) = joins.next() else {
        return Some(());
    };
    if joins.next().is_some() {
        return None;
    }
    let from = tokens[..join].iter().position(|token| token.is("FROM"))?;
    let on = join + tokens[join..].iter().position(|token| token.is("ON"))?;
    let first = Table::read(&tokens[from + 1..join])?;
    let second = Table::read(&tokens[join + 1..on])?;
    let end = on + 4;
    let (left, right) = match tokens.get(on + 1..end)? {
        [Token::Word(left), mark, Token::Word(right)] if mark.is("=") => {
            (left.clone(), right.clone())
        }
        _ => return None,
    };
    // The side that is an id is the parent's.
    let (child, upper, reference) =
        [(&left, &right), (&right, &left)]
            .into_iter()
            .find_map(|(reference, id)| {
                let (of_child, field) = reference.split_once('.')?;
                let (of_parent, id) = id.split_once('.')?;
                let tables = [(&first, &second), (&second, &first)];
                let (child, upper) = tables
                    .into_iter()
                    .find(|(child, upper)| child.is(of_child) && upper.is(of_parent))?;
                (id.eq_ignore_ascii_case("Id") && !field.eq_ignore_ascii_case("Id"))
                    .then_some((child, upper, field))
            })?;
    let relationship = parent(&child.object, reference)?;
    let rest: Vec<Token> = tokens.drain(end..).collect();
    tokens.truncate(from + 1);
    tokens.push(Token::word(&child.object));
    tokens.extend(rest);
    for token in tokens.iter_mut() {
        let Token::Word(word) = token else { continue };
        let Some((table, column)) = word.split_once('.') else {
            continue;
        };
        *word = match () {
            () if upper.is(table) => format!("{relationship}.{column}"),
            () if child.is(table) => column.to_owned(),
            () => continue,
        };
    }
    Some(())
}

impl Table {
    /// Reads `Contact`, `Contact c` or `Contact AS c`, before it `INNER`, `LEFT` and their like.
    fn read(tokens: &[Token]) -> Option<Self> {
        const KINDS: [&str; 6] = ["INNER", "LEFT", "RIGHT", "OUTER", "FULL", "AS"];
        let mut words = tokens
            .iter()
            .filter(|token| !KINDS.iter().any(|kind| token.is(kind)))
            .map(Token::as_word);
        let object = words.next()??.to_owned();
        let mut names = vec![object.clone()];
        for alias in words {
            names.push(alias?.to_owned());
        }
        Some(Self { object, names })
    }

    fn is(&self, name: &str) -> bool {
        self.names
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    }
}
