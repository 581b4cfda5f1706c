//! What opens an account: its tokens, and everything that is needed to replace and to revoke them.

use std::borrow::Cow;
use std::fmt;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// Room for a record, so that it is not moved as it is written and leaves no copies in memory.
const RECORD_BYTES: usize = 32 * 1024;

/// The secrets of a connection. Its `Debug` shows none.
#[derive(Clone)]
pub struct ConnectionSecrets {
    /// What requests carry.
    pub access_token: SecretString,
    /// What a new access token is asked for with.
    pub refresh_token: Option<SecretString>,
    /// The app that signed in.
    pub client_id: String,
    /// Its secret, if it has one.
    pub client_secret: Option<SecretString>,
    /// How the tokens came about, and so how they are replaced.
    pub grant: Grant,
    /// Where tokens are asked for, as it was settled at sign-in: they go nowhere else.
    pub endpoints: Endpoints,
    /// What is asked for.
    pub scopes: Vec<String>,
}

/// How tokens come about.
#[derive(Clone)]
pub enum Grant {
    /// A person signed in (RFC 6749, section 4.1).
    Code,
    /// The app is the account (RFC 6749, section 4.4).
    ClientCredentials,
    /// A signed assertion (RFC 7523, section 2.1).
    Jwt {
        /// The key that signs it, as PEM.
        private_key_pem: SecretString,
        /// Who it speaks for.
        subject: String,
        /// Whom it is made for.
        audience: String,
    },
}

/// The addresses of a service that deal with tokens, in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoints {
    /// Where people sign in.
    pub authorize: String,
    /// Where tokens are asked for.
    pub token: String,
    /// Where tokens are revoked, if that can be done.
    pub revoke: Option<String>,
}

impl fmt::Debug for ConnectionSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionSecrets")
            .field("grant", &self.grant)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code => "Code",
            Self::ClientCredentials => "ClientCredentials",
            Self::Jwt { .. } => "Jwt",
        })
    }
}

/// Secrets as they are sealed: JSON.
#[derive(Serialize, Deserialize)]
pub(crate) struct Record<'a> {
    access_token: Cow<'a, str>,
    refresh_token: Option<Cow<'a, str>>,
    client_id: Cow<'a, str>,
    client_secret: Option<Cow<'a, str>>,
    grant: GrantRecord<'a>,
    endpoints: Cow<'a, Endpoints>,
    scopes: Cow<'a, [String]>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum GrantRecord<'a> {
    Code,
    ClientCredentials,
    Jwt {
        private_key_pem: Cow<'a, str>,
        subject: Cow<'a, str>,
        audience: Cow<'a, str>,
    },
}

/// Lends a secret to a record that is about to be sealed.
pub(crate) fn exposed(secret: &SecretString) -> Cow<'_, str> {
    Cow::Borrowed(secret.expose_secret())
}

impl<'a> From<&'a ConnectionSecrets> for Record<'a> {
    fn from(secrets: &'a ConnectionSecrets) -> Self {
        Self {
            access_token: exposed(&secrets.access_token),
            refresh_token: secrets.refresh_token.as_ref().map(exposed),
            client_id: secrets.client_id.as_str().into(),
            client_secret: secrets.client_secret.as_ref().map(exposed),
            grant: match &secrets.grant {
                Grant::Code => GrantRecord::Code,
                Grant::ClientCredentials => GrantRecord::ClientCredentials,
                Grant::Jwt {
                    private_key_pem,
                    subject,
                    audience,
                } => GrantRecord::Jwt {
                    private_key_pem: exposed(private_key_pem),
                    subject: subject.as_str().into(),
                    audience: audience.as_str().into(),
                },
            },
            endpoints: Cow::Borrowed(&secrets.endpoints),
            scopes: Cow::Borrowed(&secrets.scopes),
        }
    }
}

impl From<Record<'_>> for ConnectionSecrets {
    fn from(record: Record<'_>) -> Self {
        let secret = |text: Cow<'_, str>| SecretString::from(text.into_owned());
        Self {
            access_token: secret(record.access_token),
            refresh_token: record.refresh_token.map(secret),
            client_id: record.client_id.into_owned(),
            client_secret: record.client_secret.map(secret),
            grant: match record.grant {
                GrantRecord::Code => Grant::Code,
                GrantRecord::ClientCredentials => Grant::ClientCredentials,
                GrantRecord::Jwt {
                    private_key_pem,
                    subject,
                    audience,
                } => Grant::Jwt {
                    private_key_pem: secret(private_key_pem),
                    subject: subject.into_owned(),
                    audience: audience.into_owned(),
                },
            },
            endpoints: record.endpoints.into_owned(),
            scopes: record.scopes.into_owned(),
        }
    }
}

/// Writes what is about to be sealed.
pub(crate) fn json(record: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, serde_json::Error> {
    let mut text = Zeroizing::new(Vec::with_capacity(RECORD_BYTES));
    serde_json::to_writer(&mut *text, record)?;
    Ok(text)
}
