//! `portcullis connector inspect` and `show`: what a component says it is, checked.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Result;
use portcullis::policy::{Auth, ConnectorName, Effect, KindPlace, Method, RouteSpec};
use portcullis::{ComponentCache, Connector};
use serde_json::{Value, json};

use super::{Bench, require_known, unusable, waiting, widenings_json, write_widenings};
use crate::args::Form;
use crate::args::connector::Inspect;
use crate::connectors;
use crate::home::Home;
use crate::org;
use crate::problem::Problem;
use crate::show;
use crate::show::style::{TITLE, styled};
use crate::tools::tool_json;

/// Bytes of a component's file; connectors that carry a language's runtime have about 22 million.
const COMPONENT_BYTES_MAX: u64 = 256 << 20;

/// Inspects the component in a file.
pub(crate) async fn run(args: &Inspect, cache: ComponentCache) -> Result<()> {
    let bytes = read(&args.file)?;
    let size = bytes.len();
    let world = org::unconnected(cache)?;
    let inspected = world.host.inspect(bytes).await?;
    let connector = inspected.connector();
    match args.form.json {
        true => show::json(&connector_json(connector, Some(size)))?,
        false => summary(&mut anstream::stdout().lock(), connector, Some(size))?,
    }
    Ok(())
}

/// Shows the version of a connector that is in use, and in what one that waits reaches farther.
pub(super) async fn show(
    name: &ConnectorName,
    form: Form,
    home: &Home,
    cache: ComponentCache,
) -> Result<()> {
    let bench = Bench::open(home, cache).await?;
    let versions = bench.versions(name).await?;
    require_known(&bench, name, &versions).await?;
    let in_use = bench.in_use(name).await?;
    let waits = match waiting(&versions) {
        Some(version) => {
            let inspected = bench.inspect(name, version.digest).await.map_err(|error| {
                let hint = format!("`portcullis connector remove {name} --waiting` removes it");
                unusable(name, version.digest, &error, hint)
            })?;
            Some((version, in_use.widened_by(&inspected)))
        }
        None => None,
    };
    if let (Some(digest), Some(error)) = (in_use.installed, &in_use.problem) {
        let hint = format!("`portcullis connector rollback {name}` goes back to the one before");
        return Err(unusable(name, digest, error, hint).into());
    }
    let connector = in_use.inspected.as_ref().map(|one| one.connector());
    let trusted = match in_use.digest() {
        Some(digest) => {
            let component = connectors::by_digest(name, digest)?;
            Some(bench.store().trusts(name, component).await?)
        }
        None => None,
    };
    if form.json {
        let waits = waits.map(|(version, widenings)| {
            json!({
                "version": version.version,
                "digest": version.digest,
                "installed": version.installed.to_string(),
                "installed_by": version.installed_by,
                "widenings": widenings_json(&widenings),
            })
        });
        let in_use = connector.map(|connector| connector_json(connector, None));
        let value = json!({ "in_use": in_use, "waiting": waits, "trusted": trusted });
        return Ok(show::json(&value)?);
    }
    let mut out = anstream::stdout().lock();
    if let Some(connector) = connector {
        summary(&mut out, connector, None)?;
        let trusted = if trusted == Some(true) {
            "is"
        } else {
            "is not"
        };
        writeln!(
            out,
            "\nThis version {trusted} trusted to check what the host cannot see (`connector trust-scope`)"
        )?;
    }
    if let Some((version, widenings)) = waits {
        let head = format!("Version {} waits to be accepted", version.version);
        writeln!(out, "\n{}", styled(TITLE, head))?;
        write_widenings(&mut out, &widenings)?;
    }
    Ok(())
}

/// Reads a component's file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let refuse = |problem: String| {
        let message = format!("could not read `{}`: {problem}", path.display());
        let hint = "give the `.wasm` file that a build for `wasm32-wasip2` made";
        Problem::mistake("file", message, hint)
    };
    let metadata = std::fs::metadata(path).map_err(|error| refuse(error.to_string()))?;
    if metadata.len() > COMPONENT_BYTES_MAX {
        let limit = COMPONENT_BYTES_MAX >> 20;
        return Err(refuse(format!("it is larger than {limit} MiB")).into());
    }
    Ok(std::fs::read(path).map_err(|error| refuse(error.to_string()))?)
}

