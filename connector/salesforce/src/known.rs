//! Fields of standard objects that a tool asks for of its own accord.
//!
//! What the agent may not see is left out before anything is sent, with what would sort or choose by it. What the account does
//! not have shows when the service refuses: then describes say what there is, and the query is sent once more. So an
//! account that sees everything pays one request, and no describe.

use std::cell::{Cell, RefCell};

use portcullis_sdk::http::{Request, path};
use portcullis_sdk::permissions::Access;
use portcullis_sdk::{Failure, Reason};

use crate::client::{Client, ReadError, TIME_ZONE_FACT};
use crate::json::Json;
use crate::names;
use crate::touched::Touched;

/// No kind of record has a name like this, and none can be compared with it: only an agent that is not limited in what it
/// reads may read it.
const WHATEVER: &str = "*";

/// Rows a page: as many as the service gives.
const BATCH: &str = "batchSize=2000";

/// Which of its own fields a tool can ask for.
pub struct Known<'c, 'h> {
    client: &'c Client<'h>,
    by_describes: bool,
    hides: Cell<bool>,
    /// Objects that the account turned out not to have.
    missing: RefCell<Vec<String>>,
}

/// A query that a tool makes, and what it touches.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked<T> {
    /// The query.
    pub soql: String,
    /// Objects and fields; the one queried first.
    pub touched: Vec<Touched>,
    /// What the tool needs to read the answer.
    pub plan: T,
    /// Whether something is left out that this agent may not see.
    pub hides: bool,
}

