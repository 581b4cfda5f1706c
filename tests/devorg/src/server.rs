//! The org as a running server: started, asked about, stopped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::email::Email;
use crate::error::StartError;
use crate::id::Id;
use crate::oauth::{App, Grants, Scopes, random};
use crate::org::Org;
use crate::state::Shared;
use crate::wire;

/// How long [`DevOrg::stop`] waits for requests that are under way.
const STOP_WAITS: Duration = Duration::from_secs(2);

/// How an org is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 is a free one.
    pub listen: SocketAddr,
    /// Whether `listen` may be an address that other machines reach.
    pub allow_other_machines: bool,
    /// The org's today; `None` is the machine's, in UTC.
    pub today: Option<Date>,
    /// The app's consumer key; `None` is a random one.
    pub client_id: Option<String>,
    /// The app's consumer secret; `None` is a random one.
    pub client_secret: Option<String>,
    /// Where codes may be sent, to the letter; loopback addresses may always be.
    pub redirect_uris: Vec<String>,
    /// Whether a refresh token is used once and replaced.
    pub rotate_refresh_tokens: bool,
    /// The administrator's access token; `None` is a random one.
    pub access_token: Option<String>,
    /// The administrator's refresh token; `None` is a random one.
    pub refresh_token: Option<String>,
    /// The API requests after which every other is a `REQUEST_LIMIT_EXCEEDED`.
    pub api_requests_max: u64,
    /// The recipients outside the org that a day's mail may have; one more is a
    /// `SINGLE_EMAIL_LIMIT_EXCEEDED`.
    pub emails_per_day_max: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            allow_other_machines: false,
            today: None,
            client_id: None,
            client_secret: None,
            redirect_uris: Vec::new(),
            rotate_refresh_tokens: false,
            access_token: None,
            refresh_token: None,
            api_requests_max: 5_000_000,
            emails_per_day_max: 50,
        }
    }
}

/// A user who can sign in, and who has let the app in already.
#[derive(Debug, Clone, Serialize)]
pub struct DevUser {
    /// What the user signs in with.
    pub username: String,
    /// The password.
    pub password: String,
    /// A token for the API, with every scope of the app.
    pub access_token: String,
    /// A token for further access tokens.
    pub refresh_token: String,
    #[serde(skip)]
    id: Id,
}

impl DevUser {
    /// Gives the id of the `User` record.
    pub fn id(&self) -> Id {
        self.id
    }
}

