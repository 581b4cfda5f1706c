//! A connector's tools, checked: names, toolsets, and schemas that compile.

use std::collections::HashSet;
use std::fmt;
use std::sync::OnceLock;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use portcullis_policy::{Effect, Manifest, Problem, ToolCall, ToolName, is_filled_at};
use serde_json::{Map, Value};

use super::InstallError;
use super::describe::DescribedTool;
use crate::bindings::contract::effects;
use crate::reply::FieldProblem;

/// Problems of one schema that are reported: more help nobody.
const PROBLEMS_MAX: usize = 32;

/// A tool of a connector.
pub struct Tool {
    /// Its name.
    pub name: ToolName,
    /// For people.
    pub title: String,
    /// For the model.
    pub description: String,
    /// The group it belongs to.
    pub toolset: String,
    /// Its ceiling: no request of its calls goes beyond it.
    pub effect: Effect,
    /// Whether running it twice does no more than once.
    pub idempotent: bool,
    /// JSON Schema 2020-12 of its arguments.
    pub input_schema: Value,
    /// JSON Schema 2020-12 of its structured answer.
    pub output_schema: Option<Value>,
    input: Compiled,
    output: Compiled,
}

/// The validator of a schema that was found usable, made when it is first asked for: most tools of a running
/// server are never called, and their validators are larger than their schemas.
#[derive(Default)]
struct Compiled(OnceLock<Option<Validator>>);

impl Compiled {
    fn of(&self, schema: &Value) -> Option<&Validator> {
        self.0.get_or_init(|| validator(schema).ok()).as_ref()
    }

    fn problems(&self, schema: &Value, value: &Value) -> Vec<FieldProblem> {
        match self.of(schema) {
            Some(validator) => problems(validator, value),
            // Compiling it again comes out as it did when the tool was checked; if not, nothing fits.
            None => vec![FieldProblem {
                pointer: String::new(),
                problem: "the tool's schema cannot be used".to_owned(),
            }],
        }
    }
}

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tool")
            .field("name", &self.name)
            .field("effect", &self.effect)
            .finish_non_exhaustive()
    }
}

impl Tool {
    /// Takes a tool as a component describes it; or says which members cannot be read.
    pub(super) fn of(described: &DescribedTool) -> Result<Self, Vec<(&'static str, String)>> {
        let name = ToolName::parse(described.name.as_str());
        let input = schema(&described.input_schema);
        let output = described.output_schema.as_deref().map(schema).transpose();
        match (name, input, output) {
            (Ok(name), Ok(input_schema), Ok(output_schema)) => Ok(Self {
                name,
                title: described.title.clone(),
                description: described.description.clone(),
                toolset: described.toolset.clone(),
                effect: described.effect,
                idempotent: described.idempotent,
                input_schema,
                output_schema,
                input: Compiled::default(),
                output: Compiled::default(),
            }),
            (name, input, output) => {
                let name = name.err().map(|error| ("name", error.to_string()));
                let input = input.err().map(|problem| ("input-schema", problem));
                let output = output.err().map(|problem| ("output-schema", problem));
                Err([name, input, output].into_iter().flatten().collect())
            }
        }
    }

    /// Says what of the arguments does not fit, each with its place.
    pub(crate) fn problems_of_arguments(&self, arguments: &Value) -> Vec<FieldProblem> {
        self.input.problems(&self.input_schema, arguments)
    }

    /// Says what of an answer does not fit; nothing where the tool declares no schema.
    pub(crate) fn problems_of_answer(&self, answer: Option<&Value>) -> Vec<FieldProblem> {
        match (&self.output_schema, answer) {
            (Some(schema), Some(answer)) => self.output.problems(schema, answer),
            (Some(_), None) => vec![FieldProblem {
                pointer: String::new(),
                problem: "the tool declares structured data and gives none".to_owned(),
            }],
            (None, _) => Vec::new(),
        }
    }

