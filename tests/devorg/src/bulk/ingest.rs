//! Jobs that write: each row of the data is a record, and has its own end.

use std::collections::{HashMap, VecDeque};

use csv::StringRecord;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::Format;
use super::cells::{self, Column};
use super::format::Quotes;
use super::progress::Ended;
use super::saved;
use crate::error::ApiError;
use crate::id::Id;
use crate::org::{Org, Session};
use crate::records::{self, Key, WriteOptions};
use crate::schema::{Field, Object, Schema};

/// What a job that writes does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Operation {
    Insert,
    Update,
    Upsert,
    Delete,
    HardDelete,
}

impl Operation {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Upsert => "upsert",
            Self::Delete => "delete",
            Self::HardDelete => "hardDelete",
        }
    }
}

/// A job's data, and what became of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ingest {
    pub(crate) operation: Operation,
    /// The exact name of the field by which an upsert finds records.
    pub(crate) external_id_field: Option<String>,
    pub(crate) assignment_rule: Option<Id>,
    /// The data as it came, until the worker reads it.
    #[serde(with = "saved::bytes")]
    pub(crate) data: Option<Vec<u8>>,
    #[serde(with = "saved::row")]
    pub(super) header: StringRecord,
    /// The rows that nothing has been done about.
    #[serde(with = "saved::rows")]
    pub(super) unprocessed: VecDeque<StringRecord>,
    /// The other rows, each behind its record's id and whether that was made.
    #[serde(with = "saved::rows")]
    pub(super) successful: Vec<StringRecord>,
    /// Each behind its record's id, if it has one, and its error.
    #[serde(with = "saved::rows")]
    pub(super) failed: Vec<StringRecord>,
}

impl Ingest {
    /// Makes a job's work that has no data yet.
    pub(crate) fn new(
        operation: Operation,
        external_id_field: Option<String>,
        assignment_rule: Option<Id>,
    ) -> Self {
        Self {
            operation,
            external_id_field,
            assignment_rule,
            data: None,
            header: StringRecord::new(),
            unprocessed: VecDeque::new(),
            successful: Vec::new(),
            failed: Vec::new(),
        }
    }

    /// Reads the data into rows that wait.
    ///
    /// # Errors
    ///
    /// What the job says of itself when its data cannot be read.
    pub(crate) fn read(&mut self, format: Format) -> Result<(), String> {
        let table = format.read(&self.data.take().unwrap_or_default())?;
        self.header = table.header;
        self.unprocessed = table.rows.into();
        Ok(())
    }

    /// Gives the same work without data and rows.
    #[cfg(feature = "program")]
    pub(super) fn without_rows(&self) -> Self {
        let key = self.external_id_field.clone();
        Self::new(self.operation, key, self.assignment_rule)
    }

    pub(super) fn bytes(&self) -> usize {
        let done = self.successful.iter().chain(&self.failed);
        let rows = done
            .chain(&self.unprocessed)
            .map(|row| row.as_slice().len());
        self.data.as_ref().map_or(0, Vec::len) + rows.sum::<usize>()
    }

    /// Writes the rows that came through.
    pub(crate) fn successful_results(&self, format: Format) -> Vec<u8> {
        self.results(format, ["sf__Id", "sf__Created"], &self.successful)
    }

    /// Writes the rows that did not.
    pub(crate) fn failed_results(&self, format: Format) -> Vec<u8> {
        self.results(format, ["sf__Id", "sf__Error"], &self.failed)
    }

    /// Writes the rows that were left, as they came.
    pub(crate) fn unprocessed_records(&self, format: Format) -> Vec<u8> {
        if self.header.is_empty() {
            return Vec::new();
        }
        let header = std::iter::once(&self.header);
        format.write(header.chain(&self.unprocessed), Quotes::Needed)
    }

    fn results(&self, format: Format, added: [&str; 2], rows: &[StringRecord]) -> Vec<u8> {
        let header: StringRecord = added.into_iter().chain(&self.header).collect();
        format.write(std::iter::once(&header).chain(rows), Quotes::Needed)
    }
}

/// What a user is told who may not delete for good.
pub(crate) const NO_HARD_DELETE: &str = "hardDelete operation requires special user profile permission, please contact \
                                         your system administrator";

/// Says that there is no such object for jobs.
pub(crate) fn not_supported(object: &str) -> String {
    format!("Entity '{object}' is not supported by the Bulk API.")
}

