//! A tool: its name and words, the struct that its arguments fit, and the
//! function that runs it.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::arguments;
use crate::bindings::exports::portcullis::connector::tools;
use crate::definition::{Definition, Words};
use crate::failure::Failure;
use crate::output::Output;

pub use crate::bindings::portcullis::connector::effects::Effect;

type Run = Box<dyn Fn(Value) -> Result<Output, Failure>>;

/// One tool of a connector.
///
/// The type of the function's argument is the tool's input schema: fields'
/// doc comments become descriptions, unknown arguments are refused.
///
/// ```
/// use portcullis_sdk::{Failure, Output, Tool};
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Echo {
///     /// What to say.
///     text: String,
/// }
///
/// fn echo(args: Echo) -> Result<Output, Failure> {
///     Ok(Output::text(args.text))
/// }
///
/// let tool = Tool::read("echo", "Echo", "demo", "Returns its text.", echo);
/// assert_eq!(tool.call(r#"{"text": "hi"}"#)?.text, "hi");
/// # Ok::<(), Failure>(())
/// ```
pub struct Tool {
    name: &'static str,
    run: Run,
    definition: Definition,
}

impl Tool {
    /// A tool that leaves the service as it was. Idempotent.
    ///
    /// `name` is `snake_case`, at most 64 characters, unique in the connector;
    /// `title` is for people; `toolset` is one of the manifest's; `description`
    /// tells the model what the tool does, when to use it and what it returns.
    pub fn read<A, F>(
        name: &'static str,
        title: &'static str,
        toolset: &'static str,
        description: &'static str,
        run: F,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema,
        F: Fn(A) -> Result<Output, Failure> + 'static,
    {
        let words = Words {
            title,
            toolset,
            description,
        };
        Self::of(name, words, Effect::Read, run)
    }

    /// A tool that adds or changes something that the service can put back.
    /// The words are as for [`read`](Self::read).
    pub fn write<A, F>(
        name: &'static str,
        title: &'static str,
        toolset: &'static str,
        description: &'static str,
        run: F,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema,
        F: Fn(A) -> Result<Output, Failure> + 'static,
    {
        let words = Words {
            title,
            toolset,
            description,
        };
        Self::of(name, words, Effect::Write, run)
    }

    /// A tool that deletes, merges, converts or sends: it cannot simply be
    /// undone. The words are as for [`read`](Self::read).
    pub fn destructive<A, F>(
        name: &'static str,
        title: &'static str,
        toolset: &'static str,
        description: &'static str,
        run: F,
    ) -> Self
    where
        A: DeserializeOwned + JsonSchema,
        F: Fn(A) -> Result<Output, Failure> + 'static,
    {
        let words = Words {
            title,
            toolset,
            description,
        };
        Self::of(name, words, Effect::Destructive, run)
    }

    fn of<A, F>(name: &'static str, words: Words, effect: Effect, run: F) -> Self
    where
        A: DeserializeOwned + JsonSchema,
        F: Fn(A) -> Result<Output, Failure> + 'static,
    {
        Self {
            name,
            run: Box::new(move |args| run(arguments::fit(args)?)),
            definition: Definition::of::<A>(words, effect),
        }
    }

    /// Declares that running the tool twice with the same arguments does no
    /// more than once. Reads are idempotent already.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.definition.make_idempotent();
        self
    }

    /// Declares what [`Output::structured`] holds: the schema of `T` as it is written.
    #[must_use]
    pub fn output<T: JsonSchema>(mut self) -> Self {
        self.definition.answer_with::<T>();
        self
    }

    /// Returns the tool's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs the tool on a JSON object of arguments, as the host does.
    ///
    /// # Errors
    ///
    /// `invalid-argument` with a JSON Pointer where the arguments do not fit,
    /// and what the tool's function returns.
    pub fn call(&self, args: &str) -> Result<Output, Failure> {
        (self.run)(arguments::read(args)?)
    }

    /// Returns the tool as the contract describes it, schemas included. A component without the feature `definitions` has no
    /// such function.
    #[cfg(any(feature = "definitions", not(target_family = "wasm")))]
    #[must_use]
    pub fn describe(&self) -> tools::Tool {
        self.definition.describe(self.name)
    }
}

/// Arguments of a tool that takes none.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoArguments {}

/// Finds the tool `name` and runs it; called by [`connector!`](crate::connector).
///
/// # Errors
///
/// `not-found` where no tool has that name, and what [`Tool::call`] returns.
#[doc(hidden)]
pub fn dispatch(
    tools: impl IntoIterator<Item = Tool>,
    name: &str,
    args: &str,
) -> Result<tools::Output, Failure> {
    tools
        .into_iter()
        .find(|tool| tool.name == name)
        .ok_or_else(|| Failure::not_found(format!("this connector has no tool `{name}`")))?
        .call(args)?
        .into_contract()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::Reason;

    #[derive(serde::Deserialize, JsonSchema)]
    struct Rename {
        /// The new name.
        name: String,
    }

    fn rename(args: Rename) -> Result<Output, Failure> {
        Ok(Output::text(format!("renamed to {}", args.name)))
    }

    fn tools() -> [Tool; 3] {
        [
            Tool::read("look", "Look", "records", "Looks.", |_: NoArguments| {
                Ok(Output::text("seen"))
            }),
            Tool::write("rename", "Rename", "records", "Renames.", rename).idempotent(),
            Tool::destructive("remove", "Remove", "records", "Removes.", rename),
        ]
    }

    #[test]
    fn a_tool_is_described_with_its_effect_and_schema() {
        let [look, rename, remove] = tools().map(|tool| tool.describe());
        assert_eq!((look.effect, look.idempotent), (Effect::Read, true));
        assert_eq!((rename.effect, rename.idempotent), (Effect::Write, true));
        assert_eq!(
            (remove.effect, remove.idempotent),
            (Effect::Destructive, false)
        );
        assert_eq!(
            (rename.name.as_str(), rename.title.as_str()),
            ("rename", "Rename")
        );
        assert_eq!(
            (rename.toolset.as_str(), rename.description.as_str()),
            ("records", "Renames.")
        );
        let schema: serde_json::Value = serde_json::from_str(&rename.input_schema).unwrap();
        assert_eq!(schema["properties"]["name"]["description"], "The new name.");
        assert_eq!(rename.output_schema, None);
    }

    #[test]
    fn a_call_reaches_the_tool_of_its_name() {
        let output = dispatch(tools(), "rename", r#"{"name": "Acme"}"#).unwrap();
        assert_eq!(output.text, "renamed to Acme");
        let failure = dispatch(tools(), "merge", "{}").unwrap_err();
        assert_eq!(failure.reason, Reason::NotFound);
        assert_eq!(failure.message, "this connector has no tool `merge`");
    }

    #[test]
    fn arguments_that_do_not_fit_never_reach_the_function() {
        let failure = dispatch(tools(), "rename", r#"{"name": 1}"#).unwrap_err();
        assert_eq!(failure.reason, Reason::InvalidArgument);
        assert_eq!(failure.fields[0].pointer, "/name");
    }
}
