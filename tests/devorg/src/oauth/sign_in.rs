//! Who has signed in on a page and is still at it.
//!
//! Pages carry a ticket in their forms instead of a cookie: nothing is left in the browser, and
//! another site's page cannot send a form in somebody's name.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::random;
use crate::id::Id;
use crate::state::Shared;
use crate::wire::Form;

/// How long a page may lie before its button is pressed.
const TICKET_LIVES: Duration = Duration::from_secs(15 * 60);
/// The pages that can lie at a time; more than people open.
const TICKETS_MAX: usize = 1_000;

/// The tickets of the pages that lie before people.
#[derive(Debug, Default)]
pub(crate) struct SignIns(HashMap<String, (Id, Instant)>);

impl SignIns {
    /// Makes the ticket of a page.
    pub(super) fn open(&mut self, user: Id) -> Result<String, getrandom::Error> {
        self.0.retain(|_, (_, made)| made.elapsed() < TICKET_LIVES);
        if self.0.len() >= TICKETS_MAX {
            self.0.clear();
        }
        let ticket = random("", 64)?;
        self.0.insert(ticket.clone(), (user, Instant::now()));
        Ok(ticket)
    }

    fn user(&self, ticket: &str) -> Option<Id> {
        let (user, made) = self.0.get(ticket)?;
        (made.elapsed() < TICKET_LIVES).then_some(*user)
    }
}

/// Finds who sent a form: by its page's ticket, or by username and password.
pub(super) fn who(shared: &Shared, form: &Form) -> Option<Id> {
    if let Some(ticket) = form.get("sign_in") {
        return shared.sign_ins().user(ticket);
    }
    with_password(shared, form.get("username")?, form.get("password")?)
}

/// Finds the user with a username, in any case, and a password.
pub(crate) fn with_password(shared: &Shared, username: &str, password: &str) -> Option<Id> {
    let known = |user: &&crate::server::DevUser| {
        user.username.eq_ignore_ascii_case(username) && user.password == password
    };
    Some(shared.users.iter().find(known)?.id())
}
