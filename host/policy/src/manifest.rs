//! A connector's manifest: what it declares, checked as far as it can be without running anything.
//!
//! The schema (`wit/manifest.schema.json`) says what an author may write; what a schema cannot say is checked here. All
//! problems are found at once, each with its JSON Pointer.

mod auth;
mod check;
mod finds_out;
mod guidance;
mod login;
mod login_pattern;
mod named;
mod prompt;
mod resource;
mod uri_template;
mod widening;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::kinds::BodyPlace;
use crate::{
    ConnectorName, DonePlace, Effect, IdPlace, KindPlace, Method, NamePattern, Operation, Origin,
    OriginPattern, Parts, XmlPlace,
};

pub use auth::{ApiKey, ApiKeyPlace, Auth, Grants, OAuth2, Scopes, StaleToken};
pub use finds_out::{FindsOut, ToolCall, is_filled_at};
pub use guidance::{ErrorPlace, Guidance, PLACEHOLDERS, SetupPage};
pub use login::{AlsoLogin, Login, LoginPlace, UnclearLogin};
pub use login_pattern::{LoginPattern, LoginPatternError, LoginValues};
pub use named::NamedCall;
pub use prompt::{PromptArgument, PromptError, PromptSpec};
pub use resource::{COMPLETIONS_MAX, Completing, RecordVariables, ResourceSpec};
pub use uri_template::{UriTemplate, UriTemplateError};
pub use widening::{Declared, DeclaredTool, Widened, Widening, stranger, widenings};

/// The JSON Schema of a manifest, as it is published in `wit/manifest.schema.json`.
pub const MANIFEST_SCHEMA: &str = include_str!("../../../wit/manifest.schema.json");

/// What a connector declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Its name.
    pub name: ConnectorName,
    /// For people.
    pub title: String,
    /// `MAJOR.MINOR.PATCH`.
    pub version: String,
    /// What it is good for, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How accounts sign in.
    pub auth: Auth,
    /// Where its connections may be, and further origins that it names in full.
    pub origins: Vec<OriginPattern>,
    /// What it may send.
    pub routes: Vec<RouteSpec>,
    /// Kinds of record that give power over others: an agent changes one only where an administrator allowed it by its
    /// full name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guarded_kinds: Vec<NamePattern>,
    /// The groups of its tools, with what each is for.
    pub toolsets: BTreeMap<String, String>,
    /// What a client can read by an address.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceSpec>,
    /// What a person may have an agent do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompts: Vec<PromptSpec>,
}

/// A request that a connector may send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteSpec {
    /// Its methods.
    pub methods: Vec<Method>,
    /// The template of its path, such as `/record/{id}`; `{kind}` is the kind of record.
    pub path: String,
    /// How far it reaches.
    pub effect: Effect,
    /// Where its kinds of record are; empty: it touches none. None: in the path, where that has `{kind}`, else unseen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<KindPlace>>,
    /// Where the body has the object, or objects, whose members are the record's fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields: Option<BodyPlace>,
    /// Where the ids of the records are that it changes, besides the path's `{id}`, in the order of the announced changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<IdPlace>,
    /// The operation of a SOAP service, where its path carries several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// Where in its XML body the token stands, instead of in a header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_at: Option<XmlPlace>,
    /// Where its body has requests of their own, which it carries and which count as if each were sent by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Parts>,
    /// Whether the host remembers its answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CachePolicy>,
    /// Headers that it may carry besides those that every request may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// The origin that it goes to; none: the connection's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The call that finds out whether a change was made whose outcome nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finds_out: Option<FindsOut>,
    /// Where an answer whose status says success says of each change whether it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<DonePlace>,
}

/// How a host remembers the answers of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CachePolicy {
    /// They describe kinds and fields, not records: remembered for an account, taken from memory for a minute, and after that
    /// asked for again only where they changed.
    Schema,
}

/// Something that is wrong at a place of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// What is wrong, and what to write instead.
    pub problem: String,
}

/// A text that is no manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// Everything that is wrong, in the order of the text.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the manifest does not fit `manifest.schema.json`:")?;
        for problem in &self.problems {
            let place = match problem.pointer.as_str() {
                "" => "the whole",
                pointer => pointer,
            };
            write!(f, "\n  {place}: {}", problem.problem)?;
        }
        Ok(())
    }
}

