//! The org as a running server: started, asked about, stopped.

use std::net::SocketAddr;
#[cfg(feature = "program")]
use std::path::PathBuf;
use std::sync::Arc;
#[cfg(feature = "program")]
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::bulk;
use crate::email::Email;
use crate::error::StartError;
use crate::fault::{Fault, Rule};
use crate::id::Id;
use crate::limits::Limit;
use crate::oauth::AppState;
use crate::serve::{Site, listen, reachable, serve};
use crate::start;
use crate::state::{Shared, Urls};
use crate::taken::TakenChange;
#[cfg(feature = "program")]
use crate::tls::Tls;

/// How long [`DevOrg::stop`] waits for requests that are under way.
const STOP_WAITS: Duration = Duration::from_secs(2);
/// How often it is looked whether everybody has let go of the org.
const RELEASE_POLL: Duration = Duration::from_millis(1);

/// How an org is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 is a free one.
    pub listen: SocketAddr,
    /// Whether `listen` may be an address that other machines reach.
    pub allow_other_machines: bool,
    /// The org's day, at whose noon (UTC) its time stands still, but for a second for each change; with
    /// `None` its time is the machine's.
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
    /// Other limits that are not to be as usual, in the units that `/limits` shows them in.
    pub limits: Vec<(Limit, u64)>,
    /// How the app stands at the start; see [`AppState`] for what each does. `None` is as it stood in the state file,
    /// and ready in a new org.
    pub app_state: Option<AppState>,
    /// The certificate, in PEM, whose key signs for the apps of the JWT bearer flow; `None` is no
    /// certificate, and every assertion is refused.
    pub jwt_certificate: Option<String>,
    /// Where to listen for https, besides plain http; port 0 is a free one.
    #[cfg(feature = "program")]
    pub tls: Option<SocketAddr>,
    /// Where the admin endpoint listens, on loopback alone; port 0 is a free one. What it can do
    /// is what the methods of [`DevOrg`] can.
    pub admin: Option<SocketAddr>,
    /// A folder of describes as a real org answers them: objects that the org has besides, or
    /// instead of its own.
    #[cfg(feature = "program")]
    pub describe: Option<PathBuf>,
    /// A folder of records as `sf data export tree` writes them, which the org has instead of the
    /// sample's.
    #[cfg(feature = "program")]
    pub data: Option<PathBuf>,
    /// Counts the records of that folder while they are loaded, for who shows how far it is.
    #[cfg(feature = "program")]
    pub loaded: Arc<AtomicU64>,
    /// The file that keeps the org over a restart; `None` is an org in memory alone. A file that is
    /// not there is made; with one that is there, the org goes on as it was.
    #[cfg(feature = "program")]
    pub state: Option<PathBuf>,
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
            api_requests_max: Limit::DailyApiRequests.default_max(),
            limits: Vec::new(),
            app_state: None,
            jwt_certificate: None,
            #[cfg(feature = "program")]
            tls: None,
            admin: None,
            #[cfg(feature = "program")]
            describe: None,
            #[cfg(feature = "program")]
            data: None,
            #[cfg(feature = "program")]
            loaded: Arc::default(),
            #[cfg(feature = "program")]
            state: None,
        }
    }
}

/// A user who can sign in, and who has let the app in already.
#[derive(Debug, Clone, Serialize)]
pub struct DevUser {
    /// What the user signs in with.
    pub username: String,
    /// The name of the profile, which decides what the user sees and may do.
    pub profile: String,
    /// The password.
    pub password: String,
    /// A token for the API, with every scope of the app.
    pub access_token: String,
    /// A token for further access tokens.
    pub refresh_token: String,
    #[serde(skip)]
    pub(crate) id: Id,
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
    pub(crate) shared: Arc<Shared>,
    address: SocketAddr,
    admin_url: Option<String>,
    authority_pem: Option<String>,
    client_id: String,
    client_secret: String,
    jwt_client_id: Option<String>,
    /// Dropped or sent, it ends the servers.
    stop: watch::Sender<()>,
    servers: Vec<JoinHandle<()>>,
}

