//! What makes a running org misbehave, and get well again.

use crate::DevOrg;
use crate::fault::{Rule, RuleError};
use crate::oauth::{AppState, DevApp, IssuedTokens};

impl DevOrg {
    /// Lists the apps, with how they stand now; the one of [`DevOrg::client_id`] is the first.
    pub fn apps(&self) -> Vec<DevApp> {
        self.shared.dev_apps()
    }

    /// Puts an app, by its name or consumer key, into a state; says whether there is one.
    pub fn set_app_state(&self, app: &str, state: AppState) -> bool {
        self.shared.set_app_state(app, state)
    }

    /// Makes something go wrong, as the rule says, and gives the rule's number. Rules are tried in
    /// the order in which they came.
    ///
    /// # Errors
    ///
    /// The rule never strikes, or strikes without effect.
    pub fn add_fault(&self, rule: Rule) -> Result<u64, RuleError> {
        rule.check()?;
        Ok(self.shared.faults().add(rule))
    }

    /// Forgets a rule by its number; says whether it could still strike.
    pub fn clear_fault(&self, number: u64) -> bool {
        self.shared.faults().remove(number)
    }

    /// Forgets every rule.
    pub fn clear_faults(&self) {
        self.shared.faults().clear();
    }

    /// Gives how many rules can still strike.
    pub fn faults_due(&self) -> usize {
        self.shared.faults().list().len()
    }

    /// Ends every access token, or every one of a user by username, as time does; says how many.
    pub fn expire_sessions(&self, username: Option<&str>) -> usize {
        let user = match username.map(|name| self.shared.user_named(name)) {
            Some(None) => return 0, // Nobody has no tokens.
            Some(found) => found,
            None => None,
        };
        self.shared.grants().expire_all(user)
    }

    /// Lists what the token endpoint has given so far, the newest last: some thousands of them.
    pub fn issued_tokens(&self) -> Vec<IssuedTokens> {
        self.shared.grants().issued()
    }
}
