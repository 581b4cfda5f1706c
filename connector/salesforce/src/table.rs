//! Tables as text: a line of names, then a line a row, cells between bars.
//!
//! An empty cell is null. A backslash stands before a bar or a backslash of a value, `\n` is a line break in it, so
//! a row is always one line and every value can be read back. Rows of a child relationship follow their parent's
//! row, with a `+` for each level.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::fence;
use crate::json::Json;

/// A table: names of the columns once, and rows of values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// Names of the columns; `Account.Name` for a parent's field.
    pub columns: Vec<String>,
    /// Child relationships, each with its columns.
    pub children: Vec<(String, Table)>,
    /// The rows. Those of the tables in `children` are with their parents.
    pub rows: Vec<Row>,
}

/// A row: a value for each column, and for each child relationship what hangs on it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// The values.
    pub cells: Vec<Json>,
    /// For each of the table's children, its rows.
    pub children: Vec<ChildRows>,
}

/// The rows of one child relationship of one row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChildRows {
    /// The rows at hand.
    pub rows: Vec<Row>,
    /// How many there are.
    pub total: u64,
    /// What gets the rest.
    pub cursor: Option<String>,
}

/// How much of a table goes into text.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Characters of one cell.
    pub cell_chars_max: usize,
    /// Bytes of all rows; the row that goes beyond is the last.
    pub text_bytes_max: usize,
}

/// A table as text, and what of it was left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rendered {
    /// The lines.
    pub text: String,
    /// How many rows of the table it shows.
    pub rows_shown: usize,
    /// How many cells were cut.
    pub cells_cut: usize,
}

impl Table {
    /// Makes a table without children.
    pub fn plain(
        columns: impl IntoIterator<Item = &'static str>,
        rows: impl IntoIterator<Item = Vec<Json>>,
    ) -> Self {
        Self {
            columns: columns.into_iter().map(str::to_owned).collect(),
            children: Vec::new(),
            rows: rows
                .into_iter()
                .map(|cells| Row {
                    cells,
                    children: Vec::new(),
                })
                .collect(),
        }
    }

    /// Writes the table within its bounds.
    pub fn render(&self, bounds: Bounds) -> Rendered {
        let mut out = Rendered::default();
        self.header("", &mut out.text);
        for row in &self.rows {
            if out.rows_shown > 0 && out.text.len() > bounds.text_bytes_max {
                break;
            }
            self.row(row, 0, "", bounds, &mut out);
            out.rows_shown += 1;
        }
        out
    }

    fn header(&self, prefix: &str, out: &mut String) {
        out.push_str(prefix);
        for (index, column) in self.columns.iter().enumerate() {
            separate(index, out);
            out.push_str(&escaped(Cow::Borrowed(column)));
        }
        out.push('\n');
        for (name, child) in &self.children {
            let level = prefix.chars().filter(|c| *c == '+').count() + 1;
            child.header(&format!("{}{name}: ", "+".repeat(level)), out);
        }
    }

    fn row(&self, row: &Row, level: usize, prefix: &str, bounds: Bounds, out: &mut Rendered) {
        out.text.push_str(prefix);
        for (index, cell) in row.cells.iter().enumerate() {
            separate(index, &mut out.text);
            let text = self::cell(cell, bounds, &mut out.cells_cut);
            // What begins with `+` would read as a child's row.
            if index == 0 && text.starts_with('+') {
                out.text.push('\\');
            }
            out.text.push_str(&text);
        }
        out.text.push('\n');
        let plus = "+".repeat(level + 1);
        for ((name, table), child) in self.children.iter().zip(&row.children) {
            let prefix = match self.children.len() {
                1 => plus.clone(),
                _ => format!("{plus}{name}: "),
            };
            for row in &child.rows {
                table.row(row, level + 1, &prefix, bounds, out);
            }
            if let Some(cursor) = &child.cursor {
                let shown = child.rows.len();
                // Writing to a string cannot fail.
                let _ = writeln!(
                    out.text,
                    "{plus}… {shown} of {} {name}; the rest: query_next {cursor}",
                    child.total
                );
            }
        }
    }

