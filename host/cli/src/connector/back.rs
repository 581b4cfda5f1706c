//! `portcullis connector rollback` and `remove`: back to a version that was in use before.

use anyhow::Result;
use portcullis::policy::{ConnectorName, Widening, widenings};
use portcullis::{ComponentCache, Inspected};
use portcullis_store::{Deciding, InstalledVersion, Store, VersionState};
use serde_json::json;

use super::{Bench, Trust, deciding, require_known, unusable, widenings_json, write_widenings};
use crate::approvals;
use crate::args::Form;
use crate::bundled;
use crate::connectors;
use crate::home::Home;
use crate::keyboard;
use crate::problem::Problem;
use crate::show;

/// What a passphrase is asked for here: a version before may have reached farther, or had a defect that was mended.
const GONE_BACK_FROM: &str = "a version is gone back from";

/// Goes back to the version before, and to the one that the program carries where none was before.
pub(super) async fn roll_back(
    name: &ConnectorName,
    yes: bool,
    form: Form,
    home: &Home,
    cache: ComponentCache,
) -> Result<()> {
    let bench = Bench::open(home, cache).await?;
    let versions = bench.versions(name).await?;
    require_known(&bench, name, &versions).await?;
    let of_state = |state| move |version: &&InstalledVersion| version.state == state;
    let Some(active) = versions.iter().find(of_state(VersionState::Active)) else {
        let message = match bundled::names()?.contains(name) {
            true => format!("the version of `{name}` in use is the one that this program carries"),
            false => format!("no version of `{name}` is in use"),
        };
        let hint = "there is nothing to go back from: `portcullis connector list`";
        return Err(Problem::mistake("no_version_before", message, hint).into());
    };
    let before = versions.iter().find(of_state(VersionState::Before));
    let target = target(&bench, name, before).await?;
    let Back { wider, trust } = look(&bench, name, &target, form).await?;
    if !is_agreed(name, &target, &wider, yes, form)? {
        let value = json!({ "changed": false });
        return Ok(show::done(form, &value, "Nothing was changed.", None)?);
    }
    let (version, digest) = (
        &target.connector().manifest().version,
        target.connector().digest(),
    );
    approvals::require_passphrase(&bench.session, GONE_BACK_FROM).await?;
    let what = deciding(name, Some(active.digest), Some((digest, "in use")));
    let work = bench.store().roll_back_version(name, active.digest);
    bench.session.deciding(what, work).await?;
    let value = json!({
        "changed": true,
        "connector": name,
        "version": version,
        "digest": digest,
        "widenings": widenings_json(&wider),
        "in_place_of": active.digest,
        "trusted": trust.is_trusted,
        "limited_agents": trust.limited,
    });
    let whose = match before {
        Some(_) => "",
        None => ", which is part of this program,",
    };
    let sentence = format!(
        "Version {version} of `{name}`{whose} is in use again, in place of {}.",
        active.version
    );
    let next = "`portcullis connector install FILE` installs a version again";
    Ok(show::done(form, &value, &sentence, Some(next))?)
}

/// What comes of it that a version is gone back to.
struct Back {
    /// In what it reaches farther than the one in use.
    wider: Vec<Widening>,
    trust: Trust,
}

/// Shows what comes of it that a version is gone back to.
async fn look(bench: &Bench, name: &ConnectorName, target: &Inspected, form: Form) -> Result<Back> {
    let in_use = bench.in_use(name).await?;
    // An administrator let it reach as far before, and perhaps went on because it did: it is asked for again.
    let current = in_use.inspected.as_ref();
    let current = current.map(|inspected| inspected.connector().declared());
    let wider = match &current {
        Some(current) => widenings(Some(current), &target.connector().declared()),
        None => Vec::new(),
    };
    let trust = Trust::of(bench.store(), name, target.connector().digest()).await?;
    if !form.json {
        write_widenings(&mut anstream::stdout().lock(), &wider)?;
        if let Some(warning) = trust.warning(name) {
            show::note(&warning)?;
        }
    }
    Ok(Back { wider, trust })
}

/// Asks whether a version that reaches farther is to be in use again.
fn is_agreed(
    name: &ConnectorName,
    target: &Inspected,
    wider: &[Widening],
    yes: bool,
    form: Form,
) -> Result<bool> {
    if wider.is_empty() || yes {
        return Ok(true);
    }
    let connector = target.connector();
    let (version, digest) = (&connector.manifest().version, connector.digest());
    let named = format!("version {version} of `{name}` ({})", digest.short());
    if form.json || !keyboard::is_there() {
        let message =
            format!("{named} reaches farther than the one in use, and there is nobody to ask");
        return Err(Problem::mistake("not_confirmed", message, "add `--yes`").into());
    }
    keyboard::agrees(&format!("Have {named} in use again?"))
}

