//! A callback on this machine, for as long as one sign-in takes (RFC 8252, section 7.3).
//!
//! The attack: any page that the person has open can send requests to loopback, and by a name that it points there (DNS
//! rebinding) read the answers. So a request counts only where it names this listener's own address as its host, asks for the
//! one path, and brings the state of this sign-in; the page that answers says nothing of what was sent, and runs nothing.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use portcullis_policy::Manifest;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::authorize::State;
use crate::callback::is_return_of;
use crate::guidance::{Guide, guides_on_page};
use crate::listen::{Here, accept, answer};
use crate::named::Named;
use crate::pages::Page;
use crate::{Attempt, ConnectError, Connected, RedirectError, RedirectUri, Service};

/// The path of the callback.
const PATH: &str = "/callback";
/// How long a request's head may take: one line and some headers.
const HEAD_TAKES: Duration = Duration::from_secs(10);
/// How long one connection may take: a service is asked who is signed in before it is answered.
const CONNECTION_LIVES: Duration = Duration::from_secs(120);
/// How long it is waited for that a browser has taken its page.
const PAGE_TAKES: Duration = Duration::from_secs(5);

const CONTENT_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// How this machine is named in the callback URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoopbackHost {
    /// `127.0.0.1`, which no resolver is asked for.
    #[default]
    Address,
    /// `localhost`, for services that take no other name.
    Localhost,
}

/// How a callback on this machine is to be.
#[derive(Clone, Copy, Debug)]
pub struct LoopbackOptions {
    /// The port; 0 is a free one. Services that compare callback URLs to the letter need one that stays.
    pub port: u16,
    /// How it is named.
    pub host: LoopbackHost,
    /// How long a person may take.
    pub deadline: Duration,
    /// After which wait it is likely that the service keeps the person on a page of its own.
    pub stuck_after: Duration,
}

impl LoopbackHost {
    /// Gives the name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Address => "127.0.0.1",
            Self::Localhost => "localhost",
        }
    }
}

impl Default for LoopbackOptions {
    /// A free port; ten minutes, in which a person finds a password and a second factor; one minute.
    fn default() -> Self {
        Self {
            port: 0,
            host: LoopbackHost::Address,
            deadline: Duration::from_secs(600),
            stuck_after: Duration::from_secs(60),
        }
    }
}

/// Why nothing came back to this machine.
#[derive(Debug, thiserror::Error)]
pub enum LoopbackError {
    /// Nothing can be listened on.
    #[error(
        "cannot listen on `{host}:{port}`: another program may use the port; end it, or choose another port"
    )]
    Listen {
        /// How this machine is named.
        host: &'static str,
        /// The port.
        port: u16,
        /// The system's own words.
        #[source]
        source: io::Error,
    },
    /// Its address is none.
    #[error(transparent)]
    Address(#[from] RedirectError),
    /// Nobody came back in time.
    #[error("nobody came back from the sign-in within {} seconds: begin again", .0.as_secs())]
    Late(Duration),
}

/// A listener that waits for its sign-in to begin.
#[derive(Debug)]
pub struct Loopback {
    listener: Here,
    redirect: RedirectUri,
    options: LoopbackOptions,
}

/// What a browser came back with; it waits for a page that says what comes of it.
pub struct Returned {
    query: String,
    page: oneshot::Sender<Page>,
    /// Ends when the browser has its page, or has gone.
    shown: oneshot::Receiver<()>,
}

/// A listener that waits for a browser to come back. It ends when this is dropped.
pub struct Waiting {
    came_back: mpsc::Receiver<Returned>,
    server: JoinHandle<()>,
    began: Instant,
    options: LoopbackOptions,
}

impl Loopback {
    /// Listens on this machine alone.
    ///
    /// # Errors
    ///
    /// [`LoopbackError::Listen`].
    pub async fn bind(options: LoopbackOptions) -> Result<Self, LoopbackError> {
        let failed = |source| LoopbackError::Listen {
            host: options.host.as_str(),
            port: options.port,
            source,
        };
        let listener = Here::bind(options.host, options.port).await;
        let listener = listener.map_err(failed)?;
        let (host, port) = (options.host.as_str(), listener.port().map_err(failed)?);
        Ok(Self {
            redirect: RedirectUri::parse(&format!("http://{host}:{port}{PATH}"))?,
            listener,
            options,
        })
    }

    /// Gives the callback URL.
    pub fn redirect(&self) -> &RedirectUri {
        &self.redirect
    }

    /// Begins to wait for the browser of a sign-in that was begun with this callback URL.
    pub fn wait(self, attempt: &Attempt) -> Waiting {
        let (sender, came_back) = mpsc::channel(1);
        let door = Arc::new(Door {
            named: Named::of(&self.redirect),
            state: attempt.state.clone(),
            came_back: sender,
        });
        let server = tokio::spawn(serve(self.listener, door));
        Waiting {
            came_back,
            server,
            began: Instant::now(),
            options: self.options,
        }
    }
}

