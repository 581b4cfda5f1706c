//! How much farther a version of a connector reaches than the one that is active.
//!
//! The attack: an update that reaches where nobody allowed the version before to reach, and is taken for a mere correction: a route
//! that says it only reads, a route taken away so that a laxer one takes its requests, a login beside the service's own, a
//! tool that leaves the toolset, or has no longer the effect, that an administrator switched off. So whatever is not the same and
//! not surely less counts as wider, members of a manifest that nothing here knows among it. Words for people and models are not compared.

mod offers;
mod routes;
mod sign_in;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{Effect, Manifest, NamePattern, OriginPattern, ToolName};

/// What a version of a connector declares.
#[derive(Clone, Debug)]
pub struct Declared<'a> {
    /// Its manifest.
    pub manifest: &'a Manifest,
    /// Its tools.
    pub tools: Vec<DeclaredTool<'a>>,
    /// The interfaces that its component imports.
    pub imports: &'a [String],
}

/// What of a tool bounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeclaredTool<'a> {
    /// Its name.
    pub name: &'a ToolName,
    /// Its toolset.
    pub toolset: &'a str,
    /// How far it reaches.
    pub effect: Effect,
    /// Whether it says that running it twice does no more than once.
    pub idempotent: bool,
}

/// Something in which a version reaches farther, or may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Widening {
    /// Of what kind it is.
    pub what: Widened,
    /// What it is, for people.
    pub text: String,
}

/// In what a version reaches farther.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Widened {
    /// There was no version before.
    Connector,
    /// A tool is new and does more than read, has another effect, or belongs elsewhere.
    Tool,
    /// Connections may be elsewhere, or requests go there.
    Origin,
    /// Accounts sign in otherwise.
    SignIn,
    /// More is asked for when an account signs in.
    Scope,
    /// A request may be sent that could not be, or counts as less than it did.
    Route,
    /// A POST says that it only reads, which the host cannot see.
    PostAsRead,
    /// A kind of record is no longer guarded.
    GuardedKind,
    /// An address is read by another call than it was.
    Resource,
    /// A text for agents names a tool that it did not, which does more than read.
    Prompt,
    /// The component uses more of what a host gives.
    Import,
    /// Something differs that is not compared.
    Other,
}

impl Widening {
    fn new(what: Widened, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { what, text }
    }
}

/// Lists everything in which `after` reaches farther than `before`, the version that is active; all that it reaches where there is
/// none.
pub fn widenings(before: Option<&Declared<'_>>, after: &Declared<'_>) -> Vec<Widening> {
    let mut found = Vec::new();
    let name = &after.manifest.name;
    if before.is_none_or(|before| before.manifest.name != *name) {
        let text = format!("the connector `{name}` is new here");
        found.push(Widening::new(Widened::Connector, text));
    }
    tools(before, after, &mut found);
    origins(before, after, &mut found);
    let auth = before.map(|before| &before.manifest.auth);
    sign_in::compare(auth, &after.manifest.auth, &mut found);
    let routes = before.map_or(&[][..], |before| &before.manifest.routes);
    routes::compare(routes, &after.manifest.routes, &mut found);
    if let Some(before) = before {
        guarded(before, after, &mut found);
        offers::compare(before, after, &mut found);
        others(
            before.manifest,
            after.manifest,
            &COMPARED,
            "manifest",
            &mut found,
        );
    }
    imports(before, after, &mut found);
    found
}

/// The members of a manifest that are compared, and those that are words.
const COMPARED: [&str; 11] = [
    "name",
    "title",
    "version",
    "description",
    "auth",
    "origins",
    "routes",
    "guarded_kinds",
    "toolsets",
    "resources",
    "prompts",
];

/// Says why a component that has the name of an active connector is another connector all the same; none where it may be a
/// version of it.
pub fn stranger(before: &Manifest, after: &Manifest) -> Option<&'static str> {
    if !sign_in::is_of_one_kind(&before.auth, &after.auth) {
        return Some("its accounts sign in in another way");
    }
    let places = |manifest: &Manifest| {
        let origins = manifest.origins.iter().cloned();
        let logins = sign_in::places(&manifest.auth);
        origins.chain(logins).collect::<Vec<OriginPattern>>()
    };
    let (here, there) = (places(before), places(after));
    let meets = |one: &OriginPattern| {
        let met = |other: &&OriginPattern| one.covers(other) || other.covers(one);
        there.iter().any(|other| met(&other))
    };
    match here.is_empty() || here.iter().any(meets) {
        true => None,
        false => Some("its service is at none of the same addresses"),
    }
}

