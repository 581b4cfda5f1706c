//! What is asked of a person on a terminal alone.

use anyhow::{Context, Result};
use portcullis_store::{PASSPHRASE_CHARS_MIN, PassphraseError};
use secrecy::{ExposeSecret, SecretString};

use crate::keyboard;
use crate::problem::Problem;

/// Refuses where there is no terminal: a program that runs this command is not the person.
pub(super) fn require(what: &str) -> Result<()> {
    if keyboard::is_there() {
        return Ok(());
    }
    let message = format!("{what} on a terminal only, by a person");
    let hint = "run the command in a terminal of your own, without pipes";
    Err(Problem::mistake("no_terminal", message, hint).into())
}

/// Asks for a passphrase, which is not shown.
pub(super) fn passphrase(prompt: &str) -> Result<SecretString> {
    let given = rpassword::prompt_password(prompt).context("the passphrase could not be read")?;
    Ok(given.into())
}

/// Asks for a new one, twice.
pub(super) fn new_passphrase() -> Result<SecretString> {
    let one = passphrase("The new passphrase: ")?;
    if one.expose_secret().chars().count() < PASSPHRASE_CHARS_MIN {
        let message = PassphraseError::Short.to_string();
        let hint = "several words are easier to remember than a few signs";
        return Err(Problem::mistake("passphrase", message, hint).into());
    }
    let two = passphrase("The same again: ")?;
    match one.expose_secret() == two.expose_secret() {
        true => Ok(one),
        false => {
            let hint = "run the command again";
            Err(Problem::mistake("passphrase", "the two are not the same", hint).into())
        }
    }
}
