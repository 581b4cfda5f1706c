//! What a person may have an agent do, in the connector's words: a text that names the tools to use.
//!
//! It calls nothing by itself, and lets an agent do nothing that it may not do without it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::resource::check_completing;
use super::{Completing, Manifest, Problem};
use crate::ToolName;

/// Characters of an argument.
const ARGUMENT_CHARS_MAX: usize = 2_000;

/// A text for an agent, with placeholders for what a person says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptSpec {
    /// For programs: unique in the connector.
    pub name: String,
    /// For people.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// What the person says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<PromptArgument>,
    /// The tools that the text names. An agent that does not have all of them is not offered it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<ToolName>,
    /// The text: `{name}` stands for an argument.
    pub text: String,
}

/// What a person says to a prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptArgument {
    /// Its name.
    pub name: String,
    /// For people.
    pub title: String,
    /// What to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What stands in the text where nothing is said; none: it must be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// What completes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete: Option<Completing>,
}

/// What a person said does not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// An argument that must be said is not.
    #[error("`{name}` is missing: {title}")]
    Missing {
        /// Its name.
        name: String,
        /// What it is.
        title: String,
    },
    /// There is no such argument.
    #[error("there is no argument `{0}`")]
    Unknown(String),
    /// A text that is too long, or that has control characters.
    #[error("`{0}` is no text of at most {ARGUMENT_CHARS_MAX} characters")]
    Value(String),
}

/// A piece of a prompt's text.
enum Piece<'t> {
    Words(&'t str),
    Argument(&'t str),
}

impl PromptSpec {
    /// Gives an argument.
    pub fn argument(&self, name: &str) -> Option<&PromptArgument> {
        self.arguments.iter().find(|argument| argument.name == name)
    }

    /// Writes the text with what a person said. What they said is not looked at for placeholders.
    ///
    /// # Errors
    ///
    /// [`PromptError`].
    pub fn text(&self, said: &BTreeMap<String, String>) -> Result<String, PromptError> {
        for (name, value) in said {
            if self.argument(name).is_none() {
                return Err(PromptError::Unknown(name.chars().take(64).collect()));
            }
            let is_text = |char: char| !char.is_control() || matches!(char, '\n' | '\t');
            if value.chars().count() > ARGUMENT_CHARS_MAX || !value.chars().all(is_text) {
                return Err(PromptError::Value(name.clone()));
            }
        }
        let value_of = |argument: &PromptArgument| {
            let said = said.get(&argument.name).map(|value| value.trim());
            let said = said.filter(|value| !value.is_empty());
            said.map(str::to_owned).or_else(|| argument.default.clone())
        };
        for argument in &self.arguments {
            if value_of(argument).is_none() {
                return Err(PromptError::Missing {
                    name: argument.name.clone(),
                    title: argument.title.clone(),
                });
            }
        }
        let pieces = pieces(&self.text).into_iter();
        let words = pieces.map(|piece| match piece {
            Piece::Words(words) => words.to_owned(),
            Piece::Argument(name) => self.argument(name).and_then(value_of).unwrap_or_default(),
        });
        Ok(words.collect())
    }
}

/// Takes a text apart. A brace that begins no name is a word.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((words, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else {
            break;
        };
        pieces.extend([Piece::Words(words), Piece::Argument(name)]);
        rest = after;
    }
    pieces.push(Piece::Words(rest));
    pieces
}

/// Finds what is wrong with a manifest's prompts.
pub(super) fn check(manifest: &Manifest, problems: &mut Vec<Problem>) {
    for (index, prompt) in manifest.prompts.iter().enumerate() {
        let at = format!("/prompts/{index}");
        let mut add = |member: &str, problem: String| {
            let pointer = format!("{at}/{member}");
            problems.push(Problem { pointer, problem });
        };
        let before = &manifest.prompts[..index];
        if before.iter().any(|one| one.name == prompt.name) {
            add("name", format!("`{}` is there twice", prompt.name));
        }
        let names: Vec<&str> = prompt
            .arguments
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        for (number, name) in names.iter().enumerate() {
            if names[..number].contains(name) {
                add(
                    &format!("arguments/{number}/name"),
                    format!("`{name}` is there twice"),
                );
            }
            if !prompt.text.contains(&format!("{{{name}}}")) {
                add("text", format!("it does not have `{{{name}}}`"));
            }
        }
        for piece in pieces(&prompt.text) {
            match piece {
                Piece::Argument(name) if !names.contains(&name) => {
                    add("text", format!("there is no argument for `{{{name}}}`"));
                }
                Piece::Words(words) if words.contains(['{', '}']) => {
                    add(
                        "text",
                        "braces stand around the name of an argument".to_owned(),
                    );
                }
                _ => {}
            }
        }
        for (number, tool) in prompt.tools.iter().enumerate() {
            if !prompt.text.contains(&format!("`{tool}`")) {
                let problem = format!("the text does not name `{tool}`, between backticks");
                add(&format!("tools/{number}"), problem);
            }
        }
        for (number, argument) in prompt.arguments.iter().enumerate() {
            if let Some(completing) = &argument.complete {
                let at = format!("{at}/arguments/{number}/complete");
                check_completing(completing, &argument.name, &names, &at, problems);
            }
        }
    }
}

#[cfg(test)]
#[path = "prompt_tests.rs"]
mod tests;
