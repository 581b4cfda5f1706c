//! A turn: whoever holds the lease asks the service for new tokens and stores them.

use std::sync::Arc;

use portcullis::ports::PortError;
use portcullis::ports::credentials::{RefreshError, Token};
use portcullis_policy::ConnectionId;
use portcullis_store::{ConnectionState, Grant, Hold, InFlight, Lease, Leased, NewTokens};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::sleep;

use super::super::service_account::signed;
use super::super::{ConnectError, known};
use super::{Shared, stored};
use crate::{Given, Guide, Held, Refused, TokenClient, TokenError, Tokens, Unusable};

/// Errors that say nothing about the token (RFC 6749, section 4.1.2.1; services answer with them here, too).
const FOR_NOW: [&str; 2] = ["temporarily_unavailable", "server_error"];

/// How a request to the service ended.
enum Asked {
    Answered(Tokens),
    Refused(Box<Refused>),
    /// It gave what cannot be used.
    Unusable(Unusable, Given),
    /// It was surely not acted upon.
    NotNow(PortError),
    /// It may have been acted upon.
    Unclear(TokenError),
}

impl Shared {
    pub(super) async fn lease(
        &self,
        id: &ConnectionId,
        generation: u64,
        holder: &SecretString,
        dead: Option<&Hold>,
    ) -> Result<Lease, RefreshError> {
        let holder = holder.expose_secret();
        let lease = self.store.lease(id, generation, holder, dead);
        lease.await.map_err(stored)
    }

    /// Does something while it is shown to others that the lease's holder is alive.
    pub(super) async fn alive<T>(
        &self,
        id: &ConnectionId,
        holder: &SecretString,
        work: impl Future<Output = T>,
    ) -> T {
        let beats = async {
            loop {
                sleep(self.timing.beats).await;
                match self.store.beat(id, holder.expose_secret()).await {
                    Ok(true) => {}
                    // It has ended with the work, or is another's: what was sent is sent.
                    Ok(false) => std::future::pending().await,
                    Err(error) => tracing::warn!(connection = %id, %error, "a lease was not kept"),
                }
            }
        };
        tokio::select! {
            done = work => done,
            never = beats => never,
        }
    }

    /// Takes a turn by a lease.
    pub(super) async fn take_turn(
        self: Arc<Self>,
        leased: Leased,
        holder: &SecretString,
    ) -> Result<Token, RefreshError> {
        let id = leased.connection.id.clone();
        self.alive(&id, holder, self.renew_by(leased, holder)).await
    }

    /// Renews by a lease, and gives it back or uses it up.
    ///
    /// An answer that was lost, now or with a process that died, is asked for once more: a service that gives no new refresh token
    /// answers again, and with one that does there is nothing left to lose.
    async fn renew_by(
        self: &Arc<Self>,
        mut leased: Leased,
        holder: &SecretString,
    ) -> Result<Token, RefreshError> {
        let (id, generation) = (leased.connection.id.clone(), leased.connection.generation);
        if let ConnectionState::Reconnect { reason } = &leased.connection.state {
            let reason = reason.clone();
            self.give_back(&id, holder, InFlight::Nothing).await;
            return Err(RefreshError::Reconnect { reason });
        }
        let mut lost = leased
            .connection
            .in_flight_since
            .map(|since| format!("a renewal of {since} was broken off before its answer was kept"));
        let mut is_last = false;
        loop {
            let in_flight = match lost {
                Some(_) => InFlight::Unanswered,
                None => InFlight::Nothing,
            };
            if leased.secrets.refresh_token.is_none() && matches!(leased.secrets.grant, Grant::Code)
            {
                let reason =
                    "the access token has ended, and the service gave nothing to renew it with";
                return self.ended(&id, generation, reason).await;
            }
            self.announce(&id, holder).await?;
            match self.ask(&leased).await {
                Asked::Answered(tokens) => {
                    return self.keep(leased, known::next(tokens), holder).await;
                }
                Asked::Refused(refused) => {
                    let reason = reason(&refused, lost.as_deref());
                    return self.ended(&id, generation, &reason).await;
                }
                Asked::Unusable(why, given) => {
                    let reason = format!("the service gave a token that cannot be used: {why}");
                    let ended = self.ended(&id, generation, &reason).await;
                    self.revoke(&leased, &unusable(given)).await;
                    return ended;
                }
                Asked::NotNow(problem) => {
                    self.give_back(&id, holder, in_flight).await;
                    return Err(problem.into());
                }
                Asked::Unclear(error) if is_last => {
                    self.give_back(&id, holder, InFlight::Unanswered).await;
                    let problem = PortError::new("the connection was not renewed, or nobody knows");
                    return Err(problem.caused_by(error).into());
                }
                Asked::Unclear(error) => {
                    tracing::warn!(connection = %id, %error, "a renewal is sent once more");
                    lost.get_or_insert_with(|| {
                        "the answer to a renewal was lost on its way".to_owned()
                    });
                    is_last = true;
                    sleep(self.timing.pause).await;
                    leased = match self.lease(&id, generation, holder, None).await? {
                        Lease::Leased(leased) => *leased,
                        Lease::Newer(token) => return Ok(token),
                        Lease::Held(_) => return Err(lease_lost()),
                    };
                }
            }
        }
    }