fn connector_json(connector: &Connector, bytes: Option<usize>) -> Value {
    json!({
        "digest": connector.digest().to_string(),
        "bytes": bytes,
        "manifest": connector.manifest(),
        "imports": connector.imports(),
        "needs_acceptance": connector.manifest().posts_declared_read()
            .iter().map(|route| route.accepted_as()).collect::<Vec<_>>(),
        "tools": connector.tools().iter().map(tool_json).collect::<Value>(),
    })
}

fn summary(out: &mut impl Write, connector: &Connector, bytes: Option<usize>) -> io::Result<()> {
    let manifest = connector.manifest();
    let head = format!("{} {}", manifest.name, manifest.version);
    writeln!(out, "{}: {}", styled(TITLE, head), manifest.title)?;
    if let Some(description) = &manifest.description {
        writeln!(out, "{description}")?;
    }
    let bytes = bytes.map_or(String::new(), |bytes| format!(", {bytes} bytes"));
    writeln!(out, "sha256 {}{bytes}", connector.digest())?;

    writeln!(out, "\nSigns in by")?;
    match &manifest.auth {
        Auth::OAuth2(oauth) => {
            let scopes = oauth.scopes.default.join(", ");
            writeln!(out, "  OAuth 2, asking for {scopes}")?;
        }
        Auth::ApiKey(_) => writeln!(out, "  an API key")?,
        Auth::None => writeln!(out, "  nothing: it has no accounts")?,
    }
    writeln!(out, "\nMay reach")?;
    for origin in &manifest.origins {
        writeln!(out, "  {origin}")?;
    }
    writeln!(out, "\nMay send")?;
    for route in &manifest.routes {
        self::route(out, route)?;
    }
    if !manifest.guarded_kinds.is_empty() {
        writeln!(out, "\nKinds that are changed only where allowed by name")?;
        for kind in &manifest.guarded_kinds {
            writeln!(out, "  {kind}")?;
        }
    }
    writeln!(out, "\nImports")?;
    for import in connector.imports() {
        writeln!(out, "  {import}")?;
    }
    writeln!(out, "\nTools")?;
    for tool in connector.tools() {
        writeln!(
            out,
            "  {:<12} {}: {}",
            tool.effect.as_str(),
            tool.name,
            tool.title
        )?;
    }
    if !manifest.resources.is_empty() {
        writeln!(out, "\nOffers to read, by its tools")?;
        for resource in &manifest.resources {
            writeln!(out, "  {:<12} {}", resource.read.tool, resource.uri)?;
        }
    }
    if !manifest.prompts.is_empty() {
        writeln!(out, "\nOffers as prompts")?;
        for prompt in &manifest.prompts {
            writeln!(out, "  {:<12} {}", prompt.name, prompt.title)?;
        }
    }
    posts(out, &manifest.posts_declared_read())
}

/// Lists the POST requests that are said to only read: those whose bodies nobody sees into, and those of which each is a list of
/// requests that are looked at.
fn posts(out: &mut impl Write, posts: &[&RouteSpec]) -> io::Result<()> {
    let (carriers, unseen): (Vec<&RouteSpec>, Vec<&RouteSpec>) = posts
        .iter()
        .copied()
        .partition(|route| route.parts.is_some());
    for (said, routes) in [
        ("only read, which nobody can check for you", unseen),
        (
            "do no more than the requests that they carry, of which each is checked by itself",
            carriers,
        ),
    ] {
        if !routes.is_empty() {
            writeln!(out, "\nSays that these POST requests {said}")?;
        }
        for route in routes {
            writeln!(out, "  {}", route.named(Method::Post))?;
        }
    }
    Ok(())
}

fn route(out: &mut impl Write, route: &RouteSpec) -> io::Result<()> {
    let methods: Vec<String> = route.methods.iter().map(ToString::to_string).collect();
    let effect: Effect = route.effect;
    let origin = match &route.origin {
        Some(origin) => origin.to_string(),
        None => String::new(),
    };
    let places = route.kind_places();
    let kinds = match places.contains(&KindPlace::Unseen) {
        true => " (what it touches is not seen)",
        false if places.is_empty() => " (touches no records)",
        false => "",
    };
    writeln!(
        out,
        "  {:<12} {} {origin}{}{kinds}",
        effect.as_str(),
        methods.join(", "),
        route.path
    )
}