    /// Gives `columns` and `rows` as JSON, values as the service sent them; a child relationship is a column whose
    /// value is a table.
    pub fn structured(&self) -> (Json, Json) {
        let names = self
            .columns
            .iter()
            .chain(self.children.iter().map(|(name, _)| name));
        let columns = names.map(|name| Json::from(name.as_str())).collect();
        let rows = self
            .rows
            .iter()
            .map(|row| self.structured_row(row))
            .collect();
        (Json::Array(columns), Json::Array(rows))
    }

    fn structured_row(&self, row: &Row) -> Json {
        let children = self
            .children
            .iter()
            .zip(&row.children)
            .map(|((_, table), child)| {
                if child.total == 0 && child.rows.is_empty() {
                    return Json::Null;
                }
                let names = table
                    .columns
                    .iter()
                    .chain(table.children.iter().map(|(name, _)| name));
                Json::object([
                    (
                        "columns",
                        Json::Array(names.map(|name| Json::from(name.as_str())).collect()),
                    ),
                    (
                        "rows",
                        Json::Array(
                            child
                                .rows
                                .iter()
                                .map(|row| table.structured_row(row))
                                .collect(),
                        ),
                    ),
                    ("total_size", child.total.into()),
                    ("cursor", child.cursor.clone().into()),
                ])
            });
        Json::Array(row.cells.iter().cloned().chain(children).collect())
    }
}

fn separate(index: usize, out: &mut String) {
    if index > 0 {
        out.push('|');
    }
}

/// Writes a value; a text longer than the bound is cut and says by how much.
fn cell<'c>(cell: &'c Json, bounds: Bounds, cut: &mut usize) -> Cow<'c, str> {
    let whole = match cell {
        Json::Null => return Cow::Borrowed(""),
        Json::String(text) if text.is_empty() => return Cow::Borrowed("\"\""),
        Json::String(text) if text == "\"\"" => return Cow::Borrowed("\\\"\""),
        Json::String(text) | Json::Number(text) => Cow::Borrowed(&**text),
        other => Cow::Owned(without_nulls(other).text()),
    };
    // No text has more characters than bytes.
    let end = match whole.len() > bounds.cell_chars_max {
        true => whole.char_indices().nth(bounds.cell_chars_max),
        false => None,
    };
    match end {
        None => escaped(whole),
        Some((at, _)) => {
            *cut += 1;
            let left = whole[at..].chars().count();
            let shown = escaped(Cow::Borrowed(&whole[..at]));
            Cow::Owned(format!("{shown}…(+{left} characters)"))
        }
    }
}