impl DevOrg {
    /// Starts an org with the sample records on the runtime that calls.
    ///
    /// # Errors
    ///
    /// An address is not a loopback one and that was not allowed, it cannot be listened on, the
    /// operating system gives no random bytes, or a certificate is none.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        #[cfg(feature = "program")]
        let https = options.tls;
        #[cfg(not(feature = "program"))]
        let https = None;
        for wanted in [Some(options.listen), https].into_iter().flatten() {
            if !wanted.ip().is_loopback() && !options.allow_other_machines {
                return Err(StartError::NotLoopback { address: wanted });
            }
        }
        if let Some(address) = options.admin.filter(|admin| !admin.ip().is_loopback()) {
            return Err(StartError::AdminNotLoopback { address });
        }
        let (listener, address) = listen(options.listen).await?;
        let mut sites = vec![(listener, Site::Http)];
        let (mut https_url, mut authority_pem, mut admin_url) = (None, None, None);
        #[cfg(feature = "program")]
        if let Some(wanted) = https {
            let tls = Tls::new()?;
            let (listener, address) = listen(wanted).await?;
            https_url = Some(format!("https://{}", reachable(address)));
            authority_pem = Some(tls.authority_pem);
            sites.push((listener, Site::Https(tls.acceptor)));
        }
        if let Some(wanted) = options.admin {
            let (listener, address) = listen(wanted).await?;
            admin_url = Some(format!("http://{address}"));
            sites.push((listener, Site::Admin));
        }
        let (queue, waiting) = bulk::queue();
        let urls = Urls {
            http: format!("http://{}", reachable(address)),
            https: https_url,
        };
        let shared = Arc::new(start::shared(options, urls, queue)?);
        let app = shared.dev_apps().into_iter().next(); // Every org has it.
        let (client_id, client_secret) = app
            .map(|app| (app.client_id, app.client_secret))
            .unwrap_or_default();
        let jwt_client_id = shared.apps().pre_approved_signer();
        // It ends when the org does, since the queue does.
        tokio::spawn(bulk::serve(Arc::downgrade(&shared), waiting));
        let (stop, stopped) = watch::channel(());
        let servers = sites
            .into_iter()
            .map(|(listener, site)| {
                let served = serve(listener, site, Arc::clone(&shared), stopped.clone());
                tokio::spawn(served)
            })
            .collect();
        Ok(Self {
            shared,
            address,
            admin_url,
            authority_pem,
            client_id,
            client_secret,
            jwt_client_id,
            stop,
            servers,
        })
    }

    /// Gives where the org is, without a slash at its end: `http://127.0.0.1:40123`.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// Gives where the org is by https, if its options say so: `https://127.0.0.1:40124`.
    /// Its certificate is for `localhost` and Salesforce's hosts, too.
    pub fn https_url(&self) -> Option<&str> {
        self.shared.https_url.as_deref()
    }

    /// Gives the certificate, in PEM, of the authority that a client must trust for https.
    pub fn ca_pem(&self) -> Option<&str> {
        self.authority_pem.as_deref()
    }

    /// Gives where the admin endpoint is, if there is one; `GET /` there says what it does.
    pub fn admin_url(&self) -> Option<&str> {
        self.admin_url.as_deref()
    }

    /// Gives the address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives the app's consumer key.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Gives the app's consumer secret.
    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }

    /// Gives the consumer key of an app that the administrator is let in to by the JWT bearer flow,
    /// if [`Options::jwt_certificate`] says whose key signs for it. Nobody has to consent first.
    pub fn jwt_client_id(&self) -> Option<&str> {
        self.jwt_client_id.as_deref()
    }

    /// Gives who can sign in; the administrator is the first, and sees everything.
    ///
    /// The others see what their profiles and roles leave of the org. `aiko.mori@devorg.example`
    /// sells and sees her own opportunities alone, `victor.lang` is above her, `hedda.blom` helps
    /// customers, `imre.toth` only reads, `nightly.sync` is an integration without pages, and
    /// `kofi.arden` may not use the API.
    pub fn users(&self) -> &[DevUser] {
        &self.shared.users
    }

    /// Gives what there is to say of the records that were loaded: what was not taken over, a line a
    /// field.
    pub fn notes(&self) -> &[String] {
        &self.shared.notes
    }

    /// Gives the org's time, which moves by a second with every change of a record.
    pub fn now(&self) -> Timestamp {
        self.shared.org().now()
    }

    /// Gives the number of requests so far, of any kind.
    pub fn requests(&self) -> u64 {
        self.shared.requests()
    }

    /// Gives the number of connections so far, at any of its addresses.
    pub fn connections(&self) -> u64 {
        self.shared.connections()
    }

    /// Gives the number of requests as it grows: each is counted when its head is there.
    pub fn watch_requests(&self) -> watch::Receiver<u64> {
        self.shared.watch_requests()
    }

    /// Lists the requests of the API that the org has worked on and that were more than questions, whether or not the client had the
    /// answer: the last two thousand, the latest last.
    pub fn taken_changes(&self) -> Vec<TakenChange> {
        self.shared.taken().list()
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
        self.shared.outbox().clone()
    }

    /// Answers a coming request with this instead of what it asks for, so that a client can be
    /// tested with a page of a proxy, a redirect or a 503. Several are given in turn; the requests
    /// count as any other. A header whose name is none is left out.
    pub fn answer_next(&self, status: u16, headers: &[(&str, &str)], body: &str) {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let answer = Fault::Answer {
            status,
            headers,
            body: body.to_owned(),
        };
        self.shared.faults().add(Rule::next(answer));
    }

    /// Stops: no connection is taken any more, and requests under way are answered, within two
    /// seconds. Within two more a job that is under way lets go of the org; its file is free then.
    pub async fn stop(self) {
        let Self {
            stop,
            servers,
            shared,
            ..
        } = self;
        drop(stop);
        let aborts: Vec<_> = servers.iter().map(JoinHandle::abort_handle).collect();
        let ended = async {
            for server in servers {
                let _ = server.await; // One that was aborted has ended, too.
            }
        };
        if tokio::time::timeout(STOP_WAITS, ended).await.is_err() {
            aborts.iter().for_each(tokio::task::AbortHandle::abort);
        }
        // What the program itself did, or what could not be saved before.
        let _ = shared.save(); // Nobody is left to be told.
        let released = async {
            while Arc::strong_count(&shared) > 1 {
                tokio::time::sleep(RELEASE_POLL).await;
            }
        };
        // A longer job ends with the program.
        let _ = tokio::time::timeout(STOP_WAITS, released).await;
    }
}
