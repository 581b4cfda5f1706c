//! `portcullis approvals`: what waits for a person, and what the person says.

mod approve;
mod list;
mod terminal;

use anyhow::Result;
use portcullis::{ApprovalId, ComponentCache};
use portcullis_store::{Question, Unlocked};
use serde_json::{Value, json};

use crate::args::Form;
use crate::args::approvals::ApprovalsCommand;
use crate::home::{Home, Session};
use crate::problem::Problem;
use crate::show;

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
            let denied = session
                .store
                .deny(id, &session.me.id, reason.as_deref())
                .await?;
            let value = json!({ "id": id, "state": "denied" });
            let sentence = format!(
                "Denied: `{}` for the agent `{}`. Exactly this is refused for ten minutes.",
                denied.tool, denied.agent
            );
            Ok(show::done(*form, &value, &sentence, None)?)
        }
        ApprovalsCommand::Withdraw { id, form } => {
            let id = find(&session, id).await?;
            session.store.withdraw(id, &session.me.id).await?;
            let value = json!({ "id": id, "state": "withdrawn" });
            let sentence = "Taken back: nothing was sent. The agent may ask again.";
            Ok(show::done(*form, &value, sentence, None)?)
        }
        ApprovalsCommand::Standing(form) => list::standing(&session, *form).await,
        ApprovalsCommand::End { id, form } => end(&session, id, *form).await,
        ApprovalsCommand::Passphrase { remove, form } => passphrase(&session, *remove, *form).await,
    }
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
            let expires = show::table::shown(&question.approval.expires.to_string());
            writeln!(
                out,
                "\nIt is {} until {expires}.",
                question.approval.state.as_str()
            )?;
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
    if text.len() < ID_CHARS_MIN || text.len() > 32 || !is_hex {
        let message = format!("`{}` is no question's id", show::table::shown(text));
        return Err(Problem::mistake("approval", message, hint).into());
    }
    let found = session.store.approvals_like(&session.me.id, text).await?;
    match found.as_slice() {
        [id] => Ok(*id),
        [] => {
            let message = format!("there is no question `{text}` of yours");
            Err(Problem::mistake("approval", message, hint).into())
        }
        _ => {
            let message = format!("several questions of yours begin with `{text}`");
            Err(Problem::mistake("approval", message, "give more of the id").into())
        }
    }
}

async fn end(session: &Session, id: &str, form: Form) -> Result<()> {
    let id: ApprovalId = id.parse().map_err(|error| {
        let hint = "`portcullis approvals standing` lists them";
        Problem::mistake("approval", format!("{error}"), hint)
    })?;
    let ended = session
        .store
        .end_standing_approval(id, &session.me.id)
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
    let set = session
        .store
        .set_passphrase(&session.me.id, new.as_ref())
        .await;
    set.map_err(|error| match error {
        portcullis_store::PassphraseError::Short => {
            let hint = "several words are easier to remember than a few signs";
            Problem::mistake("passphrase", error.to_string(), hint).into()
        }
        error => anyhow::Error::from(error),
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
            let hint = "nothing was changed; after five wrong ones there is a pause of a minute";
            Err(Problem::mistake(code, "this is not the passphrase", hint).into())
        }
        Unlocked::Locked => {
            let message = "too many wrong passphrases were given";
            Err(Problem::mistake(code, message, "wait a minute, then try again").into())
        }
    }
}
