//! How accounts are connected: OAuth 2, driven by a connector's manifest.
//!
//! Values in, values out: nothing is kept but what a caller holds. Which service it is stands in the manifest
//! alone. From first to last:
//!
//! 1. [`resolve`] makes a login of what a person types or pastes; [`choose`] settles the scopes.
//! 2. [`start`] makes the address that the browser is sent to, and the [`Attempt`] that its return is held against.
//! 3. [`receive`] takes what came back to the callback: a public page's, or that of a [`Loopback`] listener.
//! 4. [`TokenClient::exchange`] makes tokens of the code; a [`TokenClient`] renews and revokes them, or gets them without a
//!    browser.
//!
//! [`Accounts`] joins all of it with the store, and [`Renewal`] keeps its tokens fresh. [`Pages`] is where people do it by a link,
//! signed in by a token of their own where that is not their own machine; [`LoopbackPages`] has them on this one.
//!
//! People of an [`Issuer`] need none of that: it says who they are by the tokens that it signs. To the pages they sign in there, too, where
//! this server is an [`IssuerClient`].
//!
//! What the service refuses comes with a [`Guide`]: what it means, and what who can do about it.

mod accounts;
mod app;
mod authorize;
mod callback;
mod decisions;
mod endpoints;
mod exchange;
mod guidance;
mod issuer;
mod limit;
mod links;
mod listen;
mod login;
mod loopback;
mod named;
mod pages;
mod pasted;
mod random;
mod redirect;
mod revoke;
mod scopes;
mod service;
mod signing;
#[cfg(test)]
mod testing;
mod token;

pub use accounts::{
    Accounts, ActiveManifests, Begin, ConnectError, Connected, Disconnected, Fate, HOST_AGENT,
    Identify, Manifests, PENDING_LASTS, Renewal, Revocation, SIGN_IN_LASTS, ServiceAccount,
    ServiceGrant, SignInStarted, Timing,
};
pub use app::App;
pub use authorize::{Attempt, Binding, StartError, Wish, start};
pub use callback::{AuthError, Code, receive};
pub use decisions::{DecideError, Decided, Decisions};
pub use endpoints::Endpoints;
pub use exchange::{Body, Unavailable, Unclear};
pub use guidance::{Guide, SetupLink, Subject, guide_of, guide_of_page, guides_on_page};
pub use issuer::{
    Claim, Issuer, IssuerClient, IssuerError, IssuerProblem, NotBelieved, NotSignedIn,
};
pub use limit::{Allowance, Limit, network};
pub use links::{LINK_LASTS, Links, LinksHere, link_to};
pub use login::{Login, LoginError, LoginProblem, resolve};
pub use loopback::{Loopback, LoopbackError, LoopbackHost, LoopbackOptions, Returned, Waiting};
pub use pages::{
    LoopbackPages, LoopbackPagesOptions, NoOffer, Offer, Offers, Pages, PagesError, Peer,
    SESSION_LASTS, SIGN_IN_BACK, front_page, pages_here,
};
pub use pasted::{Pasted, pasted};
pub use random::NoRandom;
pub use redirect::{RedirectError, RedirectUri};
pub use revoke::Revoked;
pub use scopes::{Chosen, Explained, ScopeError, choose, explained};
pub use service::Service;
pub use signing::{KeyError, SignError, SigningKey};
pub use token::{Given, Held, Refused, TokenClient, TokenError, Tokens, Unusable};