/// Finds what is gone back to, which must be usable.
async fn target(
    bench: &Bench,
    name: &ConnectorName,
    before: Option<&InstalledVersion>,
) -> Result<Inspected> {
    let remove = format!("`portcullis connector remove {name}` removes all of its versions");
    if let Some(before) = before {
        let inspected = bench.inspect(name, before.digest).await;
        return Ok(inspected.map_err(|error| unusable(name, before.digest, &error, remove))?);
    }
    match bench.carried(name).await? {
        Some(inspected) => Ok(inspected),
        None => {
            let message = format!("no version of `{name}` was in use before this one");
            Err(Problem::mistake("no_version_before", message, remove).into())
        }
    }
}

/// Removes all installed versions. One that is part of this program is in use again, as by going back to it.
pub(super) async fn remove(
    name: &ConnectorName,
    yes: bool,
    form: Form,
    home: &Home,
    cache: ComponentCache,
) -> Result<()> {
    let bench = Bench::open(home, cache).await?;
    let mut wider = Vec::new();
    let carried = bench.carried(name).await?;
    match &carried {
        Some(carried) => {
            let versions = bench.versions(name).await?;
            if versions.iter().any(|one| one.state == VersionState::Active) {
                wider = look(&bench, name, carried, form).await?.wider;
            }
            if !is_agreed(name, carried, &wider, yes, form)? {
                let value = json!({ "changed": false });
                return Ok(show::done(form, &value, "Nothing was changed.", None)?);
            }
        }
        None => require_unconnected(&bench.session, name).await?,
    }
    approvals::require_passphrase(&bench.session, GONE_BACK_FROM).await?;
    let what = gone(name, "all installed");
    let work = bench.store().remove_versions(name);
    let removed = bench.session.deciding(what, work).await?;
    if removed == 0 && carried.is_none() {
        require_there(bench.store(), name).await?;
    }
    let sentence = match (removed, &carried) {
        (0, _) => format!("No version of `{name}` is installed; nothing changed."),
        (_, Some(_)) => format!(
            "The installed versions of `{name}` are gone; the one that is part of this program is in use."
        ),
        (_, None) => format!("The connector `{name}` is gone."),
    };
    let value = json!({
        "changed": removed > 0,
        "connector": name,
        "versions_removed": removed,
        "widenings": widenings_json(&wider),
    });
    Ok(show::done(form, &value, &sentence, None)?)
}

/// Removes the version that waits.
pub(super) async fn remove_waiting(name: &ConnectorName, form: Form, home: &Home) -> Result<()> {
    let session = home.open().await?;
    session.require_administrator().await?;
    let store = &session.store;
    let what = gone(name, "the one that waits");
    let work = store.remove_waiting_version(name);
    let removed = session.deciding(what, work).await?;
    if !removed && !bundled::names()?.contains(name) {
        require_there(store, name).await?;
    }
    let sentence = match removed {
        true => format!("The version of `{name}` that waited is gone."),
        false => format!("No version of `{name}` waits; nothing changed."),
    };
    let removed = u8::from(removed);
    let value = json!({ "changed": removed > 0, "connector": name, "versions_removed": removed });
    Ok(show::done(form, &value, &sentence, None)?)
}

/// What is decided where versions go, for the log.
fn gone(name: &ConnectorName, which: &str) -> Deciding {
    Deciding {
        from: Some(which.to_owned()),
        ..deciding(name, None, None)
    }
}

/// Refuses the name of a connector of which there is no version.
async fn require_there(store: &Store, name: &ConnectorName) -> Result<()> {
    let versions = store.versions().await?;
    if versions.iter().any(|one| one.connector == *name) {
        return Ok(());
    }
    let names = connectors::names(store).await?;
    Err(connectors::unknown(name, &names).into())
}

/// Refuses to remove a connector that is needed to end accounts at its service.
async fn require_unconnected(session: &crate::home::Session, name: &ConnectorName) -> Result<()> {
    let connections = session.store.connections().await?;
    let count = connections
        .iter()
        .filter(|one| one.connector == *name)
        .count();
    if count == 0 {
        return Ok(());
    }
    let (are, them) = match count {
        1 => ("1 connection is".to_owned(), "it"),
        count => (format!("{count} connections are"), "them"),
    };
    let message = format!("{are} by `{name}`, which is needed to end {them}");
    let hint = "`portcullis connections list` lists what there is; `portcullis connections disconnect` ends one";
    Err(Problem::mistake("connected", message, hint).into())
}