/// A running org. It ends when this is dropped.
#[derive(Debug)]
pub struct DevOrg {
    shared: Arc<Shared>,
    address: SocketAddr,
    /// Dropped or sent, it ends the server.
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

impl DevOrg {
    /// Starts an org with the sample records on the runtime that calls.
    ///
    /// # Errors
    ///
    /// The address is not a loopback one and that was not allowed, it cannot be listened on, or the
    /// operating system gives no random bytes.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let wanted = options.listen;
        if !wanted.ip().is_loopback() && !options.allow_other_machines {
            return Err(StartError::NotLoopback { address: wanted });
        }
        let listener = TcpListener::bind(wanted)
            .await
            .map_err(|source| StartError::Listen {
                address: wanted,
                source,
            })?;
        let address = listener.local_addr().map_err(|source| StartError::Listen {
            address: wanted,
            source,
        })?;
        let shared = Arc::new(shared(options, address)?);
        // Small answers must not wait for one another's acknowledgement.
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true); // Without it answers are slow and right.
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let service = wire::service(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            let served = axum::serve(listener, service).with_graceful_shutdown(async move {
                let _ = stopped.await; // Sent or dropped, it means the same.
            });
            let _ = served.await; // It never fails: a failed accept is tried again.
        });
        Ok(Self {
            shared,
            address,
            stop: Some(stop),
            server: Some(server),
        })
    }

    /// Gives where the org is, without a slash at its end: `http://127.0.0.1:40123`.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// Gives the address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives the app's consumer key.
    pub fn client_id(&self) -> &str {
        &self.shared.app.client_id
    }

    /// Gives the app's consumer secret.
    pub fn client_secret(&self) -> &str {
        &self.shared.app.client_secret
    }

    /// Gives who can sign in; the administrator is the first.
    pub fn users(&self) -> &[DevUser] {
        &self.shared.users
    }

    /// Gives the org's time, which moves by a second with every change of a record.
    pub fn now(&self) -> Timestamp {
        self.shared.org().now()
    }

    /// Gives the number of requests so far, of any kind.
    pub fn requests(&self) -> u64 {
        self.shared.requests()
    }

    /// Ends an access token, as time does: it is answered with 401 `INVALID_SESSION_ID`, and its
    /// refresh token still works. Says whether there was such a token.
    pub fn expire_session(&self, access_token: &str) -> bool {
        self.shared.grants().expire(access_token)
    }

    /// Revokes an access token, or a refresh token with its access tokens. Says whether there was
    /// such a token.
    pub fn revoke(&self, token: &str) -> bool {
        self.shared.grants().revoke(token)
    }

    /// Forgets every answer that is being paged, as time does: its next page is a 400
    /// `INVALID_QUERY_LOCATOR`.
    pub fn expire_cursors(&self) {
        self.shared.cursors().clear();
    }

    /// Gives the mail that the org has sent, the latest last.
    pub fn outbox(&self) -> Vec<Email> {
        self.shared.outbox().sent.clone()
    }

    /// Answers a coming request with this instead of what it asks for, so that a client can be
    /// tested with a page of a proxy, a redirect or a 503. Several are given in turn; the requests
    /// count as any other. A header whose name is none is left out.
    pub fn answer_next(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        let headers = headers
            .iter()
            .filter_map(|(name, value)| Some((name.parse().ok()?, (*value).to_owned())))
            .collect();
        let reply = wire::Reply::of(status, headers, body);
        self.shared.canned().push_back(reply);
    }

    /// Stops: no connection is taken any more, and requests under way are answered, within two
    /// seconds.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if let Some(server) = self.server.take() {
            let abort = server.abort_handle();
            if tokio::time::timeout(STOP_WAITS, server).await.is_err() {
                abort.abort();
            }
        }
    }
}

fn shared(options: Options, address: SocketAddr) -> Result<Shared, StartError> {
    let now = options
        .today
        .and_then(|today| TimeZone::UTC.to_timestamp(today.at(12, 0, 0, 0)).ok())
        .unwrap_or_else(Timestamp::now);
    let org = Org::sample(now);
    let app = App {
        client_id: match options.client_id {
            Some(id) => id,
            None => random("3MVG9", 80)?,
        },
        client_secret: match options.client_secret {
            Some(secret) => secret,
            None => random("", 64)?,
        },
        redirect_uris: options.redirect_uris,
        rotate_refresh_tokens: options.rotate_refresh_tokens,
    };
    let mut grants = Grants::default();
    let mut given = Some((options.access_token, options.refresh_token));
    let mut users = Vec::new();
    for user in org.store.rows("User") {
        if user.get("IsActive").as_bool() != Some(true) {
            continue;
        }
        let issued = grants.issue(
            org.id,
            user.id,
            Scopes::all(),
            given.take().unwrap_or_default(),
        )?;
        users.push(DevUser {
            username: user
                .get("Username")
                .as_text()
                .unwrap_or_default()
                .to_owned(),
            password: random("", 16)?,
            access_token: issued.access_token,
            refresh_token: issued.refresh_token.unwrap_or_default(),
            id: user.id,
        });
    }
    // An address of every interface is no place to go to.
    let host = if address.ip().is_unspecified() {
        SocketAddr::from(([127, 0, 0, 1], address.port()))
    } else {
        address
    };
    Ok(Shared::new(
        format!("http://{host}"),
        app,
        users,
        options.api_requests_max,
        options.emails_per_day_max,
        org,
        grants,
    ))
}
