//! `portcullis scope`: what an agent may touch. And `portcullis connector trust-scope`: by whose word, where the host cannot see it.

use std::io::Write;

use anyhow::Result;
use portcullis::ComponentCache;
use portcullis::policy::{Scope, ScopePattern};
use portcullis_store::{AgentScope, Change};
use serde_json::json;

use crate::agent;
use crate::approvals;
use crate::args::permissions::{ScopeArgs, Setting, TrustScope};
use crate::catalog::{self, Catalog};
use crate::connectors;
use crate::home::Home;
use crate::show;
use crate::show::style::{HINT, QUIET, styled};

/// Shows a scope, or changes it.
pub(crate) async fn run(args: &ScopeArgs, home: &Home, cache: ComponentCache) -> Result<()> {
    let session = home.open().await?;
    session.require_administrator().await?;
    let store = &session.store;
    let agent = agent::require(store, &args.agent).await?;
    let mut has = agent.connectors.keys();
    let only = has.next().filter(|_| has.next().is_none());
    let agent = agent.id;
    let catalog = Catalog::open(store, cache).await?;
    let connector = catalog.connector(args.connector.as_ref().or(only))?;
    catalog::meet(store, connector).await?;
    let manifest = connector.manifest();
    let before = store.scope(&agent, &manifest.name).await?;
    let after = changed(args, before.clone());
    if before != after {
        // Also where it is tightened: to tell the two apart for certain is harder than to ask.
        approvals::require_passphrase(&session, "a scope is changed").await?;
        let scope = AgentScope {
            agent: agent.clone(),
            connector: manifest.name.clone(),
            scope: after.clone(),
        };
        session.change(Change::Scope(scope)).await?;
    }
    for warning in warnings(args, &after) {
        show::note(&warning)?;
    }
    if args.form.json {
        let value = json!({
            "changed": before != after,
            "agent": agent,
            "connector": manifest.name,
            "scope": after,
        });
        return Ok(show::json(&value)?);
    }
    let mut out = anstream::stdout().lock();
    let word = match before == after {
        true => "What",
        false => "Now what",
    };
    writeln!(
        out,
        "{word} the agent `{agent}` may touch by `{}`:",
        manifest.name
    )?;
    for (name, said) in lines(&after) {
        writeln!(out, "  {} {said}", styled(QUIET, format!("{name:<8}")))?;
    }
    if !after.read_only && !manifest.guarded_kinds.is_empty() {
        let guarded: Vec<&str> = manifest
            .guarded_kinds
            .iter()
            .map(|kind| kind.as_str())
            .collect();
        let said = format!(
            "not changed unless `--change` has the full name: {}",
            guarded.join(", ")
        );
        writeln!(
            out,
            "  {} {said}",
            styled(QUIET, format!("{:<8}", "guarded"))
        )?;
    }
    let next = match after == Scope::default() {
        true => format!(
            "`portcullis scope {agent} --read Account,Contact` limits it; `--help` says what else there is"
        ),
        false => {
            format!("`portcullis scope {agent} --unset read` takes a setting back, `--clear` all")
        }
    };
    Ok(writeln!(out, "{} {next}", styled(HINT, "next:"))?)
}

/// Changes a scope as the arguments say.
fn changed(args: &ScopeArgs, mut scope: Scope) -> Scope {
    if args.clear {
        return Scope::default();
    }
    for setting in &args.unset {
        match setting {
            Setting::Read => scope.read = None,
            Setting::DenyRead => scope.deny_read.clear(),
            Setting::Change => scope.change = None,
            Setting::DenyChange => scope.deny_change.clear(),
            Setting::ReadOnly => scope.read_only = false,
            Setting::Rows => scope.rows_max = None,
            Setting::CallsPerMinute => scope.calls_per_minute = None,
            Setting::ChangesPerDay => scope.changes_per_day = None,
        }
    }
    let entries = |list: &crate::args::permissions::List| list.0.clone();
    scope.read = args.read.as_ref().map(entries).or(scope.read);
    scope.change = args.change.as_ref().map(entries).or(scope.change);
    if let Some(list) = &args.deny_read {
        scope.deny_read = entries(list);
    }
    if let Some(list) = &args.deny_change {
        scope.deny_change = entries(list);
    }
    scope.read_only |= args.read_only;
    scope.rows_max = args.rows.or(scope.rows_max);
    scope.calls_per_minute = args.calls_per_minute.or(scope.calls_per_minute);
    scope.changes_per_day = args.changes_per_day.or(scope.changes_per_day);
    scope
}

