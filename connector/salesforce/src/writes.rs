//! The toolsets that change records: one request a call, of one record or of up to 200.
//!
//! A change is checked against the describe, the record is read, what will change is announced with before and after, the
//! request is sent once, and the record is read again: what is not stored as asked is said. Nothing here repeats a change.

mod activity;
mod asked;
mod campaign;
mod create;
mod decimal;
mod delete;
mod email;
mod many;
pub(crate) mod moment;
mod note;
mod owner;
mod record;
mod refused;
mod said;
mod soap;
mod statuses;
mod targets;
mod update;
mod upsert;
mod value;
mod worded;

pub use activity::{
    AddCaseComment, CompleteTask, CreateEvent, CreateTask, LogCall, add_case_comment,
    complete_task, create_event, create_task, log_call,
};
pub use campaign::{SetCampaignMember, set_campaign_member};
pub use create::{CreateRecord, create_record};
pub(crate) use decimal::Decimal;
pub use delete::{DeleteRecord, delete_record};
pub use email::{Mailed, SendEmail, send_email};
pub use many::{
    CreateRecords, DeleteRecords, ManyWritten, UpdateRecords, create_records, delete_records,
    update_records,
};
pub use note::{AddNote, add_note};
pub use owner::{AssignOwner, assign_owner};
pub(crate) use refused::{Ended, unclear};
pub use said::Written;
pub use soap::{
    ConvertLead, Converted, MergeRecords, UndeleteRecord, convert_lead, merge_records,
    undelete_record,
};
pub use update::{UpdateRecord, update_record};
pub use upsert::{UpsertRecord, upsert_record};

/// What no announcement can foresee.
pub(crate) const UNFORESEEN: &str =
    "The org's triggers, flows and rules run, and may change more than this or refuse it.";

/// Days for which the recycle bin keeps a record (*Salesforce Help*, "Restore Deleted Records").
const BIN_DAYS: u32 = 15;

#[cfg(test)]
#[path = "writes/tests.rs"]
mod tests;
