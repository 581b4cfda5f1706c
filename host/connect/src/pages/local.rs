//! The pages on this machine, for as long as somebody may have a link to them: a program that speaks over its standard
//! input has no other address.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use async_trait::async_trait;
use hyper::service::service_fn;
use portcullis::ApprovalId;
use portcullis::ports::Caller;
use portcullis::ports::approvals::APPROVAL_LASTS;
use portcullis_policy::{ConnectorName, Origin, PersonId};
use portcullis_store::{ApprovalLinks, ConnectLinks, NoLink};
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::same_store::pages_here;
use super::{Offers, Pages};
use crate::accounts::SIGN_IN_LASTS;
use crate::links::{LINK_LASTS, Questions, link, link_to_questions};
use crate::listen::{Here, accept, answer};
use crate::{Accounts, Decisions, LoopbackHost};

/// How long one connection may take: a service is asked who is signed in before it is answered.
const CONNECTION_LIVES: Duration = Duration::from_secs(120);
/// How long a request's head may take.
const HEAD_TAKES: Duration = Duration::from_secs(10);

/// Where the pages are.
#[derive(Clone, Copy, Debug)]
pub struct LoopbackPagesOptions {
    /// The port; 0 is a free one. Services that compare callback URLs to the letter need one that stays.
    pub port: u16,
    /// How this machine is named.
    pub host: LoopbackHost,
    /// What to do where another program has the port, for who sets this up.
    pub where_taken: &'static str,
}

impl Default for LoopbackPagesOptions {
    /// A free port.
    fn default() -> Self {
        Self {
            port: 0,
            host: LoopbackHost::default(),
            where_taken: "end that one",
        }
    }
}

/// Makes links to pages on this machine, and serves them while a link, or a sign-in that it began, can be open.
pub struct LoopbackPages {
    options: LoopbackPagesOptions,
    behind: OnceLock<Behind>,
    serving: Mutex<Option<Serving>>,
}

/// What the pages are about.
struct Behind {
    accounts: Accounts,
    offers: Arc<dyn Offers>,
    decisions: Option<Decisions>,
}

/// A listener that is there.
struct Serving {
    base: Origin,
    until: Arc<watch::Sender<Instant>>,
}

impl LoopbackPages {
    /// Makes no links before [`serve`](Self::serve): the host that accounts need is made after its ports, and this is part of one.
    pub fn new(options: LoopbackPagesOptions) -> Self {
        Self {
            options,
            behind: OnceLock::new(),
            serving: Mutex::new(None),
        }
    }

    /// Lets links be made, to pages where these accounts are connected, and where questions are decided if that is said. Who
    /// calls a second time changes nothing.
    pub fn serve(&self, accounts: Accounts, offers: Arc<dyn Offers>, decisions: Option<Decisions>) {
        let behind = Behind {
            accounts,
            offers,
            decisions,
        };
        let _ = self.behind.set(behind); // The first stays.
    }

    /// Listens, unless it does already, for as long as a link that is made now lives. A person who opens it at the last moment
    /// has the time of a sign-in after that.
    async fn listen(&self, behind: &Behind, lasts: Duration) -> io::Result<Origin> {
        let until = Instant::now() + lasts;
        let mut serving = self.serving.lock().await;
        if let Some(running) = &*serving
            && !running.until.is_closed()
        {
            running.until.send_modify(|ends| *ends = until.max(*ends));
            return Ok(running.base.clone());
        }
        let listener = Here::bind(self.options.host, self.options.port).await?;
        let base = format!("http://{}:{}", self.options.host.as_str(), listener.port()?);
        let base = Origin::parse(&base).map_err(io::Error::other)?;
        let Behind {
            accounts,
            offers,
            decisions,
        } = behind;
        let pages = Pages::new(
            accounts.clone(),
            offers.clone(),
            decisions.clone(),
            base.clone(),
        );
        let pages = pages.map_err(io::Error::other)?;
        let (sender, receiver) = watch::channel(until);
        let sender = Arc::new(sender);
        let serving_here = serve(listener, pages, Arc::downgrade(&sender));
        tokio::spawn(until_over(serving_here, receiver));
        *serving = Some(Serving {
            base: base.clone(),
            until: sender,
        });
        Ok(base)
    }
}