/// Says whether a user's profile lets records be deleted for good.
pub(crate) fn may_hard_delete(org: &Org, session: &Session) -> bool {
    let profile = org.profile(session.user_id);
    let allowed = profile.and_then(|profile| profile.get("PermissionsBulkApiHardDelete").as_bool());
    allowed.unwrap_or_default()
}

/// Finds the field by which an upsert finds records; other operations have none.
///
/// # Errors
///
/// The words for a field that is missing or none.
pub(crate) fn key_field(
    object: &Object,
    operation: Operation,
    name: Option<&str>,
) -> Result<Option<String>, String> {
    if operation != Operation::Upsert {
        return Ok(None);
    }
    let label = &object.name;
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Err(format!(
            "External ID was blank for {label}. An External ID must be specified for upsert."
        ));
    };
    let field = object.field(name);
    let field = field.filter(|field| field.external_id || field.id_lookup);
    let field = field.ok_or_else(|| {
        format!("Field name provided, {name} does not match an External ID for {label}")
    })?;
    Ok(Some((*field.name).to_owned()))
}

/// How a job writes rows: its columns are known.
#[derive(Debug)]
pub(super) struct Writer<'s> {
    operation: Operation,
    object: &'s Object,
    columns: Vec<Column<'s>>,
    /// The field that says which record a row is, and its column.
    key: Option<(&'s str, usize)>,
}

impl<'s> Writer<'s> {
    /// Finds the columns of a job's data.
    ///
    /// # Errors
    ///
    /// What the job says of itself: a column is nothing, is missing or is one too many.
    pub(super) fn new(
        schema: &'s Schema,
        object: &'s Object,
        ingest: &Ingest,
    ) -> Result<Self, String> {
        let operation = ingest.operation;
        let columns = cells::columns(schema, object, &ingest.header)?;
        let key = match operation {
            Operation::Insert => None,
            Operation::Upsert => ingest.external_id_field.as_deref(),
            _ => Some("Id"),
        };
        let key = match key {
            Some(name) if !ingest.header.is_empty() => Some(place(&columns, name)?),
            _ => None,
        };
        let deletes = matches!(operation, Operation::Delete | Operation::HardDelete);
        if deletes && columns.len() > 1 {
            return Err("InvalidBatch : Only Id can be specified for delete".into());
        }
        Ok(Self {
            operation,
            object,
            columns,
            key,
        })
    }

    fn key_of<'r>(&self, row: &'r StringRecord) -> Option<&'r str> {
        let cell = row.get(self.key?.1)?.trim();
        (!cell.is_empty()).then_some(cell)
    }

    /// Gives the id that a row says its record has.
    fn id_of(&self, row: &StringRecord) -> String {
        let named = self.key.filter(|(name, _)| *name == "Id");
        let cell = named.and_then(|_| self.key_of(row)).unwrap_or_default();
        Id::parse(cell).map_or_else(|| cell.to_owned(), |id| id.to_string())
    }

    /// Writes rows, and gives each with its end put before it.
    pub(super) fn write(&self, org: &mut Org, session: &Session, rows: &[StringRecord]) -> Ended {
        let exact = self.key.is_some_and(|(name, _)| {
            let field = self.object.field(name);
            field.is_some_and(Field::case_sensitive)
        });
        let folded = |key: &str| match exact {
            true => key.to_owned(),
            false => key.to_lowercase(),
        };
        let mut keys: HashMap<String, usize> = HashMap::new();
        if self.operation == Operation::Upsert {
            for key in rows.iter().filter_map(|row| self.key_of(row)) {
                *keys.entry(folded(key)).or_default() += 1;
            }
        }
        let mut ended = Ended::default();
        for row in rows {
            let twice = self
                .key_of(row)
                .filter(|key| keys.get(&folded(key)).is_some_and(|count| *count > 1));
            let done = match (twice, self.key) {
                // Rows that come together must not be about one record.
                (Some(key), Some((field, _))) => {
                    let message = format!("Duplicate external id specified: {key}");
                    let fields = [field.to_owned()];
                    Err(ApiError::of_fields("DUPLICATE_VALUE", message, fields))
                }
                _ => self.write_row(org, session, row),
            };
            let (list, added) = match done {
                Ok((id, created)) => {
                    let added = [id.to_string(), created.to_string()];
                    (&mut ended.successful, added)
                }
                Err(error) => {
                    let added = [self.id_of(row), cells::sentence(&error)];
                    (&mut ended.failed, added)
                }
            };
            // A row may be shorter than the header, and is not any more.
            let width = self.columns.len().max(row.len());
            let cells = (0..width).map(|at| row.get(at).unwrap_or_default());
            let added = added.iter().map(String::as_str);
            list.push(added.chain(cells).collect());
        }
        ended
    }

    fn write_row(
        &self,
        org: &mut Org,
        session: &Session,
        row: &StringRecord,
    ) -> Result<(Id, bool), ApiError> {
        let key = self.key.map(|(name, _)| name);
        let target = Target {
            operation: self.operation,
            object: self.object,
            key,
        };
        let record = cells::record(org, session, &self.columns, row, key)?;
        apply(org, session, target, self.key_of(row), record)
    }
}

