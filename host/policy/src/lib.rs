//! Decisions as pure functions and types: what a manifest declares, which route a request takes and what it touches,
//! how far a tool may go, what an agent may touch, what an approval is bound to.
//!
//! No WebAssembly, no I/O and no clock: what is decided here can be tested with nothing but values. Every parser
//! refuses what it does not know, and every comparison that could be wrong on either side is made
//! on the stricter one.

pub mod address;
mod agent_policy;
mod agreement;
mod card;
mod change;
mod digest;
mod done;
mod effect;
mod envelope;
mod environment;
mod header;
mod html;
mod json;
mod kinds;
mod manifest;
mod method;
mod mode;
mod name;
mod origin;
mod parts;
mod path;
mod pattern;
mod route;
mod rule;
mod scope;
mod visible;

pub use address::is_public;
pub use agent_policy::{Acting, AgentPolicy};
pub use agreement::{Agreement, ChangeAgreement, Disagreement, SentChange, agree};
pub use card::{Account, Card, ChangeCard, Checked, FieldCard, WireRequest};
pub use change::{Change, FieldChange};
pub use digest::{
    BoundAlike, BoundCall, BoundRequest, BoundSent, Digest, DigestError, canonical_json,
};
pub use done::{Done, DonePlace};
pub use effect::Effect;
pub use envelope::{Envelope, EnvelopeError, Operation, XmlNameError, XmlPlace};
pub use environment::Environment;
pub use header::{HeaderRefusal, TICKET_HEADER, check_headers, is_reserved};
pub use html::escape_html;
pub use kinds::{BodyPlace, IdPlace, KindPlace, PlaceError, Touched, TouchedError};
pub use manifest::{
    AlsoLogin, ApiKey, ApiKeyPlace, Auth, COMPLETIONS_MAX, CachePolicy, Completing, Declared,
    DeclaredTool, ErrorPlace, FindsOut, Grants, Guidance, Login, LoginPattern, LoginPatternError,
    LoginPlace, LoginValues, MANIFEST_SCHEMA, Manifest, ManifestError, NamedCall, OAuth2,
    PLACEHOLDERS, Problem, PromptArgument, PromptError, PromptSpec, RecordVariables, ResourceSpec,
    RouteSpec, Scopes, SetupPage, StaleToken, ToolCall, UnclearLogin, UriTemplate,
    UriTemplateError, Widened, Widening, is_filled_at, stranger, widenings,
};
pub use method::Method;
pub use mode::Mode;
pub use name::{AgentId, ConnectionId, ConnectorName, GroupName, NameError, PersonId, ToolName};
pub use origin::{Origin, OriginError, OriginPattern};
pub use parts::{Carrier, PARTS_MAX, Part, PartRefusal, Parts, PartsRefusal};
pub use path::{PathRefusal, RequestPath};
pub use pattern::{NamePattern, PatternError, ScopePattern};
pub use route::{Match, RouteRefusal, RouteTable};
pub use rule::{
    ActsAs, Decision, Level, Novelty, RuledTool, SeenTools, Selector, SelectorError, Standing,
    ToolRule, Verdict,
};
pub use scope::{Access, Denied, DeniedBy, Scope};
pub use visible::{LookAlike, look_alikes, visible};