impl Waiting {
    /// Gives what the browser came back with. Nobody is let in after that.
    ///
    /// # Errors
    ///
    /// [`LoopbackError::Late`].
    pub async fn callback(&mut self) -> Result<Returned, LoopbackError> {
        let deadline = self.options.deadline;
        let came_back = timeout_at(self.began + deadline, self.came_back.recv()).await;
        self.server.abort();
        match came_back {
            Ok(Some(returned)) => Ok(returned),
            Ok(None) | Err(_) => Err(LoopbackError::Late(deadline)),
        }
    }

    /// Waits until it is likely that the service keeps the person on a page of its own, and gives what that page may
    /// mean. Nothing leads back from there, so nobody else will say.
    pub fn waiting(
        &self,
        service: &Service<'_>,
        attempt: &Attempt,
    ) -> impl Future<Output = Vec<Guide>> + use<> {
        let guides = guides_on_page(service.auth, &attempt.subject());
        let stuck = self.began + self.options.stuck_after;
        async move {
            sleep_until(stuck).await;
            guides
        }
    }
}

impl Returned {
    /// Gives the query.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// Shows in the browser what came of it, and waits until it is there; not for long, for the browser may be gone.
    pub async fn tell(
        self,
        finished: &Result<Connected, ConnectError>,
        manifest: Option<&Manifest>,
    ) {
        let page = match finished {
            Ok(connected) => Page::connected(connected, manifest),
            Err(error) => Page::of_error(error),
        };
        if self.page.send(page).is_ok() {
            let _ = timeout(PAGE_TAKES, self.shown).await; // The browser's loss.
        }
    }
}

impl fmt::Debug for Returned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Returned").finish_non_exhaustive()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiting").finish_non_exhaustive()
    }
}

/// Who may come in.
struct Door {
    /// The listener's own address, as its callback URL has it.
    named: Named,
    state: State,
    came_back: mpsc::Sender<Returned>,
}

async fn serve(listener: Here, door: Arc<Door>) {
    accept(listener, move |stream| converse(stream, door.clone())).await;
}

/// Answers the request of one connection.
async fn converse(stream: TcpStream, door: Arc<Door>) {
    let (_ends_with_this, shown) = oneshot::channel();
    let shown = Arc::new(Mutex::new(Some(shown)));
    let service = service_fn(move |request: Request<Incoming>| {
        // The only request of this connection.
        let shown = shown.lock().unwrap_or_else(PoisonError::into_inner).take();
        let door = door.clone();
        async move { Ok::<_, std::convert::Infallible>(door.answer(&request, shown).await) }
    });
    let answered = answer(stream, HEAD_TAKES, service);
    let _ = timeout(CONNECTION_LIVES, answered).await; // The other's loss.
}

impl Door {
    async fn answer<B>(
        &self,
        request: &Request<B>,
        shown: Option<oneshot::Receiver<()>>,
    ) -> Response<Full<Bytes>> {
        if !self.named.is(request) {
            return page(StatusCode::FORBIDDEN, "This is not the address.");
        }
        if request.uri().path() != PATH {
            return page(StatusCode::NOT_FOUND, "There is no such page.");
        }
        if request.method() != Method::GET {
            let mut response = page(StatusCode::METHOD_NOT_ALLOWED, "This is only for browsers.");
            let get = HeaderValue::from_static("GET");
            response.headers_mut().insert(ALLOW, get);
            return response;
        }
        let query = request.uri().query().unwrap_or_default();
        if !is_return_of(&self.state, query) {
            return page(
                StatusCode::BAD_REQUEST,
                "This is not the sign-in that was begun here. Begin again.",
            );
        }
        match self.outcome(query, shown).await {
            Some(outcome) => headed(outcome.response(false)),
            None => page(
                StatusCode::OK,
                "You can close this page and go back to where you began: it says what came of it.",
            ),
        }
    }

    /// Hands on what a browser came back with, and waits for what comes of it; none where another one came before, or nobody
    /// says.
    async fn outcome(&self, query: &str, shown: Option<oneshot::Receiver<()>>) -> Option<Page> {
        let (page, outcome) = oneshot::channel();
        let returned = Returned {
            query: query.to_owned(),
            page,
            shown: shown?,
        };
        self.came_back.try_send(returned).ok()?;
        outcome.await.ok()
    }
}

/// Makes a page of one sentence, in which nothing of a request stands.
fn page(status: StatusCode, words: &'static str) -> Response<Full<Bytes>> {
    headed(Page::words(status, words).response(false))
}

/// Holds a page to what is shown here: it has no form, and its own address has the code.
fn headed(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    response.headers_mut().extend([
        (CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (CONNECTION, HeaderValue::from_static("close")),
    ]);
    response
}
