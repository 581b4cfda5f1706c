//! What to do with a text that is no SOQL and was not meant to be a query, or is one but for its quotes.

/// What changes records in SQL and in Apex, and the tool that does.
const CHANGES: [(&str, &str); 6] = [
    ("INSERT", "create_record"),
    ("UPDATE", "update_record"),
    ("UPSERT", "upsert_record"),
    ("DELETE", "delete_record"),
    ("UNDELETE", "undelete_record"),
    ("MERGE", "merge_records"),
];

/// Says what to do instead. `None`: nothing is known of it.
pub fn advice(text: &str) -> Option<String> {
    let word = text.split_whitespace().next();
    let Some(word) = word else {
        return Some("write: SELECT Id, Name FROM Account LIMIT 10".to_owned());
    };
    let mut changes = CHANGES.iter();
    if let Some((_, tool)) = changes.find(|(change, _)| word.eq_ignore_ascii_case(change)) {
        return Some(format!("query only reads: {tool} does this"));
    }
    let meant = with_quotes_escaped(text)?;
    Some(format!("write `\\'` for a quote within a text: {meant}"))
}

/// Escapes the quotes that stand between letters, if that makes it SOQL: `'O'Brien'`.
fn with_quotes_escaped(text: &str) -> Option<String> {
    let mut escaped = String::with_capacity(text.len() + 2);
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
        if c == '\'' && is_letter(before) && is_letter(rest.peek().copied()) {
            escaped.push('\\');
        }
        escaped.push(c);
        before = Some(c);
    }
    let query = soql::parse_query(&escaped).ok()?;
    query.writes().is_none().then_some(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_and_a_quote_are_told() {
        for (text, advised) in [
            ("", Some("write: SELECT Id, Name FROM Account LIMIT 10")),
            (" \n", Some("write: SELECT Id, Name FROM Account LIMIT 10")),
            (
                "update Account SET Name = 'x'",
                Some("query only reads: update_record does this"),
            ),
            (
                "DELETE FROM Account",
                Some("query only reads: delete_record does this"),
            ),
            (
                "SELECT Id FROM Account WHERE Name='O'Brien' AND Site = 'D'Arc'",
                Some(
                    r"write `\'` for a quote within a text: SELECT Id FROM Account WHERE Name='O\'Brien' AND Site = 'D\'Arc'",
                ),
            ),
            (
                "SELECT Id FROM Account WHERE Name='O'Brien' UPDATE TRACKING",
                None,
            ),
            ("SELECT Id FROM Account WHERE Name='Li", None),
            ("Acme", None),
        ] {
            assert_eq!(advice(text).as_deref(), advised, "{text}");
        }
    }
}
