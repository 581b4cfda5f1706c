//! What is asked of a connection's service: whether it works, and to end it.

use anyhow::{Error, Result};
use portcullis::ComponentCache;
use portcullis::policy::Level;
use portcullis_connect::{Disconnected, Fate};
use portcullis_store::{Account, DecidedKind, Deciding, Owner, Store, StoredConnection};
use serde_json::{Value, json};

use crate::approvals;
use crate::args::accounts::Trying;
use crate::clients::quoted;
use crate::desk;
use crate::environment;
use crate::home::Session;
use crate::office::{Office, problem};
use crate::show;
use crate::show::table::shown;

/// Asks who is signed in.
pub(super) async fn test(
    session: Session,
    args: &Trying,
    connection: &StoredConnection,
    cache: ComponentCache,
) -> Result<()> {
    let office = Office::open(&session, &args.network, cache).await?;
    let identity = office.accounts.test(&connection.id, &office.me).await;
    let identity = identity.map_err(|error| problem(&error))?;
    let organization = identity.organization_name.as_deref();
    let value = json!({
        "connection": connection.id,
        "works": true,
        "user": identity.user_name,
        "organization": organization,
    });
    let of = organization.map_or(String::new(), |name| format!(" of {}", shown(name)));
    let sentence = format!(
        "{} works: {}{of} is signed in at {}.",
        shown(&connection.label),
        shown(&identity.user_name),
        connection.origin,
    );
    Ok(show::done(args.form, &value, &sentence, None)?)
}

/// Ends a connection.
pub(super) async fn disconnect(
    session: Session,
    args: &Trying,
    connection: &StoredConnection,
    cache: ComponentCache,
) -> Result<()> {
    let agents = agents_on(&session.store, connection).await?;
    let level = Level::Shared(connection.id.clone());
    let rules = match connection.owner {
        Owner::Shared => session.store.rules_that_go(&level).await?,
        // Those of a person's own stay, for the one that they connect anew.
        Owner::Person(_) => None,
    };
    if rules.is_some() {
        // Else whoever may connect accounts gets rid of what restricts one, and connects it anew.
        let what = "an account with rules of its own is disconnected";
        approvals::require_passphrase(&session, what).await?;
    }
    let options = environment::network(&args.network)?;
    let built = desk::host(session.store.clone(), options, cache, None);
    let accounts = built.await?.accounts;
    let work = async {
        let ended = accounts.disconnect(&connection.id).await;
        ended.map_err(|error| Error::from(problem(&error)))
    };
    let gone = super::of_connection(connection, Some(&connection.label), None);
    let rules =
        rules.map(|rules| Deciding::on(DecidedKind::Rule, level.to_string(), Some(rules), None));
    let all = [gone].into_iter().chain(rules);
    let ended = session.deciding_all(all, work).await?;
    let value = json!({ "changed": ended.is_some(), "ended": ended.as_ref().map(json_of) });
    let sentence = match &ended {
        Some(ended) => words_of(ended),
        None => "It was gone already; nothing changed.".to_owned(),
    };
    let agent = match agents.as_slice() {
        [only] => only.as_str(),
        _ => "AGENT",
    };
    let next = format!(
        "{} had no other account: `portcullis agent give {agent} {} --shared CONNECTION` gives one",
        quoted(&agents),
        connection.connector
    );
    let next = (!agents.is_empty()).then_some(next.as_str());
    Ok(show::done(args.form, &value, &sentence, next)?)
}

/// The agents that have no account of a connector without a shared connection.
async fn agents_on(store: &Store, connection: &StoredConnection) -> Result<Vec<String>> {
    let uses = |account: Option<&Account>| match account {
        Some(Account::Shared(id)) => *id == connection.id,
        Some(Account::Personal) | None => false,
    };
    let agents = store.agents().await?.into_iter();
    let agents = agents.filter(|agent| uses(agent.connectors.get(&connection.connector)));
    Ok(agents.map(|agent| agent.id.to_string()).collect())
}

/// What became of a connection and its tokens.
pub(crate) fn words_of(ended: &Disconnected) -> String {
    let (label, origin) = (shown(&ended.label), &ended.origin);
    if ended.is_revoked() {
        return format!("{label} is disconnected, and revoked at {origin}.");
    }
    let by_hand = match &ended.page {
        Some(page) => format!("on the page {} ({})", page.title, page.url),
        None => format!("at {origin}"),
    };
    match why_left(ended) {
        Some(why) => format!(
            "{label} is disconnected here. At {origin} it may still be good: {why}. It is tried again later; an administrator \
             there can end it now, {by_hand}."
        ),
        None => format!(
            "{label} is disconnected here. Its service has no way to revoke it: end it there, {by_hand}."
        ),
    }
}

/// Why a token may still be good.
fn why_left(ended: &Disconnected) -> Option<&str> {
    ended.revocations.iter().find_map(|one| match &one.fate {
        Fate::Left(why) => Some(why.as_str()),
        Fate::Shared => Some("another connection of the same user may live by the same sign-in"),
        Fate::Revoked(_) => None,
    })
}

/// The same for programs.
pub(crate) fn json_of(ended: &Disconnected) -> Value {
    let is_revoked = ended.is_revoked();
    let page = ended.page.as_ref().filter(|_| !is_revoked);
    json!({
        "connection": ended.connection,
        "label": ended.label,
        "origin": ended.origin.to_string(),
        "revoked": is_revoked,
        "why": why_left(ended),
        "page": page.map(|page| &page.url),
    })
}
