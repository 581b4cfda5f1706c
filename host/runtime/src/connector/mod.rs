//! A connector, inspected: what it says it is, and what the host has checked of it.
//!
//! Nothing of a component runs before its imports are known to be the contract's, and what runs
//! then is only what describes it, in a sandbox where nothing can be reached.

mod describe;
mod error;
mod imports;
mod named;
mod nowhere;
mod tool;

use portcullis_policy::{Declared, DeclaredTool, Digest, Manifest, RouteTable};
use wasmtime::component::Component;

pub(crate) use describe::Described;
pub use error::InstallError;
pub use tool::Tool;
pub(crate) use tool::effect;

/// An inspected version of a connector.
#[derive(Debug)]
pub struct Connector {
    digest: Digest,
    manifest: Manifest,
    routes: RouteTable,
    tools: Vec<Tool>,
    imports: Vec<String>,
}

impl Connector {
    /// Inspects a component that `engine` compiled from the bytes with this digest: its imports and exports
    /// must be the contract's, its manifest must fit the published schema, and its tools' schemas
    /// must be usable.
    ///
    /// The engine must interrupt by epochs, and somebody must tick them, for a component that never ends
    /// its description to be stopped.
    ///
    /// # Errors
    ///
    /// [`InstallError`] with everything that is wrong at its stage.
    pub async fn inspect(
        engine: &wasmtime::Engine,
        component: &Component,
        digest: Digest,
    ) -> Result<Self, InstallError> {
        Ok(Self::inspect_described(engine, component, digest).await?.0)
    }

    /// Inspects it, and gives what it said beside, to be remembered.
    pub(crate) async fn inspect_described(
        engine: &wasmtime::Engine,
        component: &Component,
        digest: Digest,
    ) -> Result<(Self, Described), InstallError> {
        let imports = imports::check(engine, component)?;
        let described = describe::describe(engine, component, imports).await?;
        let manifest = Manifest::from_json(&described.manifest)?;
        let routes = RouteTable::new(&manifest.routes).map_err(InstallError::Routes)?;
        let tools = tool::check(&described.tools, &manifest)?;
        named::check(&manifest, &tools)?;
        let connector = Self {
            digest,
            manifest,
            routes,
            tools,
            imports: described.imports.clone(),
        };
        Ok((connector, described))
    }

    /// Takes it as it was inspected before, by the very same program: what was found to be so is not looked at again. None where
    /// what is remembered is of another form.
    pub(crate) fn remembered(described: Described, digest: Digest) -> Option<Self> {
        let manifest = Manifest::from_checked_json(&described.manifest).ok()?;
        let tools = described.tools.iter().map(Tool::of);
        Some(Self {
            digest,
            routes: RouteTable::new(&manifest.routes).ok()?,
            tools: tools.collect::<Result<_, _>>().ok()?,
            manifest,
            imports: described.imports,
        })
    }

    /// Gives the SHA-256 digest of the component's bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Gives the manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Gives the tools, in the connector's order.
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// Gives the tool of a name.
    pub fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name.as_str() == name)
    }

    /// Gives what bounds it, to be compared with another version.
    pub fn declared(&self) -> Declared<'_> {
        let tools = self.tools.iter().map(|tool| DeclaredTool {
            name: &tool.name,
            toolset: &tool.toolset,
            effect: tool.effect,
            idempotent: tool.idempotent,
        });
        Declared {
            manifest: &self.manifest,
            tools: tools.collect(),
            imports: &self.imports,
        }
    }

    /// Gives the names of the interfaces that the component imports.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    pub(crate) fn routes(&self) -> &RouteTable {
        &self.routes
    }
}