/// Says what of a scope cannot be meant so, or does nothing.
fn warnings(args: &ScopeArgs, scope: &Scope) -> Vec<String> {
    let mut found = Vec::new();
    let set_and_unset = [
        (Setting::Read, args.read.is_some(), "read"),
        (Setting::DenyRead, args.deny_read.is_some(), "deny-read"),
        (Setting::Change, args.change.is_some(), "change"),
        (
            Setting::DenyChange,
            args.deny_change.is_some(),
            "deny-change",
        ),
        (Setting::ReadOnly, args.read_only, "read-only"),
        (Setting::Rows, args.rows.is_some(), "rows"),
        (
            Setting::CallsPerMinute,
            args.calls_per_minute.is_some(),
            "calls-per-minute",
        ),
        (
            Setting::ChangesPerDay,
            args.changes_per_day.is_some(),
            "changes-per-day",
        ),
    ];
    for (setting, is_set, name) in set_and_unset {
        if is_set && args.unset.contains(&setting) {
            found.push(format!(
                "`--{name}` and `--unset {name}` are both given: what is set counts"
            ));
        }
    }
    if scope.read_only && (scope.change.is_some() || !scope.deny_change.is_empty()) {
        let note = "the agent is read-only, so that its list of what it may change does nothing now; it counts again after `--unset read-only`";
        found.push(note.to_owned());
    }
    for entry in scope.change.iter().flatten() {
        if !reads(scope, entry) {
            found.push(format!(
                "`{}` may be changed only where it may be read, and `--read` does not have it: nothing of it can be changed",
                entry.as_str()
            ));
        }
    }
    let none = [
        (scope.rows_max, "an answer has no rows"),
        (scope.calls_per_minute, "the agent calls nothing"),
        (scope.changes_per_day, "the agent changes nothing"),
    ];
    for (max, so) in none {
        if max == Some(0) {
            found.push(format!("a limit is 0: {so}"));
        }
    }
    found
}

/// Says whether something of what an entry names could be read.
fn reads(scope: &Scope, entry: &ScopePattern) -> bool {
    let kind = |one: &ScopePattern| {
        let name = one.as_str().split('.').next().unwrap_or_default();
        name.to_ascii_lowercase()
    };
    let wanted = kind(entry);
    let meets = |one: &ScopePattern| {
        let known = kind(one);
        known == wanted || known.contains('*') || wanted.contains('*')
    };
    scope
        .read
        .as_ref()
        .is_none_or(|read| read.iter().any(meets))
}

/// Says what a scope comes to, a line for each side of it.
fn lines(scope: &Scope) -> Vec<(&'static str, String)> {
    let but = |denied: &[ScopePattern]| match denied {
        [] => String::new(),
        denied => format!(", but not {}", listed(denied)),
    };
    let reads = match &scope.read {
        None => "everything".to_owned(),
        Some(list) if list.is_empty() => "nothing".to_owned(),
        Some(list) => format!("{} and nothing else", listed(list)),
    };
    let changes = match (&scope.change, scope.read_only) {
        (Some(list), true) if !list.is_empty() => {
            format!("nothing: it is read-only (else {})", listed(list))
        }
        (_, true) => "nothing: it is read-only".to_owned(),
        (None, _) => format!("what it may read{}", but(&scope.deny_change)),
        (Some(list), _) if list.is_empty() => "nothing".to_owned(),
        (Some(list), _) => format!(
            "{} and nothing else{}",
            listed(list),
            but(&scope.deny_change)
        ),
    };
    let mut lines = vec![
        ("reads", format!("{reads}{}", but(&scope.deny_read))),
        ("changes", changes),
    ];
    let limits = [
        (scope.rows_max, "row", "an answer"),
        (scope.calls_per_minute, "call", "a minute"),
        (scope.changes_per_day, "record", "changed a day"),
    ];
    for (max, of, a) in limits {
        let said = |max: u32| match max {
            1 => format!("1 {of} {a}"),
            max => format!("{max} {of}s {a}"),
        };
        lines.extend(max.map(|max| ("at most", said(max))));
    }
    lines
}

/// Says a scope in a line, for a list of differences.
pub(crate) fn in_a_line(scope: &Scope) -> String {
    let lines = lines(scope).into_iter();
    let lines: Vec<String> = lines.map(|(name, said)| format!("{name} {said}")).collect();
    lines.join("; ")
}

fn listed(patterns: &[ScopePattern]) -> String {
    let names: Vec<&str> = patterns.iter().map(ScopePattern::as_str).collect();
    names.join(", ")
}

/// Trusts a connector to check what the host cannot see, or no longer.
pub(crate) async fn trust(args: &TrustScope, home: &Home) -> Result<()> {
    let session = home.open().await?;
    session.require_administrator().await?;
    let name = &args.connector;
    connectors::require(&session.store, name).await?;
    let component = connectors::in_use(&session.store, name).await?;
    if !args.no {
        approvals::require_passphrase(&session, "a connector is trusted").await?;
    }
    let trust = Change::Trust(name.clone(), component, !args.no);
    let changed = session.change(trust).await?;
    let whose = match component.is_carried {
        true => "which is part of this program",
        false => "which is installed here",
    };
    let named = format!(
        "The version {} of `{name}`, {whose},",
        component.digest.short()
    );
    let sentence = match (changed, args.no) {
        (true, false) => {
            format!("{named} is trusted to check what the host cannot see; no other is by this.")
        }
        (true, true) => format!(
            "{named} is no longer trusted: agents that are limited in what they read, were it by one field, send no queries by it, \
             and read no records of kinds of which fields are hidden."
        ),
        (false, false) => format!("{named} is trusted already; nothing changed."),
        (false, true) => format!("{named} is not trusted; nothing changed."),
    };
    let value = json!({
        "changed": changed,
        "connector": name,
        "digest": component.digest,
        "trusted": !args.no,
    });
    Ok(show::done(args.form, &value, &sentence, None)?)
}
