//! `portcullis connector install`: a file becomes a version, in use at once or waiting to be accepted. What is wrong with it is said
//! before anything is kept.

use std::path::Path;

use anyhow::Result;
use portcullis::ComponentCache;
use portcullis::policy::stranger;
use portcullis_store::{Installing, NewVersion};
use serde_json::{Value, json};

use super::{Bench, inspect, waiting, widenings_json, write_widenings};
use crate::args::Form;
use crate::catalog;
use crate::home::Home;
use crate::org;
use crate::problem::Problem;
use crate::show;

/// Installs a version.
pub(super) async fn run(file: &Path, form: Form, home: &Home, cache: ComponentCache) -> Result<()> {
    let bytes = inspect::read(file)?;
    // What is none makes no store either.
    let world = org::unconnected(cache.clone())?;
    let inspected = world.host.inspect(bytes.clone()).await?;
    drop(world);
    let bench = Bench::open(home, cache).await?;
    let connector = inspected.connector();
    let manifest = connector.manifest();
    let (name, version, digest) = (&manifest.name, &manifest.version, connector.digest());
    let in_use = bench.in_use(name).await?;
    let value = |changed: bool, state: &str, widenings: Value| {
        json!({
            "changed": changed,
            "connector": name,
            "version": version,
            "digest": digest,
            "state": state,
            "widenings": widenings,
            "in_place_of": in_use.digest(),
        })
    };
    if in_use.digest() == Some(digest) && in_use.inspected.is_some() {
        let sentence =
            format!("This version of `{name}`, {version}, is in use already; nothing changed.");
        return Ok(show::done(
            form,
            &value(false, "active", json!([])),
            &sentence,
            None,
        )?);
    }
    if let Some(before) = &in_use.inspected
        && let Some(why) = stranger(before.connector().manifest(), manifest)
    {
        let file = file.display();
        let message =
            format!("`{file}` has the name of the connector `{name}` and is another one: {why}");
        let hint = "give it a name of its own in its manifest";
        return Err(Problem::mistake("other_connector", message, hint).into());
    }
    let widenings = in_use.widened_by(&inspected);
    let waits_already =
        waiting(&bench.versions(name).await?).is_some_and(|one| one.digest == digest);
    let installing = match widenings.is_empty() {
        true => Installing::Active,
        false => Installing::Waiting,
    };
    if !(waits_already && installing == Installing::Waiting) {
        let store = bench.store();
        if let Some(before) = &in_use.inspected {
            // So that what is new in this version is told from what was there.
            catalog::meet(store, before.connector()).await?;
        }
        let new = NewVersion {
            connector: name.clone(),
            version: version.clone(),
            bytes,
            by: bench.session.me.id.clone(),
        };
        store
            .install_version(&new, installing, in_use.installed)
            .await?;
        if installing == Installing::Active {
            catalog::meet(store, connector).await?;
        }
    }
    let short = digest.short();
    match (installing, in_use.named()) {
        (Installing::Active, before) => {
            let in_place = before.map_or(String::new(), |before| format!(", in place of {before}"));
            let sentence =
                format!("Version {version} of `{name}` ({short}) is in use now{in_place}.");
            let next = format!("`portcullis connector rollback {name}` goes back");
            let value = value(true, "active", json!([]));
            Ok(show::done(form, &value, &sentence, Some(&next))?)
        }
        (Installing::Waiting, before) => {
            if !form.json {
                write_widenings(&mut anstream::stdout().lock(), &widenings)?;
            }
            let word = if waits_already {
                "waits already"
            } else {
                "waits"
            };
            let than = match before {
                Some(before) => {
                    format!("it reaches farther than {before}, which stays in use")
                }
                None => "nobody has seen yet what it may do".to_owned(),
            };
            let sentence =
                format!("Version {version} of `{name}` ({short}) {word} to be accepted: {than}.");
            let next = format!("`portcullis connector accept {name}` asks, and has it in use");
            let value = value(!waits_already, "waiting", widenings_json(&widenings));
            Ok(show::done(form, &value, &sentence, Some(&next))?)
        }
    }
}
