//! What is wrong with records, said so that a person can mend them.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::error::ApiError;

/// How many problems are told; whoever has mended these asks again.
const PROBLEMS_MAX: usize = 20;

/// Why the records of a folder were not loaded.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The folder or a file in it cannot be read.
    #[error("cannot read `{}`: {source}; {advice}", .path.display())]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
        /// What to do.
        advice: &'static str,
    },
    /// There is nothing to load.
    #[error(
        "`{}` has no `*.json`; write records into it with `sf data export tree --plan --output-dir`", .folder.display()
    )]
    Empty {
        /// The folder.
        folder: PathBuf,
    },
    /// A file is no tree of records.
    #[error(
        "`{file}` has no records as `sf data export tree` writes them: {reason}; export it anew, or take it away"
    )]
    NoTree {
        /// The file's name.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A file is no plan.
    #[error(
        "`{file}` is no plan as `sf data export tree --plan` writes it: {reason}; export it anew, or take it away"
    )]
    NoPlan {
        /// The file's name.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The org refuses records.
    #[error(
        "the org does not take these records:\n{problems}mend the files, or load your org's own describes, too"
    )]
    Refused {
        /// What it refuses.
        problems: Problems,
    },
}

/// What an org refuses of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file's name.
    pub file: String,
    /// Which of its records: `record 3 (ContactRef3)`.
    pub place: String,
    /// The field, unless it is about the record as a whole.
    pub field: Option<String>,
    /// Salesforce's code and message.
    pub error: ApiError,
}

/// The first problems of a folder's records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a problem.
    pub(super) fn add(&mut self, problem: Problem) {
        if !self.are_enough() {
            self.0.push(problem);
        }
    }

    /// Says whether nobody wants to know of another.
    pub(super) fn are_enough(&self) -> bool {
        self.0.len() >= PROBLEMS_MAX
    }

    /// Gives the problems as an error, if there are any.
    pub(super) fn end(self) -> Result<(), DataError> {
        match self.0.is_empty() {
            true => Ok(()),
            false => Err(DataError::Refused { problems: self }),
        }
    }

    /// Gives them in the order of the files.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Problem {
            file,
            place,
            field,
            error,
        } in &self.0
        {
            let field = field
                .as_deref()
                .map_or(String::new(), |field| format!("{field}: "));
            writeln!(f, "  {file}: {place}: {field}{error}")?;
        }
        if self.are_enough() {
            writeln!(f, "  and perhaps more")?;
        }
        Ok(())
    }
}
