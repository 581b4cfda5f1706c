//! What people decide, in the log: who, when, from where, and from what to what. It is written before it is done, for what is loosened
//! without a word is worse than a word about what stayed; where it comes to nothing, that is written too.
//!
//! Names, ids, modes and scopes are in the clear. Why somebody said no is sealed.

mod said;

use std::fmt;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use portcullis::ApprovalId;
use portcullis_policy::PersonId;
use serde::{Deserialize, Serialize};

use super::lane::Hand;
use super::lines::{Note, micros};
use super::log::StoreAudit;
use super::payload::Draft;
use crate::approvals::{Approval, Standing};
use crate::change::Change;
use crate::connection::Removed;
use crate::error::StoreError;
use crate::store::random_id;

/// Who decides, and from where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// The person, as the store knows them.
    pub person: PersonId,
    /// The user of the operating system whose program did it, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// From where.
    pub door: Door,
}

/// Where a decision came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// By a command.
    CommandLine,
    /// On a page.
    Page,
    /// In a chat, by an agent's client.
    Chat,
}

impl Door {
    /// Gives the words for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CommandLine => "command line",
            Self::Page => "page",
            Self::Chat => "chat",
        }
    }
}

/// What is decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedKind {
    /// The mode of tools.
    Rule,
    /// What an agent may touch.
    Scope,
    /// Which tools an administrator has seen: rules for many hold for those alone.
    Seen,
    /// Whether a component is trusted to check what the host cannot see.
    Trust,
    /// Whether an agent's clients are trusted to ask its person.
    Clients,
    /// Whether there is an agent.
    Agent,
    /// Which connectors an agent has, and by whose account.
    Connector,
    /// With whom a connection is shared.
    Share,
    /// Who is known here, by which tokens and names of issuers, and who administers.
    Person,
    /// Who is in a group.
    Group,
    /// Which version of a connector is in use, or waits.
    Version,
    /// A question that waited for a person.
    Approval,
    /// What passes for a while without a question.
    Standing,
    /// Whether a passphrase is asked for.
    Passphrase,
    /// The keys that secrets are sealed under.
    Key,
    /// All that was decided on agents, begun anew.
    Decisions,
    /// An account at a service: connected, renamed, or ended.
    Connection,
    /// The client of a service that people sign in with.
    App,
    /// Of which tools the log keeps what they change.
    Values,
    /// How long the log is kept.
    Retention,
}

impl DecidedKind {
    /// Gives the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Scope => "scope",
            Self::Seen => "seen",
            Self::Trust => "trust",
            Self::Clients => "clients",
            Self::Agent => "agent",
            Self::Connector => "connector",
            Self::Share => "share",
            Self::Person => "person",
            Self::Group => "group",
            Self::Version => "version",
            Self::Approval => "approval",
            Self::Standing => "standing",
            Self::Passphrase => "passphrase",
            Self::Key => "key",
            Self::Decisions => "decisions",
            Self::Connection => "connection",
            Self::App => "app",
            Self::Values => "values",
            Self::Retention => "retention",
        }
    }
}

/// What is to be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deciding {
    /// On what.
    pub kind: DecidedKind,
    /// On which: names and ids.
    pub subject: String,
    /// How it was; none: not at all.
    pub from: Option<String>,
    /// How it is to be; none: not at all.
    pub to: Option<String>,
    /// Why, in a person's own words: kept sealed.
    pub reason: Option<String>,
}

impl Deciding {
    /// What is decided on something: `from` and `to` are none where it was not there, or is not to be.
    pub fn on(
        kind: DecidedKind,
        subject: impl Into<String>,
        from: Option<String>,
        to: Option<String>,
    ) -> Self {
        Self {
            kind,
            subject: subject.into(),
            from,
            to,
            reason: None,
        }
    }

    /// What a person says of a question: `to` is how it is from then on.
    pub fn of_question(approval: &Approval, to: &str, reason: Option<&str>) -> Self {
        Self {
            kind: DecidedKind::Approval,
            subject: of_approval(approval),
            from: Some(approval.state.as_str().to_owned()),
            to: Some(to.to_owned()),
            reason: reason.map(str::to_owned),
        }
    }

    /// What a person lets pass for a while with a yes.
    pub fn of_standing(approval: &Approval, standing: &Standing) -> Self {
        let (records, minutes) = (standing.records, standing.lasts.as_secs() / 60);
        Self {
            kind: DecidedKind::Standing,
            subject: of_approval(approval),
            from: None,
            to: Some(format!("{records} records more, for {minutes} minutes")),
            reason: None,
        }
    }

    /// That a person's passphrase was asked for, and another one given: nobody decided that, and who guesses is seen by it. It never has what was
    /// given.
    pub fn of_wrong_passphrase(person: &PersonId) -> Self {
        let word = |word: &str| Some(word.to_owned());
        let (from, to) = (word("asked for"), word("a wrong one given"));
        Self::on(DecidedKind::Passphrase, person.as_str(), from, to)
    }

    /// The end of what a person let pass.
    pub fn of_standing_end(id: ApprovalId) -> Self {
        Self {
            kind: DecidedKind::Standing,
            subject: id.to_string(),
            from: Some("standing".to_owned()),
            to: None,
            reason: None,
        }
    }
}

