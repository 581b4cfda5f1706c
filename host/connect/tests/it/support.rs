//! An org, a host's network that may reach it, and a browser.

use std::io;
use std::net::SocketAddr;
use std::sync::LazyLock;

use async_trait::async_trait;
use portcullis::Network;
use portcullis::network::{HostPort, NetworkOptions, Resolve};
use portcullis_connect::{
    App, Attempt, Binding, Code, Endpoints, Held, RedirectUri, Service, TokenClient, TokenError,
    Tokens, Wish, receive, resolve, start,
};
use portcullis_policy::{Manifest, Origin, PersonId};
use salesforce_devorg::{DevApp, DevOrg, DevUser, Options};

use crate::browser::Browser;
pub(crate) use crate::browser::End;

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
    browser: Browser,
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
            browser: Browser::of(org.url()),
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
        let user = (&*user.username, &*user.password);
        self.browser.browse(url, user, decision).await
    }

    /// Calls the API, and gives the status and the body.
    pub(crate) async fn call(&self, path: &str, access_token: &str) -> (u16, String) {
        self.browser.call(path, access_token).await
    }
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
