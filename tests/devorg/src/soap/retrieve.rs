//! `retrieve`: records by their ids.

use super::Call;
use super::fault::Fault;
use super::node::Node;
use super::sobject::unknown_type;
use crate::id::Id;
use crate::records;

/// The most records of a call (*SOAP API Developer Guide*, "retrieve()").
const RECORDS_MAX: usize = 2_000;

impl Call<'_> {
    /// Gives a result for each id: the record, or nothing where there is none.
    pub(super) fn retrieve(&self) -> Result<Vec<Node>, Fault> {
        let operation = &self.envelope.operation;
        let fields = operation.text_of("fieldList").unwrap_or_default();
        let name = operation.text_of("sObjectType").unwrap_or_default();
        let org = self.shared.org();
        let session = &self.caller.session;
        let object = session
            .schema()
            .object(name)
            .ok_or_else(|| unknown_type(name))?;
        let ids: Vec<&str> = operation.all("ids").map(|id| id.text.trim()).collect();
        if ids.len() > RECORDS_MAX {
            let message = format!("retrieve id limit reached: {RECORDS_MAX}");
            return Err(Fault::api("EXCEEDED_ID_LIMIT", message));
        }
        let mut results = Vec::with_capacity(ids.len());
        for text in ids {
            let id = Id::parse(text).filter(|id| id.prefix() == object.key_prefix);
            let id =
                id.ok_or_else(|| Fault::api("MALFORMED_ID", format!("malformed id {text}")))?;
            let found = org
                .store
                .get(&object.name, id)
                .filter(|record| !record.deleted && session.may_read(&org, record));
            results.push(match found {
                None => Node::nil("result"),
                Some(found) => {
                    let row =
                        records::read(&org, session, object, found, Some(fields), &self.base())?;
                    let writer = self.writer(&org);
                    let is_id = |name: &str| name.trim().eq_ignore_ascii_case("Id");
                    match fields.split(',').any(is_id) {
                        true => writer.record("result", &row),
                        false => writer.retrieved("result", &row),
                    }
                }
            });
        }
        Ok(results)
    }
}
