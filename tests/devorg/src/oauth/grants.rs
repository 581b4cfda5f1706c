//! What has been granted: codes, access tokens and refresh tokens, in memory.

mod issued;
mod saved;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{OauthError, Scopes, random};
use crate::id::Id;
use crate::shared_text;
use crate::unsaved::Unsaved;
pub use issued::IssuedTokens;

/// How long a code can be redeemed (Salesforce's help: 15 minutes).
const CODE_LIVES: Duration = Duration::from_secs(15 * 60);
/// The codes that wait to be redeemed; more than people can ask for.
const CODES_MAX: usize = 1_000;

const EXPIRED: OauthError = OauthError::new("invalid_grant", "expired access/refresh token");
const INVALID_CODE: OauthError = OauthError::new("invalid_grant", "invalid authorization code");

/// Everything granted so far.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    codes: HashMap<String, Code>,
    consents: HashMap<u64, Consent>,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
    /// The last consent's number.
    last_consent: u64,
    issued: issued::Issued,
    /// What is not in the state file as it is.
    pub(crate) unsaved: Unsaved<GrantKey>,
}

/// What names one thing of what was granted; codes, which live for minutes, are not saved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum GrantKey {
    Consent(u64),
    Access(String),
    Refresh(String),
}

/// What a user lets an app do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Consent {
    #[serde(with = "shared_text")]
    pub(crate) client_id: Arc<str>,
    pub(crate) user: Id,
    pub(crate) scopes: Scopes,
    /// Whether the user was asked, on a page.
    pub(crate) asked: bool,
}

/// A code on its way through the browser.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) consent: Consent,
    pub(super) redirect_uri: String,
    /// The S256 challenge of RFC 7636.
    pub(super) challenge: Option<String>,
    /// What the ID token is to repeat.
    pub(super) nonce: Option<String>,
    pub(super) made: Instant,
}

/// What an access token stands for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Access {
    #[serde(with = "shared_text")]
    pub(crate) client_id: Arc<str>,
    pub(crate) user: Id,
    pub(crate) scopes: Scopes,
    /// When it was issued.
    pub(crate) since: Timestamp,
    /// The consent that it comes from; to revoke that revokes this.
    consent: u64,
    /// Its number among what the token endpoint gave.
    #[serde(skip)]
    number: Option<u64>,
}

/// What a refresh token stands for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Refresh {
    consent: u64,
    since: Timestamp,
    /// Whether it has been replaced by another.
    spent: bool,
}

/// What the token endpoint gives.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) user: Id,
    pub(crate) scopes: Scopes,
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    /// What the ID token is to repeat.
    pub(crate) nonce: Option<String>,
}

/// The texts of tokens to use instead of random ones.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) access_token: Option<String>,
    pub(crate) refresh_token: Option<String>,
}

impl Given {
    /// Says whether tokens are what was given, or nothing was.
    pub(crate) fn allows(&self, access_token: &str, refresh_token: &str) -> bool {
        let allows =
            |given: &Option<String>, token| given.as_deref().is_none_or(|given| given == token);
        allows(&self.access_token, access_token) && allows(&self.refresh_token, refresh_token)
    }
}

impl Grants {
    /// Keeps a code.
    pub(super) fn add_code(&mut self, code: Code) -> Result<String, getrandom::Error> {
        self.codes
            .retain(|_, code| code.made.elapsed() < CODE_LIVES * 2);
        if self.codes.len() >= CODES_MAX {
            self.codes.clear();
        }
        let text = random("aPrx", 60)?;
        self.codes.insert(text.clone(), code);
        Ok(text)
    }

    /// Takes a code away: it can be redeemed once, and not by another after a failed attempt.
    pub(super) fn take_code(&mut self, code: &str) -> Result<Code, OauthError> {
        let code = self.codes.remove(code).ok_or(INVALID_CODE)?;
        if code.made.elapsed() > CODE_LIVES {
            return Err(OauthError::new(
                "invalid_grant",
                "expired authorization code",
            ));
        }
        Ok(code)
    }

    /// Issues the tokens of a new consent, with a refresh token if the scopes have one.
    pub(crate) fn issue(
        &mut self,
        org: Id,
        consent: Consent,
        given: Given,
    ) -> Result<Issued, getrandom::Error> {
        let refresh_token = match given.refresh_token {
            Some(token) => Some(token),
            None if consent.scopes.refresh() => Some(refresh_token()?),
            None => None,
        };
        let mut issued = self.issue_session(org, consent, given.access_token)?;
        if let Some(token) = &refresh_token {
            self.insert_refresh(token.clone(), Refresh::of(self.last_consent));
        }
        issued.refresh_token = refresh_token;
        Ok(issued)
    }

