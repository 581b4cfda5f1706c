//! `delete_record`: one record to the recycle bin, with what goes with it.

use portcullis_sdk::approvals::Change;
use portcullis_sdk::http::{Request, path};
use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Effect, Failure, Output};
use schemars::JsonSchema;
use serde::Deserialize;

use super::record::{self, Found, Select};
use super::refused::{self, Ended};
use super::said::Done;
use super::{BIN_DAYS, UNFORESEEN};
use crate::client::Client;
use crate::describe::{Child, Describe};
use crate::host::{Host, Step};
use crate::json::Json;
use crate::lookup;
use crate::names;
use crate::order;

/// A query takes 20 child subqueries (*SOQL and SOSL Reference*, "Relationship Query Limitations").
const COUNTED_MAX: usize = 20;

/// Children are counted up to here: beyond it, it is many.
const COUNT_MAX: u64 = 200;

/// What `delete_record` is asked.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct DeleteRecord {
    /// API name, such as `Account`.
    object: String,
    /// 15 or 18 characters.
    id: String,
}

/// Deletes a record.
///
/// # Errors
/// It is not there, or may not be deleted; others need it.
pub fn delete_record(host: &dyn Host, args: &DeleteRecord) -> Result<Output, Failure> {
    let client = Client::new(host);
    let kind = lookup::object_name(&client, &args.object)?;
    let id = lookup::record_id(&client, kind, &args.id)?;
    let id = names::long_id(id);
    host.check(&[Access::new(Effect::Destructive, kind, Vec::<String>::new())])?;

    let describe = record::describe(&client, kind)?;
    let kind = describe.name();
    check_deletable(&describe)?;
    record::check_id(&client, &describe, &id)?;
    let children = cascading(&describe);
    check_children(&client, kind, &children)?;
    let mut select = Select::new(&client, &describe, &[]);
    select.extras = counting(&children, COUNT_MAX);
    host.step(
        &format!("Read {kind} and counted what hangs on it"),
        Some(&id),
    );
    let before = select.find(&client, &describe, &id)?;
    let cascade = Cascade::of(&children, &[&before], COUNT_MAX);
    // What is deleted with the record is deleted by this agent, too.
    cascade.check(&client)?;

    let label = before.label(&client, &describe);
    let change = announcement(&client, &describe, &before, &label, &cascade.notes);
    let version = client.version()?;
    let path = path!("/services/data/{}/sobjects/{}/{}", version, kind, before.id);
    let mut notes = cascade.notes;
    let step = Step {
        title: format!("Delete {kind}"),
        detail: Some(&before.id),
    };
    let sent = host.change(&step, &[change], Request::delete(path));
    match Ended::of(&client, kind, sent) {
        Ended::Done(_) => {}
        Ended::Refused(failure) if failure.service_code.as_deref() == Some("DELETE_FAILED") => {
            return Err(needed(&client, &describe, failure));
        }
        Ended::Refused(failure) | Ended::Changed(failure) => return Err(failure),
        Ended::Unclear(failure) => notes.push(settle(&client, kind, &before.id, failure)?),
    }
    notes.push(undo(&describe));
    let done = Done {
        done: "deleted",
        describe: &describe,
        id: &before.id,
        label: &label,
        asked: &[],
        before: None,
        stored: None,
        notes,
    };
    Ok(done.answer(&client))
}

