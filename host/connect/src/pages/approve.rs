//! The pages where a person decides on what an agent wants to do: the one of a question, and the list of all that wait.
//!
//! The attack: another person, the same team's too, decides; another site sends the form; the form is sent twice, or again later; a frame
//! has the person click; a program opens the link to show a preview; another user of the machine opens the page. So a
//! page that is opened decides nothing; the form counts from a page that this browser was shown for this question and this person; of two
//! yeses the store takes one; nothing frames it. Who decides is the person who has signed in, or, on the person's own machine, whoever
//! has the link that this store made for them (`links`).
//!
//! Such a link an agent is given too, to hand on, and some agents can open it. So it opens one question, for as long as that is open, and leads to no
//! other; and what destroys is not approved by a link alone, but with a passphrase, or on a terminal.

use http::{HeaderMap, Request, StatusCode};
use hyper::body::Body;
use portcullis::ApprovalId;
use portcullis_policy::{Effect, PersonId};
use portcullis_store::{ApprovalState, By, Door, Question, StoreError, Unlocked, Which};
use secrecy::SecretString;

use super::back::Back;
use super::html::Page;
use super::html::approve::{Listed, Shown, Yes};
use super::sign_in::Visitor;
use super::{Fields, Form, Pages};
use crate::links::Questions;
use crate::{ConnectError, DecideError, Decisions};

/// Questions on the page of all.
const LISTED_MAX: u32 = 50;
/// Characters of a reason: a sentence or two.
const REASON_CHARS_MAX: usize = 200;

/// Who decides on a page, for the log.
fn by(person: &PersonId) -> By {
    By {
        person: person.clone(),
        user: None,
        door: Door::Page,
    }
}

/// Who decides here.
struct Decider {
    person: PersonId,
    /// By which they were let in, where nobody signs in.
    query: Option<String>,
}

impl Pages {
    /// Shows a question, or lists all that wait. Nothing is decided by that.
    pub(super) async fn ask_person<B>(&self, what: Questions, request: &Request<B>) -> Page {
        let query = request.uri().query().unwrap_or_default();
        let page = async {
            let decider = match self.decider(what, query, request.headers()).await? {
                Ok(decider) => decider,
                Err(page) => return Ok(page),
            };
            match what {
                Questions::One(id) => self.question(id, decider, request.headers(), None).await,
                Questions::All => self.list(decider).await,
            }
        };
        page.await.unwrap_or_else(|error| Page::of_error(&error))
    }

