//! `delete_record`: one record to the recycle bin, with what goes with it.

use portcullis_sdk::approvals::Change;
use portcullis_sdk::http::{Request, path};
use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Effect, Failure, Output, Reason};
use schemars::JsonSchema;
use serde::Deserialize;

use super::record::{self, Found, Select};
use super::refused::Ended;
use super::said::Done;
use super::{BIN_DAYS, UNFORESEEN};
use crate::client::Client;
use crate::describe::{Child, Describe};
use crate::host::Host;
use crate::json::Json;
use crate::lookup;
use crate::names;

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
    let id = names::record_id(&args.id)
        .map_err(|failure| lookup::with_named(&client, kind, &args.id, failure))?;
    let id = names::long_id(id);
    host.check(&[Access::new(Effect::Destructive, kind, Vec::<String>::new())])?;

    let describe = record::describe(&client, kind)?;
    let kind = describe.name();
    if !describe.is("deletable") {
        let message = format!("this user may not delete records of `{kind}`, or nobody may");
        return Err(
            Failure::not_permitted(message).hint("describe_object says what the object allows")
        );
    }
    record::check_id(&client, &describe, &id)?;
    let children = cascading(&describe);
    // Nobody may learn by what is deleted which objects there are, nor delete what is hidden.
    if children.iter().any(|child| !client.may_read(child.kind)) {
        let message = format!(
            "with a record of `{kind}` go records of objects that this agent may not see, so it may not delete one"
        );
        return Err(Failure::not_permitted(message));
    }
    let mut select = Select::new(&client, &describe, &[]);
    select.extras = children
        .iter()
        .take(COUNTED_MAX)
        .map(|child| {
            format!(
                "(SELECT Id FROM {} LIMIT {})",
                child.relationship,
                COUNT_MAX + 1
            )
        })
        .collect();
    host.step(
        &format!("Read {kind} and counted what hangs on it"),
        Some(&id),
    );
    let before = select.find(&client, &describe, &id)?;
    let cascade = Cascade::of(&children, &before);
    // What is deleted with the record is deleted by this agent, too.
    let with_it = cascade
        .kinds
        .iter()
        .map(|kind| Access::new(Effect::Destructive, *kind, Vec::<String>::new()));
    host.check(&with_it.collect::<Vec<_>>())?;

    let label = before.label(&client, &describe);
    let change = announcement(&client, &describe, &before, &label, &cascade.notes);
    let version = client.version()?;
    let path = path!("/services/data/{}/sobjects/{}/{}", version, kind, before.id);
    let mut notes = cascade.notes;
    match Ended::of(host.change(&[change], Request::delete(path))) {
        Ended::Done(_) => {}
        Ended::Refused(failure) | Ended::Changed(failure) => return Err(failure),
        Ended::Unclear(failure) => notes.push(settle(&client, kind, &before.id, failure)?),
    }
    host.step(&format!("Deleted {kind}"), Some(&before.id));
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

fn undo(describe: &Describe) -> String {
    match describe.is("undeletable") {
        true => format!(
            "Restore it from the Recycle Bin in Salesforce, which keeps it for {BIN_DAYS} days with what was deleted along with it."
        ),
        false => format!(
            "Not possible: the recycle bin does not keep records of {}.",
            describe.name()
        ),
    }
}

/// What is deleted with a record.
struct Cascade<'d> {
    /// The kinds of which there are records.
    kinds: Vec<&'d str>,
    /// For the person, and for the answer.
    notes: Vec<String>,
}

impl<'d> Cascade<'d> {
    fn of(children: &[Child<'d>], before: &Found) -> Self {
        let (mut kinds, mut counted, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
        for child in children {
            let count = match before.json.get_folded(child.relationship) {
                Some(Json::Null) => Some(0),
                Some(rows) => rows.count_at("totalSize"),
                None => None,
            };
            match count {
                Some(0) => {}
                Some(count) => {
                    let count = match count > COUNT_MAX {
                        true => format!("more than {COUNT_MAX}"),
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
        kinds.sort_unstable();
        kinds.dedup();
        Self { kinds, notes }
    }
}

/// The children that go with a record, but for what Salesforce keeps for itself: histories, feeds, shares, and views of other kinds.
fn cascading(describe: &Describe) -> Vec<Child<'_>> {
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
    Err(Failure {
        reason: Reason::Unavailable,
        hint: None,
        ..failure
    }
    .hint(hint))
}
