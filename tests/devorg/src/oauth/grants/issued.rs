//! What the token endpoint has given, for who wants to know what became of it.

use std::cell::Cell;
use std::collections::VecDeque;

use super::Grants;

/// The newest of them are kept.
const ISSUED_MAX: usize = 10_000;

/// Tokens that the token endpoint gave, whether or not they arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedTokens {
    /// The sign-in that they are of: all that come of one have its number.
    pub sign_in: u64,
    /// The access token.
    pub access_token: String,
    /// The refresh token that came with it.
    pub refresh_token: Option<String>,
    /// Whether a request came with the access token.
    pub is_used: bool,
    /// Whether the sign-in was revoked since.
    pub is_over: bool,
}

/// The newest tokens, in their order.
#[derive(Debug, Default)]
pub(super) struct Issued {
    /// How many are kept no more.
    forgotten: u64,
    kept: VecDeque<Kept>,
}

#[derive(Debug)]
struct Kept {
    consent: u64,
    access_token: String,
    refresh_token: Option<String>,
    is_used: Cell<bool>,
}

impl Issued {
    /// Marks tokens as used by their number.
    pub(super) fn mark(&self, number: u64) {
        let at = number.checked_sub(self.forgotten);
        let at = at.and_then(|at| usize::try_from(at).ok());
        if let Some(kept) = at.and_then(|at| self.kept.get(at)) {
            kept.is_used.set(true);
        }
    }
}

impl Grants {
    /// Notes what the token endpoint is about to answer with.
    pub(crate) fn note_issued(&mut self, access_token: &str, refresh_token: Option<&str>) {
        let Some(access) = self.access.get_mut(access_token) else {
            return;
        };
        let issued = &mut self.issued;
        access.number = Some(issued.forgotten + issued.kept.len() as u64);
        issued.kept.push_back(Kept {
            consent: access.consent,
            access_token: access_token.to_owned(),
            refresh_token: refresh_token.map(str::to_owned),
            is_used: Cell::new(false),
        });
        if issued.kept.len() > ISSUED_MAX {
            issued.kept.pop_front();
            issued.forgotten += 1;
        }
    }

    /// Lists what the token endpoint has given, the newest last.
    pub(crate) fn issued(&self) -> Vec<IssuedTokens> {
        let kept = self.issued.kept.iter();
        let shown = kept.map(|kept| IssuedTokens {
            sign_in: kept.consent,
            access_token: kept.access_token.clone(),
            refresh_token: kept.refresh_token.clone(),
            is_used: kept.is_used.get(),
            is_over: !self.consents.contains_key(&kept.consent),
        });
        shown.collect()
    }
}