/// What is done to a record, and how it is found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'t> {
    pub(super) operation: Operation,
    pub(super) object: &'t Object,
    /// The field that says which record it is.
    pub(super) key: Option<&'t str>,
}

/// Writes one record; `given` is the value of its key, which `record` is without. Gives its id and
/// whether it was made.
pub(super) fn apply(
    org: &mut Org,
    session: &Session,
    target: Target<'_>,
    given: Option<&str>,
    record: Map<String, Json>,
) -> Result<(Id, bool), ApiError> {
    let object = target.object;
    match target.operation {
        Operation::Insert => Ok((
            records::insert(org, session, object, &record, &WriteOptions::default())?,
            true,
        )),
        Operation::Update => {
            let id = existing(org, session, object, given)?;
            change(org, session, object, id, record)
        }
        Operation::Delete => {
            let id = existing(org, session, object, given)?;
            records::remove(org, session, object, id)?;
            Ok((id, false))
        }
        Operation::HardDelete => {
            let id = existing(org, session, object, given)?;
            records::erase(org, session, object, id)?;
            Ok((id, false))
        }
        Operation::Upsert => upsert(org, session, target, given, record),
    }
}

/// Finds the record that an id names.
fn existing(
    org: &Org,
    session: &Session,
    object: &Object,
    given: Option<&str>,
) -> Result<Id, ApiError> {
    let given = given.ok_or_else(|| {
        let message = "Id not specified in an update call";
        ApiError::of_fields("MISSING_ARGUMENT", message, ["Id".to_owned()])
    })?;
    if Id::parse(given).is_none() {
        return Err(records::incorrect_id(object, given));
    }
    Ok(records::by_id(org, session, object, given, false)?.id)
}

fn change(
    org: &mut Org,
    session: &Session,
    object: &Object,
    id: Id,
    record: Map<String, Json>,
) -> Result<(Id, bool), ApiError> {
    records::update(org, session, object, id, &record, &WriteOptions::default())?;
    Ok((id, false))
}

fn upsert(
    org: &mut Org,
    session: &Session,
    target: Target<'_>,
    given: Option<&str>,
    record: Map<String, Json>,
) -> Result<(Id, bool), ApiError> {
    let object = target.object;
    let name = target.key.unwrap_or("Id");
    let found = match given {
        None if name == "Id" => None,
        None => {
            let message = format!("{name} not specified");
            let fields = [name.to_owned()];
            return Err(ApiError::of_fields("MISSING_ARGUMENT", message, fields));
        }
        Some(_) if name == "Id" => Some(existing(org, session, object, given)?),
        Some(key) => match records::by_field(org, session, object, name, key)? {
            Key::One(id) => Some(id),
            Key::None => None,
            Key::Several(ids) => return Err(cells::several(&ids)),
        },
    };
    if let Some(id) = found {
        return change(org, session, object, id, record);
    }
    let mut record = record;
    if let Some(key) = given {
        record.insert(name.to_owned(), key.into());
    }
    let id = records::insert(org, session, object, &record, &WriteOptions::default())?;
    Ok((id, true))
}

/// Finds the column of a field.
fn place<'s>(columns: &[Column<'s>], name: &str) -> Result<(&'s str, usize), String> {
    let mut columns = columns.iter().enumerate();
    columns
        .find_map(|(at, column)| match column {
            Column::Own(field) if &*field.name == name => Some((&*field.name, at)),
            _ => None,
        })
        .ok_or_else(|| format!("InvalidBatch : Field name not found : {name}"))
}
