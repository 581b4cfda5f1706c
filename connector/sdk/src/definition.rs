//! What a tool is to those who have not called it: its words, its effect and its schemas.
//!
//! Making schemas of structs takes a quarter of a megabyte of code, which each component would carry and no call
//! needs. So a component may go without: built without the feature `definitions`, its tools are a name and a
//! function, and it says by a text what they are otherwise. [`definitions`] writes that text where the tests run.

use schemars::JsonSchema;
use serde::Deserialize;
#[cfg(any(feature = "definitions", not(target_family = "wasm")))]
use serde::Serialize;
use serde_json::Value;

use crate::arguments;
use crate::bindings::exports::portcullis::connector::tools;
use crate::tool::Effect;

#[cfg(any(feature = "definitions", not(target_family = "wasm")))]
pub(crate) use carried::Definition;
#[cfg(not(any(feature = "definitions", not(target_family = "wasm"))))]
pub(crate) use elsewhere::Definition;

/// A tool's own words.
#[cfg_attr(
    not(any(feature = "definitions", not(target_family = "wasm"))),
    allow(dead_code, reason = "a component without definitions has no words")
)]
pub(crate) struct Words {
    pub(crate) title: &'static str,
    pub(crate) toolset: &'static str,
    pub(crate) description: &'static str,
}

/// Definitions that tools carry.
#[cfg(any(feature = "definitions", not(target_family = "wasm")))]
mod carried {
    use super::{Effect, JsonSchema, Words, tools};
    use crate::schema;

    /// What a tool is, but for its name.
    pub(crate) struct Definition {
        words: Words,
        effect: Effect,
        idempotent: bool,
        input_schema: fn() -> String,
        output_schema: Option<fn() -> String>,
    }

    impl Definition {
        /// Defines a tool whose arguments are an `A`.
        pub(crate) fn of<A: JsonSchema>(words: Words, effect: Effect) -> Self {
            Self {
                words,
                effect,
                idempotent: effect == Effect::Read,
                input_schema: schema::of_arguments::<A>,
                output_schema: None,
            }
        }

        pub(crate) fn make_idempotent(&mut self) {
            self.idempotent = true;
        }

        /// Says that the answer's data are a `T`.
        pub(crate) fn answer_with<T: JsonSchema>(&mut self) {
            self.output_schema = Some(schema::of_output::<T>);
        }

        /// Describes the tool of this name as the contract does.
        pub(crate) fn describe(&self, name: &str) -> tools::Tool {
            tools::Tool {
                name: name.to_owned(),
                title: self.words.title.to_owned(),
                description: self.words.description.to_owned(),
                toolset: self.words.toolset.to_owned(),
                effect: self.effect,
                idempotent: self.idempotent,
                input_schema: (self.input_schema)(),
                output_schema: self.output_schema.map(|schema| schema()),
            }
        }
    }
}

/// Definitions that stand in a text beside the tools.
#[cfg(not(any(feature = "definitions", not(target_family = "wasm"))))]
mod elsewhere {
    use super::{Effect, JsonSchema, Words};

    /// Nothing, so that nothing of it is in the component.
    pub(crate) struct Definition;

    impl Definition {
        pub(crate) fn of<A: JsonSchema>(_: Words, _: Effect) -> Self {
            Self
        }

        pub(crate) fn make_idempotent(&mut self) {}

        pub(crate) fn answer_with<T: JsonSchema>(&mut self) {}
    }
}

/// A definition as it is written.
#[cfg_attr(
    any(feature = "definitions", not(target_family = "wasm")),
    derive(Serialize)
)]
#[derive(Deserialize)]
struct Written {
    name: String,
    title: String,
    toolset: String,
    effect: String,
    idempotent: bool,
    description: String,
    input_schema: Value,
    output_schema: Option<Value>,
}

/// Writes what the tools are: the text that [`connector!`](crate::connector) takes as `definitions`. It is JSON, one tool after
/// the other, to be read and compared by people, too.
///
/// ```
/// use portcullis_sdk::{NoArguments, Output, Tool, definitions};
///
/// let look = Tool::read("look", "Look", "demo", "Looks.", |_: NoArguments| Ok(Output::text("seen")));
/// assert!(definitions([look]).contains(r#""name": "look""#));
/// ```
#[cfg(any(feature = "definitions", not(target_family = "wasm")))]
pub fn definitions(tools: impl IntoIterator<Item = crate::Tool>) -> String {
    let parsed = |schema: &str| serde_json::from_str(schema).unwrap_or_default();
    let written: Vec<Written> = tools
        .into_iter()
        .map(|tool| tool.describe())
        .map(|tool| Written {
            name: tool.name,
            title: tool.title,
            toolset: tool.toolset,
            effect: spelled(tool.effect).to_owned(),
            idempotent: tool.idempotent,
            description: tool.description,
            input_schema: parsed(&tool.input_schema),
            output_schema: tool.output_schema.as_deref().map(parsed),
        })
        .collect();
    let mut text = serde_json::to_string_pretty(&written).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads what [`definitions`] wrote; called by [`connector!`](crate::connector). A text that is none has no tools, and a
/// host takes no connector without tools.
#[doc(hidden)]
#[must_use]
pub fn defined(text: &str) -> Vec<tools::Tool> {
    // As arguments are read, which is in the component anyway.
    let written: Vec<Written> = arguments::read(text)
        .and_then(arguments::fit)
        .unwrap_or_default();
    let tool = |one: Written| tools::Tool {
        effect: match one.effect.as_str() {
            "read" => Effect::Read,
            "write" => Effect::Write,
            _ => Effect::Destructive,
        },
        name: one.name,
        title: one.title,
        description: one.description,
        toolset: one.toolset,
        idempotent: one.idempotent,
        input_schema: one.input_schema.to_string(),
        output_schema: one.output_schema.map(|schema| schema.to_string()),
    };
    written.into_iter().map(tool).collect()
}

/// Writes an effect as manifests do.
#[cfg(any(feature = "definitions", not(target_family = "wasm")))]
fn spelled(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "read",
        Effect::Write => "write",
        Effect::Destructive => "destructive",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Failure, Output, Tool};

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Rename {
        /// The new name.
        name: String,
    }

    fn rename(args: Rename) -> Result<Output, Failure> {
        Ok(Output::text(args.name))
    }

    fn tools() -> [Tool; 3] {
        [
            Tool::read("look", "Look", "demo", "Looks \"around\".", rename),
            Tool::write("rename", "Rename", "demo", "Renames.", rename)
                .idempotent()
                .output::<Rename>(),
            Tool::destructive("remove", "Remove", "demo", "Removes.", rename),
        ]
    }

    #[test]
    fn what_is_written_is_read_as_the_tools_describe_themselves() {
        let described: Vec<tools::Tool> = tools().iter().map(Tool::describe).collect();
        assert_eq!(defined(&definitions(tools())), described);
    }

    #[test]
    fn a_text_that_defines_nothing_has_no_tools() {
        for text in ["", "{}", "[{\"name\": \"look\"}]"] {
            assert_eq!(defined(text), []);
        }
    }
}
