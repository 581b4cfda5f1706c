//! An org, a host's network that may reach it, and a browser.

use std::io;
use std::net::SocketAddr;
use std::sync::LazyLock;

use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use portcullis::Network;
use portcullis::network::{HostPort, NetworkOptions, Resolve};
use portcullis_connect::{
    App, Attempt, Binding, Code, Endpoints, Held, RedirectUri, Service, TokenClient, TokenError,
    Tokens, Wish, receive, resolve, start,
};
use portcullis_policy::{Manifest, Origin, PersonId};
use salesforce_devorg::{DevApp, DevOrg, DevUser, Options};
use url::form_urlencoded;

static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
    let text = include_str!("../../../../connector/salesforce/manifest.json");
    Manifest::from_json(text).unwrap()
});

/// The service, as its connector's manifest has it.
pub(crate) fn service() -> Service<'static> {
    Service::of(&MANIFEST).unwrap()
}

/// The common login host, which leads to the org on this machine.
pub(crate) const LOGIN_HOST: &str = "login.salesforce.com";

/// An org, and a host that may reach it.
pub(crate) struct Site {
    pub(crate) org: DevOrg,
    pub(crate) network: Network,
    allowed: Vec<HostPort>,
    browser: Client<HttpConnector, Full<Bytes>>,
}

/// Where a browser ends.
#[derive(Debug)]
pub(crate) enum End {
    /// At the callback, with this query.
    Callback(String),
    /// On a page of the service's own: its address, where it was sent there, and its text.
    Page(String, String),
}

/// Leads every name to this machine.
struct Here;

#[async_trait]
impl Resolve for Here {
    async fn resolve(&self, _: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))])
    }
}

