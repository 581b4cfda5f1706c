//! `portcullis connector`: which version of each connector is in use.
//!
//! A version that reaches farther than the one in use waits until an administrator has seen in what, and accepts it.

mod accept;
mod back;
mod inspect;
mod install;
mod list;

use std::io::{self, Write};

use anyhow::Result;
use portcullis::policy::{AgentId, ConnectorName, Digest, Widening, widenings};
use portcullis::{ComponentCache, Host, Inspected};
use portcullis_store::{DecidedKind, Deciding, InstalledVersion, Store, Unusable, VersionState};
use serde_json::{Value, json};

use crate::args::StoreSettings;
use crate::args::connector::ConnectorCommand;
use crate::bundled;
use crate::connectors;
use crate::home::{Home, Session};
use crate::org;
use crate::problem::Problem;
use crate::scope;
use crate::show::style::{HINT, styled};
use crate::show::table::shown;

/// Does what was asked.
pub(crate) async fn run(
    command: &ConnectorCommand,
    store: &StoreSettings,
    cache: ComponentCache,
) -> Result<()> {
    let home = || Home::of(store);
    match command {
        ConnectorCommand::Inspect(args) => inspect::run(args, cache).await,
        ConnectorCommand::List(form) => list::run(*form, &home()?, cache).await,
        ConnectorCommand::Show { connector, form } => {
            inspect::show(connector, *form, &home()?, cache).await
        }
        ConnectorCommand::Install { file, form } => {
            install::run(file, *form, &home()?, cache).await
        }
        ConnectorCommand::Accept(args) => accept::run(args, &home()?, cache).await,
        ConnectorCommand::Rollback {
            connector,
            yes,
            form,
        } => back::roll_back(connector, *yes, *form, &home()?, cache).await,
        ConnectorCommand::Remove {
            connector,
            waiting: true,
            form,
            ..
        } => back::remove_waiting(connector, *form, &home()?).await,
        ConnectorCommand::Remove {
            connector,
            waiting: false,
            yes,
            form,
        } => back::remove(connector, *yes, *form, &home()?, cache).await,
        ConnectorCommand::TrustScope(args) => scope::trust(args, &home()?).await,
    }
}

/// A store and a host to look at its connectors with.
struct Bench {
    session: Session,
    host: Host,
}

/// The version of a connector that is in use.
struct InUse {
    /// Its digest, where it is an installed one.
    installed: Option<Digest>,
    /// What it is; none: there is none, or it cannot be used.
    inspected: Option<Inspected>,
    /// Why it cannot be used.
    problem: Option<Unusable>,
}

impl Bench {
    async fn open(home: &Home, cache: ComponentCache) -> Result<Self> {
        let host = org::unconnected(cache)?.host;
        let session = home.open().await?;
        session.require_administrator().await?;
        Ok(Self { session, host })
    }

    fn store(&self) -> &Store {
        &self.session.store
    }

    /// Lists the installed versions of a connector.
    async fn versions(&self, connector: &ConnectorName) -> Result<Vec<InstalledVersion>> {
        let mut versions = self.store().versions().await?;
        versions.retain(|version| version.connector == *connector);
        Ok(versions)
    }

    /// Finds and inspects the version that is in use.
    async fn in_use(&self, connector: &ConnectorName) -> Result<InUse> {
        let (_, active) = self.store().active_versions().await?;
        let Some(active) = active.into_iter().find(|one| one.connector == *connector) else {
            return Ok(InUse {
                installed: None,
                inspected: self.carried(connector).await?,
                problem: None,
            });
        };
        let inspected = match active.granted {
            Ok(()) => self.inspect(connector, active.digest).await,
            Err(error) => Err(error.into()),
        };
        let (inspected, problem) = match inspected {
            Ok(inspected) => (Some(inspected), None),
            Err(error) => (None, Some(error)),
        };
        Ok(InUse {
            installed: Some(active.digest),
            inspected,
            problem,
        })
    }

    /// Inspects the version that the program carries, where it does.
    async fn carried(&self, connector: &ConnectorName) -> Result<Option<Inspected>> {
        let carried = bundled::carried()?;
        match carried.into_iter().find(|(name, _)| name == connector) {
            Some((_, component)) => Ok(Some(self.host.inspect_built_in(component).await?)),
            None => Ok(None),
        }
    }

    async fn inspect(
        &self,
        connector: &ConnectorName,
        digest: Digest,
    ) -> Result<Inspected, Unusable> {
        self.store()
            .inspect_version(&self.host, connector, digest)
            .await
    }
}