/// Refuses where records of objects that the agent may not see would go along: nobody may learn by what is deleted which objects
/// there are, nor delete what is hidden.
///
/// # Errors
/// `not-permitted`.
pub(super) fn check_children(
    client: &Client<'_>,
    kind: &str,
    children: &[Child<'_>],
) -> Result<(), Failure> {
    if children.iter().all(|child| client.may_read(child.kind)) {
        return Ok(());
    }
    let message = format!(
        "with a record of `{kind}` go records of objects that this agent may not see, so it may not delete one"
    );
    Err(Failure::not_permitted(message))
}

/// Refuses where the user may not delete records of the object.
///
/// # Errors
/// `not-permitted`.
pub(super) fn check_deletable(describe: &Describe) -> Result<(), Failure> {
    if describe.is("deletable") {
        return Ok(());
    }
    let kind = describe.name();
    let message = format!("this user may not delete records of `{kind}`, or nobody may");
    Err(Failure::not_permitted(message).hint("describe_object says what the object allows"))
}

/// Others need the record: the service's words name their objects, and are kept where the agent may see them all.
fn needed(client: &Client<'_>, describe: &Describe, failure: Failure) -> Failure {
    match describe.children().all(|child| client.may_read(child.kind)) {
        true => failure,
        false => Failure {
            message: "other records need this one, so the org does not delete it".to_owned(),
            ..failure
        },
    }
}

fn announcement(
    client: &Client<'_>,
    describe: &Describe,
    before: &Found,
    label: &str,
    cascade: &[String],
) -> Change {
    let kind = describe.name();
    let mut change = Change::new("delete", kind, label)
        .id(&before.id)
        .url(names::record_url(client.origin(), kind, &before.id));
    for note in cascade {
        change = change.note(note);
    }
    change.note(UNFORESEEN).undo(undo(describe))
}

pub(super) fn undo(describe: &Describe) -> String {
    match describe.is("undeletable") {
        true => format!(
            "undelete_record restores it, or a person from the Recycle Bin in Salesforce, which keeps it for {BIN_DAYS} days with what was deleted along with it."
        ),
        false => format!(
            "Not possible: the recycle bin does not keep records of {}.",
            describe.name()
        ),
    }
}

/// Selects the children of a record, to count them.
pub(super) fn counting(children: &[Child<'_>], count_max: u64) -> Vec<String> {
    let counted = children.iter().take(COUNTED_MAX).map(|child| {
        let relationship = child.relationship;
        format!("(SELECT Id FROM {relationship} LIMIT {})", count_max + 1)
    });
    counted.collect()
}

/// What is deleted with records.
pub(super) struct Cascade<'d> {
    /// The kinds of which there are records.
    kinds: Vec<&'d str>,
    /// For the person, and for the answer.
    pub(super) notes: Vec<String>,
}

impl<'d> Cascade<'d> {
    /// Asks whether the agent may delete all of it. What it may not even read is not named.
    ///
    /// # Errors
    /// `not-permitted`.
    pub(super) fn check(&self, client: &Client<'_>) -> Result<(), Failure> {
        for kind in &self.kinds {
            let access = Access::new(Effect::Destructive, *kind, Vec::<String>::new());
            client.host.check(&[access]).map_err(|failure| match client.may_read(kind) {
                true => failure,
                false => Failure::not_permitted(
                    "records that this agent may not see or delete are deleted with it, so nothing was deleted",
                ),
            })?;
        }
        Ok(())
    }

    /// Counts the children of records, of each of which at most `count_max` were read.
    pub(super) fn of(children: &[Child<'d>], before: &[&Found], count_max: u64) -> Self {
        let (mut kinds, mut counted, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
        for child in children {
            let mut counts =
                before
                    .iter()
                    .map(|before| match before.json.get_folded(child.relationship) {
                        Some(Json::Null) => Some((0, false)),
                        Some(rows) => {
                            let count = rows.count_at("totalSize")?;
                            Some((count.min(count_max), count > count_max))
                        }
                        None => None,
                    });
            let count = counts.try_fold((0, false), |sum: (u64, bool), count| {
                let (count, more) = count?;
                Some((sum.0 + count, sum.1 || more))
            });
            match count {
                Some((0, _)) => {}
                Some((count, more)) => {
                    let count = match more {
                        true => format!("more than {count}"),
                        false => count.to_string(),
                    };
                    counted.push(format!("{count} {} ({})", child.kind, child.relationship));
                    kinds.push(child.kind);
                }
                None => unknown.push(child.kind),
            }
        }
        unknown.dedup();
        let mut notes = Vec::new();
        if !counted.is_empty() {
            notes.push(format!(
                "Deleted with it: {}, and what hangs on these.",
                counted.join(", ")
            ));
        } else if unknown.is_empty() {
            notes.push("No other records are known to be deleted with it.".to_owned());
        }
        if !unknown.is_empty() {
            let shown = unknown
                .iter()
                .take(12)
                .copied()
                .collect::<Vec<_>>()
                .join(", ");
            let more = match unknown.len().saturating_sub(12) {
                0 => String::new(),
                more => format!(" and {more} more kinds"),
            };
            notes.push(format!(
                "Deleted with it, as many as there are (they could not be counted): {shown}{more}."
            ));
        }
        // Where nothing is known of them, all may be there.
        kinds.extend(unknown);
        order::sort_once(&mut kinds);
        Self { kinds, notes }
    }
}

/// The children that go with a record, but for what Salesforce keeps for itself: histories, feeds, shares, and views of other kinds.
pub(super) fn cascading(describe: &Describe) -> Vec<Child<'_>> {
    const VIEWS: [&str; 12] = [
        "ActivityHistory",
        "AttachedContentDocument",
        "CollaborationGroupRecord",
        "CombinedAttachment",
        "DuplicateRecordItem",
        "EntitySubscription",
        "NetworkUserHistoryRecent",
        "NoteAndAttachment",
        "OpenActivity",
        "ProcessInstance",
        "RecordAction",
        "TopicAssignment",
    ];
    let is_own = |kind: &str| {
        VIEWS.contains(&kind)
            || [
                "History",
                "Feed",
                "Share",
                "CleanInfo",
                "ChangeEvent",
                "ResourcePreference",
            ]
            .iter()
            .any(|end| kind.ends_with(end))
    };
    describe
        .children()
        .filter(|child| child.cascades && !is_own(child.kind))
        .collect()
}

/// The answer was lost: whether the record is still there says what came of it.
fn settle(client: &Client<'_>, kind: &str, id: &str, failure: Failure) -> Result<String, Failure> {
    use crate::client::ReadError;
    let gone = match record::again(client, kind, id, &["Id".to_owned()]) {
        Err(ReadError::Service(error)) => error.is("ENTITY_IS_DELETED") || error.is("NOT_FOUND"),
        _ => false,
    };
    if gone {
        return Ok("the org's answer was lost; the record is gone".to_owned());
    }
    let hint = format!(
        "it may have been deleted all the same, and was not tried again: get_record {{\"object\": \"{kind}\", \"id\": \"{id}\"}} shows whether it is there"
    );
    Err(refused::unclear(failure, hint))
}
