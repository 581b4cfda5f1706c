//! Questions to people, kept until they are answered: the port `Approvals` on a store.
//!
//! The attack: an agent, or its connector, that wants an approval to cover more than a person saw, or twice; that asks for what was
//! denied in other words; a person who decides for another; a file that is altered so that a no reads as a yes. So an approval is bound to
//! the digest of one request, under a key that is sealed; it is used in a transaction that is on disk before the request leaves; every
//! statement that settles one names the person whose it is; and a yes is sealed together with its person, its digest, its id and its end.
//!
//! What was used stands in a sealed list too, so that a row that is put back is no yes once more; how far that reaches is said
//! in `uses.rs`. A *no*, and the words of a settled question, are not sealed: who writes to the file can have a person asked again.
//!
//! What was settled is forgotten: the row stays, for who asks what became of it, and holds no value.

mod answer;
mod claim;
mod decide;
mod key;
mod known;
mod list;
mod passphrase;
mod standing;
mod sweep;
mod uses;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use portcullis::ports::approvals::{
    APPROVAL_LASTS, Approvals, AskedBefore, Became, Claim, DigestKey, HeldRequest, KeptAnswer,
};
use portcullis::ports::{Caller, PortError};
use portcullis::{ApprovalId, CallId, Replay};
use portcullis_policy::{
    AgentId, Card, ConnectionId, ConnectorName, Digest, Effect, PersonId, ToolName,
};
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::error::StoreError;
use crate::seal::Place;
use crate::store::{Store, time};

pub use answer::Kept;
pub use decide::Approved;
pub use list::{Listed, Which};
pub use passphrase::{PASSPHRASE_CHARS_MIN, PassphraseError, Unlocked};
pub use standing::{STANDING_LASTS_MAX, STANDING_RECORDS_MAX, Standing, StandingApproval};

pub(crate) use decide::{end_all, end_of};
pub(crate) use sweep::sweep;

/// How often a caller who waits looks whether somebody has decided.
const LOOKS_EVERY: Duration = Duration::from_millis(200);

/// Approvals of a store, for the host.
#[derive(Clone)]
pub struct StoreApprovals {
    store: Store,
    key: Arc<DigestKey>,
    seen: Arc<uses::Seen>,
    lasts: Duration,
    waits: Duration,
    links: Option<Arc<dyn ApprovalLinks>>,
}

/// Gives where a person decides.
#[async_trait]
pub trait ApprovalLinks: Send + Sync {
    /// Gives the address of the page of a question of a person; none where there is no page.
    async fn link(&self, id: ApprovalId, person: &PersonId) -> Option<String>;
}

impl StoreApprovals {
    /// Takes a store, and makes the key of its digests where it has none yet.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the key cannot be made or opened.
    pub async fn open(store: Store) -> Result<Self, StoreError> {
        let key = Arc::new(key::digest_key(&store).await?);
        Ok(Self {
            store,
            key,
            seen: Arc::default(),
            lasts: APPROVAL_LASTS,
            waits: Duration::ZERO,
            links: None,
        })
    }

    /// Lets a question wait for a person this long instead of a day.
    #[must_use]
    pub fn lasting(self, lasts: Duration) -> Self {
        Self { lasts, ..self }
    }

    /// Lets a call wait this long for a decision before it ends with the question open. The default is not at all.
    #[must_use]
    pub fn waiting(self, waits: Duration) -> Self {
        Self { waits, ..self }
    }

    /// Says where people decide.
    #[must_use]
    pub fn with_links(self, links: Arc<dyn ApprovalLinks>) -> Self {
        let links = Some(links);
        Self { links, ..self }
    }

    async fn link(&self, id: ApprovalId, person: &PersonId) -> Option<String> {
        match &self.links {
            Some(links) => links.link(id, person).await,
            None => None,
        }
    }
}

impl std::fmt::Debug for StoreApprovals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreApprovals")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Approvals for StoreApprovals {
    fn key(&self) -> &DigestKey {
        &self.key
    }

    async fn claim(&self, request: &HeldRequest) -> Result<Claim, PortError> {
        let mut claim = self.claim_now(request, self.waits).await?;
        let Claim::Held { id, link, .. } = &mut claim else {
            return Ok(claim);
        };
        let id = *id;
        *link = self.link(id, &request.caller.person).await;
        let until = tokio::time::Instant::now() + self.waits;
        while tokio::time::Instant::now() < until {
            tokio::time::sleep(LOOKS_EVERY).await;
            if !self.store.is_pending(id).await? {
                return Ok(self.claim_now(request, Duration::ZERO).await?);
            }
        }
        Ok(claim)
    }

    async fn unsent(&self, id: ApprovalId, call: CallId) -> Result<(), PortError> {
        Ok(self.note_unsent(id, call).await?)
    }

    async fn asked_before(
        &self,
        caller: &Caller,
        id: ApprovalId,
    ) -> Result<Option<AskedBefore>, PortError> {
        let mut asked = self.store.asked_before(caller, id).await?;
        if let Some(AskedBefore {
            became: Became::Waiting { link },
            ..
        }) = &mut asked
        {
            *link = self.link(id, &caller.person).await;
        }
        Ok(asked)
    }

    async fn answer_of(
        &self,
        caller: &Caller,
        id: ApprovalId,
    ) -> Result<Option<KeptAnswer>, PortError> {
        Ok(self.store.take_answer_of(caller, id).await?)
    }

    async fn answer(
        &self,
        caller: &Caller,
        question: Digest,
    ) -> Result<Option<KeptAnswer>, PortError> {
        Ok(self.store.take_answer(caller, question).await?)
    }
}

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ApprovalState {
    /// Nobody has decided.
    Pending,
    /// It may be sent, and was not yet.
    Approved,
    /// It was sent, or was about to be.
    Used,
    /// The person said no.
    Denied,
    /// It was taken back.
    Withdrawn,
    /// Nobody decided in time.
    Expired,
    /// Its run came to another request, which is asked for instead.
    Replaced,
}

