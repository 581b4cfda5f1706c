//! What was granted, as the state file has it.

use super::{Access, Consent, GrantKey, Grants, Refresh};

impl Grants {
    /// Begins to remember what is not saved: what there is, at first.
    pub(crate) fn remember_unsaved(&mut self) {
        let consents = self.consents.keys().copied().map(GrantKey::Consent);
        let access = self.access.keys().cloned().map(GrantKey::Access);
        let refresh = self.refresh.keys().cloned().map(GrantKey::Refresh);
        self.unsaved.begin(consents.chain(access).chain(refresh));
    }

    /// Says whether both tokens still are what a consent was given for.
    pub(crate) fn stand(&self, consent: &Consent, access: &str, refresh: &str) -> bool {
        let is_of =
            |client_id: &str, user| *client_id == *consent.client_id && user == consent.user;
        let access = self.access(access);
        let refresh = self.refresh_token(refresh);
        access.is_some_and(|access| is_of(&access.client_id, access.user))
            && refresh.is_some_and(|(consent, _)| is_of(&consent.client_id, consent.user))
    }

    pub(crate) fn consent(&self, number: u64) -> Option<&Consent> {
        self.consents.get(&number)
    }

    pub(crate) fn refresh_of(&self, token: &str) -> Option<&Refresh> {
        self.refresh.get(token)
    }

    pub(crate) fn restore_consent(&mut self, number: u64, consent: Consent) {
        self.last_consent = self.last_consent.max(number);
        self.consents.insert(number, consent);
    }

    pub(crate) fn restore_access(&mut self, token: String, access: Access) {
        self.access.insert(token, access);
    }

    pub(crate) fn restore_refresh(&mut self, token: String, refresh: Refresh) {
        self.refresh.insert(token, refresh);
    }
}
