//! `portcullis approvals`: what waits for a person, and what the person says.

mod approve;
mod link;
mod list;
mod terminal;

use anyhow::Result;
use portcullis::policy::PersonId;
use portcullis::{ApprovalId, ComponentCache};
use portcullis_store::{
    Approval, ApprovalState, DecidedKind, Deciding, PassphraseError, Question, StoreError, Unlocked,
};
use serde_json::{Value, json};

use crate::args::Form;
use crate::args::approvals::ApprovalsCommand;
use crate::home::{Home, Session};
use crate::problem::Problem;
use crate::show;

/// Characters of a whole id.
const ID_CHARS: usize = 32;

/// Characters of an id below which it is not looked up: fewer may be any question's of these days.
const ID_CHARS_MIN: usize = 4;

/// Does what was asked.
pub(crate) async fn run(
    command: &ApprovalsCommand,
    home: &Home,
    cache: ComponentCache,
) -> Result<()> {
    let session = home.open().await?;
    match command {
        ApprovalsCommand::List(args) => list::run(&session, args).await,
        ApprovalsCommand::Show { id, html, form } => show(&session, id, *html, *form).await,
        ApprovalsCommand::Approve(args) => approve::run(session, args, cache).await,
        ApprovalsCommand::Deny { id, reason, form } => {
            let id = find(&session, id).await?;
            let (to, reason) = (ApprovalState::Denied, reason.as_deref());
            let state = to.as_str();
            let me = &session.me.id;
            let work = session.store.deny(id, me, reason);
            let Some(denied) = settle(&session, id, me, to, reason, work).await? else {
                return so_already(*form, id, state);
            };
            let value = json!({ "changed": true, "id": id, "state": state });
            let sentence = format!(
                "Denied: `{}` for the agent `{}`. Exactly this is refused for ten minutes.",
                denied.tool, denied.agent
            );
            Ok(show::done(*form, &value, &sentence, None)?)
        }
        ApprovalsCommand::Withdraw { id, form } => withdraw(&session, id, *form).await,
        ApprovalsCommand::Link(args) => link::run(&session, args).await,
        ApprovalsCommand::Standing(form) => list::standing(&session, *form).await,
        ApprovalsCommand::End { id, form } => end(&session, id, *form).await,
        ApprovalsCommand::Passphrase { remove, form } => passphrase(&session, *remove, *form).await,
    }
}

/// Takes a question back: one's own, or, for an administrator, anybody's, without seeing what it is about. Nothing passes by that.
async fn withdraw(session: &Session, text: &str, form: Form) -> Result<()> {
    let (id, person) = match find(session, text).await {
        Ok(id) => (id, session.me.id.clone()),
        Err(error) => match of_another(session, text).await? {
            Some(other) => (other.id, other.person),
            None => return Err(error),
        },
    };
    let to = ApprovalState::Withdrawn;
    let state = to.as_str();
    let work = session.store.withdraw(id, &person);
    if settle(session, id, &person, to, None, work)
        .await?
        .is_none()
    {
        return so_already(form, id, state);
    }
    let value = json!({ "changed": true, "id": id, "person": person, "state": state });
    let sentence = "Taken back: nothing was sent. The agent may ask again.";
    Ok(show::done(form, &value, sentence, None)?)
}

/// Settles a question otherwise than by a yes, and writes that down before it is done; none where the question was so already.
async fn settle(
    session: &Session,
    id: ApprovalId,
    person: &PersonId,
    to: ApprovalState,
    reason: Option<&str>,
    work: impl Future<Output = Result<Approval, StoreError>>,
) -> Result<Option<Approval>> {
    let question = session.store.question(id, person).await?.approval;
    match question.state {
        state if state == to => Ok(None),
        ApprovalState::Pending | ApprovalState::Approved => {
            let what = Deciding::of_question(&question, to.as_str(), reason);
            session.deciding(what, work).await.map(Some)
        }
        // Nothing is decided: the store says what it is.
        _ => Ok(Some(work.await?)),
    }
}

