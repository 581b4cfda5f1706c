//! A likeness of somebody's own org: its objects from describes, its records from an export.
//!
//! First the schema is made, then the org with what every org has by itself, then the records. Each
//! is refused whole: an org that was loaded in part would be like no other.

mod describes;
mod description;
mod load;
mod needed;
mod notes;
mod problem;
mod reference;
mod schema;
mod sources;
mod tree;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use jiff::Timestamp;

use crate::error::StartError;
use crate::objects;
use crate::org::Org;
use crate::schema::Schema;
pub use describes::DescribeError;
pub use problem::{DataError, Problem, Problems};

/// Makes the org that is asked for: with the objects that the folder `describes` adds, and the
/// records of the folder `data` in the place of the sample's. Gives what there is to say of it, too.
/// `loaded` counts the records on the way.
///
/// # Errors
///
/// What is wrong with a file of either folder.
pub(crate) fn org(
    now: Timestamp,
    describes: Option<&Path>,
    data: Option<&Path>,
    loaded: &AtomicU64,
) -> Result<(Org, Vec<String>), StartError> {
    match (describes, data) {
        (None, None) => Ok((Org::sample(now), Vec::new())),
        (Some(_), None) => {
            let org = Org::sample_of(schema(describes)?, now);
            let notes = left_out(&org.schema);
            Ok((org, notes))
        }
        (_, Some(folder)) => {
            let schema = schema(describes)?;
            let (mut org, administrator) = Org::bare(schema, now);
            let mut notes = left_out(&org.schema);
            notes.extend(load::load(&mut org, administrator, folder, loaded)?);
            Ok((org, notes))
        }
    }
}

/// Says which fields of the describes the org does not have.
fn left_out(schema: &Schema) -> Vec<String> {
    let objects = schema.objects.iter();
    let fields = objects.flat_map(|object| {
        let fields = object.left_out.iter();
        // The org's own may have stayed in its place.
        let fields = fields.filter(|(name, _)| object.field(name).is_none());
        fields.map(|(name, kind)| {
            let object = &object.name;
            format!("{object}.{name}: left out, since this org has no fields of type `{kind}`")
        })
    });
    fields.collect()
}

/// Makes the schema of the org, with the objects that a folder describes.
///
/// # Errors
///
/// What is wrong with a file of the folder.
pub(crate) fn schema(describes: Option<&Path>) -> Result<Schema, DescribeError> {
    match describes {
        Some(folder) => describes::read(folder),
        None => Ok(objects::schema()),
    }
}

/// What to do about a file that is there and cannot be read.
const READABLE: &str = "let whoever starts the org read it";

/// Gives the `*.json` of a folder, by name.
fn json_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let json = path
            .extension()
            .is_some_and(|end| end.eq_ignore_ascii_case("json"));
        if json && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Gives a file's name, as people are told it.
fn shown(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}
