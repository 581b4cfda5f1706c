//! A callback on this machine, for as long as one sign-in takes (RFC 8252, section 7.3).
//!
//! The attack: any page that the person has open can send requests to loopback, and by a name that it points there (DNS
//! rebinding) read the answers. So a request counts only where it names this listener's own address as its host, asks for the
//! one path, and brings the state of this sign-in; the page that answers says nothing of what was sent, and runs nothing.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::authorize::State;
use crate::callback::is_return_of;
use crate::guidance::{Guide, guides_on_page};
use crate::listen::{accept, answer};
use crate::named::Named;
use crate::{Attempt, RedirectError, RedirectUri, Service};

/// The path of the callback.
const PATH: &str = "/callback";
/// How long one connection may take: its request is one line and some headers.
const CONNECTION_LIVES: Duration = Duration::from_secs(10);

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
        "cannot listen on `127.0.0.1:{port}`: another program may use the port; end it, or choose another port"
    )]
    Listen {
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
    listener: TcpListener,
    redirect: RedirectUri,
    options: LoopbackOptions,
}

/// A listener that waits for a browser to come back. It ends when this is dropped.
pub struct Waiting {
    came_back: mpsc::Receiver<String>,
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
            port: options.port,
            source,
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let host = match options.host {
            LoopbackHost::Address => "127.0.0.1",
            LoopbackHost::Localhost => "localhost",
        };
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
    /// Gives the query that the browser came back with. Nobody is let in after that.
    ///
    /// # Errors
    ///
    /// [`LoopbackError::Late`].
    pub async fn callback(&mut self) -> Result<String, LoopbackError> {
        let deadline = self.options.deadline;
        let came_back = timeout_at(self.began + deadline, self.came_back.recv()).await;
        self.server.abort();
        match came_back {
            Ok(Some(query)) => Ok(query),
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
    came_back: mpsc::Sender<String>,
}

async fn serve(listener: TcpListener, door: Arc<Door>) {
    let one = move |stream| {
        let door = door.clone();
        async move {
            let came_back = door.came_back.clone();
            if let Some(query) = converse(stream, door).await {
                let _ = came_back.try_send(query); // Who is second has come too late.
            }
        }
    };
    accept(listener, one).await;
}

/// Answers the request of one connection, and gives the query with which a browser came back.
async fn converse(stream: TcpStream, door: Arc<Door>) -> Option<String> {
    let (sender, mut came_back) = mpsc::channel(1);
    let service = service_fn(move |request: Request<Incoming>| {
        let (response, query) = door.answer(&request);
        if let Some(query) = query {
            let _ = sender.try_send(query); // The only request of this connection.
        }
        async move { Ok::<_, std::convert::Infallible>(response) }
    });
    let answered = answer(stream, CONNECTION_LIVES, service);
    let _ = timeout(CONNECTION_LIVES, answered).await; // The other's loss.
    came_back.try_recv().ok()
}

impl Door {
    fn answer<B>(&self, request: &Request<B>) -> (Response<Full<Bytes>>, Option<String>) {
        if !self.named.is(request) {
            return (
                page(StatusCode::FORBIDDEN, "This is not the address."),
                None,
            );
        }
        if request.uri().path() != PATH {
            return (page(StatusCode::NOT_FOUND, "There is no such page."), None);
        }
        if request.method() != Method::GET {
            let mut response = page(StatusCode::METHOD_NOT_ALLOWED, "This is only for browsers.");
            let get = HeaderValue::from_static("GET");
            response.headers_mut().insert(ALLOW, get);
            return (response, None);
        }
        let query = request.uri().query().unwrap_or_default();
        match is_return_of(&self.state, query) {
            true => (
                page(
                    StatusCode::OK,
                    "You can close this page and go back to where you began.",
                ),
                Some(query.to_owned()),
            ),
            false => (
                page(
                    StatusCode::BAD_REQUEST,
                    "This is not the sign-in that was begun here. Begin again.",
                ),
                None,
            ),
        }
    }
}

/// Makes a page of one sentence, in which nothing of a request stands.
fn page(status: StatusCode, words: &'static str) -> Response<Full<Bytes>> {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Portcullis</title><p>{words}</p></html>"
    );
    let mut response = Response::new(Full::new(Bytes::from(html)));
    *response.status_mut() = status;
    let headers = [
        (
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        (CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        // The page's own address has the code.
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (CONNECTION, HeaderValue::from_static("close")),
    ];
    response.headers_mut().extend(headers);
    response
}