fn so_already(form: Form, id: ApprovalId, state: &str) -> Result<()> {
    let value = json!({ "changed": false, "id": id, "state": state });
    let sentence = format!("It is {state} already; nothing changed.");
    Ok(show::done(form, &value, &sentence, None)?)
}

async fn show(session: &Session, id: &str, html: bool, form: Form) -> Result<()> {
    let id = find(session, id).await?;
    let question = session.store.question(id, &session.me.id).await?;
    if form.json {
        return Ok(show::json(&question_json(&question))?);
    }
    let mut out = anstream::stdout().lock();
    use std::io::Write;
    match &question.held {
        Some(held) if html => writeln!(out, "{}", held.card.html())?,
        Some(held) => {
            write!(out, "{}", held.card.text())?;
            let expires = show::moment(question.approval.expires);
            let words = match question.approval.state {
                ApprovalState::Pending => format!("It waits for you, until {expires}."),
                _ => format!("You said yes, and it is not used yet: it is good until {expires}."),
            };
            writeln!(out, "\n{words}")?;
        }
        None => writeln!(out, "{}", settled(&question))?,
    }
    Ok(())
}

/// Says what became of a question whose content is forgotten.
fn settled(question: &Question) -> String {
    let approval = &question.approval;
    let mut words = format!(
        "`{}` of `{}`, asked by the agent `{}`: {}",
        approval.tool,
        approval.connector,
        approval.agent,
        approval.state.as_str()
    );
    if let Some(call) = approval.used_by {
        words.push_str(&format!(" by the call {call}"));
    }
    if let Some(reason) = &question.reason {
        words.push_str(&format!(", because “{}”", show::table::shown(reason)));
    }
    words + ". What it was about is forgotten here."
}

fn question_json(question: &Question) -> Value {
    let mut value = list::approval_json(&question.approval);
    value["card"] = json!(question.held.as_ref().map(|held| &held.card));
    value["reason"] = json!(question.reason);
    value
}

/// Finds a question of the person's by its id or the beginning of it.
async fn find(session: &Session, text: &str) -> Result<ApprovalId> {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let hint = "`portcullis approvals list` lists what waits for you";
    if is_hex && text.len() < ID_CHARS_MIN {
        let message = format!(
            "`{text}` is too short: give at least {ID_CHARS_MIN} characters of the question's id"
        );
        return Err(Problem::mistake("approval", message, hint).into());
    }
    if text.len() > ID_CHARS || !is_hex {
        let message = format!("`{}` is no question's id", show::table::shown(text));
        return Err(Problem::mistake("approval", message, hint).into());
    }
    let found = session.store.approvals_like(&session.me.id, text).await?;
    match found.as_slice() {
        [id] => Ok(*id),
        [] => Err(none_of_yours(session, text).await?.into()),
        _ => {
            let message = format!("several questions of yours begin with `{text}`");
            Err(Problem::mistake("approval", message, "give more of the id").into())
        }
    }
}

/// Says that a question is not there for whoever asks; to an administrator, whose it is.
async fn none_of_yours(session: &Session, text: &str) -> Result<Problem> {
    if let Some(other) = of_another(session, text).await? {
        let person = other.person;
        let message = format!("the question `{text}` is for `{person}`, and not for you");
        let hint = format!(
            "`{person}` alone sees what it is about and decides; it ends by itself at {}, or now by `portcullis approvals withdraw {text}`",
            show::moment(other.expires)
        );
        return Ok(Problem::mistake("approval", message, hint));
    }
    let message = format!("there is no question `{text}` of yours");
    let hint = "`portcullis approvals list` lists what waits for you";
    Ok(Problem::mistake("approval", message, hint))
}

/// Finds the one question of somebody else whose id begins so, for an administrator.
async fn of_another(session: &Session, text: &str) -> Result<Option<Approval>> {
    if !session.is_administrator() || text.len() < ID_CHARS_MIN {
        return Ok(None);
    }
    let me = &session.me.id;
    let mut found = session.store.approvals_of_others_like(me, text).await?;
    Ok(found.pop().filter(|_| found.is_empty()))
}