impl Site {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let org = DevOrg::start(options).await.unwrap();
        let port = org.address().port();
        let allowed = vec![
            HostPort::new("127.0.0.1", port),
            HostPort::new(LOGIN_HOST, port),
        ];
        let options = NetworkOptions {
            allow_private: allowed.clone(),
            ..NetworkOptions::default()
        };
        Self {
            network: Network::with_resolver(options, std::sync::Arc::new(Here)).unwrap(),
            allowed,
            browser: Client::builder(TokioExecutor::new()).build_http(),
            org,
        }
    }

    /// Gives an app of the org by its name.
    pub(crate) fn dev_app(&self, name: &str) -> DevApp {
        self.org
            .apps()
            .into_iter()
            .find(|app| app.name == name)
            .unwrap()
    }

    /// Gives an app of the org by its name, with its secret.
    pub(crate) fn app(&self, name: &str) -> App {
        let app = self.dev_app(name);
        App {
            client_id: app.client_id,
            client_secret: Some(app.client_secret.into()),
        }
    }

    /// Gives a user by the beginning of the name.
    pub(crate) fn user(&self, name: &str) -> DevUser {
        let user = self
            .org
            .users()
            .iter()
            .find(|user| user.username.starts_with(name));
        user.unwrap().clone()
    }

    /// Settles the endpoints at the org's own address.
    pub(crate) fn endpoints(&self) -> Endpoints {
        self.endpoints_at(self.org.url())
    }

    /// Settles the endpoints at an address that leads to the org.
    pub(crate) fn endpoints_at(&self, address: &str) -> Endpoints {
        let login = resolve(service().auth, address, &self.allowed).unwrap();
        Endpoints::at(service().auth, &login.origin)
    }

    pub(crate) fn client<'a>(&'a self, app: &'a App, endpoints: &'a Endpoints) -> TokenClient<'a> {
        TokenClient::new(service(), app, endpoints, &self.network)
    }

    /// Begins a sign-in.
    pub(crate) fn start(
        &self,
        app: &App,
        redirect: &RedirectUri,
        scopes: &str,
    ) -> (String, Attempt) {
        let scopes: Vec<String> = scopes.split(' ').map(str::to_owned).collect();
        start(Wish {
            service: service(),
            login: &resolve(service().auth, self.org.url(), &self.allowed).unwrap(),
            app,
            redirect,
            scopes: &scopes,
            asker: &asker(),
        })
        .unwrap()
    }

    /// Exchanges a code.
    pub(crate) async fn exchange(
        &self,
        app: &App,
        attempt: Attempt,
        code: Code,
    ) -> Result<(Tokens, Endpoints), TokenError> {
        TokenClient::exchange(service(), app, &self.network, attempt, code).await
    }

    /// Signs a user in and allows the app.
    pub(crate) async fn connect(&self, app: &App, user: &DevUser, scopes: &str) -> Tokens {
        let (url, attempt) = self.start(app, &callback(), scopes);
        let End::Callback(query) = self.browse(&url, user, "allow").await else {
            unreachable!("{url} does not lead back")
        };
        let code = receive(&service(), &attempt, &asker(), &query).unwrap();
        self.exchange(app, attempt, code).await.unwrap().0
    }

    /// Goes through the service's pages as a browser does, as far as the callback.
    pub(crate) async fn browse(&self, url: &str, user: &DevUser, decision: &str) -> End {
        let mut page = self.get(url).await;
        let action = format!("{}/services/oauth2/authorize", self.org.url());
        if page.text.contains("type=\"password\"") {
            let added = [("username", &*user.username), ("password", &*user.password)];
            page = self.submit(&action, &page.text, &added).await;
        }
        if page.text.contains("Allow Access?") {
            page = self
                .submit(&action, &page.text, &[("decision", decision)])
                .await;
        }
        match page.location {
            None => End::Page(String::new(), page.text),
            Some(to) if to.starts_with('/') => {
                let url = format!("{}{to}", self.org.url());
                let text = self.get(&url).await.text;
                End::Page(url, text)
            }
            Some(to) => End::Callback(to.split_once('?').unwrap().1.to_owned()),
        }
    }

    async fn get(&self, url: &str) -> Page {
        self.send(Request::get(url).body(Full::default()).unwrap())
            .await
    }

    /// Sends a page's form with what a person adds.
    async fn submit(&self, action: &str, page: &str, added: &[(&str, &str)]) -> Page {
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(hidden(page))
            .extend_pairs(added)
            .finish();
        let request = Request::post(action)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::from(form));
        self.send(request.unwrap()).await
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Page {
        let response = self.browser.request(request).await.unwrap();
        let location = response.headers().get(LOCATION);
        let location = location.map(|to| to.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Page {
            status,
            location,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// Calls the API, and gives the status and the body.
    pub(crate) async fn call(&self, path: &str, access_token: &str) -> (u16, String) {
        let request = Request::get(format!("{}{path}", self.org.url()))
            .header(AUTHORIZATION, format!("Bearer {access_token}"))
            .body(Full::default());
        let page = self.send(request.unwrap()).await;
        (page.status, page.text)
    }
}

struct Page {
    status: u16,
    location: Option<String>,
    text: String,
}

/// Reads a form's hidden values.
fn hidden(page: &str) -> Vec<(String, String)> {
    let form = page.split("<form").nth(1).unwrap();
    let unescaped = |text: &str| text.replace("&quot;", "\"").replace("&amp;", "&");
    form.split("<input type=\"hidden\" name=\"")
        .skip(1)
        .map(|input| {
            let (name, rest) = input.split_once("\" value=\"").unwrap();
            (name.to_owned(), unescaped(rest.split('"').next().unwrap()))
        })
        .collect()
}

/// Who signs in, at the host.
pub(crate) fn asker() -> Binding {
    Binding::new(&PersonId::parse("ada").unwrap(), None)
}

/// A callback that nobody listens on: the browser of these tests is told where to go, and does not go.
pub(crate) fn callback() -> RedirectUri {
    RedirectUri::parse("http://127.0.0.1:1717/callback").unwrap()
}

/// What is known of a connection whose token is renewed.
pub(crate) fn held(tokens: &Tokens) -> Held<'_> {
    Held {
        origin: &tokens.origin,
        scopes: &tokens.scopes,
    }
}

/// Reads an origin.
pub(crate) fn origin(text: &str) -> Origin {
    Origin::parse(text).unwrap()
}
