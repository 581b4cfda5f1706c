//! What came of a link is told to who waits for it: another program on the same store, the page that the person left for the
//! service, and the agent at its next call.

use std::time::Duration;

use portcullis_policy::{ConnectorName, Digest, PersonId};
use portcullis_store::{ConnectLink, LinkEnd, SignIn};
use secrecy::{ExposeSecret, SecretString};

use super::{Accounts, ConnectError, Connected};

/// How long what came of a link is kept: who waits looks every second.
const TOLD_LASTS: Duration = Duration::from_secs(600);

/// A link that somebody waits for.
#[derive(Clone, Debug)]
pub(crate) struct Waited {
    /// The digest of its secret.
    pub(crate) link: Digest,
    person: PersonId,
    connector: ConnectorName,
}

impl Waited {
    pub(crate) fn by(link: &ConnectLink, secret: &SecretString) -> Self {
        Self {
            link: Digest::of(secret.expose_secret().as_bytes()),
            person: link.person.clone(),
            connector: link.connector.clone(),
        }
    }

    pub(super) fn of(sign_in: &SignIn) -> Option<Self> {
        sign_in.link.map(|link| Self {
            link,
            person: sign_in.person.clone(),
            connector: sign_in.connector.clone(),
        })
    }
}

impl Accounts {
    /// Tells who waits that a link ended without a sign-in.
    pub(crate) async fn tell_refused(
        &self,
        waited: &Waited,
        problem: String,
        hint: Option<String>,
    ) {
        self.write_end(Some(waited), LinkEnd::Refused { problem, hint })
            .await;
    }

    /// Tells who waits how a sign-in ended.
    pub(super) async fn tell(
        &self,
        waited: Option<&Waited>,
        finished: &Result<Connected, ConnectError>,
    ) {
        let end = match finished {
            Ok(connected) => LinkEnd::Connected(connected.connection.clone()),
            Err(error) => LinkEnd::Refused {
                problem: error.to_string(),
                hint: error.hint(),
            },
        };
        self.write_end(waited, end).await;
    }

    async fn write_end(&self, waited: Option<&Waited>, end: LinkEnd) {
        let Some(Waited {
            link,
            person,
            connector,
        }) = waited
        else {
            return;
        };
        let store = &self.store;
        // Who waits gives up by themselves.
        if let Err(error) = store
            .end_link(link, person, connector, &end, TOLD_LASTS)
            .await
        {
            tracing::warn!(%person, %error, "who waits was not told how a sign-in ended");
        }
    }
}
