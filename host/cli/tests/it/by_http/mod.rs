//! MCP by HTTP: a program that serves, on a store and an org, and clients on real sockets.

mod attacks;
mod batches;
mod bounds;
mod chat;
pub(crate) mod client;
mod deciding;
mod ends;
mod ids;
mod issuer;
mod load;
pub(crate) mod local;
mod misread;
mod settings;
mod versions;
mod vouched;
mod watched;

use portcullis_store::Owner;
use serde_json::{Value, json};

use crate::program::connection;
use crate::public::{Place, id};
use client::Client;

/// The name of the server, as a proxy passes it on.
pub(crate) const HOST: &str = "portcullis.acme.example";
/// An account of the sample records.
pub(crate) const ACCOUNT: &str = "001DO0000000002YAA";

/// Connects a person's own account at the org.
pub(crate) async fn connect(place: &Place, person: &str) {
    let mut account = connection(Owner::Person(id(person)), person, place.org.url());
    account.secrets.access_token = place.org.users()[0].access_token.clone().into();
    place.store().await.put_connection(account).await.unwrap();
}

/// Gives a client of a person's, that has begun.
pub(crate) async fn client(place: &Place, person: &str) -> Client {
    let token = place.token(person).await;
    Client::new(place.server.address, HOST, &token)
        .begun()
        .await
}

/// What the change of an account's site is asked by.
pub(crate) fn site(site: &str) -> Value {
    json!({"object": "Account", "id": ACCOUNT, "fields": {"Site": site}, "approval_reason": "the customer has moved"})
}

/// What counts the accounts.
pub(crate) fn count() -> Value {
    json!({"soql": "SELECT COUNT() FROM Account"})
}