async fn end(session: &Session, id: &str, form: Form) -> Result<()> {
    let id = match id.len() {
        ID_CHARS => id.to_owned(),
        // A beginning is enough, as elsewhere.
        _ => {
            let rules = session.store.standing_approvals(&session.me.id).await?;
            let rules = rules.iter().map(|rule| rule.id.to_string());
            let found: Vec<String> = rules.filter(|known| known.starts_with(id)).collect();
            match found.as_slice() {
                [one] if id.len() >= ID_CHARS_MIN => one.clone(),
                _ => id.to_owned(),
            }
        }
    };
    let id: ApprovalId = id.parse().map_err(|error| {
        let hint = "`portcullis approvals standing` lists them";
        Problem::mistake("approval", format!("{error}"), hint)
    })?;
    let work = session.store.end_standing_approval(id, &session.me.id);
    let ended = session
        .deciding(Deciding::of_standing_end(id), work)
        .await?;
    let sentence = match ended {
        true => "It is ended: from now on each change is asked for.",
        false => "There is no such standing approval of yours; nothing changed.",
    };
    Ok(show::done(
        form,
        &json!({ "changed": ended }),
        sentence,
        None,
    )?)
}

async fn passphrase(session: &Session, remove: bool, form: Form) -> Result<()> {
    terminal::require("a passphrase is set")?;
    unlock(session, "The passphrase that is set now: ").await?;
    let new = match remove {
        true => None,
        false => Some(terminal::new_passphrase()?),
    };
    let had = session.store.has_passphrase(&session.me.id).await?;
    let word = |is_set: bool| is_set.then(|| "set".to_owned());
    let what = Deciding {
        kind: DecidedKind::Passphrase,
        subject: session.me.id.to_string(),
        from: word(had),
        to: word(!remove),
        reason: None,
    };
    let work = session.store.set_passphrase(&session.me.id, new.as_ref());
    let set = session.deciding(what, work).await;
    set.map_err(|error| match error.downcast_ref() {
        Some(PassphraseError::Short) => {
            let hint = "several words are easier to remember than a few signs";
            Problem::mistake("passphrase", error.to_string(), hint).into()
        }
        _ => error,
    })?;
    let sentence = match remove {
        true => "No passphrase is asked for any more.",
        false => {
            "The passphrase is set: it is asked for before you approve, or loosen what agents may do."
        }
    };
    Ok(show::done(
        form,
        &json!({ "set": !remove }),
        sentence,
        None,
    )?)
}

/// Asks the person at the keyboard for their passphrase, where they have set one, before something is loosened that stands between an
/// agent and a change; `what` says it, as `a rule is loosened`. Without a passphrase nothing is asked.
pub(crate) async fn require_passphrase(session: &Session, what: &str) -> Result<()> {
    if !session.store.has_passphrase(&session.me.id).await? {
        return Ok(());
    }
    terminal::require(&format!("where you have a passphrase, {what}"))?;
    unlock(session, "Your passphrase: ").await
}

/// Asks for the passphrase where one is set.
async fn unlock(session: &Session, prompt: &str) -> Result<()> {
    if !session.store.has_passphrase(&session.me.id).await? {
        return Ok(());
    }
    let given = terminal::passphrase(prompt)?;
    let code = "passphrase";
    match session.store.unlock(&session.me.id, &given).await? {
        Unlocked::Yes => Ok(()),
        Unlocked::No => {
            let wrong = Deciding::of_wrong_passphrase(&session.me.id);
            session
                .deciding(wrong, async { Ok::<_, StoreError>(()) })
                .await?;
            let hint = "nothing was changed; after five wrong ones there is a pause of a minute";
            Err(Problem::mistake(code, "this is not the passphrase", hint).into())
        }
        Unlocked::Locked => {
            tracing::warn!(person = %session.me.id, "a passphrase was given after too many wrong ones");
            let message = "too many wrong passphrases were given";
            Err(Problem::mistake(code, message, "wait a minute, then try again").into())
        }
    }
}