    /// Takes a decision.
    pub(super) async fn decide<B>(
        &self,
        decisions: &Decisions,
        what: Questions,
        request: Request<B>,
    ) -> Page
    where
        B: Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let Questions::One(id) = what else {
            return Page::not_allowed("GET");
        };
        let query = request.uri().query().unwrap_or_default().to_owned();
        let decider = match self.decider(what, &query, request.headers()).await {
            Ok(Ok(decider)) => decider,
            Ok(Err(page)) => return page,
            Err(error) => return Page::of_error(&error),
        };
        let person = decider.person.clone();
        let form = Form::Decide {
            id,
            person: &person,
        };
        let Some(fields) = self.form(request, form).await else {
            return Page::not_from_here();
        };
        let decided = match fields.get("decision").as_deref() {
            Some("approve") => self.approve(decisions, id, decider, &fields).await,
            Some("deny") => self.deny(decisions, id, &person, &fields).await,
            _ => return Page::not_from_here(),
        };
        decided.unwrap_or_else(|error| of_problem(&error))
    }

    async fn approve(
        &self,
        decisions: &Decisions,
        id: ApprovalId,
        decider: Decider,
        fields: &Fields,
    ) -> Result<Page, DecideError> {
        let (store, person) = (self.accounts.store(), decider.person.clone());
        let question = store.question(id, &person).await?;
        let yes = self.yes(&question, &decider).await?;
        if yes == Yes::Elsewhere {
            let problem = "What destroys is not approved by a link alone. Nothing was approved.";
            let page = self.question(id, decider, &fields.headers, Some(problem));
            return Ok(page.await.unwrap_or_else(|error| Page::of_error(&error)));
        }
        if yes == Yes::WithPassphrase {
            let given: SecretString = fields.get("passphrase").unwrap_or_default().into();
            let unlocked = store.unlock(&person, &given).await?;
            let problem = match unlocked {
                Unlocked::Yes => None,
                Unlocked::No => Some("This is not your passphrase. Nothing was approved."),
                Unlocked::Locked => Some(
                    "Too many wrong passphrases were given: wait a minute. Nothing was approved.",
                ),
            };
            if problem.is_some() {
                tracing::warn!(%person, %id, "a question was not approved: the passphrase is another");
                if unlocked == Unlocked::No {
                    decisions.wrong_passphrase(&by(&person)).await?;
                }
                let page = self.question(id, decider, &fields.headers, problem).await;
                return Ok(page.unwrap_or_else(|error| Page::of_error(&error)));
            }
        }
        let decided = match decisions.approve(id, &by(&person), None).await {
            Err(error @ DecideError::WouldNotRun(_)) => {
                let problem = format!("This cannot be done here: {error}.");
                let page = self
                    .question(id, decider, &fields.headers, Some(&problem))
                    .await;
                return Ok(page.unwrap_or_else(|error| Page::of_error(&error)));
            }
            decided => decided?,
        };
        tracing::info!(%person, %id, "a question was approved on the page");
        let anew = match &decided.reply {
            Some(reply) => self.asked_anew(reply, &person).await?,
            None => None,
        };
        Ok(Page::approved(&decided, anew.as_deref()))
    }

    /// Says how a question is approved by who decides here.
    async fn yes(&self, question: &Question, decider: &Decider) -> Result<Yes, StoreError> {
        let has_passphrase = self.accounts.store().has_passphrase(&decider.person);
        Ok(match has_passphrase.await? {
            true => Yes::WithPassphrase,
            false if decider.query.is_some() && question.approval.effect > Effect::Write => {
                Yes::Elsewhere
            }
            false => Yes::Button,
        })
    }

    async fn deny(
        &self,
        decisions: &Decisions,
        id: ApprovalId,
        person: &PersonId,
        fields: &Fields,
    ) -> Result<Page, DecideError> {
        let reason = fields.get("reason").unwrap_or_default();
        let reason: String = reason.trim().chars().take(REASON_CHARS_MAX).collect();
        let reason = (!reason.is_empty()).then_some(reason.as_str());
        decisions.deny(id, &by(person), reason).await?;
        tracing::info!(%person, %id, "a question was denied on the page");
        Ok(Page::denied())
    }

    /// Gives where a question is decided that came of running what was approved: the same call of the same agent, which gets a link to it as well.
    async fn asked_anew(
        &self,
        reply: &portcullis::Reply,
        person: &PersonId,
    ) -> Result<Option<String>, StoreError> {
        let portcullis::Outcome::ApprovalRequired(asked) = &reply.outcome else {
            return Ok(None);
        };
        self.path_of(Questions::One(asked.id), person)
            .await
            .map(Some)
    }

    /// Says who decides; else gives the page that asks for that.
    async fn decider(
        &self,
        what: Questions,
        query: &str,
        headers: &HeaderMap,
    ) -> Result<Result<Decider, Page>, ConnectError> {
        let back = Back::Questions(what);
        Ok(match self.visitor(headers).await? {
            Visitor::Person(person) => Ok(Decider {
                person: person.id,
                query: None,
            }),
            Visitor::Unknown => Err(Page::ask_first(&back)),
            Visitor::AtThisMachine => match what.person(self.accounts.store(), query).await {
                Some(person) if self.is_open(what, &person).await? => Ok(Decider {
                    person,
                    query: Some(query.to_owned()),
                }),
                Some(_) => Err(Page::link_ended()),
                None => Err(Page::no_question()),
            },
        })
    }

    /// Says whether a link still opens something: that of a question ends when it is decided and used, taken back, or has expired.
    async fn is_open(&self, what: Questions, person: &PersonId) -> Result<bool, ConnectError> {
        let Questions::One(id) = what else {
            return Ok(true);
        };
        match self.accounts.store().question(id, person).await {
            Ok(question) => Ok(matches!(
                question.approval.state,
                ApprovalState::Pending | ApprovalState::Approved
            )),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn question(
        &self,
        id: ApprovalId,
        decider: Decider,
        headers: &HeaderMap,
        problem: Option<&str>,
    ) -> Result<Page, ConnectError> {
        let store = self.accounts.store();
        let question = match store.question(id, &decider.person).await {
            Ok(question) => question,
            Err(StoreError::NotFound { .. }) => return Ok(Page::no_question()),
            Err(error) => return Err(error.into()),
        };
        let browser = self.browser(headers)?;
        let form = Form::Decide {
            id,
            person: &decider.person,
        };
        let path = Questions::One(id).path();
        let shown = Shown {
            question: &question,
            yes: self.yes(&question, &decider).await?,
            all: decider.query.is_none().then(|| Questions::All.path()),
            action: match &decider.query {
                Some(query) => format!("{path}?{query}"),
                None => path,
            },
            token: self.cookies.form_token(&browser, form),
            problem,
            sign_out: self.signs_in().then(|| {
                let back = Back::Questions(Questions::One(id));
                self.sign_out_by(&browser, Some(back))
            }),
        };
        Ok(Page::question(&shown).with_cookie(self.cookies.set_page(&browser)))
    }

    async fn list(&self, decider: Decider) -> Result<Page, ConnectError> {
        let store = self.accounts.store();
        let which = Which {
            person: Some(decider.person.clone()),
            settled: false,
            limit: LISTED_MAX,
        };
        let (approvals, count) = store.approvals(&which).await?;
        let mut listed = Vec::with_capacity(approvals.len());
        for approval in approvals {
            let question: Question = match store.question(approval.id, &decider.person).await {
                Ok(question) => question,
                // It was forgotten meanwhile.
                Err(StoreError::NotFound { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            let Some(held) = question.held else { continue };
            listed.push(Listed {
                path: self
                    .path_of(Questions::One(approval.id), &decider.person)
                    .await?,
                title: held.card.title(),
                agent: approval.agent.to_string(),
                since: approval.created,
                state: approval.state,
            });
        }
        Ok(Page::questions(&listed, count))
    }

    /// Gives the path of a page of questions for a person, with what lets them in where nobody signs in.
    async fn path_of(&self, what: Questions, person: &PersonId) -> Result<String, StoreError> {
        let path = what.path();
        if self.signs_in() {
            return Ok(path);
        }
        let query = what.query(self.accounts.store(), person).await?;
        Ok(format!("{path}?{query}"))
    }
}

fn of_problem(error: &DecideError) -> Page {
    match error {
        DecideError::Store(StoreError::NotFound { .. }) => Page::no_question(),
        DecideError::Store(StoreError::Settled { state, .. }) => {
            let words = format!("This was decided already: it is {state}. Nothing was done now.");
            Page::words(StatusCode::CONFLICT, &words)
        }
        error => {
            tracing::error!(%error, "a decision broke");
            let words = format!("It is not clear what came of it: {error}.");
            Page::words(StatusCode::INTERNAL_SERVER_ERROR, &words)
        }
    }
}
