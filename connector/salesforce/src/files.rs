//! The `files` toolset: files of records, what is in those that hold text, and new ones.
//!
//! A file is a `ContentDocument` with versions, and is at a record by a link (*Object Reference*, "ContentDocument").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

mod list;
mod read;
mod text;
mod upload;

pub use list::{Files, ListFiles, list_files};
pub use read::{FileRead, ReadFile, read_file};
pub use upload::{UploadFile, Uploaded, upload_file};

/// The object of a file.
const DOCUMENT: &str = "ContentDocument";
/// The object of one version of it, which has the bytes.
const VERSION: &str = "ContentVersion";
/// The object that has a file at a record.
const LINK: &str = "ContentDocumentLink";

/// Decodes base64 (RFC 4648) with its padding; white space counts for nothing.
fn unbase64(text: &str) -> Option<Vec<u8>> {
    let plain = || text.split_whitespace().collect::<String>();
    let decoded = STANDARD.decode(text).or_else(|_| STANDARD.decode(plain()));
    decoded.ok()
}

#[cfg(test)]
#[path = "files/tests.rs"]
mod tests;