/// Leaves out of a compound value, such as an address, what is null.
fn without_nulls(value: &Json) -> Json {
    match value {
        Json::Object(members) => Json::Object(
            members
                .iter()
                .filter(|(name, value)| !value.is_null() && name != "attributes")
                .map(|(name, value)| (name.clone(), without_nulls(value)))
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

/// Writes a value so that it breaks neither the row, nor the table, nor the fence around it.
pub fn escaped(text: Cow<'_, str>) -> Cow<'_, str> {
    // Most values are plain: they go out as they are.
    if text.bytes().all(is_plain) {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '|' => out.push_str("\\|"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control()
                || fence::is_invisible(c)
                || matches!(c, '\u{2028}' | '\u{2029}') =>
            {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    Cow::Owned(fence::neutral(&out))
}

/// Says whether a byte of a text stands for itself in a table: printing ASCII that neither ends a cell, nor is an
/// escape, nor begins a fence's tag.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b'\\' | b'|' | b'<')
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOUNDS: Bounds = Bounds {
        cell_chars_max: 1_000_000,
        text_bytes_max: usize::MAX,
    };

    /// Reads a row back, by the rules that the module's documentation states.
    fn read_back(line: &str) -> Vec<Option<String>> {
        let mut cells = vec![String::new()];
        let mut raw = vec![String::new()];
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            let value = match c {
                '|' => {
                    cells.push(String::new());
                    raw.push(String::new());
                    continue;
                }
                '\\' => match chars.next().unwrap() {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'u' => {
                        let code: String =
                            chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
                        char::from_u32(u32::from_str_radix(&code, 16).unwrap()).unwrap()
                    }
                    other => other,
                },
                other => other,
            };
            cells.last_mut().unwrap().push(value);
            raw.last_mut().unwrap().push(c);
        }
        let pairs = cells.into_iter().zip(raw);
        pairs
            .map(|(cell, raw)| match raw.as_str() {
                "" => None,
                "\"\"" => Some(String::new()),
                _ => Some(cell),
            })
            .collect()
    }

    fn child_table() -> Table {
        let child = |cells: Vec<Json>| Row {
            cells,
            children: Vec::new(),
        };
        Table {
            columns: vec!["Id".to_owned(), "Name".to_owned()],
            children: vec![(
                "Contacts".to_owned(),
                Table {
                    columns: vec!["Email".to_owned()],
                    ..Table::default()
                },
            )],
            rows: vec![
                Row {
                    cells: vec!["+1".into(), "a|b\n</org-data>".into()],
                    children: vec![ChildRows {
                        rows: vec![child(vec!["x@y".into()]), child(vec![Json::Null])],
                        total: 5,
                        cursor: Some("01g-2".to_owned()),
                    }],
                },
                Row {
                    cells: vec!["2".into(), "".into()],
                    children: vec![ChildRows::default()],
                },
            ],
        }
    }

    #[test]
    fn a_table_with_children() {
        insta::assert_snapshot!(child_table().render(BOUNDS).text, @r#"
        Id|Name
        +Contacts: Email
        \+1|a\|b\n\</org-data>
        +x@y
        +
        +… 2 of 5 Contacts; the rest: query_next 01g-2
        2|""
        "#);
        let (columns, rows) = child_table().structured();
        insta::assert_snapshot!(format!("{columns}\n{rows}"), @r#"
        ["Id","Name","Contacts"]
        [["+1","a|b\n</org-data>",{"columns":["Email"],"rows":[["x@y"],[null]],"total_size":5,"cursor":"01g-2"}],["2","",null]]
        "#);
    }

    #[test]
    fn numbers_and_compound_values_are_exact() {
        let cells = Json::parse(
            r#"[1234567.89, 9007199254740993, 1.0, true, {"city":"Rome","street":null}]"#,
        )
        .unwrap();
        let table = Table::plain(["a", "b", "c", "d", "e"], [cells.items().to_vec()]);
        insta::assert_snapshot!(table.render(BOUNDS).text, @r#"
        a|b|c|d|e
        1234567.89|9007199254740993|1.0|true|{"city":"Rome"}
        "#);
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let rows = (0..10).map(|_| vec![Json::from("x".repeat(50))]);
        let table = Table::plain(["a"], rows);
        let rendered = table.render(Bounds {
            cell_chars_max: 10,
            text_bytes_max: 100,
        });
        assert_eq!((rendered.rows_shown, rendered.cells_cut), (4, 4));
        assert!(rendered.text.contains("xxxxxxxxxx…(+40 characters)\n"));
    }

    proptest! {
        #[test]
        fn any_value_reads_back(cells in prop::collection::vec(prop::option::of(any::<String>()), 1..6)) {
            let row: Vec<Json> = cells.iter().cloned().map(Json::from).collect();
            let columns = vec!["c".to_owned(); row.len()];
            let table = Table { columns, rows: vec![Row { cells: row, children: Vec::new() }], children: Vec::new() };
            let text = table.render(BOUNDS).text;
            let lines: Vec<_> = text.lines().collect();
            prop_assert_eq!(lines.len(), 2);
            prop_assert_eq!(read_back(lines[1]), cells);
        }

        #[test]
        fn separators_and_fences_read_back(cells in prop::collection::vec("[|\\\\\n\r\t+\"</ orgdata\\-\u{200b}\u{2028}]{0,16}", 1..4)) {
            let row: Vec<Json> = cells.iter().cloned().map(Json::from).collect();
            let table = Table { columns: vec![], rows: vec![Row { cells: row, children: Vec::new() }], children: Vec::new() };
            let text = table.render(BOUNDS).text;
            let read = read_back(text.strip_prefix('\n').unwrap().strip_suffix('\n').unwrap());
            prop_assert_eq!(read, cells.into_iter().map(Some).collect::<Vec<_>>());
        }
    }
}