impl ApprovalState {
    const ALL: [Self; 7] = [
        Self::Pending,
        Self::Approved,
        Self::Used,
        Self::Denied,
        Self::Withdrawn,
        Self::Expired,
        Self::Replaced,
    ];

    /// Gives its word, for stores and programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Used => "used",
            Self::Denied => "denied",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Replaced => "replaced",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// A question, without what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// What became of it.
    pub state: ApprovalState,
    /// Who decides.
    pub person: PersonId,
    /// Who asks.
    pub agent: AgentId,
    /// The connector.
    pub connector: ConnectorName,
    /// The tool.
    pub tool: ToolName,
    /// The account.
    pub connection: ConnectionId,
    /// How far it reaches.
    pub effect: Effect,
    /// The call that asked.
    pub call: CallId,
    /// Since when it waits.
    pub created: Timestamp,
    /// Until when.
    pub expires: Timestamp,
    /// When it was decided.
    pub decided: Option<Timestamp>,
    /// The call that used it.
    pub used_by: Option<CallId>,
    /// Whether that call surely sent nothing by it.
    pub is_unsent: bool,
}

/// A question with what it is about, for the person whose it is. It has values of records.
#[derive(Clone, Debug)]
pub struct Question {
    /// The question.
    pub approval: Approval,
    /// What the person sees; none once it is settled.
    pub held: Option<Held>,
    /// Why the person said no.
    pub reason: Option<String>,
    /// Whether its caller waits for the decision, and goes on by itself.
    pub is_awaited: bool,
}

/// What is kept of a held request: what a person sees, and what runs it again. Its `Debug` shows no value.
#[derive(Clone, Serialize, Deserialize)]
pub struct Held {
    /// What the person sees.
    pub card: Card,
    /// Whether everything that is announced was found in the request.
    pub is_whole: bool,
    /// The call's randomness and time.
    pub replay: Replay,
    /// What alike requests have in common; none: it was asked before that was kept.
    #[serde(default)]
    pub(crate) alike: Option<Digest>,
}

impl Held {
    fn of(request: &HeldRequest) -> Self {
        Self {
            card: request.card.clone(),
            is_whole: request.is_whole,
            replay: request.replay.clone(),
            alike: Some(request.alike),
        }
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held")
            .field("is_whole", &self.is_whole)
            .finish_non_exhaustive()
    }
}

/// The place of a sealed column of a question: what must not change beside it is whose it is, and for which request.
fn place<'a>(column: &'static str, row: &'a [&'a str; 3]) -> Place<'a> {
    Place {
        table: "approvals",
        column,
        row,
    }
}

/// Reads a question's row.
fn approval(row: &SqliteRow) -> Result<Approval, StoreError> {
    let id: String = row.try_get("id")?;
    let damaged = |problem: String| StoreError::damaged("approval", &id, problem);
    let text = |column: &str| row.try_get::<String, _>(column);
    let effect = match text("effect")?.as_str() {
        "read" => Effect::Read,
        "write" => Effect::Write,
        "destructive" => Effect::Destructive,
        other => return Err(damaged(format!("`{other}` is no effect"))),
    };
    let state = text("state")?;
    let used_by: Option<String> = row.try_get("used_by")?;
    let decided: Option<i64> = row.try_get("decided")?;
    Ok(Approval {
        id: parsed(&id, &id)?,
        state: ApprovalState::of_word(&state)
            .ok_or_else(|| damaged(format!("`{state}` is no state")))?,
        person: parsed(&id, &text("person")?)?,
        agent: parsed(&id, &text("agent")?)?,
        connector: parsed(&id, &text("connector")?)?,
        tool: parsed(&id, &text("tool")?)?,
        connection: parsed(&id, &text("connection")?)?,
        effect,
        call: parsed(&id, &text("call")?)?,
        created: time(row.try_get("created")?)?,
        expires: time(row.try_get("expires")?)?,
        decided: decided.map(time).transpose()?,
        used_by: used_by.map(|call| parsed(&id, &call)).transpose()?,
        is_unsent: row.try_get("unsent")?,
    })
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    row: &str,
    text: &str,
) -> Result<T, StoreError> {
    text.parse()
        .map_err(|error| StoreError::damaged("approval", row, error))
}

/// Finds a question of a person. Another person's is not there: that there is one is nobody else's business.
async fn row_of(
    tx: &mut SqliteConnection,
    id: ApprovalId,
    person: &PersonId,
) -> Result<SqliteRow, StoreError> {
    let row = sqlx::query("SELECT * FROM approvals WHERE id = ?1 AND person = ?2")
        .bind(id.to_string())
        .bind(person.as_str())
        .fetch_optional(tx)
        .await?;
    row.ok_or_else(|| StoreError::not_found("question of yours", id))
}