fn of_approval(approval: &Approval) -> String {
    let Approval {
        id,
        tool,
        connector,
        agent,
        person,
        ..
    } = approval;
    format!("{id}: {tool} of {connector} by {agent} for {person}")
}

/// What somebody decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The decision's own id.
    pub id: String,
    /// Who decided it.
    pub by: By,
    /// On what.
    pub kind: DecidedKind,
    /// On which.
    pub subject: String,
    /// How it was; none: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// How it is from then on; none: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl fmt::Display for Decided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let By { person, user, door } = &self.by;
        let word = |of: &Option<String>| of.clone().unwrap_or_else(|| "none".to_owned());
        write!(
            f,
            "{} `{}`: {} -> {}, by `{person}`, {}",
            self.kind.as_str(),
            self.subject,
            word(&self.from),
            word(&self.to),
            door.as_str()
        )?;
        match user {
            Some(user) => write!(f, " of the user {user}"),
            None => Ok(()),
        }
    }
}

/// Bytes of one text of a decision that are kept.
const TEXT_BYTES_MAX: usize = 16 << 10;

impl StoreAudit {
    /// Makes changes as [`Store::apply`](crate::Store::apply) does, each written down before it is made, and says whether any of them was
    /// something else than what there was.
    ///
    /// # Errors
    ///
    /// As there, and when the log cannot be written; then nothing is changed.
    pub async fn apply(
        &self,
        by: &By,
        changes: &[Change],
    ) -> Result<(bool, Vec<Removed>), StoreError> {
        let store = &self.activity().inner.store;
        let (mut said, mut removed) = (Vec::new(), Vec::new());
        let mut tx = store.write().await?;
        for change in changes {
            let what = said::said(store, &mut tx, change).await?;
            removed.extend(store.apply_in(&mut tx, change).await?);
            said.extend(what.filter(|what| what.from != what.to));
        }
        let ids = self.write_decided(by, &said).await?;
        match tx.commit().await {
            Ok(()) => self.note_in_force().await,
            Err(error) => {
                self.undone(ids).await?;
                return Err(error.into());
            }
        }
        Ok((!said.is_empty(), removed))
    }

    /// Writes down what somebody decides, and then does it; where that comes to nothing, this is written down, too.
    ///
    /// # Errors
    ///
    /// When the log cannot be written; then nothing is done. And those of the work.
    pub async fn deciding<T, E: From<StoreError>>(
        &self,
        by: &By,
        what: impl IntoIterator<Item = Deciding>,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let what: Vec<Deciding> = what.into_iter().collect();
        let ids = self.write_decided(by, &what).await?;
        let done = work.await;
        match &done {
            Ok(_) => self.note_in_force().await,
            Err(_) => self.undone(ids).await?,
        }
        done
    }

    async fn write_decided(&self, by: &By, all: &[Deciding]) -> Result<Vec<String>, StoreError> {
        let now = micros(SystemTime::now());
        let (mut ids, mut last) = (Vec::with_capacity(all.len()), None);
        for one in all {
            let id = random_id()?;
            let decided = Decided {
                id: id.clone(),
                by: by.clone(),
                kind: one.kind,
                subject: cut(&one.subject),
                from: one.from.as_deref().map(cut),
                to: one.to.as_deref().map(cut),
            };
            let note = Note::Decided(Box::new(decided));
            let draft = Draft::of_note(now, note, one.reason.as_deref().map(cut))?;
            last = Some(self.inner.lane.append(&draft, now, Hand::Gate)?);
            ids.push(id);
        }
        if let Some(last) = last {
            self.inner.lane.sync(last).await?;
        }
        Ok(ids)
    }

    async fn undone(&self, ids: Vec<String>) -> Result<(), StoreError> {
        for decision in ids {
            self.note(Note::Undone { decision }).await?;
        }
        Ok(())
    }

    /// Writes down how far decisions on agents have come, if that is farther than the log says. What was decided is done by then, and to call it
    /// a failure would have it decided again: where this cannot be written, the next decision writes it.
    async fn note_in_force(&self) {
        let store = &self.activity().inner.store;
        // Those that are not in order are refused wherever they are used.
        let Ok(generation) = store.decided_generation().await else {
            return;
        };
        let in_force = &self.inner.in_force;
        let before = in_force.fetch_max(generation, Ordering::AcqRel);
        if before >= generation {
            return;
        }
        if let Err(error) = self.note(Note::InForce { generation }).await {
            tracing::error!(%error, "how far decisions have come could not be written down; what was decided is done");
            // Where another decision came farther meanwhile, it says so itself.
            let _ =
                in_force.compare_exchange(generation, before, Ordering::AcqRel, Ordering::Acquire);
        }
    }
}

fn cut(text: &str) -> String {
    match text.len() <= TEXT_BYTES_MAX {
        true => text.to_owned(),
        false => {
            let end = text.floor_char_boundary(TEXT_BYTES_MAX);
            format!("{} [{} bytes cut]", &text[..end], text.len() - end)
        }
    }
}
