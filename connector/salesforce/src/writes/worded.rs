//! Fields that a tool gives in its own words: `due` is `ActivityDate`. What is wrong with one is told at the argument.

use portcullis_sdk::Failure;
use serde_json::{Map, Value};

/// Fields, each with the argument that it comes from.
#[derive(Debug, Default)]
pub(super) struct Worded {
    fields: Map<String, Value>,
    arguments: Vec<(&'static str, &'static str)>,
}

impl Worded {
    /// Starts with none.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds a field; one without a value is left out.
    pub(super) fn value(
        mut self,
        field: &'static str,
        pointer: &'static str,
        value: Option<Value>,
    ) -> Self {
        self.arguments.push((field, pointer));
        if let Some(value) = value {
            self.fields.insert(field.to_owned(), value);
        }
        self
    }

    /// Adds a text.
    pub(super) fn text(self, field: &'static str, pointer: &'static str, text: &str) -> Self {
        self.value(field, pointer, Some(text.into()))
    }

    /// Adds a text where there is one.
    pub(super) fn maybe(
        self,
        field: &'static str,
        pointer: &'static str,
        text: Option<&str>,
    ) -> Self {
        self.value(field, pointer, text.map(Value::from))
    }

    /// Gives the fields.
    pub(super) fn fields(&self) -> &Map<String, Value> {
        &self.fields
    }

    /// Refuses a text that is empty, which the org would take for none.
    ///
    /// # Errors
    /// `invalid-argument`, at each argument that is empty.
    pub(super) fn require_texts(&self) -> Result<(), Failure> {
        let is_empty = |field: &str| {
            let text = self.fields.get(field).and_then(Value::as_str);
            text.is_some_and(|text| text.trim().is_empty())
        };
        let mut empty = self.arguments.iter().filter(|(field, _)| is_empty(field));
        let Some((_, first)) = empty.next() else {
            return Ok(());
        };
        let failure = Failure::invalid("nothing was sent: a text is empty");
        let at = |failure: Failure, pointer: &str| failure.field(pointer, "is empty");
        Err(empty.fold(at(failure, first), |failure, (_, pointer)| {
            at(failure, pointer)
        }))
    }

    /// Moves what is wrong with a field to the argument that it comes from.
    pub(super) fn said<T>(&self, result: Result<T, Failure>) -> Result<T, Failure> {
        result.map_err(|mut failure| {
            for problem in &mut failure.fields {
                let name = problem.pointer.strip_prefix("/fields/");
                let argument = name.and_then(|name| {
                    let mut known = self.arguments.iter();
                    known.find(|(field, _)| field.eq_ignore_ascii_case(name))
                });
                if let Some((_, pointer)) = argument {
                    problem.pointer = (*pointer).to_owned();
                }
            }
            failure
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_text_is_refused_at_its_argument() {
        let worded = |subject: &str, about: Option<&str>| {
            Worded::new()
                .text("Subject", "/subject", subject)
                .maybe("WhatId", "/about", about)
        };
        assert!(worded("x", None).require_texts().is_ok());
        let Err(failure) = worded(" ", Some("")).require_texts() else {
            unreachable!("both are empty");
        };
        let places = failure.fields.iter().map(|field| field.pointer.as_str());
        assert_eq!(places.collect::<Vec<_>>(), ["/subject", "/about"]);
    }

    #[test]
    fn a_problem_is_told_at_its_argument() {
        let worded = Worded::new()
            .text("ActivityDate", "/due", "tomorrow")
            .maybe("WhatId", "/about", None);
        assert_eq!(worded.fields().len(), 1);
        let failure = Failure::invalid("m")
            .field("/fields/ActivityDate", "a")
            .field("/fields/WhatId", "b")
            .field("/fields/Secret__c", "c")
            .field("/object", "d");
        let Err(failure) = worded.said::<()>(Err(failure)) else {
            unreachable!("it failed");
        };
        let places: Vec<&str> = failure
            .fields
            .iter()
            .map(|field| field.pointer.as_str())
            .collect();
        assert_eq!(places, ["/due", "/about", "/fields/Secret__c", "/object"]);
    }
}