impl Known<'_, '_> {
    /// Says whether a field can be asked for; a parent's by its path, such as `Owner.Name`.
    ///
    /// # Errors
    /// A describe was refused.
    pub fn has(&self, kind: &str, path: &str) -> Result<bool, ReadError> {
        for (kind, field) in touches(kind, path) {
            let seen = self.client.may_read(&kind)
                && !self
                    .client
                    .visible_fields(&kind, std::slice::from_ref(&field))
                    .is_empty();
            if !seen {
                self.hides.set(true);
                return Ok(false);
            }
            if self.by_describes && !self.is_there(&kind, &field)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Keeps those of `paths` that can be asked for.
    ///
    /// # Errors
    /// A describe was refused.
    pub fn keep<'p>(&self, kind: &str, paths: &[&'p str]) -> Result<Vec<&'p str>, ReadError> {
        let mut kept = Vec::with_capacity(paths.len());
        for path in paths {
            if self.has(kind, path)? {
                kept.push(*path);
            }
        }
        Ok(kept)
    }

    /// Says whether all of `paths` can be asked for.
    ///
    /// # Errors
    /// A describe was refused.
    pub fn has_all(&self, kind: &str, paths: &[&str]) -> Result<bool, ReadError> {
        Ok(self.keep(kind, paths)?.len() == paths.len())
    }

    fn is_there(&self, kind: &str, field: &str) -> Result<bool, ReadError> {
        if self.missing.borrow().iter().any(|known| known == kind) {
            return Ok(false);
        }
        match self.client.describe(kind) {
            Ok(describe) => Ok(describe.field(field).is_some()),
            Err(ReadError::Service(error)) if matches!(error.status, 400 | 403 | 404) => {
                self.missing.borrow_mut().push(kind.to_owned());
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

/// Makes a query by what can be asked for, asks the host about it, and sends it; once more where the account
/// turns out to have less than the query asks for.
///
/// # Errors
/// The agent may not see what the tool cannot do without, or the service refuses.
pub fn ask<T>(
    client: &Client<'_>,
    make: impl Fn(&Known<'_, '_>) -> Result<Asked<T>, ReadError>,
) -> Result<(Json, Asked<T>), ReadError> {
    ask_by(client, query, make)
}

/// How a query is sent that the host has been asked about.
pub type Sender = fn(&Client<'_>, &str) -> Result<Json, ReadError>;

/// As [`ask`], sent by another way than [`query`].
///
/// # Errors
/// As [`ask`].
pub fn ask_by<T>(
    client: &Client<'_>,
    by: Sender,
    make: impl Fn(&Known<'_, '_>) -> Result<Asked<T>, ReadError>,
) -> Result<(Json, Asked<T>), ReadError> {
    let mut known = Known {
        client,
        by_describes: false,
        hides: Cell::new(false),
        missing: RefCell::default(),
    };
    let asked = made(&known, &make)?;
    let error = match send(client, by, &asked) {
        Ok(reply) => return Ok((reply, asked)),
        Err(ReadError::Service(error)) if error.is("INVALID_FIELD") || error.is("INVALID_TYPE") => {
            error
        }
        Err(error) => return Err(error),
    };
    known.by_describes = true;
    let less = made(&known, &make)?;
    if less.soql == asked.soql {
        return Err(ReadError::Service(error));
    }
    Ok((send(client, by, &less)?, less))
}

fn made<T>(
    known: &Known<'_, '_>,
    make: impl Fn(&Known<'_, '_>) -> Result<Asked<T>, ReadError>,
) -> Result<Asked<T>, ReadError> {
    known.hides.set(false);
    let mut asked = make(known)?;
    asked.hides = known.hides.get();
    Ok(asked)
}

fn send<T>(client: &Client<'_>, by: Sender, asked: &Asked<T>) -> Result<Json, ReadError> {
    client.check(&asked.touched)?;
    by(client, &asked.soql)
}

/// Says what a refusal means of a query that a tool made by itself: no argument is wrong, the account lacks the object, which
/// people call `what`.
pub fn refused(error: ReadError, what: &str) -> Failure {
    let error = match error {
        ReadError::Service(error) => error,
        ReadError::Failed(failure) => return failure,
    };
    let is_missing = error.is("INVALID_TYPE") || error.is("INVALID_FIELD");
    let mut failure = Failure::from(error);
    if is_missing {
        failure.reason = Reason::NotPermitted;
        failure.hint = Some(format!(
            "the user who is signed in may not see {what}, or the org has none; an administrator of the org can change that"
        ));
    }
    failure
}

/// Sends a query that the host has been asked about.
///
/// # Errors
/// The service refuses.
pub fn query(client: &Client<'_>, soql: &str) -> Result<Json, ReadError> {
    let version = client.version()?;
    let reply = client.read(|| {
        Request::get(path!("/services/data/{}/query", version))
            .query(&[("q", soql)])
            .header("Sforce-Query-Options", BATCH)
    })?;
    Ok(reply.json)
}

/// Adds what paths touch to what is touched already.
pub fn touch(touched: &mut Vec<Touched>, kind: &str, paths: &[&str]) {
    for (kind, field) in paths.iter().flat_map(|path| touches(kind, path)) {
        let at = touched.iter().position(|known| known.kind == kind);
        let at = at.unwrap_or_else(|| {
            touched.push(Touched {
                kind,
                fields: Vec::new(),
            });
            touched.len() - 1
        });
        if !touched[at].fields.contains(&field) {
            touched[at].fields.push(field);
        }
    }
}

/// Lists the objects and fields that a path leads over and to.
fn touches(kind: &str, path: &str) -> Vec<(String, String)> {
    let mut kind = kind.to_owned();
    let mut parts = path.split('.').peekable();
    let mut touched = Vec::new();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            touched.push((kind.clone(), part.to_owned()));
        } else {
            touched.push((kind, format!("{part}Id")));
            kind = match part {
                "Owner" | "CreatedBy" | "LastModifiedBy" => "User",
                "LatestPublishedVersion" => "ContentVersion",
                same => same,
            }
            .to_owned();
        }
    }
    touched
}

/// Asks the host about what a tool cannot do without. A refusal says what that is to people, and no name of an object, which
/// the caller has not given.
///
/// # Errors
/// `not-permitted`; `what` says what may not be seen: `reports`.
pub fn require(client: &Client<'_>, what: &str, kind: &str, paths: &[&str]) -> Result<(), Failure> {
    let mut touched = Vec::new();
    touch(&mut touched, kind, paths);
    client
        .check(&touched)
        .map_err(|_| Failure::not_permitted(format!("this agent may not see {what}")))
}

/// Refuses what cannot be told to the host field by field, of an agent that is limited in what it reads.
///
/// # Errors
/// `not-permitted`; `what` says what it would have been: `a report`.
pub fn require_unlimited(client: &Client<'_>, what: &str) -> Result<(), Failure> {
    match client.host.check(&[Access::read(WHATEVER, [""; 0])]) {
        Ok(()) => Ok(()),
        Err(_) => Err(Failure::not_permitted(format!(
            "{what} shows fields that cannot be told beforehand, and this agent is limited in what it reads"
        ))
        .hint("query asks for the same by objects and fields")),
    }
}

/// Asks the host whether the agent may read the object that an id is of. For an agent that is not limited nothing is looked up.
///
/// # Errors
/// `not-permitted`, also where nobody knows of which object it is; or the org does not answer.
pub fn check_record(client: &Client<'_>, id: &str) -> Result<(), Failure> {
    if client
        .host
        .check(&[Access::read(WHATEVER, [""; 0])])
        .is_ok()
    {
        return Ok(());
    }
    let kind = match names::object_of(id) {
        Some(kind) => kind.to_owned(),
        None => {
            let objects = crate::schema::objects(client)?;
            let is_it = |object: &&Json| {
                object
                    .str_at("keyPrefix")
                    .is_some_and(|prefix| !prefix.is_empty() && id.starts_with(prefix))
            };
            let found = objects.items().iter().find(is_it);
            let kind = found.and_then(|object| object.str_at("name"));
            kind.unwrap_or(WHATEVER).to_owned()
        }
    };
    let allowed = client.host.check(&[Access::read(&kind, ["Id"])]);
    allowed.map_err(|_| unreadable(id))
}

/// Refuses a record of an object that the agent may not read: in the same words whether there is such an object or not.
pub fn unreadable(id: &str) -> Failure {
    Failure::not_permitted(format!(
        "this agent may not read the record {id}, or nobody knows of which object it is"
    ))
}

/// Says in which time zone moments are, and which one is the user's.
pub fn about_moments(client: &Client<'_>) -> String {
    match client.fact(TIME_ZONE_FACT) {
        Some(zone) => format!("times are UTC; the user's time zone is {zone}"),
        None => "times are UTC".to_owned(),
    }
}

/// Writes a text for SOQL, in quotes.
pub fn quoted(text: &str) -> String {
    format!("'{}'", escaped(text))
}

/// Writes a pattern for `LIKE` of whatever holds a text, in quotes.
pub fn holding(text: &str) -> String {
    let plain = escaped(text).replace('%', "\\%").replace('_', "\\_");
    format!("'%{plain}%'")
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '\'' | '"' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::testing::Org;

    #[test]
    fn a_path_touches_what_it_leads_over() {
        let mut touched = Vec::new();
        touch(
            &mut touched,
            "ContentDocumentLink",
            &["ContentDocument.Owner.Name", "LinkedEntityId"],
        );
        let said: Vec<String> = touched
            .iter()
            .map(|touched| format!("{}: {}", touched.kind, touched.fields.join(",")))
            .collect();
        assert_eq!(
            said,
            [
                "ContentDocumentLink: ContentDocumentId,LinkedEntityId",
                "ContentDocument: OwnerId",
                "User: Name"
            ]
        );
    }

    #[test]
    fn a_text_cannot_leave_its_quotes() {
        assert_eq!(quoted("O'Hara\\\n"), "'O\\'Hara\\\\\\n'");
        assert_eq!(holding("5%_'"), "'%5\\%\\_\\'%'");
    }

    #[test]
    fn only_who_is_not_limited_reads_whatever_there_is() {
        let org = Org::new();
        assert!(require_unlimited(&Client::new(&org), "a report").is_ok());
        assert!(check_record(&Client::new(&org), "a00000000000001AAA").is_ok());
        assert!(org.requests().is_empty());

        let list = r#"{"sobjects":[{"name":"Site__c","keyPrefix":"a00"}]}"#;
        let org = Org::new().forbid("*").forbid("Case").answer(
            "/services/data/v68.0/sobjects",
            200,
            list,
        );
        let client = Client::new(&org);
        assert!(require_unlimited(&client, "a report").is_err());
        assert!(check_record(&client, "001000000000001AAA").is_ok());
        assert!(check_record(&client, "500000000000001AAA").is_err());
        assert!(org.requests().is_empty());
        assert!(check_record(&client, "a00000000000001AAA").is_ok());
        assert!(check_record(&client, "a99000000000001AAA").is_err());
    }
}
