//! What is asked of a person on a terminal alone.

#[cfg(unix)]
use std::fs::File;
use std::io;
#[cfg(unix)]
use std::io::Write;

use anyhow::{Context, Result};
use portcullis_store::{PASSPHRASE_CHARS_MIN, PassphraseError};
#[cfg(unix)]
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
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
    let given = hidden(prompt).context("the passphrase could not be read")?;
    Ok(given.into())
}

/// Nothing is shown any more before the question is: who answers it at once is not shown either.
#[cfg(unix)]
fn hidden(prompt: &str) -> io::Result<String> {
    let silence = Silence::begin()?;
    (&silence.terminal).write_all(prompt.as_bytes())?;
    rpassword::read_password()
}

#[cfg(not(unix))]
fn hidden(prompt: &str) -> io::Result<String> {
    rpassword::prompt_password(prompt)
}

/// The terminal of this program, which does not show what is typed as long as this is there.
#[cfg(unix)]
struct Silence {
    terminal: File,
    before: Termios,
}

#[cfg(unix)]
impl Silence {
    fn begin() -> io::Result<Self> {
        // The same that the passphrase is read from.
        let terminal = File::options().read(true).write(true).open("/dev/tty")?;
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ECHONL);
        tcsetattr(&terminal, OptionalActions::Now, &silent)?;
        Ok(Self { terminal, before })
    }
}

#[cfg(unix)]
impl Drop for Silence {
    fn drop(&mut self) {
        // A terminal that is gone shows nothing.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
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
