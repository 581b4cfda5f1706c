//! How much an org keeps, and may keep.
//!
//! What is in the recycle bin counts too, unlike in Salesforce: its memory is taken all the same.

use crate::error::ApiError;
use crate::limits::Limit;
use crate::org::Org;
use crate::schema::FieldType;

/// Salesforce counts two kilobytes a record, whatever is in it.
const RECORD_BYTES: u64 = 2 * 1_024;
/// The bytes of a megabyte.
pub(crate) const MEGABYTE: u64 = 1_024 * 1_024;

/// How much an org may keep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Storage {
    /// The bytes of all records.
    pub(crate) data_bytes_max: u64,
    /// The bytes of all files.
    pub(crate) file_bytes_max: u64,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            data_bytes_max: Limit::DataStorageMB.default_max() * MEGABYTE,
            file_bytes_max: Limit::FileStorageMB.default_max() * MEGABYTE,
        }
    }
}

impl Org {
    /// Counts the bytes of files.
    pub(crate) fn file_bytes(&self) -> u64 {
        let with_files = self.schema.objects.iter().filter(|object| {
            let mut fields = object.fields.iter();
            fields.any(|field| field.field_type == FieldType::Base64)
        });
        with_files
            .map(|object| self.store.blob_bytes(&object.name))
            .sum()
    }

    /// Counts the bytes of records, as Salesforce does.
    pub(crate) fn data_bytes(&self) -> u64 {
        // Files have a storage of their own.
        let objects = self.schema.objects.iter();
        objects
            .filter(|object| !object.name.starts_with("Content"))
            .map(|object| self.store.len(&object.name) as u64 * RECORD_BYTES)
            .sum()
    }

    /// Refuses another record where there is no room for it.
    ///
    /// # Errors
    ///
    /// `STORAGE_LIMIT_EXCEEDED`.
    pub(crate) fn check_room_for_record(&self) -> Result<(), ApiError> {
        check(
            self.data_bytes() + RECORD_BYTES,
            self.storage.data_bytes_max,
        )
    }

    /// Refuses further records of objects whose ids are used up.
    ///
    /// # Errors
    ///
    /// `LIMIT_EXCEEDED`.
    pub(crate) fn check_ids(&self, objects: &[&str]) -> Result<(), ApiError> {
        let used_up = |object: &&&str| {
            let object = self.schema.object(object);
            object.is_some_and(|object| !self.store.has_next_id(&object.name, &object.key_prefix))
        };
        let Some(object) = objects.iter().find(used_up) else {
            return Ok(());
        };
        let message =
            format!("there are no more ids for {object}: the last one is taken; start a new org");
        Err(ApiError::bad_request("LIMIT_EXCEEDED", message))
    }

    /// Refuses bytes of a file where there is no room for them; `replaced` are given up for them.
    ///
    /// # Errors
    ///
    /// `STORAGE_LIMIT_EXCEEDED`.
    pub(crate) fn check_room_for_file(&self, bytes: u64, replaced: u64) -> Result<(), ApiError> {
        if bytes == 0 {
            return Ok(());
        }
        let kept = self.file_bytes().saturating_sub(replaced);
        check(kept + bytes, self.storage.file_bytes_max)
    }
}

fn check(bytes: u64, max: u64) -> Result<(), ApiError> {
    if bytes <= max {
        return Ok(());
    }
    Err(ApiError::bad_request(
        "STORAGE_LIMIT_EXCEEDED",
        "storage limit exceeded",
    ))
}
