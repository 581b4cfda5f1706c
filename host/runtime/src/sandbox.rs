//! Where connectors run: the engine and its pool, what links a component to the contract, and the cache of those that were compiled.
//!
//! A host needs its ports, which may take time to be opened; a sandbox can be made by another thread meanwhile.

use std::fmt;
use std::sync::Arc;

use portcullis_policy::Digest;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::bindings::ConnectorPre;
use crate::cache::ComponentCache;
use crate::connector::{Connector, InstallError};
use crate::limits::Limits;
use crate::registry::Version;
use crate::state::State;

/// Inspects connectors and runs them. Clones are cheap and the same sandbox.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    /// As many as the pool has slots, so that taking one never fails.
    slots: Semaphore,
    linker: Linker<State>,
    cache: ComponentCache,
    limits: Limits,
}

/// A component that is part of the program, and its digest, taken when the program was built.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn {
    /// The component.
    pub bytes: &'static [u8],
    /// The digest of these bytes.
    pub digest: Digest,
}

/// A version of a connector that was inspected and may be activated, in the sandbox that inspected it.
pub struct Inspected {
    pub(crate) version: Arc<Version>,
}

impl Inspected {
    /// Gives what was found.
    pub fn connector(&self) -> &Connector {
        &self.version.connector
    }
}

impl fmt::Debug for Inspected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Inspected")
            .field(&self.version.connector)
            .finish()
    }
}

impl Sandbox {
    /// Makes a sandbox.
    ///
    /// # Errors
    ///
    /// [`InstallError::Engine`] when this machine cannot give what the limits reserve.
    pub fn new(limits: Limits, cache: ComponentCache) -> Result<Self, InstallError> {
        let engine = crate::engine::engine(&limits).map_err(InstallError::Engine)?;
        let mut linker = Linker::new(&engine);
        crate::linker::add_to_linker(&mut linker).map_err(InstallError::Engine)?;
        let slots = usize::try_from(limits.concurrent_calls_max).unwrap_or(Semaphore::MAX_PERMITS);
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                slots: Semaphore::new(slots.min(Semaphore::MAX_PERMITS)),
                linker,
                cache,
                limits,
            }),
        })
    }

    /// Compiles and inspects a component, and activates nothing.
    ///
    /// # Errors
    ///
    /// [`InstallError`] says what is wrong with it.
    pub async fn inspect(&self, bytes: Vec<u8>) -> Result<Inspected, InstallError> {
        is_component(&bytes)?;
        self.inspect_by(move |inner| {
            let digest = Digest::of(&bytes);
            let component = inner.cache.compile(&inner.engine, digest, &bytes);
            Ok((digest, component.map_err(InstallError::Compile)?))
        })
        .await
    }

    /// Inspects a component that was compiled before, of which no more than its digest is needed; none where the cache does not have
    /// it.
    ///
    /// # Errors
    ///
    /// [`InstallError`] says what is wrong with it.
    pub async fn inspect_compiled(
        &self,
        digest: Digest,
    ) -> Result<Option<Inspected>, InstallError> {
        let inner = self.inner.clone();
        let find = move || inner.cache.find(&inner.engine, digest);
        let found = tokio::task::spawn_blocking(find)
            .await
            .map_err(|error| InstallError::Engine(wasmtime::Error::new(error)))?;
        match found {
            Some(component) => Ok(Some(self.inspected(digest, component).await?)),
            None => Ok(None),
        }
    }

    /// Inspects a component that is part of the program, as [`inspect`](Self::inspect) does. Where the cache has it
    /// compiled, its bytes are not even read.
    ///
    /// # Errors
    ///
    /// As [`inspect`](Self::inspect), and [`InstallError::Digest`].
    pub async fn inspect_built_in(&self, built_in: BuiltIn) -> Result<Inspected, InstallError> {
        self.inspect_by(move |inner| {
            let BuiltIn { bytes, digest } = built_in;
            if let Some(component) = inner.cache.find(&inner.engine, digest) {
                return Ok((digest, component));
            }
            is_component(bytes)?;
            if Digest::of(bytes) != digest {
                return Err(InstallError::Digest(digest));
            }
            let component = inner.cache.compile(&inner.engine, digest, bytes);
            Ok((digest, component.map_err(InstallError::Compile)?))
        })
        .await
    }

    async fn inspect_by(
        &self,
        compile: impl FnOnce(&Inner) -> Result<(Digest, Component), InstallError> + Send + 'static,
    ) -> Result<Inspected, InstallError> {
        let inner = self.inner.clone();
        let (digest, component) = tokio::task::spawn_blocking(move || compile(&inner))
            .await
            .map_err(|error| InstallError::Engine(wasmtime::Error::new(error)))??;
        self.inspected(digest, component).await
    }

    async fn inspected(
        &self,
        digest: Digest,
        component: Component,
    ) -> Result<Inspected, InstallError> {
        let Inner { engine, cache, .. } = &*self.inner;
        let connector = match self.remembered(digest) {
            Some(connector) => connector,
            None => {
                let (connector, described) =
                    Connector::inspect_described(engine, &component, digest).await?;
                cache.keep_described(digest, &described);
                connector
            }
        };
        self.linked(connector, &component)
    }

    /// Takes a component that this very program inspected before, which needs nobody to wait; none where that is not remembered.
    pub fn inspected_before(&self, digest: Digest) -> Option<Inspected> {
        let Inner { engine, cache, .. } = &*self.inner;
        let component = cache.find(engine, digest)?;
        self.linked(self.remembered(digest)?, &component).ok()
    }

    fn remembered(&self, digest: Digest) -> Option<Connector> {
        Connector::remembered(self.inner.cache.described(digest)?, digest)
    }

    fn linked(
        &self,
        connector: Connector,
        component: &Component,
    ) -> Result<Inspected, InstallError> {
        let linker = &self.inner.linker;
        let program = linker
            .instantiate_pre(component)
            .and_then(ConnectorPre::new)
            .map_err(InstallError::Link)?;
        Ok(Inspected {
            version: Arc::new(Version {
                connector: Arc::new(connector),
                program,
            }),
        })
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    pub(crate) fn slots(&self) -> &Semaphore {
        &self.inner.slots
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.limits
    }
}

/// Tells what is no component by its first bytes, for the compiler's words would not.
fn is_component(bytes: &[u8]) -> Result<(), InstallError> {
    const MAGIC: &[u8] = b"\0asm";
    const MODULE: &[u8] = b"\x01\0\0\0";
    let Some(version) = bytes.strip_prefix(MAGIC) else {
        return Err(InstallError::NotAComponent(
            "it does not begin as WebAssembly does; give the `.wasm` file that the build made",
        ));
    };
    if version.starts_with(MODULE) {
        return Err(InstallError::NotAComponent(
            "it is a core module; build it for `wasm32-wasip2`, or wrap it with `wasm-tools component new`",
        ));
    }
    Ok(())
}