fn tools(before: Option<&Declared<'_>>, after: &Declared<'_>, found: &mut Vec<Widening>) {
    let mut add = |text: String| found.push(Widening::new(Widened::Tool, text));
    for tool in &after.tools {
        let DeclaredTool { name, effect, .. } = tool;
        let known = before.and_then(|before| before.tools.iter().find(|one| one.name == *name));
        let Some(known) = known else {
            // A new one that reads starts at its default, and is shown as new.
            if *effect > Effect::Read {
                add(format!(
                    "the tool `{name}` is new, and its effect is `{effect}`"
                ));
            }
            continue;
        };
        if *effect != known.effect {
            // A lower one too: rules on effects say something else of it, and what was off may be asked for, or not even that.
            let was = known.effect;
            add(format!(
                "the effect of the tool `{name}` is `{effect}`; it was `{was}`"
            ));
        }
        if tool.toolset != known.toolset {
            // What is decided on a toolset no longer holds for it.
            let (now, was) = (tool.toolset, known.toolset);
            add(format!(
                "the tool `{name}` is in the toolset `{now}`; it was in `{was}`"
            ));
        }
        // One that reads does no harm twice.
        if tool.idempotent && !known.idempotent && *effect > Effect::Read {
            add(format!(
                "the tool `{name}` says that it may be run again without harm"
            ));
        }
    }
}

fn origins(before: Option<&Declared<'_>>, after: &Declared<'_>, found: &mut Vec<Widening>) {
    let known = before.map_or(&[][..], |before| &before.manifest.origins);
    for origin in &after.manifest.origins {
        if !known.iter().any(|known| known.covers(origin)) {
            found.push(Widening::new(
                Widened::Origin,
                format!("it may be at `{origin}`"),
            ));
        }
    }
}

fn guarded(before: &Declared<'_>, after: &Declared<'_>, found: &mut Vec<Widening>) {
    let still = &after.manifest.guarded_kinds;
    let is_open = |kind: &&NamePattern| !still.iter().any(|still: &NamePattern| still.covers(kind));
    for kind in before.manifest.guarded_kinds.iter().filter(is_open) {
        found.push(Widening::new(
            Widened::GuardedKind,
            format!("records of `{kind}` may be changed without being allowed by name"),
        ));
    }
}

fn imports(before: Option<&Declared<'_>>, after: &Declared<'_>, found: &mut Vec<Widening>) {
    let known: BTreeSet<&str> = before
        .iter()
        .flat_map(|before| before.imports)
        .map(|import| without_patch(import))
        .collect();
    let new: BTreeSet<&str> = after
        .imports
        .iter()
        .map(|import| without_patch(import))
        .filter(|import| !known.contains(import))
        .collect();
    // Of a connector that is new all are, and each is one that connectors get.
    if before.is_some() {
        let texts = new
            .into_iter()
            .map(|import| Widening::new(Widened::Import, format!("its component uses `{import}`")));
        found.extend(texts);
    }
}

/// `wasi:http/types@0.2.9` without its last number, in which language tools differ and nothing else does.
fn without_patch(import: &str) -> &str {
    match import.rsplit_once('.') {
        Some((front, _)) if import.starts_with("wasi:") => front,
        _ => import,
    }
}

/// Finds the members that differ and that nobody compares one by one: those of a later version of the schema.
fn others<T: Serialize>(
    before: &T,
    after: &T,
    compared: &[&str],
    of: &str,
    found: &mut Vec<Widening>,
) {
    let [before, after] = [before, after].map(|one| match serde_json::to_value(one) {
        Ok(serde_json::Value::Object(members)) => Some(members),
        _ => None,
    });
    let mut add = |text: String| found.push(Widening::new(Widened::Other, text));
    let (Some(before), Some(after)) = (before, after) else {
        return add(format!(
            "something of its {of} is another, which is not compared"
        ));
    };
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let [was, is] = [&before, &after].map(|members| members.get(name));
        if !compared.contains(&name.as_str()) && was != is {
            let [was, is] = [was, is].map(in_short);
            add(format!(
                "`{name}` of its {of} is another, which nothing here can weigh: it was {was}, and is {is}"
            ));
        }
    }
}

/// Characters of a member that are shown; `connector show --json` has manifests whole.
const MEMBER_CHARS_MAX: usize = 300;

/// Writes a member for a person who is to judge it.
fn in_short(member: Option<&serde_json::Value>) -> String {
    let Some(member) = member else {
        return "not there".to_owned();
    };
    let text = member.to_string();
    match text.char_indices().nth(MEMBER_CHARS_MAX) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

#[cfg(test)]
mod tests;
