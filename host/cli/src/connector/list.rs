//! `portcullis connector list`: which version of each connector is in use, and what became of others.

use std::io::Write;

use anyhow::Result;
use portcullis::ComponentCache;
use portcullis::policy::{ConnectorName, Digest};
use portcullis_store::{InstalledVersion, VersionState};
use serde_json::{Value, json};

use super::{Bench, InUse};
use crate::args::Form;
use crate::bundled;
use crate::connectors;
use crate::home::Home;
use crate::show;
use crate::show::style::{ERROR, HINT, styled};
use crate::show::table::{Table, moment};

/// A line of the list.
struct Entry {
    connector: ConnectorName,
    version: String,
    digest: Digest,
    state: &'static str,
    /// None: it is part of the program.
    installed: Option<InstalledVersion>,
    problem: Option<String>,
    /// Whether it is trusted to check what the host cannot see.
    is_trusted: bool,
}

/// Lists the connectors.
pub(super) async fn run(form: Form, home: &Home, cache: ComponentCache) -> Result<()> {
    let bench = Bench::open(home, cache).await?;
    let entries = entries(&bench).await?;
    if form.json {
        let entries: Value = entries.iter().map(json).collect();
        return Ok(show::json(&entries)?);
    }
    let mut table = Table::new(&["CONNECTOR", "VERSION", "DIGEST", "STATE", "SCOPES", "FROM"]);
    for entry in &entries {
        let from = match &entry.installed {
            None => "this program".to_owned(),
            Some(one) => format!("{}, {}", one.installed_by, moment(Some(one.installed))),
        };
        let (name, digest) = (entry.connector.as_str(), entry.digest.short());
        let trusted = if entry.is_trusted {
            "trusted"
        } else {
            "not trusted"
        };
        let state = words(entry.state);
        table.row([name, &entry.version, &digest, state, trusted, &from]);
    }
    let mut out = anstream::stdout().lock();
    table.write(&mut out)?;
    for entry in &entries {
        let (name, digest) = (&entry.connector, entry.digest.short());
        if let Some(problem) = &entry.problem {
            writeln!(
                out,
                "{} {name} {digest}: {problem}",
                styled(ERROR, "unusable:")
            )?;
            let next =
                format!("`portcullis connector rollback {name}` goes back to the version before");
            writeln!(out, "{} {next}", styled(HINT, "next:"))?;
        }
        if entry.state == "waiting" {
            let next = format!(
                "`portcullis connector accept {name}` shows what {} may do besides",
                entry.version
            );
            writeln!(out, "{} {next}", styled(HINT, "next:"))?;
        }
    }
    Ok(())
}

fn words(state: &str) -> &'static str {
    match state {
        "active" => "in use",
        "unusable" => "cannot be used",
        "waiting" => "waits to be accepted",
        "replaced" => "not used",
        _ => "before",
    }
}

/// Lists every version that there is, by connector; the one that is in use comes first.
async fn entries(bench: &Bench) -> Result<Vec<Entry>> {
    let versions = bench.store().versions().await?;
    let carried = bundled::carried()?;
    let mut names: Vec<ConnectorName> = carried.iter().map(|(name, _)| name.clone()).collect();
    names.extend(versions.iter().map(|version| version.connector.clone()));
    names.sort();
    names.dedup();
    let mut entries = Vec::new();
    for name in names {
        let in_use = bench.in_use(&name).await?;
        let own = versions.iter().filter(|one| one.connector == name);
        let mut of_name: Vec<Entry> = own.map(|one| installed(one, &in_use)).collect();
        if let Some((_, component)) = carried.iter().find(|(carried, _)| *carried == name)
            && let Some(manifest) = bundled::manifest(&name)?
        {
            let is_in_use = in_use.installed.is_none();
            let entry = Entry {
                connector: name.clone(),
                version: manifest.version,
                digest: component.digest,
                state: if is_in_use { "active" } else { "replaced" },
                installed: None,
                problem: None,
                is_trusted: false,
            };
            let at = if is_in_use { 0 } else { of_name.len() };
            of_name.insert(at, entry);
        }
        for entry in &mut of_name {
            let component = connectors::by_digest(&name, entry.digest)?;
            entry.is_trusted = bench.store().trusts(&name, component).await?;
        }
        entries.extend(of_name);
    }
    Ok(entries)
}

fn installed(version: &InstalledVersion, in_use: &InUse) -> Entry {
    let problem = match version.state {
        VersionState::Active => in_use.problem.as_ref().map(ToString::to_string),
        VersionState::Before | VersionState::Waiting => None,
    };
    Entry {
        connector: version.connector.clone(),
        version: version.version.clone(),
        digest: version.digest,
        state: match version.state {
            VersionState::Active if problem.is_some() => "unusable",
            VersionState::Active => "active",
            VersionState::Before => "before",
            VersionState::Waiting => "waiting",
        },
        installed: Some(version.clone()),
        problem,
        is_trusted: false,
    }
}

fn json(entry: &Entry) -> Value {
    let installed = entry.installed.as_ref();
    let activated = installed.and_then(|one| one.activated.as_ref());
    json!({
        "connector": entry.connector,
        "version": entry.version,
        "digest": entry.digest,
        "state": entry.state,
        "is_part_of_program": installed.is_none(),
        "installed": installed.map(|one| one.installed.to_string()),
        "installed_by": installed.map(|one| &one.installed_by),
        "activated": activated.map(|(at, _)| at.to_string()),
        "activated_by": activated.map(|(_, by)| by),
        "problem": entry.problem,
        "trusted": entry.is_trusted,
    })
}
