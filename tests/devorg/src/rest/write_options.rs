//! What the headers of a write say.
//!
//! `Sforce-Duplicate-Rule-Header` is followed. `Sforce-Auto-Assign` is taken and changes nothing, since
//! the org has no assignment rules; so is `Sforce-Call-Options`, whose client name nothing depends on.

use super::Call;
use crate::records::WriteOptions;

impl Call<'_> {
    /// Reads `Sforce-Duplicate-Rule-Header: allowSave=true; includeRecordDetails=true`.
    pub(super) fn write_options(&self) -> WriteOptions<'_> {
        let header = self.request.header("sforce-duplicate-rule-header");
        let set = |name: &str| {
            header.is_some_and(|header| {
                header.split([';', ',']).any(|option| {
                    option.split_once('=').is_some_and(|(known, value)| {
                        known.trim().eq_ignore_ascii_case(name)
                            && value.trim().eq_ignore_ascii_case("true")
                    })
                })
            })
        };
        WriteOptions {
            allow_duplicates: set("allowSave"),
            include_record_details: set("includeRecordDetails"),
            base: Some(&self.base),
        }
    }
}