impl fmt::Debug for LoopbackPages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopbackPages")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ConnectLinks for LoopbackPages {
    async fn link(&self, caller: &Caller, connector: &ConnectorName) -> Result<String, NoLink> {
        let behind = self.behind.get().ok_or(NoLink::Nowhere)?;
        let store = behind.accounts.store();
        let LoopbackPagesOptions {
            port,
            host,
            where_taken,
        } = self.options;
        match self.listen(behind, LINK_LASTS + SIGN_IN_LASTS).await {
            Ok(base) => link(store, &base, caller, connector).await,
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                match pages_here(store, host, port).await {
                    Some(base) => link(store, &base, caller, connector).await,
                    None => Err(NoLink::Because(format!(
                        "another program has the port {port} of this machine: {where_taken}"
                    ))),
                }
            }
            Err(error) => {
                tracing::warn!(port, %error, "there is no page to connect accounts on this machine");
                Err(NoLink::Because(format!(
                    "nothing can be listened on at the port {port} of this machine: {error}"
                )))
            }
        }
    }
}

#[async_trait]
impl ApprovalLinks for LoopbackPages {
    async fn link(&self, id: ApprovalId, person: &PersonId) -> Option<String> {
        let behind = self.behind.get()?;
        behind.decisions.as_ref()?;
        let store = behind.accounts.store();
        let LoopbackPagesOptions { port, host, .. } = self.options;
        let base = match self.listen(behind, APPROVAL_LASTS).await {
            Ok(base) => base,
            Err(error) => {
                let elsewhere = pages_here(store, host, port).await;
                if elsewhere.is_none() {
                    tracing::warn!(port, %error, "there is no page to decide on questions on this machine");
                }
                elsewhere?
            }
        };
        link_to_questions(store, &base, Questions::One(id), person).await
    }
}

/// Serves until a time that may be moved.
async fn until_over(serving: impl Future<Output = ()>, mut time: watch::Receiver<Instant>) {
    tokio::pin!(serving);
    loop {
        let ends = *time.borrow_and_update();
        tokio::select! {
            () = &mut serving => return,
            () = sleep_until(ends) => return,
            moved = time.changed() => if moved.is_err() { return },
        }
    }
}

/// Until when the pages are served at least, where another program has just made a link to them.
fn from_now() -> Instant {
    Instant::now() + LINK_LASTS + SIGN_IN_LASTS
}

async fn serve(listener: Here, pages: Pages, until: Weak<watch::Sender<Instant>>) {
    let one = move |stream| {
        let (pages, until) = (pages.clone(), until.clone());
        async move {
            let service = service_fn(move |request| {
                let (pages, until) = (pages.clone(), until.clone());
                async move {
                    // Another program is about to make a link to here.
                    if let Some(proof) = pages.here(&request).await {
                        if let Some(until) = until.upgrade() {
                            until.send_modify(|ends| *ends = from_now().max(*ends));
                        }
                        return Ok::<_, Infallible>(proof);
                    }
                    Ok(pages.answer(request).await)
                }
            });
            let answered = answer(stream, HEAD_TAKES, service);
            let _ = timeout(CONNECTION_LIVES, answered).await; // The other's loss.
        }
    };
    accept(listener, one).await;
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_serves_until_the_last_link_has_ended() {
        let began = Instant::now();
        let short = Duration::from_millis(50);
        let (sender, receiver) = watch::channel(began + short);
        let serving = tokio::spawn(until_over(std::future::pending(), receiver));
        sender.send(began + 4 * short).unwrap();
        serving.await.unwrap();
        assert!(began.elapsed() >= 4 * short);
        assert!(sender.is_closed());

        let (sender, receiver) = watch::channel(began + Duration::from_secs(600));
        drop(sender);
        until_over(std::future::pending(), receiver).await;
    }
}
