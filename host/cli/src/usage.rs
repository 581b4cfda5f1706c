//! The command line as it was written: what of it is no command is told to people and, where a program asked, to the program.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use serde_json::Value;

use crate::args::Cli;
use crate::problem::{MISTAKE, Problem};
use crate::show;

/// Reads the command line. Where there is nothing to run, what was asked for or what is wrong is printed.
///
/// # Errors
///
/// The exit code with which the program ends.
pub(crate) fn read(arguments: impl Iterator<Item = OsString>) -> Result<Cli, ExitCode> {
    let arguments: Vec<OsString> = of_help(arguments.collect());
    let error = match Cli::try_parse_from(&arguments) {
        Ok(cli) => return Ok(cli),
        Err(error) => error,
    };
    let is_answer = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    if !is_answer && asks_for_json(&arguments) {
        let rendered = error.render().to_string();
        // The first paragraph is what is wrong; what follows is how it is written.
        let (message, hint) = rendered.split_once("\n\n").unwrap_or((&rendered, ""));
        let message = message.trim_start_matches("error: ").trim();
        let object = show::reply::problem_json(&Problem::mistake("usage", message, hint.trim()));
        let _ = show::json(&Value::Object(object)); // There is nobody left to tell.
    }
    let _ = error.print(); // As above.
    Err(match is_answer {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(MISTAKE),
    })
}

/// Takes `--help` from behind `help`, which is one and knows none.
fn of_help(mut arguments: Vec<OsString>) -> Vec<OsString> {
    let is_option = |argument: &OsString| argument.to_string_lossy().starts_with('-');
    let command = arguments.iter().skip(1).position(|one| !is_option(one));
    if let Some(at) = command.map(|at| at + 1)
        && arguments[at] == "help"
    {
        let is_help = |argument: &OsString| argument == "--help" || argument == "-h";
        let mut place = 0;
        arguments.retain(|argument| {
            place += 1;
            place <= at || !is_help(argument)
        });
    }
    arguments
}

/// Says whether a program asks, as far as can be told of what is no command: `--json`, or, for a call, whose `--json` is something
/// else, `--output json`.
fn asks_for_json(arguments: &[OsString]) -> bool {
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    let has_output = arguments
        .windows(2)
        .any(|pair| pair[0] == "--output" && pair[1] == "json");
    let is_call = arguments
        .iter()
        .skip(1)
        .any(|argument| AsRef::<OsStr>::as_ref(argument) == "call");
    has_output || has("--output=json") || (!is_call && has("--json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn help_of_help_is_help() {
        let all = list(&["portcullis", "help"]);
        assert_eq!(of_help(list(&["portcullis", "help", "--help"])), all);
        assert_eq!(of_help(list(&["portcullis", "help", "-h"])), all);
        for other in [
            list(&["portcullis", "--help"]),
            list(&["portcullis", "call", "--help"]),
            list(&["portcullis", "call", "help", "--help"]),
            list(&["portcullis"]),
        ] {
            assert_eq!(of_help(other.clone()), other);
        }
    }

    #[test]
    fn a_program_that_asks_is_known_by_its_option() {
        for (words, expected) in [
            (&["portcullis", "person", "add", "--json"][..], true),
            (&["portcullis", "call", "query", "--json", "{}"], false),
            (&["portcullis", "call", "--output", "json"], true),
            (&["portcullis", "call", "--output=json"], true),
            (&["portcullis", "call", "--output", "text"], false),
            (&["portcullis", "person"], false),
        ] {
            assert_eq!(asks_for_json(&list(words)), expected, "{words:?}");
        }
    }
}
