//! CSV as a job has it: its delimiter and its line endings.

use csv::{ByteRecord, ReaderBuilder, StringRecord, Terminator, WriterBuilder};
use serde::{Deserialize, Serialize};

/// What is between columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum ColumnDelimiter {
    Backquote,
    Caret,
    #[default]
    Comma,
    Pipe,
    Semicolon,
    Tab,
}

/// What is between rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum LineEnding {
    #[default]
    #[serde(rename = "LF")]
    Lf,
    #[serde(rename = "CRLF")]
    CrLf,
}

/// How a job's CSV is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Format {
    pub(crate) delimiter: ColumnDelimiter,
    pub(crate) line_ending: LineEnding,
}

/// Which values are in quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    /// Those that need them.
    Needed,
    /// All, as results of queries have them.
    All,
}

/// Rows under their header.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) header: StringRecord,
    pub(super) rows: Vec<StringRecord>,
}

impl ColumnDelimiter {
    fn byte(self) -> u8 {
        match self {
            Self::Backquote => b'`',
            Self::Caret => b'^',
            Self::Comma => b',',
            Self::Pipe => b'|',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }
}

impl LineEnding {
    fn word(self) -> &'static str {
        match self {
            Self::Lf => "LF",
            Self::CrLf => "CRLF",
        }
    }
}

impl Format {
    /// Reads a header and rows; rows that are longer than the header are refused.
    ///
    /// # Errors
    ///
    /// What a job that cannot be read says of itself.
    pub(super) fn read(self, data: &[u8]) -> Result<Table, String> {
        let data = data.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(data);
        self.check_line_ending(data)?;
        let terminator = match self.line_ending {
            LineEnding::Lf => Terminator::Any(b'\n'),
            LineEnding::CrLf => Terminator::CRLF,
        };
        let mut reader = ReaderBuilder::new()
            .delimiter(self.delimiter.byte())
            .terminator(terminator)
            .has_headers(false)
            .flexible(true)
            .from_reader(data);
        let mut table = Table::default();
        let mut record = ByteRecord::new();
        let mut number = 0_u64;
        while reader
            .read_byte_record(&mut record)
            .map_err(|error| format!("ClientInputError : {error}"))?
        {
            number += 1;
            let row = StringRecord::from_byte_record(record.clone())
                .map_err(|_| format!("ClientInputError : line {number} is not UTF-8"))?;
            if number == 1 {
                table.header = row;
                continue;
            }
            if row.len() > table.header.len() {
                return Err(format!(
                    "InvalidBatch : The number of columns of row {number} exceeds that of the header"
                ));
            }
            table.rows.push(row);
        }
        Ok(table)
    }

    /// Checks the end of the first line, which tells how the data is written.
    fn check_line_ending(self, data: &[u8]) -> Result<(), String> {
        let mut quoted = false;
        let end = data.iter().position(|byte| {
            quoted ^= *byte == b'"';
            !quoted && *byte == b'\n'
        });
        let Some(end) = end else {
            return Ok(());
        };
        let before = end.checked_sub(1).and_then(|before| data.get(before));
        let found = match before {
            Some(b'\r') => LineEnding::CrLf,
            _ => LineEnding::Lf,
        };
        if found == self.line_ending {
            return Ok(());
        }
        Err(format!(
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {}",
            self.line_ending.word()
        ))
    }

    /// Writes rows.
    pub(super) fn write<'r>(
        self,
        rows: impl IntoIterator<Item = &'r StringRecord>,
        quotes: Quotes,
    ) -> Vec<u8> {
        let mut writer = WriterBuilder::new()
            .delimiter(self.delimiter.byte())
            .terminator(match self.line_ending {
                LineEnding::Lf => Terminator::Any(b'\n'),
                LineEnding::CrLf => Terminator::CRLF,
            })
            .quote_style(match quotes {
                Quotes::Needed => csv::QuoteStyle::Necessary,
                Quotes::All => csv::QuoteStyle::Always,
            })
            .flexible(true)
            .from_writer(Vec::new());
        for row in rows {
            let _ = writer.write_record(row); // Memory takes everything.
        }
        writer.into_inner().unwrap_or_default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn formats() -> impl Strategy<Value = Format> {
        use ColumnDelimiter::*;
        let delimiters = vec![Backquote, Caret, Comma, Pipe, Semicolon, Tab];
        let endings = vec![LineEnding::Lf, LineEnding::CrLf];
        (
            prop::sample::select(delimiters),
            prop::sample::select(endings),
        )
            .prop_map(|(delimiter, line_ending)| Format {
                delimiter,
                line_ending,
            })
    }

    proptest! {
        /// What is written is read again, whatever is in it.
        #[test]
        fn a_table_comes_back(format in formats(), quotes in prop::sample::select(vec![Quotes::Needed, Quotes::All]),
                              columns in 1..5_usize, cells in prop::collection::vec("([a-z\"`^,|;\t #/é]|\r|\n|\r\n){0,6}", 0..40)) {
            let header: StringRecord = (0..columns).map(|at| format!("c{at}")).collect();
            let rows: Vec<StringRecord> = cells.chunks_exact(columns).map(StringRecord::from_iter).collect();
            let written = format.write(std::iter::once(&header).chain(&rows), quotes);
            let table = format.read(&written).unwrap();
            prop_assert_eq!(table, Table { header, rows });
        }

        #[test]
        fn any_bytes_are_a_table_or_an_error(format in formats(), data in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(table) = format.read(&data) {
                prop_assert!(table.rows.iter().all(|row| row.len() <= table.header.len()));
            }
        }
    }

    #[test]
    fn the_line_ending_must_be_the_jobs() {
        let crlf = Format {
            line_ending: LineEnding::CrLf,
            ..Format::default()
        };
        let message = |setting| {
            Err(format!(
                "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is {setting}"
            ))
        };
        let cases: [(Format, &str, Result<usize, String>); 7] = [
            (Format::default(), "A\nx\n", Ok(1)),
            (Format::default(), "A\r\nx\r\n", message("LF")),
            (crlf, "A\r\nx\r\n", Ok(1)),
            (crlf, "A\nx\n", message("CRLF")),
            (crlf, "\"A\nB\"\r\nx\r\n", Ok(1)),
            (Format::default(), "", Ok(0)),
            (Format::default(), "\u{FEFF}A\nx\n\ny", Ok(2)),
        ];
        for (format, data, expected) in cases {
            let rows = format.read(data.as_bytes()).map(|table| table.rows.len());
            assert_eq!(rows, expected, "{data:?}");
        }
    }
}
