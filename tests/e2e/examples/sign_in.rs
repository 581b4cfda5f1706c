//! Connects an account of the `whoami` connector at an OpenID provider, calls its tool, and renews its token.
//!
//! `sign_in LOGIN CLIENT_ID FOLDER` prints the link for the browser, and then a line of JSON for each thing that worked. The
//! provider is on this machine; its store is in the folder.
#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it speaks to the test that runs it, and fails by panicking"
)]

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use portcullis::network::{HostPort, Network, NetworkOptions};
use portcullis::policy::Auth;
use portcullis::policy::{AgentId, ConnectorName, Origin, PersonId};
use portcullis::ports::{Credentials, MemoryApprovals, MemoryAudit, MemoryPermissions};
use portcullis::{Call, ComponentCache, Host, Limits, Outcome, Ports};
use portcullis_connect::{
    Accounts, ActiveManifests, App, Begin, Connected, Loopback, LoopbackOptions, Renewal, resolve,
};
use portcullis_store::{
    Account, Location, MasterKey, Owner, Role, Store, StoreCredentials, StoreOptions,
};
use serde_json::json;

/// The components that the build made, with bars between.
const COMPONENTS: &str = env!("COMPONENTS");

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().context("sign_in LOGIN CLIENT_ID FOLDER");
    let (login, client_id, folder) = (next()?, next()?, next()?);
    let (agent, person): (AgentId, PersonId) = ("helper".parse()?, "ada".parse()?);

    let key = MasterKey::random()?;
    let store = Store::open(StoreOptions::new(Location::in_folder(&folder), key)).await?;
    store.add_person(&person, "Ada", Role::Admin).await?;
    store.add_agent(&agent, "Helper").await?;

    let provider = Origin::parse(&login)?;
    let allowed = vec![HostPort::new(provider.host(), provider.port())];
    let network = Network::new(NetworkOptions {
        allow_private: allowed.clone(),
        ..NetworkOptions::default()
    })?;
    let manifests = Arc::new(ActiveManifests::new());
    let renewal = Arc::new(Renewal::new(
        store.clone(),
        network.clone(),
        manifests.clone(),
    ));
    let credentials = Arc::new(StoreCredentials::new(store.clone(), renewal, None));
    let permissions = Arc::new(MemoryPermissions::new());
    let ports = Ports {
        credentials: credentials.clone(),
        permissions: permissions.clone(),
        approvals: Arc::new(MemoryApprovals::new()?),
        audit: Arc::new(MemoryAudit::new()),
    };
    let host = Host::new(
        Limits::default(),
        network.clone(),
        ComponentCache::none(),
        ports,
    )?;
    let file = COMPONENTS
        .split('|')
        .find(|file| file.ends_with("whoami.wasm"));
    let bytes = std::fs::read(file.context("there is no whoami")?)?;
    let manifest = host.install(bytes).await?.manifest().clone();
    manifests.take_from(&host);
    let connector: ConnectorName = manifest.name.clone();
    permissions.offer(agent.clone(), connector.clone());
    store
        .give_connector(&agent, &connector, &Account::Personal)
        .await?;

    let host = Arc::new(host);
    let accounts = Accounts::new(store.clone(), network, host.clone(), host.clone());
    let Auth::OAuth2(auth) = &manifest.auth else {
        bail!("whoami does not sign in");
    };
    let app = App {
        client_id,
        client_secret: None,
    };
    let login = resolve(auth, &login, &allowed)?;
    let sign_in = async || -> Result<Connected> {
        let loopback = Loopback::bind(LoopbackOptions::default()).await?;
        let begin = Begin {
            person: &person,
            owner: Owner::Person(person.clone()),
            connector: &connector,
            app: &app,
            login: &login,
            scopes: &[],
            redirect: loopback.redirect(),
            link: None,
            browser: None,
            label: "Provider",
            replaces: None,
            allow_other_organization: false,
        };
        let started = accounts.begin(begin).await?;
        println!("{}", json!({ "link": started.url }));
        let redirect = loopback.redirect().clone();
        let returned = loopback.wait(&started.attempt).callback().await?;
        let finished = accounts
            .finish(returned.query(), &redirect, Some(&person), None)
            .await;
        returned.tell(&finished, None).await;
        let connected = finished?;
        let (user, scopes) = (&connected.identity.user_name, &connected.scopes);
        println!("{}", json!({ "connected": user, "scopes": scopes }));
        Ok(connected)
    };

    let call = || {
        Call::new(
            agent.clone(),
            person.clone(),
            connector.clone(),
            "who_am_i",
            json!({}),
        )
    };
    // Twice, in one browser: the provider knows who comes again, and may keep one grant for both.
    let mut connected = sign_in().await?;
    for is_again in [false, true] {
        if is_again {
            let before = connected.connection;
            connected = sign_in().await?;
            println!("{}", json!({ "in_place": connected.connection == before }));
        }
        println!("{}", json!({ "called": called(&host, call()).await? }));
        // As the gate does with a token that the provider calls stale.
        let stale = credentials.token(&connected.connection).await?;
        let fresh = credentials.refresh(&connected.connection, &stale).await?;
        println!(
            "{}",
            json!({ "renewed": fresh.generation > stale.generation })
        );
        println!("{}", json!({ "called": called(&host, call()).await? }));
    }
    let ended = accounts.disconnect(&connected.connection).await?;
    println!(
        "{}",
        json!({ "revoked": ended.is_some_and(|ended| ended.is_revoked()) })
    );
    // And what could not be revoked while the second sign-in lived by the same grant.
    let swept = accounts.sweep().await?;
    println!(
        "{}",
        json!({ "swept": swept.iter().all(|one| one.is_revoked()), "left": store.endings().await?.len() })
    );
    Ok(())
}

async fn called(host: &Host, call: Call) -> Result<String> {
    match host.call(call).await.outcome {
        Outcome::Done(output) => Ok(output.text),
        other => bail!("the call has no answer: {other:?}"),
    }
}
