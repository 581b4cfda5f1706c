//! Connectors for AI agents that hold no keys.
//!
//! A connector is a WebAssembly component that turns one outside service into tools. This library runs
//! it in a sandbox, keeps its secrets, enforces what an administrator allowed, asks a person before a
//! change, and writes down everything.
//!
//! Two doors:
//!
//! - [`Host`] owns an engine: [`Host::install`] a component, [`Host::call`] its tools.
//! - [`Guard`] and [`add_to_linker`] are for runtimes that own their engine and linker. Everything that a
//!   connector sends goes through the same gate.
//!
//! Both need the four [`ports`]: who a call acts for, what is allowed, who is asked, where it is written
//! down.

mod ask;
mod bindings;
mod cache;
mod call;
pub mod connector;
mod engine;
mod gate;
mod guard;
mod host;
mod ids;
mod imports;
mod limiter;
mod limits;
mod linker;
pub mod network;
pub mod ports;
mod registry;
mod replay;
mod reply;
mod sandbox;
mod scope;
mod state;
mod trap;

pub use bindings::{Connector as Bindings, ConnectorPre as BindingsPre, contract, tools};
pub use cache::ComponentCache;
pub use call::Opened;
pub use connector::{Connector, InstallError, Tool};
pub use engine::engine;
pub use guard::Guard;
pub use host::{Host, LookedUp, OfferedTool};
pub use ids::{ApprovalId, CallId, IdError, NoId};
pub use limits::Limits;
pub use linker::{PortcullisCtx, PortcullisCtxView, PortcullisView, add_to_linker};
pub use network::Network;
pub use portcullis_policy as policy;
pub use ports::Ports;
pub use replay::{Replay, Rerun};
pub use reply::{
    ApprovalRequired, Attachment, Call, Cancellation, CitedRecord, ConnectRequired, Failure,
    FailureCode, FieldProblem, Outcome, Output, Progress, Refusal, RefusalCode, Reply, SentChange,
    StillWaits, unclear,
};
pub use sandbox::{BuiltIn, Inspected, Sandbox};
