//! A folder of describes, and what is wrong with it.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::description::{self, Mistake};
use super::schema;
use crate::objects;
use crate::schema::{Object, Schema};

/// Why the describes of a folder do not make a schema.
#[derive(Debug, thiserror::Error)]
pub enum DescribeError {
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
        "`{}` has no `*.json`; write a describe into it with `sf sobject describe --sobject NAME --json`", .folder.display()
    )]
    Empty {
        /// The folder.
        folder: PathBuf,
    },
    /// A file is no describe.
    #[error(
        "`{file}` is no describe of an object: {reason}; write it anew with `sf sobject describe --sobject NAME --json`"
    )]
    NoDescribe {
        /// The file's name.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A field is none that the org can have.
    #[error("`{file}`: field `{field}`: {reason}; take the field out of the file")]
    Field {
        /// The file's name.
        file: String,
        /// The field.
        field: String,
        /// What is wrong.
        reason: String,
    },
    /// Two files describe one object.
    #[error("`{file}` and `{other}` both describe `{object}`; take one of them away")]
    Twice {
        /// A file's name.
        file: String,
        /// The other's.
        other: String,
        /// The object.
        object: String,
    },
    /// Ids would not say what object they are of.
    #[error(
        "`{file}`: the ids of `{object}` begin with `{prefix}`, as those of `{other}` do; give one of them another `keyPrefix`"
    )]
    Prefix {
        /// The file's name.
        file: String,
        /// The object that it describes.
        object: String,
        /// The first three characters of its ids.
        prefix: String,
        /// The object that has them, too.
        other: String,
    },
}

/// An object and the file that describes it.
pub(super) struct Described {
    pub(super) file: String,
    pub(super) object: Object,
}

/// Makes the schema of the org with the objects that a folder describes.
///
/// # Errors
///
/// A file that is no describe, or one that does not go with another.
pub(super) fn read(folder: &Path) -> Result<Schema, DescribeError> {
    let mut described = Vec::new();
    for path in super::json_files(folder).map_err(|source| DescribeError::Read {
        path: folder.to_owned(),
        source,
        advice: "name the folder that the describes are in",
    })? {
        described.push(describe(&path)?);
    }
    if described.is_empty() {
        let folder = folder.to_owned();
        return Err(DescribeError::Empty { folder });
    }
    schema::with(objects::schema(), described)
}

fn describe(path: &Path) -> Result<Described, DescribeError> {
    let file = super::shown(path);
    let bytes = std::fs::read(path).map_err(|source| DescribeError::Read {
        path: path.to_owned(),
        source,
        advice: super::READABLE,
    })?;
    let read: Result<Json, _> = serde_json::from_slice(&bytes);
    let json = read.map_err(|error| DescribeError::NoDescribe {
        file: file.clone(),
        reason: error.to_string(),
    })?;
    match description::object(&json) {
        Ok(object) => Ok(Described { file, object }),
        Err(Mistake {
            field: Some(field),
            reason,
        }) => Err(DescribeError::Field {
            file,
            field,
            reason,
        }),
        Err(Mistake {
            field: None,
            reason,
        }) => Err(DescribeError::NoDescribe { file, reason }),
    }
}