    /// Says what of the arguments of a call that a manifest names does not fit, by a sample of it. Of what is filled in later the very
    /// characters are not known, and so not held to the schema.
    pub(super) fn problems_of_named(
        &self,
        named: &Map<String, Value>,
        sample: ToolCall,
    ) -> Vec<FieldProblem> {
        let Some(input) = self.input.of(&self.input_schema) else {
            return Vec::new();
        };
        let arguments = Value::Object(sample.arguments);
        let unknown = named.keys().filter(|name| {
            let declared = &self.input_schema["properties"];
            declared.get(name.as_str()).is_none()
        });
        let mut problems: Vec<FieldProblem> = unknown
            .map(|name| FieldProblem {
                pointer: format!("/{}", name.replace('~', "~0").replace('/', "~1")),
                problem: "the tool has no such argument".to_owned(),
            })
            .collect();
        for error in input.iter_errors(&arguments) {
            let pointer = error.instance_path().to_string();
            let is_of_characters = matches!(
                error.kind(),
                ValidationErrorKind::Pattern { .. }
                    | ValidationErrorKind::Format { .. }
                    | ValidationErrorKind::MinLength { .. }
                    | ValidationErrorKind::MaxLength { .. }
            );
            if !(is_of_characters && is_filled_at(named, &pointer)) {
                problems.push(FieldProblem {
                    pointer,
                    problem: error.to_string(),
                });
            }
        }
        problems
    }

    /// Says whether an argument of this name must be given.
    pub(crate) fn requires(&self, argument: &str) -> bool {
        self.input_schema["required"]
            .as_array()
            .is_some_and(|required| required.iter().any(|name| name == argument))
    }
}

fn problems(validator: &Validator, value: &Value) -> Vec<FieldProblem> {
    if validator.is_valid(value) {
        return Vec::new();
    }
    validator
        .iter_errors(value)
        .take(PROBLEMS_MAX)
        .map(|error| FieldProblem {
            pointer: error.instance_path().to_string(),
            problem: error.to_string(),
        })
        .collect()
}

/// Checks what a component says of its tools, and says everything that is wrong.
pub(super) fn check(
    described: &[DescribedTool],
    manifest: &Manifest,
) -> Result<Vec<Tool>, InstallError> {
    let mut problems = Vec::new();
    let mut names = HashSet::new();
    let mut checked = Vec::with_capacity(described.len());
    for (index, tool) in described.iter().enumerate() {
        let at = |member: &str, problem: String| Problem {
            pointer: format!("/{index}/{member}"),
            problem,
        };
        if !names.insert(&tool.name) {
            problems.push(at("name", format!("`{}` is there twice", tool.name)));
        }
        if !manifest.toolsets.contains_key(&tool.toolset) {
            let problem = format!("the manifest has no toolset `{}`", tool.toolset);
            problems.push(at("toolset", problem));
        }
        let tool = match Tool::of(tool) {
            Ok(tool) => tool,
            Err(found) => {
                let found = found
                    .into_iter()
                    .map(|(member, problem)| at(member, problem));
                problems.extend(found);
                continue;
            }
        };
        let output = tool.output_schema.as_ref();
        for (member, schema) in [
            ("input-schema", Some(&tool.input_schema)),
            ("output-schema", output),
        ] {
            if let Some(Err(problem)) = schema.map(validator) {
                problems.push(at(member, problem));
            }
        }
        if tool.input_schema["type"] != "object" {
            let problem = "its type must be `object`: arguments have names".to_owned();
            problems.push(at("input-schema", problem));
        }
        checked.push(tool);
    }
    match problems.is_empty() {
        true => Ok(checked),
        false => Err(InstallError::Tools(problems)),
    }
}

fn schema(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))
}

fn validator(schema: &Value) -> Result<Validator, String> {
    jsonschema::draft202012::new(schema)
        .map_err(|error| format!("it is no JSON Schema 2020-12: {error}"))
}

/// Turns the contract's effect into policy's.
pub(crate) fn effect(effect: effects::Effect) -> Effect {
    match effect {
        effects::Effect::Read => Effect::Read,
        effects::Effect::Write => Effect::Write,
        effects::Effect::Destructive => Effect::Destructive,
    }
}