    /// Issues an access token and no refresh token, as for who can come again by themselves.
    pub(crate) fn issue_session(
        &mut self,
        org: Id,
        consent: Consent,
        access_token: Option<String>,
    ) -> Result<Issued, getrandom::Error> {
        let text = match access_token {
            Some(token) => token,
            None => self::access_token(org)?,
        };
        self.last_consent += 1;
        self.unsaved.mark(|| GrantKey::Consent(self.last_consent));
        self.consents.insert(self.last_consent, consent.clone());
        Ok(self.access_for(self.last_consent, consent, text))
    }

    /// Finds whose a refresh token is, and of which app.
    pub(super) fn refreshed(&self, token: &str) -> Option<&Consent> {
        let refresh = self.refresh.get(token)?;
        self.consents.get(&refresh.consent)
    }

    /// Issues another access token, and another refresh token when `rotate` says so.
    ///
    /// To use a spent token again ends the whole consent: it may have been stolen.
    pub(super) fn refresh(
        &mut self,
        org: Id,
        token: &str,
        rotate: bool,
    ) -> Result<Result<Issued, OauthError>, getrandom::Error> {
        let found = self.refresh.get(token).cloned();
        let found = found.and_then(|refresh| {
            let consent = self.consents.get(&refresh.consent)?.clone();
            Some((refresh, consent))
        });
        let Some((refresh, consent)) = found else {
            return Ok(Err(EXPIRED));
        };
        if refresh.spent {
            self.end(refresh.consent);
            return Ok(Err(EXPIRED));
        }
        let access_token = access_token(org)?;
        let mut issued = self.access_for(refresh.consent, consent, access_token);
        if rotate {
            let next = refresh_token()?;
            self.insert_refresh(next.clone(), Refresh::of(refresh.consent));
            let spent = Refresh {
                spent: true,
                ..refresh
            };
            self.insert_refresh(token.to_owned(), spent);
            issued.refresh_token = Some(next);
        }
        Ok(Ok(issued))
    }

    fn access_for(&mut self, number: u64, consent: Consent, text: String) -> Issued {
        let Consent {
            client_id,
            user,
            scopes,
            ..
        } = consent;
        self.insert_access(
            text.clone(),
            Access {
                client_id,
                user,
                scopes: scopes.clone(),
                since: Timestamp::now(),
                consent: number,
                number: None,
            },
        );
        Issued {
            user,
            scopes,
            access_token: text,
            refresh_token: None,
            nonce: None,
        }
    }

    /// Says whether a user has let an app do this much, when asked.
    pub(super) fn approved(&self, client_id: &str, user: Id, scopes: &Scopes) -> bool {
        self.consents.values().any(|consent| {
            consent.asked
                && *consent.client_id == *client_id
                && consent.user == user
                && consent.scopes.refresh()
                && consent.scopes.cover(scopes)
        })
    }

    /// Counts the users who have let an app in.
    pub(super) fn users_of(&self, client_id: &str) -> usize {
        let users: HashSet<Id> = self
            .consents
            .values()
            .filter(|consent| *consent.client_id == *client_id)
            .map(|consent| consent.user)
            .collect();
        users.len()
    }

    /// Ends every session of an app; its refresh tokens stay.
    pub(super) fn expire_app(&mut self, client_id: &str) {
        self.end_access(|access| *access.client_id == *client_id);
    }

    /// Ends every access token, or those of a user, as time does; says how many there were.
    pub(crate) fn expire_all(&mut self, user: Option<Id>) -> usize {
        self.end_access(|access| user.is_none_or(|user| access.user == user))
    }

    /// Finds what a refresh token stands for, and when it was issued.
    pub(super) fn refresh_token(&self, token: &str) -> Option<(&Consent, Timestamp)> {
        let refresh = self.refresh.get(token).filter(|refresh| !refresh.spent)?;
        Some((self.consents.get(&refresh.consent)?, refresh.since))
    }

    /// Finds what an access token stands for.
    pub(crate) fn access(&self, token: &str) -> Option<&Access> {
        self.access.get(token)
    }

    /// Finds what the access token of a request stands for.
    pub(crate) fn access_of_request(&self, token: &str) -> Option<&Access> {
        let access = self.access.get(token)?;
        if let Some(number) = access.number {
            self.issued.mark(number);
        }
        Some(access)
    }