impl std::error::Error for ManifestError {}

impl Manifest {
    /// Takes a manifest's JSON text.
    ///
    /// # Errors
    ///
    /// [`ManifestError`] with every problem.
    pub fn from_json(text: &str) -> Result<Self, ManifestError> {
        let one = |problem: String| ManifestError {
            problems: vec![Problem {
                pointer: String::new(),
                problem,
            }],
        };
        let value: serde_json::Value =
            serde_json::from_str(text).map_err(|error| one(format!("it is no JSON: {error}")))?;
        let problems = problems_by_schema(&value)
            .map_err(|error| one(format!("the published schema cannot be used: {error}")))?;
        if !problems.is_empty() {
            return Err(ManifestError { problems });
        }
        let problems = check::check_addresses(&value);
        if !problems.is_empty() {
            return Err(ManifestError { problems });
        }
        let manifest = read(value).map_err(|error| one(error.to_string()))?;
        let problems = check::check(&manifest);
        match problems.is_empty() {
            true => Ok(manifest),
            false => Err(ManifestError { problems }),
        }
    }

    /// Takes the JSON text of a manifest that [`from_json`](Self::from_json) took before, as the very same program: what that found to be
    /// so is not looked at again, which is nearly all of its work.
    ///
    /// # Errors
    ///
    /// When it is another text.
    pub fn from_checked_json(text: &str) -> serde_json::Result<Self> {
        read(serde_json::from_str(text)?)
    }

    /// Gives the POST routes that are declared to only read. The host cannot see that they do, so an
    /// administrator accepts each at installation, by its [`accepted_as`](RouteSpec::accepted_as).
    pub fn posts_declared_read(&self) -> Vec<&RouteSpec> {
        let is_such = |route: &&RouteSpec| {
            route.effect == Effect::Read && route.methods.contains(&Method::Post)
        };
        self.routes.iter().filter(is_such).collect()
    }

    /// Lists what nobody has accepted of them, in the words of [`accepted_as`](RouteSpec::accepted_as).
    pub fn not_accepted(&self, accepted: &[impl AsRef<str>]) -> Vec<String> {
        let posts = self.posts_declared_read().into_iter();
        posts
            .map(RouteSpec::accepted_as)
            .filter(|post| !accepted.iter().any(|one| one.as_ref() == post))
            .collect()
    }
}

impl RouteSpec {
    /// Names a request of this route: its method, where it goes, and what it asks of a SOAP service, as in
    /// `POST /soap/{version} ({urn:service}query)`.
    pub fn named(&self, method: Method) -> String {
        let place = match &self.origin {
            Some(origin) => format!("{method} {origin}{}", self.path),
            None => format!("{method} {}", self.path),
        };
        match &self.operation {
            Some(operation) => format!("{place} ({operation})"),
            None => place,
        }
    }

    /// Gives the words by which somebody accepts that POST requests of this route only read. Of one whose body is a list of requests
    /// they say so: the host looks into it then, and who accepted that has not accepted any body.
    pub fn accepted_as(&self) -> String {
        let request = self.named(Method::Post);
        match self.parts {
            Some(_) => format!("{request} (carries requests)"),
            None => request,
        }
    }
}

fn read(mut value: serde_json::Value) -> serde_json::Result<Manifest> {
    if let Some(members) = value.as_object_mut() {
        // For editors alone.
        members.remove("$schema");
    }
    serde_json::from_value(value)
}

/// Says what of a manifest does not fit the published schema. The schema's validator is not kept: it has a quarter
/// of a megabyte, and manifests are read when a connector is installed, not while it is used.
fn problems_by_schema(value: &serde_json::Value) -> Result<Vec<Problem>, String> {
    let schema: serde_json::Value =
        serde_json::from_str(MANIFEST_SCHEMA).map_err(|error| error.to_string())?;
    let schema = jsonschema::draft202012::new(&schema).map_err(|error| error.to_string())?;
    let problems = schema.iter_errors(value).map(|error| Problem {
        pointer: error.instance_path().to_string(),
        problem: error.to_string(),
    });
    Ok(problems.collect())
}

#[cfg(test)]
mod tests;
