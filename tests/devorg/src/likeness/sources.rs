//! Which files of a folder have records: those that plans name, or all.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::notes::Notes;
use super::problem::DataError;
use super::{json_files, shown};

/// A file of records.
pub(super) struct Source {
    pub(super) path: PathBuf,
    /// What people are told of it.
    pub(super) file: String,
    /// The plans that it is part of, or the file itself: within one no two records have one reference.
    pub(super) scopes: Vec<usize>,
    /// The object of the records that do not say themselves.
    pub(super) object: Option<String>,
}

/// A step of a plan. Every reference can be saved and resolved here, so that it does not matter what
/// it says of that.
#[derive(Deserialize)]
struct Step {
    sobject: String,
    files: Vec<String>,
}

/// Finds the files of a folder.
///
/// # Errors
///
/// There is none, or a plan is none.
pub(super) fn sources(folder: &Path, notes: &mut Notes) -> Result<Vec<Source>, DataError> {
    let files = json_files(folder).map_err(|source| DataError::Read {
        path: folder.to_owned(),
        source,
        advice: "name the folder that the export is in",
    })?;
    if files.is_empty() {
        let folder = folder.to_owned();
        return Err(DataError::Empty { folder });
    }
    let (plans, trees): (Vec<_>, Vec<_>) = files.into_iter().partition(|path| is_plan(path));
    if plans.is_empty() {
        let trees = trees.into_iter().enumerate();
        let sources = trees.map(|(scope, path)| Source {
            file: shown(&path),
            path,
            scopes: vec![scope],
            object: None,
        });
        return Ok(sources.collect());
    }
    let mut sources: Vec<Source> = Vec::new();
    let mut places: HashMap<PathBuf, usize> = HashMap::new();
    for (scope, plan) in plans.iter().enumerate() {
        for step in steps(plan)? {
            for file in &step.files {
                // `./a.json` is `a.json`.
                let path: PathBuf = folder.join(file).components().collect();
                // Exports into one folder share what they have in common.
                let at = *places.entry(path).or_insert_with_key(|path| {
                    sources.push(Source {
                        path: path.clone(),
                        file: file.clone(),
                        scopes: Vec::new(),
                        object: Some(step.sobject.clone()),
                    });
                    sources.len() - 1
                });
                let scopes = &mut sources[at].scopes;
                if !scopes.contains(&scope) {
                    scopes.push(scope);
                }
            }
        }
    }
    for path in trees
        .iter()
        .filter(|path| !places.contains_key(&path.components().collect::<PathBuf>()))
    {
        notes.say(format!("{} is in no plan and was not read", shown(path)));
    }
    Ok(sources)
}

/// Says whether a file is a plan: `sf` ends its name so.
fn is_plan(path: &Path) -> bool {
    let name = shown(path);
    name == "plan.json" || name.ends_with("-plan.json")
}

fn steps(plan: &Path) -> Result<Vec<Step>, DataError> {
    let bytes = std::fs::read(plan).map_err(|source| DataError::Read {
        path: plan.to_owned(),
        source,
        advice: super::READABLE,
    })?;
    serde_json::from_slice(&bytes).map_err(|error| DataError::NoPlan {
        file: shown(plan),
        reason: error.to_string(),
    })
}
