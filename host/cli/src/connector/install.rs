//! `portcullis connector install`: a file becomes a version, in use at once or waiting to be accepted. What is wrong with it is said
//! before anything is kept.
//!
//! What it may do is held to its manifest whatever its code is. So one that reaches no farther is in use at once; to install it accepts
//! its code, and that is asked for as what loosens is, and is on record.

use std::path::Path;

use anyhow::Result;
use portcullis::policy::{Manifest, Widening, stranger};
use portcullis::{ComponentCache, Inspected};
use portcullis_store::{Installing, NewVersion};
use serde_json::json;

use super::{
    Bench, InUse, Trust, deciding, inspect, waiting, widenings_json, with_digest, write_widenings,
};
use crate::approvals;
use crate::args::Form;
use crate::catalog;
use crate::home::Home;
use crate::org;
use crate::problem::Problem;
use crate::show;

/// What became of a file.
enum Became {
    /// It is the version in use already.
    Nothing,
    /// It is in use now.
    InUse(Trust),
    /// It waits, and reaches farther in this.
    Waits {
        anew: bool,
        wider: Vec<Widening>,
        /// The version that waited until now, and is gone.
        replaced: Option<String>,
    },
}

/// Installs a version.
pub(super) async fn run(file: &Path, form: Form, home: &Home, cache: ComponentCache) -> Result<()> {
    let bytes = inspect::read(file)?;
    // What is none makes no store either.
    let world = org::unconnected(cache.clone())?;
    let inspected = world.host.inspect(bytes.clone()).await?;
    drop(world);
    let bench = Bench::open(home, cache).await?;
    let in_use = bench.in_use(&inspected.connector().manifest().name).await?;
    if let Some(before) = &in_use.inspected {
        require_same(file, before.connector().manifest(), &inspected)?;
    }
    let became = keep(&bench, &inspected, &in_use, bytes).await?;
    say(form, &inspected, &in_use, &became)
}

/// Refuses another connector under the name of one that is here.
fn require_same(file: &Path, before: &Manifest, inspected: &Inspected) -> Result<()> {
    let manifest = inspected.connector().manifest();
    let Some(why) = stranger(before, manifest) else {
        return Ok(());
    };
    let (file, name) = (file.display(), &manifest.name);
    let message =
        format!("`{file}` has the name of the connector `{name}` and is another one: {why}");
    let hint = "give it a name of its own in its manifest";
    Err(Problem::mistake("other_connector", message, hint).into())
}

/// Keeps a version, if it is not here already: in use at once, unless it reaches farther.
async fn keep(
    bench: &Bench,
    inspected: &Inspected,
    in_use: &InUse,
    bytes: Vec<u8>,
) -> Result<Became> {
    let connector = inspected.connector();
    let (name, digest) = (&connector.manifest().name, connector.digest());
    if in_use.digest() == Some(digest) && in_use.inspected.is_some() {
        return Ok(Became::Nothing);
    }
    let wider = in_use.widened_by(inspected);
    let versions = bench.versions(name).await?;
    let waits = waiting(&versions).is_some_and(|one| one.digest == digest);
    if waits && !wider.is_empty() {
        return Ok(Became::Waits {
            anew: false,
            wider,
            replaced: None,
        });
    }
    let installing = match wider.is_empty() {
        true => Installing::Active,
        false => Installing::Waiting,
    };
    let store = bench.store();
    if let Some(before) = &in_use.inspected {
        // So that what is new in this version is told from what was there.
        catalog::meet(store, before.connector()).await?;
    }
    let new = NewVersion {
        connector: name.clone(),
        version: connector.manifest().version.clone(),
        bytes,
        by: bench.session.me.id.clone(),
    };
    let state = match installing {
        Installing::Active => {
            approvals::require_passphrase(&bench.session, "another version comes into use").await?;
            "in use"
        }
        Installing::Waiting => "waits",
    };
    let what = deciding(name, in_use.digest(), Some((digest, state)));
    let work = store.install_version(&new, installing, in_use.installed);
    bench.session.deciding(what, work).await?;
    match installing {
        Installing::Active => {
            catalog::meet(store, connector).await?;
            Ok(Became::InUse(Trust::of(store, name, digest).await?))
        }
        Installing::Waiting => {
            let before = waiting(&versions);
            Ok(Became::Waits {
                anew: true,
                wider,
                replaced: before.map(|one| with_digest(&one.version, one.digest)),
            })
        }
    }
}

fn say(form: Form, inspected: &Inspected, in_use: &InUse, became: &Became) -> Result<()> {
    let manifest = inspected.connector().manifest();
    let (name, version) = (&manifest.name, &manifest.version);
    let digest = inspected.connector().digest();
    let named = format!("Version {} of `{name}`", with_digest(version, digest));
    let (changed, state, wider, sentence, next) = match (became, in_use.named()) {
        (Became::Nothing, _) => {
            let sentence = format!("{named} is in use already; nothing changed.");
            (false, "active", &[][..], sentence, None)
        }
        (Became::InUse(_), before) => {
            let in_place = before.map_or(String::new(), |before| {
                format!(
                    ", in place of {before}: what it may do is no more, and its code is another"
                )
            });
            let sentence = format!("{named} is in use now{in_place}.");
            let next = format!("`portcullis connector rollback {name}` goes back");
            (true, "active", &[][..], sentence, Some(next))
        }
        (
            Became::Waits {
                anew,
                wider,
                replaced,
            },
            before,
        ) => {
            let word = if *anew { "waits" } else { "waits already" };
            let why = match before {
                Some(before) => format!("it reaches farther than {before}, which stays in use"),
                None => "nobody has seen yet what it may do".to_owned(),
            };
            let gone = replaced.as_ref().map_or(String::new(), |replaced| {
                format!(
                    " Version {replaced}, which waited until now, is gone: one waits at a time."
                )
            });
            let sentence = format!("{named} {word} to be accepted: {why}.{gone}");
            let next = format!("`portcullis connector accept {name}` asks, and has it in use");
            (*anew, "waiting", &wider[..], sentence, Some(next))
        }
    };
    if !form.json {
        write_widenings(&mut anstream::stdout().lock(), wider)?;
        if let Became::InUse(trust) = became
            && let Some(warning) = trust.warning(name)
        {
            show::note(&warning)?;
        }
    }
    let value = json!({
        "changed": changed,
        "connector": name,
        "version": version,
        "digest": digest,
        "state": state,
        "widenings": widenings_json(wider),
        "in_place_of": in_use.digest(),
        "waited_before": match became {
            Became::Waits { replaced, .. } => replaced.as_ref(),
            _ => None,
        },
        "trusted": match became {
            Became::InUse(trust) => Some(trust.is_trusted),
            _ => None,
        },
    });
    Ok(show::done(form, &value, &sentence, next.as_deref())?)
}