impl InUse {
    /// Lists in what a version reaches farther than this one.
    fn widened_by(&self, other: &Inspected) -> Vec<Widening> {
        let before = self.inspected.as_ref();
        let before = before.map(|inspected| inspected.connector().declared());
        widenings(before.as_ref(), &other.connector().declared())
    }

    fn digest(&self) -> Option<Digest> {
        let inspected = self.inspected.as_ref();
        self.installed
            .or(inspected.map(|inspected| inspected.connector().digest()))
    }

    /// Names it for a sentence; none where there is no version.
    fn named(&self) -> Option<String> {
        match (&self.inspected, self.installed) {
            (Some(inspected), _) => {
                let connector = inspected.connector();
                Some(with_digest(
                    &connector.manifest().version,
                    connector.digest(),
                ))
            }
            (None, Some(digest)) => Some(format!(
                "the version {} that cannot be used",
                digest.short()
            )),
            (None, None) => None,
        }
    }
}

/// Names a version so that it is told from another of the same number.
fn with_digest(version: &str, digest: Digest) -> String {
    format!("{version} ({})", digest.short())
}

/// What a change of versions decides, for the log.
fn deciding(
    connector: &ConnectorName,
    from: Option<Digest>,
    to: Option<(Digest, &str)>,
) -> Deciding {
    Deciding {
        kind: DecidedKind::Version,
        subject: connector.to_string(),
        from: from.map(|digest| digest.to_string()),
        to: to.map(|(digest, state)| format!("{digest} {state}")),
        reason: None,
    }
}

/// What comes of it that a version is in use, for agents that are limited in what they touch.
struct Trust {
    /// Whether it is trusted to check what the host cannot see.
    is_trusted: bool,
    /// The agents that are limited, and send nothing that has to be checked where it is not.
    limited: Vec<AgentId>,
}

impl Trust {
    async fn of(store: &Store, connector: &ConnectorName, digest: Digest) -> Result<Self> {
        let component = connectors::by_digest(connector, digest)?;
        let is_trusted = store.trusts(connector, component).await?;
        let agents = store.agents().await?;
        let has_it = |agent: &AgentId| {
            let agent = agents.iter().find(|one| one.id == *agent);
            agent.is_some_and(|agent| agent.connectors.contains_key(connector))
        };
        let scopes = store.scopes().await?.into_iter();
        let limited = scopes
            .filter(|one| one.connector == *connector && has_it(&one.agent))
            .filter(|one| one.scope.read.is_some() || !one.scope.deny_read.is_empty());
        Ok(Self {
            is_trusted,
            limited: limited.map(|one| one.agent).collect(),
        })
    }

    /// Says which agents do without, if any.
    fn warning(&self, connector: &ConnectorName) -> Option<String> {
        if self.is_trusted || self.limited.is_empty() {
            return None;
        }
        let agents: Vec<String> = self
            .limited
            .iter()
            .map(|agent| format!("`{agent}`"))
            .collect();
        Some(format!(
            "this version is not trusted to check what the host cannot see: with it in use, queries and the like are refused to {}, \
             which may not touch everything, until `portcullis connector trust-scope {connector}`",
            agents.join(", ")
        ))
    }
}

/// Finds the version that waits.
fn waiting(versions: &[InstalledVersion]) -> Option<&InstalledVersion> {
    let waits = |version: &&InstalledVersion| version.state == VersionState::Waiting;
    versions.iter().find(waits)
}

/// Refuses a connector of which nothing is known.
async fn require_known(
    bench: &Bench,
    connector: &ConnectorName,
    versions: &[InstalledVersion],
) -> Result<()> {
    match versions.is_empty() {
        true => connectors::require(bench.store(), connector).await,
        false => Ok(()),
    }
}

/// Writes in what a version reaches farther, a line each.
fn write_widenings(out: &mut impl Write, found: &[Widening]) -> io::Result<()> {
    for one in found {
        writeln!(out, "{} {}", styled(HINT, "+"), shown(&one.text))?;
    }
    Ok(())
}

fn widenings_json(found: &[Widening]) -> Value {
    json!(found)
}

/// Says that a version cannot be used.
fn unusable(connector: &ConnectorName, digest: Digest, error: &Unusable, hint: String) -> Problem {
    let digest = digest.short();
    let message = format!("the version {digest} of `{connector}` cannot be used: {error}");
    Problem::failure("unusable_version", message, Some(hint))
}