    /// Writes down that a request is about to be sent.
    async fn announce(&self, id: &ConnectionId, holder: &SecretString) -> Result<(), RefreshError> {
        match self.store.sending(id, holder.expose_secret()).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(lease_lost()),
            Err(error) => Err(stored(error)),
        }
    }

    /// Asks the service for new tokens, by the grant of the account.
    async fn ask(&self, leased: &Leased) -> Asked {
        let (connection, secrets) = (&leased.connection, &leased.secrets);
        let unknown = |error: ConnectError| {
            let problem = "the connection cannot be renewed";
            Asked::NotNow(PortError::new(problem).caused_by(error))
        };
        let manifest = match known::manifest(&*self.manifests, &connection.connector) {
            Ok(manifest) => manifest,
            Err(error) => return unknown(error),
        };
        let (service, endpoints) = match (
            known::service(&manifest),
            known::endpoints(&secrets.endpoints),
        ) {
            (Ok(service), Ok(endpoints)) => (service, endpoints),
            (Err(error), _) | (_, Err(error)) => return unknown(error),
        };
        let app = known::app(secrets);
        let client = TokenClient::new(service, &app, &endpoints, &self.network);
        let held = Held {
            origin: &connection.origin,
            scopes: &connection.scopes,
        };
        let answer = match (&secrets.grant, &secrets.refresh_token) {
            (Grant::Code, Some(token)) => client.refresh(token, held).await,
            (Grant::Code | Grant::ClientCredentials, _) => client.client_credentials().await,
            (
                Grant::Jwt {
                    private_key_pem,
                    subject,
                    audience,
                },
                _,
            ) => match signed(&client, private_key_pem, subject, audience).await {
                Ok(tokens) => Ok(tokens),
                Err(ConnectError::Token(error)) => Err(error),
                Err(error) => return unknown(error),
            },
        };
        match answer {
            Ok(tokens) => Asked::Answered(tokens),
            Err(TokenError::Refused(refused)) if FOR_NOW.contains(&refused.code.as_str()) => {
                let problem = PortError::new("the service does not renew the connection now");
                Asked::NotNow(problem.caused_by(TokenError::Refused(refused)))
            }
            Err(TokenError::Refused(refused)) if passes(&refused) => {
                let problem = format!(
                    "{}. The connection is kept: call again when that has changed",
                    said(&refused)
                );
                Asked::NotNow(PortError::new(problem).caused_by(TokenError::Refused(refused)))
            }
            Err(TokenError::Refused(refused)) => Asked::Refused(refused),
            Err(error @ TokenError::Unclear { .. }) => Asked::Unclear(error),
            Err(TokenError::Unusable { why, given }) => Asked::Unusable(why, given),
            Err(error @ (TokenError::Unavailable { .. } | TokenError::Sign(_))) => {
                let problem = PortError::new("the connection could not be renewed now");
                Asked::NotNow(problem.caused_by(error))
            }
        }
    }

    /// Marks a connection as one that somebody must sign in to again, unless somebody has.
    async fn ended(
        &self,
        id: &ConnectionId,
        generation: u64,
        reason: &str,
    ) -> Result<Token, RefreshError> {
        let marked = self.store.mark_reconnect(id, generation, reason).await;
        match marked.map_err(stored)? {
            true => Err(RefreshError::Reconnect {
                reason: reason.to_owned(),
            }),
            false => self.store.access_token(id).await.map_err(stored),
        }
    }

    /// Gives a lease back. Where the store does not take it, others take it over after a while.
    async fn give_back(&self, id: &ConnectionId, holder: &SecretString, in_flight: InFlight) {
        let released = self.store.release(id, holder.expose_secret(), in_flight);
        if let Err(error) = released.await {
            tracing::warn!(connection = %id, %error, "a lease was not given back");
        }
    }
}

fn lease_lost() -> RefreshError {
    PortError::new("the renewal took too long, and is another process's now: call again").into()
}

/// Tokens that are to be revoked.
fn unusable(given: Given) -> NewTokens {
    NewTokens {
        access_token: given.access,
        refresh_token: given.refresh,
        scopes: None,
        origin: None,
    }
}

/// Says whether a refusal holds for now alone, as the manifest has it.
fn passes(refused: &Refused) -> bool {
    refused.guide.as_ref().is_some_and(|guide| guide.passes)
}

/// Says in a few sentences why a connection has ended, what to do first, and where an administrator sees to it.
fn reason(refused: &Refused, lost: Option<&str>) -> String {
    let guide = refused.guide.as_ref();
    // What is known to have happened is told, and not what else may have.
    if let Some(lost) = lost {
        let said = guide.map_or_else(|| said(refused), |guide| guide.title.clone());
        return format!("{lost}, and the service takes the older token no more. {said}");
    }
    let said = said(refused);
    match guide.and_then(|guide| guide.setup.as_ref()) {
        Some(page) => format!(
            "{said}. For an administrator: {} ({})",
            page.title, page.url
        ),
        None => said,
    }
}

/// Says what a refusal means, and what to do first.
fn said(refused: &Refused) -> String {
    match &refused.guide {
        Some(guide) => match first_step(guide) {
            Some(step) => format!("{}: {}", guide.title, step.trim_end_matches('.')),
            None => guide.title.clone(),
        },
        None => format!("the service does not renew the connection: {refused}"),
    }
}

fn first_step(guide: &Guide) -> Option<&str> {
    let steps = guide.steps.iter().chain(&guide.person);
    steps.chain(&guide.administrator).map(String::as_str).next()
}
