//! Links to the pages where a person decides.
//!
//! The attack: another user of the machine, who has read or guessed a question's id, opens the page in the person's name; an agent, which
//! is given the link of its own question to hand on, opens those of other agents by it, or those of later days. Where people sign in, a
//! link says nothing but where to look. Where nobody does, on the person's own machine, it has a proof that this store made it: of one
//! question, for as long as that is open; or of the list, which no agent is given, for some minutes.

use jiff::Timestamp;
use portcullis::ApprovalId;
use portcullis_policy::{Origin, PersonId};
use portcullis_store::{Store, StoreError};
use url::form_urlencoded;

use super::LINK_LASTS;

/// What a page of questions is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Questions {
    /// All that wait for a person.
    All,
    /// One.
    One(ApprovalId),
}

impl Questions {
    /// Gives the page's path.
    pub(crate) fn path(self) -> String {
        match self {
            Self::All => "/approvals".to_owned(),
            Self::One(id) => format!("/approve/{id}"),
        }
    }

    /// Gives when a link that is made now ends, in seconds of Unix time. That of a question ends with the question.
    fn ends(self) -> Option<i64> {
        let lasts = i64::try_from(LINK_LASTS.as_secs()).unwrap_or_default();
        (self == Self::All).then(|| Timestamp::now().as_second() + lasts)
    }

    /// Gives what is proved by a link for a person. It is no challenge that others may have answered.
    fn challenge(self, person: &PersonId, ends: Option<i64>) -> String {
        match ends {
            Some(ends) => format!("{} {person} {ends}", self.path()),
            None => format!("{} {person}", self.path()),
        }
    }

    /// Makes the query by which a person is let in where nobody signs in.
    pub(crate) async fn query(
        self,
        store: &Store,
        person: &PersonId,
    ) -> Result<String, StoreError> {
        let ends = self.ends();
        let key = store.prove(&self.challenge(person, ends)).await?;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("of", person.as_str());
        if let Some(ends) = ends {
            query.append_pair("until", &ends.to_string());
        }
        Ok(query.append_pair("key", &key).finish())
    }

    /// Says for whom a query was made; none where it was not made for this page, by this store, or has ended.
    pub(crate) async fn person(self, store: &Store, query: &str) -> Option<PersonId> {
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let param = |wanted: &str| {
            let mut found = pairs.iter().filter(|(name, _)| name == wanted);
            let (_, value) = found.next()?;
            found.next().is_none().then_some(value)
        };
        let person = PersonId::parse(param("of")?.to_string()).ok()?;
        let ends = match self {
            Self::All => {
                let ends: i64 = param("until")?.parse().ok()?;
                if ends <= Timestamp::now().as_second() {
                    return None;
                }
                Some(ends)
            }
            Self::One(_) => None,
        };
        let is_it = store
            .is_proof(&self.challenge(&person, ends), param("key")?)
            .await;
        is_it.then_some(person)
    }
}

/// Gives the address of a page of questions for a person; none where the store cannot make one.
pub(crate) async fn link_to_questions(
    store: &Store,
    base: &Origin,
    what: Questions,
    person: &PersonId,
) -> Option<String> {
    let path = what.path();
    if base.is_https() {
        return Some(format!("{base}{path}"));
    }
    match what.query(store, person).await {
        Ok(query) => Some(format!("{base}{path}?{query}")),
        Err(error) => {
            tracing::warn!(%error, "no link to a question was made");
            None
        }
    }
}
