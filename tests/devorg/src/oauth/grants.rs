//! What has been granted: codes, access tokens and refresh tokens, in memory.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{OauthError, Scopes, random};
use crate::id::Id;

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
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
    /// The next consent's number.
    next_consent: u64,
}

/// A code on its way through the browser.
#[derive(Debug, Clone)]
pub(super) struct Code {
    pub(super) user: Id,
    pub(super) scopes: Scopes,
    pub(super) redirect_uri: String,
    /// The S256 challenge of RFC 7636.
    pub(super) challenge: Option<String>,
    pub(super) made: Instant,
}

/// What an access token stands for.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) user: Id,
    pub(crate) scopes: Scopes,
    /// The consent that it comes from; to revoke that revokes this.
    consent: u64,
}

#[derive(Debug, Clone)]
struct Refresh {
    user: Id,
    scopes: Scopes,
    consent: u64,
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

    /// Issues the tokens of a new consent; `given` are texts to use instead of random ones.
    pub(crate) fn issue(
        &mut self,
        org: Id,
        user: Id,
        scopes: Scopes,
        given: (Option<String>, Option<String>),
    ) -> Result<Issued, getrandom::Error> {
        self.next_consent += 1;
        let consent = self.next_consent;
        let refresh_token = match given.1 {
            Some(token) => Some(token),
            None if scopes.refresh() => Some(random("5Aep861", 80)?),
            None => None,
        };
        if let Some(token) = &refresh_token {
            let refresh = Refresh {
                user,
                scopes: scopes.clone(),
                consent,
                spent: false,
            };
            self.refresh.insert(token.clone(), refresh);
        }
        let access_token = match given.0 {
            Some(token) => token,
            None => access_token(org)?,
        };
        self.access.insert(
            access_token.clone(),
            Access {
                user,
                scopes: scopes.clone(),
                consent,
            },
        );
        Ok(Issued {
            user,
            scopes,
            access_token,
            refresh_token,
        })
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
        let Some(refresh) = self.refresh.get(token).cloned() else {
            return Ok(Err(EXPIRED));
        };
        if refresh.spent {
            self.end(refresh.consent);
            return Ok(Err(EXPIRED));
        }
        let access_token = access_token(org)?;
        let refresh_token = if rotate {
            Some(random("5Aep861", 80)?)
        } else {
            None
        };
        if let Some(next) = &refresh_token {
            self.refresh.insert(next.clone(), refresh.clone());
            self.refresh
                .entry(token.to_owned())
                .and_modify(|old| old.spent = true);
        }
        let Refresh {
            user,
            scopes,
            consent,
            ..
        } = refresh;
        self.access.insert(
            access_token.clone(),
            Access {
                user,
                scopes: scopes.clone(),
                consent,
            },
        );
        Ok(Ok(Issued {
            user,
            scopes,
            access_token,
            refresh_token,
        }))
    }

    /// Finds what an access token stands for.
    pub(crate) fn access(&self, token: &str) -> Option<&Access> {
        self.access.get(token)
    }

    /// Ends one access token, as time does; says whether there was one.
    pub(crate) fn expire(&mut self, access_token: &str) -> bool {
        self.access.remove(access_token).is_some()
    }

    /// Revokes a token of either kind; a refresh token takes the consent's access tokens along.
    pub(crate) fn revoke(&mut self, token: &str) -> bool {
        if self.access.remove(token).is_some() {
            return true;
        }
        let Some(consent) = self.refresh.get(token).map(|refresh| refresh.consent) else {
            return false;
        };
        self.end(consent);
        true
    }

    fn end(&mut self, consent: u64) {
        self.access.retain(|_, access| access.consent != consent);
        self.refresh.retain(|_, refresh| refresh.consent != consent);
    }
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
        let issued = grants
            .issue(org, user, Scopes::all(), (None, None))
            .unwrap();
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
