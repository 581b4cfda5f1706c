//! `portcullis key`: where the master key is, and new keys. No key is ever shown.

use std::io::{IsTerminal, Write};

use anyhow::{Context, Result};
use portcullis_store::{DecidedKind, Deciding, KeyError, MasterKey};
use serde_json::json;

use crate::args::Form;
use crate::args::accounts::{KeyCommand, MoveTo};
use crate::home::{Home, Session};
use crate::master::{self, Place};
use crate::problem::Problem;
use crate::show;

/// Does what was asked.
pub(crate) async fn run(command: &KeyCommand, home: &Home) -> Result<()> {
    let session = home.open().await?;
    session.require_administrator().await?;
    match command {
        KeyCommand::Show(form) => {
            let id = session.master.key.id();
            let place = &session.master.place;
            let value = json!({ "id": id, "place": place.json() });
            let sentence = format!("The master key `{id}` is in {place}.");
            Ok(show::done(*form, &value, &sentence, None)?)
        }
        KeyCommand::Rotate(form) => rotate(&session, *form).await,
        KeyCommand::Move { to, form } => match to {
            MoveTo::File => to_file(home, &session, *form).await,
            MoveTo::Keyring => to_keyring(home, &session, *form).await,
        },
    }
}

async fn rotate(session: &Session, form: Form) -> Result<()> {
    let what = of_keys("the data key", "a new one");
    let work = session.store.rotate_key_watched(progress);
    let values = session.deciding(what, work).await;
    end_progress();
    let values = values?;
    let sentence = format!("{}, and the old one is gone.", sealed(values));
    let value = json!({ "changed": true, "values": values });
    Ok(show::done(form, &value, &sentence, None)?)
}

/// Seals the data keys under a new master key.
async fn rewrap(session: &Session, new: &MasterKey) -> Result<()> {
    let what = of_keys("the master key", &new.id());
    session.deciding(what, session.store.rewrap(new)).await
}

fn of_keys(which: &str, to: &str) -> Deciding {
    Deciding {
        kind: DecidedKind::Key,
        subject: which.to_owned(),
        from: Some("the one before".to_owned()),
        to: Some(to.to_owned()),
        reason: None,
    }
}

/// Shows how many values were sealed anew to whoever looks: nothing hangs on it.
fn progress(values: u64) {
    let mut err = std::io::stderr();
    if err.is_terminal() {
        let _ = write!(err, "\r{values} values sealed anew");
    }
}

fn end_progress() {
    if std::io::stderr().is_terminal() {
        let _ = writeln!(std::io::stderr());
    }
}

fn sealed(values: u64) -> String {
    match values {
        0 => "Nothing had to be sealed anew; there is a new data key".to_owned(),
        1 => "1 value is sealed under a new data key".to_owned(),
        values => format!("{values} values are sealed under a new data key"),
    }
}

/// Makes a new master key in the key file. At each moment a key that opens the store is where it is looked for.
async fn to_file(home: &Home, session: &Session, form: Form) -> Result<()> {
    let old = &session.master;
    let new = MasterKey::from_file(master::next_file(home))?;
    rewrap(session, &new).await?;
    let kept = master::put_in_place(home)?;
    let mut rest = Vec::new();
    match &old.place {
        Place::File(_) => {
            if let Some(kept) = kept {
                rest.push(format!("The old one is kept as `{}`.", kept.display()));
            }
        }
        Place::Keyring(name) => {
            let under = format!("{name} (old {})", old.key.id());
            rest.push(format!("The old one is kept in the keyring as `{under}`."));
            let (key, name) = (old.key.clone(), name.clone());
            in_keyring(move || {
                key.keep_in_keyring(&under)?;
                key.take_out_of_keyring(&name)
            })
            .await?;
        }
        Place::Variable => rest.push(format!(
            "Unset {}: it no longer opens the store.",
            old.place
        )),
    }
    let place = Place::File(home.key_file.clone());
    moved(session, &new, &place, rest, form).await
}

/// Makes a new master key in the keyring.
async fn to_keyring(home: &Home, session: &Session, form: Form) -> Result<()> {
    let old = &session.master;
    let name = home.keyring_name();
    if matches!(old.place, Place::Keyring(_)) {
        let message = "the master key is in the keyring already";
        let hint = "for a new one there, move it to a file first: portcullis key move --to file";
        return Err(Problem::mistake("master_key", message, hint).into());
    }
    // One that is there and opens nothing is left of a move that was broken off.
    let new = match master::of_keyring(name.clone()).await? {
        Some(key) => key,
        None => MasterKey::random()?,
    };
    let (key, under) = (new.clone(), name.clone());
    in_keyring(move || key.keep_in_keyring(&under)).await?;
    rewrap(session, &new).await?;
    let mut rest = Vec::new();
    match &old.place {
        Place::File(path) => {
            if let Some(kept) = master::set_aside(path)? {
                rest.push(format!("The old one is kept as `{}`.", kept.display()));
            }
        }
        place => rest.push(format!("Unset {place}: it no longer opens the store.")),
    }
    moved(session, &new, &Place::Keyring(name), rest, form).await
}

/// Asks the keyring, which may wait for the person to unlock it.
async fn in_keyring(
    work: impl FnOnce() -> Result<(), KeyError> + Send + 'static,
) -> Result<(), KeyError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| {
        Err(KeyError::Keyring {
            problem: error.to_string(),
        })
    })
}

/// Finishes a move, now that the new key is where it is looked for: what was sealed under older data keys opens for whoever
/// has the old master key and an older copy of the file.
async fn moved(
    session: &Session,
    new: &MasterKey,
    place: &Place,
    rest: Vec<String>,
    form: Form,
) -> Result<()> {
    let values = session.store.reseal(progress).await;
    end_progress();
    let values = values.context(
        "the master key is a new one, but not everything is sealed anew: `portcullis key rotate` finishes that",
    )?;
    let id = new.id();
    let mut sentence = format!(
        "The store is sealed under a new master key, `{id}`, in {place}.\n{}.",
        sealed(values)
    );
    for more in &rest {
        sentence.push('\n');
        sentence.push_str(more);
    }
    sentence.push_str("\nBackups made until now open with the old one alone.");
    let next = "start programs again that have the store open";
    let value = json!({
        "changed": true,
        "id": id,
        "place": place.json(),
        "old_id": session.master.key.id(),
        "values": values,
        "notes": rest,
    });
    Ok(show::done(form, &value, &sentence, Some(next))?)
}