    /// Ends one access token, as time does; says whether there was one.
    pub(crate) fn expire(&mut self, access_token: &str) -> bool {
        let ended = self.access.remove(access_token);
        if ended.is_some() {
            self.unsaved
                .mark(|| GrantKey::Access(access_token.to_owned()));
        }
        ended.is_some()
    }

    /// Revokes a token of either kind; a refresh token takes the consent's access tokens along.
    pub(crate) fn revoke(&mut self, token: &str) -> bool {
        if self.expire(token) {
            return true;
        }
        let Some(consent) = self.refresh.get(token).map(|refresh| refresh.consent) else {
            return false;
        };
        self.end(consent);
        true
    }

    fn end(&mut self, consent: u64) {
        self.consents.remove(&consent);
        self.unsaved.mark(|| GrantKey::Consent(consent));
        self.end_access(|access| access.consent == consent);
        let ended = self
            .refresh
            .extract_if(|_, refresh| refresh.consent == consent);
        let ended: Vec<String> = ended.map(|(token, _)| token).collect();
        for token in ended {
            self.unsaved.mark(|| GrantKey::Refresh(token));
        }
    }

    /// Ends the access tokens of a kind; says how many there were.
    fn end_access(&mut self, kind: impl Fn(&Access) -> bool) -> usize {
        let ended = self.access.extract_if(|_, access| kind(access));
        let ended: Vec<String> = ended.map(|(token, _)| token).collect();
        let count = ended.len();
        for token in ended {
            self.unsaved.mark(|| GrantKey::Access(token));
        }
        count
    }

    fn insert_access(&mut self, token: String, access: Access) {
        self.unsaved.mark(|| GrantKey::Access(token.clone()));
        self.access.insert(token, access);
    }

    fn insert_refresh(&mut self, token: String, refresh: Refresh) {
        self.unsaved.mark(|| GrantKey::Refresh(token.clone()));
        self.refresh.insert(token, refresh);
    }
}

impl Refresh {
    fn of(consent: u64) -> Self {
        Self {
            consent,
            since: Timestamp::now(),
            spent: false,
        }
    }
}

fn refresh_token() -> Result<String, getrandom::Error> {
    random("5Aep861", 80)
}

/// Makes an access token: the org's id, `!`, and letters, digits, `.` and `_`.
fn access_token(org: Id) -> Result<String, getrandom::Error> {
    random(&format!("{}!AQ", org.short()), 90)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]
mod tests {
    use super::*;

    fn granted() -> (Grants, Id, Issued) {
        let mut grants = Grants::default();
        let org = Id::numbered("00D", 1);
        let user = Id::numbered("005", 1);
        let consent = Consent {
            client_id: "app".into(),
            user,
            scopes: Scopes::all(),
            asked: true,
        };
        let issued = grants.issue(org, consent, Given::default()).unwrap();
        (grants, org, issued)
    }

    #[test]
    fn an_expired_access_token_leaves_the_refresh_token() {
        let (mut grants, org, issued) = granted();
        assert!(grants.access(&issued.access_token).is_some());
        assert!(grants.expire(&issued.access_token));
        assert!(grants.access(&issued.access_token).is_none());
        let again = grants
            .refresh(org, &issued.refresh_token.unwrap(), false)
            .unwrap()
            .unwrap();
        assert!(grants.access(&again.access_token).is_some());
        assert!(again.refresh_token.is_none());
    }

    #[test]
    fn a_spent_refresh_token_ends_the_consent() {
        let (mut grants, org, issued) = granted();
        let first = issued.refresh_token.unwrap();
        let second = grants.refresh(org, &first, true).unwrap().unwrap();
        assert!(grants.access(&second.access_token).is_some());
        assert!(grants.refresh(org, &first, true).unwrap().is_err());
        assert!(grants.access(&second.access_token).is_none());
        assert!(
            grants
                .refresh(org, &second.refresh_token.unwrap(), true)
                .unwrap()
                .is_err()
        );
    }

    #[test]
    fn an_access_token_looks_like_salesforces() {
        let (_, _, issued) = granted();
        let (org, rest) = issued.access_token.split_once('!').unwrap();
        assert_eq!(org, "00DDO0000000001");
        assert!(rest.starts_with("AQ") && rest.len() == 92);
        assert!(
            rest.chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'))
        );
    }
}
